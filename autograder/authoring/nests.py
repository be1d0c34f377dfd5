"""Nests of numbers: their shape and dtype, found before any array is made of them.

A list of arrays takes many times its own room once it is one array: one complex number makes a
complex one of every byte. So what does not have the shape that is wanted is never built.
"""

import math
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.arrays import NUMERIC, dtype_name, is_array, to_numpy

__all__ = ["Extent", "NestError", "extent_of", "is_long", "to_array"]

ROOM = 64 << 20  # bytes that an array of a nest may take in any case, or:
WIDER = 4  # times what the nest takes
_PLAIN: dict[type, str] = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}
_ITEM = 8  # bytes of a number of Python's, at least


class NestError(Exception):
    """A value is no array of numbers; the text says what it is instead, empty if it has none."""


@dataclass(frozen=True)
class Extent:
    """The shape of a value as one array, the names of the dtypes in it, and its own bytes."""

    shape: tuple[int, ...]
    dtypes: frozenset[str]
    nbytes: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype as one array."""
        return _joint_dtype(self.dtypes)


@lru_cache(maxsize=256)
def _joint_dtype(names: frozenset[str]) -> np.dtype[Any]:
    return np.result_type(*("float32" if name == "bfloat16" else name for name in names))


def extent_of(value: Any) -> Extent:
    """Return the extent of a number, an array, a tensor or a nest of those.

    Raises:
        NestError: it holds something else, or is a nest of unequal lengths.
    """
    if is_array(value):
        name = dtype_name(value)
        if name != "bfloat16" and np.dtype(name).kind not in NUMERIC:
            raise NestError
        shape = tuple(value.shape)
        item = value.element_size() if hasattr(value, "element_size") else value.itemsize
        return Extent(shape, frozenset([name]), math.prod(shape) * item)
    if isinstance(value, (tuple, list)):
        return _extent_of_items(value)
    return Extent((), frozenset([_plain_dtype(value)]), _ITEM)


def _extent_of_items(items: tuple[Any, ...] | list[Any]) -> Extent:
    if not items:
        return Extent((0,), frozenset(["float64"]), 0)
    kinds = set(map(type, items))
    if kinds <= _PLAIN.keys():  # the many: at once
        whole = [item for item in items if type(item) is int]
        ends = {_plain_dtype(end) for end in (min(whole), max(whole))} if whole else set()
        names = ends | {_PLAIN[kind] for kind in kinds - {int}}
        return Extent((len(items),), frozenset(names), _ITEM * len(items))
    if kinds & {str, bytes, dict, type(None)}:
        raise NestError
    shape: tuple[int, ...] | None = None
    dtypes: set[str] = set()
    nbytes = 0
    for item in items:
        inner = extent_of(item)
        if shape is not None and inner.shape != shape:
            raise NestError("a nest of unequal lengths, expected an array")
        shape = inner.shape
        dtypes |= inner.dtypes
        nbytes += inner.nbytes
    return Extent((len(items), *(shape or ())), frozenset(dtypes), nbytes)


def _plain_dtype(value: Any) -> str:
    if type(value) is int and is_long(value):
        if abs(value) > sys.float_info.max:
            raise NestError
        return "float64"
    if type(value) is int and value >= 2**63:
        return "uint64"
    if type(value) not in _PLAIN:
        raise NestError
    return _PLAIN[type(value)]


def to_array(value: Any, extent: Extent) -> NDArray[Any]:
    """Return a value as one array.

    Raises:
        NestError: the array would be far larger than the value.
    """
    if is_array(value):
        return to_numpy(value)
    needed = math.prod(extent.shape) * extent.dtype.itemsize
    if needed > max(ROOM, WIDER * extent.nbytes):
        raise NestError(
            "a list of arrays whose dtypes differ, too large to be one; return an array"
        )
    return np.asarray(_plain(value), dtype=extent.dtype)


def _plain(value: Any) -> Any:
    """Return a nest with its tensors as arrays, and as floats the integers beyond 64 bits."""
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if is_array(value):
        return to_numpy(value)
    return float(value) if is_long(value) else value


def is_long(value: Any) -> bool:
    """Return whether a value is an integer that no dtype holds."""
    return isinstance(value, int) and not -(2**63) <= value < 2**64
