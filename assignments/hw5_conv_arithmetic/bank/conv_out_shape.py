import numpy as np
import torch
from bank._shared import both_axes, sides_by

from autograder import alternative, mistake


@mistake("off by one: the first place counts too")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * (k - 1) - 1) // s

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (shape[0], out_channels, *sides)


@mistake("rounded up: windows that do not fit are dropped")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return -((d * (k - 1) + 1 - n - 2 * p) // s) + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (shape[0], out_channels, *sides)


@mistake("rounded to the nearest number: it is rounded down")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return int((n + 2 * p - d * (k - 1) - 1) / s + 0.5) + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (shape[0], out_channels, *sides)


@mistake("not rounded: a size is a whole number")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * (k - 1) - 1) / s + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (shape[0], out_channels, *sides)


@mistake("the length divided by the stride: right for stride 1 only")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * (k - 1)) // s

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (shape[0], out_channels, *sides)


@mistake("the padding is added on one side only")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + p - d * (k - 1) - 1) // s + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (shape[0], out_channels, *sides)


@mistake("the padding is not used")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, d):
        return (n - d * (k - 1) - 1) // s + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, d=dilation)
    return (shape[0], out_channels, *sides)


@mistake("the dilation is not used")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p):
        return (n + 2 * p - k) // s + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding)
    return (shape[0], out_channels, *sides)


@mistake("a dilated kernel taken for d times as long: it is the k − 1 gaps that grow")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * k) // s + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (shape[0], out_channels, *sides)


@mistake("the stride is not used")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, p, d):
        return n + 2 * p - d * (k - 1)

    sides = sides_by(rule, shape, k=kernel_size, p=padding, d=dilation)
    return (shape[0], out_channels, *sides)


@mistake("a square image is taken for granted")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * (k - 1) - 1) // s + 1

    side, _ = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return shape[0], out_channels, side, side


@mistake("of each pair only the first number is used")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * (k - 1) - 1) // s + 1

    settings = {"k": kernel_size, "s": stride, "p": padding, "d": dilation}
    sides = sides_by(rule, shape, **{key: both_axes(v)[0] for key, v in settings.items()})
    return (shape[0], out_channels, *sides)


@mistake("pairs are read as (width, height)")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * (k - 1) - 1) // s + 1

    settings = {"k": kernel_size, "s": stride, "p": padding, "d": dilation}
    sides = sides_by(rule, shape, **{key: both_axes(v)[::-1] for key, v in settings.items()})
    return (shape[0], out_channels, *sides)


@mistake("pairs are not understood")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    sides = [(n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1 for n in shape[2:]]
    return (shape[0], out_channels, *sides)


@mistake("the channels of the input in place of the filters")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * (k - 1) - 1) // s + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (*shape[:2], *sides)


@mistake("the batch is missing from the shape")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * (k - 1) - 1) // s + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (out_channels, *sides)


@mistake("channels last: the order is (N, C, H, W)")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return (n + 2 * p - d * (k - 1) - 1) // s + 1

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return (shape[0], *sides, out_channels)


@alternative("counting the places of the kernel")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    def rule(n, k, s, p, d):
        return len(range(d * (k - 1), n + 2 * p, s))

    sides = sides_by(rule, shape, k=kernel_size, s=stride, p=padding, d=dilation)
    return [shape[0], out_channels, *sides]


@alternative("what torch makes of a tensor without numbers")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    layer = torch.nn.Conv2d(
        shape[1], out_channels, kernel_size, stride, padding, dilation, device="meta"
    )
    return layer(torch.empty(shape, device="meta")).shape


@alternative("an array of four numbers")
def _(shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    k, s, p, d = (np.broadcast_to(v, 2) for v in (kernel_size, stride, padding, dilation))
    sides = np.floor((np.array(shape[2:]) + 2 * p - d * (k - 1) - 1) / s).astype(int) + 1
    return np.concatenate([[shape[0], out_channels], sides])
