"""Blackboard: the grade centre's sheet, downloaded there and filled.

It knows students by their user name and columns by a number behind the title. A column without one
would be made anew, as a text.
"""

import re
from typing import TYPE_CHECKING

from autograder.errors import UsageError
from autograder.records.exporting import Exported
from autograder.records.filling import (
    cells,
    other_possible,
    rows_of,
    titled_columns,
)
from autograder.records.roster import Clues
from autograder.records.sheets import Sheet, read_sheet
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.records.exporting import Wanted

__all__ = ["blackboard_export"]

# "Homework 1 [Total Pts: 15 Score] |12345", in whatever language the brackets are.
COLUMN = re.compile(r"(.*?)(?:\s*\[([^\[\]]*)\])?\s*\|\s*\d+", re.DOTALL)
POINTS = re.compile(r"\d+(?:[.,]\d+)?")
USERNAME = "Username"
PLACE_OF_USERNAME = 2  # behind the last and the first name; headings are translated
NUMBER = "Student ID"


def blackboard_export(wanted: "Wanted") -> Exported:
    """Return the sheet with the grades that are decided; all else is as it was.

    Raises:
        UsageError: the sheet is none of Blackboard's, or its column for the grade is not found.
    """
    assert wanted.sheet is not None
    sheet = read_sheet(wanted.sheet)
    columns = {
        column: found
        for column, heading in enumerate(sheet.headings)
        if (found := COLUMN.fullmatch(heading))
    }
    username = sheet.find(USERNAME)
    if username is None:
        username = PLACE_OF_USERNAME
    if not columns or username in columns:
        raise UsageError(
            f'{visible(sheet.name)} is no sheet of Blackboard: no heading ends like "|12345"'
        )
    clues = {row: _clues(sheet, row, username) for row in sheet.numbers}
    rows, problems = rows_of(sheet, clues, wanted)
    titles = {column: found[1] for column, found in columns.items()}
    grades: dict[tuple[int, int], float] = {}
    of_assignments = titled_columns(sheet, titles, wanted)
    for (manifest, of_class), column in zip(wanted.classes, of_assignments, strict=True):
        grades |= cells(rows, of_class, column)
        if column in columns and (points := POINTS.search(columns[column][2] or "")):
            problems += other_possible(sheet, manifest, points[0])
    name = "blackboard.xls" if sheet.delimiter == "\t" else "blackboard.csv"
    return Exported({name: sheet.with_grades(grades).data()}, tuple(problems))


def _clues(sheet: Sheet, row: int, username: int) -> Clues:
    said = sheet.value(row, username)
    number = sheet.find(NUMBER)
    more = [] if number is None else [sheet.value(row, number)]
    names = [f"{sheet.value(row, 0)}, {sheet.value(row, 1)}"] if username > 1 else []
    return Clues(said, logins=[said, *more], names=names)
