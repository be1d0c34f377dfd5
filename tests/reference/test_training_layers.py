"""Batch normalisation is torch's, to a relative 1e-8; dropout does what its definition says."""

import numpy as np
import pytest
import torch
from torch import nn

from reference import training_layers as layers

TIGHT = {"rtol": 1e-8, "atol": 1e-11}  # rounding alone; some entries are sums that cancel


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def leaves(*arrays):
    return [torch.tensor(a, requires_grad=True) for a in arrays]


def gradients(out, dout, tensors):
    return [g.numpy() for g in torch.autograd.grad(out, tensors, torch.tensor(dout))]


def assert_all_close(got, want):
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        assert g.shape == tuple(w.shape)
        np.testing.assert_allclose(g, w.detach() if torch.is_tensor(w) else w, **TIGHT)


SHAPES = [(6, 4), (2, 3), (3, 2, 4, 5), (1, 3, 4, 2)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("settings", [{}, {"momentum": 0.3, "eps": 0.5}])
def test_batch_normalisation_is_torchs(rng, shape, training, settings):
    d = shape[1]
    x, (gamma, beta, mean) = rng.normal(size=shape) + 1, rng.normal(size=(3, d))
    var = rng.uniform(0.5, 2, size=d)
    running = torch.tensor(mean), torch.tensor(var)
    tensors = leaves(x, gamma, beta)
    torchs = {"momentum": 0.1, "eps": 1e-5, **settings}
    out = nn.functional.batch_norm(tensors[0], *running, *tensors[1:], training, **torchs)
    got = layers.batchnorm_forward(x, gamma, beta, mean, var, training, **settings)
    assert_all_close(got, [out.detach(), *running])
    if training:
        eps = {name: value for name, value in settings.items() if name == "eps"}
        dout = rng.normal(size=shape)
        assert_all_close(
            layers.batchnorm_backward(dout, x, gamma, **eps), gradients(out, dout, tensors)
        )


def test_a_feature_that_does_not_vary_becomes_its_shift(rng):
    x, beta = np.full((5, 2), 3.0), rng.normal(size=2)
    out, _, var = layers.batchnorm_forward(x, np.ones(2), beta, np.zeros(2), np.ones(2), True)
    np.testing.assert_allclose(out, np.broadcast_to(beta, (5, 2)), rtol=1e-12)
    np.testing.assert_allclose(var, 0.9)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.7])
def test_dropout_keeps_the_expectation(p):
    noise = (np.arange(10_000) + 0.5) / 10_000  # as evenly spread as can be
    out = layers.dropout_forward(np.full(10_000, 3.0), noise, p, True)
    assert out.mean() == pytest.approx(3, rel=1e-12)
    assert (out == 0).mean() == pytest.approx(p)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_a_factor_for_each_number(rng, training):
    x, dout = rng.normal(size=(2, 40))
    noise, p = rng.integers(8, size=40) / 8, 0.375
    factors = np.where(noise < p, 0, 1 / 0.625) if training else np.ones(40)
    assert_all_close([layers.dropout_forward(x, noise, p, training)], [x * factors])
    assert_all_close([layers.dropout_backward(dout, noise, p, training)], [dout * factors])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("training", [True, False])
def test_a_layer_keeps_its_arguments_and_their_dtype(rng, dtype, training):
    x, dout = rng.normal(size=(2, 5, 3)).astype(dtype)
    gamma, beta, mean, var = (np.abs(rng.normal(size=(4, 3))) + 0.1).astype(dtype)
    noise = rng.uniform(size=x.shape)
    arguments = x, dout, gamma, beta, mean, var, noise
    before = [a.copy() for a in arguments]
    values = [
        *layers.batchnorm_forward(x, gamma, beta, mean, var, training),
        *layers.batchnorm_backward(dout, x, gamma),
        layers.dropout_forward(x, noise, 0.4, training),
        layers.dropout_backward(dout, noise, 0.4, training),
    ]
    assert {value.dtype for value in values} == {np.dtype(dtype)}
    for now, then in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(now, then)
