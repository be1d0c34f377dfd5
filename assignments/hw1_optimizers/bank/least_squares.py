import numpy as np
import torch

from autograder import alternative, mistake


@mistake("the sum of the squares, not their mean: 1/n is missing", of="least_squares_loss")
def _(X, w, t):
    return np.sum((X @ w - t) ** 2)


@mistake("a factor 1/2 that the definition does not have", of="least_squares_loss")
def _(X, w, t):
    return np.mean((X @ w - t) ** 2) / 2


@mistake("the mean over the d weights, not over the n examples", of="least_squares_loss")
def _(X, w, t):
    return np.sum((X @ w - t) ** 2) / len(w)


@mistake("the norm of the residuals, not its square", of="least_squares_loss")
def _(X, w, t):
    return np.linalg.norm(X @ w - t) / len(t)


@mistake("the sizes of the residuals, not their squares", of="least_squares_loss")
def _(X, w, t):
    return np.mean(np.abs(X @ w - t))


@mistake("the square of the mean, not the mean of the squares", of="least_squares_loss")
def _(X, w, t):
    return np.mean(X @ w - t) ** 2


@mistake("one loss for each example: the mean is missing", of="least_squares_loss")
def _(X, w, t):
    return (X @ w - t) ** 2


@mistake("a column minus a row: the residuals became an n by n matrix", of="least_squares_loss")
def _(X, w, t):
    return np.mean((X @ w - t[:, None]) ** 2)


@mistake("overwrites the caller's targets: -= works in place", of="least_squares_loss")
def _(X, w, t):
    t -= X @ w
    return np.mean(t**2)


@mistake("the factor 2 of the square is missing", of="least_squares_gradient")
def _(X, w, t):
    return X.T @ (X @ w - t) / len(t)


@mistake("1/n is missing: the loss is a mean", of="least_squares_gradient")
def _(X, w, t):
    return 2 * X.T @ (X @ w - t)


@mistake("the mean over the d weights, not over the n examples", of="least_squares_gradient")
def _(X, w, t):
    return 2 / len(w) * X.T @ (X @ w - t)


@mistake("the sign: the residual is prediction minus target", of="least_squares_gradient")
def _(X, w, t):
    return 2 / len(t) * X.T @ (t - X @ w)


@mistake("the targets are left out", of="least_squares_gradient")
def _(X, w, t):
    return 2 / len(t) * X.T @ X @ w


@mistake(
    "one row for each example: the sum over the examples is missing", of="least_squares_gradient"
)
def _(X, w, t):
    return 2 / len(t) * X * (X @ w - t)[:, None]


@mistake("the gradient with respect to the predictions, not w", of="least_squares_gradient")
def _(X, w, t):
    return 2 / len(t) * (X @ w - t)


@mistake("the derivative of the norm, not of its square", of="least_squares_gradient")
def _(X, w, t):
    return X.T @ (X @ w - t) / np.linalg.norm(X @ w - t)


@mistake(
    "double precision throughout: np.zeros has a dtype of its own", of="least_squares_gradient"
)
def _(X, w, t):
    total = np.zeros(len(w))
    for x, target in zip(X, t, strict=True):
        total += 2 / len(t) * (x @ w - target) * x
    return total


@alternative("multiplied out, without residuals", of="least_squares_loss")
def _(X, w, t):
    return (w @ (X.T @ X) @ w - 2 * (X.T @ t) @ w + t @ t) / len(t)


@alternative("example by example, as a Python number", of="least_squares_loss")
def _(X, w, t):
    return sum(float(x @ w - target) ** 2 for x, target in zip(X, t, strict=True)) / X.shape[0]


@alternative("torch's mean squared error", of="least_squares_loss")
def _(X, w, t):
    X, w, t = (torch.from_numpy(a) for a in (X, w, t))
    return torch.nn.functional.mse_loss(X @ w, t)


@alternative("multiplied out, without residuals", of="least_squares_gradient")
def _(X, w, t):
    return (2 * (X.T @ X) @ w - 2 * X.T @ t) / X.shape[0]


@alternative("torch's automatic differentiation", of="least_squares_gradient")
def _(X, w, t):
    X, w, t = (torch.from_numpy(a) for a in (X, w, t))
    w.requires_grad_()
    return torch.autograd.grad(((X @ w - t) ** 2).mean(), w)[0].numpy()


@alternative("example by example", of="least_squares_gradient")
def _(X, w, t):
    parts = [(x @ w - target) * x for x, target in zip(X, t, strict=True)]
    return 2 * np.mean(parts, axis=0)
