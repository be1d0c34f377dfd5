"""Moodle: the grading worksheet of an assignment, downloaded there and filled.

All its headings are translated, so that columns are known by what stands in them.
"""

import re
from typing import TYPE_CHECKING

from autograder.errors import UsageError
from autograder.records.exporting import Exported
from autograder.records.filling import cells, other_possible, rows_of
from autograder.records.roster import Clues
from autograder.records.sheets import Sheet, number, read_sheet
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.records.exporting import Wanted

__all__ = ["moodle_export"]

PARTICIPANT = re.compile(r"[^\W\d][^\d]*?(\d+)")  # "Participant 123", "Teilnehmer/in123"
# What stands in the column of a grade that was not given yet.
EMPTY = ("", "-")


def moodle_export(wanted: "Wanted") -> Exported:
    """Return the worksheet with the grades that are decided; all else is as it was.

    Raises:
        UsageError: the sheet is no grading worksheet, or its column for the grade is not found.
    """
    assert wanted.sheet is not None
    ((manifest, grades),) = wanted.classes
    sheet = read_sheet(wanted.sheet)
    identifier = _identifier(sheet)
    column, most = _grade_column(sheet, wanted.column)
    clues = {row: _clues(sheet, row, identifier, column) for row in sheet.numbers}
    rows, problems = rows_of(sheet, clues, wanted)
    problems += other_possible(sheet, manifest, most)
    filled = sheet.with_grades(cells(rows, grades, column))
    return Exported({"moodle.csv": filled.data()}, tuple(problems))


def _identifier(sheet: Sheet) -> int:
    """Return the column of "Participant 123": a word and a number, another one in each row."""
    for column in range(len(sheet.headings)):
        said = sheet.column(column)
        if said and all(map(PARTICIPANT.fullmatch, said)) and len(set(said)) == len(said):
            return column
    raise UsageError(
        f'{visible(sheet.name)} is no grading worksheet of Moodle: no column says "Participant 123"'
        " or that in another language"
    )


def _grade_column(sheet: Sheet, heading: str | None) -> tuple[int, str]:
    """Return the column of the grade, and what the sheet says of the most points.

    Right of it stands the most that can be had, the same number in each row.
    """
    found = []
    for column in range(len(sheet.headings)):
        said, behind = sheet.column(column), set(sheet.column(column + 1))
        most = behind.pop() if len(behind) == 1 else ""
        grades = all(text in EMPTY or number(text) is not None for text in said)
        if heading is not None:
            if column == sheet.find(heading):
                return column, most
        elif grades and number(most) is not None:
            found.append((column, most))
    if len(found) != 1:
        raise UsageError(
            f"{visible(sheet.name)} has no one column for the grade"
            f"{'' if heading is None else f' called {visible(heading)}'}; name it by "
            f"--grade-column; there are: {', '.join(map(visible, sheet.headings))}"
        )
    return found[0]


def _clues(sheet: Sheet, row: int, identifier: int, grade: int) -> Clues:
    """Return what a row says: the participant, the full name, and what the site has added."""
    said = [sheet.value(row, column) for column in range(identifier, grade)]
    participant = PARTICIPANT.fullmatch(said[0])
    return Clues(
        said[0],
        moodle_ids=[said[0], participant[1] if participant else ""],
        logins=said[2:],
        names=said[1:2],
    )
