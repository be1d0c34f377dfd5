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
# # Homework 6: Colouring grey pictures
#
# Take the colours out of a photograph, and most people can put them back: the sky is blue, the
# meadow is green. They look at shapes, not at brightness alone. In this homework you build four
# convolutional networks that learn to do the same, and see what each idea in them is worth: pooling
# and upsampling, strides and transposed convolutions, skip connections, dilation.
#
# | part | what you do | points |
# |---|---|---|
# | 1 | colours as categories | 9 |
# | 2 | a network with pooling and upsampling | 20 |
# | 3 | strides and transposed convolutions | 25 |
# | 4 | skip connections: U-Nets | 19 |
# | 5 | training, curves, and what they say | 24 |
# | 6 | on a GPU | 3 |
#
# **Notation.** A picture is an array (B, C, H, W): batch, channels, height, width. A network is
# made from four numbers in this order: the kernel size $k$, the number of filters $NF$, the number
# of colours $NC$ and the number of input channels $NIC$. It turns pictures (B, NIC, 32, 32) into
# scores (B, NC, 32, 32): one score for each colour at each pixel.
#
# **How networks are graded.** Below each network stands a check that compares it with ours; grading
# runs it again with other numbers and other sizes. The check cannot know what you call your layers,
# so it goes by the *order in which they are used*: it sends a picture through your network, notes
# each `nn.Conv2d`, `nn.ConvTranspose2d` and `nn.BatchNorm2d` that the picture meets, writes the
# same given numbers into your layers and into ours, and compares what comes out. So this must hold:
#
# - What has weights is a layer of one of these three kinds, called as a layer, in the order that
#   the question gives, with PyTorch's defaults for all that the question does not mention.
# - Each place has a layer of its own, and all of them are registered: `net.parameters()` finds
#   them.
# - The network also works in double precision and on a GPU: it makes no tensors of its own in a
#   fixed dtype or on a fixed device. Part 6 tries that on a GPU; its points wait until grading has
#   one, and all else is graded without.
#
# All else is up to you. Put layers into an `nn.Sequential`, into attributes or into an
# `nn.ModuleList`; use `nn.ReLU`, `torch.relu` or `nn.functional.relu`; name them as you like.

# %%
import os
from contextlib import suppress

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from autograder import (
    arrays,
    assert_close,
    assert_dtype,
    assert_equal,
    assert_fast,
    assert_figure,
    assert_memory,
    assert_placed,
    assert_shape,
    assert_that,
    budget,
    case,
    check,
    choices,
    domain,
    drawn,
    indices,
    interval,
    like,
    measured,
    on_device,
    placed,
    run_device,
    self_check,
    tensors,
    whole,
)

# %% [markdown]
# ## The pictures
#
# Nothing is downloaded. The next cell draws landscapes from a random generator: a sky with a sun, a
# meadow, and on it a pond, a house and a tree. Each of these things is darker or brighter than what
# is behind it, as it happens, and sky and meadow are equally bright. So brightness alone tells the
# right colour of the palette below for half of the pixels only. For the others one has to look at
# shape, texture and place.
#
# The palette has $NC$ colours, found by $k$-means: it puts that many points into the cube of
# all colours so that the pixels are close to their nearest point (Lloyd, *Least Squares
# Quantization in PCM*, 1982).
# %% given=true
from reference.scenes import kmeans_colours, load_cifar10, make_scenes

# %% [markdown]
# **Photographs, if you have them.** CIFAR-10 (Krizhevsky, 2009) has 6,000 pictures of horses, of
# 32x32 pixels. If the environment variable `DLHW_CIFAR10` names a folder with the files of its
# Python version, the networks below train on those instead. Such files are pickles, and a pickle
# can run any code when it is opened; the reader below accepts arrays and nothing else. Grading
# always uses landscapes.


# %%
def load_pictures(training, validation, seed=0):
    """Return the name of a data set, and its pictures for training and for validation."""
    folder = budget(os.environ.get("DLHW_CIFAR10"), graded=None)
    if folder:
        return "cifar10", *load_cifar10(folder)
    scenes = make_scenes(training + validation, np.random.default_rng(seed))
    return "scenes", scenes[:training], scenes[training:]


def mosaic(pictures):
    """Return pictures (N, 3, H, W) side by side, as matplotlib shows them: (H, N W, 3)."""
    return np.concatenate(list(np.moveaxis(pictures, 1, -1)), axis=1)


def to_grey(pictures):
    """Return pictures (N, 3, H, W) without colours: (N, 1, H, W), the mean of the channels."""
    return pictures.mean(axis=1, keepdims=True)


def get_cat_rgb(categories, colours):
    """Return the pictures (N, 3, H, W) that numbers (N, 1, H, W) of colours (K, 3) stand for."""
    return np.moveaxis(colours[categories[:, 0]], -1, 1)


DATA_SET, TRAINING, VALIDATION = load_pictures(budget(400, graded=16), budget(100, graded=4))
COLOURS = kmeans_colours(TRAINING, 24, np.random.default_rng(1))

_, (above, below) = plt.subplots(2, figsize=(9, 3.2))
above.imshow(np.concatenate([mosaic(TRAINING[:8]), mosaic(np.repeat(to_grey(TRAINING[:8]), 3, 1))]))
below.imshow(COLOURS[None])
above.set_title("pictures, with and without their colours")
below.set_title("the palette")
for panel in (above, below):
    panel.set_axis_off()

# %% [markdown]
# # 1. Colours as categories
#
# One could train a network to predict red, green and blue as three numbers, with squared errors. A
# pixel that is either red or green would then come out as their mean, a muddy brown. With
# *categories* a network can say "probably red, perhaps green": Zhang, Isola and Efros (*Colorful
# Image Colorization*, 2016) colour photographs in this way. Colouring is then classification, once
# for each pixel.
#
# ## 1.1 The nearest colour (6 points)
#
# Write `get_rgb_cat`, which turns pictures into the numbers of their colours:
#
# $$c_{b, h, w} = \arg\min_{j} \; \lVert x_{b, :, h, w} - \text{colour}_j \rVert .$$
#
# The norm is the Euclidean one, over the three channels. Where two colours are equally near, take
# the one with the lower number. Everything comes in sizes of its own: do not count on 24 colours,
# on square pictures or on some number of pictures.
#
# **Look out.** Axes of channels, of colours and of pictures meet here, and NumPy broadcasts
# without asking. Write down the shape of each intermediate array before you reduce one of its axes.

# %%
from reference.colorization import get_rgb_cat


# %%
def compare_categories(student, reference, xs, colours):
    """Fail unless the categories are ours, and integers, which torch's cross-entropy wants."""
    got, want = student.get_rgb_cat(xs, colours), reference.get_rgb_cat(xs, colours)
    assert_shape(got, want.shape, what="categories")
    kind = str(getattr(got, "dtype", type(got).__name__))
    assert_that("int" in kind, f"categories: dtype {kind}, expected integers")
    assert_equal(got, want, what="categories")


@check(
    "get_rgb_cat",
    points=4,
    pure=True,
    hint="Name the axes of each intermediate array: pictures, colours, channels, height, width.",
)
@domain(
    xs=arrays("n 3 height width", low=0, high=1),
    colours=like("xs", shape="k 3", values=["inside"]),
    sizes={"n": (1, 130), "k": (2, 24)},
)
def get_rgb_cat_matches_reference(student, reference, rng, xs, colours):
    """get_rgb_cat gives each pixel the number of the nearest colour."""
    compare_categories(student, reference, xs, colours)


self_check(get_rgb_cat_matches_reference)


# %%
@check(
    "get_rgb_cat",
    points=2,
    pure=True,
    hint="Which number does argmin give if the minimum occurs twice? Use Euclid's distance.",
)
@domain(
    xs=arrays("n 3 height width", low=0, high=3, dtypes=["int64"]),
    colours=like("xs", shape="k 3"),
    sizes={"k": (2, 24)},
)
def get_rgb_cat_settles_ties(student, reference, rng, xs, colours):
    """get_rgb_cat takes the lower number of two colours that are equally near."""
    compare_categories(student, reference, *(a.astype(np.float32) for a in (xs, colours)))


self_check(get_rgb_cat_settles_ties)


# %% [markdown]
# With it, here are some pictures as they are, and in the colours of the palette.

# %%
with suppress(NotImplementedError):  # as long as get_rgb_cat is not written
    in_colours = get_cat_rgb(get_rgb_cat(TRAINING[:8], COLOURS), COLOURS)
    _, panel = plt.subplots(figsize=(9, 2.4))
    panel.imshow(np.concatenate([mosaic(TRAINING[:8]), mosaic(in_colours)]))
    panel.set_axis_off()

# %% [markdown]
# ## 1.2 The same, fast (3 points)
#
# Your `get_rgb_cat` probably makes an array of all differences: pictures by colours by channels by
# pixels. With 256 colours that is 256 times as many numbers as the pictures have, and the time goes
# into writing and reading them. Written out,
#
# $$\lVert x - c \rVert^2 = \lVert x \rVert^2 - 2\, x \cdot c + \lVert c \rVert^2,$$
#
# the square needs no differences. The first term is the same for all colours, so it decides
# nothing. The others are one product of matrices and a sum, and PyTorch has one operation for both:
# such *fused* operations save a whole array that would be written and read again.
#
# Write `nearest_colours`, which does for tensors what `get_rgb_cat` does for arrays. It works in
# the dtype and on the device of the pictures. Of two colours that are equally near, up to rounding,
# either will do here. One of the points is for speed: grading times it with 256 colours, and it may
# take at most four times as long as ours, and four times the memory of an array with a number for
# each pixel and each colour, which an array of all differences does not keep to.

# %%
from reference.colorization import nearest_colours


# %%
def distances_of(numbers, pictures, colours):
    """Return the squared distance (N, H, W) of each pixel from the colour of a number."""
    x, palette = (np.asarray(t, dtype=np.float64) for t in (pictures, colours))
    return ((np.moveaxis(x, 1, -1) - palette[np.asarray(numbers)[:, 0]]) ** 2).sum(axis=-1)


@check(
    "nearest_colours",
    points=2,
    hint="Which axis has the channels, and in which order does a reshape read what is moved?",
)
@domain(
    pictures=tensors("n 3 height width", dtypes=["float64", "float32"]),
    colours=like("pictures", shape="k 3"),
    sizes={"n": (1, 5), "k": (2, 24), "height": (1, 16), "width": (1, 16)},
)
def nearest_colours_are_nearest(student, reference, rng, pictures, colours):
    """nearest_colours gives each pixel the number of a nearest colour, where the pictures are."""
    want = reference.nearest_colours(pictures, colours)
    got = student.apply(placed, "nearest_colours", pictures, colours, device=run_device())
    assert_placed(got, run_device(), what="nearest_colours")
    assert_shape(got["value"], want.shape, what="numbers")
    assert_dtype(got["value"], want, what="numbers")
    numbers = np.asarray(got["value"])
    known = bool(((numbers >= 0) & (numbers < len(colours))).all())
    assert_that(known, f"numbers: some are not from 0 to {len(colours) - 1}")
    mine, ours = (distances_of(some, pictures, colours) for some in (numbers, want))
    # Single precision confuses colours whose squared distances differ by less than this.
    size = max(float(t.abs().max()) for t in (pictures, colours))
    room = 1e-5 * size**2
    assert_close(mine, ours, rtol=0.0, atol=room, what="squared distances from the colours")


self_check(nearest_colours_are_nearest)


# %%
def colouring(notebook):
    """Return a function that draws pictures, has their colours numbered, and adds the numbers up.

    The pictures are drawn where the colours are, by a generator of that device. Each number counts
    with a weight of its own, drawn behind it: who leaves out a pixel has another sum.
    """

    def coloured(seed, rounds, count, colours):
        generator = torch.Generator(colours.device).manual_seed(seed)

        def draw(*shape):
            where = {"device": colours.device, "dtype": colours.dtype}
            return torch.rand(shape, generator=generator, **where)

        sums = []
        for _ in range(rounds):
            numbers = notebook.nearest_colours(draw(count, 3, 32, 32), colours)
            weights = draw(count, 1, 32, 32)
            sums.append(torch.einsum("nchw,nchw->", numbers.to(weights.dtype), weights))
        return torch.stack(sums)

    return coloured


def require_memory(student, reference, rng, count, within, device, kept=None):
    """Fail unless 256 colours take up at most some arrays of a number for each pixel and colour.

    kept: how many bytes may stay taken, if that is asked.
    """
    palette = torch.from_numpy(rng.random((256, 3)))
    arguments = int(rng.integers(2**31)), 1, count, palette
    got, spent = measured(on_device(student.apply(colouring), device), *arguments)
    want = on_device(reference.apply(colouring), device)(*arguments)
    assert_close(got, want, what="weighted sums of the numbers")
    assert_memory(spent, peak=within * count * 32 * 32 * palette.nbytes / 3, kept=kept)


def require_speed(student, reference, rng, rounds, count, within, device):
    """Fail unless pictures get their colours in some times as long as ours take, on a device."""
    assert_fast(
        on_device(student.apply(colouring), device),
        on_device(reference.apply(colouring), device),
        lambda: [int(rng.integers(2**31)), rounds, count, torch.from_numpy(rng.random((256, 3)))],
        within=within,
        what="weighted sums of the numbers",
    )


@check(
    "nearest_colours",
    points=1,
    device="cpu",
    hint="Is there an array with a number for each pixel, each colour and each channel?",
)
@case("256 colours", hidden=True)
def nearest_colours_is_fast(student, reference, rng):
    """nearest_colours takes at most four times as long as ours, and no more memory than it may."""
    # Whether all differences take as long as that hangs on the machine; what they take up does not.
    require_memory(student, reference, rng, 20, 4, "cpu")
    require_speed(student, reference, rng, 2, 8, 4, "cpu")


# %% [markdown]
# # 2. Pooling and upsampling
#
# To know that a brown patch belongs to a house, a network must see the house. A wide view is
# cheap on a small picture: halve height and width, and a 3x3 kernel sees twice as far in each
# direction, for a quarter of the work. So the networks of this homework go down, from 32x32 to 8x8,
# and up again, since every pixel needs an answer.

# %%
_, panel = plt.subplots(figsize=(8, 3))
for place, (channels, size) in enumerate(
    [("NIC", 32), ("NF", 16), ("2 NF", 8), ("NF", 16), ("NC", 32), ("NC", 32)]
):
    panel.add_patch(plt.Rectangle((place - 0.18, -size / 2), 0.36, size, color="#9bb8d3"))
    panel.text(place, size / 2 + 1, f"{channels} × {size}²", ha="center")
    if place:
        panel.annotate(str(place), (place - 0.5, 0), ha="center")
        panel.annotate("", (place - 0.22, -2), (place - 0.78, -2), arrowprops={"arrowstyle": "->"})
panel.set(
    xlim=(-0.5, 5.5), ylim=(-18, 20), title="channels and sizes after each of the five blocks"
)
panel.set_axis_off()

# %% [markdown]
# ## 2.1 PoolUpsampleNet (20 points)
#
# In the first two blocks a convolution is followed by max pooling, which keeps the largest of each
# 2x2 pixels; in the next two by nearest-neighbour upsampling, which writes every pixel four times.
# Neither has weights. The docstring says what comes after what.
#
# A convolution with kernel size $k$, stride $s$, padding $p$ and dilation $d$ makes
#
# $$\left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1$$
#
# pixels out of $n$ (Dumoulin and Visin, *A Guide to Convolution Arithmetic for Deep Learning*,
# 2016). Find the padding that keeps the size at stride 1, for *every* odd $k$.
#
# **Look out.** The order inside a block matters: batch norm comes behind the pooling and in front
# of the ReLU. And the scores have nothing behind them: they may be negative, and they are no
# probabilities yet. The loss in Part 5 takes care of that.

# %%
from reference.colour_nets import PoolUpsampleNet


# %% given=true
from reference.probes.colour_nets import probe_network


# %%
def probe(student, reference, rng, name, sizes, batch, training, device="cpu"):
    """Return what a student's network and ours do with the same numbers and pictures.

    device: where the student's is; ours is on the CPU.
    """
    numbers, x = rng.uniform(size=1999), rng.normal(size=(batch, sizes["channels"], 32, 32))
    slopes = rng.normal(size=(batch, sizes["colours"], 32, 32)) / 32
    arguments = name, list(sizes.values()), numbers, x, slopes, training
    got = student.apply(probe_network, *arguments, device)
    return got, reference.apply(probe_network, *arguments, "cpu")


def require_layers(student, reference, rng, name, sizes):
    """Fail unless the same layers meet the picture in the same order, with the same sizes.

    What a session says of its layers is for the message. What counts is the score in the middle of
    an even picture, which takes all layers to work out; with positive numbers in all of them it
    hardly depends on how the network pools, or on its ReLUs.
    """
    level = rng.uniform(0.5, 1.5, size=(1, sizes["channels"], 1, 1))
    picture = level + np.zeros((1, sizes["channels"], 32, 32))
    arguments = name, list(sizes.values()), rng.uniform(size=1999), picture, None, False
    got = student.apply(probe_network, *arguments)
    want = reference.apply(probe_network, *arguments)
    for number, (mine, ours) in enumerate(zip(got["layers"], want["layers"], strict=False), 1):
        assert_equal(mine, ours, what=f"layer {number} in the order of use")
    assert_equal(got["layers"], want["layers"], what="layers in the order of use")
    assert_equal(got["shape"], want["shape"], what="shape of the scores")
    # Five per cent: what another kind of pooling makes of the border reaches the middle.
    assert_close(got["middle"], want["middle"], rtol=0.05, atol=0.0, what="score in the middle")


def require_scores(got, want):
    """Fail unless the scores agree at pixels from the corners to the middle."""
    assert_equal(got["shape"], want["shape"], what="shape of the scores")
    # Both are in double precision, through up to six layers and batch statistics.
    assert_close(got["scores"], want["scores"], rtol=1e-6, atol=1e-7, what="scores")
    assert_that(got["input kept"] is True, "the network changed its input in place")


def require_gradients(got, want):
    """Fail unless gradients and running statistics agree after one pass in training mode."""
    assert_equal(got["shape"], want["shape"], what="shape of the scores")
    # A bias in front of a batch norm has a gradient of zero, up to rounding.
    what = "gradients, in the order of use"
    assert_close(got["gradients"], want["gradients"], rtol=1e-6, atol=1e-7, what=what)
    for key in ("running means", "running variances"):
        # One per cent: a batch norm that stands in front of the upsampling sees each pixel once
        # and not four times, which is no mistake, and divides by n - 1 for another n.
        assert_close(got[key], want[key], rtol=1e-2, atol=1e-3, what=key)


SIZES = {
    "kernel": choices(3, 5, 7, 1),
    "filters": whole(2, 5),
    "colours": whole(3, 7),
    "channels": choices(1, 2, 3, 5),
}
PASSES = {**SIZES, "batch": choices(2, 3, 1), "training": choices(False, True)}


@check(
    "pool_upsample_net",
    points=6,
    hint="Compare each layer's sizes with the docstring, for kernels and channels of all sizes.",
)
@domain(**SIZES)
def pool_upsample_net_has_the_layers(student, reference, rng, **sizes):
    """PoolUpsampleNet sends a picture through the right layers, of the right sizes, in order."""
    require_layers(student, reference, rng, "PoolUpsampleNet", sizes)


self_check(pool_upsample_net_has_the_layers)


# %%
@check(
    "pool_upsample_net",
    points=8,
    hint="If all sizes are right, look at the order inside a block, at pooling and upsampling, "
    "and at what stands behind the last layer.",
)
@domain(**PASSES)
def pool_upsample_net_gives_the_scores(student, reference, rng, batch, training, **sizes):
    """PoolUpsampleNet gives the same scores as ours if both hold the same numbers."""
    require_scores(*probe(student, reference, rng, "PoolUpsampleNet", sizes, batch, training))


self_check(pool_upsample_net_gives_the_scores)


# %%
@check(
    "pool_upsample_net",
    points=6,
    hint="Does every layer take part in the gradient, and does each batch norm keep statistics?",
)
@domain(**SIZES)
def pool_upsample_net_can_learn(student, reference, rng, **sizes):
    """PoolUpsampleNet passes gradients back to each weight, and batch norm follows the data."""
    require_gradients(*probe(student, reference, rng, "PoolUpsampleNet", sizes, 3, True))


self_check(pool_upsample_net_can_learn)


# %% [markdown]
# # 3. Strides and transposed convolutions
#
# Max pooling throws three of four pixels away, and copying pixels adds nothing. Both can be left to
# convolutions, which learn how: one with stride 2 looks at every second place only, and so halves
# height and width.
#
# A *transposed* convolution goes the other way. Written as a matrix, a convolution with stride 2
# has a quarter as many rows as columns; the transposed convolution multiplies by the transpose of
# such a matrix. Each input pixel adds a copy of the kernel, times its own value, to the output, and
# the copies lie two pixels apart. With kernel size $k$, stride $s$, padding $p$ and output padding
# $o$ it makes
#
# $$(n - 1)\, s - 2p + k + o$$
#
# pixels out of $n$: padding takes pixels away here. Why the output padding? A convolution with
# stride 2 maps two sizes, 7 and 8 say, to the same one. On the way back somebody has to say which
# of the two is meant, and $o$ does.
#
# ## 3.1 ConvTransposeNet (20 points)
#
# The docstring says what comes after what. Sizes and channels are those of `PoolUpsampleNet`, and
# so is the number of weights. Again any odd $k$ must do.
#
# **Look out.** In PyTorch the weights of a transposed convolution have the shape (channels in,
# channels out, $k$, $k$), the other way round than those of a convolution. The constructor takes
# the channels in the usual order for both.

# %%
from reference.colour_nets import ConvTransposeNet


# %%
@check(
    "conv_transpose_net",
    points=6,
    hint="Compare each layer's sizes with the docstring, for kernels and channels of all sizes.",
)
@domain(**SIZES)
def conv_transpose_net_has_the_layers(student, reference, rng, **sizes):
    """ConvTransposeNet sends a picture through the right layers, of the right sizes, in order."""
    require_layers(student, reference, rng, "ConvTransposeNet", sizes)


self_check(conv_transpose_net_has_the_layers)


# %%
@check(
    "conv_transpose_net",
    points=8,
    hint="If all sizes are right, look at padding and output padding, at what stands between the "
    "layers, and at what stands behind the last one.",
)
@domain(**PASSES)
def conv_transpose_net_gives_the_scores(student, reference, rng, batch, training, **sizes):
    """ConvTransposeNet gives the same scores as ours if both hold the same numbers."""
    require_scores(*probe(student, reference, rng, "ConvTransposeNet", sizes, batch, training))


self_check(conv_transpose_net_gives_the_scores)


# %%
@check(
    "conv_transpose_net",
    points=6,
    hint="Does every layer take part in the gradient, and does each batch norm keep statistics?",
)
@domain(**SIZES)
def conv_transpose_net_can_learn(student, reference, rng, **sizes):
    """ConvTransposeNet passes gradients back to each weight, and batch norm follows the data."""
    require_gradients(*probe(student, reference, rng, "ConvTransposeNet", sizes, 3, True))


self_check(conv_transpose_net_can_learn)


# %% [markdown]
# ## 3.2 Other kernel sizes (5 points)
#
# With kernel size 3 the layers of stride 2 take the padding 1, and the transposed ones the output
# padding 1. How about other kernels, even ones among them? Solve the two formulas for $p$ and $o$,
# such that every even $n$ becomes $n / 2$ on the way down, and every $n$ becomes $2n$ on the way
# up. PyTorch wants $0 \le o < s$, and that leaves one solution for each $k$.
#
# (The convolutions with *stride 1* are another matter: with an even kernel and the same padding on
# both sides they cannot keep the size at all. That is why our networks ask for an odd $k$.)

# %%
from reference.colour_nets import padding_for


# %%
@check(
    "padding_for",
    points=3,
    hint="Put kernel sizes 4 and 5 into both formulas, with n = 8 and n = 16.",
)
@case("an even kernel", kernels=[3, 4], hidden=True)
@case("an odd kernel", kernels=[3, 5], hidden=True)
def padding_for_small_kernels(student, reference, rng, kernels):
    """padding_for knows the paddings for kernels of size 3, 4 and 5."""
    for kernel in rng.permutation(kernels).tolist():
        got, want = student.padding_for(kernel), reference.padding_for(kernel)
        assert_equal(list(got), list(want), what=f"paddings for kernel size {kernel}")


# %%
@check(
    "padding_for",
    points=2,
    hint="Solve for p and o once, for k in general; when is the rest of a division by 2 left?",
)
@case("the smallest", kernels=[2])
@case("odd ones", kernels=[7, 9, 11], hidden=True)
@case("even ones", kernels=[6, 8, 10, 64], hidden=True)
def padding_for_any_kernel(student, reference, rng, kernels):
    """padding_for knows the paddings for any kernel size from 2 up."""
    drawn = int(rng.integers(12, 32))
    for kernel in [*kernels, drawn, drawn + 1]:  # one of them is odd
        got, want = student.padding_for(kernel), reference.padding_for(kernel)
        assert_equal(list(got), list(want), what=f"paddings for kernel size {kernel}")


self_check(padding_for_any_kernel)


# %% [markdown]
# # 4. Skip connections
#
# An 8x8 picture knows *what* there is, and no longer exactly *where*. The first layers still know:
# the edges of the house are in their 16x16 pictures. A *skip connection* hands these to the late
# layers: it puts early pictures behind the late ones of the same size, as further channels. With
# such connections Ronneberger, Fischer and Brox (*U-Net*, 2015) found the outlines of cells.
#
# ## 4.1 UNet (14 points)
#
# Write `UNet`: a `ConvTransposeNet` with two skip connections, as the docstring says. There are no
# skip connections around single blocks, and nothing is added up: pictures are concatenated along
# the channels.
#
# **Look out.** Two layers now have more input channels than before. And the order of what you
# concatenate counts: the numbers that the check writes into your layers belong to that order, first
# the late pictures, then the early ones.

# %%
from reference.colour_nets import UNet


# %%
@check(
    "unet",
    points=4,
    hint="Which two layers see a skip connection, and how many channels does it bring?",
)
@domain(**SIZES)
def unet_has_the_layers(student, reference, rng, **sizes):
    """UNet sends a picture through the right layers, of the right sizes, in order."""
    require_layers(student, reference, rng, "UNet", sizes)


self_check(unet_has_the_layers)


# %%
@check(
    "unet",
    points=6,
    hint="If all sizes are right: what is concatenated with what, in which order, and is it the "
    "output of a whole block?",
)
@domain(**PASSES)
def unet_gives_the_scores(student, reference, rng, batch, training, **sizes):
    """UNet gives the same scores as ours if both hold the same numbers."""
    require_scores(*probe(student, reference, rng, "UNet", sizes, batch, training))


self_check(unet_gives_the_scores)


# %%
@check(
    "unet",
    points=4,
    hint="Gradients flow through the skip connections too: do not detach anything.",
)
@domain(**SIZES)
def unet_can_learn(student, reference, rng, **sizes):
    """UNet passes gradients back to each weight, and batch norm follows the data."""
    require_gradients(*probe(student, reference, rng, "UNet", sizes, 3, True))


self_check(unet_can_learn)


# %% [markdown]
# ## 4.2 DilatedUNet (5 points)
#
# How much of the picture does a pixel in the middle of a U-Net see? With $k = 3$ and stride 2, a
# pixel behind the first block sees 3 pixels in each direction, behind the second 7. A block more at
# stride 1 would add 8 to that. A *dilated* kernel is spread out: with dilation 2 its nine weights
# lie on every second place of 5x5 pixels (Yu and Koltun, *Multi-Scale Context Aggregation by
# Dilated Convolutions*, 2016). So the block adds 16, at the same number of weights: 23 pixels of
# 32.
#
# Write `DilatedUNet`, a `UNet` with such a block in its middle. The formula of Question 2.1 tells
# the padding that keeps the size, again for every odd $k$.

# %%
from reference.colour_nets import DilatedUNet


# %%
@check(
    "dilated_unet",
    points=2,
    hint="Where does the new block stand, how many channels has it, and which padding for each k?",
)
@domain(**SIZES)
def dilated_unet_has_the_layers(student, reference, rng, **sizes):
    """DilatedUNet sends a picture through the right layers, of the right sizes, in order."""
    require_layers(student, reference, rng, "DilatedUNet", sizes)


self_check(dilated_unet_has_the_layers)


# %%
@check("dilated_unet", points=3, hint="Which of the convolutions is dilated, and what follows it?")
@domain(**PASSES)
def dilated_unet_gives_the_scores(student, reference, rng, batch, training, **sizes):
    """DilatedUNet gives the same scores as ours if both hold the same numbers, and learns."""
    got, want = probe(student, reference, rng, "DilatedUNet", sizes, batch, training)
    require_scores(got, want)
    require_gradients(got, want)


self_check(dilated_unet_gives_the_scores)


# %% [markdown]
# # 5. Training
#
# ## 5.1 The loss (4 points)
#
# Colouring a picture is one classification for each pixel. With scores $s_{b, j, h, w}$, and $c$
# for the number of the right colour of a pixel, the loss is the mean cross-entropy
#
# $$L = -\frac{1}{B H W} \sum_{b, h, w} \log
# \frac{\exp s_{b, c, h, w}}{\sum_j \exp s_{b, j, h, w}} .$$
#
# Write `colour_loss`. You may use what PyTorch has. If you write it out yourself, mind large
# scores: $\exp 1000$ is more than a computer can hold, though the loss is an ordinary number.
#
# **Look out.** The colours stand on axis 1 and not on the last one. A `reshape` to two axes that
# does not move them first mixes pixels with colours, and raises no error.

# %%
from reference.colorization import colour_loss


# %%
def loss_and_slopes(notebook, scores, categories):
    """Return the loss and its gradient with respect to the scores."""
    leaf = torch.tensor(scores, requires_grad=True)
    value = notebook.colour_loss(leaf, torch.tensor(categories))
    value.backward()
    return {"shape": list(value.shape), "loss": value.detach().numpy(), "slopes": leaf.grad.numpy()}


@check(
    "colour_loss",
    points=4,
    hint="A mean over pixels of the cross-entropy of scores; compare the axes one by one.",
)
@domain(
    scores=arrays("n k height width", dtypes=["float64", "float32"]),
    categories=indices("n 1 height width", below="k"),
    sizes={"n": (1, 4), "k": (2, 24)},
)
def colour_loss_matches_reference(student, reference, rng, scores, categories):
    """colour_loss is the mean cross-entropy over all pixels, and gradients flow through it."""
    got = student.apply(loss_and_slopes, scores, categories)
    want = reference.apply(loss_and_slopes, scores, categories)
    assert_equal(got["shape"], want["shape"], what="shape of the loss")
    assert_close(got["loss"], want["loss"], what="loss")
    assert_close(got["slopes"], want["slopes"], what="gradient of the loss")


self_check(colour_loss_matches_reference)


# %% [markdown]
# ## 5.2 An epoch of training (3 points)
#
# Write `colour_epoch`: one pass over the pictures, one step of the optimizer for each batch. You
# know the four moves of a step: forget the old gradients, compute the loss, compute its gradients,
# step.
#
# **Look out.** PyTorch *adds* new gradients to those that are there, and the caller's model may
# bring some along. Batch norm works in two ways, and an evaluation between two epochs leaves it in
# the wrong one for training. And whoever adds up losses that still know how they came about keeps
# every batch's intermediate results in memory: take plain numbers.
#
# (Not sure of your `colour_loss` yet? PyTorch's own cross-entropy will do here.)

# %%
from reference.colorization import colour_epoch


# %% given=true
from reference.probes.colour_nets import train_small_network


# %%
def require_float(number, what):
    """Fail unless a number is a plain float."""
    kind = type(number).__name__
    assert_that(isinstance(number, float), f"{what}: a {kind}, expected a plain float")


def compare_epochs(student, reference, rng, count, batch_size, settings, evaluating, device="cpu"):
    """Fail unless an epoch leaves the same weights, the same mode and the same mean loss."""
    shape, colours = (count, 1, 5, 4), 4
    weights = rng.normal(size=36 + 4 * colours)
    grey, categories = rng.normal(size=shape), rng.integers(colours, size=shape)
    arguments = weights, grey, categories, batch_size, settings, evaluating
    got = student.apply(train_small_network, *arguments, device)
    want = reference.apply(train_small_network, *arguments, "cpu")
    for key in ("weights", "running means", "loss"):
        assert_close(got[key], want[key], rtol=1e-6, atol=1e-8, what=key)
    require_float(got["loss"], "loss")
    what = "scores of the model afterwards, in the mode that it was left in"
    assert_close(got["later"], want["later"], rtol=1e-6, atol=1e-8, what=what)
    for key, value in (("grey", grey), ("categories", categories)):
        assert_close(got[key], value, what=f"{key}, which are the caller's")


@check(
    "colour_epoch",
    points=3,
    hint="Old gradients, mode, the last batch, and the mean loss: the docstring has each of them.",
)
@domain(
    count=choices(6, 4, 9, 5),
    batch_size=choices(3, 4, 50),
    evaluating=choices(False, True),
    lr=interval(0.01, 0.2),
    momentum=choices(0.0, 0.9),
)
def colour_epoch_follows_reference(
    student, reference, rng, count, batch_size, evaluating, **settings
):
    """colour_epoch leaves the weights and returns the loss that ours does."""
    compare_epochs(student, reference, rng, count, batch_size, settings, evaluating)


self_check(colour_epoch_follows_reference)


# %% [markdown]
# ## 5.3 Evaluation (3 points)
#
# Write `evaluate`, which tells how good a model is on pictures that it has not been trained on: its
# loss, and the share of pixels whose right colour has the highest score.
#
# The model that the check hands over has a last layer that tells what it meets: recorded gradients,
# or more pictures at once than `batch_size`, move the scores.
#
# **Look out.** In training mode batch norm uses the statistics of the batch at hand, and its
# running means follow. An evaluation in that mode depends on how the pictures are batched, and it
# changes the model that it was to judge.

# %%
from reference.colorization import evaluate


# %% given=true
from reference.probes.colour_nets import evaluate_small_network


# %%
@check(
    "evaluate",
    points=3,
    given=["colour_loss"],
    hint="Mode, gradients, means over all pixels, and everything left as it was found.",
)
@domain(count=choices(6, 4, 7, 5), batch_size=choices(3, 10, 1), training=choices(True, False))
def evaluate_matches_reference(student, reference, rng, count, batch_size, training):
    """Loss and accuracy over all pixels agree with ours, and the model is left as it was."""
    shape, colours = (count, 1, 6, 5), 5
    weights = rng.normal(size=36 + 4 * colours)
    grey, categories = rng.normal(size=shape), rng.integers(colours, size=shape)
    telling = rng.normal(size=(3, colours)).tolist()
    arguments = weights, grey, categories, batch_size, training, telling
    got = student.apply(evaluate_small_network, *arguments)
    want = reference.apply(evaluate_small_network, *arguments)
    assert_close(got["values"], want["values"], rtol=1e-6, atol=1e-9, what="(loss, accuracy)")
    for name, value in zip(("loss", "accuracy"), got["values"], strict=True):
        require_float(value, name)
    assert_close(got["state"], want["state"], what="weights and statistics of the model afterwards")
    what = "scores of the model afterwards, in the mode that it was left in"
    assert_close(got["later"], want["later"], rtol=1e-6, atol=1e-8, what=what)
    for key, value in (("grey", grey), ("categories", categories)):
        assert_close(got[key], value, what=f"{key}, which are the caller's")


self_check(evaluate_matches_reference)


# %% [markdown]
# ## 5.4 Curves
#
# A training that goes wrong shows in its curves first: a training loss that does not fall, or a
# validation loss that rises while the other falls. Write `plot_curves`, which draws both. The check
# below it tells you what your figure lacks, and scores nothing: figures are for people, and a
# person looks at yours in Question 5.6.
#
# **Look out.** Epochs are counted from 1. A reader wants to know which line is which, and what
# the axes measure.

# %%
from reference.colorization import plot_curves


# %%
@check(
    "plot_curves",
    points=0,
    hint="Two labelled lines over epochs 1, 2, …, a legend, and a name at each axis.",
)
@case("five epochs", count=5)
@case("a single epoch", count=1, hidden=True)
@case("twelve epochs, lists of unlike length", count=12, fewer=4, hidden=True)
def plot_curves_draws_both(student, reference, rng, count, fewer=0):
    """plot_curves draws both lists over their epochs, and says what is what."""
    training = rng.uniform(size=count).tolist()
    validation = rng.uniform(size=count - fewer).tolist()
    got = student.apply(drawn, "plot_curves", training, validation)
    want = reference.apply(drawn, "plot_curves", training, validation)
    assert_figure(got, want, data=["curves"], scales=False)
    mine, ours = ({c["label"]: c["y"] for c in panel["curves"]} for panel in (got[0], want[0]))
    assert_close(mine, ours, what="losses by their label")


self_check(plot_curves_draws_both)


# %% [markdown]
# ## 5.5 The networks learn (6 points)
#
# Now train: the next two cells give each of the four networks the same pictures, the same number of
# epochs and the same optimizer, Adam. That takes a few minutes at most. You have nothing to write
# here, but change what you like and look at what happens.
#
# **How this is graded.** Grading does not repeat your training. It makes a small
# `PoolUpsampleNet`, `ConvTransposeNet` and `UNet` of yours, with the initial weights that your
# class gives them, 8 filters and a palette of 8 colours. It trains each with a loop of its own, by
# Adam in double precision, for some batches of 4 fresh landscapes. Ours begins with the same
# weights and sees the same batches; after them both must give the same scores. Then ours goes on
# from your weights for 100 batches, and colours 50 landscapes that it has not seen. (Where grading
# has a GPU, yours is trained there, and ours on the CPU.) You get two
# points for each network for which at least half of their pixels are as they should be. From our
# own starts it is two thirds on average, and 54 % in the worst of 48 trainings; a network that
# learns nothing stays below 30 %. (The thresholds hold for landscapes; photographs would need
# others. All landscapes of a grading may lie on their sides or stand on their heads, and their
# colours are numbered anew: a network that was trained elsewhere is of no use.)

# %%
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
FILTERS, BATCH = 12, 10


def prepare(pictures):
    """Return the grey pictures and the right colours, as tensors where the networks are."""
    categories = get_rgb_cat(pictures, COLOURS)
    return [torch.tensor(array, device=DEVICE) for array in (to_grey(pictures), categories)]


def fit(network, epochs, seed=0):
    """Train a network from the start; return it and its (training, validation, accuracy) lists."""
    torch.manual_seed(seed)
    net = network(3, FILTERS, len(COLOURS), 1).to(DEVICE)
    adam = torch.optim.Adam(net.parameters())
    history = [], [], []
    for epoch in range(epochs):
        adam.param_groups[0]["lr"] = 5e-3 * (1 - epoch / epochs)
        history[0].append(colour_epoch(net, adam, *TRAINING_SET, BATCH))
        for values, value in zip(history[1:], evaluate(net, *VALIDATION_SET, BATCH), strict=True):
            values.append(value)
    return net, history


def show(net, what, count=8):
    """Draw validation pictures: grey, as the network colours them, and as they are."""
    with torch.no_grad():
        numbers = net.eval()(VALIDATION_SET[0][:count]).argmax(dim=1, keepdim=True).cpu().numpy()
    pictures = VALIDATION[:count]
    rows = np.repeat(to_grey(pictures), 3, axis=1), get_cat_rgb(numbers, COLOURS), pictures
    _, panel = plt.subplots(figsize=(9, 3.6))
    panel.imshow(np.concatenate([mosaic(row) for row in rows]))
    panel.set_title(what)
    panel.set_axis_off()


# %%
# Shares of validation pixels that are usual: for landscapes after the 8 epochs of this cell, with
# seeds 0 and 1; for horses as published, after 25 epochs of networks with 32 filters.
USUAL = {
    "scenes": {
        "PoolUpsampleNet": "about 51 %",
        "ConvTransposeNet": "about 50 %",
        "UNet": "68 to 69 %",
        "DilatedUNet": "about 70 %",
    },
    "cifar10": {
        "PoolUpsampleNet": "about 41 % after 25 epochs",
        "ConvTransposeNet": "about 55 % after 25 epochs",
        "UNet": "about 58 % after 25 epochs",
    },
}
EPOCHS = budget(8, graded=0)
if EPOCHS:
    with suppress(NotImplementedError):  # as long as something is not written
        TRAINING_SET, VALIDATION_SET = prepare(TRAINING), prepare(VALIDATION)
        for network in (PoolUpsampleNet, ConvTransposeNet, UNet, DilatedUNet):
            trained, (training, validation, accuracies) = fit(network, EPOCHS)
            plot_curves(training, validation)
            name, usual = network.__name__, USUAL[DATA_SET].get(network.__name__, "unknown")
            found = f"loss {validation[-1]:.2f}, accuracy {accuracies[-1]:.0%} (usual: {usual})"
            show(trained, f"{name}, {found}\ngrey, as it colours them, as they are")

# %% hidden=true
# Shares of pixels, by data set. One training of the reference's networks gave, with 16 seeds,
#                     mean  std.dev.  least
#   PoolUpsampleNet   0.655    0.031  0.559
#   ConvTransposeNet  0.651    0.027  0.576
#   UNet              0.713    0.048  0.544
# and, with 200 seeds and landscapes that were not turned, 3 of 600 below 0.5; the mistakes stayed
# below 0.37. Unlucky initial weights are rare, and no normal deviation; that three trainings are
# all unlucky happens in far less than one of a thousand gradings.
from functools import lru_cache

from reference.probes.colour_nets import train_colourer

PASSING = {"scenes": {"PoolUpsampleNet": 0.5, "ConvTransposeNet": 0.5, "UNet": 0.5}}
TRAININGS = 3
METRIC_PALETTE = kmeans_colours(
    make_scenes(100, np.random.default_rng(5)), 8, np.random.default_rng(6)
)


def disguised_scenes(rng, count):
    """Return grey landscapes and the numbers of their colours, in a form that nobody knows."""
    return scenes_of(int(rng.integers(2**63)), count)


@lru_cache(maxsize=4)  # to draw them takes as long as a student's batches, and none changes them
def scenes_of(seed, count):
    """Return the landscapes of a seed, and numbers.

    The colours are numbered anew, and all pictures turned by the same number of right angles.
    """
    rng = np.random.default_rng(seed)
    scenes = make_scenes(count, rng)
    distances = (METRIC_PALETTE**2).sum(axis=1) - 2 * np.moveaxis(scenes, 1, -1) @ METRIC_PALETTE.T
    right = rng.permutation(len(METRIC_PALETTE)).astype(np.uint8)[distances.argmin(axis=-1)]
    grey = to_grey(scenes) + 0.01 * rng.normal(size=(count, 1, 32, 32)).astype(np.float32)
    turns = int(rng.integers(4))
    return np.rot90(grey, turns, (2, 3)).copy(), np.rot90(right, turns, (1, 2)).copy()


def require_learning(student, reference, rng, name, count=400, unseen=50, few=60):
    """Fail unless a network trains as ours does from the same start, and gets somewhere from it.

    A student's network makes a few batches; ours begins with the same numbers and has to make the
    same of them. So ours can do the rest: after a hundred batches it must colour most pixels of
    unseen landscapes rightly. Where the initial weights were unlucky, others are tried, if there
    are others. The student's network is trained where this run computes, and ours on the CPU.
    """
    grey, right = disguised_scenes(rng, count + unseen)
    new, colours = grey[count:], len(METRIC_PALETTE)
    some = grey[:few], right[:few], new[:4], colours, True
    none = grey[:0], right[:0], *some[2:]
    shapes = reference.apply(train_colourer, name, None, *none, "cpu")["start"]
    starts = []
    while len(starts) < TRAININGS:
        got = student.apply(train_colourer, name, None, *some, run_device())
        what = "what the layers hold at first"
        assert_equal(len(got["start"]), len(shapes), what=f"{what}: number of arrays")
        for mine, ours in zip(got["start"], shapes, strict=True):
            assert_shape(mine, ours.shape, what=what)
        if starts and all(map(np.array_equal, got["start"], starts[-1])):
            break  # what begins with the same numbers comes to the same
        starts.append(got["start"])
        want = reference.apply(train_colourer, name, got["start"], *some, "cpu")
        # Adam divides by gradients of any size, and rounding grows from step to step.
        what = f"scores after {few // 4} batches"
        assert_close(got["scores"], want["scores"], rtol=1e-4, atol=1e-4, what=what)
        every = grey[:count], right[:count], new, colours, False
        found = reference.apply(train_colourer, name, got["start"], *every, "cpu")
        numbers = found["numbers"]
        share, wanted = float((numbers == right[count:]).mean()), PASSING["scenes"][name]
        if share >= wanted:
            return
    assert_that(
        False,
        f"from its initial weights, {name} colours {share:.0%} of the pixels rightly, in the last "
        f"of {len(starts)} trainings; at least {wanted:.0%} are wanted",
    )


@check(
    "training",
    points=2,
    seconds=30,
    hint="Do gradients reach every layer, and are all layers registered? Look at your own curves.",
)
@case("a hundred batches", hidden=True)
def pool_upsample_net_learns(student, reference, rng):
    """PoolUpsampleNet learns to colour landscapes in a hundred batches."""
    require_learning(student, reference, rng, "PoolUpsampleNet")


@check(
    "training",
    points=2,
    seconds=30,
    hint="Do gradients reach every layer, and are all layers registered? Look at your own curves.",
)
@case("a hundred batches", hidden=True)
def conv_transpose_net_learns(student, reference, rng):
    """ConvTransposeNet learns to colour landscapes in a hundred batches."""
    require_learning(student, reference, rng, "ConvTransposeNet")


@check(
    "training",
    points=2,
    seconds=30,
    hint="Do gradients reach every layer, and are all layers registered? Look at your own curves.",
)
@case("a hundred batches", hidden=True)
def unet_learns(student, reference, rng):
    """UNet learns to colour landscapes in a hundred batches."""
    require_learning(student, reference, rng, "UNet")


# %% [markdown]
# ## 5.6 What the curves say (8 points)
#
# Hand the notebook in with the figures that your `plot_curves` drew in the cell above (or paste
# them into your answer): three of the points are for them. Then answer in a few sentences each, and
# name the numbers that you measured:
#
# 1. Do the coloured pictures look good? Which things does a network colour wrongly, and is this a
#    matter of what it knows, of where it thinks things are, or of how long it was trained?
# 2. Which of the four networks did best, by loss and by accuracy? For CIFAR-10's horses, 25 epochs
#    of networks with 32 filters gave others about 41 % with pooling, 55 % with transposed
#    convolutions and 58 % with a U-Net. Do you find the same order on your pictures? Is your
#    evidence enough to say so?
# 3. Why could transposed convolutions do better than pooling and upsampling, and what do skip
#    connections add to that?

# %% [markdown] manual=true question="curves_comment" points=8
# ### BEGIN SOLUTION
# (Landscapes, 8 epochs, seed 0; every number changes a little from run to run.)
#
# 1. *Pictures.* All four networks know sky, sun and meadow. Without skip connections the edges are
# rounded, and the meadow gets flat patches of green: the dark and light pixels of its texture are
# gone at 8x8 and cannot come back. With them texture and edges are right, but *what* a thing is, is
# often wrong: dark trees come out brown and light ones pink, like houses of that brightness.
# PoolUpsampleNet tells trees from houses best. In the last epoch both losses still fall and lie
# close together: nothing has converged, nothing overfits, and a longer training would help.
# 2. *Numbers.* Validation loss and accuracy: PoolUpsampleNet 1.23 and 51 %, ConvTransposeNet 1.24
# and 50 %, UNet 0.84 and 68 %, DilatedUNet 0.81 and 70 %. On the horses transposed convolutions
# beat pooling clearly; here the two are equal. That U-Nets are best holds for both. One seed is
# little evidence: a second one gave 51, 50 and 69 % for the first three, so the gap of 17 points
# between U-Net and the others is far larger than what a seed changes, while one point between
# pooling and transposed convolutions, or two between the U-Nets, say little.
# 3. *Reasons.* Max pooling throws away which of four pixels was the largest, and copying a pixel
# makes blocks. Convolutions with strides have weights for shrinking and enlarging, and so can keep,
# in further channels, what sets an edge rightly. But all has to pass through 8x8 pixels.
# A skip connection leads around that: the last layer sees the input's own pixels and the fourth
# block the edges of the first, while the deep part only has to say what is there.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 3 points: the figures of Question 5.4, drawn by the student's own `plot_curves` from the losses
#   of the trainings: both lines over epochs from 1, named in a legend (2); a name at each axis (1).
# - 1 point: judges the pictures by what can be seen in them, with an example of what is wrong.
# - 1 point: says whether training has converged, from the curves (both losses, their last epochs).
# - 1 point: names the best network by measured losses and accuracies, and compares the order with
#   the published one, whatever it turns out to be. No point for claiming an order that the numbers
#   at hand do not show.
# - 1 point: weighs the evidence: one seed, one data set; a second run, or the size of the
#   differences against those between seeds.
# - 1 point: reasons. Strides and transposed convolutions learn how to shrink and enlarge, while
#   pooling throws away where the largest pixel was and copying makes blocks; skip connections bring
#   the places of edges back to the late layers. "Upsamples better" without a reason earns nothing.
# === END MARK SCHEME ===

# %% [markdown]
# # 6. On a GPU
#
# ## 6.1 The same, elsewhere (3 points)
#
# A network trains many times faster on a GPU than on a processor, if its code does not get in the
# way: with a tensor that it makes on the CPU, or numbers that it fetches in each step. You have
# nothing to write here. Grading runs your `UNet`, `colour_epoch` and `nearest_colours` on a GPU and
# compares them with ours, one point for each. `nearest_colours` may take at most three times as
# long as ours there, and at most twice the memory of an array with a number for each pixel and each
# colour. These points wait until grading has a GPU; nothing is lost as long as it has none.


# %%
@check(
    "on_a_gpu",
    points=1,
    device="cuda",
    seconds=30,
    hint="Which tensor does the network make by itself, and on which device?",
)
@case("kernel size 3", kernel=3, filters=3, colours=4, channels=1, hidden=True)
@case("kernel size 5", kernel=5, filters=2, colours=3, channels=2, hidden=True)
def unet_works_on_a_gpu(student, reference, rng, **sizes):
    """UNet gives the same scores and gradients on a GPU, in training."""
    got, want = probe(student, reference, rng, "UNet", sizes, 2, True, "cuda")
    require_scores(got, want)
    require_gradients(got, want)


@check(
    "on_a_gpu",
    points=1,
    device="cuda",
    seconds=30,
    hint="The pictures are on the model's device already; bring numbers back only at the end.",
)
@case("two batches", count=6, batch_size=3, settings={"lr": 0.1}, hidden=True)
@case("three batches", count=7, batch_size=3, settings={"lr": 0.1, "momentum": 0.5}, hidden=True)
def colour_epoch_works_on_a_gpu(student, reference, rng, count, batch_size, settings):
    """colour_epoch trains a model on a GPU as ours does."""
    compare_epochs(student, reference, rng, count, batch_size, settings, True, "cuda")


@check(
    "on_a_gpu",
    points=1,
    device="cuda",
    seconds=30,
    hint="Is there an array with a number for each pixel, each colour and each channel?",
)
@case("256 colours", rounds=32, count=256, hidden=True)
def nearest_colours_is_fast_on_a_gpu(student, reference, rng, rounds, count):
    """nearest_colours takes at most three times as long as ours on a GPU, and twice the memory."""
    require_memory(student, reference, rng, count, 2, "cuda", kept=0)
    require_speed(student, reference, rng, rounds, count, 3, "cuda")
