"""The source notebook: its cells, numbered and told apart by their syntax trees."""

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from autograder.compiler.reference import PACKAGE, Import, reference_imports
from autograder.compiler.regions import RUBRIC, SOLUTION, find_regions
from autograder.compiler.syntax import blank_magics, bound_names, call_name, nearest, parse, placed
from autograder.errors import SourceError

__all__ = ["MAKER", "Kind", "Manual", "Source", "SourceCell", "defines_check", "read_source"]

MAKER = "matches_reference"  # makes a check in one statement
_KEPT = ("mistake", "alternative")
_KEYS = ("adopted", "given", "hidden", "manual", "points", "question")


class Kind(StrEnum):
    """What a cell of the source is for."""

    GIVEN = "given"  # handed out as it is, or with the reference's code in place of an import
    SOLUTION = "solution"  # an import of the reference, or solution regions
    CHECK = "check"  # checks, and what is hidden
    MANUAL = "manual"  # the answer and the rubric of a question that a person grades


@dataclass(frozen=True)
class Manual:
    """A question that a person grades."""

    question: str
    points: float


@dataclass(frozen=True)
class SourceCell:
    """A cell of the source notebook.

    Attributes:
        number: counted from 1 over all cells.
        type: ``markdown``, ``code`` or ``raw``.
        text: as the author wrote it.
        python: the text of a code cell without IPython's own lines, line by line the same.
        tree: the syntax tree of that; empty unless it is a code cell.
        imports: what it imports from the reference.
        hidden: whether the whole cell stays in the bundle.
        given: whether what it imports from the reference is handed out.
        adopted: from which tool it says that the notebook was adopted; empty if it does not.
    """

    number: int
    type: str
    kind: Kind
    text: str
    python: str = ""
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []), compare=False)
    imports: tuple[Import, ...] = ()
    hidden: bool = False
    given: bool = False
    adopted: str = ""
    manual: Manual | None = None
    attachments: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that it defines, assigns or imports at its top level."""
        return frozenset(bound_names(self.python))

    @property
    def is_code(self) -> bool:
        """Whether it is a code cell."""
        return self.type == "code"


@dataclass(frozen=True)
class Source:
    """A source notebook; ``file`` is its path relative to the course."""

    file: str
    cells: tuple[SourceCell, ...]

    @property
    def adopted(self) -> str:
        """From which tool it was adopted, and is not proved; empty if the full standard holds."""
        return next((cell.adopted for cell in self.cells if cell.adopted), "")


class _RawCell(NamedTuple):
    """A cell as the file has it."""

    type: str
    text: str
    metadata: dict[str, Any]
    attachments: dict[str, Any]

    @classmethod
    def of(cls, cell: Any) -> "_RawCell":
        """Return a cell of nbformat's."""
        text = cell["source"].replace("\r\n", "\n").rstrip("\n")
        return cls(
            cell["cell_type"], text, dict(cell["metadata"]), dict(cell.get("attachments", {}))
        )


def read_source(path: Path, file: str) -> Source:
    """Read a source notebook in percent format or as .ipynb.

    Args:
        path: the notebook.
        file: what error messages call it.

    Raises:
        SourceError: it cannot be read, or a cell is wrong in itself; says which.
    """
    with placed(file):
        raw = _raw_cells(path)
        if not any(cell.text.strip() for cell in raw):
            raise SourceError("the notebook is empty")
    cells = []
    for number, cell in enumerate(raw, 1):
        with placed(file, number):
            cells.append(_cell(number, cell))
    return Source(file, tuple(cells))


def _kept_here(node: ast.AST) -> str | None:
    """Return which of mistake and alternative a node calls, by itself or of a check."""
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else call_name(node)
    return name if name in _KEPT else None


def _raw_cells(path: Path) -> Sequence[_RawCell]:
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise SourceError(f"the file is not UTF-8 (byte {error.start})") from None
    cells = _read_ipynb(text) if path.suffix == ".ipynb" else _read_percent(text)
    # Jupytext keeps what else stands in a file's YAML header as a first raw cell.
    has_header = cells and cells[0].type == "raw" and cells[0].text.startswith("---")
    return cells[1:] if has_header else cells


@lru_cache(maxsize=16)
def _read_percent(text: str) -> tuple[_RawCell, ...]:
    import jupytext

    return tuple(_RawCell.of(cell) for cell in jupytext.reads(text, fmt="py:percent").cells)


def _read_ipynb(text: str) -> list[_RawCell]:
    import nbformat

    try:
        if "nbformat" not in json.loads(text):
            raise KeyError("nbformat")
        notebook = nbformat.convert(nbformat.reader.reads(text), 4)
        return [_RawCell.of(cell) for cell in notebook.cells]
    except json.JSONDecodeError as error:
        raise SourceError(f"the file is not JSON ({error})") from None
    except (AttributeError, KeyError, TypeError, ValueError, nbformat.ValidationError) as error:
        raise SourceError(f"the file is JSON, but no notebook ({error})") from None


def _cell(number: int, raw: _RawCell) -> SourceCell:
    text, metadata = raw.text, raw.metadata
    _require_known(metadata)
    cell = SourceCell(
        number,
        raw.type,
        Kind.GIVEN,
        text,
        hidden=_flag(metadata, "hidden"),
        given=_flag(metadata, "given"),
        adopted=_adopted(metadata),
        manual=_manual(metadata, text),
        attachments=raw.attachments,
    )
    regions = bool(find_regions(text, SOLUTION))
    if find_regions(text, RUBRIC) and not cell.manual:
        raise SourceError("it holds a mark scheme, but no manual=true question=… points=…")
    if cell.is_code:
        return _code_cell(cell, regions)
    if cell.hidden:
        raise SourceError("only code cells can be hidden; delete this one")
    if regions and not cell.manual:
        raise SourceError("a solution in markdown needs manual=true question=… points=…")
    return replace(cell, kind=Kind.MANUAL) if cell.manual else cell


def _code_cell(cell: SourceCell, regions: bool) -> SourceCell:
    python = blank_magics(cell.text)
    tree = parse(python)
    imports = tuple(reference_imports(tree)) if PACKAGE in python else ()
    is_solution, is_check = bool(imports) or regions, _has_check(tree)
    if cell.manual and (cell.hidden or is_check or imports):
        raise SourceError("a manual question has a cell of its own, without imports or checks")
    if cell.given and (not imports or regions or is_check or cell.hidden or cell.manual):
        raise SourceError(
            "given=true belongs to a cell that imports from the reference, and does nothing else "
            "that students do not get"
        )
    if is_solution and is_check and not cell.hidden:
        raise SourceError("a solution and a check stand in one cell; give each its own")
    kind = Kind.GIVEN
    if cell.manual:
        kind = Kind.MANUAL
    elif cell.hidden or is_check:
        kind = Kind.CHECK
    elif is_solution and not cell.given:
        kind = Kind.SOLUTION
    return replace(cell, kind=kind, python=python, tree=tree, imports=imports)


def _has_check(tree: ast.Module) -> bool:
    """Whether a cell defines checks or calls a self-check.

    Raises:
        SourceError: it holds a mistake or an alternative.
    """
    for node in ast.walk(tree):
        if (name := _kept_here(node)) is not None:
            raise SourceError(
                f"line {getattr(node, 'lineno', 1)} calls {name}(…); move it to the bank of its "
                "question, bank/<question>.py beside the notebook"
            )
        if call_name(node) == "self_check" or defines_check(node):
            return True
    return False


def defines_check(node: ast.AST) -> bool:
    """Return whether a node defines a check, in a right way or in a wrong one."""
    if isinstance(node, (ast.Expr, ast.Assign, ast.AnnAssign)) and node.value is not None:
        return call_name(node.value) == MAKER
    decorators = getattr(node, "decorator_list", [])
    return any(call_name(d) in ("check", "case", "domain") for d in decorators)


def _manual(metadata: dict[str, Any], text: str) -> Manual | None:
    if not _flag(metadata, "manual"):
        for key in ("question", "points"):
            if key in metadata:
                raise SourceError(f"it has {key}={metadata[key]!r}, but no manual=true")
        return None
    question, points = metadata.get("question"), metadata.get("points")
    if not isinstance(question, str) or not (question.isidentifier() and question.isascii()):
        raise SourceError(f"a manual question needs question=… with a name, not {question!r}")
    if isinstance(points, bool) or not isinstance(points, (int, float)) or not points >= 0:
        raise SourceError(
            f"manual question {question!r} needs points=… with a number from 0 up, not {points!r}"
        )
    for marks, what in ((SOLUTION, "an example answer"), (RUBRIC, "a rubric")):
        if not find_regions(text, marks):
            raise SourceError(
                f"manual question {question!r} needs {what} between {marks.begin} and {marks.end}"
            )
    return Manual(question, float(points))


def _adopted(metadata: dict[str, Any]) -> str:
    tool = metadata.get("adopted", "")
    if not isinstance(tool, str):
        raise SourceError(
            f'adopted must be the name of a tool, such as adopted="nbgrader", got {tool!r}; delete '
            "it to have every check proved"
        )
    return tool


def _flag(metadata: dict[str, Any], key: str) -> bool:
    value = metadata.get(key, False)
    if not isinstance(value, bool):
        raise SourceError(f"{key} is true or false, not {value!r}")
    return value


def _require_known(metadata: dict[str, Any]) -> None:
    """Refuse a key that is nearly one of ours: a mistyped ``hidden`` would be published."""
    for key in metadata:
        if key not in _KEYS and (hint := nearest(key.lower(), _KEYS, 0.8)):
            raise SourceError(f"the cell has the unknown metadata {key!r}{hint}")
