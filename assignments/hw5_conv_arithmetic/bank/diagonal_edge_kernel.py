import numpy as np
import torch

from autograder import alternative, mistake

mistake(
    "the other diagonal: it is silent where it should answer",
    diagonal_edge_kernel=np.array([[1, 0], [0, -1]]),
)
mistake(
    "a vertical edge: it answers to both diagonals",
    diagonal_edge_kernel=np.array([[-1, 1], [-1, 1]]),
)
mistake(
    "one diagonal less the other: it answers to both",
    diagonal_edge_kernel=np.array([[1, -1], [-1, 1]]),
)
mistake(
    "a sum, not a difference: it answers to flat images",
    diagonal_edge_kernel=np.array([[0, 1], [1, 0]]),
)
mistake(
    "three pixels by three, where two by two are asked for",
    diagonal_edge_kernel=np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
)
alternative("the other sign, and larger", diagonal_edge_kernel=[[0, -7], [7, 0]])
alternative("fractions, as a tensor", diagonal_edge_kernel=torch.tensor([[0.0, 0.5], [-0.5, 0.0]]))
