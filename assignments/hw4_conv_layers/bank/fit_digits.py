import numpy as np
import torch
from bank._shared import torch_net

from autograder import alternative, mistake
from reference.convnet import train_convnet


def begin(filters=8, side=3, seed=0, scale=1.0):
    """Return a start for a network."""
    rng = np.random.default_rng(seed)
    return {
        "w1": scale * rng.normal(size=(filters, 1, side, side)) * np.sqrt(2) / side,
        "b1": np.zeros(filters),
        "w2": scale * rng.normal(size=(16 * filters, 10)) / np.sqrt(16 * filters),
        "b2": np.zeros(10),
    }


def passes(count, n, size, seed=1):
    """Return the batches of some passes through n examples."""
    rng = np.random.default_rng(seed)
    return [
        order[i : i + size]
        for _ in range(count)
        for order in [rng.permutation(n)]
        for i in range(0, n, size)
    ]


@mistake("a random network: nothing is trained")
def _(x, labels):
    return begin()


@mistake("starts with all weights zero, where no kernel gets a gradient")
def _(x, labels):
    return train_convnet(begin(scale=0.0), x, labels, passes(10, len(x), 32))[0]


@mistake("the learning rate is too large: the losses blow up")
def _(x, labels):
    return train_convnet(begin(), x, labels, passes(5, len(x), 32), lr=20.0)[0]


@mistake("the learning rate is far too small: the losses hardly fall")
def _(x, labels):
    return train_convnet(begin(), x, labels, passes(5, len(x), 32), lr=1e-4)[0]


@mistake("too few steps: the losses are still falling")
def _(x, labels):
    return train_convnet(begin(), x, labels, passes(1, len(x), 125))[0]


@mistake("images are shuffled without their labels")
def _(x, labels):
    mixed = np.random.default_rng(2).permutation(len(x))
    return train_convnet(begin(), x[mixed], labels, passes(6, len(x), 32))[0]


@mistake("trains on one batch again and again, and knows nothing else")
def _(x, labels):
    return train_convnet(begin(), x, labels, [np.arange(12)] * 60)[0]


@mistake("trains uphill")
def _(x, labels):
    return train_convnet(begin(), x, labels, passes(2, len(x), 32), lr=-0.02)[0]


@mistake("the penalty is so large that only small weights are left")
def _(x, labels):
    return train_convnet(begin(), x, labels, passes(8, len(x), 32), reg=3.0)[0]


@mistake("returns the losses beside the parameters")
def _(x, labels):
    return train_convnet(begin(), x, labels, passes(2, len(x), 32))


@alternative("other kernels: six of 5 by 5, and a small penalty")
def _(x, labels):
    return train_convnet(begin(6, 5), x, labels, passes(14, len(x), 25), lr=0.08, reg=1e-3)[0]


@alternative("no momentum, smaller batches and a larger rate")
def _(x, labels):
    return train_convnet(begin(10, 3, 4), x, labels, passes(14, len(x), 16), lr=0.3, momentum=0.0)[
        0
    ]


@alternative("Adam in torch, on the whole set at once")
def _(x, labels):
    _, leaves = torch_net(begin(12, 3, 5), x[:1])
    optimizer = torch.optim.Adam(leaves.values(), lr=0.02)
    images, target = torch.tensor(x), torch.tensor(labels)
    for _ in range(60):
        hidden = torch.nn.functional.conv2d(images, leaves["w1"], leaves["b1"], padding=1)
        hidden = torch.nn.functional.max_pool2d(torch.relu(hidden), 2).flatten(1)
        loss = torch.nn.functional.cross_entropy(hidden @ leaves["w2"] + leaves["b2"], target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {name: leaf.detach().numpy() for name, leaf in leaves.items()}
