import numpy as np
import torch

from autograder import alternative, mistake
from reference.optimizers import adam_step


@mistake("L2 in the gradient: the decay must not pass through m and v")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w, grad + weight_decay * w, m, v, t, lr, beta1, beta2, eps)


mistake(
    "the decay is not multiplied by the learning rate", edit=("lr * weight_decay", "weight_decay")
)


@mistake("the decay comes after the step and shrinks the step too")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    w, m, v = adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)
    return w - lr * weight_decay * w, m, v


mistake("no decay at all: this is Adam", edit=("w - lr * weight_decay * w", "w"))


mistake(
    "the weights grow in place of shrinking",
    edit=("w - lr * weight_decay * w", "w + lr * weight_decay * w"),
)


mistake(
    "a factor 2 in the decay: that is the gradient of a squared norm",
    edit=("lr * weight_decay", "2 * lr * weight_decay"),
)


@mistake("the decay is divided by the root too: only the gradient's part is")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    new, m, v = adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)
    return new - lr * weight_decay * w / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


mistake(
    "a fixed amount is taken off every weight, not a share of it",
    edit=("lr * weight_decay * w", "lr * weight_decay * np.sign(w)"),
)


@mistake("another default: weight_decay is 0.01, not zero")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    return adam_step(w - lr * weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)


@mistake("another default: the learning rate is 0.001")
def _(w, grad, m, v, t, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w - lr * weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)


@mistake("the betas and eps of the call are not handed on to Adam's step")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w - lr * weight_decay * w, grad, m, v, t, lr)


@mistake(
    "no bias correction: m and v start at zero and must be divided by 1 − βᵗ",
)
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return (1 - lr * weight_decay) * w - lr * m / (np.sqrt(v) + eps), m, v


@mistake("t is counted from 2: the correction of the first step uses t = 1")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w - lr * weight_decay * w, grad, m, v, t + 1, lr, beta1, beta2, eps)


@mistake("eps under the root: it belongs beside it, where it acts ten thousand times less")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    step = m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps)
    return (1 - lr * weight_decay) * w - lr * step, m, v


@mistake("hands back the old m and v, so that every step starts afresh")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    new, _, _ = adam_step(w - lr * weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)
    return new, m, v


@mistake("overwrites the caller's weights: *= works in place")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    w *= 1 - lr * weight_decay
    return adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)


@alternative("the decay and Adam's step are added up at the end")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad * grad - v)
    shrink = float(np.sqrt(1 - beta2**t))
    direction = m * (shrink / (1 - beta1**t)) / (v**0.5 + eps * shrink)
    return w - lr * (direction + weight_decay * w), m, v


@alternative("torch's AdamW with its state filled in")
def _(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.AdamW(
        [parameter], lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay
    )
    state = optimizer.state[parameter]
    state["step"] = torch.tensor(t - 1.0)
    state["exp_avg"], state["exp_avg_sq"] = torch.tensor(m), torch.tensor(v)
    optimizer.step()
    return parameter.detach().numpy(), state["exp_avg"].numpy(), state["exp_avg_sq"].numpy()
