"""Otter's source notebooks: raw cells tell blocks apart, or, in version 0, code blocks in text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from autograder.adopting.cells import Foreign, ForeignCell, Role, TestCell
from autograder.adopting.otter_marks import (
    ends_in_truth,
    is_test,
    solution_text,
    test_text,
    without_own_calls,
)
from autograder.adopting.regions import has_region, manual_text

__all__ = ["is_otters", "read_otter"]

_BLOCK = re.compile(r"^#+\s*(BEGIN|END)\s+(QUESTION|SOLUTION|PROMPT|TESTS)\b", re.IGNORECASE)
_CONFIG = re.compile(r"^#+\s*ASSIGNMENT CONFIG\b|^#+\s*BEGIN ASSIGNMENT\b", re.IGNORECASE)
_FENCE = re.compile(r"```\s*\n#*\s*BEGIN QUESTION\s*\n(.*?)```[ \t]*\n?", re.DOTALL)


@dataclass(frozen=True)
class _Question:
    """A question, as its first cell says; points are None where it says nothing."""

    name: str = ""
    manual: bool = False
    points: float | list[float] | None = None


def is_otters(notebook: Any) -> bool:
    """Return whether a notebook has questions of Otter's."""
    return any(_is_raw_block(cell) or _fence(cell) is not None for cell in notebook.cells)


def read_otter(notebook: Any, path: Path) -> Foreign:
    """Return a source notebook of Otter's, of version 0 or later."""
    later = any(_is_raw_block(cell) for cell in notebook.cells)
    read = _read_blocks if later else _read_fences
    return Foreign("Otter", path, list(_shared(read(notebook))))


Read = Iterator[tuple[_Question, ForeignCell]]


def _read_blocks(notebook: Any) -> Read:
    question, block = _Question(), ""
    for number, cell in enumerate(notebook.cells, 1):
        text = cell.source.strip()
        if cell.cell_type == "raw":
            found = _BLOCK.match(text)
            if found is None:
                if not _CONFIG.match(text) and text:
                    yield question, ForeignCell(number, Role.PROSE, "markdown", text)
                continue
            begins, kind = found[1].upper() == "BEGIN", found[2].upper()
            if kind == "QUESTION":
                question = _question(text.partition("\n")[2]) if begins else _Question()
                block = ""
            else:
                block = kind if begins else ""
        else:
            yield question, _cell(number, cell, question, block)


def _read_fences(notebook: Any) -> Read:
    """Read version 0: the answer is the cell below a question, and its tests follow."""
    question, expects = _Question(), False
    for number, cell in enumerate(notebook.cells, 1):
        if (config := _fence(cell)) is not None:
            question, expects = _question(config), True
            prose = _FENCE.sub("", cell.source).strip("\n")
            yield question, ForeignCell(number, Role.PROSE, "markdown", prose)
            continue
        block = "SOLUTION" if expects else "TESTS" if is_test(cell) and question.name else ""
        expects = False
        if not block:
            question = _Question()
        yield question, _cell(number, cell, question, block)


def _cell(number: int, cell: Any, question: _Question, block: str) -> ForeignCell:
    code, text = cell.cell_type == "code", cell.source
    kind = "code" if code else "markdown"
    if block == "TESTS" and code:
        own, hidden, points = test_text(text)
        output = _out(cell) or ("True" if ends_in_truth(own) else None)
        tests = TestCell("" if hidden else own, own, -1.0 if points is None else points, output)
        return ForeignCell(number, Role.TESTS, kind, text, question.name, tests)
    if question.manual and block == "SOLUTION":
        answer = solution_text(text)[0] if code else text
        points = question.points if isinstance(question.points, float) else 1.0
        whole, scheme = manual_text(answer, "", code), ("Otter has no mark scheme; write one",)
        return ForeignCell(number, Role.MANUAL, kind, whole, question.name, None, points, scheme)
    if code:
        own, look = solution_text(without_own_calls(text))
        role = Role.SOLUTION if has_region(own) else Role.GIVEN
        return ForeignCell(number, role, kind, own, question.name, look=look)
    told = ("Otter shows this to students alone",) if block == "PROMPT" else ()
    attachments = dict(cell.get("attachments", {}))
    return ForeignCell(
        number, Role.PROSE, kind, text, question.name, look=told, attachments=attachments
    )


def _shared(read: Read) -> Iterator[ForeignCell]:
    """Give the cells, with a question's points shared among its test cells that name none."""
    pairs = list(read)
    cells: dict[str, list[ForeignCell]] = {}
    for question, cell in pairs:
        if cell.tests is not None:
            cells.setdefault(question.name, []).append(cell)
    for question, cell in pairs:
        if cell.tests is None:
            yield cell
            continue
        own = cells[question.name]
        points, place = _points_of(question, own, cell), own.index(cell)
        name = f"{question.name}_{place + 1}" if place else question.name
        yield replace(cell, name=name, tests=replace(cell.tests, points=points))


def _points_of(question: _Question, cells: list[ForeignCell], cell: ForeignCell) -> float:
    own = [one.tests.points for one in cells if one.tests is not None]
    place, said = cells.index(cell), [points for points in own if points >= 0]
    if isinstance(question.points, list):
        return question.points[place] if place < len(question.points) else 0.0
    if own[place] >= 0:
        return own[place]
    if question.points is None and said:
        return 0.0  # the others say what they are worth
    whole = 1.0 if question.points is None else question.points
    return max(whole - sum(said), 0.0) / (len(own) - len(said))


def _question(config: str) -> _Question:
    try:
        table = yaml.safe_load(config)
    except yaml.YAMLError:
        table = None
    if not isinstance(table, dict):
        return _Question()
    points = table.get("points")
    if isinstance(points, dict):
        points = points.get("total", points.get("each"))
    if isinstance(points, list):
        points = [float(one) for one in points]
    elif isinstance(points, (int, float)):
        points = float(points)
    else:
        points = None
    return _Question(str(table.get("name", "")), bool(table.get("manual")), points)


def _is_raw_block(cell: Any) -> bool:
    return cell.cell_type == "raw" and _BLOCK.match(cell.source.strip()) is not None


def _fence(cell: Any) -> str | None:
    found = _FENCE.search(cell.source) if cell.cell_type == "markdown" else None
    return found[1] if found else None


def _out(cell: Any) -> str | None:
    """Return what an expression at the end of a cell gave, as Python wrote it."""
    for output in cell.get("outputs", []):
        if output.get("output_type") == "execute_result":
            text = output.get("data", {}).get("text/plain")
            return text if isinstance(text, str) else None
    return None
