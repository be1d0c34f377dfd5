"""An nbgrader assignment in the words of results and pages: each graded cell is a question."""

from collections.abc import Iterator

from autograder.artefacts.manifest import CheckEntry, Manifest, QuestionEntry
from autograder.foreign.definition import Definition, Graded, NotebookDefinition
from autograder.version import own_version

__all__ = ["CASE", "manifest_of", "of_notebook", "question_id"]

CASE = "the test cell"  # what its one case is called


def question_id(definition: Definition, notebook: NotebookDefinition, name: str) -> str:
    """Return the id of a cell's question: its grade_id, unique within its notebook only."""
    return name if len(definition.notebooks) == 1 else f"{notebook.name}/{name}"


def manifest_of(definition: Definition) -> Manifest:
    """Return the manifest of an assignment."""
    questions = tuple(
        _question(question_id(definition, notebook, cell.name), cell)
        for notebook in definition.notebooks
        for cell in notebook.graded
        if cell.is_test or cell.is_manual
    )
    return _manifest(definition.assignment, questions, definition.preload)


def of_notebook(definition: Definition, notebook: NotebookDefinition) -> Manifest:
    """Return the manifest of one notebook, whose questions are called as its cells."""
    cells: Iterator[Graded] = (c for c in notebook.graded if c.is_test or c.is_manual)
    questions = tuple(_question(cell.name, cell) for cell in cells)
    return _manifest(definition.assignment, questions, definition.preload)


def _question(name: str, cell: Graded) -> QuestionEntry:
    points = cell.points or 0.0
    checks: tuple[CheckEntry, ...] = ()
    if cell.is_test:
        cases = ((CASE, False),)
        checks = (CheckEntry(name, name, points, cases, False, "any", None, ""),)
    return QuestionEntry(name, name, points, cell.is_manual, checks, cell.name)


def _manifest(
    assignment: str, questions: tuple[QuestionEntry, ...], preload: tuple[str, ...]
) -> Manifest:
    return Manifest(assignment, assignment, own_version(), questions, preload, {}, {})
