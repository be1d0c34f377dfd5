"""`autograder redteam`: what it says of a report, and its exit codes."""

from pathlib import Path

import pytest

from autograder import cli
from autograder.course import Course
from autograder.redteam import terminal
from autograder.redteam.catalogue import choose, read_own, read_zoo
from autograder.redteam.judge import Outcome
from autograder.redteam.specimens import Specimen
from autograder.redteam.zoo import CannotTry, Report
from tests.redteam.small import NAME, write_small_course

HELD = Outcome("forge/one", "Patches everything.", 0.0, 10.0, "failed", 0.5, ())
LOST = Outcome("steal/two", "Reads everything.", 7.0, 10.0, "passed", 0.5, ("it earned 7, not 0",))


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The small course, in the current folder; its bundle is a file, and no more."""
    course = write_small_course(tmp_path)
    course.build(NAME).mkdir(parents=True)
    course.bundle(NAME).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return course


def report(monkeypatch: pytest.MonkeyPatch, outcome: Outcome, harm: tuple[str, ...] = ()) -> None:
    def run_zoo(course: Course, name: str, zoo: list[Specimen], *_: object) -> Report:
        return Report([outcome], list(harm), "namespaces")

    monkeypatch.setattr(terminal, "run_zoo", run_zoo)


def test_what_was_held_is_said(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report(monkeypatch, HELD)
    assert cli.main(["redteam"]) == 0
    said = capsys.readouterr().out
    assert "Patches everything." in said
    assert "small: 1 of 1 held" in said
    assert "isolation level namespaces (namespaces" in said


def test_what_was_not_held_is_said_and_fails(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report(monkeypatch, LOST)
    assert cli.main(["redteam", NAME]) == 1
    said = capsys.readouterr().out
    assert "NOT HELD steal/two: it earned 7, not 0" in said
    assert "small: 0 of 1 held" in said


def test_harm_fails_too(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report(monkeypatch, HELD, ("the bundle was changed",))
    assert cli.main(["redteam"]) == 1
    assert "HARM the bundle was changed" in capsys.readouterr().out


def test_where_nothing_can_be_tried_it_says_why(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_zoo(*_: object) -> Report:
        raise CannotTry("there are no walls here")

    monkeypatch.setattr(terminal, "run_zoo", run_zoo)
    assert cli.main(["redteam"]) == 3
    assert "there are no walls here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "nothing"], "there is no attack or class 'nothing'"),
        (["other"], "there is no assignment 'other'; there are: small"),
        (["--jobs", "0"], "--jobs is a number from 1 up, not 0"),
    ],
)
def test_wrong_usage_is_said(
    course: Course, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert cli.main(["redteam", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_what_is_not_compiled_cannot_be_attacked(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.bundle(NAME).unlink()
    for arguments, said in (([NAME], "small is not compiled"), ([], "nothing is compiled")):
        assert cli.main(["redteam", *arguments]) == 2
        assert said in capsys.readouterr().err


OWN = "# expect: earns nothing\n# Answers with what it remembers.\nanswer = 1\n"


def write_own(course: Course, text: str = OWN) -> None:
    folder = course.source(NAME).parent / "attacks"
    folder.mkdir()
    (folder / "remembered.py").write_text(text)


def test_the_list_says_what_there_is(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    write_own(course)
    assert cli.main(["redteam", "--list", "--only", "mock_everything", "--only", NAME]) == 0
    said = capsys.readouterr().out
    assert "forge/mock_everything  earns nothing" in said
    assert "small/remembered       earns nothing  Answers with what it remembers." in said
    assert "steal" not in said


def test_attacks_beside_a_notebook_are_tried_on_its_assignment_alone(course: Course) -> None:
    write_own(course)
    own = read_own(course, NAME)
    assert [specimen.id for specimen in own] == ["small/remembered"]
    found = choose({NAME: [*read_zoo(), *own], "another": read_zoo()}, ["remembered"])
    assert found == {NAME: own}


def test_an_attack_without_an_expectation_is_wrong_usage(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    write_own(course, "answer = 1\n")
    assert cli.main(["redteam"]) == 2
    assert capsys.readouterr().err.startswith(
        "autograder: assignments/small/attacks/remembered.py: the first line is 'answer = 1'"
    )
