"""Choices: questions that are answered by one or several of some letters, words or numbers."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.authoring.assertions import refuse_object
from autograder.authoring.kinds import Kind, note_kind
from autograder.authoring.phrases import kind, short
from autograder.errors import CheckFailure, Unanswered

__all__ = ["assert_choice", "assert_choices", "assert_options", "parse_choices"]

Option = str | int | float
Options = str | Sequence[Option]
LONGEST = 400  # characters of an answer; nobody ticks more
_AROUND = " \t\r\n()[]{}.,;:'\"`*"
_SEPARATORS = re.compile(r"[,;\n]|\band\b", re.IGNORECASE), re.compile(r"[,;/&+\s]|\band\b", re.I)


def assert_choice(got: Any, want: Option, *, options: Options, what: str = "answer") -> None:
    """Require the right one of some options.

    Case, spaces and brackets make no difference: ``"b"``, ``"B "`` and ``"(B)"`` are B. A number
    may be given as a text.

    Args:
        got: the student's answer.
        want: the right one of the options.
        options: what the prompt offers: ``"ABCD"`` for letters, else a list of words or numbers.
        what: what the answer is called in the message.

    Raises:
        CheckFailure: the answer is another option, or none; the message says which can be given,
            and never which is right.
    """
    offered = _offered(options)
    (right,) = _right(want, offered)
    note_kind(Kind.CHOICE, tuple(offered.values()), False)
    ticked = _one(got, offered, what)
    if ticked != right:
        raise CheckFailure(f"{short(ticked)} is not right", what)


def assert_choices(
    got: Any,
    want: str | Sequence[Option],
    *,
    options: Options,
    share: float = 1.0,
    what: str = "answer",
) -> None:
    """Require a share of the right ones of some options, where several may be right.

    What counts is how many right options are ticked, minus how many wrong ones, over how many are
    right. Ticking everything, or at random, gains little, and ticking nothing gains nothing. With a
    case for each share a check gives partial credit::

        @check("all_that_apply", points=2)
        @case("half", share=0.5, hidden=True)
        @case("all", share=1.0, hidden=True)

    Args:
        got: the student's options: a list or a tuple of them, or a text such as ``"AC"``,
            ``"A, C"`` or ``"A and C"``; or a dict that has True or False for each option.
        want: the right options, at least one.
        options: what the prompt offers.
        share: how much of that must be reached, above 0; 1 accepts the right options only.
        what: what the answer is called in the message.

    Raises:
        CheckFailure: less is reached, or the answer has something that is no option.
    """
    offered = _offered(options)
    right = _right(want, offered)
    if not right:
        raise ValueError(f"{what}: at least one option must be right; offer 'none of them'")
    if not 0.0 < share <= 1.0:
        raise ValueError(f"{what}: share must be above 0 and at most 1, got {share!r}")
    note_kind(Kind.CHOICE, tuple(offered.values()), True)
    ticked = _several(got, offered, what)
    reached = (len(ticked & right) - len(ticked - right)) / len(right)
    if reached < share - 1e-9:
        raise CheckFailure(
            f"{len(ticked & right)} right and {len(ticked - right)} wrong of {len(ticked)} given, "
            f"which is less than {share:.0%} of what is right",
            what,
        )


def assert_options(
    got: Any, options: Options, *, several: bool = False, what: str = "answer"
) -> None:
    """Require an answer that could be right: its form, for a visible case without points.

    Args:
        got: the student's answer.
        options: what the prompt offers.
        several: whether more than one may be given.
        what: what the answer is called in the message.
    """
    offered = _offered(options)
    if several:
        _several(got, offered, what)
    else:
        _one(got, offered, what)


def parse_choices(got: Any, options: Options) -> frozenset[Option] | None:
    """Return which options an answer gives; None where it gives anything else."""
    try:
        return frozenset(_several(got, _offered(options), "answer"))
    except CheckFailure:
        return None


def _offered(options: Options) -> dict[str, Option]:
    """Return options by how they are compared."""
    offered = {_folded(option): option for option in options}
    if len(offered) < 2 or len(offered) != len(options):
        raise ValueError(f"options must be two different ones or more, got {options!r}")
    return offered


def _right(want: Any, offered: dict[str, Option]) -> set[Option]:
    """Return the right options; what is not offered is the author's slip."""
    given = [want] if isinstance(want, (str, int, float)) and _folded(want) in offered else want
    if isinstance(given, str):
        given = list(given.replace(" ", "").replace(",", ""))
    unknown = [one for one in given if _folded(one) not in offered]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of the options {list(offered.values())!r}")
    return {offered[_folded(one)] for one in given}


def _one(got: Any, offered: dict[str, Option], what: str) -> Option:
    refuse_object(got, what, _form(offered, several=False))
    found = offered.get(_folded(got)) if _is_plain(got) else None
    if found is None:
        raise _no_option(got, offered, what, several=False)
    return found


def _several(got: Any, offered: dict[str, Option], what: str) -> set[Option]:
    refuse_object(got, what, _form(offered, several=True))
    if isinstance(got, dict):
        return _ticks(got, offered, what)
    if isinstance(got, np.ndarray) and got.ndim == 1 and got.size <= LONGEST:
        got = got.tolist()
    if isinstance(got, str):
        got = _split(got, offered)
    elif _is_plain(got):
        got = [got]
    if not isinstance(got, (list, tuple)) or len(got) > LONGEST:
        raise _no_option(got, offered, what, several=True)
    ticked = set()
    for one in got:
        refuse_object(one, what, _form(offered, several=True))
        if not _is_plain(one) or _folded(one) not in offered:
            raise _no_option(one, offered, what, several=True)
        ticked.add(offered[_folded(one)])
    return ticked


def _split(text: str, offered: dict[str, Option]) -> list[str]:
    """Return the options in a text: it may be one itself, letters in a row, or a list in words."""
    if _folded(text) in offered:
        return [text]
    for separator in _SEPARATORS:  # words of several letters may have spaces in them
        parts = [part for part in separator.split(text[: LONGEST + 1]) if part.strip(_AROUND)]
        if all(_folded(part) in offered for part in parts):
            return parts
    if all(len(option) == 1 for option in offered) and len(parts) == 1:
        return list(parts[0].strip(_AROUND))
    return parts


def _ticks(got: dict[str, Any], offered: dict[str, Option], what: str) -> set[Option]:
    if {_folded(key) for key in got} != set(offered) or len(got) != len(offered):
        raise CheckFailure(f"keys {short(list(got))}, expected {_list(offered)}", what)
    for key, value in got.items():
        if not isinstance(value, (bool, np.bool_)):
            if getattr(value, "type_name", "") == "ellipsis":
                raise Unanswered(what)
            raise CheckFailure(f"{kind(value)} for {key}, expected True or False", what)
    return {offered[_folded(key)] for key, value in got.items() if value}


def _is_plain(value: Any) -> bool:
    """Return whether a value is a text or a number; a truth value is none."""
    if isinstance(value, str):
        return len(value) <= LONGEST
    number = isinstance(value, (int, float, np.integer, np.floating))
    return number and not isinstance(value, bool) and abs(value) < 1e15


def _folded(option: Any) -> str:
    """Return how an option is compared: without case, and as the same text for equal numbers."""
    if isinstance(option, str):
        text = option.strip(_AROUND).casefold()
        return _folded(float(text)) if re.fullmatch(r"[+-]?\d{1,15}(\.\d+)?", text) else text
    if not _is_plain(option):
        return repr(type(option))
    return f"{float(option):.12g}"


def _no_option(got: Any, offered: dict[str, Option], what: str, several: bool) -> CheckFailure:
    given = kind(got) if isinstance(got, bool) or not _is_plain(got) else short(got)
    return CheckFailure(f"must be {_form(offered, several)}, got {given}", what)


def _form(offered: dict[str, Option], several: bool) -> str:
    return f"{'some' if several else 'one'} of {_list(offered)}"


def _list(offered: dict[str, Option]) -> str:
    return ", ".join(str(option) for option in offered.values())
