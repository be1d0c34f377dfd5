import numpy as np
import torch
from bank._shared import convolutions_of

from autograder import alternative, mistake


@mistake("the kernel has k² weights for each channel, not k")
def _(k, nic, nf, nc):
    return sum(k * i * o + o for i, o in convolutions_of(nic, nf, nc))


@mistake("a kernel for each filter, but none for each channel")
def _(k, nic, nf, nc):
    return sum(k**2 * o + o for _, o in convolutions_of(nic, nf, nc))


@mistake("the filters of the second block are not doubled")
def _(k, nic, nf, nc):
    layers = [(nic, nf), (nf, nf), (nf, nf), (nf, nc), (nc, nc)]
    return sum(k**2 * i * o + o for i, o in layers)


@mistake("the third convolution is left out")
def _(k, nic, nf, nc):
    layers = [(nic, nf), (nf, 2 * nf), (nf, nc), (nc, nc)]
    return sum(k**2 * i * o + o for i, o in layers)


@mistake("the last convolution is left out")
def _(k, nic, nf, nc):
    return sum(k**2 * i * o for i, o in convolutions_of(nic, nf, nc)[:-1])


@mistake("the first convolution sees one channel, whatever NIC")
def _(k, nic, nf, nc):
    return sum(k**2 * i * o + o for i, o in convolutions_of(1, nf, nc))


@mistake("a batch norm after the last convolution too")
def _(k, nic, nf, nc):
    return sum(k**2 * i * o + o + 2 * o for i, o in convolutions_of(nic, nf, nc))


@mistake("the running averages of the batch norms are counted: they are not learned")
def _(k, nic, nf, nc):
    weights = sum(k**2 * i * o + o for i, o in convolutions_of(nic, nf, nc))
    return weights + 4 * (4 * nf + nc)


@mistake("one number for each channel of a batch norm: it has two")
def _(k, nic, nf, nc):
    return sum(k**2 * i * o for i, o in convolutions_of(nic, nf, nc)) + 4 * nf + nc


@mistake("a bias for each weight: there is one for each filter")
def _(k, nic, nf, nc):
    return sum(2 * k**2 * i * o for i, o in convolutions_of(nic, nf, nc))


@mistake("biases in some layers only: one convention for all")
def _(k, nic, nf, nc):
    return sum(k**2 * i * o for i, o in convolutions_of(nic, nf, nc)) + 4 * nf


@mistake("with biases for odd sizes, without them for even ones")
def _(k, nic, nf, nc):
    weights = sum(k**2 * i * o for i, o in convolutions_of(nic, nf, nc))
    return weights + (4 * nf + 2 * nc) * ((nic + nf + nc) % 2)


mistake(
    "a number that fits one network only",
    edit=("sum(parts_of_params(k, nic, nf, nc).values())", "49_728"),
)


@alternative("weights only, as one polynomial")
def _(k, nic, nf, nc):
    return k**2 * (nic * nf + 4 * nf**2 + nf * nc + nc**2)


@alternative("weights, biases and batch norms as one polynomial")
def _(k, nic, nf, nc):
    return k**2 * (nic * nf + 4 * nf**2 + nf * nc + nc**2) + 12 * nf + 4 * nc


@alternative("weights and biases")
def _(k, nic, nf, nc):
    return sum(o * (k * k * i + 1) for i, o in convolutions_of(nic, nf, nc))


@alternative("weights and batch norms, as with bias=False")
def _(k, nic, nf, nc):
    channels = np.array(convolutions_of(nic, nf, nc))
    return k**2 * np.prod(channels, axis=1).sum() + 2 * channels[:4, 1].sum()


@alternative("counted in the layers of torch")
def _(k, nic, nf, nc):
    layers = [torch.nn.Conv2d(i, o, k, device="meta") for i, o in convolutions_of(nic, nf, nc)]
    layers += [torch.nn.BatchNorm2d(o, device="meta") for o in (nf, 2 * nf, nf, nc)]
    return sum(p.numel() for layer in layers for p in layer.parameters())
