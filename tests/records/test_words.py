import sys
import unicodedata

import pytest

from autograder.artefacts.results import Status, Verdict
from autograder.records.words import (
    STATUS_WORDS,
    VERDICT_WORDS,
    check_words,
    clean,
    question_label,
    question_pairs,
    standing,
    student_message,
    student_words,
)


def test_every_verdict_and_status_has_words():
    assert set(VERDICT_WORDS) == set(Verdict)
    assert set(STATUS_WORDS) == set(Status)


def test_of_a_visible_case_a_student_reads_verdict_message_and_diagnosis(make):
    case = make.case(Verdict.FAILED, message="20 values differ", diagnosis="steps uphill")
    words = student_words(case, 0, "a hint")
    assert words.name == "one step"
    assert words.words == "not the expected result"
    assert words.message == "20 values differ"
    assert words.diagnosis == "steps uphill"
    assert words.hint is None


NOTE = "passes with the reference's sgd_step and adam_step in place of yours"


@pytest.mark.parametrize("hidden", [False, True])
def test_what_was_given_to_a_case_that_passed_is_said_of_hidden_ones_too(make, hidden):
    case = make.case(Verdict.PASSED, "a", hidden, message=NOTE, given=True)
    assert student_words(case, 1, None).message == NOTE


@pytest.mark.parametrize("verdict", list(Verdict))
def test_words_like_our_note_are_no_way_out_for_a_hidden_message(make, verdict):
    case = make.case(verdict, "a", True, message=NOTE)
    assert student_words(case, 1, None).message is None


@pytest.mark.parametrize("verdict", list(Verdict))
def test_of_a_hidden_case_a_student_reads_neither_message_nor_name(make, verdict):
    case = make.case(verdict, "SECRETCASE", True, message="SECRETMESSAGE", diagnosis="uphill")
    words = student_words(case, 2, "look at the sign")
    assert words.name == "hidden case 2"
    assert words.message is None
    assert words.diagnosis == "uphill"
    assert "SECRET" not in repr(words)


@pytest.mark.parametrize(
    ("verdict", "shown"),
    [
        (Verdict.FAILED, True),
        (Verdict.ERRORED, True),
        (Verdict.TIMED_OUT, True),
        (Verdict.KILLED, True),
        (Verdict.PASSED, False),
        (Verdict.PENDING, False),
        (Verdict.BROKEN, False),
    ],
)
def test_a_hint_is_shown_where_it_helps(make, verdict, shown):
    words = student_words(make.case(verdict, hidden=True), 1, "look at the sign")
    assert words.hint == ("look at the sign" if shown else None)


def test_what_broke_in_the_grader_is_not_for_students(make):
    case = make.case(Verdict.BROKEN, message="Traceback: reference/optimizers.py")
    assert student_message(case) is None


def test_hidden_cases_are_counted_apart(make):
    hidden = make.case(name="x", hidden=True)
    question = make.sgd(make.case(), hidden, make.case(name="two"), hidden)
    names = [words.name for words in check_words(question.checks[0], None)]
    assert names == ["one step", "hidden case 1", "two", "hidden case 2"]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("a\x00b\x07c\x08d\x9be", "abcde"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("\u2066x\u2069\u200f\u061c", "x"),
        ("one\r\ntwo\rover", "one\ntwoover"),
        ("line\u2028paragraph\u2029", "lineparagraph"),
        ("half \ud800 pair", "half  pair"),
        ("نمی\u200cخواهم", "نمی\u200cخواهم"),
        ("naïve ∑ 名", "naïve ∑ 名"),
    ],
)
def test_what_steers_a_terminal_or_the_reading_direction_goes(text, cleaned):
    assert clean(text) == cleaned


def test_no_character_that_unicode_calls_control_or_format_stays():
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    every = map(chr, range(sys.maxunicode + 1))
    steering = [
        c for c in every if unicodedata.category(c) in kinds and c not in "\n\t\u200c\u200d"
    ]
    assert [c for c in steering if clean(f"a{c}b") not in ("ab", "a")] == []


@pytest.mark.parametrize("size", [600, 601, 10_000_000])
def test_a_message_has_at_most_600_characters(size):
    cleaned = clean("x" * size)
    assert len(cleaned) == 600
    assert cleaned.endswith("…") is (size > 600)


def test_a_question_without_a_result_needs_attention(make):
    pairs = question_pairs(make.manifest, [make.conv()])
    assert [question.id for _, question in pairs] == ["sgd", "conv", "proof"]
    statuses = [question.status for _, question in pairs]
    assert statuses == [Status.NEEDS_ATTENTION, Status.GRADED, Status.NEEDS_ATTENTION]


def test_a_question_stands_as_its_points_and_status_say(make):
    sgd, _, proof = make.manifest.questions
    assert standing(sgd, make.sgd(earned=4.0)).key == "full"
    assert standing(sgd, make.sgd(earned=1.0)).key == "part"
    assert standing(sgd, make.sgd(earned=0.0)).key == "none"
    assert standing(sgd, make.sgd(status=Status.PENDING)).key == "hardware"
    assert standing(sgd, make.sgd(status=Status.NEEDS_ATTENTION)).key == "attention"
    assert standing(proof, make.proof()).words == "waiting for your instructor"
    assert standing(proof, make.proof(0.0, Status.GRADED)).key == "none"


def test_a_question_brings_its_number_or_gets_its_place(make):
    labels = [question_label(entry, n) for n, entry in enumerate(make.manifest.questions, 7)]
    assert labels == ["1.1", "1.2", "2"]
