import torch

from autograder import alternative, mistake

SQUARES = "(colours * colours)"

mistake("the farthest colour: argmax for argmin", edit=(".argmin(dim=1)", ".argmax(dim=1)"))
mistake("the squares of the colours are left out", edit=(SQUARES, "(0 * colours)"))
mistake("the product counts once, not twice", edit=("alpha=-2", "alpha=-1"))
mistake("the product is added, not subtracted", edit=("alpha=-2", "alpha=2"))
mistake("the sum of the channels for their squares", edit=(SQUARES, "colours"))


@mistake("the axes are not moved before the pixels are flattened")
def _(pictures, colours):
    pixels = pictures.reshape(-1, 3)
    distances = ((pixels[:, None] - colours) ** 2).sum(dim=2)
    return distances.argmin(dim=1).reshape(len(pictures), 1, *pictures.shape[2:])


@mistake("height and width are swapped")
def _(pictures, colours):
    pixels = pictures.movedim(1, 3).swapaxes(1, 2).reshape(-1, 3)
    distances = ((pixels[:, None] - colours) ** 2).sum(dim=2)
    return distances.argmin(dim=1).reshape(len(pictures), 1, *pictures.shape[2:])


@mistake("the axis of the one channel is missing")
def _(pictures, colours):
    offsets = pictures[:, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(dim=2).argmin(dim=1)


@mistake("in half precision, which confuses colours that lie near each other")
def _(pictures, colours):
    some, few = pictures.half(), colours.half()
    offsets = some[:, None] - few[None, :, :, None, None]
    return (offsets**2).sum(dim=2).argmin(dim=1, keepdim=True)


@mistake("every difference is written down: right, and too slow")
def _(pictures, colours):
    offsets = pictures[:, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(dim=2).argmin(dim=1, keepdim=True)


@alternative("a product of matrices, and the squares added to it in place")
def _(pictures, colours):
    pixels = pictures.permute(0, 2, 3, 1).flatten(0, 2)
    distances = (pixels @ colours.T).mul_(-2).add_((colours * colours).sum(dim=1))
    return distances.min(dim=1).indices.unflatten(0, pictures[:, :1].shape)
