"""The tolerance lies between right and wrong, and takes single precision in where it can."""

import math
from dataclasses import replace

import numpy as np
import pytest

from autograder.artefacts.gaps import Bands, Gaps, SingleBand
from autograder.audit.checking.calibration import (
    COARSEST,
    COARSEST_COARSE,
    FINEST,
    LARGEST_SHARE,
    ONE_ROUNDING,
    SAFETY,
    beyond,
    factor_between,
    lies_in,
    room_for_single,
    single_in,
    standard_in,
    wrong_in,
)
from autograder.authoring.standard import Compared, Standard
from autograder.authoring.tolerance import DEFAULTS


def factor(bands):
    return factor_between(bands, COARSEST)


def compared(got, want, own=False, margin=2.0):
    got, want = np.asarray(got), np.asarray(want)
    return Compared("value", got, want, DEFAULTS["float64"], margin, own)


def test_the_default_stays_where_it_lies_in_the_gap():
    assert factor(Bands(right=0.01, wrong=1e6)) == 1.0


def test_right_answers_that_need_more_get_it():
    assert 5.0 * SAFETY <= factor(Bands(right=5.0, wrong=1e6)) <= 1.1 * 5.0 * SAFETY


@pytest.mark.parametrize("right", [1.0, 1e3, 1e9])
@pytest.mark.parametrize("wrong", [1e10, math.inf])
def test_a_factor_is_capped_whatever_was_measured(right, wrong):
    assert factor(Bands(right=right, wrong=wrong)) <= max(COARSEST, right)
    assert factor_between(Bands(right=1.0, wrong=wrong), COARSEST_COARSE) <= COARSEST_COARSE


def test_a_wrong_answer_within_the_default_tightens_it():
    bands = Bands(right=1e-4, wrong=0.2)
    assert bands.within(factor(bands)).wrong > 1.0 > bands.within(factor(bands)).right


def test_alternatives_pass_as_they_are():
    bands = Bands(alternatives=0.9, right=0.01, wrong=1.5)
    assert bands.within(factor(bands)).alternatives < 1.0 < bands.within(factor(bands)).wrong


@pytest.mark.parametrize(("right", "wrong", "overlap"), [(2, 1, True), (1, 2, False), (0, 0, True)])
def test_bands_overlap_where_wrong_is_no_further_than_right(right, wrong, overlap):
    assert Bands(right=right, wrong=wrong).overlap is overlap
    assert (Gaps(coarse=Bands(right=right, wrong=wrong)).overlap is not None) is overlap


def test_a_factor_can_be_read():
    assert factor(Bands(right=0.777, wrong=math.inf)) == 3.2
    assert factor(Bands(right=0.0, wrong=1e-9)) == FINEST


def room(*args, **kwargs):
    return room_for_single(SingleBand(*args, **kwargs), LARGEST_SHARE)


def test_single_precision_gets_the_room_that_was_measured():
    assert room(1e-6) == SAFETY * 1e-6
    assert room(None) == 0.0
    assert SAFETY * ONE_ROUNDING * 0.9 < room(0.0) <= SAFETY * ONE_ROUNDING
    assert room(5e-5) == LARGEST_SHARE
    assert room(2e-4) == 0.0


@pytest.mark.parametrize("near", ["wrong", "widest"])
def test_single_precision_gets_no_room_where_a_wrong_answer_is_near(near):
    assert room(1e-6, **{near: 1e-3}) == 4e-6
    assert room(1e-6, **{near: 4e-6}) == 2e-6
    assert room(1e-6, **{near: 1.5e-6}) == 0.0


def test_the_standard_of_a_check_has_a_room_for_each_precision():
    gaps = Gaps(Bands(5.0), Bands(1.0), SingleBand(1e-6), SingleBand(1e-7))
    assert standard_in(gaps, True, strict=False) == Standard(20.0, 4.0, 4e-6, 4e-6, 4.7e-7)
    near = replace(gaps, single=SingleBand(1e-6, wrong=6e-6, widest=5e-6))
    assert standard_in(near, True, strict=False) == Standard(20.0, 4.0, 2.5e-6, 3e-6, 4.7e-7)
    assert standard_in(gaps, True, strict=True) == Standard(20.0, 4.0)
    assert standard_in(gaps, False, strict=False) == Standard()


def test_a_right_answer_has_room_though_a_mistake_passes_a_case_by_it():
    """It fails another, further off than the room."""
    single, zero = SingleBand(1e-6, wrong=6e-6, widest=1e-7), SingleBand(1e-7, widest=1e-9)
    gaps = Gaps(Bands(0.1), Bands(0.1), single, zero)
    drawn = standard_in(gaps, True, strict=False)
    assert drawn == Standard(1.0, 1.0, 3e-6, 3e-6, 4.7e-7)
    assert lies_in(gaps, replace(drawn, single=2e-6), True, strict=False)
    assert not lies_in(gaps, replace(drawn, single=5e-6), True, strict=False)
    wide = replace(gaps, single=replace(single, alternatives=2e-6))
    assert standard_in(wide, True, strict=False).single == 3e-6
    wider = replace(gaps, single=SingleBand(1e-6, alternatives=5e-6, wrong=6e-6, widest=4e-6))
    drawn = standard_in(wider, True, strict=False)
    assert (drawn.single, drawn.in_single) == (2e-6, 3e-6), "as without that alternative"
    nowhere = replace(gaps, single=replace(single, wrong=1.5e-6), zero=replace(zero, wrong=1e-9))
    assert standard_in(nowhere, True, strict=False) == Standard(1.0, 1.0, 0.0, 0.0, 0.0)


def test_an_error_is_held_against_the_largest_value_and_at_zero_against_nothing():
    assert beyond(compared([1.0, 1e-6], [1.0, 2e-6])) == pytest.approx((1e-6, 1e-6), rel=1e-6)
    assert beyond(compared([1e3, 1e-3], [1e3, 2e-3])) == pytest.approx((1e-6, 1e-3), rel=1e-6)
    assert beyond(compared([1e-8], [0.0])) == (math.inf, 1e-8)
    assert beyond(compared([1 + 5e-8], [1.0])) == (0.0, 0.0)


@pytest.mark.parametrize(
    "one",
    [
        compared([1.0], [2.0], own=True),
        compared(np.float32([1.0]), np.float32([2.0])),
        compared([1], [2]),
        compared([math.nan], [2.0]),
        compared([math.inf], [2.0]),
        compared([1.0], [math.inf]),
    ],
    ids=repr,
)
def test_what_room_for_single_precision_does_not_let_pass_is_infinitely_far(one):
    assert beyond(one) == (math.inf, math.inf)


def test_what_was_seen_in_single_precision_is_the_largest_share_or_number_where_values_cancel():
    pairs = ([1.0, 1e-6], [1.0, 0.0]), ([3e-8], [0.0]), ([1e-8], [2e-8])
    assert single_in([compared(*pair) for pair in pairs]) == (pytest.approx(1e-6), 3e-8)
    assert single_in([compared([1], [1])]) == (None, None)


def test_what_is_wrong_in_two_precisions_takes_both_to_pass():
    double, coarse = compared([1.1], [1.0], margin=9.0), compared(*np.float32([[3], [1]]), margin=5)
    assert wrong_in(math.inf, [double]) == Gaps()
    assert wrong_in(5.0, [coarse]) == Gaps(coarse=Bands(wrong=5.0))
    found = wrong_in(9.0, [double, coarse])
    assert (found.double.wrong, found.coarse.wrong, found.single.wrong) == (9.0, math.inf, math.inf)
    assert wrong_in(9.0, [double]).single.wrong == pytest.approx(0.1)
    assert wrong_in(0.5, []).double.wrong == 0.5
