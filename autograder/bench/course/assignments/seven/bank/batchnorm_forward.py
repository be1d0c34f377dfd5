import numpy as np
import torch

from autograder import alternative, mistake


@mistake("the variance is divided by N - 1")
def _(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=1) + eps) + beta


@mistake("eps is added to the deviation, not to the variance")
def _(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / (x.std(axis=0) + eps) + beta


@mistake("a layer norm: over the features, not the examples")
def _(x, gamma, beta, eps=1e-5):
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


@alternative("torch's own")
def _(x, gamma, beta, eps=1e-5):
    weight, bias = torch.tensor(gamma), torch.tensor(beta)
    out = torch.nn.functional.batch_norm(
        torch.tensor(x), None, None, weight, bias, training=True, eps=eps
    )
    return out.numpy()
