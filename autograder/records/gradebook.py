"""nbgrader's gradebook, filled from results, so that formgrader and `nbgrader export` show them.

What staff entered there is theirs: manual scores, extra credit, comments, due dates and extensions
survive every regrade. A new attempt, or another automatic score, below a manual score asks staff
to look again; it does not touch the score.
"""

import os
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import Result, Status, Verdict
from autograder.errors import HarnessError
from autograder.records.comments import answer_cells, student_comments
from autograder.records.gradebook_cells import sync_notebook
from autograder.records.times import read_time
from autograder.records.words import question_pairs

__all__ = ["write_gradebook"]

ADVICE = "put that right, and run the same command again; no score is lost"
BATCH = 500  # students whose rows are in memory at one time
# The verdicts that judge the student's work; the others leave a check undecided.
_JUDGED = frozenset(
    {Verdict.PASSED, Verdict.FAILED, Verdict.ERRORED, Verdict.TIMED_OUT, Verdict.KILLED}
)


def write_gradebook(
    db_path: Path,
    manifest: Manifest,
    release: NotebookNode,
    results: Mapping[str, Result],
    timestamps: Mapping[str, str] | None = None,
) -> None:
    """Write the results of an assignment into nbgrader's database, all of them or none.

    Writing the same twice changes nothing.

    Args:
        db_path: ``gradebook.db``; made if there is none.
        manifest: the assignment's.
        release: the release notebook, whose cells carry nbgrader's metadata.
        results: the newest result of each student.
        timestamps: what ``timestamp.txt`` of a student's submission says, where there is one;
            one that is no time counts as none.

    Raises:
        UsageError: a cell that is no longer in the release has a manual score.
        HarnessError: the database cannot be made, read or written.
    """
    from sqlalchemy.exc import SQLAlchemyError

    timestamps = timestamps or {}
    answers = answer_cells(manifest, release)
    try:
        with _open(db_path) as gradebook, gradebook.db.no_autoflush:
            notebook = sync_notebook(gradebook, manifest.assignment, release)
            for students in _batches(gradebook, notebook.assignment, results):
                for student, submission in _submissions(gradebook, notebook, students).items():
                    if (result := results.get(student)) is None:
                        continue
                    again = _stamp(submission, timestamps.get(student))
                    _write_grades(submission, _scores(manifest, result), again)
                    _write_comments(submission, student_comments(manifest, answers, result))
                gradebook.db.flush()
                gradebook.db.expunge_all()  # else all rows of a large class are in memory at last
                notebook = gradebook.db.get(type(notebook), notebook.id)
            gradebook.db.commit()
    except (SQLAlchemyError, OSError) as error:
        raise HarnessError(
            f"{db_path.name} cannot be written: {_reason(error)}; {ADVICE}"
        ) from error


def _reason(error: Exception) -> str:
    """Return the database's own words, or the system's, without statements and addresses."""
    own = getattr(error, "orig", None) or getattr(error, "strerror", None)
    return str(own or error).partition("\n")[0]


def _scores(manifest: Manifest, result: Result) -> dict[str, float]:
    """Return the decided scores by the grade_id of their cell; what is missing is for staff."""
    scores = {}
    for entry, question in question_pairs(manifest, result.questions):
        graded = question.status is Status.GRADED
        if entry.manual and entry.cell and graded:
            scores[entry.cell] = question.earned
        cells = {check.name: check.cell for check in entry.checks}
        for check in question.checks:
            judged = bool(check.cases) and all(case.verdict in _JUDGED for case in check.cases)
            if check.name in cells and (graded or judged):
                scores[cells[check.name]] = check.earned
    return scores


def _write_grades(submission: Any, scores: Mapping[str, float], again: bool) -> None:
    """Write the automatic scores of a submission; ``again`` says that it is a new attempt."""
    for grade in submission.grades:
        score = scores.get(grade.cell.name)
        changed = again or grade.auto_score != score
        grade.auto_score = score
        if grade.manual_score is None:
            grade.needs_manual_grade = score is None
        elif changed:
            grade.needs_manual_grade = True


def _write_comments(submission: Any, comments: Mapping[str, str]) -> None:
    for comment in submission.comments:
        comment.auto_comment = comments.get(comment.cell.name)


def _stamp(submission: Any, text: str | None) -> bool:
    """Write when a submission was submitted, and return whether it is another attempt."""
    assignment = submission.assignment
    timestamp = read_time(text) if text else None
    if timestamp is None or timestamp == assignment.timestamp:
        return False
    again = assignment.timestamp is not None
    assignment.timestamp = timestamp
    return again


def _batches(gradebook: Any, assignment: Any, students: Iterable[str]) -> Iterator[list[str]]:
    """Give the names of students, and of those who have a submission there, some at a time."""
    from nbgrader.api import SubmittedAssignment

    rows = gradebook.db.query(SubmittedAssignment.student_id).filter_by(assignment_id=assignment.id)
    everybody = sorted({*students, *(name for (name,) in rows)})
    for begin in range(0, len(everybody), BATCH):
        yield everybody[begin : begin + BATCH]


def _submissions(gradebook: Any, notebook: Any, students: Sequence[str]) -> dict[str, Any]:
    """Return each student's submitted notebook with a row for every cell, made where missing."""
    from nbgrader.api import Comment, Grade, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy.orm import selectinload

    graded = {c.id: c for c in (*notebook.grade_cells, *notebook.task_cells)}
    commented = {c.id: c for c in (*notebook.solution_cells, *notebook.task_cells)}
    present = {
        found.assignment.student_id: found
        for found in gradebook.db.query(SubmittedNotebook)
        .filter_by(notebook_id=notebook.id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .filter(SubmittedAssignment.student_id.in_(students))
        .options(
            selectinload(SubmittedNotebook.assignment),
            selectinload(SubmittedNotebook.grades),
            selectinload(SubmittedNotebook.comments),
        )
    }
    for assignment in _assignments(gradebook, notebook.assignment, students):
        if assignment.student_id not in present:
            new = SubmittedNotebook(notebook=notebook, assignment=assignment)
            gradebook.db.add(new)
            present[assignment.student_id] = new
    for submission in present.values():
        for model, rows, cells in (
            (Grade, submission.grades, graded),
            (Comment, submission.comments, commented),
        ):
            for missing in cells.keys() - {row.cell_id for row in rows}:
                gradebook.db.add(model(cell=cells[missing], cell_id=missing, notebook=submission))
    return present


def _assignments(gradebook: Any, assignment: Any, students: Sequence[str]) -> list[Any]:
    """Return each student's submitted assignment, and make what is missing, students too."""
    from nbgrader.api import Student, SubmittedAssignment

    db = gradebook.db
    known = {s.id: s for s in db.query(Student).filter(Student.id.in_(students))}
    present = {
        found.student_id: found
        for found in db.query(SubmittedAssignment)
        .filter_by(assignment_id=assignment.id)
        .filter(SubmittedAssignment.student_id.in_(students))
    }
    for name in students:
        if name not in known:
            known[name] = Student(id=name)
        if name not in present:
            present[name] = SubmittedAssignment(
                assignment=assignment, student=known[name], student_id=name
            )
            db.add(present[name])
    return list(present.values())


@contextmanager
def _open(db_path: Path) -> Iterator[Any]:
    """Open the database; a new one is made elsewhere, so that it is never half-made."""
    with _scripts_on_path():
        if not db_path.exists():
            db_path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=db_path.parent, prefix=".tmp-") as folder:
                new = Path(folder) / "gradebook.db"
                try:
                    _gradebook(new).close()
                except (OSError, subprocess.CalledProcessError) as error:
                    reason = f"{db_path.name} cannot be made: {_reason(error)}; {ADVICE}"
                    raise HarnessError(reason) from None
                with suppress(FileExistsError):  # somebody else was faster
                    os.link(new, db_path)
        gradebook = _gradebook(db_path)
    with gradebook:
        yield gradebook


def _gradebook(path: Path) -> Any:
    """Return nbgrader's gradebook, which leaves its connection open where it cannot be opened."""
    from nbgrader.api import Gradebook

    class Closing(Gradebook):  # type: ignore[misc]
        def __init__(self, url: Any) -> None:
            try:
                super().__init__(url)
            except BaseException:
                self.close()
                raise

    return Closing(_url(path))


@contextmanager
def _scripts_on_path() -> Iterator[None]:
    """Put the environment's programs on PATH: nbgrader calls alembic by its bare name."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + before
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _url(path: Path) -> Any:
    from sqlalchemy import URL

    return URL.create("sqlite", database=str(path))
