import numpy as np
import torch
from assignment import slide
from bank._shared import correlated, single_weight

from autograder import alternative, mistake


@mistake("the second is flipped: moved copies are added as is")
def _(first, second):
    p, q = second.shape
    return correlated(first, second, (q - 1, q - 1, p - 1, p - 1))


@mistake("the result comes out turned by half a turn")
def _(first, second):
    p, q = second.shape
    return correlated(first, second[::-1, ::-1], (q - 1, q - 1, p - 1, p - 1))[::-1, ::-1].copy()


@mistake("as large as the first: the result is larger")
def _(first, second):
    p, q = second.shape
    full = correlated(first, second[::-1, ::-1], (q - 1, q - 1, p - 1, p - 1))
    return full[: first.shape[0], : first.shape[1]]


@mistake("one row and one column too many")
def _(first, second):
    p, q = second.shape
    return correlated(first, second[::-1, ::-1], (q - 1, q, p - 1, p))


@mistake("the kernels are added: responses one after the other multiply")
def _(first, second):
    total = np.zeros([a + b - 1 for a, b in zip(first.shape, second.shape, strict=True)])
    total[: first.shape[0], : first.shape[1]] += first
    total[: second.shape[0], : second.shape[1]] += second
    return total


@mistake("entry by entry: each weight meets every other")
def _(first, second):
    total = np.zeros([a + b - 1 for a, b in zip(first.shape, second.shape, strict=True)])
    p, q = np.minimum(first.shape, second.shape)
    total[:p, :q] = first[:p, :q] * second[:p, :q]
    return total


@mistake("copies overwrite each other where they overlap: add them")
def _(first, second):
    total = np.zeros([a + b - 1 for a, b in zip(first.shape, second.shape, strict=True)])
    for (i, j), weight in np.ndenumerate(second):
        total[i : i + first.shape[0], j : j + first.shape[1]] = weight * first
    return total


@mistake("the second is transposed")
def _(first, second):
    q, p = second.shape
    return correlated(first, second.T[::-1, ::-1], (q - 1, q - 1, p - 1, p - 1))


@alternative("the other way round: the order does not matter")
def _(first, second):
    total = np.zeros(np.add(first.shape, second.shape) - 1)
    for (i, j), weight in np.ndenumerate(first):
        total[i : i + second.shape[0], j : j + second.shape[1]] += weight * second
    return total


@alternative("by torch's transposed convolution")
def _(first, second):
    one, other = (torch.from_numpy(m.copy())[None, None] for m in (first, second))
    return torch.nn.functional.conv_transpose2d(one, other)[0, 0]


@alternative("by the Fourier transform")
def _(first, second):
    size = [a + b - 1 for a, b in zip(first.shape, second.shape, strict=True)]
    return np.fft.irfft2(np.fft.rfft2(first, size) * np.fft.rfft2(second, size), size)


@alternative("the response to a single pixel, turned back")
def _(first, second):
    p, q = (a + b - 1 for a, b in zip(first.shape, second.shape, strict=True))
    pixel = single_weight(p - 1, q - 1, 2 * max(p, q) - 1)[: 2 * p - 1, : 2 * q - 1]
    return slide(slide(pixel, first), second)[::-1, ::-1].copy()
