import numpy as np
import torch
from torch import nn

from autograder import alternative, mistake

mistake(
    "a softmax in front of the cross-entropy, which does one itself",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        "nn.functional.cross_entropy(torch.softmax(scores, dim=1), categories[:, 0])",
    ),
)


@mistake("reshaped without moving the colours to the last axis: pixels and colours are mixed")
def _(scores, categories):
    return nn.functional.cross_entropy(scores.reshape(-1, scores.shape[1]), categories.reshape(-1))


@mistake("height and width are swapped in the scores")
def _(scores, categories):
    flat = scores.permute(0, 3, 2, 1).reshape(-1, scores.shape[1])
    return nn.functional.cross_entropy(flat, categories.reshape(-1))


@mistake("pictures of 32x32 pixels, whatever comes")
def _(scores, categories):
    flat = scores.movedim(1, -1).reshape(-1, 32 * 32, scores.shape[1])
    return nn.functional.cross_entropy(flat.flatten(0, 1), categories.reshape(-1))


@mistake("24 colours, whatever comes")
def _(scores, categories):
    flat = scores.movedim(1, -1).reshape(-1, 24)
    return nn.functional.cross_entropy(flat, categories.reshape(-1))


mistake(
    "a sum over the pixels: a mean is asked for",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        'nn.functional.cross_entropy(scores, categories[:, 0], reduction="sum")',
    ),
)


@mistake("a sum over the pixels of a picture, a mean over pictures")
def _(scores, categories):
    total = nn.functional.cross_entropy(scores, categories[:, 0], reduction="sum")
    return total / len(scores)


mistake(
    "one loss for each pixel, in place of their mean",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        'nn.functional.cross_entropy(scores, categories[:, 0], reduction="none")',
    ),
)


mistake(
    "divided by the number of colours as well",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        "nn.functional.cross_entropy(scores, categories[:, 0]) / scores.shape[1]",
    ),
)


mistake(
    "the softmax over the pixels of a row, not the colours",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        "-torch.log_softmax(scores, dim=3).gather(1, categories).mean()",
    ),
)


mistake(
    "the sign: the loss would grow as the scores get better",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        "torch.log_softmax(scores, dim=1).gather(1, categories).mean()",
    ),
)


mistake(
    "logarithms to the base of 2",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        "nn.functional.cross_entropy(scores, categories[:, 0]) / np.log(2.0)",
    ),
)


@mistake("exponentials of large scores overflow: subtract the largest score first")
def _(scores, categories):
    exponentials = torch.exp(scores)
    shares = exponentials / exponentials.sum(dim=1, keepdim=True)
    return -torch.log(shares.gather(1, categories)).mean()


@mistake("squared errors between probabilities and right colours")
def _(scores, categories):
    right = nn.functional.one_hot(categories[:, 0], scores.shape[1]).movedim(-1, 1)
    return ((torch.softmax(scores, dim=1) - right) ** 2).mean()


mistake(
    "handed back by .item() or .detach(): no gradient flows",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        "nn.functional.cross_entropy(scores.detach(), categories[:, 0])",
    ),
)


mistake(
    "label smoothing, which nobody asked for",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        "nn.functional.cross_entropy(scores, categories[:, 0], label_smoothing=0.1)",
    ),
)


mistake(
    "the two arguments are swapped on the way to PyTorch",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        "nn.functional.cross_entropy(categories[:, 0], scores)",
    ),
)


mistake(
    "only the first picture of the batch",
    edit=(
        "nn.functional.cross_entropy(scores, categories[:, 0])",
        "nn.functional.cross_entropy(scores[:1], categories[:1, 0])",
    ),
)


@alternative("pixels in rows, colours in columns")
def _(scores, categories):
    flat = scores.permute(0, 2, 3, 1).reshape(-1, scores.shape[1])
    return nn.CrossEntropyLoss()(flat, categories.flatten())


@alternative("the logarithm of the sum, written out")
def _(scores, categories):
    chosen = torch.take_along_dim(scores, categories, dim=1)
    return torch.mean(torch.logsumexp(scores, dim=1, keepdim=True) - chosen)


@alternative("picture by picture, with the largest score subtracted")
def _(scores, categories):
    total = 0.0
    for picture, right in zip(scores, categories, strict=True):
        shifted = picture - picture.detach().amax(dim=0)
        logs = shifted - torch.log(torch.exp(shifted).sum(dim=0))
        total = total - logs.gather(0, right).sum()
    return total / categories.numel()
