"""The four networks agree with loops."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from reference.colour_nets import (
    ConvTransposeNet,
    DilatedUNet,
    PoolUpsampleNet,
    UNet,
    padding_for,
)

NETWORKS = (PoolUpsampleNet, ConvTransposeNet, UNet, DilatedUNet)


LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)


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
