"""Grading in CI: a secret that is required, parts of a class, logs, and what a job shows."""

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import cli, display
from autograder.course import CONFIG, Course
from autograder.display import Display
from autograder.secret import require_own_secret
from tests.cli.conftest import Run

SECRET = "sixteen bytes and some more"
SAID = "the course's secret is required and is not set, so nothing is graded"
STUDENTS = ("ada", "bo", "cy", "dee", "eve", "fay")
Secret = Callable[..., None]


@pytest.fixture
def course(compiled: Path, tmp_path: Path) -> Course:
    """A compiled course in which six students have submitted."""
    shutil.copytree(compiled, tmp_path / "course")
    course = Course(tmp_path / "course", "Small")
    for student in STUDENTS:
        folder = course.root / "submitted" / student / "small"
        folder.mkdir(parents=True)
        shutil.copy(course.build("small") / "small_solution.ipynb", folder / "small.ipynb")
    return course


@pytest.fixture
def require(course: Course) -> Path:
    """Say in `course.toml` that a secret is required."""
    path = course.root / CONFIG
    path.write_text("require_secret = true\n" + path.read_text())
    return path


def graded(course: Course) -> set[str]:
    return {path.stem for path in course.results("small").glob("*.json")}


@pytest.mark.parametrize("command", [("grade", "small"), ("regrade", "small", "--apply")])
def test_without_the_required_secret_nothing_is_graded(
    course: Course, require: Path, run: Run, command: tuple[str, ...]
) -> None:
    done = run(course.root, *command)
    assert done.returncode == 3
    assert SAID in done.stderr
    assert graded(course) == set()


def test_an_option_requires_it_too(course: Course, run: Run) -> None:
    done = run(course.root, "grade", "small", "--require-secret")
    assert (done.returncode, graded(course)) == (3, set())
    one = ("--bundle", str(course.bundle("small")), "submitted/ada/small/small.ipynb")
    done = run(course.root, "grade-one", *one, "--require-secret")
    assert done.returncode == 3
    assert SAID in done.stderr
    assert done.stdout == ""


def test_with_the_secret_it_grades(
    course: Course, require: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (course.root.parent / "secret").write_text(SECRET)
    monkeypatch.setenv("AUTOGRADER_SECRET_FILE", str(course.root.parent / "secret"))
    done = run(course.root, "grade", "small", "--student", "ada")
    assert (done.returncode, graded(course)) == (0, {"ada"})
    require_own_secret(SECRET.encode())


def test_what_is_no_truth_value_is_wrong_usage(course: Course, require: Path, run: Run) -> None:
    require.write_text('require_secret = "yes"\n')
    done = run(course.root, "grade", "small")
    assert done.returncode == 2
    assert "course.toml: require_secret must be true or false, got 'yes'" in done.stderr


def test_parts_of_a_class_are_all_of_it_and_a_last_run_puts_them_together(
    course: Course, run: Run, tmp_path: Path
) -> None:
    parts, folders = list[set[str]](), list[Path]()
    for number in (1, 2, 3):
        own = tmp_path / f"job{number}"
        shutil.copytree(course.root, own)
        done = run(own, "grade", "small", "--shard", f"{number}/3", "--quiet")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        parts.append(graded(Course(own)))
        folders += [own / "results"] * bool(parts[-1])
    assert all(one.isdisjoint(other) for one, other in itertools.combinations(parts, 2))
    assert set.union(*parts) == set(STUDENTS)
    for folder in folders:
        shutil.copytree(folder, course.root / "results", dirs_exist_ok=True)
    done = run(course.root, "grade", "small")
    assert "nothing to grade, 6 submissions graded before" in done.stdout
    assert course.feedback("small", "fay").is_file()
    assert "6 submitted" in course.report.read_text()


def test_a_team_is_in_one_part(course: Course, run: Run) -> None:
    path = course.root / CONFIG
    path.write_text(path.read_text() + "\n[assignments.small]\nteams = true\n")
    rows = [f"{'one' if student < 'd' else 'two'},{student}" for student in STUDENTS]
    (course.root / "teams.csv").write_text("\n".join(["team,student", *rows]))
    run(course.root, "grade", "small", "--shard", "1/2", "--quiet")
    first = graded(course)
    run(course.root, "grade", "small", "--shard", "2/2", "--quiet")
    assert first in (set(), {"ada", "bo", "cy"}, {"dee", "eve", "fay"}, set(STUDENTS))
    assert graded(course) == set(STUDENTS)


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "1/0", "a/b", "-1/3", "1/3/4", ""])
def test_what_is_no_part_is_wrong_usage(course: Course, run: Run, shard: str) -> None:
    done = run(course.root, "grade", "small", f"--shard={shard}")
    assert done.returncode == 2
    assert f"--shard must be I/N with I from 1 to N, such as 2/8, got {shard!r}" in done.stderr
    assert graded(course) == set()


def test_quiet_says_nothing_but_what_needs_attention(course: Course, run: Run) -> None:
    (course.root / "submitted" / "bo" / "small" / "small.ipynb").write_text("no notebook")
    done = run(course.root, "grade", "small", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("needs attention: bo: ")


@pytest.mark.parametrize("form", ["--quiet", "--json"])
def test_what_lies_astray_is_said_where_output_is_for_machines(
    course: Course, run: Run, form: str
) -> None:
    for name in ("Small", "notes"):
        (course.root / "submitted" / "bo" / name).mkdir()
    done = run(course.root, "grade", "small", form)
    assert done.returncode == 1
    assert "needs attention: 'submitted/bo/Small' is no assignment" in done.stderr
    assert "notes" not in done.stderr


def test_a_fault_of_the_grader_is_no_submission_to_look_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_parser", lambda _: 1 / 0)
    assert cli.main(["grade"]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_log_has_a_line_now_and_then_that_steers_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = iter(range(0, 1000, 4))
    monkeypatch.setattr(display.time, "monotonic", lambda: float(next(seconds)))
    with Display().progress("small") as progress:
        progress.begin(3)
        for _ in range(3):
            progress.advance(None)
        progress.say("writing \x1b[31mpages")
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0].startswith("small: ")
    assert any("of 3 graded" in line for line in lines)
    assert "\x1b" not in err
    assert "\r" not in err
    assert len(lines) < 4


def test_a_job_shows_a_summary_annotations_and_junit_of_one_run(
    course: Course, run: Run, tmp_path: Path
) -> None:
    notebook = course.root / "submitted" / "ada" / "small" / "small.ipynb"
    cells = json.loads(notebook.read_text())
    for cell in cells["cells"]:
        cell["source"] = "".join(cell["source"]).replace("factor * total", "factor + total")
    notebook.write_text(json.dumps(cells, indent=1))
    forms = [part for form in ("markdown", "annotations", "junit") for part in ("--to", form)]
    one = ("--bundle", str(course.bundle("small")), str(notebook))
    done = run(course.root, "grade-one", *one, *forms, "--out", "shown")
    assert done.returncode == 0
    shown = course.root / "shown"
    assert {p.name for p in shown.iterdir()} == {"summary.md", "annotations.txt", "junit.xml"}
    (line,) = (shown / "annotations.txt").read_text().splitlines()
    assert line.startswith("::error file=submitted/ada/small/small.ipynb,line=")
    number = int(line.partition("line=")[2].partition(",")[0])
    assert "def scaled_sum" in notebook.read_text().splitlines()[number - 1]
    run(course.root, "grade", "small")
    exported = run(course.root, "export", "small", "--to", "annotations", "--student", "ada")
    assert exported.stdout.startswith("::error file=submitted/ada/small/small.ipynb,line=")
    summary = run(course.root, "export", "small", "--to", "markdown").stdout
    assert "6 submitted: " in summary
