"""Holding: who grades in a course, so that a grader that stays up and other commands keep apart."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname
from typing import TextIO

from autograder.course import Course
from autograder.errors import UsageError

__all__ = ["holding"]

LOCK = ".grading"  # in results
TRIES, PAUSE_SECONDS = 20, 0.05


@contextmanager
def holding(course: Course, command: str, *, alone: bool = False) -> Iterator[None]:
    """Grade in a course while the block lasts; the kernel sees to it that a killed one lets go.

    Only whoever is to be alone makes the file that is locked: where it is not there, or cannot be
    written, nobody is alone.

    Args:
        course: whose `results/` are written.
        command: who grades, as its user calls it.
        alone: let nobody else grade; others may grade beside each other.

    Raises:
        UsageError: somebody else grades there, and one of both must be alone.
    """
    path = course.root / "results" / LOCK
    if alone:
        path.parent.mkdir(exist_ok=True)
    elif not os.access(path, os.W_OK):
        yield
        return
    with path.open("a+", encoding="utf-8") as lock:
        if _locked(lock, fcntl.LOCK_EX):  # nobody else is there: what it says is of former ones
            lock.truncate(0)
        if not _locked(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            raise UsageError(
                f"{command} cannot start: {_holders(lock)} in this course; end that first"
            )
        lock.write(f"{command}, process {os.getpid()} on {gethostname()}\n")
        lock.flush()
        yield


def _locked(lock: TextIO, kind: int) -> bool:
    """Lock a file; return whether that can be. Who grades beside others holds all for a moment."""
    for pause in (*[PAUSE_SECONDS] * (TRIES if kind == fcntl.LOCK_SH else 0), 0.0):
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return True
    return False


def _holders(lock: TextIO) -> str:
    """Say who grades: of this machine those who are still there."""
    lock.seek(0)
    lines = [line for line in lock.read().splitlines() if not _is_gone(line)]
    if not lines:
        return "another command grades"
    return f"{' and '.join(lines)} {'grade' if len(lines) > 1 else 'grades'}"


def _is_gone(line: str) -> bool:
    words, _, host = line.rpartition(" on ")
    process = words.rpartition(" ")[2]
    return host == gethostname() and process.isdigit() and not Path("/proc", process).exists()
