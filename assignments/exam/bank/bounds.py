import numpy as np
import torch

from autograder import alternative, mistake
from reference.sgd_convergence import contraction_constants


def spectrum(X, p):
    """Return the smallest nonzero and the largest eigenvalue, and the largest squared length."""
    values = np.linalg.svd(np.sqrt(p)[:, None] * X, compute_uv=False) ** 2
    return values[-1], values[0], np.max(np.sum(X**2, axis=1))


@mistake("the factor 4 is lost in both bounds: they are false", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, p)
    return lr * low, lr**2 * high * longest


@mistake("the factor 4 is lost in the bound of B", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * low, lr**2 * high * longest


@mistake("the factor 4 is lost in the bound of A", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, p)
    return lr * low, 4 * lr**2 * high * longest


@mistake(
    "the smallest eigenvalue is zero for n < d: the smallest above zero counts",
    of="contraction_constants",
)
def _(X, p, lr):
    values = np.linalg.eigvalsh((X.T * p) @ X)
    low = values[0] if X.shape[0] < X.shape[1] else 0.0
    return 4 * lr * low, 4 * lr**2 * values[-1] * np.max(np.sum(X**2, axis=1))


@mistake("the second smallest eigenvalue: more than one can be zero", of="contraction_constants")
def _(X, p, lr):
    values = np.linalg.eigvalsh((X.T * p) @ X)
    return 4 * lr * values[1], 4 * lr**2 * values[-1] * np.max(np.sum(X**2, axis=1))


@mistake("the eigenvalues of the examples without probabilities", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, np.ones_like(p))
    return 4 * lr * low, 4 * lr**2 * high * longest


@mistake("the mean over the examples for the expectation", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, np.full_like(p, 1 / len(p)))
    return 4 * lr * low, 4 * lr**2 * high * longest


@mistake("singular values, where their squares belong", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * np.sqrt(low), 4 * lr**2 * np.sqrt(high) * longest


@mistake("the learning rate is not squared in b", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * low, 4 * lr * high * longest


@mistake("the square of the learning rate comes twice in b", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * low, 4 * lr**4 * high * longest


@mistake("the length of the longest example, not its square", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * low, 4 * lr**2 * high * np.sqrt(longest)


@mistake("the lengths of the weighted rows, not of the examples", of="contraction_constants")
def _(X, p, lr):
    low, high, _ = spectrum(X, p)
    return 4 * lr * low, 4 * lr**2 * high * np.max(p * np.sum(X**2, axis=1))


@mistake("the mean squared length, which is no upper bound", of="contraction_constants")
def _(X, p, lr):
    low, high, _ = spectrum(X, p)
    return 4 * lr * low, 4 * lr**2 * high * p @ np.sum(X**2, axis=1)


@mistake("the largest and the smallest eigenvalue are swapped", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * high, 4 * lr**2 * low * longest


@mistake("a is to be positive: the bound has the sign", of="contraction_constants")
def _(X, p, lr):
    low, high, longest = spectrum(X, p)
    return -4 * lr * low, 4 * lr**2 * high * longest


@mistake("the largest eigenvalue squared, without the examples", of="contraction_constants")
def _(X, p, lr):
    low, high, _ = spectrum(X, p)
    return 4 * lr * low, 4 * lr**2 * high**2


@mistake("the eigenvalue zero: no learning rate seems to work", of="learning_rates")
def _(X, p):
    return 0.0, 0.0, 0.0


@mistake("the limit for the best: the parabola is zero there", of="learning_rates")
def _(X, p):
    low, high, longest = spectrum(X, p)
    limit = low / high / longest
    return limit, limit, 0.0


@mistake("the factor 4 is lost in one bound, and shifts the limit", of="learning_rates")
def _(X, p):
    low, high, longest = spectrum(X, p)
    limit = 4 * low / high / longest
    return limit, limit / 2, limit * low


@mistake("the factor 4 is lost in both bounds: rho is a quarter", of="learning_rates")
def _(X, p):
    low, high, longest = spectrum(X, p)
    limit = low / high / longest
    return limit, limit / 2, limit * low / 4


@mistake("b is left out of rho", of="learning_rates")
def _(X, p):
    low, high, longest = spectrum(X, p)
    limit = low / high / longest
    return limit, limit / 2, 2 * limit * low


@mistake("one over the curvature: the rule for the full gradient", of="learning_rates")
def _(X, p):
    low, high, _ = spectrum(X, p)
    return 1 / high, 1 / (2 * high), low / high


@mistake("one over the squared length: the eigenvalues are left out", of="learning_rates")
def _(X, p):
    low, _, longest = spectrum(X, p)
    return 1 / longest, 1 / (2 * longest), low / longest


@mistake("turned upside down: large eigenvalues ask for small steps", of="learning_rates")
def _(X, p):
    low, high, longest = spectrum(X, p)
    limit = high / low / longest
    return limit, limit / 2, limit * low


@mistake("the eigenvalues without the probabilities", of="learning_rates")
def _(X, p):
    low, high, longest = spectrum(X, np.ones_like(p))
    limit = low / high / longest
    return limit, limit / 2, limit * low


@mistake("1 - rho in place of rho", of="learning_rates")
def _(X, p):
    low, high, longest = spectrum(X, p)
    limit = low / high / longest
    return limit, limit / 2, 1 - limit * low


@alternative("singular values of the weighted rows", of="contraction_constants")
def _(X, p, lr):
    values = np.linalg.svd(X * np.sqrt(p)[:, None], compute_uv=False)
    longest = max(np.linalg.norm(x) for x in X)
    return 4 * lr * values.min() ** 2, (2 * lr * values.max() * longest) ** 2


@alternative("eigenvalues of the large matrix, without zeros", of="contraction_constants")
def _(X, p, lr):
    X, p = torch.from_numpy(X), torch.from_numpy(p)
    values = torch.linalg.eigvalsh(X.T @ torch.diag(p) @ X)[-len(p) :]
    return 4 * lr * values[0], 4 * lr**2 * values[-1] * (X * X).sum(1).max()


@alternative("all eigenvalues above a threshold", of="contraction_constants")
def _(X, p, lr):
    values = np.linalg.eigvals((X.T * p) @ X).real
    values = np.sort(values[values > 1e-9 * values.max()])
    return [4 * lr * float(values[0]), 4 * lr * lr * float(values[-1]) * float((X**2).sum(1).max())]


@alternative("read off the constants at two learning rates", of="learning_rates")
def _(X, p):
    a, b = contraction_constants(X, p, 1.0)
    return a / b, a / (2 * b), a * a / (4 * b)


@alternative("singular values, and the parabola at its top", of="learning_rates")
def _(X, p):
    low, high, longest = spectrum(X, p)
    best = low / (2 * high * longest)
    rho = 4 * best * low - 4 * best**2 * high * longest
    return np.array([2 * best, best, rho]).tolist()
