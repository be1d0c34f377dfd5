import numpy as np

from autograder import alternative, mistake


def field_by(rule):
    """Make a function from a rule that updates (field, step) by (kernel, stride, dilation)."""

    def receptive_fields(layers):
        field, step, fields = 1, 1, []
        for layer in layers:
            field, step = rule(field, step, layer["kernel"], layer["stride"], layer["dilation"])
            fields.append(field)
        return fields

    return receptive_fields


for title, rule in {
    "strides are added: they multiply the distances of all that follows": (
        lambda r, j, k, s, d: (r + (k - 1) * d * j, j + s - 1)
    ),
    "the stride is added to the field itself": lambda r, j, k, s, d: (r + (k - 1) * d + s - 1, 1),
    "strides are not used": lambda r, j, k, s, d: (r + (k - 1) * d, 1),
    "the stride of a layer counts for the layer itself: it counts for the next": (
        lambda r, j, k, s, d: (r + (k - 1) * d * j * s, j * s)
    ),
    "only the stride of the layer below counts: those of all layers below multiply": (
        lambda r, j, k, s, d: (r + (k - 1) * d * j, s)
    ),
    "the whole field is multiplied by the stride": (lambda r, j, k, s, d: (r * s + (k - 1) * d, 1)),
    "the recursion that leads from the top down, run from the bottom up": (
        lambda r, j, k, s, d: (s * r + (k - 1) * d + 1 - s, 1)
    ),
    "the field times the stride below, plus the kernel less that stride: right for equal strides": (
        lambda r, j, k, s, d: (j * r + (k - 1) * d + 1 - j, s)
    ),
    "kernels are added: their windows overlap, so that each adds k − 1": (
        lambda r, j, k, s, d: (r + k * d * j, j * s)
    ),
    "kernels are multiplied: that is right only if windows do not overlap": (
        lambda r, j, k, s, d: (r * k, 1)
    ),
    "the dilation is not used": lambda r, j, k, s, d: (r + (k - 1) * j, j * s),
    "a dilated kernel taken for d times as long": lambda r, j, k, s, d: (
        r + (k * d - 1) * j,
        j * s,
    ),
    "the dilation changes the distances of what follows, as strides do": (
        lambda r, j, k, s, d: (r + (k - 1) * d * j, j * s * d)
    ),
    "half of the kernel, for one side only": lambda r, j, k, s, d: (r + k // 2 * d * j, j * s),
}.items():
    mistake(title, receptive_fields=field_by(rule))


mistake(
    "padding taken off: the field may reach into the padding",
    edit=(
        '(layer["kernel"] - 1) * layer["dilation"] * step',
        '((layer["kernel"] - 1) * layer["dilation"] - layer["padding"]) * step',
    ),
)


@mistake("empties the caller's list: pop works in place")
def _(layers):
    field, step, fields = 1, 1, []
    while layers:
        layer = layers.pop(0)
        field += (layer["kernel"] - 1) * layer["dilation"] * step
        step *= layer["stride"]
        fields.append(field)
    return fields


@mistake("the last field only: it is asked for after every layer")
def _(layers):
    field, step = 1, 1
    for layer in layers:
        field += (layer["kernel"] - 1) * layer["dilation"] * step
        step *= layer["stride"]
    return field


@mistake("from the last layer to the first: the order is reversed")
def _(layers):
    field, step, fields = 1, 1, []
    for layer in layers[::-1]:
        field += (layer["kernel"] - 1) * layer["dilation"] * step
        step *= layer["stride"]
        fields.append(field)
    return fields[::-1]


mistake("one entry too many: the input itself was not asked for", edit=("1, 1, []", "1, 1, [1]"))


@alternative("backwards from each layer, by the recursion")
def _(layers):
    fields = []
    for top in range(1, len(layers) + 1):
        side = 1
        for layer in reversed(layers[:top]):
            side = layer["stride"] * (side - 1) + layer["dilation"] * (layer["kernel"] - 1) + 1
        fields.append(side)
    return fields


@alternative("sums of products, in numpy")
def _(layers):
    steps = np.cumprod([1, *(layer["stride"] for layer in layers)])[: len(layers)]
    gaps = np.array([(layer["kernel"] - 1) * layer["dilation"] for layer in layers], dtype=int)
    return 1 + np.cumsum(steps * gaps)


@alternative("the farthest pixels, followed down")
def _(layers):
    def reach(top, unit):
        low = high = unit
        for layer in layers[top::-1]:
            low = low * layer["stride"]
            high = high * layer["stride"] + (layer["kernel"] - 1) * layer["dilation"]
        return high - low + 1

    return [reach(top, 3) for top in range(len(layers))]
