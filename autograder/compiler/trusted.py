"""The trusted cells: what the oracle runs of a source notebook."""

import ast
from collections.abc import Mapping
from inspect import Signature, signature
from itertools import takewhile
from typing import Any

import numpy as np

from autograder.artefacts.bundle import Cell
from autograder.authoring.checks import Check
from autograder.authoring.domains import Domain
from autograder.compiler.source import Kind, Source, SourceCell
from autograder.compiler.syntax import call_name, placed, replace_nodes
from autograder.compiler.written_checks import CheckFunction
from autograder.errors import SourceError

__all__ = [
    "ANSWERABLE",
    "require_as_written",
    "require_callable",
    "require_self_check",
    "trusted_cells",
]

ANSWERABLE = (
    "can be answered from its release: its cases are all visible and it draws nothing from rng"
)
_KINDS = {Kind.MANUAL: "solution"}
_IMPORT = "from autograder import case, check, self_check"


def trusted_cells(source: Source) -> tuple[Cell, ...]:
    """Return the code cells of a source notebook, without IPython's lines and self-checks."""
    return tuple(
        Cell(_KINDS.get(cell.kind, cell.kind.value), cell.number, _without_self_checks(cell))
        for cell in source.cells
        if cell.is_code
    )


def require_self_check(source: Source, written: Mapping[str, CheckFunction]) -> None:
    """Refuse a notebook with checks whose release could not call them."""
    shown = [cell.tree for cell in source.cells if not cell.hidden]
    if not written or any("self_check" in _imported(tree) for tree in shown):
        return
    first = next(iter(written.values()))
    raise SourceError(
        f"check {first.name!r} needs self_check in the release; write {_IMPORT!r} in a cell above",
        source.file,
        first.cell,
    )


def require_as_written(
    source: Source, checks: Mapping[str, Check], written: Mapping[str, CheckFunction]
) -> tuple[str, ...]:
    """Refuse checks that are not what their text says: what is hidden could be published.

    Args:
        checks: as they are after the cells ran.
        written: the same, as their syntax trees tell.

    Returns:
        the checks that can be answered from their release, which are refused unless the notebook
        was adopted.
    """
    answerable = []
    for name, check in checks.items():
        if name not in written:
            raise SourceError(
                f"check {name!r} is not seen by the compiler; decorate a function with @check(…), "
                f"or write {name} = matches_reference(…)",
                source.file,
                _defining_cell(source, name),
            )
        text = written[name]
        with placed(source.file, text.cell):
            _ = check.cases  # drawn here, where it can be said which cell draws none
        hidden = tuple(case.hidden for case in check.cases if not case.is_drawn)
        if hidden != text.hidden or (check.hint and not text.has_hint):
            raise SourceError(
                f"check {name!r} must spell out hidden=True at each case that is hidden, also in a"
                " hidden cell, and hint= at @check",
                source.file,
                text.cell,
            )
        if check.points > 0 and not _hides(check) and not _draws(source, check, text):
            if not source.adopted:
                raise SourceError(
                    f"check {name!r} {ANSWERABLE}; hide a case, draw inputs from rng, or give it "
                    "points=0",
                    source.file,
                    text.cell,
                )
            answerable.append(name)
    return tuple(answerable)


def require_callable(
    source: Source,
    checks: Mapping[str, Check],
    written: Mapping[str, CheckFunction],
    namespace: Mapping[str, Any],
) -> None:
    """Refuse a statement of `MAKER` whose arguments are not those of the function that it calls."""
    for name, text in written.items():
        if text.calls is None or (domain := checks[name].domain) is None:
            continue
        with placed(source.file, text.cell):
            if not callable(function := namespace.get(text.calls)):
                raise SourceError(f"check {name!r} calls {text.calls!r}, which is no function here")
            try:
                parameters = signature(function)
            except ValueError:  # of a builtin that does not tell
                continue
            _require_arguments(f"check {name!r}: the arguments", parameters, domain)


def _require_arguments(subject: str, parameters: Signature, domain: Domain) -> None:
    always = [name for name in domain.parts if not domain.may_omit(name)]
    for names in (domain.parts, always):
        try:
            parameters.bind(**dict.fromkeys(names))
        except TypeError as error:
            raise SourceError(f"{subject} must be those of the function: {error}") from None
    by_place = [*takewhile(lambda name: domain.parts[name].positional, domain.parts)]
    if by_place != [*parameters.parameters][: len(by_place)]:
        raise SourceError(
            f"{subject} must stand in the order of the function, {parameters}, got "
            f"({', '.join(domain.parts)})"
        )


def _hides(check: Check) -> bool:
    return any(case.hidden for case in check.cases)


def _draws(source: Source, check: Check, written: CheckFunction) -> bool:
    """Return whether a check has other inputs for each submission."""
    if (domain := check.domain) is not None:
        once, again = (domain.draw({}, np.random.default_rng(seed)) for seed in range(2))
        if repr(once) != repr(again):
            return True
    tree = next(cell.tree for cell in source.cells if cell.number == written.cell)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    body = [node for node in functions if node.name == check.name]
    return any(isinstance(n, ast.Name) and n.id == "rng" for node in body for n in ast.walk(node))


def _without_self_checks(cell: SourceCell) -> str:
    if "self_check" not in cell.python:
        return cell.python
    calls = [n for n in ast.walk(cell.tree) if call_name(n) == "self_check"]
    return replace_nodes(cell.python, [n for n in calls if isinstance(n, ast.Call)], "None")


def _imported(tree: ast.Module) -> set[str]:
    """Return what a cell imports from autograder under its own name."""
    return {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "autograder"
        for alias in node.names
        if alias.asname in (None, alias.name)
    }


def _defining_cell(source: Source, name: str) -> int | None:
    for cell in source.cells:
        for node in ast.walk(cell.tree):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return cell.number
    return None
