"""Forks: the same work on many numbers, in processes that may hang or die of it."""

import gc
import mmap
import multiprocessing
import os
import struct
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from autograder.authoring.devices import CUDA, device_of_this_run
from autograder.errors import HarnessError
from autograder.grading.substitutes import bound_memory
from autograder.sandbox.kernel import die_with_parent, keep_freed_memory

if TYPE_CHECKING:
    from multiprocessing.synchronize import Semaphore

__all__ = ["Lost", "Mark", "in_forks", "own_core", "share_cores"]

T = TypeVar("T")
Mark = Callable[[int, float], None]
Work = Callable[[int, Mark], T]

GRACE = 2.0  # seconds of the processor that a process may take longer than it said
WAITING = 30  # times as long by the clock: it may wait, or the machine be busy
_POLL = 0.1
# Where the work is, since when by the clock and by the processor, how long it may be there.
_NOTE = struct.Struct("qddd")


@dataclass(frozen=True)
class Lost:
    """What is there in place of a result if a process died; ``mark`` says where."""

    mark: int


def in_forks(work: Work[T], count: int, jobs: int) -> Iterator[tuple[int, T | Lost]]:
    """Do a piece of work for each number below a count and give the results as they come.

    One process begins at the front, and others at the back: what is side by side is of one check,
    or of one function, and what a process has prepared for one of them serves the next.

    Args:
        work: gets a number and a function that it tells, in between, where it is and how many
            seconds of the processor it may be there; a process that stays longer is killed. It
            runs in a fork, and what it returns comes back pickled.
        count: how many numbers there are.
        jobs: how many processes there may be; fewer while others use the cores (`share_cores`).

    Raises:
        HarnessError: the work raised.
    """
    queue = deque(range(count))
    workers: list[_Worker[T]] = []
    try:
        while queue or workers:
            while queue and len(workers) < jobs and (not workers or _CORES.take()):
                workers.append(_Worker(work, not any(one.at_front for one in workers)))
                workers[-1].take_from(queue)
            wait([worker.connection for worker in workers], _POLL)
            for worker in workers[:]:
                results = worker.results()
                if not results:
                    continue
                done = worker.number
                if queue and not isinstance(results[0], Lost):
                    worker.take_from(queue)
                else:
                    _end(worker, workers)
                yield done, results[0]
    finally:
        while workers:
            _end(workers[0], workers)


class _Cores:
    """The cores that this process may use: all, or those that others like it leave unused."""

    spare: "Semaphore | None" = None  # counts the unused ones, if others count on it, too

    def take(self) -> bool:
        """Take one more, if there is one to take."""
        return self.spare is None or self.spare.acquire(block=False)

    def give(self) -> None:
        """Leave one to the others."""
        if self.spare is not None:
            self.spare.release()


_CORES = _Cores()


def share_cores(spare: "Semaphore") -> None:
    """Let this process use cores only while others like it leave them unused.

    Args:
        spare: counts the cores that nobody uses.
    """
    _CORES.spare = spare


def own_core() -> AbstractContextManager[object]:
    """Return what to hold one core by, the first that this process uses."""
    return nullcontext() if _CORES.spare is None else _CORES.spare


def _end(worker: "_Worker[T]", workers: list["_Worker[T]"]) -> None:
    """End a process; the core of the last one stays this process's own."""
    worker.close()
    workers.remove(worker)
    if workers:
        _CORES.give()


class _Worker(Generic[T]):
    """A fork, the number that it works on, and whether it takes them from the front."""

    def __init__(self, work: Work[T], at_front: bool) -> None:
        self.number, self.at_front = -1, at_front
        self._note = mmap.mmap(-1, _NOTE.size)
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        arguments = work, theirs, self._note, os.getpid()
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        with warnings.catch_warnings():
            # Other threads: a lock of theirs may stay held in the fork, which is then killed.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()

    def take_from(self, queue: deque[int]) -> None:
        """Begin with the next number of its end of a queue."""
        self.number = queue.popleft() if self.at_front else queue.pop()
        _NOTE.pack_into(self._note, 0, 0, time.monotonic(), self._used(), GRACE)
        self.connection.send(self.number)

    def results(self) -> list[T | Lost]:
        """Return what came of the number, nothing if it is still under way."""
        mark, since, used, seconds = _NOTE.unpack_from(self._note, 0)
        try:
            if not self.connection.poll():
                allowed = seconds + GRACE
                late = self._used() > used + allowed or time.monotonic() > since + WAITING * allowed
                # A note that is being written is zero for a moment.
                return [Lost(mark)] if late and since > 0 else []
            result, fault = self.connection.recv()
        except (EOFError, OSError):
            return [Lost(mark)]
        if fault is not None:
            raise HarnessError(f"work {self.number} failed: {fault}")
        return [result]

    def _used(self) -> float:
        """Return the seconds of the processor that the process has used so far."""
        with suppress(OSError), open(f"/proc/{self._process.pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self.connection.close()
        self._note.close()


def _serve(work: Work[Any], connection: Connection, note: mmap.mmap, parent: int) -> None:
    die_with_parent(parent)
    keep_freed_memory()
    gc.freeze()  # what was there before is looked through by no collection: checks ask for some
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    if device_of_this_run() != CUDA:  # whose driver maps far more memory than it uses
        bound_memory()
    warnings.simplefilter("ignore")  # a mutant may divide by zero
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)  # its other threads are not in a fork

    def mark(place: int, seconds: float) -> None:
        _NOTE.pack_into(note, 0, place, time.monotonic(), time.process_time(), seconds)

    while True:
        try:
            number = connection.recv()
            answer: tuple[Any, str | None] = work(number, mark), None
        except EOFError:
            return
        except MemoryError:  # what a number has left behind
            os._exit(1)
        except Exception as error:
            answer = None, f"{type(error).__name__}: {error}"
        connection.send(answer)
