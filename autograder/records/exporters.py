"""Exporters: the forms in which grades leave, by the name that ``--to`` says.

A new exporter is a module with a function that returns what is written, and a row of the table
here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from autograder.visible import json_text

if TYPE_CHECKING:
    from autograder.artefacts.grades import Grade
    from autograder.artefacts.manifest import Manifest
    from autograder.records.roster import Roster

__all__ = ["EXPORTERS", "Classes", "Exported", "Exporter", "Wanted", "json_of"]

# Assignments, each with the grade of every student.
Classes = Sequence[tuple["Manifest", Mapping[str, "Grade"]]]


@dataclass(frozen=True)
class Wanted:
    """What an export is made of.

    Attributes:
        classes: the assignments with their grades.
        roster: who takes the course.
        sheet: the downloaded sheet that is filled.
        column: the heading of its column for the grade, where it is not found.
    """

    classes: Classes
    roster: "Roster"
    sheet: Path | None = None
    column: str | None = None


@dataclass(frozen=True)
class Exported:
    """What is written.

    Attributes:
        files: by their names; one that is alone may be printed.
        problems: sentences on what staff must look at, such as grades that found no row.
    """

    files: Mapping[str, bytes]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exporter:
    """A form in which grades leave.

    Attributes:
        export: returns what is written.
        together: whether it can hold several assignments; else it gets one.
        sheet: whether it needs a downloaded sheet, may have one, or has no use for it.
    """

    export: Callable[[Wanted], Exported]
    together: bool
    sheet: Literal["needed", "optional", "none"] = "none"


def json_of(classes: Classes) -> str:
    """Return the grades as JSON: a list of assignments."""
    from autograder.records.exports import table

    return json_text([table(manifest, grades) for manifest, grades in classes]) + "\n"


def _csv(wanted: Wanted) -> Exported:
    from autograder.records.exports import course_text, csv_text

    classes = wanted.classes
    text = csv_text(*classes[0]) if len(classes) == 1 else course_text(classes)
    return Exported({"grades.csv": text.encode()})


def _json(wanted: Wanted) -> Exported:
    return Exported({"grades.json": json_of(wanted.classes).encode()})


def _canvas(wanted: Wanted) -> Exported:
    from autograder.records.canvas import canvas_export

    return canvas_export(wanted)


def _moodle(wanted: Wanted) -> Exported:
    from autograder.records.moodle import moodle_export

    return moodle_export(wanted)


def _blackboard(wanted: Wanted) -> Exported:
    from autograder.records.blackboard import blackboard_export

    return blackboard_export(wanted)


def _gradescope(wanted: Wanted) -> Exported:
    from autograder.records.gradescope import gradescope_export

    return gradescope_export(wanted)


def _junit(wanted: Wanted) -> Exported:
    from autograder.records.junit import junit_export

    return junit_export(wanted)


EXPORTERS: Mapping[str, Exporter] = {
    "csv": Exporter(_csv, together=True),
    "json": Exporter(_json, together=True),
    "canvas": Exporter(_canvas, together=True, sheet="optional"),
    "moodle": Exporter(_moodle, together=False, sheet="needed"),
    "blackboard": Exporter(_blackboard, together=True, sheet="needed"),
    "gradescope": Exporter(_gradescope, together=True),
    "junit": Exporter(_junit, together=True),
}
