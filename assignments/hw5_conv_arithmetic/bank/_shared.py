import numpy as np
import torch


def correlated(image, kernel, margins=None, mode="constant"):
    """Cross-correlation by torch, in double precision; margins are (left, right, top, bottom)."""
    p, q = np.shape(kernel)
    margins = margins or (q // 2, q // 2, p // 2, p // 2)
    image, kernel = (
        torch.tensor(np.array(m), dtype=torch.float64)[None, None] for m in (image, kernel)
    )
    padded = torch.nn.functional.pad(image, margins, mode=mode)
    return torch.nn.functional.conv2d(padded, kernel)[0, 0].numpy()


def both_axes(value):
    """Return a setting as a pair."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def sides_by(rule, shape, **settings):
    """Return the two sides by a rule for one axis."""
    axes = zip(shape[2:], *map(both_axes, settings.values()), strict=True)
    return [rule(n, **dict(zip(settings, axis, strict=True))) for n, *axis in axes]


def convolutions_of(nic, nf, nc):
    """Channels in and out of the five convolutions."""
    return [(nic, nf), (nf, 2 * nf), (2 * nf, nf), (nf, nc), (nc, nc)]


def single_weight(row, column, side=3):
    """Return a kernel with a one at one place."""
    kernel = np.zeros((side, side))
    kernel[row, column] = 1
    return kernel
