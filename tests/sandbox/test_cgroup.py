import os
import subprocess
import sys

import pytest

from autograder.sandbox.cgroup import PREFIX, ControlGroup, enter, stale_folders
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


def test_two_groups_are_not_the_same(group):
    other = ControlGroup.create(Limits())
    assert not set(other.folders) & set(group.folders)
    other.remove()


def test_a_removed_group_leaves_no_folder(group):
    group.remove()
    assert not any(folder.exists() for folder in group.folders)


def test_a_process_that_entered_is_a_member(group):
    code = (
        "import os, sys; from autograder.sandbox.cgroup import enter\n"
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
    for name in (
        f"{PREFIX}{os.getpid()}-0",
        f"{PREFIX}{ended.pid}-0",
        f"{PREFIX}x-0",
        "other-1-0",
    ):
        (tmp_path / name).mkdir()
    assert [folder.name for folder in stale_folders(tmp_path)] == [f"{PREFIX}{ended.pid}-0"]
    assert stale_folders(tmp_path / "nowhere") == []
