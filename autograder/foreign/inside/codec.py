"""Values of a notebook as plain data, richer than the wire: what tests of other courses compare.

The wire carries numbers, texts, lists, tuples, arrays and dicts with string keys. Here a set, a
date or a DataFrame becomes a dict with one key that begins with ``$``, and so does every dict, so
that nothing is mistaken. What is read back is made by constructors of ours, from checked parts;
nothing received is run. All that has no plain form stays where it is, and crosses as a number.
"""

import collections
import datetime
import re
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["Uncrossable", "decode", "encode", "exception_named"]

Keep = Callable[[Any], dict[str, Any]]
Resolve = Callable[[str, Any], Any]
MANY = 1000  # numbers of a list that cross as one array
MAX_DEPTH = 24
# Of the standard library and numpy: what a test may well ask of an exception or a type.
TYPES: Mapping[str, Any] = {
    **{kind.__name__: kind for kind in (bool, int, float, complex, str, bytes, bytearray)},
    **{kind.__name__: kind for kind in (list, tuple, dict, set, frozenset, object, range, slice)},
    "NoneType": type(None),
    "ndarray": np.ndarray,
    **{
        f"np.{kind.__name__}": kind
        for kind in (np.float64, np.float32, np.float16, np.int64, np.int32, np.int16, np.int8)
    },
    **{f"np.{kind.__name__}": kind for kind in (np.uint8, np.bool_, np.complex128, np.str_)},
}
_TYPE_NAMES = {kind: name for name, kind in TYPES.items()}
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_ORDERED = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


class Uncrossable(TypeError):
    """A value that can neither cross nor stay where it is."""


def encode(value: Any, keep: Keep, depth: int = 0) -> Any:
    """Return a value as plain data of the wire.

    Args:
        value: any object.
        keep: called with what has no plain form; returns what stands for it.
        depth: of the nest that it is in.

    Raises:
        Uncrossable: it is nested too deeply, or ``keep`` will not have it.
    """
    if depth > MAX_DEPTH:
        raise Uncrossable(f"a value nested deeper than {MAX_DEPTH}, or in itself")
    kind = type(value)
    if kind in _PLAIN or isinstance(value, np.generic):
        return _scalar(value)
    if kind is np.ndarray:
        return _array(value, keep, depth)

    def inner(item: Any) -> Any:
        return encode(item, keep, depth + 1)

    if kind is list:
        return _numbers(value) or [inner(item) for item in value]
    if kind is tuple:
        return tuple(inner(item) for item in value)
    if kind is dict:
        return {"$dict": [[inner(k), inner(v)] for k, v in value.items()]}
    if kind is set or kind is frozenset:
        return {f"${kind.__name__}": [inner(item) for item in value]}
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        fields = [str(name) for name in kind._fields]
        return {"$fields": [kind.__name__, fields, [inner(item) for item in value]]}
    if (plain := _of_library(value, inner)) is not None:
        return plain
    if isinstance(value, type) and value in _TYPE_NAMES:
        return {"$type": _TYPE_NAMES[value]}
    if isinstance(value, Exception) and exception_named(kind.__name__) is kind:
        return {"$error": [kind.__name__, str(value)]}
    if (torch := sys.modules.get("torch")) is not None and isinstance(value, torch.Tensor):
        return value
    if "pandas" in sys.modules:
        from autograder.foreign.inside.frames import frame_as_data

        if (frame := frame_as_data(value, inner)) is not None:
            return frame
    return keep(value)


def decode(data: Any, resolve: Resolve) -> Any:
    """Return the value of plain data.

    Args:
        data: as `encode` returns it, or whatever somebody sent in its place.
        resolve: called with the kind of what stands for an object, and with what was said of it.

    Raises:
        Uncrossable: it is no such data.
    """
    if isinstance(data, list):
        return [decode(item, resolve) for item in data]
    if isinstance(data, tuple):
        return tuple(decode(item, resolve) for item in data)
    if not isinstance(data, dict):
        return data
    if len(data) != 1:
        raise Uncrossable("malformed data")
    ((kind, said),) = data.items()
    try:
        return _decoded(kind, said, resolve)
    except Uncrossable:
        raise
    except Exception as error:  # constructors complain of wrong parts in many ways
        raise Uncrossable(f"malformed data: {kind[:20]}: {type(error).__name__}") from None


def exception_named(name: str) -> type[Exception] | None:
    """Return an exception of Python's or numpy's own by its name."""
    import builtins

    kind = getattr(builtins, name, None)
    if name == "LinAlgError":
        kind = np.linalg.LinAlgError
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else None


def _scalar(value: Any) -> Any:
    if isinstance(value, np.str_):
        return {"$npstr": str(value)}
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return {"$times": [str(value.dtype), (), np.asarray(value).astype("int64").reshape(1)]}
    return value


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


def _array(value: Any, keep: Keep, depth: int) -> Any:
    if value.dtype.kind in "biufc":
        return value
    if value.dtype.kind in "mM":
        return {"$times": [str(value.dtype), value.shape, value.astype("int64").reshape(-1)]}
    if value.dtype.kind in "UO":
        items = [encode(item, keep, depth + 1) for item in value.reshape(-1).tolist()]
        kind = str(value.dtype) if value.dtype.kind == "U" else "object"
        return {"$objects": [kind, value.shape, items]}
    return keep(value)


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
        if made_by is not None and made_by not in _TYPE_NAMES:
            return None
        return {"$defaultdict": [inner(made_by), [[inner(k), inner(v)] for k, v in value.items()]]}
    if kind is collections.deque:
        return {"$deque": [[inner(item) for item in value], value.maxlen]}
    for name in ("keys", "values", "items"):
        if kind is type(getattr({}, name)()):
            return {f"${name}": [inner(item) for item in value]}
    return None


def _decoded(kind: str, said: Any, resolve: Resolve) -> Any:
    def inner(item: Any) -> Any:
        return decode(item, resolve)

    name = kind.removeprefix("$")
    if name in ("object", "own"):
        return resolve(name, said)
    if name in _ORDERED:
        return _ORDERED[name](inner(item) for item in said)
    if name == "dict":
        return {inner(k): inner(v) for k, v in said}
    if name in ("OrderedDict", "Counter"):
        return getattr(collections, name)({inner(k): inner(v) for k, v in said})
    if name == "defaultdict":
        return collections.defaultdict(inner(said[0]), {inner(k): inner(v) for k, v in said[1]})
    if name == "deque":
        return collections.deque(map(inner, said[0]), None if said[1] is None else int(said[1]))
    if name == "fields":
        make: Any = collections.namedtuple
        return make(str(said[0]), [str(field) for field in said[1]])(
            *(inner(item) for item in said[2])
        )
    if name == "numbers":
        return np.asarray(said).tolist()
    if name == "npstr":
        return np.str_(said)
    if name in ("times", "objects"):
        return _decoded_array(name, said, inner)
    if name in ("keys", "values", "items"):
        return _view(name, [inner(item) for item in said])
    if name in ("range", "slice"):
        return TYPES[name](*(inner(part) for part in said))
    if name == "type":
        return TYPES[said]
    if name == "error":
        if (error := exception_named(said[0])) is None:
            raise Uncrossable("no exception of Python's")
        return error(str(said[1]))
    if name in _SIMPLE:
        return _SIMPLE[name](said)
    from autograder.foreign.inside.frames import frame_of_data

    return frame_of_data(name, said, inner)


_SIMPLE: Mapping[str, Callable[[Any], Any]] = {
    "ellipsis": lambda said: ...,
    "bytearray": bytearray,
    "decimal": Decimal,
    "fraction": lambda said: Fraction(int(said[0]), int(said[1])),
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda said: datetime.timedelta(*map(int, said)),
}


def _decoded_array(name: str, said: Any, inner: Callable[[Any], Any]) -> Any:
    kind, shape, items = said
    shape = tuple(map(int, shape))
    if name == "times":
        if (
            re.fullmatch(r"[<>=]?[mM]8\[[0-9a-zA-Z]*\]|(datetime|timedelta)64(\[\w+\])?", kind)
            is None
        ):
            raise Uncrossable("no kind of times")
        array = np.asarray(items, dtype="int64").astype(kind).reshape(shape)
        return array if shape else array[()]
    if kind != "object":
        if re.fullmatch(r"[<>=]?U\d{1,6}", kind) is None:
            raise Uncrossable("no kind of texts")
        return np.array([str(item) for item in items], dtype=kind).reshape(shape)
    array = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        array[place] = inner(item)
    return array.reshape(shape)


def _view(name: str, items: list[Any]) -> Any:
    if name == "keys":
        return dict.fromkeys(items).keys()
    return dict(items).items() if name == "items" else dict(enumerate(items)).values()
