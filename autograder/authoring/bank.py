"""The bank: wrong and unusual answers to one question, in a file beside the notebook.

`assignments/<name>/bank/<question>.py` holds plain functions under `mistake` and `alternative`.
What such a file calls is collected while it is read, see `collecting`; anywhere else the two do
nothing, so that a bank can be run and tried out like any module.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeVar

from autograder.errors import SourceError

__all__ = ["Bank", "Entry", "Variant", "alternative", "collecting", "mistake"]

T = TypeVar("T")


@dataclass(frozen=True)
class Variant:
    """A named answer to a question.

    Attributes:
        title: the misconception, or what is unusual.
        values: names of the notebook, and what they stand for.
        label: the title, with the names where another answer to the question has the same.
        costs: the price of a mistake, in points of its question; None if it has none.
    """

    title: str
    values: dict[str, Any]
    label: str = ""
    costs: float | None = None


@dataclass(frozen=True)
class Bank:
    """What is kept of one question.

    Attributes:
        mistakes: each must fail at least one check of the question.
        alternatives: each must pass all of them.
    """

    mistakes: tuple[Variant, ...] = ()
    alternatives: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A mistake or an alternative as it is written.

    Attributes:
        title: the misconception, or what is unusual.
        right: whether it is an alternative.
        of: the name that it stands for; None where ``answer`` or the question tells.
        answer: the function or class below the decorator.
        values: names and what they stand for, in place of an answer.
        edit: a piece of the reference's text and what stands there instead, in place of both.
        costs: the price of a mistake, in points of its question.
    """

    title: str
    right: bool
    of: str | None = None
    answer: Any = None
    values: dict[str, Any] | None = None
    edit: tuple[str, str] | None = None
    costs: float | None = None


_entries: ContextVar[list[Entry] | None] = ContextVar("entries", default=None)


@contextmanager
def collecting() -> Iterator[list[Entry]]:
    """Collect what is kept inside the block."""
    found: list[Entry] = []
    token = _entries.set(found)
    try:
        yield found
    finally:
        _entries.reset(token)


def mistake(
    title: str,
    /,
    *,
    of: str | None = None,
    edit: tuple[str, str] | None = None,
    costs: float | None = None,
    **values: Any,
) -> Any:
    """Keep a wrong answer, which must fail at least one check of the question.

    As a decorator it takes the function or class below it: whatever that is called, it stands for
    the function of the question's name, for ``of``, or for one that has its own name. With
    ``edit`` it is the reference with one piece of its text replaced, and with keywords the values
    of names: ``mistake("the norm squared", answer=0.8)``.

    With ``costs`` it has a price: a submission whose answers equal it in every case of the question
    loses that many points of the question, whatever number of checks it fails.

    Args:
        title: the misconception, as the student reads it in feedback.
        of: the name that the answer stands for.
        edit: a text that the reference's function has exactly once, and what takes its place.
        costs: the price, from 0 to the points of the question.
        values: names of the notebook and the wrong values that they take.
    """
    return _kept("mistake", title, of, edit, values, costs)


def alternative(title: str, /, *, of: str | None = None, **values: Any) -> Any:
    """Keep a different right answer, which must pass every check of the question.

    Args:
        title: what is unusual about it.
        of: the name that the function or class below stands for, as for `mistake`.
        values: names of the notebook and the values that they take, in place of a function.
    """
    return _kept("alternative", title, of, None, values)


def _kept(
    kind: str,
    title: str,
    of: str | None,
    edit: tuple[str, str] | None,
    values: dict[str, Any],
    costs: float | None = None,
) -> Any:
    if not isinstance(title, str) or not title.strip():
        raise SourceError(f"the title of a {kind} must be a text that is not empty, got {title!r}")
    if edit is not None and not _is_edit(edit):
        raise SourceError(
            f"{title!r}: edit must be a pair of two different texts, (old, new), got {edit!r}"
        )
    if values and (edit is not None or of is not None):
        raise SourceError(f"{title!r}: values must stand alone; remove of= and edit=")
    if costs is not None and not _is_price(costs):
        raise SourceError(f"{title!r}: costs must be a number, 0 or more, got {costs!r}")
    right = kind == "alternative"
    if values or edit is not None:
        return _keep(Entry(title, right, of, values=values or None, edit=edit, costs=costs))

    def decorate(answer: T) -> T:
        _keep(Entry(title, right, of, answer=answer, costs=costs))
        return answer

    return decorate


def _is_edit(edit: object) -> bool:
    if not isinstance(edit, tuple) or len(edit) != 2:
        return False
    old, new = edit
    return isinstance(old, str) and isinstance(new, str) and bool(old) and old != new


def _is_price(costs: object) -> bool:
    if isinstance(costs, bool) or not isinstance(costs, (int, float)):
        return False
    return isfinite(costs) and costs >= 0


def _keep(entry: Entry) -> None:
    if (entries := _entries.get()) is not None:
        entries.append(entry)
