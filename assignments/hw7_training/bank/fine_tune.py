import copy

import torch
from assignment import broken_fine_tune
from torch import nn
from torch.nn import functional as F

from autograder import alternative, mistake


def fine_tune_with(
    built="last",
    reshape=False,
    late_step=False,
    no_zero=False,
    in_place=False,
    old_head=False,
    only="",
    start_zero=True,
    shallow=False,
    swap=False,
    momentum=0.0,
    summed=False,
    by_image=False,
    graphs=False,
):
    """Return a `fine_tune` with some faults."""

    def fine_tune(model, num_labels, batches, lr, epochs):
        made = {"first": list(model.parameters())}
        tuned = model if in_place else copy.copy(model) if shallow else copy.deepcopy(model)
        if shallow:
            tuned._modules = dict(model._modules)
        made["before head"] = list(tuned.parameters())
        old = tuned.head
        if not old_head:
            tuned.head = nn.Conv2d(old.in_channels, num_labels, 1, dtype=old.weight.dtype)
            if start_zero:
                nn.init.zeros_(tuned.head.weight)
                nn.init.zeros_(tuned.head.bias)
        made["last"] = [p for n, p in tuned.named_parameters() if n.startswith(only)]
        optimizer = torch.optim.SGD(made[built], lr=lr, momentum=momentum)
        losses = []
        for _ in range(epochs):
            for images, labels in batches:
                if not no_zero:
                    optimizer.zero_grad()
                out = tuned(images)
                if reshape:
                    loss = F.cross_entropy(out.reshape(-1, num_labels), labels.reshape(-1))
                elif swap:
                    loss = F.cross_entropy(out.transpose(2, 3).reshape(out.shape), labels)
                else:
                    loss = F.cross_entropy(out, labels, reduction="sum" if summed else "mean")
                    loss = loss / len(images) if summed else loss
                loss.backward()
                if not late_step:
                    optimizer.step()
                losses.append(loss.item())
            if late_step:
                optimizer.step()
        return tuned, losses[-1:] if graphs else losses

    return fine_tune


mistake(
    "the loop as it was handed out, with all its faults",
    fine_tune=broken_fine_tune,
)
mistake(
    "the optimizer is built before the copy: it holds the parameters of the old model",
    fine_tune=fine_tune_with(built="first"),
)
mistake(
    "the optimizer is built before the head is replaced: the new head never learns",
    fine_tune=fine_tune_with(built="before head"),
)
mistake(
    "reshaped without moving the label axis to the end: rows mix the logits of several pixels",
    fine_tune=fine_tune_with(reshape=True),
)
mistake("height and width are mixed up on the way to the loss", fine_tune=fine_tune_with(swap=True))
mistake(
    "one step for an epoch: the step stands outside the inner loop",
    fine_tune=fine_tune_with(late_step=True),
)
mistake(
    "gradients add up over the batches: they are never cleared",
    fine_tune=fine_tune_with(no_zero=True),
)
mistake(
    "trains the head only, and freezes the rest",
    fine_tune=fine_tune_with(only="head"),
)
mistake(
    "trains all but the new head",
    fine_tune=fine_tune_with(only="body"),
)
mistake("the head is the old one", fine_tune=fine_tune_with(old_head=True))
mistake(
    "the new head starts at random numbers, not at zero",
    fine_tune=fine_tune_with(start_zero=False),
)
mistake(
    "an optimizer with momentum, where a plain one is asked for",
    fine_tune=fine_tune_with(momentum=0.9),
)
mistake(
    "a sum over the pixels of an image in place of the mean over all pixels",
    fine_tune=fine_tune_with(summed=True),
)
mistake("the last loss only: each batch's is asked for", fine_tune=fine_tune_with(graphs=True))
mistake("no copy: the model that was handed in is trained", fine_tune=fine_tune_with(in_place=True))
mistake("a shallow copy: both models share their layers", fine_tune=fine_tune_with(shallow=True))


@alternative("the axis is moved, the step written out")
def _(model, num_labels, batches, lr, epochs):
    clone = copy.deepcopy(model)
    clone.head = nn.Conv2d(model.head.in_channels, num_labels, 1).to(model.head.weight.dtype)
    for parameter in clone.head.parameters():
        parameter.data.fill_(0.0)
    values = []
    for _ in range(epochs):
        for x, y in batches:
            rows = clone(x).permute(0, 2, 3, 1).reshape(-1, num_labels)
            value = F.cross_entropy(rows, y.flatten())
            clone.zero_grad()
            value.backward()
            with torch.no_grad():
                for parameter in clone.parameters():
                    parameter -= lr * parameter.grad
            values.append(float(value))
    return clone, values


@alternative(
    "the head is put into the optimizer as a group of its own",
)
def _(model, num_labels, batches, lr, epochs):
    new = copy.deepcopy(model)
    optimizer = torch.optim.SGD([p for n, p in new.named_parameters() if "head" not in n], lr=lr)
    head = nn.Conv2d(new.head.weight.shape[1], num_labels, kernel_size=1, dtype=torch.float64)
    with torch.no_grad():
        head.weight *= 0
        head.bias *= 0
    new.head = head
    optimizer.add_param_group({"params": head.parameters()})
    losses = []
    for images, labels in batches * epochs:
        log_p = new(images).log_softmax(dim=1)
        loss = -log_p.gather(1, labels[:, None]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return new, losses
