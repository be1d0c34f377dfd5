import numpy as np
import torch

from autograder import alternative, mistake
from reference.hypergradients import loss_after_one_step


def damped(X, w0, t, power, lr):
    """Return the residuals along the left singular vectors of X, as steps leave them."""
    U, sizes, _ = np.linalg.svd(X)
    squares = np.zeros(len(t))
    squares[: len(sizes)] = sizes**2
    return (1 - lr * squares) ** power * (U.T @ (X @ w0 - t))


@mistake("the part of the residuals that no step can change is left out (the thin SVD drops it)")
def _(X, w0, t, lr, steps):
    U, sizes, _ = np.linalg.svd(X, full_matrices=False)
    left = (1 - 2 * lr / len(t) * sizes**2) ** steps * (U.T @ (X @ w0 - t))
    return left @ left / len(t)


@mistake("the power T + 1 in place of T")
def _(X, w0, t, lr, steps):
    return np.mean(damped(X, w0, t, steps + 1, 2 * lr / len(t)) ** 2)


@mistake("the power T - 1 in place of T")
def _(X, w0, t, lr, steps):
    return np.mean(damped(X, w0, t, max(steps - 1, 0), 2 * lr / len(t)) ** 2)


@mistake("the power T of the loss: the residuals are squared")
def _(X, w0, t, lr, steps):
    left, start = damped(X, w0, t, steps, 2 * lr / len(t)), X @ w0 - t
    return np.sqrt(np.mean(left**2) * np.mean(start**2))


@mistake("one step of T times the length in place of T steps")
def _(X, w0, t, lr, steps):
    return np.mean(damped(X, w0, t, 1, 2 * lr * steps / len(t)) ** 2)


@mistake("the factor 2 of the gradient is missing")
def _(X, w0, t, lr, steps):
    return np.mean(damped(X, w0, t, steps, lr / len(t)) ** 2)


@mistake("1/n is missing in the gradient")
def _(X, w0, t, lr, steps):
    return np.mean(damped(X, w0, t, steps, 2 * lr) ** 2)


@mistake("the number of weights d in place of the examples n")
def _(X, w0, t, lr, steps):
    return np.mean(damped(X, w0, t, steps, 2 * lr / len(w0)) ** 2)


@mistake("the sum of the squares, not their mean")
def _(X, w0, t, lr, steps):
    return np.sum(damped(X, w0, t, steps, 2 * lr / len(t)) ** 2)


@mistake("the singular values, not their squares")
def _(X, w0, t, lr, steps):
    U, sizes, _ = np.linalg.svd(X)
    factors = np.ones(len(t))
    factors[: len(sizes)] = (1 - 2 * lr / len(t) * sizes) ** steps
    return np.mean((factors * (U.T @ (X @ w0 - t))) ** 2)


@mistake("the exponential of gradient flow, not a power")
def _(X, w0, t, lr, steps):
    squares, vectors = np.linalg.eigh(X @ X.T)
    return np.mean((np.exp(-2 * lr * steps / len(t) * squares) * (vectors.T @ (X @ w0 - t))) ** 2)


@mistake("the residuals are not turned into the basis of the eigenvectors")
def _(X, w0, t, lr, steps):
    squares = np.linalg.eigvalsh(X @ X.T)
    return np.mean(((1 - 2 * lr / len(t) * squares) ** steps * (X @ w0 - t)) ** 2)


@mistake("a power entry by entry: a matrix has another one")
def _(X, w0, t, lr, steps):
    step = np.eye(len(t)) - 2 * lr / len(t) * X @ X.T
    return np.mean((step**steps @ (X @ w0 - t)) ** 2)


@mistake("the weights decay to zero: the targets are left out")
def _(X, w0, t, lr, steps):
    return np.mean(damped(X, w0, 0 * t, steps, 2 * lr / len(t)) ** 2)


@mistake("one step, however many are asked for")
def _(X, w0, t, lr, steps):
    return loss_after_one_step(X, w0, t, lr)


@mistake("overwrites the caller's targets: -= is in place")
def _(X, w0, t, lr, steps):
    t -= X @ w0
    return np.mean(damped(X, 0 * w0, t, steps, 2 * lr / len(t)) ** 2)


@alternative("the power of a matrix by repeated squaring")
def _(X, w0, t, lr, steps):
    step = np.eye(len(t)) - 2 * lr / len(t) * X @ X.T
    left = np.linalg.matrix_power(step, steps) @ (X @ w0 - t)
    return float(left @ left) / X.shape[0]


@alternative("the full singular value decomposition")
def _(X, w0, t, lr, steps):
    return np.mean(damped(X, w0, t, steps, 2 * lr / len(t)) ** 2)


@alternative("the thin SVD, and the part that it leaves over apart, in torch")
def _(X, w0, t, lr, steps):
    X, w0, t = (torch.tensor(value) for value in (X, w0, t))
    a = X @ w0 - t
    U, sizes, _ = torch.linalg.svd(X, full_matrices=False)
    parts = U.T @ a
    stuck = a - U @ parts
    moved = (1 - 2 * lr / len(t) * sizes.square()) ** (2 * steps) * parts.square()
    return (moved.sum() + stuck.square().sum()) / len(t)


@alternative("in the space of the weights, around a minimum")
def _(X, w0, t, lr, steps):
    minimum = np.linalg.lstsq(X, t, rcond=None)[0]
    step = np.eye(len(w0)) - 2 * lr / len(t) * X.T @ X
    w = minimum + np.linalg.matrix_power(step, steps) @ (w0 - minimum)
    return np.mean((X @ w - t) ** 2)
