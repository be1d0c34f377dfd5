"""Placing: a submission is put into `submitted/`, whole, and what was there is kept.

A new submission is written beside its place and moved there as a folder. The one that it replaces
goes to ``submitted/<student>/.attempts/<assignment>/<time>/``, where grading looks for work only if
the best of several attempts counts.
"""

import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import count
from pathlib import Path

from autograder.collecting.choosing import Content
from autograder.collecting.found import Found
from autograder.collecting.trees import Refused
from autograder.course import TIMESTAMP, Course, notebook_in
from autograder.grading.intake import read_submitted
from autograder.records.times import read_time
from autograder.records.whole_files import make_folder, sync_folder, write_atomic

__all__ = ["ATTEMPTS", "RECORD", "Existing", "Outcome", "Policy", "existing", "place"]

ATTEMPTS = ".attempts"
RECORD = ".collected.json"  # hidden, so that nobody takes it for the student's
SCHEMA = 1


class Policy(StrEnum):
    """What becomes of a submission where the student has one already."""

    NEWEST = "newest"  # that with the later time; without times, what is collected now
    REPLACE = "replace"  # what is collected
    KEEP = "keep"  # what is there


class Outcome(StrEnum):
    """What became of a submission that was collected."""

    NEW = "new"
    NEWER = "newer"
    UNCHANGED = "unchanged"
    OLDER = "older"
    KEPT = "kept"


@dataclass(frozen=True)
class Existing:
    """The submission of a student that is in its place.

    Attributes:
        folder: where it is.
        notebook: its notebook; None where there is none that can be read.
        time: when it was submitted, as ``timestamp.txt`` says.
        record: what was written beside it when it was collected.
    """

    folder: Path
    notebook: bytes | None
    time: datetime | None
    record: Mapping[str, object]


def existing(course: Course, assignment: str, student: str) -> Existing | None:
    """Return the submission of a student that is in its place; None if there is none.

    Args:
        course: whose `submitted/` it is.
        assignment: its name.
        student: the student's id.

    Raises:
        Refused: a link or a file is in its place.
    """
    folder = course.root / "submitted" / student / assignment
    for place_ in (folder.parent, folder):
        try:
            mode = place_.lstat().st_mode
        except FileNotFoundError:
            return None
        if not stat.S_ISDIR(mode):
            raise Refused(course.relative(place_), "is no folder: move it away")
    read = read_submitted(notebook_in(folder, assignment))
    data = read.data if read.problem is None else None
    time = read_time(read.timestamp) if read.timestamp else None
    return Existing(folder, data, time, _read_record(folder / RECORD))


def _read_record(path: Path) -> Mapping[str, object]:
    """Return what was written beside a submission; nothing where it is missing or damaged."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def place(
    course: Course,
    assignment: str,
    student: str,
    found: Found,
    content: Content,
    former: Existing | None,
    policy: Policy = Policy.NEWEST,
    source: str = "folder",
    dry_run: bool = False,
) -> Outcome:
    """Put a submission into its place, and return what that came to.

    Args:
        course: whose `submitted/` it goes to.
        assignment: its name.
        student: the student's id.
        found: the submission, with its time and late mark.
        content: the files that are taken of it.
        former: what is in its place.
        policy: what to do where there is something.
        source: the form it came in, which is written beside it.
        dry_run: write nothing.
    """
    notebook = f"{assignment}.ipynb"
    own = (notebook, TIMESTAMP, RECORD)
    others = content.others.items()
    files = {name: data for name, data in others if name.partition("/")[0] not in own}
    files[notebook] = content.notebook
    digest = _digest(files)
    stated = None if found.time is None else found.time.isoformat()
    found = _with_time_of_change(found, former, digest)
    if stamp := _stamp(found):
        files[TIMESTAMP] = stamp
    outcome = _outcome(found, files, notebook, former, policy, source)
    if dry_run or outcome in (Outcome.OLDER, Outcome.KEPT):
        return outcome
    record = _record(found, content, source, stated, digest)
    folder = course.root / "submitted" / student / assignment
    if outcome is Outcome.UNCHANGED:
        written = folder / RECORD
        if written.is_file() and written.read_bytes() != record:  # a late mark came or went
            write_atomic(written, record)
        return outcome
    _put(folder, {**files, RECORD: record}, former)
    return outcome


def _with_time_of_change(found: Found, former: Existing | None, digest: str) -> Found:
    """Return a submission with the time that counts.

    What says the same time as the one in place, and was changed since that was collected, was
    handed in when it was changed.
    """
    record = {} if former is None else former.record
    if found.time is None or record.get("stated") != found.time.isoformat():
        return found
    if record.get("content") == digest:
        time = former.time if former is not None else None
    else:
        time = found.changed
    if time is None or "content" not in record or time <= found.time:
        return found
    return replace(found, time=time, stamp=None)


def _digest(files: Mapping[str, bytes]) -> str:
    """Return a digest of files with their names."""
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        for part in (name.encode("utf-8", "surrogateescape"), data):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _stamp(found: Found) -> bytes | None:
    """Return what ``timestamp.txt`` is to say, in the form that nbgrader writes."""
    if found.stamp is not None:
        return found.stamp.encode()
    if found.time is None:
        return None
    return found.time.strftime("%Y-%m-%d %H:%M:%S.%f UTC").encode()


def _outcome(
    found: Found,
    files: Mapping[str, bytes],
    notebook: str,
    former: Existing | None,
    policy: Policy,
    source: str,
) -> Outcome:
    if former is None:
        return Outcome.NEW
    same_time = found.time is None or found.time == former.time
    if same_time and former.notebook == files[notebook] and _has(former.folder, files, notebook):
        return Outcome.UNCHANGED
    if policy is Policy.KEEP:
        return Outcome.KEPT
    if policy is Policy.NEWEST and _is_older(found, former, source):
        return Outcome.OLDER
    return Outcome.NEWER


def _is_older(found: Found, former: Existing, source: str) -> bool:
    """Return whether a submission came before that in place, by its time or its number."""
    if found.time is not None and former.time is not None:
        return found.time < former.time
    attempt = former.record.get("attempt")
    same = former.record.get("as") == source
    return same and isinstance(attempt, int) and found.attempt < attempt


def _has(folder: Path, files: Mapping[str, bytes], notebook: str) -> bool:
    """Return whether the files beside the notebook are in a folder as they are to be."""
    for name, data in files.items():
        path = folder / name
        if name in (notebook, TIMESTAMP):
            continue
        try:
            if path.is_symlink() or path.stat().st_size != len(data) or path.read_bytes() != data:
                return False
        except OSError:
            return False
    return True


def _record(found: Found, content: Content, source: str, stated: str | None, digest: str) -> bytes:
    """Return what is written beside a submission of where it comes from, and what it was then."""
    said = {
        "schema": SCHEMA,
        "as": source,
        "person": found.who.text,
        "numbers": [*found.who.canvas_ids, *found.who.moodle_ids],
        "file": content.name,
        "attempt": found.attempt,
        "late": found.late,
        "stated": stated,
        "content": digest,
    }
    return (json.dumps(said, indent=1) + "\n").encode()


def _put(folder: Path, files: Mapping[str, bytes], former: Existing | None) -> None:
    """Write a folder beside its place, and move it there; what was there becomes an attempt."""
    make_folder(folder.parent)
    new = folder.parent / f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        for name, data in files.items():
            write_atomic(new / name, data)
        kept = None if former is None else _put_away(folder, former)
        try:
            new.rename(folder)
        except OSError:
            if kept is not None:
                kept.rename(folder)
            raise
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _put_away(folder: Path, former: Existing) -> Path:
    """Move a submission to the attempts of its student, and return where it is now."""
    time = former.time
    name = time.strftime("%Y-%m-%dT%H-%M-%SZ") if time else "without-time"
    attempts = folder.parent / ATTEMPTS / folder.name
    make_folder(attempts)
    names = (f"{name}-{number}" if number > 1 else name for number in count(1))
    kept = next(path for name in names if not os.path.lexists(path := attempts / name))
    folder.rename(kept)
    return kept
