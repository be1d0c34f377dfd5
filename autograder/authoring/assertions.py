"""What a check says of a value: each assertion passes silently or raises `CheckFailure`."""

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.authoring.arrays import dtype_name, is_array, named_dtype
from autograder.authoring.nests import Extent, NestError, extent_of, is_long, to_array
from autograder.authoring.phrases import a, kind, numbers, short
from autograder.authoring.standard import Compared, is_going_on, note_compared, tolerance_for
from autograder.authoring.subject import Proxy, is_ellipsis, place_of_ellipsis
from autograder.authoring.tolerance import compare
from autograder.errors import CheckFailure, Unanswered

__all__ = [
    "assert_close",
    "assert_dtype",
    "assert_equal",
    "assert_shape",
    "assert_that",
    "refuse_object",
]

KEYS = 20  # of a dict, as a message tells them


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
        rtol: relative tolerance; the default depends on the dtype of ``want``.
        atol: absolute tolerance; likewise.
        what: what the value is called in the message.

    Raises:
        CheckFailure: says how many values differ, where the worst is, and both values.
    """
    refuse_object(got, what, "an array" if is_array(want) else a(type(want).__name__))
    if isinstance(want, dict):
        _require_mapping(got, want, what)
        for key in want:
            assert_close(got[key], want[key], rtol=rtol, atol=atol, what=f"{what}[{short(key)}]")
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
    refuse_object(got, what, a(type(want).__name__))
    if isinstance(want, dict):
        _require_mapping(got, want, what)
        for key in want:
            assert_equal(got[key], want[key], what=f"{what}[{short(key)}]")
    elif isinstance(want, (tuple, list)):
        _require_sequence(got, want, what)
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            assert_equal(g, w, what=f"{what}[{i}]")
    elif is_array(want) or (is_array(got) and isinstance(want, (int, float, complex))):
        _assert_arrays_close(got, want, 0.0, 0.0, what)
    elif not _are_of_one_kind(got, want):
        _require_answered(got, what)
        raise CheckFailure(f"{kind(got)}, expected {_wanted_kind(got, want)}", what)
    elif got != want and not (_is_nan(got) and _is_nan(want)):
        if isinstance(want, (int, float)):
            raise CheckFailure(", expected ".join(numbers(got, want)), what)
        raise CheckFailure(f"{short(got)}, expected {short(want)}", what)


def assert_shape(got: Any, shape: Sequence[int], *, what: str = "value") -> None:
    """Require an array of real numbers of exactly this shape."""
    extent = _extent(got, what)
    if extent.dtype.kind == "c":
        raise CheckFailure("complex values, expected real ones", what)
    if extent.shape != tuple(shape):
        raise CheckFailure(f"shape {extent.shape}, expected {tuple(shape)}", what)


def assert_dtype(got: Any, like: Any, *, what: str = "value") -> None:
    """Require a dtype: that of an array, a tensor or a number, or one itself.

    Args:
        got: the student's value.
        like: has the dtype, or is it: ``np.float64``, ``"float64"``, ``torch.float64``.
        what: what the value is called in the message.
    """
    wanted = named_dtype(like) or dtype_name(like)
    extent = _extent(got, what)
    found = next(iter(extent.dtypes)) if len(extent.dtypes) == 1 else extent.dtype.name
    if found != wanted:
        raise CheckFailure(f"dtype {found}, expected {wanted}", what)


def refuse_object(got: Any, what: str, expected: str) -> None:
    """Raise a failure if a value is a proxy: an object is never mistaken for a value."""
    if isinstance(got, Proxy):
        if is_ellipsis(got):
            raise Unanswered(what)
        raise CheckFailure(f"an object of type {got.type_name}, expected {expected}", what)


def _extent(value: Any, what: str) -> Extent:
    refuse_object(value, what, "an array")
    try:
        return extent_of(value)
    except NestError as error:
        _require_answered(value, what)
        raise CheckFailure(str(error) or f"{short(value)}, expected numbers", what) from None


def _require_answered(got: Any, what: str) -> None:
    """Raise a failure that says so where a value that is wrong has `...` inside."""
    if (place := place_of_ellipsis(got)) is not None:
        raise Unanswered(f"{what}{place}")


def _assert_arrays_close(
    got: Any, want: Any, rtol: float | None, atol: float | None, what: str
) -> None:
    found, wanted = _extent(got, what), _extent(want, what)
    if found.shape != wanted.shape:
        raise CheckFailure(f"shape {found.shape}, expected {wanted.shape}", what)
    if (found.dtype.kind == "b") != (wanted.dtype.kind == "b"):
        raise CheckFailure(f"dtype {found.dtype}, expected {wanted.dtype}", what)
    if found.dtype.kind == "c" and wanted.dtype.kind != "c":
        raise CheckFailure("complex values, expected real ones", what)
    try:
        g, w = to_array(got, found), to_array(want, wanted)
    except NestError as error:
        raise CheckFailure(str(error), what) from None
    tolerance = tolerance_for(found.dtypes, wanted.dtypes, w, rtol, atol)
    result = compare(g, w, tolerance)
    own = rtol is not None or atol is not None
    note_compared(Compared(what, g, w, tolerance, result.margin, own))
    if not result.wrong or is_going_on():
        return
    values = f"{', expected '.join(numbers(result.got, result.want))} ({tolerance})"
    if g.shape == ():
        raise CheckFailure(values, what)
    place = result.index[0] if len(result.index) == 1 else result.index
    raise CheckFailure(
        f"{result.wrong} of {result.total} values differ; largest at {place}: {values}", what
    )


def _require_sequence(got: Any, want: Sequence[Any], what: str) -> None:
    if not isinstance(got, (tuple, list)):
        _require_answered(got, what)
        raise CheckFailure(f"{kind(got)}, expected {kind(want)} of {len(want)}", what)
    if len(got) != len(want):
        _require_answered(got, what)
        raise CheckFailure(f"{len(got)} items, expected {len(want)}", what)


def _require_mapping(got: Any, want: dict[str, Any], what: str) -> None:
    if not isinstance(got, dict):
        _require_answered(got, what)
        raise CheckFailure(f"{kind(got)}, expected a dict", what)
    if set(got) != set(want):
        _require_answered(got, what)
        keys, wanted = (short(heapq.nsmallest(KEYS, mapping, key=str)) for mapping in (got, want))
        raise CheckFailure(f"keys {keys}, expected {wanted}", what)


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
    return type(got) is int and type(want) is int and (is_long(got) or is_long(want))


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, complex)) and bool(np.isnan(value))


def _wanted_kind(got: Any, want: Any) -> str:
    """Return what people call what is wanted; a text with an example where several came."""
    if isinstance(want, str) and isinstance(got, (list, tuple, dict)):
        return "a text such as 'B'"
    return kind(want)
