"""The pool: several assignments at a time, each compiled and proven in a process of its own."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Semaphore
from typing import TypeVar

from autograder.audit.forks import own_core, share_cores
from autograder.course import Course
from autograder.errors import HarnessError, UsageError
from autograder.sandbox.kernel import die_with_parent

__all__ = ["for_each", "is_one_of_several"]

T = TypeVar("T")
Work = Callable[[Course, str, int], T]

_POLL = 0.2  # seconds between two looks at what is under way


def for_each(
    work: Work[T],
    course: Course,
    names: Sequence[str],
    cores: int,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[str, T]]:
    """Do some work for each assignment; give each with what came of it, in the order of the names.

    One alone has all cores, in this process. Of several, as many are under way as there are cores,
    and the last ones share what cores the others leave. Where the work raises, what is done already
    is given first, what is under way is ended, and nothing more is begun.

    Args:
        work: a function of a module, which gets the course, a name, and how many cores it may use.
        course: which they belong to.
        names: of the assignments.
        cores: how many there are.
        tell: is told how far it is, where there are several; nothing at the end.

    Raises:
        HarnessError: a process was killed.
        AutograderError: the work raised it.
    """
    count = min(cores, len(names))
    if count <= 1:
        for name in names:
            yield name, work(course, name, cores)
        return
    # Not by a fork: this process may hold threads of a library.
    context = multiprocessing.get_context("spawn")
    spare = context.Semaphore(cores)
    pool = ProcessPoolExecutor(count, context, _begin, (os.getpid(), spare))
    largest_first = sorted(names, key=lambda name: _size(course, name), reverse=True)
    under_way = {n: pool.submit(_on_a_core, work, course, n, cores) for n in largest_first}
    waiting = deque(names)
    try:
        while waiting and _succeeds(under_way[waiting[0]], under_way, count, tell):
            tell("")
            name = waiting.popleft()
            yield name, under_way[name].result()
        tell("")
        ended = [(name, under_way[name]) for name in waiting if under_way[name].done()]
        yield from ((name, one.result()) for name, one in ended if not one.exception())
        for _, one in ended:
            one.result()
    except BrokenProcessPool:
        raise HarnessError(
            "a process ended before the assignment that it worked on was done, killed perhaps for "
            "want of memory; take the assignments one after another, by name"
        ) from None
    except BaseException:
        for process in multiprocessing.active_children():
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(parent: int, spare: Semaphore) -> None:
    die_with_parent(parent)
    share_cores(spare)


def _on_a_core(work: Work[T], course: Course, name: str, cores: int) -> T:
    """Work on an assignment, in a process of the pool."""
    with own_core():
        return work(course, name, cores)


def is_one_of_several() -> bool:
    """Whether this process works for a pool, which tells how far it is."""
    return multiprocessing.parent_process() is not None


def _succeeds(
    one: Future[T], under_way: Mapping[str, Future[T]], count: int, tell: Callable[[str], None]
) -> bool:
    """Wait until an assignment is done; return whether none has failed by then."""
    while True:
        done, _ = wait(under_way.values(), 0 if one.done() else _POLL, FIRST_EXCEPTION)
        if any(future.exception() for future in done):
            return False
        if one.done():
            return True
        names = [name for name, future in under_way.items() if future.running()][:count]
        tell(f"{len(done)} of {len(under_way)} done; under way: {', '.join(names)}")


def _size(course: Course, name: str) -> int:
    """Return how long an assignment is: the longest is begun first, or all would wait for it."""
    try:
        return course.source(name).stat().st_size
    except (OSError, UsageError):  # who works on it finds out, and says so
        return 0
