import numpy as np
import torch

from autograder import alternative, mistake


@mistake("dead for some example, not for all")
def _(X, W, b):
    return (X @ W + b <= 0).any(axis=0)


@mistake("examples without an active unit, not units")
def _(X, W, b):
    return (X @ W + b <= 0).all(axis=1)


@mistake("exactly zero is taken for alive")
def _(X, W, b):
    return (X @ W + b < 0).all(axis=0)


@mistake("the units that are alive")
def _(X, W, b):
    return (X @ W + b > 0).any(axis=0)


@mistake("the bias is left out")
def _(X, W, b):
    return (X @ W <= 0).all(axis=0)


@mistake("the mean activation is looked at, not each")
def _(X, W, b):
    return (X @ W + b).mean(axis=0) <= 0


@mistake("the sign of the bias")
def _(X, W, b):
    return (X @ W - b <= 0).all(axis=0)


@mistake("their number, not which they are")
def _(X, W, b):
    return int((X @ W + b <= 0).all(axis=0).sum())


@alternative("no gradient reaches the biases")
def _(X, W, b):
    bias = torch.tensor(b, requires_grad=True)
    torch.relu(torch.tensor(X) @ torch.tensor(W) + bias).sum().backward()
    return (bias.grad == 0).numpy()


@alternative("unit by unit")
def _(X, W, b):
    best = [max(float(x @ W[:, j] + b[j]) for x in X) for j in range(len(b))]
    return np.array([not value > 0 for value in best])
