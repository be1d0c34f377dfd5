"""Feedback: one page for one student about one attempt, with nothing hidden in it."""

from dataclasses import dataclass
from pathlib import Path

from autograder.grading.bundle import CheckEntry, Manifest, QuestionEntry
from autograder.grading.results import BROKE, CheckResult, QuestionResult, Result, Status, Verdict
from autograder.records.pages import write_page
from autograder.records.words import (
    CaseWords,
    Standing,
    check_words,
    clean,
    question_pairs,
    standing,
)

__all__ = ["write_feedback"]


@dataclass(frozen=True)
class CheckView:
    """A check as its student reads it; the hint helps with each hidden case that did not pass."""

    summary: str
    points: float
    earned: float
    tally: str
    passed: bool
    hint: str | None
    cases: list[CaseWords]


@dataclass(frozen=True)
class QuestionView:
    """A question as its student reads it."""

    id: str
    title: str
    points: float
    earned: float
    decided: bool
    standing: Standing
    checks: list[CheckView]


def write_feedback(path: Path, result: Result, manifest: Manifest, course_name: str) -> None:
    """Write a student's feedback page, which holds only what a student may read."""
    questions = [
        _question(entry, question) for entry, question in question_pairs(manifest, result.questions)
    ]
    write_page(
        path,
        "feedback.html",
        course=course_name,
        title=manifest.title,
        student=clean(result.student),
        graded_at=result.graded_at,
        device=result.device,
        submission=result.submission,
        earned=result.earned,
        possible=result.possible,
        undecided=sum(q.points - q.earned for q in questions if not q.decided),
        begun=any(q.decided or q.earned for q in questions),
        attention=result.status is Status.NEEDS_ATTENTION,
        # What broke on our side is for staff; the statuses say that it did.
        notes=[clean(note) for note in result.notes if not note.startswith(BROKE)],
        questions=questions,
    )


def _question(entry: QuestionEntry, question: QuestionResult) -> QuestionView:
    entries = {check.name: check for check in entry.checks}
    return QuestionView(
        id=entry.id,
        title=entry.title,
        points=question.points,
        earned=question.earned,
        decided=question.status is Status.GRADED,
        standing=standing(entry, question),
        checks=[_check(check, entries.get(check.name)) for check in question.checks],
    )


def _check(check: CheckResult, entry: CheckEntry | None) -> CheckView:
    cases = check_words(check, entry)
    passed = sum(case.verdict is Verdict.PASSED for case in cases)
    whole = passed == len(cases)
    return CheckView(
        summary=entry.summary if entry else check.name,
        points=check.points,
        earned=check.earned,
        tally=f"all {passed} cases passed" if whole else f"{passed} of {len(cases)} cases passed",
        passed=whole,
        hint=next((case.hint for case in cases if case.hint), None),
        cases=cases,
    )
