import numpy as np

from autograder import alternative, mistake


def forward_with(half=0.5, halve_first=False, width=0, power=2, after=False, linear_half=False):
    """Return a `forward_moments` with some faults."""

    def forward_moments(moment, widths, stds, activation):
        share = half if activation == "relu" or linear_half else 1.0
        result = []
        for layer, std in enumerate(stds):
            moment = widths[layer + width] * std**power * moment
            moment = moment * share if halve_first else moment
            result.append(moment * share if after else moment)
            moment = moment if halve_first else moment * share
        return np.array(result)

    return forward_moments


def backward_with(half=0.5, width=1, std=0, extra=False, order=-1, power=2, linear_half=False):
    """Return a `backward_moments` with some faults."""

    def backward_moments(moment, widths, stds, activation):
        share = half if activation == "relu" or linear_half else 1.0
        result = [moment * share if extra else moment]
        for layer in reversed(range(1, len(stds))):
            result.append(share * widths[layer + width] * stds[layer - std] ** power * result[-1])
        return np.array(result[::order])

    return backward_moments


mistake("ReLU is taken to leave everything as it was", forward_moments=forward_with(half=1.0))
mistake(
    "the halving of the mean square is taken for a halving of its root",
    forward_moments=forward_with(half=0.25),
)
mistake(
    "the mean square behind the activation, not before it",
    forward_moments=forward_with(after=True),
)
mistake(
    "the input is halved too: no ReLU stands before the first layer",
    forward_moments=forward_with(halve_first=True),
)
mistake("fan-out in place of fan-in", forward_moments=forward_with(width=1))
mistake("the deviation in place of the variance", forward_moments=forward_with(power=1))
mistake("halved without an activation, too", forward_moments=forward_with(linear_half=True))
mistake("ReLU is taken to let all gradients pass", backward_moments=backward_with(half=1.0))
mistake(
    "the halving of the mean square is taken for a halving of its root",
    backward_moments=backward_with(half=0.25),
)
mistake("fan-in in place of fan-out", backward_moments=backward_with(width=0))
mistake(
    "the weights of the layer itself, not of the next one", backward_moments=backward_with(std=1)
)
mistake(
    "halved once too often: no ReLU stands behind the last layer",
    backward_moments=backward_with(extra=True),
)
mistake(
    "from the last layer to the first: the order is the layers'",
    backward_moments=backward_with(order=1),
)
mistake("the deviation in place of the variance", backward_moments=backward_with(power=1))
mistake("halved without an activation, too", backward_moments=backward_with(linear_half=True))


@alternative("a cumulative product", of="forward_moments")
def _(moment, widths, stds, activation):
    factors = np.asarray(widths[:-1]) * np.square(stds)
    factors[1:] *= {"relu": 0.5, "linear": 1}[activation]
    return moment * np.cumprod(factors)


@alternative("a sum of logarithms, as a list", of="forward_moments")
def _(moment, widths, stds, activation):
    total, moments = np.log(moment), []
    for layer, (width, std) in enumerate(zip(widths, stds, strict=False)):
        total += np.log(width) + 2 * np.log(std)
        total -= np.log(2) if layer and activation == "relu" else 0
        moments.append(float(np.exp(total)))
    return [*moments]


@alternative("a cumulative product from the end", of="backward_moments")
def _(moment, widths, stds, activation):
    factors = np.asarray(widths[2:]) * np.square(stds[1:])
    factors = factors / {"relu": 2, "linear": 1}[activation]
    return moment * np.append(np.cumprod(factors[::-1])[::-1], 1.0)


@alternative("put in front of a list, layer by layer", of="backward_moments")
def _(moment, widths, stds, activation):
    result = [float(moment)]
    for width, std in zip(widths[:1:-1], stds[:0:-1], strict=True):
        result.insert(0, result[0] * width * std**2 * (0.5 if activation == "relu" else 1.0))
    return np.asarray(result)
