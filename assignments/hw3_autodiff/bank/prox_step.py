import numpy as np
import torch

from autograder import alternative, mistake
from reference.convex import prox_step

for misconception, wrong in (
    ("uphill: the sign of the gradient", lambda w, grad, lam: w + grad / lam),
    ("times lambda: a stronger penalty makes a shorter step", lambda w, grad, lam: w - lam * grad),
    (
        "the one half was dropped when the square was differentiated",
        lambda w, g, lam: w - g / (2 * lam),
    ),
    ("the one half was counted twice", lambda w, g, lam: w - 2 * g / lam),
    (
        "the norm was differentiated, not its square: the step loses its length",
        lambda w, g, lam: w - g / (lam * np.linalg.norm(g)),
    ),
    ("the weight of the penalty is not used", lambda w, g, lam: w - g),
    ("the difference u - w in place of u", lambda w, g, lam: -g / lam),
    (
        "the penalty pulls towards zero, not towards w",
        lambda w, g, lam: -(g - w) / lam,
    ),
    ("the root of lambda", lambda w, g, lam: w - g / np.sqrt(lam)),
    (
        "an average of w and the step, as if w were penalised as well",
        lambda w, g, lam: (lam * w - g) / (1 + lam),
    ),
    (
        "double precision, where single precision came in",
        lambda w, g, lam: np.asarray(w, dtype=np.float64) - g / lam,
    ),
    ("whole numbers only", lambda w, g, lam: (w - g / lam).astype(int)),
):
    mistake(misconception, prox_step=wrong)


@mistake("overwrites the caller's weights: -= works in place")
def _(w, grad, lam):
    w -= grad / lam
    return w


@mistake("overwrites the caller's gradient: /= works in place")
def _(w, grad, lam):
    grad /= lam
    return w - grad


for misconception, wrong in (
    ("the learning rate is the weight of the penalty: turn it around", lambda lam: lam),
    ("the one half was dropped when the square was differentiated", lambda lam: 1 / (2 * lam)),
    ("the one half was counted twice", lambda lam: 2 / lam),
    ("the root of lambda", lambda lam: 1 / np.sqrt(lam)),
    ("one whatever the penalty is", lambda lam: 1.0),
    ("the sign: the step goes against the gradient already", lambda lam: -1 / lam),
):
    mistake(misconception, prox_learning_rate=wrong)


@alternative("measured in a step", of="prox_learning_rate")
def _(lam):
    return 2.0 - prox_step(2.0, 1.0, lam)


@alternative("a power", of="prox_learning_rate")
def _(lam):
    return np.float64(lam) ** -1


@alternative("the linear system of the stationary point, solved")
def _(w, grad, lam):
    right = (lam * w - grad).ravel()
    u = np.linalg.solve(lam * np.eye(right.size, dtype=right.dtype), right)
    return u.reshape(np.shape(w)).astype(w.dtype)


@alternative("one step of torch's SGD")
def _(w, grad, lam):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    torch.optim.SGD([parameter], lr=1 / lam).step()
    return parameter.detach().numpy()


@alternative("one step of Newton's method on the objective")
def _(w, grad, lam):
    u = torch.zeros(np.shape(w), dtype=torch.tensor(w).dtype, requires_grad=True)
    away = u - torch.tensor(w)
    objective = (away * torch.tensor(grad)).sum() + lam / 2 * (away**2).sum()
    (slope,) = torch.autograd.grad(objective, u)
    return (u.detach() - slope / lam).numpy()
