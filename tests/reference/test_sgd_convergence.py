"""Where SGD ends, and how fast, agrees with torch, scipy, simulation and brute force."""

import numpy as np
import pytest
import scipy
import torch

from reference.sgd_convergence import (
    contraction_constants,
    expected_change,
    learning_rates,
    lyapunov,
    lyapunov_rows,
    preconditioned_limit,
    rescaled_minimum_norm,
    rms_preconditioner,
    sampled_limit,
    stationary_point,
)


def problem(n=3, d=7, seed=0):
    """Return X, y, and probabilities."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.2, 2.0, size=n)
    return rng.normal(size=(n, d)), rng.normal(size=n), p / p.sum()


@pytest.mark.parametrize(("n", "d"), [(1, 3), (5, 2), (4, 7)])
def test_the_preconditioner_is_made_of_torchs_gradients(n, d):
    X, y, _ = problem(n, d)
    theta = np.random.default_rng(1).normal(size=d)
    squares = []
    for x, target in zip(X, y, strict=True):
        weights = torch.tensor(theta, requires_grad=True)
        ((target - torch.tensor(x) @ weights) ** 2).backward()
        squares.append(weights.grad.numpy() ** 2)
    want = 1 / np.sqrt(np.mean(squares, axis=0))
    np.testing.assert_allclose(rms_preconditioner(X, y, theta), want, rtol=1e-12)


@pytest.mark.parametrize(("n", "d"), [(1, 3), (2, 5), (3, 4)])
def test_preconditioned_sgd_is_simulated(n, d):
    X, y, p = problem(n, d)
    rng = np.random.default_rng(2)
    m = rng.uniform(0.3, 2.0, size=d)
    theta = np.zeros(d)
    for i in rng.choice(n, size=30_000, p=p):
        theta = theta - 0.03 * m * 2 * (X[i] @ theta - y[i]) * X[i]
    np.testing.assert_allclose(preconditioned_limit(X, y, m), theta, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(X @ preconditioned_limit(X, y, m), y, rtol=1e-10)


@pytest.mark.parametrize(("n", "d"), [(1, 3), (2, 5), (3, 8)])
def test_the_rescaled_solution_predicts_the_same_and_is_scipys(n, d):
    X, y, _ = problem(n, d)
    scale = np.random.default_rng(2).uniform(0.3, 3.0, size=d)
    shortest = scipy.linalg.lstsq(X / scale, y)[0]
    got = rescaled_minimum_norm(X, y, scale)
    inputs = np.random.default_rng(4).normal(size=(5, d))
    np.testing.assert_allclose(inputs @ got, (inputs / scale) @ shortest, rtol=1e-10)


@pytest.mark.parametrize("probabilities", [[0.5, 0.5], [0.9, 0.1], [0.02, 0.98]])
def test_sampled_sgd_ends_at_the_same_point_whatever_the_probabilities(probabilities):
    X, y, _ = problem(n=2, d=5)
    rng = np.random.default_rng(0)
    theta = np.zeros(5)
    for i in rng.choice(2, size=20_000, p=probabilities):
        theta = theta - 0.05 * 2 * (X[i] @ theta - y[i]) * X[i]
    got = sampled_limit(X, y, np.array(probabilities))
    np.testing.assert_allclose(got, theta, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(got, scipy.linalg.pinv(X) @ y, rtol=1e-10)


@pytest.mark.parametrize(("n", "d"), [(3, 2), (7, 4)])
def test_the_expected_step_is_zero_at_the_stationary_point(n, d):
    X, y, p = problem(n, d)
    theta = torch.tensor(stationary_point(X, y, p), requires_grad=True)
    loss = torch.tensor(p) @ (torch.tensor(y) - torch.tensor(X) @ theta) ** 2
    assert loss > 1e-3
    np.testing.assert_allclose(torch.autograd.grad(loss, theta)[0].numpy(), np.zeros(d), atol=1e-12)
    root = np.sqrt(p)
    want = scipy.linalg.lstsq(root[:, None] * X, root * y)[0]
    np.testing.assert_allclose(theta.detach().numpy(), want, rtol=1e-10)


# How fast


def draws(count=200, n=3, d=6):
    for seed in range(count):
        X, y, p = problem(n, d, seed)
        limit = scipy.linalg.pinv(X) @ y
        rng = np.random.default_rng(1000 + seed)
        yield X, y, p, limit, limit + X.T @ rng.normal(size=n), float(rng.uniform(0.01, 0.5))


def test_the_lyapunov_function_is_the_expected_loss():
    for X, y, p, limit, theta, _ in draws(20):
        want = sum(w * (t - x @ theta) ** 2 for w, x, t in zip(p, X, y, strict=True))
        np.testing.assert_allclose(lyapunov(theta, limit, X, p), want, rtol=1e-10)
        difference = lyapunov_rows(X, p) @ (theta - limit)
        np.testing.assert_allclose(difference @ difference, want, rtol=1e-10)
        np.testing.assert_allclose(lyapunov_rows(X, p)[1], p[1] ** 0.5 * X[1])


def test_the_expected_change_is_that_of_all_possible_steps():
    for X, _, p, limit, theta, lr in draws(50):

        def change(rate, X=X, p=p, limit=limit, theta=theta):
            steps = [theta - rate * 2 * (x @ theta - x @ limit) * x for x in X]
            after = [lyapunov(step, limit, X, p) for step in steps]
            return p @ np.array(after) - lyapunov(theta, limit, X, p)

        a, b = expected_change(theta, limit, X, p, lr)
        np.testing.assert_allclose(a + b, change(lr), rtol=1e-8, atol=1e-10)
        # A is odd in the learning rate, and B is even.
        np.testing.assert_allclose(a, (change(lr) - change(-lr)) / 2, rtol=1e-8, atol=1e-10)


def test_the_bounds_hold_in_two_hundred_draws():
    for X, _, p, limit, theta, lr in draws():
        value = lyapunov(theta, limit, X, p)
        a, b = expected_change(theta, limit, X, p, lr)
        lower, upper = contraction_constants(X, p, lr)
        assert a <= -lower * value * (1 - 1e-9)
        assert b <= upper * value * (1 + 1e-9)


def test_without_the_factor_four_the_bound_of_b_is_false():
    broken = 0
    for X, _, p, limit, theta, lr in draws():
        _, b = expected_change(theta, limit, X, p, lr)
        upper = contraction_constants(X, p, lr)[1] / 4
        broken += b > upper * lyapunov(theta, limit, X, p)
    assert broken > 100


def test_a_is_the_largest_constant_and_belongs_to_the_smallest_eigenvalue_above_zero():
    for X, _, p, limit, _, lr in draws(20):
        values, vectors = scipy.linalg.eigh((X.T * p) @ X)
        assert np.all(values[:3] < 1e-12)
        assert values[3] > 1e-6
        slowest = limit + vectors[:, 3]
        a, _ = expected_change(slowest, limit, X, p, lr)
        lower, upper = contraction_constants(X, p, lr)
        np.testing.assert_allclose(a, -lower * lyapunov(slowest, limit, X, p), rtol=1e-7)
        longest = max(x @ x for x in X)
        np.testing.assert_allclose(lower, 4 * lr * values[3], rtol=1e-7)
        np.testing.assert_allclose(upper, 4 * lr**2 * values[-1] * longest, rtol=1e-10)


def test_the_best_learning_rate_is_scipys():
    for X, _, p, *_ in draws(10):

        def rho(lr, X=X, p=p):
            a, b = contraction_constants(X, p, lr)
            return a - b

        largest, best, achieved = learning_rates(X, p)
        found = scipy.optimize.minimize_scalar(lambda lr: -rho(lr), bounds=(0, largest)).x
        np.testing.assert_allclose(best, found, rtol=1e-3)
        np.testing.assert_allclose(rho(best), achieved, rtol=1e-9)
        assert 0 < achieved <= 1
        np.testing.assert_allclose(
            scipy.optimize.brentq(rho, best, 3 * largest), largest, rtol=1e-9
        )


def test_the_function_decreases_geometrically_in_expectation():
    X, y, p = problem(n=2, d=5)
    _, lr, rho = learning_rates(X, p)
    limit = sampled_limit(X, y, p)
    rng = np.random.default_rng(0)
    values = np.zeros(41)
    for _ in range(300):
        theta = np.zeros(5)
        values[0] += lyapunov(theta, limit, X, p) / 300
        for step, i in enumerate(rng.choice(2, size=40, p=p), start=1):
            theta = theta - lr * 2 * (X[i] @ theta - y[i]) * X[i]
            values[step] += lyapunov(theta, limit, X, p) / 300
    assert np.all(values <= (1 - rho) ** np.arange(41) * values[0] * 1.0001)


def test_no_function_changes_an_argument():
    X, y, p = problem()
    theta, m = np.ones(7), np.full(7, 2.0)
    calls = {
        rms_preconditioner: (X, y, theta),
        preconditioned_limit: (X, y, m),
        rescaled_minimum_norm: (X, y, m),
        sampled_limit: (X, y, p),
        stationary_point: (X.T, theta, m / 14),
        lyapunov_rows: (X, p),
        lyapunov: (theta, m, X, p),
        expected_change: (theta, m, X, p, 0.1),
        contraction_constants: (X, p, 0.1),
        learning_rates: (X, p),
    }
    for function, arguments in calls.items():
        before = [np.copy(a) for a in arguments]
        function(*arguments)
        for a, b in zip(arguments, before, strict=True):
            np.testing.assert_array_equal(a, b)
