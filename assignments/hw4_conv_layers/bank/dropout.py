import numpy as np
import torch

from autograder import alternative, mistake
from reference.training_layers import dropout_backward, dropout_forward

right_dropout = dropout_forward


mistake(
    "p is taken for the probability to be kept",
    of="dropout_forward",
    edit=("x * (noise >= p) / (1 - p)", "x * (noise < p) / max(p, 1e-9)"),
)


mistake(
    "what is kept is not enlarged",
    of="dropout_forward",
    edit=("x * (noise >= p) / (1 - p)", "x * (noise >= p)"),
)


mistake(
    "scaled by p: the factor is one over the share that is kept",
    of="dropout_forward",
    edit=("x * (noise >= p) / (1 - p)", "x * (noise >= p) * p"),
)


mistake(
    "divided by p: by the share that is kept", of="dropout_forward", edit=("1 - p", "max(p, 1e-9)")
)


mistake(
    "multiplied by the share that is kept, which shrinks it",
    of="dropout_forward",
    edit=("x * (noise >= p) / (1 - p)", "x * (noise >= p) * (1 - p)"),
)


mistake(
    "corrected in use: inverted dropout corrects in training",
    of="dropout_forward",
    edit=(
        "x * (noise >= p) / (1 - p) if training else x",
        "x * (noise >= p) if training else x * (1 - p)",
    ),
)


@mistake("corrected twice, in training and in use", of="dropout_forward")
def _(x, noise, p, training):
    return right_dropout(x, noise, p, True) if training else x * (1 - p)


@mistake("drops in use as well", of="dropout_forward")
def _(x, noise, p, training):
    return right_dropout(x, noise, p, True)


@mistake("never drops", of="dropout_forward")
def _(x, noise, p, training):
    return right_dropout(x, noise, p, False)


@mistake("training and use are mixed up", of="dropout_forward")
def _(x, noise, p, training):
    return right_dropout(x, noise, p, not training)


mistake(
    "noise that equals p drops: it has to be smaller",
    of="dropout_forward",
    edit=("noise >= p", "noise > p"),
)


mistake(
    "drops what should be kept, and keeps what should be dropped",
    of="dropout_forward",
    edit=("noise >= p", "noise < p"),
)


mistake(
    "scaled by the share that was kept by chance",
    of="dropout_forward",
    edit=("1 - p", "max((noise >= p).mean(), 1e-9)"),
)


@mistake("noise of one's own: the argument is not used", of="dropout_forward")
def _(x, noise, p, training):
    return right_dropout(x, np.random.default_rng(0).uniform(size=x.shape), p, training)


mistake(
    "the mask in place of the masked numbers",
    of="dropout_forward",
    edit=("x * (noise >= p) / (1 - p)", "(noise >= p) / (1 - p)"),
)


@mistake("works in place: the caller's input is overwritten", of="dropout_forward")
def _(x, noise, p, training):
    if training:
        x[noise < p] = 0
        x /= 1 - p
    return x


@alternative("a choice number by number", of="dropout_forward")
def _(x, noise, p, training):
    return np.where(np.asarray(noise) < p, 0.0, x / (1 - p)) if training else np.array(x)


@alternative("a copy with holes, in double precision", of="dropout_forward")
def _(x, noise, p, training):
    out = np.array(x, np.float64)
    if not training:
        return out
    out[noise < p] = 0
    out *= 1 / (1 - p)
    return out


@alternative("torch", of="dropout_forward")
def _(x, noise, p, training):
    kept = torch.tensor(noise) >= (p if training else 0)
    factor = torch.tensor(1 / (1 - p) if training else 1.0, dtype=torch.float64)
    return (torch.tensor(x) * kept * factor).numpy()


right_dropout_backward = dropout_backward


mistake(
    "the gradient is not enlarged, though the numbers were",
    of="dropout_backward",
    edit=("dout * (noise >= p) / (1 - p)", "dout * (noise >= p)"),
)


mistake(
    "dropped numbers get a gradient", of="dropout_backward", edit=("dout * (noise >= p)", "dout")
)


mistake(
    "everything comes through unchanged",
    of="dropout_backward",
    edit=("dout * (noise >= p) / (1 - p) if training else dout", "dout"),
)


@mistake("drops in use as well", of="dropout_backward")
def _(dout, noise, p, training):
    return right_dropout_backward(dout, noise, p, True)


@mistake("training and use are mixed up", of="dropout_backward")
def _(dout, noise, p, training):
    return right_dropout_backward(dout, noise, p, not training)


mistake(
    "p is taken for the probability to be kept",
    of="dropout_backward",
    edit=("dout * (noise >= p) / (1 - p)", "dout * (noise < p) / max(p, 1e-9)"),
)


mistake(
    "the inverse of the forward factor",
    of="dropout_backward",
    edit=("dout * (noise >= p) / (1 - p)", "dout * (noise >= p) * (1 - p)"),
)


mistake(
    "noise that equals p drops: it has to be smaller",
    of="dropout_backward",
    edit=("noise >= p", "noise > p"),
)


@mistake("fresh noise on the way back: it is the same", of="dropout_backward")
def _(dout, noise, p, training):
    fresh = np.random.default_rng(1).uniform(size=dout.shape)
    return right_dropout_backward(dout, fresh, p, training)


@mistake("overwrites the caller's dout", of="dropout_backward")
def _(dout, noise, p, training):
    if training:
        dout *= (noise >= p) / (1 - p)
    return dout


@alternative("a choice number by number", of="dropout_backward")
def _(dout, noise, p, training):
    return np.where((noise < p) & training, 0, dout / (1 - p * training))


@alternative("it is the same function as the forward one", of="dropout_backward")
def _(dout, noise, p, training):
    return right_dropout(dout, noise, p, training)


@alternative("torch's autograd through the factor of each number", of="dropout_backward")
def _(dout, noise, p, training):
    factors = torch.ones(dout.shape, dtype=torch.float64)
    if training:
        factors = (torch.tensor(noise) >= p) / torch.tensor(1 - p, dtype=torch.float64)
    leaf = torch.zeros(dout.shape, dtype=torch.float64, requires_grad=True)
    (leaf * factors).backward(torch.tensor(dout))
    return leaf.grad.numpy()
