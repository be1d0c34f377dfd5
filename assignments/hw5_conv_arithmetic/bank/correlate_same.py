import numpy as np
import torch
from bank._shared import correlated

from autograder import alternative, mistake


@mistake("flipped: that is the true convolution")
def _(image, kernel):
    return correlated(image, kernel[::-1, ::-1])


@mistake("flipped from left to right")
def _(image, kernel):
    return correlated(image, kernel[:, ::-1])


@mistake("flipped from top to bottom")
def _(image, kernel):
    return correlated(image, kernel[::-1])


@mistake("the kernel is transposed")
def _(image, kernel):
    return correlated(image, kernel.T)[: image.shape[0], : image.shape[1]]


@mistake("no padding: the response is smaller than the image")
def _(image, kernel):
    return correlated(image, kernel, (0, 0, 0, 0))


@mistake("all zeros are put at the top and on the left")
def _(image, kernel):
    p, q = kernel.shape
    return correlated(image, kernel, (q - 1, 0, p - 1, 0))


@mistake("all zeros are put at the bottom and on the right")
def _(image, kernel):
    p, q = kernel.shape
    return correlated(image, kernel, (0, q - 1, 0, p - 1))


@mistake("one margin for both axes: kernels need not be square")
def _(image, kernel):
    m = kernel.shape[0] // 2
    return correlated(image, kernel, (m, m, m, m))


@mistake("the margin of one pixel suits kernels of three only")
def _(image, kernel):
    return correlated(image, kernel, (1, 1, 1, 1))


@mistake("the border pixels are repeated outside of the image")
def _(image, kernel):
    p, q = kernel.shape
    return correlated(image, kernel, (q // 2, q // 2, p // 2, p // 2), "replicate")


@mistake("the image goes round: what leaves right comes in left")
def _(image, kernel):
    shift = [side // 2 for side in kernel.shape]
    return sum(
        weight * np.roll(image, (shift[0] - i, shift[1] - j), axis=(0, 1))
        for (i, j), weight in np.ndenumerate(kernel)
    )


@mistake("a margin of zero cuts everything off")
def _(image, kernel):
    p, q = (side // 2 for side in kernel.shape)
    padded = np.zeros((image.shape[0] + 2 * p, image.shape[1] + 2 * q))
    padded[p:-p, q:-q] = image
    return correlated(padded, kernel, (0, 0, 0, 0))


@mistake("the mean over the window, not the sum")
def _(image, kernel):
    return correlated(image, kernel) / kernel.size


@mistake("writes the response into the image while it is read")
def _(image, kernel):
    p, q = (side // 2 for side in kernel.shape)
    rows, columns = image.shape
    for r, c in np.ndindex(rows, columns):
        total = 0
        for (i, j), weight in np.ndenumerate(kernel):
            if 0 <= r + i - p < rows and 0 <= c + j - q < columns:
                total += weight * image[r + i - p, c + j - q]
        image[r, c] = total
    return image


@alternative("four loops, without padding")
def _(image, kernel):
    p, q = (side // 2 for side in kernel.shape)
    rows, columns = image.shape
    response = np.zeros((rows, columns))
    for r, c in np.ndindex(rows, columns):
        for (i, j), weight in np.ndenumerate(kernel):
            y, x = r + i - p, c + j - q
            if 0 <= y < rows and 0 <= x < columns:
                response[r, c] += weight * image[y, x]
    return response


@alternative("by torch")
def _(image, kernel):
    p, q = kernel.shape
    stack = [torch.from_numpy(np.array(m, dtype=float))[None, None] for m in (image, kernel)]
    return torch.nn.functional.conv2d(*stack, padding=(p // 2, q // 2))[0, 0]


@alternative("one shifted image for each weight")
def _(image, kernel):
    p, q = kernel.shape
    padded = np.pad(image.astype(float), ((p // 2, p // 2), (q // 2, q // 2)))
    rows, columns = image.shape
    return sum(
        kernel[i, j] * padded[i : i + rows, j : j + columns] for i in range(p) for j in range(q)
    )


@alternative("by the Fourier transform")
def _(image, kernel):
    (rows, columns), (p, q) = image.shape, kernel.shape
    size = rows + p - 1, columns + q - 1
    product = np.fft.rfft2(image, size) * np.fft.rfft2(kernel[::-1, ::-1], size)
    full = np.fft.irfft2(product, size)
    response = full[p // 2 : p // 2 + rows, q // 2 : q // 2 + columns]
    return response if image.dtype.kind == "f" else response.round()
