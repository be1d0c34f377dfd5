"""Generate the loss curves that homework 7 asks to be read: eight short trainings from seeds.

`python assignments/hw7_training/curves.py` prints the lines that stand in the notebook. Losses
are in hundredths, rounded: training loss, then validation loss, of each epoch.
"""

import torch

CLASSES, FEATURES, EPOCHS = 10, 20, 24


def blobs(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return points around ten centres, (N, 20), and the number of each point's centre."""
    centres = torch.randn(CLASSES, FEATURES, generator=torch.Generator().manual_seed(7))
    labels = torch.randint(CLASSES, (count,), generator=generator)
    noise = torch.randn(count, FEATURES, generator=generator, dtype=torch.float32)
    return centres[labels] + 1.3 * noise, labels


def network(generator: torch.Generator, scale: float = 1.0, width: int = 64) -> torch.nn.Module:
    """Return a two-layer network whose weights have `scale` times the usual size."""
    model = torch.nn.Sequential(
        torch.nn.Linear(FEATURES, width), torch.nn.ReLU(), torch.nn.Linear(width, CLASSES)
    )
    with torch.no_grad():
        for layer, gain in ((model[0], 2.0), (model[2], 0.5)):
            std = scale * (gain / layer.in_features) ** 0.5
            layer.weight.copy_(std * torch.randn(layer.weight.shape, generator=generator))
            layer.bias.zero_()
    return model


def losses(
    seed: int,
    lr: float = 0.05,
    count: int = 600,
    scale: float = 1.0,
    width: int = 64,
    stale: bool = False,
    twice: bool = False,
    by_lot: bool = False,
    flipped: float = 0.0,
) -> tuple[list[int], list[int]]:
    """Return the training and the validation losses of a run, in hundredths.

    Args:
        seed: of data, start and order.
        lr: learning rate of gradient descent on batches of 50.
        count: number of training examples.
        scale: size of the first weights over the usual one.
        width: number of hidden units.
        stale: the optimizer holds another network's parameters.
        twice: the loss gets probabilities and takes the softmax once more.
        by_lot: labels are drawn by lot, and validation data are part of the training data.
        flipped: the share of training labels that are drawn by lot.
    """
    generator = torch.Generator().manual_seed(seed)
    X, y = blobs(count, generator)
    V, v = blobs(300, generator)
    by_chance = torch.randint(CLASSES, (count,), generator=generator)
    y = torch.where(torch.rand(count, generator=generator) < flipped, by_chance, y)
    if by_lot:
        y = torch.randint(CLASSES, (count,), generator=generator)
        V, v = X[: count // 3], y[: count // 3]
    model = network(generator, scale, width)
    held = network(generator) if stale else model
    optimizer = torch.optim.SGD(held.parameters(), lr=lr)

    def loss_of(inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        scores = model(inputs)
        if twice:
            scores = scores.softmax(dim=1)
        return torch.nn.functional.cross_entropy(scores, labels)

    curves: tuple[list[int], list[int]] = ([], [])
    for _ in range(EPOCHS):
        total = 0.0
        for batch in torch.randperm(count, generator=generator).split(50):
            model.zero_grad()
            loss = loss_of(X[batch], y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        with torch.no_grad():
            curves[0].append(round(100 * total / count))
            curves[1].append(round(100 * loss_of(V, v).item()))
    return curves


RUNS: dict[str, dict] = {
    "A": {"seed": 1, "stale": True},
    "B": {"seed": 2, "count": 150, "lr": 0.1, "flipped": 0.15, "width": 256},
    "C": {"seed": 3, "count": 150, "lr": 0.04, "width": 256, "by_lot": True},
    "D": {"seed": 4, "lr": 2.8},
    "E": {"seed": 5, "twice": True, "lr": 1.2},
    "F": {"seed": 6, "lr": 0.03},
    "G": {"seed": 7, "lr": 3e-4},
    "H": {"seed": 8, "scale": 5.0, "lr": 0.02},
}


def lines() -> dict[str, tuple[list[int], list[int]]]:
    """Return the two curves of each panel."""
    return {panel: losses(**settings) for panel, settings in RUNS.items()}


if __name__ == "__main__":
    for panel, pair in lines().items():
        for curve in pair:
            print(panel, *curve)  # noqa: T201
