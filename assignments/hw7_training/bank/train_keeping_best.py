import copy

import numpy as np
import torch
from assignment import broken_train_keeping_best
from torch.nn import functional as F

from autograder import alternative, mistake


def keeping_with(
    trains_on_all=False,
    stats_of_all=False,
    own_stats=False,
    labels_left=False,
    no_guard=False,
    eps=0.0,
    unscaled=False,
    alias="",
    last=False,
    ties_late=False,
    from_zero=False,
    highest=False,
    no_modes="",
    swapped=False,
    from_end=False,
    no_zero=False,
    before=False,
    in_place=False,
    train_loss=False,
    forgets=False,
):
    """Return a `train_keeping_best` with some faults."""

    def train_keeping_best(model, optimizer, X, y, order, num_valid, epochs):
        held, rest = order[:num_valid], order[num_valid:]
        if swapped:
            held, rest = rest, held
        if from_end:
            rest, held = order[: len(order) - num_valid], order[len(order) - num_valid :]
        if trains_on_all:
            rest = order

        def stats(rows):
            std = X[rows].std(dim=0, correction=0) + eps
            if not no_guard:
                std = torch.where(std > 0, std, torch.ones_like(std))
            return (0, 1) if unscaled else (X[rows].mean(dim=0), std)

        mean, std = stats(order if stats_of_all else rest)
        valid_mean, valid_std = stats(held) if own_stats else (mean, std)
        Z, V = (X[rest] - mean) / std, (X[held] - valid_mean) / valid_std
        if in_place:
            X -= mean
            X /= std
        z, v = y[rest], y[held]
        if labels_left:
            v, z = y[:num_valid], y[num_valid:]
        losses, kept = [], []
        for _ in range(epochs):

            def measure():
                if no_modes != "eval":
                    model.eval()
                with torch.no_grad():
                    data = (Z, z) if train_loss else (V, v)
                    losses.append(F.cross_entropy(model(data[0]), data[1]).item())

            if before:
                measure()
            if no_modes != "train" or not losses:
                model.train()
            if not no_zero:
                optimizer.zero_grad()
            F.cross_entropy(model(Z), z).backward()
            optimizer.step()
            if not before:
                measure()
            state = model.state_dict()
            if alias == "":
                state = copy.deepcopy(state)
            elif alias == "shallow":
                state = dict(state)
            elif alias == "parameters":
                names = {name for name, _ in model.named_parameters()}
                state = {k: t.clone() if k in names else t for k, t in state.items()}
            kept.append(state)
        best = int(np.argmax(losses) if highest else np.argmin(losses))
        if ties_late:
            best = max(i for i, one in enumerate(losses) if one == min(losses))
        if not forgets:
            model.load_state_dict(kept[-1 if last else best])
        return losses, best + (not from_zero)

    return train_keeping_best


mistake(
    "the loop as it was handed out, with all its faults",
    train_keeping_best=broken_train_keeping_best,
)
mistake(
    "validation examples take part in the training",
    train_keeping_best=keeping_with(trains_on_all=True),
)
mistake(
    "features are scaled by the mean and deviation of all examples, the held-out ones included",
    train_keeping_best=keeping_with(stats_of_all=True),
)
mistake(
    "validation examples are scaled by a mean and a deviation of their own",
    train_keeping_best=keeping_with(own_stats=True),
)
mistake(
    "a slip of a name: the features are shuffled, and their labels are not",
    train_keeping_best=keeping_with(labels_left=True),
)
mistake(
    "the deviation with divisor N - 1, torch's default",
    edit=("correction=0", "correction=1"),
    costs=2,
)
mistake(
    "a feature that never changes is divided by its deviation, zero",
    train_keeping_best=keeping_with(no_guard=True),
)
mistake(
    "a small number is added to the deviation, which is not small beside tiny features",
    train_keeping_best=keeping_with(eps=1e-8),
)
mistake("the features are not scaled", train_keeping_best=keeping_with(unscaled=True))
mistake(
    "the two parts are mixed up: trains on what should be held out",
    train_keeping_best=keeping_with(swapped=True),
)
mistake(
    "the last entries are held out, not the first", train_keeping_best=keeping_with(from_end=True)
)
mistake(
    "gradients add up over the epochs: they are never cleared",
    train_keeping_best=keeping_with(no_zero=True),
)
mistake("validates before the step, not after it", train_keeping_best=keeping_with(before=True))
mistake(
    "overwrites the caller's features: -= works in place",
    train_keeping_best=keeping_with(in_place=True),
)
mistake(
    "reports the training loss as the validation loss",
    train_keeping_best=keeping_with(train_loss=True),
)
mistake(
    "evaluation mode is never set: held-out data get into the running statistics",
    train_keeping_best=keeping_with(no_modes="eval"),
)
mistake(
    "training mode is never set again after the first validation",
    train_keeping_best=keeping_with(no_modes="train"),
)
mistake(
    "what is kept is no copy: state_dict gives other names for tensors that go on changing",
    train_keeping_best=keeping_with(alias="same"),
)
mistake(
    "a shallow copy of the state: a new dict of the same tensors",
    train_keeping_best=keeping_with(alias="shallow"),
)
mistake(
    "parameters are copied, running statistics are not",
    train_keeping_best=keeping_with(alias="parameters"),
)
mistake("the state of the last epoch is loaded", train_keeping_best=keeping_with(last=True))
mistake("the best state is never loaded again", train_keeping_best=keeping_with(forgets=True))
mistake(
    "among equal epochs the latest: <= where < is asked for",
    train_keeping_best=keeping_with(ties_late=True),
)
mistake("epochs are counted from 0", train_keeping_best=keeping_with(from_zero=True))
mistake("the highest loss is taken for the best", train_keeping_best=keeping_with(highest=True))


@alternative(
    "the state of every epoch is kept, and scaling is a matrix product",
)
def _(model, optimizer, X, y, order, num_valid, epochs):
    X, y = X[order], y[order]
    train, valid = slice(num_valid, None), slice(0, num_valid)
    centre = X[train].sum(0) / len(X[train])
    size = ((X[train] - centre) ** 2).mean(0).sqrt()
    size[size == 0] = 1.0
    scaled = (X - centre) @ torch.diag(1 / size)
    states, losses = [], []
    for _ in range(epochs):
        model.train()
        loss = F.cross_entropy(model(scaled[train]), y[train])
        model.zero_grad()
        loss.backward()
        optimizer.step()
        model.eval()
        with torch.inference_mode():
            losses.append(float(F.cross_entropy(model(scaled[valid]), y[valid])))
        states.append({name: value.clone() for name, value in model.state_dict().items()})
    best = losses.index(min(losses))
    model.load_state_dict(states[best])
    return losses, best + 1


@alternative(
    "a mask of the held-out examples and another network for the best",
)
def _(model, optimizer, X, y, order, num_valid, epochs):
    held_out = torch.zeros(len(X), dtype=torch.bool)
    held_out[order[:num_valid]] = True
    features = X.clone().numpy()
    mean = features[~held_out.numpy()].mean(axis=0)
    std = features[~held_out.numpy()].std(axis=0)
    features = torch.from_numpy((features - mean) / np.where(std == 0, 1, std))
    valid, best = [], (float("inf"), 0, None)
    for epoch in range(epochs):
        optimizer.zero_grad()
        F.cross_entropy(model.train()(features[~held_out]), y[~held_out]).backward()
        optimizer.step()
        with torch.no_grad():
            out = model.eval()(features[held_out])
        valid.append(F.cross_entropy(out, y[held_out]).item())
        best = min(best, (valid[-1], epoch + 1, copy.deepcopy(model)), key=lambda one: one[0])
    with torch.no_grad():
        for mine, other in zip(
            model.state_dict().values(), best[2].state_dict().values(), strict=True
        ):
            mine.copy_(other)
    return valid, best[1]
