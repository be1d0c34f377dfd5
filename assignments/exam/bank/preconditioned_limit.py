import numpy as np
import torch

from autograder import alternative, mistake


@mistake("the minimum norm solution: M changes the directions of the steps")
def _(X, y, m):
    return X.T @ np.linalg.solve(X @ X.T, y)


@mistake("the minimum norm solution multiplied by M: it does not fit any more")
def _(X, y, m):
    return m * (X.T @ np.linalg.solve(X @ X.T, y))


@mistake("M inside only: the steps themselves are multiplied by it")
def _(X, y, m):
    return X.T @ np.linalg.solve(X * m @ X.T, y)


@mistake("M twice: it comes once in the steps and once in the fit")
def _(X, y, m):
    return (X * m**2).T @ np.linalg.solve(X * m**2 @ X.T, y)


@mistake("M turned around")
def _(X, y, m):
    return (X / m).T @ np.linalg.solve(X / m @ X.T, y)


@mistake("the root of M")
def _(X, y, m):
    root = np.sqrt(m)
    return (X * root).T @ np.linalg.solve(X * root @ X.T, y)


@mistake("shortest in the new coordinates, but not turned back")
def _(X, y, m):
    return np.linalg.pinv(X * np.sqrt(m)) @ y


@mistake("the normal equations: their matrix is singular for n < d")
def _(X, y, m):
    return np.linalg.solve((X * m).T @ X, (X * m).T @ y)


@mistake("a ridge term for a matrix that needs none")
def _(X, y, m):
    return (X * m).T @ np.linalg.solve(X * m @ X.T + 1e-3 * np.eye(len(y)), y)


@mistake("a start at ones: a part of it is never unlearned")
def _(X, y, m):
    start = np.ones(X.shape[1])
    return start + (X * m).T @ np.linalg.solve(X * m @ X.T, y - X @ start)


@mistake("too few steps")
def _(X, y, m):
    theta, lr = np.zeros(X.shape[1]), 0.3 / np.linalg.norm(X * np.sqrt(m)) ** 2
    for _ in range(8):
        theta = theta - lr * m * (2 * X.T @ (X @ theta - y))
    return theta


@alternative("the minimum norm solution in other coordinates")
def _(X, y, m):
    root = np.sqrt(m)
    return root * (np.linalg.pinv(X * root) @ y)


@alternative("the smallest of all weighted lengths, by Lagrange's equations")
def _(X, y, m):
    n, d = X.shape
    system = np.block([[np.diag(1 / m), X.T], [X, np.zeros((n, n))]])
    return np.linalg.solve(system, np.concatenate([np.zeros(d), y]))[:d]


@alternative("a run that is long enough")
def _(X, y, m):
    theta, lr = np.zeros(X.shape[1]), 0.9 / np.linalg.norm(X * np.sqrt(m), 2) ** 2
    while np.abs(residuals := X @ theta - y).max() > 1e-12:
        theta = theta - lr * m * (X.T @ residuals)
    return theta


@alternative("torch's solver")
def _(X, y, m):
    X, y, M = torch.from_numpy(X), torch.from_numpy(y), torch.diag(torch.from_numpy(m))
    return M @ X.T @ (torch.linalg.inv(X @ M @ X.T) @ y)
