"""Values: what numbers an array of a domain holds, by their kind and its dtype."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALONE",
    "BOUNDED",
    "DTYPES",
    "INSIDE",
    "VALUES",
    "SpanError",
    "drawn_between",
    "drawn_values",
    "is_telling",
    "value_words",
]

Shape = tuple[int, ...]
Numbers = NDArray[np.generic]

INSIDE = "inside"
NORMAL, SOME_ZEROS, TIES, LARGE = "normal", "some zeros", "ties", "large"
TINY, ZEROS, CONSTANT = "tiny", "zeros", "constant"
_WORDS = {
    SOME_ZEROS: "exact zeros",
    TIES: "ties",
    LARGE: "large",
    TINY: "tiny",
    ZEROS: "only zeros",
    CONSTANT: "all equal",
}
VALUES = (NORMAL, *_WORDS)
LOW_END, HIGH_END = "some at the low end", "some at the high end"
LOWEST = "all at the low end"
BOUNDED = (INSIDE, LOW_END, HIGH_END, LOWEST, CONSTANT)
ALONE = frozenset({ZEROS, LOWEST, CONSTANT})
DTYPES = (
    *("float64", "float32", "float16", "int64", "int32", "uint8", "bool"),
    *("complex128", "complex64"),
)
_TINY = {"float16": 1e-4}  # others: 1e-8, of which a half has no such number
_WHOLE = {"int64": (-(10**6), 10**6), "int32": (-(10**4), 10**4), "uint8": (0, 255)}


class SpanError(ValueError):
    """No number of a dtype lies between two ends."""


def value_words(kinds: tuple[str, ...]) -> list[str]:
    """Return in words which values there may be but the usual ones."""
    return [_WORDS[kind] for kind in kinds if kind in _WORDS]


def is_telling(kind: str, shape: Shape, dtype: str) -> bool:
    """Return whether a kind of values can be told from the usual one in an array."""
    size = math.prod(shape)
    if kind in (TIES, CONSTANT, SOME_ZEROS, LOW_END, HIGH_END) and dtype != "bool":
        return size > 1  # of one number, some are all
    if kind in (TIES, CONSTANT):
        return size > 1 or (dtype == "bool" and kind == CONSTANT and size > 0)
    if dtype == "bool":
        return size > 0 and kind in (ZEROS, NORMAL, INSIDE)
    return size > 0 or kind in (NORMAL, INSIDE)


def drawn_values(
    kind: str, rng: np.random.Generator, shape: Shape, dtype: str, scale: float = 1.0
) -> Numbers:
    """Return numbers of a kind.

    Args:
        kind: one of `VALUES`.
        rng: draws them.
        shape: of the array.
        dtype: one of `DTYPES`; whole numbers are drawn as such, and never round to zeros.
        scale: by which floats are multiplied, but for ties.
    """
    if dtype == "bool":
        return _truths(kind, rng, shape)
    if dtype in _WHOLE:
        return _whole(kind, rng, shape, dtype)
    if dtype.startswith("complex"):
        values = _real(kind, rng, shape, dtype, scale) + 1j * _real(kind, rng, shape, dtype, scale)
        return np.asarray(_some(rng, values, 0.0) if kind == SOME_ZEROS else values, dtype)
    return np.asarray(_real(kind, rng, shape, dtype, scale), dtype)


def _real(
    kind: str, rng: np.random.Generator, shape: Shape, dtype: str, scale: float
) -> NDArray[np.float64]:
    normal: Callable[[], NDArray[np.float64]] = lambda: scale * rng.normal(size=shape)  # noqa: E731
    match kind:
        case "some zeros":
            return _some(rng, normal(), 0.0)
        case "ties":
            return rng.integers(-1, 2, size=shape).astype(float)
        case "large":
            return 1e3 * normal()
        case "tiny":
            return _TINY.get(dtype, 1e-8) * normal()
        case "zeros":
            return np.zeros(shape)
        case "constant":
            return np.full(shape, scale * rng.normal())
    return np.asarray(normal())


def _whole(kind: str, rng: np.random.Generator, shape: Shape, dtype: str) -> Numbers:
    least, greatest = _WHOLE[dtype]
    signs = rng.choice([-1, 1], size=shape) if least else np.ones(shape, int)
    few = signs * rng.integers(1, 10, size=shape)
    match kind:
        case "some zeros":
            few = _some(rng, few, 0)
        case "ties":
            few = rng.integers(-1 if least else 0, 2, size=shape)
        case "large":
            few = signs * rng.integers(greatest // 2, greatest, size=shape, endpoint=True)
        case "tiny":
            few = signs
        case "zeros":
            few = np.zeros(shape, int)
        case "constant":
            few = np.full(shape, rng.integers(1, 10))
    return np.asarray(few, dtype)


def _truths(kind: str, rng: np.random.Generator, shape: Shape) -> Numbers:
    if kind in (ZEROS, CONSTANT):
        return np.full(shape, kind == CONSTANT)
    return np.asarray(rng.random(size=shape) < 0.5)


def drawn_between(
    kind: str, rng: np.random.Generator, shape: Shape, dtype: str, low: float, high: float
) -> Numbers:
    """Return numbers from ``low`` to ``high``, drawn evenly.

    Args:
        kind: one of `BOUNDED`.
        rng: draws them.
        shape: of the array.
        dtype: one of `DTYPES`, of real numbers.
        low: the lower end, which belongs to it.
        high: the upper end, likewise.

    Raises:
        SpanError: no number of the dtype lies there.
    """
    if dtype in _WHOLE:
        least, greatest = int(np.ceil(low)), int(np.floor(high))
        if least > greatest or (dtype == "uint8" and not 0 <= least <= greatest <= 255):
            raise SpanError
        values: Numbers = rng.integers(least, greatest, size=shape, endpoint=True)
        low, high = least, greatest
    else:
        values = _between(rng.random(size=shape), low, high)
    match kind:
        case "some at the low end":
            values = _some(rng, values, low)
        case "some at the high end":
            values = _some(rng, values, high)
        case "all at the low end":
            values = np.full(shape, low)
        case "constant":
            values = np.full(shape, values.flat[0] if values.size else low)
    return np.asarray(values, dtype)


def _between(share: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Return what lies a share of the way between two ends, which may be huge."""
    return low * (1 - share) + high * share


def _some(rng: np.random.Generator, values: NDArray, value: float) -> NDArray:  # type: ignore[type-arg]
    """Return values of which some are this one: the first is, if there is any."""
    chosen = np.asarray(rng.random(size=np.shape(values)) < 0.4)
    chosen.reshape(-1)[:1] = True
    return np.where(chosen, np.asarray(value, values.dtype), values)
