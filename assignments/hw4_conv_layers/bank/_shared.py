import numpy as np
import torch

from reference.layers import conv_backward, conv_forward

right_conv = conv_forward  # mistakes change what goes into it or comes out of it


def framed(x, above, below, left, right, mode="constant"):
    return np.pad(x, ((0, 0), (0, 0), (above, below), (left, right)), mode=mode)


right_conv_backward = conv_backward


def torch_net(params, x, pool_first=False):
    """Return the scores of the network by torch, and the parameters as leaves."""
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    frame = tuple(side // 2 for side in leaves["w1"].shape[2:])
    convolved = torch.nn.functional.conv2d(
        torch.tensor(x), leaves["w1"], leaves["b1"], padding=frame
    )
    if pool_first:
        hidden = torch.relu(torch.nn.functional.max_pool2d(convolved, 2))
    else:
        hidden = torch.nn.functional.max_pool2d(torch.relu(convolved), 2)
    return hidden.flatten(1) @ leaves["w2"] + leaves["b2"], leaves
