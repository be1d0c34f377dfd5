"""Teams: who does assignments together, from `roster.csv` and `teams.csv`.

A column ``team`` of `roster.csv` names a student's team. `teams.csv` in the course's folder has a
row for each member, with the columns ``team`` and ``student``. Who is in neither works alone.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.course import ROSTER, TEAMS, Course
from autograder.errors import UsageError
from autograder.records.roster import is_student_name, read_roster
from autograder.records.tables import read_table
from autograder.spelling import Spelling
from autograder.visible import visible

__all__ = ["Teams", "teams_of"]

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
    for where, row in read_table(path, COLUMNS) or ():
        yield where, *_cells(where, [row.get(name, "") for name in COLUMNS])


def _cells(where: str, row: list[str]) -> tuple[str, str]:
    team, student = row
    if not team:
        raise UsageError(f"{where}: {visible(student)!r} has no team")
    if not is_student_name(student):
        raise UsageError(f"{where}: {student!r} cannot be the name of a student's folder")
    return team, student
