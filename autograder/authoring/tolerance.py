"""When two arrays agree: shapes equal, then values within a tolerance."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BY_DEVICE",
    "DEFAULTS",
    "Comparison",
    "Tolerance",
    "compare",
    "default_tolerance",
    "is_coarse",
    "precision_of",
]


@dataclass(frozen=True)
class Tolerance:
    """Values agree if ``abs(got - want) <= atol + rtol * abs(want)``."""

    rtol: float
    atol: float

    def __str__(self) -> str:
        return f"rtol={self.rtol:.3g}, atol={self.atol:.3g}"


# By the dtype that is wanted. float64 leaves room
# for another order of summation, float32 for that and for a product of a few hundred terms.
DEFAULTS = {
    "float64": Tolerance(1e-7, 1e-10),
    "float32": Tolerance(1e-5, 1e-6),
    "bfloat16": Tolerance(2e-2, 1e-2),
    "float16": Tolerance(5e-3, 1e-3),
    "exact": Tolerance(0.0, 0.0),
}
# By the device that the values were computed on, of which the first is any run's. The reference
# computes on the CPU. In double precision a GPU's other order of sums is far below the tolerance;
# in single precision it is not: its sums have other partial sums, products are added unrounded, and
# exp and log may be off by two units in the last place. TF32 keeps as many bits of a factor as half
# precision does, and so is held to its tolerance.
BY_DEVICE = {
    "cpu": DEFAULTS,
    "cuda": DEFAULTS | {"float32": Tolerance(1e-4, 1e-5)},
    "cuda in TF32": DEFAULTS | {"float32": DEFAULTS["float16"]},
}
BLOCK = 1 << 16  # numbers that are compared at a time: the copies of them are wide
_COARSENESS = ("float64", "float32", "float16", "bfloat16")
_AS_REAL = {"complex64": "float32", "complex128": "float64"}


def default_tolerance(got: Iterable[str], want: Iterable[str], device: str = "cpu") -> Tolerance:
    """Return the tolerance of the dtype that is wanted, on a device; exact if none is floating.

    Args:
        got: names of the dtypes of the student's value.
        want: names of the dtypes of the reference's value.
        device: one of `BY_DEVICE`.
    """
    return BY_DEVICE[device][precision_of(got, want)]


def precision_of(got: Iterable[str], want: Iterable[str]) -> str:
    """Return the coarsest precision that is wanted: a floating dtype, or ``exact``.

    The student's dtype chooses nothing: an answer in single or half precision is held to what the
    question is asked in. Only where whole numbers are wanted does a floating answer count as one
    in double precision.

    Args:
        got: names of the dtypes of the student's value.
        want: names of the dtypes of the reference's value.
    """
    names = {_AS_REAL.get(name, name) for name in want} & set(_COARSENESS)
    if names:
        return max(names, key=_COARSENESS.index)
    floating = {_AS_REAL.get(name, name) for name in got} & set(_COARSENESS)
    return "float64" if floating else "exact"


def is_coarse(names: Iterable[str]) -> bool:
    """Return whether some dtype holds numbers in less than double precision."""
    return bool({_AS_REAL.get(name, name) for name in names} & set(_COARSENESS[1:]))


@dataclass(frozen=True)
class Comparison:
    """How two arrays of one shape differ.

    ``margin`` is the largest observed error divided by the tolerance there: up to 1 is
    agreement. It is infinite where one value is NaN or infinite and the other is not.
    """

    wrong: int
    total: int
    margin: float
    index: tuple[int, ...]
    got: Any
    want: Any


def compare(got: NDArray[Any], want: NDArray[Any], tolerance: Tolerance) -> Comparison:
    """Compare two numeric arrays of equal shape, element by element.

    Args:
        got: any shape; bool, integer, floating or complex.
        want: the same shape as ``got``.
        tolerance: NaN agrees with NaN only, an infinity with the same infinity only.

    Raises:
        ValueError: the shapes differ.
    """
    if got.shape != want.shape:
        raise ValueError(f"both arrays must have the same shape, got {got.shape} and {want.shape}")
    if got.size == 0:
        return Comparison(0, 0, 0.0, (), None, None)
    g, w = got.reshape(-1), want.reshape(-1)
    wrong, worst, place = 0, 0.0, 0
    for start in range(0, g.size, BLOCK):
        part = slice(start, start + BLOCK)
        if (g[part] == w[part]).all():  # as most right answers are
            continue
        ratio = _ratios(g[part], w[part], tolerance)
        wrong += int(np.count_nonzero(ratio > 1.0))
        here = int(np.argmax(ratio))
        if ratio[here] > worst:
            worst, place = float(ratio[here]), start + here
    return Comparison(
        wrong=wrong,
        total=int(got.size),
        margin=worst,
        index=tuple(int(i) for i in np.unravel_index(place, got.shape)),
        got=g[place].item(),
        want=w[place].item(),
    )


def _ratios(got: NDArray[Any], want: NDArray[Any], tolerance: Tolerance) -> NDArray[Any]:
    """Return each error divided by what is allowed there; infinite where nothing is comparable."""
    same = got == want  # integers beyond 2**53 are not told apart as float64
    if got.dtype.kind in "iub" and want.dtype.kind in "iub" and tolerance == DEFAULTS["exact"]:
        return np.where(same, 0.0, np.inf)
    wide = np.result_type(got.dtype, want.dtype, np.float64)
    with np.errstate(all="ignore"):
        g, w = got.astype(wide), want.astype(wide)
        error, allowed = np.abs(g - w), tolerance.atol + tolerance.rtol * np.abs(w)
        # An exact comparison has no scale of its own: any error is infinitely far off.
        ratio = np.where(error == 0, 0.0, error / allowed)
    same |= np.isnan(g) & np.isnan(w)
    ratio = np.where(same, 0.0, np.where(np.isfinite(g) & np.isfinite(w), ratio, np.inf))
    return np.where(np.isnan(ratio), np.inf, ratio)
