"""Forks: the same work on many numbers, in processes that may hang or die of it."""

import mmap
import multiprocessing
import os
import struct
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from autograder.errors import HarnessError
from autograder.grading.substitutes import bound_memory
from autograder.sandbox.kernel import die_with_parent

__all__ = ["Lost", "Mark", "in_forks"]

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

    Args:
        work: gets a number and a function that it tells, in between, where it is and how many
            seconds of the processor it may be there; a process that stays longer is killed. It
            runs in a fork, and what it returns comes back pickled.
        count: how many numbers there are.
        jobs: how many processes there may be.

    Raises:
        HarnessError: the work raised.
    """
    queue = deque(range(count))
    workers = [_Worker(work) for _ in range(min(jobs, count))]
    try:
        for worker in workers:
            worker.take(queue)
        while any(worker.busy is not None for worker in workers):
            wait([w.connection for w in workers if w.busy is not None], _POLL)
            for i, worker in enumerate(workers):
                if worker.busy is None:
                    continue
                results = worker.results()
                if not results:
                    continue
                yield worker.busy, results[0]
                if isinstance(results[0], Lost):
                    worker.close()
                    workers[i] = worker = _Worker(work)
                worker.take(queue)
    finally:
        for worker in workers:
            worker.close()


class _Worker(Generic[T]):
    """A fork and the number that it works on."""

    def __init__(self, work: Work[T]) -> None:
        self.busy: int | None = None
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

    def take(self, queue: deque[int]) -> None:
        """Begin with the next number, if there is one."""
        self.busy = queue.popleft() if queue else None
        if self.busy is not None:
            _NOTE.pack_into(self._note, 0, 0, time.monotonic(), self._used(), GRACE)
            self.connection.send(self.busy)

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
            raise HarnessError(f"work {self.busy} failed: {fault}")
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
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
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
