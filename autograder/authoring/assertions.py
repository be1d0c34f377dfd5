"""What a check says of a value: each assertion passes silently or raises `CheckFailure`."""

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.arrays import NUMERIC, dtype_name, is_array, to_numpy
from autograder.authoring.standard import Compared, note_compared, tolerance_for
from autograder.authoring.subject import RemoteObject
from autograder.authoring.tolerance import compare
from autograder.errors import CheckFailure

__all__ = [
    "assert_close",
    "assert_dtype",
    "assert_equal",
    "assert_shape",
    "assert_that",
]


def assert_that(condition: bool, message: str) -> None:
    """Raise a failure with the message unless the condition holds: for properties."""
    refuse_object(condition, "condition", "a truth value")
    if not condition:
        raise CheckFailure(message)


def assert_close(
    got: Any,
    want: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    what: str = "value",
) -> None:
    """Compare shapes, then values within a tolerance; tuples, lists and dicts item by item.

    Args:
        got: the student's value.
        want: the reference's value: a number, an array, a tensor, or a nest of those.
        rtol: relative tolerance; the default depends on the coarser dtype of the two.
        atol: absolute tolerance; likewise.
        what: what the value is called in the message.

    Raises:
        CheckFailure: says how many values differ, where the worst is, and both values.
    """
    refuse_object(got, what, "an array" if is_array(want) else f"a {type(want).__name__}")
    if isinstance(want, dict):
        _require_mapping(got, want, what)
        for key in want:
            assert_close(got[key], want[key], rtol=rtol, atol=atol, what=f"{what}[{key!r}]")
    elif isinstance(want, (tuple, list)):
        _require_sequence(got, want, what)
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            assert_close(g, w, rtol=rtol, atol=atol, what=f"{what}[{i}]")
    elif (
        want is None
        or isinstance(want, (str, bytes))
        or (rtol is None and atol is None and _are_long_integers(got, want))
    ):
        assert_equal(got, want, what=what)
    else:
        _assert_arrays_close(got, want, rtol, atol, what)


def assert_equal(got: Any, want: Any, *, what: str = "value") -> None:
    """Compare two plain values exactly, nests item by item; True is not 1, "a" is not b"a"."""
    refuse_object(got, what, f"a {type(want).__name__}")
    if isinstance(want, dict):
        _require_mapping(got, want, what)
        for key in want:
            assert_equal(got[key], want[key], what=f"{what}[{key!r}]")
    elif isinstance(want, (tuple, list)):
        _require_sequence(got, want, what)
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            assert_equal(g, w, what=f"{what}[{i}]")
    elif is_array(want) or (is_array(got) and isinstance(want, (int, float, complex))):
        _assert_arrays_close(got, want, 0.0, 0.0, what)
    elif not _are_of_one_kind(got, want):
        raise CheckFailure(f"{what}: a {type(got).__name__}, expected a {type(want).__name__}")
    elif got != want and not (_is_nan(got) and _is_nan(want)):
        raise CheckFailure(f"{what}: {_short(got)}, expected {_short(want)}")


def assert_shape(got: Any, shape: Sequence[int], *, what: str = "value") -> None:
    """Require an array of real numbers of exactly this shape."""
    array = _as_array(got, what)
    if array.dtype.kind == "c":
        raise CheckFailure(f"{what}: complex values, expected real ones")
    if array.shape != tuple(shape):
        raise CheckFailure(f"{what}: shape {array.shape}, expected {tuple(shape)}")


def assert_dtype(got: Any, like: Any, *, what: str = "value") -> None:
    """Require the dtype of ``like``: an array, a tensor or a dtype's name."""
    wanted = like if isinstance(like, str) else dtype_name(like)
    refuse_object(got, what, "an array")
    found = dtype_name(got if is_array(got) else _as_array(got, what))
    if found != wanted:
        raise CheckFailure(f"{what}: dtype {found}, expected {wanted}")


def refuse_object(got: Any, what: str, expected: str) -> None:
    """Raise a failure if a value is a handle: an object is never mistaken for a value."""
    if isinstance(got, RemoteObject):
        if got.type_name == "ellipsis":
            raise CheckFailure(f"{what}: not answered yet")
        raise CheckFailure(f"{what}: an object of type {got.type_name}, expected {expected}")


class _TextError(Exception):
    """There is text where numbers are expected."""


def _as_array(value: Any, what: str) -> NDArray[Any]:
    refuse_object(value, what, "an array")
    try:
        array = np.asarray(_plain(value))
    except _TextError:
        raise CheckFailure(f"{what}: {_short(value)}, expected numbers") from None
    except (ValueError, TypeError):
        raise CheckFailure(f"{what}: a nest of unequal lengths, expected an array") from None
    if array.dtype.kind not in NUMERIC:
        raise CheckFailure(f"{what}: {_short(value)}, expected numbers")
    return array


def _plain(value: Any) -> Any:
    """Return a nest with its tensors as arrays, and as floats the integers beyond 64 bits."""
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, (str, bytes)):
        raise _TextError  # one array of texts would give each the room of the longest
    if is_array(value):
        return to_numpy(value)
    return float(value) if _is_long(value) and abs(value) <= sys.float_info.max else value


def _dtype_names(value: Any) -> set[str]:
    """Return the dtypes in a nest: as one array, bfloat16 tensors would be of float32."""
    if isinstance(value, (tuple, list)):
        return {name for item in value for name in _dtype_names(item)}
    return {dtype_name(value)}


def _assert_arrays_close(
    got: Any, want: Any, rtol: float | None, atol: float | None, what: str
) -> None:
    g, w = _as_array(got, what), _as_array(want, what)
    if g.shape != w.shape:
        raise CheckFailure(f"{what}: shape {g.shape}, expected {w.shape}")
    if (g.dtype.kind == "b") != (w.dtype.kind == "b"):
        raise CheckFailure(f"{what}: dtype {g.dtype}, expected {w.dtype}")
    if g.dtype.kind == "c" and w.dtype.kind != "c":
        raise CheckFailure(f"{what}: complex values, expected real ones")
    tolerance = tolerance_for(_dtype_names(got), _dtype_names(want), rtol, atol)
    result = compare(g, w, tolerance)
    own = rtol is not None or atol is not None
    note_compared(Compared(what, g, w, tolerance, result.margin, own))
    if not result.wrong:
        return
    values = f"{_number(result.got)}, expected {_number(result.want)} ({tolerance})"
    if g.shape == ():
        raise CheckFailure(f"{what}: {values}")
    place = result.index[0] if len(result.index) == 1 else result.index
    raise CheckFailure(
        f"{what}: {result.wrong} of {result.total} values differ; largest at {place}: {values}"
    )


def _require_sequence(got: Any, want: Sequence[Any], what: str) -> None:
    kind = type(want).__name__
    if not isinstance(got, (tuple, list)):
        raise CheckFailure(f"{what}: {_kind(got)}, expected a {kind} of {len(want)}")
    if len(got) != len(want):
        raise CheckFailure(f"{what}: {len(got)} items, expected {len(want)}")


def _require_mapping(got: Any, want: dict[str, Any], what: str) -> None:
    if not isinstance(got, dict):
        raise CheckFailure(f"{what}: {_kind(got)}, expected a dict")
    if set(got) != set(want):
        keys, wanted = (_short(sorted(mapping, key=repr)) for mapping in (got, want))
        raise CheckFailure(f"{what}: keys {keys}, expected {wanted}")


def _are_of_one_kind(got: Any, want: Any) -> bool:
    """Return whether two plain values are of one type, or both numbers.

    A bool is no number, and a complex one none where a real one is expected.
    """
    if type(got) is type(want):
        return True
    numbers = (int, float, complex) if isinstance(want, complex) else (int, float)
    return all(isinstance(v, numbers) and not isinstance(v, bool) for v in (got, want))


def _are_long_integers(got: Any, want: Any) -> bool:
    """Return whether two integers need Python's own arithmetic to be told apart."""
    return type(got) is int and type(want) is int and (_is_long(got) or _is_long(want))


def _is_long(value: Any) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**64


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, complex)) and bool(np.isnan(value))


def _kind(value: Any) -> str:
    if is_array(value):
        return f"an array of shape {tuple(value.shape)}"
    return "None" if value is None else f"a {type(value).__name__}"


def _number(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6g}"
    return str(value)


def _short(value: Any, limit: int = 80) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write integers of more than 4300 digits
        return "a value too long to print"
    return text if len(text) <= limit else text[: limit - 1] + "…"
