"""What staff do to grades by commands: overrides, requests, histories, and students who leave."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.artefacts.grades import Grade, decided_scores
from autograder.artefacts.manifest import Manifest, QuestionEntry
from autograder.artefacts.results import Result
from autograder.course import Course
from autograder.engines.grades import ClassGrades, class_grades
from autograder.engines.record import write_class_report, write_feedback_pages
from autograder.errors import UsageError
from autograder.records.entries import EVERYBODY, WHOLE, Entry, Field, Journal
from autograder.records.gradebook import forget_in_gradebook
from autograder.records.store import Store
from autograder.visible import visible

__all__ = ["Draft", "History", "drop", "forget", "history", "override", "rename", "request"]


@dataclass(frozen=True)
class History:
    """How a student's grade came about.

    Attributes:
        runs: the results, the oldest first.
        entries: of staff and of the student.
        grade: that comes of them.
    """

    runs: Sequence[Result]
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


def override(course: Course, name: str, draft: Draft) -> tuple[Grade, Grade, list[str]]:
    """Enter points for a question in place of the grader's.

    Returns:
        The grade before and after, and sentences on what could not be written.

    Raises:
        UsageError: there is no such student or question, or no such number of points.
    """
    found = class_grades(course, name)
    before, entry = _grade(found, draft.student), _question(found.manifest, draft.question)
    if draft.points is not None and not 0 <= draft.points <= entry.points:
        raise UsageError(
            f"{entry.id} has {entry.points:g} points, not {draft.points:g}; what is beyond them "
            "is extra credit: --extra POINTS"
        )
    question = next(q for q in before.questions if q.id == entry.id)
    automatic = decided_scores(entry, question.result)
    cells = _cells(entry)
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


def request(course: Course, name: str, student: str, question: str, text: str) -> list[str]:
    """Note that a student asks for another look at a question."""
    found = class_grades(course, name)
    _grade(found, student)
    _question(found.manifest, question)
    entry = Entry(student, question, Field.REQUEST, text, student)
    return _enter(course, name, [entry])[1]


def rename(course: Course, name: str, old: str, new: str, why: str, author: str) -> int:
    """Let what staff entered for a cell stand for another one; return how many entries that are.

    Raises:
        UsageError: there is no such entry, or no such cell.
    """
    found = class_grades(course, name)
    if new not in {cell for q in found.manifest.questions for cell in _cells(q)}:
        raise UsageError(f"{name} has no cell {new!r}")
    kept = _entries_of(course, name, old)
    moved = [
        Entry(e.student, new, e.field, e.value, author, why, e.points, e.automatic, e.submission)
        for e in kept
    ]
    gone = [Entry(e.student, old, e.field, None, author, why) for e in kept]
    _enter(course, name, [*moved, *gone])
    return len(kept)


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
    return History(Store(course.results(name)).history(student), entries, grade)


def forget(course: Course, names: Sequence[str], student: str, author: str) -> Mapping[str, int]:
    """Remove a student who has withdrawn: submissions, results, pages and rows of the gradebook.

    That it was done, when and by whom stays in the journal of entries.

    Returns:
        How many results are gone, by assignment.
    """
    gone = {}
    for name in names:
        store = Store(course.results(name))
        submitted = course.root / "submitted" / student / name
        pages = (course.feedback(name, student).parent, course.autograded(name, student).parent)
        known = submitted.is_dir() or student in store.newest({})
        if not known and not any(page.is_dir() for page in pages):
            continue
        journal = Journal(course.results(name))
        with journal.locked():
            entry = Entry(student, WHOLE, Field.FORGOTTEN, None, author, "withdrawn")
            journal.append([entry])
            gone[name] = store.forget(student)
            for folder in (submitted, *pages):
                shutil.rmtree(folder, ignore_errors=True)
    if gone:
        forget_in_gradebook(course.gradebook, student, list(gone))
        write_class_report(course, [])
    return gone


def _enter(course: Course, name: str, entries: Sequence[Entry]) -> tuple[ClassGrades, list[str]]:
    """Append entries, and write what they change; return the grades and what was not written."""
    journal = Journal(course.results(name))
    with journal.locked():
        journal.append(entries)
    found = class_grades(course, name)
    problems = list(found.problems)
    problems += write_feedback_pages(course, found)
    write_class_report(course, problems)
    return found, problems


def _entries_of(course: Course, name: str, cell: str) -> list[Entry]:
    class_grades(course, name)  # what is new in the gradebook is in the journal then
    state = Journal(course.results(name)).state()
    kept = [e for e in state.values() if e.cell == cell and e.value is not None]
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
