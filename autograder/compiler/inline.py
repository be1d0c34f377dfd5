"""Inlining: the reference's source where the solution notebook would import it."""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from autograder.compiler.reference import Definition, Module, Reference, split_import
from autograder.compiler.regions import SOLUTION, without_marks, without_reasons
from autograder.errors import SourceError

__all__ = ["Block", "Inliner", "is_block", "join_definitions", "postponed"]

FUTURE = "from __future__ import annotations"


@dataclass(frozen=True)
class Block:
    """Source that takes the place of an import: imports for the cell's top, and definitions."""

    imports: tuple[str, ...]
    text: str


class Inliner:
    """What the cells of a solution notebook have defined so far, so that nothing comes twice."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._owners: dict[str, str] = {}
        self._done: set[tuple[str, str]] = set()

    def given(self, tree: ast.Module) -> None:
        """Take note of what a cell imports itself."""
        for statement in tree.body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                for one in split_import(statement):
                    self._owners[one.name] = one.owner
                    self._done.add((one.owner, one.text))

    def block(self, wanted: Sequence[Definition], without: Sequence[Definition] = ()) -> Block:
        """Return some definitions and what they need that no earlier cell has defined.

        Args:
            wanted: the definitions.
            without: what somebody else defines.

        Raises:
            SourceError: two modules of the reference mean different things by one name.
        """
        imports, texts = postponed(d.module for d in wanted), []
        for definition in self._reference.needed(*wanted):
            key = definition.owner, definition.text
            if definition in without or (key in self._done and definition not in wanted):
                continue
            self._done.add(key)
            for name in definition.names:
                self._own(name, definition.owner)
            if definition.is_import:
                imports.append(definition.text)
            else:
                text = without_marks(definition.comment + definition.text, SOLUTION)
                texts.append(without_reasons(text))
        return Block(tuple(imports), join_definitions(texts))

    def _own(self, name: str, owner: str) -> None:
        former = self._owners.setdefault(name, owner)
        if former != owner:
            raise SourceError(f"{name!r} means two things in a solution: {former} and {owner}")


def postponed(modules: Iterable[Module]) -> list[str]:
    """Return the import that modules begin with whose annotations are not evaluated."""
    return [FUTURE] if any(m.postpones_annotations for m in modules) else []


def join_definitions(texts: Sequence[str]) -> str:
    """Join source texts: two blank lines around functions and classes, none or one elsewhere."""
    joined = texts[0] if texts else ""
    for before, text in pairwise(texts):
        apart = 3 if is_block(before) or is_block(text) else 2 if text.startswith("#") else 1
        joined += "\n" * apart + text
    return joined


def is_block(text: str) -> bool:
    """Whether a text defines a function or a class."""
    return any(line.startswith(("@", "async def ", "class ", "def ")) for line in text.split("\n"))
