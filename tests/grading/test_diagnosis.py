"""A diagnosis names the mistake that gives the same wrong values, and no other."""

import time
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from autograder import assert_close, assert_equal, assert_that
from autograder.artefacts.bundle import NamedMutant
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import Verdict
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import case, case_rng, check
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.diagnosis import CaseOutcome, Diagnoses
from autograder.sandbox.protocol.messages import InProcessSession

SECRET = b"the course's"


def adam(m, v, g, t):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return m / (1 - 0.9**t) / np.sqrt(v / (1 - 0.999**t)), m, v


def uncorrected(m, v, g, t):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return m / np.sqrt(v), m, v


@check("adam", points=2, pure=True)
@case("the first step", t=1)
@case("a later step", t=7, hidden=True)
def adam_matches(student, reference, rng, t):
    """Adam."""
    m, v, g = rng.normal(size=(3, 5)) ** 2
    got, want = student.adam(m, v, g, t), reference.adam(m, v, g, t)
    for name, one, other in zip(("step", "m", "v"), got, want, strict=True):
        assert_close(one, other, what=name)


@check("answer", points=1)
@case("the number", hidden=True)
def answer_is_right(student, reference, rng):
    """The number."""
    assert_close(student.answer, reference.answer)


def overwritten(m, v, g, t):
    g *= 2
    return adam(m, v, g / 2, t)


def hopeless(m, v, g, t):
    raise ValueError("singular")


def mistake(title, **values):
    return Variant(title, values, title)


BANKS = {
    "adam": Bank(
        (
            mistake("no bias correction", adam=uncorrected),
            mistake("the first moment alone", adam=lambda m, v, g, t: (m, m, v)),
            mistake("overwrites the gradient", adam=overwritten),
            mistake("inverts what has no inverse", adam=hopeless),
        )
    ),
    "answer": Bank((mistake("the norm squared", answer=0.64), mistake("a half", answer=0.5))),
}
CHECKS = {"adam_matches": adam_matches, "answer_is_right": answer_is_right}
ORACLE = Oracle("diagnoses", {"np": np, "adam": adam, "answer": 0.8123}, CHECKS, banks=BANKS)


def with_mistakes(**more):
    """Return the oracle with a further mistake of each question, before the others."""
    banks = {
        question: Bank((one, *BANKS.get(question, Bank()).mistakes))
        for question, one in more.items()
    }
    return replace(ORACLE, banks={**BANKS, **banks})


def draw(checked, one, submission="one"):
    return case_rng(SECRET, "diagnoses", checked.name, one.name, submission)


def outcomes(checked, **values):
    found = {}
    for one in checked.cases:
        seen = []
        result = run_case(
            checked,
            one,
            InProcessSession({**ORACLE.namespace, **values}),
            ReferenceSession(ORACLE.namespace),
            lambda one=one: draw(checked, one),
            compared=seen,
        )
        found[one.name] = CaseOutcome(result, seen)
    return found


def diagnosis(checked=adam_matches, mistakes=(), oracle=ORACLE, **values):
    return Diagnoses(oracle, mistakes).of(checked, outcomes(checked, **values), draw)


@pytest.mark.parametrize("mistake", BANKS["adam"].mistakes, ids=lambda mistake: mistake.title)
def test_each_mistake_is_named(mistake):
    assert diagnosis(**mistake.values) == mistake.title


def test_another_way_to_make_the_same_mistake_is_named_too():
    def alike(m, v, g, t):
        step, m, v = uncorrected(m.copy(), v.copy(), g.copy(), t)
        return (step * 1.0).astype("float64"), m, v

    assert diagnosis(adam=alike) == "no bias correction"


def test_right_answers_have_no_diagnosis():
    assert diagnosis() is None


def test_a_mistake_in_some_cases_only_is_not_the_mistake():
    def partly(m, v, g, t):
        return (adam if t == 1 else uncorrected)(m, v, g, t)

    assert "bias" not in diagnosis(adam=partly)


def test_a_typed_number_is_named_if_it_has_digits():
    assert diagnosis(answer_is_right, answer=0.64) is None
    oracle = with_mistakes(answer=mistake("the square", answer=0.65983))
    assert diagnosis(answer_is_right, oracle=oracle, answer=0.65983) == "the square"


def test_one_short_number_is_anybody_s():
    assert diagnosis(answer_is_right, answer=0.5) is None


def test_two_mistakes_with_the_same_values_are_both_named():
    oracle = with_mistakes(adam=mistake("v as it is", adam=uncorrected))
    assert diagnosis(oracle=oracle, adam=uncorrected) == "v as it is; or: no bias correction"


def test_a_mistake_that_the_check_is_not_known_to_reject_is_not_tried():
    wrong = outcomes(adam_matches, adam=uncorrected)
    for rejects, named in ((["no bias correction"], True), (["another"], False), ([], False)):
        known = Diagnoses(ORACLE, rejects={"adam_matches": rejects})
        said = known.of(adam_matches, wrong, draw) or ""
        assert ("no bias correction" in said) is named


def test_a_hint_where_no_mistake_fits():
    def thrice(m, v, g, t):
        step, m, v = adam(m, v, g, t)
        return 3 * step, m, v

    assert diagnosis(adam=thrice) == "3 times the right value everywhere"


def test_a_mistake_that_the_audit_found_is_named_last():
    text = "def adam(m, v, g, t):\n    return m + g, m, v\n"
    flipped = NamedMutant(("adam_matches",), "a sign is flipped", (text,), {})
    assert (
        diagnosis(mistakes=[flipped], adam=lambda m, v, g, t: (m + g, m, v)) == "a sign is flipped"
    )
    assert diagnosis(mistakes=[flipped], adam=uncorrected) == "no bias correction"


def test_a_mistake_that_cannot_be_run_stops_nothing():
    broken = NamedMutant(("adam_matches",), "broken", ("raise KeyError",), {})
    assert diagnosis(mistakes=[broken], adam=lambda m, v, g, t: (m * g, m, v)) is None


def test_two_hundred_random_wrong_answers_have_no_diagnosis():
    rng = np.random.default_rng(0)
    known = Diagnoses(ORACLE)
    makers = (
        lambda shape: rng.normal(size=shape),
        lambda shape: np.full(shape, rng.normal()),
        lambda shape: rng.integers(-3, 3, size=shape).astype(float),
        np.zeros,
    )
    for number in range(200):
        made = makers[number % len(makers)]

        def random(m, v, g, t, made=made):
            return made(g.shape), made(g.shape), made(g.shape)

        assert known.of(adam_matches, outcomes(adam_matches, adam=random), draw) is None


def test_a_case_that_was_stopped_has_no_diagnosis():
    found = outcomes(adam_matches, adam=uncorrected)
    stopped = msgspec.structs.replace(found["a later step"].result, verdict=Verdict.TIMED_OUT)
    found["a later step"] = CaseOutcome(stopped, [])
    assert Diagnoses(ORACLE).of(adam_matches, found, draw) is None


@pytest.fixture
def counted():
    """An oracle, and what a mistake of it was run with; it fits where `uncorrected` does."""
    calls = []

    def noted(m, v, g, t):
        calls.append((t, m.tolist()))
        return uncorrected(m, v, g, t)

    return with_mistakes(adam=mistake("counted", adam=noted)), calls


def test_a_mistake_is_run_on_the_inputs_of_the_submission_and_of_no_other(counted):
    oracle, calls = counted
    wrong = outcomes(adam_matches, adam=uncorrected)
    seen = []
    for checked, one in ((adam_matches, one) for one in adam_matches.cases):
        seen.append(draw(checked, one).normal(size=(3, 5))[0] ** 2)
    assert "counted" in Diagnoses(oracle).of(adam_matches, wrong, draw)
    assert calls == [(1, seen[0].tolist()), (7, seen[1].tolist())]
    other = Diagnoses(oracle).of(adam_matches, wrong, lambda c, one: draw(c, one, "another"))
    assert other is None or "bias" not in other


def test_a_mistake_that_fails_where_it_went_wrong_is_run_nowhere_else(counted):
    oracle, calls = counted
    late = lambda m, v, g, t: adam(m, v, g, t) if t == 1 else (m * g, m, v)  # noqa: E731
    diagnosis(oracle=oracle, adam=late)
    assert [t for t, _ in calls] == [7]


def test_a_check_that_passed_has_no_mistake_run(counted):
    oracle, calls = counted
    assert diagnosis(oracle=oracle) is None
    assert calls == []


def test_no_mistake_is_run_when_the_time_for_them_is_used_up(counted):
    oracle, calls = counted
    wrong = {"adam_matches": outcomes(adam_matches, adam=uncorrected)}
    assert "bias" not in Diagnoses(oracle).of_all(wrong, draw, seconds=0.0)["adam_matches"]
    assert calls == []
    assert "bias" in Diagnoses(oracle).of_all(wrong, draw)["adam_matches"]


def test_a_slow_mistake_of_one_check_takes_no_other_its_diagnosis():
    def slow(m, v, g, t):
        until = time.process_time() + 10.0
        while time.process_time() < until:
            pass

    oracle = with_mistakes(
        adam=mistake("slow", adam=slow), answer=mistake("the square", answer=0.65983)
    )
    wrong = {
        "adam_matches": outcomes(adam_matches, adam=uncorrected),
        "answer_is_right": outcomes(answer_is_right, answer=0.65983),
    }
    found = Diagnoses(oracle).of_all(wrong, draw, seconds=0.4)
    assert found["answer_is_right"] == "the square"


def test_texts_are_told_apart():
    @check("word", points=1)
    @case("hidden", hidden=True)
    def word_is_right(student, reference, rng):
        """A word."""
        assert_equal(student.word, "right")

    found = outcomes(word_is_right, word="wrong")
    known = Diagnoses(with_mistakes(word=mistake("the other word", word="wrong")))
    assert known.of(word_is_right, found, draw) == "the other word"
    assert known.of(word_is_right, outcomes(word_is_right, word="neither"), draw) is None


@check("choice", points=1)
@case("True or False", hidden=True)
def choice_has_the_right_form(student, reference, rng):
    """True or False."""
    assert_that(isinstance(student.choice, bool), "choice: give True or False")


@pytest.mark.parametrize("empty", [..., None, ""])
def test_what_was_never_answered_has_no_diagnosis(monkeypatch, empty):
    monkeypatch.setitem(CHECKS, "choice_has_the_right_form", choice_has_the_right_form)
    said = "a text in place of True or False"
    oracle = with_mistakes(choice=mistake(said, choice="no"))
    assert diagnosis(choice_has_the_right_form, oracle=oracle, choice="yes") == said
    assert diagnosis(choice_has_the_right_form, oracle=oracle, choice=empty) is None


def lowered(dtype):
    """Return Adam as it is for somebody who works in another precision."""

    def change(m, v, g, t):
        return tuple(np.float64(value) for value in adam(*(a.astype(dtype) for a in (m, v, g)), t))

    return change


@pytest.mark.parametrize(
    ("dtype", "words"), [("float32", "single precision"), ("float16", "half precision")]
)
def test_rounding_is_told_where_the_reference_is_as_rounded(dtype, words):
    found = diagnosis(adam=lowered(dtype))
    assert found == f"right but for rounding: it looks like {words} somewhere on the way"


@pytest.mark.parametrize(
    "change",
    [
        lambda step: step * (1 + 1e-7),  # all in one direction
        lambda step: step + 3e-8 * (np.arange(step.size) == 1),  # one number alone
        lambda step: step + 1e-3 * np.cos(1e3 * step),  # as near as half precision, and none
        lambda step: step + 1e-6 * np.cos(1e6 * step),  # nearer than that, further than single
    ],
)
def test_what_is_merely_near_is_no_rounding(change):
    def near(m, v, g, t):
        step, m, v = adam(m, v, g, t)
        return change(step), m, v

    assert diagnosis(adam=near) is None


def test_what_is_no_number_where_a_mistake_gives_none_is_that_mistake():
    mistaken = with_mistakes(answer=mistake("log of zero", answer=-np.inf))
    assert diagnosis(answer_is_right, oracle=mistaken, answer=-np.inf) == "log of zero"
    assert diagnosis(answer_is_right, oracle=mistaken, answer=np.nan) != "log of zero"


def log_of_zero(scores, labels):
    """Return a mean loss by way of the probabilities, of which one is zero for large scores."""
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(p)), labels]).mean()


def log_of_zero_times_zero(scores, labels):
    """Return the same with one-hot labels: 0 times an infinity is NaN."""
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -(np.eye(scores.shape[1])[labels] * np.log(p)).sum(axis=1).mean()


def loss(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(log_p)), labels].mean()


@check("loss", points=1)
@case("usual scores", size=1.0)
@case("large scores", size=1e4, hidden=True)
def loss_matches(student, reference, rng, size):
    """The loss."""
    scores, labels = size * rng.normal(size=(6, 4)), rng.integers(4, size=6)
    assert_close(student.loss(scores, labels), reference.loss(scores, labels), what="loss")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda wrong: wrong, "the logarithm of a probability that became 0"),
        (lambda wrong: wrong if np.isfinite(wrong) else np.nan, "the logarithm of"),
        (lambda wrong: np.nan, "NaN in place of the number: look for"),
    ],
)
@pytest.mark.parametrize("made", [log_of_zero, log_of_zero_times_zero])
def test_no_number_is_as_good_as_another_where_something_else_tells_the_mistake(
    monkeypatch, made, change, words
):
    monkeypatch.setitem(CHECKS, "loss_matches", loss_matches)
    monkeypatch.setitem(ORACLE.namespace, "loss", loss)
    known = mistake("the logarithm of a probability that became 0", loss=log_of_zero)

    def student(scores, labels):
        with np.errstate(all="ignore"):
            return change(made(scores, labels))

    oracle = with_mistakes(loss=known)
    assert diagnosis(loss_matches, oracle=oracle, loss=student).startswith(words)


def test_an_error_s_text_is_no_sign_of_a_mistake_that_a_program_made():
    text = "import operator\ndef adam(m, v, g, t):\n    raise ValueError('singular')"
    mutant = NamedMutant(("adam_matches",), "two arguments are swapped", (text,), {})
    bare = replace(ORACLE, banks={})
    assert diagnosis(mistakes=[mutant], oracle=bare, adam=hopeless) is None
    by_value = replace(bare, banks={"adam": Bank((mistake("singular", adam=hopeless),))})
    assert diagnosis(mistakes=[mutant], oracle=by_value, adam=hopeless) == "singular"


@check("adam", points=1)
@case("in groups", hidden=True)
def adam_keeps_groups_apart(student, reference, rng):
    """Each group has its own state."""
    for _ in range(2):
        m, v, g = rng.normal(size=(3, 500)) ** 2
        assert_close(student.adam(m, v, g, 3)[0], reference.adam(m, v, g, 3)[0], what="group")


@pytest.mark.parametrize("apart", [False, True])
def test_checks_that_fail_by_little_together_fail_for_one_reason(apart):
    """A slip of a small term fails what is about groups, too: but for itself, by far."""

    def slip(m, v, g, t):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        step = m / (1 - 0.9**t) / (1e-5 + np.sqrt(v / (1 - 0.999**t)))
        return step + apart * (t == 3) * g, m, v

    checks = {"adam_matches": adam_matches, "adam_keeps_groups_apart": adam_keeps_groups_apart}
    oracle = replace(ORACLE, checks=checks, banks={})
    found = {name: outcomes(one, adam=slip) for name, one in checks.items()}
    said = Diagnoses(oracle).of_all(found, draw)
    assert [text.partition(":")[0] for text in said.values()] == (
        [] if apart else 2 * ["nearly right"]
    )


def test_rounding_is_told_where_all_failing_checks_of_a_question_have_met_it():
    """Another slip may be as near as rounding in one of them."""
    checks = {"adam_matches": adam_matches, "adam_keeps_groups_apart": adam_keeps_groups_apart}
    oracle = replace(ORACLE, checks=checks, banks={})
    rounded = lowered("float32")

    def slip(m, v, g, t):
        step, m, v = rounded(m, v, g, t)
        return step + 1e-4 * (t == 3) * np.sin(1e3 * step), m, v

    for change, words in ((rounded, "right but for rounding"), (slip, "nearly right")):
        found = {name: outcomes(one, adam=change) for name, one in checks.items()}
        alone = Diagnoses(oracle).of(adam_matches, found["adam_matches"], draw)
        assert alone.startswith("right but for rounding")
        said = Diagnoses(oracle).of_all(found, draw)
        assert {text.partition(":")[0] for text in said.values()} == {words}
        assert set(said) == set(checks)
