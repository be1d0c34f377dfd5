"""Exporters: the forms in which grades leave, by the name that ``--to`` says.

A new exporter is a module with a function that returns what is written, and a row of the table
here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from autograder.visible import json_text

if TYPE_CHECKING:
    from autograder.artefacts.grades import Grade
    from autograder.artefacts.manifest import Manifest

__all__ = ["EXPORTERS", "Classes", "Exported", "Exporter", "Person", "Wanted", "json_of"]

# Assignments, each with the grade of every student.
Classes = Sequence[tuple["Manifest", Mapping[str, "Grade"]]]


class Person(Protocol):
    """What is known of a student beside the name of a folder; "" or None where it is not."""

    @property
    def student(self) -> str:
        """The name of the folder."""

    @property
    def first_name(self) -> str | None:
        """The first name."""

    @property
    def last_name(self) -> str | None:
        """The last name."""

    @property
    def email(self) -> str | None:
        """The address."""

    @property
    def lms_id(self) -> str | None:
        """The number that the institution gave."""

    @property
    def canvas_id(self) -> str | None:
        """Canvas's number."""

    @property
    def moodle_id(self) -> str | None:
        """Moodle's number of a participant."""

    @property
    def blackboard_username(self) -> str | None:
        """The name in Blackboard."""


@dataclass(frozen=True)
class Wanted:
    """What an export is made of.

    Attributes:
        classes: the assignments with their grades.
        roster: who the students are, by the name of the folder.
        sheet: the downloaded sheet that is filled.
        column: the heading of its column for the grade, where it is not found.
    """

    classes: Classes
    roster: Mapping[str, Person] = field(default_factory=dict)
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


EXPORTERS: Mapping[str, Exporter] = {
    "csv": Exporter(_csv, together=True),
    "json": Exporter(_json, together=True),
}
