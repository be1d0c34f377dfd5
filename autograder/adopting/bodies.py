"""The body of a check, made from the text of a test cell."""

import ast
import builtins
import re
from dataclasses import replace
from itertools import pairwise

from autograder.adopting.forms import AUTOTEST, is_dropped, raised_form, with_plain_forms
from autograder.adopting.names import Names, early_bound, needed_above
from autograder.adopting.refusals import Unwritable, require_assertion, require_own, require_plain
from autograder.adopting.rewriting import REFERENCE, Renamed, renamed, text_of
from autograder.compiler.syntax import Edit, blank_magics, bound_names, edit_lines, free_names
from autograder.errors import SourceError

__all__ = ["Body"]

_IDLE = re.compile(r"^(%%(time|capture)\b.*|%matplotlib\b.*|%config\b.*)$")
MOST = 90  # characters of an assertion that its message quotes


class Body:
    """The body of a check.

    Attributes:
        text: its statements.
        docstring: of the cell; empty if it has none.
        question: what it asks students for.
        uses: what of `autograder` it needs imported, and of `forms`.

    Args:
        text: of the test cell.
        output: what its last expression must give, as Python writes it.
        names: of the notebook, and of the test cells above.
        nose: what the notebook imports from nose.
        rich: whether sets and tables must cross.

    Raises:
        Unwritable: it has no counterpart.
    """

    def __init__(
        self, text: str, output: str | None, names: Names, nose: frozenset[str], rich: bool
    ) -> None:
        text = _without_idle_magics(text)
        tree = _tree(text)
        if _shares_lines(tree):
            text = ast.unparse(tree)
            tree = ast.parse(text)
        names = replace(names, local_functions=_functions(tree))
        self._names, self._nose = names, nose
        self._local = set(early_bound(tree))
        require_plain(tree)
        require_own(tree, names, self._local)
        require_assertion(tree, output)
        self._asked: dict[str, None] = {}
        self._helpers = 0
        self.uses: set[str] = set()
        self.docstring, self.text = self._rewritten(tree, text, output)
        if not self._asked:
            raise Unwritable("it asks for nothing that students write")
        self.text = "\n".join([*_seeds(tree, names), self.text])
        if rich:
            self.uses.add("rich_values")
            sides = ("student", "reference") if "assert_close" in self.uses else ("student",)
            lines = [f"{side} = rich_values({side})" for side in sides]
            self.text = "\n".join([*lines, self.text])
        asked = [n for n in self._asked if n in names.functions] or [*self._asked]
        self.question = asked[-1] if asked[-1].isascii() else "question"

    def _rewritten(self, tree: ast.Module, text: str, output: str | None) -> tuple[str, str]:
        lines, docstring, body = text.split("\n"), "", tree.body
        edits: list[Edit] = []
        match body:
            case [ast.Expr(value=ast.Constant(value=str(said))) as first, *_]:
                docstring, body = said.strip(), body[1:]
                edits.append(Edit(first.lineno, first.end_lineno or first.lineno))
        above = self._above(tree)
        last = body[-1] if body else None
        for node in body:
            edits.append(self._edit(node, lines, output if node is last else None))
        return docstring, "\n".join([*above, edit_lines(text, edits)]).strip("\n")

    def _edit(self, node: ast.stmt, lines: list[str], output: str | None) -> Edit:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        last = node.end_lineno or node.lineno
        if is_dropped(node):
            return Edit(first, last)
        return Edit(first, last, self._statement(node, lines, output))

    def _statement(self, node: ast.stmt, lines: list[str], output: str | None) -> str:
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[asked])) if name == AUTOTEST:
                return self._compared(asked)
            case ast.Expr(value=value) if output is not None:
                return self._printed(value, output)
        theirs = lambda name: name in self._names.student and name not in self._local  # noqa: E731
        if (form := raised_form(node, theirs)) is not None:
            self.uses.add("raised")
            node, function = form
            self._asked[function] = None
            told = renamed(node, self._names, self._local, self._helpers + 1)
            return self._taken(told, ast.unparse(told.node))
        plain = with_plain_forms(node, self._nose)
        told = renamed(plain or node, self._names, self._local, self._helpers + 1)
        if plain is not None or told.helpers:
            text = ast.unparse(told.node)
        else:
            text = text_of(node, told.node, lines)
        return self._taken(told, _with_message(plain or node, text))

    def _taken(self, told: Renamed, text: str) -> str:
        self._asked |= told.asked
        self._helpers += len(told.helpers)
        return "\n".join([*map(ast.unparse, told.helpers), text])

    def _compared(self, asked: ast.expr) -> str:
        """Return the comparison of an expression's value with the solution's."""
        self.uses.add("assert_close")
        statement = ast.Expr(asked)
        mine = renamed(statement, self._names, self._local, self._helpers + 1)
        ours = renamed(statement, self._names, self._local, self._helpers + 1, REFERENCE)
        got, want = ast.unparse(mine.node), ast.unparse(ours.node)
        what = f", what={ast.unparse(asked)!r}" if len(ast.unparse(asked)) <= MOST else ""
        return self._taken(mine, f"assert_close({got}, {want}{what})")

    def _printed(self, value: ast.expr, output: str) -> str:
        """Return the comparison of an expression with what it printed in the source notebook."""
        told = renamed(ast.Expr(value), self._names, self._local, self._helpers + 1)
        got = ast.unparse(told.node)
        try:
            want = ast.literal_eval(output)
        except (SyntaxError, ValueError):
            return self._compared(value)
        if want is True:
            return self._taken(told, _with_message(ast.Assert(value, None), f"assert {got}"))
        return self._taken(told, f"assert {got} == {want!r}")

    def _above(self, tree: ast.Module) -> list[str]:
        """Return the statements of earlier cells that a text needs, rewritten too.

        Raises:
            Unwritable: it reads what nothing above it defines.
        """
        names = self._names
        free = free_names(ast.unparse(tree)) - self._local - {AUTOTEST} - self._nose
        wanted = free - names.student - names.given - set(dir(builtins))
        statements, reached = needed_above(wanted, names)
        imported = sorted(wanted & set(names.imports) - reached)
        if (unknown := sorted(wanted - reached - set(imported))) and not names.stars:
            raise Unwritable(f"it reads {unknown[0]!r}, which no cell above defines")
        found, local = [names.imports[name] for name in imported], self._local | reached
        for statement in statements:
            if not is_dropped(statement):
                told = renamed(statement, names, local, self._helpers + 1)
                found.append(self._taken(told, ast.unparse(told.node)))
        self._local = local
        return list(dict.fromkeys(found))


def _seeds(tree: ast.Module, names: Names) -> list[str]:
    """Return statements that draw what a text draws from generators that it does not seed.

    Then a submission that is graded again has the same inputs as before.
    """
    called = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = []
    for name, statement in names.imports.items():
        if statement.startswith("import numpy") and not statement.startswith("import numpy."):
            module, value = f"{name}.random", "rng.integers(2**32)"
        elif statement == "import random":
            module, value = name, "int(rng.integers(2**32))"
        else:
            continue
        drawn = {one for one in called if re.fullmatch(rf"{re.escape(module)}\.[a-z_]+", one)}
        if drawn - {f"{module}.default_rng"} and f"{module}.seed" not in drawn:
            found.append(f"{module}.seed({value})")
    return found


def _functions(tree: ast.Module) -> dict[str, ast.stmt]:
    """Return what a text defines at its top level and no value is: functions and imports."""
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        match node:
            case ast.Import() | ast.ImportFrom():
                found |= dict.fromkeys(bound_names(ast.unparse(node)), node)
            case ast.FunctionDef(name=name):
                found[name] = node
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
                found[name] = node
    return found


def _without_idle_magics(text: str) -> str:
    """Return a text without IPython's lines that change nothing of what is tested."""
    return "\n".join(line for line in text.split("\n") if not _IDLE.match(line)).strip("\n")


def _shares_lines(tree: ast.Module) -> bool:
    """Return whether two statements stand on one line."""
    ends = [(n.lineno, n.end_lineno or n.lineno) for n in tree.body]
    return any(first <= last for (_, last), (first, _) in pairwise(ends))


def _tree(text: str) -> ast.Module:
    try:
        python = blank_magics(text)
        tree = ast.parse(python)
    except (SourceError, SyntaxError, ValueError):
        raise Unwritable("it is not Python") from None
    if python != text:
        raise Unwritable("it has a magic line")
    return tree


def _with_message(node: ast.stmt, text: str) -> str:
    """Return an assertion with its own text as its message, where it has none and is short."""
    if not isinstance(node, ast.Assert) or node.msg is not None:
        return text
    said = ast.unparse(node.test)
    if len(said) > MOST or "\n" in text or "#" in text:
        return text
    return f"{text.rstrip()}, {said!r}"
