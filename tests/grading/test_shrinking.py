"""From inputs that fail to the smallest ones of the same domain that still do."""

import numpy as np
import pytest
import torch

from autograder import (
    arrays,
    choices,
    derived,
    indices,
    interval,
    like,
    matches_reference,
    tensors,
    whole,
)
from autograder.artefacts.results import Verdict
from autograder.authoring.checks import case_rng
from autograder.authoring.layouts import layout_of
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.last_call import LastCall
from autograder.grading.shrinking import oddity, shrunk
from autograder.sandbox.protocol.messages import InProcessSession


class Search:
    """Shrinks each case of a check that a wrong function fails."""

    def __init__(self, reference, wrong, **options):
        self.check = matches_reference("f", points=1, **options)
        self.reference, self.wrong = ReferenceSession({"f": reference}), wrong
        self.texts, self.arguments, self.runs = {}, {}, {}
        for case in self.check.cases:
            if self.run(case).verdict is not Verdict.PASSED:
                self.shrink(case)

    def rng(self, case):
        return lambda: case_rng(b"secret", "hw", self.check.name, case.name)

    def run(self, case):
        session = LastCall(InProcessSession({"f": self.wrong}))
        result = run_case(self.check, case, session, self.reference, self.rng(case))
        self.text = session.text
        return result

    def shrink(self, case):
        verdict, tried = self.run(case).verdict, []

        def fails(one):
            tried.append(one)
            return self.run(one).verdict is verdict

        smallest = shrunk(case, self.rng(case), fails)
        assert self.run(smallest).verdict is verdict
        assert (smallest.name, smallest.hidden) == (case.name, case.hidden)
        self.texts[case.name], self.runs[case.name] = self.text, len(tried)
        self.arguments[case.name] = smallest.arguments(self.rng(case)())


def momentum_step(w, grad, velocity, lr, momentum):
    velocity = momentum * velocity + grad
    return w - lr * velocity, velocity


def default_for_zero(w, grad, velocity, lr, momentum):
    return momentum_step(w, grad, velocity, lr, momentum or 0.9)


STEP = {
    "w": arrays(),
    "grad": like("w"),
    "velocity": like("w"),
    "lr": interval(0.01, 1),
    "momentum": interval(0, 1),
}


def test_a_hyperparameter_of_0_is_all_that_is_left_of_what_is_not_typical():
    found = Search(momentum_step, default_for_zero, **STEP)
    one = "np.array([1.0])"
    assert found.texts
    assert set(found.texts.values()) == {f"f({one}, {one}, {one}, lr=0.5, momentum=0.0)"}


def conv2d(x, k, stride, pad):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, k.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows[:, :, ::stride, ::stride], k)


def test_a_convolution_that_is_wrong_for_strides_is_shown_with_the_least_of_them():
    def wrong(x, k, stride, pad):
        return conv2d(x, k, stride, pad) * (1 if stride == 1 else 2)

    found = Search(
        conv2d,
        wrong,
        x=arrays("n c h w"),
        k=arrays("o c kh kw"),
        stride=whole(1, 3),
        pad=whole(0, 2),
        sizes={"h": (3, 9), "w": (3, 9), "kh": (1, 3), "kw": (1, 3)},
        where=lambda kh, kw: kh == kw,
    )
    assert found.texts
    for inputs in found.arguments.values():
        assert (inputs["stride"], inputs["pad"]) == (2, 0)
        np.testing.assert_array_equal(inputs["x"], np.ones((1, 1, 3, 3)))
        assert inputs["k"].shape[2] == inputs["k"].shape[3], "as where says"


def test_an_exact_zero_is_a_single_one():
    found = Search(lambda x: 1.0 * (x > 0), lambda x: 1.0 * (x >= 0), x=arrays("n m"))
    assert set(found.texts.values()) == {"f(np.array([[0.0]]))"}


@pytest.mark.parametrize(
    ("part", "layout", "form"),
    [
        (arrays("n m"), "columns", "np.asfortranarray("),
        (arrays("n m"), "read-only", "np.broadcast_to("),
        (arrays("n m", layouts=("byte order",)), "byte order", 'dtype="'),
        (arrays("n m"), "strided", "[..., ::2]"),
        (tensors("n m"), "columns", ".contiguous().permute("),
        (tensors("n m"), "strided", ".repeat_interleave("),
    ],
)
def test_a_layout_that_matters_stands_in_the_call(part, layout, form):
    def wrong(x):
        return x * (3.0 if layout_of(x) == layout else 2.0)

    found = Search(lambda x: x * 2.0, wrong, x=part, sizes={"n": (2, 5), "m": (2, 5)})
    assert found.texts
    for text in found.texts.values():
        assert form in text
        x = eval(text, {"np": np, "torch": torch, "f": lambda x: x})
        assert layout_of(x) == layout
        assert set(np.asarray(x).ravel().tolist()) == {1.0}


def test_whole_numbers_are_brought_to_the_first_that_fails():
    found = Search(
        lambda x, t, p: x * t,
        lambda x, t, p: x * t + (t > 100),
        x=arrays("n"),
        t=whole(1, 1000),
        p=interval(0, 1, ends="()"),
    )
    assert found.texts
    assert all(text.endswith("]), t=101, p=0.5)") for text in found.texts.values())


@pytest.mark.parametrize(("low", "high", "nearest"), [(-9, -3, -3), (-4, 6, 0), (2, 9, 2)])
def test_the_smallest_whole_number_is_the_one_nearest_to_0(low, high, nearest):
    found = Search(lambda k: k, lambda k: k + 1, k=whole(low, high))
    assert {inputs["k"] for inputs in found.arguments.values()} == {nearest}


def test_what_is_left_out_and_what_is_chosen_goes_back_to_what_is_usual():
    def reference(x, mode="sum", scale=2.0):
        return scale * (x.sum() if mode == "sum" else x.mean())

    def wrong(x, mode="sum", scale=3.0):
        return reference(x, mode, scale)

    parts = {"mode": choices("sum", "mean"), "scale": interval(1, 4, optional=True)}
    found = Search(reference, wrong, x=arrays("n"), **parts)
    assert set(found.texts.values()) == {"f(np.array([1.0]), mode='sum')"}


def test_no_value_is_tried_that_the_domain_does_not_promise():
    """Neither a zero, nor a tie, nor what lies outside of bounds, axes, dtypes or `where`."""
    seen = []

    def wrong(x, p, labels, double, tau, k):
        seen.append((x, p, labels, double, tau, k))
        return 1.0

    Search(
        lambda *_, **__: 0.0,
        wrong,
        x=arrays("n m", values=("normal",), dtypes=("float32",), layouts=()),
        p=arrays("n", low=0.2, high=0.9),
        labels=indices("n", below="m"),
        double=derived(lambda x: 2 * x, "twice x"),
        tau=interval(0.3, 0.45),
        k=whole(2, 5),
        sizes={"n": (2, 5), "m": (2, 4)},
        where=lambda n, m: n >= m,
    )
    assert len(seen) > 20
    for x, p, labels, double, tau, k in seen:
        (n, m) = x.shape
        assert x.dtype == np.float32
        assert 2 <= m <= n <= 5
        assert p.shape == labels.shape == (n,)
        assert np.count_nonzero(x) == len(np.unique(x)) == x.size
        assert np.all((p >= 0.2) & (p <= 0.9))
        assert np.all((labels >= 0) & (labels < m))
        np.testing.assert_array_equal(double, 2 * x, "it is made from what is simpler, too")
        assert 0.3 <= tau <= 0.45
        assert 2 <= k <= 5


def test_numbers_that_must_differ_are_counted():
    x = arrays("n", values=("normal",))
    found = Search(np.sort, lambda x: np.sort(x)[::-1], x=x, sizes={"n": (3, 6)})
    assert set(found.texts.values()) == {"f(np.array([1.0, 2.0, 3.0]))"}


def test_numbers_keep_their_order_of_magnitude():
    found = Search(lambda x: x, lambda x: 2 * x, x=arrays("n", scale=1e-3, values=("normal",)))
    assert set(found.texts.values()) == {"f(np.array([0.001]))"}


def test_a_function_that_raises_on_odd_sizes_only_is_shown_with_the_least_of_them():
    def wrong(x):
        if len(x) % 2 and len(x) > 1:
            raise ValueError("odd")
        return x

    found = Search(lambda x: x, wrong, x=arrays("n"), sizes={"n": (1, 9)})
    assert {inputs["x"].size for inputs in found.arguments.values()} == {3}


def test_the_same_draw_comes_to_the_same_and_asks_for_little():
    one, two = (Search(momentum_step, default_for_zero, **STEP) for _ in range(2))
    assert one.texts == two.texts
    assert max(one.runs.values()) < 60


def test_a_search_that_is_told_no_from_some_time_on_keeps_what_it_has():
    check = matches_reference("f", points=1, **STEP)
    case = max(check.cases, key=oddity)
    left = iter([True, True, True])
    found = shrunk(case, lambda: np.random.default_rng(1), lambda _: next(left, False))
    assert oddity(case) - 3 <= oddity(found) < oddity(case)


def test_a_case_that_is_written_out_has_no_domain_to_look_in():
    check = matches_reference("f", points=1, **STEP)
    with pytest.raises(ValueError, match="is not drawn"):
        shrunk(type(check.cases[0])("by hand", {}), np.random.default_rng, lambda _: True)
