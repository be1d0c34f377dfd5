"""A noisy quadratic on which SGD can be computed without sampling."""

import functools

import numpy as np
import pytest


@functools.cache
def steps_and_best_lr(batch_size, precondition=False):
    """The fewest steps to a hundredth of the first loss, over all learning rates, and the best one.

    The loss is sum(h * w**2) / 2 over the curvatures h; a gradient has the noise h / batch_size.
    The expected square of each weight then follows a recursion, and nothing has to be sampled.

    Source: Zhang et al., "Which Algorithmic Choices Matter at Which Batch Sizes?", 2019.
    """
    h = np.geomspace(1e-2, 1, 30)
    scale = 1 / h if precondition else np.ones_like(h)
    lrs = np.geomspace(1e-3, 1.9, 120)
    shrink = (1 - lrs[:, None] * scale * h) ** 2
    noise = (lrs[:, None] * scale) ** 2 * h / batch_size
    squares = np.ones((len(lrs), len(h)))
    for step in range(1, 5000):
        squares = shrink * squares + noise
        loss = squares @ h / h.sum()
        if loss.min() <= 1e-2:
            return step, lrs[loss.argmin()]
    raise AssertionError(f"batch size {batch_size} reaches no target")


@pytest.fixture(scope="session")
def noisy_quadratic():
    return steps_and_best_lr
