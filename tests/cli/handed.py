"""A class that hands in: each notebook says what it earns, so that no code of it must run."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.manifest import Manifest, QuestionEntry
from autograder.artefacts.results import (
    CaseResult,
    CheckResult,
    QuestionResult,
    Result,
    Status,
    Verdict,
    digest_of,
)
from autograder.engines.table import ENGINES
from autograder.engines.work import Graded, Job, Work
from autograder.grading.intake import read_submitted

__all__ = ["Class", "nbgraders"]

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
OPEN = {"broken": Verdict.BROKEN, "gpu": Verdict.PENDING}


class Class:
    """A class of the small course, in which grading reads points.

    Args:
        root: of the course.
        monkeypatch: puts the reading of points in the place of grading.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._clock = MONDAY + timedelta(days=30)
        monkeypatch.setitem(ENGINES, "local", self._grade)

    def hand_in(self, student: str, day: int | None, **points: object) -> str:
        """Put a submission into its place; return the name that results have for it.

        Args:
            student: who hands in.
            day: of the week, 0 is Monday; None is not told.
            points: of ``scaled_sum``, ``choice`` and ``proof``: a number, "broken" or "gpu". A
                proof without a number waits for staff.
        """
        folder = self.root / "submitted" / student / "small"
        folder.mkdir(parents=True, exist_ok=True)
        notebook = json.loads((self.root / "release" / "small" / "small.ipynb").read_text())
        notebook["metadata"]["points"] = points
        data = json.dumps(notebook).encode()
        (folder / "small.ipynb").write_bytes(data)
        (folder / "timestamp.txt").unlink(missing_ok=True)
        if day is not None:
            time = MONDAY + timedelta(days=day)
            (folder / "timestamp.txt").write_text(f"{time:%Y-%m-%d %H:%M:%S} UTC")
        return digest_of(data)

    def configure(self, text: str) -> None:
        """Write what the course has decided, in place of former decisions."""
        (self.root / "course.toml").write_text(f'name = "Small"\n{text}')

    def enter(self, student: str, cell: str, score: float) -> None:
        """Do what formgrader does."""
        with sqlite3.connect(self.root / "gradebook.db") as db:
            db.execute(
                "update grade set manual_score = ?, needs_manual_grade = 0 where cell_id in "
                "(select id from base_cell where name = ?) and notebook_id in "
                "(select n.id from submitted_notebook n join submitted_assignment a "
                "on a.id = n.assignment_id where a.student_id = ?)",
                (score, cell, student),
            )
        db.close()

    def _grade(self, work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
        bundle = read_bundle(work.bundle)
        for job in jobs:
            submitted = read_submitted(job.path)
            points = json.loads(submitted.data)["metadata"]["points"]
            self._clock += timedelta(seconds=1)
            result = _result(bundle.manifest, job.student, points)
            result = {**result, "device": work.device, "graded_at": f"{self._clock:%FT%TZ}"}
            result |= {"submission": digest_of(submitted.data), "bundle": bundle.id}
            yield Graded(job.student, submitted, Result(**result))


def _result(manifest: Manifest, student: str, points: Mapping[str, object]) -> dict[str, object]:
    questions = tuple(_question(entry, points.get(entry.id)) for entry in manifest.questions)
    states = {one.status for one in questions}
    order = (Status.NEEDS_ATTENTION, Status.PENDING)
    return {
        "assignment": manifest.assignment,
        "student": student,
        "status": next((one for one in order if one in states), Status.GRADED),
        "autograder": "0.1.0",
        "earned": sum(one.earned for one in questions),
        "possible": manifest.possible,
        "notes": (),
        "questions": questions,
    }


def _question(entry: QuestionEntry, points: object) -> QuestionResult:
    earned = float(points) if isinstance(points, int | float) else 0.0
    if entry.manual:
        state = Status.GRADED if points is not None else Status.PENDING
        return QuestionResult(entry.id, entry.points, earned, state, ())
    verdict = OPEN.get(str(points), Verdict.PASSED if earned else Verdict.FAILED)
    state = {Verdict.BROKEN: Status.NEEDS_ATTENTION, Verdict.PENDING: Status.PENDING}.get(
        verdict, Status.GRADED
    )
    cases = tuple(CaseResult(n, h, verdict, 0.0) for n, h in entry.checks[0].cases)
    check = CheckResult(entry.checks[0].name, entry.points, earned, cases)
    return QuestionResult(entry.id, entry.points, earned, state, (check,))


def nbgraders(root: Path) -> dict[str, float]:
    """Return the number that nbgrader's own export says of each student."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        found = gradebook.assignment_submissions("small")
        return {
            one.student_id: max(one.score - (one.late_submission_penalty or 0.0), 0.0)
            for one in found
        }
