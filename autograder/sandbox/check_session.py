"""What a session answers to checks: each with a limit of its own, and where it stands."""

from collections.abc import Callable
from typing import Any

from autograder.sandbox.messages import MessageSession
from autograder.sandbox.wire import Message

__all__ = ["CheckSession"]

Ask = Callable[[Message, float], Message]


class CheckSession(MessageSession):
    """What answers some cases of checks.

    Attributes:
        seconds: the limit on one call from now on.
        place: where names mean what they meant behind so many cells; 0 is the notebook's end. A
            name that was not defined there means what it does at the end.
    """

    def __init__(self, ask: Ask, seconds: float, explain: Callable[[str], str]) -> None:
        super().__init__(lambda request: ask(request, self.seconds))
        self.seconds, self.place = seconds, 0
        self._explain = explain

    def get(self, name: str) -> Any:
        """Return the value of a name in the notebook."""
        return self._value(self._send(Message("get", text=name, number=self.place)))

    def _missing(self, name: str) -> str:
        return self._explain(name)
