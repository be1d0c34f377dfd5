import numpy as np
import torch

from autograder import alternative, mistake

mistake(
    "eps under the root: it belongs beside it, where it acts ten thousand times less",
    edit=("np.sqrt(mean_square) + eps", "np.sqrt(mean_square + eps)"),
    costs=1.5,
)


mistake(
    "eps as a lower bound of the root, not added to it",
    edit=("np.sqrt(mean_square) + eps", "np.maximum(np.sqrt(mean_square), eps)"),
    costs=1.5,
)


@mistake("another default: eps is 1e-8, not Keras's 1e-7", costs=1)
def _(w, grad, mean_square, lr, beta=0.9, eps=1e-7):
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


mistake("eps is left out, or not used", edit=("np.sqrt(mean_square) + eps", "np.sqrt(mean_square)"))


mistake(
    "β and 1 − β swapped: β is the share of the old mean that is kept",
    edit=("beta * mean_square + (1 - beta) * grad**2", "(1 - beta) * mean_square + beta * grad**2"),
)


mistake(
    "the new square enters at full weight: times 1 − β makes it a mean",
    edit=("(1 - beta) * grad**2", "grad**2"),
)


@mistake(
    "the mean of the gradients, not of their squares",
)
def _(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = beta * mean_square + (1 - beta) * grad
    return w - lr * grad / (np.sqrt(np.abs(mean_square)) + eps), mean_square


mistake("1 − β stands inside the square", edit=("(1 - beta) * grad**2", "((1 - beta) * grad) ** 2"))


mistake(
    "the root is missing: the divisor is the mean square itself",
    edit=("np.sqrt(mean_square)", "mean_square"),
)


@mistake(
    "divides by the old mean: the current gradient enters before the mean is used",
)
def _(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    new = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), new


mistake(
    "a bias correction: RMSprop has none",
    edit=("np.sqrt(mean_square)", "np.sqrt(mean_square / (1 - beta))"),
)


@mistake(
    "another default: beta is 0.9, not torch's 0.99",
    costs=1,
)
def _(w, grad, mean_square, lr, beta=0.99, eps=1e-8):
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


mistake(
    "a sum in place of a running mean: that is Adagrad",
    edit=("beta * mean_square + (1 - beta) * grad**2", "mean_square + grad**2"),
)


@mistake(
    "hands back the old mean, so that every step starts afresh",
)
def _(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    root = np.sqrt(beta * mean_square + (1 - beta) * grad**2)
    return w - lr * grad / (root + eps), mean_square


@mistake(
    "overwrites the caller's mean: *= and += work in place",
)
def _(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square *= beta
    mean_square += (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


@mistake(
    "overwrites the caller's gradient: the square is taken in place",
)
def _(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    direction = np.array(grad)
    grad *= grad
    mean_square = beta * mean_square + (1 - beta) * grad
    return w - lr * direction / (np.sqrt(mean_square) + eps), mean_square


@alternative(
    "torch's RMSprop with its mean filled in",
)
def _(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.RMSprop([parameter], lr=lr, alpha=beta, eps=eps)
    optimizer.state[parameter] |= {
        "step": torch.tensor(3.0),
        "square_avg": torch.tensor(mean_square),
    }
    optimizer.step()
    return parameter.detach().numpy(), optimizer.state[parameter]["square_avg"].numpy()


@alternative(
    "the mean moves part of the way to the new square, on copies",
)
def _(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean = np.array(mean_square, copy=True)
    mean += (1 - beta) * (grad * grad - mean_square)
    new = np.array(w, copy=True)
    new -= lr / (eps + mean**0.5) * grad
    return new, mean
