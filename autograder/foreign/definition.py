"""The definition of an nbgrader assignment: its notebooks and cells, as the grader has them.

What scores is what nbgrader's gradebook says: its own `autograde` restores cells from there, too.
What a notebook needs beside that, its given cells and solutions, is read from the source.
"""

import hashlib
from collections.abc import Iterable

import msgspec

__all__ = [
    "Definition",
    "Graded",
    "NotebookDefinition",
    "SourceCell",
    "modules_among",
    "shown_of",
]


def modules_among(files: Iterable[str]) -> frozenset[str]:
    """Return the names of the modules and packages among files, which are told by their paths."""
    return frozenset(name.partition("/")[0].removesuffix(".py") for name in files)


def shown_of(source: str, begin: str, end: str) -> str:
    """Return what of a test cell is in the release, as nbgrader's `ClearHiddenTests` leaves it."""
    shown, is_hidden = [], False
    for line in source.split("\n"):
        if begin in line.strip():
            is_hidden = True
        elif end in line.strip():
            is_hidden = False
        elif not is_hidden:
            shown.append(line)
    return "\n".join(shown)


class SourceCell(msgspec.Struct, frozen=True):
    """A code cell of the instructor's notebook.

    ``name`` is its grade_id, "" without one; ``is_answer`` says that students change it,
    ``is_test`` that it scores; ``shown`` is what of a test students may read.
    """

    source: str
    name: str = ""
    is_answer: bool = False
    is_test: bool = False
    shown: str = ""


class Graded(msgspec.Struct, frozen=True):
    """A cell that has a grade_id: what nbgrader knows of it.

    ``points`` is None where it has none. ``is_grade``, ``is_solution``, ``is_task`` and ``locked``
    are nbgrader's marks; ``checksum`` is of the released cell.
    """

    name: str
    source: str
    checksum: str
    cell_type: str
    locked: bool
    points: float | None = None
    is_grade: bool = False
    is_solution: bool = False
    is_task: bool = False

    @property
    def is_test(self) -> bool:
        """Whether it scores by what it does when it is run."""
        return self.is_grade and not self.is_solution and self.cell_type == "code"

    @property
    def is_manual(self) -> bool:
        """Whether staff score it."""
        return (self.is_grade or self.is_task) and not self.is_test

    @property
    def metadata(self) -> dict[str, object]:
        """The metadata that nbgrader gives it."""
        marks: dict[str, object] = {
            "grade_id": self.name,
            "schema_version": 3,
            "cell_type": self.cell_type,
            "grade": self.is_grade,
            "solution": self.is_solution,
            "locked": self.locked,
            "task": self.is_task,
        }
        if self.points is not None:
            marks["points"] = self.points
        return marks | {"checksum": self.checksum}

    def checksum_with(self, source: str) -> str:
        """Return the checksum that nbgrader gives the cell with another text.

        Source: ``nbgrader.utils.compute_checksum``, which is not imported for it: that takes a
        second.
        """
        is_locked = not self.is_solution and (self.is_grade or self.locked)
        parts = [source, self.cell_type]
        parts += map(str, (self.is_grade, self.is_solution, is_locked))
        parts.append(self.name)
        if self.is_grade:
            parts.append(str(float(self.points or 0)))
        found = hashlib.md5("".join(parts).encode(), usedforsecurity=False)
        return found.hexdigest()


class NotebookDefinition(msgspec.Struct, frozen=True):
    """One notebook of an assignment.

    ``cells`` are the code cells of its source, with solutions, in order; none where there is no
    source. ``graded`` are those with a grade_id, in the order of the source.
    """

    name: str
    language: str
    cells: tuple[SourceCell, ...]
    graded: tuple[Graded, ...]

    @property
    def tests(self) -> dict[str, Graded]:
        """The cells that score by themselves, by name."""
        return {cell.name: cell for cell in self.graded if cell.is_test}


class Definition(msgspec.Struct, frozen=True):
    """An assignment of an nbgrader course.

    ``files`` are those beside the source notebooks, by path, which replace a student's;
    ``cell_seconds`` is nbgrader's limit on a cell, None for none. ``changed`` are cells and
    notebooks of the source that are others than nbgrader's gradebook has.
    """

    assignment: str
    notebooks: tuple[NotebookDefinition, ...]
    files: dict[str, bytes]
    cell_seconds: float | None = 30.0
    preload: tuple[str, ...] = ("numpy",)
    changed: tuple[str, ...] = ()

    @property
    def modules(self) -> frozenset[str]:
        """The names of modules and packages that lie beside its notebooks."""
        return modules_among(self.files)

    @property
    def points(self) -> float:
        """The points of all cells."""
        return sum(cell.points or 0.0 for nb in self.notebooks for cell in nb.graded)
