"""Problems: what staff must look at, and whose it is."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from autograder.course import Course
from autograder.errors import AutograderError, DeviceLost, system_words

__all__ = ["Problem", "as_far_as_it_goes", "fault_words", "told", "told_of"]

T = TypeVar("T")


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


def as_far_as_it_goes(found: Iterable[T], problems: list[Problem]) -> Iterator[T]:
    """Yield what a run finds until no GPU is left to it, which is a problem of nobody's alone."""
    try:
        yield from found
    except DeviceLost as error:
        problems.append(Problem(str(error)))


def fault_words(error: Exception) -> str:
    """Return in words what went wrong for one student, by whatever exception."""
    if isinstance(error, OSError):
        return system_words(error)
    return str(error) if isinstance(error, AutograderError) else f"{type(error).__name__}: {error}"
