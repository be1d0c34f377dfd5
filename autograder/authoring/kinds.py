"""Kinds of questions: what an assertion tells the audit of the question that it asks.

Each kind has answers without work of its own: the first of the letters, an empty figure, a right
answer that comes too late. The audit finds out which to try by listening to a run of the check.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

__all__ = ["Kind", "Noted", "note_kind", "noting_kinds"]


class Kind:
    """The names of the kinds."""

    CHOICE = "choice"
    QUANTITY = "quantity"
    FIGURE = "figure"
    SPEED = "speed"
    TRAINING = "training"
    MEMORY = "memory"


@dataclass(frozen=True)
class Noted:
    """A question of a kind; ``facts`` are what an answer without work needs to know."""

    kind: str
    facts: tuple[Any, ...] = ()


_listeners: ContextVar[tuple[list[Noted], ...]] = ContextVar("listeners", default=())


@contextmanager
def noting_kinds() -> Iterator[list[Noted]]:
    """Collect which kinds of questions are asked inside the block, each once."""
    found: list[Noted] = []
    token = _listeners.set((*_listeners.get(), found))
    try:
        yield found
    finally:
        _listeners.reset(token)


def note_kind(kind: str, *facts: Any) -> None:
    """Tell all who listen which kind of question is asked."""
    noted = Noted(kind, facts)
    for found in _listeners.get():
        if noted not in found:
            found.append(noted)
