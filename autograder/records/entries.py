"""Entries: what staff entered, kept outside of the gradebook, so that no gradebook can lose it.

``results/<assignment>/entries.jsonl`` has a line for each entry, in the order in which they were
made. A line is never changed: who takes an entry back makes another one.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from autograder.artefacts.grades import Entered
from autograder.artefacts.results import now
from autograder.errors import HarnessError
from autograder.records.whole_files import make_folder, write_atomic

__all__ = [
    "EVERYBODY",
    "FORMGRADER",
    "OF_CELLS",
    "OF_STUDENTS",
    "WHOLE",
    "Entry",
    "Field",
    "Journal",
    "Key",
    "State",
    "entered_of",
    "look_of",
]

FILE, LOCK = "entries.jsonl", ".entries.lock"
EVERYBODY = ""  # stands for the student of an entry that is about all of them
WHOLE = ""  # stands for the cell of an entry that is about the whole assignment
FORMGRADER = "formgrader"  # the author of what is found in the gradebook


class Field(StrEnum):
    """What is entered."""

    SCORE = "score"  # that stands in place of the automatic one
    EXTRA = "extra"  # credit beside it
    COMMENT = "comment"  # for the student
    DUE = "due"  # date and time, UTC, of the assignment
    EXTENSION = "extension"  # of a student, in seconds
    PENALTY = "penalty"  # points that nbgrader's late policy takes
    REQUEST = "request"  # of a student, that the grade be looked at again
    FORGOTTEN = "forgotten"  # a student has withdrawn
    FIRST_NAME = "first_name"  # of a student, for all assignments; nbgrader's column is called so
    LAST_NAME = "last_name"  # likewise
    EMAIL = "email"  # likewise
    LMS_ID = "lms_user_id"  # likewise


OF_CELLS = frozenset({Field.SCORE, Field.EXTRA, Field.COMMENT})
OF_STUDENTS = (Field.FIRST_NAME, Field.LAST_NAME, Field.EMAIL, Field.LMS_ID)


class Key(NamedTuple):
    """What an entry is about."""

    student: str
    cell: str
    field: Field


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One entry.

    Attributes:
        number: its place in the journal, from 1.
        time: when it was made, or found in the gradebook.
        author: who made it; `FORMGRADER` where only the gradebook tells of it.
        student: whom it is about.
        cell: the grade_id of the cell.
        field: what is entered.
        value: that counts from here on; None takes back what was entered.
        why: the reason, where it was asked for.
        points: that the cell was worth then.
        automatic: the score that the grader had given then.
        submission: what had been submitted then, "sha256:…".
    """

    student: str
    cell: str
    field: Field
    value: float | str | None
    author: str
    why: str = ""
    points: float | None = None
    automatic: float | None = None
    submission: str | None = None
    number: int = 0
    time: str = ""

    @property
    def key(self) -> Key:
        """What it is about."""
        return Key(self.student, self.cell, self.field)


State = Mapping[Key, Entry]
ByCell = dict[str, Entered]


class Journal:
    """The entries of one assignment.

    Args:
        folder: ``results/<assignment>``; made when first written to.
        file: the name of the journal in it.
    """

    def __init__(self, folder: Path, file: str = FILE) -> None:
        self._path, self._lock = folder / file, folder / LOCK

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing entries in a block."""
        make_folder(self._path.parent)
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def entries(self) -> list[Entry]:
        """Return all entries, the oldest first.

        Raises:
            HarnessError: the file cannot be read, or is damaged.
        """
        return [entry for _, entry in self._lines()]

    def state(self, number: int | None = None) -> dict[Key, Entry]:
        """Return what counts: the last entry of each key, up to that of a number."""
        found: dict[Key, Entry] = {}
        for entry in self.entries():
            if number is not None and entry.number > number:
                break
            if entry.field is Field.FORGOTTEN:
                found = {key: one for key, one in found.items() if key.student != entry.student}
            else:
                found[entry.key] = entry
        return found

    def mark(self) -> tuple[int, str]:
        """Return the number of the last entry and a hash of all up to it; 0 where there is none."""
        lines = self._lines()
        return (lines[-1][1].number, _hash(lines)) if lines else (0, "")

    def knows(self, number: int, digest: str) -> bool:
        """Return whether this journal had just these entries when it had so many."""
        lines = self._lines()[:number]
        return len(lines) == number and _hash(lines) == digest

    def append(self, entries: Iterable[Entry]) -> None:
        """Append entries, all of them or none; each gets its number and the time."""
        lines = self._lines()
        time = now()
        new = [
            msgspec.structs.replace(entry, number=number, time=time)
            for number, entry in enumerate(entries, len(lines) + 1)
        ]
        if new:
            self._write([*(line for line, _ in lines), *map(msgspec.json.encode, new)])

    def forget(self, student: str, author: str) -> bool:
        """Take the values out of a student's entries; return whether there were any.

        That it was done, when and by whom stays.
        """
        lines = self._lines()
        if not any(entry.student == student and entry.value is not None for _, entry in lines):
            return False
        self._write(
            [
                msgspec.json.encode(msgspec.structs.replace(entry, value=None))
                if entry.student == student
                else line
                for line, entry in lines
            ]
        )
        self.append([Entry(student, WHOLE, Field.FORGOTTEN, None, author, "withdrawn")])
        return True

    def _write(self, texts: Iterable[bytes]) -> None:
        write_atomic(self._path, b"".join(text + b"\n" for text in texts))

    def _lines(self) -> list[tuple[bytes, Entry]]:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        try:
            found = [(line, msgspec.json.decode(line, type=Entry)) for line in lines]
            if [entry.number for _, entry in found] != list(range(1, len(found) + 1)):
                raise msgspec.ValidationError("entries are missing")
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            above = 3 if self._path.name == FILE else 2  # results/<assignment>, or results
            place = os.path.join(*self._path.parts[-above:])
            raise HarnessError(
                f"what staff entered, {place}, is damaged: {error}; put it back from a backup"
            ) from None
        return found


def _hash(lines: Sequence[tuple[bytes, Entry]]) -> str:
    return hashlib.sha256(b"\n".join(line for line, _ in lines)).hexdigest()[:32]


def entered_of(state: State, looks: Mapping[tuple[str, str], str]) -> dict[str, ByCell]:
    """Return what counts of the entries on cells, by student and cell.

    Args:
        state: what counts.
        looks: why staff must look again, by student and cell.
    """
    found: dict[str, ByCell] = {}
    for (student, cell, field), entry in state.items():
        value = entry.value
        if field not in OF_CELLS or value is None:
            continue
        one = found.setdefault(student, {}).get(cell) or Entered()
        if field is Field.COMMENT:
            one = msgspec.structs.replace(one, comment=str(value))
        elif not isinstance(value, str):
            look = looks.get((student, cell))
            changed = {"score": value, "look": look} if field is Field.SCORE else {"extra": value}
            one = msgspec.structs.replace(one, **changed)
        found[student][cell] = one
    return found


def look_of(entry: Entry, points: float, automatic: float | None, submission: str) -> str | None:
    """Return why staff must look again at a score that they gave; None if nothing changed since.

    Args:
        entry: of the score.
        points: that its cell is worth now.
        automatic: the score that the grader gives now.
        submission: what is submitted now.
    """
    gave = f"staff gave {entry.value:g}"
    if entry.points is not None and entry.points != points:
        return f"{gave} of {entry.points:g} points; it is worth {points:g} now"
    if entry.submission not in (None, submission):
        return f"{gave} points; another attempt was submitted since"
    if entry.automatic != automatic:
        now_, then = ("none" if s is None else f"{s:g}" for s in (automatic, entry.automatic))
        return f"{gave} points; the grader gives {now_} now, and gave {then} then"
    return None
