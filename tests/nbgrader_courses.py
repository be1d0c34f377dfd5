"""Small courses of nbgrader's, as tests write them."""

import json
from pathlib import Path

from autograder.artefacts.notebooks import nbformat
from autograder.foreign.definition import (
    Definition,
    Graded,
    NotebookDefinition,
    SourceCell,
    shown_of,
)

HIDING = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
new_code_cell, new_markdown_cell = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell


def cell(name, source, *, kind="code", points=None, **marks):
    """Return a cell with nbgrader's metadata: ``grade``, ``solution``, ``locked`` or ``task``."""
    flags = {flag: bool(marks.get(flag)) for flag in ("grade", "solution", "locked", "task")}
    metadata = {"nbgrader": {"grade_id": name, "schema_version": 3, "cell_type": kind, **flags}}
    if points is not None:
        metadata["nbgrader"]["points"] = points
    make = new_code_cell if kind == "code" else new_markdown_cell
    return make(source, metadata=metadata)


def answer(name, source):
    return cell(name, source, solution=True)


def scored(name, source, points=1):
    return cell(name, source, points=points, grade=True, locked=True)


def given(source):
    return new_code_cell(source)


def manual(name, source, points=2, kind="markdown"):
    return cell(name, source, kind=kind, points=points, grade=True, solution=True)


def notebook(*cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=list(cells), metadata={"kernelspec": kernel})


def write(path: Path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook(*cells)), encoding="utf-8")


def submit(course: Path, student, assignment, name, answers, change=lambda cells: cells):
    """Submit the release of a notebook, with the text of some answers."""
    found = json.loads((course / "release" / assignment / f"{name}.ipynb").read_text())
    for one in found["cells"]:
        grade_id = one["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            one["source"] = answers[grade_id]
    found["cells"] = change(found["cells"])
    path = course / "submitted" / student / assignment / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))


def defined(*cells, files=None, name="nb", cell_seconds=20.0):
    """Return the definition of an assignment with one notebook, as `prepare` would."""
    graded, source = [], []
    for one in cells:
        marks = one.metadata.get("nbgrader", {})
        if marks:
            graded.append(
                Graded(
                    marks["grade_id"],
                    one.source,
                    "",
                    one.cell_type,
                    bool(marks["locked"]),
                    marks.get("points"),
                    marks["grade"],
                    marks["solution"],
                    marks["task"],
                )
            )
        if one.cell_type == "code":
            is_test = bool(marks) and marks["grade"] and not marks["solution"]
            name_of = marks.get("grade_id", "")
            shown = shown_of(one.source, *HIDING) if is_test else ""
            is_answer = bool(marks.get("solution"))
            source.append(SourceCell(one.source, name_of, is_answer, is_test, shown))
    notebooks = (NotebookDefinition(name, "python", tuple(source), tuple(graded)),)
    return Definition("hw", notebooks, files or {}, cell_seconds)
