import numpy as np

from autograder import alternative, mistake


@mistake("no correction: the start is pulled towards zero")
def _(losses, beta=0.9):
    average, result = 0.0, []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        result.append(average)
    return np.array(result)


@mistake("the mean starts at the first loss, which then weighs too much")
def _(losses, beta=0.9):
    average, result = losses[0], []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        result.append(average)
    return np.array(result)


@mistake("β and 1 − β swapped")
def _(losses, beta=0.9):
    average, result = 0.0, []
    for step, loss in enumerate(losses, 1):
        average = (1 - beta) * average + beta * loss
        result.append(average / max(1 - (1 - beta) ** step, 1e-9))
    return np.array(result)


@mistake("the corrected mean is carried on, and corrected again")
def _(losses, beta=0.9):
    average, result = 0.0, []
    for step, loss in enumerate(losses, 1):
        average = (beta * average + (1 - beta) * loss) / (1 - beta**step)
        result.append(average)
    return np.array(result)


@mistake("steps are counted from 0 in the correction")
def _(losses, beta=0.9):
    average, result = 0.0, []
    for step, loss in enumerate(losses):
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta ** (step + 2)))
    return np.array(result)


@mistake("the plain mean of all losses so far")
def _(losses, beta=0.9):
    return np.cumsum(losses) / np.arange(1, len(losses) + 1)


@mistake("another default: beta is 0.9 unless the caller says otherwise")
def _(losses, beta=0.99):
    weights = beta ** np.arange(len(losses))
    return np.convolve(losses, weights)[: len(losses)] / np.cumsum(weights)


@mistake("a fixed memory: beta is not used")
def _(losses, beta=0.9):
    weights = 0.9 ** np.arange(len(losses))
    return np.convolve(losses, weights)[: len(losses)] / np.cumsum(weights)


@mistake("the losses are overwritten")
def _(losses, beta=0.9):
    total = weight = 0.0
    for k in range(len(losses)):
        total, weight = beta * total + losses[k], beta * weight + 1
        losses[k] = total / weight
    return losses


@alternative("a convolution over the sum of its weights")
def _(losses, beta=0.9):
    weights = np.power(beta, np.arange(len(losses)))
    return np.convolve(losses, weights)[: len(losses)] / np.cumsum(weights)


@alternative("sum and weight side by side, a list of numbers")
def _(losses, beta=0.9):
    total, weight, result = 0.0, 0.0, []
    for loss in losses:
        total, weight = beta * total + float(loss), beta * weight + 1
        result.append(total / weight)
    return [*result]
