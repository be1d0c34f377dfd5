"""Hints from numbers hold in every failing case, and say nothing where nothing is behind it."""

import numpy as np
import pytest

from autograder.authoring.standard import Compared
from autograder.authoring.tolerance import DEFAULTS, compare
from autograder.grading.hints import hint

RNG = np.random.default_rng(1)


def wrong(got, want, dtype="float64"):
    got, want = np.asarray(got), np.asarray(want)
    tolerance = DEFAULTS[dtype]
    return Compared("x", got, want, tolerance, compare(got, want, tolerance).margin, own=False)


def said(change, shape=(4, 4), cases=2):
    wants = [RNG.normal(size=shape) for _ in range(cases)]
    return hint([wrong(change(want), want) for want in wants], cases)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: -w, "the sign is the opposite everywhere"),
        (lambda w: 2 * w, "2 times the right value everywhere"),
        (lambda w: w / 2, "1/2 times the right value everywhere"),
        (lambda w: 7.3 * w, "off by one constant factor everywhere"),
        (lambda w: w.T, "the right matrix, transposed"),
        (
            lambda w: np.roll(w, 1, axis=0),
            "the right values, one place off: an index is off by one",
        ),
        (
            lambda w: np.roll(w, -1, axis=1),
            "the right values, one place off: an index is off by one",
        ),
        (lambda w: np.full_like(w, np.nan), "NaN everywhere"),
        (lambda w: np.where(w > 0, w, np.nan), "NaN in some places, and right in all others"),
        (lambda w: np.where(w > 0, 2 * w, np.inf), "an infinity in some places"),
    ],
)
def test_each_hypothesis_is_found(change, words):
    assert (said(change) or "").startswith(words)


def test_a_factor_may_differ_between_cases():
    factors = iter((3.7, 5.1))
    found = said(lambda w: next(factors) * w)
    assert found == "off by a factor that is the same for all values of a case"


def test_a_softmax_over_the_other_axis():
    def softmax(z, axis):
        exp = np.exp(z)
        return exp / exp.sum(axis=axis, keepdims=True)

    scores = [RNG.normal(size=(3, 5)) for _ in range(2)]
    found = hint([wrong(softmax(z, 0), softmax(z, 1)) for z in scores], 2)
    assert found == "it sums to one along another axis than it should"


def test_a_hypothesis_must_hold_in_every_case():
    wants = [RNG.normal(size=(4, 4)) for _ in range(2)]
    assert hint([wrong(2 * wants[0], wants[0]), wrong(wants[1] + 1, wants[1])], 2) is None
    assert hint([wrong(2 * wants[0], wants[0])], 2) is None


def test_zeros_and_what_is_near_say_nothing():
    assert said(np.zeros_like) is None
    small = RNG.normal(size=5) * 1e-9
    assert hint([wrong(np.zeros(5), small)], 1) is None
    assert said(lambda w: w + 1e-6 * np.sin(w)) is None


@pytest.mark.parametrize("want", [0.5, [0.5, 0.25]])
def test_a_single_number_says_nothing(want):
    assert hint([wrong(2 * np.asarray(want), want)], 1) is None


def test_texts_and_nothing_say_nothing():
    assert hint([], 1) is None
    assert hint([wrong(np.array([True, False]), np.array([False, True]), "exact")], 1) is None


def test_random_wrong_answers_get_no_hint():
    shapes = [(3,), (4, 4), (2, 3, 4), ()]
    for number in range(200):
        shape = shapes[number % len(shapes)]
        wants = [RNG.normal(size=shape) for _ in range(2)]
        assert hint([wrong(RNG.normal(size=shape), want) for want in wants], 2) is None
