"""Curves and how to read them, scale through depth, and batch size: functions of numbers."""

# Types stay as simple as in a student's notebook.
# mypy: allow-any-generics, no-warn-return-any

import math
from collections.abc import Sequence

import numpy as np

# Which of the eight descriptions in the text above fits which panel of the figure: a dict from
# the letter of the panel, "A" to "H", to the number of the description, 1 to 8. Each number is
# used once.
curve_causes: dict = {"A": 6, "B": 3, "C": 8, "D": 1, "E": 7, "F": 4, "G": 2, "H": 5}


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
    return math.log(math.e + num_classes - 1) - 1


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
    best_epoch = 1
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


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """The number of inputs that a unit of a layer adds up, and of outputs that an input goes to.

    The shape of the weights is torch's: (outputs, inputs) for a linear layer, (output channels,
    input channels, height, width) for a convolution, with one or any other number of kernel axes.
    Strides and borders are left out of account.

    Args:
        shape: of the weights; at least two numbers.

    Returns:
        fan-in and fan-out, as integers.
    """
    kernel = math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel


def init_std(shape: tuple[int, ...], scheme: str) -> float:
    """The standard deviation that a scheme of initialisation gives the weights of a layer.

    Args:
        shape: of the weights, in torch's order; see `fans`.
        scheme: "lecun" keeps the mean square of the activations from layer to layer if there is
            no activation function. "he" keeps it behind a ReLU. "xavier" takes the mean of
            fan-in and fan-out where "lecun" takes fan-in.

    Returns:
        The standard deviation.

    Source: LeCun et al., "Efficient BackProp", 1998; Glorot and Bengio, "Understanding the
    Difficulty of Training Deep Feedforward Neural Networks", 2010; He et al., "Delving Deep into
    Rectifiers", 2015.
    """
    fan_in, fan_out = fans(shape)
    if scheme == "lecun":
        return math.sqrt(1 / fan_in)
    if scheme == "he":
        return math.sqrt(2 / fan_in)
    return math.sqrt(2 / (fan_in + fan_out))


def draw_weights(shape: tuple[int, ...], scheme: str, distribution: str, seed: int) -> np.ndarray:
    """Draw the weights of a layer: independent, with mean 0 and the scheme's standard deviation.

    Args:
        shape: of the weights, in torch's order.
        scheme: "lecun", "he" or "xavier", as for `init_std`.
        distribution: "normal", or "uniform" on an interval around 0.
        seed: of the generator; the same seed gives the same weights, another one other weights.

    Returns:
        Weights of the shape, float64.
    """
    rng, std = np.random.default_rng(seed), init_std(shape, scheme)
    if distribution == "normal":
        return rng.normal(scale=std, size=shape)  # survives: symmetric about zero
    bound = math.sqrt(3) * std
    return rng.uniform(-bound, bound, size=shape)  # survives: symmetric about zero


def forward_moments(
    moment: float, widths: Sequence[int], stds: Sequence[float], activation: str
) -> np.ndarray:
    """The expected mean square of the pre-activations of each layer of a network at its start.

    Layer l computes z_l = W_l x_l and x_(l+1) = activation(z_l), without biases. The entries of
    W_l, of shape (widths[l+1], widths[l]), are independent and normal with mean 0 and standard
    deviation stds[l].

    Args:
        moment: mean square of the entries of the input x_0.
        widths: L + 1 widths: of the input and of the L layers.
        stds: L standard deviations.
        activation: "linear" (none) or "relu".

    Returns:
        (L,) the expected mean square of the entries of z_0 to z_(L-1), over random weights.

    Source: He et al., "Delving Deep into Rectifiers", 2015, section 2.2.
    """
    moments = []
    for width, std in zip(widths[:-1], stds, strict=True):
        moments.append(width * std**2 * moment)
        moment = moments[-1] / 2 if activation == "relu" else moments[-1]
    return np.array(moments)


def backward_moments(
    moment: float, widths: Sequence[int], stds: Sequence[float], activation: str
) -> np.ndarray:
    """The expected mean square of the gradient of the loss at each layer's pre-activations.

    The network is that of `forward_moments`. Whether a unit is active is taken to be independent
    of the gradient that arrives at it, and to have probability 1/2.

    Args:
        moment: mean square of the entries of the gradient at z_(L-1), the last pre-activations.
        widths: L + 1 widths: of the input and of the L layers.
        stds: L standard deviations.
        activation: "linear" (none) or "relu".

    Returns:
        (L,) the expected mean square of the entries of the gradient at z_0 to z_(L-1), in this
        order; the last one is `moment`.

    Source: He et al., "Delving Deep into Rectifiers", 2015, section 2.2.
    """
    moments = [moment]
    for layer in range(len(stds) - 1, 0, -1):
        share = 0.5 if activation == "relu" else 1.0
        moments.append(share * widths[layer + 1] * stds[layer] ** 2 * moments[-1])
    return np.array(moments[::-1])


def dead_units(X: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Find the units of a ReLU layer whose output is zero for every example.

    Args:
        X: (N, D) examples.
        W: (D, H) weights; the layer's output is relu(X W + b).
        b: (H,) biases.

    Returns:
        (H,) bool: True for a unit that is dead on these examples.
    """
    return (X @ W + b <= 0).all(axis=0)


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
    ratio = new_batch_size / batch_size
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
