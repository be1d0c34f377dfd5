import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.artefacts.results import (
    CaseResult,
    CheckResult,
    Priced,
    QuestionResult,
    Result,
    Status,
    Verdict,
    dump_result,
    is_final,
    load_result,
)
from autograder.errors import HarnessError

NUMBER = st.floats(0, 1e6, allow_nan=False)
CASES = st.builds(
    CaseResult,
    st.text(),
    st.booleans(),
    st.sampled_from(Verdict),
    NUMBER,
    st.none() | NUMBER,
    st.none() | st.text(),
    st.none() | st.text(),
)
CHECKS = st.builds(CheckResult, st.text(), NUMBER, NUMBER, st.lists(CASES, max_size=3).map(tuple))
QUESTIONS = st.builds(
    QuestionResult,
    st.text(),
    NUMBER,
    NUMBER,
    st.sampled_from(Status),
    st.lists(CHECKS, max_size=2).map(tuple),
    st.just(msgspec.UNSET) | st.builds(Priced, st.text(), NUMBER, NUMBER),
)
RESULTS = st.builds(
    Result,
    assignment=st.text(),
    student=st.text(),
    submission=st.text(),
    bundle=st.text(),
    status=st.sampled_from(Status),
    device=st.text(),
    graded_at=st.text(),
    autograder=st.text(),
    earned=NUMBER,
    possible=NUMBER,
    notes=st.lists(st.text(), max_size=3).map(tuple),
    questions=st.lists(QUESTIONS, max_size=2).map(tuple),
)


@given(RESULTS)
def test_a_result_is_read_as_it_was_written(result):
    assert load_result(dump_result(result)) == result


@pytest.fixture
def table():
    case = CaseResult("one step", False, Verdict.PASSED, 0.002, 0.001)
    check = CheckResult("is_right", 4.0, 4.0, (case,))
    result = Result(
        assignment="hw",
        student="s1042",
        submission="sha256:0",
        bundle="sha256:1",
        status=Status.GRADED,
        device="cpu",
        graded_at="2026-11-20T02:10:40Z",
        autograder="0.1.0",
        earned=4.0,
        possible=4.0,
        notes=("né",),
        questions=(QuestionResult("q", 4.0, 4.0, Status.GRADED, (check,)),),
        isolation="namespaces",
    )
    return msgspec.json.decode(dump_result(result))


def test_the_stored_form_is_the_contracts(table):
    assert table == {
        "schema": 1,
        "assignment": "hw",
        "student": "s1042",
        "submission": "sha256:0",
        "bundle": "sha256:1",
        "status": "graded",
        "device": "cpu",
        "graded_at": "2026-11-20T02:10:40Z",
        "autograder": "0.1.0",
        "earned": 4.0,
        "possible": 4.0,
        "notes": ["né"],
        "isolation": "namespaces",
        "fault": None,
        "questions": [
            {
                "id": "q",
                "points": 4.0,
                "earned": 4.0,
                "status": "graded",
                "checks": [
                    {
                        "name": "is_right",
                        "points": 4.0,
                        "earned": 4.0,
                        "cases": [
                            {
                                "name": "one step",
                                "hidden": False,
                                "verdict": "passed",
                                "seconds": 0.002,
                                "margin": 0.001,
                                "message": None,
                                "diagnosis": None,
                                "given": False,
                                "blank": None,
                                "place": None,
                            }
                        ],
                    }
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("questions", 0),
        ("questions", 0, "checks", 0),
        ("questions", 0, "checks", 0, "cases", 0),
    ],
)
def test_an_unknown_field_is_refused_at_every_level(table, path):
    assert load_result(msgspec.json.encode(table))
    part = table
    for step in path:
        part = part[step]
    part["extra"] = 1
    with pytest.raises(HarnessError, match=r"not a result of schema 1: .*extra"):
        load_result(msgspec.json.encode(table))


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"status": "fine"},
        {"earned": "4"},
        {"earned": None},
        {"questions": None},
    ],
)
def test_another_schema_status_or_type_is_refused(table, change):
    with pytest.raises(HarnessError, match="not a result of schema 1"):
        load_result(msgspec.json.encode(table | change))


def test_a_result_without_the_newer_fields_is_read(table):
    for name in ("isolation", "fault"):
        del table[name]
    case = table["questions"][0]["checks"][0]["cases"][0]
    for name in ("given", "blank", "place"):
        del case[name]
    assert load_result(msgspec.json.encode(table)).questions[0].checks[0].cases[0].blank is None


def test_a_question_has_a_price_only_where_a_mistake_was_scored_by_it(table):
    """So that results of questions without one are as they were, byte by byte."""
    result = load_result(msgspec.json.encode(table))
    assert b'"priced"' not in dump_result(result)
    (first, *others) = result.questions
    priced = msgspec.structs.replace(first, priced=Priced("eps under the root", 2.0, 1.0))
    stored = dump_result(msgspec.structs.replace(result, questions=(priced, *others)))
    assert load_result(stored).questions[0].priced == Priced("eps under the root", 2.0, 1.0)


def test_a_fault_that_stands_in_the_notes_of_an_older_result_is_for_staff_and_graded_again(table):
    del table["fault"]
    old = table | {"status": "needs_attention", "notes": ["the harness broke: x", "né"]}
    result = load_result(msgspec.json.encode(old))
    assert (result.fault, result.notes) == ("x", ("né",))
    assert not is_final(result)
    assert load_result(dump_result(result)) == result


def test_a_verdict_that_is_none_of_ours_is_refused_in_one_sentence(table):
    table["questions"][0]["checks"][0]["cases"][0]["verdict"] = "skipped"
    with pytest.raises(HarnessError, match=r"^not a result of schema 1: .*skipped[^\n]*$"):
        load_result(msgspec.json.encode(table))


def test_staff_read_the_fault_first(table):
    result = load_result(msgspec.json.encode(table | {"fault": "x"}))
    assert result.remarks == ("the harness broke: x", "né")
    assert not is_final(result)


@pytest.mark.parametrize(
    ("message", "place", "said"),
    [
        ("KeyError: 'a' (cell 3, line 2)", "cell 3, line 2", "KeyError: 'a'"),
        ("KeyError: (cell 3, line 2)", None, "KeyError: (cell 3, line 2)"),
        (None, None, ""),
    ],
)
def test_what_was_said_is_the_message_without_its_place(message, place, said):
    case = CaseResult("a", False, Verdict.ERRORED, 0.0, message=message, place=place)
    assert case.said == said


@given(st.binary(max_size=50))
def test_bytes_that_are_no_result_are_refused(data):
    with pytest.raises(HarnessError):
        load_result(data)


def test_a_verdict_is_its_word():
    assert [*Verdict] == [
        "passed",
        "failed",
        "errored",
        "timed_out",
        "killed",
        "pending",
        "broken",
    ]
    assert [*Status] == ["graded", "pending", "needs_attention", "ungraded"]
