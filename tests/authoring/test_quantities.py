"""Quantities: one number in any form and unit; anything else is refused in words."""

import math

import numpy as np
import pytest
import torch

from autograder.authoring.kinds import Kind, Noted, noting_kinds
from autograder.authoring.quantities import assert_quantity, parse_quantity
from autograder.authoring.subject import Proxy, RemoteId
from autograder.errors import CheckFailure, Unanswered

EVIL = Proxy(None, RemoteId(0, "Evil"), "answer")
UNANSWERED = Proxy(None, RemoteId(0, "ellipsis"), "answer")


def complaint(*args, **kwargs):
    with pytest.raises(CheckFailure) as caught:
        assert_quantity(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    "got",
    [
        0.25,
        np.float32(0.25),
        np.array(0.25),
        np.array([0.25]),
        torch.tensor(0.25),
        "0.25",
        ".25",
        " 0.250 ",
        "1/4",
        "1 / 4",
        "-1/-4",
        "2.5e-1",
        "2.5E-1",
        "2.5 * 10^-1",
        "2.5*10**-1",
        "2.5 x 10^-1",
        "2.5 · 10⁻¹",
        r"$2.5 \cdot 10^{-1}$",
        r"2.5 \times 10^{-1}",
        "25 %",
        "25%",
        "+0.25",
    ],
)
def test_one_number_in_every_form(got):
    assert_quantity(got, 0.25)


@pytest.mark.parametrize(
    ("got", "number"),
    [("10^-3", 1e-3), ("-10**2", -100.0), ("10⁶", 1e6), ("1_000", 1000.0), ("−3", -3.0), ("7.", 7)],
)
def test_other_forms(got, number):
    assert parse_quantity(got) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    "got", [3, "3", "3 ms", "3ms", "0.003 s", "3000 us", "3000 µs", "3000 μs", "3e6 ns", "5e-5 min"]
)
def test_one_time_in_every_unit(got):
    assert_quantity(got, 3, unit="ms")
    assert_quantity(got, "0.003 s", unit="ms")


@pytest.mark.parametrize(
    ("got", "want", "unit"),
    [
        ("2 MiB", 2**21, "B"),
        ("2.097152 MB", 2**21, "bytes"),
        ("1500 MFLOP/s", 1.5, "GFLOP/s"),
        ("1.5 GFLOPS", 1.5, "GFLOP/s"),
        ("2 GFLOPs", 2e9, "FLOP"),
        ("25 %", 25, "%"),
        (25, 25, "%"),
        ("12 images", 12, "images"),
        ("12 Images", 12, "images"),
        ("1.5 h", 90, "min"),
    ],
)
def test_units_with_prefixes_and_of_ones_own(got, want, unit):
    assert_quantity(got, want, unit=unit)


@pytest.mark.parametrize(
    ("got", "unit", "said"),
    [
        ("3 MB", "ms", "answer: must be in ms, got '3 MB'"),
        ("3 ms", "", "answer: must have no unit, got '3 ms'"),
        ("0,25", "", "answer: must have a point before its decimals and no comma, got '0,25'"),
        ("a quarter", "", "answer: must be a number, got 'a quarter'"),
        ("", "", "answer: must be a number, got ''"),
        ("1/0", "", "answer: must be a number, got '1/0'"),
        ("nan", "", "answer: must be a number, got 'nan'"),
        ("inf", "s", "answer: must be a number in s, got 'inf'"),
        ("1e999", "", "answer: must be a finite number, got '1e999'"),
        ("9" * 101, "", "answer: must be a number, got a text of 101 characters"),
        ("__import__('os')", "", "answer: must be a number, got \"__import__('os')\""),
        (True, "", "answer: must be a number, got a truth value"),
        (None, "", "answer: must be a number, got None"),
        ([0.25], "", "answer: must be a number, got a list"),
        (0.25 + 0j, "", "answer: must be a number, got a complex number"),
        (np.ones(3), "ms", "answer: must be a number in ms, got an array of shape (3,)"),
        (10**500, "", "answer: must be a number, got an integer of 1661 bits"),
        (10**350, "", "answer: must be a number, got an integer of 1163 bits"),
    ],
)
def test_what_is_no_such_number(got, unit, said):
    assert complaint(got, 0.25, unit=unit) == said


@pytest.mark.parametrize("got", [math.nan, math.inf, 0.26, "0.26", "1/5", 0])
def test_another_number(got):
    assert "expected 0.25" in complaint(got, 0.25)


def test_an_object_is_no_number_and_dots_are_not_answered():
    assert complaint(EVIL, 1) == "answer: an object of type Evil, expected a number"
    with pytest.raises(Unanswered):
        assert_quantity(UNANSWERED, 1)


@pytest.mark.parametrize("got", [0.667, "0.667", "0.666", "0.6667", "2/3", 2 / 3, "66.67 %"])
def test_three_decimals_are_rounded_cut_or_more_exact(got):
    assert_quantity(got, 2 / 3, decimals=3)


@pytest.mark.parametrize("got", [0.66, 0.67, 0.668, "0.665", 0.6659, 0.6673, "0.7"])
def test_what_is_further_off_than_three_decimals(got):
    assert "expected 0.666667" in complaint(got, 2 / 3, decimals=3)


def test_a_tolerance_of_the_check_s_own():
    assert_quantity("1.01 s", 1000, unit="ms", rtol=0.02)
    assert_quantity("1.01 s", 1000, unit="ms", atol=11)
    complaint("1.01 s", 1000, unit="ms", atol=9)


@pytest.mark.parametrize(
    ("want", "arguments", "said"),
    [("3 MB", {"unit": "ms"}, "must be in ms"), (1, {"decimals": 1, "rtol": 1}, "stand alone")],
)
def test_a_slip_of_the_author_is_not_the_student_s(want, arguments, said):
    with pytest.raises(ValueError, match=said):
        assert_quantity(1, want, **arguments)


def test_the_audit_hears_of_it():
    with noting_kinds() as found:
        assert_quantity(1, 1, unit="ms")
    assert found == [Noted(Kind.QUANTITY, ("ms",))]
