"""Check cells: what of them a release shows, told from what stays hidden by syntax tree."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import NamedTuple

from autograder.compiler.source import Kind, Source, SourceCell
from autograder.compiler.syntax import (
    Edit,
    blank_magics,
    call_name,
    closing_line,
    edit_lines,
    first_line,
    free_names,
    last_line,
    nearest,
    placed,
    touched_names,
)
from autograder.errors import SourceError

__all__ = ["CheckFunction", "ReleasedCheck", "find_checks", "released_checks"]


@dataclass(frozen=True)
class CheckFunction:
    """A check as it is written: its cell, which of its cases are hidden, whether it has a hint."""

    name: str
    cell: int
    hidden: tuple[bool, ...]
    has_hint: bool


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


def find_checks(source: Source) -> dict[str, CheckFunction]:
    """Return the checks of a source notebook, in its order.

    Raises:
        SourceError: a check is written so that what is hidden could not be told, two checks have
            one name, or a self-check names no check.
    """
    checks: dict[str, CheckFunction] = {}
    for cell in source.cells:
        with placed(source.file, cell.number):
            for node in filter(_is_decorated, ast.walk(cell.tree)):
                check = _check_function(node, cell)
                if check.name in checks:
                    raise SourceError(
                        f"check {check.name!r} is in cell {checks[check.name].cell} too;"
                        " each must have a name of its own: rename one"
                    )
                checks[check.name] = check
    for cell in source.cells:
        with placed(source.file, cell.number):
            _require_known(cell, checks)
    return checks


def released_checks(
    source: Source, checks: Mapping[str, CheckFunction]
) -> dict[int, list[ReleasedCheck]]:
    """Return the release's cells for each check cell of the source, by number.

    A cell has one check at most. A helper goes to the first check of its cell, if any check that
    the release shows needs it; else it is cut.

    Raises:
        SourceError: two statements share a line, or a visible check needs what is hidden.
    """
    statements = {}
    for cell in source.cells:
        with placed(source.file, cell.number):
            if cell.kind is Kind.CHECK:
                statements[cell.number] = _statements(cell, checks)
    kept = _needed_helpers([s for found in statements.values() for s in found])
    secrets = _secrets(source)
    for number, found in statements.items():
        with placed(source.file, number):
            _require_free([s for s in found if s in kept or s.part is Part.CHECK], secrets)
    return {number: _cells(found, kept) for number, found in statements.items()}


def _is_decorated(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(call_name(d) in ("check", "case") for d in decorators)


def _check_function(node: ast.AST, cell: SourceCell) -> CheckFunction:
    if not isinstance(node, ast.FunctionDef) or node not in cell.tree.body:
        raise SourceError("a check must be a function (def) at the top level of its cell")
    if not node.name.isascii():
        raise SourceError(
            f"the name of check {node.name!r} must be in ASCII letters, as nbgrader asks; rename it"
        )
    first, *others = node.decorator_list
    if call_name(first) != "check" or any(call_name(d) != "case" for d in others):
        raise SourceError(
            f"the decorators of check {node.name!r} must be @check(…), then @case(…), and no others"
        )
    hidden = tuple(_is_hidden(d) or cell.hidden for d in others)
    return CheckFunction(node.name, cell.number, hidden, _keyword(first, "hint") is not None)


def _keyword(call: ast.expr, name: str) -> ast.expr | None:
    assert isinstance(call, ast.Call)
    return next((k.value for k in call.keywords if k.arg == name), None)


def _is_hidden(case: ast.expr) -> bool:
    value = _keyword(case, "hidden")
    if value is None:
        return False
    if not (isinstance(value, ast.Constant) and isinstance(value.value, bool)):
        raise SourceError(
            f"line {case.lineno}: hidden must be True or False, got {ast.unparse(value)}"
            " (the compiler reads it, and does not run it)"
        )
    return value.value


def _require_known(cell: SourceCell, checks: Iterable[str]) -> None:
    for node in ast.walk(cell.tree):
        if call_name(node) != "self_check":
            continue
        assert isinstance(node, ast.Call)
        name = ast.unparse(node.args[0]) if node.args else ""
        if name not in checks:
            raise SourceError(f"there is no check {name!r}{nearest(name, checks)}")


def _statements(cell: SourceCell, checks: Mapping[str, CheckFunction]) -> list[Statement]:
    lines, found, last = cell.text.split("\n"), [], 0
    for node in cell.tree.body:
        first, ends = last + 1, closing_line(lines, node)
        if first_line(node) <= last:
            raise SourceError(f"line {last}: each statement must be on a line of its own; split it")
        text = "" if cell.hidden else "\n".join(lines[first - 1 : ends])
        found.append(_statement(node, text, first, cell, checks))
        last = ends
    return found


def _statement(
    node: ast.stmt, text: str, first: int, cell: SourceCell, checks: Mapping[str, CheckFunction]
) -> Statement:
    """Return a statement, given what of its text could be shown, and the line it begins on."""
    if isinstance(node, ast.FunctionDef) and _is_decorated(node):
        shown = text and not all(checks[node.name].hidden)
        return Statement(Part.CHECK, node.name, _shown(node, text, first) if shown else "")
    if isinstance(node, ast.Expr) and call_name(node.value) == "self_check":
        assert isinstance(node.value, ast.Call)
        name, call = ast.unparse(node.value.args[0]), ast.get_source_segment(cell.python, node)
        return Statement(Part.SELF_CHECK, name, call or "")
    binds = touched_names(node)
    if not (binds or cell.hidden or _is_constant(node)):
        raise SourceError(
            f"line {node.lineno}: a statement in a check cell must be a check or define a helper;"
            " move it to a cell of its own"
        )
    return Statement(Part.HELPER, None, text, tuple(binds))


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _shown(node: ast.FunctionDef, text: str, first: int) -> str:
    """Return a check without its hidden cases, the comments above them, and its hint."""
    check, *cases = node.decorator_list
    padding = "\n" * (first - 1)  # so that the tree's line numbers hold
    edits, above = [], last_line(check)
    for case in cases:
        if _is_hidden(case):
            edits.append(Edit(above + 1, last_line(case)))
        above = last_line(case)
    if _keyword(check, "hint"):
        arguments = _arguments_without_hint(check, padding + text)
        edits.append(Edit(check.lineno, last_line(check), f"@check({arguments})"))
    return edit_lines(padding + text, edits).removeprefix(padding)


def _arguments_without_hint(check: ast.expr, text: str) -> str:
    assert isinstance(check, ast.Call)
    arguments = [*check.args, *(k for k in check.keywords if k.arg != "hint")]
    return ", ".join(ast.get_source_segment(text, a) or "" for a in arguments)


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
