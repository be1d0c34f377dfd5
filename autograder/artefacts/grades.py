"""Grades: the newest result of a student with what staff entered and what lateness costs.

Every page, export and LMS says the grade; nbgrader's gradebook says the same number.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from autograder.artefacts.manifest import Manifest, QuestionEntry
from autograder.artefacts.results import CheckResult, QuestionResult, Result, Status, Verdict
from autograder.visible import visible

__all__ = [
    "IN_TIME",
    "Counted",
    "Entered",
    "Grade",
    "GradeStatus",
    "Late",
    "QuestionGrade",
    "counting",
    "decided_scores",
    "grade_of",
    "ungraded",
]

# The verdicts that judge the student's work; the others leave a check undecided.
_JUDGED = frozenset(
    {Verdict.PASSED, Verdict.FAILED, Verdict.ERRORED, Verdict.TIMED_OUT, Verdict.KILLED}
)


class GradeStatus(StrEnum):
    """The state of a grade."""

    GRADED = "graded"
    PENDING = "pending"  # hardware or a manual score is missing
    NEEDS_ATTENTION = "needs_attention"  # unreadable, or the harness broke: staff act
    UNGRADED = "ungraded"  # a trial without walls: it counts for nothing
    MISSING = "missing"  # nothing was submitted

    @property
    def words(self) -> str:
        """The state as people read it."""
        return self.value.replace("_", " ")


class Entered(msgspec.Struct, frozen=True):
    """What staff entered for one cell of the gradebook.

    Attributes:
        score: that stands in place of the automatic one.
        extra: credit beside it.
        comment: for the student.
        look: why staff must look again at it, as something changed since; None if nothing did.
    """

    score: float | None = None
    extra: float = 0.0
    comment: str | None = None
    look: str | None = None


class Late(msgspec.Struct, frozen=True):
    """How late a submission is.

    Attributes:
        seconds: behind the due date and the student's extension; 0 if it is in time.
        penalty: the points that it costs.
        why: how they came about, as a sentence; "" if it costs none.
    """

    seconds: float = 0.0
    penalty: float = 0.0
    why: str = ""


IN_TIME = Late()


class Counted(msgspec.Struct, frozen=True):
    """Which of several attempts a grade is of, and what is said of that.

    Attributes:
        number: of the attempt, from 1, in the order in which they were handed in.
        count: how many there are.
        best: whether the best of them counts; else the last.
        by: who handed it in, if that is another member of the student's team.
        waits: the state of others that may still come to more; None if none may.
        floor: the points of the best that is decided, where the one shown still waits.
        former: the bundle whose checks graded it, where that is not the one of now.
    """

    number: int = 1
    count: int = 1
    best: bool = False
    by: str | None = None
    waits: GradeStatus | None = None
    floor: float | None = None
    former: str | None = None

    @property
    def words(self) -> str:
        """The same as a sentence; "" where there is one attempt, and nothing to say."""
        return "; ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        which = f"attempt {self.number} of {self.count}"
        if self.count > 1 and self.floor is not None:
            yield f"{which} counts so far, as it may be the best when it is scored"
            yield f"another one has {self.floor:g} points, and no less will count"
        elif self.count > 1 and self.waits is not None:
            yield f"{which} counts so far: the best of what is graded"
            yield "another one is not decided yet, and may come to more"
        elif self.count > 1:
            yield f"{which} counts: the {'best' if self.best else 'last'}"
        if self.by is not None:
            yield f"handed in by {visible(self.by)}"
        if self.former is not None:
            yield f"graded by former checks (bundle {self.former[7:15]})"


class QuestionGrade(msgspec.Struct, frozen=True):
    """A question's part of a grade.

    Attributes:
        entry: the question.
        result: what the grader found; of what was not graded, nothing.
        earned: the points that are decided so far, by the grader or by staff, with extra credit.
        status: `Status.GRADED` if nothing is open, whoever decided it.
        by_staff: whether a score of staff stands in place of the grader's, or where it has none.
        extra: the credit beside its points that is part of ``earned``.
        waiting: the credit of cells without a score yet: it counts with one, as nbgrader has it.
        comments: of staff, for the student.
        looks: why staff must look again.
    """

    entry: QuestionEntry
    result: QuestionResult
    earned: float
    status: Status
    by_staff: bool = False
    extra: float = 0.0
    waiting: float = 0.0
    comments: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The question's."""
        return self.entry.id

    @property
    def points(self) -> float:
        """That it is worth, without extra credit."""
        return self.entry.points

    @property
    def checks(self) -> tuple[CheckResult, ...]:
        """What the grader found of each check."""
        return self.result.checks

    @property
    def score(self) -> float | None:
        """The points, None while something of it is open."""
        return self.earned if self.status is Status.GRADED else None


class Grade(msgspec.Struct, frozen=True):
    """What a student has earned in an assignment.

    Attributes:
        result: of the attempt that counts, the newest; None where nothing was submitted. Of a
            team's it is that of the member who handed it in.
        questions: in the assignment's order.
        late: what lateness costs.
        counted: which of several attempts it is of; None where only the newest is looked at.
    """

    assignment: str
    student: str
    result: Result | None
    questions: tuple[QuestionGrade, ...]
    late: Late = IN_TIME
    counted: Counted | None = None

    @property
    def possible(self) -> float:
        """The points of all questions, without extra credit."""
        return sum(question.points for question in self.questions)

    @property
    def before_penalty(self) -> float:
        """The points that are decided so far."""
        return sum(question.earned for question in self.questions)

    @property
    def earned(self) -> float:
        """The points that are decided so far, less the penalty: never less than none."""
        return max(self.before_penalty - self.late.penalty, 0.0)

    @property
    def ceiling(self) -> float:
        """The points that it comes to if all that is open earns all of its points."""
        undecided = sum(
            max(q.points - (q.earned - q.extra), 0.0) + q.waiting
            for q in self.questions
            if q.status is not Status.GRADED
        )
        return max(self.before_penalty + undecided - self.late.penalty, 0.0)

    @property
    def is_begun(self) -> bool:
        """Whether anything of it is decided: what could not be read, or was a trial, is not."""
        undecided = (Status.NEEDS_ATTENTION, Status.UNGRADED)
        return any(q.by_staff or q.status not in undecided for q in self.questions)

    @property
    def total(self) -> float | None:
        """The grade; None while something of it is open: that is no zero."""
        return self.earned if self.status is GradeStatus.GRADED else None

    @property
    def status(self) -> GradeStatus:
        """The state of the whole, and of other attempts that may still count in its place."""
        open_ones = {q.status.value for q in self.questions}
        if self.result is None and open_ones - {Status.GRADED.value}:
            return GradeStatus.MISSING
        if self.counted is not None and self.counted.waits is not None:
            open_ones.add(self.counted.waits.value)
        for status in (GradeStatus.UNGRADED, GradeStatus.NEEDS_ATTENTION, GradeStatus.PENDING):
            if status.value in open_ones:
                return status
        return GradeStatus.GRADED

    @property
    def looks(self) -> tuple[str, ...]:
        """Why staff must look again at what they entered."""
        return tuple(f"{q.id}: {look}" for q in self.questions for look in q.looks)


def grade_of(
    manifest: Manifest,
    student: str,
    result: Result | None,
    entered: Mapping[str, Entered] | None = None,
    late: Late = IN_TIME,
    *,
    former: bool = False,
    counted: Counted | None = None,
) -> Grade:
    """Return a student's grade.

    Args:
        manifest: the assignment's.
        student: the name.
        result: of the attempt that counts, None where nothing was submitted.
        entered: what staff entered, by the grade_id of the cell.
        late: what lateness costs.
        former: whether the result is by another bundle: what that asked otherwise is open then.
        counted: which of several attempts it is of.
    """
    by_id = {question.id: question for question in (result.questions if result else ())}
    questions = tuple(
        _question(entry, _fitting(entry, by_id.get(entry.id), former), entered or {})
        for entry in manifest.questions
    )
    return Grade(manifest.assignment, student, result, questions, late, counted)


def counting(grades: Sequence[Grade], missing: int, drop_lowest: int) -> list[Grade]:
    """Return the grades of a student that count in the total of the course.

    Args:
        grades: of the assignments that the student submitted.
        missing: how many the student did not submit: these are dropped first.
        drop_lowest: how many assignments do not count: of those that are submitted, the ones with
            the lowest share of their points. One always counts.
    """
    count = min(max(drop_lowest - missing, 0), max(len(grades) - 1, 0))
    by_share = sorted(grades, key=lambda one: one.earned / one.possible if one.possible else 1.0)
    dropped = {one.assignment for one in by_share[:count]}
    return [one for one in grades if one.assignment not in dropped]


def decided_scores(entry: QuestionEntry, question: QuestionResult) -> dict[str, float | None]:
    """Return what the grader decided of a question, by cell; None is for staff."""
    graded = question.status is Status.GRADED
    scores: dict[str, float | None] = {}
    if entry.manual and entry.cell:
        scores[entry.cell] = question.earned if graded else None
    found = {check.name: check for check in question.checks}
    for known in entry.checks:
        check = found.get(known.name)
        judged = check is not None and (
            graded or (bool(check.cases) and all(c.verdict in _JUDGED for c in check.cases))
        )
        scores[known.cell] = check.earned if check is not None and judged else None
    return scores


def _question(
    entry: QuestionEntry, question: QuestionResult, entered: Mapping[str, Entered]
) -> QuestionGrade:
    automatic = decided_scores(entry, question)
    own = {cell: entered[cell] for cell in automatic if cell in entered}
    staff = {cell: one.score for cell, one in own.items() if one.score is not None}
    scores = {**automatic, **staff}
    extra = sum(one.extra for cell, one in own.items() if scores[cell] is not None)
    waiting = sum(one.extra for cell, one in own.items() if scores[cell] is None)
    decided = sum(score for score in scores.values() if score is not None)
    status = question.status
    if staff:
        idle = {check.cell for check in entry.checks if not check.points}
        closed = all(score is not None for cell, score in scores.items() if cell not in idle)
        status = Status.GRADED if closed else question.status
    elif status is Status.GRADED:
        decided = question.earned
    return QuestionGrade(
        entry,
        question,
        decided + extra,
        status,
        by_staff=bool(staff),
        extra=extra,
        waiting=waiting,
        comments=tuple(one.comment for one in own.values() if one.comment),
        looks=tuple(one.look for one in own.values() if one.look),
    )


def _fitting(entry: QuestionEntry, question: QuestionResult | None, former: bool) -> QuestionResult:
    """Return what the grader found of a question, nothing if it was asked otherwise then."""
    if question is None:
        return ungraded(entry)
    then = {check.name: check.points for check in question.checks}
    now = {check.name: check.points for check in entry.checks}
    same = question.points == entry.points and then == now
    return question if same or not former else ungraded(entry)


def ungraded(entry: QuestionEntry) -> QuestionResult:
    """Return what stands for a question of which there is no result: staff must look."""
    return QuestionResult(
        id=entry.id, points=entry.points, earned=0.0, status=Status.NEEDS_ATTENTION, checks=()
    )
