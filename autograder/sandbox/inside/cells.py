"""Cells: how the code of a notebook is run inside a session.

A cell is run statement by statement: what stands above one that raises or is stopped counts, as in
a notebook, and so do definitions below it. IPython turns magics into Python first; it runs a cell
itself only where that waits for something, and where it is no Python at all.
"""

import __future__

import ast
import linecache
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import CodeType
from typing import Any

from autograder.sandbox.inside.host import CELL_FILE
from autograder.sandbox.inside.switches import switches

__all__ = ["Cells", "Ran", "make_shell"]

_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
# What computes new values at most, and changes none.
_CALM = (ast.Constant, ast.Name, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp)
_CALM_PARTS = (*_CALM, ast.operator, ast.unaryop, ast.expr_context)
_SHELL_NAMES = frozenset(("_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh", "In", "Out"))


def make_shell() -> Any:
    """Return an IPython shell, so that magics work, without its history and its thread."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.autocall = 0
    config.InteractiveShell.cache_size = 0
    shell = InteractiveShell.instance(config=config)
    shell.system = shell.system_raw  # the other way needs a terminal, which no session has
    return shell


@dataclass(frozen=True)
class Ran:
    """What came of a cell.

    Attributes:
        error: the first that it raised.
        touched: whether it may have changed what the cells above had left.
        kept: names that the student had defined above a stub of the release, which left them so.
    """

    error: BaseException | None = None
    touched: bool = False
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Statement:
    """A statement at the top level of a cell."""

    tree: ast.stmt
    code: CodeType

    @property
    def calm(self) -> bool:
        """Whether it defines or computes something, and changes nothing that is there."""
        tree = self.tree
        if isinstance(tree, (*_DEFINITIONS, ast.Pass)):
            return True
        if isinstance(tree, ast.Expr):
            return isinstance(tree.value, (ast.Constant, ast.Name))
        return (
            isinstance(tree, ast.Assign)
            and all(isinstance(target, ast.Name) for target in tree.targets)
            and all(isinstance(part, _CALM_PARTS) for part in ast.walk(tree.value))
        )

    @property
    def asks_ipython(self) -> bool:
        """Whether it was a magic, or a command of the system."""
        return "get_ipython" in self.code.co_names

    def defines(self) -> tuple[str, ...]:
        """Return the names that it defines, if it does nothing else; none if it does."""
        tree = self.tree
        if isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return (tree.name,)
        if isinstance(tree, (ast.Import, ast.ImportFrom)):
            return tuple(a.asname or a.name.partition(".")[0] for a in tree.names)
        if isinstance(tree, ast.Assign) and self.calm:
            return tuple(target.id for target in tree.targets if isinstance(target, ast.Name))
        return ()


class Cells:
    """Runs the cells of a notebook, one after another, in the namespace of a shell.

    Args:
        shell: as `make_shell` returns it.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._flags = 0  # `from __future__ import …` holds for all later cells
        self._owned: set[str] = set()  # names that the student's own cells have bound
        self._stubs: dict[str, Any] = {}  # what stubs of the release have bound

    def run(
        self,
        number: int,
        source: str,
        kind: str = "own",
        stop: int | None = None,
        step: Callable[[int, int], None] = lambda index, line: None,
    ) -> Ran:
        """Run a cell.

        Args:
            number: the cell's.
            source: its text.
            kind: of `autograder.sandbox.session.CodeCell`.
            stop: the statement that ended an earlier session, from 0; of it and those below only
                definitions are run.
            step: is told of each statement behind the first that may last, and of its line.
        """
        name = f"{CELL_FILE}{number}>"
        namespace = self._shell.user_ns
        before = dict(namespace)
        try:
            statements = self._statements(name, source)
        except (MemoryError, RecursionError) as deep:  # for any compiler
            return self._ran(kind, before, deep, calm=True)
        if statements is None:
            error = _run_in_ipython(self._shell, name, source)
            return self._ran(kind, before, error, calm=False)
        calm = all(statement.calm for statement in statements)
        switched = kind in ("given", "stub") and not calm
        former = switches() if switched else None
        error = self._run(statements, stop, step)
        return self._ran(kind, before, error, calm, switched and former != switches())

    def _statements(self, name: str, source: str) -> list[_Statement] | None:
        """Return the statements of a cell; None if IPython must run it, or tell what is wrong."""
        for transform in (f"{source}\n".__str__, partial(self._shell.transform_cell, source)):
            try:
                text = transform()
                statements, flags = _compiled(text, name, self._flags)
            except (SyntaxError, ValueError):
                continue  # a magic, an `await`, a question, or an error that IPython tells
            self._flags = flags
            # So that inspect.getsource finds a student's function.
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
            return statements
        self._shell.compile.flags |= self._flags
        return None

    def _run(
        self, statements: list[_Statement], stop: int | None, step: Callable[[int, int], None]
    ) -> BaseException | None:
        """Run statements; return the first error.

        Behind what raises because this machine lacks something, all others are run. Behind another
        error, and behind a statement that is left out, only those that define what is missing.
        """
        namespace = self._shell.user_ns
        first: BaseException | None = None
        broken = False
        for index, statement in enumerate(statements):
            broken = broken or index == stop
            if broken and not self._adds(statement, namespace):
                continue
            if index and not statement.calm:
                step(index, statement.tree.lineno)
            error = _run_plain(statement, namespace)
            first = first or error
            broken = broken or (error is not None and not _is_lacking(error, statement))
        return first

    def _adds(self, statement: _Statement, namespace: Mapping[str, Any]) -> bool:
        """Return whether a statement defines something, and nothing that is there already."""
        names = statement.defines()
        return bool(names) and all(
            name not in namespace or namespace[name] is self._stubs.get(name, self)
            for name in names
        )

    def _ran(
        self,
        kind: str,
        before: dict[str, Any],
        error: BaseException | None,
        calm: bool,
        switched: bool = False,
    ) -> Ran:
        """Note whose the names are now; return what came of the cell."""
        after = dict(self._shell.user_ns)  # at once, as a thread may still bind names
        bound = {n for n in after if n not in before or after[n] is not before[n]}
        replaced = {n for n in before if n not in after or after[n] is not before[n]}
        replaced = {n for n in replaced - _SHELL_NAMES if before[n] is not self._stubs.get(n, self)}
        kept: tuple[str, ...] = ()
        if kind == "stub":
            kept = tuple(sorted(replaced & bound & self._owned))
            self._shell.user_ns.update({name: before[name] for name in kept})
            self._stubs |= {name: after[name] for name in bound.difference(kept)}
            replaced -= set(kept)
        if kind in ("given", "stub"):
            touched = switched or bool(replaced & self._owned)
            self._owned -= replaced
        else:
            touched = not calm or bool(replaced)
            self._owned |= {name for name in bound if type(name) is str}
        return Ran(error, touched, kept)


def _compiled(text: str, name: str, flags: int) -> tuple[list[_Statement], int]:
    """Return the statements of a text, compiled, and the flags for what comes below it.

    Raises:
        SyntaxError: one of them is wrong, or waits for something.
        ValueError: the text holds what no source may.
        MemoryError, RecursionError: it is nested too deeply.
    """
    tree = compile(text, name, "exec", flags=flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    statements = []
    for statement in tree.body:
        module = ast.Module([statement], [])
        code = compile(module, name, "exec", flags=flags, dont_inherit=True)
        flags |= code.co_flags & _FUTURES
        statements.append(_Statement(statement, code))
    return statements, flags


def _run_plain(statement: _Statement, namespace: dict[str, Any]) -> BaseException | None:
    if isinstance(statement.tree, (ast.Import, ast.ImportFrom)):
        _forget_listing()
    try:
        exec(statement.code, namespace)
    except BaseException as error:  # SystemExit ends its cell only, as in a notebook
        return error
    return None


def _forget_listing() -> None:
    """Have Python look anew for modules in the working directory: a cell may have written one."""
    for place in _here():
        sys.path_importer_cache.pop(place, None)


def _here() -> Iterator[str]:
    yield ""
    try:
        yield os.getcwd()
    except OSError:  # it was removed
        return


def _is_lacking(error: BaseException, statement: _Statement) -> bool:
    """Return whether a statement failed for what a student's own machine may well have."""
    return isinstance(error, (ImportError, OSError)) or statement.asks_ipython


def _run_in_ipython(shell: Any, name: str, source: str) -> BaseException | None:
    shell.compile.get_code_name = lambda *_: name
    try:
        outcome = shell.run_cell(source, store_history=False)
    except BaseException as error:  # what IPython lets through
        return error
    raised: BaseException | None = outcome.error_before_exec or outcome.error_in_exec
    return raised
