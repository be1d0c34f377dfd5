"""Python as notebook cells hold it: read as a tree, cut by whole lines, asked for its names."""

import ast
import difflib
import symtable
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

from autograder.errors import SourceError

__all__ = [
    "Definable",
    "Edit",
    "blank_magics",
    "bound_names",
    "call_name",
    "closing_line",
    "comment_above",
    "edit_lines",
    "first_line",
    "free_names",
    "last_line",
    "nearest",
    "parse",
    "placed",
    "replace_nodes",
    "text_of",
    "touched_names",
]

Definable = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

# What follows these is Python; what follows any other cell magic is not.
_PYTHON_CELL_MAGICS = ("%%capture", "%%prun", "%%time", "%%timeit")


@dataclass(frozen=True)
class Edit:
    """Lines ``first`` to ``last``, counted from 1, become a text; None cuts them."""

    first: int
    last: int
    text: str | None = None


def edit_lines(source: str, edits: Iterable[Edit]) -> str:
    """Return a text after some edits, which do not overlap."""
    lines = source.split("\n")
    for edit in sorted(edits, key=lambda e: e.first, reverse=True):
        lines[edit.first - 1 : edit.last] = [] if edit.text is None else edit.text.split("\n")
    return "\n".join(lines)


def replace_nodes(source: str, nodes: Iterable[ast.expr], text: str) -> str:
    """Return a text with a one-line text in place of some nodes, line by line the same else."""
    lines = [line.encode() for line in source.split("\n")]  # the tree counts columns in bytes
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        last, end = last_line(node), node.end_col_offset
        whole = lines[node.lineno - 1][: node.col_offset] + text.encode() + lines[last - 1][end:]
        lines[node.lineno - 1 : last] = [whole, *[b""] * (last - node.lineno)]
    return b"\n".join(lines).decode()


def text_of(source: str, node: ast.stmt | ast.expr | ast.keyword) -> str:
    """Return what stands in a text for a node of its tree."""
    lines = [line.encode() for line in source.split("\n")[node.lineno - 1 : last_line(node)]]
    lines[-1] = lines[-1][: node.end_col_offset]  # the tree counts columns in bytes
    lines[0] = lines[0][node.col_offset :]
    return b"\n".join(lines).decode()


def parse(python: str) -> ast.Module:
    """Return the syntax tree of a text.

    Raises:
        SourceError: it is not Python; quotes the line.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whoever runs the text sees them
            _compile(python)
            return ast.parse(python)
    except SyntaxError as error:
        number = min(error.lineno or 1, python.count("\n") + 1)
        line = python.split("\n")[number - 1].strip()
        raise SourceError(f"line {number} is not Python ({error.msg}): {line!r}") from None
    except ValueError as error:
        raise SourceError(f"it is not Python ({error})") from None


@lru_cache(maxsize=1024)
def _compile(python: str) -> None:
    """Compile a text, which finds more than the parser."""
    compile(python, "<source>", "exec", dont_inherit=True)


@lru_cache(maxsize=1024)
def blank_magics(source: str) -> str:
    """Return a cell with None in place of IPython's own syntax, line by line the same else.

    Raises:
        SourceError: a magic goes over several lines.
    """
    if source.startswith("%%"):
        first, newline, rest = source.partition("\n")
        is_python = first.split()[0] in _PYTHON_CELL_MAGICS
        return newline + blank_magics(rest) if is_python else "\n" * source.count("\n")
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return _blank_lines(source)
    return source


def _blank_lines(source: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    ipython = TransformerManager()
    ipython.cleanup_transforms = []  # they would cut empty lines
    python = ipython.transform_cell(source).removesuffix("\n")
    try:
        calls = [node for node in ast.walk(ast.parse(python)) if _is_magic(node)]
    except (SyntaxError, ValueError):
        return source  # whoever parses it quotes the line as it was written
    if python.count("\n") != source.count("\n"):
        raise SourceError("a magic goes over several lines; write it on one")
    return replace_nodes(python, calls, "None")


def _is_magic(node: ast.AST) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and call_name(node.func.value) == "get_ipython"
    )


def free_names(text: str) -> set[str]:
    """Return the names that a text reads from its module, builtins included."""
    top = _symbols(text)
    names = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    return names.union(*map(_global_names, top.get_children()))


@lru_cache(maxsize=1024)
def _symbols(text: str) -> symtable.SymbolTable:
    """Return a text's table of symbols, the same on every Python.

    From Python 3.12 on, the variable of a list, set or dict comprehension counts as a name of what
    it stands in, since it is inlined there. A generator's does not.
    """
    tree = ast.parse(text)
    if any(isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)) for node in ast.walk(tree)):
        text = ast.unparse(_AsGenerators().visit(tree))
    return symtable.symtable(text, "<source>", "exec")


class _AsGenerators(ast.NodeTransformer):
    """Puts a generator, which has the same names, in place of each comprehension."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        match node:
            case ast.ListComp() | ast.SetComp():
                return ast.GeneratorExp(node.elt, node.generators)
            case ast.DictComp():
                pair = ast.Tuple([node.key, node.value], ast.Load())
                return ast.GeneratorExp(pair, node.generators)
        return node


def _global_names(table: symtable.SymbolTable) -> set[str]:
    names = {s.get_name() for s in table.get_symbols() if s.is_global()}
    return names.union(*map(_global_names, table.get_children()))


def bound_names(text: str) -> list[str]:
    """Return the names that a text defines, assigns or imports in its module, in order."""
    top = _symbols(text)
    return [s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()]


def touched_names(statement: ast.stmt) -> list[str]:
    """Return the names that a statement binds, or of whose values it assigns a part."""
    names = bound_names(ast.unparse(statement))
    if isinstance(statement, (ast.Assign, ast.AugAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names += [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    return list(dict.fromkeys(names))


def first_line(node: ast.stmt) -> int:
    """Return the line on which a statement begins, its decorators included."""
    decorators = node.decorator_list if isinstance(node, Definable) else []
    return min([node.lineno, *(d.lineno for d in decorators)])


def last_line(node: ast.stmt | ast.expr | ast.keyword) -> int:
    """Return the line on which a node ends."""
    return node.end_lineno or node.lineno


def closing_line(lines: list[str], node: ast.stmt) -> int:
    """Return the line on which a statement ends, with the indented comments that follow it."""
    closing = last_line(node)
    for number in range(closing + 1, len(lines) + 1):
        line = lines[number - 1]
        if line.strip() and not (line[0].isspace() and line.lstrip().startswith("#")):
            break
        closing = number if line.strip() else closing
    return closing


def comment_above(lines: list[str], line: int) -> int:
    """Return the first line of the comment block directly above a line; the line if none is."""
    while line > 1 and lines[line - 2].lstrip().startswith("#"):
        line -= 1
    return line


def call_name(node: ast.AST) -> str | None:
    """Return ``f`` for a call ``f(…)`` of a plain name, None for anything else."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    return None


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return "; did you mean 'x'?" for the known name that is nearest, or nothing."""
    found = difflib.get_close_matches(name, list(known), 1, cutoff)
    return f"; did you mean {found[0]!r}?" if found else ""


@contextmanager
def placed(file: str, cell: int | None = None) -> Iterator[None]:
    """Fill in file and cell of a source error that leaves the block without them."""
    try:
        yield
    except SourceError as error:
        raise error.at(file, cell) from None
