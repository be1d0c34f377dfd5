"""Quantities: numbers that a student types, in any usual form, with or without a unit."""

import math
import re
from typing import Any

import numpy as np

from autograder.authoring.arrays import is_array, to_numpy
from autograder.authoring.assertions import assert_close, refuse_object
from autograder.authoring.kinds import Kind, note_kind
from autograder.authoring.phrases import kind, short
from autograder.errors import CheckFailure

__all__ = ["assert_quantity", "parse_quantity"]

LONGEST = 100  # characters of a number with its unit
LARGEST_POWER = 400  # of ten; a float holds 308
_DIGITS = r"(?:\d+(?:_\d+)*\.?\d*|\.\d+)"
_NUMBER = rf"[+-]?\s*{_DIGITS}(?:e[+-]?\d{{1,3}})?"
_POWER = r"(?:\s*(?:\*|x|·|×)?\s*10\s*(?:\^|\*\*)\s*(?P<power>[({]?[+-]?\d{1,3}[)}]?))"
_FORM = re.compile(
    rf"(?P<number>{_NUMBER})(?:\s*/\s*(?P<under>{_NUMBER}))?{_POWER}?\s*(?P<unit>[^\d\s].*)?",
    re.IGNORECASE,
)
_PLAIN = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{GREEK SMALL LETTER MU}": "\N{MICRO SIGN}",
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "\N{THIN SPACE}": " ",
    }
)
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_LOWERED = str.maketrans(_RAISED, "0123456789-")
_RAISED_POWER = re.compile(f"10([{_RAISED}]{{1,4}})")
_TEX = re.compile(r"\\(?:cdot|times)\b")
_LONE_POWER = re.compile(r"([+-]?)(10\s*(?:\^|\*\*))")
_PREFIXES = {
    "f": 1e-15,
    "p": 1e-12,
    "n": 1e-9,
    "\N{MICRO SIGN}": 1e-6,
    "u": 1e-6,
    "m": 1e-3,
    "c": 1e-2,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}
# Units that prefixes may stand before, and others, as multiples of those.
_WITH_PREFIX = (
    "s",
    "B",
    "bit",
    "FLOP/s",
    "FLOPS",
    "FLOPs",
    "FLOP",
    "Hz",
    "m",
    "g",
    "W",
    "J",
    "V",
    "A",
    "px",
)
_OTHERS = {
    "%": ("", 0.01),
    "min": ("s", 60.0),
    "h": ("s", 3600.0),
    "day": ("s", 86400.0),
    "days": ("s", 86400.0),
    "sec": ("s", 1.0),
    "second": ("s", 1.0),
    "seconds": ("s", 1.0),
    "byte": ("B", 1.0),
    "bytes": ("B", 1.0),
    "bits": ("bit", 1.0),
    "FLOPs": ("FLOP", 1.0),
    "FLOPS": ("FLOP/s", 1.0),
}


def assert_quantity(
    got: Any,
    want: float | str,
    *,
    unit: str = "",
    decimals: int | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    what: str = "answer",
) -> None:
    """Compare a number that a student typed, in any form that says it.

    ``0.25``, ``"1/4"``, ``"2.5e-1"``, ``"2.5 * 10^-1"`` and ``"25 %"`` are one number; ``"3 ms"``
    and ``"0.003 s"`` are one time. A number without a unit counts as one in ``unit``.

    Args:
        got: the student's answer: a number, or a text.
        want: the right number in ``unit``, or a text with its unit.
        unit: what the prompt asks for: ``"ms"``, ``"MB"``, ``"%"``, a unit of your own such as
            ``"images"``; empty for a plain number.
        decimals: to how many decimal places, in ``unit``, the prompt asks for: then every number
            that is rounded or cut there counts, and any that is more exact.
        rtol: relative tolerance, where there are no ``decimals``; 1e-6 where nothing is said.
        atol: absolute tolerance, in ``unit``; likewise, and 0.
        what: what the answer is called in the message.

    Raises:
        CheckFailure: it is another number, in another unit, or none.
    """
    if decimals is not None and (rtol is not None or atol is not None):
        raise ValueError(f"{what}: decimals= must stand alone; remove rtol= and atol=")
    right = parse_quantity(want, unit)
    if isinstance(right, str):
        raise ValueError(f"{what}: the right number {right}")
    note_kind(Kind.QUANTITY, unit)
    found = _plain_number(got, what, unit)
    if isinstance(found, str):
        found = parse_quantity(found, unit)
    if isinstance(found, str):
        raise CheckFailure(found, what)
    if decimals is not None:
        # Half a place off is what rounding leaves; a whole one is what cutting does.
        rtol, atol = 0.0, 10.0**-decimals * (0.5 if _is_more_exact(found, decimals) else 1.0)
        atol *= 1 + 1e-9
    elif rtol is None and atol is None:
        rtol = 1e-6
    assert_close(found, right, rtol=rtol or 0.0, atol=atol or 0.0, what=what)


def parse_quantity(value: float | str, unit: str = "") -> float | str:
    """Return a quantity as a number in a unit, or in words why it is none.

    Args:
        value: a number, which is in the unit, or a text.
        unit: the unit.
    """
    if not isinstance(value, str):
        return float(value)
    if len(value) > LONGEST:
        return f"must be a number, got a text of {len(value)} characters"
    text = value.translate(_PLAIN).strip().strip("$").strip()
    text = _TEX.sub("*", text)
    text = _RAISED_POWER.sub(lambda found: f"10^{found[1].translate(_LOWERED)}", text)
    if lone := _LONE_POWER.match(text):
        text = f"{lone[1]}1*{text[lone.start(2) :]}"
    if "," in text:
        return f"must have a point before its decimals and no comma, got {short(value)}"
    form = _FORM.fullmatch(text)
    if form is None:
        return f"must be a number{f' in {unit}' if unit else ''}, got {short(value)}"
    number = _number(form["number"])
    if form["under"] is not None:
        under = _number(form["under"])
        if under == 0.0:
            return f"must be a number, got {short(value)}"
        number /= under
    if form["power"] is not None:
        number *= 10.0 ** int(form["power"].strip("(){}"))
    if form["unit"] is None:
        return _finite(number, value)
    factor = _factor(form["unit"].strip(), unit)
    if factor is None:
        wanted = f"be in {unit}" if unit else "have no unit"
        return f"must {wanted}, got {short(value)}"
    return _finite(number * factor, value)


def _finite(number: float, value: str) -> float | str:
    return number if math.isfinite(number) else f"must be a finite number, got {short(value)}"


def _number(text: str) -> float:
    return float(text.replace(" ", ""))


def _factor(given: str, wanted: str) -> float | None:
    """Return by what a number in one unit is multiplied to be in another; None if they differ."""
    if given == wanted:
        return 1.0
    (base, size), (wanted_base, wanted_size) = _resolved(given), _resolved(wanted)
    return size / wanted_size if base == wanted_base else None


def _resolved(unit: str) -> tuple[str, float]:
    """Return a unit as a multiple of one without a prefix."""
    if unit in _OTHERS:
        return _OTHERS[unit]
    for base in _WITH_PREFIX:
        prefix = unit.removesuffix(base)
        if unit.endswith(base) and (not prefix or prefix in _PREFIXES):
            root, size = _OTHERS.get(base, (base, 1.0))
            return root, size * _PREFIXES.get(prefix, 1.0)
    return unit.casefold(), 1.0


def _plain_number(got: Any, what: str, unit: str) -> float | str:
    """Return a number or a text; a truth value, an array of several and a complex number fail."""
    expected = f"a number{f' in {unit}' if unit else ''}"
    refuse_object(got, what, expected)
    if is_array(got) and tuple(got.shape) in ((), (1,)):
        got = to_numpy(got).reshape(())[()]
    if isinstance(got, (bool, np.bool_)) or not isinstance(
        got, (str, int, float, np.integer, np.floating)
    ):
        raise CheckFailure(f"must be {expected}, got {kind(got)}", what)
    if isinstance(got, str):
        return got
    if isinstance(got, int) and abs(got) > 10**LARGEST_POWER:
        raise CheckFailure(f"must be {expected}, got {short(got)}", what)
    try:
        return float(got)
    except OverflowError:
        raise CheckFailure(f"must be {expected}, got {short(got)}", what) from None


def _is_more_exact(number: float, decimals: int) -> bool:
    """Return whether a number has more decimals than are asked for."""
    return abs(number - round(number, decimals)) > 1e-9 * max(1.0, abs(number))
