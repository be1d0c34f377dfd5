import numpy as np
import torch

from autograder import alternative, mistake

for title, rows in {
    "transposed: it finds vertical edges": [[1, 0, -1], [1, 0, -1], [1, 0, -1]],
    "a Laplacian: it answers to edges of any direction": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "a blur: it answers to constant images": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
    "the rows do not cancel column by column": [[1, 1, 1], [0, 0, 0], [-1, -2, 0]],
    "a diagonal edge detector": [[0, 1, 1], [-1, 0, 1], [-1, -1, 0]],
    "the rows add up: one of them has to be negative": [[1, 1, 1], [0, 0, 0], [1, 1, 1]],
    "no entries that differ from zero": [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
}.items():
    mistake(title, horizontal_kernel=np.array(rows, float))
for title, rows in {
    "Prewitt's kernel with the sign turned": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "Sobel's kernel, small": [[0.01, 0.02, 0.01], [0, 0, 0], [-0.01, -0.02, -0.01]],
    "Scharr's kernel, large": [[300, 1000, 300], [0, 0, 0], [-300, -1000, -300]],
    "a difference of neighbouring rows in one column": [[0, 0, 0], [0, 1, 0], [0, -1, 0]],
    "a difference of differences": [[1, 2, 1], [-2, -4, -2], [1, 2, 1]],
}.items():
    alternative(title, horizontal_kernel=rows)
for title, rows in {
    "the other diagonal: it finds rising edges": [[1, 0], [0, -1]],
    "a sum along the diagonal: it answers to constant images": [[0, 1], [1, 0]],
    "a horizontal edge detector, for a diagonal one": [[1, 1], [-1, -1]],
    "a checkerboard: it answers to both diagonals": [[1, -1], [-1, 1]],
    "all entries are zero": [[0, 0], [0, 0]],
}.items():
    mistake(title, diagonal_kernel=np.array(rows, float))
alternative("the sign turned", diagonal_kernel=[[0, -1], [1, 0]])
alternative(
    "halves, as a tensor",
    diagonal_kernel=torch.tensor([[0.0, 0.5], [-0.5, 0.0]]),
)
LEFT, RIGHT = np.zeros((2, 3, 3))
LEFT[1, 2], RIGHT[1, 0] = 1, 1
mistake(
    "flipped: both kernels move the image to the right",
    shift_correlation=RIGHT,
    shift_convolution=LEFT,
)
mistake("a layer that turns the kernel needs it turned", shift_convolution=LEFT)
mistake("the kernel turned for the layer that does not", shift_correlation=RIGHT)
mistake("moved up, not to the left", shift_correlation=LEFT.T, shift_convolution=RIGHT.T)
mistake("the image stays where it is", shift_correlation=np.diag([0.0, 1, 0]))
mistake("of another size than one", shift_correlation=2 * LEFT)
mistake("the differences to the neighbour, not the neighbour", shift_correlation=LEFT - RIGHT)
alternative(
    "lists, and a kernel turned by the computer",
    shift_correlation=LEFT.tolist(),
    shift_convolution=np.rot90(LEFT, 2),
)
alternative(
    "tensors of whole numbers",
    shift_correlation=torch.tensor(LEFT).long(),
    shift_convolution=torch.tensor(RIGHT).long(),
)
mistake("one row in place of a square", shift_correlation=[0, 0, 1])
