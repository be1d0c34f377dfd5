"""What a course has decided about grades: what lateness costs, and what counts in the total."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from autograder.errors import UsageError

__all__ = ["Attempts", "LatePolicy", "OwnPolicies", "Policies", "gradebook_url"]

DAY = 86_400
GRADEBOOK_VARIABLE = "AUTOGRADER_GRADEBOOK_URL"
EXAMPLE_URL = "postgresql://staff@db.example.edu/deep_learning"


class Attempts(StrEnum):
    """Which of a student's attempts counts."""

    LAST = "last"
    BEST = "best"  # by the grade, after the attempt's own late penalty


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
class OwnPolicies:
    """What is decided about one assignment.

    Attributes:
        draft: whether it is still being written.
        due: until when it may be submitted, UTC, where nbgrader's gradebook does not say it.
        attempts: which of several counts; None leaves that to the course.
        teams: whether it is done in teams.
    """

    draft: bool = False
    due: datetime | None = None
    attempts: Attempts | None = None
    teams: bool = False

    @classmethod
    def from_table(cls, where: str, table: Mapping[str, Any]) -> "OwnPolicies":
        """Return the policies of a table ``assignments.NAME`` of `course.toml`.

        Raises:
            UsageError: a key or a value is none.
        """
        known = ("limits", *(one.name for one in dataclasses.fields(cls)))
        if unknown := sorted(set(table) - set(known)):
            words = f"{', '.join(known[:-1])} or {known[-1]}"
            raise UsageError(f"a key of {where} must be {words}, got {unknown[0]!r}")
        for key in ("draft", "teams"):
            if type(flag := table.get(key, False)) is not bool:
                raise UsageError(f"{where}.{key} must be true or false, got {flag!r}")
        attempts = table.get("attempts")
        return cls(
            table.get("draft", False),
            _due_time(table.get("due"), f"{where}.due"),
            None if attempts is None else _attempts(attempts, f"{where}.attempts"),
            table.get("teams", False),
        )


@dataclass(frozen=True)
class Policies:
    """What is decided about the grades of a course.

    Attributes:
        late: what lateness costs; None leaves that to nbgrader's plugin.
        drop_lowest: how many of a student's assignments do not count in the course's total.
        attempts: which of several attempts counts.
        own: what is decided about single assignments.
    """

    late: LatePolicy | None = None
    drop_lowest: int = 0
    attempts: Attempts = Attempts.LAST
    own: Mapping[str, OwnPolicies] = dataclasses.field(default_factory=dict)

    def attempts_of(self, assignment: str) -> Attempts:
        """Return which of several attempts counts in an assignment."""
        own = self.own.get(assignment)
        return own.attempts if own is not None and own.attempts is not None else self.attempts

    def in_teams(self, assignment: str) -> bool:
        """Return whether an assignment is done in teams."""
        own = self.own.get(assignment)
        return own is not None and own.teams

    @classmethod
    def from_tables(
        cls,
        late: dict[str, Any],
        grades: dict[str, Any],
        own: Mapping[str, OwnPolicies],
    ) -> "Policies":
        """Return the policies of the tables ``late`` and ``grades`` of `course.toml`.

        Args:
            late: that table.
            grades: that table.
            own: what is decided about single assignments.

        Raises:
            UsageError: a key or a value is none.
        """
        known = [field.name for field in dataclasses.fields(LatePolicy)]
        if unknown := sorted(set(late) - set(known)):
            raise UsageError(f"a key of late must be one of {', '.join(known)}, got {unknown[0]!r}")
        if late and "percent_per_day" not in late:
            raise UsageError("late must have percent_per_day")
        if unknown := sorted(set(grades) - {"drop_lowest", "attempts"}):
            raise UsageError(f"a key of grades must be drop_lowest or attempts, got {unknown[0]!r}")
        drop = grades.get("drop_lowest", 0)
        if type(drop) is not int or drop < 0:
            raise UsageError(f"grades.drop_lowest must be a whole number from 0 up, got {drop!r}")
        attempts = _attempts(grades.get("attempts", Attempts.LAST), "grades.attempts")
        return cls(LatePolicy(**late) if late else None, drop, attempts, own)


def _attempts(value: object, where: str) -> Attempts:
    known = [one.value for one in Attempts]
    if value not in known:
        words = " or ".join(f'"{one}"' for one in known)
        raise UsageError(f"{where} must be {words}, got {value!r}")
    return Attempts(str(value))


def _due_time(value: object, where: str) -> datetime | None:
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


def gradebook_url(table: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """Return where the gradebook's database is, by the table ``gradebook``; "" for a file.

    What the environment says takes its place, and may hold a password; where the table says
    nothing it counts for nothing, so that no other course on this machine comes into it.

    Raises:
        UsageError: that is no URL of a database on a PostgreSQL server, or it tells a password.
    """
    if unknown := sorted(set(table) - {"url"}):
        raise UsageError(f"a key of gradebook must be url, got {unknown[0]!r}")
    if not table:
        return ""
    url = table["url"]
    found = _postgresql(url)
    if found is None:
        raise UsageError(f"gradebook.url must be like {EXAMPLE_URL}, got {url!r}")
    if found.password is not None or "password" in parse_qs(found.query):
        raise UsageError(
            f"gradebook.url must tell no password, as this file is no secret; say the whole URL in "
            f"{GRADEBOOK_VARIABLE}, or the password in PGPASSWORD or ~/.pgpass"
        )
    if said := environment.get(GRADEBOOK_VARIABLE):
        found, url = _postgresql(said), said
        if found is None:
            raise UsageError(f"{GRADEBOOK_VARIABLE} must be like {EXAMPLE_URL}, and is not")
    return "postgresql:" + str(url).partition(":")[2]


def _postgresql(url: object) -> SplitResult | None:
    """Return the parts of a URL, if it names a database on a PostgreSQL server."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        return None
    named = len(parts.path) > 1 and "/" not in parts.path[1:]
    return parts if named and parts.scheme in ("postgresql", "postgresql+psycopg") else None
