"""Words for values: what messages call them, in bounds of length and time whatever they hold."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from autograder.authoring.arrays import is_array
from autograder.authoring.subject import Proxy

__all__ = ["a", "kind", "numbers", "short"]

SHOWN = 80  # characters of a value
PRINTED = 100  # numbers of an array that numpy or torch may print
LONG = 256  # bits of an integer beyond which its digits say nothing to anybody
DIGITS = range(6, 18)  # of a number; 17 tell any two floats apart
_NAMES = {
    "NoneType": "None",
    "str": "a text",
    "bool": "a truth value",
    "int": "a whole number",
    "float": "a number",
    "complex": "a complex number",
    "bytes": "bytes",
    "ndarray": "an array",
    "ellipsis": "nothing yet",
}


def a(type_name: str) -> str:
    """Return what people call a value of a type: `a text`, `a list`, `an Optimizer`."""
    if type_name in _NAMES:
        return _NAMES[type_name]
    return f"{'an' if type_name[:1] in 'AEIOUaeiou' else 'a'} {type_name}"


def kind(value: Any) -> str:
    """Return what people call a value; an array tells its shape."""
    if is_array(value):
        shape = tuple(value.shape)
        return f"an array of shape {shape}" if shape else "a number"
    return a(type(value).__name__)


def short(value: Any) -> str:
    """Return a value as Python writes it, up to a length; what lies behind it is not looked at."""
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > SHOWN:
            return text[: SHOWN - 1] + "…"
    return text


def numbers(got: Any, want: Any) -> tuple[str, str]:
    """Return two numbers with six digits, or with as many as they need to look different."""
    for digits in DIGITS:
        texts = _number(got, digits), _number(want, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _number(value: Any, digits: int) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.{digits}g}"
    return short(value)


def _pieces(value: Any) -> Iterator[str]:
    """Give the parts of a value's text one after another: who has enough of them stops."""
    if isinstance(value, (str, bytes)):
        yield repr(value[: 2 * SHOWN])
    elif type(value) is int and value.bit_length() > LONG:
        yield f"an integer of {value.bit_length()} bits"
    elif is_array(value):
        yield _array(value)
    elif isinstance(value, dict):
        yield "{"
        yield from _joined([short(k), ": ", v] for k, v in value.items())
        yield "}"
    elif isinstance(value, (list, tuple)):
        yield "[" if isinstance(value, list) else "("
        yield from _joined(["", "", item] for item in value)
        yield "]" if isinstance(value, list) else ",)" if len(value) == 1 else ")"
    elif isinstance(value, (Proxy, int, float, complex)) or value is None:
        yield repr(value)
    else:
        yield a(type(value).__name__)


def _joined(items: Iterable[list[Any]]) -> Iterator[str]:
    for number, (name, between, value) in enumerate(items):
        yield f"{', ' if number else ''}{name}{between}"
        yield from _pieces(value)


def _array(value: Any) -> str:
    shape = tuple(value.shape)
    if math.prod(shape) > PRINTED:
        return kind(value)
    return " ".join(repr(value if shape else value.item()).split())
