"""What staff entered in the gradebook, brought together with the journal of entries.

The gradebook keeps which entries of the journal it was written from. So what differs from them was
entered there since, and goes into the journal; what the journal has beyond them, the gradebook has
lost, as one that was restored from a backup, or made anew.
"""

from collections.abc import Iterator, Mapping, Set
from datetime import datetime, timedelta
from typing import Any

import msgspec

from autograder.records.entries import (
    EVERYBODY,
    FORMGRADER,
    WHOLE,
    Entry,
    Field,
    Journal,
    Key,
    State,
)
from autograder.records.gradebook_rows import Submission
from autograder.records.marks import read_mark

__all__ = ["reconcile", "write_due", "write_entered"]

Value = float | str | None


def reconcile(
    gradebook: Any,
    assignment: str,
    journal: Journal,
    penalties_are_staffs: bool,
    shown: Mapping[str, str],
) -> dict[Key, Entry]:
    """Put into the journal what was entered in the gradebook since, and return what counts.

    Args:
        gradebook: nbgrader's, open for a change.
        assignment: the name.
        journal: of the assignment.
        penalties_are_staffs: whether penalties come from nbgrader's plugin, and not from
            `course.toml`.
        shown: the submission of each student whose scores the gradebook has: what is scored there
            is its answer.
    """
    number, digest, ours = read_mark(gradebook, assignment)
    known = journal.state(number) if journal.knows(number, digest) else {}
    head = journal.state()
    touched = {(key.student, key.cell) for key in (*known, *head)}
    found = _entered(gradebook, assignment, touched, penalties_are_staffs and not ours)
    new = [
        msgspec.structs.replace(entry, submission=shown.get(entry.student))
        if entry.field is Field.SCORE
        else entry
        for entry in found
        if entry.value not in (_value(known, entry.key), _value(head, entry.key))
    ]
    journal.append(new)
    return journal.state()


def write_entered(submission: Submission, state: State) -> set[str]:
    """Write what counts of staff's entries into a student's rows; return the cells it changes.

    Args:
        submission: the student's rows.
        state: what counts.
    """
    student, changed = submission.student, set()
    for cell, grade in submission.grades.items():
        score = _value(state, Key(student, cell, Field.SCORE))
        extra = _value(state, Key(student, cell, Field.EXTRA))
        if grade["manual_score"] != score:
            grade["manual_score"] = score
            changed.add(cell)
        if (grade["extra_credit"] or None) != extra:
            grade["extra_credit"] = extra
    for cell, comment in submission.comments.items():
        text = _value(state, Key(student, cell, Field.COMMENT))
        if (comment["manual_comment"] or None) != text:
            comment["manual_comment"] = text
    extension = _value(state, Key(student, WHOLE, Field.EXTENSION))
    assignment = submission.assignment
    if _seconds(assignment["extension"]) != extension:
        assignment["extension"] = timedelta(seconds=float(extension)) if extension else None
    return changed


def write_due(assignment: Any, state: State) -> None:
    """Write the due date that staff entered."""
    due = _value(state, Key(EVERYBODY, WHOLE, Field.DUE))
    wanted = datetime.fromisoformat(due) if isinstance(due, str) else None
    if assignment.duedate != wanted:
        assignment.duedate = wanted


def _value(state: State, key: Key) -> Value:
    entry = state.get(key)
    return None if entry is None else entry.value


def _entered(
    gradebook: Any, name: str, touched: Set[tuple[str, str]], penalties_are_staffs: bool
) -> Iterator[Entry]:
    """Yield what is entered, and nothing where something was once: that was taken back, perhaps.

    Args:
        gradebook: nbgrader's.
        name: the assignment.
        touched: students and cells of which the journal has entries.
        penalties_are_staffs: whether penalties are entered, too.
    """
    from nbgrader.api import (
        Assignment,
        BaseCell,
        Comment,
        Grade,
        GradeCell,
        SubmittedAssignment,
        SubmittedNotebook,
    )
    from sqlalchemy import select

    def rows(*columns: Any) -> Any:
        return (
            select(SubmittedAssignment.student_id, *columns)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .where(Assignment.name == name)
        )

    def of_notebooks(model: Any, *columns: Any) -> Any:
        return (
            rows(BaseCell.name, *columns)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(model, model.notebook_id == SubmittedNotebook.id)
            .join(BaseCell, BaseCell.id == model.cell_id)
        )

    def run(query: Any) -> Any:
        return gradebook.db.execute(query)

    points = dict(run(select(GradeCell.id, GradeCell.max_score)).all())
    for student, cell, cell_id, manual, extra, automatic in run(
        of_notebooks(Grade, Grade.cell_id, Grade.manual_score, Grade.extra_credit, Grade.auto_score)
    ):
        if manual is None and not extra and (student, cell) not in touched:
            continue
        worth = points.get(cell_id)
        yield _entry(Key(student, cell, Field.SCORE), manual, worth, automatic)
        yield _entry(Key(student, cell, Field.EXTRA), extra or None, worth, automatic)
    for student, cell, text in run(of_notebooks(Comment, Comment.manual_comment)):
        if text or (student, cell) in touched:
            yield _entry(Key(student, cell, Field.COMMENT), text or None)
    for student, extension in run(rows(SubmittedAssignment.extension)):
        yield _entry(Key(student, WHOLE, Field.EXTENSION), _seconds(extension))
    for (due,) in run(select(Assignment.duedate).where(Assignment.name == name)):
        yield _entry(Key(EVERYBODY, WHOLE, Field.DUE), due.isoformat() if due else None)
    if penalties_are_staffs:
        late = rows(SubmittedNotebook.late_submission_penalty).join(
            SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id
        )
        for student, penalty in run(late):
            yield _entry(Key(student, WHOLE, Field.PENALTY), penalty or None)


def _entry(
    key: Key, value: Value, points: float | None = None, automatic: float | None = None
) -> Entry:
    return Entry(*key, value, FORMGRADER, points=points, automatic=automatic)


def _seconds(extension: timedelta | None) -> float | None:
    return extension.total_seconds() if extension else None
