"""Refusals: test cells that have no counterpart here, and why."""

import ast
import re

from autograder.adopting.names import Names
from autograder.compiler.syntax import free_names, touched_names

__all__ = ["Unwritable", "require_assertion", "require_own", "require_plain"]

_FIGURES = ("plt", "matplotlib", "PlotChecker", "seaborn", "sns")
_CODE = ("inspect", "getsource", "get_ipython", "In", "Out", "_ih", "globals", "locals", "exec")
_OUTPUT = ("redirect_stdout", "capture_output", "StringIO", "capsys")
_REPLACING = ("mock", "patch", "MagicMock")
_ASSERTS = re.compile(r"assert|raises|test|check|AUTOTEST|^eq_$|^ok_$", re.IGNORECASE)


class Unwritable(Exception):
    """A test cell has no counterpart; says why."""


def require_plain(tree: ast.Module) -> None:
    """Refuse tests that look at anything but values."""
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    used |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    used |= {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    for words, why in (
        (_CODE, "it looks at the student's code or notebook, not at values"),
        (_OUTPUT, "it looks at what is printed; let the function return it"),
        (_REPLACING, "it replaces what a student's function calls"),
        (_FIGURES, "it looks at a figure; use drawn and assert_figure"),
    ):
        if found := sorted(used.intersection(words)):
            raise Unwritable(f"{why} ({found[0]})")


def require_assertion(tree: ast.Module, output: str | None) -> None:
    """Refuse tests that nothing can fail: points that a last line gives have no counterpart."""
    if output is not None:
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assert, ast.Raise)):
            return
        if isinstance(node, ast.Call) and _ASSERTS.search(ast.unparse(node.func)):
            return
    raise Unwritable("it asserts nothing; where its last line gives points, write a case for each")


def require_own(tree: ast.Module, names: Names, local: set[str]) -> None:
    """Refuse tests that change what students wrote.

    Args:
        tree: of the cell.
        names: of the notebook.
        local: what the cell binds before it reads it.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            raise Unwritable(f"it deletes {node.id!r}")
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            raise Unwritable(f"it changes a global name, {node.names[0]!r}")
    bound = {name for node in tree.body for name in touched_names(node)}
    for name in sorted(bound & names.student):
        if name in names.functions or name not in local:
            raise Unwritable(f"it assigns to {name!r}, which students write")
    if both := sorted((bound & names.given) - local & free_names(ast.unparse(tree))):
        raise Unwritable(f"it reads {both[0]!r} and assigns to it")
