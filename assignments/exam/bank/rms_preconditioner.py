import numpy as np
import torch

from autograder import alternative, mistake


def gradients_of(X, y, theta):
    """Return the gradient of each example's loss, one in each row, for the variants below."""
    return -2 * (y - X @ theta)[:, None] * X


@mistake("the factor 2 of the gradient is missing")
def _(X, y, theta):
    return 2 / np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=0))


@mistake("the root is missing")
def _(X, y, theta):
    return 1 / np.mean(gradients_of(X, y, theta) ** 2, axis=0)


@mistake("the root mean square, not one over it")
def _(X, y, theta):
    return np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=0))


@mistake("the root of the root mean square")
def _(X, y, theta):
    return np.mean(gradients_of(X, y, theta) ** 2, axis=0) ** -0.25


@mistake("the sum of the squares, not their mean")
def _(X, y, theta):
    return 1 / np.sqrt(np.sum(gradients_of(X, y, theta) ** 2, axis=0))


@mistake("the mean is squared, not the squares averaged")
def _(X, y, theta):
    return 1 / np.abs(np.mean(gradients_of(X, y, theta), axis=0))


@mistake("the mean size of the gradients, not the root mean square")
def _(X, y, theta):
    return 1 / np.mean(np.abs(gradients_of(X, y, theta)), axis=0)


@mistake("the standard deviation: the mean is not taken off")
def _(X, y, theta):
    return 1 / np.std(gradients_of(X, y, theta), axis=0)


@mistake("the mean over the coordinates, not over the examples")
def _(X, y, theta):
    return 1 / np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=1))


@mistake("one number for all coordinates")
def _(X, y, theta):
    return np.full(len(theta), 1 / np.sqrt(np.mean(gradients_of(X, y, theta) ** 2)))


@mistake("divided by n - 1, not by n")
def _(X, y, theta):
    return np.sqrt((len(y) - 1) / np.sum(gradients_of(X, y, theta) ** 2, axis=0))


@mistake("a small number is added to the divisor")
def _(X, y, theta):
    return 1 / (np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=0)) + 1e-8)


@mistake("the gradient at zero, not at theta")
def _(X, y, theta):
    return 1 / np.sqrt(np.mean(gradients_of(X, y, 0 * theta) ** 2, axis=0))


@mistake("the whole matrix, not its diagonal")
def _(X, y, theta):
    return np.diag(1 / np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=0)))


@alternative("example by example")
def _(X, y, theta):
    total = np.zeros(X.shape[1])
    for x, target in zip(X, y, strict=True):
        total += (2 * (x @ theta - target) * x) ** 2
    return (len(y) / total) ** 0.5


@alternative("torch differentiates each loss")
def _(X, y, theta):
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    slopes = torch.autograd.functional.jacobian(
        lambda weights: (y - X @ weights) ** 2, torch.from_numpy(theta)
    )
    return slopes.pow(2).mean(0).rsqrt()
