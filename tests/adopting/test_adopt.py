"""From another tool's notebook to a grade, and what cannot be adopted."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.adopting.adopt import Adopted, adopt, names_for, read_foreign, sources_in
from autograder.artefacts.bundle import read_bundle
from autograder.audit.publish import compile_and_publish
from autograder.course import Course
from autograder.errors import UsageError
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from tests.adopting.conftest import SQUARES, code, graded, markdown, raw, solution, write_notebook

NBGRADER = (
    markdown("# Squares"),
    solution(SQUARES),
    graded(
        "assert squares(1) == [1]\n"
        "### BEGIN HIDDEN TESTS\nassert squares(4) == [1, 4, 9, 16]\n### END HIDDEN TESTS",
        "right",
        2,
    ),
    graded("### AUTOTEST squares(2)\n### HASHED AUTOTEST squares(5)", "asked", 1),
    graded("try:\n    squares(0)\nexcept ValueError:\n    pass\nelse:\n    assert False", "error"),
    solution("def kinds(x):\n    ### BEGIN SOLUTION\n    return set(x)\n    ### END SOLUTION"),
    graded("assert kinds([1, 1, 2]) == {1, 2}", "sets", 3),
    markdown("Because.", grade_id="why", grade=True, solution=True, points=2),
)
OTTER = (
    raw("# BEGIN QUESTION\nname: q1\npoints: 2"),
    raw("# BEGIN SOLUTION"),
    code("def squares(n):\n    return [i ** 2 for i in range(1, n + 1)] # SOLUTION"),
    raw("# END SOLUTION"),
    raw("# BEGIN TESTS"),
    code("assert squares(1) == [1]"),
    code("# HIDDEN\nassert squares(3) == [1, 4, 9]"),
    raw("# END TESTS"),
    raw("# END QUESTION"),
)


def silent(_: str) -> None:
    """Show no progress."""


def grades(course: Course, *submissions: bytes) -> list[dict[str, float]]:
    """Grade submissions to ``hw``; return what each earns by check."""
    bundle = read_bundle(course.bundle("hw"))
    with Grader(bundle, load_bundle_oracle(bundle), b"a secret", course.limits) as grader:
        results = [grader.grade("ada", data) for data in submissions]
    return [{k.name: k.earned for q in r.questions for k in q.checks} for r in results]


@pytest.mark.usefixtures("sharing_fork_servers")
def test_an_nbgrader_notebook_is_adopted_published_and_graded(
    adopted: Callable[..., Adopted], course: Course
) -> None:
    found = adopted(*NBGRADER)
    assert [one.name for one in found.draft.outcomes if one.tests and not one.checks] == []
    outcome = compile_and_publish(course, "hw", silent)
    assert any("adopted, not proved (from nbgrader): " in line for line in outcome.summary)
    right = (course.build("hw") / "hw_solution.ipynb").read_bytes()
    wrong = right.replace(b"i ** 2", b"i * 2").replace(b"set(x)", b"list(x)")
    assert wrong != right
    blank = (course.release("hw") / "hw.ipynb").read_bytes()
    assert b"squares(4)" not in blank
    assert b"squares(5)" not in blank
    assert grades(course, right, wrong, blank) == [
        {"right_visible": 0, "right": 2, "asked": 1, "error": 1, "sets": 3},
        {"right_visible": 0, "right": 0, "asked": 0, "error": 1, "sets": 0},
        {"right_visible": 0, "right": 0, "asked": 0, "error": 0, "sets": 0},
    ]


@pytest.mark.usefixtures("sharing_fork_servers")
def test_an_otter_notebook_is_adopted_published_and_graded(
    adopted: Callable[..., Adopted], course: Course
) -> None:
    adopted(*OTTER)
    compile_and_publish(course, "hw", silent)
    right = (course.build("hw") / "hw_solution.ipynb").read_bytes()
    wrong = right.replace(b"i ** 2", b"i")
    assert grades(course, right, wrong) == [{"q1": 1, "q1_2": 1}, {"q1": 1, "q1_2": 0}]


def test_several_notebooks_of_a_folder_become_several_assignments(tmp_path: Path) -> None:
    folder = tmp_path / "ps1"
    for name in ("Problem 1", "problem-2"):
        write_notebook(folder / f"{name}.ipynb", OTTER)
    paths = sources_in(folder)
    assert names_for(paths, folder, None) == ["ps1_problem_1", "ps1_problem_2"]
    assert names_for(paths, folder, "hw1") == ["hw1_problem_1", "hw1_problem_2"]
    assert names_for(paths[:1], folder, None) == ["ps1"]
    assert names_for(paths[:1], paths[0], None) == ["problem_1"]


def test_what_is_there_is_replaced_by_force_alone(course: Course, tmp_path: Path) -> None:
    foreign = read_foreign(write_notebook(tmp_path / "hw.ipynb", OTTER))
    path = adopt(course, foreign, "hw").path
    path.write_text("# mine\n")
    with pytest.raises(UsageError, match=r"assignments/hw/hw\.py already; --force replaces it"):
        adopt(course, foreign, "hw")
    assert path.read_text() == "# mine\n"
    adopt(course, foreign, "hw", force=True)
    assert "adopted" in path.read_text()
    shutil.rmtree(path.parent)


@pytest.mark.parametrize(
    ("cells", "metadata", "said"),
    [
        ([markdown("# Hello")], {}, "has no cells of nbgrader's or Otter's"),
        ([solution(SQUARES)], {}, "has no test cell"),
        (OTTER, {"language_info": {"name": "julia"}}, "is written in julia"),
        (OTTER, {"kernelspec": {"name": "ir", "display_name": "R"}}, "is written in R"),
        ([code("from autograder import check"), *OTTER], {}, "a notebook of autograder's already"),
    ],
)
def test_what_cannot_be_adopted_is_refused(
    tmp_path: Path, cells: list[object], metadata: dict[str, object], said: str
) -> None:
    path = write_notebook(tmp_path / "hw.ipynb", cells, **metadata)
    with pytest.raises(UsageError, match=said):
        read_foreign(path)


def test_no_notebook_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        read_foreign(tmp_path / "none.ipynb")
    (tmp_path / "broken.ipynb").write_text("{")
    with pytest.raises(UsageError, match="is no notebook"):
        read_foreign(tmp_path / "broken.ipynb")
    write_notebook(tmp_path / "source" / "ps1" / "hw.ipynb", OTTER)
    with pytest.raises(UsageError, match=r"name one of its folders, such as .*ps1"):
        sources_in(tmp_path / "source")
