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
# # Homework 5: The arithmetic of convolutional networks
#
# Before a convolutional network is trained, a good deal about it can be worked out with a pencil:
# what a kernel answers to, how large every tensor is, how many numbers have to be learned and
# moved, and how much of the picture one unit far up in the network can see. None of this needs
# more than sums and products. All of it is easily wrong by one, by a factor, or by a reflection.
# In this homework you do such sums once by hand, and then write functions that do them for good.
#
# | part | what you do | points |
# |---|---|---|
# | 1 | convolutions by hand, as functions and as matrices | 16 |
# | 2 | the shapes of tensors | 15 |
# | 3 | parameters, outputs and connections of a network, as formulas | 25 |
# | 4 | a network of fifty million parameters, layer by layer | 15 |
# | 5 | receptive fields | 14 |
# | 6 | kernels of your own | 15 |
#
# **Conventions.** An image is a matrix: row 0 is the *top* row, column 0 the *left* column. A batch
# of images has the shape $(N, C, H, W)$: examples, channels, height, width. Deep-learning libraries
# say *convolution* for what mathematics calls *cross-correlation*. Where the two differ, this
# homework says which one it means.
#
# **House rules.** A function never changes its arguments. A count or a size is an integer, and
# integers are compared exactly. You may use NumPy and PyTorch as you like.
#
# **How you are graded.** Below most questions stands a check that compares your answer with ours;
# run it as often as you like. Grading runs the same checks with other random numbers, and with
# further cases that you do not see. Where you are asked for numbers, the check that you see looks
# at their form only. One answer is a text, and is read by a person.

# %%
import itertools

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
    like,
    matches_reference,
    self_check,
    whole,
)


# %%
def as_list(value):
    """Return an array or a tensor as a list, and any other answer as it is."""
    return value.tolist() if isinstance(value, (np.ndarray, torch.Tensor)) else value


# %% [markdown]
# # 1. Convolution
#
# Let $I$ be an image and $J$ a kernel whose entries are numbered from its middle: for a
# $3 \times 3$ kernel, $i$ and $j$ run from $-1$ to $1$, and $J_{0,0}$ is the entry in the middle.
# The convolution and the cross-correlation of the two are
#
# $$(I * J)_{r,c} = \sum_{i,j} I_{r-i,\,c-j}\, J_{i,j}, \qquad
# (I \star J)_{r,c} = \sum_{i,j} I_{r+i,\,c+j}\, J_{i,j} .$$
#
# They differ by the sign before $i$ and $j$, that is, by a rotation of the kernel by half a turn.
# Convolution is commutative and associative, which makes it the better-behaved of the two; and a
# network that learns its kernels learns the rotated ones just as well, which is why libraries do
# not bother to rotate. Wherever the sums reach beyond the border of the image, we put zeros there
# (*zero padding*), so that the response is as large as the image.

# %%
image_a = np.array(
    [[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
)
image_b = np.array(
    [[0, 0, 0, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
)
laplacian = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
kernel_q = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
kernel_r = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])


def draw_matrices(**matrices):
    """Draw matrices side by side, with their numbers."""
    _, places = plt.subplots(1, len(matrices), figsize=(2.3 * len(matrices), 2.5))
    for place, (title, matrix) in zip(places, matrices.items(), strict=True):
        size = max(np.abs(matrix).max(), 1)
        place.imshow(matrix, cmap="coolwarm", vmin=-1.6 * size, vmax=1.6 * size)
        for (r, c), number in np.ndenumerate(matrix):
            place.text(c, r, f"{number}", ha="center", va="center")
        place.set_title(title)
        place.set_xticks([])
        place.set_yticks([])
    plt.tight_layout()
    plt.show()


if budget(True, graded=False):
    draw_matrices(A=image_a, B=image_b, Laplacian=laplacian, Q=kernel_q, R=kernel_r)

# %% [markdown]
# ## 1.1 By hand (5 points)
#
# With pencil and paper, compute three **true convolutions**, each with zero padding and as large as
# the image: $A$ with the Laplacian, $B$ with $Q$, and $B$ with $R$. The matrices are those in the
# cell above. Give each response as five rows of five whole numbers. The nine entries inside and
# the sixteen on the border are graded separately.
#
# **Look out.** Two of the kernels look the same after half a turn, and so forgive one mistake that
# the third does not.

# %%
from reference.answers.conv_arithmetic import laplacian_response, q_response, r_response


# %%
def entries_of_response(matrix, part):
    """Return the nine inner entries, or the sixteen on the border, of a 5 x 5 matrix."""
    matrix = np.asarray(as_list(matrix))
    if part == "inside":
        return matrix[1:-1, 1:-1].ravel()
    return np.concatenate([matrix[0], matrix[-1], matrix[1:-1, 0], matrix[1:-1, -1]])


@check(
    "convolution_by_hand",
    points=2,
    hint="Lay the kernel on one pixel, multiply, add. Outside of the image there are zeros.",
)
@case("the nine entries inside", part="inside", hidden=True)
@case("the sixteen on the border", part="border", hidden=True)
def laplacian_response_is_right(student, reference, rng, part):
    """laplacian_response is the convolution of A with the Laplacian."""
    got, want = student.laplacian_response, reference.laplacian_response
    assert_shape(got, (5, 5), what="laplacian_response")
    got, want = (entries_of_response(matrix, part) for matrix in (got, want))
    assert_equal(got, want, what=f"laplacian_response, {part}")


@check(
    "convolution_by_hand",
    points=1,
    hint="The middle of Q weighs one more than that of the Laplacian.",
)
@case("the nine entries inside", part="inside", hidden=True)
@case("the sixteen on the border", part="border", hidden=True)
def q_response_is_right(student, reference, rng, part):
    """q_response is the convolution of B with Q."""
    got, want = student.q_response, reference.q_response
    assert_shape(got, (5, 5), what="q_response")
    got, want = (entries_of_response(matrix, part) for matrix in (got, want))
    assert_equal(got, want, what=f"q_response, {part}")


@check(
    "convolution_by_hand",
    points=2,
    hint="A true convolution turns the kernel by half a turn. What does that do to R?",
)
@case("the nine entries inside", part="inside", hidden=True)
@case("the sixteen on the border", part="border", hidden=True)
def r_response_is_right(student, reference, rng, part):
    """r_response is the true convolution of B with R."""
    got, want = student.r_response, reference.r_response
    assert_shape(got, (5, 5), what="r_response")
    got, want = (entries_of_response(matrix, part) for matrix in (got, want))
    assert_equal(got, want, what=f"r_response, {part}")


# %%
@check("convolution_by_hand", points=0)
@case("three matrices")
def responses_by_hand_have_the_right_form(student, reference, rng):
    """Each response has five rows of five numbers; whether they are right is found when grading."""
    for name in ("laplacian_response", "q_response", "r_response"):
        assert_shape(student[name], (5, 5), what=name)


self_check(responses_by_hand_have_the_right_form)


# %% [markdown]
# ## 1.2 Cross-correlation (2 points)
#
# Now for images of any size, and for kernels of any odd height and any odd width: the
# cross-correlation $I \star J$ with zero padding. A kernel need not be square, and it may even be
# larger than the image.
#
# **Look out.** Slices that are meant to cut off a margin, such as `a[m:-m]`, return nothing when
# the margin `m` is zero, as it is for a kernel that is one pixel wide.

# %%
from reference.conv_kernels import correlate_same

# %%
correlate_same_matches_reference = matches_reference(
    "correlate_same",
    points=2,
    said="correlate_same is the cross-correlation with zero padding, as large as the image.",
    returns="response",
    sizes={"p": (1, 7), "q": (1, 7)},
    where=lambda p, q: p % 2 == q % 2 == 1,
    image=arrays("h w", dtypes=["float64", "int64"]),
    kernel=like("image", shape="p q"),
    hint="Height and width of the kernel may differ, and each has its own margin.",
)

self_check(correlate_same_matches_reference)


# %% [markdown]
# ## 1.3 True convolution (2 points)
#
# The same for $I * J$. The entry in the middle of the kernel stays where it is.

# %%
from reference.conv_kernels import convolve_same

# %%
convolve_same_matches_reference = matches_reference(
    "convolve_same",
    points=2,
    given=["correlate_same"],
    said="convolve_same is the true convolution with zero padding, as large as the image.",
    returns="response",
    sizes={"p": (1, 7), "q": (1, 7)},
    where=lambda p, q: p % 2 == q % 2 == 1,
    image=arrays("h w"),
    kernel=arrays("p q"),
    hint="Compare the signs of i and j in the two definitions, for both axes.",
)

self_check(convolve_same_matches_reference)


# %% [markdown]
# ## 1.4 A convolution is a matrix (4 points)
#
# A convolution is linear in the image. So, once the image is written as one long vector, row after
# row, it is a matrix: one row for each pixel of the response, one column for each pixel of the
# image. This matrix tells much at a glance. Most of its entries are zero, because a unit sees its
# neighbours only; and a row of it is much like the row above, moved by one pixel, because every
# unit has the same weights. A fully connected layer between the same pixels would be a matrix too,
# with every entry free.
#
# Write the matrix of the true convolution with zero padding. Try a kernel of one pixel and a kernel
# that moves the image first, on an image that is not square. (The transpose of this matrix is what
# carries gradients back through the layer, and what gave *transposed convolution* its name.)

# %%
from reference.conv_kernels import convolution_matrix

# %%
convolution_matrix_matches_reference = matches_reference(
    "convolution_matrix",
    points=4,
    given=["correlate_same", "convolve_same"],
    said="convolution_matrix gives the matrix of the true convolution of flattened images.",
    returns="matrix",
    sizes={"p": (1, 7), "q": (1, 7)},
    where=lambda p, q: p % 2 == q % 2 == 1,
    kernel=arrays("p q"),
    height=whole(1, 5),
    width=whole(1, 6),
    hint="Column c of a matrix is what it makes of the c-th unit vector.",
)

self_check(convolution_matrix_matches_reference)


# %% [markdown]
# ## 1.5 What the three kernels do (3 points)
#
# Look at your three responses, and think of a larger image: of a flat region, of an even slope, of
# an edge. Which of six descriptions fits the Laplacian, which fits $Q$ and which fits $R$? Each
# letter counts a point.

# %%
from reference.answers.conv_arithmetic import laplacian_effect, q_effect, r_effect


# %%
def letters_of(text):
    """Return the letters of an answer as capitals, without spaces and commas between them."""
    return "".join(text.upper().replace(",", " ").split()) if isinstance(text, str) else text


@check(
    "kernel_effects",
    points=1,
    hint="Add up the weights of the kernel. What is its response to an even slope?",
)
@case("the letter", hidden=True)
def laplacian_effect_is_right(student, reference, rng):
    """laplacian_effect names what the Laplacian does."""
    got = letters_of(student.laplacian_effect)
    assert_equal(got, reference.laplacian_effect, what="laplacian_effect")


@check("kernel_effects", points=1, hint="Add up the weights of Q, and look at their signs.")
@case("the letter", hidden=True)
def q_effect_is_right(student, reference, rng):
    """q_effect names what Q does."""
    assert_equal(letters_of(student.q_effect), reference.q_effect, what="q_effect")


@check("kernel_effects", points=1, hint="Add up the rows of R, then its columns.")
@case("the letter", hidden=True)
def r_effect_is_right(student, reference, rng):
    """r_effect names what R does."""
    assert_equal(letters_of(student.r_effect), reference.r_effect, what="r_effect")


@check("kernel_effects", points=0)
@case("three letters")
def kernel_effects_have_the_right_form(student, reference, rng):
    """Each answer is a letter from A to F; grading tells whether they are right."""
    for name in ("laplacian_effect", "q_effect", "r_effect"):
        got = letters_of(student[name])
        right = isinstance(got, str) and len(got) == 1 and got in "ABCDEF"
        assert_that(right, f"{name}: give a letter from A to F")


self_check(kernel_effects_have_the_right_form)

# %% [markdown]
# # 2. Shapes
#
# Most errors in building a network are shapes that do not fit, and PyTorch reports them one at a
# time. It pays to be able to predict them.

# %% [markdown]
# ## 2.1 The shape after a convolution (4 points)
#
# Do not learn a formula by heart; count. Pad the axis on both sides. A kernel of $k$ entries that
# are $d$ pixels apart covers how many pixels from its first entry to its last? Put it at the very
# beginning, then move it in steps of $s$ for as long as it still fits. The number of places where
# it stood is the size of the output. What does not fit at the end is dropped without a word: sizes
# are rounded down, never up.
#
# **Look out.** Settings may be given as one number for both axes or as a pair, (height, width).

# %%
from reference.conv_arithmetic import conv_out_shape

# %%
BATCH = derived(
    lambda rng, h, w: (*rng.integers(1, 50, size=2).tolist(), h, w),
    "a shape of four numbers, with height h and width w",
)
SIDES = {"h": (15, 50), "w": (15, 60)}


@check(
    "conv_out_shape",
    points=4,
    hint="Count the places of the kernel in the padded axis; the first one counts too.",
)
@domain(
    sizes=SIDES,
    shape=BATCH,
    out_channels=whole(1, 128),
    kernel_size=choices(3, 1, 4, (2, 5)),
    stride=choices(2, 1, 3, (3, 2), optional=True),
    padding=choices((1, 2), 0, 3, optional=True),
    dilation=choices(1, 2, (3, 2), optional=True),
)
def conv_out_shape_matches_reference(student, reference, rng, shape, out_channels, **settings):
    """conv_out_shape gives the four numbers of the shape, for many layers."""
    got = as_list(student.conv_out_shape(shape, out_channels, **settings))
    want = reference.conv_out_shape(shape, out_channels, **settings)
    assert_equal(got, want, what=f"shape after {settings} on {shape}")


self_check(conv_out_shape_matches_reference)


# %% [markdown]
# ## 2.2 The shape after a transposed convolution (4 points)
#
# A transposed convolution goes the other way. Every pixel of the input lays a copy of the kernel,
# times its value, into the output; neighbouring pixels lay theirs $s$ apart, and where copies
# overlap they are added. How long is the output from the first entry of the first copy to the last
# entry of the last? From this, `padding` is cut off on both sides: here it *shrinks* the result.
#
# With kernels of 3, stride 2 and padding 1, a convolution makes 4 pixels of 7 and of 8 alike. Its
# reverse cannot know which of the two it should return to. That is what `output_padding` is for,
# which appends rows at the bottom and columns on the right, but on that side only.

# %%
from reference.conv_arithmetic import convt_out_shape


# %%
@check(
    "convt_out_shape",
    points=4,
    hint="Between n pixels there are n − 1 steps; the last copy of the kernel has its full length.",
)
@domain(
    sizes=SIDES,
    where=lambda stride, output_padding: output_padding in (0, None) or stride not in (1, None),
    shape=BATCH,
    out_channels=whole(1, 128),
    kernel_size=choices(3, 1, 4, (2, 5)),
    stride=choices(2, 1, 3, (3, 2), optional=True),
    padding=choices((1, 2), 0, 3, optional=True),
    output_padding=choices(1, 0, (0, 1), optional=True),
    dilation=choices(1, 2, (3, 2), optional=True),
)
def convt_out_shape_matches_reference(student, reference, rng, shape, out_channels, **settings):
    """convt_out_shape gives the four numbers of the shape, for many layers."""
    got = as_list(student.convt_out_shape(shape, out_channels, **settings))
    want = reference.convt_out_shape(shape, out_channels, **settings)
    assert_equal(got, want, what=f"shape after {settings} on {shape}")


self_check(convt_out_shape_matches_reference)


# %% [markdown]
# ## 2.3 Halving and doubling (3 points)
#
# The networks of the next homework halve the sides of an image twice, by convolutions with stride
# 2, and double them twice, by transposed convolutions with stride 2. The shapes are to stay exactly
# the same when the kernel changes from $3 \times 3$ to $4 \times 4$ or $5 \times 5$. For a kernel
# size $k$, which padding does the convolution need so that every even side is halved exactly? Which
# padding and which output padding does the transposed convolution need so that every side is
# doubled exactly? There is just one answer if the output padding is 0 or 1, as it has to be with
# stride 2. Find it for every $k \ge 1$.
#
# (A convolution with stride 1 that should keep its size is another matter: for even $k$ no padding
# that is equal on both sides can do it. Such a layer is not asked for here.)

# %%
from reference.conv_arithmetic import halve_and_double

# %%
halve_and_double_is_right = matches_reference(
    "halve_and_double",
    name="halve_and_double_is_right",
    points=3,
    said="halve_and_double gives the three paddings that halve and double sides exactly.",
    rtol=0,
    atol=0,
    kernel_size=choices(5, 4, 3, 1, 2, 6, 7, 8, 11),
    hint="Put 2 n into your conv_out_shape and n into your convt_out_shape, for even and odd k.",
)

self_check(halve_and_double_is_right)


# %% [markdown]
# ## 2.4 Through an encoder and a decoder (4 points)
#
# A network gets a batch of ten grey images of $32 \times 32$ pixels, so a tensor of shape
# $(10, 1, 32, 32)$. Its layers are
#
# | tensor | layer that makes it | made from |
# |---|---|---|
# | a | convolution, 16 filters, kernel 5, stride 1, padding 2 | the images |
# | b | convolution, 32 filters, kernel 4, stride 2, padding 1 | a |
# | c | convolution, 128 filters, kernel 3, stride 2, padding 1 | b |
# | d | convolution, 16 filters, kernel 3, stride 1, padding 2, dilation 2 | c |
# | e | transposed convolution, 8 filters, kernel 4, stride 2, padding 1 | d |
# | u | upsampling by 2 (every pixel becomes a square of four) | e |
# | s | u and a, joined along the channels (a *skip connection*) | u and a |
# | f | convolution, 1 filter, kernel 1, stride 1, padding 0 | s |
#
# Give the shapes of the eight tensors. Each counts half a point.

# %%
from reference.answers.conv_arithmetic import (
    shape_a,
    shape_b,
    shape_c,
    shape_d,
    shape_e,
    shape_f,
    shape_s,
    shape_u,
)


# %%
@check(
    "encoder_decoder_shapes",
    points=4,
    hint="Use your functions of 2.1 and 2.2, from the top of the table to the bottom.",
)
@case("a", name="shape_a", hidden=True)
@case("b", name="shape_b", hidden=True)
@case("c", name="shape_c", hidden=True)
@case("d", name="shape_d", hidden=True)
@case("e", name="shape_e", hidden=True)
@case("u", name="shape_u", hidden=True)
@case("s", name="shape_s", hidden=True)
@case("f", name="shape_f", hidden=True)
def encoder_decoder_shapes_are_right(student, reference, rng, name):
    """The shapes of the eight tensors are right."""
    assert_equal(as_list(student[name]), reference[name], what=name)


@check("encoder_decoder_shapes", points=0)
@case("eight shapes")
def encoder_decoder_shapes_have_the_right_form(student, reference, rng):
    """Each shape has four numbers; whether they are right is found when grading."""
    for letter in "abcdeusf":
        assert_shape(student[f"shape_{letter}"], (4,), what=f"shape_{letter}")


self_check(encoder_decoder_shapes_have_the_right_form)

# %% [markdown]
# # 3. Counting
#
# How large is a network? There are three answers. The *parameters* are what has to be learned and
# stored. The *outputs* are what a forward pass writes to memory, and what the backward pass needs
# again. The *connections* are, up to a factor, the multiplications that a forward pass costs. A
# convolution uses each weight at every place, so it has few parameters and many connections.
#
# **The colouring network.** We count in the network of the next homework, which guesses the colours
# of a grey picture. All sizes are letters: NIC input channels, NF filters, NC colours, images of
# $H \times W$ pixels (multiples of 4), and $k \times k$ kernels ($k$ odd) with stride 1 and padding
# $(k-1)/2$. Every convolution has a bias for each filter.
#
# | block | layers, in this order | channels of the convolution | convolution at | ends at |
# |---|---|---|---|---|
# | 1 | convolution, max-pooling, batch norm, ReLU | NIC to NF | $H \times W$ | half of each side |
# | 2 | convolution, max-pooling, batch norm, ReLU | NF to 2 NF | half | a quarter |
# | 3 | convolution, upsampling, batch norm, ReLU | 2 NF to NF | a quarter | half |
# | 4 | convolution, upsampling, batch norm, ReLU | NF to NC | half | $H \times W$ |
# | 5 | convolution | NC to NC | $H \times W$ | $H \times W$ |
#
# Max-pooling takes the largest of $2 \times 2$ pixels, which do not overlap; upsampling makes a
# $2 \times 2$ square of every pixel; neither changes the number of channels. A batch norm learns
# two numbers for each channel, a scale and a shift. (Its running averages are not learned.)
#
# **Which convention?** Books do not agree on what counts: some leave out biases, some take a batch
# norm for a layer of its own and some do not, some count the input as a layer. The three questions
# below say what must count and what must not; the rest is up to you. Whatever you choose, choose it
# once, for the whole network: all answers of a function have to follow one convention.

# %% hidden=true
# What counts by some conventions only: for the checks, which accept them all.
from reference.conv_arithmetic import parts_of_connections, parts_of_outputs, parts_of_params


# %%
def draw_networks(rng):
    """Draw some colouring networks: k, nic, nf, nc, height and width of each, all different."""
    for _ in range(4):
        sides, channels = 4 * rng.permutation(np.arange(2, 20)), rng.permutation(np.arange(2, 30))
        yield [int(n) for n in (rng.choice([3, 5, 7]), *channels[:3], *sides[:2])]


NETWORK = {
    "nic": whole(1, 4),
    "nf": whole(2, 40),
    "nc": whole(3, 30),
    "height": choices(32, 8, 44),
    "width": choices(24, 8, 60),
}


def require_one_convention(got, parts, always, what):
    """Raise unless some choice of what may count, the same for all networks, gives all numbers.

    got: the student's number for each network.
    parts: for each network what may count, by name; the part named by always must count.
    """
    for number in got:
        assert_shape(number, (), what=what)
    optional = [name for name in parts[0] if name != always]
    for size in range(len(optional) + 1):
        for chosen in itertools.combinations(optional, size):
            totals = [p[always] + sum(p[name] for name in chosen) for p in parts]
            if all(number == total for number, total in zip(got, totals, strict=True)):
                return
    everything = [sum(p.values()) for p in parts]
    numbers = ", ".join(f"{number}" for number in got)
    assert_that(False, f"{what}: no convention gives {numbers}; if all counts, it is {everything}")


# %% [markdown]
# ## 3.1 Parameters (6 points)
#
# | | counts? |
# |---|---|
# | weights of the convolutions | yes |
# | biases of the convolutions | as you like |
# | scale and shift of the batch norms | as you like |

# %%
from reference.conv_arithmetic import count_params


# %%
@check(
    "count_params",
    points=6,
    hint="Take the blocks one by one: kernel times kernel times channels in times channels out.",
)
@case("one channel, 32 filters, 24 colours, kernels of 3", k=3, nic=1, nf=32, nc=24)
@domain(k=choices(3, 1, 5, 7), nic=whole(1, 4), nf=whole(2, 40), nc=whole(3, 30), visible=1)
def count_params_follows_a_convention(student, reference, rng, k, nic, nf, nc):
    """count_params gives the number of trainable parameters, by one convention for all networks."""
    networks = [[k, nic, nf, nc], *(network[:4] for network in draw_networks(rng))]
    got = [student.count_params(*network) for network in networks]
    parts = [reference.parts_of_params(*network) for network in networks]
    require_one_convention(got, parts, "weights", "count_params")


self_check(count_params_follows_a_convention)


# %% [markdown]
# ## 3.2 Outputs (6 points)
#
# The number of values that the layers return for one image.
#
# | | counts? |
# |---|---|
# | outputs of the convolutions | yes |
# | outputs of max-pooling and upsampling | as you like, but either all of them or none |
# | outputs of the batch norms | as you like |
# | the input image, as a layer of its own | as you like |
# | outputs of the ReLUs | no: they overwrite what they get |
#
# What becomes of your number when height *and* width are doubled? And of that of 3.1?

# %%
from reference.conv_arithmetic import count_outputs


# %%
@check(
    "count_outputs",
    points=6,
    hint="A quarter of each side is a sixteenth of the pixels. Which layer halves them?",
)
@case("one channel, 32 filters, 24 colours", nic=1, nf=32, nc=24, height=32, width=32)
@domain(**NETWORK, visible=1)
def count_outputs_follows_a_convention(student, reference, rng, nic, nf, nc, height, width):
    """count_outputs gives the number of outputs, by one convention for all networks."""
    networks = [[nic, nf, nc, side * height, side * width] for side in (1, 2)]
    networks += [network[1:] for network in draw_networks(rng)]
    got = [student.count_outputs(*network) for network in networks]
    parts = [
        reference.parts_of_outputs(*network) | {"input": network[0] * network[3] * network[4]}
        for network in networks
    ]
    require_one_convention(got, parts, "convolutions", "count_outputs")


self_check(count_outputs_follows_a_convention)


# %% [markdown]
# ## 3.3 Connections (7 points)
#
# A connection leads from one value to another value that is computed from it. A unit of a
# convolution has one for every entry of its window in every channel; we count those into the zeros
# of the padding like all others, so that each unit of a layer has the same number.
#
# | | counts? |
# |---|---|
# | connections into the convolutions | yes |
# | connections into max-pooling and upsampling | as you like, but either all of them or none |
# | connections into the batch norms, one for each value | as you like |
# | the bias of a convolution, as one more connection of each of its outputs | as you like |
# | connections into the ReLUs | no |

# %%
from reference.conv_arithmetic import count_connections


# %%
@check(
    "count_connections",
    points=7,
    hint="For each layer: how many outputs, and how many values does each of them look at?",
)
@case("one channel, 32 filters, 24 colours", k=3, nic=1, nf=32, nc=24, height=32, width=32)
@domain(k=choices(3, 1, 5, 7), **NETWORK, visible=1)
def count_connections_follows_a_convention(student, reference, rng, k, nic, nf, nc, height, width):
    """count_connections gives the number of connections, by one convention for all networks."""
    networks = [[k, nic, nf, nc, side * height, side * width] for side in (1, 2)]
    networks += draw_networks(rng)
    got = [student.count_connections(*network) for network in networks]
    parts = [reference.parts_of_connections(*network) for network in networks]
    require_one_convention(got, parts, "convolutions", "count_connections")


self_check(count_connections_follows_a_convention)


# %% [markdown]
# ## 3.4 What if everything were connected? (3 points)
#
# Compare two networks for images of $H \times W$ pixels. Both have the same neurons: feature maps
# of $H \times W$ in every layer, with $C_0$ channels in the input, then $C_1, C_2, \dots$
#
# - The first is convolutional: from each layer to the next goes one $k \times k$ convolution, with
#   stride 1 and a padding that keeps the sides.
# - The second is fully connected: from each layer to the next goes one dense layer.
#
# All biases count. A filter has one, wherever it is applied; in a dense layer every neuron has one.

# %%
from reference.conv_arithmetic import cnn_and_dense_params


# %%
@check(
    "cnn_and_dense_params",
    points=3,
    pure=True,
    hint="A dense layer has one weight for each pair of neurons. How many neurons has a layer?",
)
@domain(
    sizes={"layers": (1, 6)},
    channels=derived(
        lambda rng, layers: rng.permutation(np.arange(2, 20))[: layers + 1].tolist(),
        "a list of layers + 1 numbers",
    ),
    height=whole(1, 40),
    width=whole(1, 40),
    kernel_size=choices(3, 1, 5, 7),
)
def cnn_and_dense_params_match_reference(
    student, reference, rng, channels, height, width, kernel_size
):
    """cnn_and_dense_params gives the parameters of both networks."""
    got = as_list(student.cnn_and_dense_params(channels, height, width, kernel_size))
    want = reference.cnn_and_dense_params(channels, height, width, kernel_size)
    assert_equal(got, want, what="(convolutional, dense)")


self_check(cnn_and_dense_params_match_reference)


# %% [markdown]
# ## 3.5 Why is that enough? (3 points)
#
# Try 3.4 with channels 3, 16 and 16, on $32 \times 32$ pixels with $k = 3$. The two networks have
# the same neurons. Explain in five to ten sentences
#
# 1. which two restrictions turn the dense network into the convolutional one, and what each of them
#    saves,
# 2. for which kind of data these restrictions are right, with an example where one of them is
#    wrong,
# 3. one price of having many more parameters, other than memory.

# %% [markdown] manual=true question="why_convolutions_are_enough" points=3
# ### BEGIN SOLUTION
# **1.** The first restriction is *locality*: a unit is connected only to a window of $k \times k$
# pixels around its own place, and all other weights of the dense layer are fixed at zero. This
# takes the weights of a unit from $C H W$ down to $C k^2$. The second is *weight sharing*: the
# units of one feature map use the same weights and the same bias at every place, so that a map of
# $H W$ units has one set of weights in place of $H W$ sets. Here the dense network has 318 799 872
# weights and biases against 2 768 of the convolutional one.
#
# **2.** They are right where near pixels belong together more than distant ones, and where a
# pattern means the same wherever it is found, as in photographs: if the image moves, the response
# moves along. Weight sharing is wrong for passport photographs, say, which are all aligned in the
# same way, so that the place of a pixel says whether it should be an eye or a chin; locality is
# wrong for a table whose columns stand in no order.
#
# **3.** More free parameters fit the noise of a small training set more easily, so that more data
# or more regularisation are needed for the same error on new data (and every step takes longer).
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: names locality and weight sharing (half a point each), each with what it saves.
# - 1 point: says when they are right (half a point) and gives a fitting example where one of them
#   is not (half a point).
# - 1 point: names a price other than memory: overfitting or the need for more data, slower steps,
#   harder optimisation; with a reason.
# === END MARK SCHEME ===

# %% [markdown]
# # 4. Fifty million parameters
#
# Here is a small relative of the VGG networks (Simonyan and Zisserman, *Very Deep Convolutional
# Networks for Large-Scale Image Recognition*, 2015). It takes RGB images of $112 \times 112$
# pixels:
#
# | layer | what it is |
# |---|---|
# | conv3-64 | convolution, 64 filters |
# | pool | max-pooling |
# | conv3-128 | convolution, 128 filters |
# | pool | max-pooling |
# | conv3-256, first | convolution, 256 filters |
# | conv3-256, second | convolution, 256 filters |
# | pool | max-pooling |
# | FC-1024 | fully connected, 1024 neurons |
# | FC-100 | fully connected, 100 neurons |
# | softmax | turns 100 numbers into probabilities |
#
# All convolutions have kernels of $3 \times 3$, stride 1 and padding 1, and a bias for each filter.
# Pooling is over $2 \times 2$ pixels with stride 2. The fully connected layers have a bias for each
# neuron. There is no batch norm. ReLUs are not shown, and softmax is not counted as neurons.

# %% [markdown]
# ## 4.1 Its parameters (7 points)
#
# Give the number of trainable parameters, biases included, of the six layers that have any, and
# their total: seven numbers, one point each.
#
# **Look out.** The total is worth a second addition, and there is a way to have PyTorch check it.

# %%
from reference.answers.conv_arithmetic import (
    params_conv64,
    params_conv128,
    params_conv256_first,
    params_conv256_second,
    params_fc100,
    params_fc1024,
    params_total,
)


# %%
@check(
    "parameter_table",
    points=7,
    hint="Weights and biases. How many values does the last pooling layer hand on to FC-1024?",
)
@case("conv3-64", name="params_conv64", hidden=True)
@case("conv3-128", name="params_conv128", hidden=True)
@case("conv3-256, first", name="params_conv256_first", hidden=True)
@case("conv3-256, second", name="params_conv256_second", hidden=True)
@case("FC-1024", name="params_fc1024", hidden=True)
@case("FC-100", name="params_fc100", hidden=True)
@case("the sum of all layers", name="params_total", hidden=True)
def parameter_table_is_right(student, reference, rng, name):
    """Each number of the table of parameters is right."""
    assert_equal(student[name], reference[name], what=name)


@check("parameter_table", points=0)
@case("seven whole numbers")
def parameter_table_has_the_right_form(student, reference, rng):
    """Each entry is one number; whether it is right is found when grading."""
    for layer in ("conv64", "conv128", "conv256_first", "conv256_second", "fc1024", "fc100"):
        assert_shape(student[f"params_{layer}"], (), what=f"params_{layer}")
    assert_shape(student.params_total, (), what="params_total")


self_check(parameter_table_has_the_right_form)

# %% [markdown]
# ## 4.2 Its neurons (4 points)
#
# A neuron is one value of a layer's output for one image. How many are there in each of the four
# convolutions, how many in each of the three pooling layers, and how many in all convolutions,
# pooling layers and fully connected layers together? ReLU and softmax are not counted. In the total
# you may count the input image as one more layer, or leave it out.

# %%
from reference.answers.conv_arithmetic import (
    neurons_of_convolutions,
    neurons_of_poolings,
    neurons_total,
)


# %%
@check("neuron_counts", points=2, hint="Channels times height times width, after every layer.")
@case("conv3-64", entry=0, hidden=True)
@case("conv3-128", entry=1, hidden=True)
@case("conv3-256, first", entry=2, hidden=True)
@case("conv3-256, second", entry=3, hidden=True)
def neurons_of_convolutions_are_right(student, reference, rng, entry):
    """neurons_of_convolutions gives the outputs of the four convolutions."""
    got = as_list(student.neurons_of_convolutions)
    assert_shape(got, (4,), what="neurons_of_convolutions")
    want = reference.neurons_of_convolutions
    assert_equal(got[entry], want[entry], what=f"neurons_of_convolutions[{entry}]")


@check("neuron_counts", points=1, hint="Pooling keeps the channels and a quarter of the pixels.")
@case("the first", entry=0, hidden=True)
@case("the second", entry=1, hidden=True)
@case("the third", entry=2, hidden=True)
def neurons_of_poolings_are_right(student, reference, rng, entry):
    """neurons_of_poolings gives the outputs of the three pooling layers."""
    got = as_list(student.neurons_of_poolings)
    assert_shape(got, (3,), what="neurons_of_poolings")
    want = reference.neurons_of_poolings
    assert_equal(got[entry], want[entry], what=f"neurons_of_poolings[{entry}]")


@check("neuron_counts", points=1, hint="Seven layers above, and two that are fully connected.")
@case("with the input or without it", hidden=True)
def neurons_total_is_right(student, reference, rng):
    """neurons_total gives the outputs of all layers."""
    got = student.neurons_total
    assert_shape(got, (), what="neurons_total")
    with_input = reference.neurons_total + 3 * 112 * 112
    if got != with_input:
        assert_equal(got, reference.neurons_total, what="neurons_total")


# %%
@check("neuron_counts", points=0)
@case("four, three and one")
def neuron_counts_have_the_right_form(student, reference, rng):
    """Four numbers, three and one; whether they are right is found when grading."""
    assert_shape(student.neurons_of_convolutions, (4,), what="neurons_of_convolutions")
    assert_shape(student.neurons_of_poolings, (3,), what="neurons_of_poolings")
    assert_shape(student.neurons_total, (), what="neurons_total")


self_check(neuron_counts_have_the_right_form)

# %% [markdown]
# ## 4.3 Connections into one neuron (4 points)
#
# On how many values of the layer before does one neuron depend, inside of the image? Give the
# number for the four convolutions, for a pooling layer, and for the two fully connected layers. A
# bias is no value of the layer before.

# %%
from reference.answers.conv_arithmetic import (
    fan_in_of_convolutions,
    fan_in_of_dense,
    fan_in_of_pooling,
)


# %%
@check(
    "fan_ins",
    points=2,
    hint="A neuron of a convolution sees its window in every channel of the layer before.",
)
@case("conv3-64", entry=0, hidden=True)
@case("conv3-128", entry=1, hidden=True)
@case("conv3-256, first", entry=2, hidden=True)
@case("conv3-256, second", entry=3, hidden=True)
def fan_in_of_convolutions_is_right(student, reference, rng, entry):
    """fan_in_of_convolutions gives the connections into a neuron of each convolution."""
    got = as_list(student.fan_in_of_convolutions)
    assert_shape(got, (4,), what="fan_in_of_convolutions")
    want = reference.fan_in_of_convolutions
    assert_equal(got[entry], want[entry], what=f"fan_in_of_convolutions[{entry}]")


@check("fan_ins", points=1, hint="Pooling looks at one channel.")
@case("a pooling layer", hidden=True)
def fan_in_of_pooling_is_right(student, reference, rng):
    """fan_in_of_pooling gives the connections into a neuron of a pooling layer."""
    got = student.fan_in_of_pooling
    assert_equal(got, reference.fan_in_of_pooling, what="fan_in_of_pooling")


@check("fan_ins", points=1, hint="A fully connected neuron looks at all that comes before it.")
@case("FC-1024", entry=0, hidden=True)
@case("FC-100", entry=1, hidden=True)
def fan_in_of_dense_is_right(student, reference, rng, entry):
    """fan_in_of_dense gives the connections into a neuron of each fully connected layer."""
    got = as_list(student.fan_in_of_dense)
    assert_shape(got, (2,), what="fan_in_of_dense")
    want = reference.fan_in_of_dense
    assert_equal(got[entry], want[entry], what=f"fan_in_of_dense[{entry}]")


# %%
@check("fan_ins", points=0)
@case("four, one and two")
def fan_ins_have_the_right_form(student, reference, rng):
    """Four numbers, one and two; whether they are right is found when grading."""
    assert_shape(student.fan_in_of_convolutions, (4,), what="fan_in_of_convolutions")
    assert_shape(student.fan_in_of_pooling, (), what="fan_in_of_pooling")
    assert_shape(student.fan_in_of_dense, (2,), what="fan_in_of_dense")


self_check(fan_ins_have_the_right_form)

# %% [markdown]
# # 5. Receptive fields
#
# How much of the picture does one unit see? A unit of the first layer sees its window. A unit of
# the second sees a window of such units, whose own windows overlap; and so on upwards. The
# *receptive field* of a unit is the smallest square of input pixels that holds all pixels on which
# the unit depends. The drawing shows it along one axis for two layers with kernels of three and
# stride 1: five pixels.
#
# In this part, a layer is a dict such as
# `{"kernel": 3, "stride": 2, "padding": 1, "dilation": 1}`, alike along both axes. A pooling layer
# is described in the same way as a convolution: what counts is which values it looks at.


# %%
def draw_paths(layers, pixels=9):
    """Draw which values the middle unit of the top layer depends on, along one axis."""
    _, place = plt.subplots(figsize=(6, 1.1 * len(layers) + 0.8))
    for height in range(len(layers) + 1):
        place.plot(range(pixels), [height] * pixels, "o", color="lightgrey", zorder=1)
    units = {pixels // 2}
    for height in range(len(layers), 0, -1):
        reach, below = layers[height - 1] // 2, set()
        for unit in units:
            place.plot(unit, height, "o", color="tab:red", zorder=2)
            for other in range(unit - reach, unit + reach + 1):
                place.plot([unit, other], [height, height - 1], color="tab:red", lw=0.8, zorder=0)
                below.add(other)
        units = below
    place.plot(sorted(units), [0] * len(units), "o", color="tab:red", zorder=2)
    place.set_yticks(
        range(len(layers) + 1), ["input", *(f"layer {i + 1}" for i, _ in enumerate(layers))]
    )
    place.set_xticks([])
    place.set_frame_on(False)
    plt.tight_layout()
    plt.show()


if budget(True, graded=False):
    draw_paths([3, 3])

# %% [markdown]
# ## 5.1 By formula (5 points)
#
# Go through the layers from the input upwards. What does the next layer add to the field? It adds a
# number of steps between its own inputs, and each of these steps is as long as the distance *in the
# input* of two neighbouring units below. This distance is what strides change, and they change it
# for all layers that follow. Return the side of the receptive field after every layer.

# %%
from reference.receptive_fields import receptive_fields


# %%
def make_layers(*rows):
    """Make layers from rows of kernel, stride, padding and dilation."""
    names = "kernel", "stride", "padding", "dilation"
    return [dict(zip(names, row, strict=True)) for row in rows]


def draw_rows(rng, count, dilation):
    """Draw rows of three layers or more: a kernel of 1 among the first, and no stride of 1."""
    rows = rng.integers([1, 1, 0, 1], [6, 4, 3, dilation + 1], size=(count, 4))
    rows[:3, 0], rows[:2, 1], rows[0, 3] = (
        rng.permutation([1, 3, 4]),
        rng.permuted([2, 3]),
        dilation,
    )
    return rows.tolist()


@check(
    "receptive_fields",
    points=5,
    pure=True,
    hint="Keep two numbers: the field, and how far apart in the input two neighbouring units are.",
)
@domain(
    sizes={"count": (3, 8)},
    dilation=choices(1, 2, 4),
    layers=derived(
        lambda rng, count, dilation: make_layers(*draw_rows(rng, count, dilation)),
        "`count` layers, of the rows that draw_rows returns",
    ),
)
def receptive_fields_match_reference(student, reference, rng, dilation, layers):
    """receptive_fields gives the side of the receptive field after every layer."""
    got = as_list(student.receptive_fields(layers))
    assert_equal(got, reference.receptive_fields(layers), what="receptive fields")


self_check(receptive_fields_match_reference)


# %% [markdown]
# ## 5.2 By gradient (5 points)
#
# A formula may be wrong, and nobody notices. So check it against the network itself: a unit depends
# on a pixel just if its derivative with respect to that pixel is not zero, given that no weight is
# zero and that nothing cancels by chance. Find all pixels on which a unit depends, by gradients or
# otherwise: the *footprint* of the unit.
#
# Compare with 5.1: the smallest square around the footprint is the receptive field, unless the
# footprint is cut off at the border. Within the square there may be holes. Where do they come from?

# %%
from reference.receptive_fields import gradient_footprint


# %%
@check(
    "gradient_footprint",
    points=5,
    pure=True,
    hint="Positive weights never cancel. Is it one unit's derivative, for all pixels of the image?",
)
@case("two layers", layers=[(3, 1, 1, 1), (3, 1, 1, 1)], size=(9, 11), output=(9, 11))
@case("stride and no padding", layers=[(3, 2, 0, 1), (2, 2, 0, 1)], size=(13, 16), output=(3, 3))
@case("one layer with holes", layers=[(3, 1, 2, 2)], size=(8, 7), output=(8, 7))
@case(
    "three layers of three kinds",
    layers=[(4, 2, 2, 1), (3, 1, 3, 3), (2, 1, 0, 1)],
    size=(17, 22),
    output=(8, 11),
    hidden=True,
)
@case(
    "wide strides that jump over pixels",
    layers=[(2, 3, 1, 1), (2, 2, 0, 2)],
    size=(20, 17),
    output=(3, 2),
    hidden=True,
)
@case("a single pixel", layers=[(1, 2, 0, 1)], size=(5, 7), output=(3, 4), hidden=True)
@case("no layer", layers=[], size=(4, 5), output=(4, 5), hidden=True)
def gradient_footprint_matches_reference(student, reference, rng, layers, size, output):
    """gradient_footprint marks the pixels on which a unit depends, in the middle and at corners."""
    height, width = output
    units = [(0, width - 1), (height - 1, 0)]
    units += [(int(rng.integers(height)), int(rng.integers(width))) for _ in range(3)]
    for unit in units:
        arguments = make_layers(*layers), *size, *unit
        got = student.gradient_footprint(*arguments)
        assert_equal(
            got, reference.gradient_footprint(*arguments), what=f"footprint of unit {unit}"
        )


self_check(gradient_footprint_matches_reference)


# %% [markdown]
# ## 5.3 How many layers? (2 points)
#
# A unit at the top is to see at least a certain number of pixels along each axis. How many equal
# layers does that take at least? Without strides the field grows by the same amount with each
# layer; compare what happens with stride 2.

# %%
from reference.receptive_fields import layers_to_cover


# %%
def count_layers(notebook, sides, kernel_size, stride):
    """Return the answers for several sides at once."""
    return [notebook.layers_to_cover(side, kernel_size, stride) for side in sides]


@check(
    "layers_to_cover",
    points=2,
    given=["receptive_fields"],
    hint="Add layers until the field is large enough, and no longer.",
)
@domain(kernel_size=choices(3, 2, 5), stride=choices(2, 1, 3, 4), visible=1)
def layers_to_cover_matches_reference(student, reference, rng, kernel_size, stride):
    """layers_to_cover gives the smallest number of layers, also where the field fits exactly."""
    exact = 1 + (kernel_size - 1) * sum(stride**n for n in range(4))
    sides = [1, exact, exact + 1, *(int(n) for n in rng.integers(2, 4 * exact, size=3))]
    got = student.apply(count_layers, sides, kernel_size, stride)
    want = reference.apply(count_layers, sides, kernel_size, stride)
    assert_equal(got, want, what=f"layers for {sides}, kernel {kernel_size}, stride {stride}")


self_check(layers_to_cover_matches_reference)


# %% [markdown]
# ## 5.4 What enlarges the field? (2 points)
#
# A network has three convolutions with kernels of $3 \times 3$, stride 1, padding 1 and no
# dilation. We look at the receptive field of a unit in the middle of the last layer. Which of these
# changes make it larger, each taken alone?
#
# - **A** twice as many filters in every layer
# - **B** kernels of $5 \times 5$ in the first layer
# - **C** stride 2 in the first layer
# - **D** padding 2 in every layer
# - **E** stride 2 in the last layer
# - **F** dilation 2 in the last layer
# - **G** a further convolution with kernels of $1 \times 1$ at the end
# - **H** max-pooling over $2 \times 2$ pixels with stride 2 before the last layer
# - **I** images of twice the height and width
#
# Give all letters that do, and no other, as one text such as `"AEI"`. The order does not matter.
# One letter too many or too few costs a point, two cost both.

# %%
from reference.answers.conv_arithmetic import field_enlarging_changes


# %%
@check(
    "field_enlarging_changes",
    points=2,
    hint="Put each change into your receptive_fields, where it can be.",
)
@case("one letter off", most_wrong=1, hidden=True)
@case("exactly the right letters", most_wrong=0, hidden=True)
def field_enlarging_changes_are_right(student, reference, rng, most_wrong):
    """field_enlarging_changes names the changes that enlarge the receptive field."""
    got, right = letters_of(student.field_enlarging_changes), reference.field_enlarging_changes
    assert_that(isinstance(got, str), "field_enlarging_changes: not a text")
    if not got or len(set(got) ^ set(right)) > most_wrong:
        assert_equal("".join(sorted(set(got))), right, what="the letters")


@check("field_enlarging_changes", points=0)
@case("some letters")
def field_enlarging_changes_have_the_right_form(student, reference, rng):
    """field_enlarging_changes has letters from A to I; grading tells whether they are right."""
    got = letters_of(student.field_enlarging_changes)
    right = isinstance(got, str) and got and set(got) <= set("ABCDEFGHI")
    assert_that(right, "field_enlarging_changes: give letters from A to I as one text")


self_check(field_enlarging_changes_have_the_right_form)

# %% [markdown]
# # 6. Kernels of your own
#
# Trained networks discover kernels that people had designed by hand decades before. Here you design
# some. In this part there is mostly no single right answer: a kernel is right if it does what is
# asked for, and the check tries that on random images. Unless a question says otherwise, kernels
# are used as in deep-learning libraries, as **cross-correlations** (not flipped), without padding.
#
# *Silent* means that the response is zero everywhere. A kernel given as whole numbers is as good as
# one given as fractions, and any multiple of it will do, unless sizes are asked for.


# %%
def scene():
    """Draw a small picture with edges of several directions."""
    y, x = np.mgrid[0:64, 0:64]
    picture = 0.2 + 0.004 * y
    picture[(x - 20) ** 2 + (y - 22) ** 2 < 150] = 0.9
    picture[40:54, 8:34] = 0.05
    picture[np.abs(x + y - 88) < 3] = 1.0
    picture[6:58, 52:54] = 0.8
    return picture


def look_at(**kernels):
    """Show what kernels make of the picture; those that are not answered yet are left out."""
    kernels = {name: kernel for name, kernel in kernels.items() if kernel is not ...}
    _, places = plt.subplots(1, len(kernels) + 1, figsize=(2.2 * (len(kernels) + 1), 2.5))
    places = np.atleast_1d(places)
    places[0].imshow(scene(), cmap="grey")
    places[0].set_title("picture", fontsize=8)
    for place, (name, kernel) in zip(places[1:], kernels.items(), strict=True):
        picture, weights = (
            torch.tensor(as_list(m), dtype=torch.float64)[None, None] for m in (scene(), kernel)
        )
        place.imshow(torch.nn.functional.conv2d(picture, weights)[0, 0], cmap="grey")
        place.set_title(name, fontsize=8)
    for place in places:
        place.set_axis_off()
    plt.tight_layout()
    plt.show()


if budget(True, graded=False):
    look_at(laplacian=laplacian, Q=kernel_q)

# %% [markdown]
# ## 6.1 Horizontal edges (2 points)
#
# A horizontal edge is where brightness changes from one row to the next. Design a $3 \times 3$
# kernel that
#
# 1. is silent on every image whose rows are all equal (a flat image, vertical edges, vertical
#    stripes),
# 2. answers to a step from one brightness above to another below, and that with one sign only: not
#    positive on one side of the edge and negative on the other. Somewhere along the step its answer
#    is at least a tenth of the height of the step times the sum of the sizes of its weights.

# %%
from reference.answers.conv_arithmetic import horizontal_edge_kernel


# %%
def slide(image, kernel):
    """Return the cross-correlation without padding, in double precision."""
    image, kernel = (
        torch.tensor(np.asarray(m), dtype=torch.float64)[None, None] for m in (image, kernel)
    )
    return torch.nn.functional.conv2d(image, kernel)[0, 0].numpy()


def weights_of(answer, shape, what):
    """Return a kernel as an array of finite numbers, scaled so that the sizes add up to one."""
    assert_shape(answer, shape, what=what)
    weights = np.asarray(as_list(answer))
    assert_that(weights.dtype.kind in "iuf", f"{what}: weights are real numbers")
    weights = weights.astype(np.float64)
    assert_that(bool(np.isfinite(weights).all()), f"{what}: weights are finite numbers")
    size = np.abs(weights).sum()
    assert_that(bool(size > 0), f"{what}: all weights are zero")
    return weights / size


# Responses to numbers of size one, of weights that were scaled: rounding leaves less than this.
SILENT = 1e-6


@check(
    "horizontal_edge_kernel",
    points=2,
    all_or_nothing=True,
    hint="Each column of the kernel has to add up to zero, and its rows must not.",
)
@case("images of equal rows", image="equal rows")
@case("steps from row to row", image="steps")
@case("more images of equal rows", image="equal rows", hidden=True)
@case("more steps from row to row", image="steps", hidden=True)
def horizontal_edge_kernel_works(student, reference, rng, image):
    """The kernel is silent on equal rows, and answers to horizontal steps with one sign."""
    weights = weights_of(student.horizontal_edge_kernel, (3, 3), "horizontal_edge_kernel")
    for _ in range(4):
        if image == "equal rows":
            response = slide(np.tile(rng.normal(size=9), (8, 1)), weights)
            assert_that(np.abs(response).max() < SILENT, "it answers to an image of equal rows")
            continue
        rows, place = np.zeros(9), int(rng.integers(3, 6))
        height = float(rng.uniform(0.5, 2.0) * rng.choice([-1.0, 1.0]))
        rows[place:] = height
        response = slide(np.tile(rows[:, None] + rng.normal(), (1, 7)), weights)
        both = response.max() > SILENT and response.min() < -SILENT
        assert_that(not both, "it answers to one step with both signs")
        strongest = np.abs(response).max() / abs(height)
        assert_that(strongest >= 0.1 - SILENT, "it hardly answers to a step from row to row")


self_check(horizontal_edge_kernel_works)

# %% [markdown]
# ## 6.2 Thin vertical lines (2 points)
#
# Design a $3 \times 3$ kernel that finds vertical lines one pixel wide, but no shading. It
#
# 1. is silent on every image whose columns are all equal (a flat image, horizontal lines),
# 2. is silent on every even slope, that is, where brightness rises by the same amount from column
#    to column (and by another, perhaps, from row to row),
# 3. answers to a bright vertical line on a dark ground. Where it lies right on the line, the size
#    of its answer is at least a tenth of the brightness of the line times the sum of the sizes of
#    its weights.

# %%
from reference.answers.conv_arithmetic import vertical_line_kernel


# %%
@check(
    "vertical_line_kernel",
    points=2,
    all_or_nothing=True,
    hint="A slope has the same difference on both sides of a pixel. Subtract one from the other.",
)
@case("images of equal columns", image="equal columns")
@case("slopes", image="slopes")
@case("lines", image="lines")
@case("more images of equal columns", image="equal columns", hidden=True)
@case("more slopes", image="slopes", hidden=True)
@case("more lines", image="lines", hidden=True)
def vertical_line_kernel_works(student, reference, rng, image):
    """The kernel is silent on equal columns and on slopes, and answers to vertical lines."""
    weights = weights_of(student.vertical_line_kernel, (3, 3), "vertical_line_kernel")
    for _ in range(4):
        y, x = np.mgrid[0:7, 0:9]
        if image == "equal columns":
            response = slide(np.tile(rng.normal(size=(7, 1)), (1, 9)), weights)
            assert_that(np.abs(response).max() < SILENT, "it answers to an image of equal columns")
        elif image == "slopes":
            response = slide(rng.normal() + rng.normal() * x + rng.normal() * y, weights)
            assert_that(np.abs(response).max() < SILENT, "it answers to an even slope")
        else:
            place, height = int(rng.integers(2, 7)), float(rng.uniform(0.5, 2.0))
            response = slide(height * (x == place), weights)
            strongest = np.abs(response[:, place - 1]).min() / height
            assert_that(strongest >= 0.1 - SILENT, "it hardly answers to a vertical line")


self_check(vertical_line_kernel_works)

# %% [markdown]
# ## 6.3 Diagonal edges (2 points)
#
# With four numbers one can tell the two diagonals apart. Design a $2 \times 2$ kernel for edges
# that run from the top left to the bottom right, so that dark and bright are separated by such a
# line. It
#
# 1. is silent on every image that is constant along the *other* diagonals, from the top right to
#    the bottom left (so on every edge of that direction, and on flat images),
# 2. answers to a step across a line from the top left to the bottom right: somewhere at least with
#    a tenth of the height of the step times the sum of the sizes of its weights.

# %%
from reference.answers.conv_arithmetic import diagonal_edge_kernel


# %%
@check(
    "diagonal_edge_kernel",
    points=2,
    all_or_nothing=True,
    hint="Which two of the four pixels lie on one diagonal from the top right to the bottom left?",
)
@case("constant along the other diagonals", image="other")
@case("steps across the diagonal", image="steps")
@case("more images of the other diagonals", image="other", hidden=True)
@case("more steps across the diagonal", image="steps", hidden=True)
def diagonal_edge_kernel_works(student, reference, rng, image):
    """The kernel is silent along the other diagonals, and answers to steps across its own."""
    weights = weights_of(student.diagonal_edge_kernel, (2, 2), "diagonal_edge_kernel")
    for _ in range(4):
        y, x = np.mgrid[0:8, 0:8]
        if image == "other":
            response = slide(rng.normal(size=16)[x + y], weights)
            assert_that(np.abs(response).max() < SILENT, "it answers along the other diagonals")
        else:
            place, height = int(rng.integers(-2, 3)), float(rng.uniform(0.5, 2.0))
            response = slide(height * (x - y > place) + rng.normal(), weights)
            strongest = np.abs(response).max() / height
            assert_that(strongest >= 0.1 - SILENT, "it hardly answers to a step")


self_check(diagonal_edge_kernel_works)

# %% [markdown]
# ## 6.4 Moving an image (3 points)
#
# Give three kernels that move an image, with zero padding so that it keeps its size. What moves out
# is lost, what moves in is zero, and brightness stays as it is.
#
# 1. $3 \times 3$: the image moves **left** by one pixel, by **cross-correlation**.
# 2. $3 \times 3$: the image moves **left** by one pixel, by **true convolution**.
# 3. $5 \times 5$: the image moves **down** by two pixels and **right** by one, by
#    **cross-correlation**.
#
# **Look out.** Where do you have to look, to see what will be here in a moment?

# %%
from reference.answers.conv_arithmetic import (
    down_down_right_by_correlation,
    left_by_convolution,
    left_by_correlation,
)


# %%
@check(
    "moving_kernels",
    points=3,
    hint="If the image moves left, each pixel takes its value from its neighbour on the right.",
)
@case("left, by cross-correlation", name="left_by_correlation", move=(0, -1))
@case("left, by true convolution", name="left_by_convolution", move=(0, -1), flip=True)
@case("down, down, right", name="down_down_right_by_correlation", move=(2, 1))
def moving_kernels_work(student, reference, rng, name, move, flip=False):
    """The kernel moves random images as it should, and leaves brightness as it is."""
    side = 2 * max(abs(step) for step in move) + 1
    assert_shape(student[name], (side, side), what=name)
    weights = np.asarray(as_list(student[name]))
    assert_that(weights.dtype.kind in "iuf", f"{name}: weights are real numbers")
    if flip:
        weights = weights[::-1, ::-1].copy()
    for size in ((6, 9), (7, 5)):
        image = rng.normal(size=size)
        rows, columns = (np.arange(n) - step for n, step in zip(size, move, strict=True))
        want = np.zeros(size)
        for r, c in np.ndindex(*size):
            if 0 <= rows[r] < size[0] and 0 <= columns[c] < size[1]:
                want[r, c] = image[rows[r], columns[c]]
        got = slide(np.pad(image, side // 2), weights)
        assert_close(got, want, what=f"the image that {name} has moved")


self_check(moving_kernels_work)


# %% [markdown]
# ## 6.5 Blur (2 points)
#
# Design a $3 \times 3$ kernel that blurs, alike in all directions. It
#
# 1. leaves a flat image as it is, in brightness too (to two parts in a thousand, so that you may
#    round your weights),
# 2. has no negative weight,
# 3. does not change when it is mirrored, left to right or top to bottom, nor when rows and columns
#    are exchanged (as precisely),
# 4. takes at least half of the contrast off stripes that are one pixel wide, vertical ones and
#    horizontal ones.

# %%
from reference.answers.conv_arithmetic import blur_kernel


# %%
@check(
    "blur_kernel",
    points=2,
    all_or_nothing=True,
    hint="An average of a pixel and its neighbours: what do the weights have to add up to?",
)
@case("flat images", image="flat")
@case("symmetry", image="none")
@case("stripes", image="stripes")
@case("more flat images", image="flat", hidden=True)
def blur_kernel_works(student, reference, rng, image):
    """The kernel keeps flat images, is symmetric without negative weights, and blurs stripes."""
    assert_shape(student.blur_kernel, (3, 3), what="blur_kernel")
    weights = np.asarray(as_list(student.blur_kernel))
    assert_that(weights.dtype.kind in "iuf", "blur_kernel: weights are real numbers")
    weights = weights.astype(np.float64)
    if image == "flat":
        brightness = float(rng.uniform(0.2, 3.0))
        want = np.full((4, 5), brightness)
        # Weights that are written with three digits add up to one only so far.
        assert_close(
            slide(np.full((6, 7), brightness), weights), want, rtol=2e-3, what="flat image"
        )
    elif image == "none":
        assert_that(weights.min() >= 0, "blur_kernel: a weight is negative")
        for turned in (weights[::-1], weights[:, ::-1], weights.T):
            assert_close(turned, weights, rtol=2e-3, what="the mirrored kernel")
    else:
        stripes = float(rng.uniform(0.5, 2.0)) * (-1.0) ** np.arange(9)
        for striped in (np.tile(stripes, (9, 1)), np.tile(stripes, (9, 1)).T):
            left = np.abs(slide(striped, weights)).max() / np.abs(stripes).max()
            assert_that(left <= 0.501, "blur_kernel: more than half of the contrast is left")


self_check(blur_kernel_works)

# %% [markdown]
# Have a look at what your kernels make of a picture.

# %%
if budget(True, graded=False):
    look_at(
        edges=horizontal_edge_kernel,
        lines=vertical_line_kernel,
        diagonal=diagonal_edge_kernel,
        blur=blur_kernel,
    )

# %% [markdown]
# ## 6.6 Two kernels in one (4 points)
#
# Two convolutions with nothing between them are one convolution with a larger kernel: that is why
# networks put something between them. Given two kernels, compute the one that has the same
# response as the first followed by the second. All three are used as cross-correlations without
# padding. How large is it? Begin with two kernels of a single row, and write down which pixels the
# second looks at through the first.
#
# **Look out.** The kernels are not flipped when they are used. Whether anything is flipped when
# they are combined is for you to find out.

# %%
from reference.conv_kernels import compose_kernels

# %%
compose_kernels_matches_reference = matches_reference(
    "compose_kernels",
    points=4,
    said="compose_kernels gives the kernel that has the same response as two.",
    returns="kernel",
    first=arrays("p q"),
    second=arrays("r s"),
    hint="Each weight of the second adds a copy of the first, moved to where that weight stands.",
)

self_check(compose_kernels_matches_reference)
