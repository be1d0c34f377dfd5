"""Least squares agrees with scipy, torch and finite differences; the choices hold in simulation."""

import inspect

import numpy as np
import pytest
import scipy.linalg
import torch

from reference import least_squares
from reference.least_squares import (
    adam_l2_equals_adamw,
    adaptive_is_minimum_norm,
    adaptive_limit,
    best_use_of_compute,
    curvature_dominated_remedy,
    larger_batch_learning_rate,
    least_squares_gradient,
    least_squares_loss,
    minimum_norm_solution,
    noise_dominated_remedy,
    sgd_least_squares,
)
from reference.optimizers import adagrad_step, adam_step, rmsprop_step

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


# Where the adaptive methods end


def adagrad_end(X, t):
    w, accumulator = np.zeros(2), np.zeros(2)
    for _ in range(5000):
        grad = least_squares_gradient(X, w, t)
        w, accumulator = adagrad_step(w, grad, accumulator, lr=0.1)
    return w


def rmsprop_end(X, t):
    w, mean_square = np.zeros(2), np.zeros(2)
    for _ in range(5000):
        grad = least_squares_gradient(X, w, t)
        w, mean_square = rmsprop_step(w, grad, mean_square, lr=5e-4)
    return w


def adam_end(X, t):
    w, m, v = np.zeros(2), np.zeros(2), np.zeros(2)
    for step in range(1, 5001):
        w, m, v = adam_step(w, least_squares_gradient(X, w, t), m, v, step, lr=1e-3)
    return w


@pytest.mark.parametrize("end", [adagrad_end, rmsprop_end, adam_end])
def test_adaptive_methods_end_at_the_adaptive_limit(end):
    got = end(np.array([[2.0, 1.0]]), np.array([2.0]))
    np.testing.assert_allclose(got, adaptive_limit, atol=1e-3)


@pytest.mark.parametrize("make_optimizer", [torch.optim.Adagrad, torch.optim.RMSprop])
def test_torchs_adaptive_methods_end_at_the_adaptive_limit(make_optimizer):
    w = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    lr = 0.1 if make_optimizer is torch.optim.Adagrad else 1e-3
    optimizer = make_optimizer([w], lr=lr)
    for _ in range(2000):
        w.grad = 2 * (2 * w.detach()[0] + w.detach()[1] - 2) * torch.tensor([2.0, 1.0]).double()
        optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), adaptive_limit, atol=2e-3)


def test_the_adaptive_limit_fits_but_is_not_the_minimum_norm_solution():
    X, t = np.array([[2.0, 1.0]]), np.array([2.0])
    shortest = scipy.linalg.pinv(X) @ t
    np.testing.assert_allclose(shortest, [0.8, 0.4])
    np.testing.assert_allclose(X @ adaptive_limit, t)
    assert adaptive_limit.dtype == np.float64
    assert np.allclose(adaptive_limit, shortest, atol=0.1) is adaptive_is_minimum_norm
    assert np.linalg.norm(adaptive_limit) > np.linalg.norm(shortest)


# The choices


def test_no_l2_penalty_turns_torchs_adam_into_adamw():
    def run(make_optimizer, weight_decay):
        w = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64))
        optimizer = make_optimizer([w], lr=0.01, weight_decay=weight_decay)
        for step in range(3):
            w.grad = torch.tensor([3.0, -0.1, 1.0 + step]).double()
            optimizer.step()
        return w.detach().numpy()

    want = run(torch.optim.AdamW, 0.1)
    np.testing.assert_allclose(run(torch.optim.AdamW, 0.0), run(torch.optim.Adam, 0.0))
    strengths = [0.0, 0.1 / (2 * 0.01), *np.geomspace(1e-4, 1e3, 200)]
    equal = any(np.allclose(run(torch.optim.Adam, s), want, rtol=1e-4) for s in strengths)
    assert equal is adam_l2_equals_adamw


def test_the_best_learning_rate_rises_with_the_batch_and_levels_off(noisy_quadratic):
    small, double, large, larger = (noisy_quadratic(b)[1] for b in (4, 8, 2**14, 2**15))
    # A: falls. B: stays. C: rises, then levels off. D: rises in proportion throughout.
    assert double / small > 1.6
    assert larger / large < 1.05
    assert larger_batch_learning_rate == "C"


def test_in_noise_twice_the_batch_halves_the_steps_and_half_the_batch_doubles_them(
    noisy_quadratic,
):
    half, small, double = (noisy_quadratic(b)[0] for b in (4, 8, 16))
    assert double / small == pytest.approx(0.5, abs=0.05)
    assert half / small == pytest.approx(2, abs=0.1)
    assert noise_dominated_remedy == "A"


def test_in_curvature_only_a_preconditioner_cuts_the_steps(noisy_quadratic):
    large, larger = (noisy_quadratic(b)[0] for b in (2**14, 2**15))
    without_noise = noisy_quadratic(1e12)[0]
    assert larger / large > 0.9  # A, and C, which is the same
    assert without_noise / large > 0.9  # D, whose best is no noise at all
    assert noisy_quadratic(2**14, precondition=True)[0] / large < 0.2
    assert curvature_dominated_remedy == "B"


def test_by_the_scaling_laws_most_of_more_compute_goes_into_a_larger_model():
    # Kaplan et al. (2020), the fitted powers of section 6: the loss falls with the number of
    # parameters N, the batch size B and the steps S, and the best of each grows with compute C
    # as C to the power (1 / power) / (sum of 1 / power).
    inverse = {"model": 1 / 0.076, "batch": 1 / 0.21, "steps": 1 / 0.76}
    growth = {name: value / sum(inverse.values()) for name, value in inverse.items()}
    assert growth["model"] > 2 / 3 > 1 / 3 > growth["batch"] > growth["steps"]
    assert best_use_of_compute == "D"


def test_every_function_documents_its_arguments():
    for name, function in inspect.getmembers(least_squares, inspect.isfunction):
        text = inspect.getdoc(function) or ""
        assert text.splitlines()[0].endswith("."), name
        for argument in inspect.signature(function).parameters:
            assert f"{argument}: " in text, (name, argument)
