import numpy as np
import torch

from autograder import alternative, mistake


@mistake("the probabilities, not their roots: they are squared later", of="lyapunov_rows")
def _(X, p):
    return p[:, None] * X


@mistake("without the probabilities", of="lyapunov_rows")
def _(X, p):
    return X.copy()


@mistake("the mean of the examples: the probabilities are not equal", of="lyapunov_rows")
def _(X, p):
    return X / np.sqrt(len(p))


@mistake("weighted by n p, so that equal shares change nothing", of="lyapunov_rows")
def _(X, p):
    return np.sqrt(len(p) * p)[:, None] * X


@mistake("divided by the roots of the probabilities", of="lyapunov_rows")
def _(X, p):
    return X / np.sqrt(p)[:, None]


@mistake("the product of the matrix with itself, d by d", of="lyapunov_rows")
def _(X, p):
    return (X.T * p) @ X


@mistake("transposed: one row for each example", of="lyapunov_rows")
def _(X, p):
    return (np.sqrt(p)[:, None] * X).T


@mistake("a mean over the examples, whatever their probabilities", of="lyapunov")
def _(theta, limit, X, p):
    return np.mean((X @ (theta - limit)) ** 2)


@mistake("the sum over the examples, without their probabilities", of="lyapunov")
def _(theta, limit, X, p):
    return np.sum((X @ (theta - limit)) ** 2)


@mistake("the probabilities are squared", of="lyapunov")
def _(theta, limit, X, p):
    return np.sum((p * (X @ (theta - limit))) ** 2)


@mistake("the length, not its square", of="lyapunov")
def _(theta, limit, X, p):
    return np.sqrt(p @ (X @ (theta - limit)) ** 2)


@mistake("the square of the expected residual", of="lyapunov")
def _(theta, limit, X, p):
    return (p @ (X @ (theta - limit))) ** 2


@mistake("a factor 1/2 that the loss does not have", of="lyapunov")
def _(theta, limit, X, p):
    return p @ (X @ (theta - limit)) ** 2 / 2


@mistake("the distance to the limit, without the examples", of="lyapunov")
def _(theta, limit, X, p):
    return np.sum((theta - limit) ** 2)


@mistake("the limit is left out", of="lyapunov")
def _(theta, limit, X, p):
    return p @ (X @ theta) ** 2


@alternative("with some signs turned", of="lyapunov_rows")
def _(X, p):
    signs = np.where(np.arange(len(p)) % 2, -1, 1)
    return torch.from_numpy(np.diag(signs * p**0.5) @ X)


@alternative("row by row", of="lyapunov_rows")
def _(X, p):
    return [list(float(w) ** 0.5 * x) for w, x in zip(p, X, strict=True)]


@alternative("turned in the space of the examples", of="lyapunov_rows")
def _(X, p):
    turn = np.linalg.qr(np.vander(np.arange(1.0, len(p) + 1)))[0]
    return turn @ (np.sqrt(p)[:, None] * X)


@alternative("a quadratic form", of="lyapunov")
def _(theta, limit, X, p):
    d = torch.from_numpy(limit - theta)
    return d @ torch.from_numpy(X.T @ np.diag(p) @ X) @ d


@alternative("the expected loss, example by example", of="lyapunov")
def _(theta, limit, X, p):
    return sum(float(w) * float(x @ limit - x @ theta) ** 2 for w, x in zip(p, X, strict=True))
