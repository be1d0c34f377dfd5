import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox.isolation import cgroup
from autograder.sandbox.isolation.cgroup import PREFIX, ControlGroup, enter, stale_folders
from autograder.sandbox.limits import MB, Limits


@pytest.fixture
def group():
    group = ControlGroup.create(Limits(memory_mb=128, processes=20))
    if group is None:
        pytest.skip("this user or this kernel cannot have a control group")
    yield group
    group.remove()


def test_a_group_bounds_memory_and_processes(group):
    settings = {
        file.name: file.read_text().strip()
        for folder in group.folders
        for file in folder.iterdir()
        if file.name in ("memory.max", "memory.limit_in_bytes", "pids.max")
    }
    assert settings.pop("pids.max") == "20"
    assert set(settings.values()) == {str(128 * MB)}


def test_a_group_has_no_more_than_one_processor(group):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor is all there is")
    limits = [
        (folder / name).read_text().split()[0]
        for folder in (*group.folders, *group.shared)
        for name in ("cpu.max", "cpu.cfs_quota_us")
        if (folder / name).exists()
    ]
    if not limits:
        pytest.skip("this kernel or this user cannot bound the processor's time")
    assert limits == [str(cgroup.PERIOD)]


def test_two_groups_are_not_the_same(group):
    other = ControlGroup.create(Limits())
    assert not set(other.folders) & set(group.folders)
    other.remove()


def test_a_removed_group_leaves_no_folder(group):
    group.remove()
    assert not any(folder.exists() for folder in group.folders)


def test_a_process_that_entered_is_a_member(group):
    code = (
        "import os, sys; from autograder.sandbox.isolation.cgroup import enter\n"
        "enter([os.open(path + '/cgroup.procs', os.O_WRONLY) for path in sys.argv[1:]])\n"
        "print(open('/proc/self/cgroup').read())"
    )
    folders = [str(folder) for folder in group.folders]
    done = subprocess.run(
        [sys.executable, "-c", code, *folders],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count(group.folders[0].name) == len(group.folders)


def test_to_enter_no_folder_changes_nothing():
    enter([])


def test_a_folder_is_stale_when_its_process_is_no_more(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    unwaited = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, unwaited.pid, os.WEXITED | os.WNOWAIT)
    for name in (
        f"{PREFIX}{os.getpid()}-0",
        f"{PREFIX}{ended.pid}-0",
        f"{PREFIX}{unwaited.pid}-0",
        f"{PREFIX}x-0",
        "other-1-0",
    ):
        (tmp_path / name).mkdir()
    found = {folder.name for folder in stale_folders(tmp_path)}
    assert found == {f"{PREFIX}{ended.pid}-0", f"{PREFIX}{unwaited.pid}-0"}
    unwaited.wait()
    assert stale_folders(tmp_path / "nowhere") == []


@pytest.fixture
def version_2(tmp_path, monkeypatch):
    """A folder that looks like version 2's, in which whoever makes a folder gets what is wanted."""
    root, user = tmp_path / "cgroup", tmp_path / "cgroup/user.slice/work.service/main"
    user.mkdir(parents=True)
    (root / "cgroup.controllers").write_text("memory pids")
    monkeypatch.setattr(cgroup, "ROOT", root)
    own = "0::/user.slice/work.service/main\n"
    monkeypatch.setattr(
        cgroup.Path,
        "read_text",
        lambda self, *a, o=Path.read_text, **k: (
            own if self == Path("/proc/self/cgroup") else o(self, *a, **k)
        ),
    )
    return root


def test_version_2_has_one_folder_with_both_limits(version_2):
    group = ControlGroup.create(Limits(memory_mb=64, processes=9))
    (folder,) = group.folders
    assert folder.parent == version_2
    assert (folder / "memory.max").read_text() == str(64 * MB)
    assert (folder / "pids.max").read_text() == "9"
    assert (version_2 / "cgroup.subtree_control").read_text() == "+memory +pids"


def test_a_user_gets_a_group_beside_his_own_where_that_was_delegated(version_2, monkeypatch):
    def mkdir(self, *arguments, made=Path.mkdir, **options):
        if self.parent == version_2:
            raise PermissionError(13, "Permission denied")
        made(self, *arguments, **options)

    monkeypatch.setattr(cgroup.Path, "mkdir", mkdir)
    group = ControlGroup.create(Limits())
    assert [folder.parent for folder in group.folders] == [
        version_2 / "user.slice" / "work.service"
    ]


def test_a_user_without_delegation_gets_none_and_leaves_nothing(version_2, monkeypatch):
    def write_text(self, *arguments, written=Path.write_text, **options):
        if self.name == "memory.max":  # the controller is not switched on
            raise FileNotFoundError(2, "No such file")
        return written(self, *arguments, **options)

    monkeypatch.setattr(cgroup.Path, "write_text", write_text)
    assert ControlGroup.create(Limits()) is None
    assert list(version_2.glob(f"**/{PREFIX}*")) == []


def test_kills_for_memory_are_counted(tmp_path):
    group = ControlGroup([tmp_path])
    assert group.kills() == 0
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 1\noom_kill 3\n")
    assert group.kills() == 3
