"""The code of the tests' cells: a prepared session compiles them once, and its forks have them."""

import ast
import dis
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

from autograder.foreign.inside.written import functions_in

__all__ = ["Code", "code_of", "compile_ahead"]

MOST_CELLS = 4096  # whose code is kept
STORE = "STORE_NAME"  # of a name at the top level


@dataclass(frozen=True)
class Code:
    """What a cell does.

    Attributes:
        statements: all of it, but for what it shows.
        last: the expression at its end, which it shows; None if it shows nothing.
        binds: the names that it binds at its top level.
    """

    statements: CodeType
    last: CodeType | None
    binds: frozenset[str]


def code_of(source: str, name: str, shell: Any) -> Code:
    """Return the code of a cell; IPython is asked only of what is no Python as it stands.

    Args:
        source: its text.
        name: what tracebacks call it.
        shell: IPython's; None where there is none.

    Raises:
        SyntaxError, ValueError: it is no Python even then.
    """
    is_quiet = source.rstrip().endswith(";")
    try:
        return _compiled(source, name, is_quiet)
    except SyntaxError:
        if shell is None:
            raise
        return _compiled(str(shell.transform_cell(source)), name, is_quiet)


def compile_ahead(cells: Sequence[tuple[str, str, str]]) -> None:
    """Compile cells that will be run: the source of each, its name, and what students may read."""
    for source, name, shown in cells:
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):  # told when it is run
            code_of(source, name, None)
            functions_in(shown)


@lru_cache(maxsize=MOST_CELLS)
def _compiled(text: str, name: str, is_quiet: bool) -> Code:
    tree = ast.parse(text, name)
    last = None
    if tree.body and isinstance(end := tree.body[-1], ast.Expr) and not is_quiet:
        tree.body.pop()
        last = compile(ast.Expression(end.value), name, "eval")
    code = compile(tree, name, "exec")
    binds = (one.argval for one in dis.get_instructions(code) if one.opname == STORE)
    return Code(code, last, frozenset(binds))
