"""Choices: however an answer is written it counts; what is no option never does."""

import numpy as np
import pytest

from autograder.authoring.choices import (
    assert_choice,
    assert_choices,
    assert_options,
    parse_choices,
)
from autograder.authoring.kinds import Kind, Noted, noting_kinds
from autograder.authoring.subject import Proxy, RemoteId
from autograder.errors import CheckFailure, Unanswered

EVIL = Proxy(None, RemoteId(0, "Evil"), "answer")
UNANSWERED = Proxy(None, RemoteId(0, "ellipsis"), "answer")
SIZES = (1, 2, 4, 8)


def complaint(assertion, *args, **kwargs):
    with pytest.raises(CheckFailure) as caught:
        assertion(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize("got", ["B", "b", " B ", "(B)", "b)", "B."])
def test_one_letter_however_it_is_written(got):
    assert_choice(got, "B", options="ABCD")


@pytest.mark.parametrize("got", [4, 4.0, "4", "4.0", np.int64(4), np.float32(4)])
def test_one_number(got):
    assert_choice(got, 4, options=SIZES)


@pytest.mark.parametrize("got", ["ReLU", "relu", "RELU "])
def test_one_word(got):
    assert_choice(got, "ReLU", options=["tanh", "ReLU", "GELU"])


def test_another_option_is_wrong_and_the_right_one_is_not_told():
    assert complaint(assert_choice, "a", "B", options="ABCD") == "answer: 'A' is not right"


@pytest.mark.parametrize(
    ("got", "given"),
    [
        ("E", "'E'"),
        ("AB", "'AB'"),
        ("", "''"),
        (True, "a truth value"),
        (1, "1"),
        (None, "None"),
        (["A", "B"], "a list"),
        (["B"], "a list"),
        ({"A": True}, "a dict"),
        (float("nan"), "a number"),
        (10**400, "a whole number"),
        ("B" * 10**6, "a text"),
        (b"B", "bytes"),
        (np.array(["B"], dtype=object), "an array of shape (1,)"),
    ],
)
def test_what_is_no_option(got, given):
    assert complaint(assert_choice, got, "B", options="ABCD") == (
        f"answer: must be one of A, B, C, D, got {given}"
    )
    assert complaint(assert_options, got, "ABCD") == (
        f"answer: must be one of A, B, C, D, got {given}"
    )


def test_true_is_not_1():
    assert complaint(assert_choice, True, 1, options=SIZES).startswith("answer: must be one of 1,")


@pytest.mark.parametrize("several", [False, True])
def test_an_object_is_no_answer_and_dots_are_not_answered(several):
    said = complaint(assert_options, EVIL, "AB", several=several)
    assert "an object of type Evil" in said
    with pytest.raises(Unanswered):
        assert_options(UNANSWERED, "AB", several=several)


@pytest.mark.parametrize(
    "got",
    [
        "AC",
        "ca",
        "A, C",
        "A and C",
        "a;c",
        "A C",
        "(A), (C)",
        "A, and C",
        "A/C",
        ["A", "C"],
        ("c", "a", "A"),
        ["A", "(C)"],
        {"A": True, "B": False, "C": True, "D": False},
    ],
)
def test_several_letters_however_they_are_written(got):
    assert_choices(got, "AC", options="ABCD")
    assert_choices(got, ["C", "A"], options="ABCD")


@pytest.mark.parametrize("got", [[2, 4], "2, 4", ["2", 4.0], np.array([4, 2]), (2.0, 4)])
def test_several_numbers(got):
    assert_choices(got, [2, 4], options=SIZES)


@pytest.mark.parametrize(
    "got", ["tanh, none of them", "None of them; tanh", "tanh and none of them"]
)
def test_several_words_with_spaces(got):
    assert_choices(got, ["tanh", "none of them"], options=["tanh", "ReLU", "none of them"])


def test_one_of_several_may_stand_alone():
    assert_choices(4, [4], options=SIZES)
    assert_choices("GELU", ["GELU"], options=["tanh", "GELU"])


@pytest.mark.parametrize(
    ("got", "reached"),
    [("AC", 1.0), ("A", 0.5), ("ABC", 0.5), ("AB", 0.0), ("ABCD", 0.0), ([], 0.0), ("BD", 0.0)],
)
def test_right_minus_wrong_is_what_counts(got, reached):
    for share in (0.25, 0.5, 0.75, 1.0):
        if share <= reached:
            assert_choices(got, "AC", options="ABCD", share=share)
        else:
            said = complaint(assert_choices, got, "AC", options="ABCD", share=share)
            assert f"less than {share:.0%} of what is right" in said


@pytest.mark.parametrize(
    "got", ["AE", ["A", "E"], ["A", 3], [["A"]], True, None, {"A": True}, ["A"] * 500, ["A", None]]
)
def test_what_is_no_list_of_options_is_not_counted(got):
    assert complaint(assert_choices, got, "AC", options="ABCD").startswith("answer: ")
    assert parse_choices(got, "ABCD") is None


def test_a_tick_is_a_truth_value():
    ticks = {"A": 1, "B": False, "C": True, "D": False}
    assert complaint(assert_choices, ticks, "AC", options="ABCD") == (
        "answer: a whole number for A, expected True or False"
    )
    with pytest.raises(Unanswered):
        assert_choices(ticks | {"A": UNANSWERED}, "AC", options="ABCD")
    with pytest.raises(CheckFailure, match="an object of type Evil"):
        assert_choices(["A", EVIL], "AC", options="ABCD")


@pytest.mark.parametrize(
    ("want", "arguments", "said"),
    [
        ("E", {"options": "ABCD"}, "none of the options"),
        ("A", {"options": "AA"}, "two different ones"),
        ([], {"options": "AB"}, "at least one option must be right"),
        ("A", {"options": "AB", "share": 0}, "share must be above 0"),
    ],
)
def test_a_slip_of_the_author_is_not_the_student_s(want, arguments, said):
    with pytest.raises(ValueError, match=said):
        assert_choices("A", want, **arguments)


def test_the_audit_hears_what_is_offered():
    with noting_kinds() as found:
        assert_choice("A", "A", options="AB")
        assert_choices("A", "A", options="AB")
        assert_choices("A", "A", options="AB", share=0.5)
    assert found == [
        Noted(Kind.CHOICE, (("A", "B"), False)),
        Noted(Kind.CHOICE, (("A", "B"), True)),
    ]
