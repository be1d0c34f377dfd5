"""What nbgrader's own tools read of a graded class: the gradebook and the graded notebooks."""

import io
from collections.abc import Collection, Mapping, Sequence
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from nbformat.notebooknode import NotebookNode, from_dict

from autograder.artefacts.results import QuestionResult, Result, Status
from autograder.errors import HarnessError, StudentError
from autograder.foreign.course import NbgraderCourse
from autograder.foreign.definition import Definition, NotebookDefinition
from autograder.foreign.manifests import of_notebook, question_id
from autograder.foreign.submissions import (
    SECRET,
    Arranged,
    Placed,
    SubmittedFolder,
    arrange,
    is_unchanged,
)
from autograder.grading.intake import read_beside
from autograder.records.autograded import write_autograded
from autograder.records.database import ADVICE, reason_of
from autograder.records.gradebook_rows import Row, Submission, rows_of, write_rows
from autograder.records.times import read_time
from autograder.records.whole_files import write_atomic

__all__ = ["Seen", "arranged_of", "write_graded_notebooks", "write_scores"]

BATCH = 200  # students whose rows are in memory at one time
MOST_BYTES = 1000  # of a secret
NO_RESPONSE = "No response."  # nbgrader's words


@dataclass(frozen=True)
class Seen:
    """What the gradebook keeps of a submission: its result, its time, and answers that are none.

    Attributes:
        result: the submission's.
        timestamp: what ``timestamp.txt`` says, if it is there.
        blank: notebook and grade_id of each answer that is as it was released.
    """

    result: Result
    timestamp: str | None
    blank: frozenset[tuple[str, str]]

    @classmethod
    def of(
        cls, submitted: SubmittedFolder, arranged: Mapping[str, Arranged], result: Result
    ) -> "Seen":
        """Return what to keep of what was read."""
        blank = {
            (name, placed.graded.name)
            for name, notebook in arranged.items()
            for placed in notebook.cells
            if placed.graded is not None and placed.graded.is_solution and is_unchanged(placed)
        }
        return cls(result, submitted.timestamp, frozenset(blank))


def arranged_of(definition: Definition, submitted: SubmittedFolder) -> dict[str, Arranged]:
    """Return the notebooks of a submission that can be read, in order, by name."""
    found = {}
    for notebook in definition.notebooks:
        if (data := submitted.notebooks.get(notebook.name)) is not None:
            with suppress(StudentError):
                found[notebook.name] = arrange(data, notebook)
    return found


def write_graded_notebooks(
    course: NbgraderCourse,
    definition: Definition,
    place: Path,
    submitted: SubmittedFolder,
    arranged: Mapping[str, Arranged],
    result: Result,
) -> None:
    """Write the graded notebooks of a student, where formgrader and feedback look for them.

    They hold the student's own outputs as text and pictures, and what came of each test.

    Args:
        course: whose folders are written.
        definition: the assignment's.
        place: the folder that was submitted.
        submitted: what was read there.
        arranged: its notebooks.
        result: of that.
    """
    folder = course.autograded(definition.assignment, result.student)
    for notebook in definition.notebooks:
        path = folder / f"{notebook.name}.ipynb"
        if notebook.name not in arranged:
            path.unlink(missing_ok=True)
            continue
        questions = tuple(
            _renamed(question, cell.name)
            for cell in notebook.graded
            for question in result.questions
            if question.id == question_id(definition, notebook, cell.name)
        )
        own = msgspec.structs.replace(result, questions=questions)
        node = _node(arranged[notebook.name])
        write_autograded(path, node, own, of_notebook(definition, notebook))
    for name, data in definition.files.items():  # the pictures of its texts
        write_atomic(folder / name, data)
    if (secret := read_beside(place / SECRET, SECRET, MOST_BYTES)) is not None:
        write_atomic(folder / SECRET, secret)
    if submitted.timestamp is not None:
        write_atomic(folder / "timestamp.txt", submitted.timestamp.encode())


def write_scores(
    course: NbgraderCourse,
    definition: Definition,
    seen: Mapping[str, Seen],
    graded: Collection[str] = (),
) -> None:
    """Write the scores of students into nbgrader's gradebook, all of them or none.

    What staff entered stays. Where a manual score stands for what has been graded anew, nbgrader
    is told that somebody must look again, as its own `autograde` does.

    Args:
        course: whose gradebook is written.
        definition: the assignment's.
        seen: what is known of each student's submission.
        graded: those who were graded anew.

    Raises:
        HarnessError: it cannot be written.
    """
    from sqlalchemy.exc import SQLAlchemyError

    students = sorted(seen)
    try:
        with course.database.opened([]) as opened, opened.gradebook.db.no_autoflush:
            rows = opened.gradebook.find_assignment(definition.assignment).notebooks
            known = {row.name: row for row in rows}
            for notebook in definition.notebooks:
                for begin in range(0, len(students), BATCH):
                    some = students[begin : begin + BATCH]
                    found = rows_of(opened.gradebook, known[notebook.name], some, None)
                    for student, submission in found.submissions.items():
                        _fill(submission, definition, notebook, seen[student], student in graded)
                    write_rows(opened.gradebook, found)
            opened.gradebook.db.expire_all()
            _penalties(course, opened.gradebook, definition, students)
            opened.commit()
    except (SQLAlchemyError, OSError) as error:
        said = f"{course.database.name} cannot be written: {reason_of(error)}; {ADVICE}"
        raise HarnessError(said) from error


def _fill(
    submission: Submission,
    definition: Definition,
    notebook: NotebookDefinition,
    seen: Seen,
    is_new: bool,
) -> None:
    """Put the scores and comments of a student's notebook into its rows."""
    said = None if seen.timestamp is None else read_time(seen.timestamp)
    if said is not None:
        submission.assignment["timestamp"] = said.replace(tzinfo=None)
    questions = {question.id: question for question in seen.result.questions}
    for name, row in submission.grades.items():
        question = questions.get(question_id(definition, notebook, name))
        if question is not None and question.status is not Status.NEEDS_ATTENTION:
            _score(row, question, is_new)
    for name, row in submission.comments.items():
        row["auto_comment"] = NO_RESPONSE if (notebook.name, name) in seen.blank else None


def _score(row: Row, question: QuestionResult, is_new: bool) -> None:
    score = None if question.status is Status.PENDING else question.earned
    if is_new or row["auto_score"] != score or row.before is None:
        row["auto_score"] = score
        row["needs_manual_grade"] = row["manual_score"] is not None or score is None


def _penalties(
    course: NbgraderCourse, gradebook: Any, definition: Definition, students: Sequence[str]
) -> None:
    """Have the course's own plugin say what lateness costs, as nbgrader's `autograde` does."""
    from nbgrader.preprocessors import AssignLatePenalties

    assigning = AssignLatePenalties(parent=course.app)
    with redirect_stderr(io.StringIO()):
        assigning.init_plugin()
        for student in sorted(_maybe_late(gradebook, definition.assignment).intersection(students)):
            submission = gradebook.find_submission(definition.assignment, student)
            late = submission.total_seconds_late
            for notebook in submission.notebooks:
                penalty = None
                if late > 0:
                    plugin = assigning.plugin_inst
                    penalty = plugin.late_submission_penalty(student, notebook.score, late)
                    if penalty is not None:
                        penalty = min(max(penalty, 0), notebook.score)
                if (notebook.late_submission_penalty or None) != penalty:
                    notebook.late_submission_penalty = penalty
    gradebook.db.flush()


def _maybe_late(gradebook: Any, assignment: str) -> set[str]:
    """Return the students who submitted behind the due date, or have a penalty.

    Of these nbgrader says how late they are, which takes it a millisecond each.
    """
    from nbgrader.api import SubmittedAssignment, SubmittedNotebook

    row = gradebook.find_assignment(assignment)
    asked = SubmittedNotebook.late_submission_penalty > 0
    if row.duedate is not None:
        asked |= SubmittedAssignment.timestamp > row.duedate
    query = gradebook.db.query(SubmittedAssignment.student_id).join(SubmittedNotebook)
    return {student for (student,) in query.filter(SubmittedAssignment.assignment == row, asked)}


def _renamed(question: QuestionResult, name: str) -> QuestionResult:
    checks = tuple(msgspec.structs.replace(check, name=name) for check in question.checks)
    return msgspec.structs.replace(question, id=name, checks=checks)


def _node(arranged: Arranged) -> NotebookNode:
    """Return a notebook of nbformat's for what was arranged."""
    return from_dict({"cells": list(map(_cell, arranged.cells)), "metadata": {}})


def _cell(placed: Placed) -> dict[str, Any]:
    cell = placed.cell
    marks = {} if placed.graded is None else {"nbgrader": placed.graded.metadata}
    node: dict[str, Any] = {"cell_type": cell.type, "metadata": marks, "source": cell.source}
    if cell.type == "code":
        return node | {"execution_count": None, "outputs": cell.outputs}
    return node | {"attachments": cell.attachments}
