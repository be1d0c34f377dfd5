import numpy as np
from assignment import kernel_q
from bank._shared import single_weight

from autograder import alternative, mistake

mistake(
    "the weights add up to nine: the image gets nine times as bright", blur_kernel=np.ones((3, 3))
)
mistake(
    "divided by the eight neighbours, where the middle counts too",
    blur_kernel=np.full((3, 3), 1 / 8),
)
mistake(
    "along the rows only: horizontal stripes keep their contrast",
    blur_kernel=np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]]) / 3,
)
mistake("nothing is blurred", blur_kernel=single_weight(1, 1))
mistake("the image gets black: the weights add up to zero", blur_kernel=np.zeros((3, 3)))
mistake(
    "it moves the image as well: the weights are not symmetric",
    blur_kernel=np.array([[0, 0, 0], [0, 1, 1], [0, 1, 1]]) / 4,
)
mistake("sharpened, not blurred: a weight is negative", blur_kernel=kernel_q)
mistake(
    "a blur so weak that stripes keep most of their contrast",
    blur_kernel=0.8 * single_weight(1, 1) + 0.2 / 9,
)
alternative("the box", blur_kernel=np.full((3, 3), 1 / 9))
alternative("the box, rounded", blur_kernel=[[0.111, 0.111, 0.111]] * 3)
alternative("a pixel and its four neighbours", blur_kernel=(kernel_q != 0).astype(np.float32) / 5)
alternative(
    "a bell curve, rounded to six digits",
    blur_kernel=[
        [0.075114, 0.123841, 0.075114],
        [0.123841, 0.204180, 0.123841],
        [0.075114, 0.123841, 0.075114],
    ],
)
