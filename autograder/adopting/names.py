"""Whose a name is: what students decide, what is given, what an earlier test cell defines."""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from autograder.adopting.cells import ForeignCell, Role
from autograder.compiler.syntax import blank_magics, bound_names, free_names, touched_names
from autograder.errors import SourceError

__all__ = ["Names", "early_bound", "is_needed", "names_of", "needed_above", "parsed", "with_tests"]

Imports = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Names:
    """The names of a notebook.

    Attributes:
        student: what students decide: what they write, and what is computed from it.
        functions: which of these are functions or classes.
        given: what code that is handed out binds, and nothing of students' decides.
        given_functions: which of these are functions or classes.
        imports: the text of each import by the name that it binds, wherever it stands.
        above: the statements of the test cells above, by the name that they bind.
        stars: whether some import binds names that nobody can tell.
        local_functions: the functions and imports of the test cell at hand.
    """

    student: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    given_functions: frozenset[str] = frozenset()
    imports: dict[str, str] = field(default_factory=dict)
    above: dict[str, list[ast.stmt]] = field(default_factory=dict)
    stars: bool = False
    local_functions: dict[str, ast.stmt] = field(default_factory=dict)


def parsed(text: str) -> ast.Module:
    """Return the tree of a cell; an empty one if it is not Python."""
    try:
        return ast.parse(blank_magics(text.rstrip()))
    except (SourceError, SyntaxError, ValueError):
        return ast.Module([], [])


def names_of(cells: Sequence[ForeignCell]) -> Names:
    """Return the names of a notebook, but those of its test cells."""
    student: set[str] = set()
    functions: set[str] = set()
    given: set[str] = set()
    given_functions: set[str] = set()
    imports: dict[str, str] = {}
    stars = False
    for cell in cells:
        if cell.type != "code" or cell.role is Role.TESTS:
            continue
        asked = cell.role is not Role.GIVEN
        for node in parsed(cell.text).body:
            if isinstance(node, Imports):
                stars = stars or any(alias.name == "*" for alias in node.names)
                imports |= {name: ast.unparse(node) for name in _bound(node)}
                given |= set(_bound(node)) - student
                continue
            theirs = asked or bool(free_names(ast.unparse(node)) & student)
            names = set(touched_names(node))
            is_function = isinstance(node, (ast.FunctionDef, ast.ClassDef))
            if theirs:
                student |= names
                given -= names
                functions |= names if is_function else set()
            else:
                given |= names - student
                given_functions |= names if is_function else set()
    return Names(
        frozenset(student - set(imports)),
        frozenset(functions),
        frozenset(given),
        frozenset(given_functions - student),
        imports,
        stars=stars,
    )


def _bound(node: ast.stmt) -> list[str]:
    return bound_names(ast.unparse(node))


def needed_above(wanted: Iterable[str], names: Names) -> tuple[list[ast.stmt], set[str]]:
    """Return the statements of earlier test cells that define some names, in their order.

    What they read of each other comes with them.

    Args:
        wanted: names that the notebook itself does not bind.
        names: of the notebook, and of the test cells above.

    Returns:
        the statements, and the names that they bind.
    """
    waiting, needed, reached = [*wanted], dict[int, ast.stmt](), set[str]()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in names.above:
            continue
        reached.add(name)
        for statement in names.above[name]:
            needed[id(statement)] = statement
            waiting += free_names(ast.unparse(statement)) - names.student - names.given
    every = dict.fromkeys(s for some in names.above.values() for s in some)
    return sorted((s for s in every if id(s) in needed), key=_place), reached


def _place(statement: ast.stmt) -> tuple[int, int]:
    return getattr(statement, "cell", 0), statement.lineno


def early_bound(tree: ast.Module) -> Iterable[str]:
    """Return the names that a text binds at its top level before it reads them."""
    bound: dict[str, None] = {}
    read: set[str] = set()
    for node in tree.body:
        text = ast.unparse(node)
        read |= free_names(text) - set(bound) - _self_bound(node)
        bound |= dict.fromkeys(name for name in bound_names(text) if name not in read)
    return bound


def _self_bound(node: ast.stmt) -> set[str]:
    """Return what a loop or a block binds itself, and may read inside."""
    if isinstance(node, (ast.For, ast.With, ast.FunctionDef, ast.ClassDef, ast.Try)):
        return set(bound_names(ast.unparse(node)))
    return set()


def with_tests(names: Names, cell: ForeignCell) -> Names:
    """Return the names with what the visible part of a test cell defines, for those below it."""
    assert cell.tests is not None
    above = {name: [*statements] for name, statements in names.above.items()}
    for node in parsed(cell.tests.visible).body:
        node.cell = cell.number  # type: ignore[attr-defined]  # by which statements are sorted
        for name in touched_names(node):
            if isinstance(node, (*Imports, ast.FunctionDef, ast.ClassDef)):
                above[name] = []
            above.setdefault(name, []).append(node)
    return replace(names, above=above)


def is_needed(cell: ForeignCell, cells: Sequence[ForeignCell]) -> bool:
    """Return whether other code of a notebook reads what a cell alone binds."""
    others = [other for other in cells if other.type == "code" and other is not cell]
    elsewhere = {name for other in others for name in _bound_in(other)}
    own = _bound_in(cell) - elsewhere
    return any(own & free_names(ast.unparse(parsed(other.text))) for other in others)


def _bound_in(cell: ForeignCell) -> set[str]:
    return {name for node in parsed(cell.text).body for name in touched_names(node)}
