"""The call of a visible case that failed can be pasted; nothing of a hidden one is said."""

import json

import pytest
from msgspec.structs import replace

from autograder.artefacts.grades import grade_of
from autograder.artefacts.results import Blank, Verdict
from autograder.records.autograded import write_autograded
from autograder.records.exporters import EXPORTERS
from autograder.records.exporting import Wanted
from autograder.records.feedback import write_feedback
from autograder.records.public import feedback_text, public_result
from autograder.records.roster import Roster, Student

CALL = "sgd_step(np.array([0.3, -1.2]), lr=0.1)"


def graded(make, *cases):
    return grade_of(make.manifest, "ada", make.result("ada", make.sgd(*cases, earned=1.0)))


@pytest.fixture
def page(tmp_path, make, read_page):
    def write(*cases):
        path = tmp_path / "hw1.html"
        write_feedback(path, graded(make, *cases), make.manifest, "Deep Learning")
        return read_page(path)

    return write


def pasted(found):
    return [data for tag, data in found.data if tag == "pre"]


def missed(make, name="one step", hidden=False, call=CALL, verdict=Verdict.FAILED, **more):
    return make.case(verdict, name, hidden, call=call, **more)


def test_the_page_has_what_a_student_pastes_with_its_imports(page, make):
    found = page(missed(make), missed(make, "a matrix", call="sgd_step(torch.ones(2))"))
    calls, again = pasted(found)
    assert calls.split("\n") == [
        *("import numpy as np", "import torch"),
        *("# one step", CALL, "# a matrix", "sgd_step(torch.ones(2))"),
    ]
    assert again == "self_check(sgd_matches)"
    assert "with the inputs that they had here" in found.words


def test_the_same_call_stands_there_once_and_not_more_than_there_is_room_for(page, make):
    long = "\n".join(["f(", *["    1.0,"] * 9, ")"])
    cases = [missed(make, str(i), call=f"{long}  # {i}") for i in range(5)]
    calls, _ = pasted(page(*cases, *cases))
    assert [line for line in calls.split("\n") if line.startswith("#")] == ["# 0", "# 1"]


@pytest.mark.parametrize(
    "case",
    [
        {"verdict": Verdict.PASSED},
        {"verdict": Verdict.BROKEN},
        {"hidden": True},
        {"blank": Blank.STUB, "message": "not implemented yet"},
    ],
)
def test_no_call_is_shown_of_a_case_that_passed_broke_is_hidden_or_has_no_answer(page, make, case):
    assert "sgd_step(" not in page(missed(make, **case), make.case()).text


def test_without_a_call_the_line_of_the_self_check_stands_alone(page, make):
    found = page(make.case(Verdict.FAILED, message="values differ"))
    assert pasted(found)[-1] == "self_check(sgd_matches)"
    assert "Run the visible cases again" in found.words


def test_feedback_as_text_has_the_call_too(make):
    text = feedback_text("Homework 1", graded(make, missed(make, call="f(\n    1.0,\n)")))
    assert "    to try it in the notebook:\n        f(\n            1.0,\n        )\n" in text


def test_no_input_of_a_hidden_case_is_in_anything_that_leaves_the_grader(
    make, page, notebook, tmp_path
):
    """No grader keeps one; were it kept, nothing would say it."""
    case = missed(make, "SECRETCASE", True, "f('SECRETCALL')", message="SECRETMESSAGE")
    assert "SECRET" not in page(case).text
    grade = graded(make, case)
    assert "SECRET" not in json.dumps(public_result(grade))
    assert "SECRET" not in feedback_text("Homework 1", grade)
    path = tmp_path / "hw1.ipynb"
    write_autograded(path, notebook, grade.result, make.manifest)
    assert "SECRET" not in path.read_text()
    roster = Roster((Student("ada", "Ada", "L", "ada@uni.edu", "17"),))
    for name, exporter in EXPORTERS.items():
        if exporter.sheet != "needed":  # those write points into a sheet, and these words
            exported = exporter.export(Wanted([(make.manifest, {"ada": grade})], roster))
            assert exported.files, name
            assert b"SECRET" not in b"".join(exported.files.values()), name


def with_called(make, *names):
    """Return the manifest in which these visible cases of the first check begin with a call."""
    first, *others = make.manifest.questions
    checks = tuple(replace(check, called=names) for check in first.checks)
    return replace(make.manifest, questions=(replace(first, checks=checks), *others))


def page_of(make, read_page, tmp_path, manifest, *cases):
    path = tmp_path / "hw1.html"
    grade = grade_of(manifest, "ada", make.result("ada", make.sgd(*cases, earned=1.0)))
    write_feedback(path, grade, manifest, "Deep Learning")
    return read_page(path)


def test_the_page_says_how_to_get_the_notebook_s_inputs_and_that_they_are_others(
    make, read_page, tmp_path
):
    manifest = with_called(make, "one step", "two steps")
    cases = [missed(make), missed(make, "two steps", call=None)]
    found = page_of(make, read_page, tmp_path, manifest, *cases)
    assert pasted(found)[-2:] == ["self_check(sgd_matches)", "sgd_matches.inputs('one step')"]
    assert "your notebook runs this case; grading drew others of the same kind" in found.words


@pytest.mark.parametrize(
    ("called", "case"),
    [
        ((), {}),
        (("another",), {}),
        (("one step",), {"verdict": Verdict.PASSED}),
        (("one step",), {"hidden": True}),
        (("one step",), {"blank": Blank.STUB, "message": "not implemented yet"}),
    ],
)
def test_no_inputs_are_told_of_where_there_are_none_to_show(
    make, read_page, tmp_path, called, case
):
    manifest = with_called(make, *called)
    found = page_of(make, read_page, tmp_path, manifest, missed(make, **case), make.case())
    assert ".inputs(" not in found.text
