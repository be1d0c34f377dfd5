import numpy as np
import torch

from autograder import alternative, mistake

mistake("steps uphill: the gradient has to be subtracted", edit=("w - lr * grad", "w + lr * grad"))


@mistake("overwrites the caller's weights: -= works in place")
def _(w, grad, lr):
    w -= lr * grad
    return w


@mistake("overwrites the caller's gradient: *= works in place")
def _(w, grad, lr):
    grad *= lr
    return w - grad


mistake("the learning rate is not used", edit=("lr * grad", "grad"))


mistake(
    "returns the change of the weights, not the new weights", edit=("w - lr * grad", "-lr * grad")
)


mistake(
    "the gradient is scaled to length one; its length matters",
    edit=("lr * grad", "lr * grad / np.linalg.norm(grad)"),
)


mistake("one mean gradient for all coordinates", edit=("lr * grad", "lr * np.mean(grad)"))


@mistake("double precision throughout: np.zeros has a dtype of its own")
def _(w, grad, lr):
    new = np.zeros(np.shape(w))
    new += w
    new -= lr * grad
    return new


mistake(
    "whole numbers only: the new array has an integer dtype",
    edit=("w - lr * grad", "(w - lr * grad).astype(int)"),
)


@mistake("only for vectors: the loop runs over the first axis as numbers")
def _(w, grad, lr):
    return np.array([float(w[i]) - lr * float(grad[i]) for i in range(len(w))], w.dtype)


@alternative("in place, on a copy")
def _(w, grad, lr):
    new = np.array(w, copy=True)
    new -= lr * grad
    return new


@alternative("number by number")
def _(w, grad, lr):
    pairs = zip(np.ravel(w), np.ravel(grad), strict=True)
    return np.array([a - b * lr for a, b in pairs], dtype=w.dtype).reshape(np.shape(w))


@alternative("torch's SGD, handed back as an array")
def _(w, grad, lr):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    torch.optim.SGD([parameter], lr=lr).step()
    return parameter.detach().numpy()
