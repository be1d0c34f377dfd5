"""Gradescope: the zip of "Export Submissions".

It has a folder ``submission_<number>`` for each submission, and ``submission_metadata.yml``, which
tells whose they are and when they came. A group's submission has several people. Of the file's
YAML only three levels are read, by their indentation; outputs and histories stand deeper.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from autograder.collecting.found import Found, Notes, Source, inner_tree
from autograder.collecting.trees import Refused, Tree
from autograder.records.roster import Clues
from autograder.records.times import read_time

__all__ = ["read", "recognises"]

METADATA = "submission_metadata.yml"
TOP = re.compile(r"(?P<name>[^\s:#][^:]*):\s*")
KEY = re.compile(r"  (?P<key>:?\w+):(?:\s+(?P<value>.*))?")
ITEM = re.compile(r"(?:  - |    )(?P<key>:?\w+):(?:\s+(?P<value>.*))?")
QUOTED = re.compile(r'"(?P<double>(?:[^"\\]|\\.)*)"|\'(?P<single>(?:[^\']|\'\')*)\'')
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
NOTHING = ("", "~", "null")


@dataclass
class _Entry:
    """What the metadata say of a submission."""

    people: list[dict[str, str]] = field(default_factory=list)
    time: datetime | None = None


def recognises(source: Source) -> bool:
    """Whether a source has the file that tells whose the submissions are."""
    return _fits(inner_tree(source.tree, _fits))


def read(source: Source, notes: Notes) -> Iterator[Found]:
    """Yield each submission, once for everybody in its group.

    Raises:
        Refused: the metadata are missing or cannot be read.
    """
    tree = inner_tree(source.tree, _fits)
    metadata = [member for member in tree.members if member.name == METADATA]
    if not metadata:
        raise Refused(source.name, f"has no {METADATA}, which tells whose the submissions are")
    try:
        text = metadata[0].read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{source.name}, {METADATA}", "is not UTF-8") from None
    entries = _entries(text)
    for top in tree.tops:
        if top in entries:
            yield from _of_group(source, tree.below(top), top, entries[top])
        elif top != METADATA:
            notes.strays.append(top)


def _of_group(source: Source, folder: Tree, name: str, entry: _Entry) -> Iterator[Found]:
    number = name.rpartition("_")[2]
    attempt = int(number[:18]) if number.isdecimal() else 0
    people = entry.people or [{}]
    for person in people:
        logins = tuple(said for key in ("email", "sid") if (said := person.get(key)))
        full = person.get("name", "")
        who = Clues(full or "".join(logins[:1]) or name, (), (), logins, (full,) if full else ())
        place = f"{source.name}, {name}"
        yield Found(who, place, folder.members, time=entry.time, attempt=attempt)


def _fits(tree: Tree) -> bool:
    return any(member.name == METADATA for member in tree.members)


def _entries(text: str) -> dict[str, _Entry]:
    """Return what the metadata say, by the name of the submission's folder."""
    entries: dict[str, _Entry] = {}
    entry, in_people = _Entry(), False
    for line in text.replace("\r\n", "\n").split("\n"):
        if match := TOP.fullmatch(line):
            entry = entries.setdefault(_value(match["name"]), _Entry())
            in_people = False
        elif match := KEY.fullmatch(line):
            key = match["key"].lstrip(":")
            in_people = key == "submitters"
            if key == "created_at":
                entry.time = read_time(_value(match["value"] or ""))
        elif in_people and (match := ITEM.fullmatch(line)):
            if line.startswith("  - ") or not entry.people:
                entry.people.append({})
            entry.people[-1][match["key"].lstrip(":")] = _value(match["value"] or "")
    return entries


def _value(text: str) -> str:
    """Return a scalar of one line: plain, or in quotes."""
    match = QUOTED.fullmatch(text.strip())
    if match is None:
        plain = text.strip()
        return "" if plain in NOTHING else plain
    if match["single"] is not None:
        return match["single"].replace("''", "'")
    return ESCAPE.sub(_escaped, match["double"])


def _escaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        return match[4]
    number = int(code, 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
