"""The watchdog: nothing that runs in this process runs for ever, whatever a student's code does.

What stops a block is an exception in it, so that code that waits in a library is stopped behind it.
"""

import ctypes
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import Any

from autograder.errors import StudentError, StudentTimeout
from autograder.sandbox.inside.host import Host
from autograder.sandbox.protocol.kinds import Message
from autograder.sandbox.protocol.messages import InProcessSession, Reply

__all__ = ["TimedSession", "Watch", "watchdog"]

AGAIN = 0.05  # seconds until the next try where an exception would be lost

_raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc


class Watch:
    """Attributes: ``is_over``, whether the time of the block was over before the block was."""

    def __init__(self) -> None:
        self.is_over = False


def watchdog(seconds: float | None, of_processor: bool = False) -> AbstractContextManager[Watch]:
    """Raise `TimeoutError` in the block when it has run for so long; for None it is not watched.

    Elsewhere than in the main thread, and on Windows, it is raised between two steps of Python, and
    all time counts.

    Args:
        seconds: that it may run.
        of_processor: whether only the processor's time counts, however busy the machine is.
    """
    if seconds is None:
        return nullcontext(Watch())
    if not hasattr(signal, "setitimer") or not _is_main_thread():
        return _watched_by_a_thread(seconds)
    return _WatchedBySignal(seconds, of_processor)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class _WatchedBySignal:
    """A block that a timer of the system watches: a class, as each case of an audit begins one."""

    def __init__(self, seconds: float, of_processor: bool) -> None:
        self._seconds, self._watch = seconds, Watch()
        self._kind, self._number = signal.ITIMER_REAL, signal.SIGALRM
        if of_processor:
            self._kind, self._number = signal.ITIMER_PROF, signal.SIGPROF

    def __enter__(self) -> Watch:
        self._handler = signal.signal(self._number, self._bark)
        self._timer = signal.setitimer(self._kind, self._seconds)
        return self._watch

    def __exit__(self, *_: object) -> None:
        signal.setitimer(self._kind, *self._timer)
        signal.signal(self._number, self._handler)

    def _bark(self, _: int, frame: FrameType | None) -> None:
        if _loses_exceptions(frame):
            signal.setitimer(self._kind, AGAIN)
            return
        self._watch.is_over = True
        raise TimeoutError(f"it ran for more than {self._seconds:.0f} s")


def _loses_exceptions(frame: FrameType | None) -> bool:
    """Return whether Python drops what is raised here, as in a finalizer or a weak reference's."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or code.co_filename == weakref.__file__:
            return True
        frame = frame.f_back
    return False


@contextmanager
def _watched_by_a_thread(seconds: float) -> Iterator[Watch]:
    watch = Watch()
    number = ctypes.c_ulong(threading.get_ident())
    lock, is_done = threading.Lock(), False

    def bark() -> None:
        with lock:
            if not is_done:
                watch.is_over = True
                _raise_in(number, ctypes.py_object(TimeoutError))

    timer = threading.Timer(seconds, bark)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        with lock:
            is_done = True
            _raise_in(number, None)  # what was not raised yet, is not


class TimedSession(InProcessSession):
    """A session in this process, each call in which may take as long as at grading.

    Args:
        namespace: what the code behind it defined.
        seconds: that a call may take; None is for ever.
        of_processor: whether only the processor's time counts.
        host: makes what answers about the namespace.
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        seconds: float | None = None,
        of_processor: bool = False,
        host: Callable[[dict[str, Any]], Host] = Host,
    ) -> None:
        super().__init__(namespace, host)
        self._seconds, self._of_processor = seconds, of_processor

    def _send(self, request: Message, wanted: type[Reply]) -> Reply:
        """Return the reply to a request; one that comes too late is none."""
        if self._seconds is None:
            return super()._send(request, wanted)
        watch = Watch()
        try:
            with watchdog(self._seconds, self._of_processor) as watch:
                reply = super()._send(request, wanted)
        except (StudentError, TimeoutError):
            if not watch.is_over:
                raise
        if watch.is_over:
            raise StudentTimeout(f"ran for more than {self._seconds:g} s")
        return reply
