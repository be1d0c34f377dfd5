"""Receptive fields agree with published ones, with gradients and with brute force."""

import numpy as np
import pytest
import torch
from torch import nn

from reference.conv_arithmetic import conv_out_shape
from reference.conv_fields import (
    field_enlarging_changes,
    gradient_footprint,
    layers_to_cover,
    receptive_fields,
)


def layers_of(*rows):
    names = "kernel", "stride", "padding", "dilation"
    return [dict(zip(names, row, strict=True)) for row in rows]


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
    assert larger == field_enlarging_changes
