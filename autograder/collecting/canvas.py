"""Canvas: the zip of "Download Submissions".

Its files are called ``<name>[_LATE]_<user>_<file>_<file name>``, where the name is the sortable one
without spaces, signs and capitals (``lovelaceada``). Anonymous ones begin with
``[LATE_]anon_<code>_``. Text entries and links have no number of a file and hold no notebook.
Canvas writes no times. A name that ends in a number, as in ``eve_1001``, hides which of the numbers
is the user's: then all of them are looked up.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from autograder.collecting.found import Found, Notes, Source, inner_tree
from autograder.collecting.trees import Member, Tree
from autograder.records.roster import Clues

__all__ = ["read", "recognises"]

FILE = re.compile(
    r"(?:(?P<name>.+?)_(?P<late>LATE_)?(?P<user>\d+)|(?P<late_too>LATE_)?anon_(?P<code>[^_]+))"
    r"_(?:(?P<file>\d+)_(?P<rest>.+)|text\.html|link\.html)",
    re.DOTALL,
)
USER = re.compile(r"(?=_(\d+)_\d+_)")  # each number that a user's may be


def recognises(source: Source) -> bool:
    """Whether most files of a source are called so."""
    return _fits(inner_tree(source.tree, _fits))


def read(source: Source, notes: Notes) -> Iterator[Found]:
    """Yield each user's newest upload, as Canvas puts no other into the zip."""
    tree = inner_tree(source.tree, _fits)
    files = defaultdict(list)
    for member in tree.members:
        if match := FILE.fullmatch(member.name):
            key = match["user"] or f"anon_{match['code']}"
            late = bool(match["late"] or match["late_too"])
            files[key, match["name"] or "", late].append((match, member))
        else:
            notes.strays.append(member.name)
    for (user, name, late), found in files.items():
        numbers = {user, *(n for _, member in found for n in USER.findall(member.name))}
        who = Clues(f"{name}_{user}", sorted(numbers), names=(name,)) if name else Clues(user)
        uploads = [_upload(match, member) for match, member in found]
        newest = max(upload.order for upload in uploads)
        yield Found(who, f"{source.name}, {who.text}", tuple(uploads), late=late, attempt=newest)


def _upload(match: re.Match[str], member: Member) -> Member:
    if match["file"] is None:
        return member
    return member.renamed(match["rest"], int(match["file"][:18]))


def _fits(tree: Tree) -> bool:
    fitting = sum(FILE.fullmatch(member.name) is not None for member in tree.members)
    return fitting > len(tree.members) / 2
