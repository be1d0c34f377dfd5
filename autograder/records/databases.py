"""The table of databases: where a course has its gradebook."""

from functools import cache

from autograder.course import Course
from autograder.records.database import Database
from autograder.records.gradebook_file import GradebookFile
from autograder.records.gradebook_server import GradebookServer

__all__ = ["database_of"]

_server = cache(GradebookServer)  # one that did not answer is known to all who ask in this process


def database_of(course: Course) -> Database:
    """Return where a course has its gradebook: ``gradebook.db``, or what `course.toml` names."""
    url = course.gradebook_url
    return _server(url) if url else GradebookFile(course.gradebook)
