"""Exporters: the forms in which results leave, by the name that ``--format`` says.

A new exporter is a module with a function that returns the text, and a row of the table here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.visible import json_text

if TYPE_CHECKING:
    from autograder.artefacts.manifest import Manifest
    from autograder.artefacts.results import Result

__all__ = ["EXPORTERS", "Classes", "Exporter"]

# Assignments, each with the newest result of every student.
Classes = Sequence[tuple["Manifest", Mapping[str, "Result"]]]


@dataclass(frozen=True)
class Exporter:
    """A form in which results leave.

    Attributes:
        text: returns what is printed of the results of assignments.
        together: whether one text can hold several assignments; else it gets one.
    """

    text: Callable[[Classes], str]
    together: bool


def _csv(classes: Classes) -> str:
    from autograder.records.exports import csv_text

    ((manifest, results),) = classes
    return csv_text(manifest, results)


def _json(classes: Classes) -> str:
    from autograder.records.exports import table

    return json_text([table(manifest, results) for manifest, results in classes]) + "\n"


EXPORTERS: Mapping[str, Exporter] = {
    "csv": Exporter(_csv, together=False),
    "json": Exporter(_json, together=True),
}
