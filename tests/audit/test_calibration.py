"""The tolerance lies between right and wrong, and takes single precision in where it can."""

import math

import pytest

from autograder.audit.calibration import FINEST, SAFETY, Bands, slack_between


def test_the_default_stays_where_it_lies_in_the_gap():
    assert slack_between(Bands(right=0.01, wrong=1e6), strict=False) == 1.0


def test_right_answers_that_need_more_get_it():
    slack = slack_between(Bands(right=5.0, wrong=1e6), strict=False)
    assert 5.0 * SAFETY <= slack <= 1.1 * 5.0 * SAFETY


def test_single_precision_is_taken_in_where_there_is_room():
    bands = Bands(right=0.001, precision=30.0, wrong=1e5)
    assert bands.precision / slack_between(bands, strict=False) < 1.0
    assert slack_between(bands, strict=True) == 1.0


def test_single_precision_stays_out_where_a_wrong_answer_is_near():
    bands = Bands(right=0.001, precision=30.0, wrong=8.0)
    slack = slack_between(bands, strict=False)
    assert bands.within(slack).precision > 1.0
    assert bands.within(slack).wrong > 1.0


def test_a_wrong_answer_within_the_default_tightens_it():
    bands = Bands(right=1e-4, wrong=0.2)
    slack = slack_between(bands, strict=False)
    assert bands.within(slack).wrong > 1.0 > bands.within(slack).right


def test_alternatives_pass_as_they_are():
    bands = Bands(alternatives=0.9, right=0.01, wrong=1.5)
    slack = slack_between(bands, strict=False)
    assert bands.within(slack).alternatives < 1.0 < bands.within(slack).wrong


@pytest.mark.parametrize(("right", "wrong", "overlap"), [(2, 1, True), (1, 2, False), (0, 0, True)])
def test_bands_overlap_where_wrong_is_no_further_than_right(right, wrong, overlap):
    assert Bands(right=right, wrong=wrong).overlap is overlap


def test_a_slack_can_be_read():
    assert slack_between(Bands(right=0.777, wrong=math.inf), strict=False) == 3.2
    assert slack_between(Bands(right=0.0, wrong=1e-9), strict=True) == FINEST
