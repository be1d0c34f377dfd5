"""Simpler values: what a domain promises of an argument as well, and a person reads at a glance.

Which values are promised, a part says by its bounds and kinds; of parts that say neither, such as
what is derived from other arguments, no simpler value is known.
"""

import math
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.arrays import is_array, is_tensor, to_numpy
from autograder.authoring.factors import Part
from autograder.authoring.layouts import laid_out, layout_of

__all__ = ["MOST_ENTRIES", "put", "simpler", "simpler_entries", "span_of"]

# Numbers of hyperparameters, the simplest first.
SIMPLE = (0.5, 0.1, 1.0, 2.0, 0.01, 0.001, 10.0, 0.9, 0.0, 5.0, 100.0, 1e-4, 1e-6, 1e-8)
DIGITS = (1, 2)  # significant ones, of a number that has none of those in its interval
DECIMALS = (0, 1, 2)  # of the numbers of an array
MOST_COUNTED = 9  # numbers of an array that may be 1, 2, 3, …
MOST_ENTRIES = 12  # of an array that are made simple one by one
SCALED = (0.02, 20.0)  # times its scale: between these lies the largest number of a usual array
ABOUT_ONE = (0.3, 10.0)  # what is so large is counted in ones
ZEROS = frozenset({"some zeros", "ties", "zeros"})  # kinds of values with zeros among them,
TIES = frozenset({"ties", "constant"})  # and with others that are equal

Array = NDArray[Any]


@runtime_checkable
class _Interval(Protocol):
    """A part that promises any number between two ends."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def ends(self) -> str: ...


@runtime_checkable
class _Span(Protocol):
    """A part that promises what lies between two numbers: whole ones, if it is no interval."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


@runtime_checkable
class _Numbers(Protocol):
    """A part that promises arrays of numbers of some kinds, or in some bounds."""

    @property
    def values(self) -> tuple[str, ...]: ...
    @property
    def bounds(self) -> tuple[float, float] | None: ...
    @property
    def scale(self) -> float: ...


@runtime_checkable
class _Indices(Protocol):
    """A part that promises arrays of any whole numbers from 0 on, below some number."""

    @property
    def below(self) -> str | int: ...


def span_of(part: object) -> tuple[int, int] | None:
    """Return the least and the greatest whole number, of a part that promises those between."""
    if not isinstance(part, _Interval) and isinstance(part, _Span):
        return int(part.low), int(part.high)
    return None


def simpler(part: Part, value: Any) -> Iterator[Any]:
    """Give values that are promised as well as one that was drawn, the simplest first.

    Args:
        part: what is promised of the argument.
        value: that was drawn of it.
    """
    if isinstance(part, _Interval) and isinstance(value, float):
        yield from _simpler_number(value, part.low, part.high)
    elif is_array(value) and isinstance(part, _Indices):
        yield from _different(value, iter([np.zeros_like(to_numpy(value))]))
    elif is_array(value) and isinstance(part, _Numbers):
        array = to_numpy(value)
        unit = _power_of(array, part.scale)
        fitting = (one for one in _simpler_arrays(array, unit) if _is_promised(part, one, array))
        yield from _different(value, fitting)


def simpler_entries(part: Part, value: Any, place: int) -> Iterator[Any]:
    """Give arrays with a 0 or a 1 at a place, if there is one and those are promised."""
    if not (is_array(value) and isinstance(part, _Numbers)):
        return
    array = to_numpy(value)
    if place >= array.size or array.flat[place] in (0, 1) or np.all(array == array.flat[0]):
        return
    for entry in (0, 1):
        changed = np.array(array)
        changed.flat[place] = entry
        if _is_promised(part, changed, array):
            yield from _different(value, iter([changed]))


def put(value: Any, drawn: Any) -> Any:
    """Return a value in place of one that was drawn, for whoever gets it to change.

    An array lies as the drawn one does, and has its shape: one of equal numbers fits each, and any
    other only its own.
    """
    if not is_array(value):
        return value
    array, shape = to_numpy(value), tuple(drawn.shape)
    if array.shape == shape:
        return _lying_like(drawn, array)
    is_uniform = array.size > 0 and np.all(array == array.flat[0])
    return _lying_like(drawn, np.full(shape, array.flat[0])) if is_uniform else drawn


def _simpler_number(value: float, low: float, high: float) -> Iterator[float]:
    if not low < value < high:  # an end, which is an edge that is needed
        return
    rounded = [float(f"{value:.{digits}g}") for digits in DIGITS]
    for number in dict.fromkeys((*SIMPLE, *rounded)):
        if low < number < high and number != value:
            yield number


def _power_of(array: Array, scale: float) -> int:
    """Return the power of ten of which the numbers of an array are few."""
    largest = float(np.abs(array).max(initial=0.0))
    usual = largest == 0 or SCALED[0] * scale < largest < SCALED[1] * scale
    size = scale if usual or not math.isfinite(largest) else largest
    return 0 if ABOUT_ONE[0] <= size < ABOUT_ONE[1] else math.floor(math.log10(size))


def _simpler_arrays(array: Array, power: int) -> Iterator[Array]:
    """Give arrays of the same shape and dtype: ones, zeros, 1 2 3 …, and with fewer digits.

    Args:
        array: that was drawn.
        power: of ten, by which the numbers are multiplied.
    """
    if array.dtype.kind not in "iufc" or not array.size or not np.isfinite(array).all():
        return
    yield _in_units(np.ones(array.shape), power, array)
    yield np.zeros_like(array)
    if array.size <= MOST_COUNTED:
        yield _in_units(np.arange(1, array.size + 1).reshape(array.shape), power, array)
    for decimals in DECIMALS:
        wide = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
        plain = np.round(wide * 10.0**-power if power <= 0 else wide / 10.0**power, decimals)
        yield _in_units(plain, power, array)


def _in_units(numbers: Array, power: int, like: Array) -> Array:
    """Return numbers times a power of ten, in the dtype of an array, as their decimals read."""
    scaled = numbers / 10.0**-power if power < 0 else numbers * 10.0**power
    return np.asarray(scaled, like.dtype)


def _is_promised(part: _Numbers, array: Array, drawn: Array) -> bool:
    """Return whether an array may be drawn, and has no edge that the drawn one does without."""
    if part.bounds is not None:
        low, high = part.bounds
        inside = bool(np.all((drawn > low) & (drawn < high)))
        fits = (array > low) & (array < high) if inside else (array >= low) & (array <= high)
        return bool(np.all(fits))
    kinds = frozenset(part.values)
    if _has_zeros(array) and not (kinds & ZEROS or _has_zeros(drawn)):
        return False
    return not _has_ties(array) or bool(kinds & TIES) or _has_ties(drawn)


def _has_zeros(array: Array) -> bool:
    return bool((array == 0).any())


def _has_ties(array: Array) -> bool:
    numbers = array[array != 0]
    return len(np.unique(numbers)) < len(numbers)


def _different(value: Any, arrays: Iterator[Array]) -> Iterator[Any]:
    """Give arrays that differ from a value as it is: an array or a tensor that lies as it does."""
    former = to_numpy(value)
    for array in arrays:
        if not np.array_equal(array, former):
            yield _lying_like(value, array)


def _lying_like(value: Any, array: Array) -> Any:
    """Return the numbers of an array in an array or a tensor that lies as another one does."""
    rows = np.array(array, array.dtype.newbyteorder("="), order="C")
    if not is_tensor(value):
        return laid_out(rows, layout_of(value))
    import torch  # there is a tensor already

    tensor = laid_out(torch.from_numpy(rows), layout_of(value))
    return tensor.requires_grad_(value.requires_grad)
