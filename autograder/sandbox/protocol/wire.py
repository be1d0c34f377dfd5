"""The wire: values as they travel between the grader and a session; verdicts never do.

A packed value is plain data (see `autograder.sandbox.protocol.packed`), and beside it raw
little-endian bodies, one for each array. Values that may cross are None, bool, int, float, complex,
str, bytes, list, tuple, dict with string keys, numpy arrays and torch tensors; anything else
becomes a `RemoteId`. Nothing received is ever run.
"""

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import asarray, ascontiguousarray, frombuffer  # a notebook may rename them in np

from autograder.authoring.layouts import LAYOUTS, laid_out, layout_of
from autograder.authoring.subject import Proxy, RemoteId
from autograder.errors import WireError
from autograder.sandbox.protocol.packed import (
    Array,
    Binary,
    Complex,
    Integer,
    Items,
    Mapping,
    Packed,
    Reference,
)

__all__ = [
    "MAX_ITEMS",
    "Packer",
    "plain_text",
    "require_plain",
    "unpack",
]

MAX_DEPTH, MAX_DIMENSIONS = 32, 8
MAX_ITEMS = 100_000
_WHOLE = (str, int, float, type(None))  # packed as they are
_AS_IT_IS = frozenset({*_WHOLE, bool})  # their types: most of what a long list holds
MAX_INTEGER_BITS = 1 << 16
MAX_WORD = 100  # of what was received, as an error quotes it
DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in (
        *("bool", "complex64", "complex128", "float16", "float32", "float64"),
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    )
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}  # a dtype is slow to tell its own
_KINDS = ("numpy", "scalar", "torch", "parameter")
_REAL, _IMAGINARY = complex.real.__get__, complex.imag.__get__
_SMALL = 1 << 14  # bytes of an array that are faster copied than looked at


class Packer:
    """Turns values into their packed form and collects the bodies of arrays.

    Args:
        keep: called with a value that may not cross; returns the proxy that stands for it.
        layouts: whether arrays are to arrive as they lie here.
    """

    def __init__(self, keep: Callable[[object], RemoteId], layouts: bool = False) -> None:
        self.bodies: list[Any] = []
        self._keep, self._items, self._layouts = keep, 0, layouts

    def pack(self, value: Any, depth: int = 0) -> Packed:
        """Return the packed form of a value.

        Raises:
            WireError: the value is nested too deeply or has too many items.
        """
        self._items += 1
        if depth > MAX_DEPTH:
            raise WireError(f"a value nested deeper than {MAX_DEPTH}")
        if self._items > MAX_ITEMS:
            raise WireError(f"a value of more than {MAX_ITEMS} items; an array holds any number")
        if type(value) is np.ndarray:
            return self._pack_array(value)
        if value is None or type(value) in (bool, float):
            return value  # type: ignore[no-any-return]  # the line above narrows it
        if type(value) is str:
            return plain_text(value)
        if type(value) is bytes:
            return Binary(value)
        if type(value) is int:
            return _packed_integer(value)
        if type(value) is complex:
            return Complex(value.real, value.imag)
        if isinstance(value, list):
            return Items([self.pack(item, depth + 1) for item in list.__iter__(value)], False)
        if isinstance(value, tuple):
            return Items([self.pack(item, depth + 1) for item in tuple.__iter__(value)], True)
        if isinstance(value, dict):
            pairs = list(dict.items(value))
            if all(isinstance(key, str) for key, _ in pairs):
                return Mapping({_packed_text(k): self.pack(v, depth + 1) for k, v in pairs})
        plain = _without_its_class(value)
        return self._pack_array(value) if plain is None else self.pack(plain, depth)

    def _pack_array(self, value: Any) -> Packed:
        if isinstance(value, (np.ndarray, np.generic)):
            kind = "numpy" if isinstance(value, np.ndarray) else "scalar"
            array = asarray(value)
            little = array.dtype if array.dtype.isnative else array.dtype.newbyteorder("=")
            if little in _NAMES and array.ndim <= MAX_DIMENSIONS:
                return self._add(kind, _NAMES[little], array, self._layout_of(array))
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            kind = "parameter" if value.requires_grad else "torch"
            dtype = str(value.dtype).removeprefix("torch.")
            if value.layout == torch.strided and value.ndim <= MAX_DIMENSIONS:
                layout = self._layout_of(value)
                plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
                if dtype == "bfloat16":
                    return self._add(kind, dtype, plain.view(torch.int16).numpy(), layout)
                if dtype in DTYPES:
                    return self._add(kind, dtype, plain.numpy(), layout)
        remote = value.remote if isinstance(value, Proxy) else self._keep(value)
        return Reference(remote.number, remote.type_name)

    def _layout_of(self, value: Any) -> str:
        return layout_of(value) if self._layouts else ""

    def _add(self, kind: str, dtype: str, array: Any, layout: str) -> Array:
        little = DTYPES.get(dtype, DTYPES["int16"])  # a bfloat16 is two bytes
        if array.dtype != little:
            array = array.astype(little)
        if array.nbytes <= _SMALL:
            body = array.tobytes()
        else:
            body = ascontiguousarray(array).reshape(-1).view(np.uint8).data
        self.bodies.append(body)
        return Array(kind, dtype, array.shape, len(self.bodies) - 1, layout)


def unpack(
    packed: Packed,
    bodies: list[Any],
    resolve: Callable[[Reference], Any],
    depth: int = 0,
    layouts: bool = False,
) -> Any:
    """Return the value of a packed form; arrays are nobody else's, and writable but for a layout.

    Args:
        packed: as received.
        bodies: the bodies of its message; an array takes its own out of the list and keeps it.
        resolve: called with a reference; returns the object or proxy that it stands for.
        depth: of the nest that it is in.
        layouts: whether arrays lie as they did where they come from; else they lie in rows.

    Raises:
        WireError: an array is not what its header says.
    """
    if depth > MAX_DEPTH:
        raise WireError(f"a value nested deeper than {MAX_DEPTH}")
    if type(packed) in _AS_IT_IS:
        return packed
    if isinstance(packed, Array):
        array = _unpacked_array(packed, bodies)
        return _laid_out(array, packed) if layouts and packed.layout else array
    if isinstance(packed, Items):
        values = [unpack(item, bodies, resolve, depth + 1, layouts) for item in packed.items]
        return tuple(values) if packed.frozen else values
    if isinstance(packed, Mapping):
        items = packed.items.items()
        return {key: unpack(item, bodies, resolve, depth + 1, layouts) for key, item in items}
    if isinstance(packed, Complex):
        return complex(packed.real, packed.imag)
    if isinstance(packed, Binary):
        return packed.data
    if isinstance(packed, Integer):
        return _unpacked_integer(packed)
    return resolve(packed) if isinstance(packed, Reference) else packed


def require_plain(packed: Packed, bodies: list[Any]) -> None:
    """Check a packed form that is sent on as it is: it can be unpacked, and holds no object.

    No value is made of it, so that nothing has to be imported for that.

    Args:
        packed: as received.
        bodies: the bodies of its message, which stay there.

    Raises:
        WireError: it holds an object, or asks for a layout of the receiver's, or `unpack` or
            `Packer` would refuse it.
    """
    left, items = list(bodies), 0
    nest: list[tuple[Packed, int]] = [(packed, 0)]
    while nest:
        one, depth = nest.pop()
        items += 1
        if depth > MAX_DEPTH:
            raise WireError(f"a value nested deeper than {MAX_DEPTH}")
        if items > MAX_ITEMS:
            raise WireError(f"a value of more than {MAX_ITEMS} items; an array holds any number")
        if isinstance(one, _WHOLE):
            continue
        if isinstance(one, Array):
            if one.layout:
                raise WireError("an array that asks for a layout")
            _plain_array(one, left)
        elif isinstance(one, Items):
            nest += [(item, depth + 1) for item in one.items]
        elif isinstance(one, Mapping):
            nest += [(item, depth + 1) for item in one.items.values()]
        elif isinstance(one, Integer):
            _packed_integer(_unpacked_integer(one))
        elif isinstance(one, Reference):
            raise WireError(f"an object of type {one.type_name[:MAX_WORD]}")


def _unpacked_array(packed: Array, bodies: list[Any]) -> Any:
    array = _plain_array(packed, bodies)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if packed.kind in ("numpy", "scalar"):
        return array[()] if packed.kind == "scalar" and array.ndim == 0 else array
    return _tensor(array, _is_wide(packed), packed.kind == "parameter" and packed.dtype[0] in "fbc")


def _is_wide(packed: Array) -> bool:
    """Return whether it is of numbers that numpy does not have."""
    return packed.dtype == "bfloat16" and packed.kind in ("torch", "parameter")


def _plain_array(packed: Array, bodies: list[Any]) -> Any:
    """Return an array or a tensor as an array of numpy's, and take its body out of the list."""
    if packed.kind not in _KINDS:
        raise WireError(f"an array of kind {packed.kind[:MAX_WORD]!r}")
    dtype = DTYPES.get("int16" if _is_wide(packed) else packed.dtype)
    if dtype is None:
        raise WireError(f"an array of dtype {packed.dtype[:MAX_WORD]!r}")
    if len(packed.shape) > MAX_DIMENSIONS:
        raise WireError(f"an array of {len(packed.shape)} dimensions")
    if any(n < 0 for n in packed.shape):
        raise WireError(f"an array of shape {packed.shape}")
    body = bodies[packed.body] if 0 <= packed.body < len(bodies) else None
    if body is None:  # or it is another array's: two must not share memory
        raise WireError(f"an array without its body {packed.body}")
    if len(body) != math.prod(packed.shape) * dtype.itemsize:
        raise WireError(f"an array of shape {packed.shape} in {len(body)} bytes")
    bodies[packed.body] = None
    try:
        array = frombuffer(body, dtype=dtype).reshape(packed.shape)
    except (ValueError, OverflowError):  # sizes that only numpy finds too large, beside a 0
        raise WireError(f"an array of shape {packed.shape}") from None
    if packed.dtype == "bool" and array.view(np.uint8).max(initial=0) > 1:
        raise WireError("an array of truth values that are neither")
    return array


def _laid_out(array: Any, packed: Array) -> Any:
    if packed.layout not in LAYOUTS or packed.kind == "scalar":
        raise WireError(f"an array of layout {packed.layout[:MAX_WORD]!r}")
    if packed.kind != "parameter":
        return laid_out(array, packed.layout)
    return laid_out(array.detach(), packed.layout).requires_grad_(array.requires_grad)


def _tensor(array: Any, bfloat16: bool, requires_grad: bool) -> Any:
    try:
        import torch  # only where a tensor came: a release may be without torch

        tensor = torch.from_numpy(array)
    except (ImportError, TypeError):  # or with one that is too old for this dtype
        raise WireError(f"a tensor of dtype {array.dtype}, and no torch that knows it") from None
    if bfloat16:
        tensor = tensor.view(torch.bfloat16)
    floating = tensor.is_floating_point() or tensor.is_complex()
    return tensor.requires_grad_() if requires_grad and floating else tensor


def _without_its_class(value: Any) -> Any:
    """Return the text, bytes or number that an instance of a subclass is; None if it is none.

    Taken by the base type's own methods: those of the subclass may say anything. A numpy number
    keeps its dtype, and is packed as it is.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes.__getitem__(value, slice(None))
    if isinstance(value, np.generic):
        return None
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, complex):
        return complex(_REAL(value), _IMAGINARY(value))
    return None


def _packed_text(value: str) -> str:
    return plain_text(str.__str__(value))


def plain_text(value: str) -> str:
    """Return a text that UTF-8 can hold: lone surrogates are replaced."""
    return value.encode("utf-8", "replace").decode()


def _packed_integer(value: int) -> Packed:
    if value.bit_length() < 64:
        return value
    if value.bit_length() > MAX_INTEGER_BITS:
        raise WireError(f"an integer of more than {MAX_INTEGER_BITS} bits")
    return Integer(hex(value))


def _unpacked_integer(packed: Integer) -> int:
    if len(packed.digits) > MAX_INTEGER_BITS // 4 + 4:
        raise WireError("an integer too long")
    try:
        return int(packed.digits, 16)
    except ValueError:
        raise WireError("an integer without digits") from None
