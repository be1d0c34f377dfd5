"""Colours and training agree with scipy and with gradient descent by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy
import torch
from torch import nn

from reference.colorization import (
    colour_epoch,
    colour_loss,
    evaluate,
    get_rgb_cat,
    nearest_colours,
    plot_curves,
)

# Nearest colours


@pytest.mark.parametrize(
    ("shape", "count"), [((2, 3, 4, 5), 6), ((1, 3, 3, 3), 3), ((7, 3, 1, 2), 1)]
)
def test_the_nearest_colour_is_that_of_a_k_d_tree(shape, count):
    rng = np.random.default_rng(0)
    xs, colours = rng.normal(size=shape), rng.normal(size=(count, 3))
    _, want = scipy.spatial.KDTree(colours).query(np.moveaxis(xs, 1, -1))
    got = get_rgb_cat(xs, colours)
    assert got.shape == (shape[0], 1, *shape[2:])
    assert got.dtype.kind == "i"
    np.testing.assert_array_equal(got[:, 0], want)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("shape", "count"), [((2, 3, 4, 5), 6), ((1, 3, 3, 3), 3), ((7, 3, 1, 2), 1)]
)
def test_the_nearest_colour_without_differences_is_that_of_a_k_d_tree(shape, count, dtype):
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(shape, generator=generator, dtype=dtype)
    colours = torch.rand(count, 3, generator=generator, dtype=dtype)
    _, want = scipy.spatial.KDTree(colours.numpy()).query(pictures.movedim(1, 3).numpy())
    got = nearest_colours(pictures, colours)
    assert got.shape == (shape[0], 1, *shape[2:])
    assert got.dtype == torch.int64
    np.testing.assert_array_equal(got[:, 0].numpy(), want)


def test_the_lower_number_wins_a_tie():
    colours = np.array([[0.0, 0, 0], [2, 0, 0], [2, 0, 0]])
    xs = np.array([1.0, 0, 0, 2, 0, 0]).reshape(2, 3, 1, 1)
    assert get_rgb_cat(xs, colours).ravel().tolist() == [0, 1]


# Training


@pytest.mark.parametrize("shape", [(2, 5, 4, 7), (1, 3, 3, 3)])
@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_the_loss_is_scipys(shape, scale):
    rng = np.random.default_rng(0)
    scores, right = (
        scale * rng.normal(size=shape),
        rng.integers(shape[1], size=(shape[0], 1, *shape[2:])),
    )
    logs = scipy.special.log_softmax(scores, axis=1)
    want = -np.mean([logs[b, right[b, 0, i, j], i, j] for b, i, j in np.ndindex(right[:, 0].shape)])
    leaf = torch.tensor(scores, requires_grad=True)
    loss = colour_loss(leaf, torch.tensor(right))
    loss.backward()
    assert loss.item() == pytest.approx(want, rel=1e-12)
    hot = np.moveaxis(np.eye(shape[1])[right[:, 0]], -1, 1)
    slopes = (scipy.special.softmax(scores, axis=1) - hot) / right.size
    np.testing.assert_allclose(leaf.grad.numpy(), slopes, rtol=1e-9, atol=1e-15)


class Scorer(nn.Module):
    """Scores that are weights times the pixel plus biases, times two in training mode."""

    def __init__(self, seed=0):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.w, self.b = (nn.Parameter(torch.tensor(rng.normal(size=3))) for _ in range(2))

    def forward(self, x):
        scores = x * self.w[None, :, None, None] + self.b[None, :, None, None]
        return 2 * scores if self.training else scores


def data(count, seed=0):
    rng = np.random.default_rng(seed)
    shape = (count, 1, 4, 3)
    return torch.tensor(rng.normal(size=shape)), torch.tensor(rng.integers(3, size=shape))


def loss_by_hand(w, b, x, y, factor):
    scores = factor * (x * w[None, :, None, None] + b[None, :, None, None])
    logs = scipy.special.log_softmax(scores, axis=1)
    return -np.take_along_axis(logs, y, axis=1).mean(), scores


@pytest.mark.parametrize("batch_size", [2, 3, 7, 50])
@pytest.mark.parametrize("evaluating", [True, False])
def test_an_epoch_makes_the_steps_of_gradient_descent(batch_size, evaluating):
    grey, right = data(7)
    model = Scorer().train(not evaluating)
    w, b = (p.detach().numpy().copy() for p in model.parameters())
    model.w.grad = torch.full((3,), 9.0, dtype=torch.float64)
    got = colour_epoch(model, torch.optim.SGD(model.parameters(), lr=0.2), grey, right, batch_size)
    total = 0.0
    for start in range(0, 7, batch_size):
        x, y = (v[start : start + batch_size].numpy() for v in (grey, right))
        loss, scores = loss_by_hand(w, b, x, y, 2)
        total += loss * len(x)
        slopes = scipy.special.softmax(scores, axis=1) - np.moveaxis(np.eye(3)[y[:, 0]], -1, 1)
        slopes = 2 * slopes / y.size
        w, b = w - 0.2 * (slopes * x).sum((0, 2, 3)), b - 0.2 * slopes.sum((0, 2, 3))
    assert type(got) is float
    assert got == pytest.approx(total / 7, rel=1e-12)
    np.testing.assert_allclose(model.w.detach(), w, rtol=1e-12)
    np.testing.assert_allclose(model.b.detach(), b, rtol=1e-12)
    assert model.training


@pytest.mark.parametrize("batch_size", [1, 3, 5, 50])
@pytest.mark.parametrize("training", [True, False])
def test_an_evaluation_is_that_of_all_pictures_at_once(batch_size, training):
    grey, right = data(5)
    model = Scorer().train(training)
    seen = []
    model.register_forward_hook(lambda m, xs, out: seen.append((m.training, out.requires_grad)))
    loss, accuracy = evaluate(model, grey, right, batch_size)
    w, b = (p.detach().numpy() for p in model.parameters())
    want, scores = loss_by_hand(w, b, grey.numpy(), right.numpy(), 1)
    assert loss == pytest.approx(want, rel=1e-12)
    assert accuracy == pytest.approx((scores.argmax(1) == right[:, 0].numpy()).mean(), rel=1e-12)
    assert (type(loss), type(accuracy)) == (float, float)
    assert set(seen) == {(False, False)}
    assert model.training is training


def test_curves_are_drawn_over_epochs_from_1():
    figure = plot_curves([3.0, 2.0, 1.5], [3.5, 2.5])
    (axes,) = figure.get_axes()
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}
    assert lines == {
        "training": [[1, 3.0], [2, 2.0], [3, 1.5]],
        "validation": [[1, 3.5], [2, 2.5]],
    }
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["training", "validation"]
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    plt.close(figure)
