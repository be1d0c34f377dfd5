"""The command line, as its users call it."""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import nbformat
import pytest

from autograder import cli
from autograder.course import Course
from tests.cli.conftest import ENVIRONMENT, Run, run_alone
from tests.each import require_each

WriteCourse = Callable[..., Course]


def submit(course: Course, student: str, notebook: Path | str) -> None:
    path = course.root / "submitted" / student / "small" / "small.ipynb"
    path.parent.mkdir(parents=True)
    text = notebook.read_text() if isinstance(notebook, Path) else notebook
    path.write_text(text)


@pytest.fixture
def graded_course(compiled: Path, tmp_path: Path) -> Course:
    """A course with three submissions, compiled but not graded."""
    shutil.copytree(compiled, tmp_path / "course")
    course = Course(tmp_path / "course", "Small")
    submit(course, "right", course.build("small") / "small_solution.ipynb")
    submit(course, "blank", course.release("small") / "small.ipynb")
    submit(course, "other", "this is no notebook")
    return course


@pytest.mark.parametrize("command", [known.name for known in cli.COMMANDS])
def test_each_command_has_help_with_an_example(command: str, run: Run) -> None:
    done = run(Path.cwd(), command, "--help")
    assert done.returncode == 0
    assert f"example: autograder {command}" in done.stdout


def test_a_command_reads_its_arguments_alone_as_among_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def said(parser: argparse.ArgumentParser, *arguments: str) -> tuple[object, ...]:
        with pytest.raises(SystemExit) as left:
            parser.parse_args(arguments)
        return left.value.code, *capsys.readouterr()

    def holds(*arguments: str) -> None:
        assert said(cli._parser(arguments), *arguments) == said(cli._parser(), *arguments)

    names = [known.name for known in cli.COMMANDS]
    ways = [(), ("--help",), ("--version",), ("nothing",), ("--bogus", "grade")]
    ways += [(name, more) for name in names for more in ("--help", "--no-such-option")]
    require_each(ways, holds)


def test_no_command_is_wrong_usage() -> None:
    assert run_alone(Path.cwd()).returncode == 2


def test_outside_of_a_course_the_message_says_so(tmp_path: Path, run_warm: Run) -> None:
    done = run_warm(tmp_path, "compile")
    assert done.returncode == 2
    assert done.stderr.startswith("autograder: no course.toml in ")


def test_an_unknown_assignment_is_named_with_the_known_ones(
    write_proven_course: WriteCourse,
    run: Run,
) -> None:
    done = run(write_proven_course().root, "compile", "smal")
    assert done.returncode == 2
    assert done.stderr == "autograder: there is no assignment 'smal'; there are: small\n"


def test_a_draft_is_left_out_unless_it_is_named(write_proven_course: WriteCourse, run: Run) -> None:
    course = write_proven_course()
    with (course.root / "course.toml").open("a") as file:
        file.write("\n[assignments.small]\ndraft = true\n")
    done = run(course.root, "compile")
    assert done.returncode == 2
    assert "there is no assignment" in done.stderr
    assert run(course.root, "compile", "small").returncode == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("draft = 1", "assignments.small.draft must be true or false, got 1"),
        (
            "a = 1",
            "a key of assignments.small must be limits, draft, due, attempts or teams, got 'a'",
        ),
        ("limits = 1", "assignments.small.limits must be a table, got 1"),
        ("[assignments]\nother = 1", "assignments.other must be a table, got 1"),
    ],
)
def test_what_a_course_says_of_an_assignment_must_be_known(
    write_proven_course: WriteCourse, line: str, words: str, run: Run
) -> None:
    course = write_proven_course()
    with (course.root / "course.toml").open("a") as file:
        file.write(f"\n[assignments.small]\n{line}\n")
    done = run(course.root, "compile")
    assert done.returncode == 2
    assert words in done.stderr


def test_grading_before_compiling_says_what_to_do(
    write_proven_course: WriteCourse, run: Run
) -> None:
    done = run(write_proven_course().root, "grade")
    assert done.returncode == 2
    assert "small is not compiled; run: autograder compile small" in done.stderr


def test_a_second_compile_has_nothing_to_do(write_proven_course: WriteCourse, run: Run) -> None:
    root = write_proven_course().root
    assert "wrote release/small/ and build/small/" in run(root, "compile").stdout
    done = run(root, "compile")
    assert done.stdout == "small: nothing to compile, release and bundle are up to date\n"
    assert "wrote release/small/" in run(root, "compile", "--force").stdout


def test_a_bad_source_is_one_sentence_and_exit_1(
    write_proven_course: WriteCourse, run_warm: Run
) -> None:
    done = run_warm(write_proven_course(("points=4", 'points="four"')).root, "compile")
    assert done.returncode == 1
    assert done.stderr == (
        "autograder: assignments/small/small.py, cell 5: check scaled_sum_matches_reference: "
        "points must be a number, 0 or more, got 'four'\n"
    )


def test_a_refused_audit_is_exit_1_and_names_the_check(
    write_proven_course: WriteCourse, run: Run
) -> None:
    done = run(write_proven_course(("return x.sum()", "return 2 * x.sum()")).root, "audit")
    assert done.returncode == 1
    assert "check scaled_sum_matches_reference: the mistake" in done.stderr


def test_an_audit_prints_a_line_for_each_check(write_proven_course: WriteCourse, run: Run) -> None:
    done = run(write_proven_course().root, "audit", "small")
    assert done.returncode == 0, done.stderr
    assert "scaled_sum_matches_reference" in done.stdout
    assert "2 of 2 mistakes and 25 null models rejected" in done.stdout
    assert "score 100.0 %" in done.stdout


def test_a_class_is_graded_and_a_second_run_has_nothing_to_do(
    graded_course: Course, run_warm: Run
) -> None:
    root = graded_course.root
    (root / "gradebook.db").unlink(missing_ok=True)
    done = run_warm(root, "grade")
    assert done.returncode == 1, done.stderr  # one submission is no notebook
    assert "needs attention: other: the file is no Jupyter notebook" in done.stdout
    right = json.loads((root / "results/small/right.json").read_text())
    assert (right["earned"], right["possible"], right["status"]) == (5.0, 7.0, "pending")
    blank = json.loads((root / "results/small/blank.json").read_text())
    assert (blank["earned"], blank["status"]) == (0.0, "graded")
    assert right["notes"] == blank["notes"] == []  # with the cell in front, and without
    for path in ("feedback/right/small/small.html", "report/index.html", "gradebook.db"):
        assert (root / path).is_file()
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}
    again = run_warm(root, "grade")
    assert "nothing to grade, 3 submissions graded before" in again.stdout
    after = {p: p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}
    assert {p.name for p in after if after[p] != before.get(p)} == set()


def test_what_is_submitted_under_another_name_is_graded_or_named(
    graded_course: Course, run: Run
) -> None:
    root = graded_course.root
    right = root / "submitted/right/small/small.ipynb"
    right.rename(right.with_name("small (1).ipynb"))
    right.with_name("timestamp.txt").write_text("2026-10-01 12:00:00 XYZ")
    (root / "submitted/lost/Small").mkdir(parents=True)
    (root / "submitted/blank/small/small.ipynb").rename(root / "submitted/blank/small/a.ipynb")
    (root / "submitted/blank/small/b.ipynb").write_text("{}")
    done = run(root, "grade")
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert "needs attention: 'submitted/lost/Small' is no assignment, and is not graded" in said
    assert "timestamp.txt of right says no time that can be read" in said
    assert "there is no small.ipynb in the submission; there are: a.ipynb, b.ipynb" in said
    result = json.loads((root / "results/small/right.json").read_text())
    assert result["earned"] == 5.0
    assert "small (1).ipynb, the only notebook there, was graded" in result["notes"][-1]


def test_json_is_alone_on_standard_output(graded_course: Course, run_warm: Run) -> None:
    done = run_warm(graded_course.root, "grade", "--json", "--student", "right", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    (run_,) = json.loads(done.stdout)
    assert [s["student"] for s in run_["students"]] == ["right"]
    assert run_["students"][0]["questions"] == {"scaled_sum": 4.0, "choice": 1.0, "proof": None}


def test_a_run_of_one_student_speaks_of_that_student_alone(graded_course: Course, run: Run) -> None:
    """Whom it grades, whom it shows, and who needs attention."""
    root = graded_course.root
    submit(graded_course, "un\\fit", "{}")
    done = run(root, "grade")
    assert done.returncode == 1
    assert "needs attention: other: " in done.stdout
    for again in (False, True):
        if again:  # there is something to grade, and so a table
            (root / "course.toml").write_text("[limits]\ncell_seconds = 11\n")
        done = run(root, "grade", "--student", "right")
        assert done.returncode == 0
        assert "graded 1 submission" in done.stdout if again else "nothing to grade" in done.stdout
        for other in ("other", "blank", "un\\fit", "needs attention:"):
            assert other not in done.stdout + done.stderr
        done = run(root, "grade", "--json", "--student", "right", "--student", "blank")
        assert done.returncode == 0
        students = json.loads(done.stdout)[0]["students"]
        assert [student["student"] for student in students] == ["blank", "right"]
    assert run(root, "grade", "--student", "other").returncode == 1


def test_a_student_who_submitted_nothing_is_wrong_usage(graded_course: Course, run: Run) -> None:
    done = run(graded_course.root, "grade", "--student", "nobody")
    assert done.returncode == 2
    assert "student 'nobody' has submitted nothing for small" in done.stderr


def test_a_student_is_graded_in_the_assignments_that_they_submitted(
    graded_course: Course, run: Run
) -> None:
    assert run(graded_course.root, "new", "another").returncode == 0
    compiled = run(graded_course.root, "compile", "another")
    assert compiled.returncode == 0, compiled.stderr
    done = run(graded_course.root, "grade", "--student", "right")
    assert done.returncode == 0, done.stderr
    assert "small: graded 1 submission" in done.stdout
    assert "another" not in done.stdout


def test_an_audit_under_a_score_is_refused(write_proven_course: WriteCourse, run: Run) -> None:
    root = write_proven_course().root
    assert run(root, "audit", "--fail-under", "95").returncode == 0
    done = run(root, "audit", "--fail-under", "101")
    assert done.returncode == 1
    assert "small: a mutation score of 100.0 %" in done.stderr
    assert (root / "build" / "small" / "audit.html").is_file()


def test_a_regrade_is_previewed_or_applied(graded_course: Course, run: Run) -> None:
    root = graded_course.root
    assert run(root, "regrade").returncode == 2
    preview = run(root, "regrade", "--preview")
    assert preview.returncode == 1
    assert preview.stderr.strip() == (
        "needs attention: other could not be graded, and loses no points by it: the file is no "
        "Jupyter notebook: it is plain text"
    )
    assert "small: 3 submissions graded again: 0 gain, 0 lose, 0 stay" in preview.stdout
    assert "nothing is written" in preview.stdout
    assert not (root / "results").exists()
    assert run(root, "regrade", "--apply").returncode == 1
    assert (root / "results" / "small" / "right.json").is_file()


def test_a_removed_page_is_written_again(graded_course: Course, run: Run) -> None:
    root = graded_course.root
    run(root, "grade")
    (root / "report/index.html").unlink()
    (root / "feedback/right/small/small.html").unlink()
    assert "nothing to grade" in run(root, "grade").stdout
    assert (root / "report/index.html").is_file()
    assert (root / "feedback/right/small/small.html").is_file()


def test_export_prints_the_grades(graded_course: Course, run: Run) -> None:
    run(graded_course.root, "grade")
    lines = run(graded_course.root, "export", "small").stdout.splitlines()
    assert lines[0] == ("student,scaled_sum,choice,proof,earned,possible,penalty,extra,status")
    assert "right,4.0,1.0,,5.0,7.0,0.0,0.0,pending" in lines


def test_a_killed_run_goes_on_and_repeats_nothing(
    graded_course: Course, run: Run, warm: Path
) -> None:
    root = graded_course.root
    for number in range(12):
        submit(graded_course, f"s{number:02d}", graded_course.release("small") / "small.ipynb")
    process = subprocess.Popen(
        [warm / "autograder", "grade", "--jobs", "1"],
        cwd=root,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    history = root / "results/small/history"
    deadline = time.monotonic() + 60
    while len(list(history.glob("*/*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stored = {p: p.read_bytes() for p in history.glob("*/*.json")}
    assert len(stored) >= 3
    done = run(root, "grade")
    assert "graded before" in done.stdout or " before" in done.stdout
    assert len(list(history.glob("*/*.json"))) == 15  # one each: nothing lost, nothing repeated
    assert all(path.read_bytes() == data for path, data in stored.items())
    for path in (root / "results/small").glob("*.json"):
        json.loads(path.read_text())


def test_a_release_checks_itself_without_the_course(
    write_proven_course: WriteCourse, tmp_path_factory: pytest.TempPathFactory, run: Run
) -> None:
    course = write_proven_course()
    assert run(course.root, "compile").returncode == 0
    away = tmp_path_factory.mktemp("student")
    for path in course.release("small").iterdir():
        if path.is_file():
            (away / path.name).write_bytes(path.read_bytes())
    done = run(away, "check")
    assert done.returncode == 1
    assert "scaled_sum_matches_reference: 0 of 1 visible cases pass" in done.stdout
    notebook = nbformat.read(away / "small.ipynb", as_version=4)
    for cell in notebook.cells:
        if "def scaled_sum(" in cell.source:
            cell.source = "def scaled_sum(x, factor=2.0):\n    return factor * x.sum()"
    nbformat.write(notebook, away / "small.ipynb")
    done = run(away, "check", "small.ipynb")
    assert "scaled_sum_matches_reference: 1 of 1 visible cases pass" in done.stdout
    assert done.returncode == 0


def test_the_doctor_looks_at_the_machine(write_proven_course: WriteCourse, run: Run) -> None:
    done = run(write_proven_course().root, "doctor")
    assert done.returncode == 0, done.stderr
    assert "Sessions" in done.stdout
    assert "the demo secret, known to all" in done.stdout


def test_a_short_secret_is_refused(
    write_proven_course: WriteCourse, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRADER_SECRET", "too short")
    done = run(write_proven_course().root, "doctor")
    assert done.returncode == 2
    assert "fewer than 16 bytes" in done.stderr


def test_a_submit_that_comes_back_gets_its_own_pages_again(graded_course: Course, run: Run) -> None:
    root = graded_course.root
    path = root / "submitted/right/small/small.ipynb"
    good, blank = path.read_bytes(), (graded_course.release("small") / "small.ipynb").read_bytes()
    pages = []
    for data in (good, blank, good):
        path.write_bytes(data)
        run(root, "grade", "--student", "right")
        pages.append((root / "feedback/right/small/small.html").read_text())
    assert pages[0] == pages[2] != pages[1]


def test_a_damaged_bundle_is_no_matter_of_the_students(
    graded_course: Course, run_warm: Run
) -> None:
    graded_course.bundle("small").write_bytes(b"no bundle")
    done = run_warm(graded_course.root, "grade")
    assert done.returncode == cli.UNSAFE
    assert "is no bundle" in done.stderr


SOMEBODY = Path(__file__).parents[1] / "somebody.py"


def run_in_container(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as root of a container, who may not make namespaces."""
    if os.geteuid() != 0:
        pytest.skip("only root can become root of a container")
    command = [sys.executable, "-m", "autograder", *arguments]
    return subprocess.run(
        [sys.executable, str(SOMEBODY), "--in", str(root), "container", *command],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_machine_below_the_courses_isolation_is_refused_and_grades_nothing(
    graded_course: Course,
    run: Run,
) -> None:
    root = graded_course.root
    config = root / "course.toml"
    config.write_text('min_isolation = "namespaces"\n' + config.read_text())
    done = run_in_container(root, "grade", "small")
    assert done.returncode == 3
    assert "cannot be held safely on this machine" in done.stderr
    assert "isolation level namespaces: " in done.stderr
    assert "isolation level bubblewrap" not in done.stderr
    assert not list((root / "results").glob("**/*.json"))
    assert run(root, "grade", "small").returncode == 1  # where the walls are; one is no notebook
    result = json.loads((root / "results" / "small" / "right.json").read_text())
    assert result["isolation"] == "namespaces"
    assert result["status"] == "pending"  # it has a manual question


def test_a_trial_without_walls_counts_for_nothing(graded_course: Course, run: Run) -> None:
    root = graded_course.root
    done = run(root, "grade", "small", "--unsafe-local")
    assert "trials, marked ungraded" in done.stdout
    result = json.loads((root / "results" / "small" / "right.json").read_text())
    assert (result["isolation"], result["status"], result["earned"]) == (None, "ungraded", 5.0)
    assert {question["status"] for question in result["questions"]} == {"ungraded"}
    rows = json.loads(run(root, "export", "--to", "json").stdout)[0]
    (row,) = [row for row in rows["students"] if row["student"] == "right"]
    assert row["earned"] is None
    with closing(sqlite3.connect(root / "gradebook.db")) as database:
        found = database.execute("select id from student").fetchall()
    assert ("right",) not in found
    run(root, "grade", "small")
    result = json.loads((root / "results" / "small" / "right.json").read_text())
    assert (result["status"], result["earned"]) == ("pending", 5.0)


@pytest.mark.parametrize("value", ["3", "-1", "true", '"0"', "1.0"])
def test_an_isolation_level_that_is_none_is_wrong_usage(
    write_proven_course: WriteCourse, value: str, run: Run
) -> None:
    course = write_proven_course()
    (course.root / "course.toml").write_text(f"min_isolation = {value}\n")
    done = run(course.root, "grade")
    assert done.returncode == 2
    assert "min_isolation must be one of namespaces, bubblewrap, own user" in done.stderr
