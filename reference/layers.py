"""The layers that a convolutional network computes with, forward and backward, in NumPy.

Images are (N, C, H, W): pictures, channels, rows, columns. Sizes, strides and pads come in pairs:
rows first, then columns. A backward function takes `dout`, the gradient of a scalar loss with
respect to the layer's output, and what the forward function took; it returns the gradients of the
loss with respect to the layer's input and parameters. No function changes an argument.

Sources: Goodfellow, Bengio and Courville, "Deep Learning", 2016, sections 6.5, 9.1 and 9.3;
Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, for strides and
padding.
"""

from collections.abc import Sequence

import numpy as np


def affine_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """An affine layer flattens each example, multiplies it by a matrix and adds a bias.

    Args:
        x: (N, d_1, ..., d_k) N examples of any shape, with d_1 * ... * d_k = D numbers each.
        w: (D, M) weights.
        b: (M,) bias.

    Returns:
        (N, M) output.
    """
    out: np.ndarray = x.reshape(len(x), -1) @ w + b
    return out


def affine_backward(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradients of an affine layer.

    Args:
        dout: (N, M) gradient with respect to the output.
        x: (N, d_1, ..., d_k) the input.
        w: (D, M) weights.

    Returns:
        dx of the shape of x, dw: (D, M) and db: (M,), each summed over the batch where the batch
        shares a number.
    """
    dx = (dout @ w.T).reshape(x.shape)
    return dx, x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def relu_forward(x: np.ndarray) -> np.ndarray:
    """A rectified linear unit keeps what is positive and replaces the rest by zero.

    Args:
        x: (...) input, of any shape.

    Returns:
        (...) output.
    """
    out: np.ndarray = np.maximum(x, 0)
    return out


def relu_backward(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The gradient of a rectified linear unit; its derivative at exactly zero is taken to be zero.

    Args:
        dout: (...) gradient with respect to the output.
        x: (...) the input.

    Returns:
        (...) gradient with respect to x.
    """
    return dout * (x > 0)  # survives: a gradient of zeros stays one; dout has the shape of x


def softmax_loss(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """The cross-entropy of the softmax of some scores, averaged over the batch, and its gradient.

    The loss of one example is minus the natural logarithm of the probability that the softmax
    gives to its label. Loss and gradient are finite and accurate for scores of any size.

    Args:
        scores: (N, C) a score for each example and class.
        labels: (N,) the right classes: integers from 0 to C - 1, of any integer dtype.

    Returns:
        The loss, a number, and (N, C) its gradient with respect to the scores.
    """
    rows = np.arange(len(scores))
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    return float(-log_p[rows, labels].mean()), gradient / len(scores)


def conv_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    stride: tuple[int, int] = (1, 1),
    pad: tuple[int, int] = (0, 0),
) -> np.ndarray:
    """A convolutional layer, by the convention of deep learning: a cross-correlation.

    The kernel is not flipped. The images are framed by zeros: `pad[0]` rows above and below,
    `pad[1]` columns left and right. The kernel moves by `stride`, as far as it fits: rows and
    columns at the lower and right end that no position covers are left out.

    Args:
        x: (N, C, H, W) images.
        w: (F, C, KH, KW) F kernels.
        b: (F,) a bias for each kernel.
        stride: (rows, columns) by which the kernel moves.
        pad: (rows, columns) of zeros on each side.

    Returns:
        (N, F, OH, OW) output, with OH = floor((H + 2 pad[0] - KH) / stride[0]) + 1 and OW likewise.
    """
    windows = _windows(_framed(x, pad), w.shape[2:], stride)
    out: np.ndarray = np.tensordot(windows, w, axes=([1, 4, 5], [1, 2, 3])) + b
    return out.transpose(0, 3, 1, 2)


def conv_backward(
    dout: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    stride: tuple[int, int] = (1, 1),
    pad: tuple[int, int] = (0, 0),
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradients of a convolutional layer.

    Args:
        dout: (N, F, OH, OW) gradient with respect to the output.
        x: (N, C, H, W) the input.
        w: (F, C, KH, KW) kernels.
        stride: (rows, columns) by which the kernel moves.
        pad: (rows, columns) of zeros on each side.

    Returns:
        dx: (N, C, H, W), dw: (F, C, KH, KW) and db: (F,).
    """
    framed = _framed(x, pad)
    windows = _windows(framed, w.shape[2:], stride)
    dw = np.tensordot(dout, windows, axes=([0, 2, 3], [0, 2, 3]))
    dwindows = np.tensordot(dout, w, axes=(1, 0)).transpose(0, 3, 1, 2, 4, 5)
    dframed = _added_up(dwindows, framed.shape[2:], stride)
    height, width = x.shape[2:]
    dx = dframed[:, :, pad[0] : pad[0] + height, pad[1] : pad[1] + width]
    return dx, dw, dout.sum(axis=(0, 2, 3))


def max_pool_forward(x: np.ndarray, size: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """Max pooling keeps the largest number of each window, channel by channel.

    There is no padding. Windows overlap where the stride is smaller than the size. The window
    moves as far as it fits: what no window covers is left out.

    Args:
        x: (N, C, H, W) images.
        size: (rows, columns) of a window.
        stride: (rows, columns) by which the window moves.

    Returns:
        (N, C, OH, OW) output, with OH = floor((H - size[0]) / stride[0]) + 1 and OW likewise.
    """
    out: np.ndarray = _windows(x, size, stride).max(axis=(4, 5))
    return out


def max_pool_backward(
    dout: np.ndarray, x: np.ndarray, size: tuple[int, int], stride: tuple[int, int]
) -> np.ndarray:
    """The gradient of max pooling goes to the largest number of each window.

    If several numbers of a window tie for the largest, the first of them gets all of the gradient:
    first in the order of reading, row by row from the top, each row from the left.

    Args:
        dout: (N, C, OH, OW) gradient with respect to the output.
        x: (N, C, H, W) the input.
        size: (rows, columns) of a window.
        stride: (rows, columns) by which the window moves.

    Returns:
        (N, C, H, W) gradient with respect to x.
    """
    windows = _windows(x, size, stride)
    places = windows.reshape(*windows.shape[:4], -1).argmax(axis=4)
    chosen = places[..., None] == np.arange(size[0] * size[1])
    dwindows = (dout[..., None] * chosen).reshape(windows.shape)
    return _added_up(dwindows, x.shape[2:], stride)


def conv_transpose_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    stride: tuple[int, int] = (1, 1),
    pad: tuple[int, int] = (0, 0),
    output_pad: tuple[int, int] = (0, 0),
) -> np.ndarray:
    """A transposed convolution paints a kernel for each pixel of its input.

    Each number of the input multiplies a kernel and is added to a canvas at the place from which
    `conv_forward` with the same stride would have read. Neighbours lie `stride` apart and overlaps
    add up. Then `pad` rows and columns are cut off on each side of the canvas. `output_pad`
    enlarges the output at the lower and right end: first by what was cut off there, then by
    zeros. The bias is added last, to every pixel of the output.

    Args:
        x: (N, C, H, W) images.
        w: (C, F, KH, KW) kernels: one for each pair of an input and an output channel.
        b: (F,) a bias for each output channel.
        stride: (rows, columns) between neighbours on the canvas.
        pad: (rows, columns) that are cut off on each side.
        output_pad: (rows, columns) that are added at the lower and right end.

    Returns:
        (N, F, OH, OW) output, with OH = (H - 1) stride[0] - 2 pad[0] + KH + output_pad[0] and OW
        likewise.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
    """
    windows = np.tensordot(x, w, axes=(1, 0)).transpose(0, 3, 1, 2, 4, 5)
    canvas = [
        (n - 1) * s + k + extra
        for n, s, k, extra in zip(x.shape[2:], stride, w.shape[2:], output_pad, strict=True)
    ]
    painted = _added_up(windows, canvas, stride)
    height, width = canvas[0] - pad[0], canvas[1] - pad[1]
    out: np.ndarray = painted[:, :, pad[0] : height, pad[1] : width] + b[:, None, None]
    return out


def _framed(x: np.ndarray, pad: tuple[int, int]) -> np.ndarray:
    """Return images (N, C, H, W) with a frame of zeros."""
    return np.pad(x, ((0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1])))


def _windows(x: np.ndarray, size: tuple[int, ...], stride: tuple[int, int]) -> np.ndarray:
    """Return a view (N, C, OH, OW, KH, KW) of the windows of images (N, C, H, W)."""
    views = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))
    return views[:, :, :: stride[0], :: stride[1]]


def _added_up(windows: np.ndarray, size: Sequence[int], stride: tuple[int, int]) -> np.ndarray:
    """Return images (N, C, *size) to which windows (N, C, OH, OW, KH, KW) are added in place."""
    n, c, rows, columns, kernel_rows, kernel_columns = windows.shape
    images = np.zeros((n, c, *size), windows.dtype)
    for i, j in np.ndindex(kernel_rows, kernel_columns):
        down, across = i + stride[0] * rows, j + stride[1] * columns
        images[:, :, i : down : stride[0], j : across : stride[1]] += windows[..., i, j]
    return images
