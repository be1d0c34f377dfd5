import numpy as np
import torch
from bank._shared import framed, right_conv, right_conv_backward

from autograder import alternative, mistake


def spread(dout, x, w, stride, pad, add=True, crop=None):
    """Return dx, window by window: added up or overwritten, and cut by a crop of one's own."""
    dhat = np.zeros((*x.shape[:2], x.shape[2] + 2 * pad[0], x.shape[3] + 2 * pad[1]))
    for n, f, i, j in np.ndindex(dout.shape):
        rows = slice(i * stride[0], i * stride[0] + w.shape[2])
        columns = slice(j * stride[1], j * stride[1] + w.shape[3])
        before = dhat[n, :, rows, columns] if add else 0
        dhat[n, :, rows, columns] = before + dout[n, f, i, j] * w[f]
    return dhat[crop or np.s_[:, :, pad[0] : pad[0] + x.shape[2], pad[1] : pad[1] + x.shape[3]]]


@mistake("the slice p:-p, which is empty for a pad of zero")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    crop = np.s_[:, :, pad[0] : -pad[0], pad[1] : -pad[1]]
    return spread(dout, x, w, stride, pad, crop=crop), dw, db


@mistake("overlapping windows overwrite each other: they add up")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout, x, w, stride, pad, add=False), dw, db


@mistake("the frame is still there: it is not part of x")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout, x, w, stride, pad, crop=np.s_[:]), dw, db


@mistake("the frame is cut off at the far end only")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    crop = np.s_[:, :, : x.shape[2], : x.shape[3]]
    return spread(dout, x, w, stride, pad, crop=crop), dw, db


@mistake("stride is ignored on the way back")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout, x, w, (1, 1), pad), dw, db


@mistake("the kernel is flipped on the way back, where windows are painted")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout, x, w[:, :, ::-1, ::-1], stride, pad), dw, db


@mistake("pixels that no window covers are cut off: their gradient is zero")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    reach = [
        (n - 1) * s + k - p
        for n, s, k, p in zip(dout.shape[2:], stride, w.shape[2:], pad, strict=True)
    ]
    return dx[:, :, : reach[0], : reach[1]], dw, db


@mistake("dx averaged over the pictures: each has its own")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx / len(x), dw, db


@mistake("only the last kernel reaches dx: all of them add up")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout[:, -1:], x, w[-1:], stride, pad), dw, db


@mistake("strides in the wrong order: rows come first, then columns")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    return right_conv_backward(dout, x, w, stride[::-1], pad)


@mistake("pads in the wrong order: rows come first, then columns")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    return right_conv_backward(dout, x, w, stride, pad[::-1])


@mistake("pad is not used on the way back")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    rows, columns = dout.shape[2:]
    return right_conv_backward(
        dout[:, :, : rows - 2 * pad[0], : columns - 2 * pad[1]], x, w, stride
    )


@mistake("the gradients in another order than dx, dw, db")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dw, db, dx


@mistake("the sign of a step downhill: gradients point uphill")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    return tuple(-gradient for gradient in right_conv_backward(dout, x, w, stride, pad))


@mistake("overwrites the caller's dout")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    gradients = right_conv_backward(dout, x, w, stride, pad)
    dout *= 2
    return gradients


@mistake("dw averaged over the pictures: it is a sum")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw / len(x), db


@mistake("dw of the last picture only: = in place of +=")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, _, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, right_conv_backward(dout[-1:], x[-1:], w, stride, pad)[1], db


@mistake("dw is flipped")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw[:, :, ::-1, ::-1], db


@mistake("one dw for all kernels: each has its own dout")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, np.broadcast_to(dw.sum(axis=0), w.shape), db


@mistake("dw multiplies by the kernels, not by the images")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, _, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, w * db[:, None, None, None], db


@mistake("stride is ignored in dw: the first windows meet all of dout")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, _, db = right_conv_backward(dout, x, w, stride, pad)
    hat, dw = framed(x, pad[0], pad[0], pad[1], pad[1]), np.zeros(w.shape)
    for k, m in np.ndindex(w.shape[2:]):
        met = hat[:, :, k : k + dout.shape[2], m : m + dout.shape[3]]
        dw[:, :, k, m] = np.einsum("nfij,ncij->fc", dout, met)
    return dx, dw, db


@mistake("db averaged: the bias takes part everywhere, so it is a sum")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, _ = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, dout.mean(axis=(0, 2, 3))


@mistake("db averaged over the pictures: it is a sum")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, db / len(x)


@mistake("db summed over the wrong axes: one number for each kernel")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, _ = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, dout.sum(axis=(0, 1, 2))


@mistake("db keeps an entry for every place")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, _ = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, dout.sum(axis=0)


@mistake("db keeps an entry for every picture")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, _ = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, dout.sum(axis=(2, 3))


@mistake("db counts the places, not what comes back from them")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, np.full(db.shape, dout[:, 0].size)


@alternative("torch's autograd")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, w, np.zeros(len(w), x.dtype))]
    out = torch.nn.functional.conv2d(*leaves, stride=stride, padding=pad)
    out.backward(torch.tensor(dout))
    return tuple(leaf.grad.numpy() for leaf in leaves)


@alternative("window by window")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    hat, dw = framed(x, pad[0], pad[0], pad[1], pad[1]), np.zeros(w.shape)
    for n, f, i, j in np.ndindex(dout.shape):
        top, left = i * stride[0], j * stride[1]
        window = hat[n, :, top : top + w.shape[2], left : left + w.shape[3]]
        dw[f] += dout[n, f, i, j] * window
    return spread(dout, x, w, stride, pad), dw, dout.sum(0).sum(-1).sum(-1)


@alternative("two more convolutions, with dout spaced out by zeros")
def _(dout, x, w, stride=(1, 1), pad=(0, 0)):
    hat = framed(x, pad[0], pad[0], pad[1], pad[1])
    spaced = np.zeros((*dout.shape[:2], *(hat.shape[i] - w.shape[i] + 1 for i in (2, 3))))
    spaced[:, :, :: stride[0], :: stride[1]] = dout
    none = np.zeros(w.shape[1])
    flipped = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    dhat = right_conv(spaced, flipped, none, pad=(w.shape[2] - 1, w.shape[3] - 1))
    dw = right_conv(hat.transpose(1, 0, 2, 3), spaced.transpose(1, 0, 2, 3), np.zeros(len(w)))
    rows, columns = (slice(p, p + n) for p, n in zip(pad, x.shape[2:], strict=True))
    return dhat[:, :, rows, columns], dw.transpose(1, 0, 2, 3), np.einsum("nfij->f", dout)
