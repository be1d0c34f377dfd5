"""The answers of homework 1 agree with runs of the optimizers and with a noisy quadratic."""

import numpy as np
import pytest
import scipy
import torch

from reference.answers.optimizers import (
    adam_l2_and_adamw,
    adaptive_and_minimum_norm,
    adaptive_limit,
    best_use_of_compute,
    curvature_dominated_remedy,
    efficient_batch,
    larger_batch_learning_rate,
    noise_dominated_remedy,
    regime_at_a,
    regime_at_b,
)
from reference.batch_size import steps_to_target
from reference.least_squares import (
    least_squares_gradient,
)
from reference.optimizers import adagrad_step, adam_step, rmsprop_step

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
    assert np.linalg.norm(adaptive_limit) > np.linalg.norm(shortest) + 0.04
    assert adaptive_limit[0] * X[0, 1] != pytest.approx(adaptive_limit[1] * X[0, 0])  # not along x
    # A and B say that it is the shortest, C that it is no solution.
    assert adaptive_and_minimum_norm == "D"


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
    assert not any(np.allclose(run(torch.optim.Adam, s), want, rtol=1e-4) for s in strengths)
    # The share that Adam takes off a weight for its penalty depends on that weight's gradients.
    assert adam_l2_and_adamw == "B"


def test_the_table_of_batch_sizes_is_that_of_the_noise_scale_model():
    sizes = np.array([32, 64, 512, 1024, 2048, 16_384, 32_768])
    steps = steps_to_target(sizes, 1000, 1024)
    np.testing.assert_allclose(steps, [33e3, 17e3, 3e3, 2e3, 1.5e3, 1062, 1031], atol=0.6)
    examples = sizes * steps / 1e6
    np.testing.assert_allclose(examples, [1.1, 1.1, 1.5, 2.0, 3.1, 17, 34], rtol=0.05)
    a, b, c = 0, 6, 3
    assert steps[1] / steps[a] < 0.52  # twice the batch, half the steps: noise
    assert steps[5] / steps[b] < 1.04  # half the batch, as many steps: curvature
    assert (regime_at_a, regime_at_b) == ("noise", "curvature")
    # How many times the fewest steps, and the fewest examples, the dearer of the two counts.
    dearest = np.maximum(steps / 1000, sizes * steps / (1000 * 1024))
    assert dearest[c] == pytest.approx(2)
    assert min(dearest[a], dearest[b]) > 30
    assert efficient_batch == "C"


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
