import numpy as np
import torch

from autograder import alternative, mistake

mistake(
    "the factor 2 of the squared norm's gradient is missing", of="l2_step", edit=("2 * l2", "l2")
)


mistake(
    "the penalty's gradient is not multiplied by the learning rate",
    of="l2_step",
    edit=("w - lr * (grad + 2 * l2 * w)", "w - lr * grad - 2 * l2 * w"),
)


mistake(
    "the sign: the penalty makes the weights grow",
    of="l2_step",
    edit=("grad + 2 * l2 * w", "grad - 2 * l2 * w"),
)


mistake(
    "the gradient of the norm, not of its square",
    of="l2_step",
    edit=("2 * l2 * w", "l2 * w / np.linalg.norm(w)"),
)


mistake(
    "an L1 penalty: it takes the same amount off every weight",
    of="l2_step",
    edit=("2 * l2 * w", "l2 * np.sign(w)"),
)


mistake(
    "the penalty itself is added to the gradient, not its derivative",
    of="l2_step",
    edit=("2 * l2 * w", "l2 * np.sum(w**2)"),
)


mistake("the penalty is left out", of="l2_step", edit=("grad + 2 * l2 * w", "grad"))


mistake(
    "the weights after the step are shrunk, not those before it",
    of="l2_step",
    edit=("w - lr * (grad + 2 * l2 * w)", "(w - lr * grad) * (1 - 2 * lr * l2)"),
)


@mistake("overwrites the caller's gradient: += works in place", of="l2_step")
def _(w, grad, lr, l2):
    grad += 2 * l2 * w
    return w - lr * grad


mistake(
    "the decay is multiplied by the learning rate: not here",
    of="decay_step",
    edit=("1 - decay", "1 - lr * decay"),
)


mistake(
    "the weights after the step are shrunk, not those before it",
    of="decay_step",
    edit=("(1 - decay) * w - lr * grad", "(1 - decay) * (w - lr * grad)"),
)


mistake(
    "the weights are multiplied by the decay: it is the share lost",
    of="decay_step",
    edit=("1 - decay", "decay"),
)


mistake(
    "the decay is subtracted: it is a share, not an amount",
    of="decay_step",
    edit=("(1 - decay) * w", "w - decay"),
)


mistake(
    "a factor 2, as in the gradient of a squared norm",
    of="decay_step",
    edit=("1 - decay", "1 - 2 * decay"),
)


mistake("the sign: the weights grow", of="decay_step", edit=("1 - decay", "1 + decay"))


mistake("no decay at all", of="decay_step", edit=("(1 - decay) * w", "w"))


@mistake("overwrites the caller's weights: *= works in place", of="decay_step")
def _(w, grad, lr, decay):
    w *= 1 - decay
    return w - lr * grad


@alternative("the weights shrink first, then move", of="l2_step")
def _(w, grad, lr, l2):
    return w * (1 - 2 * lr * l2) - grad * lr


@alternative("torch differentiates the penalty", of="l2_step")
def _(w, grad, lr, l2):
    weights = torch.tensor(w, requires_grad=True)
    (slope,) = torch.autograd.grad(l2 * weights.pow(2).sum(), weights)
    return (weights.detach() - lr * (torch.tensor(grad) + slope)).numpy()


@alternative("what is lost and the step are subtracted together", of="decay_step")
def _(w, grad, lr, decay):
    return w - (decay * w + lr * grad)


@alternative("torch's SGD on a copy that has been shrunk", of="decay_step")
def _(w, grad, lr, decay):
    parameter = torch.nn.Parameter(torch.tensor(w).mul(1 - decay))
    parameter.grad = torch.tensor(grad)
    torch.optim.SGD([parameter], lr=lr).step()
    return parameter.detach().numpy()
