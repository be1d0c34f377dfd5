"""The call of a visible case that failed can be pasted; of a hidden one what its check reveals."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from autograder.artefacts.grades import grade_of
from autograder.artefacts.results import Blank, Verdict
from autograder.records.autograded import write_autograded
from autograder.records.comments import student_comments
from autograder.records.exporters import EXPORTERS
from autograder.records.exporting import Wanted
from autograder.records.feedback import write_feedback
from autograder.records.public import feedback_text, public_result
from autograder.records.roster import Roster, Student

ANSWERS = {"sgd_matches": "sgd_solution"}
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


@pytest.fixture
def leaving(make, notebook, tmp_path):
    """All texts that a student may get of a submission, by what they are."""

    def texts(*cases):
        grade = graded(make, *cases)
        page, graded_notebook = tmp_path / "hw1.html", tmp_path / "hw1.ipynb"
        write_feedback(page, grade, make.manifest, "Deep Learning")
        write_autograded(graded_notebook, notebook, grade.result, make.manifest)
        found = {
            "page": page.read_text(),
            "notebook": graded_notebook.read_text(),
            "program": json.dumps(public_result(grade)),
            "text": feedback_text("Homework 1", grade),
            "comments": str(student_comments(make.manifest, ANSWERS, grade.result)),
        }
        roster = Roster((Student("ada", "Ada", "L", "ada@uni.edu", "17"),))
        for name, exporter in EXPORTERS.items():
            if exporter.sheet != "needed":  # those write points into a sheet, and these words
                exported = exporter.export(Wanted([(make.manifest, {"ada": grade})], roster))
                assert exported.files, name
                found[name] = b"".join(exported.files.values()).decode()
        return found

    return texts


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    verdict=st.sampled_from(Verdict),
    blank=st.sampled_from([None, *Blank]),
    revealed=st.sampled_from([False, msgspec.UNSET]),
    was_given=st.booleans(),
    diagnosis=st.sampled_from([None, "steps uphill"]),
)
def test_no_input_of_a_hidden_case_is_in_anything_that_leaves_the_grader(
    make, leaving, verdict, blank, revealed, was_given, diagnosis
):
    """No grader keeps its call; were it kept, nothing would say it. Staff alone read the rest."""
    case = missed(
        make,
        "SECRETCASE",
        True,
        "f('SECRETCALL')",
        verdict,
        message=None if was_given else "SECRETMESSAGE",
        smallest="f('SECRETINPUT')",
        revealed=revealed,
        blank=blank,
        given=was_given,
        diagnosis=diagnosis,
    )
    for name, text in leaving(case, missed(make)).items():
        assert "SECRET" not in text, name


def test_what_a_check_reveals_of_a_hidden_case_is_the_smallest_input_alone(make, leaving):
    case = missed(
        make,
        "SECRETCASE",
        True,
        "f('SECRETCALL')",
        message="SECRETMESSAGE",
        smallest="f(np.array([0.0]))",
        revealed=True,
    )
    texts = leaving(missed(make), case)
    assert all("SECRET" not in text for text in texts.values())
    shown = [name for name, text in texts.items() if "f(np.array([0.0]))" in text]
    assert shown == ["page", "text", "gradescope", "markdown"]
    assert "# hidden case 1: smallest inputs found\nf(np.array([0.0]))" in texts["page"]
    assert "or smaller ones that fail too" in texts["page"]
    assert "    the smallest inputs found that fail, to try in the notebook:" in texts["text"]


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.BROKEN, Verdict.PENDING])
def test_nothing_is_revealed_of_what_did_not_fail(make, leaving, verdict):
    case = missed(make, "SECRET", True, verdict=verdict, smallest="SECRET()", revealed=True)
    assert all("SECRET" not in text for text in leaving(case).values())


@pytest.mark.parametrize(
    ("call", "smallest", "shown"),
    [
        ("f(\n    1.25,\n)", "f(1.0)", "f(1.0)"),
        ("f(1)", "f(np.asfortranarray(1))", "f(1)"),
        (msgspec.UNSET, "f(1.0)", "f(1.0)"),
    ],
)
def test_the_shorter_call_of_a_visible_case_is_shown(make, page, call, smallest, shown):
    calls, _ = pasted(page(missed(make, call=call, smallest=smallest)))
    name = "one step: smallest inputs found" if shown == smallest else "one step"
    assert [line for line in calls.split("\n") if "import" not in line] == [f"# {name}", shown]


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
