import numpy as np
import torch
from torch import nn

from autograder import alternative, mistake


@torch.no_grad()
def evaluate_in_parts(model, grey, categories, batch_size):
    """Loss and accuracy in whatever mode the model is."""
    losses, hits = [], []
    for x, y in zip(grey.split(batch_size), categories.split(batch_size), strict=True):
        scores = model(x)
        losses.append(nn.functional.cross_entropy(scores, y[:, 0], reduction="none").flatten())
        hits.append((scores.argmax(dim=1) == y[:, 0]).flatten())
    return losses, hits


def mean_of_all(parts):
    return float(torch.cat(parts).double().mean())


@mistake("evaluation mode is not switched on")
def _(model, grey, categories, batch_size):
    losses, hits = evaluate_in_parts(model, grey, categories, batch_size)
    return mean_of_all(losses), mean_of_all(hits)


@mistake("leaves the model in evaluation mode, whatever it was in")
def _(model, grey, categories, batch_size):
    model.eval()
    losses, hits = evaluate_in_parts(model, grey, categories, batch_size)
    return mean_of_all(losses), mean_of_all(hits)


@mistake("leaves the model in training mode, whatever it was in")
def _(model, grey, categories, batch_size):
    model.eval()
    losses, hits = evaluate_in_parts(model, grey, categories, batch_size)
    model.train()
    return mean_of_all(losses), mean_of_all(hits)


@mistake("a mean of the batches' means: a smaller batch counts too much")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    return float(np.mean([mean_of_all([p]) for p in losses])), float(
        np.mean([mean_of_all([p]) for p in hits])
    )


@mistake("gradients are recorded: no_grad is missing")
def _(model, grey, categories, batch_size):
    former = model.training
    model.eval()
    losses, hits = evaluate_in_parts.__wrapped__(model, grey, categories, batch_size)
    model.train(former)
    return mean_of_all([p.detach() for p in losses]), mean_of_all(hits)


@mistake("accuracy as a number of pixels, not a share of them")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    return mean_of_all(losses), float(torch.cat(hits).sum())


@mistake("accuracy in per cent")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    return mean_of_all(losses), 100 * mean_of_all(hits)


@mistake("hits are divided by the pictures, not by their pixels")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    return mean_of_all(losses), float(torch.cat(hits).sum()) / len(grey)


@mistake("the share of wrong pixels, not of right ones")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    return mean_of_all(losses), 1 - mean_of_all(hits)


@mistake("shapes that broadcast: every pixel meets every other picture")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, _ = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    with torch.no_grad():
        hits = model(grey[:batch_size]).argmax(dim=1) == categories[:batch_size]
    model.train(former)
    return mean_of_all(losses), mean_of_all([hits.flatten()])


@mistake("accuracy and loss in the wrong order")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    return mean_of_all(hits), mean_of_all(losses)


@mistake("only the last batch")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    return mean_of_all(losses[-1:]), mean_of_all(hits[-1:])


@mistake("all pictures at once: batch_size is there to save memory")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, len(grey))
    model.train(former)
    return mean_of_all(losses), mean_of_all(hits)


@mistake("centres the caller's pictures in place")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    grey -= grey.mean()
    return mean_of_all(losses), mean_of_all(hits)


@mistake("tensors in place of plain numbers")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    return torch.cat(losses).mean(), torch.cat(hits).double().mean()


@alternative("losses and hits of all pixels first, means at the end")
def _(model, grey, categories, batch_size):
    former = model.training
    losses, hits = evaluate_in_parts(model.eval(), grey, categories, batch_size)
    model.train(former)
    return mean_of_all(losses), mean_of_all(hits)


@alternative("inference mode, scores of one picture at a time")
def _(model, grey, categories, batch_size):
    former = model.training
    model.eval()
    try:
        with torch.inference_mode():
            scores = torch.cat([model(x[None]) for x in grey])
            right = scores.gather(1, categories)
            loss = (scores.logsumexp(dim=1, keepdim=True) - right).mean()
            accuracy = (right >= scores.amax(dim=1, keepdim=True)).double().mean()
    finally:
        model.train(former)
    return loss.item(), accuracy.item()
