"""The exam's answers agree with torch, scipy, simulation and counting."""

from fractions import Fraction

import numpy as np
import scipy
import torch

from reference.answers import exam
from reference.answers.exam import limit_plain, limit_rescaled, limit_rms
from reference.sgd_convergence import (
    preconditioned_limit,
    rescaled_minimum_norm,
    rms_preconditioner,
)

X_OF_THE_EXAM = np.array([[1, 0.1, 0.01]])


def problem(n=3, d=7, seed=0):
    """Return X, y, and probabilities."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.2, 2.0, size=n)
    return rng.normal(size=(n, d)), rng.normal(size=n), p / p.sum()


# Shapes


def test_the_shapes_of_single_layers_are_torchs():
    conv, transposed = torch.nn.Conv2d, torch.nn.ConvTranspose2d
    layers = {
        "shape_i": (conv(3, 128, 3), (32, 3, 28, 28)),
        "shape_ii": (conv(3, 128, 4, 2, 1), (32, 3, 28, 28)),
        "shape_iii": (conv(3, 64, (5, 3), 3, (0, 1)), (8, 3, 31, 40)),
        "shape_iv": (transposed(64, 32, 4, 2, 1), (16, 64, 7, 9)),
    }
    for name, (layer, shape) in layers.items():
        assert tuple(layer(torch.zeros(shape)).shape) == getattr(exam, name)


def test_the_shapes_of_the_network_are_torchs():
    conv = torch.nn.Conv2d
    got = {"a": conv(1, 16, 3, 1, 1)(torch.zeros(10, 1, 32, 32))}
    got["b"] = conv(16, 32, 3, 2, 1)(got["a"])
    got["c"] = conv(32, 128, 3, 2, 1)(got["b"])
    got["d"] = conv(128, 16, 3, 1, 1)(got["c"])
    got["e"] = torch.nn.ConvTranspose2d(16, 8, 2, 2)(got["d"])
    got["joined"] = torch.cat([got["a"], torch.nn.functional.interpolate(got["e"], None, 2)], 1)
    got["f"] = conv(24, 1, 3, 1, 1)(got["joined"])
    for name, tensor in got.items():
        assert tuple(tensor.shape) == getattr(exam, f"shape_{name}")


# Kernels


def answers(image, kernel):
    return np.abs(scipy.signal.correlate2d(image, kernel, mode="valid")).max()


def test_the_edge_kernels_answer_to_their_own_edges_only():
    row, column = np.mgrid[:8, :9]
    horizontal, vertical = (row < 4) + 1.0, (column < 4) + 1.0
    falling, rising = (row - column < 1) + 1.0, (row + column < 7) + 1.0
    assert answers(horizontal, exam.horizontal_kernel) == 3
    assert answers(vertical, exam.horizontal_kernel) == 0
    assert answers(np.ones((5, 5)), exam.horizontal_kernel) == 0
    assert answers(falling, exam.diagonal_kernel) == 1
    assert answers(rising, exam.diagonal_kernel) == 0
    assert answers(np.ones((5, 5)), exam.diagonal_kernel) == 0


def test_the_shifts_move_an_image_to_the_left():
    image = np.random.default_rng(0).normal(size=(5, 7))
    want = np.concatenate([image[:, 1:], np.zeros((5, 1))], axis=1)
    correlated = scipy.signal.correlate2d(image, exam.shift_correlation, mode="same")
    convolved = scipy.signal.convolve2d(image, exam.shift_convolution, mode="same")
    np.testing.assert_array_equal(correlated, want)
    np.testing.assert_array_equal(convolved, want)
    kernel = torch.tensor(exam.shift_correlation)[None, None]
    layer = torch.nn.functional.conv2d(torch.tensor(image)[None, None], kernel, padding=1)
    np.testing.assert_array_equal(layer[0, 0].numpy(), want)


# Receptive fields


def footprint(layers):
    """Return the side of the receptive field as the gradient of a unit shows it."""
    image = torch.ones(1, 1, 900, requires_grad=True)
    value = image
    for kernel, stride, dilation in layers:
        weight = torch.ones(1, 1, kernel)
        value = torch.nn.functional.conv1d(value, weight, stride=stride, dilation=dilation)
    (slope,) = torch.autograd.grad(value[0, 0, value.shape[-1] // 2], image)
    seen = slope[0, 0].nonzero()[:, 0]
    return int(seen[-1] - seen[0] + 1)


def test_the_fields_of_the_exam():
    a_to_c = [(3, 1, 1), (3, 2, 1), (3, 2, 1)]
    assert exam.field_three == footprint([(3, 2, 1)] * 3) == 15
    assert exam.field_d == footprint([*a_to_c, (3, 1, 1)]) == 17
    assert exam.field_d_pointwise == footprint([*a_to_c, (1, 1, 1)]) == 9


# All that apply


def run_of_sgd(start=0.0, diagonal=1.0, lr=0.02, momentum=0.0, often=None, unit=1.0):
    """Return where SGD ends on a small problem."""
    X, y, _ = problem(n=2, d=4)
    scale = np.array([1, unit, 1, 1])
    X = X * scale
    rng = np.random.default_rng(3)
    theta, velocity = start * rng.normal(size=4), np.zeros(4)
    for i in rng.choice(2, size=5000, p=often):
        velocity = momentum * velocity + diagonal * 2 * (X[i] @ theta - y[i]) * X[i]
        theta = theta - lr * velocity
    np.testing.assert_allclose(X @ theta, y, atol=1e-9)
    return theta * scale


def test_the_changes_that_move_the_limit():
    plain = run_of_sgd()
    changed = {
        "A": run_of_sgd(momentum=0.8),
        "B": run_of_sgd(often=[10 / 11, 1 / 11]),
        "C": run_of_sgd(start=1.0),
        "D": run_of_sgd(diagonal=np.array([1.0, 2.0, 0.5, 1.5])),
        "E": run_of_sgd(lr=0.01),
        "F": run_of_sgd(unit=3.0),
    }
    moved = [letter for letter, end in changed.items() if np.abs(end - plain).max() > 1e-3]
    still = [letter for letter, end in changed.items() if np.abs(end - plain).max() < 1e-8]
    assert "".join(moved) == exam.changes_the_limit
    assert sorted(moved + still) == list("ABCDEF")


def test_the_changes_that_keep_the_outputs():
    torch.manual_seed(0)
    images = torch.randn(16, 2, 5, 5).double()
    conv = torch.nn.Conv2d(2, 3, 3).double()
    weight, bias = conv.weight.detach(), conv.bias.detach()
    gamma, beta = torch.rand(3).double() + 0.5, torch.randn(3).double()

    def outputs(x=images, w=weight, b=bias, g=gamma):
        h = torch.nn.functional.conv2d(x, w, b)
        return torch.nn.functional.batch_norm(h, None, None, g, beta, training=True, eps=1e-30)

    swapped = [1, 0, *range(2, 16)]
    changed = {
        "A": outputs(b=bias + torch.tensor([1.0, -2.0, 3.0])),
        "B": outputs(w=3 * weight, b=3 * bias),
        "C": outputs(w=-weight, b=-bias),
        "D": outputs(images[swapped])[swapped],
        "E": outputs(images[:-1]),
        "F": outputs(g=2 * gamma),
    }
    kept = [
        letter
        for letter, value in changed.items()
        if torch.allclose(value, outputs()[: len(value)], rtol=0, atol=1e-9)
    ]
    assert "".join(kept) == exam.keeps_the_outputs


def test_the_three_weights_are_counted():
    sentence = ["this", "exam", "is", "a", "midterm", "exam"]

    def weight(i, j, seen):
        shares = [3 if word == sentence[i] else 1 for word in sentence[:seen]]
        return Fraction(shares[j], sum(shares))

    assert exam.weight_exam == float(weight(5, 1, 6)) == 0.3
    assert exam.weight_midterm == float(weight(4, 4, 6)) == 0.375
    assert exam.weight_is == float(weight(2, 0, 3)) == 0.2


# Where SGD ends


def test_the_limits_of_one_example_are_the_published_ones():
    np.testing.assert_allclose(limit_plain, [0.990001, 0.0990001, 0.00990001], rtol=1e-6)
    np.testing.assert_allclose(limit_rms, [0.9009009] * 3, rtol=1e-7)
    np.testing.assert_allclose(limit_rescaled, np.array([1, 10, 100]) / 3, rtol=1e-15)
    for limit in (limit_plain, limit_rms, limit_rescaled):
        np.testing.assert_allclose(X_OF_THE_EXAM @ limit, 1, rtol=1e-12)
    wrong = np.array([1, 100, 1000]) / 3
    np.testing.assert_allclose(X_OF_THE_EXAM @ wrong, 7)


def test_the_limits_of_one_example_are_simulated():
    x, y = X_OF_THE_EXAM, np.array([1.0])
    plain, rms = np.zeros(3), np.zeros(3)
    for step in range(1, 20_001):
        plain = plain - 0.1 * 2 * (x[0] @ plain - 1) * x[0]
        if abs(x[0] @ rms - 1) < 1e-12:
            continue
        # The steps of this run have the length of the learning rate, so that must fall.
        rms = rms - 0.5 / step * rms_preconditioner(x, y, rms) * 2 * (x[0] @ rms - 1) * x[0]
    np.testing.assert_allclose(plain, limit_plain, rtol=1e-9)
    np.testing.assert_allclose(rms, limit_rms, rtol=2e-4)
    rescaled = rescaled_minimum_norm(x, y, x[0])
    np.testing.assert_allclose(rescaled, limit_rescaled, rtol=1e-12)
    np.testing.assert_allclose(preconditioned_limit(x, y, 1 / x[0] ** 2), rescaled, rtol=1e-12)
