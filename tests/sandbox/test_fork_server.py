import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from autograder.errors import HarnessError
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.isolation.cgroup import PREFIX
from autograder.sandbox.limits import Limits

SECRET = "the course's own secret"
OWNER = """
import sys, time
from autograder.sandbox.limits import Limits
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CodeCell, NotebookSession

cells = [CodeCell(1, "import os, time\\ndef f():\\n    time.sleep(600)"), CodeCell(2, sys.argv[1])]
fork_server = ForkServer(Limits(call_seconds=60))
session = NotebookSession(fork_server, cells, time.monotonic() + 100)
with session.check() as check:
    values = [check.get(name) for name in sys.argv[2:]]
    print(fork_server._process.pid, fork_server.folder, *values, flush=True)
    check.call(check.get("f").number, (), {}, False)
"""
DAEMON = """
import os, time
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(w, str(os.getpid()).encode())
        time.sleep(600)
    os._exit(0)
os.wait()
others = [int(os.read(r, 20))]
"""
ENVIRONMENTS = """
import glob
found = False
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        found = found or "SECRET" "_OF_THE_COURSE" in open(path, errors="replace").read()
    except OSError:
        pass
"""


def owner(*arguments):
    """Start a process that owns a fork server, and return it with what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SECRET_OF_THE_COURSE": SECRET},
    )
    words = process.stdout.readline().split()
    process.stdout.close()
    return process, words


def end_owner(process):
    process.kill()
    process.wait()


@pytest.fixture
def own():
    """A fork server for a test that hurts it."""
    with ForkServer(Limits()) as fork_server:
        yield fork_server


def open_session(fork_server, *cells):
    return NotebookSession(
        fork_server, [CodeCell(*cell) for cell in enumerate(cells, 1)], time.monotonic() + 60
    )


@pytest.mark.parametrize("cell", ["", DAEMON], ids=["a call", "a daemon"])
def test_nothing_outlives_an_owner_that_is_killed(cell, gone, descendants):
    process, words = owner(cell)
    supervisor = int(words[0])
    processes = descendants(supervisor)
    assert len(processes) >= 3 + bool(cell)  # the fork server, the session and its fork
    end_owner(process)
    survivors = [pid for pid in (supervisor, *processes) if not gone(pid)]
    assert survivors == []


def test_what_the_canary_had_written_is_gone_with_an_owner_that_is_killed(gone):
    process, words = owner("")
    supervisor, folder = int(words[0]), Path(words[1])
    shared = Path("/dev/shm", folder.name)
    (folder / "a").mkdir()
    for file in (folder / "a" / "b", shared):
        file.write_text("")
    end_owner(process)
    assert gone(supervisor)
    assert not folder.exists()
    assert not shared.exists()


@pytest.mark.parametrize("victim", [0, 1, 2], ids=["supervisor", "fork server", "session"])
def test_nothing_outlives_what_is_killed_in_a_fork_server(victim, gone, descendants):
    process, words = owner(DAEMON)
    processes = [int(words[0]), *descendants(int(words[0]))]
    os.kill(processes[victim], signal.SIGKILL)
    process.wait(20)  # it cannot go on
    assert [pid for pid in processes if not gone(pid)] == []


def test_no_process_whose_environment_holds_the_secret_can_be_read():
    process, words = owner(ENVIRONMENTS, "found")
    end_owner(process)
    assert words[-1] == "False"


def test_a_fork_server_that_is_closed_ends_the_session_that_it_still_has(gone, descendants):
    with ForkServer(Limits()) as fork_server:
        session = open_session(fork_server, DAEMON)
        processes = [fork_server._process.pid, *descendants(fork_server._process.pid)]
    assert [pid for pid in processes if not gone(pid, seconds=2.0)] == []
    session._channel.close()


@pytest.fixture
def kill_all(own, descendants, gone):
    """Kill a fork server with all that it started, and wait until that is so."""

    def kill_all():
        processes = descendants(own._process.pid)
        own._process.kill()
        own._process.wait()
        assert all(gone(pid) for pid in processes)

    return kill_all


def test_a_killed_fork_server_is_the_harness_at_every_step(own, kill_all):
    kill_all()
    with pytest.raises(HarnessError, match=r"^the fork server is gone"):
        open_session(own, "x = 1")


def test_a_fork_server_killed_under_a_session_is_the_harness(own, kill_all):
    session = open_session(own, "x = 1")
    kill_all()
    with pytest.raises(HarnessError), session.check() as check:
        check.get("x")


def test_a_fork_server_that_cannot_warm_up_is_the_harness_and_leaves_nothing():
    with pytest.raises(HarnessError, match=r"cannot warm up: ModuleNotFoundError"):
        ForkServer(Limits(), ("no_such_module",))


def test_a_fork_server_has_one_thread_and_none_of_our_environment(own):
    status = Path(f"/proc/{own._process.pid}/status").read_text()
    assert "Threads:\t1\n" in status
    environment = Path(f"/proc/{own._process.pid}/environ").read_text()
    names = {line.partition("=")[0] for line in environment.split("\0") if line}
    assert names <= {
        "PATH",
        "LANG",
        "MPLBACKEND",
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "CUDA_VISIBLE_DEVICES",
        "PYTHONDONTWRITEBYTECODE",
        "IPYTHONDIR",
        "AUTOGRADER_GRADING",
    }


DEEP = """
import os
for _ in range(1500):
    os.mkdir("d")
    os.chdir("d")
"""


@pytest.fixture
def private(monkeypatch, tmp_path):
    """A folder of temporary files that no other fork server sees."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    subprocess.run(["rm", "-rf", tmp_path], check=True)  # pytest would recurse too


def test_a_folder_nested_deeper_than_python_recurses_does_not_end_the_fork_server(private):
    with ForkServer(Limits()) as fork_server:
        with open_session(fork_server, DEEP) as session:
            assert session.runs[1].error is None
        with open_session(fork_server, "x = 2") as session, session.check() as check:
            assert check.get("x") == 2
    assert list(private.iterdir()) == []


def test_what_a_dead_fork_server_left_is_removed_however_deep_it_is(private):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    stale = private / f"{PREFIX}{ended.pid}-0"
    stale.mkdir()
    subprocess.run([sys.executable, "-c", DEEP], cwd=stale, check=True)
    with ForkServer(Limits()) as fork_server, open_session(fork_server, "x = 1") as session:
        assert session.runs[1].error is None
    assert not stale.exists()


LOW = """
import resource, sys, time
from autograder.sandbox.limits import Limits
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CodeCell, NotebookSession

limit = getattr(resource, sys.argv[1])
resource.setrlimit(limit, (int(sys.argv[2]), int(sys.argv[2])))
with ForkServer(Limits()) as fork_server:
    with NotebookSession(fork_server, [CodeCell(1, "x = 1")], time.monotonic() + 60) as session:
        with session.check() as check:
            print(check.get("x"), session.runs[1].ended)
"""


@pytest.mark.parametrize(
    ("limit", "value"), [("RLIMIT_NOFILE", 128), ("RLIMIT_FSIZE", 1 << 20), ("RLIMIT_CPU", 60)]
)
def test_a_machine_with_lower_limits_of_its_own_costs_no_cell(limit, value):
    done = subprocess.run(
        [sys.executable, "-c", LOW, limit, str(value)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "1 None\n", done.stderr
