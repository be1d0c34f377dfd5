import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.authoring import tolerance
from autograder.authoring.tolerance import DEFAULTS, Tolerance, compare, default_tolerance

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)
TOLERANCE = st.builds(Tolerance, *[st.sampled_from([0.0, 1e-10, 1e-7, 1e-3, 0.5])] * 2)
EXACT = Tolerance(0.0, 0.0)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


def agree(got, want, tolerance=EXACT):
    return compare(np.asarray(got), np.asarray(want), tolerance).wrong == 0


@given(FINITE, FINITE, TOLERANCE)
def test_two_numbers_agree_exactly_where_the_formula_holds(got, want, tolerance):
    holds = abs(got - want) <= tolerance.atol + tolerance.rtol * abs(want)
    assert agree(got, want, tolerance) == holds


@given(
    FINITE.filter(lambda x: abs(x) < 1e300),
    TOLERANCE,
    st.sampled_from([0.0, 0.5, 1 - 2**-52, 1.0, 1 + 2**-52, 1.5]),
    st.sampled_from([-1, 1]),
)
def test_the_border_of_the_tolerance_is_the_formulas(want, tolerance, times, sign):
    got = want + sign * times * (tolerance.atol + tolerance.rtol * abs(want))
    holds = abs(got - want) <= tolerance.atol + tolerance.rtol * abs(want)
    assert agree(got, want, tolerance) == holds


@given(hnp.arrays(np.float64, SHAPES, elements=FINITE), TOLERANCE)
def test_an_array_agrees_with_itself_in_every_shape_and_with_a_margin_of_zero(array, tolerance):
    result = compare(array, array.copy(), tolerance)
    assert (result.wrong, result.total, result.margin) == (0, array.size, 0.0)


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(-1e3, 1e3)), st.data())
def test_the_index_names_the_worst_value_and_wrong_counts_all(want, data):
    shifts = data.draw(hnp.arrays(np.float64, (3, 4), elements=st.sampled_from([0.0, 1.0, 2.0])))
    worst = (data.draw(st.integers(0, 2)), data.draw(st.integers(0, 3)))
    shifts[worst] = 8.0
    result = compare(want + shifts, want, Tolerance(0.0, 0.25))
    assert result.index == worst
    assert result.wrong == np.count_nonzero(shifts)
    assert result.got == (want + shifts)[worst]
    assert result.want == want[worst]
    assert result.margin == pytest.approx(32.0)


@pytest.mark.parametrize("want", [0.0, 1.0, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("got", [0.0, 1.0, math.inf, -math.inf, math.nan])
def test_nan_agrees_with_nan_only_and_an_infinity_with_itself_only(got, want):
    result = compare(np.array([got]), np.array([want]), Tolerance(0.5, 0.25))
    same = got == want or (math.isnan(got) and math.isnan(want))
    assert (result.wrong == 0) == same
    if not same and not (math.isfinite(got) and math.isfinite(want)):
        assert result.margin == math.inf


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-2, 2))
def test_integers_beyond_two_to_the_53rd_are_told_apart(want, shift):
    got = min(max(want + shift, -(2**63)), 2**63 - 1)
    assert agree(np.int64(got), np.int64(want)) == (got == want)


@given(st.integers(0, 2**64 - 1), st.integers(-(2**63), 2**63 - 1))
def test_unsigned_and_signed_integers_agree_only_where_they_are_equal(got, want):
    assert agree(np.uint64(got), np.int64(want)) == (got == want)


@given(st.complex_numbers(max_magnitude=1e3), st.complex_numbers(max_magnitude=1e3), TOLERANCE)
def test_complex_numbers_are_compared_by_their_distance(got, want, tolerance):
    distance = float(np.abs(np.complex128(got) - np.complex128(want)))
    allowed = tolerance.atol + tolerance.rtol * float(np.abs(np.complex128(want)))
    assert agree(got, want, tolerance) == (distance <= allowed)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 5)])
def test_empty_arrays_of_one_shape_agree(shape):
    result = compare(np.zeros(shape), np.ones(shape), EXACT)
    assert (result.wrong, result.total, result.margin) == (0, 0, 0.0)


@pytest.mark.parametrize(
    ("a", "b"), [((), (1,)), ((1,), (3,)), ((0,), (1,)), ((2, 3), (3, 2)), ((3,), (1, 3))]
)
def test_nothing_is_broadcast(a, b):
    with pytest.raises(ValueError, match="must have the same shape"):
        compare(np.zeros(a), np.zeros(b), EXACT)


def test_an_exact_comparison_that_fails_is_infinitely_far_off():
    assert compare(np.array([1, 2]), np.array([1, 3]), EXACT).margin == math.inf


def test_values_too_large_for_a_difference_do_not_agree():
    assert not agree(1e308, -1e308, Tolerance(0.5, 0.25))


@pytest.mark.parametrize(
    ("got", "want", "decides"),
    [
        ("float64", "float64", "float64"),
        ("float64", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("float16", "float64", "float64"),
        ("float32", "int64", "float64"),
        ("float32", "float16", "float16"),
        ("float16", "bfloat16", "bfloat16"),
        ("bfloat16", "float16", "float16"),
        ("int64", "float32", "float32"),
        ("complex64", "float64", "float64"),
        ("complex128", "int8", "float64"),
        ("int64", "bool", "exact"),
    ],
)
def test_the_dtype_that_is_wanted_decides_the_default(got, want, decides):
    assert default_tolerance([got], [want]) == DEFAULTS[decides]


def test_the_working_copies_of_a_comparison_are_small():
    got, want = np.zeros((1 << 13, 1 << 12), np.uint8), np.zeros((1 << 13, 1 << 12), np.uint8)
    got[5, 7] = 3
    tracemalloc.start()
    result = compare(got, want, Tolerance(0.5, 0.25))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (result.wrong, result.index, result.got, result.margin) == (1, (5, 7), 3, 12.0)
    assert peak < 16 << 20


@given(hnp.arrays(np.float64, 50, elements=st.floats(-1, 1)), st.integers(1, 60))
def test_the_size_of_the_blocks_changes_nothing(want, size):
    got = want + np.linspace(0, 1e-6, 50)
    whole = compare(got, want, Tolerance(1e-7, 1e-7))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tolerance, "BLOCK", size)
        assert compare(got, want, Tolerance(1e-7, 1e-7)) == whole


def test_without_a_floating_dtype_the_default_is_exact():
    assert default_tolerance([], []) == DEFAULTS["exact"]


def test_what_is_equal_is_not_measured(monkeypatch):
    monkeypatch.delattr(tolerance, "_ratios")
    same = np.array([[1, np.inf], [0, -2]])
    result = compare(same, same.astype(np.float32), EXACT)
    assert (result.wrong, result.total, result.margin, result.index) == (0, 4, 0.0, (0, 0))
    assert (result.got, result.want) == (1.0, 1.0)
