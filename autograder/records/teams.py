"""Teams: who does assignments together, from `roster.csv` and `teams.csv`.

A column ``team`` of `roster.csv` names a student's team. `teams.csv` in the course's folder has a
row for each member, with the columns ``team`` and ``student``. Who is in neither works alone.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.course import ROSTER, TEAMS, Course
from autograder.errors import UsageError
from autograder.records.roster import is_student_name, read_roster
from autograder.spelling import Spelling
from autograder.visible import visible

__all__ = ["Teams", "teams_of"]

MOST_BYTES = 16 << 20
COLUMNS = ("team", "student")


class Teams:
    """The teams of an assignment.

    Args:
        team_of: each member's team.
        problems: sentences on members whom nobody knows.
    """

    def __init__(self, team_of: Mapping[str, str], problems: tuple[str, ...] = ()) -> None:
        self.problems = problems
        members: dict[str, list[str]] = {}
        for student, team in sorted(team_of.items()):
            members.setdefault(team, []).append(student)
        self._mates = {s: tuple(members[team]) for s, team in team_of.items()}

    def with_mates(self, student: str) -> tuple[str, ...]:
        """Return a student's team, the student among them: alone where there is no other."""
        return self._mates.get(student, (student,))

    def members(self) -> set[str]:
        """Return everybody who is in a team."""
        return set(self._mates)


def teams_of(course: Course, assignment: str) -> Teams:
    """Return the teams of an assignment; where it is not done in teams, all work alone.

    Raises:
        UsageError: `teams.csv` is no such table, or a student is in two teams.
    """
    if not course.policies.in_teams(assignment):
        return Teams({})
    roster = read_roster(course)
    team_of = {one.id: one.team for one in roster.students if one.team}
    problems, called = list[str](), Spelling(course.student_folders())
    for where, team, name in _rows(course.root / TEAMS):
        known = roster.get(name)
        if known is None and roster.complete:
            problems.append(
                f"{where}: {visible(name)!r} of team {visible(team)!r} is in no roster, and is "
                f"left out; add a row to {ROSTER}, or correct the name"
            )
            continue
        student = known.id if known is not None else called(name)
        former = team_of.setdefault(student, team)
        if former != team:
            raise UsageError(
                f"{where}: {visible(student)!r} is in two teams, {visible(former)!r} and "
                f"{visible(team)!r}; leave one of them"
            )
    return Teams(team_of, tuple(problems))


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield where a row stands, the team and the student; nothing where there is no such file."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return
    if len(data) > MOST_BYTES:
        raise UsageError(f"{TEAMS} has more than {MOST_BYTES >> 20} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{TEAMS} is not UTF-8: {error.reason} at byte {error.start}") from None
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    try:
        columns = [name.strip().casefold() for name in next(reader, [])]
        if missing := [name for name in COLUMNS if name not in columns]:
            raise UsageError(f"the first line of {TEAMS} must name a column {missing[0]!r}")
        places = [columns.index(name) for name in COLUMNS]
        for row in reader:
            if any(cell.strip() for cell in row):
                where = f"{TEAMS}, line {reader.line_num}"
                yield where, *_cells(where, [row[at] if at < len(row) else "" for at in places])
    except csv.Error as error:
        raise UsageError(f"{TEAMS}, line {reader.line_num}: {error}") from None


def _cells(where: str, row: list[str]) -> tuple[str, str]:
    team, student = (unicodedata.normalize("NFC", cell.strip()) for cell in row)
    if not team:
        raise UsageError(f"{where}: {visible(student)!r} has no team")
    if not is_student_name(student):
        raise UsageError(f"{where}: {student!r} cannot be the name of a student's folder")
    return team, student
