"""Stamps: what the records of a class were written from, so that only what changed is written."""

import hashlib
import json
from collections.abc import Mapping, Sequence

import msgspec

from autograder.course import Course
from autograder.records.gradebook_file import Version, version_of
from autograder.records.whole_files import write_atomic

__all__ = [
    "GradebookStamp",
    "Shown",
    "Stamp",
    "digest_of_parts",
    "keep_times",
    "read_gradebook_stamp",
    "read_stamp",
    "read_times",
    "stamp_of",
    "write_gradebook_stamp",
    "write_stamp",
]

STAMP = ".recorded"  # in results/<assignment>
GRADEBOOK = ".gradebook"  # in results
TIMES = ".times"  # in results/<assignment>


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
        file: a digest of it; another one says that somebody changed it since.
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
    return stamp_of(course, version_of(course.gradebook))


def stamp_of(course: Course, version: Version) -> GradebookStamp:
    """Return how the gradebook was written, if it still is in a state."""
    try:
        data = (course.root / "results" / GRADEBOOK).read_bytes()
        stamp = msgspec.json.decode(data, type=GradebookStamp)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return GradebookStamp()
    return stamp if stamp.file == version.digest != "" else GradebookStamp()


def write_gradebook_stamp(course: Course, stamp: GradebookStamp, before: Version) -> None:
    """Keep how the gradebook is now, unless somebody else changed it behind us.

    Args:
        course: whose gradebook it is.
        stamp: what is written into it.
        before: its state while we held it alone: one change since is ours.
    """
    now = version_of(course.gradebook)
    file = now.digest if now.changes - before.changes <= 1 else ""
    write_atomic(
        course.root / "results" / GRADEBOOK,
        msgspec.json.encode(msgspec.structs.replace(stamp, file=file)),
    )


def read_times(course: Course, name: str) -> dict[str, tuple[str, str]]:
    """Return by student a submission, and what ``timestamp.txt`` said beside it."""
    try:
        data = (course.results(name) / TIMES).read_bytes()
        return msgspec.json.decode(data, type=dict[str, tuple[str, str]])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def keep_times(course: Course, name: str, times: Mapping[str, tuple[str, str]]) -> None:
    """Keep times of submissions that are graded: a newer one that waits changes nothing of them."""
    former = read_times(course, name)
    if (now := {**former, **times}) != former:
        write_atomic(course.results(name) / TIMES, msgspec.json.encode(now))


def digest_of_parts(*parts: object) -> str:
    """Return a digest of texts, bytes and what JSON can hold."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
