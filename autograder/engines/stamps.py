"""Stamps: what the records of a class were written from, so that only what changed is written."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from autograder.course import Course
from autograder.records.databases import database_of
from autograder.records.whole_files import write_atomic

__all__ = [
    "GradebookStamp",
    "Shown",
    "Stamp",
    "digest_of_parts",
    "forget_times",
    "keep_counted",
    "keep_times",
    "read_counted",
    "read_gradebook_stamp",
    "read_report_stamp",
    "read_stamp",
    "read_times",
    "stamp_of",
    "write_gradebook_stamp",
    "write_report_stamp",
    "write_stamp",
]

STAMP = ".recorded"  # in results/<assignment>
GRADEBOOK = ".gradebook"  # in results
REPORT = ".report"  # in results
TIMES = ".times"  # in results/<assignment>
COUNTED = ".counted"  # likewise


class Shown(msgspec.Struct, frozen=True):
    """What a student's pages were written from.

    Attributes:
        digest: of the grade and all else that the pages say.
        notebook: whether there is a graded notebook for staff.
    """

    digest: str
    notebook: bool = False


class Stamp(msgspec.Struct, frozen=True):
    """What the pages of an assignment were written from.

    Attributes:
        bundle: the assignment's.
        students: each one's pages.
    """

    bundle: str = ""
    students: Mapping[str, Shown] = {}


class GradebookStamp(msgspec.Struct, frozen=True):
    """How the gradebook was when we wrote it last.

    Attributes:
        file: a digest of the database; another one says that somebody changed it since.
        written: by assignment a digest of what was written into it.
        looks: by assignment where staff must look again: student, cell and why.
    """

    file: str = ""
    written: Mapping[str, str] = {}
    looks: Mapping[str, Sequence[tuple[str, str, str]]] = {}


def read_stamp(course: Course, name: str) -> Stamp:
    """Return the stamp of an assignment; one that is none says of nothing."""
    try:
        return msgspec.json.decode((course.results(name) / STAMP).read_bytes(), type=Stamp)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Stamp()


def write_stamp(course: Course, name: str, stamp: Stamp) -> None:
    """Keep what the pages of an assignment were written from."""
    write_atomic(course.results(name) / STAMP, msgspec.json.encode(stamp))


def read_gradebook_stamp(course: Course) -> GradebookStamp:
    """Return how the gradebook was written; nothing of it counts if somebody changed it since."""
    return stamp_of(course, database_of(course).digest())


def stamp_of(course: Course, digest: str) -> GradebookStamp:
    """Return how the gradebook was written, if it still is in a state."""
    try:
        data = (course.root / "results" / GRADEBOOK).read_bytes()
        stamp = msgspec.json.decode(data, type=GradebookStamp)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return GradebookStamp()
    return stamp if stamp.file == digest != "" else GradebookStamp()


def write_gradebook_stamp(course: Course, stamp: GradebookStamp) -> None:
    """Keep how the gradebook is now."""
    write_atomic(course.root / "results" / GRADEBOOK, msgspec.json.encode(stamp))


def read_report_stamp(course: Course) -> str | None:
    """Return a digest of what the report was written from; None if it is not known."""
    try:
        return (course.root / "results" / REPORT).read_text(encoding="ascii") or None
    except (OSError, UnicodeDecodeError):
        return None


def write_report_stamp(course: Course, digest: str | None) -> None:
    """Keep what the report was written from, where there are results."""
    if (course.root / "results").is_dir():
        write_atomic(course.root / "results" / REPORT, (digest or "").encode("ascii"))


def read_times(course: Course, name: str) -> dict[str, dict[str, list[str]]]:
    """Return what ``timestamp.txt`` said beside submissions: by student and submission, in turn."""
    try:
        data = (course.results(name) / TIMES).read_bytes()
        found = msgspec.json.decode(data, type=dict[str, dict[str, list[str]] | tuple[str, str]])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    # Formerly that of the newest submission alone was kept.
    return {s: {t[0]: [t[1]]} if isinstance(t, tuple) else t for s, t in found.items()}


def keep_times(course: Course, name: str, times: Iterable[tuple[str, str, str]]) -> None:
    """Keep times of submissions: a newer one that waits changes nothing of them.

    Args:
        course: whose they are.
        name: the assignment.
        times: students, each with a submission and what ``timestamp.txt`` says beside it.
    """
    known, former = read_times(course, name), read_times(course, name)
    for student, submission, time in times:
        told = known.setdefault(student, {}).setdefault(submission, [])
        known[student][submission] = [*(one for one in told if one != time), time]
    if known != former:
        write_atomic(course.results(name) / TIMES, msgspec.json.encode(known))


def forget_times(course: Course, name: str, student: str) -> None:
    """Keep nothing of a student who has withdrawn."""
    known = read_times(course, name)
    if known.pop(student, None) is not None:
        write_atomic(course.results(name) / TIMES, msgspec.json.encode(known))


def read_counted(course: Course, name: str) -> dict[str, str]:
    """Return the submission of each student whose scores are in the gradebook."""
    try:
        data = (course.results(name) / COUNTED).read_bytes()
        return msgspec.json.decode(data, type=dict[str, str])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def keep_counted(course: Course, name: str, counted: Mapping[str, str]) -> None:
    """Keep whose submissions the scores in the gradebook are of."""
    if dict(counted) != read_counted(course, name):
        write_atomic(course.results(name) / COUNTED, msgspec.json.encode(counted))


def digest_of_parts(*parts: object) -> str:
    """Return a digest of texts, bytes and what JSON can hold."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
