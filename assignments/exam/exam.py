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
    arrays,
    assert_close,
    assert_equal,
    assert_shape,
    assert_that,
    budget,
    case,
    check,
    choices,
    derived,
    domain,
    interval,
    like,
    matches_reference,
    self_check,
    whole,
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
# Give the shapes of the outputs of a to f, and of what layer f gets (`shape_joined`). Those of a
# and f count half a point each, the others one.


# %% given=true
from reference.figures.convolutions import draw_network

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
    points=5,
    hint="Follow height and width down and up again; a join adds channels and nothing else.",
)
@case("b", name="shape_b", hidden=True)
@case("c", name="shape_c", hidden=True)
@case("d", name="shape_d", hidden=True)
@case("e", name="shape_e", hidden=True)
@case("joined", name="shape_joined", hidden=True)
def inner_shapes_are_right(student, reference, rng, name):
    """The outputs of the layers b to e, and of the join, have the shapes that you gave."""
    assert_close(student[name], np.array(reference[name]), what=name)


@check("network_shapes", points=1, hint="Padding 1 makes up for a kernel of 3.")
@case("a", name="shape_a", hidden=True)
@case("f", name="shape_f", hidden=True)
def outer_shapes_are_right(student, reference, rng, name):
    """The outputs of the layers a and f have the shapes that you gave."""
    assert_close(student[name], np.array(reference[name]), what=name)


@check("network_shapes", points=0)
@case("seven shapes")
def network_shapes_have_the_right_form(student, reference, rng):
    """Each answer is a tuple of four numbers; whether they are right is found when grading."""
    for name in "abcdef":
        assert_shape(student[f"shape_{name}"], (4,), what=f"shape_{name}")
    assert_shape(student.shape_joined, (4,), what="shape_joined")


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
# 3, 2, and 1½ each for kernels 3 and 4.


# %% given=true
from reference.figures.convolutions import draw_edges

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
    hint="The pixel that arrives comes from the right. Then turn the kernel around.",
)
@case("as it is", name="shift_correlation", turned=False, hidden=True)
@case("turned first", name="shift_convolution", turned=True, hidden=True)
def shifts_are_right(student, reference, rng, name, turned):
    """The kernel moves every image by one pixel to the left, in its kind of layer."""
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
@domain(
    skip=whole(1, 4), deep=whole(1, 3), middle=whole(1, 6), kernel=choices(3, 1, 5, 7), visible=1
)
def pass_through_weights_make_the_identity(student, reference, rng, skip, deep, middle, kernel):
    """With your weights the network hands on every image as it is, whatever the deep features."""
    got = student.pass_through_weights(skip, deep, middle, kernel)
    assert_that(isinstance(got, (tuple, list)) and len(got) == 2, "return two arrays of weights")
    assert_shape(got[0], (middle, deep, kernel, kernel), what="weights of e")
    assert_shape(got[1], (skip, skip + middle, kernel, kernel), what="weights of f")
    x, h = rng.normal(size=(2, skip, 6, 7)), 3 * rng.normal(size=(2, deep, 6, 7))
    assert_close(end_of_network(x, h, *got), x, what="output")


self_check(pass_through_weights_make_the_identity)


# %% [markdown]
# ## 1.5 Receptive fields (7 points)
#
# One unit of a layer's output depends on a square of the input: its receptive field. Write a
# function that returns the length of its side for any stack of layers, each given by kernel
# size, stride and dilation. A kernel of size $k$ with dilation $\delta$ takes every $\delta$-th
# pixel. (4 points)
#
# Then give the side of the receptive field in the input image for a unit of (1 point each)
#
# - `field_three`: the last of three convolutions with kernel 3 and stride 2;
# - `field_d`: the layer d of the network that begins with a: kernel 3, stride 1; b: kernel 3,
#   stride 2; c: kernel 3, stride 2; d: kernel 3, stride 1;
# - `field_d_pointwise`: the same layer d, if its kernel were 1 × 1.

# %%
from reference.receptive_fields import receptive_field


# %% given=true
from reference.probes.layer_stacks import draw_stack


# %%
@check(
    "receptive_field",
    points=4,
    pure=True,
    hint="How far apart in the image are neighbours of a layer?",
)
@case("no layers", dilation=1, stacks=[[], []], hidden=True)
@domain(
    sizes={"count": (1, 6)},
    dilation=choices(1, 2, 3, 4),
    stacks=derived(
        lambda rng, count, dilation: [draw_stack(rng, count, dilation) for _ in range(2)],
        "two stacks of `count` layers, each as draw_stack returns it",
    ),
)
def receptive_field_matches_reference(student, reference, rng, dilation, stacks):
    """receptive_field is right for stacks of layers with kernels and strides of many sizes."""
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
    "receptive_field", points=3, hint="The last layer's own stride plays no part; the others' do."
)
@case("three layers of stride 2", name="field_three", hidden=True)
@case("layer d", name="field_d", hidden=True)
@case("layer d, pointwise", name="field_d_pointwise", hidden=True)
def fields_are_right(student, reference, rng, name):
    """The three receptive fields in the input image are right."""
    assert_close(student[name], reference[name], what=name)


@check("receptive_field", points=0)
@case("whole numbers")
def fields_have_the_right_form(student, reference, rng):
    """Each answer is a single number; whether it is right is found when grading."""
    for name in ("field_three", "field_d", "field_d_pointwise"):
        assert_shape(student[name], (), what=name)


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
# Give one letter for each panel, none of them twice. Two letters are left over. Each panel is worth
# a point.

# %% given=true
from reference.figures.sgd_runs import draw_runs

if budget(True, graded=False):
    draw_runs()

# %%
from reference.answers.exam import panel_1, panel_2, panel_3, panel_4, panel_5, panel_6


# %%
@check(
    "curves", points=6, hint="Look at both curves, at the level where they end, and at the shape."
)
@case("panel 1", panel=1, hidden=True)
@case("panel 2", panel=2, hidden=True)
@case("panel 3", panel=3, hidden=True)
@case("panel 4", panel=4, hidden=True)
@case("panel 5", panel=5, hidden=True)
@case("panel 6", panel=6, hidden=True)
def curves_are_right(student, reference, rng, panel):
    """The panel has the cause that you gave."""
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


# %% [markdown]
# ## 2.2 One line is missing (2 points)
#
# This loop raises no error, and still the model learns badly. Where is which line missing?
#
# ```python
# for images, labels in train_loader:
#     preds = net(images)
#     cost = criterion(preds, labels)
#     cost.backward()
#     optim.step()
# ```
#
# Write what is inside of the loop, with that line, as a function that trains on one batch and
# returns its loss. There is no other slip in it, and no other line to be changed.

# %%
from reference.training import train_on_batch


# %% given=true
from reference.probes.training_loops import run_train_on_batch


# %%
@check("train_on_batch", points=2, hint="Which gradients does a step use, in the second batch?")
@domain(counts=choices(False, True), visible=1)
def train_on_batch_takes_clean_steps(student, reference, rng, counts):
    """Each step uses the gradient of its batch and no other."""
    outputs = 1 if counts else 3
    weights = [rng.normal(size=shape) for shape in ((outputs, 4), outputs)]
    labels = rng.poisson(2.0, size=(13, 1)).astype(float) if counts else rng.integers(3, size=13)
    arguments = weights, rng.normal(size=(13, 4)), labels, [5, 5, 3], counts
    got = student.apply(run_train_on_batch, *arguments)
    want = reference.apply(run_train_on_batch, *arguments)
    assert_close(got, want, what="(losses, weights)")


self_check(train_on_batch_takes_clean_steps)


# %% [markdown]
# ## 2.3 A loop with five slips (3 points)
#
# This function is to train a model for one epoch and to return the loss of each batch. It contains
# **five** slips. Some of them raise an error, and some only spoil the training or fill the memory.
# Clean steps, the mode, and what is returned count a point each.
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


# %% given=true
from reference.probes.training_loops import draw_epochs, run_train_epoch


# %%
@check(
    "train_epoch",
    points=1,
    hint="Old gradients, the name of what the model sees, and the order of the loss's arguments.",
)
@domain(counts=choices(False, True), adaptive=choices(False, True), visible=1)
def train_epoch_takes_clean_steps(student, reference, rng, counts, adaptive):
    """Three epochs of a model without modes give the right losses and weights."""
    arguments = draw_epochs(rng, [5, 5, 3], counts, epochs=3, adaptive=adaptive)
    got = student.apply(run_train_epoch, *arguments)
    want = reference.apply(run_train_epoch, *arguments)
    assert_close(got["losses"], want["losses"], what="losses[epoch, batch]")
    assert_close(got["weights"], want["weights"], what="weights")


self_check(train_epoch_takes_clean_steps)


# %%
@check("train_epoch", points=1, hint="Which mode does the model train in, and who sees to it?")
@domain(counts=choices(False, True), visible=1)
def train_epoch_trains_in_training_mode(student, reference, rng, counts):
    """After one batch the loss and the running statistics are those of training mode."""
    arguments = draw_epochs(rng, [9], counts, normed=True)
    got = student.apply(run_train_epoch, *arguments)
    want = reference.apply(run_train_epoch, *arguments)
    assert_close(got["losses"], want["losses"], what="losses[epoch, batch]")
    assert_close(got["statistics"], want["statistics"], what="running statistics")


self_check(train_epoch_trains_in_training_mode)


# %%
@check("train_epoch", points=1, hint="What does each item of the list hold on to?")
@domain(counts=choices(False, True), visible=1)
def train_epoch_keeps_no_graph(student, reference, rng, counts):
    """The list has one plain number for each batch, the first of them right."""
    arguments = draw_epochs(rng, [4, 3], counts)
    got = student.apply(run_train_epoch, *arguments)
    want = reference.apply(run_train_epoch, *arguments)
    # Only the first loss: a slip that shows after the first step is paid for above.
    assert_shape(got["losses"], (1, 2), what="losses[epoch, batch]")
    assert_close(got["losses"][0][0], want["losses"][0][0], what="the first loss")
    assert_that(got["plain"] is True, "losses: return Python floats, which hold on to nothing")


self_check(train_epoch_keeps_no_graph)


# %% [markdown]
# ## 2.4 All that apply (4 points)
#
# Two questions, 2 points each. Give the letters of **all** changes that apply, as a text such as
# `"AE"`. One letter too many or too few costs half of a question's points, two cost all.
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


# %% given=true
from reference.probes.written_letters import letters_of


# %%
@check("all_that_apply", points=4, hint="Take the changes one by one, in the smallest example.")
@case("the limit, one letter off", name="changes_the_limit", most_wrong=1, hidden=True)
@case("the limit", name="changes_the_limit", most_wrong=0, hidden=True)
@case("the outputs, one letter off", name="keeps_the_outputs", most_wrong=1, hidden=True)
@case("the outputs", name="keeps_the_outputs", most_wrong=0, hidden=True)
def all_that_apply_are_right(student, reference, rng, name, most_wrong):
    """All changes that apply are named, and no other."""
    answer, right = student[name], reference[name]
    letters = letters_of(answer)
    if not letters or len(set(letters) ^ set(right)) > most_wrong:
        assert_equal(letters or answer, right, what=name)


@check("all_that_apply", points=0)
@case("two texts")
def all_that_apply_have_the_right_form(student, reference, rng):
    """Both answers are texts of letters from A to F; whether they are right is found later."""
    for name in ("changes_the_limit", "keeps_the_outputs"):
        letters = letters_of(student[name])
        assert_that(letters != "" and set(letters) <= set("ABCDEF"), f'{name}: a text such as "AE"')


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
WORDS = ["this", "This", "this", "exam", "is", "a", "midterm", "exam", "exam"]
SENTENCES = {
    "words": derived(
        lambda rng, length: [str(word) for word in rng.permutation(WORDS[:length])],
        "a sentence of `length` words, some of which come back",
    ),
    "sharpness": choices(1.3, 0.0, -1.7, 800.0, 2000.0, -2000.0),
}
attention_grid_matches_reference = matches_reference(
    "attention_grid",
    points=3,
    said="attention_grid has the right weights for sentences in which words come back.",
    returns="weights",
    sizes={"length": (1, 9)},
    arguments=SENTENCES | {"causal": choices(False, optional=True)},
    hint="Subtract each row's largest score before the softmax.",
)

self_check(attention_grid_matches_reference)


# %%
causal_attention_grid_matches_reference = matches_reference(
    "attention_grid",
    name="causal_attention_grid_matches_reference",
    points=3,
    said="With causal=True no word attends to a later one.",
    returns="weights",
    sizes={"length": (1, 9)},
    arguments=SENTENCES | {"causal": choices(True)},
    hint="Mask before the softmax; subtract each row's largest score.",
)

self_check(causal_attention_grid_matches_reference)


# %% [markdown]
# ## 3.2 Three weights (3 points)
#
# The sentence is *this exam is a midterm exam*, with positions 1 to 6. The scores are as in
# Question 3.1: two equal words have the score $s$, two different ones 0, and the weights are the
# softmax. Now $s = \ln 3$. Give, as exact numbers (1 point each),
#
# - `weight_exam`: the weight with which position 6 attends to position 2, if it sees all words;
# - `weight_midterm`: the weight with which position 5 attends to itself, if it sees all words;
# - `weight_is`: the weight with which position 3 attends to position 1 in a causal grid.

# %%
from reference.answers.exam import weight_exam, weight_is, weight_midterm


# %%
@check("three_weights", points=3, hint="The exponential of the sharpness is 3, and that of 0 is 1.")
@case("exam", name="weight_exam", hidden=True)
@case("midterm", name="weight_midterm", hidden=True)
@case("is", name="weight_is", hidden=True)
def weights_are_right(student, reference, rng, name):
    """The three weights are right."""
    # Three decimals are enough.
    assert_close(student[name], reference[name], rtol=0, atol=5e-4, what=name)


@check("three_weights", points=0)
@case("numbers between 0 and 1")
def weights_have_the_right_form(student, reference, rng):
    """Each answer is a number between 0 and 1; whether it is right is found when grading."""
    for name in ("weight_exam", "weight_midterm", "weight_is"):
        assert_shape(student[name], (), what=name)
        assert_that(0 <= as_array(student[name]) <= 1, f"{name}: a weight is between 0 and 1")


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
# The checks draw their examples and probabilities as follows, so that no system of equations is
# nearly singular. All examples of a case may be up to a hundred times as large.


# %%
def draw_examples(rng, n, d):
    """Return an (n, d) matrix of full rank with moderate singular values."""
    u, _, v = np.linalg.svd(rng.normal(size=(n, d)), full_matrices=False)
    return u * rng.uniform(0.6, 1.8, size=min(n, d)) @ v


def draw_probabilities(rng, n):
    """Return the probabilities of n examples, which add up to one."""
    p = rng.uniform(0.2, 2.0, size=n)
    return p / p.sum()


EXAMPLES = derived(
    lambda rng, n, d, size: size * draw_examples(rng, n, d),
    "an (n, d) array, `size` times what draw_examples returns",
)
PROBABILITIES = derived(draw_probabilities, "n probabilities, what draw_probabilities returns")
UNDERDETERMINED = {  # more weights than examples
    "sizes": {"n": (1, 4), "d": (2, 9), "size": (1, 100)},
    "where": lambda n, d: n < d,
    "X": EXAMPLES,
}

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


# %% [markdown]
# ## 4.2 Root mean squares (2 points)
#
# Write a function that computes the diagonal of $M$ from all examples at one $\theta$: one over the
# root of the mean of the squared gradients, for each coordinate.

# %%
from reference.sgd_convergence import rms_preconditioner

# %%
rms_preconditioner_matches_reference = matches_reference(
    "rms_preconditioner",
    points=2,
    said="rms_preconditioner is one over the root mean square of each coordinate's gradients.",
    returns="diagonal of M",
    rtol=1e-7,
    atol=0,  # Values far from 1 are compared relative to their size.
    X=arrays("n d", values=["normal", "large", "tiny", "constant"]),
    y=arrays("n"),
    theta=arrays("d", values=["normal", "large", "tiny", "constant"]),
    hint="Square, mean over the examples, root, inverse.",
)

self_check(rms_preconditioner_matches_reference)


# %% [markdown]
# ## 4.3 A fixed diagonal matrix (4 points)
#
# Let $M$ be a diagonal matrix with positive entries that never changes, $n < d$, and the rows of
# $X$ linearly independent. The run starts at zero and converges to weights that fit every target.
# To which? Write a function that returns them.

# %%
from reference.sgd_convergence import preconditioned_limit

# %%
preconditioned_limit_matches_reference = matches_reference(
    "preconditioned_limit",
    points=2,
    said="preconditioned_limit returns the weights to which the run converges.",
    returns="limit",
    **UNDERDETERMINED,
    y=arrays("n", without=["large", "tiny"]),
    m=arrays("d", low=0.5, high=100),
    hint="The steps span a space: which, with M?",
)

self_check(preconditioned_limit_matches_reference)


# %%
@check(
    "preconditioned_limit",
    points=2,
    pure=True,
    hint="Divided by the diagonal of M, the limit is a combination of the examples; and it fits.",
)
@case("it fits every target", part="fit", hidden=True)
@case("steps through M reach it from zero", part="reach", hidden=True)
def preconditioned_limit_fits_and_is_reached(student, reference, rng, part):
    """The limit fits every target, and gradient steps through M can reach it from zero."""
    for n, d in ((3, 6), (4, 5)):
        X, y, m = draw_examples(rng, n, d), rng.normal(size=n), rng.uniform(0.3, 3.0, size=d)
        got = student.preconditioned_limit(X, y, m)
        assert_shape(got, (d,), what="limit")
        if part == "fit":
            assert_close(X @ as_array(got), y, what="predictions")
        else:
            outside = np.linalg.svd(X)[2][n:]  # orthogonal to all examples
            assert_that(np.abs(as_array(got)).max() > 0, "limit: where the run starts")
            assert_close(
                outside @ (as_array(got) / m), np.zeros(d - n), what="what is out of reach"
            )


# %% [markdown]
# ## 4.4 Rescaled features (3 points)
#
# Divide each feature by its own positive scale, take the minimum norm solution for the new
# features ($n < d$, rows independent), and turn it back into weights of the old features: with
# them the model predicts the same as before. Write a function that returns these weights.

# %%
from reference.sgd_convergence import rescaled_minimum_norm

# %%
rescaled_minimum_norm_matches_reference = matches_reference(
    "rescaled_minimum_norm",
    points=3,
    said="The weights fit every target, and are those of the shortest solution after rescaling.",
    returns="weights",
    **UNDERDETERMINED,
    y=arrays("n", without=["tiny"]),
    scale=arrays("d", low=0.5, high=100),
    hint="Old weights times old features equal new weights times new features, one by one.",
)

self_check(rescaled_minimum_norm_matches_reference)


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
sampled_limit_matches_reference = matches_reference(
    "sampled_limit",
    points=3,
    said="sampled_limit returns the weights to which the run must converge.",
    returns="limit",
    **UNDERDETERMINED,
    y=arrays("n", without=["large", "tiny"]),
    p=PROBABILITIES,
    hint="What is true of every example at the limit?",
)

self_check(sampled_limit_matches_reference)


# %%
from reference.sgd_convergence import stationary_point

# %%
stationary_point_matches_reference = matches_reference(
    "sampled_limit",
    function="stationary_point",
    points=2,
    said="stationary_point returns the weights at which the expected step is zero.",
    returns="point",
    sizes={"n": (2, 9), "d": (1, 7), "size": (1, 100)},
    where=lambda n, d: n > d,
    X=EXAMPLES,
    y=arrays("n", without=["tiny"]),
    p=PROBABILITIES,
    hint="Write the expected gradient as a sum with weights.",
)

self_check(stationary_point_matches_reference)


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
@domain(sizes={"n": (1, 5), "d": (1, 8), "size": (1, 100)}, X=EXAMPLES, p=PROBABILITIES)
def lyapunov_rows_are_right(student, reference, rng, X, p):
    """lyapunov_rows returns a matrix whose product with a vector has the right length."""
    got, want = student.lyapunov_rows(X, p), reference.lyapunov_rows(X, p)
    assert_shape(got, X.shape, what="matrix")
    for v in rng.normal(size=(X.shape[1], X.shape[1])):
        assert_close(np.sum((as_array(got) @ v) ** 2), np.sum((want @ v) ** 2), what="length")


self_check(lyapunov_rows_are_right)


# %%
from reference.sgd_convergence import lyapunov

# %%
lyapunov_matches_reference = matches_reference(
    "lyapunov_function",
    function="lyapunov",
    points=2,
    said="The value of lyapunov is the expected loss.",
    returns="value",
    sizes={"n": (1, 5), "d": (1, 8), "size": (1, 100)},
    theta=arrays("d"),
    limit=like("theta"),
    X=EXAMPLES,
    p=PROBABILITIES,
    hint="The expected loss, if the targets are X theta*.",
)

self_check(lyapunov_matches_reference)


# %% [markdown]
# ## 5.2 The expected change (6 points)
#
# Write a function that returns $\mathbb E[A \mid \theta_t]$ and $\mathbb E[B \mid \theta_t]$, for
# any $\theta_t$ (3 points each).

# %%
from reference.sgd_convergence import expected_change

# %%
A_STEP = {
    "sizes": {"n": (1, 5), "d": (1, 8), "size": (1, 100)},
    "X": EXAMPLES,
    "p": PROBABILITIES,
    "lr": interval(0, 2),
}


@check("expected_change", points=3, pure=True, hint="Insert the step into the quadratic form.")
@domain(theta=arrays("d"), limit=like("theta"), **A_STEP)
def expected_change_gives_a(student, reference, rng, theta, limit, X, p, lr):
    """The first of the two numbers is the expectation of A."""
    got = student.expected_change(theta, limit, X, p, lr)
    assert_shape(got, (2,), what="(E[A], E[B])")
    assert_close(got[0], reference.expected_change(theta, limit, X, p, lr)[0], what="E[A]")


self_check(expected_change_gives_a)


# %%
@check("expected_change", points=3, pure=True, hint="The expectation of a product, as a whole.")
@domain(theta=arrays("d"), limit=like("theta"), **A_STEP)
def expected_change_gives_b(student, reference, rng, theta, limit, X, p, lr):
    """The second of the two numbers is the expectation of B."""
    got = student.expected_change(theta, limit, X, p, lr)
    assert_shape(got, (2,), what="(E[A], E[B])")
    assert_close(got[1], reference.expected_change(theta, limit, X, p, lr)[1], what="E[B]")


self_check(expected_change_gives_b)


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
# `contraction_constants` (1½ points for each number) returns $a$ and $b$ for a learning rate. Take
# the largest $a$ for which the first bound is true. For $b$, estimate in two moves:
# $x_i^\top \tilde X^\top \tilde X x_i$ by a largest eigenvalue and $\lVert x_i \rVert^2$, and this
# by $\max_i \lVert x_i \rVert^2$.
#
# `learning_rates` (1 point for each number) returns the learning rate below which $\rho$ is
# positive, the one at which it is largest, and that largest $\rho$.

# %%
from reference.sgd_convergence import contraction_constants


# %%
@check(
    "bounds",
    points=1.5,
    pure=True,
    hint="Which eigenvalues does the matrix have in the directions in which there is a difference?",
)
@domain(where=lambda n, d: n <= d, **A_STEP)
def contraction_constants_give_a(student, reference, rng, X, p, lr):
    """The first number of contraction_constants is that of the bound of A."""
    got = student.contraction_constants(X, p, lr)
    assert_shape(got, (2,), what="(a, b)")
    assert_close(got[0], reference.contraction_constants(X, p, lr)[0], what="a")


self_check(contraction_constants_give_a)


# %%
@check(
    "bounds",
    points=1.5,
    pure=True,
    hint="Carry every factor of E[B] through both moves. Is your bound ever below E[B]?",
)
@domain(where=lambda n, d: n <= d, **A_STEP)
def contraction_constants_give_b(student, reference, rng, X, p, lr):
    """The second number of contraction_constants is that of the bound of B."""
    got = student.contraction_constants(X, p, lr)
    assert_shape(got, (2,), what="(a, b)")
    assert_close(got[1], reference.contraction_constants(X, p, lr)[1], what="b")


self_check(contraction_constants_give_b)


# %%
from reference.sgd_convergence import learning_rates


# %%
@check(
    "bounds", points=3, pure=True, hint="A parabola in the learning rate: its roots and its top."
)
@case("the limit", part=0)
@case("the best", part=1)
@case("the largest rho", part=2)
def learning_rates_match_reference(student, reference, rng, part):
    """learning_rates returns the limit, the best learning rate, and the rho that it achieves."""
    for n, d in ((2, 5), (4, 7), (3, 3)):
        X, p = draw_examples(rng, n, d), draw_probabilities(rng, n)
        got = student.learning_rates(X, p)
        assert_shape(got, (3,), what="(limit, best, rho)")
        want = reference.learning_rates(X, p)
        assert_close(got[part], want[part], what=("limit", "best", "rho")[part])


self_check(learning_rates_match_reference)


# %% [markdown]
# ## 5.4 Proof: geometric decrease (6 points)
#
# Prove the bounds of Question 5.3 and what follows from them. Let $\theta_0 = 0$, and let
# $\theta^* = X^\top (X X^\top)^{-1} y$ be the shortest of the weights that fit: SGD converges to no
# other ones. In particular:
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
