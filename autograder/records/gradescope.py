"""Gradescope: what its container puts into ``results.json``, a file for each student."""

from typing import TYPE_CHECKING, Any

from autograder.artefacts.grades import Grade, GradeStatus, QuestionGrade
from autograder.records.exporting import Exported
from autograder.records.filling import known_students
from autograder.records.public import ATTENTION, public_result, question_lines
from autograder.records.words import clean, question_label
from autograder.visible import json_text

if TYPE_CHECKING:
    from autograder.records.exporting import Wanted

__all__ = ["gradescope_export", "gradescope_results"]


def gradescope_export(wanted: "Wanted") -> Exported:
    """Return ``<assignment>/<student>.json`` of everybody who submitted something."""
    files = {
        f"{manifest.assignment}/{student}.json": json_text(gradescope_results(grades[student]))
        for manifest, grades in wanted.classes
        for student in known_students([(manifest, grades)])
    }
    return Exported({name: text.encode() + b"\n" for name, text in files.items()})


def gradescope_results(grade: Grade) -> dict[str, Any]:
    """Return what Gradescope reads: a test for each question.

    What is not decided has no score, so that nobody reads a zero that is none.
    """
    notes = [clean(note) for note in (grade.result.notes if grade.result else ())]
    if grade.status is GradeStatus.NEEDS_ATTENTION:
        notes.insert(0, ATTENTION)
    if grade.counted is not None and grade.counted.words:
        notes.append(grade.counted.words)
    if grade.late.why:
        notes.append(clean(grade.late.why))
    found: dict[str, Any] = {
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "output_format": "text",
        "output": "\n".join(notes),
        "tests": [_test(question, n) for n, question in enumerate(grade.questions, 1)],
        "extra_data": public_result(grade),
    }
    if grade.total is not None:
        found["score"] = grade.total
    return found


def _test(question: QuestionGrade, number: int) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": clean(question.entry.title),
        "number": question_label(question.entry, number),
        "max_score": question.points,
        "output": "\n".join(question_lines(question)),
        "output_format": "text",
        "visibility": "visible",
    }
    if question.score is not None:
        test["score"] = question.score
    return test
