"""The standard that a check holds numbers to, and what it compared under it."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.tolerance import DEFAULTS, Tolerance, default_tolerance

__all__ = [
    "Compared",
    "Standard",
    "holding_to",
    "largest_of",
    "note_compared",
    "observing",
    "tolerance_for",
]


@dataclass(frozen=True)
class Standard:
    """How strictly numbers are compared where a check says nothing itself.

    The audit finds all three, see `autograder.audit.calibration`. None of them depends on the
    dtype of what the student returns: a number computed in single precision is as good as it is,
    whether it comes as one or not.

    Attributes:
        slack: how many default tolerances count as one where double precision is wanted.
        coarse_slack: the same where a coarser one is wanted.
        single: how far an answer to a question in double precision may lie off because it was
            computed in single precision, as a share of the largest value wanted; 0 where precision
            is graded, or where a mistake lies as near.
        single_at_zero: the same as a number, where every value wanted is zero.
    """

    slack: float = 1.0
    coarse_slack: float = 1.0
    single: float = 0.0
    single_at_zero: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.slack:g} times the default, {self.coarse_slack:g} times where less than double "
            f"precision is wanted; {self.single:g} of the largest value for single precision, and "
            f"{self.single_at_zero:g} at zero"
        )


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
    got: Iterable[str],
    want: Collection[str],
    values: NDArray[Any],
    rtol: float | None,
    atol: float | None,
) -> Tolerance:
    """Return the tolerance of a comparison: the check's own, or the default under its standard.

    Args:
        got: names of the dtypes of the student's value.
        want: names of the dtypes of the reference's value.
        values: the reference's value.
        rtol: the check's own; None is the default.
        atol: likewise.
    """
    standard, default = _standard.get(), default_tolerance(got, want)
    double = default == DEFAULTS["float64"]
    slack = standard.slack if double else standard.coarse_slack
    room = _room(standard, values) if _is_double(want) else 0.0
    return Tolerance(
        default.rtol * slack if rtol is None else rtol,
        max(default.atol * slack, room) if atol is None else atol,
    )


def _is_double(names: Collection[str]) -> bool:
    """Return whether what is wanted has numbers in double precision, and none in a coarser one."""
    return bool(names) and default_tolerance((), names) == DEFAULTS["float64"]


def _room(standard: Standard, values: NDArray[Any]) -> float:
    """Return the room for single precision beside the values wanted."""
    if standard.single == standard.single_at_zero == 0.0:
        return 0.0
    largest = largest_of(values)
    return standard.single * largest if largest else standard.single_at_zero


def largest_of(values: NDArray[Any]) -> float:
    """Return the size of the largest finite value."""
    with np.errstate(all="ignore"):
        sizes = np.abs(values)
    return float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))
