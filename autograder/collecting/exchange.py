"""nbgrader's exchange: ``<exchange>/<course>/inbound/<student>+<assignment>+<time>[+<code>]/``.

The source is the exchange, the folder of a course in it, or ``inbound`` itself. Every attempt is
yielded; ``timestamp.txt`` and ``submission_secret.txt`` stay as they are, because nbgrader finds a
student's feedback by them. Only where an attempt has been changed since it was collected, the time
of the change counts.
"""

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder.collecting.folders import person, time_in
from autograder.collecting.found import Found, Notes, Source
from autograder.collecting.trees import Refused, folder_tree
from autograder.errors import UsageError, stops_all, system_words
from autograder.records.handed_back import SECRET
from autograder.records.times import read_time

__all__ = ["inbound_of", "read", "recognises"]

INBOUND = "inbound"
# A student's name may hold a plus, an assignment's may not.
ATTEMPT = re.compile(
    r"(?P<student>.+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d [^+]+?(?:[+-]\d{4})?)"
    r"(?:\+(?P<code>[\w=-]+))?"
)
SAME = timedelta(seconds=1)


def recognises(source: Source) -> bool:
    """Whether a folder is an exchange, a course in one, or has submissions of one."""
    folders = _inbound(source.path)
    return any(ATTEMPT.fullmatch(path.name) for folder in folders for path in folder.iterdir())


def inbound_of(path: Path) -> Path:
    """Return the folder of submitted work in an exchange, a course in one, or by itself.

    Raises:
        UsageError: there is none, or there are several.
    """
    folders = _inbound(path)
    if not folders:
        raise UsageError(f"{path} has no folder {INBOUND}; name the exchange, or a course")
    if len(folders) > 1:
        names = ", ".join(sorted(folder.parent.name for folder in folders))
        raise UsageError(f"{path} has several courses: {names}; name the folder of one")
    return folders[0]


def read(source: Source, notes: Notes) -> Iterator[Found]:
    """Yield every attempt, or those that are wanted.

    Raises:
        UsageError: there is no such folder, or there are several.
    """
    inbound = inbound_of(source.path)
    wanted = None if source.only is None else [inbound / name for name in source.only]
    for folder in sorted(inbound.iterdir() if wanted is None else wanted):
        match = ATTEMPT.fullmatch(folder.name)
        if match is None or folder.is_symlink() or not folder.is_dir():
            notes.strays.append(folder.name)
            continue
        place = f"{source.name}, {folder.name}"
        owner = _owner(folder)
        if owner is not None and owner != match["student"]:  # else a forgery meets the real one
            notes.refused.append(str(Refused(place, f"was submitted by {owner}, as another")))
            continue
        try:
            tree = folder_tree(folder, place)
        except Refused as error:
            notes.refused.append(str(error))
            continue
        except OSError as error:  # such as a folder that its student has locked
            if stops_all(error):
                raise
            notes.refused.append(str(Refused(place, system_words(error))))
            continue
        notes.refused.extend(tree.refused)
        members = tree.members
        time = read_time(match["time"])
        written, stamp = time_in(members)
        same = time is not None and written is not None and abs(written - time) <= SAME
        yield Found(
            person(match["student"]),
            place,
            members,
            match["assignment"],
            written if same else time,
            stamp if same else None,
            keeps=tuple(member for member in members if member.name == SECRET),
            owner=owner,
            changed=_changed(folder),
        )


def _changed(folder: Path) -> datetime | None:
    """Return when something in a folder was changed last, by the clock of the file system.

    Whoever changes a file can set its other times as they like.
    """
    times = list[int]()
    for top, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                times.append(os.lstat(os.path.join(top, name)).st_ctime_ns)
    if not times:
        return None
    return datetime.fromtimestamp(max(times) / 1e9, UTC).replace(tzinfo=None)


def _owner(folder: Path) -> str | None:
    """Return the account that owns a folder; None if that is nobody of this machine.

    A copy is owned by whoever made it, so what is ours or root's is believed.
    """
    owner = folder.stat().st_uid
    if owner in (0, os.getuid()):
        return None
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return None


def _inbound(path: Path) -> list[Path]:
    """Return the folders of submitted work in an exchange, a course or by themselves."""
    if path.name == INBOUND:
        return [path] if path.is_dir() else []
    if (path / INBOUND).is_dir():
        return [path / INBOUND]
    return sorted(folder for folder in path.glob(f"*/{INBOUND}") if folder.is_dir())
