"""Moodle: the zip of "Download all submissions", with a folder for each student or without.

A folder is called ``<full name>_<participant>_assignsubmission_file[_]``, with ``<group>-`` in
front where the course has groups; without folders that stands in front of each file's name. The
participant's number is another one in every assignment, so that only names tell who it is. In an
anonymous assignment all have the same name, "Participant" in the language of the site; then the
numbers are looked up in the roster. Moodle writes no times.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from autograder.collecting.found import Found, Notes, Source, inner_tree
from autograder.collecting.trees import Member, Tree
from autograder.records.roster import Clues

__all__ = ["read", "recognises"]

FILE = re.compile(
    r"(?P<who>[^/]+?)_(?P<participant>\d+)_assignsubmission_(?P<kind>[a-z]+)_*/?(?P<rest>.+)",
    re.DOTALL,
)
FILES = "file"  # the kind of what was uploaded; texts that were typed hold no notebook


def recognises(source: Source) -> bool:
    """Whether most files of a source are called so."""
    return _fits(inner_tree(source.tree, _fits))


def read(source: Source, notes: Notes) -> Iterator[Found]:
    """Yield what each participant uploaded."""
    tree = inner_tree(source.tree, _fits)
    files: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in tree.members:
        if match := FILE.fullmatch(member.name):
            uploads = files[match["who"], match["participant"]]
            if match["kind"] == FILES:
                uploads.append(member.renamed(match["rest"]))
        else:
            notes.strays.append(member.name)
    anonymous = len(files) > 1 and len({who for who, _ in files}) == 1
    for (who, participant), uploads in files.items():
        text = f"{who}_{participant}"
        if anonymous:
            clues = Clues(text, moodle_ids=(participant,))
        else:
            clues = Clues(text, names=_without_groups(who))
        yield Found(clues, f"{source.name}, {text}", tuple(uploads))


def _without_groups(who: str) -> tuple[str, ...]:
    """Return the name that a text may be: all of it, or what stands behind one of its hyphens."""
    parts = who.split("-")
    return tuple("-".join(parts[at:]) for at in range(min(len(parts), 10)))


def _fits(tree: Tree) -> bool:
    fitting = sum(FILE.fullmatch(member.name) is not None for member in tree.members)
    return fitting > len(tree.members) / 2
