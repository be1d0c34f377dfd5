import numpy as np
import torch

from autograder import alternative, mistake
from reference.hypergradients import d2loss_deta2, dloss_deta


def best_rate(X, w0, t, factor):
    """Return the quotient of 1.5 with some factor, or 0.0."""
    a = X @ w0 - t
    first, second = X.T @ a, X @ X.T @ a
    return factor * (first @ first) / (second @ second) if second.any() else 0.0


@mistake("the factor n/2 is missing")
def _(X, w0, t):
    return best_rate(X, w0, t, 1.0)


@mistake("the factor is n/2, not n")
def _(X, w0, t):
    return best_rate(X, w0, t, float(len(t)))


@mistake("n is missing: that is the answer for a sum in place of a mean")
def _(X, w0, t):
    return best_rate(X, w0, t, 0.5)


@mistake("the number of weights d in place of the examples n")
def _(X, w0, t):
    return best_rate(X, w0, t, len(w0) / 2)


@mistake("the sign: the slope at zero is negative")
def _(X, w0, t):
    return -best_rate(X, w0, t, len(t) / 2)


@mistake("numerator and denominator swapped")
def _(X, w0, t):
    right = best_rate(X, w0, t, len(t) / 2)
    return (len(t) / 2) ** 2 / right if right else 0.0


@mistake("norms in place of squared norms")
def _(X, w0, t):
    return len(t) / 2 * best_rate(X, w0, t, 1.0) ** 0.5


@mistake("one X^T too many in the denominator: the shapes do not fit")
def _(X, w0, t):
    a = X @ w0 - t
    if not (X.T @ a).any():
        return 0.0
    return len(t) / 2 * (a @ X @ X.T @ a) / (a @ X @ X.T @ X.T @ a)


@mistake("one X^T X too many in the denominator")
def _(X, w0, t):
    a = X @ w0 - t
    first, third = X.T @ a, X.T @ X @ X.T @ a
    return len(t) / 2 * (first @ first) / (third @ third) if third.any() else 0.0


@mistake("safe for every start, but not the best for this one: one over the largest curvature")
def _(X, w0, t):
    return len(t) / 2 / np.linalg.eigvalsh(X @ X.T)[-1]


@mistake("overwrites the caller's targets: -= is in place")
def _(X, w0, t):
    n = len(t)
    t -= X @ w0
    first, second = X.T @ t, X @ X.T @ t
    return n / 2 * (first @ first) / (second @ second) if second.any() else 0.0


@mistake("divides zero by zero")
def _(X, w0, t):
    a = X @ w0 - t
    first, second = X.T @ a, X @ X.T @ a
    return len(t) / 2 * (first @ first) / (second @ second)


@mistake(
    "only residuals that are all zero are caught: they need not vanish where the gradient does"
)
def _(X, w0, t):
    a = X @ w0 - t
    first, second = X.T @ a, X @ X.T @ a
    return len(t) / 2 * (first @ first) / (second @ second) if a.any() else 0.0


@mistake("a fixed threshold takes small data for zero")
def _(X, w0, t):
    a = X @ w0 - t
    first, second = X.T @ a, X @ X.T @ a
    flat = np.isclose(second @ second, 0.0)
    return 0.0 if flat else len(t) / 2 * (first @ first) / (second @ second)


@mistake("a small number added to the denominator changes the answer for small data")
def _(X, w0, t):
    a = X @ w0 - t
    first, second = X.T @ a, X @ X.T @ a
    return len(t) / 2 * (first @ first) / (second @ second + 1e-12)


@mistake("infinity where every learning rate is as good as any other: 0.0 is asked for")
def _(X, w0, t):
    a = X @ w0 - t
    first, second = X.T @ a, X @ X.T @ a
    return len(t) / 2 * (first @ first) / (second @ second) if second.any() else np.inf


@alternative("the slope at zero over the curvature")
def _(X, w0, t):
    curvature = d2loss_deta2(X, w0, t)
    return -dloss_deta(X, w0, t, 0.0) / curvature if curvature > 0 else 0.0


@alternative("the exact line search along the gradient")
def _(X, w0, t):
    g = np.mean((X @ w0 - t)[:, None] * X, axis=0) * 2
    bent = 2 * float(np.mean((X @ g) ** 2))
    return float(g @ g) / bent if bent else 0.0


@alternative("multiplied out, with w0 and t apart, in torch")
def _(X, w0, t):
    X, w0, t = (torch.tensor(value) for value in (X, w0, t))
    K = X @ X.T
    a = X @ w0 - t
    below = (K @ a).square().sum()
    above = a @ K @ (X @ w0 - t)
    return torch.where(below > 0, len(t) / 2 * above / below, 0.0)
