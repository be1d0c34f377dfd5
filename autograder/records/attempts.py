"""Attempts: what of several submissions counts, by the course's policy.

An attempt is one submission, however often it was graded, and it counts as a whole. The best is
the one with the highest grade after its own late penalty; of equal ones that with the smaller
penalty, then the newest.

What is not decided never wins over what is, and never costs points. An attempt that waits for a
score of staff, and may come to more than the best so far, is the one that is shown, as staff score
the answers that are shown; the grade is open until then. Where another one broke, or lacks a GPU,
the best so far is shown, and the grade is open until that is graded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from autograder.artefacts.grades import Counted, Grade, GradeStatus
from autograder.artefacts.results import Result, Status, is_final, waits_for_hardware
from autograder.records.times import read_time

__all__ = ["Attempt", "best_of", "in_order", "last_of"]

Chosen = tuple["Attempt", Counted]


@dataclass(frozen=True)
class Attempt:
    """One submission of a student.

    Attributes:
        result: the newest of it.
        first: when it was first graded, as results carry it.
        time: what ``timestamp.txt`` said beside it, if anything.
        placed: whether it is the newest of its student.
        kept: whether its notebook is at hand, though another one is in its place.
    """

    result: Result
    first: str
    time: str | None = None
    placed: bool = True
    kept: bool = False

    @cached_property
    def submitted(self) -> datetime | None:
        """When it was handed in, UTC; None where nobody knows."""
        return read_time(self.time) if self.time else None

    @property
    def order(self) -> tuple[datetime, str, str]:
        """By which attempts are sorted: handed in, or first graded where that is not known."""
        graded = datetime.fromisoformat(self.first).astimezone(UTC).replace(tzinfo=None)
        return self.submitted or graded, self.first, self.result.submission

    def may_change(self, bundle: str) -> bool:
        """Return whether a run can decide what is open of it."""
        if self.placed:
            return True
        result = self.result
        stands = is_final(result) and not waits_for_hardware(result) and result.bundle == bundle
        return self.kept and not stands


def last_of(attempts: Sequence[Attempt], student: str) -> Chosen:
    """Return the attempt of a team that was handed in last.

    Args:
        attempts: the newest of each member who handed in.
        student: whose grade it is.
    """
    chosen = max(_counting(attempts), key=lambda one: one.order)
    return chosen, Counted(by=_by(chosen, student))


def best_of(
    attempts: Sequence[Attempt], student: str, bundle: str, grade: Callable[[Attempt], Grade]
) -> Chosen:
    """Return the best of several attempts.

    Args:
        attempts: of the student, or of all members of the team.
        student: whose grade it is.
        bundle: the assignment's.
        grade: says what the student has for an attempt.
    """
    attempts = in_order(attempts)
    graded = [(one, grade(one)) for one in attempts]
    decided = [pair for pair in graded if pair[1].total is not None]
    best = max(decided, key=_rank, default=None)
    floor = best[1].earned if best else None
    open_ones = [
        pair
        for pair in graded
        if pair[1].total is None
        and (_is_for_staff(pair) or pair[0].may_change(bundle))
        and (floor is None or pair[1].ceiling > floor)
    ]
    for_staff = [pair for pair in open_ones if _is_for_staff(pair)]
    shown = max(for_staff, key=_rank, default=best)
    if shown is None:
        shown = max(open_ones or graded, key=lambda pair: (pair[1].is_begun, *_rank(pair)))
    sure = {id(pair) for pair in for_staff if _open_ids(pair) <= _open_ids(shown)}
    states = {p[1].status for p in open_ones if p is not shown and id(p) not in sure}
    severe = (GradeStatus.UNGRADED, GradeStatus.NEEDS_ATTENTION, GradeStatus.PENDING)
    chosen = shown[0]
    return chosen, Counted(
        number=attempts.index(chosen) + 1,
        count=len(attempts),
        best=True,
        by=_by(chosen, student),
        waits=next((state for state in severe if state in states), None),
        floor=floor if floor is not None and shown[1].earned < floor else None,
        former=chosen.result.bundle if chosen.result.bundle != bundle else None,
    )


def in_order(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts that may count, in the order in which they were handed in."""
    return sorted(_counting(attempts), key=lambda one: one.order)


def _counting(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """Return the attempts without trials, which count for nothing, unless there is nothing else."""
    return [one for one in attempts if one.result.status is not Status.UNGRADED] or attempts


def _rank(pair: tuple[Attempt, Grade]) -> tuple[float, float, tuple[datetime, str, str]]:
    attempt, grade = pair
    return grade.earned, -grade.late.penalty, attempt.order


def _open_ids(pair: tuple[Attempt, Grade]) -> set[str]:
    """Return the questions that are open: a score of staff's decides them in every attempt."""
    return {question.id for question in pair[1].questions if question.status is not Status.GRADED}


def _is_for_staff(pair: tuple[Attempt, Grade]) -> bool:
    """Return whether nothing but a score of staff is missing."""
    attempt, grade = pair
    return grade.status is GradeStatus.PENDING and not waits_for_hardware(attempt.result)


def _by(attempt: Attempt, student: str) -> str | None:
    return attempt.result.student if attempt.result.student != student else None
