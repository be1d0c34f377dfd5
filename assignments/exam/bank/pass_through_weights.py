import numpy as np
import torch

from autograder import alternative, mistake


@mistake("layer f is all ones: it blurs, and mixes the channels")
def _(skip, deep, middle, kernel):
    e = np.zeros((middle, deep, kernel, kernel))
    return e, np.ones((skip, skip + middle, kernel, kernel))


@mistake("every output channel is the sum of all channels of the skip connection")
def _(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[:, :skip, kernel // 2, kernel // 2] = 1
    return np.zeros((middle, deep, kernel, kernel)), f


@mistake("the one is in the corner of the kernel")
def _(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[range(skip), range(skip), 0, 0] = 1
    return np.zeros((middle, deep, kernel, kernel)), f


@mistake("joined the other way round: the skip connection comes first")
def _(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[range(skip), range(middle, middle + skip), kernel // 2, kernel // 2] = 1
    return np.zeros((middle, deep, kernel, kernel)), f


@mistake("the deep features are let through as well")
def _(skip, deep, middle, kernel):
    e, f = np.ones((middle, deep, kernel, kernel)), np.zeros((skip, skip + middle, kernel, kernel))
    f[range(skip), range(skip), kernel // 2, kernel // 2] = 1
    f[0, skip:] = 0.1
    return e, f


@mistake("all weights are zero, and so is the output")
def _(skip, deep, middle, kernel):
    return np.zeros((middle, deep, kernel, kernel)), np.zeros((skip, skip + middle, kernel, kernel))


@mistake("only the first channel is handed on")
def _(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[0, 0, kernel // 2, kernel // 2] = 0.5 + 0.5 * (skip > 1)
    return np.zeros((middle, deep, kernel, kernel)), f


@mistake("the mean over the kernel, not its centre")
def _(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[range(skip), range(skip)] = 1 / kernel**2
    return np.zeros((middle, deep, kernel, kernel)), f


@mistake("inputs and outputs of the layers are swapped")
def _(skip, deep, middle, kernel):
    f = np.zeros((skip + middle, skip, kernel, kernel))
    f[range(skip), range(skip), kernel // 2, kernel // 2] = 1
    return np.zeros((deep, middle, kernel, kernel)), f


@alternative("layer f does not listen, and layer e may do what it likes")
def _(skip, deep, middle, kernel):
    f = torch.zeros(skip, skip + middle, kernel, kernel)
    torch.nn.init.dirac_(f[:, :skip])
    return torch.nn.Conv2d(deep, middle, kernel).weight.detach(), f


@alternative("torch's parameters, which need gradients")
def _(skip, deep, middle, kernel):
    layers = torch.nn.Conv2d(deep, middle, kernel), torch.nn.Conv2d(skip + middle, skip, kernel)
    torch.nn.init.zeros_(layers[0].weight)
    torch.nn.init.dirac_(layers[1].weight)
    return layers[0].weight, layers[1].weight


@alternative("layer e is silent, and layer f may listen to it")
def _(skip, deep, middle, kernel):
    f = np.full((skip, skip + middle, kernel, kernel), 7.0)
    centre = np.zeros((kernel, kernel))
    centre[kernel // 2, kernel // 2] = 1
    f[:, :skip] = np.eye(skip)[:, :, None, None] * centre
    return np.zeros((middle, deep, kernel, kernel)), f
