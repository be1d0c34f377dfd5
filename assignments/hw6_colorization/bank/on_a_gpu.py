import torch
from bank._shared import StridedFrame
from torch import nn

from autograder import alternative, mistake


@mistake("room for the scores is made on the CPU, wherever the picture is", of="UNet")
class _(StridedFrame):
    skips = True

    def join_input(self, deep, x):
        room = torch.zeros(len(x), deep.shape[1] + x.shape[1], 32, 32, dtype=x.dtype)
        room[:, : deep.shape[1]] = deep
        room[:, deep.shape[1] :] = x
        return room


@mistake("brings the pictures back to the CPU, and the model not", of="colour_epoch")
def _(model, optimizer, grey, categories, batch_size):
    model.train()
    total = 0.0
    for x, y in zip(grey.cpu().split(batch_size), categories.cpu().split(batch_size), strict=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y[:, 0])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    return total / len(grey)


@mistake("every difference is written down", of="nearest_colours")
def _(pictures, colours):
    offsets = pictures[:, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(dim=2).argmin(dim=1, keepdim=True)


@alternative("a product of matrices, and the squares added to it in place", of="nearest_colours")
def _(pictures, colours):
    pixels = pictures.permute(0, 2, 3, 1).flatten(0, 2)
    distances = (pixels @ colours.T).mul_(-2).add_((colours * colours).sum(dim=1))
    return distances.min(dim=1).indices.unflatten(0, pictures[:, :1].shape)
