"""Folders and archives of our own form: a folder, a notebook or an archive for each student.

``<student>/…``, ``<student>.ipynb`` or ``<student>.zip``; where a student's folder has folders that
are called as assignments, as in nbgrader's ``submitted/``, those are the submissions. The time is
that of ``timestamp.txt``, if there is one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from autograder.collecting.archives import is_archive, stem
from autograder.collecting.found import Found, Notes, Source
from autograder.collecting.trees import Member, Refused
from autograder.course import TIMESTAMP
from autograder.records.roster import Clues
from autograder.records.times import read_time

__all__ = ["person", "read", "recognises", "time_in"]


def recognises(_: Source) -> bool:
    """Whether a source may be read so: any may, if it has no other form."""
    return True


def read(source: Source, notes: Notes) -> Iterator[Found]:
    """Yield what lies in each student's folder, by assignment where that has folders for them."""
    for top in source.tree.tops:
        inside = source.tree.below(top)
        if not inside.members:
            (file,) = (member for member in source.tree.members if member.name == top)
            if top.lower().endswith(".ipynb") or is_archive(top):
                yield Found(person(stem(top)), f"{source.name}, {top}", (file,))
            else:
                notes.strays.append(top)
            continue
        assignments = sorted(source.assignments.intersection(inside.tops))
        for name in assignments:
            yield _found(source, top, inside.below(name).members, name)
        if not assignments:
            yield _found(source, top, inside.members, None)


def person(name: str) -> Clues:
    """Return the clues that a folder's name gives: a login, or a full name."""
    return Clues(name, logins=(name,), names=(name,))


def time_in(members: Sequence[Member]) -> tuple[datetime | None, str | None]:
    """Return the time that ``timestamp.txt`` among files tells, and its text."""
    for member in members:
        if member.name == TIMESTAMP:
            try:
                text = member.read()[:100].decode("utf-8", "replace")
            except Refused:
                return None, None
            time = read_time(text)
            return time, text if time else None
    return None, None


def _found(
    source: Source, student: str, members: tuple[Member, ...], assignment: str | None
) -> Found:
    time, stamp = time_in(members)
    place = f"{source.name}, {student}" + (f"/{assignment}" if assignment else "")
    return Found(person(student), place, members, assignment, time, stamp)
