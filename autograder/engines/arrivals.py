"""Arrivals: which folders are new or changed, and whole: nobody writes into them any more.

A folder is whole when it looks the same for a while. Times are compared with each other only, so
that the clock of a file server may be wrong.
"""

import os
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from autograder.course import Course

__all__ = ["SETTLE_SECONDS", "Arrivals", "looks_of_exchange", "looks_of_submitted"]

K = TypeVar("K", bound=Hashable)
Look = tuple[tuple[str, int, int, int, int], ...]  # name, inode, size, modified, changed

SETTLE_SECONDS = 2.0
MOST_FILES = 1000  # of a folder that are looked at


class Arrivals(Generic[K]):
    """What has arrived, by the names of folders.

    Args:
        settle: seconds for which a folder must look the same.
        clock: returns seconds.
    """

    def __init__(
        self, settle: float = SETTLE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settle, self._clock = settle, clock
        self._seen: dict[K, tuple[Look, float]] = {}
        self._done: dict[K, Look] = {}

    def look(self, looks: Mapping[K, Look]) -> None:
        """Take in how all folders look now; those that are not there any more are forgotten."""
        now = self._clock()
        seen = {}
        for key, look in looks.items():
            before = self._seen.get(key)
            seen[key] = before if before is not None and before[0] == look else (look, now)
        self._seen = seen
        self._done = {key: look for key, look in self._done.items() if key in seen}

    def whole(self) -> dict[K, Look]:
        """Return what is to be done and is whole, and how it looks."""
        before = self._clock() - self._settle
        new = {key: pair for key, pair in self._seen.items() if self._done.get(key) != pair[0]}
        return {key: look for key, (look, since) in new.items() if since <= before}

    def growing(self) -> set[K]:
        """Return what is not whole yet."""
        before = self._clock() - self._settle
        return {key for key, (_, since) in self._seen.items() if since > before}

    def done(self, looks: Mapping[K, Look]) -> None:
        """Learn what is done, as it looked then: what has changed since is new."""
        self._done.update(looks)

    def again(self, keys: Collection[K]) -> None:
        """Learn what is to be done again, however it looks."""
        for key in keys:
            self._done.pop(key, None)


def looks_of_submitted(course: Course, names: Collection[str]) -> dict[tuple[str, str], Look]:
    """Return how each submission looks, by assignment and the name of the student's folder."""
    found = {}
    for student in _folders(course.root / "submitted"):
        for name in names:
            if os.path.lexists(folder := student / name):
                found[name, student.name] = _look_of(folder)
    return found


def looks_of_exchange(inbound: Path) -> dict[str, Look]:
    """Return how each attempt in an exchange's folder of submitted work looks."""
    return {folder.name: _look_of(folder) for folder in _folders(inbound)}


def _folders(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError:
        return []


def _look_of(folder: Path) -> Look:
    """Return what tells whether somebody has changed a folder, of many files of some."""
    found = []
    with suppress(OSError):
        walk = ((top, name) for top, below, files in os.walk(folder) for name in (*below, *files))
        for top, name in islice(walk, MOST_FILES):
            path = os.path.join(top, name)
            with suppress(OSError):
                status = os.lstat(path)
                times = status.st_mtime_ns, status.st_ctime_ns
                found.append((path, status.st_ino, status.st_size, *times))
    return tuple(sorted(found))
