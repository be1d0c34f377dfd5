import numpy as np

from autograder import alternative, mistake
from reference.receptive_fields import receptive_field


@mistake("strides are multiplied, not added up")
def _(layers):
    return 1 + sum(d * (k - 1) + s - 1 for k, s, d in layers)


@mistake("the distance of neighbours is added up")
def _(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += d * (k - 1) * distance
        distance += s - 1
    return field


@mistake("the strides are left out")
def _(layers):
    return 1 + sum(d * (k - 1) for k, s, d in layers)


@mistake("a layer's own stride is counted: only those before it matter")
def _(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        distance *= s
        field += d * (k - 1) * distance
    return field


@mistake("the recursion runs from the input to the output: it has to start at the end")
def _(layers):
    field = 1
    for k, s, d in layers:
        field = s * field + d * (k - 1) + 1 - s
    return field


@mistake(
    "the recursion runs from the input to the output, each time with the stride of the layer before"
)
def _(layers):
    field, stride = 1, 1
    for k, s, _ in layers:
        field, stride = stride * field + k - stride, s
    return field


@mistake("the kernel sizes are added up, one too many each")
def _(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += d * k * distance
        distance *= s
    return field


@mistake("the dilation is left out")
def _(layers):
    field, distance = 1, 1
    for k, s, _ in layers:
        field += (k - 1) * distance
        distance *= s
    return field


@mistake("the dilation multiplies the kernel, not its gaps")
def _(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += (d * k - 1) * distance
        distance *= s
    return field


@mistake("the dilation acts on later layers, like a stride")
def _(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += d * (k - 1) * distance
        distance *= s * d
    return field


@mistake("the pixel itself is not counted")
def _(layers):
    field, distance = 0, 1
    for k, s, d in layers:
        field += d * (k - 1) * distance
        distance *= s
    return field


@mistake("the area, where the side is asked for")
def _(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += d * (k - 1) * distance
        distance *= s
    return field**2


@mistake("without layers there is no answer")
def _(layers):
    field, distance = layers[0][2] * (layers[0][0] - 1) + 1, layers[0][1]
    for k, s, d in layers[1:]:
        field += d * (k - 1) * distance
        distance *= s
    return field


for title, values in {
    "counted from layer b on, in the output of layer a: in the image layer a has its part, too": {
        "field_d": 15
    },
    "without the strides: each layer adds two": {"field_three": 7, "field_d": 9},
    "strides added up, where they multiply": {"field_three": 10, "field_d": 11},
    "a kernel of one pixel adds nothing": {"field_d_pointwise": 10},
    "a kernel of one pixel sees what the layer before it sees": {"field_d_pointwise": 1},
    "only two of the three layers": {"field_three": 7},
}.items():
    mistake(title, **values)
mistake("a pair in place of a number", field_d=(17, 17))


@alternative("from the output back to the input")
def _(layers):
    side = 1
    for k, s, d in reversed(layers):
        side = s * (side - 1) + d * (k - 1) + 1
    return side


@alternative("the pixels themselves, collected layer by layer")
def _(layers):
    pixels = {0}
    for k, s, d in layers[::-1]:
        pixels = {s * p + d * i for p in pixels for i in (0, k - 1)}
    return max(pixels) - min(pixels) + 1


@alternative("a sum of products of strides")
def _(layers):
    strides = np.cumprod([1, *(s for _, s, _ in layers)])
    return 1 + sum(int(j) * d * (k - 1) for j, (k, _, d) in zip(strides[:-1], layers, strict=True))


alternative(
    "computed by the function",
    field_three=receptive_field([(3, 2, 1)] * 3),
    field_d=receptive_field([(3, 1, 1), (3, 2, 1), (3, 2, 1), (3, 1, 1)]),
    field_d_pointwise=receptive_field([(3, 1, 1), (3, 2, 1), (3, 2, 1), (1, 1, 1)]),
)
