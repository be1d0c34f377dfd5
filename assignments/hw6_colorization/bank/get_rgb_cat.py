import numpy as np
import torch

from autograder import alternative, mistake


@mistake("argmin over the pictures: the colours stand on another axis")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(axis=2).argmin(axis=0)[:, None]


@mistake("the nearest colour of each channel: the channels are summed over first")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return (offsets**2).argmin(axis=1)[:, :1]


@mistake("argmin over the channels, after a sum over the colours")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(axis=1).argmin(axis=1)[:, None]


@mistake("the farthest colour: argmax for argmin")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(axis=2).argmax(axis=1)[:, None]


@mistake("the axis of the one channel is missing")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(axis=2).argmin(axis=1)


@mistake("floating-point numbers as categories")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(axis=2).argmin(axis=1)[:, None].astype(float)


@mistake("absolute differences for squared ones")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return np.abs(offsets).sum(axis=2).argmin(axis=1)[:, None]


@mistake("the largest difference of any channel")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return np.abs(offsets).max(axis=2).argmin(axis=1)[:, None]


@mistake("differences that cancel: they are not squared before they are summed")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return np.abs(offsets.sum(axis=2)).argmin(axis=1)[:, None]


@mistake("the largest scalar product: long colours win wherever they point")
def _(xs, colours):
    return np.einsum("bchw,kc->bkhw", xs, colours).argmax(axis=1)[:, None]


@mistake("the axes are not moved before the pixels are flattened")
def _(xs, colours):
    pixels = xs.reshape(-1, 3)
    numbers = ((pixels[:, None] - colours) ** 2).sum(axis=2).argmin(axis=1)
    return numbers.reshape(len(xs), 1, *xs.shape[2:])


@mistake("height and width are swapped")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    numbers = (offsets**2).sum(axis=2).argmin(axis=1)[:, None]
    return numbers.swapaxes(2, 3).reshape(numbers.shape)


@mistake("red and blue are swapped in the colours")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, ::-1, None, None]
    return (offsets**2).sum(axis=2).argmin(axis=1)[:, None]


@mistake("pixels and colours are rounded to whole numbers first")
def _(xs, colours):
    offsets = xs[:, None].round() - colours[None, :, :, None, None].round()
    return (offsets**2).sum(axis=2).argmin(axis=1)[:, None]


@mistake("only the first hundred pictures")
def _(xs, colours):
    offsets = xs[:100, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(axis=2).argmin(axis=1)[:, None]


@mistake("batches of a hundred, and what is left over is dropped")
def _(xs, colours):
    def nearest(some):
        offsets = some[:, None] - colours[None, :, :, None, None]
        return (offsets**2).sum(axis=2).argmin(axis=1)[:, None]

    if len(xs) < 100:
        return nearest(xs)
    whole = len(xs) // 100 * 100
    return np.concatenate([nearest(xs[i : i + 100]) for i in range(0, whole, 100)])


@mistake("pixels are compared by their brightness")
def _(xs, colours):
    distances = np.abs(xs.mean(1)[:, None] - colours.mean(1)[None, :, None, None])
    return distances.argmin(axis=1)[:, None]


@mistake("only as many colours as there are channels")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :3, :, None, None]
    return (offsets**2).sum(axis=2).argmin(axis=1)[:, None]


@mistake("the blue channel is left out")
def _(xs, colours):
    offsets = xs[:, None, :2] - colours[None, :, :2, None, None]
    return (offsets**2).sum(axis=2).argmin(axis=1)[:, None]


@mistake("colours are numbered from 1")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return (offsets**2).sum(axis=2).argmin(axis=1)[:, None] + 1


@mistake("scales the caller's pictures in place")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    numbers = (offsets**2).sum(axis=2).argmin(axis=1)[:, None]
    xs /= 256.0
    return numbers


@mistake("of two equally near colours the last one is taken")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, ::-1, :, None, None]
    return len(colours) - 1 - (offsets**2).sum(axis=2).argmin(axis=1)[:, None]


@alternative("the distance itself, with its root")
def _(xs, colours):
    offsets = xs[:, None] - colours[None, :, :, None, None]
    return np.linalg.norm(offsets, axis=2).argmin(axis=1)[:, None]


@alternative("pixel by pixel")
def _(xs, colours):
    count, _, height, width = xs.shape
    numbers = np.zeros((count, 1, height, width), dtype=np.int64)
    for b in range(count):
        for row in range(height):
            for column in range(width):
                best = None
                for number, colour in enumerate(colours):
                    distance = float(((xs[b, :, row, column] - colour) ** 2).sum())
                    if best is None or distance < best:
                        best, numbers[b, 0, row, column] = distance, number
    return numbers


@alternative("the square written out, by matrix products")
def _(xs, colours):
    pixels = np.moveaxis(xs, 1, -1).astype(float)
    squares = (pixels**2).sum(-1, keepdims=True) + (colours.astype(float) ** 2).sum(-1)
    return np.expand_dims((squares - 2 * pixels @ colours.T.astype(float)).argmin(-1), 1)


@alternative("torch's cdist, a tensor of 32-bit numbers")
def _(xs, colours):
    pixels = torch.tensor(xs).movedim(1, -1).contiguous()
    exact = "donot_use_mm_for_euclid_dist"
    distances = torch.cdist(pixels.flatten(1, 2), torch.tensor(colours), compute_mode=exact)
    numbers = distances.argmin(-1).to(torch.int32)
    return numbers.reshape(len(xs), 1, *xs.shape[2:])
