import numpy as np
import torch

from autograder import alternative, mistake


@mistake("8/n² in place of 8/n³: two steps and the loss have 1/n")
def _(X, w0, t):
    b = X @ X.T @ (X @ w0 - t)
    return 8 / len(t) ** 2 * (b @ b)


@mistake("8/n in place of 8/n³")
def _(X, w0, t):
    b = X @ X.T @ (X @ w0 - t)
    return 8 / len(t) * (b @ b)


@mistake("all factors 1/n are missing: the loss is a mean")
def _(X, w0, t):
    b = X @ X.T @ (X @ w0 - t)
    return 8 * (b @ b)


@mistake("the number of weights d in place of the examples n")
def _(X, w0, t):
    b = X @ X.T @ (X @ w0 - t)
    return 8 / len(w0) ** 3 * (b @ b)


@mistake("the square's factor 2 is missing: 4/n³ is the coefficient of the parabola")
def _(X, w0, t):
    b = X @ X.T @ (X @ w0 - t)
    return 4 / len(t) ** 3 * (b @ b)


@mistake("the factor 2 of the gradient is missing")
def _(X, w0, t):
    b = X @ X.T @ (X @ w0 - t)
    return 2 / len(t) ** 3 * (b @ b)


@mistake("the sign: each of two steps brings a minus")
def _(X, w0, t):
    b = X @ X.T @ (X @ w0 - t)
    return -8 / len(t) ** 3 * (b @ b)


@mistake("X X^T a times X^T a: the shapes do not fit, both sides have to be X X^T a")
def _(X, w0, t):
    a = X @ w0 - t
    return 8 / len(t) ** 3 * (X @ X.T @ a) @ (X.T @ a)


@mistake("X^T a in place of X X^T a")
def _(X, w0, t):
    b = X.T @ (X @ w0 - t)
    return 8 / len(t) ** 3 * (b @ b)


@mistake("X^T X X^T a in place of X X^T a")
def _(X, w0, t):
    b = X.T @ X @ X.T @ (X @ w0 - t)
    return 8 / len(t) ** 3 * (b @ b)


@mistake("the norm, not its square")
def _(X, w0, t):
    return 8 / len(t) ** 3 * np.linalg.norm(X @ X.T @ (X @ w0 - t))


@mistake("the targets are left out")
def _(X, w0, t):
    b = X @ X.T @ X @ w0
    return 8 / len(t) ** 3 * (b @ b)


@mistake("overwrites the caller's targets: -= is in place")
def _(X, w0, t):
    t -= X @ w0
    b = X @ X.T @ t
    return 8 / len(t) ** 3 * (b @ b)


@alternative("the Hessian of the loss, along the gradient")
def _(X, w0, t):
    hessian = 2 / X.shape[0] * X.T @ X
    g = 2 / X.shape[0] * X.T @ (X @ w0 - t)
    return np.einsum("i,ij,j", g, hessian, g)


@alternative("torch's automatic differentiation, twice")
def _(X, w0, t):
    X, w0, t = (torch.tensor(value) for value in (X, w0, t))
    eta = torch.tensor(0.25, dtype=torch.float64, requires_grad=True)
    w1 = w0 - eta * 2 * X.T @ (X @ w0 - t) / len(t)
    (slope,) = torch.autograd.grad(((X @ w1 - t) ** 2).mean(), eta, create_graph=True)
    return torch.autograd.grad(slope, eta)[0].item()


@alternative("the second difference of a parabola is exact")
def _(X, w0, t):
    def loss(eta):
        return np.mean((X @ (w0 - 2 * eta / len(t) * X.T @ (X @ w0 - t)) - t) ** 2)

    return loss(1.0) - 2 * loss(0.0) + loss(-1.0)
