"""Inputs: what a visible case passes to the student's function, for use in the notebook.

The case is run as the self-check runs it, up to the first call of something that the notebook
defines. That call is not made: its arguments are what was wanted.
"""

import inspect
from typing import Any

from autograder.artefacts.results import CaseResult
from autograder.authoring.checks import Check
from autograder.authoring.subject import Helper, Proxy, RemoteId
from autograder.errors import UsageError
from autograder.sandbox.protocol.messages import InProcessSession
from autograder.student.checking import run_visible, visible_cases

__all__ = ["inputs_of"]


def inputs_of(check: Check, case: str) -> dict[str, Any]:
    """Return the arguments of the first call that a check makes in a visible case, by parameter.

    They are those of the self-check in this notebook; grading draws others.

    Raises:
        UsageError: there is no such case here, or it calls nothing before something else.
        HarnessError: the recording is damaged.
    """
    recording, cases = visible_cases(check)
    found = next((one for one in cases if one.name == case), None)
    if found is None:
        names = ", ".join(repr(one.name) for one in cases)
        raise UsageError(
            f"check {check.name} has no visible case {case!r}; it has {names or 'none'}"
        )
    session = _UpToACall(check.function.__globals__)
    try:
        result = run_visible(check, found, recording, session)
    except _Called as called:
        return called.inputs
    except _Applied as applied:
        raise UsageError(
            f"case {case!r} of check {check.name} runs a helper beside your code, "
            f"{applied.helper}, before it calls any of your functions: there are no inputs to show"
        ) from None
    raise UsageError(f"case {case!r} of check {check.name} {_why_none(result)}")


def _why_none(result: CaseResult) -> str:
    said = f" ({result.message})" if result.message else ""
    return f"calls none of your functions{said}: there are no inputs to show"


class _Called(BaseException):
    """A call was about to be made; no check takes this for an error of its own."""

    def __init__(self, inputs: dict[str, Any]) -> None:
        self.inputs = inputs


class _Applied(BaseException):
    """A helper was about to be run."""

    def __init__(self, helper: str) -> None:
        self.helper = helper


class _UpToACall:
    """A session on a notebook that gives its values, and ends the check at the first call."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._inner = InProcessSession(namespace)
        self._namespace = namespace
        self._objects: dict[int, Any] = {}  # of the notebook, by the session's numbers

    def get(self, name: str) -> Any:
        """Return the value of a name."""
        value = self._inner.get(name)
        if isinstance(value, RemoteId):
            self._objects[value.number] = self._namespace.get(name)
        return value

    def attribute(self, target: int, name: str) -> Any:
        """Return an attribute of an object."""
        value = self._inner.attribute(target, name)
        if isinstance(value, RemoteId):
            self._objects[value.number] = getattr(self._objects.get(target), name, None)
        return value

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        """End the check with the arguments of the call."""
        inputs = _by_parameter(self._objects.get(target), args, kwargs)
        raise _Called({name: self._own(value) for name, value in inputs.items()})

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """End the check: a helper may call anything."""
        raise _Applied(helper.__name__)

    def seed(self, number: int) -> None:
        """Do nothing: nothing of the notebook is run."""

    def processes(self) -> None:
        """Say that nothing is measured."""

    def _own(self, value: Any) -> Any:
        """Return a value with the notebook's objects in place of what stands for them."""
        if isinstance(value, Proxy):
            return self._objects.get(value.remote.number, value)
        return value


def _by_parameter(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by the names of parameters; by their places where a function has none."""
    try:
        return dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):  # other parameters than the check's, or none that can be read
        return {**{f"argument {n}": value for n, value in enumerate(args, 1)}, **kwargs}
