"""A control group that bounds a session's memory, its processes and its share of the processor."""

import contextlib
import itertools
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from autograder.sandbox.limits import MB, Limits

__all__ = ["PREFIX", "ControlGroup", "being_in", "enter", "remove_group", "stale_folders"]

ROOT = Path("/sys/fs/cgroup")
PREFIX = "autograder-"
REMOVE_TRIES = 200
PERIOD = 100_000  # µs, in which a session may have the time of one processor, however it forks
_numbers = itertools.count()


class ControlGroup:
    """The folders of one control group: one in version 2, one for each controller in version 1.

    Attributes:
        shared: which a fork server enters once, with all its sessions: to enter one for the
            processor would cost each session milliseconds, and a fork server runs one session at a
            time.

    Args:
        folders: which each session enters.
    """

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        self.shared: list[Path] = []

    @classmethod
    def create(cls, limits: Limits) -> "ControlGroup | None":
        """Return a new group, or None where this user or this kernel cannot have one."""
        name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
        memory, processes = str(limits.memory_mb * MB), str(limits.processes)
        if (ROOT / "cgroup.controllers").exists():
            for parent in _parents():
                wanted = [(parent, {"memory.max": memory, "pids.max": processes})]
                may = {"memory.swap.max": "0", "cpu.max": f"{PERIOD} {PERIOD}"}
                if group := cls._make(name, wanted, may):
                    return group
            return None
        wanted = [
            (ROOT / "memory", {"memory.limit_in_bytes": memory}),
            (ROOT / "pids", {"pids.max": processes}),
        ]
        group = cls._make(name, wanted, {"memory.memsw.limit_in_bytes": memory})
        share = (ROOT / "cpu", {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(PERIOD)})
        if group is not None and (of_processor := cls._make(name, [share], {})) is not None:
            group.shared = of_processor.folders
        return group

    @classmethod
    def _make(
        cls, name: str, wanted: list[tuple[Path, dict[str, str]]], if_there: dict[str, str]
    ) -> "ControlGroup | None":
        """Make a folder in each parent, with settings that must hold and others that may."""
        group = cls([])
        try:
            for parent, settings in wanted:
                for stale in stale_folders(parent):
                    with contextlib.suppress(OSError):
                        stale.rmdir()
                folder = parent / name
                folder.mkdir()
                group.folders.append(folder)
                for key, value in settings.items():
                    (folder / key).write_text(value)
                for key, value in if_there.items():
                    if (folder / key).exists():  # a kernel that counts what is swapped out
                        (folder / key).write_text(value)
        except OSError:
            group.remove()
            return None
        return group

    def kills(self) -> int:
        """Return how many processes of the group the kernel has ended for their memory."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError):
                    fields = (folder / name).read_text().split()
                    return int(fields[fields.index("oom_kill") + 1])
        return 0

    def remove(self) -> None:
        """Remove the group, whose processes have ended or are ending."""
        remove_group(str(folder) for folder in (*self.folders, *self.shared))


def _parents() -> list[Path]:
    """Return where a group of version 2 may be had, with its controllers switched on.

    At the root as root; else in, or beside, the group that we are in, if that was delegated to us.
    """
    own = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()[-1].split(":")[-1]
    here = ROOT / own.lstrip("/")
    parents = list(dict.fromkeys([ROOT, here.parent, here]))
    parents = [parent for parent in parents if parent.is_relative_to(ROOT)]
    for parent, controllers in itertools.product(parents, ("+cpu", "+memory +pids")):
        with contextlib.suppress(OSError):
            (parent / "cgroup.subtree_control").write_text(controllers)
    return parents


def remove_group(folders: Iterable[str]) -> None:
    """Remove the folders of a group; a process that is ending holds them for a moment."""
    for folder in folders:
        for _ in range(REMOVE_TRIES):
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.005)
            else:
                break


def stale_folders(parent: Path) -> list[Path]:
    """Return the folders in a parent that a process of ours made which is no more."""
    found = []
    for folder in parent.glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not _is_running(owner):
            found.append(folder)
    return found


def _is_running(process: str) -> bool:
    """Return whether a process is there and has not ended, waited for or not."""
    try:
        return Path("/proc", process, "stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def enter(descriptors: Sequence[int]) -> None:
    """Move this process into a control group.

    Args:
        descriptors: its open files ``cgroup.procs``, which a session's box does not show.
    """
    for descriptor in descriptors:
        os.write(descriptor, b"0")


@contextlib.contextmanager
def being_in(folders: Iterable[str]) -> Iterator[None]:
    """Be in some control groups inside the block: what is forked there stays in them."""
    places = [Path(folder) for folder in folders]
    for place in places:
        _join(place)
    try:
        yield
    finally:
        for place in places:
            _join(place.parent)


def _join(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / "cgroup.procs").write_text("0")
