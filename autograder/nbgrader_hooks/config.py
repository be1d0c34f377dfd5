"""nbgrader's configuration of a course, as its `nbgrader_config.py` takes it from here."""

import os
import re
from pathlib import Path
from typing import Any

from autograder.course import find_course
from autograder.records.gradebook_server import GradebookServer, url_for_nbgrader

__all__ = ["configure", "course_id"]

# nbgrader's own, and what a submission need not carry back: the wheel of its release.
IGNORED = (".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.whl")
_HOOKS = "autograder.nbgrader_hooks"


def configure(config: Any, file: str) -> None:
    """Let nbgrader, its formgrader and its exchange work in a course as this package does.

    Args:
        config: nbgrader's, ``get_config()``.
        file: a file in the course's folder: ``__file__`` of its ``nbgrader_config.py``.

    Raises:
        UsageError: that folder is no course, or its ``course.toml`` is wrong.
        HarnessError: it names a server, and the driver for it is missing.
    """
    from autograder.nbgrader_hooks.converters import take_over

    course = find_course(Path(os.path.abspath(file)).parent)
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.course_id = course_id(course.name)
    config.CourseDirectory.source_directory = "assignments"
    if course.gradebook_url:
        GradebookServer(course.gradebook_url).require_driver()
        config.CourseDirectory.db_url = url_for_nbgrader(course.gradebook_url)
    config.CourseDirectory.ignore = list(IGNORED)
    config.ExchangeFactory.release_assignment = f"{_HOOKS}.exchange.ReleaseAssignment"
    config.HTMLExporter.preprocessors = [f"{_HOOKS}.rubrics.ShowRubrics"]
    config.ShowRubrics.course = str(course.root)
    take_over()


def course_id(name: str) -> str:
    """Return what the exchange calls a course: its name in small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "course"
