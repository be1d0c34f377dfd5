"""When two arrays agree: shapes equal, then values within a tolerance."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DEFAULTS", "Comparison", "Tolerance", "compare", "default_tolerance"]


@dataclass(frozen=True)
class Tolerance:
    """Values agree if ``abs(got - want) <= atol + rtol * abs(want)``."""

    rtol: float
    atol: float

    def __str__(self) -> str:
        return f"rtol={self.rtol:g}, atol={self.atol:g}"


# By dtype; `default_tolerance` says which of the two compared dtypes decides. float64 leaves room
# for another order of summation, float32 for that and for a product of a few hundred terms.
DEFAULTS = {
    "float64": Tolerance(1e-7, 1e-10),
    "float32": Tolerance(1e-5, 1e-6),
    "bfloat16": Tolerance(2e-2, 1e-2),
    "float16": Tolerance(5e-3, 1e-3),
    "exact": Tolerance(0.0, 0.0),
}
_COARSENESS = ("float64", "float32", "float16", "bfloat16")
_AS_REAL = {"complex64": "float32", "complex128": "float64"}


def default_tolerance(got: Iterable[str], want: Iterable[str]) -> Tolerance:
    """Return the tolerance of the coarsest dtype; exact if none is floating.

    A student's dtype counts no coarser than float32: otherwise an answer in bfloat16 would be
    compared with next to nothing.

    Args:
        got: names of the dtypes of the student's value.
        want: names of the dtypes of the reference's value.
    """
    names = {_AS_REAL.get(name, name) for name in want} & set(_COARSENESS)
    for name in {_AS_REAL.get(name, name) for name in got} & set(_COARSENESS):
        names.add(name if name == "float64" else "float32")
    if not names:
        return DEFAULTS["exact"]
    return DEFAULTS[max(names, key=_COARSENESS.index)]


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
        raise ValueError(f"shapes differ: {got.shape} and {want.shape}")
    if got.size == 0:
        return Comparison(0, 0, 0.0, (), None, None)
    wide = np.result_type(got.dtype, want.dtype, np.float64)
    with np.errstate(all="ignore"):
        g, w = got.astype(wide), want.astype(wide)
        error, allowed = np.abs(g - w), tolerance.atol + tolerance.rtol * np.abs(w)
        # An exact comparison has no scale of its own: any error is infinitely far off.
        ratio = np.where(error == 0, 0.0, error / allowed)
    # Integers beyond 2**53 are not told apart as float64.
    same = (got == want) | (np.isnan(g) & np.isnan(w))
    ratio = np.where(same, 0.0, np.where(np.isfinite(g) & np.isfinite(w), ratio, np.inf))
    if got.dtype.kind in "iub" and want.dtype.kind in "iub" and tolerance == DEFAULTS["exact"]:
        ratio = np.where(got == want, 0.0, np.inf)
    wrong = ~(ratio <= 1.0)
    flat = int(np.argmax(np.where(np.isnan(ratio), np.inf, ratio)))
    index = tuple(int(i) for i in np.unravel_index(flat, got.shape))
    return Comparison(
        wrong=int(wrong.sum()),
        total=int(got.size),
        margin=float(ratio[index]) if not np.isnan(ratio[index]) else float("inf"),
        index=index,
        got=got[index].item(),
        want=want[index].item(),
    )
