"""A test cell as checks: what students see, and what is hidden, or why it is not rewritten."""

import ast
import builtins
import keyword
import re
import textwrap
from collections.abc import Collection
from dataclasses import dataclass

from autograder.adopting.cells import ForeignCell, TestCell
from autograder.adopting.forms import AUTOTEST, is_dropped, raised_form, with_plain_forms
from autograder.adopting.names import Names, early_bound, needed_above
from autograder.adopting.rewriting import REFERENCE, Renamed, renamed, text_of
from autograder.compiler.syntax import Edit, blank_magics, edit_lines, free_names, touched_names
from autograder.errors import SourceError

__all__ = ["CheckText", "Unwritable", "checks_of", "identifier"]

VISIBLE, HIDDEN = "the tests of the cell", "all tests of the cell"
MOST = 90  # characters of an assertion that its message quotes
_FIGURES = ("plt", "matplotlib", "PlotChecker", "seaborn", "sns")
_CODE = ("inspect", "getsource", "get_ipython", "In", "Out", "_ih", "globals", "locals", "exec")
_OUTPUT = ("redirect_stdout", "capture_output", "StringIO", "capsys")
_ASSERTS = re.compile(r"assert|raises|test|check|AUTOTEST|^eq_$|^ok_$", re.IGNORECASE)
_REPLACING = ("mock", "patch", "MagicMock")


class Unwritable(Exception):
    """A test cell has no counterpart; says why."""


@dataclass(frozen=True)
class CheckText:
    """A check as it is written.

    Attributes:
        uses: what of `autograder` it needs imported, and of `forms`.
    """

    name: str
    text: str
    hidden: bool
    uses: frozenset[str]


def identifier(text: str, taken: Collection[str] = ()) -> str:
    """Return a text as a name that nothing else has."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or "tests"
    if name[0].isdigit() or keyword.iskeyword(name):
        name = f"tests_{name}"
    found, number = name, 2
    if name in taken:
        found = f"{name}_tests" if not name.endswith("tests") else f"{name}_2"
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def checks_of(
    cell: ForeignCell,
    names: Names,
    nose: frozenset[str],
    name: str,
    taken: Collection[str],
    rich: bool,
) -> list[CheckText]:
    """Return the checks of a test cell.

    What is hidden there is a check of its own, with all tests and all points; the visible part
    shows students what it can, and earns nothing by itself.

    Args:
        cell: with tests.
        names: of the notebook, and of the test cells above.
        nose: what the notebook imports from nose.
        name: of the check that has the points.
        taken: the names that are in use.
        rich: whether sets and tables must cross.

    Raises:
        Unwritable: it has no counterpart.
    """
    tests = cell.tests
    assert tests is not None
    if (cases := _literal_cases(tests, names)) is not None:
        return [_check_of_cases(cell, name, *cases)]
    if tests.visible == tests.whole:
        body = _Body(tests.visible, tests.output, names, nose, rich)
        return [body.check(cell, name, tests.points, hidden=False)]
    # A value that the solution gives to a visible test is in the release: it is no hidden test.
    shares = AUTOTEST in tests.visible
    text = _without_asked(tests.whole, tests.visible) if shares else tests.whole
    whole = _Body(text, tests.output, names, nose, rich)
    points = tests.points / 2 if shares else tests.points
    found = [whole.check(cell, name, points, hidden=True)]
    try:
        shown = _Body(tests.visible, None, names, nose, rich)
    except Unwritable:
        return found  # nothing in it asks for a student's work
    shown.question = whole.question
    first = identifier(f"{name}_visible", taken)
    return [shown.check(cell, first, tests.points - points, hidden=False), *found]


def _without_asked(text: str, visible: str) -> str:
    shown = {line for line in visible.split("\n") if AUTOTEST in line}
    return "\n".join(line for line in text.split("\n") if line not in shown)


def _literal_cases(
    tests: TestCell, names: Names
) -> tuple[str, str, list[tuple[ast.Call, bool]]] | None:
    """Return what a cell asks of one function for arguments that are written out.

    Returns:
        the docstring, the function, and its calls, with whether each is hidden; None where the
        cell does anything else.
    """
    try:
        body = ast.parse(tests.whole).body
        shown = {ast.dump(node) for node in ast.parse(tests.visible).body}
    except SyntaxError:
        return None
    docstring, functions, calls = "", set[str](), []
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
    return docstring, functions.pop(), calls


def _is_literal(node: ast.expr) -> bool:
    try:
        value = ast.literal_eval(node)
    except (ValueError, SyntaxError, TypeError):
        return False
    return not isinstance(value, (set, dict))


def _check_of_cases(
    cell: ForeignCell, name: str, docstring: str, function: str, calls: list[tuple[ast.Call, bool]]
) -> CheckText:
    """Return one check with a case for each call; all of them must pass, as in the cell."""
    assert cell.tests is not None
    named: dict[str, str] = {}
    for call, hidden in calls:
        arguments = ", ".join(map(ast.unparse, call.args))
        own = f"{arguments}," if len(call.args) == 1 else arguments
        end = ", hidden=True" if hidden else ""
        named.setdefault(f"{function}({arguments})", f"args=({own}){end}")
    said = docstring or f"{function} is right for the arguments of cell {cell.name or cell.number}."
    lines = [
        f'@check("{function}", points={cell.tests.points:g}, all_or_nothing=True)',
        *(f"@case({title!r}, {rest})" for title, rest in named.items()),
        f"def {name}(student, reference, rng, args):",
        textwrap.indent(_docstring(said), "    "),
        f"    got, want = student.{function}(*args), reference.{function}(*args)",
        f'    assert_close(got, want, what="{function}")',
    ]
    is_hidden = all(hidden for _, hidden in calls)
    return CheckText(name, "\n".join(lines), is_hidden, frozenset({"assert_close"}))


class _Body:
    """The body of a check, made from the text of a test cell."""

    def __init__(
        self, text: str, output: str | None, names: Names, nose: frozenset[str], rich: bool
    ) -> None:
        self._names, self._nose = names, nose
        tree = _tree(text)
        if _shares_lines(tree):
            text = ast.unparse(tree)
            tree = ast.parse(text)
        _require_assertion(tree, output)
        _require_plain(tree)
        self._local = set(early_bound(tree))
        self._require_own(tree)
        self._asked: dict[str, None] = {}
        self._helpers = 0
        self._uses: set[str] = set()
        self.docstring, self._body = self._rewritten(tree, text, output)
        if not self._asked:
            raise Unwritable("it asks for nothing that students write")
        if rich:
            self._uses.add("rich_values")
            sides = ("student", "reference") if "assert_close" in self._uses else ("student",)
            lines = [f"{side} = rich_values({side})" for side in sides]
            self._body = "\n".join([*lines, self._body])
        asked = [n for n in self._asked if n in names.functions] or [*self._asked]
        self.question = asked[-1] if asked[-1].isascii() else "question"

    def check(self, cell: ForeignCell, name: str, points: float, hidden: bool) -> CheckText:
        """Return the check of this body."""
        said = self.docstring or f"The tests of cell {cell.name or cell.number} pass."
        case = f'@case("{HIDDEN}", hidden=True)' if hidden else f'@case("{VISIBLE}")'
        lines = [
            f'@check("{self.question}", points={points:g})',
            case,
            f"def {name}(student, reference, rng):",
            textwrap.indent(_docstring(said), "    "),
            _indented(self._body),
        ]
        text = "\n".join(lines)
        try:
            ast.parse(text)
        except SyntaxError:
            raise Unwritable("it cannot stand in a function") from None
        return CheckText(name, text, hidden, frozenset(self._uses))

    def _require_own(self, tree: ast.Module) -> None:
        """Refuse a text that changes what students wrote, or reads what nothing above defines."""
        names = self._names
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
                raise Unwritable(f"it deletes {node.id!r}")
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                raise Unwritable(f"it changes a global name, {node.names[0]!r}")
        bound = {name for node in tree.body for name in touched_names(node)}
        for name in sorted(bound & names.student):
            if name in names.functions or name not in self._local:
                raise Unwritable(f"it assigns to {name!r}, which students write")
        if both := sorted((bound & names.given) - self._local & free_names(ast.unparse(tree))):
            raise Unwritable(f"it reads {both[0]!r} and assigns to it")

    def _rewritten(self, tree: ast.Module, text: str, output: str | None) -> tuple[str, str]:
        lines, edits, docstring = text.split("\n"), [], ""
        body = tree.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            if isinstance(body[0].value.value, str):
                docstring = body[0].value.value.strip()
                edits.append(Edit(body[0].lineno, body[0].end_lineno or body[0].lineno))
                body = body[1:]
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
            case ast.Expr(value=ast.Compare() | ast.BoolOp() | ast.UnaryOp() as value):
                node = ast.copy_location(ast.Assert(value, None), node)
                told = renamed(node, self._names, self._local, self._helpers + 1)
                return self._taken(told, _with_message(node, ast.unparse(told.node)))
        theirs = lambda name: name in self._names.student and name not in self._local  # noqa: E731
        if (form := raised_form(node, theirs)) is not None:
            self._uses.add("raised")
            told = renamed(form, self._names, self._local, self._helpers + 1)
            call = form.test.comparators[0]  # type: ignore[attr-defined]  # as raised_form makes it
            self._asked[call.args[1].value] = None
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
        self._uses.add("assert_close")
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
            return self._taken(told, f"assert {got}")
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


def _require_plain(tree: ast.Module) -> None:
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


def _require_assertion(tree: ast.Module, output: str | None) -> None:
    """Refuse tests that nothing can fail: points that a last line gives have no counterpart."""
    if output is not None:
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assert, ast.Raise)):
            return
        if isinstance(node, ast.Call) and _ASSERTS.search(ast.unparse(node.func)):
            return
        if isinstance(node, ast.Expr) and isinstance(
            node.value, (ast.Compare, ast.BoolOp, ast.UnaryOp)
        ):
            return
    raise Unwritable("it asserts nothing; where its last line gives points, write a case for each")


def _shares_lines(tree: ast.Module) -> bool:
    """Return whether two statements stand on one line."""
    ends = [(n.lineno, n.end_lineno or n.lineno) for n in tree.body]
    return any(first <= last for (_, last), (first, _) in zip(ends, ends[1:], strict=False))


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


def _docstring(said: str) -> str:
    quoted = said.replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{quoted}"""' if not quoted.endswith('"') else f'"""{quoted} """'


def _indented(body: str) -> str:
    """Return a body inside a function; texts over several lines stay as they are."""
    text = textwrap.indent(body, "    ")
    plain = ast.parse(body)
    function = ast.parse(f"def f():\n    pass\n{text}").body[0]
    assert isinstance(function, ast.FunctionDef)
    if [*map(ast.dump, function.body[1:])] == [*map(ast.dump, plain.body)]:
        return text
    return textwrap.indent(ast.unparse(plain), "    ")
