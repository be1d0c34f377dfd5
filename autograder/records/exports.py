"""Exports of our own: one row per student, for a spreadsheet or a program."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograder.artefacts.grades import Grade, GradeStatus, counting
from autograder.artefacts.manifest import Manifest
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.records.exporting import Classes

__all__ = ["course_text", "csv_text", "harmless", "table"]

# A cell that begins so is a formula to some spreadsheet; the last four are full-width forms. Where
# the comma is the decimal sign, a semicolon begins a new cell.
FORMULA = re.compile("(^|;)(?=\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
TOTALS = ("earned", "possible", "penalty", "extra", "status")


def csv_text(manifest: Manifest, grades: Mapping[str, Grade]) -> str:
    """Return a table with a row per student; a cell without a decided score is empty.

    Where several attempts may count, or a team's, the last column says which one does.
    """
    ids = [question.id for question in manifest.questions]
    several = any(grade.counted is not None for grade in grades.values())
    totals = (*TOTALS, "attempt") if several else TOTALS
    rows: list[Sequence[Any]] = [["student", *map(harmless, ids), *totals]]
    for row in _rows(manifest, grades):
        scores = [row["questions"][question] for question in ids]
        told = [row.get(key, "") for key in totals]
        rows.append([harmless(row["student"]), *scores, *told])
    return _text(rows)


def course_text(classes: "Classes", drop_lowest: int = 0) -> str:
    """Return a table of a course: a row per student, a column per assignment, and the sum.

    A grade of which something is open is empty and in no sum: ``possible`` is that of the decided
    ones, ``open`` counts the others. So is one that was dropped, among the lowest, in no sum.
    """
    names = [harmless(manifest.assignment) for manifest, _ in classes]
    rows: list[Sequence[Any]] = [["student", *names, "earned", "possible", "open"]]
    for student in sorted({student for _, grades in classes for student in grades}):
        own = [grades.get(student) for _, grades in classes]
        totals = [grade.total if grade is not None else None for grade in own]
        decided = [grade for grade in own if grade is not None and grade.total is not None]
        missing = sum(grade is None or grade.status is GradeStatus.MISSING for grade in own)
        counted = counting(decided, missing, drop_lowest)
        earned = sum(grade.earned for grade in counted) if counted else None
        possible = sum(grade.possible for grade in counted)
        rows.append([harmless(student), *totals, earned, possible, len(classes) - len(decided)])
    return _text(rows)


def table(manifest: Manifest, grades: Mapping[str, Grade]) -> dict[str, Any]:
    """Return the same for programs: an object per student; a score not decided is None."""
    return {"assignment": manifest.assignment, "students": _rows(manifest, grades)}


def harmless(text: str) -> str:
    """Return text that a spreadsheet shows and does not compute, and that steers no terminal."""
    return FORMULA.sub(r"\1'", visible(text))


def _rows(manifest: Manifest, grades: Mapping[str, Grade]) -> list[dict[str, Any]]:
    return [_row(manifest, grades[student]) for student in sorted(grades)]


def _row(manifest: Manifest, grade: Grade) -> dict[str, Any]:
    scores = {question.id: question.score for question in grade.questions}
    attempt = {"attempt": harmless(grade.counted.words)} if grade.counted is not None else {}
    return {
        "student": grade.student,
        "questions": {entry.id: scores[entry.id] for entry in manifest.questions},
        # Nothing of it could be graded: that is no zero.
        "earned": grade.earned if grade.is_begun else None,
        "possible": grade.possible,
        "penalty": grade.late.penalty,
        "extra": sum((question.extra for question in grade.questions), 0.0),
        "status": grade.status.value,
        **attempt,
    }


def _text(rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
