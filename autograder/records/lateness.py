"""Lateness: how late a submission is, and what that costs."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from autograder.artefacts.grades import Late
from autograder.policies import LatePolicy
from autograder.records.entries import EVERYBODY, WHOLE, Entry, Field, Key

__all__ = ["due_of", "late_of"]


def due_of(
    state: Mapping[Key, Entry], student: str, configured: datetime | None
) -> datetime | None:
    """Return until when a student may submit, UTC; None where nothing is due.

    Args:
        state: what counts of staff's entries: the due date, and the student's extension.
        student: whose time it is.
        configured: the due date of `course.toml`, where the gradebook has none.
    """
    entry = state.get(Key(EVERYBODY, WHOLE, Field.DUE))
    said = entry.value if entry is not None else None
    due = datetime.fromisoformat(said) if isinstance(said, str) else configured
    extension = state.get(Key(student, WHOLE, Field.EXTENSION))
    if due is not None and extension is not None and isinstance(extension.value, (int, float)):
        return due + timedelta(seconds=extension.value)
    return due


def late_of(
    policy: LatePolicy | None,
    state: Mapping[Key, Entry],
    student: str,
    due: datetime | None,
    submitted: datetime | None,
    possible: float,
) -> Late:
    """Return how late a submission is, and what that costs.

    Args:
        policy: the course's; None leaves the penalty to nbgrader's plugin.
        state: what counts of staff's entries; nbgrader's penalty is one.
        student: who submitted.
        due: until when that was to be done, extension included.
        submitted: when it was; None where nobody knows.
        possible: the points of the assignment.
    """
    seconds = 0.0
    if due is not None and submitted is not None:
        seconds = max((submitted - due).total_seconds(), 0.0)
    if policy is not None:
        percent = policy.percent(seconds)
        if not percent:
            return Late(seconds)
        why = f"submitted {_span(seconds)} late: {percent:g} % of {possible:g} points"
        return Late(seconds, possible * percent / 100, why)
    entry = state.get(Key(student, WHOLE, Field.PENALTY))
    if entry is None or not isinstance(entry.value, (int, float)) or not entry.value:
        return Late(seconds)
    late = f"submitted {_span(seconds)} late" if seconds else "submitted late"
    return Late(seconds, float(entry.value), f"{late}: the course's late policy")


def _span(seconds: float) -> str:
    """Return a span of time in its two largest units."""
    minutes = max(round(seconds / 60), 1)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    units = [(days, "day" if days == 1 else "days"), (hours, "h"), (rest, "min")]
    told = [f"{count} {unit}" for count, unit in units if count][:2]
    return " ".join(told)
