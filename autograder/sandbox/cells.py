"""Cells: how the code of a notebook is run inside a session.

IPython runs any cell, magics and `await` included, but takes milliseconds for the first one of each
session. Up to the first cell that is not plain Python a notebook is run without it, in the same
namespace.
"""

import __future__

import linecache
from types import CodeType
from typing import Any

from autograder.sandbox.host import CELL_FILE

__all__ = ["Cells", "make_shell"]

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


class Cells:
    """Runs the cells of a notebook, one after another, in the namespace of a shell.

    Args:
        shell: as `make_shell` returns it.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._is_plain = True  # so far
        self._flags = 0  # `from __future__ import …` holds for all later cells

    def run(self, number: int, source: str) -> BaseException | None:
        """Run a cell; return the error that it raised, if any."""
        name = f"{CELL_FILE}{number}>"
        if self._is_plain:
            text = f"{source}\n"
            try:
                code = compile(text, name, "exec", flags=self._flags, dont_inherit=True)
            except (SyntaxError, ValueError, MemoryError, RecursionError):
                # A magic, an `await`, a question, or an error that IPython tells.
                self._is_plain = False
                self._shell.compile.flags |= self._flags
            else:
                self._flags |= code.co_flags & _FUTURES
                # So that inspect.getsource finds a student's function.
                linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
                return _run_plain(code, self._shell.user_ns)
        return _run_in_ipython(self._shell, name, source)


def _run_plain(code: CodeType, namespace: dict[str, Any]) -> BaseException | None:
    try:
        exec(code, namespace)
    except BaseException as error:  # SystemExit ends its cell only, as in a notebook
        return error
    return None


def _run_in_ipython(shell: Any, name: str, source: str) -> BaseException | None:
    shell.compile.get_code_name = lambda *_: name
    try:
        outcome = shell.run_cell(source, store_history=False)
    except BaseException as error:  # what IPython lets through
        return error
    raised: BaseException | None = outcome.error_before_exec or outcome.error_in_exec
    return raised
