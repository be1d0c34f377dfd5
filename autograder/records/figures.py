"""Figures: what the grades of a class come to, question by question and mistake by mistake."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.artefacts.grades import Grade, GradeStatus
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import CaseResult, CheckResult, QuestionResult, Status, Verdict
from autograder.records.words import clean, priced_in

__all__ = ["FEWEST", "NOT_ANSWERED", "UNKNOWN", "Figures", "Loss", "figures_of", "losses_of"]

FEWEST = 10  # students from which on a correlation says something
NOT_ANSWERED = "not answered"
UNKNOWN = "no known mistake"
EVERYWHERE = (NOT_ANSWERED, UNKNOWN)  # the same in every question
# The verdicts that cost points.
_COSTLY = frozenset({Verdict.FAILED, Verdict.ERRORED, Verdict.TIMED_OUT, Verdict.KILLED})


@dataclass(frozen=True)
class Figures:
    """The grades of a class in numbers.

    While questions are open for most of the class, as a proof is that nobody has read, the others
    count alone: the mean of half a grade would say little.

    Attributes:
        values: the points of the students who count, in the order of their names.
        possible: the points of the questions that count.
        counted: the ids of these questions.
        whole: whether that is all of them, so that the values are grades.
        left_out: students with a submission in whom one of these questions is open.
        means: of each question that counts, over the students who have it decided.
        discriminations: of each question that counts, the correlation of its points with those of
            the rest; not where fewer than `FEWEST` students count, or all have earned the same.
    """

    values: tuple[float, ...]
    possible: float
    counted: tuple[str, ...]
    whole: bool
    left_out: int
    means: Mapping[str, float]
    discriminations: Mapping[str, float]

    @property
    def mean(self) -> float | None:
        """None without a student."""
        return statistics.fmean(self.values) if self.values else None

    @property
    def median(self) -> float | None:
        """None without a student."""
        return statistics.median(self.values) if self.values else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the class; None below two students."""
        return statistics.pstdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Loss:
    """What a mistake costs the class: the points of its cases, as the grader took them.

    Attributes:
        mistake: in words.
        questions: the students who made it, by question; only what has no name of its own is
            the same in several.
        points: of all students together.
    """

    mistake: str
    questions: Mapping[str, tuple[str, ...]]
    points: float

    @property
    def students(self) -> list[str]:
        """Each student once."""
        return sorted({student for students in self.questions.values() for student in students})


def figures_of(manifest: Manifest, grades: Sequence[Grade]) -> Figures:
    """Return the figures of a class.

    Args:
        manifest: the assignment's.
        grades: of the students, in the order of their names.
    """
    void = (GradeStatus.UNGRADED, GradeStatus.MISSING)
    begun = [grade for grade in grades if grade.is_begun and grade.status not in void]
    scores = [{q.id: q.score for q in grade.questions} for grade in begun]
    decided = {
        entry.id: [score for row in scores if (score := row[entry.id]) is not None]
        for entry in manifest.questions
    }
    counted = [i for i, known in decided.items() if known and 2 * len(known) >= len(begun)]
    rows = [
        (grade, [row[i] or 0.0 for i in counted])
        for grade, row in zip(begun, scores, strict=True)
        if all(row[i] is not None for i in counted)
    ]
    whole = len(counted) == len(manifest.questions)
    return Figures(
        values=tuple(grade.earned if whole else sum(row) for grade, row in rows if counted),
        possible=sum(entry.points for entry in manifest.questions if entry.id in counted),
        counted=tuple(counted),
        whole=whole,
        left_out=len(begun) - len(rows) if counted else len(begun),
        means={i: statistics.fmean(decided[i]) for i in counted},
        discriminations=_discriminations(counted, [row for _, row in rows]),
    )


def _discriminations(counted: Sequence[str], rows: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return the corrected item-total correlation of each question."""
    found: dict[str, float] = {}
    if len(rows) < FEWEST:
        return found
    for number, question in enumerate(counted):
        own = [row[number] for row in rows]
        # Rounded: what is left of a sum of floats is no difference between students.
        rest = [round(sum(row) - row[number], 6) for row in rows]
        if len(set(own)) > 1 and len(set(rest)) > 1:
            found[question] = statistics.correlation(own, rest)
    return found


def losses_of(grades: Sequence[Grade]) -> list[Loss]:
    """Return the points lost by mistake, the dearest first."""
    points: defaultdict[tuple[str, str], float] = defaultdict(float)
    students: defaultdict[tuple[str, str], defaultdict[str, dict[str, None]]]
    students = defaultdict(lambda: defaultdict(dict))
    for grade in grades:
        for question in grade.questions:
            if question.status is Status.UNGRADED:
                continue
            for mistake, lost in _losses(question.result):
                key = (mistake, "" if mistake in EVERYWHERE else question.id)
                points[key] += lost
                students[key][question.id][grade.student] = None
    found = [
        Loss(key[0], {one: tuple(who) for one, who in students[key].items()}, lost)
        for key, lost in points.items()
    ]
    return sorted(found, key=lambda one: (-round(one.points, 6), one.mistake, list(one.questions)))


def _losses(question: QuestionResult) -> Iterator[tuple[str, float]]:
    """Yield what costs points of a question, with what: a mistake with a price is all of it."""
    if priced := priced_in(question):
        yield clean(priced.mistake), max(question.points - question.earned, 0.0)
        return
    for check in question.checks:
        yield from _lost(check)


def _lost(check: CheckResult) -> Iterator[tuple[str, float]]:
    """Yield the mistake of each case that costs points, with its share of them."""
    costly = [case for case in check.cases if case.verdict in _COSTLY]
    lost = max(check.points - check.earned, 0.0)
    for case in costly:
        yield _mistake(case), lost / len(costly)


def _mistake(case: CaseResult) -> str:
    if case.diagnosis:
        return clean(case.diagnosis)
    return NOT_ANSWERED if case.blank else UNKNOWN
