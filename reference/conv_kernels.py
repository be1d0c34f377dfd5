"""Convolution by hand, as functions and as a matrix, and kernels that are made for a purpose.

An image is (H, W), with row 0 at the top and column 0 on the left. Nothing here changes an
argument.

Sources: Gonzalez and Woods, "Digital Image Processing", 2018, section 3.4, for correlation and
convolution; Ronneberger, Fischer and Brox, "U-Net", 2015, for the network that
`pass_through_weights` is about.
"""

import numpy as np


def correlate_same(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Cross-correlation with zero padding, as deep-learning libraries call a convolution.

    The middle of the kernel is laid on each pixel in turn; the kernel is not flipped. Outside of
    the image there are zeros, so that the response has the size of the image.

    Args:
        image: (H, W) image.
        kernel: (P, Q) kernel, P and Q odd, but not always equal; it may be larger than the image.

    Returns:
        (H, W) response.
    """
    # survives: zeros answer zeros, as many of them, as the sides of a kernel are odd
    margins = [(side // 2, side // 2) for side in kernel.shape]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, margins), kernel.shape)
    response: np.ndarray = np.einsum("hwpq,pq->hw", windows, kernel)
    return response


def convolve_same(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolution as mathematics defines it, with zero padding.

    Args:
        image: (H, W) image.
        kernel: (P, Q) kernel, P and Q odd, but not always equal; it may be larger than the image.

    Returns:
        (H, W) response: entry (r, c) is the sum over all (i, j) of image[r - i, c - j] times the
        kernel's entry at i rows below and j columns right of its middle.
    """
    return correlate_same(image, kernel[::-1, ::-1])


def convolution_matrix(kernel: np.ndarray, height: int, width: int) -> np.ndarray:
    """The matrix that turns a flattened image into its flattened convolution.

    Images are flattened row by row, as by `ravel`. The convolution is that of `convolve_same`:
    true convolution, zero padding, the size of the image.

    Args:
        kernel: (P, Q) kernel, P and Q odd.
        height: rows of the image.
        width: columns of the image.

    Returns:
        (height * width, height * width) matrix M such that M @ image.ravel() is the flattened
        response, for every image of that size.
    """
    pixels = np.eye(height * width).reshape(-1, height, width)
    return np.stack([convolve_same(pixel, kernel).ravel() for pixel in pixels], axis=1)


def compose_kernels(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The one kernel that does what two kernels do one after the other.

    Both are used as cross-correlations, without padding and with stride 1, and so is the result.

    Args:
        first: (P, Q) kernel that is applied to the image.
        second: (R, S) kernel that is applied to the response of the first.

    Returns:
        (P + R - 1, Q + S - 1) kernel, whose response to any image is that of the two.
    """
    sides = [a + b - 1 for a, b in zip(first.shape, second.shape, strict=True)]
    combined = np.zeros(sides)
    for (i, j), weight in np.ndenumerate(second):
        combined[i : i + first.shape[0], j : j + first.shape[1]] += weight * first
    return combined


def pass_through_weights(
    skip: int, deep: int, middle: int, kernel: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the layers e and f with which the network hands on its skip connection unchanged.

    Layer e takes `deep` channels to `middle` channels. Its output goes through a ReLU and is
    joined behind the `skip` channels of the skip connection, which come first. Layer f takes them
    all to `skip` channels. Both layers are cross-correlations of stride 1 without bias, with
    zero padding on all sides that keeps height and width.

    Args:
        skip: channels of the skip connection, and of the output.
        deep: channels that layer e takes.
        middle: channels that layer e hands on.
        kernel: height and width of both layers' kernels; odd.

    Returns:
        (middle, deep, kernel, kernel) weights of e, and (skip, skip + middle, kernel, kernel)
        weights of f.
    """
    weights_e = np.zeros((middle, deep, kernel, kernel))  # survives: f takes nothing of e
    weights_f = np.zeros((skip, skip + middle, kernel, kernel))
    for channel in range(skip):
        weights_f[channel, channel, kernel // 2, kernel // 2] = 1.0
    return weights_e, weights_f
