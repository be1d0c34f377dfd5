"""Convolutional networks by pencil: shapes and counts.

A batch of images is (N, C, H, W). Sizes and counts are exact integers. Nothing here changes an
argument.

Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016: its
relationship 6 for convolutions and 14 for transposed ones, with PyTorch's dilation and output
padding.
"""

import itertools
from typing import Any


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


# Counting


def _channels(nic: int, nf: int, nc: int) -> list[tuple[int, int]]:
    """Channels in and out of the four blocks of the colouring network."""
    return [(nic, nf), (nf, 2 * nf), (2 * nf, nf), (nf, nc)]


def _blocks(nic: int, nf: int, nc: int, pixels: int) -> list[tuple[int, int, int, int]]:
    """Channels in and out, pixels of the convolution, pixels after pooling or upsampling."""
    quarter = pixels // 16  # survives: sides are multiples of 4
    before = [16 * quarter, 4 * quarter, quarter, 4 * quarter]
    after = [4 * quarter, quarter, 4 * quarter, 16 * quarter]
    channels = _channels(nic, nf, nc)
    return [(i, o, b, a) for (i, o), b, a in zip(channels, before, after, strict=True)]


def parts_of_params(k: int, nic: int, nf: int, nc: int) -> dict[str, int]:
    """The trainable numbers of the colouring network, by what they belong to.

    Args:
        k: side of every kernel.
        nic: number of input channels.
        nf: number of filters.
        nc: number of colours.

    Returns:
        The number of "weights", of "biases" and of what "batch norm" learns.
    """
    blocks = _channels(nic, nf, nc)
    convolutions = [*blocks, (nc, nc)]
    return {
        "weights": sum(k**2 * i * o for i, o in convolutions),
        "biases": sum(o for _, o in convolutions),
        "batch norm": sum(2 * o for _, o in blocks),
    }


def parts_of_outputs(nic: int, nf: int, nc: int, height: int, width: int) -> dict[str, int]:
    """The outputs of the colouring network, by the kind of layer that gives them.

    Args:
        nic: number of input channels.
        nf: number of filters.
        nc: number of colours.
        height: rows of the input image; a multiple of 4.
        width: columns of the input image; a multiple of 4.

    Returns:
        The number of "convolutions", of "pooling and upsampling" and of "batch norm".
    """
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
    """The connections of the colouring network, by the kind of layer that they lead into.

    Args:
        k: side of every kernel.
        nic: number of input channels.
        nf: number of filters.
        nc: number of colours.
        height: rows of the input image; a multiple of 4.
        width: columns of the input image; a multiple of 4.

    Returns:
        The number of "convolutions", of "pooling and upsampling", of "batch norm" and of "biases".
    """
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
