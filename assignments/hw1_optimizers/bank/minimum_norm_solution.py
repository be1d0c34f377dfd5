import numpy as np
import torch

from autograder import alternative, mistake

mistake(
    "the normal equations: XᵀX is singular if there are more weights than examples",
    edit=("X.T @ np.linalg.solve(X @ X.T, t)", "np.linalg.solve(X.T @ X, X.T @ t)"),
)


mistake(
    "the inverse of XᵀX, which has none: rounding only hides it",
    edit=("X.T @ np.linalg.solve(X @ X.T, t)", "np.linalg.inv(X.T @ X) @ X.T @ t"),
)


mistake(
    "Xᵀ(XᵀX)⁻¹ for Xᵀ(XXᵀ)⁻¹: the shapes do not fit",
    edit=("X.T @ np.linalg.solve(X @ X.T, t)", "X.T @ np.linalg.inv(X.T @ X) @ t"),
)


@mistake("ridge regression: the added term makes the system solvable, and the answer wrong")
def _(X, t):
    return np.linalg.solve(X.T @ X + 1e-8 * np.eye(X.shape[1], dtype=X.dtype), X.T @ t)


mistake(
    "ridge regression with a large term: the targets are not fitted",
    edit=("X @ X.T", "X @ X.T + 0.01 * np.eye(len(t), dtype=X.dtype)"),
)


@mistake(
    "a solution, but not the shortest: only the first n weights are used",
)
def _(X, t):
    w = np.zeros_like(X[0])
    w[: len(t)] = np.linalg.solve(X[:, : len(t)], t)
    return w


@mistake(
    "gradient descent from random weights: what it starts with outside of the row space stays",
)
def _(X, t):
    start = np.random.default_rng(0).normal(size=X.shape[1]).astype(X.dtype)
    return start + X.T @ np.linalg.solve(X @ X.T, t - X @ start)


@mistake(
    "too few steps of gradient descent: the answer is only on its way",
)
def _(X, t):
    w, lr = np.zeros_like(X[0]), 0.5 / np.linalg.norm(X) ** 2
    for _ in range(20):
        w = w - lr * 2 * X.T @ (X @ w - t)
    return w.astype(X.dtype)


mistake(
    "the coefficients of the rows, not the weights: multiply by Xᵀ",
    edit=("X.T @ np.linalg.solve(X @ X.T, t)", "np.linalg.solve(X @ X.T, t)"),
)


mistake(
    "Xᵀt alone: the rows are neither of length one nor orthogonal",
    edit=("np.linalg.solve(X @ X.T, t)", "t"),
)


@mistake(
    "the size of each target is divided out one by one: the rows are not orthogonal",
)
def _(X, t):
    w = X.T @ (t / np.sum(X**2, axis=1))
    return w if len(t) > 1 else np.zeros_like(w)


@alternative("the pseudoinverse")
def _(X, t):
    return np.linalg.pinv(X) @ t


@alternative(
    "a least squares routine, which returns the shortest of many",
)
def _(X, t):
    return np.linalg.lstsq(X, t)[0]


@alternative("a QR decomposition of the transpose")
def _(X, t):
    q, r = np.linalg.qr(X.T)
    return q @ np.linalg.solve(r.T, t)


@alternative("a singular value decomposition")
def _(X, t):
    u, s, vt = np.linalg.svd(X, full_matrices=False)
    return vt.T @ ((u.T @ t) / s)


@alternative(
    "any solution, with its part outside of the row space taken away",
)
def _(X, t):
    X_, t_ = torch.from_numpy(X), torch.from_numpy(t)
    anything = torch.linalg.lstsq(X_, t_[:, None], driver="gelsd").solution[:, 0]
    _, _, vt = torch.linalg.svd(X_)
    null = vt[len(t) :]
    return (anything - null.T @ (null @ anything)).numpy()
