import numpy as np
import torch

from autograder import alternative, mistake


@mistake("the factor 2 of the gradient is missing")
def _(X, w0, t, lr):
    a = X @ w0 - t
    return np.mean((a - lr / len(t) * X @ (X.T @ a)) ** 2)


@mistake("1/n is missing in the gradient, so the step is n times too long")
def _(X, w0, t, lr):
    a = X @ w0 - t
    return np.mean((a - 2 * lr * X @ (X.T @ a)) ** 2)


@mistake("the sum of the squares after the step, not their mean")
def _(X, w0, t, lr):
    a = X @ w0 - t
    return np.sum((a - 2 * lr / len(t) * X @ (X.T @ a)) ** 2)


@mistake("the loss is a sum throughout: 1/n is missing in the gradient and in the loss")
def _(X, w0, t, lr):
    a = X @ w0 - t
    return np.sum((a - 2 * lr * X @ (X.T @ a)) ** 2)


@mistake("the mean over the d weights, not the n examples")
def _(X, w0, t, lr):
    a = X @ w0 - t
    return np.sum((a - 2 * lr / len(w0) * X @ (X.T @ a)) ** 2) / len(w0)


@mistake("a factor 1/2 that the definition does not have")
def _(X, w0, t, lr):
    a = X @ w0 - t
    return np.mean((a - lr / len(t) * X @ (X.T @ a)) ** 2) / 2


@mistake("steps uphill: the gradient is subtracted")
def _(X, w0, t, lr):
    a = X @ w0 - t
    return np.mean((a + 2 * lr / len(t) * X @ (X.T @ a)) ** 2)


@mistake("the loss before the step")
def _(X, w0, t, lr):
    return np.mean((X @ w0 - t) ** 2)


@mistake("the gradient at w1 in place of w0: an implicit step, which solves for w1")
def _(X, w0, t, lr):
    n, d = X.shape
    w1 = np.linalg.solve(np.eye(d) + 2 * lr / n * X.T @ X, w0 + 2 * lr / n * X.T @ t)
    return np.mean((X @ w1 - t) ** 2)


@mistake("two steps in place of one")
def _(X, w0, t, lr):
    w = w0
    for _ in range(2):
        w = w - 2 * lr / len(t) * X.T @ (X @ w - t)
    return np.mean((X @ w - t) ** 2)


@mistake("X X^T and X^T X confused: the residuals are moved by a matrix of n by n")
def _(X, w0, t, lr):
    a = X @ w0 - t
    return np.mean((a - 2 * lr / len(t) * X.T @ (X @ a)) ** 2)


@mistake("one loss for each example: the mean is missing")
def _(X, w0, t, lr):
    a = X @ w0 - t
    return (a - 2 * lr / len(t) * X @ (X.T @ a)) ** 2


@mistake("the step with the first example only")
def _(X, w0, t, lr):
    w1 = w0 - 2 * lr * (X[0] @ w0 - t[0]) * X[0]
    return np.mean((X @ w1 - t) ** 2)


@mistake("overwrites the caller's weights: -= is in place")
def _(X, w0, t, lr):
    w0 -= 2 * lr / len(t) * X.T @ (X @ w0 - t)
    return np.mean((X @ w0 - t) ** 2)


@alternative("the step is made, then the loss is taken")
def _(X, w0, t, lr):
    moved = w0 - lr * 2 * np.mean((X @ w0 - t)[:, None] * X, axis=0)
    return float(np.linalg.norm(X @ moved - t) ** 2 / X.shape[0])


@alternative("torch's SGD and mean squared error")
def _(X, w0, t, lr):
    X, t = torch.tensor(X), torch.tensor(t)
    w = torch.nn.Parameter(torch.tensor(w0))
    torch.nn.functional.mse_loss(X @ w, t).backward()
    with torch.no_grad():
        w -= lr * w.grad
        return torch.nn.functional.mse_loss(X @ w, t)


@alternative("a parabola in the learning rate")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    b = X @ X.T @ a
    return a @ a / n - 4 * lr / n**2 * (a @ b) + 4 * lr**2 / n**3 * (b @ b)
