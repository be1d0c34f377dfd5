"""The roster: who takes the course, and by which names and numbers other systems know them.

`roster.csv` in the course's folder has a row for each student, and the gradebook of nbgrader may
know more. Nothing here guesses: where the clues to somebody fit two students, they fit nobody.
"""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, reduce
from pathlib import Path

from autograder.course import LONGEST_NAME, ROSTER, Course
from autograder.errors import HarnessError, UsageError
from autograder.records.databases import database_of
from autograder.records.entries import OF_STUDENTS, Field
from autograder.records.names import Names, kept_names, names_journal
from autograder.records.tables import read_table
from autograder.spelling import composed
from autograder.visible import STEERING, visible

__all__ = ["Clues", "Match", "Roster", "Student", "is_student_name", "names_beside", "read_roster"]

ID_COLUMN = "student"
# Letters that Unicode does not take apart into a plain one and a mark.
PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"})


@dataclass(frozen=True)
class Student:
    """A student of the course; what nobody has said is the empty text.

    Attributes:
        id: the name of the student's folder in `submitted/`.
        first_name: as the university writes it.
        last_name: likewise.
        email: the address.
        lms_id: the number in the learning platform: nbgrader's ``lms_user_id``.
        canvas_id: the number in Canvas, where it is not ``lms_id``.
        moodle_id: the participant number of Moodle's anonymous submissions.
        blackboard_username: the login in Blackboard, where it is not ``id``.
        team: the name of the team in which assignments are done that are done in teams.
    """

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    canvas_id: str = ""
    moodle_id: str = ""
    blackboard_username: str = ""
    team: str = ""

    @property
    def name(self) -> str:
        """The full name; the id of a student without one."""
        return f"{self.first_name} {self.last_name}".strip() or self.id


@dataclass(frozen=True)
class Clues:
    """What a source says of the person who submitted something.

    Attributes:
        text: the person as the source writes it, for messages.
        canvas_ids: numbers that Canvas gave.
        moodle_ids: participant numbers that Moodle gave.
        logins: ids, logins and addresses.
        names: full names, of which the first that anybody bears counts.
    """

    text: str
    canvas_ids: Sequence[str] = ()
    moodle_ids: Sequence[str] = ()
    logins: Sequence[str] = ()
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Match:
    """Whom the clues to a person fit.

    Attributes:
        student: the one student; None if it is nobody, or if nobody can say who.
        candidates: the ids of those of whom the clues leave open who it is.
        agreed: whether all clues fit each of them; else they fit different students.
    """

    student: Student | None = None
    candidates: tuple[str, ...] = ()
    agreed: bool = True

    @property
    def is_unknown(self) -> bool:
        """Whether the clues fit nobody at all."""
        return self.student is None and not self.candidates

    @property
    def reason(self) -> str:
        """Why it is no student, and what to do, as the end of a sentence."""
        if self.is_unknown:
            return f"nobody in the roster has that name, login or number; add a row to {ROSTER}"
        names = ", ".join(map(visible, self.candidates))
        if self.agreed:
            said = f"several students have that name, login or number: {names}"
        else:
            said = f"its number, login and name are of different students: {names}"
        return f"{said}; correct their rows in {ROSTER}, or copy it by hand"


@dataclass(frozen=True)
class Roster:
    """The students of a course, sorted by id.

    Attributes:
        students: all of them.
        complete: whether staff listed them, so that nobody else takes the course. Students who are
            known by an id alone, as grading enters them into a gradebook, make no list.
    """

    students: tuple[Student, ...] = ()
    complete: bool = False

    def get(self, student: str) -> Student | None:
        """Return the student of an id, in whatever form its accents are written."""
        return self._by_id.get(student) or self._by_form.get(composed(student))

    def find(self, clues: Clues) -> Match:
        """Return the one student whom the clues fit, or why there is none.

        Numbers, logins and names are looked up each by itself; all that fit somebody must agree.
        """
        found = [hits for hits in self._hits(clues) if hits]
        if not found:
            return Match()
        agreed = set.intersection(*found)
        if len(agreed) == 1:
            return Match(self._by_id[agreed.pop()])
        return Match(None, tuple(sorted(agreed or set.union(*found))), bool(agreed))

    def _hits(self, clues: Clues) -> Iterable[set[str]]:
        """Give the ids that each kind of clue fits."""
        yield self._with(self._by_canvas_id, clues.canvas_ids)
        yield self._with(self._by_moodle_id, clues.moodle_ids)
        logins = self._with(self._by_login, clues.logins)
        yield logins or self._with(self._by_mailbox, clues.logins)
        names = (self._by_name.get(_folded(name), set()) for name in clues.names)
        yield next(filter(None, names), set())

    @staticmethod
    def _with(index: Mapping[str, set[str]], wanted: Iterable[str]) -> set[str]:
        return set().union(*(index.get(_plain(one), set()) for one in wanted))

    @cached_property
    def _by_id(self) -> Mapping[str, Student]:
        return {student.id: student for student in self.students}

    @cached_property
    def _by_form(self) -> Mapping[str, Student]:
        return {composed(student.id): student for student in self.students}

    @cached_property
    def _by_canvas_id(self) -> Mapping[str, set[str]]:
        return self._index(lambda s: [_plain(s.canvas_id or s.lms_id)])

    @cached_property
    def _by_moodle_id(self) -> Mapping[str, set[str]]:
        return self._index(lambda s: [_plain(s.moodle_id)])

    @cached_property
    def _by_login(self) -> Mapping[str, set[str]]:
        return self._index(lambda s: map(_plain, (s.id, s.email, s.lms_id, s.blackboard_username)))

    @cached_property
    def _by_mailbox(self) -> Mapping[str, set[str]]:
        return self._index(lambda s: [_plain(s.email.partition("@")[0])])

    @cached_property
    def _by_name(self) -> Mapping[str, set[str]]:
        return self._index(_names)

    def _index(self, keys: Callable[[Student], Iterable[str]]) -> Mapping[str, set[str]]:
        """Return the ids of the students by what they are looked up by, without the empty text."""
        found: dict[str, set[str]] = defaultdict(set)
        for student in self.students:
            for key in keys(student):
                if key:
                    found[key].add(student.id)
        return found


def read_roster(course: Course, *, strict: bool = False) -> Roster:
    """Return who takes a course, from `roster.csv` and nbgrader's gradebook; empty without both.

    The file has a header. Its columns, in any order and case, are ``student`` (the id, which every
    row has) and as many of the other attributes of a `Student` as there are; further columns are
    passed over. They are separated by commas, semicolons or tabs. Where both know a student, the
    file is believed, and the gradebook fills its gaps; what that has lost is known from what is
    kept of it. The gradebook is only read. An accent may be a mark of its own, as macOS writes it:
    a student is called as the folder in `submitted/` is, else as in the gradebook.

    Args:
        course: whose students they are.
        strict: whether a gradebook that nobody can read now is an error, and not passed over for
            what is kept of it.

    Raises:
        UsageError: the file is no such table.
        HarnessError: the gradebook cannot be read, or what is kept of it is damaged.
    """
    listed = _from_file(course.root / ROSTER)
    entered = _from_gradebook(course, strict)
    rows: dict[str, list[Student]] = defaultdict(list)
    for student in (*(listed or {}).values(), *entered.values()):
        rows[composed(student.id)].append(student)
    folders = [] if all(map(str.isascii, rows)) else _folders(course)
    # How each is written; the last counts, which is the plain form where it is there.
    names = {composed(name): name for name in (*rows, *entered, *entered.keys() & rows.keys())}
    names |= {composed(name): name for name in (*folders, *rows.keys() & set(folders))}
    students = {names[one]: replace(reduce(_filled, rows[one]), id=names[one]) for one in rows}
    named = any(student != Student(student.id) for student in entered.values())
    return Roster(tuple(students[name] for name in sorted(students)), listed is not None or named)


def names_beside(course: Course) -> Names:
    """Return what is known of a course's students beside the gradebook."""
    listed = Roster(tuple((_from_file(course.root / ROSTER) or {}).values()))

    def said(student: str, field: Field) -> str:
        found = listed.get(student)
        known = (found.first_name, found.last_name, found.email, found.lms_id) if found else ()
        return dict(zip(OF_STUDENTS, known, strict=False)).get(field, "")

    return Names(names_journal(course), said)


def is_student_name(name: str) -> bool:
    """Return whether a text can be the name of a student's folder and of a result."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    plain = not STEERING.search(name) and not set(name) & set("/\\\n\t") and name == name.strip()
    return plain and 0 < length <= LONGEST_NAME and not name.startswith(".")


def _folders(course: Course) -> list[str]:
    """Return the names of the students' folders."""
    try:
        return sorted(filter(is_student_name, os.listdir(course.root / "submitted")))
    except OSError:
        return []


def _names(student: Student) -> tuple[str, str]:
    first, last = _folded(student.first_name), _folded(student.last_name)
    return first + last, last + first


def _plain(text: str) -> str:
    """Return a number, a login or an address without case and outer spaces."""
    return composed(text.strip().casefold())


def _folded(name: str) -> str:
    """Return a name without case, accents, spaces and signs: ``Last, First`` as ``lastfirst``."""
    apart = unicodedata.normalize("NFKD", name.casefold().translate(PLAIN))
    return "".join(filter(str.isalnum, apart))


def _filled(student: Student, other: Student | None) -> Student:
    if other is None:
        return student
    gaps = {f.name: getattr(other, f.name) for f in fields(Student) if not getattr(student, f.name)}
    return replace(student, **gaps)


def _from_file(path: Path) -> dict[str, Student] | None:
    """Return the students of `roster.csv` by id; None where there is no such file."""
    if (rows := read_table(path, [ID_COLUMN])) is None:
        return None
    found: dict[str, Student] = {}
    for where, row in rows:
        cells = {f.name: row[f.name] for f in fields(Student) if f.name != "id" and f.name in row}
        student = Student(row.get(ID_COLUMN, ""), **cells)
        if not is_student_name(student.id):
            raise UsageError(f"{where}: {student.id!r} cannot be the name of a student's folder")
        if student.id in found:
            raise UsageError(f"{where}: the student {student.id!r} has two rows")
        found[student.id] = student
    return found


def _from_gradebook(course: Course, strict: bool) -> dict[str, Student]:
    """Return the students of nbgrader's gradebook whose ids can name a folder."""
    columns = ", ".join(field.value for field in OF_STUDENTS)
    try:
        rows = database_of(course).read(f"SELECT id, {columns} FROM student")
    except HarnessError:
        if strict:
            raise
        rows = []
    students = [Student(*(str(cell or "").strip() for cell in row)) for row in rows]
    found = {student.id: student for student in students}
    for name, kept in kept_names(names_journal(course)).items():
        known = Student(name, *(kept.get(field.value, "") for field in OF_STUDENTS))
        found[name] = _filled(found[name], known) if name in found else known
    return {name: student for name, student in found.items() if is_student_name(name)}
