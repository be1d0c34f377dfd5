"""Scores: what a list of verdicts is worth.

No share of a point is rounded before it is added up: whoever shows a score rounds it. What is
complete is worth exactly its points, whatever its parts add up to in floating point.
"""

import math
from collections.abc import Iterable, Sequence

from autograder.grading.bundle import CheckEntry, QuestionEntry
from autograder.grading.results import (
    CaseResult,
    CheckResult,
    QuestionResult,
    Status,
    Verdict,
)

__all__ = ["score_check", "score_manual", "score_question", "status_of"]


def score_check(entry: CheckEntry, cases: Sequence[CaseResult]) -> CheckResult:
    """Return a check's result: its points shared equally by its cases, or all for all."""
    passed = sum(case.verdict is Verdict.PASSED for case in cases)
    share = passed / len(cases) if cases else 0.0
    if entry.all_or_nothing:
        share = float(share == 1.0)
    return CheckResult(entry.name, entry.points, entry.points * share, tuple(cases))


def score_question(entry: QuestionEntry, checks: Sequence[CheckResult]) -> QuestionResult:
    """Return the result of a question with checks."""
    verdicts = {case.verdict for check in checks for case in check.cases}
    status = Status.GRADED
    if Verdict.PENDING in verdicts:
        status = Status.PENDING
    if Verdict.BROKEN in verdicts:
        status = Status.NEEDS_ATTENTION
    complete = bool(checks) and all(check.earned == check.points for check in checks)
    earned = entry.points if complete else math.fsum(check.earned for check in checks)
    return QuestionResult(entry.id, entry.points, earned, status, tuple(checks))


def score_manual(entry: QuestionEntry, answered: bool) -> QuestionResult:
    """Return the result of a manual question: pending, or 0 where the cell was left untouched."""
    status = Status.PENDING if answered else Status.GRADED
    return QuestionResult(entry.id, entry.points, 0.0, status, ())


def status_of(questions: Iterable[QuestionResult]) -> Status:
    """Return the status of a result: the gravest of its questions'."""
    found = {question.status for question in questions}
    for status in (Status.UNGRADED, Status.NEEDS_ATTENTION, Status.PENDING):
        if status in found:
            return status
    return Status.GRADED
