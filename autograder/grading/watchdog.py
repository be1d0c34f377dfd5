"""The watchdog: no check runs for ever, whatever number a student's code returns to it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["watchdog"]


@contextmanager
def watchdog(seconds: float | None, of_processor: bool = False) -> Iterator[None]:
    """Raise `TimeoutError` in the block when it has run for so long.

    Only the main thread of a process can be interrupted so; elsewhere, and for None, the block
    is not watched.

    Args:
        seconds: that it may run.
        of_processor: whether only the processor's time counts, however busy the machine is.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def bark(*_: object) -> None:
        raise TimeoutError(f"it ran for more than {seconds:.0f} s")

    kind, number = signal.ITIMER_REAL, signal.SIGALRM
    if of_processor:
        kind, number = signal.ITIMER_PROF, signal.SIGPROF
    handler = signal.signal(number, bark)
    timer = signal.setitimer(kind, seconds)
    try:
        yield
    finally:
        signal.setitimer(kind, *timer)
        signal.signal(number, handler)
