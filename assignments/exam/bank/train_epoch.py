import torch

from autograder import alternative, mistake

mistake(
    "old gradients are added to the new ones: zero_grad is missing",
    edit=("        optimizer.zero_grad()\n", ""),
)


@mistake("the gradients are set to zero right before the step uses them")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return losses


mistake(
    "zero_grad comes once an epoch, not once a batch",
    edit=(
        "    for inputs, targets in batches:\n        optimizer.zero_grad()\n",
        "    optimizer.zero_grad()\n    for inputs, targets in batches:\n",
    ),
)


@mistake("the first batch still uses the gradients that were there before")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


mistake(
    "labels and predictions are swapped in the loss",
    edit=("loss_fn(model(inputs), targets)", "loss_fn(targets, model(inputs))"),
)


mistake("image for images: a name that nothing defines", edit=("model(inputs)", "model(image)"))


mistake(
    "trained in evaluation mode: batch statistics are not used",
    edit=("model.train()", "model.eval()"),
)


mistake("the mode is left as it was found", edit=("    model.train()\n", ""))


mistake("the list keeps tensors, and with them every batch's graph", edit=("loss.item()", "loss"))


@mistake("the loss after the step, not before it")
def _(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss_fn(model(images), labels).backward()
        optimizer.step()
        losses.append(loss_fn(model(images), labels).item())
    return losses


mistake(
    "the step comes before the gradient that it needs",
    edit=("loss.backward()\n        optimizer.step()", "optimizer.step()\n        loss.backward()"),
)


mistake(
    "returns after the first batch: mind the indentation",
    edit=("    return losses", "        return losses"),
)


mistake(
    "one mean loss for the epoch, not one for each batch",
    edit=("return losses", "return [sum(losses) / len(losses)]"),
)


@mistake("a single step for the whole epoch")
def _(model, optimizer, batches, loss_fn):
    model.train()
    optimizer.zero_grad()
    losses = [loss_fn(model(images), labels) for images, labels in batches]
    sum(losses).backward()
    optimizer.step()
    return [loss.item() for loss in losses]


@alternative("a closure")
def _(model, optimizer, batches, loss_fn):
    model.train(True)

    def one_step(images, labels):
        def closure():
            model.zero_grad()
            value = loss_fn(model(images), labels)
            value.backward()
            return value

        return optimizer.step(closure).item()

    return [one_step(*batch) for batch in batches]


@alternative("gradients from torch.autograd.grad")
def _(model, optimizer, batches, loss_fn):
    model.train()
    parameters, collected = list(model.parameters()), []
    for inputs, targets in batches:
        value = loss_fn(model(inputs), targets)
        for parameter, slope in zip(
            parameters, torch.autograd.grad(value, parameters), strict=True
        ):
            parameter.grad = slope
        optimizer.step()
        collected.append(float(value.detach()))
    return collected


@alternative("zeros after each step, and before the first")
def _(model, optimizer, batches, loss_fn):
    model.train()
    model.zero_grad()
    collected = []
    for inputs, targets in batches:
        predictions = model(inputs)
        value = loss_fn(predictions, targets)
        value.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        collected.append(value.detach().numpy().item())
    return collected
