"""`grade-one` where it mostly runs: as root in a container, which may not make namespaces."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from autograder.sandbox.isolation import landlock
from tests.cli.conftest import ENVIRONMENT

SOMEBODY = Path(__file__).parents[1] / "somebody.py"
Done = subprocess.CompletedProcess[str]
GradeOne = Callable[..., Done]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become root in a container"),
    pytest.mark.skipif(
        landlock.abi() < landlock.NEEDED_ABI, reason="this kernel's Landlock is too old"
    ),
]

# Earns its points only if it can read what no session may.
SPY = """
    try:
        open({path!r}).close()
        leaked = 1
    except OSError:
        leaked = 0
    return leaked * factor * total"""


@pytest.fixture
def container(compiled: Path, tmp_path: Path) -> Path:
    """Gradescope's folders: the bundle with a secret beside it, and a submission."""
    build = compiled / "build" / "small"
    source, submission = tmp_path / "source", tmp_path / "submission"
    source.mkdir()
    submission.mkdir()
    shutil.copy(build / "small.bundle", source)
    (source / "secret.txt").write_text("a secret of this test alone")
    shutil.copy(build / "small_solution.ipynb", submission / "small.ipynb")
    return tmp_path


@pytest.fixture
def grade_one(container: Path) -> GradeOne:
    def grade_one(*arguments: str) -> Done:
        command = [sys.executable, "-m", "autograder", "grade-one", "--bundle"]
        command += [str(container / "source" / "small.bundle"), *arguments]
        command.append(str(container / "submission"))
        return subprocess.run(
            [sys.executable, str(SOMEBODY), "--in", str(container), "container", *command],
            env={**ENVIRONMENT, "AUTOGRADER_SECRET_FILE": str(container / "source" / "secret.txt")},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    return grade_one


def test_the_sessions_get_a_user_of_their_own_and_the_points_are_the_same(
    grade_one: GradeOne,
) -> None:
    done = grade_one()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Small homework: 5 of 7 points so far\n")
    assert done.stderr == (
        "The code ran in a weaker sandbox, isolation level own user: see docs/security.md.\n"
    )


@pytest.mark.parametrize("file", ["source/small.bundle", "source/secret.txt"])
def test_a_submission_reads_neither_bundle_nor_secret_whatever_their_modes(
    container: Path, grade_one: GradeOne, file: str
) -> None:
    for path in (container, container / "source", container / file):
        path.chmod(0o777)
    notebook = nbformat.read(container / "submission" / "small.ipynb", as_version=4)
    for cell in notebook.cells:
        spy = SPY.format(path=str(container / file))
        cell.source = cell.source.replace("\n    return factor * total", spy)
    assert any("leaked" in cell.source for cell in notebook.cells)
    nbformat.write(notebook, container / "submission" / "small.ipynb")
    done = grade_one()
    assert done.returncode == 0, done.stderr
    assert "1 A scaled sum: 0/4, no points" in done.stdout


def test_where_the_course_wants_more_nothing_is_graded(
    container: Path, grade_one: GradeOne
) -> None:
    (container / "source" / "course.toml").write_text('min_isolation = "namespaces"\n')
    done = grade_one("--to", "gradescope", "--out", str(container / "results.json"))
    assert done.returncode == 3, done.stderr
    assert "isolation level namespaces: " in done.stderr
    assert not (container / "results.json").exists()
