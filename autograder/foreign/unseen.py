"""Given cells without what they only show: beside the tests nobody sees it, and it costs most.

A figure is not drawn; what is passed to matplotlib is computed as before, so that whatever a cell
calls is called. An expression at the end of a cell is left out where nothing can hang on it.
"""

import ast
from collections.abc import Container, Iterable, Sequence

import msgspec

from autograder.foreign.definition import SourceCell
from autograder.foreign.names import imports_of, names_of, python_of

__all__ = ["with_nothing_shown"]

LIBRARY = "matplotlib"


class _MayDecide(Exception):
    """A figure is used for more than to be drawn upon."""


def with_nothing_shown(cells: Sequence[SourceCell]) -> tuple[SourceCell, ...]:
    """Return the code cells of a notebook, of which the given ones show nothing.

    They draw as before where a test, or what a given cell computes, may hang on a figure.
    """
    cells = _without_ends(cells)
    undrawn = _Undrawn(_modules(cells))
    try:
        return tuple(map(undrawn.cell, cells))
    except _MayDecide:
        return tuple(cells)


def _without_ends(cells: Iterable[SourceCell]) -> list[SourceCell]:
    """Return the cells without the expressions at the end of given ones that are only shown.

    What a student's function does with numbers that are written out, it has done in the student's
    own session before.
    """
    theirs: set[str] = set()
    found = []
    for cell in cells:
        names = names_of(cell.source).binds
        theirs = theirs | names if cell.is_answer else theirs - names
        found.append(cell if cell.is_answer or cell.is_test else _without_end(cell, theirs))
    return found


def _without_end(cell: SourceCell, theirs: Container[str]) -> SourceCell:
    body = ast.parse(python_of(cell.source) or "").body
    if not body or not isinstance(body[-1], ast.Expr) or not _only_shows(body[-1].value, theirs):
        return cell
    return msgspec.structs.replace(cell, source="\n".join(map(ast.unparse, body[:-1])))


def _only_shows(value: ast.expr, theirs: Container[str]) -> bool:
    """Return whether an expression is written out, or a call of theirs on what is."""
    match value:
        case ast.Constant() | ast.Name():
            return True
        case ast.Call(ast.Name(name), args, named):
            given = [*args, *(keyword.value for keyword in named)]
            return name in theirs and all(map(_is_constant, given))
    return False


def _is_constant(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False  # none, or one that cannot be: a list as a key of a dict
    return True


def _modules(cells: Iterable[SourceCell]) -> frozenset[str]:
    """Return the names that imports of the library, or from it, bind in any cell."""
    lines = (line for cell in cells for line in imports_of(cell.source, ()))
    return frozenset().union(*(names_of(line).binds for line in lines if LIBRARY in line))


class _Undrawn:
    """Takes drawing out of cells, in their order.

    Args:
        modules: the names of the library and of what is imported from it.
    """

    def __init__(self, modules: frozenset[str]) -> None:
        self._modules = modules
        self._figures = set(modules)  # and what its calls have returned

    def cell(self, cell: SourceCell) -> SourceCell:
        """Return a cell without what it draws."""
        if cell.is_answer or not self._figures or (text := python_of(cell.source)) is None:
            return cell
        tree = ast.parse(text)
        if cell.is_test:
            self._leave(tree)
        body = self._body(tree.body)
        if body == tree.body:
            return cell
        undrawn = ast.fix_missing_locations(ast.Module(body, []))
        return msgspec.structs.replace(cell, source=ast.unparse(undrawn))

    def _leave(self, *parts: ast.AST) -> None:
        """Require that no part of a cell uses a figure."""
        if any(self._used_in(part) for part in parts):
            raise _MayDecide

    def _used_in(self, part: ast.AST) -> set[str]:
        return {n.id for n in ast.walk(part) if isinstance(n, ast.Name)} & self._figures

    def _body(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        return [self._statement(statement) for statement in statements]

    def _statement(self, statement: ast.stmt) -> ast.stmt:
        if not (used := self._used_in(statement)):
            return statement
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if used <= self._modules:
                    return statement  # which draws by itself when it is called
            case ast.For(target, values, body, orelse):
                self._leave(target, values)
                return ast.For(target, values, self._body(body), self._body(orelse))
            case ast.If(test, body, orelse):
                self._leave(test)
                return ast.If(test, self._body(body), self._body(orelse))
            case ast.Expr(ast.Call() as call) if self._is_of_figure(call):
                return self._passed(call)
            case ast.Assign(targets, ast.Call() as call) if self._is_of_figure(call):
                self._figures |= _names(targets)
                return self._passed(call)
            case ast.Assign(targets, value) if all(map(self._is_part_of_figure, targets)):
                self._leave(value)
                return ast.Expr(value)
        raise _MayDecide

    def _is_part_of_figure(self, target: ast.expr) -> bool:
        return isinstance(target, ast.Attribute | ast.Subscript) and self._is_of_figure(target)

    def _is_of_figure(self, part: ast.expr) -> bool:
        """Return whether it is a figure, or something of one: an attribute, an item, a result."""
        match part:
            case ast.Name(name):
                return name in self._figures
            case ast.Attribute(value) | ast.Subscript(value) | ast.Call(value):
                return self._is_of_figure(value)
        return False

    def _passed(self, call: ast.Call) -> ast.stmt:
        """Return a statement that computes what a call is passed, and calls nothing."""
        computed = [part for part in _parts(call) if not self._is_of_figure(part)]
        self._leave(*computed)
        if any(isinstance(node, ast.GeneratorExp) for part in computed for node in ast.walk(part)):
            raise _MayDecide  # which computes nothing until it is drawn
        computed = [part for part in computed if not isinstance(part, ast.Constant)]
        return ast.Expr(ast.Tuple(computed, ast.Load())) if computed else ast.Pass()


def _parts(figure: ast.expr) -> list[ast.expr]:
    """Return what is computed for what is asked of a figure, in the order in which it is."""
    match figure:
        case ast.Attribute(value):
            return _parts(value)
        case ast.Subscript(value, index):
            if isinstance(index, ast.Slice):
                raise _MayDecide
            return [*_parts(value), index]
        case ast.Call(function, args, named):
            return [*_parts(function), *args, *(keyword.value for keyword in named)]
    return []


def _names(targets: Iterable[ast.expr]) -> set[str]:
    """Return the names that an assignment gives."""
    found = set[str]()
    for target in targets:
        match target:
            case ast.Name(name):
                found.add(name)
            case ast.Tuple(parts) | ast.List(parts):
                found |= _names(parts)
            case _:
                raise _MayDecide
    return found
