"""Submissions of an nbgrader course: folders of notebooks and files, brought into order.

Nothing in a student's metadata is believed but which cell of the assignment a cell says it is. Of
cells that say the same the last one counts, as with nbgrader; tests and locked cells are what they
were; a test that was deleted stands where it belongs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from autograder.collecting.trees import OF_STUDENT, folder_tree
from autograder.course import TIMESTAMP
from autograder.errors import StudentError
from autograder.foreign.definition import Graded, NotebookDefinition
from autograder.grading.student_cells import StudentCell, read_cells

__all__ = [
    "SECRET",
    "Arranged",
    "Placed",
    "SubmittedFolder",
    "arrange",
    "is_unchanged",
    "read_folder",
]

SECRET = "submission_secret.txt"
NOTEBOOK = ".ipynb"


@dataclass(frozen=True)
class SubmittedFolder:
    """What was read of a submission at one time.

    Attributes:
        notebooks: the bytes of each notebook at the top, by its name.
        files: everything else, by path.
        problem: why it could not be read, as a sentence; None if it was.
        timestamp: what ``timestamp.txt`` says, if it is there.
    """

    notebooks: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    problem: str | None = None
    timestamp: str | None = None

    @property
    def digest(self) -> str:
        """A name of all that can decide a score."""
        found = hashlib.sha256((self.problem or "").encode())
        for kind in (self.notebooks, self.files):
            for name, data in sorted(kind.items()):
                found.update(f"{name}\0{len(data)}\0".encode("utf-8", "replace") + data)
        return f"sha256:{found.hexdigest()}"


@dataclass(frozen=True)
class Placed:
    """A cell of a notebook as it is graded: the student's, or one of the assignment's own.

    Attributes:
        cell: as it is to be run and shown.
        graded: what nbgrader knows of it; None of a cell without a grade_id.
    """

    cell: StudentCell
    graded: Graded | None = None


@dataclass(frozen=True)
class Arranged:
    """A notebook of a submission, in order: its cells, and what was healed."""

    cells: tuple[Placed, ...]
    notes: tuple[str, ...] = ()

    def find(self, name: str) -> Placed | None:
        """Return the cell of a grade_id; None if there is none."""
        return next((p for p in self.cells if p.graded and p.graded.name == name), None)


def read_folder(folder: Path) -> SubmittedFolder:
    """Read a submission; links and devices in it are passed over."""
    try:
        tree = folder_tree(folder, folder.name, OF_STUDENT)
        found = {member.name: member.read() for member in tree.members}
    except (StudentError, OSError) as error:
        return SubmittedFolder(problem=str(error))
    timestamp = found.pop(TIMESTAMP, None)
    found.pop(SECRET, None)
    notebooks = {
        path.stem: data
        for name, data in found.items()
        if (path := PurePosixPath(name)).suffix == NOTEBOOK and len(path.parts) == 1
    }
    files = {name: data for name, data in found.items() if not name.endswith(NOTEBOOK)}
    said = None if timestamp is None else timestamp[:100].decode("utf-8", "replace").strip()
    return SubmittedFolder(notebooks, files, None, said)


def arrange(data: bytes, notebook: NotebookDefinition) -> Arranged:
    """Bring a submitted notebook into order.

    Raises:
        StudentError: the bytes are no notebook.
    """
    known = {graded.name: graded for graded in notebook.graded}
    notes: list[str] = []
    placed: list[Placed] = []
    seen: set[str] = set()
    for cell in reversed(read_cells(data)):
        graded = known.get(cell.grade_id) if cell.grade_id is not None else None
        if graded is not None and graded.name in seen:
            notes.append(f"cell {graded.name} was there more than once; the last one counts")
            graded = None
        if graded is not None:
            seen.add(graded.name)
            cell = _restored(cell, graded, notes)
        placed.append(Placed(cell, graded))
    placed.reverse()
    notes.reverse()
    for name, graded in known.items():
        if name not in seen and (graded.is_test or graded.is_task):
            notes.append(f"cell {name} was missing, and was put back")
            place = _place_of(name, list(known), placed)
            placed.insert(place, Placed(StudentCell(0, graded.cell_type, graded.source), graded))
    for number, one in enumerate(placed, 1):
        if one.cell.number != number:
            placed[number - 1] = Placed(replace(one.cell, number=number), one.graded)
    return Arranged(tuple(placed), tuple(dict.fromkeys(notes)))


def is_unchanged(placed: Placed) -> bool:
    """Return whether an answer that staff score is what the release had."""
    graded = placed.graded
    assert graded is not None
    return bool(graded.checksum) and graded.checksum_with(placed.cell.source) == graded.checksum


def _restored(cell: StudentCell, graded: Graded, notes: list[str]) -> StudentCell:
    """Return a cell with the type and, where it is locked, the text that it is to have."""
    if cell.type != graded.cell_type:
        notes.append(f"cell {graded.name} was made a {cell.type} cell, and was restored")
    # A release is without hidden tests: another text is no sign of a change by the student.
    source = graded.source if graded.locked or graded.is_test else cell.source
    if (cell.type, cell.source) == (graded.cell_type, source):
        return cell
    return replace(cell, type=graded.cell_type, source=source)


def _place_of(name: str, order: list[str], placed: list[Placed]) -> int:
    """Return where a missing cell belongs: behind the nearest one above it that is there."""
    above = set(order[: order.index(name)])
    places = [i for i, one in enumerate(placed) if one.graded and one.graded.name in above]
    # With nothing above it that is there, it may need any of the cells that are.
    return max(places) + 1 if places else len(placed)
