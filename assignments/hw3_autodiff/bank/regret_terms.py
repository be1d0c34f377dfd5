import numpy as np
import torch

from autograder import alternative, mistake


def sides(v, w_star, eta, late=False, start=0.0, left=None, right=None):
    """Return both sides, with the points to choose, and each side as a function of its parts."""
    w, total = np.full(len(w_star), start), 0.0
    for row in v:
        after = w - eta * row
        point = after if late else w
        total += np.dot(point - w_star, row) if left is None else left(point, w_star, row)
        w = after
    star, squares = np.sum(w_star**2), np.sum(v**2)
    return float(total), float((right or (lambda a, b: a / (2 * eta) + eta / 2 * b))(star, squares))


for misconception, changes in (
    (
        "each vector is weighed at the point after its step: the points are one too late",
        {"late": True},
    ),
    ("the start is not zero", {"start": 1.0}),
    ("the sign on the left: the point minus w*", {"left": lambda w, s, v: np.dot(s - w, v)}),
    ("w* is left out on the left", {"left": lambda w, s, v: np.dot(w, v)}),
    (
        "the sizes of the products are added up, not the products",
        {"left": lambda w, s, v: abs(np.dot(w - s, v))},
    ),
    (
        "lengths are multiplied in place of an inner product",
        {"left": lambda w, s, v: np.linalg.norm(w - s) * np.linalg.norm(v)},
    ),
):
    mistake(
        misconception,
        regret_terms=lambda v, w_star, eta, changes=changes: sides(v, w_star, eta, **changes),
    )

for misconception, right in (
    ("the sign of the second term on the right", lambda a, b, eta: a / (2 * eta) - eta / 2 * b),
    ("eta squared in the second term", lambda a, b, eta: a / (2 * eta) + eta**2 / 2 * b),
    ("eta is missing in the second term", lambda a, b, eta: a / (2 * eta) + b / 2),
    (
        "lengths multiplied, as by Cauchy and Schwarz, in place of the two terms",
        lambda a, b, eta: np.sqrt(a) * np.sqrt(b) / 2,
    ),
    ("the first term is divided by 2, not by 2 eta", lambda a, b, eta: a / 2 + eta / 2 * b),
    ("eta is a factor of the first term too", lambda a, b, eta: a * eta / 2 + eta / 2 * b),
    ("the halves are missing", lambda a, b, eta: a / eta + eta * b),
    ("the half is missing in the first term", lambda a, b, eta: a / eta + eta / 2 * b),
    ("the half is missing in the second term", lambda a, b, eta: a / (2 * eta) + eta * b),
    (
        "the norm of w*, not its square",
        lambda a, b, eta: np.sqrt(a) / (2 * eta) + eta / 2 * b,
    ),
    (
        "the root of the sum of squares",
        lambda a, b, eta: a / (2 * eta) + eta / 2 * np.sqrt(b),
    ),
    ("only the term with w*", lambda a, b, eta: a / (2 * eta)),
    ("only the term with the vectors", lambda a, b, eta: eta / 2 * b),
    ("the smallest value over all step sizes", lambda a, b, eta: np.sqrt(a * b)),
):
    mistake(
        misconception,
        regret_terms=lambda v, w_star, eta, right=right: sides(
            v, w_star, eta, right=lambda a, b: right(a, b, eta)
        ),
    )


@mistake("means in place of sums over the steps")
def _(v, w_star, eta):
    left, _ = sides(v, w_star, eta)
    right = np.sum(w_star**2) / (2 * eta) + eta / 2 * np.mean(np.sum(v**2, axis=1))
    return left / len(v), right


@mistake("the squared norm of the summed vector")
def _(v, w_star, eta):
    right = np.sum(w_star**2) / (2 * eta) + eta / 2 * np.sum(np.sum(v, axis=0) ** 2)
    return sides(v, w_star, eta)[0], right


@mistake("the two sides are swapped")
def _(v, w_star, eta):
    return sides(v, w_star, eta)[::-1]


@mistake("uphill: the steps go along the vectors")
def _(v, w_star, eta):
    left = sum(np.dot(eta * v[:t].sum(axis=0) - w_star, v[t]) for t in range(len(v)))
    return float(left), sides(v, w_star, eta)[1]


@mistake("one step short: the last vector is left out")
def _(v, w_star, eta):
    return sides(v[:-1], w_star, eta)


@mistake("the next point stands in the place of w* on the left")
def _(v, w_star, eta):
    return float(eta * np.sum(v**2)), sides(v, w_star, eta)[1]


@mistake("the point never moves from zero")
def _(v, w_star, eta):
    return float(-np.sum(v @ w_star)), sides(v, w_star, eta)[1]


@mistake("the points are kept in an array of whole numbers, which cuts their fractions off")
def _(v, w_star, eta):
    w, left = np.zeros_like(w_star), 0.0
    for row in v:
        left += float((w - w_star) @ row)
        w = (w - eta * row).astype(w.dtype)
    return left, sides(v, w_star, eta)[1]


@mistake("overwrites the caller's w*: -= works in place")
def _(v, w_star, eta):
    answer = sides(v, w_star, eta)
    w_star -= 1
    return answer


@mistake("overwrites the caller's vectors: *= works in place")
def _(v, w_star, eta):
    answer = sides(v, w_star, eta)
    v *= 2
    return answer


@alternative("step by step")
def _(v, w_star, eta):
    return sides(v, w_star, eta)


@alternative("from the matrix of all inner products")
def _(v, w_star, eta):
    gram = v @ v.T
    left = -eta * np.tril(gram, -1).sum() - (v @ w_star).sum()
    return left, (w_star @ w_star / eta + eta * np.trace(gram)) / 2


@alternative("the left side from the last point alone")
def _(v, w_star, eta):
    v, w_star = torch.as_tensor(v).double(), torch.as_tensor(w_star).double()
    right = (w_star.norm() ** 2 / eta + eta * (v.norm() ** 2)) / 2
    end = -eta * v.sum(dim=0)
    return [right - ((end - w_star) ** 2).sum() / 2 / eta, right]
