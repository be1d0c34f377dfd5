"""Batch size: learning rates, the noise scale, and the steps that a target takes.

Sources: McCandlish et al., "An Empirical Model of Large-Batch Training", 2018; Goyal et al.,
"Accurate, Large Minibatch SGD", 2017, for learning rates.
"""

import math

import numpy as np


def steps_to_target(
    batch_size: np.ndarray, min_steps: float, critical_batch_size: float
) -> np.ndarray:
    """The number of steps to a given loss in the noise-scale model of large-batch training.

    With ever larger batches the number of steps falls to `min_steps`. What a finite batch needs
    beyond that is inversely proportional to the batch size, and at the critical batch size it is
    `min_steps` once more.

    Args:
        batch_size: (...) examples in each step, of any shape; positive.
        min_steps: steps to the target when the batch is so large that its noise is gone.
        critical_batch_size: the batch size at which noise and curvature cost the same.

    Returns:
        (...) steps to the target, not rounded to integers.

    Source: McCandlish et al., "An Empirical Model of Large-Batch Training", 2018, section 2.3.
    """
    return min_steps * (1 + critical_batch_size / batch_size)


def scaled_lr(lr: float, batch_size: int, new_batch_size: int, rule: str) -> float:
    """The learning rate for another batch size, by one of two rules of thumb.

    Args:
        lr: a learning rate that works at `batch_size`.
        batch_size: examples in a batch so far.
        new_batch_size: examples in a batch from now on.
        rule: "linear": in proportion to the batch size, as for SGD. "sqrt": in proportion to its
            square root, as for Adam.

    Returns:
        The learning rate for `new_batch_size`.

    Source: Goyal et al., "Accurate, Large Minibatch SGD", 2017; Krizhevsky, "One Weird Trick for
    Parallelizing Convolutional Neural Networks", 2014.
    """
    ratio = new_batch_size / batch_size  # survives: a batch has at least one example
    return lr * (ratio if rule == "linear" else math.sqrt(ratio))


def noise_scale(
    small_squares: np.ndarray, big_squares: np.ndarray, small_batch: int, big_batch: int
) -> tuple[float, float, float]:
    """Estimate the noise scale of the gradient from its lengths at two batch sizes.

    The expected squared length of a gradient that is the mean over B examples is G2 + S / B: G2
    is the squared length of the true gradient, S the trace of the covariance of the gradient of a
    single example. Two batch sizes give two equations.

    Args:
        small_squares: (K,) squared lengths of gradients of batches of `small_batch` examples.
        big_squares: (M,) likewise, of batches of `big_batch` examples.
        small_batch: examples in a small batch.
        big_batch: examples in a big batch; another number.

    Returns:
        The estimates of G2, S and the noise scale S / G2. Means are taken over the measurements
        first, the quotient last.

    Source: McCandlish et al., "An Empirical Model of Large-Batch Training", 2018, appendix A.1.
    """
    # survives: if all big batches have a gradient of zero, there is no noise scale
    small, big = float(np.mean(small_squares)), float(np.mean(big_squares))
    true_square = (big_batch * big - small_batch * small) / (big_batch - small_batch)
    trace = (small - big) / (1 / small_batch - 1 / big_batch)
    return true_square, trace, trace / true_square


def critical_batch(batch_sizes: np.ndarray, steps: np.ndarray) -> tuple[float, float]:
    """Fit the noise-scale model to measured numbers of steps to a target.

    In the model a batch size B needs S_min (1 + B_crit / B) steps: a straight line over 1 / B.
    The line is fitted by ordinary least squares, every measurement with the same weight.

    Args:
        batch_sizes: (K,) batch sizes, at least two different ones.
        steps: (K,) steps to the target that were measured.

    Returns:
        S_min and B_crit.

    Source: McCandlish et al., "An Empirical Model of Large-Batch Training", 2018, section 2.3.
    """
    slope, intercept = np.polyfit(1 / np.asarray(batch_sizes, float), steps, 1)
    return float(intercept), float(slope / intercept)
