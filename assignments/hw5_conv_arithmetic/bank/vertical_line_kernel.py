import numpy as np
from assignment import laplacian

from autograder import alternative, mistake

mistake(
    "an edge detector: it answers to slopes, and is silent right on a line",
    vertical_line_kernel=np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]),
)
mistake(
    "the kernel is transposed: it finds horizontal lines",
    vertical_line_kernel=np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
)
mistake("the Laplacian answers to horizontal lines too", vertical_line_kernel=laplacian)
mistake(
    "lopsided: one neighbour is subtracted twice",
    vertical_line_kernel=np.array([[-2, 2, 0], [-2, 2, 0], [-2, 2, 0]]),
)
mistake(
    "nothing is subtracted: it answers to flat regions",
    vertical_line_kernel=np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0]]),
)
mistake(
    "the rows of the kernel cancel along the line",
    vertical_line_kernel=np.array([[-1, 2, -1], [0, 0, 0], [1, -2, 1]]),
)
alternative("one row only, the other sign", vertical_line_kernel=[[0, 0, 0], [1, -2, 1], [0, 0, 0]])
alternative(
    "the middle row counts twice",
    vertical_line_kernel=np.outer([1, 2, 1], [-0.5, 1, -0.5]).astype(np.float32),
)
