import numpy as np
import torch

from autograder import alternative, mistake


@mistake("steps uphill: the gradient has to be subtracted")
def _(w, grad, lr):
    return w + lr * grad


@mistake("overwrites the caller's weights: -= works in place")
def _(w, grad, lr):
    w -= lr * grad
    return w


@mistake("the learning rate is not used")
def _(w, grad, lr):
    return w - grad


@alternative("in place, on a copy")
def _(w, grad, lr):
    new = np.array(w, copy=True)
    new -= lr * grad
    return new


@alternative("torch's SGD, handed back as an array")
def _(w, grad, lr):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    torch.optim.SGD([parameter], lr=lr).step()
    return parameter.detach().numpy()
