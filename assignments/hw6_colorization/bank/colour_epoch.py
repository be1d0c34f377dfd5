import numpy as np
import torch
from torch import nn

from autograder import alternative, mistake
from reference.colorization import colour_loss


def epoch_in_parts(model, optimizer, grey, categories, batch_size, skip=()):
    """An epoch without some of its parts, which variants below leave out."""
    if "mode" not in skip:
        model.train()
    losses = []
    for x, y in zip(grey.split(batch_size), categories.split(batch_size), strict=True):
        if "zero" not in skip:
            optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y.squeeze(1))
        loss.backward()
        if "zero late" in skip:
            optimizer.zero_grad()
        if "step" not in skip:
            optimizer.step()
        losses.append((loss.item(), len(x)))
    return sum(value * number for value, number in losses) / len(grey)


@mistake("the old gradients are never forgotten: each step adds to them")
def _(model, optimizer, grey, categories, batch_size):
    return epoch_in_parts(model, optimizer, grey, categories, batch_size, ("zero",))


@mistake("gradients are set to zero behind the backward pass: the step has none left")
def _(model, optimizer, grey, categories, batch_size):
    return epoch_in_parts(model, optimizer, grey, categories, batch_size, ("zero late",))


@mistake("gradients are set to zero once for the epoch, not once for each batch")
def _(model, optimizer, grey, categories, batch_size):
    optimizer.zero_grad()
    return epoch_in_parts(model, optimizer, grey, categories, batch_size, ("zero",))


@mistake("the optimizer makes no step")
def _(model, optimizer, grey, categories, batch_size):
    return epoch_in_parts(model, optimizer, grey, categories, batch_size, ("step",))


@mistake("training mode is not switched on: the model still evaluates")
def _(model, optimizer, grey, categories, batch_size):
    return epoch_in_parts(model, optimizer, grey, categories, batch_size, ("mode",))


@mistake("trains in evaluation mode")
def _(model, optimizer, grey, categories, batch_size):
    model.eval()
    return epoch_in_parts(model, optimizer, grey, categories, batch_size, ("mode",))


@mistake("leaves the model in evaluation mode")
def _(model, optimizer, grey, categories, batch_size):
    loss = epoch_in_parts(model, optimizer, grey, categories, batch_size)
    model.eval()
    return loss


@mistake("one step for the whole epoch: all gradients are added up")
def _(model, optimizer, grey, categories, batch_size):
    optimizer.zero_grad()
    loss = epoch_in_parts(model, optimizer, grey, categories, batch_size, ("zero", "step"))
    optimizer.step()
    return loss


@mistake("a mean of the batches' losses: a smaller batch at the end counts too much")
def _(model, optimizer, grey, categories, batch_size):
    model.train()
    losses = []
    for x, y in zip(grey.split(batch_size), categories.split(batch_size), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y.squeeze(1))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses))


@mistake("the loss of the last batch for the loss of the epoch")
def _(model, optimizer, grey, categories, batch_size):
    last = len(grey) - (len(grey) - 1) % batch_size - 1
    epoch_in_parts(model, optimizer, grey[:last], categories[:last], batch_size)
    return epoch_in_parts(model, optimizer, grey[last:], categories[last:], batch_size)


@mistake("the sum of the losses, not their mean")
def _(model, optimizer, grey, categories, batch_size):
    return len(grey) * epoch_in_parts(model, optimizer, grey, categories, batch_size)


@mistake("the losses are added up as tensors: every batch's results are kept in memory")
def _(model, optimizer, grey, categories, batch_size):
    return torch.tensor(epoch_in_parts(model, optimizer, grey, categories, batch_size))


@mistake("the smaller batch at the end is left out")
def _(model, optimizer, grey, categories, batch_size):
    whole = max(len(grey) // batch_size * batch_size, min(len(grey), batch_size))
    return epoch_in_parts(model, optimizer, grey[:whole], categories[:whole], batch_size)


@mistake("all pictures in one batch")
def _(model, optimizer, grey, categories, batch_size):
    return epoch_in_parts(model, optimizer, grey, categories, len(grey))


@mistake("the pictures are shuffled: their order is given")
def _(model, optimizer, grey, categories, batch_size):
    order = torch.arange(len(grey) - 1, -1, -1)
    return epoch_in_parts(model, optimizer, grey[order], categories[order], batch_size)


@mistake("the same first batch again and again")
def _(model, optimizer, grey, categories, batch_size):
    again = torch.arange(len(grey)) % batch_size
    return epoch_in_parts(model, optimizer, grey[again], categories[again], batch_size)


@mistake("two steps for each batch")
def _(model, optimizer, grey, categories, batch_size):
    model.train()
    total = 0.0
    for x, y in zip(grey.split(batch_size), categories.split(batch_size), strict=True):
        total += len(x) * epoch_in_parts(model, optimizer, x, y, batch_size)
        optimizer.step()
    return total / len(grey)


@mistake("flips the caller's pictures in place")
def _(model, optimizer, grey, categories, batch_size):
    loss = epoch_in_parts(model, optimizer, grey, categories, batch_size)
    grey.copy_(grey.flip(3).clone())
    return loss


@mistake("the loss behind the step, not the one it starts from")
def _(model, optimizer, grey, categories, batch_size):
    epoch_in_parts(model, optimizer, grey, categories, batch_size)
    with torch.no_grad():
        return nn.functional.cross_entropy(model(grey), categories[:, 0]).item()


@alternative("split into batches first")
def _(model, optimizer, grey, categories, batch_size):
    return epoch_in_parts(model, optimizer, grey, categories, batch_size)


@alternative(
    "a data loader, gradients of None, weighted by its batches",
)
def _(model, optimizer, grey, categories, batch_size):
    pairs = torch.utils.data.TensorDataset(grey, categories)
    values, sizes = [], []
    for x, y in torch.utils.data.DataLoader(pairs, batch_size=batch_size):
        model.train(True)
        value = colour_loss(model(x), y)
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.grad = None
        value.backward()
        optimizer.step()
        values.append(value.detach())
        sizes.append(len(x))
    return float(np.average([float(v) for v in values], weights=sizes))
