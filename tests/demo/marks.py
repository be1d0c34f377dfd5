"""What a person gives for the write-ups' written answers, by the mark schemes: `answers/marks.csv`.

Once the class is graded, ``python -m tests.demo.marks`` enters it as staff would by
``autograder override``; `test_writeups.py` holds that nothing is left to be graded then.
"""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from autograder.course import Course, find_course
from autograder.engines.staff import Draft, override

ROOT = Path(__file__).resolve().parents[2]
MARKS = Path(__file__).parent / "answers" / "marks.csv"
READER = "reader"  # the author of these entries
WHY = "by the mark scheme"


class Mark(NamedTuple):
    """What a written answer earns, and why."""

    student: str
    assignment: str
    question: str
    earned: float
    points: float
    why: str


def marks(assignment: str | None = None) -> list[Mark]:
    """Return the marks of an assignment, or all of them."""
    with MARKS.open(encoding="utf-8", newline="") as file:
        rows = [
            Mark(**{**row, "earned": float(row["earned"]), "points": float(row["points"])})
            for row in csv.DictReader(file)
        ]
    return [row for row in rows if assignment in (None, row.assignment)]


def enter_marks(course: Course, names: Iterable[str]) -> None:
    """Enter the marks of some assignments, which are graded; each reason is the comment."""
    for name in names:
        for mark in marks(name):
            draft = Draft(mark.student, mark.question, mark.earned, WHY, READER, comment=mark.why)
            override(course, name, draft)


if __name__ == "__main__":
    assignments = sys.argv[1:] or sorted({mark.assignment for mark in marks()})
    enter_marks(find_course(ROOT), assignments)
    sys.stdout.write(f"entered the marks of {', '.join(assignments)}\n")
