"""Names: which cells of a notebook give a meaning to what its tests use, read from the source."""

import ast
import builtins
import symtable
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from autograder.foreign.definition import SourceCell
from autograder.foreign.plan import TestNames

__all__ = [
    "Names",
    "imports_of",
    "is_calm",
    "is_empty",
    "names_of",
    "needed_by",
    "needs_of",
    "python_of",
    "reaches_out",
    "statements_for",
]

PATCHING = ("patch", "monkeypatch", "MonkeyPatch")


@dataclass(frozen=True)
class Names:
    """The names of a cell.

    Attributes:
        binds: at its top level, or as globals.
        reads: all that it reads and that is none of a function's own.
        reads_later: those that its functions read whenever they are called.
    """

    binds: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    reads_later: frozenset[str] = frozenset()


@cache
def python_of(source: str) -> str | None:
    """Return a cell with its magics turned into Python; None if it is none even then."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        text = str(TransformerManager().transform_cell(source))
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return text


@cache
def names_of(source: str) -> Names:
    """Return the names of a cell; none of one that is no Python."""
    if (text := python_of(source)) is None:
        return Names()
    table = symtable.symtable(text, "<cell>", "exec")
    binds = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    reads = _added_to(ast.parse(text))
    later: set[str] = set()
    pending: list[symtable.SymbolTable] = [table]
    while pending:
        inner = pending.pop()
        pending += inner.get_children()
        for symbol in inner.get_symbols():
            if symbol.is_referenced() and (inner is table or symbol.is_global()):
                (reads if inner is table else later).add(symbol.get_name())
            if inner is not table and symbol.is_declared_global() and symbol.is_assigned():
                binds.add(symbol.get_name())
    known = set(dir(builtins))
    return Names(frozenset(binds), frozenset((reads | later) - known), frozenset(later - known))


def _added_to(tree: ast.AST) -> set[str]:
    """Return the names to which something is added in place."""
    targets = (node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign))
    return {target.id for target in targets if isinstance(target, ast.Name)}


@cache
def needed_by(source: str) -> frozenset[str]:
    """Return the names that a cell reads before it binds them, if it does."""
    needed: set[str] = set()
    bound: set[str] = set()
    for statement in ast.parse(python_of(source) or "").body:
        names = names_of(ast.unparse(statement))
        # What a loop or a block both binds and reads, it reads behind where it binds it.
        own = names.binds - _added_to(statement) if hasattr(statement, "body") else set()
        needed |= names.reads - bound - own
        bound |= names.binds
    return frozenset(needed)


def needs_of(cells: Sequence[SourceCell], local: Iterable[str]) -> dict[str, TestNames]:
    """Return what each test cell needs, by its grade_id.

    A name belongs to whom the last cell above that binds it belongs to: to the student where it is
    a solution cell, else to the tests. What a solution cell imports of a library, the tests import
    themselves.

    Args:
        cells: the code cells of the instructor's notebook, in order.
        local: modules that lie beside the notebook: a student's own are no libraries.
    """
    read = frozenset[str]().union(*(names_of(c.source).reads for c in cells if not c.is_answer))
    of_students = frozenset[str]().union(
        *(names_of(c.source).reads_later for c in cells if c.is_answer)
    )
    theirs: set[str] = set()
    bound: set[str] = set()
    plans = {}
    for cell in cells:
        names = names_of(cell.source)
        if cell.is_answer:
            theirs |= _own_names(cell.source, local)
            continue
        if cell.is_test:
            wanted = theirs & read
            down = (bound | _own_names(cell.source, local)) & of_students - wanted
            plans[cell.name] = TestNames(tuple(sorted(wanted)), tuple(sorted(down)))
        theirs -= names.binds
        if cell.is_test:
            bound |= _own_names(cell.source, local)
    return plans


def imports_of(source: str, local: Iterable[str]) -> list[str]:
    """Return the imports of libraries at the top level of a cell, as lines."""
    if (text := python_of(source)) is None:
        return []
    return [ast.unparse(s) for s in ast.parse(text).body if _is_library(s, local)]


def is_empty(source: str) -> bool:
    """Return whether a cell holds nothing that runs: comments, a text, ``pass``."""
    if (text := python_of(source)) is None:
        return False
    return all(
        isinstance(statement, ast.Pass)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in ast.parse(text).body
    )


def is_calm(source: str, local: Iterable[str]) -> bool:
    """Return whether a cell does nothing but import libraries and define what it writes out.

    Such a cell has opened, started and measured nothing that a fork would share.
    """
    if (text := python_of(source)) is None:
        return False
    return all(_is_calm(statement, local) for statement in ast.parse(text).body)


def _is_calm(statement: ast.stmt, local: Iterable[str]) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom():
            return _is_library(statement, local)
        case ast.Expr(ast.Constant()) | ast.Pass():
            return True
        case ast.Expr(
            ast.Call(ast.Attribute(attr="run_line_magic"), [ast.Constant("matplotlib"), _])
        ):
            return True
        case ast.Assign(targets, value):
            return all(isinstance(one, ast.Name) for one in targets) and _is_written_out(value)
        case ast.AnnAssign(ast.Name(), _, value):
            return value is None or _is_written_out(value)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            arguments = statement.args
            values = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
            return not statement.decorator_list and all(map(_is_written_out, values))
        case ast.ClassDef():
            parts = [*statement.bases, *(keyword.value for keyword in statement.keywords)]
            own = all(_is_calm(inner, local) for inner in statement.body)
            return own and not statement.decorator_list and all(map(_is_written_out, parts))
    return False


def _is_written_out(value: ast.expr) -> bool:
    """Return whether an expression calls nothing."""
    return all(isinstance(part, _WRITTEN_OUT) for part in ast.walk(value))


def reaches_out(source: str) -> str | None:
    """Return how a test changes what no proxy stands for; None if it does not.

    Such a test asks what the student's code uses, and by itself it would never find out.
    """
    if (text := python_of(source)) is None:
        return "it is no Python"
    tree = ast.parse(text)
    if hidden := sorted(names_of(source).binds & set(dir(builtins)) - {"_"}):
        return f"it gives another meaning to {hidden[0]}, which is Python's own"
    modules = {name for node in ast.walk(tree) for name in _modules_of(node)}
    for node in ast.walk(tree):
        is_set = isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
        if isinstance(node, ast.Attribute) and is_set and _root_of(node) in modules:
            return f"it changes {_root_of(node)}, a module that the student's code uses"
        if isinstance(node, ast.Name | ast.Attribute) and _last_of(node) in PATCHING:
            return f"it puts something else in place by {_last_of(node)}"
    return None


def _modules_of(node: ast.AST) -> list[str]:
    """Return the names that a statement gives to modules."""
    if not isinstance(node, ast.Import):
        return []
    return [alias.asname or alias.name.partition(".")[0] for alias in node.names]


def _root_of(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _last_of(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _own_names(source: str, local: Iterable[str]) -> frozenset[str]:
    """Return the names that a cell binds, but for those of libraries."""
    return names_of(source).binds - _libraries(source, local)


def _libraries(source: str, local: Iterable[str]) -> set[str]:
    """Return the names that the imports of libraries bind."""
    found: set[str] = set()
    for line in imports_of(source, local):
        found |= names_of(line).binds
    return found


def _is_library(statement: ast.stmt, local: Iterable[str]) -> bool:
    if isinstance(statement, ast.Import):
        modules = [alias.name for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom) and statement.level == 0:
        modules = [statement.module or ""]
    else:
        return False
    return not any(module.partition(".")[0] in local for module in modules)


def statements_for(wanted: Iterable[str], sources: Sequence[str]) -> str:
    """Return the statements of cells that bind some names, with those that these need in turn.

    Args:
        wanted: the names.
        sources: the cells above, in order; of magics, nothing is taken.
    """
    statements = [
        statement
        for source in sources
        if (text := python_of(source)) is not None
        for statement in ast.parse(text).body
    ]
    needed, pending = set[int](), set(wanted)
    done: set[str] = set()
    while pending - done:
        name = sorted(pending - done)[0]
        done.add(name)
        for place, statement in enumerate(statements):
            names = names_of(ast.unparse(statement))
            if name in names.binds and isinstance(statement, _DEFINING):
                needed.add(place)
                pending |= names.reads
    return "\n".join(ast.unparse(statements[place]) for place in sorted(needed))


_WRITTEN_OUT = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Lambda),
    *(ast.UnaryOp, ast.BinOp, ast.unaryop, ast.operator, ast.expr_context, ast.arguments, ast.arg),
)
_DEFINING = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom),
    *(ast.Assign, ast.AnnAssign),
)
