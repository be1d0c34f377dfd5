"""The networks agree with NumPy's loops, the rest with scipy, torch's layers and brute force."""

import inspect
import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.spatial
import scipy.special
import torch
from torch import nn

from reference import colorization
from reference.colorization import (
    colour_loss,
    evaluate,
    get_rgb_cat,
    plot_curves,
    train_epoch,
)
from reference.colour_nets import (
    ConvTransposeNet,
    DilatedUNet,
    PoolUpsampleNet,
    UNet,
    padding_for,
)

mpl.use("Agg")

NETWORKS = (PoolUpsampleNet, ConvTransposeNet, UNet, DilatedUNet)
LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)


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


def test_the_lower_number_wins_a_tie():
    colours = np.array([[0.0, 0, 0], [2, 0, 0], [2, 0, 0]])
    xs = np.array([1.0, 0, 0, 2, 0, 0]).reshape(2, 3, 1, 1)
    assert get_rgb_cat(xs, colours).ravel().tolist() == [0, 1]


# Networks, by loops


def by_hand(net, x, training):
    """What a network gives, by NumPy: its layers are taken in the order in which they are made."""
    layers = iter([m for m in net.modules() if isinstance(m, LAYERS)])

    def array(tensor):
        return tensor.detach().numpy()

    def conv(x):
        layer = next(layers)
        (s, _), (p, _), (d, _) = layer.stride, layer.padding, layer.dilation
        w, b = array(layer.weight), array(layer.bias)
        k = w.shape[-1]
        x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        if isinstance(layer, nn.ConvTranspose2d):
            raise TypeError(layer)
        size = (x.shape[-1] - d * (k - 1) - 1) // s + 1
        out = np.zeros((len(x), len(w), size, size)) + b[None, :, None, None]
        for i, j in itertools.product(range(size), repeat=2):
            patch = x[
                :, :, i * s : i * s + d * (k - 1) + 1 : d, j * s : j * s + d * (k - 1) + 1 : d
            ]
            out[:, :, i, j] += np.einsum("bcij,ocij->bo", patch, w)
        return out

    def transposed(x):
        layer = next(layers)
        (s, _), (p, _), (o, _) = layer.stride, layer.padding, layer.output_padding
        w, b = array(layer.weight), array(layer.bias)
        k, n = w.shape[-1], x.shape[-1]
        out = np.zeros((len(x), w.shape[1], (n - 1) * s + k + o, (n - 1) * s + k + o))
        for i, j in itertools.product(range(n), repeat=2):
            copies = np.einsum("bc,coij->boij", x[:, :, i, j], w)
            out[:, :, i * s : i * s + k, j * s : j * s + k] += copies
        return out[:, :, p : out.shape[2] - p, p : out.shape[3] - p] + b[None, :, None, None]

    def finish(x):
        norm = next(layers)
        assert isinstance(norm, nn.BatchNorm2d)
        mean, var = array(norm.running_mean), array(norm.running_var)
        if training:
            mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
        scale = array(norm.weight) / np.sqrt(var + 1e-5)
        shift = array(norm.bias) - mean * scale
        return np.maximum(0, x * scale[None, :, None, None] + shift[None, :, None, None])

    def pool(x):
        return np.maximum.reduce([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)])

    def copy(x):
        return np.kron(x, np.ones((2, 2)))

    if isinstance(net, PoolUpsampleNet):
        x = finish(pool(conv(x)))
        x = finish(pool(conv(x)))
        x = finish(copy(conv(x)))
        return conv(finish(copy(conv(x))))
    if isinstance(net, ConvTransposeNet):
        x = finish(conv(finish(conv(x))))
        return conv(finish(transposed(finish(transposed(x)))))
    early = finish(conv(x))
    small = finish(conv(early))
    if isinstance(net, DilatedUNet):
        small = finish(conv(small))
    late = finish(transposed(small))
    late = finish(transposed(np.concatenate([late, early], axis=1)))
    return conv(np.concatenate([late, x], axis=1))


def shaken(net, seed=0):
    """A network in double precision with drawn weights and statistics, scales of both signs."""
    rng = np.random.default_rng(seed)
    net.double()
    for name, value in net.state_dict().items():
        low, high = (0.1, 1.0) if name.endswith("running_var") else (-0.6, 0.6)
        if value.is_floating_point():
            value.copy_(torch.tensor(rng.uniform(low, high, size=value.shape)))
    return net


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("sizes", [(3, 2, 4, 1), (5, 3, 2, 2)])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_gives_what_loops_give(network, sizes, training):
    net = shaken(network(*sizes))
    assert [m for m in net.modules() if isinstance(m, LAYERS)] == used_layers(net, sizes[-1])
    x = np.random.default_rng(1).normal(size=(2, sizes[-1], 32, 32))
    want = by_hand(net, x, training)
    net.train(training)
    np.testing.assert_allclose(net(torch.tensor(x)).detach().numpy(), want, rtol=1e-9, atol=1e-9)


def used_layers(net, channels):
    seen = []
    hooks = [
        m.register_forward_hook(lambda m, *_: seen.append(m))
        for m in net.modules()
        if isinstance(m, LAYERS)
    ]
    net.eval()(torch.zeros(1, channels, 32, 32, dtype=torch.float64))
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 9])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_keeps_32_pixels_for_every_odd_kernel(network, kernel):
    shape = network(kernel, 3, 5, 2)(torch.zeros(2, 2, 32, 32)).shape
    assert tuple(shape) == (2, 5, 32, 32)


@pytest.mark.parametrize("network", NETWORKS)
def test_an_even_kernel_cannot_keep_them(network):
    with pytest.raises((AssertionError, RuntimeError)):
        assert network(4, 3, 5, 2)(torch.zeros(2, 2, 32, 32)).shape[-1] == 32
    assert all((32 + 2 * p - 4) // 1 + 1 != 32 for p in range(40))


@pytest.mark.parametrize(
    ("network", "filters", "weights"),
    [
        (PoolUpsampleNet, 8, 9480),
        (ConvTransposeNet, 8, 9480),
        (UNet, 8, 11424),
    ],
)
def test_a_network_has_the_known_number_of_weights(network, filters, weights):
    assert sum(p.numel() for p in network(3, filters, 24, 1).parameters()) == weights


@pytest.mark.parametrize("network", [PoolUpsampleNet, ConvTransposeNet])
def test_the_weights_of_the_convolutions_alone_have_the_known_number(network):
    kernels = [p.numel() for p in network(3, 32, 24, 1).parameters() if p.ndim == 4]
    assert sum(kernels) == 49248


@pytest.mark.parametrize("sizes", [(3, 4, 6, 1), (5, 3, 7, 2)])
def test_the_numbers_of_weights_follow_their_formulas(sizes):
    k, nf, nc, nic = sizes
    shared = nic * nf + 4 * nf**2 + nf * nc
    rest = 12 * nf + 4 * nc  # biases and batch norms
    for network, weights in {
        PoolUpsampleNet: shared + nc**2,
        ConvTransposeNet: shared + nc**2,
        UNet: shared + nf * nc + (nc + nic) * nc,
        DilatedUNet: shared + nf * nc + (nc + nic) * nc + 4 * nf**2,
    }.items():
        extra = 6 * nf if network is DilatedUNet else 0
        count = sum(p.numel() for p in network(*sizes).parameters())
        assert count == k**2 * weights + rest + extra


@pytest.mark.parametrize(("layers", "field"), [(1, 3), (2, 7), (3, 23)])
def test_the_receptive_fields_are_those_that_the_notebook_names(layers, field):
    net = shaken(DilatedUNet(3, 2, 3, 1)).eval()
    blocks = [net.down1, net.down2, net.middle][:layers]
    convs = nn.Sequential(*(block[0] for block in blocks))
    x = torch.zeros(1, 1, 64, 64, dtype=torch.float64, requires_grad=True)
    out = convs(x)
    out[0, :, out.shape[2] // 2, out.shape[3] // 2].sum().backward()
    rows = x.grad[0, 0].abs().sum(dim=1).nonzero().ravel()
    assert rows[-1] - rows[0] + 1 == field


# Paddings


@pytest.mark.parametrize("kernel", [*range(2, 10), 16, 17])
def test_the_paddings_are_the_only_ones(kernel):
    sizes = (8, 16, 32, 34)

    def fits_down(p):
        layer = nn.Conv2d(1, 1, kernel, stride=2, padding=p)
        big = [n for n in sizes if n + 2 * p >= kernel]
        return len(big) == len(sizes) and all(
            layer(torch.zeros(1, 1, n, n)).shape[-1] == n // 2 for n in big
        )

    def fits_up(p, o):
        layer = nn.ConvTranspose2d(1, 1, kernel, stride=2, padding=p, output_padding=o)
        # PyTorch refuses what would have no pixels.
        return all(
            (n - 1) * 2 - 2 * p + kernel + o > 0
            and layer(torch.zeros(1, 1, n, n)).shape[-1] == 2 * n
            for n in sizes
        )

    down = [p for p in range(kernel + 2) if fits_down(p)]
    up = [(p, o) for p in range(kernel + 2) for o in (0, 1) if fits_up(p, o)]
    assert [(p, *q) for p in down for q in up] == [padding_for(kernel)]


def test_the_paddings_for_small_kernels_are_the_known_ones():
    assert [padding_for(k) for k in (3, 4, 5)] == [(1, 1, 1), (1, 1, 0), (2, 2, 1)]


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
    got = train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.2), grey, right, batch_size)
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


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, value in vars(colorization).items()
        if getattr(value, "__module__", None) == colorization.__name__
    ],
)
def test_a_docstring_says_what_a_student_needs(name):
    text = inspect.getdoc(getattr(colorization, name))
    assert "Args:" in text
    assert text.splitlines()[0].endswith(".")
