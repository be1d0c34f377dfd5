import numpy as np
import torch

from autograder import alternative, mistake


def stacked(layers, height, width, weight=None):
    """Run ones through a stack of convolutions; return the image and the output."""
    image = torch.ones(1, 1, height, width, dtype=torch.float64, requires_grad=True)
    output = image
    for layer in layers:
        k = layer["kernel"]
        kernel = torch.ones(1, 1, k, k, dtype=torch.float64) if weight is None else weight(k)
        settings = {name: layer[name] for name in ("stride", "padding", "dilation")}
        output = torch.nn.functional.conv2d(output, kernel, **settings)
    return image, output


@mistake("all units at once: it is the footprint of one")
def _(layers, height, width, row, column):
    image, output = stacked(layers, height, width)
    output.sum().backward()
    return (image.grad[0, 0] != 0).numpy()


@mistake("row and column are exchanged")
def _(layers, height, width, row, column):
    image, output = stacked(layers, height, width)
    output[0, 0, column, row].backward()
    return (image.grad[0, 0] != 0).numpy()


@mistake("the middle unit, whichever is asked for")
def _(layers, height, width, row, column):
    image, output = stacked(layers, height, width)
    output[0, 0, output.shape[2] // 2, output.shape[3] // 2].backward()
    return (image.grad[0, 0] != 0).numpy()


@mistake("the derivatives themselves: which are not zero?")
def _(layers, height, width, row, column):
    image, output = stacked(layers, height, width)
    output[0, 0, row, column].backward()
    return image.grad[0, 0].numpy()


@mistake("the whole square, its holes included")
def _(layers, height, width, row, column):
    image, output = stacked(layers, height, width)
    output[0, 0, row, column].backward()
    marked = np.zeros((height, width), dtype=bool)
    rows, columns = image.grad[0, 0].nonzero().numpy().T
    marked[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    return marked


@mistake("the dilation is not used")
def _(layers, height, width, row, column):
    image, output = stacked([layer | {"dilation": 1} for layer in layers], height, width)
    output[0, 0, row, column].backward()
    return (image.grad[0, 0] != 0).numpy()


@mistake("the stride is not used")
def _(layers, height, width, row, column):
    image, output = stacked([layer | {"stride": 1} for layer in layers], height, width)
    output[0, 0, row, column].backward()
    return (image.grad[0, 0] != 0).numpy()


@mistake("the padding is not used: the footprint is moved")
def _(layers, height, width, row, column):
    image, output = stacked([layer | {"padding": 0} for layer in layers], height, width)
    output[0, 0, row, column].backward()
    return (image.grad[0, 0] != 0).numpy()


@mistake("only the last layer: the gradient stops there")
def _(layers, height, width, row, column):
    image, output = stacked(layers[-1:], height, width)
    output[0, 0, row, column].backward()
    return (image.grad[0, 0] != 0).numpy()


@mistake("weights of both signs, whose paths cancel")
def _(layers, height, width, row, column):
    def weight(k):
        signs = torch.tensor([(-1.0) ** i for i in range(k)], dtype=torch.float64)
        return torch.outer(signs, torch.cumsum(signs, 0))[None, None]

    image, output = stacked(layers, height, width, weight)
    output[0, 0, row, column].backward()
    return (image.grad[0, 0] != 0).numpy()


@mistake("batch and channel are left in: (1, 1, H, W)")
def _(layers, height, width, row, column):
    image, output = stacked(layers, height, width)
    output[0, 0, row, column].backward()
    return (image.grad != 0).numpy()


@mistake("the wrong way round: the units that one pixel changes")
def _(layers, height, width, row, column):
    image = torch.zeros(1, 1, height, width)
    image[0, 0, row, column] = 1.0
    for layer in layers:
        settings = {name: layer[name] for name in ("stride", "padding", "dilation")}
        kernel = torch.ones(1, 1, layer["kernel"], layer["kernel"])
        image = torch.nn.functional.conv2d(image, kernel, **settings)
    marked = np.zeros((height, width), dtype=bool)
    reached = image[0, 0].numpy()[:height, :width] != 0
    marked[: reached.shape[0], : reached.shape[1]] = reached
    return marked


@alternative("layers of torch with random positive weights")
def _(layers, height, width, row, column):
    modules = []
    for layer in layers:
        convolution = torch.nn.Conv2d(
            1, 1, layer["kernel"], layer["stride"], layer["padding"], layer["dilation"]
        )
        torch.nn.init.uniform_(convolution.weight, 0.1, 1.0)
        modules.append(convolution)
    image = torch.rand(1, 1, height, width, requires_grad=True)
    torch.nn.Sequential(*modules)(image)[0, 0, row, column].backward()
    return image.grad[0, 0].abs() > 0


@alternative("sets of pixels, from the top down")
def _(layers, height, width, row, column):
    sizes = [(height, width)]
    for layer in layers:
        span = layer["dilation"] * (layer["kernel"] - 1) + 1
        sizes.append(
            tuple((n + 2 * layer["padding"] - span) // layer["stride"] + 1 for n in sizes[-1])
        )
    units = {(row, column)}
    for layer, (rows, columns) in zip(layers[::-1], sizes[-2::-1], strict=True):
        taps = [layer["dilation"] * i - layer["padding"] for i in range(layer["kernel"])]
        s = layer["stride"]
        below = {(s * r + i, s * c + j) for r, c in units for i in taps for j in taps}
        units = {(r, c) for r, c in below if 0 <= r < rows and 0 <= c < columns}
    marked = np.zeros((height, width), dtype=bool)
    for unit in units:
        marked[unit] = True
    return marked


@alternative("rows and columns apart, as products of masks")
def _(layers, height, width, row, column):
    def reached(size, unit):
        line = torch.ones(1, 1, size, requires_grad=True)
        values = line
        for layer in layers:
            settings = {name: layer[name] for name in ("stride", "padding", "dilation")}
            values = torch.nn.functional.conv1d(
                values, torch.ones(1, 1, layer["kernel"]), **settings
            )
        return torch.autograd.grad(values[0, 0, unit], line)[0][0, 0].numpy() > 0

    return np.outer(reached(height, row), reached(width, column))
