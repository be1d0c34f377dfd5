"""Problems: what staff must look at, and whose it is."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from autograder.course import Course
from autograder.errors import AutograderError, system_words

__all__ = ["Problem", "fault_words", "told", "told_of"]


@dataclass(frozen=True)
class Problem:
    """A sentence on what staff must look at; ``student`` is whose it is, if it is a student's."""

    text: str
    student: str | None = None

    def __str__(self) -> str:
        return self.text


def told(course: Course, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems as they are shown: once each, with paths relative to the course."""
    shown = (replace(problem, text=course.in_words(problem.text)) for problem in problems)
    return tuple(dict.fromkeys(shown))


def told_of(problems: Iterable[Problem], students: Collection[str]) -> tuple[Problem, ...]:
    """Return the problems of some students, and those that are nobody's alone."""
    return tuple(one for one in problems if one.student is None or one.student in students)


def fault_words(error: Exception) -> str:
    """Return in words what went wrong for one student, by whatever exception."""
    if isinstance(error, OSError):
        return system_words(error)
    return str(error) if isinstance(error, AutograderError) else f"{type(error).__name__}: {error}"
