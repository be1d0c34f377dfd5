"""The report of a collection, in plain sentences: what came, and at what somebody must look."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from autograder.collecting.placing import Outcome
from autograder.visible import visible

__all__ = ["Report", "Taken"]

MOST_TOLD = 20  # names in a sentence
ORDER = (Outcome.NEW, Outcome.NEWER, Outcome.UNCHANGED, Outcome.OLDER, Outcome.KEPT)
WORDS = {
    Outcome.NEW: "new",
    Outcome.NEWER: "newer than what was there, which is kept as an attempt",
    Outcome.UNCHANGED: "unchanged",
    Outcome.OLDER: "older than what is there, and left out",
    Outcome.KEPT: "left out, because the student has one",
}


@dataclass(frozen=True)
class Taken:
    """A submission that found its student.

    Attributes:
        assignment: its name.
        student: the student's id.
        outcome: what became of it.
        late: whether its source marks it as late.
        timed: whether its source says when it was submitted.
    """

    assignment: str
    student: str
    outcome: Outcome
    late: bool
    timed: bool


@dataclass
class Report:
    """What a collection came to.

    Attributes:
        dry_run: whether nothing was written.
        sources: each source, with the form in which it was read.
        taken: the submissions that found their students.
        made: students that were made from names, because there is no roster.
        unmatched: who is nobody in the roster, with the reason and what to do.
        refused: files that were not taken, with the reason.
        strays: names of files that say nobody's name.
        left_out: files beside a notebook that were not taken.
        superseded: how many submissions came with a newer one of the same student.
    """

    dry_run: bool = False
    sources: list[str] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    superseded: int = 0

    def lines(self) -> Iterator[str]:
        """Give what happened, a sentence to a line."""
        yield from self.sources
        for assignment in sorted({one.assignment for one in self.taken}):
            taken = [one for one in self.taken if one.assignment == assignment]
            counts = Counter(one.outcome for one in taken)
            parts = [f"{counts[one]} {WORDS[one]}" for one in ORDER if counts[one]]
            yield f"{assignment}: {len(taken)} found: {'; '.join(parts)}"
            if late := [one.student for one in taken if one.late]:
                yield f"{assignment}: {len(late)} marked as late: {_names(late)}"
            if without := [one.student for one in taken if not one.timed]:
                yield f"{assignment}: {len(without)} without a time, as their source tells none"
        if self.superseded:
            yield f"{self.superseded} older attempts in the sources were passed over"
        if self.made:
            count = len(self.made)
            yield (
                f"there is no roster.csv: {count} students are called by the names in the source: "
                f"{_names(self.made)}"
            )
        if self.left_out:
            names = _names(self.left_out)
            yield f"{len(self.left_out)} files beside notebooks are left out: {names}"
        if self.strays:
            yield f"{len(self.strays)} files belong to nobody: {_names(self.strays)}"
        if self.dry_run:
            yield "nothing is written; without --dry-run it is"

    def problems(self) -> Iterator[str]:
        """Give what somebody must look at, with what to do."""
        for said in self.unmatched:
            yield f"{said}, and run the same command again"
        yield from self.refused
        if not (self.taken or self.unmatched or self.refused):
            yield "there is no submission in it"


def _names(names: list[str]) -> str:
    shown = [visible(name, 100) for name in sorted(names)[:MOST_TOLD]]
    more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    return ", ".join(shown) + more
