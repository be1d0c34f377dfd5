"""Cells: how the code of a notebook is run inside a session.

IPython runs any notebook, magics and `await` included, but takes milliseconds for the first cell of
each session. A notebook whose cells are all plain Python is run without it, in the same namespace.
"""

import __future__

import linecache
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from autograder.sandbox.host import CELL_FILE

__all__ = ["make_shell", "runner_of"]

Run = Callable[[int], BaseException | None]

_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


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


def runner_of(shell: Any, cells: Sequence[tuple[int, str]]) -> Run:
    """Return what runs the cells of a notebook, by number: it gives the error of each, if any.

    Args:
        shell: as `make_shell` returns it; the cells share its namespace.
        cells: all that are to be run, as (number, source).
    """
    try:
        compiled = _compile(cells)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        # A magic, an `await`, a question, or an error that IPython tells.
        sources = dict(cells)
        return lambda number: _run_in_ipython(shell, number, sources[number])
    return lambda number: _run_plain(compiled[number], shell.user_ns)


def _compile(cells: Sequence[tuple[int, str]]) -> dict[int, CodeType]:
    """Return the code of each cell; `from __future__ import …` holds for all later ones."""
    compiled, flags = {}, 0
    for number, source in cells:
        name = _name(number)
        text = f"{source}\n"
        compiled[number] = code = compile(text, name, "exec", flags=flags, dont_inherit=True)
        flags |= code.co_flags & _FUTURES
        # So that inspect.getsource finds a student's function.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return compiled


def _run_plain(code: CodeType, namespace: dict[str, Any]) -> BaseException | None:
    try:
        exec(code, namespace)
    except BaseException as error:  # SystemExit ends its cell only, as in a notebook
        return error
    return None


def _run_in_ipython(shell: Any, number: int, source: str) -> BaseException | None:
    shell.compile.get_code_name = lambda *_: _name(number)
    try:
        outcome = shell.run_cell(source, store_history=False)
    except BaseException as error:  # what IPython lets through
        return error
    raised: BaseException | None = outcome.error_before_exec or outcome.error_in_exec
    return raised


def _name(number: int) -> str:
    return f"{CELL_FILE}{number}>"
