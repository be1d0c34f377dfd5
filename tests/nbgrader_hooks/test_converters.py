"""nbgrader's converters in a small course: what they did to it once cannot happen."""

import csv
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jupytext
import nbformat
import pytest

from autograder.artefacts.proof import proof_file
from autograder.compiler.new_course import NBGRADER_CONFIG
from autograder.course import Course
from autograder.nbgrader_hooks.config import course_id
from autograder.nbgrader_hooks.converters import _instead_of
from tests.nbgrader_hooks.conftest import environment

pytestmark = pytest.mark.timeout(300)

SUM = "def scaled_sum(x, factor=2.0):\n    return factor * x.sum()"
RUBRIC = "naming distributivity"


class Small:
    """The small course, with nbgrader's configuration."""

    def __init__(self, root: Path, programs: Path) -> None:
        self.root, self.programs = root, programs
        (root / "nbgrader_config.py").write_text(NBGRADER_CONFIG)

    def nbgrader(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.call(self.programs / "nbgrader", *arguments)

    def call(self, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            cwd=self.root,
            env=environment(self.root.parent),
            capture_output=True,
            text=True,
            check=False,
        )

    def submit(self, student: str, timestamp: str | None = None, **answers: str) -> None:
        notebook = nbformat.read(self.root / "release/small/small.ipynb", 4)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(name, cell.source)
        path = self.root / "submitted" / student / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
        if timestamp:
            path.with_name("timestamp.txt").write_text(timestamp)

    def scores(self) -> dict[str, float]:
        """Return the score of each student, as nbgrader's own tables have it."""
        query = """select a.student_id, sum(coalesce(g.manual_score, g.auto_score, 0))
            from grade g join submitted_notebook n on g.notebook_id = n.id
            join submitted_assignment a on n.assignment_id = a.id group by a.student_id"""
        with sqlite3.connect(self.root / "gradebook.db") as db:
            found = dict(db.execute(query))
        db.close()
        return found

    def penalties(self) -> dict[str, float | None]:
        query = """select a.student_id, n.late_submission_penalty from submitted_notebook n
            join submitted_assignment a on n.assignment_id = a.id"""
        with sqlite3.connect(self.root / "gradebook.db") as db:
            found = dict(db.execute(query))
        db.close()
        return found


@pytest.fixture
def small(compiled: Path, tmp_path: Path, warm: Path) -> Small:
    root = tmp_path / "course"
    shutil.copytree(compiled, root)
    return Small(root, warm)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def as_ipynb(small: Small) -> None:
    """Turn the source notebook into the form that nbgrader's Generate publishes by itself."""
    source = small.root / "assignments" / "small" / "small.py"
    jupytext.write(jupytext.read(source), source.with_suffix(".ipynb"))
    source.unlink()


def test_generate_with_force_compiles_an_ipynb_and_publishes_nothing_hidden(small):
    as_ipynb(small)
    before = files(small.root / "release")
    done = small.nbgrader("generate_assignment", "small", "--force")
    assert done.returncode == 0, done.stderr
    assert "2 checks" in done.stderr
    after = files(small.root / "release")
    assert after.keys() == before.keys()
    notebook = after["small/small.ipynb"].decode()
    for hidden in ("many numbers", "the right one, hidden", RUBRIC, "commutes with scaling"):
        assert hidden not in notebook


def test_generate_that_is_refused_says_why_and_leaves_the_release(small):
    as_ipynb(small)
    proof_file(Course(small.root, "Small"), "small").unlink()
    bank = small.root / "assignments" / "small" / "bank" / "choice.py"
    bank.write_text(bank.read_text().replace("the first of two", "the second of two"))
    before = files(small.root / "release")
    done = small.nbgrader("generate_assignment", "small", "--force")
    assert done.returncode == 1
    assert "small is not published" in done.stderr
    assert files(small.root / "release") == before


def test_who_answered_nothing_gets_nothing_late_work_loses_what_the_plugin_says(small):
    with (small.root / "nbgrader_config.py").open("a") as file:
        file.write("c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    due = ("db", "assignment", "add", "small", "--duedate", "2026-10-01 12:00")
    done = small.call(Path(sys.executable).with_name("nbgrader"), *due)  # from nothing, this once
    assert done.returncode == 0, done.stderr
    small.submit("ada", "2026-10-01 11:00:00 UTC", solution_scaled_sum=SUM, proof="It distributes.")
    small.submit("bo")  # came in by hand: no time, no secret
    small.submit("cy", "2026-10-01 13:00:00 UTC", solution_scaled_sum=SUM)
    done = small.nbgrader("autograde", "small", "--force")
    assert done.returncode == 0, done.stderr
    assert small.scores() == {"ada": 4.0, "bo": 0.0, "cy": 4.0}
    assert small.penalties() == {"ada": None, "bo": None, "cy": 4.0}
    autograded = files(small.root / "autograded")
    assert sorted(autograded) == [f"{one}/small/small.ipynb" for one in ("ada", "bo", "cy")]
    rows = list(csv.DictReader(autograder(small, "export").splitlines()))
    assert [(row["earned"], row["penalty"]) for row in rows] == [
        ("4.0", "0.0"),
        ("0.0", "0.0"),
        ("0.0", "4.0"),
    ]

    done = small.nbgrader("release_feedback", "small", "--Exchange.root", str(exchange(small)))
    assert done.returncode == 0, done.stderr
    pages = files(small.root.parent / "exchange" / "small" / "feedback")
    assert len(pages) == 3
    for page in (*pages.values(), *autograded.values()):
        assert RUBRIC.encode() not in page


def autograder(small: Small, *arguments: str) -> str:
    done = small.call(small.programs / "autograder", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def exchange(small: Small) -> Path:
    folder = small.root.parent / "exchange"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "small").mkdir()
    return folder


def test_nbgrader_without_our_configuration_gives_no_points(small):
    small.submit("bo")
    autograder(small, "grade")
    assert small.scores() == {"bo": 0.0}
    (small.root / "nbgrader_config.py").unlink()
    done = small.nbgrader("autograde", "small", "--force")
    assert done.returncode == 1
    assert "There was an error processing assignment 'small' for student 'bo'" in done.stderr
    assert small.scores() == {"bo": 0.0}


def test_nbgrader_stops_where_our_package_is_missing(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "autograder.nbgrader_hooks", None)
    code = compile(NBGRADER_CONFIG, "nbgrader_config.py", "exec")
    with pytest.raises(SystemExit, match=r"^nbgrader_config\.py: import of autograder"):
        exec(code, {"get_config": SimpleNamespace, "__file__": "nbgrader_config.py"})


def test_a_folder_that_is_no_course_of_ours_keeps_nbgraders(tmp_path):
    called = []
    start = _instead_of(called.append, lambda *_: pytest.fail("ours was called"))
    converter = SimpleNamespace(coursedir=SimpleNamespace(root=str(tmp_path)))
    start(converter)
    assert called == [converter]


@pytest.mark.parametrize(
    ("name", "called"),
    [("Deep Learning", "deep-learning"), ("CS 101: Größe!", "cs-101-gr-e"), ("…", "course")],
)
def test_the_exchange_calls_a_course_by_a_name_that_a_folder_can_have(name, called):
    assert course_id(name) == called
