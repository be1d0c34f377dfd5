"""Filling: the grades of an assignment, put into the rows of a learning platform's sheet."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from autograder.artefacts.grades import Grade, GradeStatus
from autograder.artefacts.manifest import Manifest
from autograder.errors import UsageError
from autograder.records.roster import Clues, Roster, Student
from autograder.records.sheets import Sheet, number
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.records.exporting import Classes, Wanted

__all__ = ["cells", "known_students", "other_possible", "rows_of", "titled_columns"]


def known_students(classes: "Classes") -> list[str]:
    """Return the students who submitted anything, or got a grade without that."""
    return sorted(
        {
            student
            for _, grades in classes
            for student, grade in grades.items()
            if grade.status is not GradeStatus.MISSING
        }
    )


def rows_of(
    sheet: Sheet, clues: Mapping[int, Clues], wanted: "Wanted"
) -> tuple[dict[str, int], list[str]]:
    """Return the row of each student, and sentences on those who have none, or several.

    Args:
        sheet: in which they are looked for.
        clues: what each row says of whom it is for.
        wanted: has the students; one who is in no roster is known by the name of the folder.
    """
    wanted_students = known_students(wanted.classes)
    known = {student.id: student for student in wanted.roster.students}
    unknown = (Student(name) for name in wanted_students if name not in known)
    roster = Roster((*known.values(), *unknown))
    found: dict[str, list[int]] = {}
    unclear: dict[str, str] = {}
    for row, of_row in clues.items():
        match = roster.find(of_row)
        if match.student is not None:
            found.setdefault(match.student.id, []).append(row)
        unclear |= dict.fromkeys(match.candidates, f": of one row, {match.reason}")
    rows: dict[str, int] = {}
    problems, name = [], visible(sheet.name)
    for student in wanted_students:
        own = found.get(student, [])
        if len(own) == 1:
            rows[student] = own[0]
        else:
            several = f"{len(own)} rows" if own else "no row"
            why = "" if own else unclear.get(student, "")
            problems.append(f"{visible(student)} has {several} in {name}, and is left out{why}")
    return rows, problems


def cells(
    rows: Mapping[str, int], grades: Mapping[str, Grade], column: int
) -> dict[tuple[int, int], float]:
    """Return the grades that are decided by the cell that they belong into."""
    totals = {student: grades[student].total for student in rows if student in grades}
    return {(rows[s], column): total for s, total in totals.items() if total is not None}


def titled_columns(sheet: Sheet, titles: Mapping[int, str], wanted: "Wanted") -> list[int]:
    """Return the column of each assignment, one for each.

    Args:
        sheet: in which they are looked for.
        titles: the columns of assignments, with the title of each.
        wanted: has the assignments, and the heading of a single one where it is said.

    Raises:
        UsageError: one is not there, or not alone, or is that of two.
    """
    columns: dict[int, str] = {}
    for manifest, _ in wanted.classes:
        column = _titled_column(sheet, titles, manifest, wanted)
        if column in columns:
            raise UsageError(
                f"{columns[column]} and {manifest.assignment} have the same column in "
                f"{visible(sheet.name)}; export one at a time, and name its column by "
                "--grade-column"
            )
        columns[column] = manifest.assignment
    return list(columns)


def _titled_column(
    sheet: Sheet, titles: Mapping[int, str], manifest: Manifest, wanted: "Wanted"
) -> int:
    if wanted.column is not None and len(wanted.classes) == 1:
        if (named := sheet.find(wanted.column)) is not None:
            return named
        names = {wanted.column.strip().casefold()}
    else:
        names = {manifest.title.strip().casefold(), manifest.assignment.casefold()}
    found = [column for column, title in titles.items() if title.strip().casefold() in names]
    if len(found) == 1:
        return found[0]
    if not found and wanted.column is None and len(titles) == len(wanted.classes) == 1:
        return next(iter(titles))
    said = ", ".join(visible(sheet.headings[column]) for column in titles)
    raise UsageError(
        f"{visible(sheet.name)} has no one column for {manifest.assignment}; name it by "
        f"--grade-column; there are: {said or 'none'}"
    )


def other_possible(sheet: Sheet, manifest: Manifest, said: str) -> list[str]:
    """Say that the sheet counts an assignment by other points, if it does."""
    points = number(said)
    if points is None or abs(points - manifest.possible) < 1e-6:
        return []
    return [
        f"{visible(sheet.name)} says {points:g} points for {manifest.assignment}, which has "
        f"{manifest.possible:g}; grades are filled in as they are"
    ]
