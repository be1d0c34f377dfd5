import numpy as np
import torch
from bank._shared import grad

from autograder import alternative, mistake


def learn(
    loss,
    w,
    lr,
    hyper_lr,
    steps,
    slope=lambda g, before: -(g * before).sum().item(),
    project=lambda rate: max(rate, 0.0),
    used=lambda old, new: new,
):
    """Hypergradient descent, with parts that can be wrong."""
    before, lrs, losses = torch.zeros_like(w), [], []
    for _ in range(steps):
        w = w.detach().requires_grad_()
        value = loss(w)
        g = grad(value, w)[0]
        old, lr = lr, project(lr - hyper_lr * slope(g, before))
        rate = used(old, lr)
        w, before = w.detach() - rate * g, g
        lrs.append(rate)
        losses.append(value.item())
    return w, lrs, losses


@mistake("the weights move with the old learning rate: the new one comes first")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, used=lambda old, new: old)


@mistake("the learning rate steps uphill")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, slope=lambda g, before: (g * before).sum().item())


@mistake(
    "the squared length of one gradient: the derivative joins this gradient and the one before",
)
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, slope=lambda g, before: -(g * g).sum().item())


@mistake("the old gradient twice: this gradient tells how the loss changes")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, slope=lambda g, b: -(b * b).sum().item())


@mistake("the mean over the weights: an inner product is a sum")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, slope=lambda g, b: -(g * b).mean().item())


@mistake("only the sign of the derivative: its size counts too")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(
        loss, w0, lr, hyper_lr, steps, slope=lambda g, b: -float(torch.sign((g * b).sum()))
    )


@mistake(
    "the cosine in place of the inner product: the lengths of the gradients count too",
)
def _(loss, w0, lr, hyper_lr, steps):
    return learn(
        loss,
        w0,
        lr,
        hyper_lr,
        steps,
        slope=lambda g, b: -((g * b).sum() / (g.norm() * b.norm() + 1e-12)).item(),
    )


@mistake("the learning rate is multiplied, not moved: that is another rule")
def _(loss, w0, lr, hyper_lr, steps):
    w, before, lrs, losses = w0, torch.zeros_like(w0), [], []
    for _ in range(steps):
        w = w.detach().requires_grad_()
        value = loss(w)
        g = grad(value, w)[0]
        lr = lr * max(0.0, 1 + hyper_lr * (g * before).sum().item())
        w, before = w.detach() - lr * g, g
        lrs.append(lr)
        losses.append(value.item())
    return w, lrs, losses


@mistake("the learning rate never changes")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, 0.0, steps)


@mistake(
    "the learning rate is cut off before the loss is differentiated, so it never changes",
)
def _(loss, w0, lr, hyper_lr, steps):
    eta, w, lrs, losses = torch.tensor(lr, dtype=w0.dtype, requires_grad=True), w0.clone(), [], []
    for _ in range(steps):
        w = w.detach().requires_grad_()
        value = loss(w)
        g, slope = grad(value, (w, eta), allow_unused=True)
        eta = (eta - hyper_lr * (0.0 if slope is None else slope)).detach().requires_grad_()
        lrs.append(eta.item())
        losses.append(value.item())
        w = w - eta * g
    return w.detach(), lrs, losses


@mistake(
    "the first learning rate moves already: before the first step there is no derivative",
)
def _(loss, w0, lr, hyper_lr, steps):
    w = w0.clone().requires_grad_()
    g = grad(loss(w), w)[0]
    return learn(loss, w0, max(lr + hyper_lr * (g * g).sum().item(), 0.0), hyper_lr, steps)


@mistake("the derivative of the whole run so far, not of the last step alone")
def _(loss, w0, lr, hyper_lr, steps):
    w, moved, lrs, losses = w0, torch.zeros_like(w0), [], []
    for _ in range(steps):
        w = w.detach().requires_grad_()
        value = loss(w)
        g = grad(value, w)[0]
        lr = max(lr + hyper_lr * (g * moved).sum().item(), 0.0)
        w, moved = w.detach() - lr * g, moved + g
        lrs.append(lr)
        losses.append(value.item())
    return w, lrs, losses


@mistake("the losses after each step, not before it")
def _(loss, w0, lr, hyper_lr, steps):
    _, lrs, losses = learn(loss, w0, lr, hyper_lr, steps + 1)
    return learn(loss, w0, lr, hyper_lr, steps)[0], lrs[:-1], losses[1:]


@mistake("one step too many")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps + 1)


@mistake("the weights before the last step are returned")
def _(loss, w0, lr, hyper_lr, steps):
    _, lrs, losses = learn(loss, w0, lr, hyper_lr, steps)
    return learn(loss, w0, lr, hyper_lr, steps - 1)[0], lrs, losses


@mistake("only the last learning rate is returned")
def _(loss, w0, lr, hyper_lr, steps):
    w, lrs, losses = learn(loss, w0, lr, hyper_lr, steps)
    return w, lrs[-1], losses


@mistake("losses and learning rates in the wrong order")
def _(loss, w0, lr, hyper_lr, steps):
    w, lrs, losses = learn(loss, w0, lr, hyper_lr, steps)
    return w, losses, lrs


@mistake("only for vectors: @ is no sum over all entries")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, slope=lambda g, b: -(g @ b).item())


@mistake("a negative learning rate is not projected, and climbs")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, project=lambda rate: rate)


@mistake(
    "the absolute value in place of zero: a large negative number becomes a large positive one"
)
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, project=abs)


@mistake("the step is projected, but the learning rate itself stays negative")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(
        loss, w0, lr, hyper_lr, steps, project=lambda r: r, used=lambda old, new: max(new, 0.0)
    )


@mistake("a negative learning rate is refused, and the old one kept")
def _(loss, w0, lr, hyper_lr, steps):
    before, w, lrs, losses = torch.zeros_like(w0), w0, [], []
    for _ in range(steps):
        w = w.detach().requires_grad_()
        value = loss(w)
        g = grad(value, w)[0]
        new = lr + hyper_lr * (g * before).sum().item()
        lr = new if new >= 0 else lr
        w, before = w.detach() - lr * g, g
        lrs.append(lr)
        losses.append(value.item())
    return w, lrs, losses


@mistake("a small positive number in place of zero")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, project=lambda rate: max(rate, 1e-3))


@mistake("the learning rate is cut off at one as well")
def _(loss, w0, lr, hyper_lr, steps):
    return learn(loss, w0, lr, hyper_lr, steps, project=lambda rate: min(max(rate, 0.0), 1.0))


@mistake("the weights are never detached: right numbers, but every step remembers all former ones")
def _(loss, w0, lr, hyper_lr, steps):
    w, lrs, losses = w0.clone().requires_grad_(), [], []
    eta = None
    for _ in range(steps):
        value = loss(w)
        if eta is not None:
            lr = max(lr - hyper_lr * grad(value, eta, retain_graph=True)[0].item(), 0.0)
        eta = torch.tensor(lr, dtype=w0.dtype, requires_grad=True)
        g = grad(value, w)[0]
        w = w - eta * g
        lrs.append(lr)
        losses.append(value.item())
    return w.detach(), lrs, losses


@mistake("the learning rate remembers all former ones: detach it after its step")
def _(loss, w0, lr, hyper_lr, steps):
    eta, w, lrs, losses = torch.tensor(lr, dtype=w0.dtype, requires_grad=True), w0.clone(), [], []
    w.requires_grad_()
    for step in range(steps):
        value = loss(w)
        g, slope = grad(value, (w, eta), allow_unused=True)
        if step:
            eta = torch.clamp(eta - hyper_lr * slope, min=0.0)
        w = w.detach() - eta * g
        lrs.append(eta.item())
        losses.append(value.item())
    return w.detach(), lrs, losses


@mistake("the losses are kept with their graphs: a number is enough")
def _(loss, w0, lr, hyper_lr, steps):
    before, w, lrs, losses = torch.zeros_like(w0), w0, [], []
    for _ in range(steps):
        w = w.detach().requires_grad_()
        losses.append(loss(w))
        g = grad(losses[-1], w)[0]
        lr = max(lr + hyper_lr * (g * before).sum().item(), 0.0)
        w, before = w.detach() - lr * g, g
        lrs.append(lr)
    return w, lrs, [value.item() for value in losses]


@mistake(
    "create_graph without need, and the old gradient keeps its graph alive, and that the one before"
)
def _(loss, w0, lr, hyper_lr, steps):
    w, before, lrs, losses = w0.clone().requires_grad_(), torch.zeros_like(w0), [], []
    for _ in range(steps):
        value = loss(w)
        g = grad(value, w, create_graph=True)[0]
        lr = max(lr + hyper_lr * (g * before).sum().item(), 0.0)
        w, before = w - lr * g, g
        lrs.append(lr)
        losses.append(value.item())
    return w.detach(), lrs, losses


@mistake("what is returned hangs on a graph")
def _(loss, w0, lr, hyper_lr, steps):
    w, lrs, losses = learn(loss, w0, lr, hyper_lr, steps)
    return w, lrs, torch.stack([torch.tensor(v, requires_grad=True) for v in losses])


@mistake("the training is done in the caller's w0")
def _(loss, w0, lr, hyper_lr, steps):
    w, lrs, losses = learn(loss, w0, lr, hyper_lr, steps)
    w0.copy_(w)
    return w, lrs, losses


@mistake("the caller's w0 is made to require a gradient")
def _(loss, w0, lr, hyper_lr, steps):
    w0.requires_grad_()
    return learn(loss, w0, lr, hyper_lr, steps)


@alternative("autograd through one step, with everything detached after it")
def _(loss, w0, lr, hyper_lr, steps):
    eta = torch.tensor(lr, dtype=w0.dtype, device=w0.device, requires_grad=True)
    w, lrs, losses = w0.clone().requires_grad_(), [], []
    for step in range(steps):
        value = loss(w)
        if step == 0:
            (slope,) = torch.autograd.grad(value, w)
        else:
            slope, hyper = torch.autograd.grad(value, [w, eta])
            eta = (eta.detach() - hyper_lr * hyper).clamp(min=0).requires_grad_()
        lrs.append(eta.detach())
        losses.append(value.detach())
        w = w.detach() - eta * slope
    return w.detach(), torch.stack(lrs), torch.stack(losses)


@alternative("numbers in lists, and backward() on a leaf of each step")
def _(loss, w0, lr, hyper_lr, steps):
    now = w0.detach().clone()
    lrs, losses, former = [], [], None
    while len(lrs) < steps:
        leaf = torch.nn.Parameter(now)
        value = loss(leaf)
        value.backward()
        here = leaf.grad
        if former is not None:
            lr += hyper_lr * float(torch.tensordot(here, former, dims=here.ndim))
            lr = lr if lr > 0 else 0.0
        now = now - here * lr
        former = here
        lrs += [lr]
        losses += [float(value.detach())]
    return now, lrs, losses


@alternative("the derivative in the learning rate by torch.func.jvp")
def _(loss, w0, lr, hyper_lr, steps):
    w, direction, lrs, losses = w0, torch.zeros_like(w0), [], []
    for _ in range(steps):
        value, hyper = torch.func.jvp(loss, (w,), (direction,))
        lr = max(0.0, lr - hyper_lr * hyper.item())
        direction = -torch.func.grad(loss)(w)
        w = w + lr * direction
        lrs.append(lr)
        losses.append(value)
    return w, np.array(lrs), losses
