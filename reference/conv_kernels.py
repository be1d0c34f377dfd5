"""Convolution by hand, as functions and as a matrix, and kernels that are designed by hand.

An image is (H, W), with row 0 at the top and column 0 on the left. Nothing here changes an
argument.
"""

import numpy as np

# The Laplacian of Question 1.1 applied to image A: five rows of five whole numbers.
laplacian_response = np.array(
    [
        [-1, 2, 2, -2, 0],
        [-2, 1, 0, 2, -1],
        [3, 0, 0, 1, -1],
        [-2, 2, 0, 2, -1],
        [0, -2, 3, -2, 0],
    ]
)

# The kernel Q of Question 1.1 applied to image B: five rows of five whole numbers.
q_response = np.array(
    [
        [0, 0, -1, -1, -1],
        [-1, -2, 3, 2, 4],
        [4, 2, 1, 2, -2],
        [-2, 3, 1, 3, -1],
        [0, -2, 4, -2, 0],
    ]
)

# The kernel R of Question 1.1 applied to image B: five rows of five whole numbers.
r_response = np.array(
    [
        [0, -1, -2, -3, -2],
        [-2, -3, -3, -2, -1],
        [-1, -1, -1, 1, 1],
        [2, 2, 2, 1, 1],
        [1, 2, 3, 2, 1],
    ]
)

# What do the Laplacian, Q and R do, in this order? Three letters, such as "FED".
#   A  It averages each pixel with its neighbours.
#   B  It moves the image by one pixel.
#   C  It keeps flat regions as they are, and overshoots on both sides of every edge.
#   D  It answers to changes from row to row, and is silent where only the columns differ.
#   E  It answers to changes from column to column, and is silent where only the rows differ.
#   F  It is silent on flat regions and on even slopes, and answers to edges of every direction.
kernel_effects = "FCD"


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


# 3 x 3: the kernel of Question 6.1, which finds horizontal edges.
horizontal_edge_kernel = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])

# 3 x 3: the kernel of Question 6.2, which finds thin vertical lines.
vertical_line_kernel = np.array([[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]])

# 2 x 2: the kernel of Question 6.3, which finds edges along the main diagonal.
diagonal_edge_kernel = np.array([[0, 1], [-1, 0]])

# 3 x 3: moves the image left by one pixel, used as a cross-correlation.
left_by_correlation = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]])

# 3 x 3: moves the image left by one pixel, used as a true convolution.
left_by_convolution = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])

# 5 x 5: moves the image down by two pixels and right by one, used as a cross-correlation.
down_down_right_by_correlation = np.array(
    [[0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
)

# 3 x 3: the kernel of Question 6.5, which blurs.
blur_kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16


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
