"""Receptive fields: how much of the input a unit of a convolutional network depends on.

A layer is a dict with the keys "kernel", "stride", "padding" and "dilation", alike along both axes,
or, where padding plays no part, a tuple (kernel, stride, dilation).

Source: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019.
"""

import numpy as np
import torch


def receptive_fields(layers: list[dict[str, int]]) -> list[int]:
    """The side of the receptive field in the input of a unit after each layer.

    The receptive field is the smallest square of input pixels, or of input and padding near the
    border, that holds all pixels on which the unit depends.

    Args:
        layers: from the first to the last, each with the keys "kernel", "stride", "padding" and
            "dilation": convolutions or poolings, alike along both axes.

    Returns:
        One integer for each layer, in the same order.
    """
    field, step, fields = 1, 1, []
    for layer in layers:
        field += (layer["kernel"] - 1) * layer["dilation"] * step
        step *= layer["stride"]
        fields.append(field)
    return fields


def gradient_footprint(
    layers: list[dict[str, int]], height: int, width: int, row: int, column: int
) -> np.ndarray:
    """The input pixels on which one output unit of a stack of convolutions depends.

    One channel throughout. All weights of all kernels count as different from zero, and no two
    paths cancel: positive weights are such.

    Args:
        layers: from the first to the last, each with the keys "kernel", "stride", "padding" and
            "dilation": convolutions, alike along both axes.
        height: rows of the input.
        width: columns of the input.
        row: of the unit, in the output of the last layer.
        column: of the unit, in the output of the last layer.

    Returns:
        (height, width) array of booleans: True where the derivative of the unit with respect to
        the pixel is not zero.
    """
    image = torch.zeros(1, 1, height, width, dtype=torch.float64, requires_grad=True)
    output = image
    for layer in layers:
        weight = torch.ones(1, 1, layer["kernel"], layer["kernel"], dtype=torch.float64)
        output = torch.nn.functional.conv2d(
            output,
            weight,
            stride=layer["stride"],
            padding=layer["padding"],
            dilation=layer["dilation"],
        )
    (gradient,) = torch.autograd.grad(output[0, 0, row, column], image)
    footprint: np.ndarray = gradient[0, 0].numpy() != 0
    return footprint


def layers_to_cover(side: int, kernel_size: int, stride: int) -> int:
    """The smallest number of equal layers whose receptive field is at least `side` pixels wide.

    Args:
        side: in input pixels; at least 1.
        kernel_size: of every layer; at least 2.
        stride: of every layer.

    Returns:
        The number of layers; 0 if a single pixel is enough.
    """
    layer = {"kernel": kernel_size, "stride": stride, "dilation": 1}
    count, field = 0, 1
    while field < side:
        count += 1
        field = receptive_fields([layer] * count)[-1]
    return count


def receptive_field(layers: list[tuple[int, int, int]]) -> int:
    """How many pixels in a row of the input one unit of the last layer's output depends on.

    The unit is far from the borders, so that padding plays no part. Count from the first pixel
    that it depends on to the last, those two included, whether or not there are pixels between
    them that are skipped.

    Args:
        layers: (kernel size, stride, dilation) of each layer, from the input to the output; a
            pooling layer counts like a convolution. Without layers the unit is a pixel.

    Returns:
        The number of pixels along one side.
    """
    field, distance = 1, 1
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * dilation * distance
        distance *= stride
    return field
