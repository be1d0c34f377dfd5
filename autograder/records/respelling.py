"""Respelling: what is known of a student by another writing of the name goes to the student.

Results, entries and rows of the gradebook bear the name of the folder that there was. Where that is
another writing of the same name now, entries are made once more for the student, and taken back
under the former writing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from autograder.course import Course
from autograder.records.entries import Journal, Key
from autograder.records.store import Store
from autograder.spelling import composed

__all__ = ["respell_entries", "respelled_rows", "writings_of"]

WHY = "the same student, whose name is written in two ways"
Called = Callable[[str], str]


def respell_entries(journal: Journal, called: Called) -> bool:
    """Let entries stand for the student that is meant; of two on one thing, the later counts.

    Args:
        journal: locked.
        called: what a student is called, by any writing of the name.

    Returns:
        Whether there were any.
    """
    state, new = journal.state(), []
    for key, entry in state.items():
        student = called(key.student)
        if student == key.student or entry.value is None:
            continue
        why = entry.why or WHY
        own = state.get(Key(student, key.cell, key.field))
        if own is None or own.number < entry.number:
            new.append(msgspec.structs.replace(entry, student=student, why=why))
        new.append(msgspec.structs.replace(entry, value=None, why=why))
    journal.append(new)
    return bool(new)


def respelled_rows(gradebook: Any, assignment: str, called: Called) -> list[str]:
    """Return the students with a submission in the gradebook who are called otherwise."""
    from nbgrader.api import Assignment, SubmittedAssignment
    from sqlalchemy import select

    query = (
        select(SubmittedAssignment.student_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == assignment)
    )
    return [name for (name,) in gradebook.db.execute(query) if called(name) != name]


def writings_of(course: Course, assignments: Sequence[str], student: str) -> list[str]:
    """Return the ways in which a student's name is written: on folders, results and entries."""
    found = {student, *course.student_folders()}
    for name in assignments:
        found |= {key.student for key in Journal(course.results(name)).state()}
        found |= set(Store(course.results(name)).students())
    return sorted(one for one in found if composed(one) == composed(student))
