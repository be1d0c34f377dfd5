"""Drafts: a release that nobody has proven, for its author to look at."""

import shutil
from pathlib import Path

from autograder.artefacts.compiled import Compiled
from autograder.artefacts.notebooks import nbformat
from autograder.artefacts.proof import read_proof
from autograder.artefacts.release import write_files
from autograder.compiler.build import compile_assignment, pack
from autograder.course import Course

__all__ = ["FOLDER", "write_draft", "write_draft_of"]

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
    return write_draft_of(course, compile_assignment(course, name))


def write_draft_of(course: Course, compiled: Compiled) -> Path:
    """Write the draft of an assignment that is compiled; return its folder."""
    name = compiled.name
    stored = read_proof(course, name)
    artefacts = pack(compiled, stored.standards() if stored is not None else None)
    folder = course.build(name) / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    notebook = f"{name}.ipynb"
    marked = _marked(artefacts.release[notebook])
    write_files(folder, {**artefacts.release, notebook: marked})
    return folder


def _marked(notebook: bytes) -> bytes:
    found = nbformat.reads(notebook.decode(), as_version=4)
    found.cells.insert(0, nbformat.v4.new_markdown_cell(_MARK, id="draft"))
    return str(nbformat.writes(found)).encode()
