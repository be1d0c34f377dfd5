import numpy as np
import torch
from torch import nn

from autograder import alternative, mistake
from reference.initialization import init_std


@mistake("fan-in and fan-out swapped: torch's shape has the outputs first", of="fans")
def _(shape):
    kernel = int(np.prod(shape[2:]))
    return shape[0] * kernel, shape[1] * kernel


@mistake("the kernel is left out: a unit adds up over its window too", of="fans")
def _(shape):
    return shape[1], shape[0]


mistake(
    "only one axis of the kernel is counted",
    of="fans",
    edit=("math.prod(shape[2:])", "shape[2] if len(shape) > 2 else 1"),
)


@mistake("the kernel counts for the inputs only", of="fans")
def _(shape):
    return int(np.prod(shape[1:])), shape[0]


mistake(
    "the area of a square kernel, by the side of one axis",
    of="fans",
    edit=("math.prod(shape[2:])", "shape[2] ** (len(shape) - 2) if len(shape) > 2 else 1"),
)


@alternative("torch's own count, through a layer's weights", of="fans")
def _(shape):
    weight = torch.empty(shape)
    window = weight[0, 0].numel()
    return weight[0].numel(), weight[:, 0].numel() if window else 0


@alternative("by division of the number of weights", of="fans")
def _(shape):
    total = int(np.prod(shape))
    return total // shape[0], total // shape[1]


@mistake("the variance, not its root", of="init_std")
def _(shape, scheme):
    window = np.prod(shape[2:])
    down, up = shape[1] * window, shape[0] * window
    return {"lecun": 1 / down, "he": 2 / down, "xavier": 2 / (down + up)}[scheme]


@mistake("Xavier with a one in place of the two: fans are summed, not averaged", of="init_std")
def _(shape, scheme):
    window = np.prod(shape[2:])
    down, up = shape[1] * window, shape[0] * window
    return float(np.sqrt({"lecun": 1 / down, "he": 2 / down, "xavier": 1 / (down + up)}[scheme]))


@mistake("He without the two: ReLU halves the mean square", of="init_std")
def _(shape, scheme):
    window = np.prod(shape[2:])
    down, up = shape[1] * window, shape[0] * window
    return float(np.sqrt({"lecun": 1 / down, "he": 1 / down, "xavier": 2 / (down + up)}[scheme]))


@mistake("fan-out where fan-in is meant", of="init_std")
def _(shape, scheme):
    window = np.prod(shape[2:])
    down, up = shape[0] * window, shape[1] * window
    return float(np.sqrt({"lecun": 1 / down, "he": 2 / down, "xavier": 2 / (down + up)}[scheme]))


@mistake("the bound of the uniform distribution, not the deviation", of="init_std")
def _(shape, scheme):
    window = np.prod(shape[2:])
    down, up = shape[1] * window, shape[0] * window
    return float(np.sqrt({"lecun": 3 / down, "he": 6 / down, "xavier": 6 / (down + up)}[scheme]))


@mistake("the kernel is left out of the fans", of="init_std")
def _(shape, scheme):
    up, down = shape[:2]
    return float(np.sqrt({"lecun": 1 / down, "he": 2 / down, "xavier": 2 / (down + up)}[scheme]))


@alternative("torch's gains and kernels", of="init_std")
def _(shape, scheme):
    weight = torch.empty(shape)
    down, up = weight[0].numel(), weight[:, 0].numel()
    gain = nn.init.calculate_gain("relu") if scheme == "he" else 1.0
    mean = (down + up) / 2 if scheme == "xavier" else down
    return gain / mean**0.5


@alternative("a table of variances", of="init_std")
def _(shape, scheme):
    down = np.prod(shape[1:])
    up = np.prod(shape) / shape[1]
    variance = {"he": 2.0 / down, "lecun": 1.0 / down, "xavier": 1.0 / (0.5 * down + 0.5 * up)}
    return np.sqrt(variance[scheme])


def draw_with(
    bound=None, scale=1.0, variance=False, positive=False, rows=False, seeded=True, only=""
):
    """Return a `draw_weights` with some faults."""

    def draw_weights(shape, scheme, distribution, seed):
        generator = np.random.default_rng(seed if seeded else 0)
        std = init_std(shape, scheme) * scale
        size = (1, *shape[1:]) if rows else shape
        if (only or distribution) == "normal":
            values = generator.normal(scale=std**2 if variance else std, size=size)
        else:
            limit = std * (np.sqrt(3) if bound is None else bound)
            values = generator.uniform(-limit, limit, size=size)
        values = np.abs(values) if positive else values
        return np.array(np.broadcast_to(values, shape))

    return draw_weights


mistake("the deviation as the bound of the uniform distribution", draw_weights=draw_with(bound=1.0))
mistake(
    "the bound is too large: the root of six belongs to a variance without the two",
    draw_weights=draw_with(bound=6**0.5),
)
mistake("the variance is handed over as the deviation", draw_weights=draw_with(variance=True))
mistake("positive weights only: the mean is not zero", draw_weights=draw_with(positive=True))
mistake("all units start alike: one row of weights is repeated", draw_weights=draw_with(rows=True))
mistake("always the same weights: the seed is not used", draw_weights=draw_with(seeded=False))
mistake("always normal", draw_weights=draw_with(only="normal"))
mistake("always uniform", draw_weights=draw_with(only="uniform"))


@mistake("a standard normal, not scaled", of="draw_weights")
def _(shape, scheme, distribution, seed):
    generator = np.random.default_rng(seed)
    if distribution == "normal":
        return generator.normal(size=shape)
    return generator.uniform(-1, 1, size=shape)


@alternative("torch's initialisers with a generator", of="draw_weights")
def _(shape, scheme, distribution, seed):
    generator = torch.Generator().manual_seed(seed)
    weight, down = torch.empty(shape), int(np.prod(shape[1:]))
    if scheme == "xavier":
        make = {"normal": nn.init.xavier_normal_, "uniform": nn.init.xavier_uniform_}
        return make[distribution](weight, generator=generator).numpy()
    make = {"normal": nn.init.kaiming_normal_, "uniform": nn.init.kaiming_uniform_}
    kind = "relu" if scheme == "he" else "linear"
    make[distribution](weight, nonlinearity=kind, generator=generator)
    assert down > 0
    return weight.numpy()


@alternative("the older generator, scaled afterwards", of="draw_weights")
def _(shape, scheme, distribution, seed):
    generator = np.random.RandomState(seed)
    std = init_std(shape, scheme)
    if distribution == "normal":
        return std * generator.randn(*shape)
    return std * 12**0.5 * (generator.rand(*shape) - 0.5)
