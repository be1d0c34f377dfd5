"""The standard that a check holds numbers to, and what it compared under it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.devices import device_compared
from autograder.authoring.tolerance import Tolerance, default_tolerance, is_coarse, precision_of

__all__ = [
    "Compared",
    "Standard",
    "going_on",
    "holding_to",
    "is_going_on",
    "largest_of",
    "note_compared",
    "observing",
    "tolerance_for",
]


@dataclass(frozen=True)
class Standard:
    """How strictly numbers are compared where a check says nothing itself.

    The audit finds all of it, see `autograder.audit.checking.calibration`. An answer to a question
    in double precision may have been computed in single precision, whether its dtype tells so or
    not: it gets the room that was measured for that, and no dtype gets more.

    Attributes:
        factor: how many default tolerances count as one where double precision is wanted.
        coarse_factor: the same where a coarser one is wanted.
        single: the room for single precision where double is wanted, as a share of the largest
            value; 0 where precision is graded, or a mistake would pass all cases. It is narrower
            where a mistake would pass some case, as long as right answers fit.
        in_single: the same for an answer whose dtype is single or half precision, and no narrower.
        single_at_zero: the room beside values that cancel out, as a number.
    """

    factor: float = 1.0
    coarse_factor: float = 1.0
    single: float = 0.0
    in_single: float = 0.0
    single_at_zero: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.factor:g} times the default, {self.coarse_factor:g} times where less than "
            f"double precision is wanted; {self.single:g} of the largest value for single "
            "precision, "
            f"{self.in_single:g} where it comes in it, and {self.single_at_zero:g} at zero"
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
_going_on: ContextVar[bool] = ContextVar("going_on", default=False)
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
def going_on() -> Iterator[None]:
    """Go on behind numbers that differ, inside the block: all that a check compares is seen."""
    token = _going_on.set(True)
    try:
        yield
    finally:
        _going_on.reset(token)


def is_going_on() -> bool:
    """Return whether numbers that differ end no check now."""
    return _going_on.get()


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
    got: Collection[str],
    want: Collection[str],
    values: NDArray[Any],
    rtol: float | None,
    atol: float | None,
) -> Tolerance:
    """Return the tolerance of a comparison: the check's own, or the default under its standard.

    The default is that of the device on which the case computes.

    Args:
        got: names of the dtypes of the student's value.
        want: names of the dtypes of the reference's value.
        values: the reference's value.
        rtol: the check's own; None is the default.
        atol: likewise.
    """
    standard, precision = _standard.get(), precision_of(got, want)
    default = default_tolerance(got, want, device_compared())
    factor = standard.factor if precision == "float64" else standard.coarse_factor
    room = _room(standard, got, values) if _is_double(want) else 0.0
    return Tolerance(
        default.rtol * factor if rtol is None else rtol,
        max(default.atol * factor, room) if atol is None else atol,
    )


def _is_double(names: Collection[str]) -> bool:
    """Return whether what is wanted has numbers in double precision, and none in a coarser one."""
    return bool(names) and precision_of((), names) == "float64"


def _room(standard: Standard, got: Collection[str], values: NDArray[Any]) -> float:
    """Return the room for single precision beside the values wanted."""
    share = max(standard.single, standard.in_single if is_coarse(got) else 0.0)
    return max(share * largest_of(values) if share else 0.0, standard.single_at_zero)


def largest_of(values: NDArray[Any]) -> float:
    """Return the size of the largest finite value."""
    with np.errstate(all="ignore"):
        sizes = np.abs(values)
    return float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))
