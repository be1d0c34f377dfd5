"""nbgrader's gradebook, filled from results, so that formgrader and `nbgrader export` show them.

It is a function of results and staff's entries: one that was deleted, restored from a backup or
written over is written again. What staff enter there is theirs: manual scores, extra credit,
comments, due dates and extensions survive every regrade. A new attempt, or another automatic
score, below a manual score asks staff to look again; it does not touch the score.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nbformat import NotebookNode

from autograder.artefacts.grades import Late, decided_scores
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import Result
from autograder.errors import HarnessError
from autograder.records.comments import answer_cells, student_comments
from autograder.records.database import ADVICE, Database, reason_of
from autograder.records.entries import (
    OF_CELLS,
    WHOLE,
    Entry,
    Field,
    Journal,
    Key,
    State,
    look_of,
)
from autograder.records.gradebook_cells import sync_notebook
from autograder.records.gradebook_rows import Submission, rows_of, write_rows
from autograder.records.gradebook_staff import reconcile, write_due, write_entered
from autograder.records.marks import keep_mark
from autograder.records.names import Names, keep_names
from autograder.records.respelling import respell_entries, respelled_rows
from autograder.records.times import read_time
from autograder.records.words import question_pairs
from autograder.visible import visible

__all__ = ["Looks", "Written", "forget_in_gradebook", "write_gradebook"]

BATCH = 500  # students whose rows are in memory at one time
Looks = Mapping[tuple[str, str], str]  # why staff must look again, by student and cell
LateOf = Callable[[State, str], Late]
Called = Callable[[str], str]
Choose = Callable[[State], tuple[Mapping[str, Result], Mapping[str, str]]]


@dataclass(frozen=True)
class Written:
    """What the gradebook holds of staff's.

    Attributes:
        state: their entries that count.
        looks: where they must look again.
        notes: what was done to the file.
        mark: the journal's, of which these are the entries.
        before: a digest of the database as it was found, while nobody else could change it.
        left: of the database as it is now; "" where somebody else has changed it since.
    """

    state: State
    looks: Looks
    notes: tuple[str, ...] = ()
    mark: tuple[int, str] = (0, "")
    before: str = ""
    left: str = ""


def write_gradebook(
    database: Database,
    manifest: Manifest,
    release: NotebookNode,
    results: Mapping[str, Result],
    journal: Journal,
    timestamps: Mapping[str, str] | None = None,
    late_of: LateOf | None = None,
    choose: Choose | None = None,
    shown: Mapping[str, str] = {},
    names: Names | None = None,
    called: Called = str,
) -> Written:
    """Write the results of an assignment into nbgrader's database, all of them or none.

    What staff entered there since goes into the journal first. Writing the same twice changes
    nothing.

    Args:
        database: where the gradebook is; made if there is none.
        manifest: the assignment's.
        release: the release notebook, whose cells carry nbgrader's metadata.
        results: the result of each student that counts.
        journal: of staff's entries.
        timestamps: what ``timestamp.txt`` of a student's submission says, where there is one;
            one that is no time counts as none.
        late_of: the course's late policy: what lateness costs a student, by the entries that
            count; None leaves penalties to nbgrader's plugin.
        choose: says by the entries that count which results do, with their times, in place of
            ``results`` and ``timestamps``.
        shown: the submission of each student whose scores were written last.
        names: what is known of students beside the gradebook, and goes where it says nothing.
        called: what a student is called, by any writing of the name.

    Raises:
        HarnessError: the database cannot be made, read or written.
    """
    from sqlalchemy.exc import SQLAlchemyError

    timestamps, notes = timestamps or {}, list[str]()
    if names is not None:
        names = replace(names, most_letters=database.most_letters)
    looks: dict[tuple[str, str], str] = {}
    answers = answer_cells(manifest, release)
    try:
        with (
            journal.locked(),
            database.opened(notes) as opened,
            opened.gradebook.db.no_autoflush,
        ):
            gradebook = opened.gradebook
            state = reconcile(gradebook, manifest.assignment, journal, late_of is None, shown)
            if names is not None:
                keep_names(gradebook, names)
            if _respell(gradebook, manifest.assignment, journal, names, called):
                state = journal.state()
            if choose is not None:
                results, timestamps = choose(state)
            notebook, worth_else = sync_notebook(gradebook, manifest.assignment, release)
            write_due(notebook.assignment, state)
            cells = (*notebook.grade_cells, *notebook.task_cells)
            worth = {cell.name: cell.max_score for cell in cells}
            mark = journal.mark()
            entered = {key.student for key, one in state.items() if _makes_a_row(key, one)}
            wanted = _fitting({*results, *entered}, database, notes)
            for students in _batches(gradebook, notebook.assignment, wanted):
                rows = rows_of(gradebook, notebook, students, names)
                for student, submission in rows.submissions.items():
                    moved = write_entered(submission, state)
                    penalty = _penalty(state, student, late_of)
                    if (submission.notebook["late_submission_penalty"] or None) != penalty:
                        submission.notebook["late_submission_penalty"] = penalty
                    if (result := results.get(student)) is None:
                        if student in shown:
                            _clear(submission)
                        continue
                    other = shown.get(student, result.submission) != result.submission
                    again = _stamp(submission, timestamps.get(student), other) or other
                    news = _News(state, result.submission, again, moved | worth_else, worth)
                    looks |= _write_grades(submission, _scores(manifest, result), news)
                    comments = student_comments(manifest, answers, result)
                    for cell, row in submission.comments.items():
                        row["auto_comment"] = comments.get(cell)
                write_rows(gradebook, rows)
            keep_mark(gradebook, manifest.assignment, mark, late_of is not None)
            left = opened.commit()
    except (SQLAlchemyError, OSError) as error:
        raise HarnessError(
            f"{database.name} cannot be written: {reason_of(error)}; {ADVICE}"
        ) from error
    return Written(state, looks, tuple(notes), mark, opened.before, left)


def _scores(manifest: Manifest, result: Result) -> dict[str, float]:
    """Return the decided scores by the grade_id of their cell; what is missing is for staff."""
    return {
        cell: score
        for entry, question in question_pairs(manifest, result.questions)
        for cell, score in decided_scores(entry, question).items()
        if score is not None
    }


@dataclass(frozen=True)
class _News:
    """What may ask staff to look again: another attempt, cells restored or worth other points.

    ``worth`` has the points of each cell.
    """

    state: State
    submission: str
    again: bool
    moved: set[str]
    worth: Mapping[str, float]


def _write_grades(
    submission: Submission, scores: Mapping[str, float], news: _News
) -> dict[tuple[str, str], str]:
    """Write the automatic scores of a submission; return where staff must look again, and why."""
    looks, student = {}, submission.student
    for name, grade in submission.grades.items():
        score = scores.get(name)
        changed = news.again or grade["auto_score"] != score
        grade["auto_score"] = score
        entry = news.state.get(Key(student, name, Field.SCORE))
        if grade["manual_score"] is None or entry is None:
            grade["needs_manual_grade"] = score is None
            continue
        look = look_of(entry, news.worth[name], score, news.submission)
        if name in news.moved:  # restored just now, or worth other points
            grade["needs_manual_grade"] = look is not None
        elif changed:  # perhaps into what staff scored
            unknown = news.again and entry.submission is None
            grade["needs_manual_grade"] = look is not None or unknown
        if grade["needs_manual_grade"]:
            looks[student, name] = look or f"staff gave {entry.value:g}; another attempt came since"
    return looks


def _clear(submission: Submission) -> None:
    """Take back what was written of a student who has nothing any more: the team has changed."""
    for grade in submission.grades.values():
        grade["auto_score"], grade["needs_manual_grade"] = None, False
    for comment in submission.comments.values():
        comment["auto_comment"] = None
    submission.assignment["timestamp"] = None


def _makes_a_row(key: Key, entry: Entry) -> bool:
    """Whether an entry needs a submission in the gradebook: nbgrader counts one as handed in."""
    return key.field in OF_CELLS and entry.value is not None


def _penalty(state: State, student: str, late_of: LateOf | None) -> float | None:
    """Return the points that lateness costs, by the course's policy or nbgrader's plugin."""
    if late_of is not None:
        return late_of(state, student).penalty or None
    entry = state.get(Key(student, WHOLE, Field.PENALTY))
    value = entry.value if entry is not None else None
    return value if isinstance(value, float | int) else None


def _stamp(submission: Submission, text: str | None, other: bool) -> bool:
    """Write when a submission was submitted, and return whether it is another attempt.

    Of an ``other`` one than before whose time nobody knows, that of the former is not kept.
    """
    assignment = submission.assignment
    timestamp = read_time(text) if text else None
    if (timestamp is None and not other) or timestamp == assignment["timestamp"]:
        return False
    again = assignment["timestamp"] is not None
    assignment["timestamp"] = timestamp
    return again


def _fitting(students: set[str], database: Database, notes: list[str]) -> set[str]:
    """Return the students whom a database can hold, and tell of the others."""
    most = database.most_letters
    long = {student for student in students if most is not None and len(student) > most}
    notes += (
        f"{visible(student, 60)} is not in the gradebook: a name there has at most {most} letters"
        for student in sorted(long)
    )
    return students - long


def _batches(gradebook: Any, assignment: Any, students: Iterable[str]) -> Iterator[list[str]]:
    """Give the names of students, and of those who have a submission there, some at a time."""
    from nbgrader.api import SubmittedAssignment

    rows = gradebook.db.query(SubmittedAssignment.student_id).filter_by(assignment_id=assignment.id)
    everybody = sorted({*students, *(name for (name,) in rows)})
    for begin in range(0, len(everybody), BATCH):
        yield everybody[begin : begin + BATCH]


def _respell(
    gradebook: Any, assignment: str, journal: Journal, names: Names | None, called: Called
) -> bool:
    """Make one student of two writings of a name; return whether there were entries to move."""
    moved = respell_entries(journal, called)
    former = respelled_rows(gradebook, assignment, called)
    if names is not None and former:
        with names.journal.locked():
            respell_entries(names.journal, called)
    for student in former:
        _remove(gradebook, student, [assignment])
    if names is not None and former:
        keep_names(gradebook, names)
    return moved


def forget_in_gradebook(database: Database, student: str, assignments: Sequence[str]) -> None:
    """Remove a student's submissions of assignments, and the student who has no other.

    Raises:
        HarnessError: the database cannot be read or written.
    """
    from sqlalchemy.exc import SQLAlchemyError

    if not database.is_there():
        return
    try:
        with database.opened([]) as opened:
            gradebook = opened.gradebook
            _remove(gradebook, student, assignments)
            opened.commit()
    except (SQLAlchemyError, OSError) as error:
        raise HarnessError(
            f"{database.name} cannot be written: {reason_of(error)}; {ADVICE}"
        ) from error


def _remove(gradebook: Any, student: str, assignments: Sequence[str]) -> None:
    """Remove a student's submissions of assignments, and the student who has no other."""
    from nbgrader.api import Student

    known = gradebook.db.get(Student, student)
    if known is None:
        return
    for submission in list(known.submissions):
        if submission.assignment.name in assignments:
            for notebook in submission.notebooks:
                for row in (*notebook.grades, *notebook.comments, notebook):
                    gradebook.db.delete(row)
            gradebook.db.delete(submission)
    gradebook.db.flush()
    gradebook.db.expire(known)
    if not known.submissions:
        gradebook.db.delete(known)
        gradebook.db.flush()
