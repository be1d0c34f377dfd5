"""The passes from pieces to a notebook; nbgrader's own preprocessors are most of them."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from nbformat import NotebookNode

from autograder.artefacts.notebooks import nbformat
from autograder.artefacts.release import FIRST_CELL
from autograder.compiler.pieces import Piece
from autograder.compiler.source import Kind

__all__ = ["PASSES", "release_notebook", "serialize", "solution_notebook", "with_first_cell"]

Pass = Callable[[NotebookNode], NotebookNode]

CODE_STUB = {"python": 'raise NotImplementedError("your turn")'}
TEXT_STUB = "*Write your answer here.*"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def clear_solutions(notebook: NotebookNode) -> NotebookNode:
    """Put stubs in place of the solution regions that are left."""
    # Cells get nbgrader's metadata later: of a solution without regions it would leave nothing.
    stubs = {"code_stub": CODE_STUB, "text_stub": TEXT_STUB}
    return _nbgrader(notebook, "ClearSolutions", enforce_metadata=False, **stubs)


def clear_mark_schemes(notebook: NotebookNode) -> NotebookNode:
    """Cut the rubrics of manual questions."""
    return _nbgrader(notebook, "ClearMarkScheme", enforce_metadata=False)


def clear_hidden_tests(notebook: NotebookNode) -> NotebookNode:
    """Cut nbgrader's own hidden regions, for authors who are used to them."""
    return _nbgrader(notebook, "ClearHiddenTests", enforce_metadata=False)


def trim_cells(notebook: NotebookNode) -> NotebookNode:
    """Cut the empty lines that the passes before left, and attachments that no text shows."""
    for cell in notebook.cells:
        cell.source = cell.source.strip("\n")
        shown = {n: a for n, a in cell.get("attachments", {}).items() if n in cell.source}
        cell.pop("attachments", None)
        if shown:
            cell.attachments = shown
    return notebook


def label_cells(notebook: NotebookNode) -> NotebookNode:
    """Give each cell nbgrader's metadata, from its kind, and an id that lasts."""
    for cell in notebook.cells:
        label = cell.metadata.pop("autograder")
        kind, points = label["kind"], label["points"]
        cell.id = hashlib.sha256(label["grade_id"].encode()).hexdigest()[:12]
        cell.metadata.nbgrader = nbformat.from_dict(
            {
                "schema_version": 3,
                "grade_id": label["grade_id"],
                "grade": kind in (Kind.CHECK, Kind.MANUAL),
                "solution": kind in (Kind.SOLUTION, Kind.MANUAL),
                "locked": kind in (Kind.GIVEN, Kind.CHECK),
                "task": False,
                **({} if points is None else {"points": points}),
            }
        )
    return notebook


def lock_cells(notebook: NotebookNode) -> NotebookNode:
    """Keep students from deleting cells, and from editing given cells and checks."""
    return _nbgrader(notebook, "LockCells")


def compute_checksums(notebook: NotebookNode) -> NotebookNode:
    """Record what each cell held, by which nbgrader sees later whether it was edited."""
    return _nbgrader(notebook, "ComputeChecksums")


def check_metadata(notebook: NotebookNode) -> NotebookNode:
    """Hold the metadata against nbgrader's schema and its further rules.

    As nbgrader's CheckCellMetadata does, which holds the schema against its own for each cell: that
    took a third of the time of compiling a small assignment.
    """
    from nbgrader.nbgraderformat import MetadataValidator
    from nbgrader.nbgraderformat.common import jsonschema

    rules = MetadataValidator()
    schema = jsonschema.validators.validator_for(rules.schema)(rules.schema)
    for cell in notebook.cells:
        schema.validate(cell.metadata.nbgrader)
    rules.schema = {"$schema": rules.schema["$schema"]}  # which is held already
    rules.validate_nb(notebook)
    return notebook


PASSES: tuple[Pass, ...] = (
    clear_solutions,
    clear_mark_schemes,
    clear_hidden_tests,
    trim_cells,
    label_cells,
    lock_cells,
    compute_checksums,
    check_metadata,
)


def release_notebook(pieces: Sequence[Piece]) -> NotebookNode:
    """Return the release notebook."""
    cells = [_cell(piece) for piece in pieces]
    form = {"nbformat": 4, "nbformat_minor": 5, "metadata": METADATA, "cells": cells}
    notebook: NotebookNode = nbformat.from_dict(form)
    for one_pass in PASSES:
        notebook = one_pass(notebook)
    return notebook


def with_first_cell(release: NotebookNode, text: str) -> NotebookNode:
    """Return what students get: the release behind a given cell that looks for what it needs."""
    (first,) = release_notebook([Piece("code", Kind.GIVEN, FIRST_CELL, text, text)]).cells
    handed_out: NotebookNode = copy.copy(release)
    handed_out.cells = [first, *release.cells]
    return handed_out


def solution_notebook(release: NotebookNode, pieces: Sequence[Piece]) -> NotebookNode:
    """Return the notebook of a student who solved everything: the release, filled in."""
    notebook: NotebookNode = copy.deepcopy(release)
    for cell, piece in zip(notebook.cells, pieces, strict=True):
        if piece.kind in (Kind.SOLUTION, Kind.MANUAL):
            cell.source = piece.solution
        if piece.attachments:
            cell.attachments = nbformat.from_dict(piece.attachments)
    return notebook


def serialize(notebook: NotebookNode) -> bytes:
    """Return a valid notebook as bytes, the same for the same content."""
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook)
    return f"{text.rstrip()}\n".encode()


def _cell(piece: Piece) -> dict[str, Any]:
    label = {"kind": piece.kind, "grade_id": piece.grade_id, "points": piece.points}
    cell = {
        "cell_type": piece.type,
        "id": piece.grade_id,
        "metadata": {"autograder": label},
        "source": piece.release,
    }
    if piece.type == "code":
        return {**cell, "execution_count": None, "outputs": []}
    return {**cell, "attachments": piece.attachments} if piece.attachments else cell


def _nbgrader(notebook: NotebookNode, preprocessor: str, **options: Any) -> NotebookNode:
    """Run one of nbgrader's preprocessors, whose import takes a second."""
    from nbgrader import preprocessors

    cleared: NotebookNode
    cleared, _ = getattr(preprocessors, preprocessor)(**options).preprocess(notebook, {})
    return cleared
