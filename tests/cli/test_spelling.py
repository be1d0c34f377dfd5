"""One student is one row, however the accents of a name are written."""

import csv
import shutil
import unicodedata
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from tests.cli.conftest import Run

LETTER, MARK = "zo\xe9", "zoe\u0301"  # one letter, and a letter with a mark


@pytest.fixture
def root(compiled: Path, tmp_path: Path, run: Run) -> Path:
    """A course in which the student of a folder with a mark is graded, and staff gave a score."""
    root = Path(shutil.copytree(compiled, tmp_path / "course"))
    submit(root, MARK)
    assert run(root, "grade").returncode == 0
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("proof", "small", "small", MARK).manual_score = 1.5
        gradebook.update_or_create_student(MARK, first_name="Zo\xe9")
    return root


def submit(root: Path, student: str) -> None:
    folder = root / "submitted" / student / "small"
    folder.mkdir(parents=True)
    shutil.copy(root / "build" / "small" / "small_solution.ipynb", folder / "small.ipynb")


def earned(root: Path, run: Run) -> dict[str, float]:
    done = run(root, "export", "small", "--to", "csv")
    rows = csv.DictReader(done.stdout.splitlines())
    return {row["student"]: float(row["earned"] or "nan") for row in rows}


def of_gradebook(root: Path) -> dict[str, tuple[str, float]]:
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        found = gradebook.assignment_submissions("small")
        return {one.student_id: (one.student.first_name, one.score) for one in found}


def test_a_folder_that_is_written_otherwise_now_is_the_same_student(root: Path, run: Run) -> None:
    assert earned(root, run) == {MARK: 6.5}
    (root / "submitted" / MARK).rename(root / "submitted" / LETTER)
    assert earned(root, run) == {LETTER: 6.5}
    assert run(root, "grade").returncode == 0
    assert earned(root, run) == {LETTER: 6.5}
    assert of_gradebook(root) == {LETTER: ("Zo\xe9", 6.5)}
    for pages in ("feedback", "autograded"):
        assert [path.name for path in (root / pages).iterdir()] == [LETTER]
    assert run(root, "forget", LETTER, "--yes").returncode == 0
    left = [path.name for path in (root / "results" / "small").rglob("*")]
    assert not [name for name in left if unicodedata.normalize("NFC", name).startswith(LETTER)]
    assert earned(root, run) == {}


def test_two_folders_for_an_assignment_are_one_student_whom_nobody_guesses(
    root: Path, run: Run
) -> None:
    submit(root, LETTER)
    (root / "submitted" / LETTER / "small" / "small.ipynb").write_text("something else")
    done = run(root, "grade")
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert (
        f"{LETTER} has two folders for small in submitted/, as the name is written in two ways: "
        "with accents as letters, and as marks of their own; neither is graded until one is "
        "removed"
    ) in said
    assert earned(root, run) == {LETTER: 6.5}
    assert list(of_gradebook(root)) == [LETTER]
    shutil.rmtree(root / "submitted" / MARK)
    assert "two folders" not in run(root, "grade").stdout
    assert list(earned(root, run)) == [LETTER]


def test_folders_for_different_assignments_are_one_student(root: Path, run: Run) -> None:
    (root / "submitted" / LETTER / "other").mkdir(parents=True)
    assert run(root, "grade").returncode in (0, 1)
    assert earned(root, run) == {LETTER: 6.5}
    assert of_gradebook(root) == {LETTER: ("Zo\xe9", 6.5)}
