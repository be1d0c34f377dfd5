import torch
from assignment import broken_train_epoch

from autograder import alternative, mistake

mistake(
    "the loop as it was handed out, with all its faults",
    train_epoch=broken_train_epoch,
)


@mistake("gradients add up: those of the batch before are never cleared")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for inputs, targets in batches:
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake("gradients are cleared between backward and step, so that the step has none")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for inputs, targets in batches:
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake("gradients are cleared once for the epoch, not for a batch")
def _(model, optimizer, batches, loss_fn):
    model.train()
    optimizer.zero_grad()
    losses = []
    for inputs, targets in batches:
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake("gradients are cleared after the step only: what was there before the first one gets in")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for inputs, targets in batches:
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


mistake(
    "the arguments of the loss are swapped: predictions come first",
    edit=("loss_fn(model(inputs), targets)", "loss_fn(targets, model(inputs))"),
)


@mistake("a slip of a name: the model sees the first batch again and again")
def _(model, optimizer, batches, loss_fn):
    model.train()
    image, _ = batches[0]
    losses = []
    for _images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(image), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "a slip of a name: image for images, and nothing defines it",
)
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:  # noqa: B007
        optimizer.zero_grad()
        loss = loss_fn(model(image), labels)  # noqa: F821
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "the gradients are cleared now, but two other faults are still there",
)
def _(model, optimizer, batches, loss_fn):
    model.train()
    image, losses = batches[0][0], []
    for _images, labels in batches:
        optimizer.zero_grad()
        preds = model(image)
        loss = loss_fn(labels, preds)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


mistake(
    "the list holds losses as tensors, and with each the graph that it was computed by",
    edit=("loss.item()", "loss"),
)


@mistake("the loss is measured again after the step")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss_fn(model(inputs), targets).backward()
        optimizer.step()
        losses.append(loss_fn(model(inputs), targets).item())
    return losses


@mistake("one step for the whole epoch, not for each batch")
def _(model, optimizer, batches, loss_fn):
    model.train()
    optimizer.zero_grad()
    losses = []
    for inputs, targets in batches:
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        losses.append(loss.item())
    optimizer.step()
    return losses


mistake(
    "one number for the whole epoch: a list of each batch's loss is asked for",
    edit=("return losses", "return [sum(losses) / len(losses)]"),
)


@mistake("the loss is not differentiated: no call of backward")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for inputs, targets in batches:
        optimizer.zero_grad()
        losses.append(loss_fn(model(inputs), targets).item())
        optimizer.step()
    return losses


@mistake("the mode is left as it was found")
def _(model, optimizer, batches, loss_fn):
    losses = []
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake("the batches are drawn in another order")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for inputs, targets in reversed(batches):
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake("the last batch, or the smaller one, is left out")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for inputs, targets in batches[:-1]:
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


mistake(
    "one step: the line is still missing, so that gradients add up",
    of="train_on_batch",
    edit=("    optimizer.zero_grad()\n", ""),
)


@mistake("one step: gradients are cleared between backward and step", of="train_on_batch")
def _(model, optimizer, inputs, targets, loss_fn):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@mistake(
    "one step: gradients are cleared after it, and those of before get into the first",
    of="train_on_batch",
)
def _(model, optimizer, inputs, targets, loss_fn):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


@alternative("one step: the model's own zero_grad, right before backward", of="train_on_batch")
def _(model, optimizer, inputs, targets, loss_fn):
    loss = loss_fn(model(inputs), targets)
    model.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    return loss.detach()


@alternative("gradients by autograd.grad, put in place by hand")
def _(model, optimizer, batches, loss_fn):
    model.train()
    parameters, history = list(model.parameters()), []
    for inputs, targets in batches:
        value = loss_fn(model(inputs), targets)
        for parameter, grad in zip(parameters, torch.autograd.grad(value, parameters), strict=True):
            parameter.grad = grad
        optimizer.step()
        history.append(value.item())
    return history


@alternative("a closure, and losses kept as detached tensors")
def _(model, optimizer, batches, loss_fn):
    model.train()
    kept = []
    for batch in batches:

        def closure(batch=batch):
            model.zero_grad(set_to_none=False)
            out = loss_fn(model(batch[0]), batch[1])
            out.backward()
            return out

        kept.append(optimizer.step(closure).detach())
    return kept


@alternative("training mode for each part of the model")
def _(model, optimizer, batches, loss_fn):
    for part in model.modules():
        part.training = True
    pairs, numbers = iter(batches), []
    while (pair := next(pairs, None)) is not None:
        optimizer.zero_grad(set_to_none=True)
        error = loss_fn(model(pair[0]), pair[1])
        error.backward()
        numbers += [error.detach().cpu().item()]
        optimizer.step()
    return numbers
