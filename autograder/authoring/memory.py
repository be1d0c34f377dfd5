"""Memory: how much a call takes at its peak, and how much of it is kept, as the system counts it.

The figures are the kernel's, read outside of the session's walls: of all its processes, the memory
that is theirs. What a session says of itself, by `tracemalloc` or torch's counters, is not asked
for. The module is of use on Linux, where grading runs; elsewhere nothing is measured.

A GPU's memory is another matter (`on_device`). The system does not count it, so the figures are
those of torch's allocator in the session: its own word, which whoever patches torch can change. The
driver counts as well, more coarsely, and is asked by the grader: what it counts beyond the word
and some room counts.
"""

import ctypes
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from autograder.authoring.arrays import bytes_of
from autograder.authoring.devices import CUDA
from autograder.authoring.gpu import memory_on_gpu
from autograder.authoring.kinds import Kind, note_kind
from autograder.authoring.phrases import kind
from autograder.authoring.placement import DeviceProxy
from autograder.authoring.subject import Proxy, processes_of
from autograder.errors import CheckFailure, NotMeasured

__all__ = ["Spent", "assert_memory", "measured"]

MB = 1 << 20
NOISE = 4 * MB  # that a call takes whatever it does: the allocator's own, pages of libraries
PAUSE = 0.0005  # seconds between two looks at a session
DRIVERS = 256 * MB  # on a GPU, that the driver counts beside: libraries, blocks of an allocator
SETTLING = 10  # looks at what is kept, for an object may be let go behind the reply
_RESET_PEAK = "5"  # what the kernel takes for it
_FIELDS = {"VmHWM:": "peak", "VmRSS:": "all", "RssFile:": "files"}


@dataclass(frozen=True)
class Spent:
    """The memory of a call in bytes, beside its arguments and its value; None if not measured.

    Attributes:
        peak: the most that it took at one time.
        kept: what was still taken when it had answered.
    """

    peak: int | None
    kept: int | None


@dataclass
class _Now:
    """The memory of some processes in bytes: at most so far, now, and what of that is files'."""

    peak: int = 0
    all: int = 0
    files: int = 0

    @property
    def own(self) -> int:
        """What is no file's."""
        return self.all - self.files


def measured(function: Proxy, /, *args: Any, **kwargs: Any) -> tuple[Any, Spent]:
    """Call a student's function and return its value with the memory that the call took.

    ::

        got, spent = measured(student.running_mean, x)
        assert_close(got, reference.running_mean(x))
        assert_memory(spent, peak=1.5 * x.nbytes, kept=0)

    Measure with arrays of 40 MB or more: freed arrays of up to 32 MB may stay with the process that
    had them, and are no new memory the next time. The memory of a GPU is measured where `on_device`
    is around the function.
    """
    processes = processes_of(function)
    if isinstance(function, DeviceProxy):
        return _measured_on_gpu(function, args, kwargs)
    if processes is None or not sys.platform.startswith("linux"):
        return function(*args, **kwargs), Spent(None, None)
    own = os.getpid() in processes
    watch = _Watch(lambda: processes_of(function) or (), _give_back if own else lambda: None)
    with watch:
        value = function(*args, **kwargs)
    held = bytes_of(value)
    peak = watch.peak - bytes_of((args, kwargs)) - held
    # In this process the value is there still; a session has sent it, and let it go.
    return value, Spent(max(0, peak), max(0, watch.kept - (held if own else 0)))


def _measured_on_gpu(
    function: DeviceProxy, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Spent]:
    processes = processes_of(function)
    if processes is None or function.device != CUDA:
        return function(*args, **kwargs), Spent(None, None)
    function.afresh()
    before = memory_on_gpu(processes)
    value = function(*args, **kwargs)
    after = memory_on_gpu(processes_of(function) or ())
    peak, kept = (_word(getattr(function, name), name) for name in ("peak", "kept"))
    if before is not None and after is not None:
        beside = bytes_of((args, kwargs)) + bytes_of(value)
        peak = max(peak, after - before - beside - DRIVERS)
    return value, Spent(peak, kept)


def _word(said: Any, name: str) -> int:
    """Return what a session says of its memory, which may be anything."""
    if type(said) is not int or said < 0:
        raise CheckFailure(f"{kind(said)}, expected a number of bytes", f"memory, {name}")
    return said


def assert_memory(
    spent: Spent,
    *,
    peak: float | None = None,
    kept: float | None = None,
    what: str = "memory",
) -> None:
    """Require that a call took no more memory than it may. Compare its value before.

    Args:
        spent: of the call, as `measured` returned it.
        peak: the most bytes that it may take at one time, beside its arguments and its value.
        kept: the most bytes that may stay taken when it has answered.
        what: what is named in the message.

    Raises:
        CheckFailure: it took more, by 4 MB at least: so much is noise.
        NotMeasured: in a release, or not on Linux.
    """
    if peak is None and kept is None:
        raise ValueError("one of peak= and kept= must be given")
    note_kind(Kind.MEMORY, peak, kept)
    if spent.peak is None or spent.kept is None:
        raise NotMeasured("the values are right; how much memory it takes is measured at grading")
    for name, got, most in (("at its peak", spent.peak, peak), ("is kept", spent.kept, kept)):
        if most is not None and got > most + NOISE:
            raise CheckFailure(f"{got / MB:.0f} MB {name}, expected {most / MB:.0f} at most", what)


def _give_back() -> None:
    """Give the system what this process has no use for: a call would take that first."""
    gc.collect()
    with suppress(AttributeError):  # glibc has it
        ctypes.CDLL(None).malloc_trim(0)


class _Watch:
    """Watches some processes while a block runs.

    The kernel keeps each process's peak. It can be set back only where the process is ours or we
    are root; where it cannot, a new peak is one all the same, and a lower one is found by looking
    again and again.

    Args:
        processes: returns their numbers: there may be more of them in the end.
        give_back: gives the system what they have no use for, where that is ours to do.
    """

    def __init__(
        self, processes: Callable[[], Iterable[int]], give_back: Callable[[], None]
    ) -> None:
        self._processes, self._give_back = processes, give_back
        self.peak = self.kept = 0

    def __enter__(self) -> None:
        self._give_back()
        resets = [_reset_peak(process) for process in self._processes()]
        self._reset = all(resets)
        self._before = _memory(self._processes())
        self._seen = self._before.own
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        after = _memory(self._processes())
        self._ended.set()
        self._thread.join()
        before = self._before
        peaks = [self._seen - before.own, after.own - before.own]
        if self._reset or after.peak > before.peak:
            peaks.append(after.peak - before.all - max(0, after.files - before.files))
        self.peak = max(peaks)
        self._give_back()
        left = [_memory(self._processes()).own]
        for _ in range(SETTLING):
            if left[-1] <= before.own:
                break
            time.sleep(PAUSE)
            left.append(_memory(self._processes()).own)
        self.kept = min(left) - before.own

    def _look(self) -> None:
        while not self._ended.wait(PAUSE):
            self._seen = max(self._seen, _memory(self._processes()).own)


def _reset_peak(process: int) -> bool:
    try:
        with open(f"/proc/{process}/clear_refs", "w", encoding="ascii") as file:
            file.write(_RESET_PEAK)
    except OSError:
        return False
    return True


def _memory(processes: Iterable[int]) -> _Now:
    """Return the memory of processes together; one that has ended has none."""
    now = _Now()
    for process in processes:
        with (
            suppress(OSError),
            open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file,
        ):
            for line in file:
                name, *words = line.split()
                if name in _FIELDS:
                    field = _FIELDS[name]
                    setattr(now, field, getattr(now, field) + (int(words[0]) << 10))
    return now
