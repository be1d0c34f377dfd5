"""Convolutional networks by pencil: responses, shapes, counts, receptive fields, kernels.

An image is (H, W) with row 0 at the top; a batch is (N, C, H, W). Sizes and counts are exact
integers. Nothing here changes an argument.
"""

import itertools
from typing import Any

import numpy as np
import torch

# ------------------------------------------------------------------ convolution by hand

# The Laplacian of Question 1.1 applied to image A: five rows of five whole numbers.
laplacian_response = np.array(
    [
        [-1, 2, 2, -2, 0],
        [-2, 1, 0, 2, -1],
        [3, 0, 0, 1, -1],
        [-2, 2, 0, 2, -1],
        [0, -2, 3, -2, 0],
    ]
)

# The kernel Q of Question 1.1 applied to image B: five rows of five whole numbers.
q_response = np.array(
    [
        [0, 0, -1, -1, -1],
        [-1, -2, 3, 2, 4],
        [4, 2, 1, 2, -2],
        [-2, 3, 1, 3, -1],
        [0, -2, 4, -2, 0],
    ]
)

# The kernel R of Question 1.1 applied to image B: five rows of five whole numbers.
r_response = np.array(
    [
        [0, -1, -2, -3, -2],
        [-2, -3, -3, -2, -1],
        [-1, -1, -1, 1, 1],
        [2, 2, 2, 1, 1],
        [1, 2, 3, 2, 1],
    ]
)

# What do the Laplacian, Q and R do, in this order? Three letters, such as "FED".
#   A  It averages each pixel with its neighbours.
#   B  It moves the image by one pixel.
#   C  It keeps flat regions as they are, and overshoots on both sides of every edge.
#   D  It answers to changes from row to row, and is silent where only the columns differ.
#   E  It answers to changes from column to column, and is silent where only the rows differ.
#   F  It is silent on flat regions and on even slopes, and answers to edges of every direction.
kernel_effects = "FCD"


def correlate_same(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Cross-correlation with zero padding, as deep-learning libraries call a convolution.

    The middle of the kernel is laid on each pixel in turn; the kernel is not flipped. Outside of
    the image there are zeros, so that the response has the size of the image.

    Args:
        image: (H, W) image.
        kernel: (P, Q) kernel, P and Q odd, but not always equal; it may be larger than the image.

    Returns:
        (H, W) response.
    """
    margins = [(side // 2, side // 2) for side in kernel.shape]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, margins), kernel.shape)
    response: np.ndarray = np.einsum("hwpq,pq->hw", windows, kernel)
    return response


def convolve_same(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolution as mathematics defines it, with zero padding.

    Args:
        image: (H, W) image.
        kernel: (P, Q) kernel, P and Q odd, but not always equal; it may be larger than the image.

    Returns:
        (H, W) response: entry (r, c) is the sum over all (i, j) of image[r - i, c - j] times the
        kernel's entry at i rows below and j columns right of its middle.
    """
    return correlate_same(image, kernel[::-1, ::-1])


def convolution_matrix(kernel: np.ndarray, height: int, width: int) -> np.ndarray:
    """The matrix that turns a flattened image into its flattened convolution.

    Images are flattened row by row, as by `ravel`. The convolution is that of `convolve_same`:
    true convolution, zero padding, the size of the image.

    Args:
        kernel: (P, Q) kernel, P and Q odd.
        height: rows of the image.
        width: columns of the image.

    Returns:
        (height * width, height * width) matrix M such that M @ image.ravel() is the flattened
        response, for every image of that size.
    """
    pixels = np.eye(height * width).reshape(-1, height, width)
    return np.stack([convolve_same(pixel, kernel).ravel() for pixel in pixels], axis=1)


# --------------------------------------------------------------------------- output sizes


def _pair(value: Any) -> Any:
    return value if isinstance(value, tuple) else (value, value)


def conv_out_shape(
    shape: tuple[int, int, int, int],
    out_channels: int,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> tuple[int, ...]:
    """The shape of what a convolution returns, in PyTorch's conventions.

    Each setting is one number for both axes, or a pair: first for the height, then for the width.
    Padding is added on both sides of an axis. Windows that would hang over the padded image are
    left out. With dilation d, neighbouring entries of the kernel are d pixels apart.

    Args:
        shape: (N, C, H, W) of the input.
        out_channels: number of filters.
        kernel_size: entries of the kernel along an axis.
        stride: steps of the kernel along an axis.
        padding: rows or columns of zeros added on each side.
        dilation: distance of neighbouring entries of the kernel; 1 is a common kernel.

    Returns:
        The four numbers of the output's shape, as integers.
    """
    settings = zip(
        shape[2:], _pair(kernel_size), _pair(stride), _pair(padding), _pair(dilation), strict=True
    )
    sides = ((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in settings)
    return (shape[0], out_channels, *sides)


def convt_out_shape(
    shape: tuple[int, int, int, int],
    out_channels: int,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    output_padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> tuple[int, ...]:
    """The shape of what a transposed convolution returns, in PyTorch's conventions.

    Each setting is one number for both axes, or a pair: first for the height, then for the width.
    Every input pixel lays a copy of the kernel into the output, `stride` apart; `padding` is what
    is then cut off on both sides, and `output_padding` what is appended at the far end only.

    Args:
        shape: (N, C, H, W) of the input.
        out_channels: number of channels of the output.
        kernel_size: entries of the kernel along an axis.
        stride: distance in the output of the copies that two neighbouring pixels lay.
        padding: rows or columns cut off on each side.
        output_padding: rows or columns appended at the bottom or on the right.
        dilation: distance of neighbouring entries of the kernel; 1 is a common kernel.

    Returns:
        The four numbers of the output's shape, as integers.
    """
    settings = zip(
        shape[2:],
        _pair(kernel_size),
        _pair(stride),
        _pair(padding),
        _pair(output_padding),
        _pair(dilation),
        strict=True,
    )
    sides = ((n - 1) * s + d * (k - 1) + 1 - 2 * p + extra for n, k, s, p, extra, d in settings)
    return (shape[0], out_channels, *sides)


def halve_and_double(kernel_size: int) -> tuple[int, int, int]:
    """The paddings with which stride 2 halves every even side exactly, and doubles it again.

    A convolution of this kernel size with stride 2 turns the side 2 n into n, for every n; a
    transposed convolution of the same kernel size with stride 2 turns n into 2 n.

    Args:
        kernel_size: entries of both kernels along an axis; at least 1.

    Returns:
        (padding of the convolution, padding of the transposed convolution, output padding of the
        transposed convolution), the output padding being 0 or 1.
    """
    padding = (kernel_size - 1) // 2
    return padding, padding, kernel_size % 2


# The shapes of the eight tensors of Question 2.4, each a tuple of four whole numbers.
shape_a = (10, 16, 32, 32)
shape_b = (10, 32, 16, 16)
shape_c = (10, 128, 8, 8)
shape_d = (10, 16, 8, 8)
shape_e = (10, 8, 16, 16)
shape_u = (10, 8, 32, 32)
shape_s = (10, 24, 32, 32)
shape_f = (10, 1, 32, 32)

# ------------------------------------------------------------------------------- counting


def _channels(nic: int, nf: int, nc: int) -> list[tuple[int, int]]:
    """Channels in and out of the four blocks of the colouring network."""
    return [(nic, nf), (nf, 2 * nf), (2 * nf, nf), (nf, nc)]


def _blocks(nic: int, nf: int, nc: int, pixels: int) -> list[tuple[int, int, int, int]]:
    """Channels in and out, pixels of the convolution, pixels after pooling or upsampling."""
    before = [pixels, pixels // 4, pixels // 16, pixels // 4]
    after = [pixels // 4, pixels // 16, pixels // 4, pixels]
    channels = _channels(nic, nf, nc)
    return [(i, o, b, a) for (i, o), b, a in zip(channels, before, after, strict=True)]


def parts_of_params(k: int, nic: int, nf: int, nc: int) -> dict[str, int]:
    """The trainable numbers of the colouring network, by what they belong to."""
    blocks = _channels(nic, nf, nc)
    convolutions = [*blocks, (nc, nc)]
    return {
        "weights": sum(k**2 * i * o for i, o in convolutions),
        "biases": sum(o for _, o in convolutions),
        "batch norm": sum(2 * o for _, o in blocks),
    }


def parts_of_outputs(nic: int, nf: int, nc: int, height: int, width: int) -> dict[str, int]:
    """The outputs of the colouring network, by the kind of layer that gives them."""
    pixels = height * width
    blocks = _blocks(nic, nf, nc, pixels)
    return {
        "convolutions": sum(o * before for _, o, before, _ in blocks) + nc * pixels,
        "pooling and upsampling": sum(o * after for _, o, _, after in blocks),
        "batch norm": sum(o * after for _, o, _, after in blocks),
    }


def parts_of_connections(
    k: int, nic: int, nf: int, nc: int, height: int, width: int
) -> dict[str, int]:
    """The connections of the colouring network, by the kind of layer that they lead into."""
    pixels = height * width
    blocks = _blocks(nic, nf, nc, pixels)
    convolutions = [*((i, o, before) for i, o, before, _ in blocks), (nc, nc, pixels)]
    return {
        "convolutions": sum(k**2 * i * o * before for i, o, before in convolutions),
        "pooling and upsampling": sum(o * max(before, after) for _, o, before, after in blocks),
        "batch norm": sum(o * after for _, o, _, after in blocks),
        "biases": sum(o * before for _, o, before in convolutions),
    }


def count_params(k: int, nic: int, nf: int, nc: int) -> int:
    """The number of trainable parameters of the colouring network.

    The weights of the convolutions always count. Whether their biases count, and whether the two
    numbers per channel that a batch norm learns count, is up to you: two choices, to be made once
    for the whole network.

    Args:
        k: side of every kernel.
        nic: number of input channels.
        nf: number of filters.
        nc: number of colours.

    Returns:
        The number, an integer.
    """
    return sum(parts_of_params(k, nic, nf, nc).values())


def count_outputs(nic: int, nf: int, nc: int, height: int, width: int) -> int:
    """The number of values that the layers of the colouring network return for one image.

    The outputs of the convolutions always count; those of the ReLUs never do. Whether pooling and
    upsampling layers count, whether batch norms count, and whether the input image counts as a
    layer, is up to you: three choices, to be made once for the whole network.

    Args:
        nic: number of input channels.
        nf: number of filters.
        nc: number of colours.
        height: rows of the input image; a multiple of 4.
        width: columns of the input image; a multiple of 4.

    Returns:
        The number, an integer.
    """
    return sum(parts_of_outputs(nic, nf, nc, height, width).values())


def count_connections(k: int, nic: int, nf: int, nc: int, height: int, width: int) -> int:
    """The number of connections between the layers of the colouring network, for one image.

    A connection leads from one value of a layer to one value of the next that is computed from it.
    Those into the convolutions always count, also those from the zeros of the padding. Whether
    those into pooling and upsampling layers count, whether those into batch norms count (one for
    each value), and whether the bias of a convolution counts as one more connection of each of its
    outputs, is up to you: three choices, to be made once for the whole network. ReLUs never count.

    Args:
        k: side of every kernel.
        nic: number of input channels.
        nf: number of filters.
        nc: number of colours.
        height: rows of the input image; a multiple of 4.
        width: columns of the input image; a multiple of 4.

    Returns:
        The number, an integer.
    """
    return sum(parts_of_connections(k, nic, nf, nc, height, width).values())


def cnn_and_dense_params(
    channels: list[int], height: int, width: int, kernel_size: int
) -> tuple[int, int]:
    """The trainable parameters of a convolutional network, and of a dense one of equal size.

    The convolutional network has one convolution between each two neighbours in `channels`, with
    stride 1 and a padding that keeps height and width. The dense network has as many neurons in
    every layer, and each neuron is connected to all neurons of the layer before. Biases count in
    both networks.

    Args:
        channels: of the input and of each layer after it.
        height: rows of every feature map.
        width: columns of every feature map.
        kernel_size: side of every kernel.

    Returns:
        (parameters of the convolutional network, parameters of the dense network), as integers.
    """
    layers = list(itertools.pairwise(channels))
    pixels = height * width
    convolutional = sum(o * (i * kernel_size**2 + 1) for i, o in layers)
    dense = sum(o * pixels * (i * pixels + 1) for i, o in layers)
    return convolutional, dense


# The table of Question 4.1: trainable parameters of each layer, and of the whole network.
params_conv64 = 1_792
params_conv128 = 73_856
params_conv256_first = 295_168
params_conv256_second = 590_080
params_fc1024 = 51_381_248
params_fc100 = 102_500
params_total = 52_444_644

# Question 4.2, neurons. The four convolutions, from the first to the last: a list of four numbers.
neurons_of_convolutions = [802_816, 401_408, 200_704, 200_704]

# The three pooling layers, from the first to the last: a list of three numbers.
neurons_of_poolings = [200_704, 100_352, 50_176]

# All of them together, and the two fully connected layers.
neurons_total = 1_957_988

# Question 4.3, connections into one neuron. The four convolutions: a list of four numbers.
fan_in_of_convolutions = [27, 576, 1_152, 2_304]

# A pooling layer.
fan_in_of_pooling = 4

# FC-1024 and FC-100: a list of two numbers.
fan_in_of_dense = [50_176, 1_024]

# ------------------------------------------------------------------------ receptive fields


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


# Which of the nine changes of Question 5.4 enlarge the receptive field? All letters that do, and
# no other, as one text.
field_enlarging_changes = "BCFH"

# ------------------------------------------------------------------------ kernels by hand

# 3 x 3: the kernel of Question 6.1, which finds horizontal edges.
horizontal_edge_kernel = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])

# 3 x 3: the kernel of Question 6.2, which finds thin vertical lines.
vertical_line_kernel = np.array([[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]])

# 2 x 2: the kernel of Question 6.3, which finds edges along the main diagonal.
diagonal_edge_kernel = np.array([[0, 1], [-1, 0]])

# 3 x 3: moves the image left by one pixel, used as a cross-correlation.
left_by_correlation = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]])

# 3 x 3: moves the image left by one pixel, used as a true convolution.
left_by_convolution = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])

# 5 x 5: moves the image down by two pixels and right by one, used as a cross-correlation.
down_down_right_by_correlation = np.array(
    [[0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
)

# 3 x 3: the kernel of Question 6.5, which blurs.
blur_kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16


def compose_kernels(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The one kernel that does what two kernels do one after the other.

    Both are used as cross-correlations, without padding and with stride 1, and so is the result.

    Args:
        first: (P, Q) kernel that is applied to the image.
        second: (R, S) kernel that is applied to the response of the first.

    Returns:
        (P + R - 1, Q + S - 1) kernel, whose response to any image is that of the two.
    """
    sides = [a + b - 1 for a, b in zip(first.shape, second.shape, strict=True)]
    combined = np.zeros(sides)
    for (i, j), weight in np.ndenumerate(second):
        combined[i : i + first.shape[0], j : j + first.shape[1]] += weight * first
    return combined
