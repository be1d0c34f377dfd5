"""The scale of weights agrees with torch and with random networks."""

import numpy as np
import pytest
import torch

from reference.initialization import (
    backward_moments,
    dead_units,
    draw_weights,
    fans,
    forward_moments,
    init_std,
)

SHAPES = [(5, 7), (4, 6, 3), (8, 3, 5, 2), (2, 3, 4, 5, 6)]


@pytest.mark.parametrize("shape", SHAPES)
def test_fans_are_torchs(shape):
    assert fans(shape) == torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


@pytest.mark.parametrize("shape", SHAPES)
def test_deviations_are_torchs(shape):
    torch.manual_seed(0)
    big = torch.empty((shape[0] * 40, shape[1] * 40, *shape[2:]))
    he = torch.nn.init.kaiming_normal_(big).std()
    assert init_std(big.shape, "he") == pytest.approx(float(he), rel=0.02)
    lecun = torch.nn.init.kaiming_normal_(big, nonlinearity="linear").std()
    assert init_std(big.shape, "lecun") == pytest.approx(float(lecun), rel=0.02)
    xavier = torch.nn.init.xavier_normal_(big).std()
    assert init_std(big.shape, "xavier") == pytest.approx(float(xavier), rel=0.02)


@pytest.mark.parametrize("scheme", ["lecun", "he", "xavier"])
def test_weights_have_the_distribution_that_is_asked_for(scheme):
    stats = pytest.importorskip("scipy.stats")
    shape = (50, 40, 3)
    std = init_std(shape, scheme)
    normal = draw_weights(shape, scheme, "normal", 1)
    uniform = draw_weights(shape, scheme, "uniform", 1)
    assert normal.shape == uniform.shape == shape
    assert stats.kstest(normal.ravel() / std, "norm").pvalue > 1e-3
    scaled = uniform.ravel() / std
    assert stats.kstest(scaled, stats.uniform(-(3**0.5), 2 * 3**0.5).cdf).pvalue > 1e-3


def test_a_seed_decides_the_weights():
    one, again, other = (draw_weights((3, 4), "he", "uniform", s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()


WIDTHS, STDS = (30, 20, 40, 25), (0.3, 0.2, 0.15)


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_moments_agree_with_random_networks(activation):
    rng = np.random.default_rng(0)
    act = {"linear": lambda z: z, "relu": lambda z: np.maximum(z, 0)}[activation]
    draws = 4000
    forward, backward = np.zeros(3), np.zeros(3)
    x0 = rng.choice([-1.5, 1.5], size=30)
    for _ in range(draws):
        weights = [s * rng.normal(size=(m, n)) for n, m, s in zip(WIDTHS, WIDTHS[1:], STDS)]  # noqa: B905 -- neighbours
        x, z = x0, []
        for W in weights:
            z.append(W @ x)
            x = act(z[-1])
        forward += [np.mean(one**2) / draws for one in z]
        # Independent of the forward pass in the weights behind it, as the assumption has it.
        grad = rng.choice([-2.0, 2.0], size=25)
        squares = [np.mean(grad**2)]
        for layer in (2, 1):
            open_ = z[layer - 1] > 0 if activation == "relu" else 1.0
            grad = (weights[layer].T @ grad) * open_
            squares.append(np.mean(grad**2))
        backward += np.array(squares[::-1]) / draws
    np.testing.assert_allclose(forward_moments(2.25, WIDTHS, STDS, activation), forward, rtol=0.05)
    np.testing.assert_allclose(backward_moments(4.0, WIDTHS, STDS, activation), backward, rtol=0.05)


def test_he_keeps_the_size_through_thirty_layers():
    std = init_std((100, 100), "he")
    moments = forward_moments(1.0, [100] * 31, [std] * 30, "relu")
    np.testing.assert_allclose(moments, 2.0)
    np.testing.assert_allclose(backward_moments(1.0, [100] * 31, [std] * 30, "relu"), 1.0)


def test_a_unit_is_dead_if_its_weights_get_no_gradient():
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(9, 3)), rng.normal(size=(3, 40)), rng.normal(size=40) - 1.5
    W[:, 5], b[5] = 0.0, 0.0
    bias = torch.tensor(b, requires_grad=True)
    torch.relu(torch.tensor(X) @ torch.tensor(W) + bias).sum().backward()
    dead = dead_units(X, W, b)
    np.testing.assert_array_equal(dead, bias.grad.numpy() == 0)
    assert 1 < dead.sum() < 39
    assert dead[5]
