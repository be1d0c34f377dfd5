import numpy as np
import torch
from bank._shared import convolutions_of

from autograder import alternative, mistake


@mistake("half of each side taken for half of the pixels: it is a quarter")
def _(nic, nf, nc, height, width):
    n = height * width
    return nf * n + 2 * nf * n // 2 + nf * n // 4 + nc * n // 2 + nc * n


@mistake("nothing is ever halved: all layers at full size")
def _(nic, nf, nc, height, width):
    return sum(o for _, o in convolutions_of(nic, nf, nc)) * height * width


@mistake("the convolutions are counted after their pooling")
def _(nic, nf, nc, height, width):
    n = height * width
    return nf * n // 4 + 2 * nf * n // 16 + nf * n // 4 + nc * n + nc * n


@mistake("a square image is taken for granted")
def _(nic, nf, nc, height, width):
    n = height * height
    return 1600 * nf * n // 1024 + 1280 * nc * n // 1024


@mistake("the last convolution is left out")
def _(nic, nf, nc, height, width):
    n = height * width
    return nf * n + nf * n // 2 + nf * n // 16 + nc * n // 4


@mistake("the filters of the second block are not doubled")
def _(nic, nf, nc, height, width):
    n = height * width
    return nf * n + nf * n // 4 + nf * n // 16 + nc * n // 4 + nc * n


@mistake("the ReLUs are counted")
def _(nic, nf, nc, height, width):
    n = height * width
    return (2240 * nf + 2304 * nc + 2 * (640 * nf + 1024 * nc)) * n // 1024


mistake(
    "a batch norm after the last convolution too",
    edit=(
        "sum(parts_of_outputs(nic, nf, nc, height, width).values())",
        "(2880 * nf + 4352 * nc) * height * width // 1024",
    ),
)


mistake(
    "pooling is counted, but upsampling is not",
    edit=(
        "sum(parts_of_outputs(nic, nf, nc, height, width).values())",
        "(1600 * nf + 384 * nf + 1280 * nc) * height * width // 1024",
    ),
)


mistake(
    "only the last layer: the outputs of all layers count",
    edit=("sum(parts_of_outputs(nic, nf, nc, height, width).values())", "nc * height * width"),
)


mistake(
    "for images of 32 x 32 pixels only: height and width are not used",
    edit=("sum(parts_of_outputs(nic, nf, nc, height, width).values())", "2240 * nf + 2304 * nc"),
)


mistake(
    "twice as many outputs when both sides are doubled: there are four times as many",
    edit=(
        "sum(parts_of_outputs(nic, nf, nc, height, width).values())",
        "(2240 * nf + 2304 * nc) * (height + width) // 64",
    ),
)


mistake(
    "the input counts with one channel, whatever NIC",
    edit=(
        "sum(parts_of_outputs(nic, nf, nc, height, width).values())",
        "(1600 * nf + 1280 * nc + 1024) * height * width // 1024",
    ),
)


@alternative("convolutions only")
def _(nic, nf, nc, height, width):
    h, w = height // 2, width // 2
    return nf * height * width + 2 * nf * h * w + nf * h * w // 4 + nc * h * w + nc * height * width


@alternative("with pooling and upsampling")
def _(nic, nf, nc, height, width):
    return (2240 * nf + 2304 * nc) * height * width // 1024


@alternative("with pooling, upsampling and the input")
def _(nic, nf, nc, height, width):
    return (2240 * nf + 2304 * nc + 1024 * nic) * height * width / 1024


@alternative("convolutions and batch norms")
def _(nic, nf, nc, height, width):
    return (2240 * nf + 2304 * nc) * height * width // 1024


@alternative("convolutions, batch norms and the input")
def _(nic, nf, nc, height, width):
    return np.int64(height * width) * (35 * nf + 36 * nc + 16 * nic) // 16


@alternative("everything but the input, in torch")
def _(nic, nf, nc, height, width):
    modules, pool = [], torch.nn.MaxPool2d(2)
    grow = torch.nn.Upsample(scale_factor=2)
    resize = [pool, pool, grow, grow]
    for (i, o), size in zip(convolutions_of(nic, nf, nc)[:4], resize, strict=True):
        modules += [torch.nn.Conv2d(i, o, 3, padding=1), size, torch.nn.BatchNorm2d(o)]
    modules.append(torch.nn.Conv2d(nc, nc, 3, padding=1))
    tensor, total = torch.empty(1, nic, height, width, device="meta"), 0
    for module in modules:
        tensor = module.to("meta")(tensor)
        total += tensor.numel()
    return total
