import torch
from bank._shared import both_axes, sides_by

from autograder import alternative, mistake


def transposed_by(rule):
    """Make a function for the shape from a rule for one axis."""

    def convt_out_shape(
        shape, out_channels, kernel_size, stride=1, padding=0, output_padding=0, dilation=1
    ):
        settings = {"k": kernel_size, "s": stride, "p": padding, "e": output_padding}
        sides = sides_by(rule, shape, **settings, d=dilation)
        return (shape[0], out_channels, *sides)

    return convt_out_shape


for title, rule in {
    "the output padding is not used": lambda n, k, s, p, e, d: (
        (n - 1) * s + d * (k - 1) + 1 - 2 * p
    ),
    "the output padding is added on both sides: it belongs to the far end only": (
        lambda n, k, s, p, e, d: (n - 1) * s + d * (k - 1) + 1 - 2 * p + 2 * e
    ),
    "the padding is added: here it is cut off": (
        lambda n, k, s, p, e, d: (n - 1) * s + d * (k - 1) + 1 + 2 * p + e
    ),
    "the padding is cut off on one side only": (
        lambda n, k, s, p, e, d: (n - 1) * s + d * (k - 1) + 1 - p + e
    ),
    "the padding is not used": lambda n, k, s, p, e, d: (n - 1) * s + d * (k - 1) + 1 + e,
    "n steps: between n pixels there are only n − 1": (
        lambda n, k, s, p, e, d: n * s + d * (k - 1) + 1 - 2 * p + e
    ),
    "stride times input: right for some kernels only": lambda n, k, s, p, e, d: n * s,
    "the last copy of the kernel is not counted in full": (
        lambda n, k, s, p, e, d: (n - 1) * s + d * (k - 1) - 2 * p + e
    ),
    "the dilation is not used": lambda n, k, s, p, e, d: (n - 1) * s + k - 2 * p + e,
    "a dilated kernel taken for d times as long": (
        lambda n, k, s, p, e, d: (n - 1) * s + d * k - 2 * p + e
    ),
    "the stride is not used": lambda n, k, s, p, e, d: n - 1 + d * (k - 1) + 1 - 2 * p + e,
    "the formula of the convolution that goes forward": (
        lambda n, k, s, p, e, d: (n + 2 * p - d * (k - 1) - 1) // s + 1 + e
    ),
}.items():
    mistake(title, convt_out_shape=transposed_by(rule))


@mistake("a square image is taken for granted")
def _(shape, out_channels, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    layer = torch.nn.ConvTranspose2d(
        1, 1, kernel_size, stride, padding, output_padding, dilation=dilation, device="meta"
    )
    side = layer(torch.empty(1, 1, shape[2], shape[2], device="meta")).shape[2]
    return shape[0], out_channels, side, side


@mistake("pairs are read as (width, height)")
def _(shape, out_channels, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    k, s, p, e, d = (
        both_axes(v)[::-1] for v in (kernel_size, stride, padding, output_padding, dilation)
    )
    return (
        shape[0],
        out_channels,
        *((shape[2 + a] - 1) * s[a] + d[a] * (k[a] - 1) + 1 - 2 * p[a] + e[a] for a in (0, 1)),
    )


@mistake("the channels of the input in place of the output's")
def _(shape, out_channels, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    k, s, p, e, d = (both_axes(v) for v in (kernel_size, stride, padding, output_padding, dilation))
    return (
        shape[0],
        shape[1],
        *((shape[2 + a] - 1) * s[a] + d[a] * (k[a] - 1) + 1 - 2 * p[a] + e[a] for a in (0, 1)),
    )


@alternative("counting the pixels that copies of a kernel reach")
def _(shape, out_channels, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    def rule(n, k, s, p, e, d):
        reached = range((n - 1) * s + (k - 1) * d + 1 + e)
        return len(reached[p : len(reached) - p])

    settings = {"k": kernel_size, "s": stride, "p": padding, "e": output_padding}
    return [shape[0], out_channels, *sides_by(rule, shape, **settings, d=dilation)]


@alternative("searching the size that a convolution turns back")
def _(shape, out_channels, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    def rule(n, k, s, p, e, d):
        back = (m for m in range(-2 * p, 400) if (m + 2 * p - d * (k - 1) - 1) / s + 1 == n)
        return next(back) + e

    settings = {"k": kernel_size, "s": stride, "p": padding, "e": output_padding}
    return torch.Size([shape[0], out_channels, *sides_by(rule, shape, **settings, d=dilation)])
