"""People: students as the report names them, with the way to their feedback pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from autograder.artefacts.grades import Grade
from autograder.visible import visible

__all__ = ["Who", "link_of", "who"]


@dataclass(frozen=True)
class Who:
    """A student as the report names them, with the way to the feedback page, if there is one."""

    student: str
    name: str | None
    link: str | None


def who(student: str, names: Mapping[str, str], link: str | None = None) -> Who:
    """Return a student as pages name them."""
    name = names.get(student)
    return Who(visible(student), visible(name) if name else None, link)


def link_of(grade: Grade) -> str | None:
    """Return the way from the report to a grade's feedback page, if it has one."""
    if grade.result is None:
        return None
    student, assignment = (quote(name, safe="") for name in (grade.student, grade.assignment))
    return f"../feedback/{student}/{assignment}/{assignment}.html"
