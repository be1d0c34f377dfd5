"""A control group that bounds the memory and the number of processes of a session."""

import contextlib
import itertools
import os
from pathlib import Path

from autograder.sandbox.limits import MB, Limits

__all__ = ["PREFIX", "ControlGroup", "enter", "stale_folders"]

ROOT = Path("/sys/fs/cgroup")
PREFIX = "autograder-"
_numbers = itertools.count()


class ControlGroup:
    """The folders of one control group: one in version 2, one for each controller in version 1."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders

    @classmethod
    def create(cls, limits: Limits) -> "ControlGroup | None":
        """Return a new group, or None where this user or this kernel cannot have one."""
        name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
        for folder in (ROOT, ROOT / "memory", ROOT / "pids"):
            for stale in stale_folders(folder):
                with contextlib.suppress(OSError):
                    stale.rmdir()
        memory = str(limits.memory_mb * MB)
        if (ROOT / "cgroup.controllers").exists():
            wanted = [(ROOT / name, {"memory.max": memory, "pids.max": str(limits.processes)})]
        else:
            wanted = [
                (ROOT / "memory" / name, {"memory.limit_in_bytes": memory}),
                (ROOT / "pids" / name, {"pids.max": str(limits.processes)}),
            ]
        group = cls([])
        try:
            for folder, settings in wanted:
                folder.mkdir()
                group.folders.append(folder)
                for key, value in settings.items():
                    (folder / key).write_text(value)
        except OSError:
            group.remove()
            return None
        return group

    def remove(self) -> None:
        """Remove the group, which must be empty."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def stale_folders(parent: Path) -> list[Path]:
    """Return the folders in a parent that a process of ours made which is no more."""
    found = []
    for folder in parent.glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            found.append(folder)
    return found


def enter(folders: list[str]) -> None:
    """Move this process into a control group."""
    for folder in folders:
        (Path(folder) / "cgroup.procs").write_text("0")
