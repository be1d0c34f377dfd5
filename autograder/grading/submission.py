"""Intake: from the bytes that a student handed in to a notebook that can be graded.

Nothing in a student's metadata is believed. The release says which cells are given, which are
checks and which hold answers; given and check cells are restored from it, and what was damaged
is healed where that takes nothing from the student, and noted.
"""

import hashlib
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from autograder.errors import StudentError

__all__ = ["Submission", "digest_of", "parse_submission", "read_submission_file"]

MAX_BYTES = 64 << 20
MAX_CELLS = 5000
TYPES = ("code", "markdown", "raw")


@dataclass(frozen=True)
class Submission:
    """A healed notebook.

    Attributes:
        notebook: for staff to read: the student's answers among the release's own cells.
        cells: the code cells to run, as (number in the student's notebook, source).
        answers: the text of each manual answer that differs from the release, by grade_id.
        notes: what was healed, for staff and the student.
    """

    notebook: nbformat.NotebookNode
    cells: tuple[tuple[int, str], ...]
    answers: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass
class _Cell:
    """A student's cell: what little of it is believed."""

    number: int
    type: str
    source: str
    outputs: list[Any]
    grade_id: str | None = None
    following: list["_Cell"] = field(default_factory=list)  # own cells behind it


def read_submission_file(path: Path) -> bytes:
    """Return the bytes of a submitted file.

    Raises:
        StudentError: it is missing, no regular file, or too large.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise StudentError(f"{path.name} is no regular file")
        if status.st_size > MAX_BYTES:
            raise StudentError(
                f"{path.name} has {status.st_size >> 20} MB; at most {MAX_BYTES >> 20} MB are read"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise StudentError(f"there is no {path.name} in the submission") from None
    except OSError as error:
        raise StudentError(f"{path.name} cannot be read: {error.strerror}") from None


def digest_of(data: bytes) -> str:
    """Return the name of a submission: "sha256:…" of its bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def parse_submission(data: bytes, release: nbformat.NotebookNode) -> Submission:
    """Heal a submitted notebook against its release.

    Args:
        data: the submitted file.
        release: the release notebook, whose cells carry nbgrader's metadata.

    Raises:
        StudentError: the bytes are no notebook.
    """
    cells = _read_cells(data)
    notes: list[str] = []
    leading, anchored = _align(cells, release, notes)
    notebook = nbformat.v4.new_notebook(metadata=release.metadata)
    run: list[tuple[int, str]] = []
    answers: dict[str, str] = {}
    fresh = len(cells)  # restored cells are numbered behind the student's own
    for cell in leading:
        _add_own(notebook, cell, run)
    for given in release.cells:
        grade_id = _grade_id(given)
        if grade_id in anchored:
            cell = anchored[grade_id]
        else:
            fresh += 1
            cell = _Cell(fresh, given.cell_type, given.source, [])
        healed = _heal(given, cell, notes)
        notebook.cells.append(healed)
        kind = healed.metadata.get("nbgrader", {})
        if healed.cell_type == "code" and not (kind.get("grade") and not kind.get("solution")):
            run.append((cell.number, healed.source))
        if kind.get("grade") and kind.get("solution") and _differs(cell.source, given.source):
            answers[grade_id] = cell.source
        for own in cell.following:
            _add_own(notebook, own, run)
    return Submission(notebook, tuple(run), answers, tuple(notes))


def _read_cells(data: bytes) -> list[_Cell]:
    """Return the cells of a notebook file, whatever else may be wrong with it."""
    try:
        raw = json.loads(data.decode("utf-8-sig"))
        if isinstance(raw, dict) and raw.get("nbformat", 4) < 4:
            raw = nbformat.convert(nbformat.from_dict(raw), 4)
        cells = raw["cells"]
        if not isinstance(cells, list):
            raise TypeError
    except (
        ValueError,
        RecursionError,
        KeyError,
        TypeError,
        AttributeError,
        nbformat.ValidationError,
    ):
        raise StudentError("the file is no Jupyter notebook") from None
    if len(cells) > MAX_CELLS:
        raise StudentError(f"the notebook has {len(cells)} cells; at most {MAX_CELLS} are read")
    return [_read_cell(i, cell) for i, cell in enumerate(cells, 1) if isinstance(cell, dict)]


def _read_cell(number: int, cell: dict[str, Any]) -> _Cell:
    kind, source, outputs = (cell.get(key) for key in ("cell_type", "source", "outputs"))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    return _Cell(
        number,
        kind if isinstance(kind, str) and kind in TYPES else "raw",
        source.encode("utf-8", "replace").decode() if isinstance(source, str) else "",
        [o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else [],
        grade_id if isinstance(grade_id, str) else None,
    )


def _align(
    cells: list[_Cell], release: nbformat.NotebookNode, notes: list[str]
) -> tuple[list[_Cell], dict[str, _Cell]]:
    """Find the student's cell for each cell of the release.

    By grade_id; where there is none, by the same text as a given cell. A second cell with an
    id is the student's own copy and stays behind the cell before it, so that the last definition
    counts, as it does in Jupyter.

    Returns:
        The student's own cells before the first known one, and the known ones by grade_id.
    """
    known = {_grade_id(given): given for given in release.cells}
    texts = {given.source.strip(): grade_id for grade_id, given in known.items()}
    anchored: dict[str, _Cell] = {}
    leading: list[_Cell] = []
    last: _Cell | None = None
    for cell in cells:
        grade_id = cell.grade_id or ""
        if grade_id not in known:
            grade_id = texts.get(cell.source.strip(), "")
        if grade_id and grade_id not in anchored:
            anchored[grade_id] = last = cell
            continue
        if grade_id and _is_locked(known[grade_id]):
            notes.append(f"cell {cell.number} is a copy of the given cell {grade_id}; left out")
            continue
        if grade_id:
            notes.append(f"cell {cell.number} is a copy of {grade_id}; the last one counts")
            cell.type = known[grade_id].cell_type
        (leading if last is None else last.following).append(cell)
    _note_order_and_losses(release, anchored, notes)
    return leading, anchored


def _note_order_and_losses(
    release: nbformat.NotebookNode, anchored: dict[str, _Cell], notes: list[str]
) -> None:
    present = [anchored[i] for i in map(_grade_id, release.cells) if i in anchored]
    numbers = [cell.number for cell in present]
    if numbers != sorted(numbers):
        notes.append("the cells were in another order than in the release; put back")
    for given in release.cells:
        grade_id = _grade_id(given)
        if grade_id and grade_id not in anchored:
            if not _is_locked(given):
                notes.append(f"the answer cell {grade_id} is missing")
            elif given.cell_type == "code":
                notes.append(f"the given cell {grade_id} was missing and is restored")


def _heal(given: nbformat.NotebookNode, cell: _Cell, notes: list[str]) -> nbformat.NotebookNode:
    """Return the graded notebook's cell for a cell of the release."""
    healed = nbformat.from_dict(given)
    grade_id = _grade_id(given)
    missing = cell.grade_id is None and cell.source == given.source
    if not _is_locked(given):
        healed.source = cell.source
        if cell.type != given.cell_type:
            notes.append(
                f"cell {cell.number} ({grade_id}) had become a {cell.type} cell; "
                f"taken as {given.cell_type}"
            )
    elif given.cell_type == "code" and not missing and _differs(cell.source, given.source):
        notes.append(f"cell {cell.number} ({grade_id}) was edited and restored")
    if healed.cell_type == "code":
        healed.outputs = nbformat.from_dict(cell.outputs if not _is_locked(given) else [])
    return healed


def _add_own(notebook: nbformat.NotebookNode, cell: _Cell, run: list[tuple[int, str]]) -> None:
    """Add a cell that the student made."""
    make = getattr(nbformat.v4, f"new_{cell.type}_cell")
    added = make(cell.source, id=f"own-{cell.number}")
    if cell.type == "code":
        added.outputs = nbformat.from_dict(cell.outputs)
        run.append((cell.number, cell.source))
    notebook.cells.append(added)


def _grade_id(given: nbformat.NotebookNode) -> str:
    """Return a release cell's id, "" for one without: every cell of ours has one."""
    return str(given.metadata.get("nbgrader", {}).get("grade_id", ""))


def _is_locked(given: nbformat.NotebookNode) -> bool:
    return bool(given.metadata.get("nbgrader", {}).get("locked", True))


def _differs(a: str, b: str) -> bool:
    """Return whether two texts differ in more than the white space at line ends."""
    return [x.rstrip() for x in a.strip().splitlines()] != [
        x.rstrip() for x in b.strip().splitlines()
    ]
