"""Files beside a notebook of another tool's: data that its cells name, and where they will lie."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autograder.adopting.cells import Foreign
from autograder.errors import naming

__all__ = ["copy_files", "files_beside", "with_moved_paths"]

DATA = "data"
MOST = 2000  # files of a folder that are looked at
_LEFT_OUT = {".ipynb", ".py", ".pyc", ".db", ".toml"}


def files_beside(foreign: Foreign) -> dict[str, str]:
    """Return the files that the cells of a notebook name: where they lie, and where they will.

    Both are relative: to the folder of the notebook, and to that of the assignment. What lies in
    ``data/`` comes along whole, and stays where it is.
    """
    texts = "\n".join(cell.text for cell in foreign.cells)
    found = {}
    for path in _files(foreign.path.parent):
        name = path.relative_to(foreign.path.parent).as_posix()
        if name.startswith(f"{DATA}/"):
            found[name] = name
        elif _named(name).search(texts):
            found[name] = f"{DATA}/{name}"
    return found


def with_moved_paths(foreign: Foreign, files: dict[str, str]) -> Foreign:
    """Return a notebook that names its files where they will lie."""

    def moved(text: str) -> str:
        for old, new in files.items():
            if old != new:
                parts = _named(old).split(text)  # text, quote, quote, text, quote, …
                text = "".join(
                    f"{part}{new}" if place % 3 == 1 else part for place, part in enumerate(parts)
                )
        return text

    cells = []
    for cell in foreign.cells:
        tests = cell.tests and replace(
            cell.tests, visible=moved(cell.tests.visible), whole=moved(cell.tests.whole)
        )
        cells.append(replace(cell, text=moved(cell.text), tests=tests))
    return replace(foreign, cells=cells)


def copy_files(foreign: Foreign, files: dict[str, str], folder: Path) -> None:
    """Copy files to the folder of an assignment."""
    for old, new in files.items():
        target = folder / new
        with naming(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(foreign.path.parent / old, target)


def _files(folder: Path) -> Sequence[Path]:
    """Return the files of a folder that may be data, without those of folders that are hidden."""
    found: list[Path] = []
    waiting = [folder]
    while waiting and len(found) < MOST:
        here = waiting.pop()
        for path in sorted(here.iterdir()):
            if path.name.startswith((".", "__")) or path.is_symlink():
                continue
            if path.is_dir():
                waiting.append(path)
            elif path.suffix not in _LEFT_OUT:
                found.append(path)
    return sorted(found)


def _named(name: str) -> "re.Pattern[str]":
    """Return what finds a file's name in quotes, or as a link of a text."""
    return re.compile(rf"""(["'(])(?:\./)?{re.escape(name)}(["')])""")
