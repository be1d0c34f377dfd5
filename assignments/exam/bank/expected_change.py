import numpy as np
import torch

from autograder import alternative, mistake


def parts_of_change(theta, limit, X, p):
    """Return the difference, the matrix of the quadratic form, and the residuals."""
    return theta - limit, (X.T * p) @ X, X @ (theta - limit)


@mistake("the factor 2 of the gradient is missing")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -2 * lr * d @ H @ H @ d, lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@mistake("the factor 2 of the mixed term is missing in A")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -2 * lr * d @ H @ H @ d, 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@mistake("the factor 2 is not squared in B")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d, 2 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@mistake("the sign of A: a step against the gradient brings the function down")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return 4 * lr * d @ H @ H @ d, 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@mistake("the matrix comes once in A: once in the function, once more in the step")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ d, 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@mistake("the square of the learning rate is written twice in B")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d, 4 * lr**4 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@mistake("the expectation of a product taken for a product of expectations")
def _(theta, limit, X, p, lr):
    d, H, _ = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * d @ H @ H @ H @ d


@mistake("the squared lengths of the examples, where the quadratic form belongs")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * p @ (np.sum(X**2, axis=1) * r**2)


@mistake("the estimate of B, not B itself")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    largest = np.linalg.eigvalsh(H)[-1] * np.max(np.sum(X**2, axis=1))
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * largest * p @ r**2


@mistake("without the probabilities")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, np.ones_like(p))
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * np.sum(np.sum(X @ H * X, axis=1) * r**2)


@mistake("all examples equally likely: the mean in place of the expectation")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, np.full_like(p, 1 / len(p)))
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * np.mean(np.sum(X @ H * X, axis=1) * r**2)


@mistake("A and B in the wrong order")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2), -4 * lr * d @ H @ H @ d


@mistake("the sum, where both parts are asked for")
def _(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d + 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@mistake("full gradient descent: the noise of the examples is missing in B")
def _(theta, limit, X, p, lr):
    d, H, _ = parts_of_change(theta, limit, X, p)
    step = -2 * lr * H @ d
    return 2 * d @ H @ step, step @ H @ step


@alternative("all possible steps, one by one")
def _(theta, limit, X, p, lr):
    a, b = 0.0, 0.0
    H = X.T @ np.diag(p) @ X
    for w, x in zip(p, X, strict=True):
        step = 2 * lr * (x @ limit - x @ theta) * x
        a += w * 2 * (theta - limit) @ H @ step
        b += w * step @ H @ step
    return [float(a), float(b)]


@alternative("odd and even in the learning rate, from steps in both directions")
def _(theta, limit, X, p, lr):
    def value(weights):
        return p @ (X @ (weights - limit)) ** 2

    def change(rate):
        moved = [theta - 2 * rate * (x @ (theta - limit)) * x for x in X]
        return p @ np.array([value(weights) - value(theta) for weights in moved])

    return (change(lr) - change(-lr)) / 2, (change(lr) + change(-lr)) / 2


@alternative("matrices throughout")
def _(theta, limit, X, p, lr):
    X, p, d = torch.from_numpy(X), torch.from_numpy(p), torch.from_numpy(theta - limit)
    outer = torch.einsum("ij,ik->ijk", X, X)
    H = torch.einsum("i,ijk->jk", p, outer)
    a = -4 * lr * d @ (H @ H) @ d
    b = 4 * lr**2 * d @ torch.einsum("i,ijk,kl,ilm->jm", p, outer, H, outer) @ d
    return a, b
