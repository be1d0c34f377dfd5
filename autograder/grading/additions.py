"""Additions: what a student's cell has more than the cell of the release that it stands for.

The release's text is restored and runs; what was added to it is the student's work and runs as
well. Code is compared by statements: one that the release has not is an addition, unless all that
it binds is bound by the release's text, by a statement that it replaced or by one that stands
below it. Text is compared by lines. Nothing here runs a student's code, and what may be parsed of
one notebook is bounded.
"""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from operator import attrgetter
from typing import cast

__all__ = ["Additions", "Budget", "Reader", "added_lines", "lines_of"]

PARSED = 150_000  # characters of a notebook that are read as Python; others are compared by lines
COMPARED, ALL_COMPARED = 100_000, 2_000_000  # pairs of lines, at a time and of one notebook
FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
HARMLESS = re.compile(r"%%(?:time|timeit|capture|prun)\b")  # cell magics over ordinary code
MAGIC = re.compile(r"(\s*)(?:[%!?].*|[\w.]+\?{1,2}\s*)$")
ASSIGNED = re.compile(r"([^=#]*=\s*)[%!]")
SELF_CHECK = "self_check"
SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
ENDS = (*DEFINITIONS, *SCOPES, ast.Name, ast.Constant)  # nothing inside counts, or is there


@dataclass(frozen=True)
class Additions:
    """What a cell has more.

    Attributes:
        above: code to run, each line at its place in the cell; of a check's cell what stands
            above its self-check.
        below: likewise, what stands below that.
        text: all lines that are not the release's, for people.
        changed: names of the release that the cell binds otherwise, which does not count.
        again: whether the release's code uses what was added above it, and has to run behind it.
    """

    above: str = ""
    below: str = ""
    text: str = ""
    changed: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True, eq=False)
class _Unit:
    """Statements that share lines, with the numbers of the first and the last."""

    first: int
    last: int
    text: str
    statements: tuple[ast.stmt, ...]

    @property
    def form(self) -> str:
        """What they are, however they are laid out; a magic is what is written there."""
        if any(_without_magic(line) != line for line in lines_of(self.text)):
            return self.text
        try:
            return "\n".join(map(ast.dump, self.statements))
        except RecursionError:
            return self.text


@dataclass
class Budget:
    """How much of one notebook may still be read as Python, and how many lines be compared.

    What is beyond it counts as added, which loses nothing.
    """

    parsed: int = PARSED
    compared: int = ALL_COMPARED


class Reader:
    """Reads the cells of one notebook."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def additions(self, given: str, text: str, is_check: bool = False) -> Additions:
        """Return what a code cell has more than the release's.

        Args:
            given: the release's text.
            text: the student's.
            is_check: whether the cell is a check's, which a student's process never runs.
        """
        if not (more := "\n".join(lines := added_lines(given, text, self._budget))):
            return Additions()
        if (magic := text.lstrip()).startswith("%%"):
            if not HARMLESS.match(magic):
                return Additions(above=text, text=more)  # no Python, or not of this process
            text = text.replace("%%", "#%", 1)
        ours, theirs = self._units(given), self._units(text)
        if ours is None or theirs is None:
            return Additions(above=_only(text, lines), text=more)
        lost, others = _unlike(ours, theirs)
        if not others:  # another layout
            return Additions(text="\n".join(x for x in lines if x.lstrip().startswith("#")))
        added, changed = _compare(lost, others, theirs)
        ends = [u.last for u in theirs if is_check and any(map(_is_self_check, u.statements))]
        end = ends[-1] if ends else theirs[-1].last
        above = [unit for unit in added if unit.first <= end]
        below = [unit for unit in added if unit.first > end]
        again = not is_check and _is_used(added, theirs)
        return Additions(_code(text, above), _code(text, below), more, changed, again)

    def without_self_checks(self, text: str) -> str:
        """Return a cell without the self-checks that it calls, for which there is nothing here."""
        if SELF_CHECK not in text or (units := self._units(text)) is None:
            return text
        lines = lines_of(text)
        for unit in units:
            if all(map(_is_self_check, unit.statements)):
                lines[unit.first - 1 : unit.last] = [""] * (unit.last - unit.first + 1)
        return "\n".join(lines)

    def _units(self, text: str) -> list[_Unit] | None:
        """Return the statements of a cell; None if it is no Python, or too much."""
        self._budget.parsed -= len(text)
        if self._budget.parsed < 0:
            return None
        lines = lines_of(text)
        tree = _parse(text) or _parse("\n".join(map(_without_magic, lines)))
        return None if tree is None else list(_group(tree.body, lines))


def lines_of(text: str) -> list[str]:
    """Return the lines of a text as Python counts them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def added_lines(given: str, text: str, budget: Budget) -> list[str]:
    """Return the lines that a text has more than the release's, without blank ones around them."""
    ours, theirs = ([line.rstrip() for line in lines_of(t.strip())] for t in (given, text))
    begin = _common(ours, theirs)
    end = _common(ours[begin:][::-1], theirs[begin:][::-1])
    ours, theirs = ours[begin : len(ours) - end], theirs[begin : len(theirs) - end]
    pairs = len(ours) * len(theirs)
    if pairs and pairs <= min(COMPARED, budget.compared):
        budget.compared -= pairs
        matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
        changes = [code for code in matcher.get_opcodes() if code[0] in ("insert", "replace")]
        theirs = [line for _, _, _, first, last in changes for line in theirs[first:last]]
    return lines_of("\n".join(theirs).strip("\n")) if any(theirs) else []


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    """Return how many items two lists begin with alike."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))


def _parse(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a student's escapes and comparisons
        try:
            return cast(ast.Module, compile(text, "<cell>", "exec", FLAGS, dont_inherit=True))
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return None


def _without_magic(line: str) -> str:
    """Return a line with a statement of Python in place of one that only IPython knows."""
    if found := MAGIC.match(line):
        return f"{found[1]}pass"
    found = ASSIGNED.match(line)
    return f"{found[1]}None" if found else line


def _group(body: Sequence[ast.stmt], lines: Sequence[str]) -> Iterator[_Unit]:
    first = last = 0
    together: list[ast.stmt] = []
    for statement in body:
        decorators = getattr(statement, "decorator_list", [])
        begin = min([statement.lineno, *(node.lineno for node in decorators)])
        if together and begin > last:
            yield _unit(first, last, together, lines)
            together = []
        first = first if together else begin
        last = statement.end_lineno or begin
        together.append(statement)
    if together:
        yield _unit(first, last, together, lines)


def _unit(first: int, last: int, together: list[ast.stmt], lines: Sequence[str]) -> _Unit:
    text = "\n".join(line.rstrip() for line in lines[first - 1 : last])
    return _Unit(first, last, text, tuple(together))


def _compare(
    lost: Sequence[_Unit], others: Sequence[_Unit], theirs: Sequence[_Unit]
) -> tuple[list[_Unit], tuple[str, ...]]:
    """Return what was added, and which names were changed.

    Args:
        lost: what the release has and the cell has not.
        others: what the cell has and the release has not.
        theirs: all that the cell has.
    """
    names = {name for unit in lost for name in _bound(unit)}
    calls = {call for unit in lost for call in _called(unit)}
    below = set[str]()  # what the release's own statements bind below, as the cell has them
    new, added, changed = set(others), list[_Unit](), list[list[str]]()
    for unit in reversed(theirs):
        bound = _bound(unit)
        if unit not in new:
            below |= bound
        elif all(_is_self_check(node) or _is_check(node) for node in unit.statements):
            continue  # no process of a student's has what they need
        elif bound and bound <= names | below:
            changed.append(sorted(bound))
        elif bound or not (called := _called(unit)) or not called <= calls:
            added.append(unit)
    told = dict.fromkeys(name for some in reversed(changed) for name in some)
    return added[::-1], tuple(told)


def _is_used(added: Sequence[_Unit], theirs: Sequence[_Unit]) -> bool:
    """Return whether the release's statements in a cell use names that are bound above them."""
    new, bound = set(added), set[str]()
    for unit in theirs:
        if unit in new:
            bound |= _bound(unit)
        elif bound:
            nodes = (node for statement in unit.statements for node in ast.walk(statement))
            if any(isinstance(node, ast.Name) and node.id in bound for node in nodes):
                return True
    return False


def _unlike(ours: Sequence[_Unit], theirs: Sequence[_Unit]) -> tuple[list[_Unit], list[_Unit]]:
    """Return the units of either side that the other has not, by text and then by form."""
    lost, others = list(ours), list(theirs)
    for key in (attrgetter("text"), attrgetter("form")):
        if lost and others:
            mine, yours = Counter(map(key, lost)), Counter(map(key, others))
            lost, others = list(_beyond(lost, yours, key)), list(_beyond(others, mine, key))
    return lost, others


def _beyond(
    units: Sequence[_Unit], found: Counter[str], key: Callable[[_Unit], str]
) -> Iterator[_Unit]:
    """Yield the units of which there are more than were found."""
    for unit in units:
        if found[key(unit)] > 0:
            found[key(unit)] -= 1
        else:
            yield unit


def _bound(unit: _Unit) -> set[str]:
    """Return the names, attributes and items that statements bind where they stand."""
    return {name for node in _nodes(unit.statements) for name in _bindings(node)}


def _bindings(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.Name(ctx=ast.Store()) | ast.Attribute(ctx=ast.Store()):
            yield _path(node)
        case ast.Subscript(ctx=ast.Store(), value=value):
            yield f"{_path(value)}[]"


def _called(unit: _Unit) -> set[str]:
    """Return what is called for its effect alone."""
    nodes = _nodes(unit.statements)
    return {
        f"{_path(node.value.func)}()"
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    }


def _nodes(statements: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the nodes of statements, but not what is inside of definitions."""
    left: list[ast.AST] = list(statements)
    while left:
        node = left.pop()
        yield node
        if not isinstance(node, ENDS):
            left.extend(ast.iter_child_nodes(node))


def _path(node: ast.AST) -> str:
    """Return a name with its attributes, as far as it is one."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "?")
    return ".".join(reversed(parts))


def _is_check(statement: ast.stmt) -> bool:
    """Return whether a statement defines a check, or makes one."""
    if isinstance(statement, ast.Assign):
        made = statement.value
        return isinstance(made, ast.Call) and _path(made.func) == "matches_reference"
    return isinstance(statement, ast.FunctionDef) and any(
        isinstance(node, ast.Call) and _path(node.func) == "check"
        for node in statement.decorator_list
    )


def _is_self_check(statement: ast.stmt) -> bool:
    """Return whether a statement runs a self-check, and defines nothing that could be an answer."""
    nodes = list(_nodes([statement]))
    return not any(isinstance(node, DEFINITIONS) for node in nodes) and any(
        isinstance(node, ast.Call) and _path(node.func) == SELF_CHECK for node in nodes
    )


def _code(text: str, units: Sequence[_Unit]) -> str:
    """Return some statements of a cell, each at its line; "" for none."""
    if not units:
        return ""
    lines = lines_of(text)
    kept = [""] * units[-1].last
    for unit in units:
        kept[unit.first - 1 : unit.last] = lines[unit.first - 1 : unit.last]
    return "\n".join(kept)


def _only(text: str, wanted: Sequence[str]) -> str:
    """Return some lines of a cell, each at its place."""
    left = Counter(line.strip() for line in wanted)
    kept = []
    for line in reversed(lines_of(text)):
        found = left[line.strip()] > 0
        left[line.strip()] -= found
        kept.append(line if found else "")
    return "\n".join(reversed(kept))
