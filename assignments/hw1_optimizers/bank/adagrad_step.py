import numpy as np
import torch

from autograder import alternative, mistake

mistake(
    "eps under the root: it belongs beside it, where it acts ten thousand times less",
    edit=("np.sqrt(accumulator) + eps", "np.sqrt(accumulator + eps)"),
    costs=1.5,
)


mistake(
    "eps as a lower bound of the root, not added to it",
    edit=("np.sqrt(accumulator) + eps", "np.maximum(np.sqrt(accumulator), eps)"),
    costs=1.5,
)


@mistake("another default: eps is 1e-8, not torch's 1e-10", costs=1)
def _(w, grad, accumulator, lr, eps=1e-10):
    accumulator = accumulator + grad**2
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator


mistake("eps is left out, or not used", edit=("np.sqrt(accumulator) + eps", "np.sqrt(accumulator)"))


@mistake("eps is added to the sum that is handed back")
def _(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + grad**2 + eps
    return w - lr * grad / np.sqrt(accumulator), accumulator


mistake(
    "nothing is summed: the square of the last gradient replaces the sum",
    edit=("accumulator + grad**2", "grad**2"),
)


mistake(
    "the root is missing: the divisor is the sum of squares itself",
    edit=("np.sqrt(accumulator)", "accumulator"),
)


mistake("sums sizes, not squares, of the gradients", edit=("grad**2", "np.abs(grad)"))


@mistake(
    "divides by the old sum: the current gradient enters before the sum is used",
)
def _(w, grad, accumulator, lr, eps=1e-8):
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator + grad**2


mistake(
    "a running mean in place of a sum: that is RMSprop",
    edit=("accumulator + grad**2", "0.9 * accumulator + 0.1 * grad**2"),
)


mistake("one sum for all coordinates: each has its own", edit=("grad**2", "np.sum(grad**2)"))


@mistake(
    "hands back the root of the sum as the state",
)
def _(w, grad, accumulator, lr, eps=1e-8):
    root = np.sqrt(accumulator + grad**2)
    return w - lr * grad / (root + eps), root


@mistake(
    "hands back the old sum, so that nothing adds up from step to step",
)
def _(w, grad, accumulator, lr, eps=1e-8):
    return w - lr * grad / (np.sqrt(accumulator + grad**2) + eps), accumulator


mistake(
    "overwrites the caller's sum: += works in place",
    edit=("accumulator = accumulator + grad**2", "accumulator += grad**2"),
)


@mistake(
    "overwrites the caller's weights: -= works in place",
)
def _(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + grad**2
    w -= lr * grad / (np.sqrt(accumulator) + eps)
    return w, accumulator


@mistake("only the weights are kept in single precision")
def _(w, grad, accumulator, lr, eps=1e-8):
    total = np.zeros(np.shape(w)) + accumulator + grad**2
    return (w - lr * grad / (np.sqrt(total) + eps)).astype(w.dtype), total


@alternative(
    "torch's Adagrad with its sum filled in",
)
def _(w, grad, accumulator, lr, eps=1e-8):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.Adagrad([parameter], lr=lr, eps=eps)
    optimizer.state[parameter]["sum"] = torch.tensor(accumulator)
    optimizer.step()
    return parameter.detach().numpy(), optimizer.state[parameter]["sum"].numpy()


@alternative(
    "a learning rate for each coordinate first, on copies",
)
def _(w, grad, accumulator, lr, eps=1e-8):
    total = np.array(accumulator, copy=True)
    total += np.square(grad)
    rates = lr / (eps + total**0.5)
    return w - rates * grad, total


@alternative(
    "number by number",
)
def _(w, grad, accumulator, lr, eps=1e-8):
    new_w, new_sum = np.array(w), np.array(accumulator)
    for i in np.ndindex(np.shape(w)):
        new_sum[i] = np.hypot(np.sqrt(new_sum[i]), np.asarray(grad)[i]) ** 2
        new_w[i] -= lr * np.asarray(grad)[i] / (np.sqrt(new_sum[i]) + eps)
    return new_w, new_sum
