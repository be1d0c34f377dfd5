"""Checks as they are written: what their syntax tree tells before anything of them runs."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from autograder.compiler.source import MAKER, Source, SourceCell, defines_check
from autograder.compiler.syntax import call_name, nearest, placed
from autograder.errors import SourceError

__all__ = [
    "CheckFunction",
    "Written",
    "find_checks",
    "is_hidden",
    "keyword",
    "made_name",
]

Written = ast.FunctionDef | ast.Assign  # a check, as a statement


@dataclass(frozen=True)
class CheckFunction:
    """A check as it is written.

    Attributes:
        name: of the function, or of what a statement of `MAKER` makes.
        cell: where it stands.
        hidden: which of the cases that are written out are hidden.
        has_hint: whether it has one.
        has_domain: whether it has cases that are drawn.
        shows: whether a release shows it.
        calls: the function that a statement of `MAKER` calls.
    """

    name: str
    cell: int
    hidden: tuple[bool, ...]
    has_hint: bool
    has_domain: bool
    shows: bool
    calls: str | None = None


def find_checks(source: Source) -> dict[str, CheckFunction]:
    """Return the checks of a source notebook, in its order.

    Raises:
        SourceError: a check is written so that what is hidden could not be told, two checks have
            one name, or a self-check names no check.
    """
    checks: dict[str, CheckFunction] = {}
    for cell in source.cells:
        with placed(source.file, cell.number):
            for node in filter(defines_check, ast.walk(cell.tree)):
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


def _check_function(node: ast.AST, cell: SourceCell) -> CheckFunction:
    if not isinstance(node, ast.FunctionDef):
        return _made_check(node, cell)
    if node not in cell.tree.body:
        raise SourceError("a check must be a function (def) at the top level of its cell")
    _require_ascii(node.name)
    first, *others = node.decorator_list
    kinds = [call_name(d) for d in others]
    if call_name(first) != "check" or any(kind not in ("case", "domain") for kind in kinds):
        raise SourceError(
            f"the decorators of check {node.name!r} must be @check(…), then @case(…) and "
            "@domain(…), and no others"
        )
    cases = [d for d, kind in zip(others, kinds, strict=True) if kind == "case"]
    domains = [d for d, kind in zip(others, kinds, strict=True) if kind == "domain"]
    hidden = tuple(is_hidden(d) or cell.hidden for d in cases)
    draws = any(map(_shows_draws, domains))
    _require_shown(node.name, draws, cell)
    return CheckFunction(
        node.name,
        cell.number,
        hidden,
        keyword(first, "hint") is not None,
        bool(domains),
        draws or not all(hidden),
    )


def _made_check(node: ast.AST, cell: SourceCell) -> CheckFunction:
    """Return the check that a statement ``name = matches_reference(…)`` makes."""
    match node:
        case ast.Assign(targets=[ast.Name(id=str(target))]) if node in cell.tree.body:
            call = node.value
        case _:
            raise SourceError(
                f"{MAKER}(…) must stand at the top level of its cell, with a name: "
                f"sgd_step_matches_reference = {MAKER}('sgd_step', …)"
            )
    name = made_name(call)
    if name != target:
        raise SourceError(
            f"the check that {MAKER} makes must have the name of the statement, {target!r}, got "
            f"{name!r}; write {name} = …, or name={target!r}"
        )
    _require_ascii(name)
    draws = _shows_draws(call)
    _require_shown(name, draws, cell)
    has_hint = keyword(call, "hint") is not None
    return CheckFunction(name, cell.number, (), has_hint, True, draws, _called(call))


def made_name(call: ast.expr) -> str:
    """Return what a call of `MAKER` calls its check, as its literals say."""
    assert isinstance(call, ast.Call)
    own = _literal(keyword(call, "name"))
    return own if own is not None else f"{_called(call)}_matches_reference"


def _called(call: ast.expr) -> str:
    """Return the function that a call of `MAKER` names, as its literals say."""
    assert isinstance(call, ast.Call)
    said = (keyword(call, "function"), keyword(call, "question"), *call.args[:1])
    for name in filter(None, map(_literal, said)):
        return name
    raise SourceError(f"{MAKER} must have the id of its question as a literal, such as 'sgd_step'")


def _literal(value: ast.expr | None) -> str | None:
    """Return a text that is written out, None where nothing or None is.

    Raises:
        SourceError: it is written in another way.
    """
    if value is None or (isinstance(value, ast.Constant) and value.value is None):
        return None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    raise SourceError(
        f"line {value.lineno}: {MAKER} must have its question, function and name as texts that are "
        f"written out, got {ast.unparse(value)} (the compiler reads them, and does not run them)"
    )


def _require_ascii(name: str) -> None:
    if not name.isascii():
        raise SourceError(
            f"the name of check {name!r} must be in ASCII letters, as nbgrader asks; rename it"
        )


def _require_shown(name: str, draws: bool, cell: SourceCell) -> None:
    if draws and cell.hidden:
        raise SourceError(f"check {name!r} is in a hidden cell: write visible=0 in its domain")


def _shows_draws(call: ast.expr) -> bool:
    """Return whether a domain has visible draws, as its literal says."""
    value = keyword(call, "visible")
    if value is None:
        return True
    if not (isinstance(value, ast.Constant) and isinstance(value.value, int)):
        raise SourceError(
            f"line {value.lineno}: visible must be a whole number, got {ast.unparse(value)} (the "
            "compiler reads it, and does not run it)"
        )
    return value.value > 0


def keyword(call: ast.expr, name: str) -> ast.expr | None:
    """Return what a call passes by a keyword."""
    assert isinstance(call, ast.Call)
    return next((k.value for k in call.keywords if k.arg == name), None)


def is_hidden(case: ast.expr) -> bool:
    """Return whether a case that is written out is hidden.

    Raises:
        SourceError: its text does not tell.
    """
    value = keyword(case, "hidden")
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
