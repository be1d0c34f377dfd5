"""Rows of the gradebook for a class, read and written some hundreds of students at a time.

An object of nbgrader's for each of 70,000 rows costs more than all else of a large class. Here a
row is a dict that knows how it was read: what is new is inserted, and what changed is updated, with
one statement for a table.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from autograder.records.entries import OF_STUDENTS
from autograder.records.names import Names

__all__ = ["Row", "Submission", "rows_of", "write_rows"]

LETTERS = 128  # of a text in a column of nbgrader's that names something
NAMES = tuple(field.value for field in OF_STUDENTS)  # columns that tell of a student


class Row(dict[str, Any]):
    """A row's columns by name, as they are to be; ``before`` has them as they were read."""

    before: Mapping[str, Any] | None = None  # of a new row

    @classmethod
    def read(cls, columns: Mapping[str, Any]) -> "Row":
        """Return a row that is there."""
        row = cls(columns)
        row.before = dict(columns)
        return row


class Submission:
    """A student's rows of one assignment.

    Attributes:
        student: the id.
        assignment: when it was submitted, and an extension.
        notebook: the penalty for lateness.
        grades: by the grade_id of their cell.
        comments: likewise.
    """

    def __init__(self, student: str, assignment: Row, notebook: Row) -> None:
        self.student, self.assignment, self.notebook = student, assignment, notebook
        self.grades: dict[str, Row] = {}
        self.comments: dict[str, Row] = {}


class Rows:
    """The rows of some students, by table."""

    def __init__(self) -> None:
        self.students: dict[str, Row] = {}
        self.submissions: dict[str, Submission] = {}


def rows_of(gradebook: Any, notebook: Any, students: Sequence[str], names: Names | None) -> Rows:
    """Return the rows of students, with one for each cell, made where they are missing.

    Args:
        gradebook: nbgrader's, open for a change.
        notebook: the assignment's.
        students: whose.
        names: what is known of students beside the gradebook, and goes where it says nothing.
    """
    from nbgrader.api import Comment, Grade

    found = Rows()
    found.students = _students(gradebook, students, names)
    found.submissions = _submissions(gradebook, notebook, students)
    scored = {cell.name: cell for cell in (*notebook.grade_cells, *notebook.task_cells)}
    answers = {cell.name: cell for cell in (*notebook.solution_cells, *notebook.task_cells)}
    grade: dict[str, Any] = dict.fromkeys(("auto_score", "manual_score", "extra_credit"))
    for name, model, cells, empty in (
        ("grades", Grade, scored, {**grade, "needs_manual_grade": True}),
        ("comments", Comment, answers, {"auto_comment": None, "manual_comment": None}),
    ):
        _read_cells(gradebook, notebook, found.submissions, name, model, list(empty))
        for one in found.submissions.values():
            rows = getattr(one, name)
            for cell in cells.keys() - rows.keys():
                of = {"cell_id": cells[cell].id, "notebook_id": one.notebook["id"]}
                rows[cell] = Row(id=_new_id(), **of, **empty)
    return found


def write_rows(gradebook: Any, found: Rows) -> None:
    """Write what is new and what has changed."""
    from nbgrader import api

    submissions = found.submissions.values()
    for model, rows in (
        (api.Student, list(found.students.values())),
        (api.SubmittedAssignment, [one.assignment for one in submissions]),
        (api.SubmittedNotebook, [one.notebook for one in submissions]),
        (api.Grade, [row for one in submissions for row in one.grades.values()]),
        (api.Comment, [row for one in submissions for row in one.comments.values()]),
    ):
        _write(gradebook, model.__table__, rows)


def _write(gradebook: Any, table: Any, rows: Sequence[Row]) -> None:
    from sqlalchemy import bindparam, insert, update

    if new := [dict(row) for row in rows if row.before is None]:
        gradebook.db.execute(insert(table), new)
    changed = [row for row in rows if row.before is not None and row != row.before]
    if changed:
        columns: dict[str, Any] = {
            name: bindparam(f"new_{name}") for name in changed[0] if name != "id"
        }
        statement = update(table).where(table.c.id == bindparam("old_id")).values(columns)
        values = [
            {"old_id": row["id"], **{f"new_{name}": row[name] for name in columns}}
            for row in changed
        ]
        gradebook.db.execute(statement, values)


def _students(gradebook: Any, students: Sequence[str], names: Names | None) -> dict[str, Row]:
    from nbgrader.api import Student as Table
    from sqlalchemy import select

    query = select(Table.id, *(getattr(Table, name) for name in NAMES)).where(
        Table.id.in_(students)
    )
    found = {row["id"]: Row.read(row) for row in gradebook.db.execute(query).mappings()}
    for name in students:
        row = found.setdefault(name, Row(id=name, **dict.fromkeys(NAMES)))
        if names is not None:
            _name(row, names)
    return found


def _name(row: Row, names: Names) -> None:
    """Write what is known of a student where the gradebook says nothing."""
    for field in OF_STUDENTS:
        if not row[field.value] and (said := names.listed(row["id"], field)):
            row[field.value] = said[:LETTERS]  # which not every database counts


def _submissions(gradebook: Any, notebook: Any, students: Sequence[str]) -> dict[str, Submission]:
    from nbgrader.api import SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import select

    own = SubmittedAssignment
    query = (
        select(own.id, own.assignment_id, own.student_id, own.timestamp, own.extension)
        .where(own.assignment_id == notebook.assignment.id)
        .where(own.student_id.in_(students))
    )
    assignments = {
        row["student_id"]: Row.read(row) for row in gradebook.db.execute(query).mappings()
    }
    of = SubmittedNotebook
    query = (
        select(of.id, of.assignment_id, of.notebook_id, of.late_submission_penalty)
        .join(own, own.id == of.assignment_id)
        .where(of.notebook_id == notebook.id)
        .where(own.student_id.in_(students))
    )
    notebooks = {
        row["assignment_id"]: Row.read(row) for row in gradebook.db.execute(query).mappings()
    }
    found = {}
    for name in students:
        assignment = assignments.get(name) or Row(
            id=_new_id(),
            assignment_id=notebook.assignment.id,
            student_id=name,
            timestamp=None,
            extension=None,
        )
        own_notebook = notebooks.get(assignment["id"]) or Row(
            id=_new_id(),
            assignment_id=assignment["id"],
            notebook_id=notebook.id,
            late_submission_penalty=None,
        )
        found[name] = Submission(name, assignment, own_notebook)
    return found


def _read_cells(
    gradebook: Any,
    notebook: Any,
    submissions: Mapping[str, Submission],
    name: str,
    model: Any,
    columns: Sequence[str],
) -> None:
    """Read the rows of cells into submissions."""
    from nbgrader.api import BaseCell, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import select

    own = (model.id, model.cell_id, model.notebook_id, *(getattr(model, one) for one in columns))
    query = (
        select(SubmittedAssignment.student_id.label("of"), BaseCell.name.label("cell"), *own)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(model, model.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == model.cell_id)
        .where(SubmittedNotebook.notebook_id == notebook.id)
        .where(SubmittedAssignment.student_id.in_(list(submissions)))
    )
    names = ("id", "cell_id", "notebook_id", *columns)
    for student, cell, *values in gradebook.db.execute(query):
        row = Row.read(dict(zip(names, values, strict=True)))
        getattr(submissions[student], name)[cell] = row


def _new_id() -> str:
    return uuid4().hex
