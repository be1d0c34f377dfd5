"""Arrivals: which folders are new or changed, and whole: nobody writes into them any more.

A folder is whole when it looks the same for a while. Times are compared with each other only, so
that the clock of a file server may be wrong.
"""

import os
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from autograder.course import TIMESTAMP, Course

__all__ = ["SETTLE_SECONDS", "Arrivals", "Look", "looks_of_exchange", "looks_of_submitted"]

K = TypeVar("K", bound=Hashable)
Look = tuple[tuple[str, int, int, int, int], ...]  # name, inode, size, modified, changed

SETTLE_SECONDS = 2.0
RESTLESS_SECONDS = 120.0  # of changes, after which nobody waits for their end
MOST_FILES = 1000  # of a folder that are looked at


@dataclass(frozen=True)
class _Seen:
    """How a folder looks, since when, and since when it has not been whole."""

    look: Look
    since: float
    changing: float


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
        self._seen: dict[K, _Seen] = {}
        self._done: dict[K, Look] = {}

    def look(self, looks: Mapping[K, Look]) -> None:
        """Take in how all folders look now; those that are not there any more are forgotten."""
        now, before = self._clock(), self._clock() - self._settle
        seen = {}
        for key, look in looks.items():
            one = self._seen.get(key)
            if one is None or one.look != look:
                was_whole = one is None or one.since <= before
                seen[key] = _Seen(look, now, now if one is None or was_whole else one.changing)
            else:
                seen[key] = one
        self._seen = seen
        self._done = {key: look for key, look in self._done.items() if key in seen}

    def whole(self) -> dict[K, Look]:
        """Return what is to be done and is whole, in the order in which it came."""
        before = self._clock() - self._settle
        new = {key: one for key, one in self._seen.items() if self._done.get(key) != one.look}
        whole = [
            (one.since, _newest(one.look), key) for key, one in new.items() if one.since <= before
        ]
        return {key: new[key].look for *_, key in sorted(whole, key=lambda found: found[:2])}

    def growing(self) -> set[K]:
        """Return what is not whole yet."""
        before = self._clock() - self._settle
        return {key for key, one in self._seen.items() if one.since > before}

    def restless(self) -> set[K]:
        """Return what has not been whole for so long that nobody should wait for it."""
        before = self._clock() - RESTLESS_SECONDS
        return {key for key in self.growing() if self._seen[key].changing <= before}

    def finished(self) -> dict[K, Look]:
        """Return what is done and has not changed since, and how it looks."""
        return {k: look for k, look in self._done.items() if self._seen[k].look == look}

    def done(self, looks: Mapping[K, Look]) -> None:
        """Learn what is done, as it looked then: what has changed since is new."""
        self._done.update(looks)

    def again(self, keys: Collection[K]) -> None:
        """Learn what is to be done again, however it looks."""
        for key in keys:
            self._done.pop(key, None)


def looks_of_submitted(course: Course, names: Collection[str]) -> dict[tuple[str, str], Look]:
    """Return how each submission looks, by assignment and the name of the student's folder.

    Raises:
        OSError: the folder of all submissions cannot be read.
    """
    found = {}
    for student in _folders(course.root / "submitted"):
        for name in names:
            if os.path.lexists(folder := student / name):
                found[name, student.name] = _look_of(folder)
    return found


def looks_of_exchange(inbound: Path, known: Mapping[str, Look]) -> dict[str, Look]:
    """Return how each attempt in an exchange's folder of submitted work looks.

    Args:
        inbound: the folder.
        known: attempts that are looked into only where their folder itself has changed.

    Raises:
        OSError: the folder cannot be read.
    """
    found = {}
    for folder in _folders(inbound):
        former = known.get(folder.name)
        same = former is not None and former[:1] == _entry(str(folder))
        found[folder.name] = former if former is not None and same else _look_of(folder)
    return found


def _folders(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []


def _look_of(folder: Path) -> Look:
    """Return what tells whether somebody has changed a folder, of many files of some.

    The folder itself comes first. What may be the notebook, and its time, are always among them.
    """
    found = list[tuple[str, int, int, int, int]]()
    with suppress(OSError):
        walk = (
            os.path.join(top, name)
            for top, below, files in os.walk(folder)
            for name in (*sorted(files, key=partial(_rank, folder.name)), *below)
        )
        for path in islice(walk, MOST_FILES):
            found += _entry(path)
    return (*_entry(str(folder)), *sorted(found))


def _rank(assignment: str, name: str) -> int:
    """Return how little a file counts in a submission: its time and its notebook count most."""
    if name in (TIMESTAMP, f"{assignment}.ipynb"):
        return 0
    return 1 if name.lower().endswith(".ipynb") else 2


def _entry(path: str) -> Look:
    """Return how one file or folder looks; nothing of one that cannot be seen."""
    try:
        status = os.lstat(path)
    except OSError:
        return ()
    return ((path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns),)


def _newest(look: Look) -> int:
    """Return when something was changed last."""
    return max((changed for *_, changed in look), default=0)
