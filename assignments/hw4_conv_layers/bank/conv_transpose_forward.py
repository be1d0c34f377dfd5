import numpy as np
import torch
from bank._shared import framed, right_conv, right_conv_backward

from autograder import alternative, mistake
from reference.layers import conv_transpose_forward

right_transpose = conv_transpose_forward


def painted(x, w, stride, extra=(0, 0), add=True):
    """Return the whole canvas, kernel by kernel."""
    rows, columns = (
        (n - 1) * s + k + e
        for n, s, k, e in zip(x.shape[2:], stride, w.shape[2:], extra, strict=True)
    )
    canvas = np.zeros((len(x), w.shape[1], rows, columns))
    for n, i, j in np.ndindex(len(x), *x.shape[2:]):
        top, left = i * stride[0], j * stride[1]
        place = np.s_[n, :, top : top + w.shape[2], left : left + w.shape[3]]
        stamp = np.einsum("c,cfkl->fkl", x[n, :, i, j], w)
        canvas[place] = canvas[place] * add + stamp
    return canvas


def cut(canvas, pad, extra=(0, 0)):
    rows, columns = canvas.shape[2:]
    return canvas[:, :, pad[0] : rows - pad[0] + extra[0], pad[1] : columns - pad[1] + extra[1]]


@mistake("kernels overwrite each other: overlaps add up")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return cut(painted(x, w, stride, output_pad, add=False), pad) + b[:, None, None]


@mistake("the kernel is flipped before it is painted")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w[:, :, ::-1, ::-1], b, stride, pad, output_pad)


@mistake("kernels as in a convolution, with the channels that go out first")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    swapped = w.reshape(w.shape[1], w.shape[0], *w.shape[2:]).transpose(1, 0, 2, 3)
    return right_transpose(x, swapped, b, stride, pad, output_pad)


@mistake("the bias is forgotten")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, 0 * b, stride, pad, output_pad)


@mistake("the bias is part of every stamp: it is added once, at the end")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    ones = np.ones((len(x), 1, *x.shape[2:]), x.dtype)
    stamps = np.broadcast_to(b[:, None, None], (1, *w.shape[1:]))
    out = right_transpose(x, w, 0 * b, stride, pad, output_pad)
    return out + right_transpose(ones, stamps, 0 * b, stride, pad, output_pad)


@mistake("the bias counts for the painted pixels only")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    out = right_transpose(x, w, 0 * b, stride, pad, output_pad)
    return np.where(out == 0, 0, out + b[:, None, None])


@mistake("pad enlarges the output: it is cut off")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return framed(right_transpose(x, w, b, stride), pad[0], pad[0], pad[1], pad[1])


@mistake("pad is not used")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride, output_pad=output_pad)


@mistake("pad is cut off above and left only")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride)[:, :, pad[0] :, pad[1] :]


@mistake("the slice p:-p, which is empty for a pad of zero")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride)[:, :, pad[0] : -pad[0], pad[1] : -pad[1]]


@mistake("stride is not used: neighbours paint one pixel apart")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, (1, 1), pad, output_pad)


@mistake("strides in the wrong order: rows first, then columns")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride[::-1], pad, output_pad)


@mistake("pads in the wrong order: rows first, then columns")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride, pad[::-1], output_pad)


@mistake("a mean over the channels: their stamps add up")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x / x.shape[1], w, b, stride, pad, output_pad)


@mistake("every pixel is repeated, then convolved")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    large = x.repeat(stride[0], axis=2).repeat(stride[1], axis=3)
    return right_transpose(large, w, b, pad=pad)


@mistake("a convolution that makes the image smaller")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    frame = (pad[0] + w.shape[2], pad[1] + w.shape[3])
    return right_conv(x, w.transpose(1, 0, 2, 3), b, stride, frame)


@mistake("overwrites the caller's images")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    out = right_transpose(x, w, b, stride, pad, output_pad)
    x -= 1
    return out


@mistake("output_pad is not used")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride, pad)


@mistake("output_pad adds empty rows and columns: what was cut off there comes back first")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    out = framed(cut(painted(x, w, stride), pad), 0, output_pad[0], 0, output_pad[1])
    return out + b[:, None, None]


@mistake("output_pad is added at the upper and left end")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    canvas = framed(painted(x, w, stride), output_pad[0], 0, output_pad[1], 0)
    return cut(canvas, pad) + b[:, None, None]


@mistake("output_pad is added at both ends")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    top, left = output_pad
    return cut(framed(painted(x, w, stride), top, top, left, left), pad) + b[:, None, None]


@mistake("beyond the canvas there is no bias: every pixel of the output has it")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    canvas = painted(x, w, stride) + b[:, None, None]
    return cut(framed(canvas, 0, output_pad[0], 0, output_pad[1]), pad)


@mistake("output pads in the wrong order: rows first, then columns")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride, pad, output_pad[::-1])


@mistake("the canvas ends where it is painted: rows are missing")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return cut(painted(x, w, stride), pad, output_pad) + b[:, None, None]


@alternative("torch")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    tensors = [torch.tensor(a) for a in (x, w, b)]
    layer = torch.nn.functional.conv_transpose2d
    return layer(*tensors, stride=stride, padding=pad, output_padding=output_pad).numpy()


@alternative("stamp by stamp on a canvas that is too large")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return cut(painted(x, w, stride, output_pad), pad) + b[:, None, None]


@alternative("a convolution on its way back, for an image of the right size")
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    height = (x.shape[2] - 1) * stride[0] - 2 * pad[0] + w.shape[2] + output_pad[0]
    width = (x.shape[3] - 1) * stride[1] - 2 * pad[1] + w.shape[3] + output_pad[1]
    blank = np.zeros((len(x), w.shape[1], height, width))
    return right_conv_backward(x, blank, w, stride, pad)[0] + b.reshape(1, -1, 1, 1)


@alternative(
    "the input spaced out by zeros, then a convolution with flipped kernels",
)
def _(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    sides = [(n - 1) * s + 1 + e for n, s, e in zip(x.shape[2:], stride, output_pad, strict=True)]
    spaced = np.zeros((*x.shape[:2], *sides))
    down, across = (x.shape[2] - 1) * stride[0] + 1, (x.shape[3] - 1) * stride[1] + 1
    spaced[:, :, : down : stride[0], : across : stride[1]] = x
    flipped = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    frame = (w.shape[2] - 1, w.shape[3] - 1)
    return cut(right_conv(spaced, flipped, np.zeros(len(b)), pad=frame), pad) + b[:, None, None]
