"""Exporters: the forms in which grades leave, by the name that ``--to`` says.

A new exporter is a module with a function that returns what is written, and a row of the table
here.
"""

from collections.abc import Mapping

from autograder.errors import UsageError
from autograder.records.exporting import Classes, Exported, Exporter, Wanted
from autograder.visible import json_text

__all__ = ["EXPORTERS", "json_of"]


def json_of(classes: Classes) -> str:
    """Return the grades as JSON: a list of assignments."""
    from autograder.records.exports import table

    return json_text([table(manifest, grades) for manifest, grades in classes]) + "\n"


def _csv(wanted: Wanted) -> Exported:
    from autograder.records.exports import course_text, csv_text

    classes = wanted.classes
    text = csv_text(*classes[0]) if len(classes) == 1 else course_text(classes, wanted.drop_lowest)
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

    exported = gradescope_export(wanted)
    if not exported.files:
        names = ", ".join(manifest.assignment for manifest, _ in wanted.classes)
        raise UsageError(f"nobody has submitted anything for {names}: there is nothing to write")
    return exported


def _junit(wanted: Wanted) -> Exported:
    from autograder.records.junit import junit_export

    return junit_export(wanted)


def _markdown(wanted: Wanted) -> Exported:
    from autograder.records.ci import markdown_export

    return markdown_export(wanted)


def _annotations(wanted: Wanted) -> Exported:
    from autograder.records.ci import annotations_export

    return annotations_export(wanted)


EXPORTERS: Mapping[str, Exporter] = {
    "csv": Exporter(_csv, together=True),
    "json": Exporter(_json, together=True),
    "canvas": Exporter(_canvas, together=True, sheet="optional"),
    "moodle": Exporter(_moodle, together=False, sheet="needed"),
    "blackboard": Exporter(_blackboard, together=True, sheet="needed"),
    "gradescope": Exporter(_gradescope, together=True),
    "junit": Exporter(_junit, together=True),
    "markdown": Exporter(_markdown, together=True),
    "annotations": Exporter(_annotations, together=True),
}
