"""The report: one page for staff with every assignment, question and student of a course."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from autograder.artefacts.grades import Grade
from autograder.artefacts.manifest import Manifest, QuestionEntry
from autograder.artefacts.results import QuestionResult, Result, Status, Verdict
from autograder.records.pages import decimals, format_points, write_page
from autograder.records.words import (
    STATUS_WORDS,
    Standing,
    clean,
    question_label,
    question_pairs,
    standing,
)
from autograder.visible import visible

__all__ = ["write_report"]

BANDS = ("full", "part", "none", "open")
NEAR = (0.5, 2.0)  # margins at which a verdict may be the tolerance's doing
MOST_NEAR = 20


@dataclass(frozen=True)
class Cell:
    """What the table shows of a student's question."""

    text: str
    standing: Standing


@dataclass(frozen=True)
class Row:
    """A student in the table of the class."""

    student: str
    link: str
    cells: list[Cell]
    earned: str
    possible: float
    status: Status
    status_words: str


@dataclass(frozen=True)
class QuestionView:
    """How the class did on a question: students by band, and the mistake that most made."""

    label: str
    title: str
    points: float
    manual: bool
    bands: dict[str, int]
    mistake: tuple[str, int] | None

    @property
    def summary(self) -> str:
        """The bar in words."""
        full, part, none, undecided = (self.bands[band] for band in BANDS)
        return f"{full} full, {part} partly, {none} not, {undecided} undecided"


@dataclass(frozen=True)
class Summary:
    """An assignment at a glance; points are those of automatic questions."""

    students: int
    mean: float | None
    median: float | None
    possible: float
    pending: int
    attention: int


@dataclass(frozen=True)
class Near:
    """A case that failed or passed by little: worth a look, at the answer or at the tolerance."""

    student: str
    link: str
    place: str
    margin: float
    passed: bool


@dataclass(frozen=True)
class NearPlace:
    """A case of a check in which several came near to the tolerance."""

    place: str
    misses: int
    passes: int


@dataclass(frozen=True)
class AssignmentView:
    """An assignment as the report shows it."""

    name: str
    title: str
    newest: str | None
    summary: Summary
    questions: list[QuestionView]
    rows: list[Row]
    attention: list[tuple[str, str, list[str]]]
    near: list[Near]
    near_places: list[NearPlace]


def write_report(
    folder: Path,
    course_name: str,
    assignments: Sequence[tuple[Manifest, Mapping[str, Grade]]],
    names: Mapping[str, str],
) -> None:
    """Write the report; the same grades give the same bytes.

    Args:
        folder: of its pages.
        course_name: stands at the top.
        assignments: each with the grades of its students.
        names: of students, where they are known.
    """
    views = [
        _assignment(manifest, {s: g.result for s, g in grades.items() if g.result is not None})
        for manifest, grades in assignments
    ]
    write_page(folder / "index.html", "report.html", course=course_name, assignments=views)


def _assignment(manifest: Manifest, results: Mapping[str, Result]) -> AssignmentView:
    by_name = [results[student] for student in sorted(results)]
    near = _near(by_name)
    places = decimals(q.earned for r in by_name for q in r.questions)
    return AssignmentView(
        name=manifest.assignment,
        title=manifest.title,
        newest=max((result.graded_at for result in by_name), default=None),
        summary=_summary(manifest, by_name),
        questions=_questions(manifest, by_name),
        rows=[_row(manifest, result, places) for result in by_name],
        attention=[
            (visible(r.student), _link(r), _reasons(r))
            for r in by_name
            if r.status is Status.NEEDS_ATTENTION
        ],
        near=near[:MOST_NEAR],
        near_places=_near_places(near),
    )


def _summary(manifest: Manifest, results: Sequence[Result]) -> Summary:
    automatic = {entry.id: entry.points for entry in manifest.questions if not entry.manual}
    # What staff have yet to look at says nothing about the class.
    scores = [
        sum(question.earned for question in result.questions if question.id in automatic)
        for result in results
        if result.status not in (Status.NEEDS_ATTENTION, Status.UNGRADED)
    ]
    return Summary(
        students=len(results),
        mean=statistics.fmean(scores) if scores else None,
        median=statistics.median(scores) if scores else None,
        possible=sum(automatic.values()),
        pending=sum(result.status is Status.PENDING for result in results),
        attention=sum(result.status is Status.NEEDS_ATTENTION for result in results),
    )


def _questions(manifest: Manifest, results: Sequence[Result]) -> list[QuestionView]:
    columns = zip(*(question_pairs(manifest, result.questions) for result in results), strict=True)
    answers = [[question for _, question in column] for column in columns]
    return [
        _question(number, entry, answers[number - 1] if answers else [])
        for number, entry in enumerate(manifest.questions, 1)
    ]


def _question(number: int, entry: QuestionEntry, answers: Sequence[QuestionResult]) -> QuestionView:
    bands = Counter(_band(standing(entry, answer)) for answer in answers)
    mistakes = Counter(mistake for answer in answers for mistake in _mistakes(answer))
    label = question_label(entry, number)
    # The most frequent; of equally frequent ones the first by name, so that the page is the same.
    common = min(mistakes.items(), key=lambda item: (-item[1], item[0]), default=None)
    return QuestionView(
        label=label,
        title=entry.title if entry.title.startswith(label) else f"{label} {entry.title}",
        points=entry.points,
        manual=entry.manual,
        bands={band: bands[band] for band in BANDS},
        mistake=common,
    )


def _band(how: Standing) -> str:
    if how.key == "unscored":
        return "full"
    return how.key if how.key in BANDS else "open"


def _mistakes(answer: QuestionResult) -> set[str]:
    """Return the misconceptions that the cases of one student's question name."""
    return {
        clean(case.diagnosis) for check in answer.checks for case in check.cases if case.diagnosis
    }


def _row(manifest: Manifest, result: Result, places: int) -> Row:
    pairs = question_pairs(manifest, result.questions)
    return Row(
        student=visible(result.student),
        link=_link(result),
        cells=[_cell(entry, question, places) for entry, question in pairs],
        earned=format_points(result.earned, places) if result.questions else "!",
        possible=result.possible,
        status=result.status,
        status_words=STATUS_WORDS[result.status],
    )


def _cell(entry: QuestionEntry, question: QuestionResult, places: int) -> Cell:
    how = standing(entry, question)
    return Cell(how.mark or format_points(question.earned, places), how)


def _link(result: Result) -> str:
    """Return the way from the report to a student's feedback page."""
    student, assignment = (quote(name, safe="") for name in (result.student, result.assignment))
    return f"../feedback/{student}/{assignment}.html"


def _reasons(result: Result) -> list[str]:
    """Return why a result needs attention: what is said of the whole, then what broke."""
    broken = [
        f"{check.name}, {case.name}: {case.message or 'broke without a message'}"
        for question in result.questions
        for check in question.checks
        for case in check.cases
        if case.verdict is Verdict.BROKEN
    ]
    return [clean(reason) for reason in (*result.remarks, *broken)]


def _near(results: Sequence[Result]) -> list[Near]:
    """Return the cases whose error is about the tolerance, the nearest first."""
    low, high = NEAR
    found = [
        Near(
            visible(result.student),
            _link(result),
            f"{check.name}, {clean(case.name)}",
            case.margin,
            case.verdict is Verdict.PASSED,
        )
        for result in results
        for question in result.questions
        for check in question.checks
        for case in check.cases
        if case.verdict in (Verdict.PASSED, Verdict.FAILED)
        and case.margin is not None
        and low < case.margin <= high
    ]
    found.sort(key=lambda one: (abs(math.log(one.margin)), one.student, one.place))
    return found


def _near_places(near: Sequence[Near]) -> list[NearPlace]:
    """Return the cases in which more than one came near, the most frequent first."""
    counts = Counter((one.place, one.passed) for one in near)
    places = {place for place, _ in counts}
    found = [NearPlace(p, counts[p, False], counts[p, True]) for p in places]
    several = [place for place in found if place.misses + place.passes > 1]
    return sorted(several, key=lambda p: (-p.misses - p.passes, p.place))
