import numpy as np
import torch

from autograder import alternative, mistake

mistake(
    "the targets are weighted: a limit that fits needs no weights",
    edit=("np.linalg.solve(X @ X.T, y)", "np.linalg.solve(X @ X.T, p * y)"),
)


mistake(
    "weighted by n p, so that equal shares change nothing",
    edit=("np.linalg.solve(X @ X.T, y)", "np.linalg.solve(X @ X.T, len(p) * p * y)"),
)


mistake(
    "the coefficients of the examples are weighted",
    edit=("X.T @ np.linalg.solve(X @ X.T, y)", "X.T @ (p * np.linalg.solve(X @ X.T, y))"),
)


mistake(
    "the examples are weighted, and the targets are not",
    edit=("X.T @ np.linalg.solve(X @ X.T, y)", "np.linalg.pinv(np.sqrt(p)[:, None] * X) @ y"),
)


mistake(
    "the mean of what each example alone would lead to",
    edit=("X.T @ np.linalg.solve(X @ X.T, y)", "X.T @ (p * y / np.sum(X**2, axis=1))"),
)


mistake(
    "weighted normal equations, whose matrix is singular",
    edit=("X.T @ np.linalg.solve(X @ X.T, y)", "np.linalg.solve((X.T * p) @ X, (X.T * p) @ y)"),
)


mistake(
    "the inverse of a singular matrix",
    edit=("X.T @ np.linalg.solve(X @ X.T, y)", "X.T @ np.linalg.inv(X.T @ X) @ y"),
)


mistake(
    "weighted ridge regression: the weights matter only there",
    edit=(
        "X.T @ np.linalg.solve(X @ X.T, y)",
        "np.linalg.solve((X.T * p) @ X + 1e-4 * np.eye(X.shape[1]), (X.T * p) @ y)",
    ),
)


@mistake("a run that is too short: rare examples are not learned yet")
def _(X, y, p):
    theta, lr = np.zeros(X.shape[1]), 0.25 / np.linalg.norm(X) ** 2
    for _ in range(60):
        theta = theta + 2 * lr * (X.T * p) @ (y - X @ theta)
    return theta


@mistake("a random start: it stays in part")
def _(X, y, p):
    start = np.random.default_rng(1).normal(size=X.shape[1])
    return start + np.linalg.pinv(X) @ (y - X @ start)


@mistake("without the probabilities: ordinary least squares", of="stationary_point")
def _(X, y, p):
    return np.linalg.lstsq(X, y)[0]


@mistake("the probabilities are missing on the right-hand side", of="stationary_point")
def _(X, y, p):
    return np.linalg.solve((X.T * p) @ X, X.T @ y)


@mistake("the probabilities are missing in the matrix", of="stationary_point")
def _(X, y, p):
    return np.linalg.solve(X.T @ X, (X.T * p) @ y)


@mistake("the probabilities are squared", of="stationary_point")
def _(X, y, p):
    return np.linalg.lstsq(X * p[:, None], y * p)[0]


@mistake("one over the probabilities: rare examples count more", of="stationary_point")
def _(X, y, p):
    return np.linalg.solve((X.T / p) @ X, (X.T / p) @ y)


@mistake("the formula for n < d: its matrix is singular here", of="stationary_point")
def _(X, y, p):
    return X.T @ np.linalg.solve(X @ X.T, y)


@mistake("the sign: the residuals do not cancel", of="stationary_point")
def _(X, y, p):
    return -np.linalg.solve((X.T * p) @ X, (X.T * p) @ y)


@alternative("weighted on both sides, and shortest")
def _(X, y, p):
    root = np.sqrt(p)
    return np.linalg.pinv(root[:, None] * X) @ (root * y)


@alternative("a least squares routine")
def _(X, y, p):
    return np.linalg.lstsq(X, y)[0]


@alternative("one example after the other, each with what is new in it")
def _(X, y, p):
    theta, directions = torch.zeros(X.shape[1]).double(), []
    for x, target in zip(torch.from_numpy(X), torch.from_numpy(y), strict=True):
        new = x.clone()
        for _ in range(2):  # twice against rounding
            for u in directions:
                new = new - (u @ new) * u
        directions.append(new / new.norm())
        theta = theta + (target - x @ theta) / (x @ directions[-1]) * directions[-1]
    return theta


@alternative("a run through the examples in turn")
def _(X, y, p):
    theta, lr = np.zeros(X.shape[1]), 0.5 / np.max(np.sum(X**2, axis=1))
    while np.abs(X @ theta - y).max() > 1e-12:
        for x, target in zip(X, y, strict=True):
            theta = theta + 2 * lr * (target - x @ theta) * x
    return theta


@alternative("a least squares routine with weighted rows", of="stationary_point")
def _(X, y, p):
    return np.linalg.lstsq(X * np.sqrt(p)[:, None], y * np.sqrt(p))[0]


@alternative("sums over the examples, and an inverse", of="stationary_point")
def _(X, y, p):
    X, y, p = (torch.from_numpy(a) for a in (X, y, p))
    matrix = sum(w * torch.outer(x, x) for w, x in zip(p, X, strict=True))
    vector = sum(w * t * x for w, t, x in zip(p, y, X, strict=True))
    return torch.linalg.inv(matrix) @ vector
