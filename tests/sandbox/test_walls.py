"""Every isolation level, for root and others: what it needs, that it holds, what its limits do."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import msgspec
import pytest

from autograder.sandbox.isolation import landlock, walls
from autograder.sandbox.isolation.box import readable_paths
from autograder.sandbox.isolation.walls import remove_tree, user_of
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import WALLED, Isolation, Settings, down_to

SOMEBODY = Path(__file__).parents[1] / "somebody.py"
# Prints what an isolation level of a fork server is worth to whoever runs it, as JSON.
TRIAL = """
import json, sys, time
from autograder.authoring.subject import Subject
from autograder.errors import StudentError, UnsafeHere
from autograder.sandbox.isolation.canary import attempt
from autograder.sandbox.limits import Limits
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.protocol.settings import Isolation

CELL = '''
import os, time
kept = os.path.exists("kept") or open("kept", "w").close() or False
def bomb():
    while True:
        os.fork()
def hog():
    held = []
    while True:
        held.append(bytearray(16 << 20))
def hogs():
    for _ in range(4):
        if os.fork() == 0:
            held = bytearray(150 << 20)
            time.sleep(30)
    time.sleep(30)
def fill():
    for number in range(1 << 20):
        with open(f"file{number}", "wb") as file:
            file.write(bytes(1 << 20))
            file.flush()
            time.sleep(0.001)
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
    return 1
def fine():
    return 1
def data():
    with open("data/deep/one.txt", "r+") as file:
        number = int(file.read())
        file.write("0")
    return number
'''
CELLS = [CodeCell(1, CELL)]
FILES = {"data/deep/one.txt": b"1", "data/empty": b""}

def outcome(name):
    try:
        with notebook.check() as check:
            return getattr(Subject(check), name)()
    except StudentError as error:
        return f"{type(error).__name__}: {error}"

isolation = Isolation(sys.argv[1])
limits = Limits(memory_mb=400, disk_mb=20, files=200, processes=20, call_seconds=5)
try:
    fork_server = ForkServer(limits, levels=[isolation])
except UnsafeHere as error:
    print(json.dumps({"reason": str(error)}))
    raise SystemExit
with fork_server:
    found = {"escaped": attempt(fork_server)[1] if isolation.is_walled else {}}
    for name in sys.argv[2:]:
        with NotebookSession(fork_server, CELLS, time.monotonic() + 60, FILES) as notebook:
            found[name] = [outcome(name), outcome("fine")]
            with notebook.check() as check:
                found["kept"] = check.get("kept")
print(json.dumps(found))
"""

# Prints the environment's path, and whether a session of it has what it imports.
LINKED = """
import sys, time
from autograder.sandbox.limits import Limits
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CodeCell, NotebookSession

CELL = "import numpy, msgspec, IPython\\nfound = True"
with ForkServer(Limits()) as fork_server:
    with NotebookSession(fork_server, [CodeCell(1, CELL)], time.monotonic() + 60) as notebook:
        with notebook.check() as check:
            print(sys.prefix, check.get("found"))
"""


def try_isolation(isolation, *names, who=None):
    command = [sys.executable, "-c", TRIAL, str(isolation.value), *names]
    if who is not None:
        if os.geteuid() != 0:
            pytest.skip("only root can become somebody else")
        command = [sys.executable, str(SOMEBODY), who, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SETTINGS = Settings(
    isolation=Isolation.BUBBLEWRAP,
    limits=Limits(call_seconds=0.5),
    preload=("numpy",),
    device="cpu",
    folder="/tmp/x",
    user_names="user:[1]",
    others=3,
    groups=("/a",),
)
LEVELS = {
    "namespaces": (Isolation.NAMESPACES, None),
    "namespaces of a user": (Isolation.NAMESPACES, "user"),
    "bubblewrap": (Isolation.BUBBLEWRAP, None),
    "bubblewrap of a user": (Isolation.BUBBLEWRAP, "user"),
    "a container": (Isolation.OWN_USER, "container"),
}


@pytest.fixture(params=LEVELS.values(), ids=LEVELS)
def isolation(request):
    """An isolation level, and who uses it."""
    level, who = request.param
    if level is Isolation.BUBBLEWRAP and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    if level is not Isolation.NAMESPACES and landlock.abi() < landlock.NEEDED_ABI:
        pytest.skip("this kernel's Landlock is too old")
    return level, who


def test_an_isolation_level_holds_everything_and_its_limits_end_what_passes_them(isolation):
    level, who = isolation
    found = try_isolation(level, "bomb", "hog", "hogs", "fill", "daemon", "data", "data", who=who)
    assert found.pop("escaped") == {}
    assert found.pop("kept") is False  # no session finds another's files
    assert found["daemon"] == [1, 1]
    assert found["data"] == [1, 1]  # in the second session too: what the first wrote is gone
    assert found["bomb"][0].startswith(("StudentError: BlockingIOError", "StudentKilled"))
    assert found["hog"][0].startswith("StudentKilled: ")
    assert "memory" in found["hog"][0] or who == "user"  # without a control group nobody knows
    assert found["hogs"][0].startswith(("StudentKilled: ", "StudentTimeout: "))
    assert found["fill"][0].startswith(("StudentError: OSError", "StudentKilled: "))
    assert [after for _, after in found.values()] == [1] * 6


def test_an_ordinary_user_cannot_have_the_isolation_of_root_in_a_container():
    assert "only root" in try_isolation(Isolation.OWN_USER, who="user")["reason"]


def test_who_may_not_mount_cannot_have_namespaces():
    assert "not permitted" in try_isolation(Isolation.NAMESPACES, who="container")["reason"]


def test_without_bubblewrap_its_isolation_cannot_be_had(monkeypatch):
    monkeypatch.setattr(walls.shutil, "which", lambda _: None)
    with pytest.raises(walls.NotToBeHad, match="bubblewrap is not installed"):
        walls.bubblewrap_command(SETTINGS)


def test_settings_come_out_of_a_command_as_they_went_in():
    assert Settings.of(SETTINGS.text()) == SETTINGS
    for text in ('{"isolation": "moat"}', "{}", SETTINGS.text().replace("isolation", "level")):
        with pytest.raises(msgspec.ValidationError):
            Settings.of(text)


def test_an_isolation_level_will_do_down_to_the_weakest_that_may_be():
    assert down_to(Isolation.NAMESPACES) == (Isolation.NAMESPACES,)
    assert down_to(Isolation.BUBBLEWRAP) == (Isolation.NAMESPACES, Isolation.BUBBLEWRAP)
    assert down_to(Isolation.OWN_USER) == WALLED
    unwalled = Isolation.UNWALLED
    assert down_to(unwalled) == (unwalled,), "nobody is asked to try walls first"


def test_the_numbers_of_users_are_nobodys_and_differ(monkeypatch):
    monkeypatch.setattr(walls.os, "geteuid", lambda: 0)
    assert len({user_of(process) for process in range(1000)}) == 1000
    assert user_of(1) > 1 << 29
    monkeypatch.setattr(walls, "_user_map", lambda: ["0 100000 65536"])
    assert all(1000 < user_of(process) < 65536 for process in (1, 40_000, 4_000_000))
    monkeypatch.setattr(walls, "_user_map", lambda: ["0 1000 1"])
    assert user_of(77) == 0


def test_the_paths_of_a_box_hold_the_interpreter_and_not_what_is_beside_the_package():
    paths = readable_paths(["numpy"])
    root = Path(walls.__file__).parents[3]
    assert str(root) not in paths
    assert any(Path(os.__file__).is_relative_to(path) for path in paths)
    assert not any((root / "reference").is_relative_to(path) for path in paths)
    assert not any(a != b and a.startswith(f"{b}/") for a in paths for b in paths)


@pytest.fixture
def linked(tmp_path, monkeypatch):
    """Return a function that makes links and folders below a folder, and says what a box holds."""

    def linked(links, **places):
        for name, target in links.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).symlink_to(target)
        for name, value in places.items():
            monkeypatch.setattr(sys, name, str(tmp_path / value))
        found = [Path(path) for path in readable_paths([])]
        return {str(p.relative_to(tmp_path)) for p in found if p.is_relative_to(tmp_path)}

    return linked


def test_an_environment_that_is_a_link_is_in_the_box_with_its_link(tmp_path, linked):
    (tmp_path / "big" / "venv").mkdir(parents=True)
    found = linked({"course/.venv": tmp_path / "big" / "venv"}, prefix="course/.venv")
    assert found == {"course/.venv", "big/venv"}


def test_an_environment_below_a_link_is_in_the_box_and_what_is_beside_it_is_not(tmp_path, linked):
    (tmp_path / "disk" / "course" / ".venv").mkdir(parents=True)
    found = linked({"course": "disk/course"}, prefix="course/.venv")
    assert found == {"course", "disk/course/.venv"}


def test_an_interpreter_behind_several_links_is_in_the_box_with_all_of_them(tmp_path, linked):
    (tmp_path / "versions" / "3.11.7" / "bin").mkdir(parents=True)
    (tmp_path / "versions" / "3.11.7" / "bin" / "python").touch()
    links = {
        "python": "shims/python",
        "shims": "home/shims",
        "home/shims/python": "../../now/bin/python",
        "now": "versions/3.11",
        "versions/3.11": tmp_path / "versions" / "3.11.7",
    }
    found = linked(links, base_prefix="now", executable="python")
    place = "versions/3.11.7"
    assert found == {"python", "shims", "home/shims/python", "now", "versions/3.11", place}


def test_packages_that_lie_elsewhere_are_in_the_box(tmp_path, linked, monkeypatch):
    (tmp_path / "packages").mkdir()
    (tmp_path / "venv").mkdir()
    paths = {**sysconfig.get_paths(), "purelib": str(tmp_path / "venv" / "site-packages")}
    monkeypatch.setattr(sysconfig, "get_paths", lambda: paths)
    found = linked({"venv/site-packages": "../packages"}, prefix="venv")
    assert found == {"venv", "packages"}


def test_a_link_that_leads_nowhere_or_in_a_circle_is_left_out(tmp_path, linked):
    links = {"nowhere": "nothing", "round": "about", "about": "round"}
    assert linked(links, prefix="nowhere", base_prefix="round") == set()


def test_a_session_imports_from_an_environment_that_is_a_link(tmp_path):
    link = tmp_path / "linked" / ".venv"
    link.parent.mkdir()
    link.symlink_to(sys.prefix)
    program = [str(link / "bin" / "python"), "-c", LINKED]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout.split() == [str(link), "True"], done.stderr


def test_a_tree_is_removed_whatever_its_permissions(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    inner.chmod(0)
    (tmp_path / "a").chmod(0)
    remove_tree(str(tmp_path / "a"))
    assert not (tmp_path / "a").exists()
