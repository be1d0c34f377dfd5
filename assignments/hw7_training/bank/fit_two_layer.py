import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograder import alternative, mistake
from reference.classifiers import two_layer_loss


def fit_with_choices(
    width=64,
    steps=400,
    size=50,
    lr=0.5,
    gain=2.0,
    decay=True,
    uphill=False,
    shuffled=False,
    constant=False,
    wide=0,
):
    """Return a `fit_two_layer` with some choices, good or bad."""

    def fit_two_layer(X, y, num_classes, seed):
        generator = np.random.default_rng(seed)
        params = {
            "W1": generator.normal(size=(X.shape[1], width)) * (gain / X.shape[1]) ** 0.5,
            "b1": np.zeros(width),
            "W2": generator.normal(size=(width, num_classes)) * (gain / width) ** 0.5,
            "b2": np.zeros(num_classes),
        }
        if constant:
            params = {name: np.full_like(value, 0.1) for name, value in params.items()}
        labels = generator.permutation(y) if shuffled else y
        for step in range(steps):
            batch = generator.integers(len(y), size=size)
            _, grads = two_layer_loss(params, X[batch], labels[batch], 1e-4)
            rate = lr * (1 - step / steps if decay else 1) * (-1 if uphill else 1)
            params = {name: params[name] - rate * grads[name] for name in params}
        if wide:
            pad = np.zeros((X.shape[1], wide)), np.zeros(wide), np.zeros((wide, num_classes))
            params["W1"] = np.hstack([params["W1"], pad[0]])
            params["b1"] = np.concatenate([params["b1"], pad[1]])
            params["W2"] = np.vstack([params["W2"], pad[2]])
        return params

    return fit_two_layer


mistake("not trained at all", fit_two_layer=fit_with_choices(steps=0))
mistake("far too few steps", fit_two_layer=fit_with_choices(steps=10))
mistake("the learning rate is a thousand times too small", fit_two_layer=fit_with_choices(lr=5e-4))
mistake("the learning rate is far too high", fit_two_layer=fit_with_choices(lr=50.0, decay=False))
mistake(
    "all weights start at the same number, so that all units stay alike",
    fit_two_layer=fit_with_choices(constant=True),
)
mistake(
    "the labels are shuffled, and their examples are not",
    fit_two_layer=fit_with_choices(shuffled=True),
)
mistake("steps uphill", fit_two_layer=fit_with_choices(uphill=True))
mistake("a single hidden unit", fit_two_layer=fit_with_choices(width=1))
mistake("more hidden units than are allowed", fit_two_layer=fit_with_choices(wide=256))


@alternative("Adam, by torch's modules")
def _(X, y, num_classes, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(X.shape[1], 128), nn.ReLU(), nn.Linear(128, num_classes))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02, weight_decay=1e-4)
    inputs, labels = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    for _ in range(150):
        optimizer.zero_grad()
        F.cross_entropy(net(inputs), labels).backward()
        optimizer.step()
    first, last = net[0], net[2]
    values = first.weight.T, first.bias, last.weight.T, last.bias
    names = "W1", "b1", "W2", "b2"
    return {k: v.detach().numpy().copy() for k, v in zip(names, values, strict=True)}


@alternative("momentum on batches of 100, without a penalty")
def _(X, y, num_classes, seed):
    generator = np.random.default_rng(seed)
    sizes = [("W1", (X.shape[1], 128)), ("W2", (128, num_classes))]
    params = {k: generator.normal(size=s) * (2 / s[0]) ** 0.5 for k, s in sizes}
    params |= {"b1": np.zeros(128), "b2": np.zeros(num_classes)}
    velocity = {k: np.zeros_like(v) for k, v in params.items()}
    for _ in range(60):
        order = generator.permutation(len(y))
        for batch in np.split(order, range(100, len(y), 100)):
            _, grads = two_layer_loss(params, X[batch], y[batch], 0.0)
            for k in params:
                velocity[k] = 0.9 * velocity[k] + grads[k]
                params[k] = params[k] - 0.1 * velocity[k]
    return params
