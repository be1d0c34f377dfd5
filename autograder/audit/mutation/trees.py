"""Syntax trees of which one piece at a time is another: what may change, and how it reads then."""

import ast
import copy
import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = [
    "PLAIN",
    "Change",
    "Edited",
    "Operator",
    "Tree",
    "fill",
    "last_name",
    "only_raises",
    "put",
    "without_annotations",
]


class Change(NamedTuple):
    """Nodes and what stands in their place, and the mistake as a diagnosis tells it, if it can."""

    swaps: tuple[tuple[ast.AST, ast.AST], ...]
    title: str | None = None


PLAIN = ("bool", "float", "int", "str")  # annotations of what cannot be changed in place
Operator = Callable[[ast.AST], Iterator[Change]]


class Edited(NamedTuple):
    """A definition after a change: its text, and the lines that differ, each joined into one."""

    text: str
    line: int
    before: str
    after: str


def put(old: ast.AST, new: ast.AST, title: str | None = None) -> Change:
    """Return the change of one node."""
    return Change(((old, new),), title)


def fill(template: str, **nodes: ast.expr) -> ast.expr:
    """Return an expression by its text, with nodes in place of some names."""
    tree = ast.parse(template, mode="eval").body

    class Filling(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return nodes.get(node.id, node)

    filled: ast.expr = Filling().visit(tree)
    return filled


def last_name(node: ast.AST) -> str:
    """Return ``f`` for ``f``, ``x.f`` and calls of them; nothing for anything else."""
    match node:
        case ast.Call(func=function):
            return last_name(function)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


@dataclass(frozen=True)
class _Slot:
    """Where a node stands: a field of its parent, and the index where that is a list."""

    parent: ast.AST
    field: str
    index: int | None

    def set(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


class Tree:
    """The tree of one definition.

    Args:
        node: the definition; docstrings and annotations are taken out of it.
        is_open: whether what stands on a line may change.
    """

    def __init__(self, node: ast.stmt, is_open: Callable[[int], bool] = lambda _: True) -> None:
        self._root = ast.Module([_bare(copy.deepcopy(node))], [])
        self._slots = {
            id(child): _Slot(parent, field, index)
            for parent in ast.walk(self._root)
            for field, index, child in _fields(parent)
        }
        self._last = node.end_lineno or node.lineno
        placed = list(_mutable(self._root, node.lineno))
        self.nodes = [node for node, _ in placed]
        self._open = {id(node) for node, line in placed if is_open(line)}
        self._lines = ast.unparse(self._root).split("\n")

    def edited(self, change: Change) -> Edited | None:
        """Return the definition after a change; None if it must not be, or changes nothing."""
        if not all(id(old) in self._open for old, _ in change.swaps):
            return None
        slots = [(self._slots[id(old)], old, new) for old, new in change.swaps]
        try:
            for slot, _, new in slots:
                slot.set(ast.fix_missing_locations(new))
            text = ast.unparse(self._root)
        finally:
            for slot, old, _ in slots:
                slot.set(old)
        lines = text.split("\n")
        if lines == self._lines:
            return None
        line = min(getattr(old, "lineno", self._last) for old, _ in change.swaps)
        return Edited(text, line, *_differing(self._lines, lines))


def without_annotations(tree: ast.Module) -> str:
    """Return the text of a module without docstrings and annotations; the tree is changed."""
    for node in tree.body:
        _bare(node, keeps=())
    return ast.unparse(tree)


def _differing(before: list[str], after: list[str]) -> tuple[str, str]:
    """Return the lines that a text loses and gains."""
    changes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changes = [change for change in changes if change[0] != "equal"]
    lost = [line for _, first, last, _, _ in changes for line in before[first:last]]
    gained = [line for _, _, _, first, last in changes for line in after[first:last]]
    if sorted(lost) == sorted(gained):  # moved: with what it changed places with
        lost = before[changes[0][1] : changes[-1][2]]
        gained = after[changes[0][3] : changes[-1][4]]
    old, new = ("; ".join(line.strip() for line in lines) for lines in (lost, gained))
    return old, new


def _bare(node: ast.stmt, keeps: Sequence[str] = PLAIN) -> ast.stmt:
    """Take out a definition's docstrings and annotations, but for those by some types."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if ast.get_docstring(inner) is not None:
                inner.body = inner.body[1:] or [ast.Pass()]
            if not isinstance(inner, ast.ClassDef):
                inner.returns = None
        elif isinstance(inner, ast.arg):
            is_plain = isinstance(inner.annotation, ast.Name) and inner.annotation.id in keeps
            inner.annotation = inner.annotation if is_plain else None
    return node


def _fields(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            yield from ((field, i, v) for i, v in enumerate(value) if isinstance(v, ast.AST))
        elif isinstance(value, ast.AST):
            yield field, None, value


def _mutable(node: ast.AST, line: int) -> Iterator[tuple[ast.AST, int]]:
    """Give the nodes below one that may change, in the order of the text, each with its line."""
    for child in _read(node):
        place = getattr(child, "lineno", line)
        if isinstance(child, (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.JoinedStr)):
            continue
        if isinstance(child, ast.If) and only_raises(child.body):
            for statement in child.orelse:
                yield statement, statement.lineno
                yield from _mutable(statement, statement.lineno)
            continue
        if isinstance(child, ast.Expr) and last_name(child.value) in ("print", "warn"):
            continue
        yield child, place
        yield from _mutable(child, place)


def _read(node: ast.AST) -> Iterable[ast.AST]:
    """Return the parts of a node that a student writes and that decide what it computes."""
    match node:
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body) | ast.ClassDef(body=body):
            return body
        case ast.Lambda(body=one):
            return [one]
        case ast.AnnAssign(target=target, value=value):
            return [target, value] if value else []
        case ast.ExceptHandler(body=body):
            return body
    return ast.iter_child_nodes(node)


def only_raises(body: list[ast.stmt]) -> bool:
    """Return whether statements do nothing but refuse an argument."""
    return all(isinstance(statement, ast.Raise) for statement in body)
