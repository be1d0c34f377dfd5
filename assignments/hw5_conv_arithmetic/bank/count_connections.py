import numpy as np
from bank._shared import convolutions_of

from autograder import alternative, mistake


def connections_into_convolutions(k, nic, nf, nc, height, width, sixteenths=(16, 4, 1, 4, 16)):
    """Count them, with the pixels of each convolution in sixteenths of all."""
    layers = zip(convolutions_of(nic, nf, nc), sixteenths, strict=True)
    return sum(k**2 * i * o * height * width * n // 16 for (i, o), n in layers)


@mistake("every convolution at full size: the inner ones have fewer pixels")
def _(k, nic, nf, nc, height, width):
    return connections_into_convolutions(k, nic, nf, nc, height, width, (16,) * 5)


@mistake("half of each side taken for half of the pixels: it is a quarter")
def _(k, nic, nf, nc, height, width):
    return connections_into_convolutions(k, nic, nf, nc, height, width, (16, 8, 4, 8, 16))


@mistake("convolutions are counted after their pooling")
def _(k, nic, nf, nc, height, width):
    return connections_into_convolutions(k, nic, nf, nc, height, width, (4, 1, 4, 16, 16))


@mistake("the parameters: each weight makes a connection at every pixel")
def _(k, nic, nf, nc, height, width):
    return sum(k**2 * i * o for i, o in convolutions_of(nic, nf, nc))


@mistake("each unit sees all channels, not only one")
def _(k, nic, nf, nc, height, width):
    layers = zip(convolutions_of(nic, nf, nc), (16, 4, 1, 4, 16), strict=True)
    return sum(k**2 * o * height * width * n // 16 for (_, o), n in layers)


@mistake("the window has k² entries, not k")
def _(k, nic, nf, nc, height, width):
    return connections_into_convolutions(1, nic, nf, nc, height, width) * k


@mistake("fully connected: a unit of a convolution sees its window only")
def _(k, nic, nf, nc, height, width):
    layers = zip(convolutions_of(nic, nf, nc), (16, 4, 1, 4, 16), strict=True)
    return sum(i * o * (height * width * n // 16) ** 2 for (i, o), n in layers)


@mistake("the padding is not counted, against the rule")
def _(k, nic, nf, nc, height, width):
    def seen(n):
        return sum(min(r + k // 2, n - 1) - max(r - k // 2, 0) + 1 for r in range(n))

    sides = zip(convolutions_of(nic, nf, nc), (1, 2, 4, 2, 1), strict=True)
    return sum(i * o * seen(height // s) * seen(width // s) for (i, o), s in sides)


@mistake("the last convolution is left out")
def _(k, nic, nf, nc, height, width):
    return connections_into_convolutions(k, nic, nf, nc, height, width, (16, 4, 1, 4, 0))


@mistake("the third convolution is left out")
def _(k, nic, nf, nc, height, width):
    return connections_into_convolutions(k, nic, nf, nc, height, width, (16, 4, 0, 4, 16))


@mistake("a pooled value has four connections, one for each pixel that it looks at, not just one")
def _(k, nic, nf, nc, height, width):
    layers = connections_into_convolutions(k, nic, nf, nc, height, width)
    return layers + (1280 * nf + 2048 * nc) * height * width // 1024


@mistake("an upsampled value has one connection: it copies one pixel, not four")
def _(k, nic, nf, nc, height, width):
    layers = connections_into_convolutions(k, nic, nf, nc, height, width)
    return layers + (1536 * nf + 1024 * nf + 4096 * nc) * height * width // 1024


@mistake("twice as many connections when both sides are doubled: there are four times as many")
def _(k, nic, nf, nc, height, width):
    side = (height + width) // 2
    return connections_into_convolutions(k, nic, nf, nc, side, 32)


@mistake("terms are lost: the filters are not doubled")
def _(k, nic, nf, nc, height, width):
    n = height * width
    blocks = nic * nf * n + nf * nf * n // 4 + nf * nf * n // 16 + nf * nc * n // 4 + nc * nc * n
    return k**2 * blocks


@alternative("convolutions only, as one polynomial")
def _(k, nic, nf, nc, height, width):
    terms = 1024 * nic * nf + 640 * nf**2 + 256 * nf * nc + 1024 * nc**2
    return k**2 * terms * height * width // 1024


@alternative("all but the biases, as one polynomial")
def _(k, nic, nf, nc, height, width):
    terms = k**2 * (1024 * nic * nf + 640 * nf**2 + 256 * nf * nc + 1024 * nc**2)
    return (terms + 2432 * nf + 2048 * nc) * height * width // 1024


@alternative("with biases")
def _(k, nic, nf, nc, height, width):
    pixels = np.array([16, 4, 1, 4, 16]) * height * width // 16
    channels = np.array(convolutions_of(nic, nf, nc))
    return int(pixels @ (channels[:, 1] * (k * k * channels[:, 0] + 1)))


@alternative("with biases and batch norms")
def _(k, nic, nf, nc, height, width):
    layers = connections_into_convolutions(k, nic, nf, nc, height, width)
    n = height * width
    return layers + (1600 * nf + 1280 * nc + 640 * nf + 1024 * nc) * n // 1024


@alternative("with pooling and upsampling, summed by block")
def _(k, nic, nf, nc, height, width):
    h, w, total = height, width, 0
    for number, (i, o) in enumerate(convolutions_of(nic, nf, nc)):
        total += k * k * i * o * h * w
        if number < 2:
            total += o * h * w
            h, w = h // 2, w // 2
        elif number < 4:
            h, w = 2 * h, 2 * w
            total += o * h * w
    return total
