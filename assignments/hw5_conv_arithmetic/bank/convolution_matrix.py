import numpy as np
import torch
from bank._shared import correlated

from autograder import alternative, mistake


def unit_responses(height, width, respond):
    """Stack the flattened responses to all unit images, one in each row."""
    pixels = np.eye(height * width).reshape(-1, height, width)
    return np.array([respond(pixel).ravel() for pixel in pixels])


@mistake("the matrix of the cross-correlation: the kernel is not flipped")
def _(kernel, height, width):
    return unit_responses(height, width, lambda pixel: correlated(pixel, kernel)).T


@mistake("transposed: the responses to unit images are the columns, not the rows")
def _(kernel, height, width):
    return unit_responses(height, width, lambda pixel: correlated(pixel, kernel[::-1, ::-1]))


@mistake("flattened column by column, not row by row")
def _(kernel, height, width):
    pixels = np.eye(height * width).reshape(-1, width, height).transpose(0, 2, 1)
    return np.array([correlated(pixel, kernel[::-1, ::-1]).T.ravel() for pixel in pixels]).T


@mistake("height and width are exchanged")
def _(kernel, height, width):
    return unit_responses(width, height, lambda pixel: correlated(pixel, kernel[::-1, ::-1])).T


@mistake("the kernel is transposed")
def _(kernel, height, width):
    return unit_responses(height, width, lambda pixel: correlated(pixel, kernel[::-1, ::-1].T)).T


@mistake("without padding: the response loses its border")
def _(kernel, height, width):
    def respond(pixel):
        return correlated(pixel, kernel[::-1, ::-1], (0, 0, 0, 0))

    return unit_responses(height, width, respond).T


@mistake("the image goes round: what leaves on the right comes back on the left")
def _(kernel, height, width):
    def respond(pixel):
        p, q = (side // 2 for side in kernel.shape)
        return sum(
            weight * np.roll(pixel, (i - p, j - q), axis=(0, 1))
            for (i, j), weight in np.ndenumerate(kernel)
        )

    return unit_responses(height, width, respond).T


@mistake(
    "neighbours are counted in the flattened image: the last pixel of a row is no neighbour of"
    " the first of the next"
)
def _(kernel, height, width):
    p, q = (side // 2 for side in kernel.shape)
    total = np.zeros((height * width, height * width))
    for (i, j), weight in np.ndenumerate(kernel):
        total += weight * np.eye(height * width, k=-((i - p) * width + j - q))
    return total


@alternative("entry by entry, from the definition")
def _(kernel, height, width):
    p, q = (side // 2 for side in kernel.shape)
    matrix = np.zeros((height, width, height, width))
    for r, c, y, x in np.ndindex(*matrix.shape):
        if abs(r - y) <= p and abs(c - x) <= q:
            matrix[r, c, y, x] = kernel[p + r - y, q + c - x]
    return matrix.reshape(height * width, -1)


@alternative("blocks of bands, by Kronecker products")
def _(kernel, height, width):
    p, q = (side // 2 for side in kernel.shape)
    return sum(
        weight * np.kron(np.eye(height, k=p - i), np.eye(width, k=q - j))
        for (i, j), weight in np.ndenumerate(kernel)
    )


@alternative("the Jacobian, by torch")
def _(kernel, height, width):
    weights = torch.from_numpy(kernel[::-1, ::-1].copy())[None, None]
    margins = tuple(side // 2 for side in kernel.shape)

    def respond(flat):
        image = flat.reshape(1, 1, height, width)
        return torch.nn.functional.conv2d(image, weights, padding=margins).reshape(-1)

    start = torch.zeros(height * width, dtype=torch.float64)
    return torch.autograd.functional.jacobian(respond, start)
