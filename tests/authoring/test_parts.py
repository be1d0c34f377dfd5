"""Parts promise what they say, and what an author cannot mean is refused in one sentence."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder import arrays, choices, derived, indices, interval, like, tensors, whole
from autograder.authoring.array_parts import resolved
from autograder.authoring.domains import Domain
from autograder.errors import SourceError

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SEEDS = st.integers(0, 1000)
DTYPES = ("float64", "float32", "float16", "int64", "int32", "uint8", "complex128", "complex64")


def drawn(part, kinds=(), seed=0, **sizes):
    """Return what a part draws for an argument x."""
    domain = Domain(resolved({"x": part}), sizes)
    return domain.draw(dict(kinds), np.random.default_rng(seed))["x"]


def kinds_of(part, factor="x"):
    return {f.name: f for f in resolved({"x": part})["x"].factors("x")}[factor].kinds


@given(FINITE, FINITE, st.sampled_from(["[]", "[)", "(]", "()"]), SEEDS)
def test_an_interval_holds_what_is_drawn_from_it_whatever_its_ends(one, other, ends, seed):
    low, high = sorted((one, other))
    if low == high:
        return
    part = interval(low, high, ends=ends)
    _, *edges = kinds_of(part)
    assert low <= drawn(part, seed=seed) <= high
    wanted = [low] * (ends[0] == "[") + [high] * (ends[1] == "]") + [0.0] * (low < 0 < high)
    assert [drawn(part, {"x": edge}) for edge in edges] == wanted


@given(st.floats(sys.float_info.min, sys.float_info.max), st.floats(1.001, 1e300), SEEDS)
def test_a_logarithm_may_span_all_that_a_float_holds(low, factor, seed):
    high = min(low * factor, sys.float_info.max)
    if low < high:
        value = drawn(interval(low, high, log=True), seed=seed)
        assert low * (1 - 1e-9) <= value <= high * (1 + 1e-9)


def test_ends_that_print_alike_are_two_edges():
    part = interval(0.99999999, 1)
    assert kinds_of(part) == ("inside", "0.99999999", "1")


@given(st.integers(-50, 50), st.integers(0, 50), st.booleans())
def test_whole_numbers_have_both_ends_and_a_middle_one_as_typical(low, more, optional):
    high = low + more
    kinds = kinds_of(whole(low, high, optional=optional))
    assert {str(low), str(high)} <= set(kinds)
    assert ("left out" in kinds) == optional
    for kind in kinds[: -1 if optional else None]:
        assert low <= drawn(whole(low, high), {"x": kind}) <= high
    if more > 1:
        assert low < drawn(whole(low, high)) < high


def test_usual_whole_numbers_are_typical_ones():
    wide = whole(1, 1000, usual=(2, 9))
    assert kinds_of(wide) == kinds_of(whole(1, 1000))
    assert all(2 <= drawn(wide, seed=seed) <= 9 for seed in range(50))


def test_few_whole_numbers_have_an_even_and_an_odd_one():
    between = [int(kind) for kind in kinds_of(whole(0, 4)) if kind not in "04"]
    assert {n % 2 for n in between} == {0, 1}


def test_a_choice_is_a_copy_each_time():
    part = choices([1, 2], None)
    drawn(part).append(3)
    assert drawn(part) == [1, 2]
    assert drawn(part, {"x": "None"}) is None


def test_long_choices_are_told_apart_in_names():
    kinds = kinds_of(choices("a" * 90 + "b", "a" * 90 + "c"))
    assert len(set(kinds)) == 2
    assert max(map(len, kinds)) < 50


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(3))
def test_each_kind_of_values_is_what_it_is_called_in_each_dtype(dtype, seed):
    part = arrays("n m", dtypes=(dtype,))

    def values(kind):
        array = drawn(part, {"x values": kind}, seed, n=(4, 4), m=(5, 5))
        assert (array.dtype, array.shape) == (np.dtype(dtype), (4, 5))
        assert np.isfinite(array).all()
        return np.abs(array.astype(complex))

    assert (values("normal") > 0).all()
    some = values("some zeros") == 0
    assert some[0, 0]
    assert not some.all()
    assert set(values("ties").ravel()) <= {0.0, 1.0, np.sqrt(2)}
    assert (values("large") > values("normal").max()).mean() > 0.8
    tiny = values("tiny")
    assert (tiny > 0).all()
    assert tiny.max() <= (1 if "int" in dtype else 1e-3)
    assert (values("zeros") == 0).all()
    constant = values("constant")
    assert (constant == constant[0, 0]).all()
    assert constant[0, 0] != 0


def test_whole_numbers_of_a_small_scale_are_no_zeros():
    array = drawn(arrays("n", dtypes=("int64",), scale=1e-3), n=(20, 20))
    assert (array != 0).all()


@pytest.mark.parametrize("kind", ["inside", "some at the low end", "some at the high end"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
def test_values_between_ends_hold_the_end_that_they_say(kind, dtype):
    array = drawn(arrays("n", low=0.5, high=6.5, dtypes=(dtype,)), {"x values": kind}, n=(50, 50))
    ends = (1, 6) if "int" in dtype else (0.5, 6.5)
    assert ends[0] <= array.min() <= array.max() <= ends[1]
    assert (array[0] == ends[0]) == (kind == "some at the low end") or "int" in dtype
    if kind != "inside":
        assert array[0] == ends["high" in kind]


def test_huge_ends_overflow_nothing():
    array = drawn(arrays("n", low=-1e308, high=1e308), n=(50, 50))
    assert np.isfinite(array).all()
    assert array.min() < 0 < array.max()


def test_a_shape_may_have_no_entries_or_no_axes():
    assert drawn(arrays("n 3"), {"n": "0"}, n=(0, 4)).shape == (0, 3)
    assert drawn(arrays("")).shape == ()
    for kind in kinds_of(arrays(), "x values"):
        assert drawn(arrays("n"), {"x values": kind, "n": "0"}, n=(0, 4)).size == 0


@pytest.mark.parametrize("optional", [False, True])
def test_tensors_are_leaves_that_require_a_gradient_where_that_is_asked(optional):
    part = tensors("n m", grad=True, optional=optional)
    for layout in kinds_of(part, "x layout"):
        tensor = drawn(part, {"x layout": layout, "n": "5", "m": "5"})
        assert (tensor.dtype, tensor.requires_grad, tensor.is_leaf) == (torch.float32, True, True)
    assert not drawn(tensors("n")).requires_grad


def test_what_is_like_a_tensor_requires_no_gradient_of_its_own():
    parts = resolved({"w": tensors("n", grad=True), "v": like("w"), "u": like("v", grad=True)})
    found = Domain(parts, {}).draw({}, np.random.default_rng(0))
    assert [found[name].requires_grad for name in "wvu"] == [True, False, True]


def test_indices_are_below_an_axis_and_have_both_ends():
    part = indices("n", below="k")
    for seed in range(5):
        found = drawn(part, seed=seed, n=(9, 9), k=(3, 3))
        assert found.dtype == np.int64
        assert set(found) <= {0, 1, 2}
    assert set(drawn(part, {"x values": "all 0"}, n=(9, 9), k=(3, 3))) == {0}
    assert set(drawn(part, {"x values": "all the last"}, n=(9, 9), k=(3, 3))) == {2}
    labels = drawn(indices("n", below=10, tensor=True), n=(9, 9))
    assert (labels.dtype, labels.shape) == (torch.int64, (9,))


def test_what_is_like_another_has_its_shape_dtype_and_values_but_its_own_numbers():
    parts = resolved({"w": arrays("n m", dtypes=("float32",), low=1, high=2), "v": like("w")})
    found = Domain(parts, {}).draw({"n": "5", "m": "1"}, np.random.default_rng(0))
    assert found["v"].shape == found["w"].shape == (5, 1)
    assert found["v"].dtype == np.float32
    assert 1 <= found["v"].min() <= found["v"].max() <= 2
    assert not np.array_equal(found["v"], found["w"])
    free = resolved({"w": arrays("n", low=1, high=2), "v": like("w", values=("normal", "zeros"))})
    assert (Domain(free, {}).draw({"v values": "zeros"}, np.random.default_rng(0))["v"] == 0).all()


def test_what_is_derived_gets_arguments_sizes_and_a_generator():
    parts = resolved(
        {
            "x": arrays("n"),
            "n": derived(lambda n: n, "its length"),
            "y": derived(lambda rng, x, n: x + n + rng.normal(size=n), "x and noise"),
        }
    )
    found = Domain(parts, {}).draw({"n": "5"}, np.random.default_rng(0))
    assert found["n"] == len(found["x"]) == 5
    assert not np.array_equal(found["y"], found["x"] + 5)


def test_dtypes_may_be_those_of_numpy_and_pytorch():
    assert kinds_of(arrays(dtypes=(np.float32, np.dtype("int64"))), "x dtype") == (
        "float32",
        "int64",
    )
    assert kinds_of(tensors(dtypes=(torch.float64,)), "x dtype") == ("float64",)


REFUSED = {
    "an infinite end": (
        lambda: interval(0, float("inf")),
        "interval(0, inf): low and high must be finite numbers",
    ),
    "an end that is no number": (
        lambda: interval("0", 1),
        "interval('0', 1): low and high must be finite numbers",
    ),
    "an end beyond floats": (
        lambda: interval(0, 10**400),
        f"interval(0, {10**400}): low and high must be finite numbers",
    ),
    "an empty interval": (lambda: interval(1, 1), "interval(1, 1): low must be below high"),
    "a logarithm of 0": (
        lambda: interval(0, 1, log=True),
        "interval(0, 1): low must be above 0 where its logarithm is drawn",
    ),
    "ends": (
        lambda: interval(0, 1, ends="]["),
        "interval(0, 1): ends must be one of [], [), (], (), got ']['",
    ),
    "usual ones in the wrong order": (
        lambda: whole(1, 1000, usual=(9, 2)),
        "whole(1, 1000): usual must be two whole numbers from 1 to 1000, in order, and these 12 or "
        "more apart, got (9, 2)",
    ),
    "usual ones of a few": (
        lambda: whole(1, 5, usual=(2, 3)),
        "whole(1, 5): usual must be two whole numbers from 1 to 5, in order, and these 12 or more "
        "apart, got (2, 3)",
    ),
    "a fraction": (
        lambda: whole(0.5, 2),
        "whole(0.5, 2): low and high must be whole numbers",
    ),
    "no whole number": (lambda: whole(2, 1), "whole(2, 1): low must not be above high"),
    "no choice": (choices, "choices must have at least one value"),
    "two choices alike": (lambda: choices(1, 1), "choices must differ, got (1, 1)"),
    "a length below 0": (
        lambda: arrays("n -1"),
        "arrays: shape must be names or lengths of axes, such as 'n c 3 3', or '...' for any, got"
        " 'n -1'",
    ),
    "some axes and any": (
        lambda: arrays("n ..."),
        "arrays: shape must be names or lengths of axes, such as 'n c 3 3', or '...' for any, got"
        " 'n ...'",
    ),
    "a shape that is no text": (
        lambda: arrays((3, 2)),
        "arrays: shape must be names or lengths of axes, such as 'n c 3 3', or '...' for any, got"
        " (3, 2)",
    ),
    "values": (
        lambda: arrays(values=("zero",)),
        "arrays: values must be a tuple of some of normal, some zeros, ties, large, tiny, zeros,"
        " constant, got ('zero',)",
    ),
    "no values": (
        lambda: arrays(values=()),
        "arrays: values and dtypes must have at least one word",
    ),
    "one dtype": (
        lambda: arrays(dtypes="float32"),
        "arrays: dtypes must be a tuple of some of float64, float32, float16, int64, int32, uint8,"
        " bool, complex128, complex64, got 'float32'",
    ),
    "one end": (
        lambda: arrays(low=1),
        "arrays: low and high must be given together, as finite numbers, got 1 and None",
    ),
    "values that a span does not have": (
        lambda: arrays(low=0, high=1, values=("zeros",)),
        "arrays: values must be a tuple of some of inside, some at the low end, some at the high"
        " end, all at the low end, constant, got ('zeros',)",
    ),
    "no whole number between": (
        lambda: arrays(low=0.2, high=0.8, dtypes=("int64",)),
        "arrays: there is no int64 from 0.2 to 0.8; leave one out",
    ),
    "no byte between": (
        lambda: arrays(low=-3, high=3, dtypes=("uint8",)),
        "arrays: there is no uint8 from -3 to 3; leave one out",
    ),
    "a scale": (lambda: arrays(scale=0), "arrays: scale must be a number above 0, got 0"),
    "a layout of arrays": (
        lambda: tensors(layouts=("read-only",)),
        "tensors: layouts must be a tuple of some of strided, columns, got ('read-only',)",
    ),
    "a gradient of whole numbers": (
        lambda: tensors(grad=True, dtypes=("int64",)),
        "tensors: only floats have a gradient, got int64",
    ),
    "another dtype": (
        lambda: like("x", dtypes=("int64",)),
        "like('x'): its own may be shape, values, without, low, high, scale,"
        " layouts, grad, optional, got dtypes",
    ),
    "a part in place of its name": (
        lambda: like(3),
        "like must have the name of an argument, such as 'w', got 3",
    ),
    "an index below 0": (
        lambda: indices("n", below=0),
        "indices: below must be a whole number above 0, or the name of an axis, got 0",
    ),
    "indices of any shape": (
        lambda: indices("...", below=3),
        "indices: shape must be names or lengths of axes, such as 'n', got '...'",
    ),
    "a value in place of a function": (
        lambda: derived(3, "three"),
        "derived must have a function, such as lambda x: -x, got 3",
    ),
    "no words": (
        lambda: derived(lambda: 3, " "),
        "derived must say in words what it is, got ' '",
    ),
    "any arguments": (
        lambda: derived(lambda *a: 3, "three"),
        "derived: the function must name each argument that it takes",
    ),
    "like what stands behind": (
        lambda: resolved({"v": like("w"), "w": arrays()}),
        "v=like('w') must name arrays or tensors that stand before it; there is none",
    ),
    "like a number": (
        lambda: resolved({"w": arrays(), "lr": interval(0, 1), "v": like("lr")}),
        "v=like('lr') must name arrays or tensors that stand before it; there is w",
    ),
    "an array's gradient": (
        lambda: resolved({"w": arrays(), "v": like("w", grad=True)}),
        "arrays: only tensors have grad=True; write tensors(…)",
    ),
    "a plain value": (
        lambda: resolved({"lr": 0.1}),
        "lr must be a part of a domain, such as interval(0, 1) or arrays(), got 0.1; for one value"
        " write choices(0.1)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_part_can_be_is_refused_in_one_sentence(name):
    make, sentence = REFUSED[name]
    with pytest.raises(SourceError) as error:
        make()
    assert str(error.value) == sentence


def test_a_part_tells_whether_it_may_be_0() -> None:
    may = interval(-1, 1), interval(0, 1), whole(0, 3), choices(1, 0), choices(np.ones(2))
    never = interval(0, 1, ends="(]"), interval(0.1, 1), whole(1, 3), choices((2, 0), "same")
    assert [part.may_be_zero for part in (*may, *never)] == [True] * 5 + [False] * 4
