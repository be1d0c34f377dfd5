"""The account of a grade: how its points came about, and where there are more to gain."""

from collections.abc import Iterator
from dataclasses import dataclass

from autograder.artefacts.grades import Grade, QuestionGrade
from autograder.artefacts.results import Status, Verdict
from autograder.records.words import CaseWords, check_words, clean, is_blank, standing

__all__ = ["Line", "Step", "account_of", "is_unanswered", "question_words", "steps_of", "waits_of"]

MOST_STEPS = 4
LONGEST_ADVICE = 240  # characters


@dataclass(frozen=True)
class Line:
    """A line of the account: what it is, and the points that it adds or takes."""

    what: str
    points: float


@dataclass(frozen=True)
class Step:
    """What a student can do next: a question, the points that it still holds, and advice."""

    id: str
    title: str
    points: float
    label: str
    advice: str


def account_of(grade: Grade) -> list[Line]:
    """Return how the points came about; what the grader found comes first."""
    lines = [Line("Found by the grader", sum(map(_found, grade.questions)))]
    for question in grade.questions:
        title = question.entry.title
        change = question.earned - question.extra - _found(question)
        if question.by_staff and question.entry.manual:
            lines.append(Line(f"{title}: scored by your instructor", change))
        elif change:
            lines.append(Line(f"{title}: changed by your instructor", change))
        if question.extra:
            lines.append(Line(f"{title}: extra credit", question.extra))
    if grade.late.penalty:
        taken = grade.before_penalty - grade.earned
        lines.append(Line(f"Late: {clean(grade.late.why)}", -taken))
    return lines


def _found(question: QuestionGrade) -> float:
    """Return the grader's points: of a check that broke half-way, none count yet."""
    return question.result.earned if question.by_staff else question.earned - question.extra


def waits_of(grade: Grade) -> dict[str, list[str]]:
    """Return the titles of questions that are not decided yet, by what they wait for."""
    waits: dict[str, list[str]] = {}
    for question in grade.questions:
        if question.status is Status.PENDING:
            words = standing(question.entry, question).words
            waits.setdefault(words, []).append(question.entry.title)
    return waits


def question_words(question: QuestionGrade) -> list[list[CaseWords]]:
    """Return what a student may read of a question's cases, by check."""
    entries = {check.name: check for check in question.entry.checks}
    return [check_words(check, entries.get(check.name)) for check in question.checks]


def is_unanswered(question: QuestionGrade) -> bool:
    """Return whether there is no answer, and staff have said nothing about it."""
    if question.by_staff or question.comments or question.earned:
        return False
    if question.entry.manual:  # the grader scores it only where the answer is untouched
        return question.status is Status.GRADED
    return is_blank([case for cases in question_words(question) for case in cases])


def steps_of(grade: Grade) -> list[Step]:
    """Return what to do next: the answers with the most points to gain, the most first."""
    steps = [
        Step(question.id, question.entry.title, gain, *advice)
        for question in grade.questions
        if (gain := _gain(question)) > 0
        and not is_unanswered(question)
        and (advice := next(_advice(question), None))
    ]
    return sorted(steps, key=lambda step: -step.points)[:MOST_STEPS]


def _gain(question: QuestionGrade) -> float:
    decided = question.status is Status.GRADED
    return question.points - (question.earned - question.extra) if decided else 0.0


def _advice(question: QuestionGrade) -> Iterator[tuple[str, str]]:
    """Yield what helps with a question, the best first, with what it is."""
    for comment in question.comments:
        yield "Your instructor:", clean(comment, LONGEST_ADVICE)
    if question.by_staff:
        return
    missed = [
        case
        for cases in question_words(question)
        for case in cases
        if case.verdict is not Verdict.PASSED
    ]
    for case in missed:
        if case.diagnosis:
            yield "This looks like", clean(case.diagnosis, LONGEST_ADVICE)
    for case in missed:
        if case.hint:
            yield "Hint:", clean(case.hint, LONGEST_ADVICE)
    for case in missed:
        if case.message:
            yield f"{case.name}:", clean(case.message.partition("\n")[0], LONGEST_ADVICE)
    for case in missed:
        yield f"{case.name}:", case.words
