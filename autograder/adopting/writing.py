"""The draft: a notebook of another tool's, written as a source notebook of ours."""

import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.adopting.cells import Foreign, ForeignCell, Role
from autograder.adopting.checks import CheckText, checks_of, identifier
from autograder.adopting.forms import RAISED, from_nose
from autograder.adopting.names import Names, names_of, parsed, with_tests
from autograder.adopting.refusals import Unwritable

__all__ = ["Draft", "Known", "Outcome", "draft_of"]

MARK = "# TODO adopt:"
_ADOPTED = """\
# Adopted from {tool}, not proved: autograder audit says of each check what it lets through.
# When all of them are proved, delete adopted="{tool}" in the line above."""


@dataclass(frozen=True)
class Outcome:
    """What became of a cell.

    Attributes:
        cell: its number in its notebook.
        name: what its tool calls it.
        points: of the cell.
        checks: the names of the checks that it became; none if it stands as a TODO.
        look: what a person must look at.
        tests: whether it is a test cell.
    """

    cell: int
    name: str
    points: float
    checks: tuple[str, ...]
    look: tuple[str, ...]
    tests: bool


@dataclass(frozen=True)
class Draft:
    """A draft of a source notebook.

    Attributes:
        text: in percent format.
        outcomes: what became of each cell that matters.
        origins: for each of its cells the number of the one from which it comes; 0 for ours.
    """

    text: str
    outcomes: Sequence[Outcome]
    origins: Sequence[int]


@dataclass(frozen=True)
class Known:
    """What trials of former drafts have shown.

    Attributes:
        rich: the checks that ask for sets or tables.
        failing: the checks that the solution does not pass here, and why.
        broken: the given cells that do not run here, by their number, and why.
    """

    rich: frozenset[str] = frozenset()
    failing: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Written:
    type: str
    text: str
    origin: int
    metadata: Mapping[str, Any]


@dataclass
class _Writer:
    cells: list[_Written] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)

    def add(self, kind: str, text: str, origin: int = 0, **metadata: Any) -> None:
        """Add a cell; ``origin`` is the number of the one from which it comes."""
        self.cells.append(_Written(kind, text, origin, metadata))


def draft_of(foreign: Foreign, known: Known) -> Draft:
    """Return the draft of an assignment.

    Args:
        foreign: the notebook.
        known: what trials of former drafts have shown.
    """
    writer = _Writer()
    names = names_of(foreign.cells)
    taken = {*names.student, *names.given, *names.imports}
    nose = frozenset[str]().union(*(from_nose(parsed(c.text)) for c in foreign.cells))
    questions = set(taken)
    for cell in foreign.cells:
        if cell.role is Role.TESTS:
            _write_tests(writer, cell, _checked(cell, names, nose, taken, known))
            names = with_tests(names, cell)
        elif cell.role is Role.MANUAL:
            question = identifier(cell.name or f"question_{cell.number}", questions, "answer")
            questions.add(question)
            points = int(cell.points) if cell.points == int(cell.points) else cell.points
            marks = {"manual": True, "question": question, "points": points}
            writer.add(cell.type, cell.text, cell.number, **marks)
            writer.outcomes.append(_outcome(cell, (question,)))
        elif cell.role is Role.GIVEN and (why := known.broken.get(cell.number)) is not None:
            writer.add("code", _todo(cell, f"it does not run here: {why}"), cell.number)
            writer.outcomes.append(_outcome(cell, (), (f"it does not run here: {why}",)))
        elif cell.text.strip():
            writer.add(cell.type, cell.text, cell.number)
            look = ("an attached picture is lost",) if cell.attachments else ()
            if cell.look or look:
                writer.outcomes.append(_outcome(cell, (), look))
    cells = _with_head(writer, foreign.tool)
    return Draft(_serialized(cells), writer.outcomes, tuple(cell.origin for cell in cells))


def _checked(
    cell: ForeignCell,
    names: Names,
    nose: frozenset[str],
    taken: set[str],
    known: Known,
) -> list[CheckText] | str:
    """Return the checks of a test cell, or why there are none; names are taken."""
    check = identifier(cell.name or f"tests_{cell.number}", taken)
    taken.add(check)
    rich = bool({check, identifier(f"{check}_visible", taken)} & known.rich)
    try:
        found = checks_of(cell, names, nose, check, taken, rich)
    except Unwritable as error:
        return str(error)
    taken.update(one.name for one in found)
    reasons = [known.failing[one.name] for one in found if one.name in known.failing]
    return reasons[0] if reasons else found


def _write_tests(writer: _Writer, cell: ForeignCell, found: list[CheckText] | str) -> None:
    if isinstance(found, str):
        writer.outcomes.append(_outcome(cell, (), (found,)))
        # A hidden cell, since the tests of the cell may be hidden.
        writer.add("code", _todo(cell, found), cell.number, hidden=True)
        return
    writer.outcomes.append(_outcome(cell, tuple(one.name for one in found)))
    for one in found:
        writer.uses |= one.uses
        if one.hidden:
            writer.add("code", one.text, cell.number, hidden=True)
        else:
            writer.add("code", f"{one.text}\n\n\nself_check({one.name})", cell.number)


def _todo(cell: ForeignCell, why: str) -> str:
    where = f"cell {cell.number}" + (f", {cell.name}" if cell.name else "")
    points = cell.tests.points if cell.tests is not None else None
    worth = "" if points is None else f", {points:g} point{'' if points == 1 else 's'}"
    said = f"{MARK} {where}{worth}: {' '.join(why.split())}"
    head = textwrap.wrap(said, 96, subsequent_indent="#   ", break_long_words=False)
    original = [f"#     {line}".rstrip() for line in cell.text.split("\n")]
    what = "Write its check here. The original:" if cell.tests else "The original:"
    return "\n".join([*head, f"# {what}", *original])


def _outcome(cell: ForeignCell, checks: Collection[str], more: tuple[str, ...] = ()) -> Outcome:
    points = cell.points if cell.tests is None else cell.tests.points
    tests = cell.role is Role.TESTS
    return Outcome(cell.number, cell.name, points, tuple(checks), (*cell.look, *more), tests)


def _with_head(writer: _Writer, tool: str) -> list[_Written]:
    """Return the cells behind those that say what the notebook is, and import what it uses."""
    head = _Writer()
    tool = tool.lower()
    head.add("code", _ADOPTED.format(tool=tool), hidden=True, adopted=tool)
    names = {"case", "check", "self_check", *writer.uses} - {"raised"}
    head.add("code", f"from autograder import {', '.join(sorted(names))}")
    if "raised" in writer.uses:
        head.add("code", RAISED.rstrip("\n"))
    return [*head.cells, *writer.cells]


def _serialized(cells: Sequence[_Written]) -> str:
    import jupytext
    import nbformat

    made = []
    for cell in cells:
        new = nbformat.v4.new_code_cell if cell.type == "code" else nbformat.v4.new_markdown_cell
        made.append(new(cell.text.strip("\n"), metadata=dict(cell.metadata)))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
    text = jupytext.writes(notebook, fmt="py:percent")
    # The versions say nothing of the notebook, and change with each release of Jupytext.
    return re.sub(r"#\s+(format_version|jupytext_version):.*\n", "", text)
