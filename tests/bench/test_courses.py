"""Measuring courses of others: which notebooks count, and what is counted."""

from pathlib import Path

import pytest

from autograder.bench.courses import Measured, measure, notebooks_in, table
from tests.adopting.conftest import SQUARES, graded, solution, write_notebook
from tests.sharing import fork_servers, sharing_fork_servers

__all__ = ["fork_servers", "sharing_fork_servers"]

CELLS = [
    solution(SQUARES),
    graded("assert squares(2) == [1, 4]", "shown"),
    graded("### AUTOTEST squares(2)\n### HASHED AUTOTEST squares(4); squares(3)", "asked"),
    graded("del squares", "none"),
]


def test_source_notebooks_with_solutions_and_tests_count(tmp_path: Path) -> None:
    stub = solution("def squares(n):\n    raise NotImplementedError()")
    write_notebook(tmp_path / "source" / "ps1" / "a.ipynb", CELLS)
    write_notebook(tmp_path / "release" / "ps1" / "a.ipynb", CELLS)
    write_notebook(tmp_path / ".ipynb_checkpoints" / "a.ipynb", CELLS)
    write_notebook(tmp_path / "given" / "unsolved.ipynb", [stub, *CELLS[1:]])
    write_notebook(tmp_path / "prose.ipynb", CELLS[:1])
    (tmp_path / "broken.ipynb").write_text("{")
    assert [path.name for path in notebooks_in(tmp_path)] == ["a.ipynb"]


@pytest.mark.usefixtures("sharing_fork_servers")
def test_what_is_adopted_published_and_proved_is_counted(tmp_path: Path) -> None:
    found = measure(write_notebook(tmp_path / "a.ipynb", CELLS))
    assert found == Measured(1, 3, 2, 1, 1, 2, 1, 1, 0)
    rows = table([("one", found), ("two", found)]).splitlines()
    assert rows[2] == "| one | 1 | 3 | 2 | 1 | 1 | 2 | 1 | 1 | 0 |"
    assert rows[4] == "| all | 2 | 6 | 4 | 2 | 2 | 4 | 2 | 2 | 0 |"
