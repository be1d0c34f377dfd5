"""What is said of batch size agrees with simulation and with scipy."""

import numpy as np
import pytest

from reference.batch_size import critical_batch, noise_scale, scaled_lr, steps_to_target


def test_learning_rates_scale_by_the_rule():
    assert scaled_lr(0.1, 256, 8192, "linear") == pytest.approx(3.2)
    assert scaled_lr(0.1, 256, 1024, "sqrt") == pytest.approx(0.2)
    assert scaled_lr(0.4, 64, 16, "sqrt") == pytest.approx(0.2)


def test_the_linear_rule_keeps_the_variance_of_a_long_walk():
    """With k times the batch and k times the rate, n / k steps have the noise of n steps."""
    k, n = 4, 64
    lr = scaled_lr(1.0, 1, k, "linear")
    assert (n / k) * lr**2 / k == pytest.approx(n * 1.0**2)


def test_the_noise_scale_of_a_gaussian_is_found():
    rng = np.random.default_rng(0)
    mean, std = rng.normal(size=20), rng.uniform(1, 3, size=20)
    lengths = {
        B: ((mean + std / B**0.5 * rng.normal(size=(200_000, 20))) ** 2).sum(axis=1)
        for B in (4, 64)
    }
    square, trace, scale = noise_scale(lengths[4], lengths[64], 4, 64)
    assert square == pytest.approx((mean**2).sum(), rel=0.01)
    assert trace == pytest.approx((std**2).sum(), rel=0.01)
    assert scale == pytest.approx(trace / square)


def test_the_critical_batch_size_is_found_by_least_squares():
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(0)
    sizes = np.array([8, 32, 64, 256, 1024, 4096])
    steps = 900 * (1 + 300 / sizes) * rng.uniform(0.9, 1.1, size=6)
    wanted, _ = optimize.curve_fit(lambda B, s, c: s * (1 + c / B), sizes, steps, p0=(900, 300))
    np.testing.assert_allclose(critical_batch(sizes, steps), wanted, rtol=1e-5)


def test_steps_and_examples_lie_on_the_papers_hyperbola():
    batch = np.array([[1.0, 7.0, 64.0], [200.0, 3000.0, 1e6]])
    steps = steps_to_target(batch, min_steps=50, critical_batch_size=200)
    assert steps.shape == batch.shape
    examples = batch * steps
    np.testing.assert_allclose((steps / 50 - 1) * (examples / (50 * 200) - 1), 1.0, rtol=1e-9)
    assert steps[1, 0] == pytest.approx(100)


def test_steps_to_target_takes_integers_and_keeps_float32():
    assert steps_to_target(8, 10, 4) == 15
    np.testing.assert_array_equal(steps_to_target(np.array([1, 2, 4]), 10, 4), [50, 30, 20])
    assert steps_to_target(np.ones(2, np.float32), 10.0, 4.0).dtype == np.float32


def test_steps_to_target_describes_sgd_on_a_noisy_quadratic(noisy_quadratic):
    batch = np.array([4, 16, 64, 256, 1024])
    steps = np.array([noisy_quadratic(b)[0] for b in batch])
    limit = noisy_quadratic(1e9)[0]
    critical = (steps[0] / limit - 1) * batch[0]
    np.testing.assert_allclose(steps_to_target(batch, limit, critical), steps, rtol=0.1)
