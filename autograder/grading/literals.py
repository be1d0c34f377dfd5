"""Literals: a call with its arguments as Python that a student can paste into the notebook.

Numbers are written so that they are read back as they were, and lie in memory as they lay where a
drawn case says how. What stays in a session has no literal, and what is long helps nobody.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.authoring.layouts import READ_ONLY, laid_out, layout_of

__all__ = ["Unshown", "call_text", "kept"]

MOST_LINES, MOST_CHARACTERS = 12, 1500  # of a call
FEWEST_CHARACTERS = 3  # of a number with the comma behind it
WIDTH, INDENT = 88, "    "
# The dtypes of arrays where nothing is said; the first is that of zeros.
USUAL: dict[str, tuple[str, ...]] = {
    "np": ("float64", "int64", "bool", "complex128"),
    "torch": ("float32", "int64", "bool", "complex64"),
}


class Unshown(Exception):
    """A value cannot be written as a literal, or is too long."""


def kept(value: Any, layouts: bool = False) -> Any:
    """Return a copy of a value that no later change to it reaches.

    It costs next to nothing: what is too long to be shown is not copied.

    Args:
        value: of a call.
        layouts: whether its arrays lie as they did; else they lie in rows.

    Raises:
        Unshown: it cannot be shown.
    """
    return _Copy(layouts).of(value)


class _Copy:
    """Copies values as long as there is room for the characters that they take."""

    def __init__(self, layouts: bool) -> None:
        self._room, self._layouts = MOST_CHARACTERS, layouts

    def of(self, value: Any) -> Any:
        """Return a copy."""
        if isinstance(value, (str, bytes)):
            self._take(len(value))
        elif value is None or isinstance(value, (bool, int, float, complex, np.generic)):
            self._take(1)
        elif isinstance(value, (list, tuple)):
            self._take(len(value))
            items = [self.of(item) for item in value]
            return tuple(items) if isinstance(value, tuple) else items
        elif isinstance(value, dict):
            self._take(len(value))
            return {key: self.of(item) for key, item in value.items()}
        elif isinstance(value, np.ndarray):
            self._take(FEWEST_CHARACTERS * value.size)
            rows = value.astype(value.dtype.newbyteorder("="), order="C", subok=False)
            return self._lying_like(value, rows)
        else:
            return self._tensor(value)
        return value

    def _tensor(self, value: Any) -> Any:
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(value, torch.Tensor) or value.layout != torch.strided:
            raise Unshown
        self._take(FEWEST_CHARACTERS * value.numel())
        rows = value.detach().clone(memory_format=torch.contiguous_format)
        return self._lying_like(value, rows).requires_grad_(value.requires_grad)

    def _lying_like(self, value: Any, rows: Any) -> Any:
        return laid_out(rows, layout_of(value)) if self._layouts else rows

    def _take(self, characters: int) -> None:
        self._room -= characters
        if self._room < 0:
            raise Unshown


def call_text(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return a call as Python, on one line if it is short.

    Args:
        name: of the function.
        args: that `kept` has returned.
        kwargs: the same.

    Raises:
        Unshown: an argument cannot be written, or all are too long together.
    """
    if not all(word.isidentifier() for word in (name, *kwargs)):
        raise Unshown
    written = [_pieces(value) for value in args]
    written += [_around(f"{key}=", [_pieces(value)], "") for key, value in kwargs.items()]
    text = f"{name}({', '.join(', '.join(pieces) for pieces in written)})"
    if len(text) > WIDTH:
        lines = [line for pieces in written for line in _filled(pieces)]
        text = "\n".join([f"{name}(", *lines, ")"])
    if len(text) > MOST_CHARACTERS or text.count("\n") >= MOST_LINES:
        raise Unshown
    return text


def _filled(pieces: Sequence[str]) -> list[str]:
    """Return an argument as lines, each filled with as many of its pieces as there is room for."""
    lines = [INDENT + pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(piece) + 3 <= WIDTH:
            lines[-1] += f", {piece}"
        else:
            lines[-1] += ","
            lines.append(2 * INDENT + piece)
    return [*lines[:-1], f"{lines[-1]},"]


def _around(begin: str, parts: Sequence[Sequence[str]], end: str) -> list[str]:
    """Return the pieces of some parts, with what stands before the first and behind the last."""
    pieces = [piece for part in parts for piece in part] or [""]
    pieces[0] = begin + pieces[0]
    pieces[-1] += end
    return pieces


def _pieces(value: Any) -> list[str]:
    """Return a literal in pieces that may stand on a line each, with a comma behind each."""
    if isinstance(value, (list, tuple)):
        parts = [_pieces(item) for item in value]
        if isinstance(value, list):
            return _around("[", parts, "]")
        return _around("(", parts, ",)" if len(value) == 1 else ")")
    if isinstance(value, dict):
        items = [_around(f"{_plain(key)}: ", [_pieces(item)], "") for key, item in value.items()]
        return _around("{", items, "}")
    if isinstance(value, np.ndarray):
        return _lying(value, _array("np", "array", value, value.dtype.name, []))
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return [_plain(value)]
    if isinstance(value, np.generic):
        kind = "bool_" if value.dtype.kind == "b" else value.dtype.name
        return [f"np.{kind}({_number(value)})"]
    return _tensor(value)


def _tensor(value: Any) -> list[str]:
    torch = sys.modules["torch"]
    dtype = str(value.dtype).removeprefix("torch.")
    more = ['device="cuda"'] if value.is_cuda else []
    layout = layout_of(value)
    more += ["requires_grad=True"] if value.requires_grad and not layout else []
    plain = value.detach().cpu()
    plain = plain.float() if value.dtype == torch.bfloat16 else plain
    pieces = _lying(value, _array("torch", "tensor", plain.numpy(), dtype, more))
    return _around("", [pieces], ".requires_grad_()" if value.requires_grad and layout else "")


def _lying(value: Any, pieces: Sequence[str]) -> list[str]:
    """Return an array or a tensor that lies in memory as a value does, from one in rows."""
    match layout_of(value), isinstance(value, np.ndarray):
        case "columns", True:
            return _around("np.asfortranarray(", [pieces], ")")
        case "columns", False:
            axes = ", ".join(map(str, reversed(range(value.ndim))))
            return _around("", [pieces], f".permute({axes}).contiguous().permute({axes})")
        case "strided", True:
            return _around("np.repeat(", [pieces], ", 2, axis=-1)[..., ::2]")
        case "strided", False:
            return _around("", [pieces], ".repeat_interleave(2, dim=-1)[..., ::2]")
        case layout, _ if layout == READ_ONLY:
            return _around("np.broadcast_to(", [pieces], f", {value.shape})")
    return list(pieces)


def _array(module: str, maker: str, array: Any, dtype: str, more: Sequence[str]) -> list[str]:
    """Return an array of numbers, whose ``dtype`` stands there if it is not the usual one."""
    if array.dtype.kind not in "biufc":
        raise Unshown
    if array.size:
        usual, values = USUAL[module], _nested(array)
    else:  # brackets alone say neither its shape nor its type
        usual, maker, values = USUAL[module][:1], "zeros", [repr(array.shape)]
    said = [] if dtype in usual else [f"dtype={module}.{dtype}"]
    if not array.dtype.isnative:
        said = [f'dtype="{array.dtype.str}"']
    return _around(f"{module}.{maker}(", [values, said, more], ")")


def _nested(array: Any) -> list[str]:
    if array.ndim == 0:
        return [_number(array[()])]
    rows = [_nested(row) for row in array]
    if array.ndim > 1:  # a row stands on one line if it can
        rows = [whole if len((whole := [", ".join(row)])[0]) < WIDTH - 12 else row for row in rows]
    return _around("[", rows, "]")


def _number(value: Any) -> str:
    """Return a number of an array in the fewest digits from which its own type reads it back."""
    short = value.dtype.name not in ("float64", "complex128") and np.isfinite(value)
    return str(value) if short else _plain(value.item())


def _plain(value: Any) -> str:
    if isinstance(value, complex) and not (math.isfinite(value.real) and math.isfinite(value.imag)):
        return f"complex({_plain(value.real)}, {_plain(value.imag)})"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{float(value)}")'
    for kind in (bool, int, float, complex, str, bytes):  # a class of anybody's writes nothing here
        if isinstance(value, kind):
            try:
                return kind.__repr__(value)
            except ValueError:  # more digits than Python writes
                raise Unshown from None
    return repr(None)
