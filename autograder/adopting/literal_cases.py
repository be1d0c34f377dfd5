"""Literal cases: test cells that ask one function for values at arguments that are written out."""

import ast
from dataclasses import dataclass

from autograder.adopting.cells import TestCell
from autograder.adopting.forms import AUTOTEST, is_dropped
from autograder.adopting.names import Names

__all__ = ["LiteralCases", "literal_cases"]


@dataclass(frozen=True)
class LiteralCases:
    """What a test cell asks of one function.

    Attributes:
        docstring: of the cell; empty if it has none.
        function: which is called.
        calls: with whether each is hidden.
    """

    docstring: str
    function: str
    calls: tuple[tuple[ast.Call, bool], ...]

    @property
    def all_hidden(self) -> bool:
        """Whether students see none of them."""
        return all(hidden for _, hidden in self.calls)

    def decorators(self) -> list[str]:
        """Return a case for each call that differs."""
        found: dict[str, str] = {}
        for call, hidden in self.calls:
            arguments = ", ".join(map(ast.unparse, call.args))
            own = f"{arguments}," if len(call.args) == 1 else arguments
            end = ", hidden=True" if hidden else ""
            found.setdefault(f"{self.function}({arguments})", f"args=({own}){end}")
        return [f"@case({title!r}, {rest})" for title, rest in found.items()]


def literal_cases(tests: TestCell, names: Names) -> LiteralCases | None:
    """Return what a test cell asks of one function; None where it does anything else."""
    try:
        body = ast.parse(tests.whole).body
        shown = {ast.dump(node) for node in ast.parse(tests.visible).body}
    except SyntaxError:
        return None
    docstring, functions = "", set[str]()
    calls: list[tuple[ast.Call, bool]] = []
    for node in body:
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))) if not calls:
                docstring = text.strip()
            case ast.Expr(
                value=ast.Call(
                    func=ast.Name(id=name),
                    args=[ast.Call(func=ast.Name(id=function), keywords=[]) as call],
                )
            ) if name == AUTOTEST and all(map(_is_literal, call.args)):
                functions.add(function)
                calls.append((call, ast.dump(node) not in shown))
            case _ if not is_dropped(node):
                return None
    if len(functions) != 1 or not functions <= names.functions:
        return None
    return LiteralCases(docstring, functions.pop(), tuple(calls))


def _is_literal(node: ast.expr) -> bool:
    try:
        value = ast.literal_eval(node)
    except (ValueError, SyntaxError, TypeError):
        return False
    return not isinstance(value, (set, dict))
