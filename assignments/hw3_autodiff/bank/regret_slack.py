import numpy as np
import torch

from autograder import alternative, mistake

for misconception, wrong in (
    ("nothing is lost: both sides were taken for equal", lambda w, s, eta: 0.0),
    ("the half is missing", lambda w, s, eta: np.sum((w - s) ** 2) / eta),
    ("it is divided by eta, not multiplied", lambda w, s, eta: np.sum((w - s) ** 2) * eta / 2),
    ("eta is left out", lambda w, s, eta: np.sum((w - s) ** 2) / 2),
    ("the distance, not its square", lambda w, s, eta: np.linalg.norm(w - s) / (2 * eta)),
    (
        "the sign: the right side is the larger one",
        lambda w, s, eta: -np.sum((w - s) ** 2) / (2 * eta),
    ),
    (
        "the distance of w* from zero, where the run began",
        lambda w, s, eta: np.sum(s**2) / (2 * eta),
    ),
    ("the distance of the last point from zero", lambda w, s, eta: np.sum(w**2) / (2 * eta)),
    (
        "the difference of the squared norms, not the squared distance",
        lambda w, s, eta: (np.sum(w**2) - np.sum(s**2)) / (2 * eta),
    ),
    ("eta squared in the divisor", lambda w, s, eta: np.sum((w - s) ** 2) / (2 * eta**2)),
    (
        "the sum of the two points, not their difference",
        lambda w, s, eta: np.sum((w + s) ** 2) / (2 * eta),
    ),
    ("the mean of the squares, not their sum", lambda w, s, eta: np.mean((w - s) ** 2) / (2 * eta)),
    ("one number for each coordinate", lambda w, s, eta: (w - s) ** 2 / (2 * eta)),
):
    mistake(misconception, regret_slack=wrong)


@alternative("an inner product")
def _(w_end, w_star, eta):
    return (w_end - w_star) @ (w_end - w_star) * 0.5 / eta


@alternative("expanded, number by number")
def _(w_end, w_star, eta):
    pairs = zip(w_end.tolist(), w_star.tolist(), strict=True)
    return sum((a * a - 2 * a * b + b * b) / eta for a, b in pairs) / 2


@alternative("torch's distance")
def _(w_end, w_star, eta):
    return torch.dist(torch.as_tensor(w_end), torch.as_tensor(w_star)) ** 2 / (eta + eta)
