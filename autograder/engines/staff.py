"""What staff do to grades by commands: overrides, requests, histories, and students who leave."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from autograder.artefacts.grades import Grade, decided_scores
from autograder.artefacts.manifest import Manifest, QuestionEntry
from autograder.artefacts.results import Result
from autograder.collecting.placing import ATTEMPTS
from autograder.course import Course
from autograder.engines.class_report import write_class_report
from autograder.engines.counting import forget_attempts, handed_in
from autograder.engines.grades import ClassGrades, class_grades
from autograder.engines.problems import Problem, told
from autograder.engines.record import write_feedback_pages
from autograder.engines.stamps import forget_times
from autograder.errors import UsageError
from autograder.records.database import Database
from autograder.records.databases import database_of
from autograder.records.entries import EVERYBODY, WHOLE, Entry, Field, Journal, Key
from autograder.records.gradebook import forget_in_gradebook
from autograder.records.names import names_journal
from autograder.records.respelling import writings_of
from autograder.records.roster import is_student_name
from autograder.records.store import Store
from autograder.records.teams import teams_of
from autograder.visible import visible

__all__ = [
    "Draft",
    "History",
    "Renamed",
    "drop",
    "forget",
    "history",
    "override",
    "rename",
    "request",
]

OF_CELLS = (Field.SCORE, Field.EXTRA, Field.COMMENT)  # what staff enter for a cell


@dataclass(frozen=True)
class History:
    """How a student's grade came about.

    Attributes:
        runs: the results, the oldest first, also those of other members of the student's team.
        numbers: of the attempts, in the order in which they were handed in, by who did and what.
        entries: of staff and of the student.
        grade: that comes of them.
    """

    runs: Sequence[Result]
    numbers: Mapping[tuple[str, str], int]
    entries: Sequence[Entry]
    grade: Grade


@dataclass(frozen=True)
class Draft:
    """An override: of whom, what, why and by whom.

    Attributes:
        points: that stand in place of the grader's; None takes former ones back.
        extra: credit beside the question's points; None leaves it as it is.
        comment: for the student; None leaves it as it is.
    """

    student: str
    question: str
    points: float | None
    why: str
    author: str
    extra: float | None = None
    comment: str | None = None


@dataclass(frozen=True)
class Renamed:
    """How many entries stand for another cell now, and how many stay: that one has its own."""

    moved: int
    kept: int


def override(course: Course, name: str, draft: Draft) -> tuple[Grade, Grade, tuple[Problem, ...]]:
    """Enter points for a question in place of the grader's.

    Returns:
        The grade before and after, and sentences on what could not be written.

    Raises:
        UsageError: there is no such student or question, or no such number of points, or the
            question has none.
    """
    found = class_grades(course, name)
    before, entry = _grade(found, draft.student), _question(found.manifest, draft.question)
    if draft.points is not None and not 0 <= draft.points <= entry.points:
        raise UsageError(
            f"{entry.id} has {entry.points:g} points, not {draft.points:g}; what is beyond them "
            "is extra credit: --extra POINTS"
        )
    cells, most = _cells(entry), found.manifest.possible
    if not cells:
        raise UsageError(f"{entry.id} has no points: there is nothing to override")
    if draft.extra is not None and not 0 <= draft.extra <= most:
        raise UsageError(
            f"extra credit is a number from 0 to {most:g}, the points of {name}, not "
            f"{draft.extra:g}"
        )
    question = next(q for q in before.questions if q.id == entry.id)
    automatic = decided_scores(entry, question.result)
    whole = sum(cells.values()) or 1.0
    submission = before.result.submission if before.result is not None else None
    new = [
        Entry(
            draft.student,
            cell,
            Field.SCORE,
            None if draft.points is None else draft.points * worth / whole,
            draft.author,
            draft.why,
            points=worth,
            automatic=automatic[cell],
            submission=submission,
        )
        for cell, worth in cells.items()
    ]
    first = next(iter(cells))
    for field, value in ((Field.EXTRA, draft.extra or None), (Field.COMMENT, draft.comment)):
        if (draft.extra if field is Field.EXTRA else draft.comment) is not None:
            new.append(Entry(draft.student, first, field, value, draft.author, draft.why))
    after, problems = _enter(course, name, new)
    return before, _grade(after, draft.student), problems


def request(
    course: Course, name: str, student: str, question: str, text: str
) -> tuple[Problem, ...]:
    """Note that a student asks for another look at a question."""
    found = class_grades(course, name)
    _grade(found, student)
    _question(found.manifest, question)
    entry = Entry(student, question, Field.REQUEST, text, student)
    return _enter(course, name, [entry])[1]


def rename(course: Course, name: str, old: str, new: str, why: str, author: str) -> Renamed:
    """Let what staff entered for a cell stand for another one, where that has nothing of its own.

    Raises:
        UsageError: there is no such entry, or no such cell.
    """
    found = class_grades(course, name)
    if new not in {cell for q in found.manifest.questions for cell in _cells(q)}:
        raise UsageError(f"{name} has no cell {new!r}")
    entries = _entries_of(course, name, old, OF_CELLS)
    state = Journal(course.results(name)).state()
    own = {key for key, entry in state.items() if entry.value is not None}
    free = [e for e in entries if Key(e.student, new, e.field) not in own]
    moved = [
        Entry(e.student, new, e.field, e.value, author, why, e.points, e.automatic, e.submission)
        for e in free
    ]
    gone = [Entry(e.student, old, e.field, None, author, why) for e in free]
    _enter(course, name, [*moved, *gone])
    return Renamed(len(free), len(entries) - len(free))


def drop(course: Course, name: str, old: str, why: str, author: str) -> int:
    """Take back what staff entered for a cell; return how many entries that are.

    Raises:
        UsageError: there is no such entry.
    """
    kept = _entries_of(course, name, old)
    _enter(course, name, [Entry(e.student, old, e.field, None, author, why) for e in kept])
    return len(kept)


def history(course: Course, name: str, student: str) -> History:
    """Return how a student's grade came about.

    Raises:
        UsageError: nothing is known of the student.
    """
    found = class_grades(course, name)
    grade = _grade(found, student)
    entries = [
        entry
        for entry in Journal(course.results(name)).entries()
        if entry.student in (student, EVERYBODY)
    ]
    store, teams = Store(course.results(name)), teams_of(course, name)
    mates = teams.with_mates(student)
    runs = sorted((run for m in mates for run in store.history(m)), key=lambda run: run.graded_at)
    results = {mate: found.results[mate] for mate in mates if mate in found.results}
    handed = handed_in(course, found.bundle, results, teams, [])
    attempts = handed.in_order() if grade.counted and grade.counted.best else runs
    keys = dict.fromkeys((one.student, one.submission) for one in (*attempts, *runs))
    numbers = {key: number for number, key in enumerate(keys, 1)}
    return History(runs, numbers, entries, grade)


def forget(course: Course, names: Sequence[str], student: str, author: str) -> Mapping[str, int]:
    """Remove a student who has withdrawn: submissions, results, pages and rows of the gradebook.

    That it was done, when and by whom stays in the journal of entries. The gradebook's rows go
    first: where it cannot be written, the same command can be run again.

    Returns:
        How many results are gone, by assignment.

    Raises:
        UsageError: that is no name of a student, nothing is known of it, or others of a team have
            their grade from it.
        HarnessError: the gradebook cannot be read or written.
    """
    if not is_student_name(student) and not any(student in course.submitted(n) for n in names):
        raise UsageError(f"{visible(student)!r} is no student's name")
    _require_own(course, names, student)
    database, gone, named = database_of(course), dict[str, int](), False
    for one in writings_of(course, names, student):
        for name, count in _forget_one(course, database, names, one, author).items():
            gone[name] = gone.get(name, 0) + count
        if not _in_gradebook(database, one):
            named |= _forget_name(course, database, one, author)
    if not gone and not named:
        raise UsageError(f"nothing is known of {visible(student)!r}")
    write_class_report(course, [])
    return gone


def _forget_one(
    course: Course, database: Database, names: Sequence[str], student: str, author: str
) -> dict[str, int]:
    gone, rows = {}, _in_gradebook(database, student)
    for name in names:
        store, journal = Store(course.results(name)), Journal(course.results(name))
        submitted = course.root / "submitted" / student
        folders = (
            submitted / ATTEMPTS / name,
            submitted / name,
            course.feedback(name, student).parent,
            course.autograded(name, student).parent,
        )
        damaged: dict[str, str] = {}
        known = student in store.newest(damaged) or student in damaged or name in rows
        known = known or any(key.student == student for key in journal.state())
        if not known and not any(folder.is_dir() for folder in folders):
            continue
        with journal.locked():
            forget_in_gradebook(database, student, [name])
            entry = Entry(student, WHOLE, Field.FORGOTTEN, None, author, "withdrawn")
            journal.append([entry])
            gone[name] = store.forget(student)
            forget_attempts(course, name, student)
            forget_times(course, name, student)
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
                with suppress(OSError):  # other assignments are in it, or it is not there
                    folder.parent.rmdir()
    return gone


def _forget_name(course: Course, database: Database, student: str, author: str) -> bool:
    """Remove the names of a student of whom nothing else is left; return whether there were any."""
    forget_in_gradebook(database, student, [])
    journal = names_journal(course)
    with journal.locked():
        return journal.forget(student, author)


def _require_own(course: Course, names: Sequence[str], student: str) -> None:
    """Refuse to let a student go by whose submission others of the team have their grade."""
    for name in names:
        mates = set(teams_of(course, name).with_mates(student)) - {student}
        if not mates or not course.bundle(name).is_file():
            continue
        grades = class_grades(course, name).grades
        theirs = {m: grades[m].result for m in mates if m in grades}
        if on := sorted(m for m, one in theirs.items() if one and one.student == student):
            raise UsageError(
                f"{visible(student)} handed in {name} for {', '.join(map(visible, on))}: move "
                f"submitted/{visible(student)}/{name} to one of them, and grade, before the "
                "student goes"
            )


def _in_gradebook(database: Database, student: str) -> set[str]:
    """Return the assignments of which the gradebook has a student's submission."""
    query = (
        "select a.name from assignment a join submitted_assignment s on s.assignment_id = a.id "
        "where s.student_id = ?"
    )
    return {str(name) for (name,) in database.read(query, student)}


def _enter(
    course: Course, name: str, entries: Sequence[Entry]
) -> tuple[ClassGrades, tuple[Problem, ...]]:
    """Append entries, and write what they change; return the grades and what was not written."""
    journal = Journal(course.results(name))
    with journal.locked():
        journal.append(entries)
    found = class_grades(course, name)
    problems = list(found.problems)
    problems += write_feedback_pages(course, found)
    write_class_report(course, problems)
    return found, told(course, problems)


def _entries_of(
    course: Course, name: str, cell: str, fields: Sequence[Field] = tuple(Field)
) -> list[Entry]:
    if cell == WHOLE:
        raise UsageError("name the cell: what is entered for no cell is about the whole assignment")
    class_grades(course, name)  # what is new in the gradebook is in the journal then
    state = Journal(course.results(name)).state()
    kept = [e for e in state.values() if e.cell == cell and e.field in fields]
    kept = [e for e in kept if e.value is not None]
    if not kept:
        raise UsageError(f"staff entered nothing for {cell!r} in {name}")
    return kept


def _grade(found: ClassGrades, student: str) -> Grade:
    if student not in found.grades:
        name = found.manifest.assignment
        raise UsageError(f"{visible(student)!r} has no grade in {name}, and is not in the roster")
    return found.grades[student]


def _question(manifest: Manifest, name: str) -> QuestionEntry:
    for entry in manifest.questions:
        if entry.id == name:
            return entry
    known = ", ".join(entry.id for entry in manifest.questions)
    raise UsageError(f"{manifest.assignment} has no question {visible(name)!r}; it has: {known}")


def _cells(entry: QuestionEntry) -> dict[str, float]:
    """Return the points of a question's cells that score, by grade_id."""
    own = {entry.cell: entry.points} if entry.manual and entry.cell else {}
    return {**own, **{check.cell: check.points for check in entry.checks if check.points}}
