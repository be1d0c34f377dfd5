"""A student's notebook, checked from the command line: ``autograder check``."""

import contextlib
import io
import json
import linecache
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.authoring.checks import Check
from autograder.errors import StudentError, UsageError
from autograder.student.self_check import SelfCheck, self_check

__all__ = ["check_notebook", "only_notebook"]

_MAGIC = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)


def only_notebook(folder: Path) -> Path:
    """Return the one notebook of a folder.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = sorted(folder.glob("*.ipynb"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UsageError(f"name the notebook to check; here there are: {names}")
    return found[0]


def check_notebook(path: Path) -> Iterator[SelfCheck]:
    """Run the code cells of a notebook in this process, then its visible checks one by one.

    Raises:
        UsageError: the file is no notebook.
        StudentError: no cell defines a check, so that the notebook is none of a release.
    """
    cells = _code_cells(path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.chdir(path.resolve().parent):
        for number, source in cells:
            _run(number, source, namespace)
        checks = [value for value in namespace.values() if isinstance(value, Check)]
        if not checks:
            raise StudentError(f"{path.name} has no check that can be run: is it from a release?")
        for check in checks:
            yield self_check(check)


def _code_cells(path: Path) -> list[tuple[int, str]]:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [
            (number, "".join(cell["source"]))
            for number, cell in enumerate(cells, 1)
            if cell["cell_type"] == "code"
        ]
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no Jupyter notebook ({error})") from None


def _run(number: int, source: str, namespace: dict[str, Any]) -> None:
    """Run a cell; what it raises is told and passed over, as grading does."""
    try:
        name = f"<cell {number}>"
        try:
            code = compile(source, name, "exec")
        except SyntaxError:  # a line that only IPython understands
            source = _MAGIC.sub(r"\1pass", source)
            code = compile(source, name, "exec")
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, namespace)
    except NotImplementedError:
        pass  # not answered yet: its check says so
    except (Exception, SystemExit) as error:
        print(f"cell {number} raised {type(error).__name__}: {error}")
