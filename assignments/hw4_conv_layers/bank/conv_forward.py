import numpy as np
import torch
from bank._shared import framed, right_conv

from autograder import alternative, mistake


@mistake("the kernel is flipped: a true convolution")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w[:, :, ::-1, ::-1], b, stride, pad)


@mistake("the kernel is transposed")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w.transpose(0, 1, 3, 2), b, stride, pad)


@mistake("a rest at the end is padded: rounded up in place of down")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    rest = [
        -(n + 2 * p - k) % s
        for n, p, k, s in zip(x.shape[2:], pad, w.shape[2:], stride, strict=True)
    ]
    x = framed(x, pad[0], pad[0] + rest[0], pad[1], pad[1] + rest[1])
    return right_conv(x, w, b, stride)


@mistake("zeros above and left only: the frame goes all around")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(framed(x, pad[0], 0, pad[1], 0), w, b, stride)


@mistake("zeros below and right only: the frame goes all around")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(framed(x, 0, 2 * pad[0], 0, 2 * pad[1]), w, b, stride)


@mistake("no frame: pad is not used")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride)


@mistake("the frame repeats the border: it is of zeros")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(framed(x, pad[0], pad[0], pad[1], pad[1], "edge"), w, b, stride)


@mistake("pads in the wrong order: rows come first, then columns")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad[::-1])


@mistake("one pad for rows and columns")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, (pad[0], pad[0]))


@mistake("stride is not used: the kernel moves by one")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, (1, 1), pad)


@mistake("strides in the wrong order: rows come first, then columns")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride[::-1], pad)


@mistake("one stride for rows and columns")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, (stride[0], stride[0]), pad)


@mistake("other defaults: stride is (1, 1) and pad (0, 0)")
def _(x, w, b, stride=(1, 1), pad=(1, 1)):
    return right_conv(x, w, b, stride, pad)


@mistake("only square kernels: their rows count for both directions")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    side = w.shape[2]
    square = np.zeros((*w.shape[:2], side, side), w.dtype)
    square[..., : w.shape[3]] = w[..., :side]
    return right_conv(x, square, b, stride, pad)


@mistake("the output is cut to a square")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    out = right_conv(x, w, b, stride, pad)
    return out[:, :, : out.shape[3], : out.shape[2]]


@mistake("the last window is missing: there is one more that fits")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad)[:, :, :-1, :-1]


@mistake("pad enters the number of windows once: it is on both sides")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    out = right_conv(x, w, b, stride, pad)
    rows = (x.shape[2] + pad[0] - w.shape[2]) // stride[0] + 1
    columns = (x.shape[3] + pad[1] - w.shape[3]) // stride[1] + 1
    return out[:, :, :rows, :columns]


@mistake("the bias is forgotten")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, 0 * b, stride, pad)


@mistake("the bias once for each channel: it is added to their sum")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, x.shape[1] * b, stride, pad)


@mistake("the bias once for each weight: it is added to their sum")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b * w[0].size, stride, pad)


@mistake("the bias is subtracted")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, -b, stride, pad)


@mistake("only the first channel: each kernel looks at all of them")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x[:, :1], w[:, :1], b, stride, pad)


@mistake("a mean over the channels: their products are summed")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w / x.shape[1], b, stride, pad)


@mistake("a mean over the window: the products are summed")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w / w[0].size, b, stride, pad)


@mistake("channels last: the output is (N, F, OH, OW)")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad).transpose(0, 2, 3, 1)


@mistake("kernels before pictures: the output is (N, F, OH, OW)")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad).transpose(1, 0, 2, 3)


@mistake("whole numbers: the new array has an integer dtype")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad).astype(int)


@mistake("a ReLU in it: that is a layer of its own")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    return np.maximum(right_conv(x, w, b, stride, pad), 0)


@mistake("overwrites the caller's kernels")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    out = right_conv(x, w, b, stride, pad)
    w[:] = w[:, :, ::-1, ::-1].copy()
    return out


@alternative("torch")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    tensors = [torch.tensor(a) for a in (x, w, b)]
    return torch.nn.functional.conv2d(*tensors, stride=stride, padding=pad).numpy()


@alternative("window by window, in four loops")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    rows = (x.shape[2] + 2 * pad[0] - w.shape[2]) // stride[0] + 1
    columns = (x.shape[3] + 2 * pad[1] - w.shape[3]) // stride[1] + 1
    hat = np.zeros((*x.shape[:2], x.shape[2] + 2 * pad[0], x.shape[3] + 2 * pad[1]))
    hat[:, :, pad[0] : pad[0] + x.shape[2], pad[1] : pad[1] + x.shape[3]] = x
    out = np.empty((len(x), len(w), rows, columns))
    for n, f, i, j in np.ndindex(out.shape):
        top, left = i * stride[0], j * stride[1]
        window = hat[n, :, top : top + w.shape[2], left : left + w.shape[3]]
        out[n, f, i, j] = np.vdot(window, w[f]) + b[f]
    return out


@alternative("position by position of the kernel, on slices")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    hat = framed(x, pad[0], pad[0], pad[1], pad[1])
    rows = (hat.shape[2] - w.shape[2]) // stride[0] + 1
    columns = (hat.shape[3] - w.shape[3]) // stride[1] + 1
    out = np.zeros((len(x), len(w), rows, columns)) + b[None, :, None, None]
    for k, m in np.ndindex(w.shape[2:]):
        met = hat[:, :, k :: stride[0], m :: stride[1]][:, :, :rows, :columns]
        out += np.einsum("fc,ncij->nfij", w[:, :, k, m], met)
    return out


@alternative("one large matrix of all windows (im2col)")
def _(x, w, b, stride=(1, 1), pad=(0, 0)):
    hat = torch.tensor(framed(x, pad[0], pad[0], pad[1], pad[1]))
    columns = torch.nn.functional.unfold(hat, w.shape[2:], stride=stride).numpy()
    width = (hat.shape[3] - w.shape[3]) // stride[1] + 1
    out = w.reshape(len(w), -1) @ columns + b[:, None]
    return out.reshape(len(x), len(w), -1, width)
