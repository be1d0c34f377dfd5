"""Intake: from the bytes that a student handed in to a notebook that can be graded.

Nothing in a student's metadata is believed. The release says which cells are given, which are
checks and which hold answers; given and check cells are restored from it, and what was damaged
is healed where that takes nothing from the student, and noted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.grading.alignment import (
    Alignment,
    align,
    differs,
    grade_id_of,
    is_answer,
    is_check,
    is_manual,
)
from autograder.grading.notebooks import nbformat
from autograder.grading.student_cells import StudentCell, read_cells
from autograder.sandbox.session import CodeCell

__all__ = ["Submission", "parse_submission"]


@dataclass(frozen=True)
class Submission:
    """A healed notebook.

    Attributes:
        notebook: for staff to read: the student's answers among the release's own cells.
        cells: the code cells to run, numbered as in the student's notebook.
        places: how many of them stand above each check, by the grade_id of its cell; of one that
            is missing, wherever it may have stood.
        answers: the text of each manual answer that differs from the release, by grade_id;
            where its cell is missing, of all cells that may hold it.
        notes: what was healed, for staff and the student.
    """

    notebook: NotebookNode
    cells: tuple[CodeCell, ...]
    places: Mapping[str, Sequence[int]]
    answers: Mapping[str, str]
    notes: tuple[str, ...]


def parse_submission(data: bytes, release: NotebookNode) -> Submission:
    """Heal a submitted notebook against its release.

    Args:
        data: the submitted file.
        release: the release notebook, whose cells carry nbgrader's metadata.

    Raises:
        StudentError: the bytes are no notebook.
    """
    cells = read_cells(data)
    found = align(cells, release)
    notes = found.notes.copy()
    notebook = nbformat.v4.new_notebook(metadata=release.metadata)
    run: list[CodeCell] = []
    places: dict[str, Sequence[int]] = {}
    gap = 0  # how many cells to run there are up to the last one that is not missing
    fresh = cells[-1].number if cells else 0  # restored cells are numbered behind the student's
    for cell in found.leading:
        _add_own(notebook, cell, run)
    for given in release.cells:
        anchored = found.anchored.get(grade_id_of(given))
        fresh += anchored is None
        cell = anchored or StudentCell(fresh, given.cell_type, given.source)
        healed = _heal(given, cell, notes)
        notebook.cells.append(healed)
        # The stub of an answer that is missing could only replace one that stands elsewhere.
        stub = anchored is None and is_answer(given)
        if is_check(given):
            first = len(run) if anchored else gap
            places[grade_id_of(given)] = range(first, len(run) + 1)
        elif healed.cell_type == "code" and not stub:
            run.append(CodeCell(cell.number, healed.source, _kind(given, cell)))
        gap = len(run) if anchored else gap
        for own in cell.following:
            _add_own(notebook, own, run)
    answers = {grade_id_of(g): _answer(g, found) for g in release.cells if is_manual(g)}
    written = {grade_id: text for grade_id, text in answers.items() if text is not None}
    return Submission(notebook, tuple(run), places, written, tuple(notes))


def _kind(given: NotebookNode, cell: StudentCell) -> str:
    """Return what a code cell of the release is in a submission: given, a stub or an answer."""
    if not is_answer(given):
        return "given"
    return "answer" if differs(cell.source, given.source) else "stub"


def _answer(given: NotebookNode, found: Alignment) -> str | None:
    """Return what was written for a manual question; None if nothing was.

    Where its cell is missing or untouched, any text cell of the student's own may be the answer:
    staff will see.
    """
    grade_id = grade_id_of(given)
    if grade_id in found.anchored:
        cells = [found.anchored[grade_id], *found.copies[grade_id]]
    else:
        cells = list(found.strays())
    texts = [cell.source for cell in cells if differs(cell.source, given.source)]
    if not texts:
        texts = [cell.source for cell in found.strays() if cell.type != "code"]
    return "\n\n".join(texts) if texts else None


def _heal(given: NotebookNode, cell: StudentCell, notes: list[str]) -> NotebookNode:
    """Return the graded notebook's cell for a cell of the release."""
    healed = nbformat.from_dict(given)
    grade_id = grade_id_of(given)
    if is_answer(given):
        _fill(healed, cell)
        if cell.type != given.cell_type:
            notes.append(
                f"cell {cell.number} ({grade_id}) had become a {cell.type} cell; "
                f"taken as {given.cell_type}"
            )
    elif given.cell_type == "code":
        healed.outputs = []
        if differs(cell.source, given.source):
            notes.append(f"cell {cell.number} ({grade_id}) was edited and restored")
    return healed


def _add_own(notebook: NotebookNode, cell: StudentCell, run: list[CodeCell]) -> None:
    """Add a cell that the student made."""
    added = getattr(nbformat.v4, f"new_{cell.type}_cell")(id=f"own-{cell.number}")
    _fill(added, cell)
    if cell.type == "code":
        run.append(CodeCell(cell.number, cell.source))
    notebook.cells.append(added)


def _fill(target: NotebookNode, cell: StudentCell) -> None:
    """Put what a student wrote into a cell of the graded notebook."""
    target.source = cell.source
    if target.cell_type == "code":
        target.outputs = nbformat.from_dict(cell.outputs)
    elif cell.attachments:
        attachments = {**target.get("attachments", {}), **cell.attachments}
        target.attachments = nbformat.from_dict(attachments)
