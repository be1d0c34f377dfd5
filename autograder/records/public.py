"""A grade as its student may read it: for programs, and as plain text."""

from collections.abc import Iterator
from typing import Any

from autograder.artefacts.grades import Grade, GradeStatus, QuestionGrade
from autograder.artefacts.results import CheckResult, Verdict
from autograder.records.account import question_words
from autograder.records.pages import format_points
from autograder.records.words import (
    CaseWords,
    clean,
    price_words,
    priced_in,
    shared_diagnoses,
    standing,
)

__all__ = ["ATTENTION", "feedback_text", "public_result", "question_lines", "words_of"]

ATTENTION = "This could not be graded. It is not counted as zero: staff will act."


def words_of(question: QuestionGrade) -> Iterator[tuple[CheckResult, list[CaseWords]]]:
    """Yield the checks of a question with what a student may read of their cases."""
    yield from zip(question.checks, question_words(question), strict=True)


def question_lines(question: QuestionGrade) -> list[str]:
    """Return what a student may read of a question, as lines."""
    lines = [f"{clean(comment)}" for comment in question.comments]
    if price := price_words(question):
        lines.append(price)
    summaries = {check.name: check.summary for check in question.entry.checks}
    if not question.checks:
        lines.insert(0, standing(question.entry, question).words)
    shared = shared_diagnoses(question_words(question))
    lines += [f"looks like: {diagnosis}" for diagnosis in shared]
    for check, words in words_of(question):
        passed = sum(case.verdict is Verdict.PASSED for case in words)
        summary = clean(summaries.get(check.name, check.name))
        lines.append(f"{summary} ({passed} of {len(words)} cases passed)")
        for case in words:
            if case.verdict is not Verdict.PASSED:
                lines.append(f"  {case.name}: {case.words}")
                lines += [f"    {line}" for line in (case.message or "").splitlines()]
                if case.call:
                    what = (
                        "the smallest inputs found that fail, to try"
                        if case.smallest
                        else "to try it"
                    )
                    lines.append(f"    {what} in the notebook:")
                    lines += [f"      {line}" for line in case.call.split("\n")]
        diagnoses = dict.fromkeys(case.diagnosis for case in words if case.diagnosis)
        lines += [f"  looks like: {text}" for text in diagnoses if text not in shared]
        if hints := dict.fromkeys(case.hint for case in words if case.hint):
            lines += [f"  hint: {hint}" for hint in hints]
    return lines


def feedback_text(title: str, grade: Grade) -> str:
    """Return a student's feedback as text.

    Args:
        title: the assignment's.
        grade: the student's.
    """
    of_all = f"of {format_points(grade.possible)} points"
    if grade.total is not None:
        lines = [f"{clean(title)}: {format_points(grade.total)} {of_all}"]
    elif grade.is_begun:
        lines = [f"{clean(title)}: {format_points(grade.earned)} {of_all} so far"]
    else:
        lines = [f"{clean(title)}: not graded yet"]
    if grade.status is GradeStatus.NEEDS_ATTENTION:
        lines.append(ATTENTION)
    if grade.counted is not None and grade.counted.words:
        lines.append(grade.counted.words)
    if grade.late.why:
        lines.append(clean(grade.late.why))
    lines += [clean(note) for note in (grade.result.notes if grade.result else ())]
    for question in grade.questions:
        how = standing(question.entry, question)
        points = f"{how.mark or format_points(question.earned)}/{format_points(question.points)}"
        lines += ["", f"{clean(question.entry.title)}: {points}, {how.words}"]
        lines += [f"  {line}" for line in (question_lines(question) if question.checks else ())]
    return "\n".join(lines) + "\n"


def public_result(grade: Grade) -> dict[str, Any]:
    """Return a grade for programs, without anything that only staff may know.

    Hidden cases have a number for a name, and neither a message of theirs nor figures.
    """
    result = grade.result
    attempt = {"attempt": grade.counted.words} if grade.counted is not None else {}
    return {
        "schema": 1,
        "assignment": grade.assignment,
        "status": grade.status.value,
        "earned": grade.earned if grade.is_begun else None,
        "possible": grade.possible,
        "submission": result.submission if result else None,
        "bundle": result.bundle if result else None,
        "graded_at": result.graded_at if result else None,
        "autograder": result.autograder if result else None,
        "notes": [clean(note) for note in (result.notes if result else ())],
        **attempt,
        "questions": [
            {
                "id": question.id,
                "points": question.points,
                "earned": question.score,
                "status": question.status.value,
                **_price(question),
                "checks": [_public_check(check, words) for check, words in words_of(question)],
            }
            for question in grade.questions
        ],
    }


def _price(question: QuestionGrade) -> dict[str, Any]:
    """Return the mistake that a question was scored by, where there is one."""
    priced = priced_in(question)
    said = {"mistake": clean(priced.mistake), "costs": priced.costs} if priced else None
    return {"priced": said} if said else {}


def _public_check(check: CheckResult, words: list[CaseWords]) -> dict[str, Any]:
    return {
        "name": check.name,
        "points": check.points,
        "earned": check.earned,
        "cases": [
            {
                "name": case.name,
                "verdict": case.verdict.value,
                "message": case.message,
                "diagnosis": case.diagnosis,
            }
            for case in words
        ],
    }
