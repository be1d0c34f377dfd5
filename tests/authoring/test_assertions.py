import math
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.authoring.assertions import (
    assert_close,
    assert_dtype,
    assert_equal,
    assert_shape,
    assert_that,
)
from autograder.authoring.standard import Standard, holding_to, observing
from autograder.authoring.subject import Proxy, RemoteId
from autograder.authoring.tolerance import DEFAULTS
from autograder.errors import CheckFailure

EVIL = Proxy(None, RemoteId(0, "Evil"), "f(…)")
UNANSWERED = Proxy(None, RemoteId(0, "ellipsis"), "answer")
ONES = np.ones(2)


def complaint(assertion, *args, **kwargs):
    with pytest.raises(CheckFailure) as caught:
        assertion(*args, **kwargs)
    return str(caught.value)


def test_a_mismatch_says_how_many_where_the_worst_is_both_values_and_the_tolerance():
    want = np.full((4, 5), 1.0)
    got = np.full((4, 5), 1.1)
    got[0, 0] = -1.6350349
    assert complaint(assert_close, got, want, rtol=1e-5, atol=1e-6, what="weights") == (
        "weights: 20 of 20 values differ; largest at (0, 0): -1.63503, expected 1 "
        "(rtol=1e-05, atol=1e-06)"
    )


@pytest.mark.parametrize(
    ("got", "want", "message"),
    [
        (2.0, 1.0, "value: 2, expected 1 (rtol=1e-07, atol=1e-10)"),
        (2, 1, "value: 2, expected 1 (rtol=0, atol=0)"),
        ([1.0, 3.0], ONES, "value: 1 of 2 values differ; largest at 1: 3, expected 1"
                           " (rtol=1e-07, atol=1e-10)"),
        (math.nan, 1.0, "value: nan, expected 1 (rtol=1e-07, atol=1e-10)"),
        (ONES, np.ones((1, 2)), "value: shape (2,), expected (1, 2)"),
        (np.array([1.0]), np.array(1.0), "value: shape (1,), expected ()"),
        (1.0, ONES, "value: shape (), expected (2,)"),
        ([], np.array([1.0]), "value: shape (0,), expected (1,)"),
        (np.zeros((0, 3)), np.zeros((0, 4)), "value: shape (0, 3), expected (0, 4)"),
        ([[1.0], [1.0, 2.0]], ONES, "value: a nest of unequal lengths, expected an array"),
        ("ones", ONES, "value: 'ones', expected numbers"),
        (["1", "2"], ONES, "value: ['1', '2'], expected numbers"),
        (b"1", 1.0, "value: b'1', expected numbers"),
        (None, ONES, "value: None, expected numbers"),
        ({"a": 1}, ONES, "value: {'a': 1}, expected numbers"),
        ([None, 1.0], ONES, "value: [None, 1.0], expected numbers"),
        (True, 1, "value: dtype bool, expected int64"),
        (1, True, "value: dtype int64, expected bool"),
        (np.ones(2, bool), ONES, "value: dtype bool, expected float64"),
        (np.ones(2, complex), ONES, "value: complex values, expected real ones"),
        (ONES, [1.0, 1.0], "value: an array of shape (2,), expected a list of 2"),
        (None, (1.0, 1.0), "value: None, expected a tuple of 2"),
        ([1.0], (1.0, 1.0), "value: 1 items, expected 2"),
        ((1.0, 3.0), (1.0, 1.0), "value[1]: 3, expected 1 (rtol=1e-07, atol=1e-10)"),
        ([ONES], {"w": ONES}, "value: a list, expected a dict"),
        ({"v": ONES}, {"w": ONES}, "value: keys ['v'], expected ['w']"),
        ({"w": 2 * ONES}, {"w": ONES}, "value['w']: 2 of 2 values differ; largest at 0: 2,"
                                       " expected 1 (rtol=1e-07, atol=1e-10)"),
        ({"w": [1.0, (2.0,)]}, {"w": [1.0, (1.0,)]}, "value['w'][1][0]: 2, expected 1"
                                                    " (rtol=1e-07, atol=1e-10)"),
        (1.0, "relu", "value: a number, expected a text"),
        ("tanh", "relu", "value: 'tanh', expected 'relu'"),
        (0, None, "value: a whole number, expected None"),
        (EVIL, ONES, "value: an object of type Evil, expected an array"),
        (EVIL, [1.0], "value: an object of type Evil, expected a list"),
        ([1.0, EVIL], [1.0, 1.0], "value[1]: an object of type Evil, expected a number"),
        (UNANSWERED, 1.0, "value: not answered yet"),
    ],
)  # fmt: skip
def test_close_says_in_one_sentence_what_is_wrong(got, want, message):
    assert complaint(assert_close, got, want) == message


@pytest.mark.parametrize(
    ("got", "want"),
    [
        ([1.0, 1.0], ONES),
        ((1.0, 1.0), ONES),
        ([1, 1], ONES),
        ([[1.0, 1.0]] * 2, np.ones((2, 2))),
        ([torch.ones(2)] * 2, np.ones((2, 2))),
        ([1.0, 2.0], (1.0, 2.0)),
        (np.float32(1.0), 1.0),
        (torch.ones(2), ONES),
        (ONES, torch.ones(2)),
        (torch.ones(2, requires_grad=True), ONES),
        (ONES, ONES.astype(complex)),
        ([], np.zeros(0)),
        (math.nan, math.nan),
        (math.inf, math.inf),
        (None, None),
        (np.True_, True),
        ({"b": 1.0, "a": ONES}, {"a": ONES, "b": 1.0}),
    ],
)
def test_close_takes_lists_arrays_and_tensors_of_the_same_values(got, want):
    assert_close(got, want)


def test_close_takes_a_list_of_tensors_that_require_a_gradient():
    assert_close([torch.ones(2, requires_grad=True)] * 2, np.ones((2, 2)))


def test_the_shape_is_compared_before_the_values():
    assert complaint(assert_close, np.zeros(3), np.ones((3, 1))).startswith("value: shape")


@pytest.mark.parametrize("want", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("got", ["float64", "float32", "bfloat16"])
def test_the_dtype_that_is_wanted_decides_whatever_comes(got, want):
    atol = DEFAULTS[want].atol
    zero = torch.zeros(1, dtype=getattr(torch, want))
    # The error is at zero, where no relative tolerance helps.
    assert_close(torch.tensor([atol * 0.9], dtype=getattr(torch, got)), zero)
    wrong = torch.tensor([atol * 1.3], dtype=getattr(torch, got))
    assert f"atol={atol:g}" in complaint(assert_close, wrong, zero)


@given(st.integers(2**64, 2**70), st.integers(0, 1))
def test_integers_beyond_64_bits_are_compared_exactly(want, shift):
    for assertion in (assert_equal, assert_close):
        if shift:
            complaint(assertion, want + shift, want)
        else:
            assertion(want, want)


@pytest.mark.parametrize("assertion", [assert_close, assert_equal])
def test_an_integer_too_long_to_print_is_a_mismatch(assertion):
    assert len(complaint(assertion, 10**5000, 1)) < 300


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (1, 1),
        (1, 1.0),
        ("a", "a"),
        (b"a", b"a"),
        (None, None),
        ([1, "a"], (1, "a")),
        (ONES, ONES),
        ({"a": [1, 2]}, {"a": [1, 2]}),
        ({"a": ONES}, {"a": ONES.copy()}),
        (math.nan, math.nan),
        (np.array(math.nan), np.array(math.nan)),
    ],
)
def test_equal_accepts_equal_values(got, want):
    assert_equal(got, want)


@pytest.mark.parametrize(
    ("got", "want", "message"),
    [
        (True, 1, "value: a truth value, expected a whole number"),
        (1, True, "value: a whole number, expected a truth value"),
        ("a", b"a", "value: a text, expected bytes"),
        ([True], [1], "value[0]: a truth value, expected a whole number"),
        ({"a": True}, {"a": 1}, "value['a']: a truth value, expected a whole number"),
        ([1, 2], [1], "value: 2 items, expected 1"),
        (3, 2, "value: 3, expected 2"),
        ("x" * 200, "y", "value: '" + "x" * 78 + "…, expected 'y'"),
        (EVIL, 2, "value: an object of type Evil, expected a whole number"),
        (ONES, "a", "value: an array of shape (2,), expected a text"),
        (ONES, None, "value: an array of shape (2,), expected None"),
        (ONES, [1.0, 1.0], "value: an array of shape (2,), expected a list of 2"),
        (ONES, {"a": 1}, "value: an array of shape (2,), expected a dict"),
        ([1.0, 1.0], ONES * 2, "value: 2 of 2 values differ; largest at 0: 1, expected 2"
                               " (rtol=0, atol=0)"),
        (np.int64(2**53 + 1), np.int64(2**53),
         "value: 9007199254740993, expected 9007199254740992 (rtol=0, atol=0)"),
    ],
)  # fmt: skip
def test_equal_tells_values_and_types_apart(got, want, message):
    assert complaint(assert_equal, got, want) == message


def test_shape_takes_anything_that_is_an_array_and_refuses_objects():
    assert_shape(np.ones((2, 3)), (2, 3))
    assert_shape([[1, 2]], [1, 2])
    assert_shape(torch.ones(()), ())
    assert complaint(assert_shape, ONES, (2, 1)) == "value: shape (2,), expected (2, 1)"
    assert complaint(assert_shape, EVIL, ()) == ("value: an object of type Evil, expected an array")


@pytest.mark.parametrize(
    "like",
    [
        *("float32", "f4", "torch.float32", np.float32, np.dtype("float32"), torch.float32),
        *(np.zeros(1, np.float32), np.float32(1), torch.zeros(1)),
    ],
    ids=repr,
)
def test_a_dtype_is_itself_its_name_or_that_of_an_array_or_a_tensor(like):
    assert_dtype(torch.zeros(3), like)
    assert_dtype(np.zeros(3, np.float32), like)
    assert complaint(assert_dtype, ONES, like) == "value: dtype float64, expected float32"
    assert complaint(assert_dtype, EVIL, like) == (
        "value: an object of type Evil, expected an array"
    )


def test_a_dtype_that_one_library_alone_has_and_a_number_s_own():
    assert_dtype(torch.zeros(1, dtype=torch.bfloat16), torch.bfloat16)
    assert_dtype(torch.zeros(1, dtype=torch.bfloat16), "bfloat16")
    assert_dtype(1.0, float)
    assert complaint(assert_dtype, 1, 1.0) == "value: dtype int64, expected float64"
    with pytest.raises(TypeError, match="flot64"):
        assert_dtype(1.0, "flot64")


def test_dtype_refuses_a_ragged_nest():
    complaint(assert_dtype, [[1.0], [1.0, 2.0]], "float32")


def test_that_raises_its_message_unless_the_condition_holds():
    assert_that(True, "no")
    assert complaint(assert_that, False, "the loss went up") == "the loss went up"


def test_margins_are_collected_inside_the_block_only():
    with observing() as seen:
        assert_close(1.0 + 5e-8, 1.0)
        assert_close(ONES, ONES)
        complaint(assert_close, math.nan, 1.0)
    assert_close(1.0, 1.0)
    assert [one.margin for one in seen] == [pytest.approx(0.5, rel=0.01), 0.0, math.inf]


def test_what_is_compared_is_seen_with_its_tolerance():
    with observing() as seen:
        assert_close(ONES, ONES, what="w")
        assert_close(2.0, 2.0, rtol=1e-3, what="loss")
    assert [(one.what, one.own) for one in seen] == [("w", False), ("loss", True)]
    assert (seen[1].tolerance.rtol, seen[1].tolerance.atol) == (1e-3, 1e-10)


def test_a_complex_number_is_no_real_one():
    assert (
        complaint(assert_equal, 26 + 0j, 26) == "value: a complex number, expected a whole number"
    )
    assert complaint(assert_equal, (1, 2 + 0j), (1, 2))
    assert_equal(26.0, 26)
    assert_equal(26, 26 + 0j)


def test_observers_nest():
    with observing() as outer:
        with observing() as inner:
            assert_close(1.0, 1.0)
        assert_close(2.0, 2.0)
    assert (len(outer), len(inner)) == (2, 1)


def test_factor_widens_defaults_and_no_tolerance_of_the_check_s_own():
    with holding_to(Standard(factor=10.0)):
        assert_close(1.0 + 9e-7, 1.0)
        assert complaint(assert_close, 1.0 + 2e-6, 1.0)
        assert complaint(assert_close, 1.0 + 9e-7, 1.0, rtol=1e-7)
        assert complaint(assert_equal, np.array([2.0]), np.array([2.0 + 1e-15]))
    assert complaint(assert_close, 1.0 + 9e-7, 1.0)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(
    "standard", [Standard(), Standard(factor=1000.0), Standard(1.0, 10.0, 1e-4, 1e-4)]
)
def test_no_dtype_earns_what_a_double_does_not(dtype, standard):
    want = np.array([0.5, -1.25, 2.0])
    with holding_to(standard):
        assert complaint(assert_close, (want * 1.001).astype(dtype), want)
        assert complaint(assert_close, float(want[0] * 1.001), want[0])
        assert_close(want.astype(dtype), want)


def test_half_precision_gets_no_more_room_than_single():
    want = np.linspace(0.1, 3.0, 7)
    with holding_to(Standard(single=5e-7)):
        assert_close(want.astype("float32"), want)
        assert complaint(assert_close, want.astype("float16"), want)
        assert complaint(assert_close, torch.tensor(want).bfloat16(), want)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_room_for_single_precision_goes_with_the_largest_value_and_not_with_the_dtype(scale, dtype):
    want = scale * np.array([1.0, 1e-6])
    near, far = (scale * np.array([1.0, 1e-6 + off]) for off in (8e-7, 1.2e-6))
    with holding_to(Standard(single=1e-6)):
        assert_close(near.astype(dtype), want)
        if scale * 1.2e-6 > DEFAULTS["float64"].atol:
            assert complaint(assert_close, far.astype(dtype), want)
            assert complaint(assert_close, np.zeros(2), want)
        assert complaint(assert_close, near.astype(dtype), want, rtol=1e-9, atol=1e-30)
    if scale * 8e-7 > DEFAULTS["float64"].atol:
        assert complaint(assert_close, near.astype(dtype), want)


def test_room_for_single_precision_is_a_number_where_values_cancel_out():
    with holding_to(Standard(single=1e-6, single_at_zero=1e-7)):
        for want in (np.zeros(3), np.full(3, 1e-9)):
            assert_close(want + 9e-8, want)
            assert complaint(assert_close, want + 2e-7, want)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_an_answer_that_comes_in_single_precision_gets_the_room_of_it_and_no_more(dtype):
    want = torch.tensor([1.0, 0.0], dtype=torch.float64)
    near, far = (torch.tensor([1.0, off], dtype=getattr(torch, dtype)) for off in (9e-7, 1.1e-6))
    with holding_to(Standard(in_single=1e-6)):
        assert_close(near, want)
        assert complaint(assert_close, near.double(), want)
        assert complaint(assert_close, far, want)


def test_a_question_in_single_precision_has_a_factor_of_its_own():
    want, off = np.ones(2, "float32"), np.ones(2, "float32") + np.float32(1e-4)
    with holding_to(Standard(factor=1000.0, single=1e-2)):
        assert complaint(assert_close, off, want)
    with holding_to(Standard(coarse_factor=10.0)):
        assert_close(off, want)
        assert complaint(assert_close, off.astype(float), want.astype(float))


@pytest.mark.parametrize(
    ("got", "want", "words"),
    [
        (1 / 3 + 1e-7, 1 / 3, "0.3333334, expected 0.3333333"),
        (np.float32(1 / 3), 1 / 3, "0.33333334, expected 0.33333333"),
        (1.0 + 1e-15, 1.0, "1.000000000000001, expected 1"),
        (2.5, 1.0, "2.5, expected 1"),
        (1, 1 + 1e-6, "1, expected 1.000001"),
    ],
)
def test_numbers_that_look_alike_are_told_with_the_digits_in_which_they_differ(got, want, words):
    assert complaint(assert_close, got, want, rtol=0, atol=0).startswith(f"value: {words} (")


def test_a_list_in_place_of_a_text_is_called_one():
    for got in (["B", "D"], ("B",), []):
        kind = type(got).__name__
        assert complaint(assert_equal, got, "BD") == (
            f"value: a {kind}, expected a text such as 'B'"
        )
    assert complaint(assert_equal, UNANSWERED, "BD") == "value: not answered yet"


NESTED = [1.0]
for _ in range(31):
    NESTED = [NESTED]
COSTLY = {  # made where they are tested: they hold a gigabyte together
    "bytes beside a complex array": lambda: [*many_bytes(), np.zeros(60_000, complex)],
    "small arrays beside a text": lambda: [*[np.zeros(999)] * 4000, "x"],
    "tensors beside a text": lambda: [*[torch.zeros(99)] * 4000, "x"],
    "a hundred thousand numbers and a text": lambda: [*[0.5] * 100_000, "x"],
    "a hundred thousand whole numbers": lambda: list(range(100_000)),
    "a long text": lambda: "x" * (1 << 28),
    "long bytes": lambda: b"x" * (1 << 28),
    "an integer of many bits": lambda: 1 << 65_535,
    "a list of such integers": lambda: [1 << 65_535] * 3000,
    "many keys": lambda: {f"{i}" * 10: i for i in range(100_000)},
    "keys of arrays": lambda: {f"{i}": np.zeros(999) for i in range(4000)},
    "a deep nest": lambda: NESTED,
    "a wide nest": lambda: [[[0.0] * 40] * 50] * 40,
    "a large array": lambda: np.zeros(1 << 26, np.uint8),
    "many dimensions": lambda: np.zeros((1,) * 8),
}


def many_bytes():
    """Return arrays of bytes, two hundred megabytes of them."""
    return [np.zeros(60_000, np.uint8) for _ in range(4000)]


@pytest.mark.parametrize("made", COSTLY.values(), ids=COSTLY)
def test_no_value_costs_much_memory_or_makes_a_long_message(made):
    got = made()
    for want in (ONES, "B", {"a": 1.0}):
        tracemalloc.start()
        try:
            for assertion in (assert_close, assert_equal):
                assert len(complaint(assertion, got, want)) < 2000, want
            with suppress(CheckFailure):
                assert_shape(got, (3,))
            with suppress(CheckFailure):
                assert_dtype(got, "float16")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 16 << 20, want


def test_a_nest_that_would_be_far_larger_as_one_array_is_never_made_one():
    got = [*many_bytes(), np.zeros(60_000, complex)]
    tracemalloc.start()
    try:
        said = complaint(assert_close, got, np.broadcast_to(np.complex128(0), (4001, 60_000)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "return an array" in said
    assert peak < 16 << 20


def test_a_proxy_has_no_interface_of_an_array():
    for attribute in ("__array__", "__len__", "__iter__", "__float__", "__array_interface__"):
        assert not hasattr(EVIL, attribute)
    for question in (bool, lambda evil: evil == 1, lambda evil: evil != 1):
        with pytest.raises(CheckFailure, match="expected a value"):
            question(EVIL)
