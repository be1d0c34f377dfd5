"""Hints from numbers: what a wrong value has to do with the right one, without telling either.

Each hypothesis is tested on every failing case, and has to hold in all of them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.standard import Compared
from autograder.authoring.tolerance import Tolerance, compare

__all__ = ["hint"]

Array = NDArray[Any]
MOST = 1 << 22  # numbers, beyond which looking is not worth its time and memory
FEWEST = 3  # numbers, below which too many hypotheses hold by chance
FACTORS = (2.0, 0.5, 4.0, 0.25, 3.0, 1 / 3, 10.0, 0.1)
WRITTEN = {
    2.0: "2",
    0.5: "1/2",
    4.0: "4",
    0.25: "1/4",
    3.0: "3",
    1 / 3: "1/3",
    10.0: "10",
    0.1: "1/10",
}


def hint(wrong: Sequence[Compared], failing: int) -> str | None:
    """Return what all wrong values have in common with the right ones, if anything.

    Args:
        wrong: the comparisons that failed.
        failing: in how many cases something failed; others than numbers say nothing here.
    """
    if not wrong or len(wrong) < failing:
        return None
    if any(one.got.dtype.kind not in "iufc" for one in wrong):
        return None
    if sum(one.got.size for one in wrong) > MOST:  # a dozen copies of them are made
        return None
    for look in (_not_finite, _negative, _factor, _transposed, _shifted, _other_axis):
        said = look(wrong)
        if said is not None:
            return said
    return None


def _not_finite(wrong: Sequence[Compared]) -> str | None:
    """NaN or an infinity where there should be a number."""
    if not all(np.isfinite(one.want).all() for one in wrong):
        return None
    counts = [(int((~np.isfinite(one.got)).sum()), one.got.size) for one in wrong]
    if any(count == 0 for count, _ in counts):
        return None
    kind = "NaN" if all(np.isnan(one.got).any() for one in wrong) else "an infinity"
    if all(count == size for count, size in counts):
        where = "everywhere" if any(size > 1 for _, size in counts) else "in place of the number"
        return f"{kind} {where}: look for a division by zero, an overflow or a logarithm of zero"
    rest = all(_agrees(one, np.isfinite(one.got)) for one in wrong)
    return f"{kind} in some places{', and right in all others' if rest else ''}"


def _agrees(one: Compared, where: Array) -> bool:
    return bool(where.any()) and compare(one.got[where], one.want[where], one.tolerance).wrong == 0


def _all_are(wrong: Sequence[Compared], change: Callable[[Compared], Array | None]) -> bool:
    """Return whether in every comparison the right value, so changed, is what was got."""
    for one in wrong:
        changed = change(one)
        if changed is None or changed.shape != one.got.shape:
            return False
        if compare(one.got, changed, one.tolerance).wrong:
            return False
    return _tells(wrong)


def _tells(wrong: Sequence[Compared]) -> bool:
    return sum(len(np.unique(one.got)) for one in wrong) >= FEWEST


def _negative(wrong: Sequence[Compared]) -> str | None:
    return "the sign is the opposite everywhere" if _all_are(wrong, lambda one: -one.want) else None


def _factor(wrong: Sequence[Compared]) -> str | None:
    for factor in FACTORS:
        if _all_are(wrong, lambda one: factor * one.want):  # noqa: B023 - used at once
            return f"{WRITTEN[factor]} times the right value everywhere"
    ratios = [_ratio(one) for one in wrong]
    found = [ratio for ratio in ratios if ratio is not None]
    if len(found) < len(wrong) or not _tells(wrong):
        return None
    first = found[0]
    if all(abs(ratio - first) <= 1e-6 * abs(first) for ratio in found) and len(found) > 1:
        return "off by one constant factor everywhere"
    return "off by a factor that is the same for all values of a case"


def _ratio(one: Compared) -> float | None:
    """Return the factor between a whole wrong value and the right one."""
    got, want = one.got.astype(complex).ravel(), one.want.astype(complex).ravel()
    if got.size < FEWEST or not np.any(want):
        return None
    factor = complex(np.vdot(want, got) / np.vdot(want, want))
    if abs(factor.imag) > 1e-9 or abs(factor) < 1e-6 or abs(factor - 1) < 1e-6:
        return None
    close = Tolerance(max(one.tolerance.rtol, 1e-9), one.tolerance.atol)
    agrees = compare(one.got, (factor.real * one.want).astype(one.got.dtype), close).wrong == 0
    return factor.real if agrees else None


def _transposed(wrong: Sequence[Compared]) -> str | None:
    def turned(one: Compared) -> Array | None:
        square = one.want.ndim == 2 and one.want.shape[0] == one.want.shape[1] > 1
        return one.want.T if square else None

    return "the right matrix, transposed" if _all_are(wrong, turned) else None


def _shifted(wrong: Sequence[Compared]) -> str | None:
    """The right values, one place further along some axis."""
    deepest = min(one.want.ndim for one in wrong)
    for axis in range(deepest):
        for step in (1, -1):
            if all(one.want.shape[axis] > FEWEST for one in wrong) and _along(wrong, axis, step):
                return "the right values, one place off: an index is off by one"
    return None


def _along(wrong: Sequence[Compared], axis: int, step: int) -> bool:
    for one in wrong:
        length = one.want.shape[axis]
        here = np.take(one.got, range(max(step, 0), length + min(step, 0)), axis)
        there = np.take(one.want, range(max(-step, 0), length + min(-step, 0)), axis)
        if compare(here, there, one.tolerance).wrong or len(np.unique(there)) < FEWEST:
            return False
    return True


def _other_axis(wrong: Sequence[Compared]) -> str | None:
    """Sums to one along another axis than it should, as a softmax over the wrong one does."""

    def axes(array: Array) -> set[int]:
        if array.ndim < 2 or array.dtype.kind != "f" or (array < 0).any():
            return set()
        return {a for a in range(array.ndim) if np.allclose(array.sum(axis=a), 1.0, atol=1e-5)}

    if all(
        axes(one.want) and axes(one.got) and not axes(one.want) & axes(one.got) for one in wrong
    ):
        return "it sums to one along another axis than it should"
    return None
