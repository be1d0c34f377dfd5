"""Cells of a submission, and what came of running them, as the grader has it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autograder.errors import WireError
from autograder.sandbox.protocol.channel import Channel
from autograder.sandbox.protocol.kinds import Done, Lost, Step
from autograder.sandbox.protocol.messages import MISSING

__all__ = [
    "NOTHING",
    "CellRun",
    "CodeCell",
    "DeviceError",
    "Place",
    "cell_run",
    "cells_to_run",
    "hear_cell",
    "why_missing",
]

MAX_NAMES, LONGEST_NAME = 4, 60
LONGEST_ERROR = 500
NOTHING = -1  # in place of a statement: the cell is not run at all

CellToRun = tuple[int, str, str, int | None, list[tuple[int, bool]]]


class CodeCell(NamedTuple):
    """A code cell of a submission.

    ``kind`` is ``given`` (the release's own), ``stub`` (an answer as the release has it),
    ``answer`` (what the student made of one) or ``own`` (a cell that the student added).
    """

    number: int
    source: str
    kind: str = "own"


@dataclass(frozen=True)
class CellRun:
    """What came of running one cell.

    Attributes:
        number: the cell's.
        error: what it raised first, and the type of that.
        ended: how it ended the session, if it did.
        timed_out: whether that was by a limit on time.
        line: the statement at which it did, by its line in the cell.
        stop: the same, by its place; of it and those below, only definitions run from then on.
        later: whether it ended a later run, having come through the first.
        printed: how many characters.
        touched: whether it may have changed what the cells above had left.
        kept: names that the student had defined above this stub, which therefore left them so.
    """

    number: int
    error: str | None = None
    error_type: str = ""
    ended: str | None = None
    timed_out: bool = False
    line: int = 1
    stop: int = 0
    later: bool = False
    printed: int = 0
    touched: bool = False
    kept: tuple[str, ...] = ()


@dataclass
class Place:
    """Where the cell that runs is: the statement, by its place and its line."""

    number: int
    most: int  # statements and lines that the cell can have
    statement: int = 0
    line: int = 1

    def move_to(self, step: Step) -> None:
        """Note that a session says which statement it has come to.

        Raises:
            WireError: it is none that may come next.
        """
        if not 0 < step.line <= self.most:
            raise WireError("a step of a cell on no line of it")
        if not self.statement < step.statement <= self.most:
            raise WireError("steps of a cell in no order")
        self.statement, self.line = step.statement, step.line

    def ended(self, how: str, timed_out: bool = False) -> CellRun:
        """Return what came of a cell that ended its session here."""
        return CellRun(
            self.number, ended=how, timed_out=timed_out, line=self.line, stop=self.statement
        )


class DeviceError(Exception):
    """A session's GPU computes no more for it, by what it ran; the text says how."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(f"its GPU stopped with {lost.text[:LONGEST_ERROR]!r}")


def cells_to_run(
    cells: Sequence[CodeCell],
    begin: int,
    upto: int,
    ended: Mapping[int, CellRun],
    places: Mapping[int, bool],
) -> list[CellToRun]:
    """Return cells as a session gets them: number, source, kind, stop, places behind it.

    Args:
        cells: of the notebook.
        begin: the first of them, from 0.
        upto: the first that is not run any more.
        ended: what ended other sessions, by number.
        places: where checks stand, by the number of cells.
    """
    found: list[CellToRun] = []
    for index, cell in enumerate(cells[begin:upto], begin):
        run = ended.get(cell.number)
        if run is None or run.stop != NOTHING:
            found.append((*cell, run.stop if run else None, []))
        if found and index + 1 in places:
            found[-1][-1].append((index + 1, places[index + 1]))
    return found


def hear_cell(channel: Channel, at: Place, until: float) -> Done:
    """Return what came of the cell that runs; ``at`` follows its statements.

    Raises:
        DeviceError: what it ran broke its GPU for it.
        WireError: the session says something else.
        ChannelClosed, ChannelTimeout: it says nothing.
    """
    while True:
        message = channel.receive(until)
        if isinstance(message, Done):
            return message
        if isinstance(message, Lost):
            raise DeviceError(message)
        if not isinstance(message, Step):
            raise WireError(f"{type(message).__name__} while a cell runs")
        at.move_to(message)


def cell_run(number: int, done: Done) -> CellRun:
    """Return what a session says of a cell that ran to its end."""
    names = (name[:LONGEST_NAME] for name in done.kept[:MAX_NAMES] if name.isidentifier())
    return CellRun(
        number,
        error=done.text[:LONGEST_ERROR] or None,
        error_type=done.raised[:LONGEST_ERROR],
        printed=done.printed,
        touched=done.touched,
        kept=tuple(names),
    )


def why_missing(name: str, cells: Sequence[CodeCell], runs: Mapping[int, CellRun]) -> str:
    """Return what there is to say of a name that is not defined: which cell should have.

    Args:
        name: an identifier.
        cells: of the notebook.
        runs: what came of them, by number.
    """
    space = r"[ \t]"
    defines = re.compile(
        rf"^{space}*(?:(?:async{space}+)?def|class){space}+{name}\b|^{space}*{name}{space}*[:=]",
        re.MULTILINE,
    )
    for cell in reversed(cells):
        run = runs.get(cell.number)
        ended = run.ended if run is not None and not run.later else None
        if run is not None and (run.error or ended) and defines.search(cell.source):
            why = f"was stopped: {ended}" if ended else f"raised {run.error}"
            return f"{name} is not defined: cell {cell.number}, which defines it, {why}"
    return MISSING.format(name)
