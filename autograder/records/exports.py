"""Exports: one row per student, for a spreadsheet or a program."""

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import Result, Status
from autograder.records.words import question_pairs
from autograder.visible import visible

__all__ = ["csv_text", "table"]

# A cell that begins so is a formula to some spreadsheet; the last four are full-width forms. Where
# the comma is the decimal sign, a semicolon begins a new cell.
FORMULA = re.compile("(^|;)(?=\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20])")


def csv_text(manifest: Manifest, results: Mapping[str, Result]) -> str:
    """Return a table with a row per student; a cell without a decided score is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    ids = [question.id for question in manifest.questions]
    writer.writerow(["student", *map(_harmless, ids), "earned", "possible", "status"])
    for row in _rows(manifest, results):
        scores = [row["questions"][question] for question in ids]
        writer.writerow(
            [_harmless(row["student"]), *scores, row["earned"], row["possible"], row["status"]]
        )
    return buffer.getvalue()


def table(manifest: Manifest, results: Mapping[str, Result]) -> dict[str, Any]:
    """Return the same for programs: an object per student; a score not decided is None."""
    return {"assignment": manifest.assignment, "students": _rows(manifest, results)}


def _rows(manifest: Manifest, results: Mapping[str, Result]) -> list[dict[str, Any]]:
    return [_row(manifest, results[student]) for student in sorted(results)]


def _row(manifest: Manifest, result: Result) -> dict[str, Any]:
    return {
        "student": result.student,
        "questions": {
            entry.id: question.earned if question.status is Status.GRADED else None
            for entry, question in question_pairs(manifest, result.questions)
        },
        # Nothing of it could be graded: that is no zero.
        "earned": result.earned if _decided(result) else None,
        "possible": result.possible,
        "status": result.status.value,
    }


def _decided(result: Result) -> bool:
    """Whether anything of a result is decided: what could not be read, or was a trial, is not."""
    undecided = (Status.NEEDS_ATTENTION, Status.UNGRADED)
    return any(q.status not in undecided for q in result.questions)


def _harmless(text: str) -> str:
    """Return text that a spreadsheet shows and does not compute, and that steers no terminal."""
    return FORMULA.sub(r"\1'", visible(text))
