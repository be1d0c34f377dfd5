"""Least squares agrees with scipy, torch and finite differences; the choices hold in simulation."""

import numpy as np
import pytest
import scipy
import torch

from reference.least_squares import (
    least_squares_gradient,
    least_squares_loss,
    minimum_norm_solution,
    sgd_least_squares,
)

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def problem(n=3, d=7, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return tuple(np.asarray(rng.normal(size=s), dtype) for s in [(n, d), (d,), (n,)])


# Loss and gradient


@pytest.mark.parametrize(("n", "d"), [(1, 2), (5, 3), (3, 7), (4, 4)])
def test_the_loss_is_torchs_mean_squared_error(n, d):
    X, w, t = problem(n, d)
    want = torch.nn.functional.mse_loss(torch.tensor(X) @ torch.tensor(w), torch.tensor(t))
    np.testing.assert_allclose(least_squares_loss(X, w, t), want.item(), rtol=1e-13)


@pytest.mark.parametrize(("n", "d"), [(1, 2), (5, 3), (3, 7), (4, 4)])
def test_the_gradient_agrees_with_central_differences_of_the_loss(n, d):
    X, w, t = problem(n, d)
    h = 1e-5
    want = [
        (least_squares_loss(X, w + h * e, t) - least_squares_loss(X, w - h * e, t)) / (2 * h)
        for e in np.eye(d)
    ]
    np.testing.assert_allclose(least_squares_gradient(X, w, t), want, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("n", "d"), [(1, 2), (5, 3), (3, 7)])
def test_the_gradient_is_autograds(n, d):
    X, w, t = problem(n, d)
    weights = torch.tensor(w, requires_grad=True)
    torch.nn.functional.mse_loss(torch.tensor(X) @ weights, torch.tensor(t)).backward()
    np.testing.assert_allclose(least_squares_gradient(X, w, t), weights.grad.numpy(), rtol=1e-12)


# The minimum norm solution


@pytest.mark.parametrize(("n", "d"), [(1, 2), (3, 7), (10, 40)])
def test_the_minimum_norm_solution_is_scipys(n, d):
    X, _, t = problem(n, d)
    got = minimum_norm_solution(X, t)
    np.testing.assert_allclose(got, scipy.linalg.lstsq(X, t)[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(got, scipy.linalg.pinv(X) @ t, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(X @ got, t, rtol=1e-10)


def test_every_other_solution_is_longer():
    X, _, t = problem()
    shortest = minimum_norm_solution(X, t)
    for direction in scipy.linalg.null_space(X).T:
        other = shortest + 0.1 * direction
        np.testing.assert_allclose(X @ other, t, rtol=1e-10)
        assert np.linalg.norm(other) > np.linalg.norm(shortest)


# SGD


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 20])
def test_every_iterate_is_torchs(batch_size):
    X, _, t = problem(n=6, d=4)
    order = np.array([3, 0, 0, 5, 1, 2, 4, 3])
    weights = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
    optimizer = torch.optim.SGD([weights], lr=0.03)
    want = [np.zeros(4)]
    for rows in torch.tensor(order).split(batch_size):
        optimizer.zero_grad()
        batch = torch.tensor(X)[rows]
        torch.nn.functional.mse_loss(batch @ weights, torch.tensor(t)[rows]).backward()
        optimizer.step()
        want.append(weights.detach().numpy().copy())
    got = sgd_least_squares(X, t, order, lr=0.03, batch_size=batch_size)
    assert got.shape == (-(-8 // batch_size) + 1, 4)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("batch_size", [1, 2])
def test_sgd_stays_in_the_row_space_and_ends_at_the_minimum_norm_solution(batch_size):
    X, _, t = problem(n=3, d=7)
    order = np.random.default_rng(1).integers(3, size=6000)
    iterates = sgd_least_squares(X, t, order, lr=0.05, batch_size=batch_size)
    null_space = scipy.linalg.null_space(X)
    assert null_space.shape == (7, 4)
    assert np.abs(iterates @ null_space).max() < 1e-12
    assert np.linalg.norm(iterates[1]) > 0.01
    np.testing.assert_allclose(iterates[-1], scipy.linalg.pinv(X) @ t, rtol=1e-9, atol=1e-12)


def test_an_empty_order_takes_no_step():
    X, _, t = problem()
    got = sgd_least_squares(X, t, np.array([], dtype=int), lr=0.1)
    np.testing.assert_array_equal(got, np.zeros((1, 7)))


def test_integer_examples_are_not_truncated():
    got = sgd_least_squares(np.array([[2, 1]]), np.array([2]), np.zeros(400, int), lr=0.05)
    np.testing.assert_allclose(got[-1], [0.8, 0.4], rtol=1e-10)


# Purity and dtype


CALLS = {
    "loss": least_squares_loss,
    "gradient": least_squares_gradient,
    "minimum norm": lambda X, w, t: minimum_norm_solution(X, t),
    "sgd": lambda X, w, t: sgd_least_squares(X, t, np.arange(3), lr=0.1, batch_size=2),
}


@pytest.mark.parametrize("name", CALLS)
@every_dtype
def test_the_dtype_is_kept_and_no_argument_changes(name, dtype):
    arguments = problem(dtype=dtype)
    before = [a.copy() for a in arguments]
    assert CALLS[name](*arguments).dtype == dtype
    for got, want in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", CALLS)
def test_float32_agrees_with_float64(name):
    got = CALLS[name](*problem(dtype=np.float32))
    np.testing.assert_allclose(got, CALLS[name](*problem()), rtol=2e-5, atol=1e-6)


def test_the_order_is_left_unchanged():
    X, _, t = problem()
    order = np.array([2, 0, 1, 1])
    sgd_least_squares(X, t, order, lr=0.1, batch_size=3)
    np.testing.assert_array_equal(order, [2, 0, 1, 1])
