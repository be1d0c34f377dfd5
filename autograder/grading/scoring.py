"""Scores: what a list of verdicts is worth.

No share of a point is rounded before it is added up: whoever shows a score rounds it. What is
complete is worth exactly its points, whatever its parts add up to in floating point.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from autograder.artefacts.bundle import Bundle
from autograder.artefacts.manifest import CheckEntry, QuestionEntry
from autograder.artefacts.results import (
    CaseResult,
    CheckResult,
    Priced,
    QuestionResult,
    Result,
    Status,
    Verdict,
    digest_of,
)
from autograder.version import own_version

__all__ = [
    "at_its_price",
    "broken",
    "result_of",
    "score_check",
    "score_manual",
    "score_question",
    "status_of",
    "unreadable",
]


def score_check(entry: CheckEntry, cases: Sequence[CaseResult]) -> CheckResult:
    """Return a check's result: its points shared equally by its cases, or all for all.

    What fails typical inputs of a domain earns nothing, wherever else it happens to be right.
    """
    passed = {case.name for case in cases if case.verdict is Verdict.PASSED}
    share = len(passed) / len(cases) if cases else 0.0
    if entry.all_or_nothing:
        share = float(share == 1.0)
    if entry.typical is not None and entry.typical not in passed:
        share = 0.0
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


def at_its_price(question: QuestionResult, mistake: str, costs: float) -> QuestionResult:
    """Return the result of a question of which a mistake costs its price, and no more.

    Gradebooks have scores of checks: what the price leaves beyond what they came to goes to those
    that lost points, in their order.

    Args:
        question: what its checks came to.
        mistake: its title.
        costs: the price; nobody loses more by it than the checks have taken.
    """
    earned = max(question.points - costs, question.earned)
    left, checks = earned - question.earned, []
    for check in question.checks:
        more = min(check.points - check.earned, left)
        left -= more
        checks.append(msgspec.structs.replace(check, earned=check.earned + more))
    return msgspec.structs.replace(
        question,
        earned=earned,
        checks=tuple(checks),
        priced=Priced(mistake, float(costs), question.earned),
    )


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


def broken(
    bundle: Bundle, student: str, data: bytes, fault: str, device: str, clock: Callable[[], str]
) -> Result:
    """Return the result of a submission on which the harness broke: it is graded again."""
    result = unreadable(bundle, student, data, "", device, clock)
    return msgspec.structs.replace(result, notes=(), fault=fault)


def unreadable(
    bundle: Bundle, student: str, data: bytes, reason: str, device: str, clock: Callable[[], str]
) -> Result:
    """Return the result of a submission that cannot be graded: staff act, nobody loses."""
    questions = tuple(
        QuestionResult(entry.id, entry.points, 0.0, Status.NEEDS_ATTENTION, ())
        for entry in bundle.manifest.questions
    )
    return result_of(bundle, student, data, questions, (reason,), device, clock)


def result_of(
    bundle: Bundle,
    student: str,
    data: bytes,
    questions: tuple[QuestionResult, ...],
    notes: tuple[str, ...],
    device: str,
    clock: Callable[[], str],
) -> Result:
    """Return the result of a submission, from those of its questions."""
    return Result(
        assignment=bundle.manifest.assignment,
        student=student,
        submission=digest_of(data),
        bundle=bundle.id,
        status=status_of(questions),
        device=device,
        graded_at=clock(),
        autograder=own_version(),
        earned=round(sum(question.earned for question in questions), 6),
        possible=bundle.manifest.possible,
        notes=notes,
        questions=questions,
    )
