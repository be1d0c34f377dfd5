import numpy as np
import torch

from autograder import alternative, mistake


@mistake("the sign: the inner derivative of w1 in the learning rate is minus the gradient")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    return 4 / n**2 * (X @ X.T @ a) @ (a - 2 * lr / n * X @ X.T @ a)


@mistake("the sign of the first term: at zero the slope is not positive")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    b = X @ X.T @ a
    return 4 / n**2 * (a @ b) + 8 * lr / n**3 * (b @ b)


@mistake("the sign of the second term: the parabola opens upwards")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    b = X @ X.T @ a
    return -4 / n**2 * (a @ b) - 8 * lr / n**3 * (b @ b)


@mistake("a factor 1/n was lost: 4/n and 8/n² in place of 4/n² and 8/n³")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    b = X @ X.T @ a
    return -4 / n * (a @ b) + 8 * lr / n**2 * (b @ b)


@mistake("4/n in place of 4/n²: both the loss and the step have 1/n")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    b = X @ X.T @ a
    return -4 / n * (a @ b) + 8 * lr / n**3 * (b @ b)


@mistake("8/n² in place of 8/n³: the second term has two steps in it, and the loss")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    b = X @ X.T @ a
    return -4 / n**2 * (a @ b) + 8 * lr / n**2 * (b @ b)


@mistake("all factors 1/n are missing: the loss is a mean")
def _(X, w0, t, lr):
    a = X @ w0 - t
    b = X @ X.T @ a
    return -4 * (a @ b) + 8 * lr * (b @ b)


@mistake("the factor 2 of the gradient is missing")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    b = X @ X.T @ a
    return -2 / n**2 * (a @ b) + 2 * lr / n**3 * (b @ b)


@mistake("the number of weights d in place of the examples n")
def _(X, w0, t, lr):
    d, a = len(w0), X @ w0 - t
    b = X @ X.T @ a
    return -4 / d**2 * (a @ b) + 8 * lr / d**3 * (b @ b)


@mistake("the square's factor 2 is missing in the second term")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    b = X @ X.T @ a
    return -4 / n**2 * (a @ b) + 4 * lr / n**3 * (b @ b)


@mistake("the gradient at w0 in both places: the outer one has to be taken at w1")
def _(X, w0, t, lr):
    g = 2 / len(t) * X.T @ (X @ w0 - t)
    return -g @ g


@mistake("the gradient at w1 in both places: the step itself used the one at w0")
def _(X, w0, t, lr):
    n = len(t)
    w1 = w0 - 2 * lr / n * X.T @ (X @ w0 - t)
    g = 2 / n * X.T @ (X @ w1 - t)
    return -g @ g


@mistake("not a norm: the root is left over in both terms")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    first, second = np.linalg.norm(X.T @ a), np.linalg.norm(X @ X.T @ a)
    return -4 / n**2 * first + 8 * lr / n**3 * second


@mistake("X X^T and X^T X confused: the shapes fit only if n equals d")
def _(X, w0, t, lr):
    n, a = len(t), X @ w0 - t
    b = X.T @ X @ a
    return -4 / n**2 * (a @ b) + 8 * lr / n**3 * (b @ b)


@mistake("the derivative in the weights, not in the learning rate")
def _(X, w0, t, lr):
    w1 = w0 - 2 * lr / len(t) * X.T @ (X @ w0 - t)
    return 2 / len(t) * X.T @ (X @ w1 - t)


@mistake("overwrites the caller's targets: -= is in place")
def _(X, w0, t, lr):
    n = len(t)
    t -= X @ w0
    b = X @ X.T @ t
    return -4 / n**2 * (t @ b) + 8 * lr / n**3 * (b @ b)


@alternative("the chain rule: two gradients, multiplied")
def _(X, w0, t, lr):
    def gradient(w):
        return 2 * np.mean((X @ w - t)[:, None] * X, axis=0)

    return -float(gradient(w0 - lr * gradient(w0)) @ gradient(w0))


@alternative("torch's automatic differentiation of the step")
def _(X, w0, t, lr):
    X, w0, t = (torch.tensor(value) for value in (X, w0, t))
    eta = torch.tensor(lr, dtype=torch.float64, requires_grad=True)
    w1 = w0 - eta * 2 * X.T @ (X @ w0 - t) / len(t)
    return torch.autograd.grad(((X @ w1 - t) ** 2).mean(), eta)[0]


@alternative("a parabola through three points is exact")
def _(X, w0, t, lr):
    def loss(eta):
        return np.mean((X @ (w0 - 2 * eta / len(t) * X.T @ (X @ w0 - t)) - t) ** 2)

    return (loss(lr + 0.5) - loss(lr - 0.5)) / 1.0
