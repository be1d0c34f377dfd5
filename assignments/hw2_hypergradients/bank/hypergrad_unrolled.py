from weakref import WeakKeyDictionary

import torch
from bank._shared import derivative, grad, leaf, unroll

from autograder import alternative, mistake

shared_rates = WeakKeyDictionary()  # by the loss: within a case, a call finds the one before


@mistake(
    "create_graph is missing: the gradients are taken for constants, and their change is lost",
)
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(valid_loss(unroll(train_loss, eta, w, steps, recorded=False)), eta)


@mistake("the gradients are detached, so that only a part of the paths is left")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    w.requires_grad_()
    for _ in range(steps):
        w = w - eta * grad(train_loss(w), w)[0].detach()
    return derivative(valid_loss(w), eta)


@mistake(
    "the weights are detached before each step, so that only the last step counts",
)
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    for _ in range(steps):
        w = w.detach().requires_grad_()
        w = w - eta * grad(train_loss(w), w, create_graph=True)[0]
    return derivative(valid_loss(w), eta)


@mistake(
    "the weights are detached inside the gradient: the old weights survive, their gradient's "
    "change does not",
)
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    for _ in range(steps):
        here = w.detach().requires_grad_()
        w = w - eta * grad(train_loss(here), here)[0]
    return derivative(valid_loss(w), eta)


@mistake(
    "the old weights are detached, and only the gradients carry the derivative",
)
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    w.requires_grad_()
    for _ in range(steps):
        w = w.detach() - eta * grad(train_loss(w), w, create_graph=True)[0]
    return derivative(valid_loss(w), eta)


@mistake(
    "the weights are detached after each step, and nothing depends on the learning rate",
)
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    for _ in range(steps):
        w.requires_grad_()
        w = (w - eta * grad(train_loss(w), w, create_graph=True)[0]).detach()
    return derivative(valid_loss(w), eta)


@mistake(
    "steps by .data: autograd does not see them, and nothing depends on the learning rate",
)
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    w.requires_grad_()
    for _ in range(steps):
        w.data -= eta.data * grad(train_loss(w), w, create_graph=True)[0].data
    return derivative(valid_loss(w), eta)


@mistake("steps under no_grad: nothing depends on the learning rate")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    w.requires_grad_()
    for _ in range(steps):
        gradient = grad(train_loss(w), w)[0]
        with torch.no_grad():
            w -= eta * gradient
    return derivative(valid_loss(w), eta)


@mistake(
    "the steps use the Python number; the tensor that is asked for its gradient is in no step",
)
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(valid_loss(unroll(train_loss, lr, w, steps)), eta)


@mistake("a tensor that does not require a gradient has none")
def _(train_loss, valid_loss, w0, lr, steps):
    loss = valid_loss(unroll(train_loss, torch.tensor(lr), w0.clone(), steps))
    return loss.item(), grad(loss, torch.tensor(lr))[0].item()


@mistake("a new tensor in each step: only the last one is asked for its gradient")
def _(train_loss, valid_loss, w0, lr, steps):
    w = w0.clone().requires_grad_()
    for _ in range(steps):
        eta = torch.tensor(lr, dtype=w0.dtype, requires_grad=True)
        w = w - eta * grad(train_loss(w), w, create_graph=True)[0]
    return derivative(valid_loss(w), eta)


@mistake("one step, however many are asked for")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(valid_loss(unroll(train_loss, eta, w, 1)), eta)


@mistake("one step too many")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(valid_loss(unroll(train_loss, eta, w, steps + 1)), eta)


@mistake("one step too few")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(valid_loss(unroll(train_loss, eta, w, steps - 1)), eta)


@mistake("steps uphill")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(valid_loss(unroll(train_loss, -eta, w, steps)), eta)


@mistake("the training loss at the end: the validation loss is asked for")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(train_loss(unroll(train_loss, eta, w, steps)), eta)


@mistake("trained on the validation loss")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(valid_loss(unroll(valid_loss, eta, w, steps)), eta)


@mistake("the losses of all steps added up: only the end of the run counts")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    total = 0.0
    for _ in range(steps):
        w = unroll(train_loss, eta, w, 1)
        total = total + valid_loss(w)
    return derivative(total + valid_loss(w), eta)


@mistake("the derivative in the first weights, not in the learning rate")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    start = w.requires_grad_()
    loss = valid_loss(unroll(train_loss, eta, start, steps))
    return loss.item(), grad(loss, start)[0].detach()


@mistake("loss and hypergradient in the wrong order")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(valid_loss(unroll(train_loss, eta, w, steps)), eta)[::-1]


@mistake("the sign: what is asked for is the derivative, not the direction to go")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    loss, slope = derivative(valid_loss(unroll(train_loss, eta, w, steps)), eta)
    return loss, -slope


@mistake("a difference quotient: it is rough, and in single precision too rough")
def _(train_loss, valid_loss, w0, lr, steps):
    def end(rate):
        w = unroll(train_loss, rate, w0.clone(), steps, recorded=False)
        return valid_loss(w).item()

    return end(lr), (end(lr + 1e-4) - end(lr - 1e-4)) / 2e-4


@mistake(
    "backward() adds to .grad, and the tensor outlives the call: former calls are counted again"
)
def _(train_loss, valid_loss, w0, lr, steps):
    eta = shared_rates.setdefault(train_loss, torch.zeros((), dtype=w0.dtype, requires_grad=True))
    eta.data.fill_(lr)
    loss = valid_loss(unroll(train_loss, eta, w0.clone(), steps))
    loss.backward()
    return loss.item(), eta.grad.item()


@mistake("what is returned hangs on the graph and keeps all of it alive: use .item() or .detach()")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    loss = valid_loss(unroll(train_loss, eta, w, steps))
    return loss, grad(loss, eta, retain_graph=True)[0]


@mistake("create_graph where the last derivative is taken: nobody needs the graph of it")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    loss = valid_loss(unroll(train_loss, eta, w, steps))
    return loss.item(), grad(loss, eta, create_graph=True)[0]


@mistake("the weights of every run are kept in a list, with their graphs")
def _(train_loss, valid_loss, w0, lr, steps, kept=[]):  # noqa: B006 - the mistake
    eta, w = leaf(lr, w0)
    kept.append(unroll(train_loss, eta, w, steps))
    return derivative(valid_loss(kept[-1]), eta)


@mistake("the caller's w0 is made to require a gradient")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, _ = leaf(lr, w0)
    return derivative(valid_loss(unroll(train_loss, eta, w0, steps)), eta)


@mistake("the run ends in the caller's w0, so that the next run starts where this one ended")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    w = unroll(train_loss, eta, w, steps)
    w0.copy_(w.detach())
    return derivative(valid_loss(w), eta)


@alternative("backward with create_graph, and .grad read off")
def _(train_loss, valid_loss, w0, lr, steps):
    rate = torch.nn.Parameter(torch.tensor(lr, dtype=w0.dtype, device=w0.device))
    start = torch.nn.Parameter(w0.clone())
    w = start
    for _ in range(steps):
        (slope,) = torch.autograd.grad(train_loss(w), [w], create_graph=True)
        w = torch.sub(w, torch.mul(slope, rate))
    value = valid_loss(w)
    value.backward(inputs=[rate])
    return value.detach(), rate.grad


@alternative("a function of the learning rate, differentiated by torch.func")
def _(train_loss, valid_loss, w0, lr, steps):
    def end(rate):
        w = w0
        for _ in range(steps):
            w = w - rate * torch.func.grad(train_loss)(w)
        return valid_loss(w)

    rate = torch.tensor(lr, dtype=w0.dtype, device=w0.device)
    slope, value = torch.func.grad_and_value(end)(rate)
    return value, slope


@alternative(
    "by hand: the weights are kept, and one vector goes back through the steps",
)
def _(train_loss, valid_loss, w0, lr, steps):
    path = [w0.clone()]
    for _ in range(steps):
        w = path[-1].detach().requires_grad_()
        path.append(w.detach() - lr * torch.autograd.grad(train_loss(w), w)[0])
    end = path.pop().requires_grad_()
    value = valid_loss(end)
    (back,) = torch.autograd.grad(value, end)
    slope = 0.0
    while path:
        w = path.pop().requires_grad_()
        (here,) = torch.autograd.grad(train_loss(w), w, create_graph=True)
        (bent,) = torch.autograd.grad(here, w, grad_outputs=back)
        slope -= float((here.detach() * back).sum())
        back = back - lr * bent
    return value.item(), slope


@alternative("a learning rate in single precision")
def _(train_loss, valid_loss, w0, lr, steps):
    rate = torch.tensor(lr, device=w0.device, requires_grad=True)
    w = w0.detach().clone().requires_grad_(True)
    while steps:
        (here,) = torch.autograd.grad(train_loss(w), w, create_graph=True)
        w, steps = w.sub(rate * here), steps - 1
    value = valid_loss(w)
    return value.item(), torch.autograd.grad(value, rate)[0]


@alternative("the learning rate stays on the CPU")
def _(train_loss, valid_loss, w0, lr, steps):
    rate = torch.tensor(lr, dtype=w0.dtype, requires_grad=True)
    w = w0.clone().requires_grad_()
    for _ in range(steps):
        (here,) = torch.autograd.grad(train_loss(w), w, create_graph=True)
        w = w - rate * here
    value = valid_loss(w)
    return value.item(), torch.autograd.grad(value, rate)[0].item()
