"""Drafts: a release that nobody has proven, for its author to look at."""

import shutil
from pathlib import Path

from autograder.audit.proof import read_proof
from autograder.compiler.build import compile_assignment, pack
from autograder.course import Course
from autograder.errors import naming
from autograder.grading.notebooks import nbformat

__all__ = ["FOLDER", "write_draft"]

FOLDER = "draft"
_MARK = (
    "# Draft\n\nNobody has proven that this is graded rightly. It is for its author, not for "
    "students: compile the assignment without `--draft` to publish it."
)


def write_draft(course: Course, name: str) -> Path:
    """Write the release of an assignment, marked as a draft, beside what is published.

    Its checks have the tolerances that were proven last, where they have some.

    Returns:
        The folder, ``build/<name>/draft``.

    Raises:
        SourceError: the source notebook or a bank is wrong.
    """
    compiled = compile_assignment(course, name)
    stored = read_proof(course, name)
    artefacts = pack(compiled, stored.standards() if stored is not None else None)
    folder = course.build(name) / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in artefacts.release.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with naming(place):
            place.write_bytes(_marked(data) if path == f"{name}.ipynb" else data)
    return folder


def _marked(notebook: bytes) -> bytes:
    found = nbformat.reads(notebook.decode(), as_version=4)
    found.cells.insert(0, nbformat.v4.new_markdown_cell(_MARK, id="draft"))
    return str(nbformat.writes(found)).encode()
