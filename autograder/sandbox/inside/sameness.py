"""Sameness: whether what a session sends back is what it was sent, without making values of it."""

import math
from typing import Any

import numpy as np

from autograder.sandbox.protocol.packed import Array, Complex, Items, Mapping, Packed, Reference

__all__ = ["same"]

SMALL = 1 << 14  # bytes of an array that are faster copied than looked at


def same(one: Packed, other: Packed, bodies: list[Any], others: list[Any]) -> bool:
    """Return whether two packed forms are of the same value, bit by bit; every NaN is one here.

    Args:
        one: ours; what is compared is no deeper and no larger than it.
        other: as received.
        bodies: of the message of ``one``.
        others: of the message of ``other``, which keeps them.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, Array) and isinstance(other, Array):
        if (one.kind, one.dtype, one.shape) != (other.kind, other.dtype, other.shape):
            return False
        there = others[other.body] if 0 <= other.body < len(others) else None
        return there is not None and _same_bytes(bodies[one.body], there)
    if isinstance(one, Items) and isinstance(other, Items):
        if one.frozen != other.frozen or len(one.items) != len(other.items):
            return False
        pairs = zip(one.items, other.items, strict=True)
        return all(same(a, b, bodies, others) for a, b in pairs)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if list(one.items) != list(other.items):
            return False
        return all(same(v, other.items[k], bodies, others) for k, v in one.items.items())
    if isinstance(one, Complex) and isinstance(other, Complex):
        return _same_float(one.real, other.real) and _same_float(one.imag, other.imag)
    if isinstance(one, Reference) and isinstance(other, Reference):
        return one.number == other.number
    if isinstance(one, float) and isinstance(other, float):
        return _same_float(one, other)
    return bool(one == other)


def _same_float(one: float, other: float) -> bool:
    if math.isnan(one):
        return math.isnan(other)
    return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)


def _same_bytes(one: Any, other: Any) -> bool:
    if len(one) != len(other):
        return False
    if len(one) <= SMALL:
        return bytes(one) == bytes(other)
    return np.array_equal(np.frombuffer(one, np.uint8), np.frombuffer(other, np.uint8))
