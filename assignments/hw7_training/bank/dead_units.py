import numpy as np
import torch

from autograder import alternative, mistake

mistake("dead for some example, not for all", edit=("(X @ W + b <= 0).all", "(X @ W + b <= 0).any"))


mistake(
    "examples without an active unit, not units",
    edit=("(X @ W + b <= 0).all(axis=0)", "(X @ W + b <= 0).all(axis=1)"),
)


mistake("exactly zero is taken for alive", edit=("X @ W + b <= 0", "X @ W + b < 0"))


mistake("the units that are alive", edit=("(X @ W + b <= 0).all", "(X @ W + b > 0).any"))


mistake("the bias is left out", edit=("X @ W + b", "X @ W"))


mistake(
    "the mean activation is looked at, not each",
    edit=("(X @ W + b <= 0).all(axis=0)", "(X @ W + b).mean(axis=0) <= 0"),
)


mistake("the sign of the bias", edit=("X @ W + b", "X @ W - b"))


mistake(
    "their number, not which they are",
    edit=("(X @ W + b <= 0).all(axis=0)", "int((X @ W + b <= 0).all(axis=0).sum())"),
)


@alternative("no gradient reaches the biases")
def _(X, W, b):
    bias = torch.tensor(b, requires_grad=True)
    torch.relu(torch.tensor(X) @ torch.tensor(W) + bias).sum().backward()
    return (bias.grad == 0).numpy()


@alternative("unit by unit")
def _(X, W, b):
    best = [max(float(x @ W[:, j] + b[j]) for x in X) for j in range(len(b))]
    return np.array([not value > 0 for value in best])
