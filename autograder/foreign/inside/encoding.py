"""Values of a notebook as plain data, richer than the wire: what tests of other courses compare.

The wire carries numbers, texts, lists, tuples, arrays and dicts with string keys. Here a set, a
date or a DataFrame becomes a dict with one key that begins with ``$``, and so does every dict, so
that nothing is mistaken. What is read back is made by constructors of ours, from checked parts;
nothing received is run. All that has no plain form stays where it is, and crosses as a number.
"""

import collections
import datetime
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from autograder.foreign.inside.decoding import TYPES, Uncrossable, exception_named
from autograder.foreign.inside.polynomials import polynomial_as_data

__all__ = ["encode"]

Keep = Callable[[Any], dict[str, Any]]
MANY = 1000  # numbers of a list that cross as one array
MAX_DEPTH = 24
MOST_LOOKED_AT = 200_000  # containers of a value, for what is in it twice
WIRE_TYPES = frozenset(
    (
        *("bool", "complex64", "complex128", "float16", "float32", "float64"),
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    )
)
_WIRE_DTYPES = frozenset(map(np.dtype, WIRE_TYPES))  # a dtype is slow to tell its own name
_TYPE_NAMES = {kind: name for name, kind in TYPES.items()}
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_BUILT_IN = (str, int, float, complex, bytes, list, tuple, dict, set, frozenset)
_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")


def encode(value: Any, keep: Keep) -> Any:
    """Return a value as plain data of the wire; what is in it twice is the same one there, too.

    Args:
        value: any object.
        keep: called with what has no plain form; returns what stands for it.

    Raises:
        Uncrossable: it is nested too deeply, or ``keep`` will not have it.
    """
    return _Encoder(keep, _repeated(value)).plain(value)


class _Encoder:
    """Turns a value into plain data.

    Args:
        keep: returns what stands for an object.
        repeated: the ids of containers that are in the value more than once.
    """

    def __init__(self, keep: Keep, repeated: frozenset[int]) -> None:
        self._keep, self._repeated = keep, repeated
        self._known: dict[int, int] = {}
        self._open: set[int] = set()

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Return what stands for a value in a nest of this depth."""
        if depth > MAX_DEPTH:
            raise Uncrossable(f"a value nested deeper than {MAX_DEPTH}")
        if id(value) not in self._repeated:
            return self._plain(value, depth)
        if (number := self._known.get(id(value))) is not None:
            if id(value) in self._open:
                raise Uncrossable("a value nested in itself")
            return {"$again": number}
        number = self._known[id(value)] = len(self._known)
        self._open.add(id(value))
        plain = self._plain(value, depth)
        self._open.remove(id(value))
        return {"$shared": [number, plain]}

    def _plain(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _PLAIN or isinstance(value, np.generic):
            return self._scalar(value)

        def inner(item: Any) -> Any:
            return self.plain(item, depth + 1)

        if isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray):
            return self._array(value, np.asarray(value), inner)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            fields = [str(name) for name in kind._fields]
            return {"$fields": [kind.__name__, fields, [inner(item) for item in tuple(value)]]}
        if (plain := _of_library(value, inner)) is not None:
            return plain
        match _built_in(kind):
            case built_in if built_in is list:
                return _numbers(value) or [inner(item) for item in list.__iter__(value)]
            case built_in if built_in is tuple:
                return tuple(inner(item) for item in tuple.__iter__(value))
            case built_in if built_in is dict:
                return {"$dict": [[inner(k), inner(v)] for k, v in dict.items(value)]}
            case built_in if built_in in (set, frozenset):
                items = built_in.__iter__(value)
                return {f"${built_in.__name__}": [inner(item) for item in items]}
            case built_in if built_in is not None:
                return value  # the wire takes it by its own type
        return self._other(value, inner)

    def _other(self, value: Any, inner: Callable[[Any], Any]) -> Any:
        if isinstance(value, type) and value in _TYPE_NAMES:
            return {"$type": _TYPE_NAMES[value]}
        if isinstance(value, Exception):
            name = type(value).__name__
            if exception_named(name) is type(value):
                return {"$error": [name, str(value)]}
        if (torch := sys.modules.get("torch")) is not None and isinstance(value, torch.Tensor):
            return value
        if (polynomial := polynomial_as_data(value, inner)) is not None:
            return polynomial
        if "pandas" in sys.modules:
            from autograder.foreign.inside.frames import frame_as_data

            if (frame := frame_as_data(value, inner)) is not None:
                return frame
        return self._keep(value)

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, np.str_):
            return {"$npstr": str(value)}
        if isinstance(value, (np.datetime64, np.timedelta64)):
            return {"$times": [str(value.dtype), (), np.asarray(value).astype("int64").reshape(1)]}
        is_known = not isinstance(value, np.generic) or value.dtype.name in WIRE_TYPES
        return value if is_known else self._keep(value)

    def _array(self, value: Any, array: Any, inner: Callable[[Any], Any]) -> Any:
        if array.dtype in _WIRE_DTYPES or array.dtype.name in WIRE_TYPES:  # of other byte orders
            return array
        if array.dtype.kind in "mM":
            return {"$times": [str(array.dtype), array.shape, array.astype("int64").reshape(-1)]}
        if array.dtype.kind in "UO":
            items = [inner(item) for item in array.reshape(-1).tolist()]
            kind = str(array.dtype) if array.dtype.kind == "U" else "object"
            return {"$objects": [kind, array.shape, items]}
        return self._keep(value)


def _repeated(value: Any) -> frozenset[int]:
    """Return the ids of lists, dicts and sets that are in a value more than once."""
    met: set[int] = set()
    twice: set[int] = set()
    pending = [value]
    while pending and len(met) < MOST_LOOKED_AT:
        one = pending.pop()
        if not isinstance(one, (list, dict, set, tuple)):
            continue
        if not isinstance(one, tuple):
            if id(one) in met:
                twice.add(id(one))
                continue
            met.add(id(one))
        if isinstance(one, dict):
            pending += dict.values(one)
        elif len(one) < MANY or not isinstance(next(iter(one)), (int, float)):
            pending += one
    return frozenset(twice)


def _built_in(kind: type) -> type | None:
    """Return the built-in type that a type is, or is like in all comparisons; None if it is none.

    An instance of a subclass crosses as what it is beneath: a subclass of a list as a list.
    """
    for base in _BUILT_IN:
        if issubclass(kind, base):
            same = all(getattr(kind, name) is getattr(base, name) for name in _COMPARISONS)
            return base if same else None
    return None


def _numbers(value: list[Any]) -> dict[str, Any] | None:
    """Return a long list of numbers of one kind as an array; None for any other."""
    if len(value) < MANY or type(value[0]) not in (int, float):
        return None
    kind = type(value[0])
    if any(type(item) is not kind for item in value):
        return None
    try:
        return {"$numbers": np.array(value, dtype="int64" if kind is int else "float64")}
    except OverflowError:
        return None


def _of_library(value: Any, inner: Callable[[Any], Any]) -> dict[str, Any] | None:
    """Return a value of the standard library as plain data; None if it is none that is known."""
    kind = type(value)
    if kind is range or kind is slice:
        parts = [value.start, value.stop, value.step]
        return {f"${kind.__name__}": [inner(part) for part in parts]}
    if value is Ellipsis:
        return {"$ellipsis": None}
    if kind is bytearray:
        return {"$bytearray": bytes(value)}
    if kind is Decimal:
        return {"$decimal": str(value)}
    if kind is Fraction:
        return {"$fraction": [value.numerator, value.denominator]}
    if kind in (datetime.datetime, datetime.date, datetime.time):
        return {f"${kind.__name__}": value.isoformat()}
    if kind is datetime.timedelta:
        return {"$timedelta": [value.days, value.seconds, value.microseconds]}
    if kind in (collections.OrderedDict, collections.Counter):
        return {f"${kind.__name__}": [[inner(k), inner(v)] for k, v in value.items()]}
    if kind is collections.defaultdict:
        made_by = value.default_factory
        if made_by not in _TYPE_NAMES:  # a function of theirs: what it has made is there
            made_by = None
        return {"$defaultdict": [inner(made_by), [[inner(k), inner(v)] for k, v in value.items()]]}
    if kind is collections.deque:
        return {"$deque": [[inner(item) for item in value], value.maxlen]}
    for name in ("keys", "values", "items"):
        if kind is type(getattr({}, name)()):
            return {f"${name}": [inner(item) for item in value]}
    return None
