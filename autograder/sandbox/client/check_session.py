"""What a session answers to checks: each with a limit of its own, and where it stands."""

from collections.abc import Callable, Iterable
from typing import Any

from autograder.sandbox.client.gpu import DRIVER_SECONDS
from autograder.sandbox.protocol.kinds import Get, Message, Seed, Value
from autograder.sandbox.protocol.messages import MessageSession

__all__ = ["CheckSession"]

Ask = Callable[[Message, float], Message]


class CheckSession(MessageSession):
    """What answers some cases of checks.

    Attributes:
        seconds: the limit on one call from now on.
        place: behind how many cells the check stands. Switches are turned to how they were there.
        names_there: whether names mean what they meant there, and not what they mean at the end; a
            name that was not defined there does in any case.
        tf32: whether a GPU may round the factors of products to 10 bits, from the next seed on.
        wake: whether a seed wakes the GPU, which takes seconds that no call shall be charged for.
    """

    def __init__(
        self,
        ask: Ask,
        seconds: float,
        explain: Callable[[str], str],
        family: Callable[[], Iterable[int]],
    ) -> None:
        super().__init__(lambda request: ask(request, self.seconds))
        self.seconds, self.place, self.names_there = seconds, 0, False
        self.tf32 = self.wake = False
        self._explain, self._family = explain, family

    def get(self, name: str) -> Any:
        """Return the value of a name in the notebook."""
        place = self.place if self.names_there else 0
        return self._value(Get(name, place))

    def seed(self, number: int) -> None:
        """Seed the session's own generators, and turn its switches to how they were."""
        seconds = self.seconds
        try:
            self.seconds = max(seconds, DRIVER_SECONDS) if self.wake else seconds
            self._send(Seed(number, self.place, self.tf32, self.wake), Value)
        finally:
            self.seconds = seconds

    def exchange(self, message: Message) -> Message:
        """Send a message and return what the session says next, for whoever answers callbacks.

        Raises:
            StudentError: it says nothing in its time, or has ended.
        """
        return self._ask(message)

    def processes(self) -> tuple[int, ...]:
        """Return the numbers of its processes, as they are outside of its walls.

        A fork's are its session's, too: what a notebook left running there may work for it.
        """
        return tuple(self._family())

    def _missing(self, name: str) -> str:
        return self._explain(name)
