"""Trees: the files of a source by name, whether they lie in an archive or in a folder.

Files are data from an enemy. A name that leaves the tree, or that is no name, is refused here; what
a file holds is read only when somebody asks for it, and never more than the caps allow.
"""

import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.errors import StudentError
from autograder.grading.intake import MAX_BYTES
from autograder.visible import visible

__all__ = [
    "BLOCK",
    "JUNK",
    "OF_CLASS",
    "OF_STUDENT",
    "Caps",
    "Member",
    "Refused",
    "Tree",
    "folder_tree",
    "tree_of",
]

BLOCK = 1 << 20  # bytes that are read at a time
MOST_SHOWN = 120  # characters of a name in a message
DRIVE = re.compile(r"[A-Za-z]:")
# What systems and editors leave beside people's files.
JUNK = re.compile(r"\.|__MACOSX$|__pycache__$|Thumbs\.db$|desktop\.ini$", re.IGNORECASE)


class Refused(StudentError):
    """A file is not taken; the sentence names it, and its archive."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{visible(place, MOST_SHOWN * 2)} {problem}")
        self.args = (place, problem)


@dataclass(frozen=True)
class Caps:
    """How much is read of an archive.

    Attributes:
        total: bytes of all files together, unpacked.
        member: bytes of one file, unpacked.
        ratio: how many times larger a file of more than a megabyte may be than packed.
        members: files and folders.
        name: bytes of a file's name, with its folders.
        depth: folders within each other.
        directory: bytes of a table of contents, or of another record that is read at once.
    """

    total: int = 16 << 30
    member: int = MAX_BYTES
    ratio: int = 250
    members: int = 50_000
    name: int = 1000
    depth: int = 20
    directory: int = 8 << 20


OF_CLASS = Caps()
OF_STUDENT = Caps(total=256 << 20, members=2000, directory=1 << 20)


@dataclass(frozen=True)
class Member:
    """A file of a tree.

    Attributes:
        name: its path in the tree, with ``/`` between its parts.
        read: returns what it holds, or raises `Refused`.
        order: larger for what was uploaded later, where the source tells.
    """

    name: str
    read: Callable[[], bytes]
    order: int = 0

    def renamed(self, name: str, order: int = 0) -> "Member":
        """Return the same file under another name."""
        return replace(self, name=name, order=order)


@dataclass(frozen=True)
class Tree:
    """The files of a source.

    Attributes:
        name: of the source, for messages.
        members: its files, sorted by name, without what systems leave there.
        refused: a sentence for each file that has no name to go by.
    """

    name: str
    members: tuple[Member, ...]
    refused: tuple[str, ...] = ()

    @property
    def tops(self) -> list[str]:
        """The first parts of all names: files and folders at the top, sorted."""
        return sorted({member.name.partition("/")[0] for member in self.members})

    def below(self, folder: str) -> "Tree":
        """Return the tree of a folder."""
        start = f"{folder}/"
        inside = [m for m in self.members if m.name.startswith(start)]
        shorter = tuple(m.renamed(m.name.removeprefix(start), m.order) for m in inside)
        return Tree(f"{self.name}, {folder}", shorter)


def tree_of(
    name: str,
    entries: Iterable[tuple[str, Callable[[], bytes]]],
    refused: Iterable[str],
    caps: Caps,
) -> Tree:
    """Return a tree of what a source has; names are tidied, and bad ones refused.

    Args:
        name: of the source, for messages.
        entries: the files, each as a name and a function that reads it.
        refused: sentences on those that are refused already.
        caps: how long and deep names may be.
    """
    members, sentences = [], list(refused)
    for said, read in entries:
        try:
            members.append(Member(_tidy(name, said, caps), read))
        except Refused as error:
            sentences.append(str(error))
    counts = Counter(member.name for member in members)
    for twice in sorted(one for one, count in counts.items() if count > 1):
        sentences.append(str(Refused(f"{name}, {twice}", "is there more than once: none is taken")))
    once = [m for m in members if counts[m.name] == 1 and not _is_junk(m.name)]
    return Tree(name, tuple(sorted(once, key=lambda m: m.name)), tuple(sentences))


def folder_tree(path: Path, name: str, caps: Caps = OF_CLASS) -> Tree:
    """Return the tree of a folder on this machine; links and devices in it are refused.

    Raises:
        Refused: it holds too much.
    """
    refused: list[str] = []
    entries = []
    for relative, entry in _walk(path, "", name, caps, refused):
        entries.append((relative, _file_reader(Path(entry), f"{name}, {relative}", caps)))
        if len(entries) > caps.members:
            raise Refused(name, f"holds more than {caps.members} files")
    return tree_of(name, entries, refused, caps)


def _walk(
    folder: Path, prefix: str, name: str, caps: Caps, refused: list[str]
) -> Iterator[tuple[str, str]]:
    """Give the plain files below a folder, as a path in the tree and one on this machine."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        relative = prefix + entry.name
        if JUNK.match(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            if relative.count("/") + 1 > caps.depth:
                refused.append(str(Refused(f"{name}, {relative}", "lies too deep in folders")))
            else:
                yield from _walk(Path(entry.path), f"{relative}/", name, caps, refused)
        elif entry.is_file(follow_symlinks=False):
            yield relative, entry.path
        else:
            refused.append(str(Refused(f"{name}, {relative}", "is a link or a device, no file")))


def _file_reader(path: Path, place: str, caps: Caps) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise Refused(place, f"cannot be read: {error.strerror}") from None
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refused(place, "is a link or a device, no file")
            data = file.read(caps.member + 1)
        if len(data) > caps.member:
            raise Refused(place, f"has more than {caps.member >> 20} MB")
        return data

    return read


def _is_junk(name: str) -> bool:
    return any(JUNK.match(part) for part in name.split("/"))


def _tidy(archive: str, said: str, caps: Caps) -> str:
    """Return a name in one form: NFC, ``/`` between parts, none of them empty or a dot.

    Raises:
        Refused: it is empty, too long or too deep, no text, absolute, or climbs out of the tree.
    """
    place = f"{archive}, {said[:MOST_SHOWN]}"
    try:
        length = len(said.encode())
    except UnicodeEncodeError:
        raise Refused(place, "has a name that is not UTF-8") from None
    if length > caps.name:
        raise Refused(place, f"has a name of more than {caps.name} bytes")
    name = unicodedata.normalize("NFC", said.replace("\\", "/"))
    if name.startswith("/") or DRIVE.match(name):
        raise Refused(place, "has an absolute path")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused(place, "has a path that climbs out of its folder")
    if not parts or "\0" in name:
        raise Refused(place, "has no name")
    if len(parts) > caps.depth or any(len(part.encode()) > 255 for part in parts):
        raise Refused(place, "lies too deep in folders, or has too long a name")
    return "/".join(parts)
