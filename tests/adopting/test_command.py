"""The command line of adopting: what it tells, and how it ends."""

from pathlib import Path

import pytest

from autograder.cli import main
from autograder.course import Course
from tests.adopting.conftest import SQUARES, code, graded, markdown, solution, write_notebook


@pytest.fixture
def here(course: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.chdir(course.root)
    return course


def test_it_prints_what_a_person_must_look_at(
    here: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_notebook(
        tmp_path / "Problem 1.ipynb",
        [
            solution(SQUARES),
            graded("assert squares(1) == [1]", "right", 2),
            graded("del squares", "without", 0.5),
            markdown("Because.", grade_id="why", grade=True, solution=True, points=1),
        ],
    )
    assert main(["adopt", str(path), "--name", "hw1"]) == 0
    assert capsys.readouterr().out == (
        "hw1: adopted from nbgrader, not proved; wrote assignments/hw1/hw1.py\n"
        "  test cells      2 (2.5 points)\n"
        "  rewritten       1 (2 points)\n"
        "  manual answers  1\n"
        "  files           0\n"
        "  to look at      2\n"
        "    cell 3, without: it deletes 'squares'\n"
        "    cell 4, why: it has no mark scheme; write one\n"
        "next: autograder compile hw1, and autograder audit hw1\n"
    )
    assert main(["adopt", str(path), "--name", "hw1"]) == 2
    assert "--force replaces it" in capsys.readouterr().err


def test_a_draft_that_does_not_compile_needs_attention(
    here: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [code("import no_such_package as p"), solution(SQUARES), graded("assert squares(p.x)")]
    assert main(["adopt", str(write_notebook(tmp_path / "hw.ipynb", cells))]) == 1
    said = capsys.readouterr().out
    assert "it does not compile yet: ModuleNotFoundError" in said
    assert "write draft = true under [assignments.hw] in course.toml" in said
    assert (here.root / "assignments" / "hw" / "hw.py").is_file()


def test_outside_of_a_course_it_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["adopt", "hw.ipynb"]) == 2
    assert "autograder new --course TITLE makes this folder one" in capsys.readouterr().err


def test_its_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["adopt", "--help"])
    assert "example: autograder adopt" in capsys.readouterr().out
