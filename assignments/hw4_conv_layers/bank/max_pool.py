import numpy as np
import torch
from bank._shared import right_conv

from autograder import alternative, mistake
from reference.layers import max_pool_forward

right_pool = max_pool_forward


@mistake("the mean of each window: average pooling", of="max_pool_forward")
def _(x, size, stride):
    channels = x.shape[1]
    w = np.zeros((channels, channels, *size), x.dtype)
    w[range(channels), range(channels)] = 1 / (size[0] * size[1])
    return right_conv(x, w, np.zeros(channels, x.dtype), stride)


@mistake(
    "the search starts at zero: a window may hold negative numbers only", of="max_pool_forward"
)
def _(x, size, stride):
    return np.maximum(right_pool(x, size, stride), 0)


@mistake("the search starts at a number that is not small enough", of="max_pool_forward")
def _(x, size, stride):
    return np.maximum(right_pool(x, size, stride), -1000)


@mistake("the smallest number of each window", of="max_pool_forward")
def _(x, size, stride):
    return -right_pool(-x, size, stride)


@mistake("the largest size: signs are lost", of="max_pool_forward")
def _(x, size, stride):
    return right_pool(np.abs(x), size, stride)


@mistake("stride is not used: windows move by their size", of="max_pool_forward")
def _(x, size, stride):
    return right_pool(x, size, size)


@mistake("windows as large as the stride: their size is another", of="max_pool_forward")
def _(x, size, stride):
    return right_pool(x, stride, stride)


@mistake("sizes in the wrong order: rows first, then columns", of="max_pool_forward")
def _(x, size, stride):
    return right_pool(x, size[::-1], stride)


@mistake("strides in the wrong order: rows first, then columns", of="max_pool_forward")
def _(x, size, stride):
    return right_pool(x, size, stride[::-1])


@mistake("a rest at the end gets a window: only whole ones count", of="max_pool_forward")
def _(x, size, stride):
    rest = [-(n - k) % s for n, k, s in zip(x.shape[2:], size, stride, strict=True)]
    frame = ((0, 0), (0, 0), (0, rest[0]), (0, rest[1]))
    return right_pool(np.pad(x, frame, constant_values=-np.inf), size, stride)


@mistake("the largest number over all channels", of="max_pool_forward")
def _(x, size, stride):
    return right_pool(x, size, stride).max(axis=1, keepdims=True)


@mistake("the last window is missing: there is one more that fits", of="max_pool_forward")
def _(x, size, stride):
    return right_pool(x, size, stride)[:, :, :-1]


@mistake("overwrites the caller's images", of="max_pool_forward")
def _(x, size, stride):
    out = right_pool(x, size, stride)
    np.maximum(x, 0, out=x)
    return out


@alternative("torch", of="max_pool_forward")
def _(x, size, stride):
    return torch.nn.functional.max_pool2d(torch.tensor(x), size, stride).numpy()


@alternative("window by window", of="max_pool_forward")
def _(x, size, stride):
    rows = (x.shape[2] - size[0]) // stride[0] + 1
    columns = (x.shape[3] - size[1]) // stride[1] + 1
    out = np.empty((*x.shape[:2], rows, columns))
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride[0], j * stride[1]
        out[:, :, i, j] = x[:, :, top : top + size[0], left : left + size[1]].max(axis=(2, 3))
    return out


@alternative("a running maximum over the positions of a window", of="max_pool_forward")
def _(x, size, stride):
    rows = (x.shape[2] - size[0]) // stride[0] + 1
    columns = (x.shape[3] - size[1]) // stride[1] + 1
    out = np.full((*x.shape[:2], rows, columns), -np.inf)
    for k, m in np.ndindex(*size):
        met = x[:, :, k :: stride[0], m :: stride[1]][:, :, :rows, :columns]
        out = np.maximum(out, met)
    return out


def shared(dout, x, size, stride, share, add=True):
    """Return dx, with a share of each window for each of its pixels, computed from the window."""
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dout.shape):
        rows = slice(i * stride[0], i * stride[0] + size[0])
        columns = slice(j * stride[1], j * stride[1] + size[1])
        back = dout[n, c, i, j] * share(x[n, c, rows, columns])
        taken = back != 0
        before = dx[n, c, rows, columns]
        dx[n, c, rows, columns] = before + back if add else np.where(taken, back, before)
    return dx


def first(window):
    """Return a one at the first largest number of a window, row by row."""
    chosen = np.zeros(window.shape)
    chosen.flat[window.argmax()] = 1
    return chosen


@mistake(
    "every one of several largest numbers gets all of the gradient, which multiplies it",
    of="max_pool_backward",
)
def _(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: window == window.max())


@mistake(
    "several largest numbers share the gradient: here the first one gets it", of="max_pool_backward"
)
def _(dout, x, size, stride):
    def share(window):
        return (window == window.max()) / (window == window.max()).sum()

    return shared(dout, x, size, stride, share)


@mistake("the last of several largest numbers: it is the first", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: first(window[::-1, ::-1])[::-1, ::-1])


@mistake("first column by column: the order is row by row", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: first(window.T).T)


@mistake("nothing for a window whose largest number is zero", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: first(window) * (window.max() != 0))


@mistake("overlapping windows overwrite each other: a pixel adds up", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, stride, first, add=False)


@mistake("every pixel of a window gets its gradient", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, stride, np.ones_like)


@mistake("divided by the pixels of a window: that is average pooling", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: np.full(window.shape, 1 / window.size))


@mistake("the mask alone: the chain rule multiplies by dout", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(np.ones(dout.shape), x, size, stride, first)


@mistake("dout times the largest number: its derivative is one", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: first(window) * window.max())


@mistake("to the smallest number of each window", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, -x, size, stride, first)


@mistake("the place of the largest size: signs are lost", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, np.abs(x), size, stride, first)


@mistake("stride is not used: windows move by their size", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, size, first)


@mistake("strides in the wrong order: rows first, then columns", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, stride[::-1], first)


@mistake("sizes in the wrong order: rows first, then columns", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size[::-1], stride, first)


@mistake("pixels that no window covers are cut off: their gradient is zero", of="max_pool_backward")
def _(dout, x, size, stride):
    rows = (dout.shape[2] - 1) * stride[0] + size[0]
    columns = (dout.shape[3] - 1) * stride[1] + size[1]
    return shared(dout, x, size, stride, first)[:, :, :rows, :columns]


@mistake("overwrites the caller's images", of="max_pool_backward")
def _(dout, x, size, stride):
    dx = shared(dout, x, size, stride, first)
    x *= 0
    return dx


@alternative("torch's autograd", of="max_pool_backward")
def _(dout, x, size, stride):
    leaf = torch.tensor(x, requires_grad=True)
    torch.nn.functional.max_pool2d(leaf, size, stride).backward(torch.tensor(dout))
    return leaf.grad.numpy()


@alternative("window by window", of="max_pool_backward")
def _(dout, x, size, stride):
    return shared(dout, x, size, stride, first)


@alternative(
    "position by position, which remembers the windows that are done", of="max_pool_backward"
)
def _(dout, x, size, stride):
    rows, columns = dout.shape[2:]
    largest, dx = right_pool(x, size, stride), np.zeros(x.shape)
    open_windows = np.ones(dout.shape, bool)
    for k, m in np.ndindex(*size):
        place = np.s_[
            :, :, k : k + rows * stride[0] : stride[0], m : m + columns * stride[1] : stride[1]
        ]
        here = open_windows & (x[place] == largest)
        dx[place] += np.where(here, dout, 0)
        open_windows &= ~here
    return dx
