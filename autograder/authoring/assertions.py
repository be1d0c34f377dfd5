"""What a check says of a value: each assertion passes silently or raises `CheckFailure`."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.subject import RemoteObject
from autograder.authoring.tolerance import Tolerance, compare, default_tolerance
from autograder.errors import CheckFailure

__all__ = [
    "assert_close",
    "assert_dtype",
    "assert_equal",
    "assert_shape",
    "assert_that",
    "measuring_margins",
]

_NUMERIC = "biufc"
_margins: ContextVar[list[float] | None] = ContextVar("margins", default=None)


@contextmanager
def measuring_margins() -> Iterator[list[float]]:
    """Collect the margin of every numeric comparison made inside the block."""
    margins: list[float] = []
    token = _margins.set(margins)
    try:
        yield margins
    finally:
        _margins.reset(token)


def assert_that(condition: bool, message: str) -> None:
    """Raise a failure with the message unless the condition holds: for properties."""
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
    refuse_object(got, what, "an array" if _is_array(want) else f"a {type(want).__name__}")
    if isinstance(want, dict):
        _require_mapping(got, want, what)
        for key in want:
            assert_close(got[key], want[key], rtol=rtol, atol=atol, what=f"{what}[{key!r}]")
    elif isinstance(want, (tuple, list)):
        _require_sequence(got, want, what)
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            assert_close(g, w, rtol=rtol, atol=atol, what=f"{what}[{i}]")
    elif want is None or isinstance(want, (str, bytes)):
        assert_equal(got, want, what=what)
    else:
        _assert_arrays_close(got, want, rtol, atol, what)


def assert_equal(got: Any, want: Any, *, what: str = "value") -> None:
    """Compare two plain values exactly; True is not 1, and "a" is not b"a"."""
    refuse_object(got, what, f"a {type(want).__name__}")
    if isinstance(want, (tuple, list)):
        _require_sequence(got, want, what)
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            assert_equal(g, w, what=f"{what}[{i}]")
        return
    if _is_array(want) or (_is_array(got) and not isinstance(want, (str, bytes, type(None)))):
        _assert_arrays_close(got, want, 0.0, 0.0, what)
        return
    if isinstance(got, bool) != isinstance(want, bool) or type(got) is not type(want):
        numbers = (int, float, complex)
        if not (isinstance(got, numbers) and isinstance(want, numbers)) or (
            isinstance(got, bool) or isinstance(want, bool)
        ):
            raise CheckFailure(f"{what}: a {type(got).__name__}, expected a {type(want).__name__}")
    if got != want:
        raise CheckFailure(f"{what}: {_short(got)}, expected {_short(want)}")


def assert_shape(got: Any, shape: Sequence[int], *, what: str = "value") -> None:
    """Require an array of exactly this shape."""
    array = _as_array(got, what)
    if array.shape != tuple(shape):
        raise CheckFailure(f"{what}: shape {array.shape}, expected {tuple(shape)}")


def assert_dtype(got: Any, like: Any, *, what: str = "value") -> None:
    """Require the dtype of ``like``: an array, a tensor or a dtype's name."""
    wanted = like if isinstance(like, str) else dtype_name(like)
    refuse_object(got, what, "an array")
    if dtype_name(got) != wanted:
        raise CheckFailure(f"{what}: dtype {dtype_name(got)}, expected {wanted}")


def refuse_object(got: Any, what: str, expected: str) -> None:
    """Raise a failure if a value is a handle: an object is never mistaken for a value."""
    if isinstance(got, RemoteObject):
        if got.type_name == "ellipsis":
            raise CheckFailure(f"{what}: not answered yet")
        raise CheckFailure(f"{what}: an object of type {got.type_name}, expected {expected}")


def dtype_name(value: Any) -> str:
    """Return a dtype's common name (`float32`) for an array, a tensor or a Python number."""
    if hasattr(value, "dtype"):
        return str(value.dtype).removeprefix("torch.")
    return str(np.asarray(value).dtype)


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) or _is_tensor(value)


def _is_tensor(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach")


def _as_array(value: Any, what: str) -> NDArray[Any]:
    refuse_object(value, what, "an array")
    if _is_tensor(value):
        value = value.detach().cpu()
        if dtype_name(value) == "bfloat16":
            value = value.float()
        value = value.numpy()
    if value is None or isinstance(value, (str, bytes, dict)):
        raise CheckFailure(f"{what}: {_short(value)}, expected numbers")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        raise CheckFailure(f"{what}: a nest of unequal lengths, expected an array") from None
    if array.dtype.kind not in _NUMERIC:
        raise CheckFailure(f"{what}: {_short(value)}, expected numbers")
    return array


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
    default = default_tolerance(dtype_name(got), dtype_name(want))
    tolerance = Tolerance(
        default.rtol if rtol is None else rtol, default.atol if atol is None else atol
    )
    result = compare(g, w, tolerance)
    margins = _margins.get()
    if margins is not None:
        margins.append(result.margin)
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
        raise CheckFailure(f"{what}: keys {sorted(got)}, expected {sorted(want)}")


def _kind(value: Any) -> str:
    if _is_array(value):
        return f"an array of shape {tuple(value.shape)}"
    return "None" if value is None else f"a {type(value).__name__}"


def _number(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6g}"
    return str(value)


def _short(value: Any, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
