"""The report of a course as a run keeps it: written once, behind all that a command has changed.

What it was written from is kept beside the results, as a digest. A command that was killed before
its report has left another one there, so that the next command writes it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autograder.course import Course
from autograder.engines.grades import class_grades, is_gradebook_behind, names_of
from autograder.engines.problems import Problem, fault_words
from autograder.engines.stamps import (
    digest_of_parts,
    read_gradebook_stamp,
    read_report_stamp,
    write_report_stamp,
)
from autograder.errors import AutograderError
from autograder.records.report import write_report
from autograder.version import own_version

__all__ = ["bring_report_up_to_date", "report_at_the_end", "write_class_report"]


@contextmanager
def report_at_the_end(write: Callable[[], None]) -> Iterator[None]:
    """Write the report behind a block, whatever number of assignments that is about.

    Where the block fails, the report has what was done until then.
    """
    try:
        yield
    except AutograderError:
        with suppress(AutograderError, OSError):  # the first fault is the one to tell
            write()
        raise
    write()


def bring_report_up_to_date(
    course: Course, problems: list[Problem], say: Callable[[str], None]
) -> None:
    """Write the report if it does not say what is known.

    Args:
        course: whose report it is.
        problems: is told what had to be left out.
        say: is told if it is written.
    """
    known = read_report_stamp(course)
    if known is None or known != _digest(course) or not os.path.isfile(course.report):
        say("writing the report")
        write_class_report(course, problems)


def write_class_report(course: Course, problems: list[Problem]) -> Path:
    """Write the report over every assignment that has results, and return its path.

    Args:
        course: whose report it is.
        problems: is told what had to be left out.
    """
    assignments, whole = [], True
    for name in course.assignments():
        try:
            if not course.bundle(name).is_file():
                continue
            found = class_grades(course, name)
            problems += (said for said in found.problems if said not in problems)
            if found.results or any(grade.is_begun for grade in found.grades.values()):
                assignments.append((found.manifest, found.grades))
        except (AutograderError, OSError) as error:
            whole = False
            problems.append(Problem(f"{name} is not in the report: {fault_words(error)}"))
    names, drop_lowest = names_of(course), course.policies.drop_lowest
    write_report(course.report.parent, course.name, assignments, names, drop_lowest)
    write_report_stamp(course, _digest(course) if whole else None)
    return course.report


def _digest(course: Course) -> str | None:
    """Return a digest of all that the report says; None if it is not known.

    What was written into the gradebook hangs on the same as the grades.
    """
    if is_gradebook_behind(course):
        return None
    written = dict(read_gradebook_stamp(course).written)
    compiled = [name for name in course.assignments() if course.bundle(name).is_file()]
    return digest_of_parts(own_version(), course.name, repr(course.policies), compiled, written)
