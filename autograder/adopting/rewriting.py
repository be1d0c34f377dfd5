"""Rewriting: a test cell's ``f(x)`` becomes ``student.f(x)``, by syntax tree, its layout kept."""

import ast
import copy
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from autograder.adopting.names import Names
from autograder.compiler.syntax import free_names

__all__ = ["REFERENCE", "Renamed", "renamed", "text_of"]

STUDENT = "student"
REFERENCE = "reference"
NOTEBOOK = "notebook"
_PLAIN = ("pi", "e", "inf", "nan", "tau")


@dataclass
class Renamed:
    """A statement after its names were told apart.

    Attributes:
        node: the statement with ``student.`` before what students decide.
        helpers: functions to be run in the session, which must stand above it.
        asked: what of the students' it asks for.
    """

    node: ast.stmt
    helpers: list[ast.FunctionDef] = field(default_factory=list)
    asked: dict[str, None] = field(default_factory=dict)


def renamed(
    statement: ast.stmt,
    names: Names,
    local: Collection[str],
    first_helper: int = 1,
    side: str = STUDENT,
) -> Renamed:
    """Return a statement that asks a side for what students decide.

    Args:
        statement: of a test cell; it is not changed.
        names: of the notebook.
        local: what the test cell itself binds.
        first_helper: the number of the next helper.
        side: ``student`` or ``reference``.
    """
    again = ast.parse(ast.unparse(statement)).body[0] if side != STUDENT else statement
    found = Renamed(again)
    found.node = _Renamer(names, set(local), found, first_helper, side).visit(copy.deepcopy(again))
    return found


def text_of(statement: ast.stmt, renamed_node: ast.stmt, lines: Sequence[str]) -> str:
    """Return a renamed statement as it was laid out, if that can be; else as Python writes it.

    Args:
        statement: as it stood in some lines.
        renamed_node: the same after `renamed`.
        lines: in which it stood, from the first line of the cell on.
    """
    first, last = statement.lineno - 1, (statement.end_lineno or statement.lineno)
    encoded = [line.encode() for line in lines[first:last]]
    places = sorted(_places(renamed_node), reverse=True)
    for line, column, name, new in places:
        row = encoded[line - 1 - first]
        old = name.encode()
        if row[column : column + len(old)] != old:
            return ast.unparse(renamed_node)
        encoded[line - 1 - first] = row[:column] + new.encode() + row[column + len(old) :]
    text = b"\n".join(encoded).decode()
    try:
        same = ast.dump(ast.parse(text).body[0]) == ast.dump(_plain(renamed_node))
    except (SyntaxError, IndexError):
        same = False
    return text if same else ast.unparse(renamed_node)


def _places(node: ast.AST) -> Iterator[tuple[int, int, str, str]]:
    """Give where a name was put behind a side: line, column, the name, and what stands there."""
    for one in ast.walk(node):
        if (name := getattr(one, "_was", None)) is not None:
            assert isinstance(one, ast.Attribute)
            yield one.lineno, one.col_offset, name, ast.unparse(one)


def _plain(node: ast.stmt) -> ast.stmt:
    return ast.parse(ast.unparse(node)).body[0]


class _Renamer(ast.NodeTransformer):
    """Puts a side before each name that students decide, where nothing nearer binds it."""

    def __init__(
        self, names: Names, bound: set[str], found: Renamed, first: int, side: str
    ) -> None:
        self._names, self._bound, self._found = names, bound, found
        self._next, self._side = first, side

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self._names.student or node.id in self._bound:
            return node
        if not isinstance(node.ctx, ast.Load):
            return node
        if self._side != NOTEBOOK:
            self._found.asked[node.id] = None
        new = ast.Attribute(ast.Name(self._side, ast.Load()), node.id, ast.Load())
        new._was = node.id  # type: ignore[attr-defined]  # where text_of replaces it
        return ast.copy_location(new, node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if self._side != NOTEBOOK and self._asks(node.func) and self._needs_session(node):
            return self._lifted(node)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._inside(node, [node.name, *_arguments(node.args), *_assigned(node)])

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._inside(node, _arguments(node.args))

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._inside(node, _targets(node))

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._inside(node, _targets(node))

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._inside(node, _targets(node))

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        return self._inside(node, _targets(node))

    def _inside(self, node: ast.AST, bound: Collection[str]) -> ast.AST:
        former, self._bound = self._bound, self._bound | set(bound)
        try:
            return self.generic_visit(node)
        finally:
            self._bound = former

    def _asks(self, function: ast.expr) -> bool:
        """Return whether what is called is the students'."""
        while isinstance(function, (ast.Attribute, ast.Call)):
            function = function.value if isinstance(function, ast.Attribute) else function.func
        return (
            isinstance(function, ast.Name)
            and function.id in self._names.student
            and function.id not in self._bound
        )

    def _needs_session(self, call: ast.Call) -> bool:
        """Return whether an argument is a function, which cannot cross: the call is made there."""
        for value in [*call.args, *(k.value for k in call.keywords)]:
            if isinstance(value, ast.Lambda):
                return True
            functions = {*self._names.given_functions, *self._names.local_functions}
            if isinstance(value, ast.Name) and value.id in functions:
                return True
            if (
                isinstance(value, ast.Attribute)
                and isinstance(value.value, ast.Name)
                and value.value.id in self._names.imports
                and value.attr not in _PLAIN
            ):
                return True
        return False

    def _lifted(self, call: ast.Call) -> ast.AST:
        """Return a call of a helper that makes the call in the session."""
        names = free_names(ast.unparse(call))
        own = self._own_functions(names)
        for statement in own.values():
            names |= free_names(ast.unparse(statement))
        passed = sorted((names & self._bound) - set(own))
        theirs = sorted((names & self._names.student) - self._bound)
        self._found.asked |= dict.fromkeys(theirs)
        in_session = Names(
            student=self._names.student | self._names.given - set(self._names.imports)
        )
        body = _Renamer(in_session, set(self._bound), Renamed(ast.Pass()), 0, NOTEBOOK)
        value = body.visit(_copy_expression(call))
        unique = {id(statement): statement for statement in own.values()}
        moved = [body.visit(copy.deepcopy(statement)) for statement in unique.values()]
        name = f"call_{self._next}"
        self._next += 1
        arguments = ast.parse(f"lambda {', '.join([NOTEBOOK, *passed])}: 0", mode="eval").body
        assert isinstance(arguments, ast.Lambda)
        lines = [*moved, ast.Return(value)]
        helper = ast.FunctionDef(name, arguments.args, lines, [], None, None)
        self._found.helpers.append(ast.fix_missing_locations(helper))
        function = ast.Attribute(ast.Name(self._side, ast.Load()), "apply", ast.Load())
        given: list[ast.expr] = [ast.Name(n, ast.Load()) for n in (name, *passed)]
        return ast.copy_location(ast.Call(function, given, []), call)

    def _own_functions(self, names: Collection[str]) -> dict[str, ast.stmt]:
        """Return the functions and imports of the test cell that some names need, in order."""
        known, needed = self._names.local_functions, set[str]()
        waiting = [name for name in names if name in known]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += free_names(ast.unparse(known[name])) & set(known)
        return {name: statement for name, statement in known.items() if name in needed}


def _copy_expression(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body


def _arguments(arguments: ast.arguments) -> list[str]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    return [one.arg for one in every]


def _targets(node: ast.AST) -> list[str]:
    return [
        name.id
        for generator in getattr(node, "generators", [])
        for name in ast.walk(generator.target)
        if isinstance(name, ast.Name)
    ]


def _assigned(node: ast.FunctionDef) -> list[str]:
    return [
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
