"""Learning curves: losses to compare them with, smoothing, and when to stop.

Losses are in nats: cross-entropies by the natural logarithm.

Sources: Prechelt, "Early Stopping - But When?", 1998, for stopping; Kingma and Ba, "Adam: A Method
for Stochastic Optimization", 2015, section 3, for the mean that is right from the start.
"""

import math
from collections.abc import Sequence

import numpy as np


def chance_loss(num_classes: int) -> float:
    """The cross-entropy of a classifier that gives every class the same probability.

    Args:
        num_classes: number of classes, C; at least 1.

    Returns:
        The loss for each example, by the natural logarithm.
    """
    return math.log(num_classes)


def double_softmax_floor(num_classes: int) -> float:
    """The lowest cross-entropy that is left if a softmax is taken of probabilities.

    The loss takes the softmax of what it is given. If it is given probabilities instead of logits
    (C numbers from 0 to 1 whose sum is 1), it cannot fall below this value, however good they are.

    Args:
        num_classes: number of classes, C; at least 1.

    Returns:
        The lowest loss of an example, by the natural logarithm.
    """
    return math.log(math.e + num_classes - 1) - 1  # survives: there is at least one class


def early_stop(valid_losses: Sequence[float], patience: int) -> tuple[int, int]:
    """Early stopping ends a run once `patience` epochs in a row have brought no new best loss.

    An epoch is a new best if its loss is strictly below that of every epoch before it; the first
    epoch always is one. Epochs are counted from 1.

    Args:
        valid_losses: the validation loss after each epoch, as it would be without stopping; at
            least one.
        patience: number of epochs without a new best after which the run ends; at least 1.

    Returns:
        The epoch after which the run ends (the last one, if it is never stopped), and the best
        epoch up to there.
    """
    best_epoch = 1  # survives: patience is at least 1
    for epoch, loss in enumerate(valid_losses, 1):
        if loss < valid_losses[best_epoch - 1]:
            best_epoch = epoch
        if epoch - best_epoch >= patience:
            return epoch, best_epoch
    return len(valid_losses), best_epoch


def smooth(losses: np.ndarray, beta: float = 0.9) -> np.ndarray:
    """Smoothing replaces each loss by a weighted mean of all losses up to there.

    The weight of the loss k steps back is proportional to beta**k; the weights of each mean sum
    to one, also at the start.

    Args:
        losses: (T,) losses of T steps; at least one.
        beta: how slowly the past is forgotten; 0 <= beta < 1.

    Returns:
        (T,) smoothed losses.
    """
    average, smoothed = 0.0, []
    for step, loss in enumerate(losses, 1):
        average = beta * average + (1 - beta) * loss
        smoothed.append(average / (1 - beta**step))
    return np.array(smoothed)
