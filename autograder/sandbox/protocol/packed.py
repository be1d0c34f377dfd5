"""The packed forms of values, as msgspec sends and checks them; arrays lie in bodies beside."""

from typing import Union

import msgspec

__all__ = [
    "Array",
    "Binary",
    "Complex",
    "Integer",
    "Items",
    "Mapping",
    "Packed",
    "Reference",
]


class Complex(msgspec.Struct, tag="complex", forbid_unknown_fields=True):
    """A complex number."""

    real: float
    imag: float


class Integer(msgspec.Struct, tag="integer", forbid_unknown_fields=True):
    """An integer beyond 64 bits, in hexadecimal."""

    digits: str


class Binary(msgspec.Struct, tag="binary", forbid_unknown_fields=True):
    """Raw bytes: a text and bytes may not stand in one union."""

    data: bytes


class Items(msgspec.Struct, tag="items", forbid_unknown_fields=True):
    """A list or a tuple."""

    items: list["Packed"]
    frozen: bool


class Mapping(msgspec.Struct, tag="mapping", forbid_unknown_fields=True):
    """A dict with string keys."""

    items: dict[str, "Packed"]


class Array(msgspec.Struct, tag="array", forbid_unknown_fields=True):
    """An array or a tensor; its bytes are the body of this number.

    ``kind`` is ``numpy``, ``scalar`` (a numpy scalar), ``torch`` or ``parameter`` (a tensor that
    requires a gradient). ``layout`` says how it lies in memory where a session gets it, if that is
    not in rows; the grader gets rows whatever a session says.
    """

    kind: str
    dtype: str
    shape: tuple[int, ...]
    body: int
    layout: str = ""


class Reference(msgspec.Struct, tag="reference", forbid_unknown_fields=True):
    """An object that stays in the session, by the session's own number."""

    number: int
    type_name: str


Packed = Union[  # noqa: UP007 - a recursive alias needs its names in quotes
    None, bool, int, float, str, Binary, Complex, Integer, Items, Mapping, Array, Reference
]
