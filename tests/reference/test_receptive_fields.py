"""Receptive fields agree with gradients."""

import numpy as np
import pytest
import torch
from torch import nn

from reference.receptive_fields import (
    gradient_footprint,
    layers_to_cover,
    receptive_field,
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


@pytest.mark.parametrize(
    "layers",
    [
        [],
        [(1, 1, 1)],
        [(3, 1, 1)],
        [(5, 3, 2)],
        [(3, 2, 1), (2, 2, 1), (5, 1, 2)],
        [(2, 3, 3), (4, 2, 2), (3, 3, 4)],
        [(5, 2, 1), (3, 3, 2), (1, 2, 1), (4, 1, 3)],
    ],
)
def test_a_receptive_field_is_the_footprint_of_a_gradient(layers):
    assert receptive_field(layers) == footprint(layers)


def test_the_published_fields_of_layers_as_tuples():
    assert [receptive_field([(3, 2, 1)] * count) for count in (1, 2, 3)] == [3, 7, 15]
    assert receptive_field([(3, 1, 1), (2, 2, 1), (3, 1, 1)]) == 8
    assert receptive_field([(5, 1, 1), (2, 2, 1), (5, 1, 1)]) == 14
