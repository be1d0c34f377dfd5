import numpy as np
import torch
from bank._shared import correlated

from autograder import alternative, mistake


@mistake("not flipped: that is the cross-correlation")
def _(image, kernel):
    return correlated(image, kernel)


@mistake("flipped along one axis only, from top to bottom")
def _(image, kernel):
    return correlated(image, kernel[::-1])


@mistake("flipped along one axis only, from left to right")
def _(image, kernel):
    return correlated(image, kernel[:, ::-1])


@mistake("transposed in place of turned by half a turn")
def _(image, kernel):
    rows, columns = image.shape
    return correlated(image, kernel.T)[:rows, :columns]


@mistake("a quarter of a turn; it takes a half")
def _(image, kernel):
    return correlated(image, np.rot90(kernel))


@mistake("the signs are changed: that is right for R, by chance")
def _(image, kernel):
    return -correlated(image, kernel)


@mistake("image and kernel are both turned by half a turn")
def _(image, kernel):
    return correlated(image[::-1, ::-1], kernel[::-1, ::-1])


@mistake("the full convolution, which is larger than the image")
def _(image, kernel):
    p, q = kernel.shape
    return correlated(image, kernel[::-1, ::-1], (q - 1, q - 1, p - 1, p - 1))


@mistake("flips the caller's kernel in place")
def _(image, kernel):
    kernel[:] = kernel[::-1, ::-1].copy()
    return correlated(image, kernel)


@alternative("from the definition, number by number")
def _(image, kernel):
    p, q = (side // 2 for side in kernel.shape)
    response = np.zeros(image.shape)
    for r, c in np.ndindex(*image.shape):
        for i in range(-p, p + 1):
            for j in range(-q, q + 1):
                if r - i in range(image.shape[0]) and c - j in range(image.shape[1]):
                    response[r, c] += image[r - i, c - j] * kernel[p + i, q + j]
    return response


@alternative("each pixel spreads a copy of the kernel")
def _(image, kernel):
    (rows, columns), (p, q) = image.shape, kernel.shape
    full = np.zeros((rows + p - 1, columns + q - 1))
    for (r, c), value in np.ndenumerate(image):
        full[r : r + p, c : c + q] += value * kernel
    return full[p // 2 :, q // 2 :][:rows, :columns]


@alternative("by the gradient of torch's cross-correlation")
def _(image, kernel):
    kernel = torch.from_numpy(kernel.copy())[None, None]
    margins = tuple(side // 2 for side in kernel.shape[2:])
    return torch.nn.functional.conv_transpose2d(
        torch.from_numpy(image.copy())[None, None], kernel, padding=margins
    )[0, 0].numpy()


@alternative("turned twice by a quarter")
def _(image, kernel):
    return correlated(image, np.rot90(np.rot90(kernel)))
