import numpy as np
import torch

from autograder import alternative, mistake


def path_of(gradient, d, eta, steps, start=0.0):
    """Return the iterates before the first step and after each."""
    path = [np.full(d, start)]
    for _ in range(steps):
        path.append(path[-1] - eta * gradient(path[-1]))
    return np.array(path)


@mistake("one too late: w1 = 0 belongs to the mean")
def _(gradient, d, eta, T):
    return path_of(gradient, d, eta, T)[1:].mean(axis=0)


@mistake("one too many: there are T iterates, not T + 1")
def _(gradient, d, eta, T):
    return path_of(gradient, d, eta, T).mean(axis=0)


@mistake("divided by T + 1: there are T iterates")
def _(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1).sum(axis=0) / (T + 1)


@mistake("the last iterate, not the mean")
def _(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1)[-1]


@mistake("the same array T times: += changes every entry of the list")
def _(gradient, d, eta, T):
    w, path = np.zeros(d), []
    for _ in range(T):
        path.append(w)
        w -= eta * gradient(w)
    return np.mean(path, axis=0)


@mistake("uphill: the gradient has to be subtracted")
def _(gradient, d, eta, T):
    return path_of(gradient, d, -eta, T - 1).mean(axis=0)


@mistake("the start is not zero")
def _(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1, start=1.0).mean(axis=0)


@mistake("an array of whole numbers for the weights")
def _(gradient, d, eta, T):
    w, total = np.zeros(d, int), np.zeros(d, int)
    for _ in range(T):
        total = total + w
        w = (w - eta * gradient(w)).astype(int)
    return total / T


@mistake("the sum of the iterates, not the mean")
def _(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1).sum(axis=0)


@mistake("the gradient at the start is used in every step")
def _(gradient, d, eta, T):
    slope = gradient(np.zeros(d))
    return np.mean([-eta * t * slope for t in range(T)], axis=0)


@mistake("steps of length eta, whatever the gradient is")
def _(gradient, d, eta, T):
    return path_of(lambda w: gradient(w) / np.linalg.norm(gradient(w)), d, eta, T - 1).mean(axis=0)


@mistake("the gradient at the mean, not at the iterate")
def _(gradient, d, eta, T):
    path = [np.zeros(d)]
    for _ in range(T - 1):
        path.append(path[-1] - eta * gradient(np.mean(path, axis=0)))
    return np.mean(path, axis=0)


@alternative("the whole path, then its mean")
def _(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1).mean(axis=0)


@alternative("a running mean, and no step after the last iterate")
def _(gradient, d, eta, T):
    w, mean = np.zeros(d), np.zeros(d)
    for t in range(2, T + 1):
        w = w - eta * np.asarray(gradient(w))
        mean += (w - mean) / t
    return mean


@alternative("minus eta times a weighted sum of the gradients")
def _(gradient, d, eta, T):
    w, mean = torch.zeros(d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)
    for t in range(1, T):
        slope = torch.as_tensor(gradient(w.numpy()))
        w = w - eta * slope
        mean = mean - (T - t) / T * eta * slope
    return mean.numpy()
