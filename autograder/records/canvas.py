"""Canvas: a table that its gradebook imports, by the sheet that was exported there or without."""

import csv
import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from autograder.artefacts.manifest import Manifest
from autograder.errors import UsageError
from autograder.records.exporting import Exported
from autograder.records.exports import harmless
from autograder.records.filling import (
    cells,
    known_students,
    other_possible,
    rows_of,
    titled_columns,
)
from autograder.records.roster import Clues
from autograder.records.sheets import DECIMALS, Sheet, read_sheet
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.records.exporting import Wanted

__all__ = ["canvas_export"]

COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS = "Points Possible"
EXCUSED = "EX"
TITLE = re.compile(r"(.*) \(\d+\)", re.DOTALL)  # Canvas puts its own number behind


def canvas_export(wanted: "Wanted") -> Exported:
    """Return the table that Canvas imports.

    With a sheet that was exported there, it has that sheet's students and the headings that name
    its assignments. Without one it is made from the roster.

    Raises:
        UsageError: there is neither, or the sheet is none of Canvas's.
    """
    if wanted.sheet is not None:
        return _filled(wanted, read_sheet(wanted.sheet))
    if not wanted.roster.students:
        raise UsageError(
            "--to canvas knows students by a roster, or by the gradebook that you export there: "
            "name it by --sheet"
        )
    return _made(wanted)


def _filled(wanted: "Wanted", sheet: Sheet) -> Exported:
    columns = {name: sheet.find(name) for name in COLUMNS}
    kept = [column for column in columns.values() if column is not None]
    if columns["Student"] is None or columns["ID"] is None:
        raise UsageError(f"{visible(sheet.name)} is no gradebook of Canvas: no column Student, ID")
    student = columns["Student"]
    pupils = [row for row in sheet.numbers if sheet.value(row, columns["ID"])]
    rows, problems = rows_of(sheet, {row: _clues(sheet, row, columns) for row in pupils}, wanted)
    titles = {
        column: found[1]
        for column, heading in enumerate(sheet.headings)
        if (found := TITLE.fullmatch(heading))
    }
    grades: dict[tuple[int, int], float] = {}
    of_assignments = titled_columns(sheet, titles, wanted)
    for (manifest, of_class), column in zip(wanted.classes, of_assignments, strict=True):
        grades |= {
            cell: grade
            for cell, grade in cells(rows, of_class, column).items()
            if sheet.value(*cell).upper() != EXCUSED
        }
        for row in sheet.numbers:
            if sheet.value(row, student).casefold() == POINTS.casefold():
                problems += other_possible(sheet, manifest, sheet.value(row, column))
    filled = sheet.with_grades(grades).only([*kept, *of_assignments])
    return Exported({"canvas.csv": filled.data()}, tuple(problems))


def _clues(sheet: Sheet, row: int, columns: Mapping[str, int | None]) -> Clues:
    said = {n: sheet.value(row, c) if c is not None else "" for n, c in columns.items()}
    return Clues(
        said["Student"],
        canvas_ids=[said["ID"]],
        logins=[said["SIS User ID"], said["SIS Login ID"]],
        names=[said["Student"]],
    )


def _made(wanted: "Wanted") -> Exported:
    titles = [_title(wanted, manifest) for manifest, _ in wanted.classes]
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*COLUMNS, *map(harmless, titles)])
    points = [_number(manifest.possible) for manifest, _ in wanted.classes]
    writer.writerow([f"    {POINTS}", "", "", "", "", *points])
    problems = []
    for student in known_students(wanted.classes):
        if (person := wanted.roster.get(student)) is None:
            problems.append(f"{visible(student)} is not in the roster, and is left out")
            continue
        totals = [
            grades[student].total if student in grades else None for _, grades in wanted.classes
        ]
        named = ", ".join(name for name in (person.last_name, person.first_name) if name)
        known = [person.canvas_id or person.lms_id, "", student]
        # Canvas knows them by these numbers, which staff wrote into the roster: they stay.
        writer.writerow([harmless(named or student), *known, "", *map(_number, totals)])
    return Exported({"canvas.csv": buffer.getvalue().encode()}, tuple(problems))


def _title(wanted: "Wanted", manifest: Manifest) -> str:
    alone = len(wanted.classes) == 1
    return wanted.column if wanted.column is not None and alone else manifest.title


def _number(value: float | None) -> str:
    return "" if value is None else format(round(value, DECIMALS), ".12g")
