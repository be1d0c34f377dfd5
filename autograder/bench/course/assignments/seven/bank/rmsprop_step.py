import numpy as np

from autograder import alternative, mistake


@mistake("eps belongs outside the root")
def _(w, grad, square, lr, decay=0.9, eps=1e-8):
    square = decay * square + (1 - decay) * grad**2
    return w - lr * grad / np.sqrt(square + eps), square


@mistake("decay and 1 - decay are swapped")
def _(w, grad, square, lr, decay=0.9, eps=1e-8):
    square = (1 - decay) * square + decay * grad**2
    return w - lr * grad / (np.sqrt(square) + eps), square


@mistake("divides by the mean square, not by its root")
def _(w, grad, square, lr, decay=0.9, eps=1e-8):
    square = decay * square + (1 - decay) * grad**2
    return w - lr * grad / (square + eps), square


@alternative("in place, on copies")
def _(w, grad, square, lr, decay=0.9, eps=1e-8):
    square = decay * square
    square += (1 - decay) * np.square(grad)
    step = np.sqrt(square)
    step += eps
    return w - np.divide(lr * grad, step), square
