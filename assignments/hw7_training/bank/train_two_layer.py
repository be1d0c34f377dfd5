import torch
from torch import nn
from torch.nn import functional as F

from autograder import alternative, mistake
from reference.classifiers import two_layer_loss


def sgd_with(
    uphill=False,
    stale=False,
    all_data=False,
    no_reg=False,
    in_place=False,
    late_loss=False,
    labels_first=False,
    only_weights=False,
    no_losses=False,
    by_size=False,
    whole=False,
    skip_first=False,
):
    """Return a `train_two_layer` with some faults."""

    def train_two_layer(params, X, y, batches, lr, reg):
        start = params
        params = params if in_place else {k: v.copy() for k, v in params.items()}
        losses = []
        for number, batch in enumerate(batches):
            examples, labels = (X, y) if all_data else (X[batch], y[batch])
            labels = y[: len(batch)] if labels_first else labels
            args = examples, labels, 0.0 if no_reg else reg
            loss, grads = two_layer_loss(start if stale else params, *args)
            for name in params:
                if only_weights and name.startswith("b"):
                    continue
                if skip_first and number == 0:
                    continue
                step = lr * grads[name] * (len(batch) if by_size else 1)
                params[name] += step if uphill else -step
            losses.append(two_layer_loss(params, *args)[0] if late_loss else loss)
        if whole:
            losses = losses[-1:]
        return params if no_losses else (params, losses)

    return train_two_layer


mistake("steps uphill", train_two_layer=sgd_with(uphill=True))
mistake(
    "every gradient is taken at the start, not where the last step led to",
    train_two_layer=sgd_with(stale=True),
)
mistake("every step uses all examples, not its batch", train_two_layer=sgd_with(all_data=True))
mistake("the penalty is left out", train_two_layer=sgd_with(no_reg=True))
mistake("overwrites the caller's parameters", train_two_layer=sgd_with(in_place=True))
mistake("the loss after the step, not before it", train_two_layer=sgd_with(late_loss=True))
mistake(
    "a slip of a name: the examples of the batch, the labels of the first ones",
    train_two_layer=sgd_with(labels_first=True),
)
mistake("the biases are never updated", train_two_layer=sgd_with(only_weights=True))
mistake("the losses are missing from the answer", train_two_layer=sgd_with(no_losses=True))
mistake("the step is multiplied by the size of the batch", train_two_layer=sgd_with(by_size=True))
mistake("the last loss only", train_two_layer=sgd_with(whole=True))
mistake("the first batch makes no step", train_two_layer=sgd_with(skip_first=True))
alternative("in place, on copies", train_two_layer=sgd_with())


@alternative("torch's modules and SGD, with the penalty in the loss")
def _(params, X, y, batches, lr, reg):
    p = {k: nn.Parameter(torch.tensor(v)) for k, v in params.items()}
    optimizer = torch.optim.SGD(p.values(), lr=lr)
    losses = []
    for batch in batches:
        x, labels = torch.tensor(X[batch]), torch.tensor(y[batch])
        loss = F.cross_entropy(torch.relu(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], labels)
        loss = loss + reg * (p["W1"].square().sum() + p["W2"].square().sum())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {k: v.detach().numpy() for k, v in p.items()}, losses
