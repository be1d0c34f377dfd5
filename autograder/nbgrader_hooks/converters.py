"""nbgrader's Generate, Autograde and Generate feedback, done by our commands.

nbgrader asks none of its plug-ins before it deletes ``release/``, copies the sources beside a
student's code and opens the student's notebook, and it runs that code without walls. So what
these three converters do is replaced as a whole: by the commands ``autograder compile``, ``grade``
and ``feedback``, in processes of their own, with their isolation and the same results. A folder
that is no course of ours keeps nbgrader's.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import wraps
from pathlib import Path
from typing import Any

from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.converters import (
    Autograde,
    GenerateAssignment,
    GenerateFeedback,
    NbGraderException,
)
from nbgrader.preprocessors import AssignLatePenalties

from autograder.course import CONFIG, Course, find_course
from autograder.records.gradebook_server import url_for_nbgrader
from autograder.records.teams import teams_of
from autograder.visible import visible

__all__ = ["take_over"]

_OURS = "_runs_autograder"  # marks a method that is replaced already: a config is read twice
_Work = Callable[[Any, Course, str], None]


def take_over() -> None:
    """Put our compiler, our engine and our pages behind nbgrader's three converters."""
    for converter, work in (
        (GenerateAssignment, _compile),
        (Autograde, _grade),
        (GenerateFeedback, _write_feedback),
    ):
        if not hasattr(converter.start, _OURS):
            converter.start = _instead_of(converter.start, work)


def _instead_of(theirs: Callable[[Any], None], work: _Work) -> Callable[[Any], None]:
    """Return a converter's ``start``: ours in a course of ours, else nbgrader's."""

    @wraps(theirs)
    def start(converter: Any) -> None:
        root = Path(converter.coursedir.root)
        if not (root / CONFIG).is_file():
            theirs(converter)
            return
        course, wanted = find_course(root), str(converter.coursedir.assignment_id)
        _require_one_gradebook(course, str(converter.coursedir.db_url))
        for name in _matching(course.assignments(), wanted) or [wanted]:
            work(converter, course, name)

    setattr(start, _OURS, True)
    return start


def _require_one_gradebook(course: Course, url: str) -> None:
    """Refuse to work where nbgrader looks at one gradebook, and our commands at another."""
    if course.gradebook_url:
        same = url == url_for_nbgrader(course.gradebook_url)
    else:
        same = Path(url.removeprefix("sqlite:///")).absolute() == course.gradebook.absolute()
    if not same:
        raise NbGraderException(
            f"nbgrader's configuration names another gradebook than {CONFIG} does; take db_url out "
            f"of it: it is url in [gradebook] of {CONFIG}"
        )


def _compile(converter: Any, course: Course, name: str) -> None:
    """Compile an assignment, and publish it if it is proven."""
    _run(converter, course, ["compile", name])


def _grade(converter: Any, course: Course, name: str) -> None:
    """Grade the students that nbgrader was asked for; its plugin says what lateness costs."""
    excluded = str(converter.coursedir.student_id_exclude).split(",")
    asked = _matching(course.submitted(name), str(converter.coursedir.student_id))
    students = [student for student in asked if student not in excluded]
    if not students:
        raise NbGraderException(f"no such student has submitted {name}")
    everybody = len(students) == len(course.submitted(name))
    only = [] if everybody else [f"--student={student}" for student in students]
    grade = ["grade", name, *only]
    _run(converter, course, grade, attention=True)
    teams = teams_of(course, name)
    mates = sorted({mate for student in students for mate in teams.with_mates(student)})
    if course.policies.late is None and _assign_late_penalties(converter, name, mates):
        _run(converter, course, grade, attention=True)  # grades nothing: records take them in


def _write_feedback(converter: Any, course: Course, name: str) -> None:
    """Write the feedback pages of an assignment, which say the grades as they are now."""
    _run(converter, course, ["feedback", name], attention=True)


def _assign_late_penalties(converter: Any, name: str, students: Iterable[str]) -> bool:
    """Let nbgrader's plugin say what lateness costs; return whether it costs another sum now.

    It can say so only of who has a row in the gradebook: whoever could not be graded has none.
    """
    url = converter.coursedir.db_url
    before = _late_penalties(url, name)
    for student in students:
        if student not in before:
            converter.log.warning(
                "%s is not in the gradebook yet: nobody asks what lateness costs", visible(student)
            )
            continue
        said = {"notebook": name, "assignment": name, "student": student, "db_url": url}
        AssignLatePenalties(parent=converter).preprocess(new_notebook(), {"nbgrader": said})
    return _late_penalties(url, name) != before


def _late_penalties(url: str, name: str) -> dict[str, float | None]:
    """Return what the gradebook takes for lateness, by student."""
    with Gradebook(url) as gradebook:
        found = gradebook.notebook_submissions(name, name)
        return {one.student.id: one.late_submission_penalty for one in found}


def _run(
    converter: Any, course: Course, arguments: Sequence[str], *, attention: bool = False
) -> None:
    """Run one of our commands in the course; what it says goes into nbgrader's log.

    Args:
        converter: whose log it is.
        course: where it runs.
        arguments: the command and its arguments.
        attention: whether it may end with 1: done, and somebody must look at something.

    Raises:
        NbGraderException: it failed; says what the command said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=course.root,
        env=os.environ | {"COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    failed = done.returncode != 0 and not (attention and done.returncode == 1)
    for text, log in (
        (done.stdout, converter.log.info),
        (done.stderr, converter.log.error if failed else converter.log.warning),
    ):
        for line in filter(str.strip, text.splitlines()):
            log("%s", line)
    if failed:
        raise NbGraderException(done.stderr.strip() or f"autograder {arguments[0]} failed")


def _matching(names: Sequence[str] | dict[str, Path], pattern: str) -> list[str]:
    """Return the names that one of nbgrader's patterns means; a name means itself."""
    return [pattern] if pattern in names else [n for n in names if fnmatchcase(n, pattern)]
