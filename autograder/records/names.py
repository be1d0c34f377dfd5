"""Names that staff typed into nbgrader, kept outside of the gradebook, so that none can lose them.

``results/names.jsonl`` is a journal as those of the assignments are: what the gradebook says of a
student and `roster.csv` does not is an entry. A gradebook that is made anew gets them again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.course import Course
from autograder.records.entries import FORMGRADER, OF_STUDENTS, WHOLE, Entry, Field, Journal, Key
from autograder.records.marks import keep_mark, read_mark

__all__ = ["Names", "keep_names", "kept_names", "names_journal"]

FILE = "names.jsonl"
EVERY = ""  # stands for the assignment in the mark of a journal that is about all of them


@dataclass(frozen=True)
class Names:
    """What is known of students beside the gradebook.

    Attributes:
        journal: of names.
        listed: what `roster.csv` says of a student, "" for nothing: that needs no keeping.
        most_letters: that the gradebook holds of an id or a name; None for no end.
    """

    journal: Journal
    listed: Callable[[str, Field], str]
    most_letters: int | None = None


def names_journal(course: Course) -> Journal:
    """Return the journal of names of a course."""
    return Journal(course.root / "results", FILE)


def kept_names(journal: Journal) -> dict[str, dict[str, str]]:
    """Return the columns that are kept of each student, by nbgrader's names for them."""
    found: dict[str, dict[str, str]] = {}
    for (student, _, field), entry in journal.state().items():
        if entry.value:
            found.setdefault(student, {})[field.value] = str(entry.value)
    return found


def keep_names(gradebook: Any, names: Names) -> None:
    """Put what was typed into the gradebook since into the journal, and give back what it lost.

    Args:
        gradebook: nbgrader's, open for a change.
        names: the journal, and what needs no keeping.
    """
    journal = names.journal
    with journal.locked():
        number, digest, _ = read_mark(gradebook, EVERY)
        known = journal.state(number) if journal.knows(number, digest) else {}
        head = journal.state()
        there = _students(gradebook)
        typed = {
            Key(student, WHOLE, field): row[field.value] or None
            for student, row in there.items()
            for field in OF_STUDENTS
        }
        gone = {key: None for key, one in known.items() if one.value and key.student not in there}
        journal.append(
            Entry(*key, value, FORMGRADER)
            for key, value in {**typed, **gone}.items()
            if value not in (_value(known, key), _value(head, key))
            and (_value(head, key) is not None or not names.listed(key.student, key.field))
        )
        _give_back(gradebook, there, _fitting(kept_names(journal), names.most_letters))
        keep_mark(gradebook, EVERY, journal.mark(), False)


def _fitting(
    kept: Mapping[str, dict[str, str]], most: int | None
) -> Mapping[str, Mapping[str, str]]:
    """Return what of names a gradebook can hold."""
    if most is None:
        return kept
    return {
        student: {column: value for column, value in columns.items() if len(value) <= most}
        for student, columns in kept.items()
        if len(student) <= most
    }


def _value(state: Mapping[Key, Entry], key: Key) -> float | str | None:
    return state[key].value if key in state else None


def _students(gradebook: Any) -> dict[str, Mapping[str, Any]]:
    from nbgrader.api import Student
    from sqlalchemy import select

    columns = [getattr(Student, field.value) for field in OF_STUDENTS]
    rows = gradebook.db.execute(select(Student.id, *columns)).mappings()
    return {row["id"]: row for row in rows}


def _give_back(
    gradebook: Any, there: Mapping[str, Mapping[str, Any]], kept: Mapping[str, Mapping[str, str]]
) -> None:
    """Write what is kept of students where the gradebook has nothing, or something else."""
    from nbgrader.api import Student
    from sqlalchemy import insert, update

    table: Any = Student.__table__
    for student, columns in kept.items():
        if student not in there:
            gradebook.db.execute(insert(table).values(id=student, **columns))
        elif any(there[student][column] != value for column, value in columns.items()):
            change = update(table).where(table.c.id == student).values(**columns)
            gradebook.db.execute(change)
