"""numpy's polynomials as plain data: of each of them its numbers, and no method of theirs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["polynomial_as_data", "polynomial_of_data", "put_into_polynomial"]

Inner = Callable[[Any], Any]
KINDS: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (
        *(np.polynomial.Polynomial, np.polynomial.Chebyshev, np.polynomial.Legendre),
        *(np.polynomial.Hermite, np.polynomial.HermiteE, np.polynomial.Laguerre, np.poly1d),
    )
}
_ARRAYS = frozenset(("coef", "domain", "window", "coeffs"))
_NAMES = frozenset(("_symbol", "_variable"))  # of the variable, as it is printed
_DTYPES = frozenset(
    map(np.dtype, ("int32", "int64", "float32", "float64", "complex64", "complex128"))
)


def polynomial_as_data(value: Any, inner: Inner) -> dict[str, Any] | None:
    """Return a polynomial as plain data; None for any other value.

    One with attributes beside numpy's own, or with numbers of no usual type, is none either.

    Args:
        value: any object.
        inner: returns what is in it as plain data.
    """
    kind = type(value)
    if KINDS.get(kind.__name__) is not kind:
        return None
    parts = vars(value)
    is_plain = all(
        (name in _ARRAYS and _is_of_numbers(part)) or (name in _NAMES and type(part) is str)
        for name, part in parts.items()
    )
    if not is_plain:
        return None
    return {"$polynomial": [kind.__name__, [[name, inner(part)] for name, part in parts.items()]]}


def polynomial_of_data(said: Any, inner: Inner) -> Any:
    """Return the polynomial of plain data; raises what its parts make constructors raise."""
    kind = KINDS[said[0]]
    parts = {str(name): inner(part) for name, part in said[1]}
    numbers = {name: part for name, part in parts.items() if name in _ARRAYS}
    if not all(map(_is_of_numbers, numbers.values())):
        raise ValueError("no numbers")
    if kind is np.poly1d:
        made = kind(numbers["coeffs"], variable=str(parts["_variable"]))
    else:
        coef, domain, window = (numbers.get(name) for name in ("coef", "domain", "window"))
        made = kind(coef, domain, window, symbol=str(parts["_symbol"]))
    vars(made).update(numbers)  # constructors take zeros away, and turn whole numbers into others
    return made


def put_into_polynomial(old: Any, new: Any) -> bool:
    """Make a polynomial what another one of its kind is; return whether both are."""
    if type(old) is not type(new) or type(old) not in KINDS.values():
        return False
    vars(old).update(vars(new))
    return True


def _is_of_numbers(part: Any) -> bool:
    return type(part) is np.ndarray and part.ndim == 1 and part.size > 0 and part.dtype in _DTYPES
