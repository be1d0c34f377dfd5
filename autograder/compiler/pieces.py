"""Pieces: the cells of the release and of the solution notebook, which share their ids."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.artefacts.release import FIRST_CELL
from autograder.authoring.checks import Check
from autograder.compiler.check_cells import ReleasedCheck
from autograder.compiler.promises import promise
from autograder.compiler.solutions import SolutionCell
from autograder.compiler.source import Kind, Source, SourceCell
from autograder.errors import SourceError

__all__ = ["Piece", "plan"]


@dataclass(frozen=True)
class Piece:
    """A cell of the release, and the same cell of the solution notebook.

    Attributes:
        grade_id: nbgrader's id; a given cell is named after the cell with an id above it.
        release: the text of the release, before nbgrader's preprocessors clear its regions.
        solution: the text of the solution notebook.
        points: of a cell that is graded.
    """

    type: str
    kind: Kind
    grade_id: str
    release: str
    solution: str
    points: float | None = None
    attachments: dict[str, Any] = field(default_factory=dict)


def plan(
    source: Source,
    solutions: Mapping[int, SolutionCell],
    released: Mapping[int, list[ReleasedCheck]],
    checks: Mapping[str, Check],
) -> tuple[Piece, ...]:
    """Return the pieces of an assignment in the order of its source.

    Raises:
        SourceError: two pieces have one id.
    """
    pieces: list[Piece] = []
    owners = {FIRST_CELL: "the first cell of every release"}
    anchor, count = "", 0
    for cell in source.cells:
        for piece in _pieces(cell, solutions, released, checks):
            if piece.kind is Kind.SOLUTION and piece.grade_id in owners:
                piece = replace(piece, grade_id=f"{piece.grade_id}_{cell.number}")
            if piece.kind is Kind.GIVEN:
                count += 1
                piece = replace(piece, grade_id=f"given{anchor}_{count}")
            else:
                anchor, count = f"_{piece.grade_id}", 0
            if piece.grade_id in owners:
                raise SourceError(
                    f"the name {piece.grade_id!r} belongs to {owners[piece.grade_id]}; as"
                    " nbgrader's id it must be unique, so rename one",
                    source.file,
                    cell.number,
                )
            owners[piece.grade_id] = f"cell {cell.number}"
            pieces.append(piece)
    return tuple(pieces)


def _pieces(
    cell: SourceCell,
    solutions: Mapping[int, SolutionCell],
    released: Mapping[int, list[ReleasedCheck]],
    checks: Mapping[str, Check],
) -> Iterator[Piece]:
    text = cell.text
    if cell.kind is Kind.GIVEN:
        release, solution = text, text
        if (inlined := solutions.get(cell.number)) is not None:
            release, solution = inlined.release, inlined.solution
        yield Piece(cell.type, cell.kind, "", release, solution, attachments=cell.attachments)
    elif cell.manual:
        question, points = cell.manual.question, cell.manual.points
        yield Piece(cell.type, Kind.MANUAL, question, text, text, points, cell.attachments)
    elif cell.kind is Kind.SOLUTION:
        asked = solutions[cell.number]
        name = re.sub(r"\W", "_", next(iter(asked.names), f"cell_{cell.number}"), flags=re.ASCII)
        yield Piece("code", cell.kind, f"solution_{name}", asked.release, asked.solution)
    else:
        for one in released[cell.number]:
            yield _check_piece(one, checks, cell.hidden)


def _check_piece(released: ReleasedCheck, checks: Mapping[str, Check], hidden: bool) -> Piece:
    if released.check is None:
        text = released.text or ""
        return Piece("code", Kind.GIVEN, "", text, text)
    check = checks[released.check]
    text = released.text or _notice(check, hidden)
    return Piece("code", Kind.CHECK, check.name, text, text, check.points)


def _notice(check: Check, hidden: bool) -> str:
    """Return what stands for a check without visible cases; a hidden cell keeps its docstring."""
    lines = [f"# {check.question}: graded with hidden cases."]
    if not hidden:
        lines += [f"# {check.summary}"] if check.summary else []
        lines += promise(check.domain)
    return "\n".join(lines)
