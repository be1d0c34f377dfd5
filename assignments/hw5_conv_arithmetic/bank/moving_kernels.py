import numpy as np
import torch
from bank._shared import single_weight

from autograder import alternative, mistake

mistake(
    "right in place of left: a cross-correlation looks where its weight is",
    left_by_correlation=single_weight(1, 0),
)
mistake(
    "right in place of left: true convolution turns the kernel",
    left_by_convolution=single_weight(1, 2),
)
mistake("the kernel is transposed: up in place of left", left_by_correlation=single_weight(2, 1))
mistake("nothing moves: the one stands in the middle", left_by_correlation=single_weight(1, 1))
mistake(
    "the image is doubled: one weight is enough",
    left_by_correlation=single_weight(1, 2) + single_weight(1, 1),
)
mistake("an average of three pixels: that blurs", left_by_correlation=np.full((3, 3), 1 / 9))
mistake(
    "up and left in place of down and right: the weight stands where the image goes",
    down_down_right_by_correlation=single_weight(4, 3, 5),
)
mistake(
    "rows and columns exchanged: one down and two right",
    down_down_right_by_correlation=single_weight(1, 0, 5),
)
mistake("one step down only", down_down_right_by_correlation=single_weight(1, 1, 5))
mistake("brightness is doubled", left_by_correlation=2 * single_weight(1, 2))
alternative(
    "a parameter of torch",
    left_by_correlation=torch.nn.Parameter(torch.tensor([[0.0, 0, 0], [0, 0, 1], [0, 0, 0]])),
)
alternative(
    "lists, a tensor and an array",
    left_by_correlation=[[0, 0, 0], [0, 0, 1], [0, 0, 0]],
    left_by_convolution=torch.eye(3)[[1]].T @ torch.eye(3)[[0]],
    down_down_right_by_correlation=single_weight(0, 1, 5).astype(int),
)
alternative(
    "the second is the first, turned",
    left_by_convolution=np.rot90(single_weight(1, 2), 2).copy(),
    down_down_right_by_correlation=np.flip(single_weight(4, 3, 5)).copy(),
)
