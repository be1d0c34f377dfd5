import numpy as np
import torch

from autograder import alternative, mistake

mistake("one is added after rounding down: it is missing", shape_i=(32, 128, 25, 25))
mistake("the channels come second, not last", shape_i=(32, 26, 26, 128))
mistake("the channels of the input, not the filters", shape_i=(32, 3, 26, 26))
mistake("padded as if the size were to be kept", shape_i=(32, 128, 28, 28))
mistake("the padding counts on both sides", shape_ii=(32, 128, 13, 13))
mistake("rounded up, or one added twice", shape_ii=(32, 128, 15, 15))
mistake("the division is rounded up, not down", shape_iii=(8, 64, 10, 14))
mistake("kernel or padding: height and width swapped", shape_iii=(8, 64, 10, 12))
mistake("width before height", shape_iii=(8, 64, 14, 9))
mistake("taken for an ordinary convolution of stride 2", shape_iv=(16, 32, 3, 4))
mistake("multiplied by the stride, and nothing else", shape_iv=(16, 32, 15, 19))
mistake("its padding makes the output larger", shape_iv=(16, 32, 18, 22))
mistake("only height and width", shape_i=(26, 26))
alternative(
    "lists, arrays and torch's own sizes",
    shape_i=[32, 128, 26, 26],
    shape_ii=np.array([32, 128, 14, 14]),
    shape_iii=torch.nn.Conv2d(3, 64, (5, 3), 3, (0, 1))(torch.zeros(8, 3, 31, 40)).shape,
    shape_iv=torch.nn.ConvTranspose2d(64, 32, 4, 2, 1)(torch.zeros(16, 64, 7, 9)).shape,
)
