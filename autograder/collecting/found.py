"""What the readers of all forms yield: a person's submission, as its source has it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from autograder.collecting.archives import is_archive, open_archive
from autograder.collecting.trees import Member, Tree, folder_tree
from autograder.errors import UsageError
from autograder.records.roster import Clues

__all__ = ["Form", "Found", "Notes", "Source", "inner_tree"]


@dataclass(frozen=True)
class Found:
    """A submission of one person; its files are read when they are asked for.

    Attributes:
        who: what the source says of the person.
        place: where it is, for messages.
        files: their names are relative to the submission.
        assignment: whose it is, where the source tells.
        time: when it was submitted, in UTC without a zone; None where the source does not tell.
        stamp: the text of a ``timestamp.txt`` that must stay as it is; None where any will do.
        late: whether the source marks it as late.
        attempt: larger for what came later, among submissions without a time.
        keeps: further files that only a trusted source may bring, by name.
        owner: the account of this machine that must be the student's; None if nobody can say.
        changed: when something in it was changed last, in UTC without a zone, by a clock that the
            student does not set; None where the source does not tell.
    """

    who: Clues
    place: str
    files: tuple[Member, ...]
    assignment: str | None = None
    time: datetime | None = None
    stamp: str | None = None
    late: bool = False
    attempt: int = 0
    keeps: tuple[Member, ...] = ()
    owner: str | None = None
    changed: datetime | None = None


@dataclass(frozen=True)
class Source:
    """A folder or a file from which submissions are collected.

    Attributes:
        path: where it is.
        stack: what is open until everything is collected.
        assignments: the names of the course's assignments.
        only: the attempts that are wanted of an exchange, by their names there; None means all.
    """

    path: Path
    stack: ExitStack
    assignments: frozenset[str] = frozenset()
    only: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """The source, for messages."""
        return self.path.name or str(self.path)

    @cached_property
    def tree(self) -> Tree:
        """Its files.

        Raises:
            UsageError: it is neither a folder nor an archive.
            Refused: it is damaged, or beyond the caps.
        """
        if self.path.is_dir():
            return folder_tree(self.path, self.name)
        if not self.path.is_file():
            raise UsageError(f"there is no {self.path}")
        return open_archive(self.path, self.name, self.stack)


@dataclass
class Notes:
    """What a reader met beside submissions.

    Attributes:
        strays: names of files and folders that say nobody's name.
        refused: sentences on what was not taken.
    """

    strays: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Form:
    """A form in which submissions come.

    Attributes:
        words: what it is, for messages.
        recognises: whether a source looks like it.
        read: yields what a source holds; what belongs to nobody is noted.
    """

    words: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source, Notes], Iterator[Found]]


def inner_tree(tree: Tree, fits: Callable[[Tree], bool]) -> Tree:
    """Return a tree, or that of its only folder where a form fits that alone.

    Whoever packs a folder again puts it into the archive, too.
    """
    tops = tree.tops
    if len(tops) == 1 and not fits(tree) and not is_archive(tops[0]):
        inner = tree.below(tops[0])
        if inner.members and fits(inner):
            return Tree(inner.name, inner.members, tree.refused)
    return tree
