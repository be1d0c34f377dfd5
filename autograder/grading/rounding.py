"""Rounding: whether wrong values are off as those are that are computed in a lower precision.

Nothing is told by distance alone: the reference is computed in that precision, on the same inputs.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.standard import Compared
from autograder.grading.perturbed import Perturbation

__all__ = ["is_small", "is_such_rounding", "lower_precisions"]

Array = NDArray[Any]
MANY = 8  # numbers that are not all off in one direction by chance
BAND = 8.0  # by which the errors of two ways to compute in one precision may differ
SMALL = 0.05  # of the largest value wanted: what is further off is no rounding


def lower_precisions() -> Iterator[Perturbation]:
    """Give ways to compute in a lower precision, the highest one first, by the words for it."""
    for name, lower, higher in (
        ("single precision", "float32", ("float64",)),
        ("half precision", "float16", ("float64", "float32")),
    ):
        yield Perturbation(name, partial(_lowered, lower, higher), partial(_raised, lower))


def is_small(wrong: Sequence[Compared], share: float = SMALL) -> bool:
    """Return whether values are near the right ones, as rounded ones are.

    Args:
        wrong: the comparisons that failed.
        share: of the largest value wanted that they may be off by.
    """
    return all(
        one.got.dtype.kind in "fc" and one.got.size > 0 and _off(one).max() <= share * _size(one)
        for one in wrong
    )


def is_such_rounding(wrong: Compared, rounded: Sequence[Compared], place: int) -> bool:
    """Return whether a value is off as far, and in as many numbers, as one that is rounded.

    Rounding makes some numbers larger and some smaller.

    Args:
        wrong: the comparison of the student's value that failed.
        rounded: the comparisons of the reference in a lower precision, until one failed.
        place: which of those is of the same value.
    """
    if place >= len(rounded):
        return False
    other = rounded[place]
    if other.what != wrong.what or other.got.shape != wrong.got.shape:
        return False
    mine, theirs = _off(wrong), _off(other)
    usual = theirs.max(initial=0.0)
    if not (np.isfinite(usual) and usual > 0 and usual / BAND <= mine.max() <= BAND * usual):
        return False
    off = mine > usual / 1e3
    if 2 * off.sum() < (theirs > usual / 1e3).sum():
        return False
    larger = np.abs(wrong.got[off]) > np.abs(wrong.want[off])
    return not (larger.size >= MANY and (larger.all() or not larger.any()))


def _off(one: Compared) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(one.got.astype(complex) - one.want.astype(complex)))


def _size(one: Compared) -> float:
    return float(np.abs(one.want).max(initial=0.0))


def _lowered(lower: str, higher: Sequence[str], array: Array) -> Array:
    with np.errstate(all="ignore"):
        return array.astype(lower) if array.dtype in higher else array


def _raised(lower: str, array: Array) -> Array:
    return array.astype("float64") if array.dtype == lower else array
