"""Marks in a text: regions with solutions, rubrics of manual questions, remarks for the audit."""

import re
from dataclasses import dataclass

from autograder.errors import SourceError

__all__ = [
    "REASON",
    "RUBRIC",
    "SOLUTION",
    "Marks",
    "Region",
    "find_regions",
    "is_mark",
    "without_marks",
    "without_reasons",
]

REASON = re.compile(r"#\s*survives:\s*(\S.*)")  # why a mutant of this line may live


@dataclass(frozen=True)
class Marks:
    """The words by which nbgrader knows the first and the last line of a region."""

    begin: str
    end: str


SOLUTION = Marks("BEGIN SOLUTION", "END SOLUTION")
RUBRIC = Marks("BEGIN MARK SCHEME", "END MARK SCHEME")


@dataclass(frozen=True)
class Region:
    """The lines of a region, from 1, its two marks included, and its indentation."""

    first: int
    last: int
    indent: str

    def __contains__(self, line: int) -> bool:
        return self.first <= line <= self.last


def find_regions(text: str, marks: Marks) -> list[Region]:
    """Return the regions of a text in order.

    Raises:
        SourceError: a mark has no partner, or regions are nested.
    """
    regions: list[Region] = []
    begin: tuple[int, str] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if marks.begin in line:
            if begin:
                raise SourceError(f"line {number} has {marks.begin} inside a region")
            begin = number, line[: len(line) - len(line.lstrip())]
        elif marks.end in line:
            if not begin:
                raise SourceError(f"line {number} has {marks.end} without {marks.begin} above it")
            regions.append(Region(begin[0], number, begin[1]))
            begin = None
    if begin:
        raise SourceError(f"line {begin[0]} has {marks.begin} without {marks.end} below it")
    return regions


def without_marks(text: str, marks: Marks) -> str:
    """Return a text without the lines that mark regions."""
    return "\n".join(line for line in text.split("\n") if not is_mark(line, marks))


def is_mark(line: str, marks: Marks) -> bool:
    """Whether a line begins or ends a region."""
    return marks.begin in line or marks.end in line


def without_reasons(text: str) -> str:
    """Return a text without what its author says of mutants: that is for the audit alone."""
    kept = []
    for line in text.split("\n"):
        code = REASON.sub("", line).rstrip()
        if code or not REASON.search(line):
            kept.append(code if REASON.search(line) else line)
    return "\n".join(kept)
