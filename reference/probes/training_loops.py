"""Probes of training loops: a small network is trained by a student's loop, from given weights."""

import torch


def run_train_on_batch(notebook, weights, images, labels, sizes, counts):
    """Return the losses of some batches, and the weights after them.

    weights: the first values of a linear model's parameters; old gradients are there, too.
    counts: whether the labels are counts; if not, they are classes.
    """
    model = torch.nn.Linear(weights[0].shape[1], weights[0].shape[0]).double()
    for parameter, value in zip(model.parameters(), weights, strict=True):
        parameter.data = torch.tensor(value)
        parameter.grad = torch.ones_like(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loss_fn = torch.nn.PoissonNLLLoss() if counts else torch.nn.CrossEntropyLoss()
    batches = zip(torch.tensor(images).split(sizes), torch.tensor(labels).split(sizes), strict=True)
    seen = [float(notebook.train_on_batch(model, optimizer, *batch, loss_fn)) for batch in batches]
    return seen, [parameter.detach().numpy() for parameter in model.parameters()]


def run_train_epoch(notebook, weights, images, labels, sizes, counts, epochs, adaptive, normed):
    """Return losses, weights and running statistics of some epochs with train_epoch.

    weights: the first values of the model's parameters, in their order.
    sizes: the sizes of the batches.
    counts: whether the labels are counts; if not, they are classes.
    adaptive: whether Adam is used; if not, it is SGD with momentum.
    normed: whether the model has batch normalisation, which knows two modes.
    """
    wide, features, outputs = weights[0].shape[0], weights[0].shape[1], weights[-1].shape[0]
    model = torch.nn.Sequential(
        torch.nn.Linear(features, wide),
        *([torch.nn.BatchNorm1d(wide, affine=False)] if normed else []),
        torch.nn.Tanh(),
        torch.nn.Linear(wide, outputs),
    ).double()
    for parameter, value in zip(model.parameters(), weights, strict=True):
        parameter.data = torch.tensor(value)
        parameter.grad = torch.ones_like(parameter)
    model.eval()
    kind, settings = torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}
    if adaptive:
        kind, settings = torch.optim.Adam, {"lr": 0.05}
    optimizer = kind(model.parameters(), **settings)
    parts = zip(torch.tensor(images).split(sizes), torch.tensor(labels).split(sizes), strict=True)
    batches, losses = list(parts), []
    criterion = torch.nn.PoissonNLLLoss() if counts else torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        losses.append(list(notebook.train_epoch(model, optimizer, batches, criterion)))
    plain = all(isinstance(loss, float) for epoch in losses for loss in epoch)
    state = [value.detach().numpy().astype(float) for value in model.state_dict().values()]
    weights = [value.detach().numpy() for value in model.parameters()]
    return {
        "plain": plain,
        "losses": [[float(v) for v in epoch] for epoch in losses],
        "weights": weights,
        "statistics": state[2:4] if normed else [],
    }


def draw_epochs(rng, sizes, counts, epochs=1, adaptive=False, normed=False):
    """Return the arguments of run_train_epoch."""
    examples, outputs = sum(sizes), 1 if counts else 3
    start = [rng.normal(size=shape) for shape in ((6, 4), 6, (outputs, 6), outputs)]
    labels = rng.integers(3, size=examples)
    if counts:
        labels = rng.poisson(2.0, size=(examples, 1)).astype(float)
    images = rng.normal(size=(examples, 4))
    return start, images, labels, sizes, counts, epochs, adaptive, normed
