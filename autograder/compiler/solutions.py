"""Solution cells: as students get them, and as the solution notebook has them."""

import ast
import builtins
from dataclasses import dataclass
from typing import NamedTuple

from autograder.compiler.inline import Block, Inliner, is_block, join_definitions, postponed
from autograder.compiler.reference import PACKAGE, Definition, Reference
from autograder.compiler.regions import SOLUTION, Region, find_regions, without_marks
from autograder.compiler.source import Kind, Source, SourceCell
from autograder.compiler.stubs import ANSWER, stub
from autograder.compiler.syntax import (
    Definable,
    Edit,
    bound_names,
    edit_lines,
    first_line,
    free_names,
    last_line,
    placed,
)
from autograder.errors import SourceError

__all__ = ["SolutionCell", "solution_cells"]


@dataclass(frozen=True)
class SolutionCell:
    """The two texts of a cell with solutions, or with code of the reference that is given.

    ``names`` are what the student has to write; ``release`` still has the solution regions that
    define functions: nbgrader clears them.
    """

    names: tuple[str, ...]
    release: str
    solution: str


def solution_cells(source: Source, reference: Reference) -> dict[int, SolutionCell]:
    """Return the solution cells of a source notebook, and what it gives of the reference.

    Raises:
        SourceError: the reference lacks a name, a name is asked for twice, a stub or a solution
            could not run, or what is given would tell an answer.
    """
    writer = _Writer(source, reference)
    found = {}
    for cell in source.cells:
        with placed(source.file, cell.number):
            if cell.kind is Kind.SOLUTION:
                found[cell.number] = writer.cell(cell)
            elif cell.kind is Kind.GIVEN and cell.imports:
                found[cell.number] = writer.given_of_reference(cell)
            elif cell.kind is Kind.GIVEN:
                writer.given(cell)
    writer.require_nothing_told()
    return found


class Asked(NamedTuple):
    """A name that a cell imports from the reference, and its definition."""

    name: str
    definition: Definition


class _Writer:
    """Goes through the cells in order and knows what each has to bring along."""

    def __init__(self, source: Source, reference: Reference) -> None:
        self._reference = reference
        self._source = source
        self._inliner = Inliner(reference)
        self._handed_out = Inliner(reference)
        self._given: dict[Definition, int] = {}  # by the cell that hands it out
        self._asked: dict[str, int] = {}
        self._asked_definitions: dict[Definition, str] = {}
        self._bound = set(dir(builtins))  # in the release, so far
        shown = (cell for cell in source.cells if cell.kind is not Kind.CHECK)
        self._everywhere = {name for cell in shown for name in cell.binds}

    def given(self, cell: SourceCell) -> None:
        """Take note of what a given cell defines."""
        self._inliner.given(cell.tree)
        self._handed_out.given(cell.tree)
        self._bound |= cell.binds

    def given_of_reference(self, cell: SourceCell) -> SolutionCell:
        """Return a cell with the reference's code in place of what it imports from there.

        What the student has written above is theirs, and not handed out.
        """
        rest = _without_reference(cell)
        self._inliner.given(rest)
        self._handed_out.given(rest)
        self._bound |= cell.binds
        wanted = {
            item.node: [self._reference.find(item.module, name) for name in item.names]
            for item in cell.imports
        }
        for definitions in wanted.values():
            for definition in self._reference.needed(*definitions):
                if definition not in self._asked_definitions:
                    self._given.setdefault(definition, cell.number)
        asked = list(self._asked_definitions)
        released = {n: self._handed_out.block(ds, asked) for n, ds in wanted.items()}
        solved = {n: self._inliner.block(ds) for n, ds in wanted.items()}
        return SolutionCell((), _replace(cell, released, []), _replace(cell, solved, []))

    def require_nothing_told(self) -> None:
        """Refuse given code that holds what a cell below it asks for."""
        for definition, name in self._asked_definitions.items():
            if (number := self._given.get(definition)) is not None:
                raise SourceError(
                    f"it hands out {name!r}, which cell {self._asked[name]} asks students for",
                    self._source.file,
                    number,
                )

    def cell(self, cell: SourceCell) -> SolutionCell:
        """Return a solution cell, released and solved."""
        regions = find_regions(cell.text, SOLUTION)
        _require_apart(cell, regions)
        self._inliner.given(_without_reference(cell))
        self._bound |= cell.binds
        wanted = {i.node: [self._ask(cell, i.module, n) for n in i.names] for i in cell.imports}
        released = {node: self._stubs(asked) for node, asked in wanted.items()}
        solved = {
            node: self._inliner.block([a.definition for a in asked])
            for node, asked in wanted.items()
        }
        answers = [edit for region in regions if (edit := _answer(cell, region))]
        return SolutionCell(
            tuple(n for i in cell.imports for n in i.names) or _names_in(cell, regions),
            _replace(cell, released, answers),
            without_marks(_replace(cell, solved, []), SOLUTION),
        )

    def _ask(self, cell: SourceCell, module: str, name: str) -> Asked:
        definition = self._reference.find(module, name)
        former = self._asked.setdefault(name, cell.number)
        if former != cell.number:
            raise SourceError(f"{name!r} is already the solution of cell {former}")
        self._asked_definitions[definition] = name
        return Asked(name, definition)

    def _stubs(self, asked: list[Asked]) -> Block:
        texts = [stub(a.definition, a.name) for a in asked]
        imports = postponed(a.definition.module for a in asked)
        for one, text in zip(asked, texts, strict=True):
            for name in sorted(free_names(text) - self._bound):
                imports += self._brought(one, name)
        return Block(tuple(imports), join_definitions(texts))

    def _brought(self, asked: Asked, name: str) -> list[str]:
        """Return the imports that a stub brings along for a name that it needs."""
        module = asked.definition.module
        meanings = module.definitions.get(name, [])
        imports = [d.text for d in meanings if d.is_import and not d.origin]
        if imports:
            self._bound.add(name)
        elif meanings and name not in self._everywhere:
            raise SourceError(
                f"the stub of {asked.name!r} needs {name!r} of {module.path}, which the release"
                " lacks; define it in a given cell, or write its value into the signature"
            )
        return imports


def _require_apart(cell: SourceCell, regions: list[Region]) -> None:
    for item in cell.imports:
        line = item.node.lineno
        if any(line in region for region in regions):
            raise SourceError(
                f"line {line} imports the reference inside a solution region; delete the marks"
            )
        if any(first_line(s) <= line <= last_line(s) for s in cell.tree.body if s is not item.node):
            raise SourceError(f"line {line} imports the reference; give that a line of its own")


def _replace(cell: SourceCell, blocks: dict[ast.ImportFrom, Block], edits: list[Edit]) -> str:
    """Return a cell's text with blocks in place of imports, and what they import at the top."""
    lines = cell.text.split("\n")
    edits = [*edits, *(_block_edit(lines, node, block.text) for node, block in blocks.items())]
    text = edit_lines(cell.text, edits)
    imports = list(dict.fromkeys(i for block in blocks.values() for i in block.imports))
    # A cell magic is one only in the first line.
    magic, text = text.split("\n", 1) if text.startswith("%%") else ("", text)
    joined = join_definitions([*imports, text])
    return f"{magic}\n{joined}" if magic else joined


def _block_edit(lines: list[str], node: ast.ImportFrom, text: str) -> Edit:
    """Return the edit that puts a block in place of an import, with its blank lines around it."""
    first, last = node.lineno, last_line(node)
    if is_block(text):
        above, below = "".join(lines[first - 2 : first - 1]), "".join(lines[last : last + 1])
        if above.strip() and not above.startswith(("#", "%%", f"from {PACKAGE}.")):
            text = f"\n\n{text}"
        if below.strip():
            text = f"{text}\n\n"
    return Edit(first, last, text)


def _answer(cell: SourceCell, region: Region) -> Edit | None:
    """Return the edit of a region that only computes values: each gets an answer to fill in."""
    inside = [s for s in cell.tree.body if s.lineno in region]
    if any(isinstance(s, Definable) for s in inside):
        return None
    assignments = [s for s in inside if isinstance(s, (ast.Assign, ast.AnnAssign))]
    names = dict.fromkeys(n for s in assignments for n in bound_names(ast.unparse(s)))
    answers = [f"{name} = {ANSWER}" for name in names if not name.startswith("_")]
    return Edit(region.first, region.last, "\n".join(answers)) if answers else None


def _names_in(cell: SourceCell, regions: list[Region]) -> tuple[str, ...]:
    """Return the names that the statements around or inside of regions bind."""
    statements = [
        s
        for s in cell.tree.body
        if any(first_line(s) <= r.last and r.first <= last_line(s) for r in regions)
    ]
    names = [n for s in statements for n in bound_names(ast.unparse(s))]
    return tuple(n for n in dict.fromkeys(names) if not n.startswith("_"))


def _without_reference(cell: SourceCell) -> ast.Module:
    ours = [item.node for item in cell.imports]
    return ast.Module([s for s in cell.tree.body if s not in ours], [])
