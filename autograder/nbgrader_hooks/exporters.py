"""Exporters for ``nbgrader export``: the same grades and forms as ``autograder export``.

``nbgrader export --exporter=autograder.nbgrader_hooks.exporters.CanvasExportPlugin`` writes what
``autograder export --to canvas`` does.
"""

from pathlib import Path
from typing import Any

from nbgrader.plugins import ExportPlugin
from traitlets import Unicode

from autograder.course import find_course
from autograder.engines.export import export_course
from autograder.visible import visible

__all__ = [
    "BlackboardExportPlugin",
    "CanvasExportPlugin",
    "GradesExportPlugin",
    "JUnitExportPlugin",
    "MoodleExportPlugin",
]


class GradesExportPlugin(ExportPlugin):  # type: ignore[misc]
    """Writes the grades as CSV; the other classes write other forms."""

    form = "csv"
    sheet = Unicode("", help="the downloaded sheet that is filled").tag(config=True)
    grade_column = Unicode("", help="the heading of its column for the grade").tag(config=True)

    def export(self, gradebook: Any) -> None:
        """Write the grades of a course, or of the assignments and students that are named."""
        del gradebook  # what is in it is in our grades, and these say what is not decided
        course = find_course(Path(self.parent.coursedir.root))
        exported = export_course(
            course,
            [str(name) for name in self.assignment] or course.assignments(),
            self.form,
            [str(name) for name in self.student],
            Path(self.sheet) if self.sheet else None,
            self.grade_column or None,
        )
        for problem in exported.problems:
            self.log.warning("needs attention: %s", visible(course.in_words(problem)))
        out = Path(self.to or (next(iter(exported.files)) if len(exported.files) == 1 else "."))
        exported.write(out)
        self.log.info("Wrote the grades to %s", out)


class CanvasExportPlugin(GradesExportPlugin):
    """Writes a table that Canvas imports."""

    form = "canvas"


class MoodleExportPlugin(GradesExportPlugin):
    """Fills a grading worksheet of Moodle."""

    form = "moodle"


class BlackboardExportPlugin(GradesExportPlugin):
    """Fills a sheet of Blackboard."""

    form = "blackboard"


class JUnitExportPlugin(GradesExportPlugin):
    """Writes JUnit's XML."""

    form = "junit"
