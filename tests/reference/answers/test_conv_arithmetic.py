"""The answers of homework 5 agree with torch and scipy."""

import numpy as np
import pytest
import scipy
import torch
from torch import nn

from reference.answers import conv_arithmetic as answers
from reference.answers.conv_arithmetic import field_enlarging_changes
from reference.conv_arithmetic import (
    conv_out_shape,
)
from reference.receptive_fields import gradient_footprint


def test_the_shapes_through_the_encoder_and_decoder_are_torchs():
    images = torch.zeros(10, 1, 32, 32)
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


A = [[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]


B = [[0, 0, 0, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]


LAPLACIAN = [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]


Q = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]


R = [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]


def draw(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


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


def test_the_effects_are_those_that_the_kernels_have():
    y, x = np.mgrid[0:9, 0:9].astype(float)
    edge = (x > 4).astype(float)
    inside = slice(1, -1), slice(1, -1)

    def respond(kernel, image):
        return scipy.ndimage.correlate(image, np.array(kernel, dtype=float))[inside]

    assert (answers.laplacian_effect, answers.q_effect, answers.r_effect) == ("F", "C", "D")
    np.testing.assert_allclose(respond(LAPLACIAN, 2 + 3 * x - y), 0, atol=1e-12)
    assert np.abs(respond(LAPLACIAN, edge)).max() == np.abs(respond(LAPLACIAN, edge.T)).max() == 1
    np.testing.assert_allclose(respond(Q, np.full((9, 9), 7.0)), 7)
    assert respond(Q, edge).min() < 0
    assert respond(Q, edge).max() > 1
    np.testing.assert_allclose(respond(R, np.sin(x)), 0, atol=1e-12)
    assert np.abs(respond(R, edge.T)).max() == 3


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


def layers_of(*rows):
    names = "kernel", "stride", "padding", "dilation"
    return [dict(zip(names, row, strict=True)) for row in rows]


def extent(marked):
    rows, columns = np.nonzero(marked)
    return np.ptp(rows) + 1, np.ptp(columns) + 1


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
    assert larger == field_enlarging_changes
