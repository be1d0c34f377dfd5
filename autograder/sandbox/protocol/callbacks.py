"""Callbacks: what a student's code may ask of the grader while one of its requests runs.

A check may be *given* functions of the reference: calls of the student's own ones are then passed
back, and answered by the reference. Everything here is bounded, as it is a student who asks.
"""

import time
from collections.abc import Callable, Sequence

from autograder.errors import StudentKilled, StudentTimeout
from autograder.sandbox.protocol.kinds import Callback, Raised, Value

__all__ = ["Callbacks"]

MAX_CALLBACKS = 10_000  # during one case


class Callbacks:
    """Answers a session's callbacks during one case.

    Attributes:
        used: the names that were called and answered with a value.

    Args:
        names: of the functions that may be called back.
        answer: returns the reply to a callback at the latest at a time of `time.monotonic`; raises
            `StudentError` if it cannot.
        seconds: the limit on one request together with all callbacks during it.
    """

    def __init__(
        self,
        names: Sequence[str],
        answer: Callable[[Callback, float], Value | Raised],
        seconds: float,
    ) -> None:
        self.names = tuple(names)
        self.used: set[str] = set()
        self._answer, self._seconds = answer, seconds
        self._count, self._until = 0, 0.0

    def begin(self) -> None:
        """Start the clock of a request."""
        self._until = time.monotonic() + self._seconds

    def answer(self, callback: Callback) -> Value | Raised:
        """Return the reply to a callback.

        Raises:
            StudentKilled: it asks for what is not given, or too often.
            StudentTimeout: the request's time is used up.
        """
        if callback.name not in self.names:
            raise StudentKilled("the session called back what it is not given")
        self._count += 1
        if self._count > MAX_CALLBACKS:
            raise StudentKilled(f"called the reference more than {MAX_CALLBACKS} times")
        self.require_time()
        reply = self._answer(callback, self._until)
        if isinstance(reply, Value):
            self.used.add(callback.name)
        return reply

    def require_time(self) -> None:
        """Hold a request to its limit: with each callback, a session's own clock starts anew."""
        if time.monotonic() > self._until:
            raise StudentTimeout(f"ran for more than {self._seconds:g} s")
