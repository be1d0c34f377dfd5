"""What notebooks of an nbgrader course import, so that their processes have it before they run."""

import ast
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.machinery import PathFinder

import msgspec

from autograder.foreign.course import NbgraderCourse
from autograder.foreign.definition import SourceCell, modules_among
from autograder.foreign.names import python_of

__all__ = ["expected_of", "preload_of"]

GIVING = ("numpy", "scipy")  # packages whose modules are there as soon as they are imported


class _Marks(msgspec.Struct):
    """What nbgrader has noted of a cell."""

    grade: bool = False
    solution: bool = False


class _Metadata(msgspec.Struct):
    nbgrader: _Marks = msgspec.field(default_factory=_Marks)


class _Cell(msgspec.Struct):
    """A cell of a notebook's file."""

    cell_type: str
    source: str | list[str]
    metadata: _Metadata

    def as_code(self) -> SourceCell:
        source, marks = "".join(self.source), self.metadata.nbgrader
        is_test = marks.grade and not marks.solution
        return SourceCell(source, is_answer=marks.solution, is_test=is_test)


class _Source(msgspec.Struct):
    """A notebook's file, as far as its cells go."""

    cells: list[_Cell]


def expected_of(course: NbgraderCourse, assignments: Iterable[str]) -> list[str]:
    """Return what `preload_of` will say of some assignments, as far as their sources tell.

    What one of them brings itself, by the same name, is left out.
    """
    cells: list[SourceCell] = []
    local: set[str] = set()
    for folder in map(course.source, assignments):
        local |= modules_among(path.name for path in folder.glob("*") if path.suffix != ".ipynb")
        for path in folder.glob("*.ipynb"):
            with suppress(OSError, msgspec.MsgspecError):  # whoever prepares it says what is wrong
                notebook = msgspec.json.decode(path.read_bytes(), type=_Source)
                cells += (cell.as_code() for cell in notebook.cells if cell.cell_type == "code")
    found = preload_of(cells, local)
    return [name for name in found if name.partition(".")[0] not in local]


def preload_of(cells: Iterable[SourceCell], local: Iterable[str]) -> list[str]:
    """Return what to import ahead, of what is installed here.

    These are the packages that a notebook imports, and of those the modules that its given cells
    do: one that a hidden test imports tells of it, and one of the solution's may be missing in
    another's, but for packages that give their modules to whoever asks for them.

    Args:
        cells: of the source notebooks.
        local: modules that lie beside them.
    """
    packages, modules = {"numpy"}, set[str]()
    for cell in cells:
        imported = set(_imported_by(cell.source))
        packages |= {name.partition(".")[0] for name in imported}
        if not cell.is_test:
            known = {n for n in imported if not cell.is_answer or n.partition(".")[0] in GIVING}
            modules |= {name for name in known if _is_there(name)}
    installed = {name for name in packages - set(local) if _is_installed(name)}
    return sorted(installed | {n for n in modules if n.partition(".")[0] in installed})


def _imported_by(source: str) -> Iterator[str]:
    """Give the names of modules that a cell may import."""
    text = python_of(source)
    for node in ast.walk(ast.parse(text)) if text is not None else ():
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_installed(package: str) -> bool:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None and "site-packages" in spec.origin


def _is_there(module: str) -> bool:
    """Return whether a package has a module of this name, which is looked for and not imported."""
    path: Sequence[str] | None = None
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:count]), path)
        if spec is None:
            return False
        path = spec.submodule_search_locations
        if path is None:
            return count == len(parts)
    return True
