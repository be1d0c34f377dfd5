"""The last call: what a check asked of a student's function before its case failed.

Inputs are drawn afresh for each submission, so that those of a visible case can be shown to its
student, who can then do the same in the notebook. Nobody keeps those of a hidden one.
"""

from typing import Any

from autograder.authoring.layouts import are_kept
from autograder.authoring.subject import Helper, RemoteId, Session
from autograder.grading.literals import Unshown, call_text, kept

__all__ = ["LastCall"]

Call = tuple[str, list[Any], dict[str, Any]]  # the function's name, and copies of the arguments


class LastCall:
    """A session that remembers the last call of a function of the notebook, until something else.

    Attributes:
        calls: how many there were, of functions and of helpers of the check.

    Args:
        session: that answers.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.calls = 0
        self._names: dict[int, str] = {}  # of functions, by the session's numbers
        self._last: Call | None = None

    def get(self, name: str) -> Any:
        """Return the value of a name; what fails then is about that."""
        self._last = None
        value = self._session.get(name)
        if isinstance(value, RemoteId):
            self._names[value.number] = name
        return value

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        """Call an object, and remember with what if it has a name and all of it can be shown."""
        self.calls += 1
        self._last = self._kept(target, args, kwargs)
        return self._session.call(target, args, kwargs, watch)

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a helper of the check, of which a student knows nothing."""
        self.calls += 1
        self._last = None
        return self._session.apply(helper, args, kwargs)

    def attribute(self, target: int, name: str) -> Any:
        """Return an attribute of an object."""
        return self._session.attribute(target, name)

    def seed(self, number: int) -> None:
        """Seed the session's own generators of random numbers."""
        self._session.seed(number)

    def processes(self) -> tuple[int, ...] | None:
        """Return the numbers of the processes behind it."""
        return self._session.processes()

    @property
    def text(self) -> str | None:
        """The call as Python; None where there is none to show."""
        if self._last is None:
            return None
        try:
            return call_text(*self._last)
        except Unshown:
            return None

    def _kept(self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        if (name := self._names.get(target)) is None:
            return None
        try:
            return name, kept(list(args), are_kept()), kept(kwargs, are_kept())
        except Unshown:
            return None
