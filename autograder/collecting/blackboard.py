"""Blackboard: the zip of "Assignment File Download".

Its files are called ``<assignment>_<username>_attempt_<2026-11-20-10-11-12>_<file name>``. Beside
them lies ``…_attempt_<time>.txt``, which tells the full name, the username and the time with its
zone. The time in the names has no zone: it is taken for UTC where the text does not say more.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from autograder.collecting.found import Found, Notes, Source, inner_tree
from autograder.collecting.trees import Member, Refused, Tree
from autograder.records.roster import Clues
from autograder.records.times import read_time

__all__ = ["read", "recognises"]

FILE = re.compile(
    r"(?P<person>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<rest>.+)|\.txt)", re.DOTALL
)
NAME = re.compile(r"Name:\s*(?P<name>.*?)\s*\((?P<username>[^()]+)\)\s*")
SUBMITTED = re.compile(r"Date Submitted:\s*(?P<time>.+?)\s*")
MOST_LINES = 10  # of the text that are looked at; below them stands what the student wrote
NEAR_SECONDS = 15 * 3600  # a time that is farther from that in the names is another one


def recognises(source: Source) -> bool:
    """Whether most files of a source are called so."""
    return _fits(inner_tree(source.tree, _fits))


def read(source: Source, notes: Notes) -> Iterator[Found]:
    """Yield every attempt of each user."""
    tree = inner_tree(source.tree, _fits)
    files: dict[tuple[str, str], list[Member]] = defaultdict(list)
    texts: dict[tuple[str, str], Member] = {}
    for member in tree.members:
        match = FILE.fullmatch(member.name)
        if match is None:
            notes.strays.append(member.name)
            continue
        key = match["person"], match["time"]
        uploads = files[key]
        if match["rest"] is None:
            texts[key] = member
        else:
            uploads.append(member.renamed(match["rest"]))
    for (person, time), uploads in files.items():
        said = _said(texts.get((person, time)))
        username = said.get("username") or person.rpartition("_")[2]
        names = (said["name"],) if said.get("name") else ()
        who = Clues(username, logins=(username,), names=names)
        place = f"{source.name}, {person}_attempt_{time}"
        when = _time(time, said.get("time", ""))
        yield Found(who, place, tuple(uploads), time=when)


def _said(text: Member | None) -> Mapping[str, str]:
    """Return the name, username and time that the text of an attempt tells."""
    if text is None:
        return {}
    try:
        lines = text.read().decode("utf-8-sig", "replace").split("\n")[:MOST_LINES]
    except Refused:
        return {}
    said: dict[str, str] = {}
    for line in lines:
        for pattern in (NAME, SUBMITTED):
            if match := pattern.fullmatch(line):
                said = {**match.groupdict(), **said}  # the first line counts
    return said


def _time(in_name: str, in_text: str) -> datetime | None:
    """Return when an attempt was made; the text is believed where the name says nearly the same."""
    try:
        local = datetime.strptime(in_name, "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return read_time(in_text)
    told = read_time(in_text)
    near = told is not None and abs((told - local).total_seconds()) <= NEAR_SECONDS
    return told if near else local


def _fits(tree: Tree) -> bool:
    fitting = sum(FILE.fullmatch(member.name) is not None for member in tree.members)
    return fitting > len(tree.members) / 2
