"""What a course has decided about grades: what lateness costs, and what counts in the total."""

import dataclasses
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from autograder.errors import UsageError

__all__ = ["LatePolicy", "Policies", "due_time"]

DAY = 86_400


@dataclass(frozen=True)
class LatePolicy:
    """What a late submission loses: a share of the assignment's points for each day begun.

    Attributes:
        percent_per_day: of the assignment's points.
        most_percent: that lateness may cost.
        grace_minutes: behind the due date that cost nothing; behind them, they count as late.
    """

    percent_per_day: float
    most_percent: float = 100.0
    grace_minutes: float = 0.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            most = math.inf if field.name == "grace_minutes" else 100.0
            if not number or not 0 <= value <= most or value == math.inf:
                bound = "0 or more" if most == math.inf else "from 0 to 100"
                raise UsageError(f"late.{field.name} must be a number {bound}, got {value!r}")

    def percent(self, seconds: float) -> float:
        """Return the share of the points, in percent, that a lateness in seconds costs."""
        if seconds <= 60 * self.grace_minutes:
            return 0.0
        return min(self.percent_per_day * math.ceil(seconds / DAY), self.most_percent)


@dataclass(frozen=True)
class Policies:
    """What is decided about the grades of a course.

    Attributes:
        late: what lateness costs; None leaves that to nbgrader's plugin.
        drop_lowest: how many of a student's assignments do not count in the course's total.
    """

    late: LatePolicy | None = None
    drop_lowest: int = 0

    @classmethod
    def from_tables(cls, late: dict[str, Any], grades: dict[str, Any]) -> "Policies":
        """Return the policies of the tables ``late`` and ``grades`` of `course.toml`.

        Raises:
            UsageError: a key or a value is none.
        """
        known = [field.name for field in dataclasses.fields(LatePolicy)]
        if unknown := sorted(set(late) - set(known)):
            raise UsageError(f"a key of late must be one of {', '.join(known)}, got {unknown[0]!r}")
        if late and "percent_per_day" not in late:
            raise UsageError("late must have percent_per_day")
        if unknown := sorted(set(grades) - {"drop_lowest"}):
            raise UsageError(f"a key of grades must be drop_lowest, got {unknown[0]!r}")
        drop = grades.get("drop_lowest", 0)
        if type(drop) is not int or drop < 0:
            raise UsageError(f"grades.drop_lowest must be a whole number from 0 up, got {drop!r}")
        return cls(LatePolicy(**late) if late else None, drop)


def due_time(value: object, where: str) -> datetime | None:
    """Return a due date of `course.toml` in UTC, without its zone; None where there is none.

    Raises:
        UsageError: it is no date and time with a zone.
    """
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise UsageError(
            f"{where} must be a date and time with its zone, as 2026-12-01T23:59:00+01:00, "
            f"got {value!r}"
        )
    return value.astimezone(UTC).replace(tzinfo=None)
