"""What is said of convex functions agrees with scipy and with definitions."""

from fractions import Fraction

import numpy as np
import pytest
import scipy
import torch

from reference.convex import (
    averaged_descent,
    prox_learning_rate,
    prox_step,
    rate_bound,
    regret_slack,
    regret_terms,
    sgd_counterexample,
)


@pytest.mark.parametrize("lam", [0.3, 1.0, 7.0])
def test_prox_step_minimises_its_objective(lam):
    w, grad = np.random.default_rng(0).normal(size=(2, 4))
    got = scipy.optimize.minimize(
        lambda u: (u - w) @ grad + lam / 2 * np.sum((u - w) ** 2), np.zeros(4), tol=1e-12
    )
    np.testing.assert_allclose(prox_step(w, grad, lam), got.x, atol=1e-5)


@pytest.mark.parametrize("lam", [0.3, 5.0])
def test_a_prox_step_is_a_step_of_torchs_sgd_with_its_learning_rate(lam):
    w = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    w.grad = torch.tensor([0.5, 3.0], dtype=torch.float64)
    want = prox_step(w.detach().numpy().copy(), w.grad.numpy(), lam)
    torch.optim.SGD([w], lr=prox_learning_rate(lam)).step()
    np.testing.assert_allclose(w.detach().numpy(), want, rtol=1e-12)


def test_prox_step_keeps_single_precision_and_every_shape():
    w, grad = np.ones((2, 2, 3), dtype=np.float32)
    assert prox_step(w, grad, 0.5).dtype == np.float32
    assert prox_step(w, grad, 0.5).shape == (2, 3)
    assert prox_step(np.float64(1.0), np.float64(2.0), 4.0) == 0.5


def by_definition(v, w_star, eta):
    w, left, squares = [0.0] * len(w_star), 0.0, 0.0
    for row in v:
        left += sum((a - b) * c for a, b, c in zip(w, w_star, row, strict=True))
        squares += sum(c * c for c in row)
        w = [a - eta * c for a, c in zip(w, row, strict=True)]
    return left, sum(b * b for b in w_star) / (2 * eta) + eta * squares / 2, np.array(w)


@pytest.mark.parametrize(("T", "d"), [(1, 1), (1, 3), (4, 1), (7, 5)])
def test_the_regret_terms_are_those_of_the_definition_and_the_slack_closes_the_gap(T, d):
    rng = np.random.default_rng(T * 10 + d)
    for eta in (0.05, 1.0, 3.0):
        v, w_star = rng.normal(size=(T, d)), rng.normal(size=d)
        left, right, end = by_definition(v.tolist(), w_star.tolist(), eta)
        np.testing.assert_allclose(regret_terms(v, w_star, eta), (left, right), rtol=1e-11)
        factor = regret_slack(end, w_star, eta)
        assert factor >= 0
        assert right - left == pytest.approx(factor, abs=1e-12)


def test_whole_numbers_are_not_truncated():
    v, w_star = np.array([[1, 2], [3, -1], [0, 4]]), np.array([2, -3])
    want = regret_terms(v.astype(float), w_star.astype(float), 0.3)
    assert regret_terms(v, w_star, 0.3) == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize(("B", "rho", "T"), [(2.0, 3.0, 7), (0.4, 5.0, 1), (30.0, 0.2, 400)])
def test_the_bound_is_the_smallest_that_the_inequality_gives(B, rho, T):
    def bound(eta):
        return (B**2 / (2 * eta) + eta / 2 * T * rho**2) / T

    eta, value = rate_bound(B, rho, T)
    found = scipy.optimize.minimize_scalar(
        lambda x: bound(np.exp(x)), bounds=(-12, 12), method="bounded", options={"xatol": 1e-9}
    )
    assert value == pytest.approx(bound(eta), rel=1e-12)
    assert value == pytest.approx(found.fun, rel=1e-9)
    assert eta == pytest.approx(np.exp(found.x), rel=1e-3)
    assert rate_bound(B, rho, 4 * T)[1] == pytest.approx(value / 2)


@pytest.mark.parametrize("T", [1, 2, 9, 100, 1000])
def test_the_averaged_iterate_keeps_the_bound(T):
    target = np.random.default_rng(3).normal(size=4)
    B, rho = np.linalg.norm(target), 2.0  # sum of |w_i - target_i|: subgradients of length two

    eta, bound = rate_bound(B, rho, T)
    mean = averaged_descent(lambda w: np.sign(w - target), 4, eta, T)
    assert np.abs(mean - target).sum() <= bound


def test_the_bound_is_reached_by_a_linear_function_in_one_step_of_one():
    # f(w) = rho |w - B| from zero with T = 1: w_bar = 0, and the gap is B rho, the bound itself.
    assert rate_bound(1.5, 2.0, 1)[1] == 3.0
    np.testing.assert_array_equal(averaged_descent(lambda w: -2 * np.ones(1), 1, 0.75, 1), [0.0])


def test_the_mean_is_over_the_first_iterates_zero_among_them():
    path = [np.zeros(2)]
    for _ in range(3):
        path.append(path[-1] - 0.1 * (path[-1] - [1.0, 2.0]))
    got = averaged_descent(lambda w: w - np.array([1.0, 2.0]), 2, 0.1, 4)
    np.testing.assert_allclose(got, np.mean(path, axis=0), rtol=1e-13)


def total(w, a, b):
    return (w - a) ** 2 / 2 + (w - b) ** 2 / 2


@pytest.mark.parametrize(("a", "b"), [(2.0, -1.0), (-3.25, 7.5), (1e6, 1e6 + 1e-3), (-2.0, -5.5)])
def test_the_counterexample_lowers_its_term_and_raises_the_sum(a, b):
    w, term, eta = sgd_counterexample(a, b)
    a, b, w, eta = map(Fraction, (a, b, w, eta))
    target = {1: a, 2: b}[term]
    after = w - eta * (w - target)
    assert eta > 0
    assert (after - target) ** 2 < (w - target) ** 2
    assert total(after, a, b) > total(w, a, b)


def test_the_counterexample_for_the_printed_function_has_the_known_numbers():
    w, term, eta = sgd_counterexample(2.0, -1.0)
    assert (w, term, eta) == (0.5, 1, 0.1)
    assert total(w, 2, -1) == 2.25
    assert w - eta * (w - 2) == pytest.approx(0.65)
    assert total(0.65, 2, -1) == pytest.approx(2.2725)
