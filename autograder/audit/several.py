"""Several assignments at a time, each compiled and proven in a process that does nothing else."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from autograder.course import Course
from autograder.errors import HarnessError, UsageError
from autograder.sandbox.kernel import die_with_parent

__all__ = ["for_each"]

T = TypeVar("T")
Work = Callable[[Course, str, int], T]


def for_each(work: Work[T], course: Course, names: Sequence[str], cores: int) -> Iterator[T]:
    """Do some work for each assignment and give what came of it, in the order of their names.

    One alone has all cores, in this process. Of several, as many are under way as there are cores:
    most of the work on one cannot be shared among two.

    Args:
        work: a function of a module, which gets the course, a name, and how many cores it may use.
        course: which they belong to.
        names: of the assignments.
        cores: how many there are.

    Raises:
        HarnessError: a process was killed.
        AutograderError: the work raised it for the first assignment for which it raised anything.
    """
    count = min(cores, len(names))
    if count <= 1:
        for name in names:
            yield work(course, name, cores)
        return
    # Not by a fork: this process may hold threads of a library.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, die_with_parent, (os.getpid(),))
    largest_first = sorted(names, key=lambda name: _size(course, name), reverse=True)
    try:
        waiting = {n: pool.submit(work, course, n, cores // count) for n in largest_first}
        for name in names:
            yield waiting[name].result()
    except BrokenProcessPool:
        raise HarnessError(
            "a process that compiled an assignment was killed, perhaps for want of memory; "
            "compile them one after another, by name"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _size(course: Course, name: str) -> int:
    """Return how long an assignment is: the longest is begun first, or all would wait for it."""
    try:
        return course.source(name).stat().st_size
    except (OSError, UsageError):  # who works on it finds out, and says so
        return 0
