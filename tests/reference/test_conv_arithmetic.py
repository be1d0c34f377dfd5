"""Shapes and counts of convolutional networks agree with torch and counting by brute force."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from reference.conv_arithmetic import (
    cnn_and_dense_params,
    conv_out_shape,
    convt_out_shape,
    count_connections,
    count_outputs,
    count_params,
    halve_and_double,
    parts_of_connections,
    parts_of_outputs,
    parts_of_params,
)

# Shapes


def test_the_shape_of_a_convolution_is_torchs():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n, c, o, h, w = (int(i) for i in rng.integers([1, 1, 1, 14, 14], [4, 4, 5, 22, 22]))
        pairs = rng.integers([1, 1, 0, 1], [5, 5, 4, 4], size=(2, 4)).T.tolist()
        settings = [tuple(pair) if rng.random() < 0.7 else pair[0] for pair in pairs]
        layer = nn.Conv2d(c, o, *settings, device="meta")
        want = tuple(layer(torch.empty(n, c, h, w, device="meta")).shape)
        assert conv_out_shape((n, c, h, w), o, *settings) == want


def test_the_shape_of_a_transposed_convolution_is_torchs():
    rng = np.random.default_rng(1)
    for _ in range(200):
        n, c, o, h, w = (int(i) for i in rng.integers([1, 1, 1, 7, 7], [4, 4, 5, 20, 20]))
        pairs = rng.integers([1, 2, 0, 0, 1], [6, 5, 4, 2, 4], size=(2, 5)).T.tolist()
        k, s, p, e, d = (tuple(pair) if rng.random() < 0.7 else pair[0] for pair in pairs)
        layer = nn.ConvTranspose2d(c, o, k, s, p, e, dilation=d, device="meta")
        want = tuple(layer(torch.empty(n, c, h, w, device="meta")).shape)
        assert convt_out_shape((n, c, h, w), o, k, s, p, e, d) == want


def test_settings_that_are_left_out_are_torchs_defaults():
    image = torch.empty(2, 3, 9, 11, device="meta")
    assert conv_out_shape((2, 3, 9, 11), 4, 3) == nn.Conv2d(3, 4, 3, device="meta")(image).shape
    want = nn.ConvTranspose2d(3, 4, 3, device="meta")(image).shape
    assert convt_out_shape((2, 3, 9, 11), 4, 3) == want


def test_the_shapes_of_the_exam():
    assert conv_out_shape((32, 1, 28, 28), 128, 3) == (32, 128, 26, 26)
    assert conv_out_shape((32, 1, 28, 28), 128, 4, stride=2, padding=1) == (32, 128, 14, 14)


@pytest.mark.parametrize("k", range(1, 13))
def test_there_is_one_way_to_halve_and_double(k):
    def halves(p):
        sides = range(max(2, k - 2 * p + (k - 2 * p) % 2), 40, 2)
        shapes = (conv_out_shape((1, 1, n, n), 1, k, 2, p)[2:] for n in sides)
        return all(s == (n // 2, n // 2) for s, n in zip(shapes, sides, strict=True))

    def doubles(p, e):
        return all(
            convt_out_shape((1, 1, n, n), 1, k, 2, p, e)[2:] == (2 * n, 2 * n) for n in range(1, 20)
        )

    found = [
        (p, q, e)
        for p, q, e in itertools.product(range(k + 2), range(k + 2), (0, 1))
        if halves(p) and doubles(q, e)
    ]
    assert found == [halve_and_double(k)]


def test_the_paddings_of_the_write_ups():
    assert [halve_and_double(k) for k in (3, 4, 5)] == [(1, 1, 1), (1, 1, 0), (2, 2, 1)]


def test_no_padding_keeps_the_size_with_an_even_kernel_and_stride_one():
    assert 32 not in {conv_out_shape((1, 1, 32, 32), 1, 4, 1, p)[2] for p in range(9)}


# Counting


def colouring_network(k, nic, nf, nc):
    def block(i, o, resize):
        return [nn.Conv2d(i, o, k, padding=k // 2), resize, nn.BatchNorm2d(o), nn.ReLU()]

    with torch.device("meta"):
        return nn.Sequential(
            *block(nic, nf, nn.MaxPool2d(2)),
            *block(nf, 2 * nf, nn.MaxPool2d(2)),
            *block(2 * nf, nf, nn.Upsample(scale_factor=2)),
            *block(nf, nc, nn.Upsample(scale_factor=2)),
            nn.Conv2d(nc, nc, k, padding=k // 2),
        )


NETWORKS = [(3, 1, 32, 24), (5, 3, 7, 4), (1, 2, 5, 9), (3, 4, 2, 3)]


@pytest.mark.parametrize(("k", "nic", "nf", "nc"), NETWORKS)
def test_the_parameters_are_torchs(k, nic, nf, nc):
    found = {"weights": 0, "biases": 0, "batch norm": 0}
    for module in colouring_network(k, nic, nf, nc):
        if isinstance(module, nn.Conv2d):
            found["weights"] += module.weight.numel()
            found["biases"] += module.bias.numel()
        elif isinstance(module, nn.BatchNorm2d):
            found["batch norm"] += sum(p.numel() for p in module.parameters())
    assert parts_of_params(k, nic, nf, nc) == found
    assert count_params(k, nic, nf, nc) == sum(found.values())


KINDS = {
    nn.Conv2d: "convolutions",
    nn.MaxPool2d: "pooling and upsampling",
    nn.Upsample: "pooling and upsampling",
    nn.BatchNorm2d: "batch norm",
}


@pytest.mark.parametrize(("height", "width"), [(32, 32), (8, 20), (64, 64)])
@pytest.mark.parametrize(("k", "nic", "nf", "nc"), NETWORKS)
def test_outputs_and_connections_are_those_of_torchs_layers(k, nic, nf, nc, height, width):
    value = torch.empty(1, nic, height, width, device="meta")
    outputs = dict.fromkeys(KINDS.values(), 0)
    connections = dict.fromkeys(KINDS.values(), 0) | {"biases": 0}
    for module in colouring_network(k, nic, nf, nc):
        before, value = value, module(value)
        if isinstance(module, nn.ReLU):
            continue
        kind = KINDS[type(module)]
        outputs[kind] += value.numel()
        if isinstance(module, nn.Conv2d):
            connections[kind] += value.numel() * module.weight[0].numel()
            connections["biases"] += value.numel()
        elif isinstance(module, nn.MaxPool2d):
            assert before.numel() == 4 * value.numel()
            connections[kind] += before.numel()
        else:
            connections[kind] += value.numel()
    assert parts_of_outputs(nic, nf, nc, height, width) == outputs
    assert parts_of_connections(k, nic, nf, nc, height, width) == connections
    assert count_outputs(nic, nf, nc, height, width) == sum(outputs.values())
    assert count_connections(k, nic, nf, nc, height, width) == sum(connections.values())


def test_connections_are_counted_one_by_one_by_a_gradient():
    inputs = torch.rand(2, 4, 4, requires_grad=True)
    padded = nn.functional.pad(inputs, (1, 1, 1, 1))
    outputs = nn.functional.conv2d(padded, torch.rand(3, 2, 3, 3) + 0.1)

    def paths(tensor):
        return sum(
            int((torch.autograd.grad(unit, tensor, retain_graph=True)[0] != 0).sum())
            for unit in outputs.flatten()
        )

    assert paths(padded) == 3**2 * 2 * 3 * 16
    assert paths(inputs) < paths(padded)  # those from the padding are counted too


def test_the_formulas_of_the_write_ups():
    for k, nic, nf, nc in NETWORKS:
        weights = k**2 * (nic * nf + 4 * nf**2 + nf * nc + nc**2)
        assert parts_of_params(k, nic, nf, nc)["weights"] == weights
        assert count_params(k, nic, nf, nc) == weights + 12 * nf + 4 * nc
        assert count_outputs(nic, nf, nc, 32, 32) == 2880 * nf + 3328 * nc
        parts = parts_of_outputs(nic, nf, nc, 32, 32)
        resized = parts["convolutions"] + parts["pooling and upsampling"]
        assert resized == 2240 * nf + 2304 * nc
        convolutions = k**2 * (1024 * nic * nf + 640 * nf**2 + 256 * nf * nc + 1024 * nc**2)
        assert parts_of_connections(k, nic, nf, nc, 32, 32)["convolutions"] == convolutions
        biases = parts_of_connections(k, nic, nf, nc, 32, 32)["biases"]
        without_biases = count_connections(k, nic, nf, nc, 32, 32) - biases
        assert without_biases == convolutions + 2432 * nf + 2048 * nc


def test_the_published_counts_and_those_of_doubled_images():
    assert parts_of_params(3, 1, 32, 24)["weights"] == 49_248
    assert count_outputs(1, 32, 24, 32, 32) == 172_032
    assert count_outputs(1, 32, 24, 64, 64) == 688_128
    for side, published in ((32, 13_398_016), (64, 53_592_064)):
        biases = parts_of_connections(3, 1, 32, 24, side, side)["biases"]
        assert count_connections(3, 1, 32, 24, side, side) - biases == published


@pytest.mark.parametrize("channels", [[1], [3, 2], [3, 16, 16], [2, 5, 4, 3]])
def test_convolutional_and_dense_networks_have_torchs_parameters(channels):
    height, width, k = 5, 7, 3
    convolutional = dense = 0
    for i, o in itertools.pairwise(channels):
        layer = nn.Conv2d(i, o, k, padding=1, device="meta")
        maps = layer(torch.empty(1, i, height, width, device="meta"))
        convolutional += sum(p.numel() for p in layer.parameters())
        full = nn.Linear(i * height * width, maps.numel(), device="meta")
        dense += sum(p.numel() for p in full.parameters())
    assert cnn_and_dense_params(channels, height, width, k) == (convolutional, dense)


def test_the_numbers_of_the_example_answer():
    assert cnn_and_dense_params([3, 16, 16], 32, 32, 3) == (2_768, 318_799_872)
