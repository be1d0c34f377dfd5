"""Check cells: what of them a release shows, told from what stays hidden by syntax tree."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import NamedTuple

from autograder.compiler.source import MAKER, Kind, Source, SourceCell, defines_check
from autograder.compiler.syntax import (
    Edit,
    blank_magics,
    call_name,
    closing_line,
    edit_lines,
    first_line,
    free_names,
    last_line,
    placed,
    text_of,
    touched_names,
)
from autograder.compiler.written_checks import CheckFunction, Written, is_hidden, keyword, made_name
from autograder.errors import SourceError

__all__ = ["ReleasedCheck", "released_checks"]


class ReleasedCheck(NamedTuple):
    """A cell of the release; without a check it holds helpers, without a text nothing is shown."""

    check: str | None
    text: str | None


class Part(Enum):
    """What a statement of a check cell is."""

    CHECK = auto()
    SELF_CHECK = auto()
    HELPER = auto()


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement of a check cell with the comments and blank lines above it.

    ``name`` is the check that it defines or calls; ``text`` is what a release may show of it.
    """

    part: Part
    name: str | None
    text: str
    binds: tuple[str, ...] = ()

    @cached_property
    def needs(self) -> set[str]:
        """The names that it reads from the notebook."""
        return free_names(blank_magics(self.text))


def released_checks(
    source: Source,
    checks: Mapping[str, CheckFunction],
    promises: Mapping[str, Sequence[str]] | None = None,
) -> dict[int, list[ReleasedCheck]]:
    """Return the release's cells for each check cell of the source, by number.

    A cell has one check at most. A helper goes to the first check of its cell, if any check that
    the release shows needs it; else it is cut.

    Args:
        source: the source notebook.
        checks: as they are written, by name.
        promises: lines that say what inputs a check has, by its name: they stand above it.

    Raises:
        SourceError: two statements share a line, or a visible check needs what is hidden.
    """
    statements, promises = {}, promises or {}
    for cell in source.cells:
        with placed(source.file, cell.number):
            if cell.kind is Kind.CHECK:
                statements[cell.number] = _statements(cell, checks, promises)
    kept = _needed_helpers([s for found in statements.values() for s in found])
    secrets = _secrets(source)
    for number, found in statements.items():
        with placed(source.file, number):
            _require_free([s for s in found if s in kept or s.part is Part.CHECK], secrets)
    return {number: _cells(found, kept) for number, found in statements.items()}


def _statements(
    cell: SourceCell,
    checks: Mapping[str, CheckFunction],
    promises: Mapping[str, Sequence[str]],
) -> list[Statement]:
    lines, found, last = cell.text.split("\n"), [], 0
    for node in cell.tree.body:
        first, ends = last + 1, closing_line(lines, node)
        if first_line(node) <= last:
            raise SourceError(f"line {last}: each statement must be on a line of its own; split it")
        text = "" if cell.hidden else "\n".join(lines[first - 1 : ends])
        statement = _statement(node, text, first, cell, checks)
        found.append(_with_promise(statement, first_line(node) - first, promises))
        last = ends
    return found


def _statement(
    node: ast.stmt, text: str, first: int, cell: SourceCell, checks: Mapping[str, CheckFunction]
) -> Statement:
    """Return a statement, given what of its text could be shown, and the line it begins on."""
    if isinstance(node, (ast.FunctionDef, ast.Assign)) and defines_check(node):
        name = node.name if isinstance(node, ast.FunctionDef) else made_name(node.value)
        shown = text and checks[name].shows
        return Statement(Part.CHECK, name, _shown(node, text, first) if shown else "")
    if isinstance(node, ast.Expr) and call_name(node.value) == "self_check":
        assert isinstance(node.value, ast.Call)
        name, call = ast.unparse(node.value.args[0]), text_of(cell.python, node)
        return Statement(Part.SELF_CHECK, name, call or "")
    binds = touched_names(node)
    if not (binds or cell.hidden or _is_constant(node)):
        raise SourceError(
            f"line {node.lineno}: a statement in a check cell must be a check or define a helper;"
            " move it to a cell of its own"
        )
    return Statement(Part.HELPER, None, text, tuple(binds))


def _with_promise(
    statement: Statement, above: int, promises: Mapping[str, Sequence[str]]
) -> Statement:
    """Return a check with what inputs it has, told below the lines that stand above it."""
    if statement.part is not Part.CHECK or not statement.text:
        return statement
    lines = statement.text.split("\n")
    lines[above:above] = promises.get(statement.name or "", ())
    return replace(statement, text="\n".join(lines))


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _shown(node: Written, text: str, first: int) -> str:
    """Return a check without its hidden cases, the comments above them, and its hint."""
    padding = "\n" * (first - 1)  # so that the tree's line numbers hold
    if isinstance(node, ast.Assign):
        if not keyword(node.value, "hint"):
            return text
        arguments = ",\n    ".join(_arguments_without_hint(node.value, padding + text))
        shown = f"{ast.unparse(node.targets[0])} = {MAKER}(\n    {arguments},\n)"
        edit = Edit(node.lineno, last_line(node), shown)
        return edit_lines(padding + text, [edit]).removeprefix(padding)
    check, *cases = node.decorator_list
    edits, above = [], last_line(check)
    for case in cases:
        if call_name(case) == "case" and is_hidden(case):
            edits.append(Edit(above + 1, last_line(case)))
        above = last_line(case)
    if keyword(check, "hint"):
        arguments = ", ".join(_arguments_without_hint(check, padding + text))
        edits.append(Edit(check.lineno, last_line(check), f"@check({arguments})"))
    return edit_lines(padding + text, edits).removeprefix(padding)


def _arguments_without_hint(check: ast.expr, text: str) -> list[str]:
    assert isinstance(check, ast.Call)
    said: list[ast.expr | ast.keyword] = [*check.args]
    said += (keyword for keyword in check.keywords if keyword.arg != "hint")
    return [text_of(text, one) for one in said]


def _needed_helpers(statements: list[Statement]) -> set[Statement]:
    """Return the helpers that visible checks need, directly or by way of other helpers."""
    found: set[Statement] = set()
    queue = [s for s in statements if s.part is Part.CHECK and s.text]
    while queue:
        needs = queue.pop().needs | {"self_check"}
        helpers = [s for s in statements if s.part is Part.HELPER and s.text]
        new = [s for s in helpers if s not in found and needs.intersection(s.binds)]
        found.update(new)
        queue += new
    return found


def _secrets(source: Source) -> set[str]:
    """Return the names that only hidden cells define."""
    shown = {name for cell in source.cells if not cell.hidden for name in cell.binds}
    return {name for cell in source.cells if cell.hidden for name in cell.binds} - shown


def _require_free(statements: list[Statement], secrets: set[str]) -> None:
    for statement in statements:
        for name in sorted(statement.needs & secrets):
            raise SourceError(
                f"what a visible check uses must be visible: {name!r} is in a hidden cell; move it"
            )


def _cells(statements: list[Statement], kept: set[Statement]) -> list[ReleasedCheck]:
    checks = [s for s in statements if s.part is Part.CHECK]
    helpers = [s for s in statements if s in kept]
    calls = {s.name: s.text for s in statements if s.part is Part.SELF_CHECK}
    first = next((s for s in checks if s.text), None)
    cells = [ReleasedCheck(None, _joined(helpers))] if helpers and not first else []
    for check in checks:
        own = [s for s in statements if s is check or (check is first and s in helpers)]
        call = calls.get(check.name, f"self_check({check.name})")
        text = f"{_joined(own)}\n\n\n{call}" if check.text else None
        cells.append(ReleasedCheck(check.name, text))
    return cells


def _joined(statements: Iterable[Statement]) -> str:
    return "\n".join(s.text for s in statements).strip("\n")
