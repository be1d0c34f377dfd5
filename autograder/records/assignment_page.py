"""An assignment as the report shows it: its figures, questions, mistakes and students."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.artefacts.grades import Grade, GradeStatus, QuestionGrade
from autograder.artefacts.manifest import Manifest, QuestionEntry
from autograder.artefacts.results import Result, Status, Verdict
from autograder.records.figures import Figures, figures_of, losses_of
from autograder.records.near import Near, NearPlace, near_of, near_places
from autograder.records.pages import format_points
from autograder.records.people import Who, link_of, who
from autograder.records.plots import BANDS, histogram, stacked_bar
from autograder.records.smallest_inputs import Failing, failing_of
from autograder.records.words import Standing, clean, question_label, standing

__all__ = ["AssignmentView", "assignment_view", "total_words"]

MOST_NEAR = 20
NOTHING = Standing("nothing", "nothing submitted", "")


@dataclass(frozen=True)
class Cell:
    """What the table shows of a student's question."""

    text: str
    standing: Standing


@dataclass(frozen=True)
class Row:
    """A student in the table of the class."""

    who: Who
    total: str
    status: GradeStatus
    cells: list[Cell]
    late: bool
    look: bool
    attempt: str

    @property
    def words(self) -> str:
        """The status."""
        return self.status.words

    @property
    def flags(self) -> list[str]:
        """What the table can be filtered by."""
        marks = (("late", self.late), ("look again", self.look))
        return [self.words, *(flag for flag, holds in marks if holds)]


@dataclass(frozen=True)
class QuestionView:
    """How the class did on a question."""

    label: str
    title: str
    points: float
    manual: bool
    bands: Mapping[str, int]
    bar: str
    mean: float | None
    discrimination: float | None


@dataclass(frozen=True)
class LossView:
    """What a mistake costs the class, and whom."""

    mistake: str
    where: str
    points: float
    students: list[Who]


@dataclass(frozen=True)
class LateView:
    """Who was late, and what that costs."""

    who: Who
    penalty: float
    why: str


@dataclass(frozen=True)
class AssignmentView:
    """An assignment as the report shows it."""

    name: str
    title: str
    page: str
    possible: float
    newest: str | None
    submitted: int
    counts: Mapping[GradeStatus, int]
    figures: Figures
    plot: str | None
    questions: list[QuestionView]
    losses: list[LossView]
    rows: list[Row]
    flags: Mapping[str, int]
    attention: list[tuple[Who, list[str]]]
    looks: list[tuple[Who, list[str]]]
    late: list[LateView]
    missing: list[Who]
    failing: list[Failing]
    near: list[Near]
    near_places: list[NearPlace]


def assignment_view(
    manifest: Manifest, grades: Mapping[str, Grade], names: Mapping[str, str], page: str
) -> AssignmentView:
    """Return an assignment as its page shows it.

    Args:
        manifest: the assignment's.
        grades: of its students.
        names: of students, where they are known.
        page: the name of its page in the folder of the report.
    """
    by_name = [grades[student] for student in sorted(grades)]
    people = {g.student: who(g.student, names, link_of(g)) for g in by_name}
    figures = figures_of(manifest, by_name)
    rows = [_row(grade, people[grade.student]) for grade in by_name]
    near = near_of(by_name, people)
    results = [grade.result for grade in by_name if grade.result is not None]
    return AssignmentView(
        name=manifest.assignment,
        title=manifest.title,
        page=page,
        possible=manifest.possible,
        newest=max((result.graded_at for result in results), default=None),
        submitted=len(results),
        counts=Counter(grade.status for grade in by_name),
        figures=figures,
        plot=histogram(figures.values, figures.possible) if figures.values else None,
        questions=_questions(manifest, by_name, figures),
        losses=_losses(manifest, by_name, people),
        rows=rows,
        flags=dict(sorted(Counter(flag for row in rows for flag in row.flags).items())),
        attention=[
            (people[grade.student], _reasons(grade, grade.result))
            for grade in by_name
            if grade.status is GradeStatus.NEEDS_ATTENTION and grade.result is not None
        ],
        looks=[
            (people[grade.student], [clean(look) for look in grade.looks])
            for grade in by_name
            if grade.looks
        ],
        late=[
            _late(grade, people[grade.student])
            for grade in by_name
            if grade.late.seconds or grade.late.penalty
        ],
        missing=[people[grade.student] for grade in by_name if grade.result is None],
        failing=failing_of(by_name, people),
        near=near[:MOST_NEAR],
        near_places=near_places(near),
    )


def total_words(grade: Grade) -> str:
    """Return a total, or what stands in its place."""
    if grade.is_begun and grade.status is not GradeStatus.MISSING:
        return format_points(grade.earned)
    return "!" if grade.status is GradeStatus.NEEDS_ATTENTION else "–"


def _row(grade: Grade, person: Who) -> Row:
    return Row(
        who=person,
        total=total_words(grade),
        status=grade.status,
        cells=[_cell(grade, question) for question in grade.questions],
        late=bool(grade.late.seconds or grade.late.penalty),
        look=bool(grade.looks),
        attempt=grade.counted.words if grade.counted is not None else "",
    )


def _cell(grade: Grade, question: QuestionGrade) -> Cell:
    how = _standing(grade, question)
    return Cell(format_points(question.earned) if how.mark is None else how.mark, how)


def _standing(grade: Grade, question: QuestionGrade) -> Standing:
    """Return how a question stands; where nothing was submitted, what staff scored all the same."""
    if grade.result is None and question.status is not Status.GRADED:
        return NOTHING
    return standing(question.entry, question)


def _questions(manifest: Manifest, grades: Sequence[Grade], figures: Figures) -> list[QuestionView]:
    submitted = [grade for grade in grades if grade.result is not None]
    return [
        _question(
            number, entry, [_standing(g, g.questions[number - 1]) for g in submitted], figures
        )
        for number, entry in enumerate(manifest.questions, 1)
    ]


def _question(
    number: int, entry: QuestionEntry, standings: Iterable[Standing], figures: Figures
) -> QuestionView:
    counts = Counter(map(_band, standings))
    bands = {band: counts[band] for band in BANDS}
    full, part, none, undecided = bands.values()
    label = question_label(entry, number)
    return QuestionView(
        label=label,
        title=_title(entry, label),
        points=entry.points,
        manual=entry.manual,
        bands=bands,
        bar=stacked_bar(bands, f"{full} full, {part} partly, {none} not, {undecided} undecided"),
        mean=figures.means.get(entry.id),
        discrimination=figures.discriminations.get(entry.id),
    )


def _title(entry: QuestionEntry, label: str) -> str:
    return entry.title if entry.title.startswith(label) else f"{label} {entry.title}"


def _band(how: Standing) -> str:
    if how.key == "unscored":
        return "full"
    return how.key if how.key in BANDS else "open"


def _losses(
    manifest: Manifest, grades: Sequence[Grade], people: Mapping[str, Who]
) -> list[LossView]:
    labels = {e.id: question_label(e, number) for number, e in enumerate(manifest.questions, 1)}
    titles = {entry.id: _title(entry, labels[entry.id]) for entry in manifest.questions}

    def where(questions: Mapping[str, tuple[str, ...]]) -> str:
        """Name a question, or several with the number of their students."""
        if len(questions) == 1:
            return titles[next(iter(questions))]
        return ", ".join(f"{labels[i]} ({len(questions[i])})" for i in labels if i in questions)

    return [
        LossView(
            loss.mistake, where(loss.questions), loss.points, [people[s] for s in loss.students]
        )
        for loss in losses_of(grades)
    ]


def _late(grade: Grade, person: Who) -> LateView:
    late = grade.late
    why = clean(late.why) or f"{format_points(late.seconds / 3600)} h late, which costs nothing"
    return LateView(person, late.penalty, why)


def _reasons(grade: Grade, result: Result) -> list[str]:
    """Return why a result needs attention: what is said of the whole, then what broke."""
    others = [grade.counted.words] if grade.counted is not None and grade.counted.waits else []
    broken = [
        f"{check.name}, {case.name}: {case.message or 'broke without a message'}"
        for question in result.questions
        for check in question.checks
        for case in check.cases
        if case.verdict is Verdict.BROKEN
    ]
    return [clean(reason) for reason in (*result.remarks, *broken, *others)]
