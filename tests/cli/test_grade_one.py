"""One notebook without a class, as Gradescope's container and a student's CI grade it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from tests.cli.conftest import ENVIRONMENT, Run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gradescope.md"
Done = subprocess.CompletedProcess[str]
SECRET = "a secret of this test alone"


@pytest.fixture
def away(compiled: Path, tmp_path: Path) -> Path:
    """A folder without a course: the bundle and the solution."""
    build = compiled / "build" / "small"
    shutil.copy(build / "small.bundle", tmp_path)
    shutil.copy(build / "small_solution.ipynb", tmp_path / "small.ipynb")
    shutil.copy(compiled / "release" / "small" / "small.ipynb", tmp_path / "blank.ipynb")
    return tmp_path


def with_wrong_sum(away: Path) -> None:
    notebook = nbformat.read(away / "small.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("return factor * total", "return total")
    nbformat.write(notebook, away / "small.ipynb")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_a_notebook_is_graded_without_a_course_and_nothing_is_written(away: Path, run: Run) -> None:
    before = files(away)
    with_wrong_sum(away)
    done = run(away, "grade-one", "--bundle", "small.bundle", "small.ipynb")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Small homework: 1 of 7 points so far"
    assert "1 A scaled sum: 0/4, no points" in lines
    assert "    looks like: the factor is forgotten altogether" in lines
    assert "mind the default" not in done.stdout, "a hint is a guess, and this is known"
    assert "many numbers" not in done.stdout, "that is the name of a hidden case"
    assert "demo secret" in done.stderr
    assert files(away) == before


def test_the_forms_say_the_same(away: Path, run: Run) -> None:
    call = ("grade-one", "--bundle", "small.bundle", ".")
    (away / "blank.ipynb").unlink()
    (row,) = json.loads(run(away, *call, "--to", "json", "--student", "ada").stdout)[0]["students"]
    assert (row["student"], row["earned"], row["status"]) == ("ada", 5.0, "pending")
    assert run(away, *call, "--to", "junit", "--out", "junit.xml").stdout == "wrote junit.xml\n"
    root = ElementTree.parse(away / "junit.xml").getroot()
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("0", "0", "1")
    found = json.loads(run(away, *call, "--to", "gradescope").stdout)
    assert [test.get("score") for test in found["tests"]] == [4.0, 1.0, None]


def test_a_path_that_is_not_there_is_wrong_usage_and_names_what_is(away: Path, run: Run) -> None:
    done = run(away, "grade-one", "--bundle", "small.bundle", "nothing.ipynb")
    assert done.returncode == 2
    there = "there are: blank.ipynb, small.bundle, small.ipynb"
    assert f"there is no nothing.ipynb; {there}" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["empty", "broken.ipynb"])
def test_what_cannot_be_read_is_for_staff_and_no_zero(away: Path, run: Run, name: str) -> None:
    (away / "broken.ipynb").write_text("this is no notebook")
    (away / "empty").mkdir()
    call = ("grade-one", "--bundle", "small.bundle", name)
    done = run(away, *call)
    assert done.returncode == 1
    assert done.stdout.startswith("Small homework: not graded yet\nThis could not be graded.")
    done = run(away, *call, "--to", "gradescope")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert "staff will act" in found["output"]
    assert "score" not in found
    assert not any("score" in test for test in found["tests"])


def test_without_a_bundle_it_says_so(away: Path, run: Run) -> None:
    done = run(away, "grade-one", "--bundle", "no.bundle", "small.ipynb")
    assert done.returncode == 3
    assert "there is no bundle" in done.stderr


@pytest.mark.parametrize("text", ["[]", "{}", '{"users": [1]}', "no JSON"])
def test_metadata_that_are_none_are_wrong_usage(away: Path, run: Run, text: str) -> None:
    (away / "metadata.json").write_text(text)
    call = ("grade-one", "--bundle", "small.bundle", "small.ipynb", "--metadata", "metadata.json")
    done = run(away, *call)
    assert done.returncode == 2
    assert "metadata.json is no metadata of Gradescope: it names no users" in done.stderr


@pytest.fixture
def container(compiled: Path, tmp_path: Path) -> Path:
    """The folder that stands for ``/autograder``, as Gradescope and the page fill it."""
    root = tmp_path / "autograder"
    for name in ("source", "submission", "results"):
        (root / name).mkdir(parents=True)
    build = compiled / "build" / "small"
    shutil.copy(build / "small.bundle", root / "source")
    shutil.copy(build / "small_solution.ipynb", root / "submission" / "small.ipynb")
    (root / "source" / "course.toml").write_text("[limits]\ncall_seconds = 7\n")
    (root / "source" / "secret.txt").write_text(SECRET)
    users = [{"email": "ada@example.org", "id": 1, "name": "Ada"}]
    metadata = {"id": 1, "users": users, "assignment": {"title": "Small"}}
    (root / "submission_metadata.json").write_text(json.dumps(metadata))
    return root


@pytest.fixture
def run_autograder(container: Path, warm: Path) -> Callable[[], Done]:
    """Does what the page's run_autograder does, with the container for ``/autograder``."""
    return lambda: follow_the_page(container, warm / "autograder")


def follow_the_page(root: Path, program: Path) -> Done:
    scripts = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    setup, run = (script.replace("NAME", "small") for script in scripts)
    run = run.replace("/autograder/", f"{root}/").replace(
        "/opt/grader/bin/autograder", str(program)
    )
    run = run.rstrip("\n") + f" --metadata {root}/submission_metadata.json\n"
    (closing,) = [line for line in setup.splitlines() if line.startswith("chmod")]
    return subprocess.run(
        ["bash", "-c", closing.replace("/autograder/", f"{root}/") + "\n" + run],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=root,
    )


def test_what_the_page_says_writes_gradescopes_results(
    container: Path, run_autograder: Callable[[], Done]
) -> None:
    done = run_autograder()
    assert (done.returncode, done.stderr) == (0, "")
    assert os.stat(container / "source" / "secret.txt").st_mode & 0o077 == 0
    text = (container / "results" / "results.json").read_text()
    found = json.loads(text)
    assert [(t["number"], t["max_score"], t.get("score")) for t in found["tests"]] == [
        ("1", 4.0, 4.0),
        ("2", 1.0, 1.0),
        ("3", 2.0, None),
    ]
    assert {test["visibility"] for test in found["tests"]} == {"visible"}
    assert "score" not in found, "a question waits for a person"
    assert found["extra_data"]["earned"] == 5.0
    for hidden in (SECRET, "many numbers", "the right one, hidden", "second of two"):
        assert hidden not in text


def test_a_submission_that_cannot_be_graded_tells_gradescope_that_staff_act(
    container: Path, run_autograder: Callable[[], Done]
) -> None:
    (container / "submission" / "small.ipynb").write_text("this is no notebook")
    assert run_autograder().returncode == 1
    found = json.loads((container / "results" / "results.json").read_text())
    assert "staff will act" in found["output"]
