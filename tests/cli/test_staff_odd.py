"""Odd things that staff do by commands: each is done whole, or refused in words."""

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from autograder.course import find_course
from autograder.engines.run import Preview
from autograder.records.entries import Entry, Field, Journal, Key
from autograder.records.store import Store
from tests.cli.conftest import Run
from tests.cli.handed import nbgraders
from tests.cli.test_staff import classroom, enter, exported, graded_classroom

__all__ = ["classroom", "graded_classroom"]

WHY = ("--why", "x", "--author", "omar")


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the gradebook as a program does that writes into it."""
    with closing(sqlite3.connect(root / "gradebook.db", isolation_level=None)) as db:
        db.execute("begin immediate")
        yield


def journal(root: Path) -> Journal:
    return Journal(find_course(root).results("small"))


def listed(root: Path) -> None:
    (root / "roster.csv").write_text("student\nada\nbo\ncy\n")


def test_who_cannot_be_forgotten_in_a_locked_gradebook_is_forgotten_by_the_same_command(
    classroom: Path, run: Run
) -> None:
    forget = ("forget", "bo", "--yes", "--author", "omar")
    with locked(classroom):
        done = run(classroom, *forget)
    assert (done.returncode, "run the same command again" in done.stderr) == (3, True), done.stderr
    assert run(classroom, *forget).returncode == 0
    assert set(nbgraders(classroom)) == {"ada"} == set(exported(classroom, run))


def test_whom_only_the_gradebook_knows_is_forgotten(classroom: Path, run: Run) -> None:
    for folder in ("submitted", "feedback", "autograded", "results/small/history"):
        shutil.rmtree(classroom / folder / "bo")
    (classroom / "results" / "small" / "bo.json").unlink()
    assert run(classroom, "forget", "bo", "--yes", "--author", "omar").returncode == 0
    assert set(nbgraders(classroom)) == {"ada"}
    assert run(classroom, "forget", "bo", "--yes", "--author", "omar").returncode == 2


def test_who_has_an_override_alone_is_forgotten(classroom: Path, run: Run) -> None:
    listed(classroom)
    assert run(classroom, "override", "cy", "small", "scaled_sum", "3", *WHY).returncode == 0
    (classroom / "gradebook.db").unlink()
    done = run(classroom, "forget", "cy", "--yes", "--author", "omar")
    assert done.returncode == 0, done.stderr
    assert not [key for key in journal(classroom).state() if key.student == "cy"]


def test_former_attempts_of_who_is_forgotten_go_and_those_of_other_assignments_stay(
    classroom: Path, run: Run
) -> None:
    submitted = classroom / "submitted" / "bo"
    for name in ("small", "other"):
        (submitted / ".attempts" / name / "2026-11-20T10-00-00Z").mkdir(parents=True)
    (submitted / "small" / ".collected.json").write_text("{}")
    assert run(classroom, "forget", "bo", "--yes", "--author", "omar").returncode == 0
    assert [path.name for path in submitted.iterdir()] == [".attempts"]
    assert [path.name for path in (submitted / ".attempts").iterdir()] == ["other"]


@pytest.mark.parametrize("name", ["..", "", "../submitted"])
def test_a_name_that_is_a_path_is_no_student_s(classroom: Path, run: Run, name: str) -> None:
    (classroom / "small").mkdir()
    done = run(classroom, "forget", name, "--yes", "--author", "omar")
    assert (done.returncode, "is no student's name" in done.stderr) == (2, True), done.stderr
    assert (classroom / "small").is_dir()


def renamed_proof(root: Path, run: Run) -> None:
    source = root / "assignments" / "small" / "small.py"
    source.write_text(source.read_text().replace('question="proof"', 'question="argument"'))
    assert run(root, "compile").returncode == 0


def test_what_is_entered_under_the_new_name_is_not_written_over(classroom: Path, run: Run) -> None:
    enter(classroom, "proof", 0.5)
    enter(classroom, "proof", 1.5, student="bo")
    run(classroom, "report")
    renamed_proof(classroom, run)
    assert run(classroom, "override", "ada", "small", "argument", "2", *WHY).returncode == 1
    done = run(classroom, "override", "small", "--rename", "proof", "argument", *WHY)
    assert done.stdout.splitlines() == [
        "small: 1 entries for 'proof' stand for 'argument' now; look at them again",
        "small: 1 entries for 'proof' stay as they are, because staff entered others for "
        "'argument'; to take them back, use --drop",
    ]
    state = journal(classroom).state()
    assert state[Key("ada", "argument", Field.SCORE)].value == 2
    assert state[Key("bo", "argument", Field.SCORE)].value == 1.5
    assert state[Key("ada", "proof", Field.SCORE)].value == 0.5


def test_a_request_keeps_its_name(classroom: Path, run: Run) -> None:
    asked = Entry("ada", "old", Field.REQUEST, "please", "ada")
    score = Entry("ada", "old", Field.SCORE, 1.0, "omar")
    journal(classroom).append([asked, score])
    assert run(classroom, "override", "small", "--rename", "old", "proof", *WHY).returncode == 0
    state = journal(classroom).state()
    assert state[asked.key].value == "please"
    assert Key("ada", "proof", Field.REQUEST) not in state


@pytest.mark.parametrize("way", [("--rename", "", "proof"), ("--drop", "")])
def test_what_is_about_the_whole_assignment_is_no_cell_s(
    classroom: Path, run: Run, way: tuple[str, ...]
) -> None:
    extension = Entry("ada", "", Field.EXTENSION, 3600.0, "omar")
    journal(classroom).append([extension])
    done = run(classroom, "override", "small", *way, *WHY)
    assert (done.returncode, "name the cell" in done.stderr) == (2, True), done.stderr
    assert journal(classroom).state()[extension.key].value == 3600.0


def test_a_question_without_points_has_nothing_to_override(classroom: Path, run: Run) -> None:
    source = classroom / "assignments" / "small" / "small.py"
    source.write_text(source.read_text().replace('"choice", points=1', '"choice", points=0'))
    assert run(classroom, "compile").returncode == 0
    done = run(classroom, "override", "ada", "small", "choice", "0", *WHY)
    assert (done.returncode, "choice has no points" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("1", "--extra", "nan"), "extra credit is a number from 0 to 7, the points of small"),
        (("1", "--extra", "inf"), "extra credit is a number from 0 to 7"),
        (("1", "--extra", "-100"), "extra credit is a number from 0 to 7"),
        (("1", "--extra", "1e308"), "extra credit is a number from 0 to 7"),
        (("nan",), "points are a number"),
        (("inf",), "points are a number"),
        (("1", "--why", " "), "--why is empty"),
        (("1", "--why", "\udcff"), r"--why is not UTF-8: '\\udcff'"),
        (("1", "--comment", "\udcff"), "--comment is not UTF-8"),
        (("1", "--author", "\udcff"), "--author is not UTF-8"),
    ],
)
def test_numbers_and_texts_that_are_none_are_refused_in_words(
    classroom: Path, run: Run, words: tuple[str, ...], said: str
) -> None:
    done = run(classroom, "override", "ada", "small", "scaled_sum", *words[:1], *WHY, *words[1:])
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not journal(classroom).entries()


@pytest.mark.parametrize(("why", "said"), [("", "is empty"), ("\udcff", "is not UTF-8")])
def test_a_request_that_says_nothing_is_refused(
    classroom: Path, run: Run, why: str, said: str
) -> None:
    done = run(classroom, "request", "ada", "small", "scaled_sum", "--why", why)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not journal(classroom).entries()


def test_who_could_not_be_graded_again_is_told_and_no_difference(
    classroom: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Store(classroom / "results" / "small").newest()
    broken = replace(stored["ada"], fault="the fork server is gone", questions=(), earned=0.0)
    first, *others = stored["bo"].questions
    (check,) = first.checks
    short = replace(first, checks=(replace(check, cases=check.cases[:1]),))
    part = replace(stored["bo"], questions=(short, *others))

    def try_again(*_: object) -> Preview:
        return Preview({"ada": broken, "bo": part}, ())

    monkeypatch.setattr("autograder.engines.regrade.try_again", try_again)
    done = run(classroom, "verify")
    assert done.returncode == 1
    assert done.stdout.endswith("small: 0 submissions graded once more: nothing to compare\n")
    assert [line for line in done.stderr.splitlines() if line] == [
        "needs attention: ada could not be graded again: the harness broke: the fork server is "
        "gone",
        "needs attention: bo could not be graded again: not all of its checks ran",
    ]


def test_gradescope_s_files_are_a_folder_s_even_one_alone(classroom: Path, run: Run) -> None:
    export = ("export", "small", "--to", "gradescope", "--out", "gs")
    assert run(classroom, *export, "--student", "ada").returncode == 0
    assert (classroom / "gs" / "small" / "ada.json").is_file()
    shutil.rmtree(classroom / "gs")
    (classroom / "gs").write_text("mine")
    done = run(classroom, *export, "--student", "ada")
    assert (done.returncode, "gs is a file" in done.stderr) == (2, True), done.stderr
    assert (classroom / "gs").read_text() == "mine"


def test_an_export_of_nobody_says_so(classroom: Path, run: Run) -> None:
    listed(classroom)
    export = ("export", "small", "--to", "gradescope", "--out", "gs", "--student", "cy")
    done = run(classroom, *export)
    assert (done.returncode, "nobody has submitted anything for small" in done.stderr) == (2, True)
    assert not (classroom / "gs").exists()


def test_what_lateness_costs_is_asked_only_of_who_is_in_the_gradebook(
    classroom: Path, logged: list[str]
) -> None:
    from traitlets import Any
    from traitlets.config import LoggingConfigurable

    from autograder.nbgrader_hooks.converters import _assign_late_penalties

    class Converter(LoggingConfigurable):  # type: ignore[misc]
        coursedir = Any(SimpleNamespace(db_url=f"sqlite:///{classroom / 'gradebook.db'}"))

    log = logging.getLogger("a converter")
    assert not _assign_late_penalties(Converter(log=log), "small", ["ada", "cy", "bo"])
    assert [text for text in logged if "not in the gradebook" in text] == [
        "cy is not in the gradebook yet: nobody asks what lateness costs"
    ]
