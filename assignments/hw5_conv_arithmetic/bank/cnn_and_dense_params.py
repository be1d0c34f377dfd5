import itertools

import numpy as np
import torch

from autograder import alternative, mistake


def both_params(channels, convolution, dense):
    """Add up what two rules give for each pair of neighbouring layers."""
    pairs = list(itertools.pairwise(channels))
    return sum(convolution(i, o) for i, o in pairs), sum(dense(i, o) for i, o in pairs)


@mistake("the biases of the dense layers are left out")
def _(channels, height, width, kernel_size):
    k, n = kernel_size**2, height * width
    return both_params(channels, lambda i, o: o * (i * k + 1), lambda i, o: o * n * i * n)


@mistake("the biases of the filters are left out")
def _(channels, height, width, kernel_size):
    k, n = kernel_size**2, height * width
    return both_params(channels, lambda i, o: o * i * k, lambda i, o: o * n * (i * n + 1))


@mistake("a bias for each output of a filter: it has but one")
def _(channels, height, width, kernel_size):
    k, n = kernel_size**2, height * width
    return both_params(channels, lambda i, o: o * (i * k + n), lambda i, o: o * n * (i * n + 1))


@mistake("channels taken for neurons: each has many pixels")
def _(channels, height, width, kernel_size):
    k = kernel_size**2
    return both_params(channels, lambda i, o: o * (i * k + 1), lambda i, o: o * (i + 1))


@mistake("pixels taken for neurons: each has many channels")
def _(channels, height, width, kernel_size):
    k, n = kernel_size**2, height * width
    return both_params(channels, lambda i, o: o * (i * k + 1), lambda i, o: n * (n + 1))


@mistake("one bias for each channel of a dense layer")
def _(channels, height, width, kernel_size):
    k, n = kernel_size**2, height * width
    return both_params(channels, lambda i, o: o * (i * k + 1), lambda i, o: o * (i * n * n + 1))


@mistake("connections of the convolutions, not parameters")
def _(channels, height, width, kernel_size):
    k, n = kernel_size**2, height * width
    return both_params(channels, lambda i, o: n * o * (i * k + 1), lambda i, o: o * n * (i * n + 1))


@mistake("a filter of one channel: it has a kernel for each")
def _(channels, height, width, kernel_size):
    k, n = kernel_size**2, height * width
    return both_params(channels, lambda i, o: o * (k + 1), lambda i, o: o * n * (i * n + 1))


@mistake("a square image is taken for granted")
def _(channels, height, width, kernel_size):
    k, n = kernel_size**2, height**2
    return both_params(channels, lambda i, o: o * (i * k + 1), lambda i, o: o * n * (i * n + 1))


@mistake("the last layer is left out")
def _(channels, height, width, kernel_size):
    k, n = kernel_size**2, height * width
    return both_params(
        channels[:-1], lambda i, o: o * (i * k + 1), lambda i, o: o * n * (i * n + 1)
    )


@alternative("counted in the layers of torch")
def _(channels, height, width, kernel_size):
    n, totals = height * width, [0, 0]
    for i, o in itertools.pairwise(channels):
        layers = (
            torch.nn.Conv2d(i, o, kernel_size, device="meta"),
            torch.nn.Linear(i * n, o * n, device="meta"),
        )
        for kind, layer in enumerate(layers):
            totals[kind] += sum(p.numel() for p in layer.parameters())
    return totals


@alternative("arrays of channels")
def _(channels, height, width, kernel_size):
    c = np.array(channels, dtype=np.int64)
    neurons = c * height * width
    convolutional = kernel_size**2 * (c[:-1] @ c[1:]) + c[1:].sum()
    return np.array([convolutional, neurons[:-1] @ neurons[1:] + neurons[1:].sum()])
