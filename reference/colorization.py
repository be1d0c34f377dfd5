"""Colouring grey pictures: colours as categories, and how a network is trained.

A picture is (B, C, H, W): batch, channels, height, width. A network takes grey pictures
(B, num_in_channels, 32, 32) and gives a score to each colour at each pixel,
(B, num_colours, 32, 32).

Source: Zhang, Isola and Efros, "Colorful Image Colorization", 2016, for colour as a category.
"""

# The networks' methods carry no annotations, as in most notebooks, nor does torch's `backward`.
# mypy: allow-untyped-defs, allow-untyped-calls

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn


def get_rgb_cat(xs: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The number of the nearest colour, for each pixel of some pictures.

    Near means a small Euclidean distance between (red, green, blue) and the colour. Of two
    colours at the same distance the one with the lower number is taken. Works for any number of
    pictures and colours, and any height and width.

    Args:
        xs: (B, 3, H, W) pictures, floating point, of any scale.
        colours: (K, 3) colours, floating point, of the same scale.

    Returns:
        (B, 1, H, W) integers from 0 to K - 1.
    """
    offsets = xs[:, None] - colours[None, :, :, None, None]
    numbers: np.ndarray = (offsets**2).sum(axis=2).argmin(axis=1, keepdims=True)
    return numbers


def nearest_colours(pictures: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    """The number of the nearest colour, for each pixel of some pictures, without all differences.

    Near means a small Euclidean distance between (red, green, blue) and the colour. Of two colours
    at the same distance, up to rounding, either is taken. All is computed in the dtype and on the
    device of the pictures. No tensor has more numbers than pixels times colours, or than the
    pictures.

    Args:
        pictures: (B, 3, H, W) floating point, of any scale.
        colours: (K, 3) of the same dtype, on the same device.

    Returns:
        (B, 1, H, W) int64 from 0 to K - 1.
    """
    pixels = pictures.movedim(1, 3).reshape(-1, 3)
    squares = (colours * colours).sum(dim=1)
    distances = torch.addmm(squares, pixels, colours.T, alpha=-2)
    return distances.argmin(dim=1).reshape(len(pictures), 1, *pictures.shape[2:])


def colour_loss(scores: torch.Tensor, categories: torch.Tensor) -> torch.Tensor:
    """The mean over all pixels of the cross-entropy between scores and right colours.

    The cross-entropy of a pixel is minus the logarithm of the probability of its right colour,
    where the probabilities are the softmax of the pixel's scores over the colours. Gradients flow
    back to the scores.

    Args:
        scores: (B, K, H, W) floating point, of any size; no probabilities.
        categories: (B, 1, H, W) int64, the number of the right colour, from 0 to K - 1.

    Returns:
        () the mean over B, H and W.
    """
    return nn.functional.cross_entropy(scores, categories[:, 0])  # survives: -1 is the same one


def colour_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    grey: torch.Tensor,
    categories: torch.Tensor,
    batch_size: int,
) -> float:
    """One pass over all pictures trains a model: one step of its optimizer for each batch.

    The pictures come in the order in which they are given, `batch_size` at a time; the last batch
    is smaller where the numbers do not divide. Each step follows the gradient of the `colour_loss`
    of its own batch and of nothing else. The model trains in training mode, whatever mode it was
    in before, and stays in it.

    Args:
        model: gives scores (b, K, H, W) to grey pictures (b, 1, H, W).
        optimizer: holds the model's parameters.
        grey: (N, 1, H, W) grey pictures, on the model's device.
        categories: (N, 1, H, W) int64, the right colours, on the same device.
        batch_size: pictures in a batch.

    Returns:
        The mean over the N pictures of their batch's loss, as it was before the batch's step: a
        plain float, which keeps nothing of the model alive.
    """
    model.train()
    total = 0.0
    for start in range(0, len(grey), batch_size):
        x, y = grey[start : start + batch_size], categories[start : start + batch_size]
        optimizer.zero_grad()
        loss = colour_loss(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    return total / len(grey)


def evaluate(
    model: nn.Module, grey: torch.Tensor, categories: torch.Tensor, batch_size: int
) -> tuple[float, float]:
    """The loss and the accuracy of a model on some pictures, computed batch by batch.

    The model works in evaluation mode, without recording anything for gradients. Afterwards it is
    as it was, its mode included. `batch_size` saves memory and changes no result; it need not
    divide N.

    Args:
        model: gives scores (b, K, H, W) to grey pictures (b, 1, H, W).
        grey: (N, 1, H, W) grey pictures, on the model's device.
        categories: (N, 1, H, W) int64, the right colours, on the same device.
        batch_size: pictures in a batch.

    Returns:
        The mean of the `colour_loss` over all pixels of all pictures, and the share of these pixels
        whose right colour has the highest score, both as plain floats.
    """
    former = model.training
    model.eval()
    loss = hits = 0.0
    with torch.no_grad():
        for start in range(0, len(grey), batch_size):
            y = categories[start : start + batch_size]
            scores = model(grey[start : start + batch_size])
            loss += colour_loss(scores, y).item() * len(y)
            hits += (scores.argmax(dim=1, keepdim=True) == y).sum().item()
    model.train(former)
    return loss / len(grey), hits / categories.numel()


def plot_curves(training: list[float], validation: list[float]) -> Figure:
    """A figure of how the loss fell: one set of axes, with one line for each of two lists.

    The first number of a list belongs to epoch 1. The lines are labelled "training" and
    "validation", a legend shows these labels, and both axes say what they measure.

    Args:
        training: the training loss of each epoch.
        validation: the validation loss after each epoch.

    Returns:
        The matplotlib figure.
    """
    figure, axes = plt.subplots()
    for label, losses in (("training", training), ("validation", validation)):
        axes.plot(range(1, len(losses) + 1), losses, label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.legend()
    return figure
