import numpy as np
import torch

from autograder import alternative, mistake
from reference.training_layers import batchnorm_backward

right_batchnorm_backward = batchnorm_backward


def batchnorm_terms(dout, x, eps):
    """Return the axes of a feature, its root and its standardised values, for mistakes to use."""
    axes = (0, *range(2, x.ndim))
    root = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return axes, root, (x - x.mean(axis=axes, keepdims=True)) / root


def over(gamma, x):
    return gamma.reshape(1, -1, *[1] * (x.ndim - 2))


@mistake("mean and variance taken for constants: they are functions of x")
def _(dout, x, gamma, eps=1e-5):
    _, root, _ = batchnorm_terms(dout, x, eps)
    return over(gamma, x) * dout / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@mistake("the way through the variance is missing")
def _(dout, x, gamma, eps=1e-5):
    axes, root, _ = batchnorm_terms(dout, x, eps)
    centred = dout - dout.mean(axis=axes, keepdims=True)
    return over(gamma, x) * centred / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@mistake("the way through the mean is missing")
def _(dout, x, gamma, eps=1e-5):
    axes, root, hat = batchnorm_terms(dout, x, eps)
    rest = dout - hat * (dout * hat).mean(axis=axes, keepdims=True)
    return over(gamma, x) * rest / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@mistake("the way through the variance has the wrong sign")
def _(dout, x, gamma, eps=1e-5):
    axes, root, hat = batchnorm_terms(dout, x, eps)
    rest = dout - dout.mean(axis=axes, keepdims=True)
    rest = rest + hat * (dout * hat).mean(axis=axes, keepdims=True)
    return over(gamma, x) * rest / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@mistake("sums in place of means: 1/m is lost")
def _(dout, x, gamma, eps=1e-5):
    axes, root, hat = batchnorm_terms(dout, x, eps)
    rest = dout - dout.sum(axis=axes, keepdims=True)
    rest = rest - hat * (dout * hat).sum(axis=axes, keepdims=True)
    return over(gamma, x) * rest / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@mistake("the variance of m - 1 on the way back")
def _(dout, x, gamma, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    count = x.size // x.shape[1]
    root = np.sqrt(x.var(axis=axes, keepdims=True, ddof=1) + eps)
    hat = (x - x.mean(axis=axes, keepdims=True)) / root
    rest = dout - dout.mean(axis=axes, keepdims=True)
    rest = rest - hat * (dout * hat).sum(axis=axes, keepdims=True) / (count - 1)
    return over(gamma, x) * rest / root, (dout * hat).sum(axis=axes), dout.sum(axis=axes)


@mistake("m is the number of examples, for pictures too")
def _(dout, x, gamma, eps=1e-5):
    axes, root, hat = batchnorm_terms(dout, x, eps)
    rest = dout - dout.sum(axis=axes, keepdims=True) / len(x)
    rest = rest - hat * (dout * hat).sum(axis=axes, keepdims=True) / len(x)
    return over(gamma, x) * rest / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@mistake("eps beside the root: it is added to the variance")
def _(dout, x, gamma, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    root = x.std(axis=axes, keepdims=True) + eps
    hat = (x - x.mean(axis=axes, keepdims=True)) / root
    rest = dout - dout.mean(axis=axes, keepdims=True)
    rest = rest - hat * (dout * hat).mean(axis=axes, keepdims=True)
    return over(gamma, x) * rest / root, (dout * hat).sum(axis=axes), dout.sum(axis=axes)


@mistake("eps is left out")
def _(dout, x, gamma, eps=1e-5):
    return right_batchnorm_backward(dout, x, gamma, 0.0)


@mistake("a fixed eps: the argument is not used")
def _(dout, x, gamma, eps=1e-5):
    return right_batchnorm_backward(dout, x, gamma)


@mistake("another default: eps is 1e-5")
def _(dout, x, gamma, eps=1e-3):
    return right_batchnorm_backward(dout, x, gamma, eps)


@mistake("the scale is forgotten in dx")
def _(dout, x, gamma, eps=1e-5):
    return right_batchnorm_backward(dout, x, np.ones_like(gamma), eps)


@mistake("divided by the variance in dx: it is by its root")
def _(dout, x, gamma, eps=1e-5):
    _, root, _ = batchnorm_terms(dout, x, eps)
    dx, dgamma, dbeta = right_batchnorm_backward(dout, x, gamma, eps)
    return dx / root, dgamma, dbeta


@mistake("dgamma from x: the scale multiplies what is standardised")
def _(dout, x, gamma, eps=1e-5):
    axes, _, _ = batchnorm_terms(dout, x, eps)
    dx, _, dbeta = right_batchnorm_backward(dout, x, gamma, eps)
    return dx, (dout * x).sum(axis=axes), dbeta


@mistake("dgamma and dbeta averaged: they are sums")
def _(dout, x, gamma, eps=1e-5):
    dx, dgamma, dbeta = right_batchnorm_backward(dout, x, gamma, eps)
    return dx, dgamma / (x.size // x.shape[1]), dbeta / (x.size // x.shape[1])


@mistake("dgamma and dbeta in the wrong order")
def _(dout, x, gamma, eps=1e-5):
    dx, dgamma, dbeta = right_batchnorm_backward(dout, x, gamma, eps)
    return dx, dbeta, dgamma


@mistake("dgamma and dbeta summed over the features")
def _(dout, x, gamma, eps=1e-5):
    _, _, hat = batchnorm_terms(dout, x, eps)
    axes = tuple(range(1, x.ndim))
    dx = right_batchnorm_backward(dout, x, gamma, eps)[0]
    return dx, (dout * hat).sum(axis=axes), dout.sum(axis=axes)


@mistake("a reshape without moving the channels to the end")
def _(dout, x, gamma, eps=1e-5):
    rows = dout.reshape(-1, x.shape[1]), x.reshape(-1, x.shape[1])
    dx, dgamma, dbeta = right_batchnorm_backward(*rows, gamma, eps)
    return dx.reshape(x.shape), dgamma, dbeta


@mistake("overwrites the caller's dout")
def _(dout, x, gamma, eps=1e-5):
    gradients = right_batchnorm_backward(dout, x, gamma, eps)
    dout *= over(gamma, x)
    return gradients


@alternative("torch's autograd")
def _(dout, x, gamma, eps=1e-5):
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, gamma, np.zeros_like(gamma))]
    out = torch.nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], True, 0.1, eps)
    out.backward(torch.tensor(dout))
    return tuple(leaf.grad.numpy() for leaf in leaves)


@alternative("step by step, channels last")
def _(dout, x, gamma, eps=1e-5):
    last = np.moveaxis(x, 1, -1)
    flat, above = last.reshape(-1, len(gamma)), np.moveaxis(dout, 1, -1).reshape(-1, len(gamma))
    m, mu = len(flat), flat.mean(0)
    var = ((flat - mu) ** 2).mean(0)
    hat = (flat - mu) / np.sqrt(var + eps)
    dhat = above * gamma
    dvar = (dhat * (flat - mu)).sum(0) * -0.5 * (var + eps) ** -1.5
    dmu = -dhat.sum(0) / np.sqrt(var + eps) + dvar * (-2 * (flat - mu)).sum(0) / m
    dflat = dhat / np.sqrt(var + eps) + dvar * 2 * (flat - mu) / m + dmu / m
    return np.moveaxis(dflat.reshape(last.shape), -1, 1), (above * hat).sum(0), above.sum(0)


@alternative("feature by feature, by the matrix of derivatives")
def _(dout, x, gamma, eps=1e-5):
    dx, dgamma, dbeta = np.empty(x.shape), np.empty(len(gamma)), np.empty(len(gamma))
    for d, scale in enumerate(gamma):
        values, above = x[:, d].ravel(), dout[:, d].ravel()
        m, width = len(values), np.sqrt(x[:, d].var() + eps)
        hat = (values - values.mean()) / width
        jacobian = (np.eye(m) - 1 / m - np.outer(hat, hat) / m) / width
        dx[:, d] = scale * (jacobian @ above).reshape(x[:, d].shape)
        dgamma[d], dbeta[d] = hat @ above, above.sum()
    return dx, dgamma, dbeta
