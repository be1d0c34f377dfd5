# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Exam
#
# **Time: 120 minutes. Points: 100.** A point is worth a little more than a minute. Every question
# stands on its own: if one resists, go on to the next.
#
# | part | topic | points |
# |---|---|---|
# | 1 | convolutions: shapes, kernels, receptive fields | 30 |
# | 2 | training: curves, a broken loop, what matters | 15 |
# | 3 | attention between the words of a sentence | 9 |
# | 4 | where stochastic gradient descent ends | 24 |
# | 5 | how fast it gets there | 22 |
#
# **What you may use.** Your notes, books, the documentation of Python, NumPy and PyTorch, and any
# code that you write yourself in this notebook. No other person, and nothing that answers for you.
#
# **How to answer.** Put a value or a function where a cell asks for it. The cell below tells you
# whether your answer has the right *form*; for functions it also compares some values. Grading
# uses other numbers, and cases that you do not see. Two proofs are read by a person: short and
# complete is best.
#
# **Conventions for the whole exam.** Shapes are (batch, channels, height, width). A convolutional
# layer slides its kernel as it is over the image, as PyTorch does (mathematicians call this
# cross-correlation), unless a question says otherwise. Stride, kernel and padding are the same in
# both directions unless two numbers are given, height first. Padding is with zeros and goes on all
# sides. Numbers are in double precision. No function changes its arguments.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from autograder import (
    assert_close,
    assert_equal,
    assert_shape,
    assert_that,
    budget,
    case,
    check,
    self_check,
)


# %%
def as_array(value):
    """Return an answer of numbers as an array in double precision; the checks use it."""
    if isinstance(value, (tuple, list)):
        return np.array([as_array(item) for item in value], float)
    array = np.asarray(value.detach().numpy() if torch.is_tensor(value) else value)
    assert_that(not np.iscomplexobj(array), "complex values, expected real ones")
    return array.astype(float)


# %% [markdown]
# # 1. Convolutions
# %% [markdown]
# ## 1.1 Four layers, four shapes (4 points)
#
# What is the shape of the output? A tuple of four numbers each.
#
# | | input | layer | filters | kernel | stride | padding |
# |---|---|---|---|---|---|---|
# | i | batch of 32 colour images, 28 × 28 | convolution | 128 | 3 | 1 | 0 |
# | ii | the same | convolution | 128 | 4 | 2 | 1 |
# | iii | batch of 8, 3 channels, height 31, width 40 | convolution | 64 | 5 × 3 | 3 | 0 × 1 |
# | iv | batch of 16, 64 channels, 7 × 9 | transposed convolution | 32 | 4 | 2 | 1 |
#
# In iv the output padding is 0.
# %%
from reference.answers.exam import shape_i, shape_ii, shape_iii, shape_iv


# %%
@check("four_shapes", points=4, hint="Round down, then add one. Batch first, then the filters.")
@case("i", name="shape_i", hidden=True)
@case("ii", name="shape_ii", hidden=True)
@case("iii", name="shape_iii", hidden=True)
@case("iv", name="shape_iv", hidden=True)
def shapes_are_right(student, reference, rng, name):
    """Each of the four layers has the output shape that you gave."""
    assert_close(student[name], np.array(reference[name]), what=name)


@check("four_shapes", points=0)
@case("four numbers each")
def shapes_have_the_right_form(student, reference, rng):
    """Each answer is a tuple of four numbers; whether they are right is found when grading."""
    for name in ("shape_i", "shape_ii", "shape_iii", "shape_iv"):
        assert_shape(student[name], (4,), what=name)


# %%
shapes_are_right.mistake(
    "one is added after rounding down: it is missing", shape_i=(32, 128, 25, 25)
)
shapes_are_right.mistake("the channels come second, not last", shape_i=(32, 26, 26, 128))
shapes_are_right.mistake("the channels of the input, not the filters", shape_i=(32, 3, 26, 26))
shapes_are_right.mistake("padded as if the size were to be kept", shape_i=(32, 128, 28, 28))
shapes_are_right.mistake("the padding counts on both sides", shape_ii=(32, 128, 13, 13))
shapes_are_right.mistake("rounded up, or one added twice", shape_ii=(32, 128, 15, 15))
shapes_are_right.mistake("the division is rounded up, not down", shape_iii=(8, 64, 10, 14))
shapes_are_right.mistake("kernel or padding: height and width swapped", shape_iii=(8, 64, 10, 12))
shapes_are_right.mistake("width before height", shape_iii=(8, 64, 14, 9))
shapes_are_right.mistake("taken for an ordinary convolution of stride 2", shape_iv=(16, 32, 3, 4))
shapes_are_right.mistake("multiplied by the stride, and nothing else", shape_iv=(16, 32, 15, 19))
shapes_are_right.mistake("its padding makes the output larger", shape_iv=(16, 32, 18, 22))
shapes_have_the_right_form.mistake("only height and width", shape_i=(26, 26))
shapes_are_right.alternative(
    "lists, arrays and torch's own sizes",
    also=(shapes_have_the_right_form,),
    shape_i=[32, 128, 26, 26],
    shape_ii=np.array([32, 128, 14, 14]),
    shape_iii=torch.nn.Conv2d(3, 64, (5, 3), 3, (0, 1))(torch.zeros(8, 3, 31, 40)).shape,
    shape_iv=torch.nn.ConvTranspose2d(64, 32, 4, 2, 1)(torch.zeros(16, 64, 7, 9)).shape,
)

# %% [markdown]
# ## 1.2 A network with a skip connection (6 points)
#
# The network below takes a batch of ten grey images of 32 × 32 pixels. *Up* doubles height and
# width by repeating pixels. *Join* concatenates the output of layer a and the output of *up*
# along the channels.
#
# | layer | takes the output of | operation | filters | kernel | stride | padding |
# |---|---|---|---|---|---|---|
# | a | image | convolution | 16 | 3 | 1 | 1 |
# | b | a | convolution | 32 | 3 | 2 | 1 |
# | c | b | convolution | 128 | 3 | 2 | 1 |
# | d | c | convolution | 16 | 3 | 1 | 1 |
# | e | d | transposed convolution | 8 | 2 | 2 | 0 |
# | f | join | convolution | 1 | 3 | 1 | 1 |
#
# Give the shapes of the outputs of a to f, and of what layer f gets (`shape_joined`).


# %%
def draw_network():
    """Draw the network of Question 1.2: a box for each step, an arrow for each connection."""
    steps = ["image", "a", "b", "c", "d", "e", "up", "join", "f"]
    _, axes = plt.subplots(figsize=(9, 1.9))
    places = [-0.15, *range(1, 9)]
    for x, name in zip(places, steps, strict=True):
        box = {"boxstyle": "round,pad=0.4", "facecolor": "#dbe9f6", "edgecolor": "#33577b"}
        axes.text(x, 0, name, ha="center", va="center", bbox=box)
    arrow = {"arrowstyle": "->", "color": "#33577b", "shrinkA": 14, "shrinkB": 14}
    for x in range(len(steps) - 1):
        axes.annotate("", (x + 1, 0), (x + 0.08, 0), arrowprops=arrow)
    skip = {**arrow, "connectionstyle": "arc3,rad=-0.25"}
    axes.annotate("", (7, 0), (1, 0), arrowprops=skip)
    axes.text(4, 0.95, "skip connection", ha="center", color="#33577b")
    axes.set(xlim=(-0.6, 8.6), ylim=(-0.5, 1.3))
    axes.axis("off")
    plt.show()


if budget(True, graded=False):
    draw_network()

# %%
from reference.answers.exam import (
    shape_a,
    shape_b,
    shape_c,
    shape_d,
    shape_e,
    shape_f,
    shape_joined,
)


# %%
@check(
    "network_shapes",
    points=6,
    hint="Follow height and width down and up again; a join adds channels and nothing else.",
)
@case("on the way down", names=("shape_a", "shape_b", "shape_c"), hidden=True)
@case("at the bottom and up", names=("shape_d", "shape_e"), hidden=True)
@case("joined, and the end", names=("shape_joined", "shape_f"), hidden=True)
def network_shapes_are_right(student, reference, rng, names):
    """The outputs of the layers have the shapes that you gave."""
    for name in names:
        assert_close(student[name], np.array(reference[name]), what=name)


@check("network_shapes", points=0)
@case("seven shapes")
def network_shapes_have_the_right_form(student, reference, rng):
    """Each answer is a tuple of four numbers; whether they are right is found when grading."""
    for name in "abcdef":
        assert_shape(student[f"shape_{name}"], (4,), what=f"shape_{name}")
    assert_shape(student.shape_joined, (4,), what="shape_joined")


# %%
network_shapes_are_right.mistake(
    "the skip connection is added, not concatenated", shape_joined=(10, 16, 32, 32)
)
network_shapes_are_right.mistake(
    "joined along height: channels are concatenated", shape_joined=(10, 16, 64, 32)
)
network_shapes_are_right.mistake(
    "joined before it is brought to the size of layer a", shape_joined=(10, 24, 16, 16)
)
network_shapes_are_right.mistake("only what comes from up", shape_joined=(10, 8, 32, 32))
network_shapes_are_right.mistake(
    "one filter for each channel of the input", shape_f=(10, 24, 32, 32)
)
network_shapes_are_right.mistake(
    "layer d halves once more: its stride is 1", shape_d=(10, 16, 4, 4)
)
network_shapes_are_right.mistake("the padding of layer b is left out", shape_b=(10, 32, 15, 15))
network_shapes_are_right.mistake(
    "halved once in place of twice", shape_c=(10, 128, 16, 16), shape_d=(10, 16, 16, 16)
)
network_shapes_are_right.mistake("stride 2 taken for 1 on the way up", shape_e=(10, 8, 9, 9))
network_shapes_are_right.mistake(
    "the batch is dropped, one image is followed", shape_a=(1, 16, 32, 32)
)
network_shapes_have_the_right_form.mistake("the batch is left out", shape_a=(16, 32, 32))


def shapes_by_torch():
    """Return the shapes of the network's tensors."""
    conv, up = torch.nn.Conv2d, torch.nn.Upsample(scale_factor=2)
    a = conv(1, 16, 3, 1, 1)(torch.zeros(10, 1, 32, 32))
    b = conv(16, 32, 3, 2, 1)(a)
    c = conv(32, 128, 3, 2, 1)(b)
    d = conv(128, 16, 3, 1, 1)(c)
    e = torch.nn.ConvTranspose2d(16, 8, 2, 2)(d)
    joined = torch.cat([a, up(e)], 1)
    f = conv(24, 1, 3, 1, 1)(joined)
    tensors = {"a": a, "b": b, "c": c, "d": d, "e": e, "joined": joined, "f": f}
    return {f"shape_{name}": tuple(tensor.shape) for name, tensor in tensors.items()}


network_shapes_are_right.alternative(
    "read off the tensors", also=(network_shapes_have_the_right_form,), **shapes_by_torch()
)
network_shapes_are_right.alternative(
    "lists", also=(network_shapes_have_the_right_form,), shape_a=[10, 16, 32, 32]
)

# %% [markdown]
# ## 1.3 Kernels by hand (8 points)
#
# Write down the entries of four kernels, as arrays. The figure shows three grey images that consist
# of two levels each.
#
# 1. `horizontal_kernel`, 3 × 3: answers to a horizontal edge (left) with values that are far from
#    zero. On vertical edges (the same picture turned by 90 degrees), and where the image is
#    constant, it answers zero.
# 2. `diagonal_kernel`, 2 × 2: answers to a falling edge (middle), along which row minus column is
#    constant. On rising edges (right), along which row plus column is constant, and where the
#    image is constant, it answers zero.
# 3. `shift_correlation`, 3 × 3: with stride 1 and padding 1 the output is the image moved by one
#    pixel to the **left**; the last column becomes zero.
# 4. `shift_convolution`, 3 × 3: does the same as kernel 3, but in a layer that computes a *true
#    convolution*: it turns the kernel by 180 degrees before it slides it.
#
# For kernels 1 and 2 there are many right answers, and sign and size do not matter. Points:
# 3, 2, and 3 for kernels 3 and 4 together.


# %%
def draw_edges():
    """Draw the three kinds of edges of Question 1.3."""
    row, column = np.mgrid[:10, :10]
    images = {"horizontal": row < 5, "falling": row < column, "rising": row + column < 9}
    figure, axes = plt.subplots(1, 3, figsize=(6.4, 2.4))
    for place, (title, image) in zip(axes, images.items(), strict=True):
        place.imshow(np.where(image, 0.85, 0.25), cmap="gray", vmin=0, vmax=1)
        place.set(title=title, xticks=[], yticks=[])
    figure.tight_layout()
    plt.show()


if budget(True, graded=False):
    draw_edges()

# %%
from reference.answers.exam import (
    diagonal_kernel,
    horizontal_kernel,
    shift_convolution,
    shift_correlation,
)


# %%
def slide(image, kernel):
    """Return the cross-correlation of an image with a kernel, without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)


def usable_kernel(student, name, shape):
    """Return a kernel of the student's, scaled so that its largest entry is 1 or -1."""
    assert_shape(student[name], shape, what=name)
    kernel = as_array(student[name])
    largest = np.abs(kernel).max()
    assert_that(0 < largest < np.inf, f"{name}: its entries are zero or no numbers")
    return kernel / largest


def assert_answers(name, kernel, image, what, edge):
    """Require answers far from zero to an edge, or zero to anything else."""
    largest = np.abs(slide(image, kernel)).max()
    if edge:
        assert_that(largest > 0.3, f"{name}: answers {largest:.3g} at most to {what}")
    else:
        assert_that(largest < 1e-9, f"{name}: answers {largest:.3g} to {what}, expected 0")


@check("kernels", points=3, hint="Which differences vanish along an edge, and which across it?")
@case("edges of both kinds", hidden=True)
def horizontal_kernel_is_right(student, reference, rng):
    """horizontal_kernel answers to horizontal edges, and to nothing that has none."""
    name = "horizontal_kernel"
    kernel = usable_kernel(student, name, (3, 3))
    low, place = rng.uniform(-2, 2), int(rng.integers(4, 8))
    row, column = np.mgrid[:11, :12]
    assert_answers(name, kernel, low + (row < place), "a horizontal edge", edge=True)
    assert_answers(name, kernel, low + (column < place), "a vertical edge", edge=False)
    assert_answers(name, kernel, low + 1 + 0 * row, "a constant image", edge=False)


@check("kernels", points=2, hint="Two of the four entries have nothing to do.")
@case("edges of both kinds", hidden=True)
def diagonal_kernel_is_right(student, reference, rng):
    """diagonal_kernel answers to falling edges, and to nothing that has none."""
    name = "diagonal_kernel"
    kernel = usable_kernel(student, name, (2, 2))
    low, place = rng.uniform(-2, 2), int(rng.integers(-2, 3))
    row, column = np.mgrid[:9, :10]
    assert_answers(name, kernel, low + (row - column < place), "a falling edge", edge=True)
    assert_answers(name, kernel, low + (row + column < 9 + place), "a rising edge", edge=False)
    assert_answers(name, kernel, low + 1 + 0 * row, "a constant image", edge=False)


@check(
    "kernels",
    points=3,
    all_or_nothing=True,
    hint="The pixel that arrives comes from the right. Then turn the kernel around.",
)
@case("as it is", name="shift_correlation", turned=False, hidden=True)
@case("turned first", name="shift_convolution", turned=True, hidden=True)
def shifts_are_right(student, reference, rng, name, turned):
    """Both kernels move every image by one pixel to the left, each in its kind of layer."""
    assert_shape(student[name], (3, 3), what=name)
    kernel = as_array(student[name])
    image = rng.normal(size=(6, 9))
    moved = slide(np.pad(image, 1), kernel[::-1, ::-1] if turned else kernel)
    wanted = np.pad(image[:, 1:], ((0, 0), (0, 1)))
    assert_close(moved, wanted, what=f"the image after {name}")


@check("kernels", points=0)
@case("four arrays")
def kernels_have_the_right_form(student, reference, rng):
    """Each kernel has its size; whether it is right is found when grading."""
    assert_shape(student.horizontal_kernel, (3, 3), what="horizontal_kernel")
    assert_shape(student.diagonal_kernel, (2, 2), what="diagonal_kernel")
    assert_shape(student.shift_correlation, (3, 3), what="shift_correlation")
    assert_shape(student.shift_convolution, (3, 3), what="shift_convolution")


# %%
for title, rows in {
    "transposed: it finds vertical edges": [[1, 0, -1], [1, 0, -1], [1, 0, -1]],
    "a Laplacian: it answers to edges of any direction": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "a blur: it answers to constant images": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
    "the rows do not cancel column by column": [[1, 1, 1], [0, 0, 0], [-1, -2, 0]],
    "a diagonal edge detector": [[0, 1, 1], [-1, 0, 1], [-1, -1, 0]],
    "the rows add up: one of them has to be negative": [[1, 1, 1], [0, 0, 0], [1, 1, 1]],
    "no entries that differ from zero": [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
}.items():
    horizontal_kernel_is_right.mistake(title, horizontal_kernel=np.array(rows, float))
for title, rows in {
    "Prewitt's kernel with the sign turned": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "Sobel's kernel, small": [[0.01, 0.02, 0.01], [0, 0, 0], [-0.01, -0.02, -0.01]],
    "Scharr's kernel, large": [[300, 1000, 300], [0, 0, 0], [-300, -1000, -300]],
    "a difference of neighbouring rows in one column": [[0, 0, 0], [0, 1, 0], [0, -1, 0]],
    "a difference of differences": [[1, 2, 1], [-2, -4, -2], [1, 2, 1]],
}.items():
    horizontal_kernel_is_right.alternative(
        title, also=(kernels_have_the_right_form,), horizontal_kernel=rows
    )
for title, rows in {
    "the other diagonal: it finds rising edges": [[1, 0], [0, -1]],
    "a sum along the diagonal: it answers to constant images": [[0, 1], [1, 0]],
    "a horizontal edge detector, for a diagonal one": [[1, 1], [-1, -1]],
    "a checkerboard: it answers to both diagonals": [[1, -1], [-1, 1]],
    "all entries are zero": [[0, 0], [0, 0]],
}.items():
    diagonal_kernel_is_right.mistake(title, diagonal_kernel=np.array(rows, float))
diagonal_kernel_is_right.alternative(
    "the sign turned", also=(kernels_have_the_right_form,), diagonal_kernel=[[0, -1], [1, 0]]
)
diagonal_kernel_is_right.alternative(
    "halves, as a tensor",
    also=(kernels_have_the_right_form,),
    diagonal_kernel=torch.tensor([[0.0, 0.5], [-0.5, 0.0]]),
)
LEFT, RIGHT = np.zeros((2, 3, 3))
LEFT[1, 2], RIGHT[1, 0] = 1, 1
shifts_are_right.mistake(
    "flipped: both kernels move the image to the right",
    shift_correlation=RIGHT,
    shift_convolution=LEFT,
)
shifts_are_right.mistake("a layer that turns the kernel needs it turned", shift_convolution=LEFT)
shifts_are_right.mistake("the kernel turned for the layer that does not", shift_correlation=RIGHT)
shifts_are_right.mistake(
    "moved up, not to the left", shift_correlation=LEFT.T, shift_convolution=RIGHT.T
)
shifts_are_right.mistake("the image stays where it is", shift_correlation=np.diag([0.0, 1, 0]))
shifts_are_right.mistake("of another size than one", shift_correlation=2 * LEFT)
shifts_are_right.mistake(
    "the differences to the neighbour, not the neighbour", shift_correlation=LEFT - RIGHT
)
shifts_are_right.alternative(
    "lists, and a kernel turned by the computer",
    also=(kernels_have_the_right_form,),
    shift_correlation=LEFT.tolist(),
    shift_convolution=np.rot90(LEFT, 2),
)
shifts_are_right.alternative(
    "tensors of whole numbers",
    shift_correlation=torch.tensor(LEFT).long(),
    shift_convolution=torch.tensor(RIGHT).long(),
)
kernels_have_the_right_form.mistake("one row in place of a square", shift_correlation=[0, 0, 1])

# %% [markdown]
# ## 1.4 Weights that pass an image through (5 points)
#
# A network ends like this. Layer e gets deep features $h$ and computes
# $m = \mathrm{ReLU}(w_e \star h)$. The skip connection brings $x$, of the same height and width.
# Both are joined along the channels, **$x$ first**, and layer f makes the output
# $y = w_f \star [x, m]$. Both layers have stride 1, no bias, and the padding that keeps the size.
#
# Choose all weights such that $y = x$ for **every** $x$ and **every** $h$, so that the network
# starts as the identity. Write a function that returns them for any number of channels and any
# odd kernel size.

# %%
from reference.conv_kernels import pass_through_weights


# %%
def end_of_network(x, h, weights_e, weights_f):
    """Return the output of the network's end, for arrays (batch, channels, height, width)."""
    x, h, weights_e, weights_f = (
        torch.as_tensor(as_array(a)) for a in (x, h, weights_e, weights_f)
    )
    middle = torch.nn.functional.conv2d(h, weights_e, padding=weights_e.shape[-1] // 2).relu()
    joined = torch.cat([x, middle], 1)
    return torch.nn.functional.conv2d(joined, weights_f, padding=weights_f.shape[-1] // 2).numpy()


@check("pass_through_weights", points=5, hint="Which output channel may listen to which channel?")
@case("one channel", skip=1, deep=2, middle=3, kernel=3)
@case("three channels", skip=3, deep=4, middle=2, kernel=3, hidden=True)
@case("a large kernel", skip=2, deep=3, middle=5, kernel=5, hidden=True)
@case("a kernel of one pixel", skip=4, deep=1, middle=3, kernel=1, hidden=True)
def pass_through_weights_make_the_identity(student, reference, rng, skip, deep, middle, kernel):
    """With your weights the network hands on every image as it is, whatever the deep features."""
    got = student.pass_through_weights(skip, deep, middle, kernel)
    assert_that(isinstance(got, (tuple, list)) and len(got) == 2, "return two arrays of weights")
    assert_shape(got[0], (middle, deep, kernel, kernel), what="weights of e")
    assert_shape(got[1], (skip, skip + middle, kernel, kernel), what="weights of f")
    x, h = rng.normal(size=(2, skip, 6, 7)), 3 * rng.normal(size=(2, deep, 6, 7))
    assert_close(end_of_network(x, h, *got), x, what="output")


self_check(pass_through_weights_make_the_identity)


# %%
@pass_through_weights_make_the_identity.mistake(
    "layer f is all ones: it blurs, and mixes the channels"
)
def pass_through_weights(skip, deep, middle, kernel):
    e = np.zeros((middle, deep, kernel, kernel))
    return e, np.ones((skip, skip + middle, kernel, kernel))


@pass_through_weights_make_the_identity.mistake(
    "every output channel is the sum of all channels of the skip connection"
)
def pass_through_weights(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[:, :skip, kernel // 2, kernel // 2] = 1
    return np.zeros((middle, deep, kernel, kernel)), f


@pass_through_weights_make_the_identity.mistake("the one is in the corner of the kernel")
def pass_through_weights(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[range(skip), range(skip), 0, 0] = 1
    return np.zeros((middle, deep, kernel, kernel)), f


@pass_through_weights_make_the_identity.mistake(
    "joined the other way round: the skip connection comes first"
)
def pass_through_weights(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[range(skip), range(middle, middle + skip), kernel // 2, kernel // 2] = 1
    return np.zeros((middle, deep, kernel, kernel)), f


@pass_through_weights_make_the_identity.mistake("the deep features are let through as well")
def pass_through_weights(skip, deep, middle, kernel):
    e, f = np.ones((middle, deep, kernel, kernel)), np.zeros((skip, skip + middle, kernel, kernel))
    f[range(skip), range(skip), kernel // 2, kernel // 2] = 1
    f[0, skip:] = 0.1
    return e, f


@pass_through_weights_make_the_identity.mistake("all weights are zero, and so is the output")
def pass_through_weights(skip, deep, middle, kernel):
    return np.zeros((middle, deep, kernel, kernel)), np.zeros((skip, skip + middle, kernel, kernel))


@pass_through_weights_make_the_identity.mistake("only the first channel is handed on")
def pass_through_weights(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[0, 0, kernel // 2, kernel // 2] = 0.5 + 0.5 * (skip > 1)
    return np.zeros((middle, deep, kernel, kernel)), f


@pass_through_weights_make_the_identity.mistake("the mean over the kernel, not its centre")
def pass_through_weights(skip, deep, middle, kernel):
    f = np.zeros((skip, skip + middle, kernel, kernel))
    f[range(skip), range(skip)] = 1 / kernel**2
    return np.zeros((middle, deep, kernel, kernel)), f


@pass_through_weights_make_the_identity.mistake("inputs and outputs of the layers are swapped")
def pass_through_weights(skip, deep, middle, kernel):
    f = np.zeros((skip + middle, skip, kernel, kernel))
    f[range(skip), range(skip), kernel // 2, kernel // 2] = 1
    return np.zeros((deep, middle, kernel, kernel)), f


# %%
@pass_through_weights_make_the_identity.alternative(
    "layer f does not listen, and layer e may do what it likes"
)
def pass_through_weights(skip, deep, middle, kernel):
    f = torch.zeros(skip, skip + middle, kernel, kernel)
    torch.nn.init.dirac_(f[:, :skip])
    return torch.nn.Conv2d(deep, middle, kernel).weight.detach(), f


@pass_through_weights_make_the_identity.alternative("torch's parameters, which need gradients")
def pass_through_weights(skip, deep, middle, kernel):
    layers = torch.nn.Conv2d(deep, middle, kernel), torch.nn.Conv2d(skip + middle, skip, kernel)
    torch.nn.init.zeros_(layers[0].weight)
    torch.nn.init.dirac_(layers[1].weight)
    return layers[0].weight, layers[1].weight


@pass_through_weights_make_the_identity.alternative(
    "layer e is silent, and layer f may listen to it"
)
def pass_through_weights(skip, deep, middle, kernel):
    f = np.full((skip, skip + middle, kernel, kernel), 7.0)
    centre = np.zeros((kernel, kernel))
    centre[kernel // 2, kernel // 2] = 1
    f[:, :skip] = np.eye(skip)[:, :, None, None] * centre
    return np.zeros((middle, deep, kernel, kernel)), f


# %% [markdown]
# ## 1.5 Receptive fields (7 points)
#
# One unit of a layer's output depends on a square of the input: its receptive field. Write a
# function that returns the length of its side for any stack of layers, each given by kernel
# size, stride and dilation. A kernel of size $k$ with dilation $\delta$ takes every $\delta$-th
# pixel. (5 points)
#
# Then give the side of the receptive field in the input image for a unit of (2 points, if all
# three are right)
#
# - `field_three`: the last of three convolutions with kernel 3 and stride 2;
# - `field_d`: the layer d of the network that begins with a: kernel 3, stride 1; b: kernel 3,
#   stride 2; c: kernel 3, stride 2; d: kernel 3, stride 1;
# - `field_d_pointwise`: the same layer d, if its kernel were 1 × 1.

# %%
from reference.receptive_fields import receptive_field


# %%
@check(
    "receptive_field",
    points=5,
    pure=True,
    hint="How far apart in the image are neighbours of a layer?",
)
@case("ordinary layers", counts=(5, 4))
@case("stacks of many sizes", counts=(6, 0, 3), hidden=True)
@case("dilated layers", counts=(4, 1, 0), dilated=True, hidden=True)
@case("a few dilated layers", counts=(2, 3), dilated=True, hidden=True)
def receptive_field_matches_reference(student, reference, rng, counts, dilated=False):
    """receptive_field is right for stacks of layers with kernels and strides of many sizes."""
    stacks = []
    for count in counts:
        kernels, strides = rng.integers(2, 6, size=count), rng.integers(2, 4, size=count)
        dilations = rng.integers(2, 5, size=count) if dilated else np.ones(count, int)
        rows = zip(kernels, strides, dilations, strict=True)
        stacks.append([(int(k), int(s), int(d)) for k, s, d in rows])
    # All at once: two numbers together tell a slip that one could share with another by chance.
    got = [student.receptive_field(layers) for layers in stacks]
    for field, layers in zip(got, stacks, strict=True):
        assert_shape(field, (), what=f"receptive_field({layers})")
    want = np.array([reference.receptive_field(layers) for layers in stacks])
    assert_close(as_array(got), want, what=f"receptive fields of {stacks}")


self_check(receptive_field_matches_reference)


# %%
from reference.answers.exam import field_d, field_d_pointwise, field_three


# %%
@check(
    "receptive_field", points=2, hint="The last layer's own stride plays no part; the others' do."
)
@case("three numbers", hidden=True)
def fields_are_right(student, reference, rng):
    """The three receptive fields are right."""
    for name in ("field_three", "field_d", "field_d_pointwise"):
        assert_close(student[name], reference[name], what=name)


@check("receptive_field", points=0)
@case("whole numbers")
def fields_have_the_right_form(student, reference, rng):
    """Each answer is a single number; whether it is right is found when grading."""
    for name in ("field_three", "field_d", "field_d_pointwise"):
        assert_shape(student[name], (), what=name)


# %%
@receptive_field_matches_reference.mistake("strides are multiplied, not added up")
def receptive_field(layers):
    return 1 + sum(d * (k - 1) + s - 1 for k, s, d in layers)


@receptive_field_matches_reference.mistake("the distance of neighbours is added up")
def receptive_field(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += d * (k - 1) * distance
        distance += s - 1
    return field


@receptive_field_matches_reference.mistake("the strides are left out")
def receptive_field(layers):
    return 1 + sum(d * (k - 1) for k, s, d in layers)


@receptive_field_matches_reference.mistake(
    "a layer's own stride is counted: only those before it matter"
)
def receptive_field(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        distance *= s
        field += d * (k - 1) * distance
    return field


@receptive_field_matches_reference.mistake(
    "the recursion runs from the input to the output: it has to start at the end"
)
def receptive_field(layers):
    field = 1
    for k, s, d in layers:
        field = s * field + d * (k - 1) + 1 - s
    return field


@receptive_field_matches_reference.mistake(
    "the recursion runs from the input to the output, each time with the stride of the layer before"
)
def receptive_field(layers):
    field, stride = 1, 1
    for k, s, _ in layers:
        field, stride = stride * field + k - stride, s
    return field


@receptive_field_matches_reference.mistake("the kernel sizes are added up, one too many each")
def receptive_field(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += d * k * distance
        distance *= s
    return field


@receptive_field_matches_reference.mistake("the dilation is left out")
def receptive_field(layers):
    field, distance = 1, 1
    for k, s, _ in layers:
        field += (k - 1) * distance
        distance *= s
    return field


@receptive_field_matches_reference.mistake("the dilation multiplies the kernel, not its gaps")
def receptive_field(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += (d * k - 1) * distance
        distance *= s
    return field


@receptive_field_matches_reference.mistake("the dilation acts on later layers, like a stride")
def receptive_field(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += d * (k - 1) * distance
        distance *= s * d
    return field


@receptive_field_matches_reference.mistake("the pixel itself is not counted")
def receptive_field(layers):
    field, distance = 0, 1
    for k, s, d in layers:
        field += d * (k - 1) * distance
        distance *= s
    return field


@receptive_field_matches_reference.mistake("the area, where the side is asked for")
def receptive_field(layers):
    field, distance = 1, 1
    for k, s, d in layers:
        field += d * (k - 1) * distance
        distance *= s
    return field**2


@receptive_field_matches_reference.mistake("without layers there is no answer")
def receptive_field(layers):
    field, distance = layers[0][2] * (layers[0][0] - 1) + 1, layers[0][1]
    for k, s, d in layers[1:]:
        field += d * (k - 1) * distance
        distance *= s
    return field


for title, values in {
    "seen from layer a, or with a stride of 2 in layer d": {"field_d": 15},
    "without the strides: each layer adds two": {"field_three": 7, "field_d": 9},
    "strides added up, where they multiply": {"field_three": 10, "field_d": 11},
    "a kernel of one pixel adds nothing": {"field_d_pointwise": 10},
    "a kernel of one pixel sees what the layer before it sees": {"field_d_pointwise": 1},
    "only two of the three layers": {"field_three": 7},
}.items():
    fields_are_right.mistake(title, **values)
fields_have_the_right_form.mistake("a pair in place of a number", field_d=(17, 17))


# %%
@receptive_field_matches_reference.alternative("from the output back to the input")
def receptive_field(layers):
    side = 1
    for k, s, d in reversed(layers):
        side = s * (side - 1) + d * (k - 1) + 1
    return side


@receptive_field_matches_reference.alternative("the pixels themselves, collected layer by layer")
def receptive_field(layers):
    pixels = {0}
    for k, s, d in layers[::-1]:
        pixels = {s * p + d * i for p in pixels for i in (0, k - 1)}
    return max(pixels) - min(pixels) + 1


@receptive_field_matches_reference.alternative("a sum of products of strides")
def receptive_field(layers):
    strides = np.cumprod([1, *(s for _, s, _ in layers)])
    return 1 + sum(int(j) * d * (k - 1) for j, (k, _, d) in zip(strides[:-1], layers, strict=True))


fields_are_right.alternative(
    "computed by the function",
    also=(fields_have_the_right_form,),
    field_three=receptive_field([(3, 2, 1)] * 3),
    field_d=receptive_field([(3, 1, 1), (3, 2, 1), (3, 2, 1), (3, 1, 1)]),
    field_d_pointwise=receptive_field([(3, 1, 1), (3, 2, 1), (3, 2, 1), (1, 1, 1)]),
)

# %% [markdown]
# # 2. Training

# %% [markdown]
# ## 2.1 Six curves (6 points)
#
# A linear model with 20 weights was trained by stochastic gradient descent with batches of ten, six
# times. The panels show the mean squared error on the training data (solid) and on fresh data
# (dashed) before training and after each of 30 epochs, all with the same logarithmic axis. Each
# run has its own learning rate; what else differs is what the cause names.
#
# | | cause |
# |---|---|
# | A | The learning rate is far too small. |
# | B | The learning rate is so large that the weights grow without bound. |
# | C | The learning rate is too large to settle: noise from the batches keeps the loss up. |
# | D | The learning rate is divided by ten at some point. |
# | E | Gradients are not set to zero between the steps. |
# | F | There are few and noisy training examples, and the model fits the noise. |
# | G | The targets of the training data were shuffled. |
# | H | Everything is as it should be. |
#
# Give one letter for each panel, none of them twice. Two letters are left over. Panels 1 to 3 are
# worth 3 points together, and so are panels 4 to 6.

# %%
CURVES = """
6.06 1.64 1.14 .89 .736 .705 .619 .575 .537 .522 .508 .469 .458 .444 .442 .436 .436 .416 .391
.385 .372 .387 .365 .378 .388 .359 .338 .358 .341 .316 .334 4.61 1.92 1.59 1.44 1.32 1.3 1.24
1.25 1.25 1.3 1.32 1.34 1.42 1.49 1.55 1.57 1.63 1.68 1.69 1.72 1.78 1.84 1.9 1.97 2.05 2.11
2.14 2.21 2.25 2.31 2.42 3.87 .151 .199 .213 .168 .235 .22 .256 .209 .199 .217 .396 .235 .298
.157 .292 .293 .176 .257 .084 .0832 .0834 .0834 .0832 .0838 .0835 .0849 .0837 .0845 .083 .0831
4.69 .173 .207 .227 .186 .228 .233 .294 .216 .196 .209 .365 .279 .335 .204 .34 .287 .173 .287
.0998 .0992 .1 .0993 .102 .0995 .101 .103 .0992 .101 .1 .1 3.87 3.78 3.69 3.6 3.51 3.42 3.34
3.26 3.18 3.1 3.02 2.95 2.88 2.81 2.74 2.67 2.61 2.55 2.49 2.43 2.37 2.31 2.26 2.2 2.15 2.1 2.05
2 1.96 1.91 1.87 4.69 4.58 4.47 4.37 4.27 4.17 4.07 3.98 3.89 3.8 3.71 3.63 3.55 3.47 3.39 3.31
3.24 3.17 3.09 3.03 2.96 2.89 2.83 2.77 2.7 2.64 2.59 2.53 2.47 2.42 2.37 3.87 2.36 1.47 .937
.616 .418 .297 .221 .172 .141 .121 .108 .0997 .0939 .0901 .0875 .0857 .0846 .0838 .0832 .0828
.0826 .0824 .0823 .0822 .0821 .0821 .082 .082 .082 .082 4.69 2.95 1.9 1.25 .844 .588 .425 .319
.25 .204 .173 .151 .137 .126 .119 .114 .11 .108 .106 .104 .103 .102 .101 .101 .1 .1 .0999 .0997
.0995 .0994 .0993 3.87 3.6 2.82 1.82 .881 .296 .232 .69 1.51 2.43 3.16 3.49 3.34 2.81 2.09 1.42
.998 .94 1.22 1.7 2.19 2.53 2.62 2.46 2.15 1.81 1.59 1.57 1.76 2.06 2.33 4.69 4.38 3.49 2.32 1.2
.444 .252 .651 1.49 2.51 3.39 3.88 3.86 3.38 2.64 1.85 1.25 .996 1.11 1.51 2.01 2.46 2.73 2.77
2.62 2.37 2.15 2.04 2.07 2.2 2.32 3.87 .187 .3 .256 .151 .164 .207 .165 .25 .187 .231 .295 .258
.257 .232 .318 .325 .232 .277 .151 .152 .183 .314 .242 .199 .16 .146 .23 .15 .171 .166 4.69 .198
.342 .299 .17 .197 .229 .188 .27 .209 .264 .306 .263 .269 .244 .334 .376 .25 .319 .181 .157 .203
.35 .23 .215 .178 .161 .266 .166 .195 .179
"""


def draw_curves():
    """Draw the six panels of Question 2.1."""
    losses = np.array(CURVES.split(), float).reshape(6, 2, 31)
    figure, axes = plt.subplots(2, 3, figsize=(10, 5.6), sharex=True, sharey=True)
    for number, (place, (training, fresh)) in enumerate(
        zip(axes.flat, losses, strict=True), start=1
    ):
        place.semilogy(training, label="training data")
        place.semilogy(fresh, "--", label="fresh data")
        place.set(title=f"panel {number}")
        place.grid(alpha=0.3)
    axes[0, 0].legend()
    for place in axes[1]:
        place.set(xlabel="epochs")
    figure.tight_layout()
    plt.show()


if budget(True, graded=False):
    draw_curves()

# %%
from reference.answers.exam import panel_1, panel_2, panel_3, panel_4, panel_5, panel_6


# %%
@check(
    "curves", points=6, hint="Look at both curves, at the level where they end, and at the shape."
)
@case("panels 1 to 3", panels=(1, 2, 3), hidden=True)
@case("panels 4 to 6", panels=(4, 5, 6), hidden=True)
def curves_are_right(student, reference, rng, panels):
    """Each of three panels has the cause that you gave."""
    for panel in panels:
        answer = student[f"panel_{panel}"]
        letter = answer.strip().upper() if isinstance(answer, str) else answer
        assert_equal(letter, reference[f"panel_{panel}"], what=f"panel_{panel}")


@check("curves", points=0)
@case("six letters")
def curves_have_the_right_form(student, reference, rng):
    """The answers are different letters; whether they are right is found when grading."""
    letters = []
    for panel in range(1, 7):
        answer = student[f"panel_{panel}"]
        letter = answer.strip().upper() if isinstance(answer, str) else ""
        assert_that(len(letter) == 1 and letter in "ABCDEFGH", f"panel_{panel}: give a letter")
        letters.append(letter)
    assert_that(len(set(letters)) == 6, "a letter stands twice")


# %%
for title, letters in {
    "fresh data get better first, then worse: shuffled targets would teach nothing": "GDAHEC",
    "the step down comes from a smaller learning rate, not from nowhere": "FCAHED",
    "falling steadily, but far too slowly to be right": "FDHAEC",
    "slow waves that do not die out: gradients pile up; noise has no period": "FDAHCE",
    "the loss stays bounded: too large to settle, not too large to converge": "FDAHEB",
    "slow waves that stay bounded: nothing grows without end": "FDAHBC",
    "overfitting taken for health: the gap between the curves grows": "HDAFEC",
    "a flat end taken for overfitting: both curves end together": "HDAFEG",
}.items():
    curves_are_right.mistake(title, **{f"panel_{i}": a for i, a in enumerate(letters, 1)})
curves_are_right.alternative(
    "small letters", also=(curves_have_the_right_form,), panel_1="f", panel_5=" e", panel_6="c "
)
curves_have_the_right_form.mistake("the same cause for two panels", panel_1="A", panel_3="A")
curves_have_the_right_form.mistake("a number in place of a letter", panel_2=4)

# %% [markdown]
# ## 2.2 A loop with five slips (5 points)
#
# This function is to train a model for one epoch and to return the loss of each batch. It contains
# **five** slips. Some of them raise an error, and some only spoil the training or fill the memory.
#
# ```python
# def train(net, data, optim, criterion):
#     net.eval()
#     history = []
#     for images, labels in data:
#         preds = net(image)
#         cost = criterion(labels, preds)
#         cost.backward()
#         optim.step()
#         history.append(cost)
#     return history
# ```
#
# Write the function without them.

# %%
from reference.training import train_epoch


# %%
def run_train_epoch(notebook, weights, images, labels, sizes, counts, adaptive):
    """Return losses, weights and running statistics of three epochs with train_epoch.

    weights: the first values of the model's parameters, in their order.
    sizes: the sizes of the batches.
    counts: whether the labels are counts; if not, they are classes.
    adaptive: whether Adam is used; if not, it is SGD with momentum.
    """
    wide, features, outputs = weights[0].shape[0], weights[0].shape[1], weights[-1].shape[0]
    model = torch.nn.Sequential(
        torch.nn.Linear(features, wide),
        torch.nn.BatchNorm1d(wide),
        torch.nn.Tanh(),
        torch.nn.Linear(wide, outputs),
    ).double()
    for parameter, value in zip(model.parameters(), weights, strict=True):
        parameter.data = torch.tensor(value)
        parameter.grad = torch.ones_like(parameter)
    model.eval()
    kind, settings = torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}
    if adaptive:
        kind, settings = torch.optim.Adam, {"lr": 0.05}
    optimizer = kind(model.parameters(), **settings)
    parts = zip(torch.tensor(images).split(sizes), torch.tensor(labels).split(sizes), strict=True)
    batches, losses = list(parts), []
    criterion = torch.nn.PoissonNLLLoss() if counts else torch.nn.CrossEntropyLoss()
    for _ in range(3):
        losses.append(list(notebook.train_epoch(model, optimizer, batches, criterion)))
    plain = all(isinstance(loss, float) for epoch in losses for loss in epoch)
    state = [value.detach().numpy().astype(float) for value in model.state_dict().values()]
    return {
        "plain": plain,
        "losses": [[float(v) for v in epoch] for epoch in losses],
        "state": state,
    }


@check(
    "train_epoch",
    points=5,
    hint="Mode, name, order of arguments, old gradients, and what the list holds on to.",
)
@case("classes", counts=False)
@case("counts", counts=True, hidden=True)
@case("classes and Adam", counts=False, adaptive=True, hidden=True)
def train_epoch_matches_reference(student, reference, rng, counts, adaptive=False):
    """Three epochs give the right losses, weights and running statistics, batch by batch."""
    sizes = [5, 5, 3]
    images = rng.normal(size=(13, 4))
    outputs = 1 if counts else 3
    shapes = [(6, 4), 6, 6, 6, (outputs, 6), outputs]
    weights = [rng.normal(size=shape) for shape in shapes]
    labels = rng.poisson(2.0, size=(13, 1)).astype(float) if counts else rng.integers(3, size=13)
    arguments = weights, images, labels, sizes, counts, adaptive
    got = student.apply(run_train_epoch, *arguments)
    want = reference.apply(run_train_epoch, *arguments)
    assert_close(got["losses"], want["losses"], what="losses[epoch, batch]")
    assert_close(got["state"], want["state"], what="weights and running statistics")
    assert_that(got["plain"] is True, "losses: return Python floats, which hold on to nothing")


self_check(train_epoch_matches_reference)


# %%
@train_epoch_matches_reference.mistake(
    "old gradients are added to the new ones: zero_grad is missing"
)
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@train_epoch_matches_reference.mistake(
    "the gradients are set to zero right before the step uses them"
)
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return losses


@train_epoch_matches_reference.mistake("zero_grad comes once an epoch, not once a batch")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    optimizer.zero_grad()
    for images, labels in batches:
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@train_epoch_matches_reference.mistake(
    "the first batch still uses the gradients that were there before"
)
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@train_epoch_matches_reference.mistake("labels and predictions are swapped in the loss")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(labels, model(images))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@train_epoch_matches_reference.mistake("image for images: a name that nothing defines")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:  # noqa: B007
        optimizer.zero_grad()
        loss = loss_fn(model(image), labels)  # noqa: F821
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@train_epoch_matches_reference.mistake("trained in evaluation mode: batch statistics are not used")
def train_epoch(model, optimizer, batches, loss_fn):
    model.eval()
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@train_epoch_matches_reference.mistake("the mode is left as it was found")
def train_epoch(model, optimizer, batches, loss_fn):
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@train_epoch_matches_reference.mistake("the list keeps tensors, and with them every batch's graph")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return losses


@train_epoch_matches_reference.mistake("the loss after the step, not before it")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss_fn(model(images), labels).backward()
        optimizer.step()
        losses.append(loss_fn(model(images), labels).item())
    return losses


@train_epoch_matches_reference.mistake("the step comes before the gradient that it needs")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        optimizer.step()
        loss.backward()
        losses.append(loss.item())
    return losses


@train_epoch_matches_reference.mistake("returns after the first batch: mind the indentation")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        return losses
    return losses


@train_epoch_matches_reference.mistake("one mean loss for the epoch, not one for each batch")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return [sum(losses) / len(losses)]


@train_epoch_matches_reference.mistake("a single step for the whole epoch")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    optimizer.zero_grad()
    losses = [loss_fn(model(images), labels) for images, labels in batches]
    sum(losses).backward()
    optimizer.step()
    return [loss.item() for loss in losses]


# %%
@train_epoch_matches_reference.alternative("a closure")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train(True)

    def one_step(images, labels):
        def closure():
            model.zero_grad()
            value = loss_fn(model(images), labels)
            value.backward()
            return value

        return optimizer.step(closure).item()

    return [one_step(*batch) for batch in batches]


@train_epoch_matches_reference.alternative("gradients from torch.autograd.grad")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    parameters, collected = list(model.parameters()), []
    for inputs, targets in batches:
        value = loss_fn(model(inputs), targets)
        for parameter, slope in zip(
            parameters, torch.autograd.grad(value, parameters), strict=True
        ):
            parameter.grad = slope
        optimizer.step()
        collected.append(float(value.detach()))
    return collected


@train_epoch_matches_reference.alternative("zeros after each step, and before the first")
def train_epoch(model, optimizer, batches, loss_fn):
    model.train()
    model.zero_grad()
    collected = []
    for inputs, targets in batches:
        predictions = model(inputs)
        value = loss_fn(predictions, targets)
        value.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        collected.append(value.detach().numpy().item())
    return collected


# %% [markdown]
# ## 2.3 All that apply (4 points)
#
# Two questions, 2 points each. Give the letters of **all** changes that apply, as a text such as
# `"AE"`. There are no points for a part.
#
# **`changes_the_limit`.** Stochastic gradient descent starts at zero and minimises the squared
# errors of a linear model that has more weights than examples; the examples are linearly
# independent, and the run converges to an error of zero. Which changes can move the point to which
# it converges (while it still converges to an error of zero)?
#
# - A: heavy-ball momentum, with a velocity that starts at zero.
# - B: some examples are drawn ten times as often as others.
# - C: a random vector in place of zero to start from.
# - D: each step is multiplied by a fixed diagonal matrix whose entries are positive, but not equal.
# - E: half the learning rate.
# - F: one feature is measured in another unit, and its weight is converted back in the end.
#
# **`keeps_the_outputs`.** A convolutional layer with a bias is followed by batch normalisation in
# training mode, with $\varepsilon = 0$. A batch of 16 different images goes through both. Which
# changes leave the outputs as they are, for every image that is left?
#
# - A: a constant is added to the bias of each filter.
# - B: the weights and biases of all filters are multiplied by 3.
# - C: the weights and biases of all filters are multiplied by −1.
# - D: two images swap their places in the batch, and their outputs are swapped back.
# - E: the last image is taken out of the batch.
# - F: the scale $\gamma$ of the normalisation is doubled.

# %%
from reference.answers.exam import changes_the_limit, keeps_the_outputs


# %%
def letters_of(answer):
    """Return the letters of an answer in order, or nothing if it is no text or list of letters."""
    if isinstance(answer, (list, tuple)) and all(
        isinstance(item, str) and len(item.strip()) == 1 for item in answer
    ):
        answer = "".join(answer)
    return "".join(sorted(set(answer.upper()) - set(" ,;"))) if isinstance(answer, str) else ""


@check("all_that_apply", points=4, hint="Take the changes one by one, in the smallest example.")
@case("the limit", name="changes_the_limit", hidden=True)
@case("the outputs", name="keeps_the_outputs", hidden=True)
def all_that_apply_are_right(student, reference, rng, name):
    """All changes that apply are named, and no other."""
    answer = student[name]
    assert_equal(letters_of(answer) or answer, reference[name], what=name)


@check("all_that_apply", points=0)
@case("two texts")
def all_that_apply_have_the_right_form(student, reference, rng):
    """Both answers are texts of letters from A to F; whether they are right is found later."""
    for name in ("changes_the_limit", "keeps_the_outputs"):
        letters = letters_of(student[name])
        assert_that(letters != "" and set(letters) <= set("ABCDEF"), f'{name}: a text such as "AE"')


# %%
for title, letters in {
    "momentum leaves the span of the examples: its velocity is made of gradients": "ACDF",
    "frequent examples pull the limit: at an error of zero no gradient is left": "BCDF",
    "the start is forgotten: its part outside of the row space stays for ever": "DF",
    "a preconditioner changes the speed only: it changes the span of the steps too": "CF",
    "units do not matter: the shortest weights are others in another unit": "CD",
    "a smaller learning rate ends elsewhere: it stays in the same span": "CDEF",
    "every change matters": "ABCDEF",
    "only the start matters": "C",
}.items():
    all_that_apply_are_right.mistake(title, changes_the_limit=letters)
for title, letters in {
    "a bias before the normalisation counts: the mean takes it away": "BD",
    "the size of the weights counts: the deviation divides it out": "AD",
    "the sign is divided out: a deviation is never negative": "ABCD",
    "the place in the batch counts: mean and deviation know no order": "AB",
    "an image alone: in training mode all others enter mean and deviation": "ABDE",
    "the scale is normalised away: it acts after the normalisation": "ABDF",
    "nothing survives the normalisation": "ABCDEF",
}.items():
    all_that_apply_are_right.mistake(title, keeps_the_outputs=letters)
all_that_apply_are_right.alternative(
    "in another order, with commas",
    also=(all_that_apply_have_the_right_form,),
    changes_the_limit="f, c, d",
    keeps_the_outputs="B A D",
)
all_that_apply_are_right.alternative(
    "lists of letters",
    also=(all_that_apply_have_the_right_form,),
    changes_the_limit=list("CDF"),
    keeps_the_outputs=tuple("abd"),
)
all_that_apply_have_the_right_form.mistake("a list of booleans", changes_the_limit=[True, False])

# %% [markdown]
# # 3. Attention

# %% [markdown]
# ## 3.1 Who looks at whom (6 points)
#
# Each word of a sentence is a one-hot vector, so two words have the product 1 if they are the same
# and 0 if not. Queries and keys are these vectors; the score of two positions is
# $s \cdot \langle x_i, x_j \rangle$ with the *sharpness* $s$, and row $i$ of the attention grid
# is the softmax of the scores of position $i$. In a causal grid no position attends to a later
# one. Texts have to agree letter by letter: `This` is not `this`.
#
# For *this exam is a midterm exam* the products are
#
# | | this | exam | is | a | midterm | exam |
# |---|---|---|---|---|---|---|
# | **this** | 1 | | | | | |
# | **exam** | | 1 | | | | 1 |
# | **is** | | | 1 | | | |
# | **a** | | | | 1 | | |
# | **midterm** | | | | | 1 | |
# | **exam** | | 1 | | | | 1 |
#
# Write a function that returns the grid. It has to work for any sharpness, $s = 2000$ among them.

# %%
from reference.attention import attention_grid

# %%
WORDS = ["this", "This", "exam", "is", "a", "midterm"]


@check(
    "attention_grid",
    points=6,
    pure=True,
    hint="Mask before the softmax; subtract each row's largest score.",
)
@case("everything in sight", sharpness=1.3)
@case("only what came before", sharpness=1.3, causal=True)
@case("very sharp", sharpness=2000.0, hidden=True)
@case("very sharp and causal", sharpness=2000.0, causal=True, hidden=True)
@case("attracted by what differs", sharpness=-1.7, causal=True, hidden=True)
@case("repelled strongly by itself", sharpness=-2000.0, causal=True, hidden=True)
def attention_grid_matches_reference(student, reference, rng, sharpness, **causal):
    """attention_grid has the right weights for sentences in which words come back."""
    for length in (7, 8, 9):
        words = [str(word) for word in rng.permutation(WORDS + WORDS[::2])[:length]]
        got = student.attention_grid(words, sharpness, **causal)
        want = reference.attention_grid(words, sharpness, **causal)
        assert_close(got, want, what="weights")


self_check(attention_grid_matches_reference)


# %%
def grid_of_scores(words, sharpness, causal, hidden=-np.inf):
    """Return the scores for the variants below, with `hidden` where a word may not look."""
    scores = sharpness * np.array([[float(a == b) for b in words] for a in words])
    if causal:
        scores[np.triu_indices(len(words), 1)] = hidden
    return scores


def softmax(scores, axis=-1):
    """Return the softmax along an axis."""
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


@attention_grid_matches_reference.mistake(
    "the exponential overflows: subtract the largest score of the row first"
)
def attention_grid(words, sharpness, causal=False):
    with np.errstate(all="ignore"):
        weights = np.exp(grid_of_scores(words, sharpness, causal))
        return weights / weights.sum(axis=1, keepdims=True)


@attention_grid_matches_reference.mistake("the columns sum to one, not the rows")
def attention_grid(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness, causal), axis=0)


@attention_grid_matches_reference.mistake("one softmax over the whole grid, not one for each row")
def attention_grid(words, sharpness, causal=False):
    weights = softmax(grid_of_scores(words, sharpness, causal).ravel())
    return weights.reshape(len(words), -1)


@attention_grid_matches_reference.mistake(
    "masked after the softmax: the rows do not sum to one any more"
)
def attention_grid(words, sharpness, causal=False):
    weights = softmax(grid_of_scores(words, sharpness, False))
    return np.tril(weights) if causal else weights


@attention_grid_matches_reference.mistake("a score of zero is no mask: its exponential is one")
def attention_grid(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness, causal, hidden=0.0))


@attention_grid_matches_reference.mistake("causal the wrong way round: only later words are seen")
def attention_grid(words, sharpness, causal=False):
    scores = grid_of_scores(words, sharpness, False)
    if causal:
        scores[np.tril_indices(len(words), -1)] = -np.inf
    return softmax(scores)


@attention_grid_matches_reference.mistake("a word does not see itself")
def attention_grid(words, sharpness, causal=False):
    scores = grid_of_scores(words, sharpness, causal)
    scores[range(1, len(words)), range(1, len(words))] = -np.inf
    return softmax(scores)


@attention_grid_matches_reference.mistake("causal or not is not asked: later words are always seen")
def attention_grid(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness, False))


@attention_grid_matches_reference.mistake("causal although nobody asked for it")
def attention_grid(words, sharpness, causal=True):
    return softmax(grid_of_scores(words, sharpness, True))


@attention_grid_matches_reference.mistake("a word that comes back is taken for another word")
def attention_grid(words, sharpness, causal=False):
    return softmax(grid_of_scores([str(place) for place in range(len(words))], sharpness, causal))


@attention_grid_matches_reference.mistake("capital letters are ignored")
def attention_grid(words, sharpness, causal=False):
    return softmax(grid_of_scores([word.lower() for word in words], sharpness, causal))


@attention_grid_matches_reference.mistake("the scores are divided by the root of a dimension")
def attention_grid(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness / len(set(words)) ** 0.5, causal))


@attention_grid_matches_reference.mistake("the sharpness is not used")
def attention_grid(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, 1.0, causal))


@attention_grid_matches_reference.mistake("shares of equal words, without a softmax")
def attention_grid(words, sharpness, causal=False):
    scores = grid_of_scores(words, 1.0, causal, hidden=0.0)
    return scores / scores.sum(axis=1, keepdims=True)


@attention_grid_matches_reference.mistake("different words get a negative score: theirs is zero")
def attention_grid(words, sharpness, causal=False):
    scores = 2 * grid_of_scores(words, sharpness, False) - sharpness
    if causal:
        scores[np.triu_indices(len(words), 1)] = -np.inf
    return softmax(scores)


@attention_grid_matches_reference.mistake("the scores, before the softmax")
def attention_grid(words, sharpness, causal=False):
    return grid_of_scores(words, sharpness, causal, hidden=0.0)


@attention_grid_matches_reference.mistake("the mask is too weak for a large sharpness")
def attention_grid(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness, causal, hidden=-1000.0))


# %%
@attention_grid_matches_reference.alternative("torch's attention on one-hot vectors")
def attention_grid(words, sharpness, causal=False):
    vocabulary = sorted(set(words))
    X = torch.eye(len(vocabulary)).double()[[vocabulary.index(word) for word in words]]
    return torch.nn.functional.scaled_dot_product_attention(
        X[None], X[None], torch.eye(len(words)).double()[None], is_causal=causal, scale=sharpness
    )[0].numpy()


@attention_grid_matches_reference.alternative("word by word, by counting")
def attention_grid(words, sharpness, causal=False):
    grid = []
    for i, word in enumerate(words):
        seen = words[: i + 1] if causal else words
        weight = np.exp(-abs(sharpness))  # of the kind that is looked at less
        like, unlike = (1.0, weight) if sharpness > 0 else (weight, 1.0)
        if sharpness < 0 and all(other == word for other in seen):
            like = 1.0
        row = [like if other == word else unlike for other in seen]
        grid.append([w / sum(row) for w in row] + [0.0] * (len(words) - len(row)))
    return grid


@attention_grid_matches_reference.alternative("by way of the logarithm of the sum")
def attention_grid(words, sharpness, causal=False):
    words = np.array(words)
    scores = np.where(words[:, None] == words, sharpness, 0.0)
    if causal:
        scores = scores + np.triu(np.full((len(words),) * 2, -1e9), 1)
    return np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))


# %% [markdown]
# ## 3.2 Three weights (3 points)
#
# The sentence is *this exam is a midterm exam*, with positions 1 to 6. The scores are as in
# Question 3.1: two equal words have the score $s$, two different ones 0, and the weights are the
# softmax. Now $s = \ln 3$. Give, as exact numbers (there are points only if all are right),
#
# - `weight_exam`: the weight with which position 6 attends to position 2, if it sees all words;
# - `weight_midterm`: the weight with which position 5 attends to itself, if it sees all words;
# - `weight_is`: the weight with which position 3 attends to position 1 in a causal grid.

# %%
from reference.answers.exam import weight_exam, weight_is, weight_midterm


# %%
@check("three_weights", points=3, hint="The exponential of the sharpness is 3, and that of 0 is 1.")
@case("three numbers", hidden=True)
def weights_are_right(student, reference, rng):
    """The three weights are right."""
    for name in ("weight_exam", "weight_midterm", "weight_is"):
        # Three decimals are enough.
        assert_close(student[name], reference[name], rtol=0, atol=5e-4, what=name)


@check("three_weights", points=0)
@case("numbers between 0 and 1")
def weights_have_the_right_form(student, reference, rng):
    """Each answer is a number between 0 and 1; whether it is right is found when grading."""
    for name in ("weight_exam", "weight_midterm", "weight_is"):
        assert_shape(student[name], (), what=name)
        assert_that(0 <= as_array(student[name]) <= 1, f"{name}: a weight is between 0 and 1")


# %%
weights_are_right.mistake(
    "the word at position 2 gets all the weight that both positions share", weight_exam=0.6
)
weights_are_right.mistake("only equal words are counted", weight_exam=0.5)
weights_are_right.mistake("the word at position 2 is the same word as at 6", weight_exam=1 / 8)
weights_are_right.mistake("only one word of the two is seen", weight_exam=3 / 8)
weights_are_right.mistake("different words count nothing", weight_midterm=1.0)
weights_are_right.mistake("the score itself, without its exponential", weight_midterm=0.1802)
weights_are_right.mistake("one word too few in the sum", weight_midterm=3 / 7)
weights_are_right.mistake("later words are seen as well", weight_is=1 / 8)
weights_are_right.mistake("a word does not see itself in its own sum", weight_is=1 / 2)
weights_are_right.mistake("the weight of the word itself", weight_is=3 / 5)
weights_are_right.mistake("shares of the positions, all alike", weight_is=1 / 3)
weights_are_right.alternative(
    "three decimals",
    also=(weights_have_the_right_form,),
    weight_exam=0.3,
    weight_midterm=0.375,
    weight_is=np.float64(0.2),
)
SENTENCE = ["this", "exam", "is", "a", "midterm", "exam"]
weights_are_right.alternative(
    "computed by the function",
    also=(weights_have_the_right_form,),
    weight_exam=attention_grid(SENTENCE, np.log(3))[5, 1],
    weight_midterm=attention_grid(SENTENCE, np.log(3))[4, 4],
    weight_is=attention_grid(SENTENCE, np.log(3), True)[2, 0],
)
weights_have_the_right_form.mistake("a percentage", weight_exam=30)

# %% [markdown]
# # 4. Where stochastic gradient descent ends
#
# In Parts 4 and 5 the model is linear, and the loss of example $i$ is
# $f_i(\theta) = (y_i - x_i^\top \theta)^2$, **without** a factor $\frac12$. The examples are the
# rows of $X \in \mathbb R^{n \times d}$. Gradient descent starts at $\theta_0 = 0$ and makes the
# steps
#
# $$\theta_{t+1} = \theta_t - \alpha_t\, M_t \nabla f_{i(t)}(\theta_t) .$$
#
# The checks draw their examples as follows, so that no system of equations is nearly singular.


# %%
def draw_examples(rng, n, d):
    """Return an (n, d) matrix of full rank with moderate singular values."""
    u, _, v = np.linalg.svd(rng.normal(size=(n, d)), full_matrices=False)
    return u * rng.uniform(0.6, 1.8, size=min(n, d)) @ v


# %% [markdown]
# ## 4.1 One example (5 points)
#
# There is one example only, $x = (1,\; 0.1,\; 0.01)$ with the target $y = 1$, and the steps are
# such that the run converges. Give the limit $\theta$, exactly or with four digits,
#
# - `limit_plain` (1 point): for $M_t = I$, which is plain stochastic gradient descent;
# - `limit_rms` (2 points): for the diagonal matrix $M_t$ with one over the root mean square of each
#   coordinate's gradient (the mean is over the examples, here one);
# - `limit_rescaled` (2 points): if each feature is first divided by its size, so that the example
#   becomes $(1, 1, 1)$, plain gradient descent is run on that, and its limit is turned back into
#   weights of the features as they were.

# %%
from reference.answers.exam import limit_plain, limit_rescaled, limit_rms


# %%
@check("one_example", points=1, hint="A multiple of the example that fits the target.")
@case("three numbers", hidden=True)
def limit_plain_is_right(student, reference, rng):
    """limit_plain is where plain gradient descent ends."""
    # Four digits are enough.
    assert_close(student.limit_plain, reference.limit_plain, rtol=2e-4, atol=0, what="limit_plain")


@check("one_example", points=2, hint="Which direction have the steps? Then fit the target.")
@case("three numbers", hidden=True)
def limit_rms_is_right(student, reference, rng):
    """limit_rms is where the run ends whose coordinates are divided by their root mean squares."""
    # Four digits are enough.
    assert_close(student.limit_rms, reference.limit_rms, rtol=2e-4, atol=0, what="limit_rms")


@check("one_example", points=2, hint="The product of your weights with the example has to be 1.")
@case("three numbers", hidden=True)
def limit_rescaled_is_right(student, reference, rng):
    """limit_rescaled is where the run on rescaled features ends, which fits the target."""
    got, want = student.limit_rescaled, reference.limit_rescaled
    # Four digits are enough.
    assert_close(got, want, rtol=2e-4, atol=0, what="limit_rescaled")


@check("one_example", points=0)
@case("three vectors")
def limits_have_the_right_form(student, reference, rng):
    """Each answer is an array of three numbers; whether they are right is found when grading."""
    for name in ("limit_plain", "limit_rms", "limit_rescaled"):
        assert_shape(student[name], (3,), what=name)


# %%
x = np.array([1, 0.1, 0.01])
for title, value in {
    "the example itself: its product with itself is not 1": x,
    "divided by the length of the example, not by its square": x / np.sqrt(1.0101),
    "a solution, but not a multiple of the example": np.array([1.0, 0, 0]),
    "the sum of the entries, not of their squares": x / 1.11,
    "all weights alike": np.full(3, 1 / 1.11),
    "on its way only: more steps are needed": 0.9 * x / 1.0101,
    "a start at ones: what is orthogonal to the example stays": 1 - 0.11 * x / 1.0101,
}.items():
    limit_plain_is_right.mistake(title, limit_plain=value)
for title, value in {
    "the minimum norm solution: the diagonal matrix turns the steps": x / 1.0101,
    "all weights alike, but the target is not fitted": np.ones(3),
    "a third each: the product with the example is not 1": np.full(3, 1 / 3),
    "the root of the size in place of the size: square before the root": np.sqrt(x)
    / np.sum(x**1.5),
    "divided by the mean square: its root is missing": np.array([1, 10, 100]) / 3,
    "multiplied by the root mean square: it divides": x**2 / np.sum(x**3),
}.items():
    limit_rms_is_right.mistake(title, limit_rms=value)
for title, value in {
    "one more factor than the feature was divided by": np.array([1, 100, 1000]) / 3,
    "not turned back: these are weights of the new features": np.full(3, 1 / 3),
    "turned back the wrong way: the weights are divided, as the features were": x / 3,
    "the minimum norm solution of the old features": x / 1.0101,
    "turned back, but not divided among three": np.array([1.0, 10, 100]),
    "turned back twice": np.array([1, 100, 10000]) / 3,
}.items():
    limit_rescaled_is_right.mistake(title, limit_rescaled=value)
limit_plain_is_right.alternative(
    "four digits, as lists",
    also=(limit_rms_is_right, limit_rescaled_is_right, limits_have_the_right_form),
    limit_plain=[0.9900, 0.09900, 0.009900],
    limit_rms=(0.9009, 0.9009, 0.9009),
    limit_rescaled=[0.3333, 3.333, 33.33],
)
limit_plain_is_right.alternative(
    "from pseudoinverses",
    also=(limit_rms_is_right, limit_rescaled_is_right, limits_have_the_right_form),
    limit_plain=np.linalg.pinv(x[None])[:, 0],
    limit_rms=torch.tensor(np.linalg.pinv(np.sqrt(x)[None])[:, 0] / np.sqrt(x)),
    limit_rescaled=np.linalg.pinv((x / x)[None])[:, 0] / x,
)
limits_have_the_right_form.mistake("the first weight only", limit_plain=0.99)
del x

# %% [markdown]
# ## 4.2 Root mean squares (2 points)
#
# Write a function that computes the diagonal of $M$ from all examples at one $\theta$: one over the
# root of the mean of the squared gradients, for each coordinate.

# %%
from reference.sgd_convergence import rms_preconditioner


# %%
@check(
    "rms_preconditioner", points=2, pure=True, hint="Square, mean over the examples, root, inverse."
)
@case("five examples", n=5, d=3)
@case("more weights than examples", n=4, d=7, hidden=True)
@case("large residuals", n=6, d=2, size=1e4, hidden=True)
@case("tiny residuals", n=3, d=5, size=1e-4, hidden=True)
def rms_preconditioner_matches_reference(student, reference, rng, n, d, size=1.0):
    """rms_preconditioner is one over the root mean square of each coordinate's gradients."""
    X, y, theta = rng.normal(size=(n, d)), size * rng.normal(size=n), size * rng.normal(size=d)
    got = student.rms_preconditioner(X, y, theta)
    # Values far from 1 are compared relative to their size.
    want = reference.rms_preconditioner(X, y, theta)
    assert_close(got, want, rtol=1e-7, atol=0, what="diagonal of M")


self_check(rms_preconditioner_matches_reference)


# %%
def gradients_of(X, y, theta):
    """Return the gradient of each example's loss, one in each row, for the variants below."""
    return -2 * (y - X @ theta)[:, None] * X


@rms_preconditioner_matches_reference.mistake("the factor 2 of the gradient is missing")
def rms_preconditioner(X, y, theta):
    return 2 / np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=0))


@rms_preconditioner_matches_reference.mistake("the root is missing")
def rms_preconditioner(X, y, theta):
    return 1 / np.mean(gradients_of(X, y, theta) ** 2, axis=0)


@rms_preconditioner_matches_reference.mistake("the root mean square, not one over it")
def rms_preconditioner(X, y, theta):
    return np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=0))


@rms_preconditioner_matches_reference.mistake("the root of the root mean square")
def rms_preconditioner(X, y, theta):
    return np.mean(gradients_of(X, y, theta) ** 2, axis=0) ** -0.25


@rms_preconditioner_matches_reference.mistake("the sum of the squares, not their mean")
def rms_preconditioner(X, y, theta):
    return 1 / np.sqrt(np.sum(gradients_of(X, y, theta) ** 2, axis=0))


@rms_preconditioner_matches_reference.mistake("the mean is squared, not the squares averaged")
def rms_preconditioner(X, y, theta):
    return 1 / np.abs(np.mean(gradients_of(X, y, theta), axis=0))


@rms_preconditioner_matches_reference.mistake(
    "the mean size of the gradients, not the root mean square"
)
def rms_preconditioner(X, y, theta):
    return 1 / np.mean(np.abs(gradients_of(X, y, theta)), axis=0)


@rms_preconditioner_matches_reference.mistake("the standard deviation: the mean is not taken off")
def rms_preconditioner(X, y, theta):
    return 1 / np.std(gradients_of(X, y, theta), axis=0)


@rms_preconditioner_matches_reference.mistake(
    "the mean over the coordinates, not over the examples"
)
def rms_preconditioner(X, y, theta):
    return 1 / np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=1))


@rms_preconditioner_matches_reference.mistake("one number for all coordinates")
def rms_preconditioner(X, y, theta):
    return np.full(len(theta), 1 / np.sqrt(np.mean(gradients_of(X, y, theta) ** 2)))


@rms_preconditioner_matches_reference.mistake("divided by n - 1, not by n")
def rms_preconditioner(X, y, theta):
    return np.sqrt((len(y) - 1) / np.sum(gradients_of(X, y, theta) ** 2, axis=0))


@rms_preconditioner_matches_reference.mistake("a small number is added to the divisor")
def rms_preconditioner(X, y, theta):
    return 1 / (np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=0)) + 1e-8)


@rms_preconditioner_matches_reference.mistake("the gradient at zero, not at theta")
def rms_preconditioner(X, y, theta):
    return 1 / np.sqrt(np.mean(gradients_of(X, y, 0 * theta) ** 2, axis=0))


@rms_preconditioner_matches_reference.mistake("the whole matrix, not its diagonal")
def rms_preconditioner(X, y, theta):
    return np.diag(1 / np.sqrt(np.mean(gradients_of(X, y, theta) ** 2, axis=0)))


# %%
@rms_preconditioner_matches_reference.alternative("example by example")
def rms_preconditioner(X, y, theta):
    total = np.zeros(X.shape[1])
    for x, target in zip(X, y, strict=True):
        total += (2 * (x @ theta - target) * x) ** 2
    return (len(y) / total) ** 0.5


@rms_preconditioner_matches_reference.alternative("torch differentiates each loss")
def rms_preconditioner(X, y, theta):
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    slopes = torch.autograd.functional.jacobian(
        lambda weights: (y - X @ weights) ** 2, torch.from_numpy(theta)
    )
    return slopes.pow(2).mean(0).rsqrt()


# %% [markdown]
# ## 4.3 A fixed diagonal matrix (4 points)
#
# Let $M$ be a diagonal matrix with positive entries that never changes, $n < d$, and the rows of
# $X$ linearly independent. The run starts at zero and converges to weights that fit every target.
# To which? Write a function that returns them.

# %%
from reference.sgd_convergence import preconditioned_limit


# %%
@check("preconditioned_limit", points=2, pure=True, hint="The steps span a space: which, with M?")
@case("two examples", n=2, d=5)
@case("four examples", n=4, d=9, hidden=True)
@case("one example", n=1, d=3, hidden=True)
def preconditioned_limit_matches_reference(student, reference, rng, n, d):
    """preconditioned_limit returns the weights to which the run converges."""
    X, y, m = draw_examples(rng, n, d), rng.normal(size=n), rng.uniform(0.3, 3.0, size=d)
    got = student.preconditioned_limit(X, y, m)
    assert_close(got, reference.preconditioned_limit(X, y, m), what="limit")


self_check(preconditioned_limit_matches_reference)


# %%
@check(
    "preconditioned_limit",
    points=2,
    pure=True,
    hint="Divided by the diagonal of M, the limit is a combination of the examples; and it fits.",
)
@case("three examples, half as many as weights", n=3, d=6, hidden=True)
@case("nearly as many examples as weights", n=4, d=5, hidden=True)
def preconditioned_limit_fits_and_is_reached(student, reference, rng, n, d):
    """The limit fits every target, and gradient steps through M can reach it from zero."""
    X, y, m = draw_examples(rng, n, d), rng.normal(size=n), rng.uniform(0.3, 3.0, size=d)
    got = student.preconditioned_limit(X, y, m)
    assert_shape(got, (d,), what="limit")
    assert_close(X @ as_array(got), y, what="predictions")
    outside = np.linalg.svd(X)[2][n:]  # orthogonal to all examples
    assert_close(outside @ (as_array(got) / m), np.zeros(d - n), what="the part out of reach")


# %%
BOTH_LIMITS = (preconditioned_limit_fits_and_is_reached,)


@preconditioned_limit_matches_reference.mistake(
    "the minimum norm solution: M changes the directions of the steps", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    return X.T @ np.linalg.solve(X @ X.T, y)


@preconditioned_limit_matches_reference.mistake(
    "the minimum norm solution multiplied by M: it does not fit any more", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    return m * (X.T @ np.linalg.solve(X @ X.T, y))


@preconditioned_limit_matches_reference.mistake(
    "M inside only: the steps themselves are multiplied by it", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    return X.T @ np.linalg.solve(X * m @ X.T, y)


@preconditioned_limit_matches_reference.mistake(
    "M twice: it comes once in the steps and once in the fit", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    return (X * m**2).T @ np.linalg.solve(X * m**2 @ X.T, y)


@preconditioned_limit_matches_reference.mistake("M turned around", also=BOTH_LIMITS)
def preconditioned_limit(X, y, m):
    return (X / m).T @ np.linalg.solve(X / m @ X.T, y)


@preconditioned_limit_matches_reference.mistake("the root of M", also=BOTH_LIMITS)
def preconditioned_limit(X, y, m):
    root = np.sqrt(m)
    return (X * root).T @ np.linalg.solve(X * root @ X.T, y)


@preconditioned_limit_matches_reference.mistake(
    "shortest in the new coordinates, but not turned back", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    return np.linalg.pinv(X * np.sqrt(m)) @ y


@preconditioned_limit_matches_reference.mistake(
    "the normal equations: their matrix is singular for n < d", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    return np.linalg.solve((X * m).T @ X, (X * m).T @ y)


@preconditioned_limit_matches_reference.mistake(
    "a ridge term for a matrix that needs none", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    return (X * m).T @ np.linalg.solve(X * m @ X.T + 1e-3 * np.eye(len(y)), y)


@preconditioned_limit_matches_reference.mistake(
    "a start at ones: a part of it is never unlearned", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    start = np.ones(X.shape[1])
    return start + (X * m).T @ np.linalg.solve(X * m @ X.T, y - X @ start)


@preconditioned_limit_matches_reference.mistake("too few steps", also=BOTH_LIMITS)
def preconditioned_limit(X, y, m):
    theta, lr = np.zeros(X.shape[1]), 0.3 / np.linalg.norm(X * np.sqrt(m)) ** 2
    for _ in range(8):
        theta = theta - lr * m * (2 * X.T @ (X @ theta - y))
    return theta


# %%
@preconditioned_limit_matches_reference.alternative(
    "the minimum norm solution in other coordinates", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    root = np.sqrt(m)
    return root * (np.linalg.pinv(X * root) @ y)


@preconditioned_limit_matches_reference.alternative(
    "the smallest of all weighted lengths, by Lagrange's equations", also=BOTH_LIMITS
)
def preconditioned_limit(X, y, m):
    n, d = X.shape
    system = np.block([[np.diag(1 / m), X.T], [X, np.zeros((n, n))]])
    return np.linalg.solve(system, np.concatenate([np.zeros(d), y]))[:d]


@preconditioned_limit_matches_reference.alternative("a run that is long enough", also=BOTH_LIMITS)
def preconditioned_limit(X, y, m):
    theta, lr = np.zeros(X.shape[1]), 0.9 / np.linalg.norm(X * np.sqrt(m), 2) ** 2
    while np.abs(residuals := X @ theta - y).max() > 1e-12:
        theta = theta - lr * m * (X.T @ residuals)
    return theta


@preconditioned_limit_matches_reference.alternative("torch's solver", also=BOTH_LIMITS)
def preconditioned_limit(X, y, m):
    X, y, M = torch.from_numpy(X), torch.from_numpy(y), torch.diag(torch.from_numpy(m))
    return M @ X.T @ (torch.linalg.inv(X @ M @ X.T) @ y)


# %% [markdown]
# ## 4.4 Rescaled features (3 points)
#
# Divide each feature by its own positive scale, take the minimum norm solution for the new
# features ($n < d$, rows independent), and turn it back into weights of the old features: with
# them the model predicts the same as before. Write a function that returns these weights.

# %%
from reference.sgd_convergence import rescaled_minimum_norm


# %%
@check(
    "rescaled_minimum_norm",
    points=3,
    pure=True,
    hint="Old weights times old features equal new weights times new features, one by one.",
)
@case("two examples", n=2, d=4)
@case("three examples", n=3, d=8, hidden=True)
@case("one example divided by itself", n=1, d=3, by_itself=True, hidden=True)
def rescaled_minimum_norm_matches_reference(student, reference, rng, n, d, by_itself=False):
    """The weights fit every target, and are those of the shortest solution after rescaling."""
    X, y, scale = draw_examples(rng, n, d), rng.normal(size=n), rng.uniform(0.3, 3.0, size=d)
    if by_itself:
        X = scale[None]
    got = student.rescaled_minimum_norm(X, y, scale)
    assert_shape(got, (d,), what="weights")
    assert_close(X @ as_array(got), y, what="predictions")
    assert_close(got, reference.rescaled_minimum_norm(X, y, scale), what="weights")


self_check(rescaled_minimum_norm_matches_reference)


# %%
@rescaled_minimum_norm_matches_reference.mistake(
    "turned back the wrong way: divide by the scale again"
)
def rescaled_minimum_norm(X, y, scale):
    return np.linalg.pinv(X / scale) @ y * scale


@rescaled_minimum_norm_matches_reference.mistake("turned back too far, by one factor too many")
def rescaled_minimum_norm(X, y, scale):
    return np.linalg.pinv(X / scale) @ y / scale**2


@rescaled_minimum_norm_matches_reference.mistake("not turned back: these weigh the new features")
def rescaled_minimum_norm(X, y, scale):
    return np.linalg.pinv(X / scale) @ y


@rescaled_minimum_norm_matches_reference.mistake("the scale is not used")
def rescaled_minimum_norm(X, y, scale):
    return np.linalg.pinv(X) @ y


@rescaled_minimum_norm_matches_reference.mistake("the features are multiplied, not divided")
def rescaled_minimum_norm(X, y, scale):
    return np.linalg.pinv(X * scale) @ y * scale


@rescaled_minimum_norm_matches_reference.mistake("the roots of the scales")
def rescaled_minimum_norm(X, y, scale):
    return np.linalg.pinv(X / np.sqrt(scale)) @ y / np.sqrt(scale)


@rescaled_minimum_norm_matches_reference.mistake("the normal equations of a singular matrix")
def rescaled_minimum_norm(X, y, scale):
    Z = X / scale
    return np.linalg.solve(Z.T @ Z, Z.T @ y) / scale


@rescaled_minimum_norm_matches_reference.mistake("a ridge term: the targets are missed by a little")
def rescaled_minimum_norm(X, y, scale):
    Z = X / scale
    return np.linalg.solve(Z.T @ Z + 1e-4 * np.eye(len(scale)), Z.T @ y) / scale


@rescaled_minimum_norm_matches_reference.mistake("the wrong matrix is inverted: it is d by d")
def rescaled_minimum_norm(X, y, scale):
    Z = X / scale
    return Z.T @ np.linalg.inv(Z.T @ Z) @ y / scale


# %%
@rescaled_minimum_norm_matches_reference.alternative("the pseudoinverse")
def rescaled_minimum_norm(X, y, scale):
    return np.linalg.pinv(X / scale) @ y / scale


@rescaled_minimum_norm_matches_reference.alternative("as the limit of preconditioned steps")
def rescaled_minimum_norm(X, y, scale):
    return preconditioned_limit(X, y, 1 / scale**2)


@rescaled_minimum_norm_matches_reference.alternative("a least squares routine, and matrices")
def rescaled_minimum_norm(X, y, scale):
    D = torch.diag(1 / torch.from_numpy(scale))
    Z = torch.from_numpy(X) @ D
    return D @ torch.linalg.lstsq(Z, torch.from_numpy(y)[:, None], driver="gelsd").solution[:, 0]


# %% [markdown]
# ## 4.5 Examples that are drawn more often (5 points)
#
# Stochastic gradient descent draws example $i$ with probability $p_i > 0$, with
# $\sum_i p_i = 1$. The matrix $M$ is the identity again, and the learning rate is constant.
#
# - `sampled_limit` (3 points): $n < d$, rows linearly independent. To which weights must the run
#   converge from $\theta_0 = 0$, if it converges?
# - `stationary_point` (2 points): $n > d$, columns linearly independent, and no weights fit all
#   targets. At which weights is the *expected* step zero?

# %%
from reference.sgd_convergence import sampled_limit


# %%
@check("sampled_limit", points=3, pure=True, hint="What is true of every example at the limit?")
@case("two examples", n=2, d=5)
@case("four examples", n=4, d=7, hidden=True)
@case("one of them hardly ever", n=3, d=6, rare=True, hidden=True)
def sampled_limit_matches_reference(student, reference, rng, n, d, rare=False):
    """sampled_limit returns the weights to which the run must converge."""
    X, y, p = draw_examples(rng, n, d), rng.normal(size=n), rng.uniform(0.5, 2.0, size=n)
    p[0] *= 1e-3 if rare else 1.0
    got = student.sampled_limit(X, y, p / p.sum())
    assert_close(got, reference.sampled_limit(X, y, p / p.sum()), what="limit")


self_check(sampled_limit_matches_reference)


# %%
from reference.sgd_convergence import stationary_point


# %%
@check(
    "sampled_limit", points=2, pure=True, hint="Write the expected gradient as a sum with weights."
)
@case("five examples", n=5, d=2)
@case("nine examples", n=9, d=4, hidden=True)
def stationary_point_matches_reference(student, reference, rng, n, d):
    """stationary_point returns the weights at which the expected step is zero."""
    X, y, p = draw_examples(rng, n, d), rng.normal(size=n), rng.uniform(0.2, 2.0, size=n)
    got = student.stationary_point(X, y, p / p.sum())
    assert_close(got, reference.stationary_point(X, y, p / p.sum()), what="point")


self_check(stationary_point_matches_reference)


# %%
@sampled_limit_matches_reference.mistake(
    "the targets are weighted: a limit that fits needs no weights"
)
def sampled_limit(X, y, p):
    return X.T @ np.linalg.solve(X @ X.T, p * y)


@sampled_limit_matches_reference.mistake("weighted by n p, so that equal shares change nothing")
def sampled_limit(X, y, p):
    return X.T @ np.linalg.solve(X @ X.T, len(p) * p * y)


@sampled_limit_matches_reference.mistake("the coefficients of the examples are weighted")
def sampled_limit(X, y, p):
    return X.T @ (p * np.linalg.solve(X @ X.T, y))


@sampled_limit_matches_reference.mistake("the examples are weighted, and the targets are not")
def sampled_limit(X, y, p):
    return np.linalg.pinv(np.sqrt(p)[:, None] * X) @ y


@sampled_limit_matches_reference.mistake("the mean of what each example alone would lead to")
def sampled_limit(X, y, p):
    return X.T @ (p * y / np.sum(X**2, axis=1))


@sampled_limit_matches_reference.mistake("weighted normal equations, whose matrix is singular")
def sampled_limit(X, y, p):
    return np.linalg.solve((X.T * p) @ X, (X.T * p) @ y)


@sampled_limit_matches_reference.mistake("the inverse of a singular matrix")
def sampled_limit(X, y, p):
    return X.T @ np.linalg.inv(X.T @ X) @ y


@sampled_limit_matches_reference.mistake("weighted ridge regression: the weights matter only there")
def sampled_limit(X, y, p):
    return np.linalg.solve((X.T * p) @ X + 1e-4 * np.eye(X.shape[1]), (X.T * p) @ y)


@sampled_limit_matches_reference.mistake(
    "a run that is too short: rare examples are not learned yet"
)
def sampled_limit(X, y, p):
    theta, lr = np.zeros(X.shape[1]), 0.25 / np.linalg.norm(X) ** 2
    for _ in range(60):
        theta = theta + 2 * lr * (X.T * p) @ (y - X @ theta)
    return theta


@sampled_limit_matches_reference.mistake("a random start: it stays in part")
def sampled_limit(X, y, p):
    start = np.random.default_rng(1).normal(size=X.shape[1])
    return start + np.linalg.pinv(X) @ (y - X @ start)


@stationary_point_matches_reference.mistake("without the probabilities: ordinary least squares")
def stationary_point(X, y, p):
    return np.linalg.lstsq(X, y)[0]


@stationary_point_matches_reference.mistake("the probabilities are missing on the right-hand side")
def stationary_point(X, y, p):
    return np.linalg.solve((X.T * p) @ X, X.T @ y)


@stationary_point_matches_reference.mistake("the probabilities are missing in the matrix")
def stationary_point(X, y, p):
    return np.linalg.solve(X.T @ X, (X.T * p) @ y)


@stationary_point_matches_reference.mistake("the probabilities are squared")
def stationary_point(X, y, p):
    return np.linalg.lstsq(X * p[:, None], y * p)[0]


@stationary_point_matches_reference.mistake("one over the probabilities: rare examples count more")
def stationary_point(X, y, p):
    return np.linalg.solve((X.T / p) @ X, (X.T / p) @ y)


@stationary_point_matches_reference.mistake("the formula for n < d: its matrix is singular here")
def stationary_point(X, y, p):
    return X.T @ np.linalg.solve(X @ X.T, y)


@stationary_point_matches_reference.mistake("the sign: the residuals do not cancel")
def stationary_point(X, y, p):
    return -np.linalg.solve((X.T * p) @ X, (X.T * p) @ y)


# %%
@sampled_limit_matches_reference.alternative("weighted on both sides, and shortest")
def sampled_limit(X, y, p):
    root = np.sqrt(p)
    return np.linalg.pinv(root[:, None] * X) @ (root * y)


@sampled_limit_matches_reference.alternative("a least squares routine")
def sampled_limit(X, y, p):
    return np.linalg.lstsq(X, y)[0]


@sampled_limit_matches_reference.alternative(
    "one example after the other, each with what is new in it"
)
def sampled_limit(X, y, p):
    theta, directions = torch.zeros(X.shape[1]).double(), []
    for x, target in zip(torch.from_numpy(X), torch.from_numpy(y), strict=True):
        new = x.clone()
        for _ in range(2):  # twice against rounding
            for u in directions:
                new = new - (u @ new) * u
        directions.append(new / new.norm())
        theta = theta + (target - x @ theta) / (x @ directions[-1]) * directions[-1]
    return theta


@sampled_limit_matches_reference.alternative("a run through the examples in turn")
def sampled_limit(X, y, p):
    theta, lr = np.zeros(X.shape[1]), 0.5 / np.max(np.sum(X**2, axis=1))
    while np.abs(X @ theta - y).max() > 1e-12:
        for x, target in zip(X, y, strict=True):
            theta = theta + 2 * lr * (target - x @ theta) * x
    return theta


@stationary_point_matches_reference.alternative("a least squares routine with weighted rows")
def stationary_point(X, y, p):
    return np.linalg.lstsq(X * np.sqrt(p)[:, None], y * np.sqrt(p))[0]


@stationary_point_matches_reference.alternative("sums over the examples, and an inverse")
def stationary_point(X, y, p):
    X, y, p = (torch.from_numpy(a) for a in (X, y, p))
    matrix = sum(w * torch.outer(x, x) for w, x in zip(p, X, strict=True))
    vector = sum(w * t * x for w, t, x in zip(p, y, X, strict=True))
    return torch.linalg.inv(matrix) @ vector


# %% [markdown]
# ## 4.6 Proof: the limit (5 points)
#
# In the setting of `sampled_limit` ($n < d$, rows of $X$ linearly independent, $p_i > 0$,
# $\theta_0 = 0$, constant learning rate $\alpha > 0$), suppose that the run converges, whichever
# examples are drawn as long as each is drawn again and again.
#
# 1. Show that the limit fits every target.
# 2. Derive the formula for the limit, and say why there is no other candidate. Which part do the
#    probabilities play in it?
# 3. Where does your proof need $p_i > 0$, and where $\theta_0 = 0$?
# 4. In one or two sentences: why is this different for $n > d$, if no weights fit all targets?

# %% [markdown] manual=true question="proof_of_the_limit" points=5
# ### BEGIN SOLUTION
# **1.** If the iterates converge, their differences go to zero. A step with example $i$ has the
# difference $2 \alpha\, (y_i - x_i^\top \theta_t)\, x_i$. Example $i$ is drawn infinitely often
# (with probability one, as $p_i > 0$), so along those steps
# $2 \alpha\, \lvert y_i - x_i^\top \theta_t \rvert\, \lVert x_i \rVert \to 0$. Since
# $x_i \ne 0$ and $\theta_t \to \theta^*$, it follows that $x_i^\top \theta^* = y_i$. This holds for
# each $i$, so $X \theta^* = y$.
#
# **2.** Every step is a multiple of a row of $X$, and $\theta_0 = 0$. By induction every iterate
# lies in the row space of $X$, and so does the limit, as a subspace is closed: $\theta^* = X^\top
# a$. Insert this: $X X^\top a = y$. The matrix $X X^\top$ is regular, because $a^\top X X^\top a
# = \lVert X^\top a \rVert^2$ vanishes only for $X^\top a = 0$, that is for $a = 0$, the rows
# being independent. So $a = (X X^\top)^{-1} y$ is the only candidate, and $\theta^* = X^\top (X
# X^\top)^{-1} y$. The probabilities do not occur in it.
#
# **3.** $p_i > 0$ is needed in 1: an example that is never drawn need not be fitted, and the limit
# would solve a smaller system. $\theta_0 = 0$ (or any start in the row space) is needed in 2: the
# part of $\theta_0$ that is orthogonal to all rows never changes.
#
# **4.** If no weights fit all targets, the residuals at a stationary point are not zero, and the
# expected step $2 \alpha \sum_i p_i (y_i - x_i^\top \theta)\, x_i$ vanishes only because they
# balance. The probabilities are the weights in this balance, and the point is $(X^\top P X)^{-1}
# X^\top P y$ with $P = \mathrm{diag}(p)$. Moreover the run itself does not settle with a constant
# learning rate.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: convergence makes each example's own steps vanish, so each residual is zero.
# - 1 point: all iterates and the limit lie in the row space.
# - 1 point: the formula, with a reason why $X X^\top$ is regular, so that it is unique. "A constant
#   that cancels" is no reason.
# - 1 point: $p_i > 0$ lets every example have its say; $\theta_0 = 0$ keeps the run in the row
#   space.
# - 1 point: for $n > d$ the residuals do not vanish, they balance, and the probabilities weigh
#   them.
# === END MARK SCHEME ===

# %% [markdown]
# # 5. How fast it gets there
#
# The setting is that of Question 4.5 with $n < d$. Let $\theta^*$ be weights with
# $X \theta^* = y$. A *Lyapunov function* measures how far there is to go:
#
# $$\mathcal L(\theta) = \mathbb E_i\big[f_i(\theta)\big]
# = (\theta - \theta^*)^\top \tilde X^\top \tilde X\, (\theta - \theta^*) ,$$
#
# where example $i$ has the probability $p_i$. In a step with learning rate $\alpha$ it changes by
# $\mathcal L(\theta_{t+1}) - \mathcal L(\theta_t) = A + B$: all that has the factor $\alpha$ is
# $A$, and all that has the factor $\alpha^2$ is $B$. Both depend on the example that is drawn.

# %% [markdown]
# ## 5.1 The function (4 points)
#
# Write a function `lyapunov_rows` that returns $\tilde X$, and a function `lyapunov` that returns
# $\mathcal L(\theta)$, in terms of $\theta$, $\theta^*$ (`limit`), $X$ and $p$. (2 points each)

# %%
from reference.sgd_convergence import lyapunov_rows


# %%
@check(
    "lyapunov_function",
    points=2,
    pure=True,
    hint="A sum of squares with weights: move them inside.",
)
@case("three examples", n=3, d=5)
@case("six examples", n=6, d=4, hidden=True)
def lyapunov_rows_are_right(student, reference, rng, n, d):
    """lyapunov_rows returns a matrix whose product with a vector has the right length."""
    X, p = draw_examples(rng, n, d), rng.uniform(0.2, 2.0, size=n)
    got = student.lyapunov_rows(X, p / p.sum())
    assert_shape(got, (n, d), what="matrix")
    want = reference.lyapunov_rows(X, p / p.sum())
    for _ in range(d):
        v = rng.normal(size=d)
        assert_close(np.sum((as_array(got) @ v) ** 2), np.sum((want @ v) ** 2), what="length")


self_check(lyapunov_rows_are_right)


# %%
from reference.sgd_convergence import lyapunov


# %%
@check(
    "lyapunov_function", points=2, pure=True, hint="The expected loss, if the targets are X theta*."
)
@case("three examples", n=3, d=5)
@case("six examples", n=6, d=4, hidden=True)
def lyapunov_matches_reference(student, reference, rng, n, d):
    """The value of lyapunov is the expected loss."""
    X, p = draw_examples(rng, n, d), rng.uniform(0.2, 2.0, size=n)
    theta, limit = rng.normal(size=(2, d))
    got = student.lyapunov(theta, limit, X, p / p.sum())
    assert_close(got, reference.lyapunov(theta, limit, X, p / p.sum()), what="value")


self_check(lyapunov_matches_reference)


# %%
@lyapunov_rows_are_right.mistake("the probabilities, not their roots: they are squared later")
def lyapunov_rows(X, p):
    return p[:, None] * X


@lyapunov_rows_are_right.mistake("without the probabilities")
def lyapunov_rows(X, p):
    return X.copy()


@lyapunov_rows_are_right.mistake("the mean of the examples: the probabilities are not equal")
def lyapunov_rows(X, p):
    return X / np.sqrt(len(p))


@lyapunov_rows_are_right.mistake("weighted by n p, so that equal shares change nothing")
def lyapunov_rows(X, p):
    return np.sqrt(len(p) * p)[:, None] * X


@lyapunov_rows_are_right.mistake("divided by the roots of the probabilities")
def lyapunov_rows(X, p):
    return X / np.sqrt(p)[:, None]


@lyapunov_rows_are_right.mistake("the product of the matrix with itself, d by d")
def lyapunov_rows(X, p):
    return (X.T * p) @ X


@lyapunov_rows_are_right.mistake("transposed: one row for each example")
def lyapunov_rows(X, p):
    return (np.sqrt(p)[:, None] * X).T


@lyapunov_matches_reference.mistake("a mean over the examples, whatever their probabilities")
def lyapunov(theta, limit, X, p):
    return np.mean((X @ (theta - limit)) ** 2)


@lyapunov_matches_reference.mistake("the sum over the examples, without their probabilities")
def lyapunov(theta, limit, X, p):
    return np.sum((X @ (theta - limit)) ** 2)


@lyapunov_matches_reference.mistake("the probabilities are squared")
def lyapunov(theta, limit, X, p):
    return np.sum((p * (X @ (theta - limit))) ** 2)


@lyapunov_matches_reference.mistake("the length, not its square")
def lyapunov(theta, limit, X, p):
    return np.sqrt(p @ (X @ (theta - limit)) ** 2)


@lyapunov_matches_reference.mistake("the square of the expected residual")
def lyapunov(theta, limit, X, p):
    return (p @ (X @ (theta - limit))) ** 2


@lyapunov_matches_reference.mistake("a factor 1/2 that the loss does not have")
def lyapunov(theta, limit, X, p):
    return p @ (X @ (theta - limit)) ** 2 / 2


@lyapunov_matches_reference.mistake("the distance to the limit, without the examples")
def lyapunov(theta, limit, X, p):
    return np.sum((theta - limit) ** 2)


@lyapunov_matches_reference.mistake("the limit is left out")
def lyapunov(theta, limit, X, p):
    return p @ (X @ theta) ** 2


# %%
@lyapunov_rows_are_right.alternative("with some signs turned")
def lyapunov_rows(X, p):
    signs = np.where(np.arange(len(p)) % 2, -1, 1)
    return torch.from_numpy(np.diag(signs * p**0.5) @ X)


@lyapunov_rows_are_right.alternative("row by row")
def lyapunov_rows(X, p):
    return [list(float(w) ** 0.5 * x) for w, x in zip(p, X, strict=True)]


@lyapunov_rows_are_right.alternative("turned in the space of the examples")
def lyapunov_rows(X, p):
    turn = np.linalg.qr(np.vander(np.arange(1.0, len(p) + 1)))[0]
    return turn @ (np.sqrt(p)[:, None] * X)


@lyapunov_matches_reference.alternative("a quadratic form")
def lyapunov(theta, limit, X, p):
    d = torch.from_numpy(limit - theta)
    return d @ torch.from_numpy(X.T @ np.diag(p) @ X) @ d


@lyapunov_matches_reference.alternative("the expected loss, example by example")
def lyapunov(theta, limit, X, p):
    return sum(float(w) * float(x @ limit - x @ theta) ** 2 for w, x in zip(p, X, strict=True))


# %% [markdown]
# ## 5.2 The expected change (6 points)
#
# Write a function that returns $\mathbb E[A \mid \theta_t]$ and $\mathbb E[B \mid \theta_t]$, for
# any $\theta_t$.

# %%
from reference.sgd_convergence import expected_change


# %%
@check("expected_change", points=4, pure=True, hint="Insert the step into the quadratic form.")
@case("three examples", n=3, d=5)
@case("five examples", n=5, d=8, hidden=True)
@case("a large learning rate", n=4, d=6, lr=1.7, hidden=True)
@case("a small learning rate", n=2, d=3, lr=0.01, hidden=True)
def expected_change_matches_reference(student, reference, rng, n, d, lr=0.3):
    """expected_change returns the expectations of A and of B."""
    X, p = draw_examples(rng, n, d), rng.uniform(0.2, 2.0, size=n)
    theta, limit = rng.normal(size=(2, d))
    got = student.expected_change(theta, limit, X, p / p.sum(), lr)
    want = reference.expected_change(theta, limit, X, p / p.sum(), lr)
    assert_close(got, np.array(want), what="(E[A], E[B])")


self_check(expected_change_matches_reference)


# %%
@check("expected_change", points=2, pure=True, hint="Try all steps that can happen, and average.")
@case("four examples, two learning rates", n=4, d=6, hidden=True)
@case("two learning rates, two examples", n=2, d=4, hidden=True)
def expected_change_is_what_happens(student, reference, rng, n, d):
    """The two numbers add up to the change that all possible steps make on average."""
    X, p = draw_examples(rng, n, d), rng.uniform(0.2, 2.0, size=n)
    p = p / p.sum()
    theta, limit = rng.normal(size=(2, d))
    for lr in (0.05, 0.4):
        got = student.expected_change(theta, limit, X, p, lr)
        steps = 2 * lr * (X @ (limit - theta))[:, None] * X
        after = np.array([p @ (X @ (theta + step - limit)) ** 2 for step in steps])
        want = p @ after - p @ (X @ (theta - limit)) ** 2
        assert_shape(got, (2,), what="(E[A], E[B])")
        down, up = as_array(got)
        assert_close(down + up, want, what="E[A] + E[B]")
        assert_that(down < 0 < up, "A brings it down, and B up")


# %%
BOTH_CHANGES = (expected_change_is_what_happens,)


def parts_of_change(theta, limit, X, p):
    """Return the difference, the matrix of the quadratic form, and the residuals."""
    return theta - limit, (X.T * p) @ X, X @ (theta - limit)


@expected_change_matches_reference.mistake(
    "the factor 2 of the gradient is missing", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -2 * lr * d @ H @ H @ d, lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@expected_change_matches_reference.mistake(
    "the factor 2 of the mixed term is missing in A", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -2 * lr * d @ H @ H @ d, 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@expected_change_matches_reference.mistake("the factor 2 is not squared in B", also=BOTH_CHANGES)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d, 2 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@expected_change_matches_reference.mistake(
    "the sign of A: a step against the gradient brings the function down", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return 4 * lr * d @ H @ H @ d, 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@expected_change_matches_reference.mistake(
    "the matrix comes once in A: once in the function, once more in the step", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ d, 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@expected_change_matches_reference.mistake(
    "the square of the learning rate is written twice in B", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d, 4 * lr**4 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@expected_change_matches_reference.mistake(
    "the expectation of a product taken for a product of expectations", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, _ = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * d @ H @ H @ H @ d


@expected_change_matches_reference.mistake(
    "the squared lengths of the examples, where the quadratic form belongs", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * p @ (np.sum(X**2, axis=1) * r**2)


@expected_change_matches_reference.mistake("the estimate of B, not B itself", also=BOTH_CHANGES)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    largest = np.linalg.eigvalsh(H)[-1] * np.max(np.sum(X**2, axis=1))
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * largest * p @ r**2


@expected_change_matches_reference.mistake("without the probabilities", also=BOTH_CHANGES)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, np.ones_like(p))
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * np.sum(np.sum(X @ H * X, axis=1) * r**2)


@expected_change_matches_reference.mistake(
    "all examples equally likely: the mean in place of the expectation", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, np.full_like(p, 1 / len(p)))
    return -4 * lr * d @ H @ H @ d, 4 * lr**2 * np.mean(np.sum(X @ H * X, axis=1) * r**2)


@expected_change_matches_reference.mistake("A and B in the wrong order", also=BOTH_CHANGES)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2), -4 * lr * d @ H @ H @ d


@expected_change_matches_reference.mistake(
    "the sum, where both parts are asked for", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, r = parts_of_change(theta, limit, X, p)
    return -4 * lr * d @ H @ H @ d + 4 * lr**2 * p @ (np.sum(X @ H * X, axis=1) * r**2)


@expected_change_matches_reference.mistake(
    "full gradient descent: the noise of the examples is missing in B", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    d, H, _ = parts_of_change(theta, limit, X, p)
    step = -2 * lr * H @ d
    return 2 * d @ H @ step, step @ H @ step


# %%
@expected_change_matches_reference.alternative("all possible steps, one by one", also=BOTH_CHANGES)
def expected_change(theta, limit, X, p, lr):
    a, b = 0.0, 0.0
    H = X.T @ np.diag(p) @ X
    for w, x in zip(p, X, strict=True):
        step = 2 * lr * (x @ limit - x @ theta) * x
        a += w * 2 * (theta - limit) @ H @ step
        b += w * step @ H @ step
    return [float(a), float(b)]


@expected_change_matches_reference.alternative(
    "odd and even in the learning rate, from steps in both directions", also=BOTH_CHANGES
)
def expected_change(theta, limit, X, p, lr):
    def value(weights):
        return p @ (X @ (weights - limit)) ** 2

    def change(rate):
        moved = [theta - 2 * rate * (x @ (theta - limit)) * x for x in X]
        return p @ np.array([value(weights) - value(theta) for weights in moved])

    return (change(lr) - change(-lr)) / 2, (change(lr) + change(-lr)) / 2


@expected_change_matches_reference.alternative("matrices throughout", also=BOTH_CHANGES)
def expected_change(theta, limit, X, p, lr):
    X, p, d = torch.from_numpy(X), torch.from_numpy(p), torch.from_numpy(theta - limit)
    outer = torch.einsum("ij,ik->ijk", X, X)
    H = torch.einsum("i,ijk->jk", p, outer)
    a = -4 * lr * d @ (H @ H) @ d
    b = 4 * lr**2 * d @ torch.einsum("i,ijk,kl,ilm->jm", p, outer, H, outer) @ d
    return a, b


# %% [markdown]
# ## 5.3 Bounds, and a good learning rate (6 points)
#
# As long as $\theta_t - \theta^*$ lies in the row space of $X$, there are numbers $a$ and $b$ with
#
# $$\mathbb E[A \mid \theta_t] \le -a\, \mathcal L(\theta_t), \qquad
# \mathbb E[B \mid \theta_t] \le b\, \mathcal L(\theta_t), \qquad \text{hence} \qquad
# \mathbb E[\mathcal L(\theta_{t+1}) \mid \theta_t] \le (1 - \rho)\, \mathcal L(\theta_t),
# \quad \rho = a - b .$$
#
# `contraction_constants` (3 points) returns $a$ and $b$ for a learning rate. Take the largest $a$
# for which the first bound is true. For $b$, estimate in two moves:
# $x_i^\top \tilde X^\top \tilde X x_i$ by a largest eigenvalue and $\lVert x_i \rVert^2$, and this
# by $\max_i \lVert x_i \rVert^2$.
#
# `learning_rates` (3 points) returns the learning rate below which $\rho$ is positive, the one at
# which it is largest, and that largest $\rho$.

# %%
from reference.sgd_convergence import contraction_constants


# %%
@check(
    "bounds",
    points=3,
    pure=True,
    hint="Which eigenvalues does the matrix have in the directions in which there is a difference?",
)
@case("two examples", n=2, d=5)
@case("four examples", n=4, d=7, hidden=True)
@case("a larger learning rate", n=3, d=8, lr=1.3, hidden=True)
@case("as many examples as weights", n=3, d=3, hidden=True)
def contraction_constants_match_reference(student, reference, rng, n, d, lr=0.1):
    """contraction_constants returns the numbers of the two bounds."""
    X, p = draw_examples(rng, n, d), rng.uniform(0.2, 2.0, size=n)
    got = student.contraction_constants(X, p / p.sum(), lr)
    want = reference.contraction_constants(X, p / p.sum(), lr)
    assert_close(got, np.array(want), what="(a, b)")


self_check(contraction_constants_match_reference)


# %%
from reference.sgd_convergence import learning_rates


# %%
@check(
    "bounds", points=3, pure=True, hint="A parabola in the learning rate: its roots and its top."
)
@case("two examples", n=2, d=5)
@case("four examples", n=4, d=7, hidden=True)
@case("as many examples as weights", n=3, d=3, hidden=True)
def learning_rates_match_reference(student, reference, rng, n, d):
    """learning_rates returns the limit, the best learning rate, and the rho that it achieves."""
    X, p = draw_examples(rng, n, d), rng.uniform(0.2, 2.0, size=n)
    got = student.learning_rates(X, p / p.sum())
    want = reference.learning_rates(X, p / p.sum())
    assert_close(got, np.array(want), what="(limit, best, rho)")


self_check(learning_rates_match_reference)


# %%
def spectrum(X, p):
    """Return the smallest nonzero and the largest eigenvalue, and the largest squared length."""
    values = np.linalg.svd(np.sqrt(p)[:, None] * X, compute_uv=False) ** 2
    return values[-1], values[0], np.max(np.sum(X**2, axis=1))


@contraction_constants_match_reference.mistake(
    "the factor 4 is lost in both bounds: they are false"
)
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, p)
    return lr * low, lr**2 * high * longest


@contraction_constants_match_reference.mistake("the factor 4 is lost in the bound of B")
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * low, lr**2 * high * longest


@contraction_constants_match_reference.mistake("the factor 4 is lost in the bound of A")
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, p)
    return lr * low, 4 * lr**2 * high * longest


@contraction_constants_match_reference.mistake(
    "the smallest eigenvalue is zero for n < d: the smallest above zero counts"
)
def contraction_constants(X, p, lr):
    values = np.linalg.eigvalsh((X.T * p) @ X)
    low = values[0] if X.shape[0] < X.shape[1] else 0.0
    return 4 * lr * low, 4 * lr**2 * values[-1] * np.max(np.sum(X**2, axis=1))


@contraction_constants_match_reference.mistake(
    "the second smallest eigenvalue: more than one can be zero"
)
def contraction_constants(X, p, lr):
    values = np.linalg.eigvalsh((X.T * p) @ X)
    return 4 * lr * values[1], 4 * lr**2 * values[-1] * np.max(np.sum(X**2, axis=1))


@contraction_constants_match_reference.mistake(
    "the eigenvalues of the examples without probabilities"
)
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, np.ones_like(p))
    return 4 * lr * low, 4 * lr**2 * high * longest


@contraction_constants_match_reference.mistake("the mean over the examples for the expectation")
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, np.full_like(p, 1 / len(p)))
    return 4 * lr * low, 4 * lr**2 * high * longest


@contraction_constants_match_reference.mistake("singular values, where their squares belong")
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * np.sqrt(low), 4 * lr**2 * np.sqrt(high) * longest


@contraction_constants_match_reference.mistake("the learning rate is not squared in b")
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * low, 4 * lr * high * longest


@contraction_constants_match_reference.mistake("the square of the learning rate comes twice in b")
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * low, 4 * lr**4 * high * longest


@contraction_constants_match_reference.mistake("the length of the longest example, not its square")
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * low, 4 * lr**2 * high * np.sqrt(longest)


@contraction_constants_match_reference.mistake(
    "the lengths of the weighted rows, not of the examples"
)
def contraction_constants(X, p, lr):
    low, high, _ = spectrum(X, p)
    return 4 * lr * low, 4 * lr**2 * high * np.max(p * np.sum(X**2, axis=1))


@contraction_constants_match_reference.mistake("the mean squared length, which is no upper bound")
def contraction_constants(X, p, lr):
    low, high, _ = spectrum(X, p)
    return 4 * lr * low, 4 * lr**2 * high * p @ np.sum(X**2, axis=1)


@contraction_constants_match_reference.mistake(
    "the largest and the smallest eigenvalue are swapped"
)
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, p)
    return 4 * lr * high, 4 * lr**2 * low * longest


@contraction_constants_match_reference.mistake("a is to be positive: the bound has the sign")
def contraction_constants(X, p, lr):
    low, high, longest = spectrum(X, p)
    return -4 * lr * low, 4 * lr**2 * high * longest


@contraction_constants_match_reference.mistake(
    "the largest eigenvalue squared, without the examples"
)
def contraction_constants(X, p, lr):
    low, high, _ = spectrum(X, p)
    return 4 * lr * low, 4 * lr**2 * high**2


@learning_rates_match_reference.mistake("the eigenvalue zero: no learning rate seems to work")
def learning_rates(X, p):
    return 0.0, 0.0, 0.0


@learning_rates_match_reference.mistake("the limit for the best: the parabola is zero there")
def learning_rates(X, p):
    low, high, longest = spectrum(X, p)
    limit = low / high / longest
    return limit, limit, 0.0


@learning_rates_match_reference.mistake("the factor 4 is lost in one bound, and shifts the limit")
def learning_rates(X, p):
    low, high, longest = spectrum(X, p)
    limit = 4 * low / high / longest
    return limit, limit / 2, limit * low


@learning_rates_match_reference.mistake("the factor 4 is lost in both bounds: rho is a quarter")
def learning_rates(X, p):
    low, high, longest = spectrum(X, p)
    limit = low / high / longest
    return limit, limit / 2, limit * low / 4


@learning_rates_match_reference.mistake("b is left out of rho")
def learning_rates(X, p):
    low, high, longest = spectrum(X, p)
    limit = low / high / longest
    return limit, limit / 2, 2 * limit * low


@learning_rates_match_reference.mistake("one over the curvature: the rule for the full gradient")
def learning_rates(X, p):
    low, high, _ = spectrum(X, p)
    return 1 / high, 1 / (2 * high), low / high


@learning_rates_match_reference.mistake("one over the squared length: the eigenvalues are left out")
def learning_rates(X, p):
    low, _, longest = spectrum(X, p)
    return 1 / longest, 1 / (2 * longest), low / longest


@learning_rates_match_reference.mistake("turned upside down: large eigenvalues ask for small steps")
def learning_rates(X, p):
    low, high, longest = spectrum(X, p)
    limit = high / low / longest
    return limit, limit / 2, limit * low


@learning_rates_match_reference.mistake("the eigenvalues without the probabilities")
def learning_rates(X, p):
    low, high, longest = spectrum(X, np.ones_like(p))
    limit = low / high / longest
    return limit, limit / 2, limit * low


@learning_rates_match_reference.mistake("1 - rho in place of rho")
def learning_rates(X, p):
    low, high, longest = spectrum(X, p)
    limit = low / high / longest
    return limit, limit / 2, 1 - limit * low


# %%
@contraction_constants_match_reference.alternative("singular values of the weighted rows")
def contraction_constants(X, p, lr):
    values = np.linalg.svd(X * np.sqrt(p)[:, None], compute_uv=False)
    longest = max(np.linalg.norm(x) for x in X)
    return 4 * lr * values.min() ** 2, (2 * lr * values.max() * longest) ** 2


@contraction_constants_match_reference.alternative("eigenvalues of the large matrix, without zeros")
def contraction_constants(X, p, lr):
    X, p = torch.from_numpy(X), torch.from_numpy(p)
    values = torch.linalg.eigvalsh(X.T @ torch.diag(p) @ X)[-len(p) :]
    return 4 * lr * values[0], 4 * lr**2 * values[-1] * (X * X).sum(1).max()


@contraction_constants_match_reference.alternative("all eigenvalues above a threshold")
def contraction_constants(X, p, lr):
    values = np.linalg.eigvals((X.T * p) @ X).real
    values = np.sort(values[values > 1e-9 * values.max()])
    return [4 * lr * float(values[0]), 4 * lr * lr * float(values[-1]) * float((X**2).sum(1).max())]


@learning_rates_match_reference.alternative("read off the constants at two learning rates")
def learning_rates(X, p):
    a, b = contraction_constants(X, p, 1.0)
    return a / b, a / (2 * b), a * a / (4 * b)


@learning_rates_match_reference.alternative("singular values, and the parabola at its top")
def learning_rates(X, p):
    low, high, longest = spectrum(X, p)
    best = low / (2 * high * longest)
    rho = 4 * best * low - 4 * best**2 * high * longest
    return np.array([2 * best, best, rho]).tolist()


# %% [markdown]
# ## 5.4 Proof: geometric decrease (6 points)
#
# Prove the bounds of Question 5.3 and what follows from them. In particular:
#
# 1. Derive $\mathbb E[A \mid \theta_t]$ and $\mathbb E[B \mid \theta_t]$ from one step.
# 2. Bound both by $\mathcal L(\theta_t)$, with all factors. Which eigenvalue stands in the bound of
#    $A$, and why may it be this one although $\tilde X^\top \tilde X$ is singular for $n < d$?
# 3. For which learning rates is $\rho > 0$, and what does it mean for
#    $\mathbb E[\mathcal L(\theta_t)]$?

# %% [markdown] manual=true question="proof_of_the_rate" points=6
# ### BEGIN SOLUTION
# Write $\delta = \theta_t - \theta^*$ and $H = \tilde X^\top \tilde X = \sum_i p_i\, x_i x_i^\top$.
#
# **1.** As $y_i = x_i^\top \theta^*$, the gradient of $f_i$ is $2 x_i x_i^\top \delta$, and a
# step turns $\delta$ into $\delta - 2 \alpha\, x_i x_i^\top \delta$. Insert this into the
# quadratic form: $\mathcal L(\theta_{t+1}) = \delta^\top H \delta - 4 \alpha\, \delta^\top H x_i
# x_i^\top \delta + 4 \alpha^2\, \delta^\top x_i x_i^\top H x_i x_i^\top \delta$. The second term
# is $A$ and the third is $B$. With $\mathbb E[x_i x_i^\top] = H$ we get $\mathbb E[A] = -4
# \alpha\, \delta^\top H^2 \delta$ and $\mathbb E[B] = 4 \alpha^2 \sum_i p_i\, (x_i^\top H x_i)\,
# (x_i^\top \delta)^2$.
#
# **2.** $H$ is symmetric and positive semidefinite, and its range is the row space of $X$,
# because all $p_i > 0$. All steps are multiples of rows, and $\theta_0 = 0$ and $\theta^* =
# X^\top (X X^\top)^{-1} y$ lie in the row space, hence so does $\delta$. In an orthonormal basis
# of eigenvectors $\delta = \sum_j c_j v_j$, and $c_j = 0$ for all $j$ with $\lambda_j = 0$.
# Therefore $\delta^\top H^2 \delta = \sum_j \lambda_j^2 c_j^2 \ge \lambda_{\min} \sum_j \lambda_j
# c_j^2 = \lambda_{\min}\, \mathcal L(\theta_t)$, where $\lambda_{\min}$ is the smallest
# eigenvalue that is **not zero**. So $\mathbb E[A] \le -4 \alpha \lambda_{\min}\, \mathcal
# L(\theta_t)$. For $B$ use $x_i^\top H x_i \le \lambda_{\max} \lVert x_i \rVert^2 \le
# \lambda_{\max} \max_k \lVert x_k \rVert^2$: $\mathbb E[B] \le 4 \alpha^2 \lambda_{\max} \max_k
# \lVert x_k \rVert^2 \sum_i p_i (x_i^\top \delta)^2 = 4 \alpha^2 \lambda_{\max} \max_k \lVert x_k
# \rVert^2\, \mathcal L(\theta_t)$.
#
# **3.** Together $\rho = 4 \alpha \lambda_{\min} - 4 \alpha^2 \lambda_{\max} \max_k \lVert x_k
# \rVert^2$, which is positive for $0 < \alpha < \lambda_{\min} / (\lambda_{\max} \max_k \lVert
# x_k \rVert^2)$. Taking expectations over all steps, $\mathbb E[\mathcal L(\theta_t)] \le (1 -
# \rho)^t\, \mathcal L(\theta_0)$: it decreases geometrically, with a constant learning rate,
# because at $\theta^*$ no example has a gradient that could disturb.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: the step inserted, with the factor 2 of the gradient: $4 \alpha$ and $4 \alpha^2$.
# - 1 point: both expectations; in B the expectation stays around the whole product.
# - 1 point: the bound of A with the factor 4, by eigenvectors or an equivalent argument.
# - 1 point: the smallest nonzero eigenvalue, because the difference lies in the row space.
# - 1 point: the bound of B with the factor 4 and $\alpha^2$ once.
# - 1 point: the range of learning rates, and the geometric decrease of the expectation.
# === END MARK SCHEME ===
