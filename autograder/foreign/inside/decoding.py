"""Values from plain data: made by constructors of ours, from parts that are looked at first."""

import collections
import datetime
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from autograder.foreign.inside.polynomials import polynomial_of_data

__all__ = ["TYPES", "Uncrossable", "decode", "exception_named"]

Resolve = Callable[[str, Any], Any]
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
_ORDERED = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


class Uncrossable(TypeError):
    """A value that can neither cross nor stay where it is."""


def decode(data: Any, resolve: Resolve) -> Any:
    """Return the value of plain data.

    Args:
        data: as `encode` returns it, or whatever somebody sent in its place.
        resolve: called with the kind of what stands for an object, and with what was said of it.

    Raises:
        Uncrossable: it is no such data.
    """
    return _Decoder(resolve).value(data)


class _Decoder:
    """Turns plain data into a value."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._known: dict[int, Any] = {}

    def value(self, data: Any) -> Any:
        """Return the value of some data."""
        if isinstance(data, list):
            return [self.value(item) for item in data]
        if isinstance(data, tuple):
            return tuple(self.value(item) for item in data)
        if not isinstance(data, dict):
            return data
        if len(data) != 1:
            raise Uncrossable("malformed data")
        ((kind, said),) = data.items()
        try:
            if kind == "$again":
                return self._known[said]
            if kind == "$shared":
                number, first = said
                self._known[number] = self.value(first)
                return self._known[number]
            return _decoded(kind, said, self.value, self._resolve)
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


def _decoded(kind: str, said: Any, inner: Callable[[Any], Any], resolve: Resolve) -> Any:
    name = kind.removeprefix("$")
    if name in ("object", "own", "argument"):
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
    if name == "polynomial":
        return polynomial_of_data(said, inner)
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
