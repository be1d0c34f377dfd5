"""The judge says of every success of an attack that it was not held."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as replace_struct

from autograder.artefacts.results import (
    CaseResult,
    CheckResult,
    QuestionResult,
    Result,
    Status,
    Verdict,
)
from autograder.redteam.judge import Evidence, differences, judge, misuse
from autograder.redteam.specimens import Specimen, parse_expectation

MARK = "zoo0123456789"
STUDENT = "forge-thing"


def result(
    earned: float = 0.0,
    verdict: Verdict = Verdict.FAILED,
    message: str | None = None,
    hidden: bool = False,
    **changes: Any,
) -> Result:
    case = CaseResult("one", hidden, verdict, 0.1, message=message)
    check = CheckResult("check", 2.0, earned, (case,))
    question = QuestionResult("question", 2.0, earned, Status.GRADED, (check,))
    whole: dict[str, Any] = {
        "assignment": "small",
        "student": STUDENT,
        "submission": "sha256:0",
        "bundle": "sha256:1",
        "status": Status.GRADED,
        "device": "cpu",
        "graded_at": "2026-11-20T02:10:40Z",
        "autograder": "0",
        "earned": earned,
        "possible": 2.0,
        "notes": (),
        "questions": (question,),
    }
    return Result(**(whole | changes))


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """Of an attack that earned nothing and reached nothing."""
    (tmp_path / "feedback" / STUDENT / "small").mkdir(parents=True)
    (tmp_path / "feedback" / STUDENT / "small" / "small.html").write_text("<p>no points</p>")
    return Evidence(
        result=result(),
        broke="",
        alone=(result(2.0, Verdict.PASSED), result(), result(1.0)),
        course=tmp_path,
        assignment="small",
        mark=MARK,
        canaries=frozenset({"canary-secret-0123"}),
        hidden=lambda: frozenset({"0.123456789012"}),
        heard=False,
        processes=0,
        files=(),
        victim="",
        seconds=1.0,
        limit=10.0,
        memory=0,
    )


def problems(evidence: Evidence, line: str = "# expect: earns nothing") -> tuple[str, ...]:
    specimen = Specimen("forge", "thing", parse_expectation(line), "Tries.", "")
    return judge(specimen, evidence).problems


def test_an_attack_that_earns_and_reaches_nothing_is_held(evidence: Evidence) -> None:
    assert problems(evidence) == ()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"result": None}, "it has no result"),
        ({"broke": "the run did not end"}, "the run did not end"),
        ({"result": result(0.5)}, "it earned 0.5, not 0"),
        ({"result": result(verdict=Verdict.BROKEN)}, "a case is broken"),
        ({"result": result(verdict=Verdict.PENDING)}, "a case is pending"),
        ({"result": result(fault="x")}, "it broke the harness, and is graded: x"),
        (
            {"result": result(status=Status.NEEDS_ATTENTION, fault="x")},
            "it needs attention: the harness broke: x",
        ),
        ({"result": result(message="canary-secret-0123")}, "it found canary-secret"),
        ({"heard": True}, "it reached a listener"),
        ({"processes": 2}, "2 of its processes lived on"),
        ({"files": ("/tmp/left",)}, "it left /tmp/left"),
        ({"victim": "it was ended"}, "a process of somebody else: it was ended"),
        ({"seconds": 21.0}, "it took 21 s"),
        ({"memory": 1000}, "a process of the grader grew by 1000 MB"),
    ],
)
def test_every_success_is_a_problem(
    evidence: Evidence, changes: dict[str, Any], problem: str
) -> None:
    assert problem in problems(replace(evidence, **changes))


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("canary-secret-0123", "it found canary-secret"),
        ("x = 0.123456789012", "a page tells of 1 numbers"),
        (f"<img src=x id={MARK}>", "its markup stands in the feedback as markup"),
        ("red \x1b[31m", "the feedback holds the character"),
    ],
)
def test_nothing_may_stand_in_the_feedback(evidence: Evidence, page: str, problem: str) -> None:
    (evidence.course / "feedback" / STUDENT / "small" / "small.html").write_text(page)
    assert any(found.startswith(problem) for found in problems(evidence))


def test_quoted_markup_is_no_problem(evidence: Evidence) -> None:
    path = evidence.course / "feedback" / STUDENT / "small" / "small.html"
    path.write_text(f"&lt;img src=x id={MARK}&gt;")
    assert problems(evidence) == ()


def test_no_hidden_message_may_be_shown(evidence: Evidence) -> None:
    path = evidence.course / "feedback" / STUDENT / "small" / "small.html"
    path.write_text("<p>the hidden inputs</p>")
    told = replace(evidence, result=result(message="the hidden inputs", hidden=True))
    assert problems(told) == ("a page shows a hidden case's message: the hidden inputs",)


def test_notes_on_what_was_given_may_not_differ_in_a_check(evidence: Evidence) -> None:
    cases = [
        CaseResult(str(n), True, Verdict.PASSED, 0.1, message=f"note {n}", given=True)
        for n in range(2)
    ]
    found = result(2.0)
    check = replace_struct(found.questions[0].checks[0], cases=tuple(cases))
    question = replace_struct(found.questions[0], checks=(check,))
    told = replace(evidence, result=replace_struct(found, questions=(question,)))
    assert "notes on what is given differ" in problems(told, "# expect: earns everything")[0]
    alike = tuple(replace_struct(case, message="note") for case in cases)
    check = replace_struct(check, cases=alike)
    question = replace_struct(question, checks=(check,))
    told = replace(evidence, result=replace_struct(found, questions=(question,)))
    assert problems(told, "# expect: earns everything") == ()


def test_no_markup_may_act_in_the_graded_notebook(evidence: Evidence) -> None:
    cells = [{"cell_type": "markdown", "source": f"<script id={MARK}>"}]
    cells += [{"cell_type": "raw", "source": ""}]
    path = evidence.course / "autograded" / STUDENT / "small" / "small.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"cells": cells}))
    assert len(problems(evidence)) == 2


@pytest.mark.parametrize(
    ("line", "earned", "problem"),
    [
        ("earns everything", 2.0, None),
        ("earns everything", 1.0, "it earned 1, not 2"),
        ("earns everything but FIRST", 1.0, None),
        ("earns everything but FIRST", 2.0, "it earned 2, not 1"),
        ("earns nothing or needs attention", 1.0, "it earned 1"),
        ("needs attention", 0.0, "it was graded: 0 of 2"),
        ("earns nothing; killed", 0.0, "no case is killed"),
        ('earns nothing; says "left out"', 0.0, "nothing says 'left out'"),
    ],
)
def test_a_first_line_is_held_against_the_result(
    evidence: Evidence, line: str, earned: float, problem: str | None
) -> None:
    found = problems(replace(evidence, result=result(earned)), f"# expect: {line}")
    assert found == ((problem,) if problem else ())


def test_forbidden_words_are_found_in_messages(evidence: Evidence) -> None:
    told = replace(evidence, result=result(message="it escaped"))
    found = problems(told, '# expect: earns nothing; never says "escaped"')
    assert found == ("something says 'escaped'",)


def test_an_honest_student_who_loses_a_point_is_harm() -> None:
    assert list(differences(result(1.0), result(1.0, graded_at="later"))) == []
    assert list(differences(result(1.0), None)) == ["no result among attackers"]
    assert "earned 0 among attackers" in next(differences(result(1.0), result(0.0)))


@pytest.mark.parametrize(
    ("command", "code", "output", "errors", "problem"),
    [
        ("report", 0, b"wrote report/index.html\n", b"", None),
        ("export --to csv", 0, b"student,earned\r\n'=1,-1.5\r\n", b"", None),
        ("grade --json", 1, b"[]", b"\nneeds attention: x", None),
        ("feedback", 3, b"", b"autograder: no", "ended with exit code 3: b'autograder: no'"),
        ("feedback", 1, b"", b"Traceback (most", "ended with a traceback"),
        ("report", 0, "a\x9bb".encode(), b"", "printed the character '\\x9b'"),
        ("report", 0, b"", b"a\x1b[31m", "printed the character '\\x1b'"),
        ("export --to json", 0, b"[", b"", "printed no JSON"),
        ("export --to csv", 0, b"student\r\n=1\r\n", b"", "printed the formula '=1'"),
        ("export --to csv", 0, b"student\r\nx; +1\r\n", b"", "printed the formula ' +1'"),
        ("export --to csv", 0, b"student\r\nx,-a\r\n", b"", "printed the formula '-a'"),
    ],
)
def test_what_a_command_prints_of_a_class_is_judged(
    command: str, code: int, output: bytes, errors: bytes, problem: str | None
) -> None:
    found = list(misuse(command, code, output, errors))
    assert found == ([] if problem is None else [f"autograder {command} {problem}"])
