import torch
from bank._shared import derivative, leaf, unroll

from autograder import alternative, mistake


@mistake("weights are moved to the CPU, where the data are not", of="hypergrad_unrolled")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0.cpu())
    return derivative(valid_loss(unroll(train_loss, eta, w, steps)), eta)


@alternative("the learning rate stays on the CPU", of="hypergrad_unrolled")
def _(train_loss, valid_loss, w0, lr, steps):
    rate = torch.tensor(lr, dtype=w0.dtype, requires_grad=True)
    w = w0.clone().requires_grad_()
    for _ in range(steps):
        (here,) = torch.autograd.grad(train_loss(w), w, create_graph=True)
        w = w - rate * here
    value = valid_loss(w)
    return value.item(), torch.autograd.grad(value, rate)[0].item()
