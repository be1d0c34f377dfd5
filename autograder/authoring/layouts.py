"""Layouts: how an array lies in memory, which its values do not tell.

Arrays travel as plain rows of numbers. Those of a drawn case also lie where they arrive as they lay
where they were drawn: strided, by columns, read-only or in the other byte order.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np

__all__ = [
    "LAYOUTS",
    "READ_ONLY",
    "are_kept",
    "has_layout",
    "keeping_layouts",
    "laid_out",
    "layout_of",
]

READ_ONLY = "read-only"
_keeping: ContextVar[bool] = ContextVar("keeping", default=False)


@contextmanager
def keeping_layouts(keep: bool) -> Iterator[None]:
    """Inside the block, arrays that are sent to a session arrive as they lie here, or in rows."""
    token = _keeping.set(keep)
    try:
        yield
    finally:
        _keeping.reset(token)


def are_kept() -> bool:
    """Return whether arrays are to arrive as they lie here."""
    return _keeping.get()


def laid_out(array: Any, layout: str) -> Any:
    """Return an array or a tensor with the same values in another layout; "" is that of rows.

    A number and a layout that a tensor cannot have stay as they are.
    """
    if layout and layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
    if not layout or array.ndim == 0:
        return array
    return LAYOUTS[layout](array)


def layout_of(array: Any) -> str:
    """Return the layout of an array or a tensor; "" is that of rows."""
    if not isinstance(array, np.ndarray):
        if array.is_contiguous():
            return ""
        return "columns" if _reversed(array).is_contiguous() else "strided"
    if not array.dtype.isnative:
        return "byte order"
    if not array.flags.writeable:
        return READ_ONLY
    if array.flags.c_contiguous:
        return ""
    return "columns" if array.flags.f_contiguous else "strided"


@cache
def has_layout(layout: str, shape: tuple[int, ...], dtype: str) -> bool:
    """Return whether an array of a shape and a dtype can lie so, and otherwise than in rows."""
    if not layout:
        return True
    return 0 not in shape and layout_of(laid_out(np.zeros(shape, dtype), layout)) == layout


def _strided(array: Any) -> Any:
    """Put another number behind each, along the last axis."""
    if isinstance(array, np.ndarray):
        wide = np.repeat(array, 2, axis=-1)
        wide[..., 1::2] = 1
        return wide[..., ::2]
    wide = array.repeat_interleave(2, dim=-1)
    wide[..., 1::2] = 1
    return wide[..., ::2]


def _columns(array: Any) -> Any:
    if isinstance(array, np.ndarray):
        return np.asfortranarray(array)
    return _reversed(_reversed(array).contiguous())


def _reversed(tensor: Any) -> Any:
    return tensor.permute(*reversed(range(tensor.ndim)))


def _read_only(array: Any) -> Any:
    if isinstance(array, np.ndarray):
        array = array.copy()
        array.flags.writeable = False
    return array


def _swapped(array: Any) -> Any:
    if isinstance(array, np.ndarray):
        return array.astype(array.dtype.newbyteorder(">" if sys.byteorder == "little" else "<"))
    return array


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "strided": _strided,
    "columns": _columns,
    READ_ONLY: _read_only,
    "byte order": _swapped,
}
