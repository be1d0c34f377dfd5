import numpy as np
import torch

from autograder import alternative, mistake

mistake("a shrinks: padding 2 keeps the sides with a kernel of 5", shape_a=(10, 16, 30, 30))
mistake(
    "the batch is left out",
    shape_a=(16, 32, 32),
)
mistake("channels and examples are exchanged", shape_a=(16, 10, 32, 32))
mistake(
    "rounded down too early: with padding 1 the kernel of 4 still fits", shape_b=(10, 32, 15, 15)
)
mistake("c is not halved: its stride is 2", shape_c=(10, 128, 16, 16))
mistake("d is halved: its stride is 1, and it is the dilation that is 2", shape_d=(10, 16, 4, 4))
mistake(
    "the dilation of d is overlooked, so that the padding enlarges it", shape_d=(10, 16, 10, 10)
)
mistake("e goes forward: a transposed convolution enlarges", shape_e=(10, 8, 4, 4))
mistake("the padding of e is added, not cut off", shape_e=(10, 8, 20, 20))
mistake("u is not doubled: upsampling by 2 makes four pixels of one", shape_u=(10, 8, 16, 16))
mistake("four times each side: four pixels of one is twice each side", shape_u=(10, 8, 64, 64))
mistake(
    "the skip connection adds: joining along the channels adds up their numbers",
    shape_s=(10, 8, 32, 32),
)
mistake("joined along the batch, not along the channels", shape_s=(20, 24, 32, 32))
mistake("f keeps the channels of s: it has one filter", shape_f=(10, 24, 32, 32))
alternative(
    "lists, an array and torch's own kind",
    shape_a=[10, 16, 32, 32],
    shape_b=np.array([10, 32, 16, 16]),
    shape_c=torch.Size([10, 128, 8, 8]),
    shape_s=[10, 16 + 8, 32, 32],
)
