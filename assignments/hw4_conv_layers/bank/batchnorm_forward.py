import numpy as np
import torch

from autograder import alternative, mistake
from reference.training_layers import batchnorm_forward

right_batchnorm = batchnorm_forward


def batchnorm_by(
    x,
    gamma,
    beta,
    running_mean,
    running_var,
    training,
    momentum=0.1,
    eps=1e-5,
    axes=None,
    ddof=(0, 1),
    root=lambda var, eps: np.sqrt(var + eps),
):
    """Batch normalisation with some of its details open; right by default."""
    axes = (0, *range(2, x.ndim)) if axes is None else axes
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True, ddof=ddof[0])
    fitting = (1, -1, *[1] * (x.ndim - 2))
    if training:
        new = x.mean(axis=axes), x.var(axis=axes, ddof=ddof[1])
        averages = [
            (1 - momentum) * old + momentum * now
            for old, now in zip((running_mean, running_var), new, strict=True)
        ]
    else:
        mean, var = running_mean.reshape(fitting), running_var.reshape(fitting)
        averages = running_mean, running_var
    out = gamma.reshape(fitting) * (x - mean) / root(var, eps) + beta.reshape(fitting)
    return out, *averages


@mistake("the variance that normalises divides by m - 1: here it is m")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, ddof=(1, 1))


@mistake("the variance in the running average divides by m: there it is m - 1")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, ddof=(0, 0))


@mistake("eps beside the root: it is added to the variance", costs=1)
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, root=lambda var, eps: np.sqrt(var) + eps)


@mistake("divided by the variance: the root is missing")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, root=lambda var, eps: var + eps)


@mistake("eps is left out, and a feature that does not vary is divided by zero")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return batchnorm_by(x, gamma, beta, running_mean, running_var, training, momentum, 0.0)


@mistake("a fixed eps: the argument is not used", costs=1)
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, momentum)


@mistake("another default: eps is 1e-5")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-3):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, momentum, eps)


@mistake("the weights in the running averages are reversed: momentum is the new value's")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, 1 - momentum, eps)


@mistake("another default: momentum is 0.1, the weight of the new value")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, momentum, eps)


@mistake("the last batch replaces the running averages")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, 1.0, eps)


@mistake("the running averages are never updated")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    out, _, _ = right_batchnorm(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    return out, running_mean, running_var


@mistake("an average of standard deviations, not of variances")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    out, mean, _ = right_batchnorm(*arguments)
    std = x.std(axis=(0, *range(2, x.ndim)))
    return out, mean, (1 - momentum) * running_var + momentum * std if training else running_var


@mistake("the running averages normalise in training too: there it is the batch")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var
    out = right_batchnorm(*arguments, training=False, eps=eps)[0]
    return out, *right_batchnorm(*arguments, training, momentum, eps)[1:]


@mistake("the updated running averages normalise in training: there it is the batch")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var
    averages = right_batchnorm(*arguments, training, momentum, eps)[1:]
    return right_batchnorm(x, gamma, beta, *averages, training=False, eps=eps)


@mistake("training and use are mixed up")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, not training, momentum, eps
    return right_batchnorm(*arguments)


@mistake("the batch normalises in use too: there it is the averages")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, True, momentum, eps
    out, mean, var = right_batchnorm(*arguments)
    return (out, mean, var) if training else (out, running_mean, running_var)


@mistake("the running averages go on moving in use")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var
    out = right_batchnorm(*arguments, training, momentum, eps)[0]
    return out, *right_batchnorm(*arguments, True, momentum, eps)[1:]


@mistake("scale and shift only in training: they belong to the model")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    ones, zeros = (gamma, beta) if training else (np.ones_like(gamma), np.zeros_like(beta))
    return right_batchnorm(x, ones, zeros, running_mean, running_var, training, momentum, eps)


@mistake("a reshape without moving the channels to the end mixes them up", costs=2)
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = gamma, beta, running_mean, running_var, training, momentum, eps
    out, mean, var = right_batchnorm(x.reshape(-1, x.shape[1]), *arguments)
    return out.reshape(x.shape), mean, var


@mistake("only rows of numbers: each pixel of a picture gets statistics of its own")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = gamma, beta, running_mean, running_var, training, momentum, eps
    if x.ndim == 2 or not training:
        return right_batchnorm(x, *arguments)
    shape, last = (1, -1, 1, 1), (0, 2, 3)
    hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    out = gamma.reshape(shape) * hat + beta.reshape(shape)
    mean = (1 - momentum) * running_mean + momentum * x.mean(axis=last)
    return out, mean, (1 - momentum) * running_var + momentum * x.var(axis=last, ddof=1)


@mistake("over the features of each example: that is layer normalisation")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    if not training:
        return right_batchnorm(*arguments)
    axes, shape = tuple(range(1, x.ndim)), (1, -1, *[1] * (x.ndim - 2))
    hat = x - x.mean(axis=axes, keepdims=True)
    hat = hat / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return gamma.reshape(shape) * hat + beta.reshape(shape), *right_batchnorm(*arguments)[1:]


@mistake("one mean and one variance for all features")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, axes=tuple(range(x.ndim)), ddof=(0, 1))


@mistake("scale and shift are forgotten")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    plain = np.ones_like(gamma), np.zeros_like(beta)
    return right_batchnorm(x, *plain, running_mean, running_var, training, momentum, eps)


@mistake("scale and shift are mixed up")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return right_batchnorm(x, beta, gamma, running_mean, running_var, training, momentum, eps)


@mistake("only the output is returned")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return right_batchnorm(*arguments)[0]


@mistake("overwrites the caller's running averages")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    out, mean, var = right_batchnorm(*arguments)
    running_mean[:], running_var[:] = mean, var
    return out, running_mean, running_var


@alternative("torch")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    mean, var = torch.tensor(running_mean), torch.tensor(running_var)
    tensors = torch.tensor(x), mean, var, torch.tensor(gamma), torch.tensor(beta)
    out = torch.nn.functional.batch_norm(*tensors, training, momentum, eps)
    return out.numpy(), mean.numpy(), var.numpy()


@alternative("channels last and flat, and back again")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    last = np.moveaxis(x, 1, -1)
    flat = last.reshape(-1, len(gamma)).astype(np.float64)
    mean, var = running_mean, running_var
    if training:
        centre, mean_square = flat.sum(0) / len(flat), (flat**2).sum(0) / len(flat)
        spread_out = np.maximum(mean_square - centre**2, 0)
        mean = mean + momentum * (centre - mean)
        var = var + momentum * (spread_out * len(flat) / (len(flat) - 1) - var)
    else:
        centre, spread_out = mean, var
    rows = (flat - centre) * (gamma / (spread_out + eps) ** 0.5) + beta
    return np.moveaxis(rows.reshape(last.shape), -1, 1), mean, var


@alternative("feature by feature")
def _(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    out, mean, var = np.empty(x.shape), np.array(running_mean), np.array(running_var)
    for d in range(x.shape[1]):
        values = x[:, d]
        centre = values.mean() if training else mean[d]
        width = values.var() if training else var[d]
        out[:, d] = gamma[d] * (values - centre) / np.sqrt(width + eps) + beta[d]
        if training:
            mean[d] = momentum * centre + (1 - momentum) * mean[d]
            var[d] = momentum * values.var(ddof=1) + (1 - momentum) * var[d]
    return out, mean, var
