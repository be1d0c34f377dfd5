"""Stubs: what stands in a release where a reference definition stood in the source."""

import ast
import io
import tokenize

from autograder.compiler.reference import Definition
from autograder.compiler.regions import (
    SOLUTION,
    Region,
    find_regions,
    without_marks,
    without_reasons,
)
from autograder.compiler.syntax import (
    Definable,
    Edit,
    edit_lines,
    first_line,
    last_line,
    text_of,
)

__all__ = ["ANSWER", "stub"]

ANSWER = "...  # your answer"

Function = (ast.FunctionDef, ast.AsyncFunctionDef)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Node = FunctionNode | ast.ClassDef

OPENING, CLOSING = set("([{"), set(")]}")
# Without these a method would be called, or read, in another way than the reference's.
_KEPT_DECORATORS = ("classmethod", "getter", "property", "setter", "staticmethod")


def stub(definition: Definition, name: str) -> str:
    """Return what a student gets in place of a reference definition.

    Outside of solution regions everything is kept as scaffolding; without regions a function or
    class keeps its signature and docstring, a constant its name and the comment above it.
    """
    regions = find_regions(definition.text, SOLUTION)
    tree = ast.parse(definition.text)
    node, lines = tree.body[0], definition.text.split("\n")
    if regions and isinstance(node, Definable):
        edits = [Edit(r.first, r.last, f"{r.indent}{_raise(_owner(tree, r))}") for r in regions]
        return without_reasons(edit_lines(definition.text, edits))
    if isinstance(node, Function):
        return _function(node, lines, name)
    if isinstance(node, ast.ClassDef):
        return _class(node, lines)
    annotation = f": {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
    comment = without_reasons(without_marks(definition.comment, SOLUTION))
    return f"{comment}{name}{annotation} = {ANSWER}"


def _function(node: FunctionNode, lines: list[str], name: str) -> str:
    indent = " " * node.col_offset
    kept = [d for d in node.decorator_list if ast.unparse(d).split(".")[-1] in _KEPT_DECORATORS]
    decorators = [f"{indent}@{ast.unparse(d)}" for d in kept]
    body = [*_docstring(node, lines), f"{_indent(node, lines)}{_raise(name)}"]
    return "\n".join([*decorators, *_header(node, lines), *body])


def _class(node: ast.ClassDef, lines: list[str]) -> str:
    docstring = _docstring(node, lines)
    body = [*docstring]
    for statement in node.body:
        if isinstance(statement, Function):
            body += ["", _function(statement, lines, f"{node.name}.{statement.name}")]
        elif isinstance(statement, ast.AnnAssign):  # a field is part of the signature
            body += [""] if body == docstring else []
            body += lines[statement.lineno - 1 : last_line(statement)]
    decorators = lines[first_line(node) - 1 : node.lineno - 1]
    return "\n".join(
        [*decorators, *_header(node, lines), *(body or [f"{_indent(node, lines)}..."])]
    )


def _header(node: Node, lines: list[str]) -> list[str]:
    """Return the lines from ``def`` or ``class`` to the colon that ends the signature."""
    rest, depth = lines[node.lineno - 1 :], 0
    for token in tokenize.generate_tokens(io.StringIO("\n".join(rest)).readline):
        depth += (token.string in OPENING) - (token.string in CLOSING)
        if token.string == ":" and depth == 0:
            row, column = token.end
            return [*rest[: row - 1], rest[row - 1][:column]]
    raise AssertionError("a definition that was parsed has a colon")


def _docstring(node: Node, lines: list[str]) -> list[str]:
    if ast.get_docstring(node, clean=False) is None:
        return []
    text = text_of("\n".join(lines), node.body[0])
    return (_indent(node, lines) + text).split("\n")


def _indent(node: Node, lines: list[str]) -> str:
    before = lines[node.body[0].lineno - 1][: node.body[0].col_offset]
    return " " * (node.col_offset + 4) if before.strip() else before


def _owner(tree: ast.Module, region: Region) -> str:
    """Return the dotted name of the innermost function or class around a region."""
    around = (
        n.name
        for n in ast.walk(tree)
        if isinstance(n, Definable) and n.lineno < region.first <= last_line(n)
    )
    return ".".join(around)


def _raise(name: str) -> str:
    return f'raise NotImplementedError("{name}: your turn")'
