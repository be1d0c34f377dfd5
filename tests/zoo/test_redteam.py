"""`make redteam` on a terminal: what it says of a report, and its exit codes."""

from pathlib import Path

import pytest

from autograder.course import Course
from tests.zoo import redteam
from tests.zoo.judge import Outcome
from tests.zoo.small import NAME, write_small_course
from tests.zoo.specimens import Specimen
from tests.zoo.zoo import CannotTry, Report

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
        return Report([outcome], list(harm), 0)

    monkeypatch.setattr(redteam, "run_zoo", run_zoo)


def test_what_was_held_is_said(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report(monkeypatch, HELD)
    assert redteam.main([]) == redteam.HELD
    said = capsys.readouterr().out
    assert "Patches everything." in said
    assert "small: 1 of 1 held" in said
    assert "tier 0 (namespaces" in said


def test_what_was_not_held_is_said_and_fails(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report(monkeypatch, LOST)
    assert redteam.main([NAME]) == redteam.NOT_HELD
    said = capsys.readouterr().out
    assert "NOT HELD steal/two: it earned 7, not 0" in said
    assert "small: 0 of 1 held" in said


def test_harm_fails_too(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report(monkeypatch, HELD, ("the bundle was changed",))
    assert redteam.main([]) == redteam.NOT_HELD
    assert "HARM the bundle was changed" in capsys.readouterr().out


def test_where_nothing_can_be_tried_it_says_why(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_zoo(*_: object) -> Report:
        raise CannotTry("there are no walls here")

    monkeypatch.setattr(redteam, "run_zoo", run_zoo)
    assert redteam.main([]) == redteam.CANNOT
    assert "there are no walls here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "nothing"], "there is no attack or class 'nothing'"),
        (["other"], "other is not compiled; run: make compile ASSIGNMENT=other"),
    ],
)
def test_wrong_usage_is_said(
    course: Course, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert redteam.main(arguments) == redteam.WRONG_USAGE
    assert said in capsys.readouterr().err


def test_the_list_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert redteam.main(["--list", "--only", "forge/mock_everything"]) == redteam.HELD
    assert "earns nothing" in capsys.readouterr().out
