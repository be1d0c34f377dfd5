"""The standard that a check holds numbers to, and what it compared under it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from autograder.authoring.tolerance import Tolerance, default_tolerance

__all__ = ["Compared", "Standard", "holding_to", "note_compared", "observing", "tolerance_for"]


@dataclass(frozen=True)
class Standard:
    """How strictly numbers are compared where a check says nothing itself.

    Attributes:
        slack: how many default tolerances count as one; the audit finds it, see
            `autograder.audit.calibration`.
        strict: whether precision is graded: then the reference's dtype alone decides the tolerance,
            and a student who computes in a coarser one is held to it.
    """

    slack: float = 1.0
    strict: bool = False


@dataclass(frozen=True)
class Compared:
    """One comparison of numbers that an assertion made; ``own`` if the check gave a tolerance."""

    what: str
    got: NDArray[Any]
    want: NDArray[Any]
    tolerance: Tolerance
    margin: float
    own: bool


_DEFAULT = Standard()
_standard: ContextVar[Standard] = ContextVar("standard", default=_DEFAULT)
_observers: ContextVar[tuple[list[Compared], ...]] = ContextVar("observers", default=())


@contextmanager
def holding_to(standard: Standard) -> Iterator[None]:
    """Compare by a standard inside the block."""
    token = _standard.set(standard)
    try:
        yield
    finally:
        _standard.reset(token)


@contextmanager
def observing() -> Iterator[list[Compared]]:
    """Collect every comparison of numbers that is made inside the block, the failing one too."""
    seen: list[Compared] = []
    token = _observers.set((*_observers.get(), seen))
    try:
        yield seen
    finally:
        _observers.reset(token)


def note_compared(compared: Compared) -> None:
    """Tell all who observe of a comparison."""
    for seen in _observers.get():
        seen.append(compared)


def tolerance_for(
    got: Iterable[str], want: Iterable[str], rtol: float | None, atol: float | None
) -> Tolerance:
    """Return the tolerance of a comparison: the check's own, or the default with its slack.

    Args:
        got: names of the dtypes of the student's value.
        want: names of the dtypes of the reference's value.
        rtol: the check's own; None is the default.
        atol: likewise.
    """
    standard = _standard.get()
    default = default_tolerance(() if standard.strict else got, want)
    return Tolerance(
        default.rtol * standard.slack if rtol is None else rtol,
        default.atol * standard.slack if atol is None else atol,
    )
