"""A course whose gradebook is a database on a PostgreSQL server, by our commands and nbgrader's."""

import csv
import shutil
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from traitlets.config import Config

from autograder.course import find_course
from autograder.nbgrader_hooks import configure
from tests.cli.conftest import Run
from tests.postgresql import Server, server

__all__ = ["Server", "server"]


def submit(root: Path, student: str) -> None:
    folder = root / "submitted" / student / "small"
    folder.mkdir(parents=True)
    shutil.copy(root / "build" / "small" / "small_solution.ipynb", folder / "small.ipynb")


def nbgraders(root: Path) -> str:
    """Return the gradebook that nbgrader and formgrader open in the course."""
    config = Config()
    configure(config, str(root / "nbgrader_config.py"))
    return str(config.CourseDirectory.db_url)


def earned(root: Path, run: Run) -> dict[str, str]:
    done = run(root, "export", "small", "--to", "csv")
    return {row["student"]: row["earned"] for row in csv.DictReader(done.stdout.splitlines())}


@pytest.mark.takes(seconds=10)
def test_a_course_on_a_server_goes_on_while_it_is_down_and_catches_up(
    server: Server, compiled: Path, tmp_path: Path, run: Run
) -> None:
    root = Path(shutil.copytree(compiled, tmp_path / "course"))
    with (root / "course.toml").open("a") as file:
        file.write(f'\n[gradebook]\nurl = "{server.new()}"\n')
    (root / "roster.csv").write_text("student,first_name\nada,Ada\nbo,Bo\n")
    submit(root, "ada")
    assert run(root, "grade").returncode == 0
    assert not (root / "gradebook.db").exists()
    with Gradebook(nbgraders(root)) as gradebook:
        assert gradebook.find_submission("small", "ada").score == 5.0
        gradebook.find_grade("proof", "small", "small", "ada").manual_score = 1.5
        gradebook.add_student("cy", first_name="Cy")
        gradebook.db.commit()
    assert float(earned(root, run)["ada"]) == 6.5
    assert run(root, "grade").returncode == 0

    server.stop()
    submit(root, "bo")
    done = run(root, "grade")
    assert done.returncode == 3
    (said,) = (line for line in done.stderr.splitlines() if "cannot be reached" in line)
    assert said.endswith("put that right, and run the same command again; no score is lost")
    assert (root / "results" / "small" / "bo.json").is_file()
    assert find_course(root).feedback("small", "bo").is_file()
    assert {"ada": 6.5, "bo": 5.0}.items() <= {
        student: float(points) for student, points in earned(root, run).items() if points
    }.items()
    for reads in (["report"], ["feedback"], ["export", "small"]):
        done = run(root, *reads)
        assert (done.returncode, done.stderr.count("cannot be reached")) == (1, 1)
    done = run(root, "forget", "ada", "--yes")
    assert (done.returncode, "cannot be reached" in done.stderr) == (3, True)
    assert (root / "results" / "small" / "ada.json").is_file()
    assert "cannot be reached" in run(root, "collect", str(root / "submitted"), "small").stderr

    server.start()
    assert run(root, "grade").returncode == 0
    with Gradebook(nbgraders(root)) as gradebook:
        assert gradebook.find_submission("small", "bo").score == 5.0
        assert gradebook.find_submission("small", "ada").score == 6.5
    assert run(root, "forget", "cy", "--yes").returncode == 0
    assert run(root, "forget", "ada", "--yes").returncode == 0
    assert "Cy" not in (root / "results" / "names.jsonl").read_text()
    with Gradebook(nbgraders(root)) as gradebook:
        assert [student.id for student in gradebook.students] == ["bo"]


def test_another_gradebook_in_nbgraders_configuration_is_refused(
    compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbgrader.converters import Autograde, NbGraderException
    from nbgrader.coursedir import CourseDirectory

    root = Path(shutil.copytree(compiled, tmp_path / "course"))
    config = Config()
    configure(config, str(root / "nbgrader_config.py"))
    config.CourseDirectory.db_url = f"sqlite:///{tmp_path}/other.db"
    config.CourseDirectory.assignment_id = "small"
    converter = Autograde(coursedir=CourseDirectory(config=config), config=config)
    with pytest.raises(NbGraderException, match=r"names another gradebook than course\.toml does"):
        converter.start()
