"""The report: a page of the course for staff, and a page for each of its assignments."""

import base64
import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.artefacts.grades import Grade, GradeStatus, counting
from autograder.artefacts.manifest import Manifest
from autograder.records.assignment_page import assignment_view, total_words
from autograder.records.figures import FEWEST
from autograder.records.pages import format_points, template_text, write_page
from autograder.records.people import Who, link_of, who

__all__ = ["write_report"]

INDEX = "index.html"
MARK = b'<meta name="generator" content="autograder report">'  # what the template writes
HEAD = 2000  # bytes of a page in which it stands
# From how many students on there is a correlation, and how much of a long list is not folded.
LENGTHS = {"fewest": FEWEST, "unfolded": 12, "unfolded_reasons": 8}
# A student's state in the course is the first of these that holds in an assignment.
URGENCY = (
    GradeStatus.NEEDS_ATTENTION,
    GradeStatus.UNGRADED,
    GradeStatus.PENDING,
    GradeStatus.MISSING,
    GradeStatus.GRADED,
)
NOTHING = "–"  # stands for points where nothing is decided


@dataclass(frozen=True)
class Total:
    """A student's total of an assignment, with the way to the feedback page, if there is one."""

    text: str
    link: str | None


@dataclass(frozen=True)
class CourseRow:
    """A student in the table of the course."""

    who: Who
    total: str
    words: str
    status: GradeStatus
    cells: list[Total | None]


def write_report(
    folder: Path,
    course_name: str,
    assignments: Sequence[tuple[Manifest, Mapping[str, Grade]]],
    names: Mapping[str, str],
    drop_lowest: int = 0,
) -> None:
    """Write the pages of the report; the same grades give the same bytes.

    Pages of assignments that are not there any more are removed.

    Args:
        folder: of its pages.
        course_name: stands at the top.
        assignments: each with the grades of its students.
        names: of students, where they are known.
        drop_lowest: how many of a student's assignments do not count in the total of the course.
    """
    folder.mkdir(parents=True, exist_ok=True)
    views = [
        assignment_view(manifest, grades, names, _page(manifest.assignment))
        for manifest, grades in assignments
    ]
    shared: dict[str, Any] = {"course": course_name, "assignments": views, **_script()}
    for view in views:
        write_page(folder / view.page, "assignment.html", a=view, **LENGTHS, **shared)
    several = [grades for _, grades in assignments] if len(views) > 1 else []
    rows = _course_rows(several, names, drop_lowest)
    write_page(
        folder / INDEX,
        "report.html",
        rows=rows,
        possible=sum(view.possible for view in views),
        drop_lowest=drop_lowest,
        flags=dict(sorted(Counter(row.words for row in rows).items())),
        **shared,
    )
    _remove_others(folder, {INDEX, *(view.page for view in views)})


def _page(assignment: str) -> str:
    """Return the name of an assignment's page, which is never the course's."""
    return f"{assignment}_.html" if assignment.casefold() == "index" else f"{assignment}.html"


def _script() -> dict[str, str]:
    """Return the script that sorts and filters tables, and its hash: it alone may run."""
    script = template_text("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
    return {"script": script, "script_hash": f"sha256-{digest.decode()}"}


def _course_rows(
    assignments: Sequence[Mapping[str, Grade]], names: Mapping[str, str], drop_lowest: int
) -> list[CourseRow]:
    students = sorted({student for grades in assignments for student in grades})
    return [
        _course_row(student, [grades.get(student) for grades in assignments], names, drop_lowest)
        for student in students
    ]


def _course_row(
    student: str, grades: Sequence[Grade | None], names: Mapping[str, str], drop_lowest: int
) -> CourseRow:
    known = [grade for grade in grades if grade is not None]
    decided = [grade for grade in known if grade.total is not None]
    missing = sum(grade is None or grade.status is GradeStatus.MISSING for grade in grades)
    counted = counting(decided, missing, drop_lowest)
    states = {grade.status for grade in known}
    status = next(state for state in URGENCY if state in states)
    return CourseRow(
        who=who(student, names),
        total=format_points(sum(one.earned for one in counted)) if counted else NOTHING,
        words=status.words,
        status=status,
        cells=[Total(total_words(grade), link_of(grade)) if grade else None for grade in grades],
    )


def _remove_others(folder: Path, kept: Collection[str]) -> None:
    """Remove the pages that a former report wrote, and nothing else."""
    for path in folder.glob("*.html"):
        if path.name not in kept and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                ours = MARK in file.read(HEAD)
            if ours:
                path.unlink()
