"""Layers that are different in training: batch normalisation and dropout, forward and backward.

A backward function takes `dout`, the gradient of a scalar loss with respect to the layer's output,
and what the forward function took. No function changes an argument.

Sources: Ioffe and Szegedy, "Batch Normalization", 2015; Srivastava et al., "Dropout", 2014.
"""

import numpy as np


def batchnorm_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Batch normalisation standardises each feature, then scales and shifts it.

    With `training` each feature is standardised by its own mean and variance over the batch; the
    variance divides by the number m of values. The running averages then move towards the batch:
    `momentum` is the weight of the new value, 1 - `momentum` that of the old. As in PyTorch the
    variance that enters the running average divides by m - 1.

    Without `training` the running averages are used in place of the batch's mean and variance, and
    are returned as they are.

    `eps` is added to the variance, under the root.

    Args:
        x: (N, D) N examples with D features, or (N, D, H, W) images: then a feature is a channel,
            and its m = N H W values are those of all pixels of all images.
        gamma: (D,) scale of each feature.
        beta: (D,) shift of each feature.
        running_mean: (D,) running average of the means.
        running_var: (D,) running average of the variances.
        training: whether the batch itself is used.
        momentum: weight of the new value in the running averages.
        eps: keeps the divisor above zero.

    Returns:
        The output, of the shape of x, and (D,) new running mean and (D,) new running variance.

    Source: Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 1.
    """
    axes = (0, *range(2, x.ndim))
    if training:
        count = x.size // x.shape[1]
        mean, var = x.mean(axis=axes), x.var(axis=axes)
        unbiased = var * count / (count - 1)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * unbiased
    else:
        mean, var = running_mean, running_var
    standard = (x - _beside(mean, x)) / np.sqrt(_beside(var, x) + eps)
    return _beside(gamma, x) * standard + _beside(beta, x), running_mean, running_var


def batchnorm_backward(
    dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradients of batch normalisation in training.

    The batch's mean and variance are functions of x, and the gradient goes through them too.

    Args:
        dout: gradient with respect to the output, of the shape of x.
        x: (N, D) or (N, D, H, W) the input, as in `batchnorm_forward`.
        gamma: (D,) scale of each feature.
        eps: added to the variance, under the root.

    Returns:
        dx of the shape of x, dgamma: (D,) and dbeta: (D,).

    Source: Ioffe and Szegedy, "Batch Normalization", 2015, section 3.
    """
    axes = (0, *range(2, x.ndim))
    root = np.sqrt(_beside(x.var(axis=axes), x) + eps)
    standard = (x - _beside(x.mean(axis=axes), x)) / root
    dgamma, dbeta = (dout * standard).sum(axis=axes), dout.sum(axis=axes)
    count = x.size // x.shape[1]
    centred = dout - _beside(dbeta, x) / count - standard * _beside(dgamma, x) / count
    return _beside(gamma, x) / root * centred, dgamma, dbeta


def dropout_forward(x: np.ndarray, noise: np.ndarray, p: float, training: bool) -> np.ndarray:
    """Inverted dropout sets numbers to zero with probability p and enlarges the others.

    With `training` a number is dropped where its noise is smaller than p. The others are enlarged
    by a factor that keeps the expectation of each number what it was. Without `training` nothing
    is dropped and nothing enlarged.

    Args:
        x: (...) input, of any shape.
        noise: (...) independent random numbers, uniform from 0 to below 1.
        p: probability that a number is dropped; at least 0, and below 1.
        training: whether anything is dropped.

    Returns:
        (...) output.

    Source: Srivastava et al., "Dropout", 2014; scaled in training, so that testing needs nothing.
    """
    return x * (noise >= p) / (1 - p) if training else x


def dropout_backward(dout: np.ndarray, noise: np.ndarray, p: float, training: bool) -> np.ndarray:
    """The gradient of inverted dropout.

    Args:
        dout: (...) gradient with respect to the output.
        noise: (...) the same random numbers as in the forward pass.
        p: probability that a number is dropped; at least 0, and below 1.
        training: whether anything was dropped.

    Returns:
        (...) gradient with respect to the input.
    """
    return dout * (noise >= p) / (1 - p) if training else dout


def _beside(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return one value for each feature, (D,), in a shape that broadcasts against x."""
    return values.reshape(1, -1, *[1] * (x.ndim - 2))
