"""Exports of a course: the grades of some assignments, in a form of the table of exporters."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from autograder.artefacts.grades import Grade
from autograder.artefacts.manifest import Manifest
from autograder.course import Course
from autograder.engines.grades import class_grades
from autograder.engines.problems import Problem, told_of
from autograder.errors import UsageError
from autograder.records.exporters import EXPORTERS
from autograder.records.exporting import Exported, Wanted
from autograder.records.roster import read_roster
from autograder.visible import visible

__all__ = ["export_course"]


def export_course(
    course: Course,
    names: Sequence[str],
    to: str,
    students: Collection[str] = (),
    sheet: Path | None = None,
    column: str | None = None,
) -> Exported:
    """Return the grades of assignments in a form in which they leave.

    Args:
        course: whose grades they are.
        names: the assignments.
        to: the name of the form.
        students: only these; empty means all.
        sheet: the downloaded sheet that is filled.
        column: the heading of its column for the grade, where it is not found.

    Raises:
        UsageError: the form cannot hold several assignments, or it lacks a sheet, or has no use
            for one; or a student has no grade.
    """
    exporter = EXPORTERS[to]
    if len(names) > 1 and not exporter.together:
        raise UsageError(f"name one of {', '.join(names)}: each has a table of its own")
    if sheet is None and exporter.sheet == "needed":
        raise UsageError(f"--to {to} fills the sheet that you download there: name it by --sheet")
    if sheet is not None and exporter.sheet == "none":
        raise UsageError(f"--to {to} has no use for --sheet")
    classes: list[tuple[Manifest, dict[str, Grade]]] = []
    problems: list[Problem] = []
    for name in names:
        found = class_grades(course, name)
        problems += told_of(found.problems, students) if students else found.problems
        grades = {s: grade for s, grade in found.grades.items() if not students or s in students}
        classes.append((found.manifest, grades))
    for student in students:
        if not any(student in grades for _, grades in classes):
            raise UsageError(f"student {visible(student)!r} has no grade in {', '.join(names)}")
    roster, drop_lowest = read_roster(course), course.policies.drop_lowest
    notebooks = {
        (name, student): Path(os.path.relpath(path))
        for name in names
        for student, path in course.submitted(name).items()
    }
    exported = exporter.export(Wanted(classes, roster, sheet, column, drop_lowest, notebooks))
    return Exported(exported.files, (*map(str, problems), *exported.problems))
