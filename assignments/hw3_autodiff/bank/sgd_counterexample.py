import numpy as np
import torch

from autograder import alternative, mistake

for misconception, wrong in (
    ("no example: SGD was believed to lower the sum in every step", lambda a, b: None),
    (
        "numbers that fit one pair of minimisers only",
        lambda a, b: (0.5, 1, 0.1),
    ),
    (
        "from the minimiser of the sampled term: nothing moves there",
        lambda a, b: (a, 1, 0.1),
    ),
    (
        "from far away, where both terms fall and the sum with them",
        lambda a, b: (min(a, b) - 100 * abs(a - b), 1, 0.1),
    ),
    (
        "towards the minimum of the sum: the step lowers it",
        lambda a, b: (b, 1, 0.1),
    ),
    (
        "so long a step that the sampled term rises too",
        lambda a, b: ((a + b) / 2, 1, 2.5),
    ),
    (
        "a step to the mirror image: the sampled term stays as it is",
        lambda a, b: (a + 1.0, 1, 2.0),
    ),
    ("a negative learning rate: that is a step uphill", lambda a, b: ((a + b) / 2, 1, -0.1)),
    ("a learning rate of zero: nothing moves", lambda a, b: ((a + b) / 2, 1, 0.0)),
    ("terms counted from zero", lambda a, b: ((a + b) / 2, 0, 0.1)),
    ("the minimiser of the term in place of its number", lambda a, b: ((a + b) / 2, a, 0.1)),
    ("in another order: w, then the term, then eta", lambda a, b: (1, (a + b) / 2, 0.1)),
    (
        "from zero, whatever the minimisers are",
        lambda a, b: (0.0, 1, 0.1),
    ),
    ("no numbers at all", lambda a, b: (float("nan"), 1, 0.1)),
    ("half of a step only: term and eta are missing", lambda a, b: (a + b) / 2),
):
    mistake(misconception, sgd_counterexample=wrong)


@alternative("the other term, from the middle")
def _(a, b):
    return np.array([a / 2 + b / 2, 2, 0.5])


@alternative("off the middle, on the side of the sampled term")
def _(a, b):
    return 0.6 * a + 0.4 * b, 1, 1.0


@alternative("too long a step, across the minimum of the sum")
def _(a, b):
    return [torch.tensor(b, dtype=torch.float64), np.int64(1), 1.75]
