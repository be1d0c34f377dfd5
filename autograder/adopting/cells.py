"""A notebook of another tool's: its cells, told apart in our words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import nbformat

from autograder.errors import UsageError

__all__ = ["Foreign", "ForeignCell", "Role", "TestCell", "read_raw", "require_python"]


class Role(StrEnum):
    """What a cell is for."""

    PROSE = "prose"  # text
    GIVEN = "given"  # code that students get as it is
    SOLUTION = "solution"  # code that students write; its regions are marked as ours are
    TESTS = "tests"
    MANUAL = "manual"  # an answer that a person grades


@dataclass(frozen=True)
class TestCell:
    """What the tests of a cell are worth, and what of them students see.

    Attributes:
        visible: the text that students get.
        whole: the same with what is hidden; the same text where nothing is.
        points: of the cell, all or nothing.
        output: what an expression at its end must give, as Python writes it; None if nothing.
    """

    visible: str
    whole: str
    points: float
    output: str | None = None


@dataclass(frozen=True)
class ForeignCell:
    """A cell of another tool's notebook.

    Attributes:
        number: counted from 1 over the cells of its notebook.
        type: ``markdown`` or ``code``.
        name: what its tool calls it, or its question; empty where it says nothing.
        text: as it stands in a source notebook; of a test cell the original.
        tests: of a test cell.
        points: of an answer that a person grades.
        look: what a person must look at, if something.
    """

    number: int
    role: Role
    type: str
    text: str
    name: str = ""
    tests: TestCell | None = None
    points: float = 0.0
    look: tuple[str, ...] = ()
    attachments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Foreign:
    """A notebook of another tool's; ``tool`` is ``nbgrader`` or ``Otter``."""

    tool: str
    path: Path
    cells: Sequence[ForeignCell]


def read_raw(path: Path) -> Any:
    """Return a notebook as nbformat reads it, in format 4.

    Raises:
        UsageError: there is no such file, or it is no notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}; name the source notebook to adopt") from None
    except (AttributeError, KeyError, TypeError, ValueError, nbformat.ValidationError):
        raise UsageError(
            f"{path} is no notebook; name a source notebook of nbgrader's or Otter's (.ipynb)"
        ) from None


def require_python(notebook: Any, path: Path) -> None:
    """Refuse a notebook in another language.

    Raises:
        UsageError: its kernel is for another language; says which.
    """
    metadata = notebook.metadata
    language = metadata.get("language_info", {}).get("name")
    language = language or metadata.get("kernelspec", {}).get("language") or "python"
    if metadata.get("kernelspec", {}).get("name") == "ir":
        language = "R"
    if language.lower() not in ("python", "ipython"):
        raise UsageError(f"{path} is written in {language}; only Python can be adopted")
