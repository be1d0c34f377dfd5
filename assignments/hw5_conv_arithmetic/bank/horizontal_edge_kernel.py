import numpy as np
import torch
from assignment import kernel_r, laplacian

from autograder import alternative, mistake

mistake(
    "the kernel is transposed: it finds vertical edges",
    horizontal_edge_kernel=np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]]),
)
mistake("the Laplacian answers to edges of every direction", horizontal_edge_kernel=laplacian)
mistake(
    "a line detector: it answers to an edge with both signs",
    horizontal_edge_kernel=np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
)
mistake(
    "the weights do not add up to zero, so that flat regions are not silent",
    horizontal_edge_kernel=np.array([[1, 1, 1], [0, 0, 0], [-1, -1, 0]]),
)
mistake(
    "rows that average: nothing is subtracted",
    horizontal_edge_kernel=np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]]),
)
mistake(
    "diagonal differences cancel along a horizontal edge",
    horizontal_edge_kernel=np.array([[1, 0, -1], [0, 0, 0], [-1, 0, 1]]),
)
mistake("no weights at all", horizontal_edge_kernel=np.zeros((3, 3)))
alternative(
    "equal weights in each row, the other sign",
    horizontal_edge_kernel=[[1, 1, 1], [0, 0, 0], [-1, -1, -1]],
)
alternative("the middle column only, and small", horizontal_edge_kernel=kernel_r * [[0, 0.01, 0]])
alternative(
    "neighbouring rows, as a tensor",
    horizontal_edge_kernel=torch.tensor([[0.0, 0.0, 0.0], [-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]),
)
