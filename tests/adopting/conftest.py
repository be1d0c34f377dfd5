"""Small notebooks of other tools', written by hand."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.adopting.adopt import Adopted, adopt, read_foreign
from autograder.course import Course
from tests.sharing import fork_servers, sharing_fork_servers

__all__ = ["fork_servers", "sharing_fork_servers"]

Cell = Any
SQUARES = """\
def squares(n):
    \"\"\"Return the squares of 1 to n.\"\"\"
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError("n must be 1 or more")
    return [i ** 2 for i in range(1, n + 1)]
    ### END SOLUTION"""


def markdown(text: str, **nbgrader: Any) -> Cell:
    return nbformat.v4.new_markdown_cell(text, metadata=_marks(nbgrader))


def code(text: str, output: str | None = None, **nbgrader: Any) -> Cell:
    cell = nbformat.v4.new_code_cell(text, metadata=_marks(nbgrader))
    if output is not None:
        data = {"text/plain": output}
        cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=1)]
    return cell


def raw(text: str) -> Cell:
    return nbformat.v4.new_raw_cell(text)


def solution(text: str, name: str = "solution") -> Cell:
    return code(text, grade_id=name, solution=True, grade=False)


def graded(text: str, name: str = "tests", points: float = 1) -> Cell:
    return code(text, grade_id=name, grade=True, solution=False, locked=True, points=points)


def _marks(nbgrader: dict[str, Any]) -> dict[str, Any]:
    return {"nbgrader": {"schema_version": 3, **nbgrader}} if nbgrader else {}


def write_notebook(path: Path, cells: Sequence[Cell], **metadata: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.v4.new_notebook(cells=list(cells), metadata=metadata)
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def course(tmp_path: Path) -> Course:
    root = tmp_path / "course"
    root.mkdir()
    (root / "course.toml").write_text('name = "Ours"\n')
    return Course(root)


@pytest.fixture
def adopted(course: Course, tmp_path: Path) -> Callable[..., Adopted]:
    """Adopt a notebook of these cells as the assignment ``hw``."""

    def adopted(*cells: Cell) -> Adopted:
        path = write_notebook(tmp_path / "old" / "hw.ipynb", cells)
        return adopt(course, read_foreign(path), "hw", force=True)

    return adopted


@pytest.fixture
def draft(adopted: Callable[..., Adopted]) -> Callable[..., str]:
    """Adopt a notebook that compiles then, and return the draft's text."""

    def draft(*cells: Cell) -> str:
        found = adopted(*cells)
        assert found.hindrance == ""
        return found.path.read_text(encoding="utf-8")

    return draft


@pytest.fixture
def why(adopted: Callable[..., Adopted]) -> Callable[..., str]:
    """Adopt `squares` with a test cell that is not rewritten, and return why."""

    def why(text: str, *others: Cell) -> str:
        found = adopted(*others, solution(SQUARES), graded(text))
        (outcome,) = (one for one in found.draft.outcomes if one.name == "tests")
        assert outcome.checks == ()
        assert f"#     {text.splitlines()[-1]}" in found.draft.text
        return outcome.look[0]

    return why
