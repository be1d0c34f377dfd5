"""Exports: one row per student, for a spreadsheet or a program."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.grading.bundle import Manifest
from autograder.grading.results import Result, Status
from autograder.records.files import write_atomic
from autograder.records.words import question_pairs

__all__ = ["export_csv", "export_json"]

# A cell that begins so is a formula to some spreadsheet; the last four are full-width forms.
FORMULA = (*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def export_csv(path: Path, manifest: Manifest, results: Mapping[str, Result]) -> None:
    """Write a table with a row per student; a cell without a decided score is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    ids = [question.id for question in manifest.questions]
    writer.writerow(["student", *map(_harmless, ids), "earned", "possible", "status"])
    for row in _rows(manifest, results):
        scores = [row["questions"][question] for question in ids]
        writer.writerow(
            [_harmless(row["student"]), *scores, row["earned"], row["possible"], row["status"]]
        )
    write_atomic(path, buffer.getvalue().encode("utf-8", "replace"))


def export_json(path: Path, manifest: Manifest, results: Mapping[str, Result]) -> None:
    """Write a list with an object per student; a score that is not decided is null."""
    table = {"assignment": manifest.assignment, "students": _rows(manifest, results)}
    text = json.dumps(table, ensure_ascii=False, indent=1)
    write_atomic(path, text.encode("utf-8", "replace") + b"\n")


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
        "earned": result.earned if result.questions else None,
        "possible": result.possible,
        "status": result.status.value,
    }


def _harmless(text: str) -> str:
    """Return text that a spreadsheet shows and does not compute."""
    return f"'{text}" if text.startswith(FORMULA) else text
