import torch

from autograder import alternative, mistake

mistake(
    "the line is still missing: old gradients are added to the new ones",
    edit=("    optimizer.zero_grad()\n", ""),
)


@mistake("the gradients are set to zero right before the step uses them")
def _(model, optimizer, inputs, targets, loss_fn):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@mistake("gradients are set to zero after the step: what was there before the first one gets in")
def _(model, optimizer, inputs, targets, loss_fn):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


mistake(
    "the arguments of the loss are swapped: they were right",
    edit=("loss_fn(model(inputs), targets)", "loss_fn(targets, model(inputs))"),
)


@mistake("the loss after the step, not before it")
def _(model, optimizer, inputs, targets, loss_fn):
    optimizer.zero_grad()
    loss_fn(model(inputs), targets).backward()
    optimizer.step()
    return loss_fn(model(inputs), targets).item()


@alternative("the model's own zero_grad, between the forward and the backward pass")
def _(model, optimizer, inputs, targets, loss_fn):
    value = loss_fn(model(inputs), targets)
    model.zero_grad(set_to_none=False)
    value.backward()
    optimizer.step()
    return value.detach()


@alternative("gradients from torch.autograd.grad")
def _(model, optimizer, inputs, targets, loss_fn):
    parameters = list(model.parameters())
    value = loss_fn(model(inputs), targets)
    for parameter, slope in zip(parameters, torch.autograd.grad(value, parameters), strict=True):
        parameter.grad = slope
    optimizer.step()
    return float(value.detach())
