"""The arithmetic of convolutional networks agrees with scipy, torch and counting by brute force."""

import itertools

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch
from torch import nn

from reference import conv_arithmetic as answers
from reference.conv_arithmetic import (
    cnn_and_dense_params,
    compose_kernels,
    conv_out_shape,
    convolution_matrix,
    convolve_same,
    convt_out_shape,
    correlate_same,
    count_connections,
    count_outputs,
    count_params,
    gradient_footprint,
    halve_and_double,
    layers_to_cover,
    parts_of_connections,
    parts_of_outputs,
    parts_of_params,
    receptive_fields,
)

A = [[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
B = [[0, 0, 0, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
LAPLACIAN = [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
Q = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
R = [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]

SIZES = [((6, 5), (3, 3)), ((4, 7), (1, 5)), ((7, 4), (5, 1)), ((2, 3), (7, 5)), ((3, 3), (1, 1))]


def draw(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def layers_of(*rows):
    names = "kernel", "stride", "padding", "dilation"
    return [dict(zip(names, row, strict=True)) for row in rows]


# Convolution


@pytest.mark.parametrize(
    ("name", "image", "kernel"),
    [("laplacian_response", A, LAPLACIAN), ("q_response", B, Q), ("r_response", B, R)],
)
def test_the_responses_by_hand_are_scipys_convolutions(name, image, kernel):
    want = scipy.signal.convolve2d(image, kernel, mode="same", boundary="fill")
    np.testing.assert_array_equal(getattr(answers, name), want)


def test_of_the_three_kernels_only_the_last_tells_convolution_from_correlation():
    for kernel in (LAPLACIAN, Q):
        np.testing.assert_array_equal(kernel, np.rot90(kernel, 2))
    want = -scipy.signal.correlate2d(B, R, mode="same")
    np.testing.assert_array_equal(answers.r_response, want)


@pytest.mark.parametrize(("size", "side"), SIZES)
def test_correlation_is_scipys(size, side):
    image, kernel = draw(size, side)
    want = scipy.ndimage.correlate(image, kernel, mode="constant")
    np.testing.assert_allclose(correlate_same(image, kernel), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("size", "side"), SIZES)
def test_convolution_is_scipys(size, side):
    image, kernel = draw(size, side)
    want = scipy.ndimage.convolve(image, kernel, mode="constant")
    np.testing.assert_allclose(convolve_same(image, kernel), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("size", "side"), SIZES)
def test_the_matrix_convolves_and_its_transpose_correlates(size, side):
    image, kernel = draw(size, side)
    matrix = convolution_matrix(kernel, *size)
    assert matrix.shape == (image.size, image.size)
    convolved = scipy.ndimage.convolve(image, kernel, mode="constant")
    np.testing.assert_allclose(matrix @ image.ravel(), convolved.ravel(), rtol=1e-12, atol=1e-14)
    correlated = scipy.ndimage.correlate(image, kernel, mode="constant")
    np.testing.assert_allclose(matrix.T @ image.ravel(), correlated.ravel(), rtol=1e-12, atol=1e-14)


def test_the_arguments_of_a_convolution_stay_as_they_are():
    image, kernel = draw((6, 5), (3, 3))
    copies = image.copy(), kernel.copy()
    convolve_same(image, kernel)
    convolution_matrix(kernel, 4, 3)
    compose_kernels(image, kernel)
    np.testing.assert_array_equal(image, copies[0])
    np.testing.assert_array_equal(kernel, copies[1])


def test_the_effects_are_those_that_the_kernels_have():
    y, x = np.mgrid[0:9, 0:9].astype(float)
    edge = (x > 4).astype(float)
    inside = slice(1, -1), slice(1, -1)

    def respond(kernel, image):
        return scipy.ndimage.correlate(image, np.array(kernel, dtype=float))[inside]

    assert answers.kernel_effects == "FCD"
    np.testing.assert_allclose(respond(LAPLACIAN, 2 + 3 * x - y), 0, atol=1e-12)
    assert np.abs(respond(LAPLACIAN, edge)).max() == np.abs(respond(LAPLACIAN, edge.T)).max() == 1
    np.testing.assert_allclose(respond(Q, np.full((9, 9), 7.0)), 7)
    assert respond(Q, edge).min() < 0
    assert respond(Q, edge).max() > 1
    np.testing.assert_allclose(respond(R, np.sin(x)), 0, atol=1e-12)
    assert np.abs(respond(R, edge.T)).max() == 3


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


def test_the_shapes_through_the_encoder_and_decoder_are_torchs():
    images = torch.empty(10, 1, 32, 32, device="meta")
    with torch.device("meta"):
        a = nn.Conv2d(1, 16, 5, padding=2)(images)
        b = nn.Conv2d(16, 32, 4, stride=2, padding=1)(a)
        c = nn.Conv2d(32, 128, 3, stride=2, padding=1)(b)
        d = nn.Conv2d(128, 16, 3, padding=2, dilation=2)(c)
        e = nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1)(d)
        u = nn.Upsample(scale_factor=2)(e)
        s = torch.cat([u, a], dim=1)
        f = nn.Conv2d(24, 1, 1)(s)
    for name, tensor in zip("abcdeusf", (a, b, c, d, e, u, s, f), strict=True):
        assert getattr(answers, f"shape_{name}") == tuple(tensor.shape)


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


# The table


def table_network():
    with torch.device("meta"):
        return nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1),
            nn.MaxPool2d(2),
            nn.Conv2d(128, 256, 3, padding=1),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(256 * 14 * 14, 1024),
            nn.Linear(1024, 100),
        )


def test_the_table_of_parameters_is_torchs():
    found = [sum(p.numel() for p in m.parameters()) for m in table_network()]
    assert [n for n in found if n] == [
        answers.params_conv64,
        answers.params_conv128,
        answers.params_conv256_first,
        answers.params_conv256_second,
        answers.params_fc1024,
        answers.params_fc100,
    ]
    assert sum(found) == answers.params_total == 52_444_644


def test_the_neurons_of_the_table_are_torchs():
    value, found = torch.empty(1, 3, 112, 112, device="meta"), {}
    assert value.numel() == 37_632
    for module in table_network():
        value = module(value)
        found.setdefault(type(module).__name__, []).append(value.numel())
    assert found["Conv2d"] == answers.neurons_of_convolutions
    assert found["MaxPool2d"] == answers.neurons_of_poolings
    counted = sum(sum(found[kind]) for kind in ("Conv2d", "MaxPool2d", "Linear"))
    assert counted == answers.neurons_total == 1_957_988


def test_the_fan_ins_of_the_table_are_torchs():
    modules = list(table_network())
    found = [m.weight[0].numel() for m in modules if isinstance(m, nn.Conv2d)]
    assert found == answers.fan_in_of_convolutions
    found = [m.in_features for m in modules if isinstance(m, nn.Linear)]
    assert found == answers.fan_in_of_dense
    assert {m.kernel_size**2 for m in modules if isinstance(m, nn.MaxPool2d)} == {
        answers.fan_in_of_pooling
    }


# Receptive fields


PUBLISHED = [
    ([(3, 1, 1, 1), (2, 2, 0, 1), (3, 1, 1, 1)], 8),
    ([(5, 1, 2, 1), (2, 2, 0, 1), (5, 1, 2, 1)], 14),
    ([(3, 2, 1, 1)] * 3, 15),
    ([(3, 1, 1, 1), (3, 2, 1, 1), (3, 2, 1, 1), (3, 1, 1, 1)], 17),
    ([(3, 1, 1, 1), (3, 2, 1, 1), (3, 2, 1, 1), (1, 1, 0, 1)], 9),
]


@pytest.mark.parametrize(("rows", "side"), PUBLISHED)
def test_the_published_receptive_fields(rows, side):
    assert receptive_fields(layers_of(*rows))[-1] == side


def test_three_layers_of_stride_two_see_3_then_7_then_15_pixels():
    assert receptive_fields(layers_of(*[(3, 2, 1, 1)] * 3)) == [3, 7, 15]


def extent(marked):
    rows, columns = np.nonzero(marked)
    return np.ptp(rows) + 1, np.ptp(columns) + 1


@pytest.mark.parametrize("seed", range(20))
def test_formula_and_gradient_agree_far_from_the_border(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers([1, 1, 0, 1], [5, 4, 1, 4], size=(3, 4)).tolist()
    layers = layers_of(*rows)
    fields = receptive_fields(layers)
    for count in range(1, 4):
        size = fields[count - 1] + 5
        marked = gradient_footprint(layers[:count], size, size, 0, 0)
        assert extent(marked) == (fields[count - 1], fields[count - 1])


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_the_footprint_is_what_changes_the_output(padding, stride, dilation):
    layers = layers_of((3, stride, padding, dilation), (2, 1, padding, 1))
    weights = [torch.rand(1, 1, layer["kernel"], layer["kernel"]) + 0.1 for layer in layers]

    height, width = 8, 10
    images = torch.eye(height * width).reshape(-1, 1, height, width)  # one bright pixel in each
    for layer, weight in zip(layers, weights, strict=True):
        settings = {key: layer[key] for key in ("stride", "padding", "dilation")}
        images = nn.functional.conv2d(images, weight, **settings)
    changed = (images[:, 0] > 0).numpy()
    for row, column in np.ndindex(*changed.shape[1:]):
        want = changed[:, row, column].reshape(height, width)
        got = gradient_footprint(layers, height, width, row, column)
        assert got.dtype == bool
        np.testing.assert_array_equal(got, want)


def test_without_layers_a_unit_is_its_own_pixel():
    assert receptive_fields([]) == []
    assert np.argwhere(gradient_footprint([], 4, 5, 2, 3)).tolist() == [[2, 3]]


@pytest.mark.parametrize("kernel_size", [2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_number_of_layers_is_just_enough(kernel_size, stride):
    for side in range(1, 70):
        count = layers_to_cover(side, kernel_size, stride)
        fields = [1, *receptive_fields(layers_of(*[(kernel_size, stride, 0, 1)] * (count + 1)))]
        assert fields[count] >= side
        assert count == 0 or fields[count - 1] < side


def test_the_changes_that_enlarge_the_field_do_so():
    plain = [(3, 1, 1, 1)] * 3
    changed = {
        "A": plain,  # filters do not enter
        "B": [(5, 1, 1, 1), *plain[1:]],
        "C": [(3, 2, 1, 1), *plain[1:]],
        "D": [(3, 1, 2, 1)] * 3,
        "E": [*plain[:2], (3, 2, 1, 1)],
        "F": [*plain[:2], (3, 1, 1, 2)],
        "G": [*plain, (1, 1, 0, 1)],
        "H": [*plain[:2], (2, 2, 0, 1), plain[2]],
    }

    def side(rows):
        size = 41
        layers = layers_of(*rows)
        shape = (1, 1, size, size)
        for layer in layers:
            shape = conv_out_shape(shape, 1, *layer.values())
        unit = shape[2] // 2
        return extent(gradient_footprint(layers, size, size, unit, unit))[0]

    larger = "".join(letter for letter, rows in changed.items() if side(rows) > side(plain))
    assert larger == answers.field_enlarging_changes


# Kernels


def correlate(image, kernel, mode="valid"):
    return scipy.signal.correlate2d(image, kernel, mode=mode)


def test_the_edge_kernel_finds_horizontal_edges():
    step = np.zeros((8, 7))
    step[4:] = 1
    assert np.abs(correlate(step, answers.horizontal_edge_kernel)).max() == 4
    assert not correlate(step.T, answers.horizontal_edge_kernel).any()


def test_the_line_kernel_finds_vertical_lines_only():
    y, x = np.mgrid[0:8, 0:9]
    assert correlate(x == 4, answers.vertical_line_kernel).max() == 6
    assert not correlate(y == 4, answers.vertical_line_kernel).any()
    assert not correlate(3 * x - 2 * y, answers.vertical_line_kernel).any()


def test_the_diagonal_kernel_tells_the_diagonals_apart():
    y, x = np.mgrid[0:8, 0:8]
    assert correlate(x > y, answers.diagonal_edge_kernel).any()
    assert not correlate(x + y > 8, answers.diagonal_edge_kernel).any()


def test_the_moving_kernels_move():
    (image,) = draw((6, 7))
    left = np.pad(image[:, 1:], ((0, 0), (0, 1)))
    np.testing.assert_array_equal(correlate(image, answers.left_by_correlation, "same"), left)
    got = scipy.signal.convolve2d(image, answers.left_by_convolution, mode="same")
    np.testing.assert_array_equal(got, left)
    moved = np.pad(image[:-2, :-1], ((2, 0), (1, 0)))
    got = correlate(image, answers.down_down_right_by_correlation, "same")
    np.testing.assert_array_equal(got, moved)


def test_the_blur_keeps_brightness_and_takes_all_of_the_finest_stripes():
    assert answers.blur_kernel.sum() == 1
    stripes = np.tile((-1.0) ** np.arange(8), (8, 1))
    np.testing.assert_allclose(correlate(stripes, answers.blur_kernel), 0, atol=1e-15)
    np.testing.assert_allclose(correlate(stripes.T, answers.blur_kernel), 0, atol=1e-15)


@pytest.mark.parametrize(("p", "q"), [((3, 3), (3, 3)), ((1, 4), (3, 1)), ((2, 5), (4, 3))])
def test_composed_kernels_do_what_two_do(p, q):
    image, first, second = draw((9, 11), p, q)
    kernel = compose_kernels(first, second)
    np.testing.assert_allclose(kernel, scipy.signal.convolve2d(first, second), atol=1e-14)
    want = correlate(correlate(image, first), second)
    np.testing.assert_allclose(correlate(image, kernel), want, atol=1e-12)
