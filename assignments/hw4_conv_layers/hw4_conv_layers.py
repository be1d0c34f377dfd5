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
# # Homework 4: The layers of a convolutional network
#
# A deep network is a chain of simple functions, and backpropagation is the chain rule walked from
# its end to its beginning. What makes this practical is that each layer only has to know two
# things: how to compute its output, and how to turn the gradient at its output into gradients at
# its input and its parameters. In this homework you write both for every layer of a classical
# image classifier, in NumPy. At the end you put them together and teach them to read digits.
#
# | part | what you do | points |
# |---|---|---|
# | 1 | affine layer, ReLU, softmax with cross-entropy | 22 |
# | 2 | convolution, max pooling, transposed convolution | 44 |
# | 3 | batch normalisation and dropout | 19 |
# | 4 | a convolutional network that reads digits | 15 |
#
# **Notation.** $L$ is the loss, a single number. For an array $a$, the array
# $\bar a = \partial L / \partial a$ has the shape of $a$. In code $\bar a$ is called `da`, and the
# gradient that comes in from above is `dout`. Images are arrays `(N, C, H, W)`: pictures,
# channels, rows, columns. Sizes, strides and pads are pairs, **rows first, then columns**, and the
# two need not be equal.
#
# **House rules.** A backward function gets `dout` and what the forward function got, so you can
# write and test it on its own. No function changes an argument. Gradients are those of the loss
# itself: nothing is divided by the size of the batch, unless a formula says so. Both single and
# double precision come in; you may answer in either. Write in NumPy; a loop over the few
# positions *inside* a kernel is cheap, a loop over all pixels of all images is slow.
#
# **How you are graded.** Below each question stands a check that compares your answer with ours;
# run it as often as you like. Grading runs the same checks with other random numbers, and with
# further cases that you do not see: other strides, other shapes, other corners of the definition.
# A person reads the proof in Part 3 and the comment in Part 4.

# %%
from contextlib import suppress

import matplotlib.pyplot as plt
import numpy as np
import torch

from autograder import (
    assert_close,
    assert_shape,
    assert_that,
    budget,
    case,
    check,
    self_check,
)

# %% [markdown]
# **A tool.** A gradient can always be measured: move one number a little, and see what the loss
# does. The quotient below uses a step to each side, whose error shrinks with the square of the
# step. It is slow, and it lies near a kink (ReLU at zero, two equal numbers in a pool), but a slip
# in a backward function rarely survives it. To test one, choose a random `dout` and compare, for
# example,
#
# ```python
# numeric_gradient(lambda x: (relu_forward(x) * dout).sum(), x)
# ```
#
# with `relu_backward(dout, x)`: the loss $\sum \texttt{out} \cdot \texttt{dout}$ has just this
# gradient at the output.


# %%
def numeric_gradient(loss, a, step=1e-5):
    """Return the measured gradient of a loss, a function of one array, at the array a."""
    gradient = np.zeros(a.shape)
    for place in np.ndindex(a.shape):
        move = np.zeros(a.shape)
        move[place] = step
        gradient[place] = (loss(a + move) - loss(a - move)) / (2 * step)
    return gradient


# %% [markdown]
# # 1. Three layers without pictures
#
# The affine layer does the computing, the ReLU makes it more than one big matrix, and the softmax
# turns the last numbers into probabilities. None of them knows that its input was an image.

# %% [markdown]
# ## 1.1 The affine layer (8 points)
#
# Every example becomes a row of a matrix $X \in \mathbb R^{N \times D}$: an image of shape
# $(C, H, W)$ is laid out in the order in which NumPy keeps it, so $D = C H W$. The layer returns
#
# $$Y = X W + \mathbf 1 b^\top .$$
#
# For the way back, look at one entry, $Y_{nm} = \sum_d X_{nd} W_{dm} + b_m$, and ask of each number
# on the right which entries of $Y$ it takes part in: the chain rule adds up over these. $W_{dm}$
# is used by every example, and $b_m$ too; $X_{nd}$ only by its own example, but by every output.
# Writing the sums as products of matrices is a matter of getting the shapes to fit: each gradient
# has the shape of the thing itself.
#
# **Look out.** Some courses keep examples in columns and multiply from the left. Here examples are
# rows. And $\bar X$ goes back to a layer that knows nothing of the flattening.

# %%
from reference.layers import affine_forward


# %%
def draw(rng, shape, dtype="float64"):
    """Return normal random numbers as an array of a shape and dtype."""
    return np.asarray(rng.normal(size=shape), dtype)


def rounding(dtype):
    """Return the tolerance: in single precision, sums of dozens of numbers may cancel."""
    return {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {}


@check(
    "affine",
    points=3,
    pure=True,
    hint="Keep the first axis, flatten the others in NumPy's own order, multiply, add the bias.",
)
@case("rows of numbers", shape=(4, 5), m=3)
@case("small pictures", shape=(3, 2, 4, 5), m=6)
@case("a batch of one", shape=(1, 3, 2), m=4, hidden=True)
@case("single precision", shape=(5, 2, 3), m=2, dtype="float32", hidden=True)
def affine_forward_matches_reference(student, reference, rng, shape, m, dtype="float64"):
    """affine_forward flattens each example, multiplies by the weights and adds the bias."""
    x = draw(rng, shape, dtype)
    w, b = draw(rng, (np.prod(shape[1:]), m), dtype), draw(rng, m, dtype)
    got, want = student.affine_forward(x, w, b), reference.affine_forward(x, w, b)
    assert_close(got, want, **rounding(dtype), what="out")


self_check(affine_forward_matches_reference)


# %%
@affine_forward_matches_reference.mistake("the bias is forgotten")
def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w


@affine_forward_matches_reference.mistake("the bias is subtracted")
def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w - b


@affine_forward_matches_reference.mistake("one bias for all outputs: each has its own")
def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b.sum()


@affine_forward_matches_reference.mistake(
    "flattened the wrong way round: the last axis runs fastest, not the first"
)
def affine_forward(x, w, b):
    return np.reshape(x, (len(x), -1), order="F") @ w + b


@affine_forward_matches_reference.mistake("examples in columns: here they are rows, also of out")
def affine_forward(x, w, b):
    return w.T @ x.reshape(len(x), -1).T + b[:, None]


@affine_forward_matches_reference.mistake("averaged over the inputs: the products are summed")
def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w / len(w) + b


@affine_forward_matches_reference.mistake("not flattened: only the last axis meets the weights")
def affine_forward(x, w, b):
    return x @ w + b


@affine_forward_matches_reference.mistake("overwrites the caller's input")
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    x -= x.mean()
    return out


# %%
@affine_forward_matches_reference.alternative("einsum, after flattening by hand")
def affine_forward(x, w, b):
    flat = np.stack([image.ravel() for image in x])
    return np.einsum("nd,dm->nm", flat, w) + b


@affine_forward_matches_reference.alternative("the weights in the shape of an example; tensordot")
def affine_forward(x, w, b):
    axes = list(range(1, x.ndim))
    unfolded = w.reshape(*x.shape[1:], -1)
    return b + np.tensordot(x, unfolded, axes=(axes, [axis - 1 for axis in axes]))


@affine_forward_matches_reference.alternative("torch's linear layer, in double precision")
def affine_forward(x, w, b):
    wide = [torch.tensor(a, dtype=torch.float64) for a in (x, w, b)]
    return torch.nn.functional.linear(wide[0].flatten(1), wide[1].T, wide[2]).numpy()


# %%
from reference.layers import affine_backward


# %%
def parts(got, *names):
    """Return a tuple of the student's, after a look at its length."""
    fits = isinstance(got, (tuple, list)) and len(got) == len(names)
    assert_that(fits, f"return {len(names)} arrays: {', '.join(names)}")
    return got


@check(
    "affine",
    points=5,
    pure=True,
    hint="Which entries of the output does each number take part in? Add up over exactly those.",
)
@case("rows of numbers", shape=(4, 5), m=3)
@case("small pictures", shape=(3, 2, 4, 5), m=6)
@case("a batch of one", shape=(1, 3, 2), m=4, hidden=True)
@case("more outputs than inputs", shape=(5, 2, 1), m=7, hidden=True)
@case("single precision", shape=(5, 2, 3), m=2, dtype="float32", hidden=True)
def affine_backward_matches_reference(student, reference, rng, shape, m, dtype="float64"):
    """affine_backward returns dx, dw and db, each in the shape of what it is the gradient of."""
    x, w = draw(rng, shape, dtype), draw(rng, (np.prod(shape[1:]), m), dtype)
    dout = draw(rng, (shape[0], m), dtype)
    got = parts(student.affine_backward(dout, x, w), "dx", "dw", "db")
    want = reference.affine_backward(dout, x, w)
    for value, right, name in zip(got, want, ("dx", "dw", "db"), strict=True):
        assert_close(value, right, **rounding(dtype), what=name)


self_check(affine_backward_matches_reference)


# %%
right_affine_backward = affine_backward  # mistakes change what comes out of it


@affine_backward_matches_reference.mistake("dx is left flat: it has the shape of x")
def affine_backward(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dx.reshape(len(x), -1), dw, db


@affine_backward_matches_reference.mistake("dx is folded back with the first axis running fastest")
def affine_backward(dout, x, w):
    _, dw, db = right_affine_backward(dout, x, w)
    return np.reshape(dout @ w.T, x.shape, order="F"), dw, db


@affine_backward_matches_reference.mistake("dw is transposed")
def affine_backward(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dx, dw.T, db


@affine_backward_matches_reference.mistake("the weights are not transposed on the way back")
def affine_backward(dout, x, w):
    _, dw, db = right_affine_backward(dout, x, w)
    return (dout @ w).reshape(x.shape), dw, db


@affine_backward_matches_reference.mistake(
    "dw and db averaged over the batch: the loss has that factor in it already, if at all"
)
def affine_backward(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dx, dw / len(x), db / len(x)


@affine_backward_matches_reference.mistake("db averaged over the batch: it is a sum")
def affine_backward(dout, x, w):
    dx, dw, _ = right_affine_backward(dout, x, w)
    return dx, dw, dout.mean(axis=0)


@affine_backward_matches_reference.mistake("db summed over the outputs, not over the batch")
def affine_backward(dout, x, w):
    dx, dw, _ = right_affine_backward(dout, x, w)
    return dx, dw, dout.sum(axis=1)


@affine_backward_matches_reference.mistake("db keeps a row for each example")
def affine_backward(dout, x, w):
    dx, dw, _ = right_affine_backward(dout, x, w)
    return dx, dw, dout.copy()


@affine_backward_matches_reference.mistake("db keeps the batch's axis, with length one")
def affine_backward(dout, x, w):
    dx, dw, _ = right_affine_backward(dout, x, w)
    return dx, dw, dout.sum(axis=0, keepdims=True)


@affine_backward_matches_reference.mistake("the gradients in another order than dx, dw, db")
def affine_backward(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dw, db, dx


@affine_backward_matches_reference.mistake(
    "dx has the bias' gradient in it: b does not depend on x"
)
def affine_backward(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dx + db.sum(), dw, db


@affine_backward_matches_reference.mistake("only the first example counts in dw")
def affine_backward(dout, x, w):
    dx, _, db = right_affine_backward(dout, x, w)
    return dx, np.outer(x[0], dout[0]), db


@affine_backward_matches_reference.mistake("the sign of a step downhill: gradients point uphill")
def affine_backward(dout, x, w):
    return tuple(-gradient for gradient in right_affine_backward(dout, x, w))


@affine_backward_matches_reference.mistake("overwrites the caller's dout")
def affine_backward(dout, x, w):
    gradients = right_affine_backward(dout, x, w)
    dout *= 0
    return gradients


# %%
@affine_backward_matches_reference.alternative("example by example, outer products added up")
def affine_backward(dout, x, w):
    dx, dw, db = np.empty(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for n, (image, above) in enumerate(zip(x, dout, strict=True)):
        dx[n] = np.dot(w, above).reshape(image.shape)
        dw += np.outer(image, above)
        db += above
    return dx, dw, db


@affine_backward_matches_reference.alternative("torch's autograd, on a list of three")
def affine_backward(dout, x, w):
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, w)]
    bias = torch.zeros(w.shape[1], dtype=leaves[0].dtype, requires_grad=True)
    (leaves[0].flatten(1) @ leaves[1] + bias).backward(torch.tensor(dout))
    return [leaf.grad.numpy() for leaf in (*leaves, bias)]


@affine_backward_matches_reference.alternative("einsum")
def affine_backward(dout, x, w):
    flat = np.reshape(x, (x.shape[0], w.shape[0]))
    dx = np.einsum("nm,dm->nd", dout, w)
    return dx.reshape(x.shape), np.einsum("nd,nm->dm", flat, dout), np.einsum("nm->m", dout)


# %% [markdown]
# ## 1.2 The rectified linear unit (4 points)
#
# $\operatorname{ReLU}(x) = \max(x, 0)$, number by number. Its derivative is 1 to the right of zero
# and 0 to the left. At zero there is none: any value from 0 to 1 is a subgradient, and everyone has
# to settle on one. We follow PyTorch and take **0**.
#
# **Look out.** The backward function needs to know the sign of its *input*, not that of `dout`.

# %%
from reference.layers import relu_forward


# %%
@check("relu", points=2, pure=True, hint="Mind negative numbers, and give back a new array.")
@case("a matrix", shape=(4, 5))
@case("pictures in single precision", shape=(2, 3, 4, 2), dtype="float32")
@case("three axes", shape=(3, 1, 7), hidden=True)
@case("large and tiny numbers", shape=(9, 2), size=1e6, hidden=True)
def relu_forward_matches_reference(student, reference, rng, shape, dtype="float64", size=1.0):
    """relu_forward keeps what is positive and replaces the rest by zero."""
    x = draw(rng, shape, dtype) * np.asarray(size ** rng.uniform(-1, 1, size=shape), dtype)
    assert_close(student.relu_forward(x), reference.relu_forward(x), what="out")


self_check(relu_forward_matches_reference)


# %%
@relu_forward_matches_reference.mistake("the size of each number: negative ones become zero")
def relu_forward(x):
    return np.abs(x)


@relu_forward_matches_reference.mistake("keeps the negative side")
def relu_forward(x):
    return np.minimum(x, 0)


@relu_forward_matches_reference.mistake("leaky: a hundredth of the negative side comes through")
def relu_forward(x):
    return np.where(x > 0, x, 0.01 * x)


@relu_forward_matches_reference.mistake("cut off above as well: there is no upper bound")
def relu_forward(x):
    return np.clip(x, 0, 1)


@relu_forward_matches_reference.mistake("the mask in place of the numbers")
def relu_forward(x):
    return (x > 0).astype(x.dtype)


@relu_forward_matches_reference.mistake("a smooth cousin, the softplus")
def relu_forward(x):
    return np.logaddexp(0, x)


@relu_forward_matches_reference.mistake("the largest number of all, not number by number")
def relu_forward(x):
    return np.maximum(x.max(), 0)


@relu_forward_matches_reference.mistake("works in place: the caller's input is overwritten")
def relu_forward(x):
    x[x < 0] = 0
    return x


# %%
@relu_forward_matches_reference.alternative("a product with the mask")
def relu_forward(x):
    return x * (x > 0)


@relu_forward_matches_reference.alternative("half of x plus its size, in double precision")
def relu_forward(x):
    wide = np.asarray(x, np.float64)
    return (wide + np.abs(wide)) / 2


@relu_forward_matches_reference.alternative("torch")
def relu_forward(x):
    return torch.relu(torch.tensor(x))


# %%
from reference.layers import relu_backward


# %%
@check(
    "relu",
    points=2,
    pure=True,
    hint="Where does the output follow the input? What is the convention at exactly zero?",
)
@case("a matrix with zeros in it", shape=(4, 5))
@case("pictures in single precision", shape=(2, 3, 4, 2), dtype="float32")
@case("three axes", shape=(3, 2, 7), hidden=True)
@case("numbers next to zero", shape=(9, 3), size=1e-30, hidden=True)
def relu_backward_matches_reference(student, reference, rng, shape, dtype="float64", size=1.0):
    """relu_backward lets the gradient through where the input was positive, and nowhere else."""
    x, dout = draw(rng, shape, dtype) * np.asarray(size, dtype), draw(rng, shape, dtype)
    x.flat[rng.permutation(x.size)[: x.size // 4]] = 0
    assert_close(student.relu_backward(dout, x), reference.relu_backward(dout, x), what="dx")


self_check(relu_backward_matches_reference)


# %%
@relu_backward_matches_reference.mistake("one at exactly zero: our convention there is zero")
def relu_backward(dout, x):
    return dout * (x >= 0)


@relu_backward_matches_reference.mistake("a half at exactly zero: our convention there is zero")
def relu_backward(dout, x):
    return dout * np.heaviside(x, 0.5)


@relu_backward_matches_reference.mistake("decides by the sign of dout: the input's sign counts")
def relu_backward(dout, x):
    return dout * (dout > 0)


@relu_backward_matches_reference.mistake("negative gradients are cut off as well")
def relu_backward(dout, x):
    return np.maximum(dout, 0) * (x > 0)


@relu_backward_matches_reference.mistake("the derivative alone: the chain rule multiplies by dout")
def relu_backward(dout, x):
    return (x > 0).astype(x.dtype)


@relu_backward_matches_reference.mistake("dout times the output, not times the derivative")
def relu_backward(dout, x):
    return dout * np.maximum(x, 0)


@relu_backward_matches_reference.mistake("the wrong side: lets through where the input is negative")
def relu_backward(dout, x):
    return dout * (x < 0)


@relu_backward_matches_reference.mistake(
    "everything comes through: that is the identity's gradient"
)
def relu_backward(dout, x):
    return dout.copy()


@relu_backward_matches_reference.mistake("the sign of x: its negative side has derivative zero")
def relu_backward(dout, x):
    return dout * np.sign(x)


@relu_backward_matches_reference.mistake("numbers near zero are taken for zero")
def relu_backward(dout, x):
    return dout * (x > 1e-12)


@relu_backward_matches_reference.mistake("overwrites the caller's dout")
def relu_backward(dout, x):
    dout[x <= 0] = 0
    return dout


# %%
@relu_backward_matches_reference.alternative("a choice number by number")
def relu_backward(dout, x):
    return np.where(x > 0, dout, 0.0)


@relu_backward_matches_reference.alternative("a copy with holes, in double precision")
def relu_backward(dout, x):
    gradient = np.array(dout, np.float64)
    gradient[~(x > 0)] = 0
    return gradient


@relu_backward_matches_reference.alternative("torch's autograd")
def relu_backward(dout, x):
    leaf = torch.tensor(x, requires_grad=True)
    torch.relu(leaf).backward(torch.tensor(dout))
    return leaf.grad.numpy()


# %% [markdown]
# ## 1.3 Softmax and cross-entropy (10 points)
#
# The last layer gives each example a score $s_c$ for every class $c$. The softmax makes
# probabilities of them, and the loss of an example with label $y$ is the surprise at its label:
#
# $$p_c = \frac{e^{s_c}}{\sum_k e^{s_k}}, \qquad \ell = -\ln p_y, \qquad
# L = \frac1N \sum_{n=1}^N \ell_n .$$
#
# Softmax and logarithm belong together, on the way back too: the quotient rule for $p_c$ looks
# clumsy, but the derivative of $\ell = \ln \sum_k e^{s_k} - s_y$ fits on half a line. Find it, and
# remember that $L$ is a mean. A network that knows nothing gives all $C$ classes the same
# probability and has the loss $\ln C$, about 2.303 for ten digits. Look for this number when you
# start a training: a first loss far above it says that something is off.
#
# **Look out.** $e^{710}$ is more than double precision can hold, and $\ln 0$ is not a number that
# you can learn from. Adding the same constant to all scores of an example changes none of its
# probabilities; choose the constant so that nothing overflows. Then mind the other end: a
# probability may be too small to be held, while its logarithm is a perfectly ordinary number,
# such as $-2000$. So never take the logarithm of a finished probability.

# %%
from reference.layers import softmax_loss


# %%
@check(
    "softmax_loss",
    points=5,
    pure=True,
    hint="Check the mean over the batch, in the loss and in the gradient, and what labels may be.",
)
@case("four examples, three classes", n=4, c=3)
@case("as many examples as classes", n=5, c=5)
@case("a batch of one", n=1, c=6, hidden=True)
@case("labels in a narrow dtype", n=7, c=120, labels_dtype="uint8", hidden=True)
@case("single precision", n=6, c=4, dtype="float32", hidden=True)
def softmax_loss_matches_reference(
    student, reference, rng, n, c, dtype="float64", labels_dtype="int64"
):
    """softmax_loss returns the mean cross-entropy of a batch and its gradient."""
    scores, labels = 2 * draw(rng, (n, c), dtype), rng.integers(c, size=n).astype(labels_dtype)
    got = parts(student.softmax_loss(scores, labels), "loss", "its gradient")
    want = reference.softmax_loss(scores, labels)
    # A Python number does not tell by its dtype that it was computed in single precision.
    assert_close(got[0], want[0], **rounding(dtype), what="loss")
    assert_close(got[1], want[1], **rounding(dtype), what="gradient")


self_check(softmax_loss_matches_reference)


# %%
@check(
    "softmax_loss",
    points=5,
    pure=True,
    hint="Shift each example by a constant of its own; form no ln of a finished probability.",
)
@case("scores in the thousands", size=1e3)
@case("far below zero", size=1.0, shift=-2e3)
@case("far above zero", size=1.0, shift=2e3, hidden=True)
@case("every example at its own height", size=1.0, spread=3e3, hidden=True)
@case("sure, and sometimes wrong", size=60.0, hidden=True)
def softmax_loss_stands_large_scores(student, reference, rng, size, shift=0.0, spread=0.0):
    """softmax_loss is finite and accurate for large and small scores."""
    scores = size * draw(rng, (6, 4)) + shift + spread * draw(rng, (6, 1))
    labels = rng.integers(4, size=6)
    labels[:2] = scores[:2].argmin(axis=1)
    got = parts(student.softmax_loss(scores, labels), "loss", "its gradient")
    want = reference.softmax_loss(scores, labels)
    assert_close(got[0], want[0], what="loss")
    assert_close(got[1], want[1], what="gradient")


self_check(softmax_loss_stands_large_scores)


# %%
right_softmax_loss = softmax_loss
BOTH_SOFTMAX_CHECKS = (softmax_loss_stands_large_scores,)


@softmax_loss_stands_large_scores.mistake(
    "nothing is subtracted before the exponential, which overflows"
)
def softmax_loss(scores, labels):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    rows = np.arange(len(p))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(p)


def loss_by_probabilities(scores, labels, shift, floor):
    """Return loss and gradient by way of the finished probabilities."""
    p = np.exp(scores - shift)
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(p))
    loss = -np.log(np.maximum(p[rows, labels], floor)).mean()
    p[rows, labels] -= 1
    return loss, p / len(p)


@softmax_loss_stands_large_scores.mistake(
    "the logarithm of a probability that has become zero: subtract before, divide never"
)
def softmax_loss(scores, labels):
    return loss_by_probabilities(scores, labels, scores.max(axis=1, keepdims=True), 0.0)


@softmax_loss_stands_large_scores.mistake(
    "a floor under the probability hides the zero, and caps the loss"
)
def softmax_loss(scores, labels):
    return loss_by_probabilities(scores, labels, scores.max(axis=1, keepdims=True), 1e-12)


@softmax_loss_stands_large_scores.mistake(
    "one maximum for the whole batch: other examples may lie far below it"
)
def softmax_loss(scores, labels):
    shifted = scores - scores.max()
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(scores))
    gradient = np.exp(shifted) / total
    gradient[rows, labels] -= 1
    return (np.log(total[:, 0]) - shifted[rows, labels]).mean(), gradient / len(scores)


@softmax_loss_stands_large_scores.mistake(
    "the mean of the scores is subtracted: the largest may still overflow"
)
def softmax_loss(scores, labels):
    shifted = scores - scores.mean(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(scores))
    gradient = np.exp(shifted) / total
    gradient[rows, labels] -= 1
    return (np.log(total[:, 0]) - shifted[rows, labels]).mean(), gradient / len(scores)


@softmax_loss_stands_large_scores.mistake("a small number added to the probability caps the loss")
def softmax_loss(scores, labels):
    gradient = right_softmax_loss(scores, labels)[1]
    p = len(scores) * gradient
    p[np.arange(len(p)), labels] += 1
    return -np.log(p[np.arange(len(p)), labels] + 1e-8).mean(), gradient


@softmax_loss_matches_reference.mistake(
    "keepdims is missing: the sums of the rows are divided along the columns",
    also=BOTH_SOFTMAX_CHECKS,
)
def softmax_loss(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1)
    rows = np.arange(len(p))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(p)


@softmax_loss_matches_reference.mistake(
    "probabilities over the batch: they add up to one over the classes", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    p = np.exp(scores - scores.max(axis=0))
    p /= p.sum(axis=0)
    rows = np.arange(len(p))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(p)


@softmax_loss_matches_reference.mistake(
    "the gradient is not divided by N, though the loss is a mean", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss, gradient * len(scores)


@softmax_loss_matches_reference.mistake(
    "the sum over the batch in place of the mean", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss * len(scores), gradient * len(scores)


@softmax_loss_matches_reference.mistake(
    "the loss is a sum, the gradient that of a mean", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss * len(scores), gradient


@softmax_loss_matches_reference.mistake(
    "a mean over examples and classes: divide by N only", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss / scores.shape[1], gradient / scores.shape[1]


@softmax_loss_matches_reference.mistake(
    "one loss for each example: the mean is missing", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    _, gradient = right_softmax_loss(scores, labels)
    losses = [
        right_softmax_loss(scores[i : i + 1], labels[i : i + 1])[0] for i in range(len(scores))
    ]
    return np.array(losses), gradient


@softmax_loss_matches_reference.mistake(
    "the sign of the gradient is reversed", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss, -gradient


@softmax_loss_matches_reference.mistake(
    "the sign of the loss: a logarithm of a probability is negative", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return -loss, gradient


@softmax_loss_matches_reference.mistake(
    "the probabilities as gradient: the label's term is missing", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    gradient[np.arange(len(labels)), labels] += 1 / len(labels)
    return loss, gradient


@softmax_loss_matches_reference.mistake(
    "divided by N before the one is subtracted", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    gradient[np.arange(len(labels)), labels] += 1 / len(labels) - 1
    return loss, gradient


@softmax_loss_matches_reference.mistake(
    "a logarithm of base two: bits in place of the natural logarithm", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss / np.log(2), gradient / np.log(2)


@softmax_loss_matches_reference.mistake(
    "labels counted from one: they start at zero", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    return right_softmax_loss(scores, np.asarray(labels, int) - 1)


@softmax_loss_matches_reference.mistake(
    "a penalty of half the squared scores: none was asked for", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss + 0.5 * (scores**2).sum(), gradient + scores


@softmax_loss_matches_reference.mistake(
    "the squared distance from the one-hot label", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    gap = scores - np.eye(scores.shape[1])[labels]
    return (gap**2).sum() / len(scores), 2 * gap / len(scores)


@softmax_loss_matches_reference.mistake(
    "works in place: the caller's scores are overwritten", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    result = right_softmax_loss(scores, labels)
    scores -= scores.max(axis=1, keepdims=True)
    return result


# %%
@softmax_loss_matches_reference.alternative("torch's cross-entropy", also=BOTH_SOFTMAX_CHECKS)
def softmax_loss(scores, labels):
    leaf = torch.tensor(scores, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(leaf, torch.tensor(labels.astype(np.int64)))
    loss.backward()
    return loss.item(), leaf.grad.numpy()


@softmax_loss_matches_reference.alternative(
    "logaddexp and a one-hot matrix, in double precision", also=BOTH_SOFTMAX_CHECKS
)
def softmax_loss(scores, labels):
    wide = np.asarray(scores, np.float64)
    onehot = np.eye(wide.shape[1])[labels]
    log_p = wide - np.logaddexp.reduce(wide, axis=1)[:, None]
    return -(log_p * onehot).sum() / len(wide), (np.exp(log_p) - onehot) / len(wide)


@softmax_loss_matches_reference.alternative("example by example", also=BOTH_SOFTMAX_CHECKS)
def softmax_loss(scores, labels):
    loss, gradient = 0.0, np.zeros(scores.shape)
    for n, (row, label) in enumerate(zip(scores, labels, strict=True)):
        powers = np.exp(row - max(row))
        total = sum(powers)
        loss += (np.log(total) + max(row) - row[label]) / len(scores)
        gradient[n] = powers / total / len(scores)
        gradient[n, label] -= 1 / len(scores)
    return loss, gradient


# %% [markdown]
# # 2. Layers that look at pictures
#
# A pixel has much to do with its neighbours and little with the far corner. A convolutional layer
# therefore looks at one small window at a time, through the same weights everywhere.

# %% [markdown]
# ## 2.1 Convolution (10 points)
#
# What deep learning calls a convolution is, strictly speaking, a cross-correlation: the kernel
# is laid on the image as it is, without being mirrored. With strides $(s, t)$ and with the
# padded image $\hat x$, which has $p$ rows of zeros above and below and $q$ columns of zeros
# left and right,
#
# $$y_{n f i j} = b_f + \sum_{c} \sum_{k, l} w_{f c k l}\; \hat x_{n, c,\, i s + k,\, j t + l} .$$
#
# Rows and columns are counted from zero. Each of the $F$ kernels looks at all channels at once,
# gives one number for each window, and has one bias. The figure below shows which windows there
# are: the kernel moves on as long as it fits into the padded image; a rest at the lower or right
# end that is too small for another step is not looked at. Hence there are
#
# $$\left\lfloor \frac{H + 2p - K_H}{s} \right\rfloor + 1$$
#
# rows of output for kernels with $K_H$ rows, and the columns follow suit.
#
# **A way to write it.** Fix a position $(k, l)$ inside the kernel. The pixels that it meets,
# over all windows at once, are a slice of $\hat x$ with a step. So a loop over the kernel's few
# positions does, with a product over channels inside. NumPy's `sliding_window_view` needs no
# loop at all.
#
# **Look out.** Images and kernels need not be square, and rows and columns may have different
# strides and pads. Try such a case on paper before you trust your indices.


# %%
def draw_windows(height, width, kernel, stride, pad, ax):
    """Draw the padded image, its pixels, and the first, the second and the last window."""
    ax.add_patch(
        plt.Rectangle((-pad[1], -pad[0]), width + 2 * pad[1], height + 2 * pad[0], fc="#eee")
    )
    ax.add_patch(plt.Rectangle((0, 0), width, height, fc="#9ecae1"))
    rows = range(-pad[0], height + pad[0] - kernel[0] + 1, stride[0])
    columns = range(-pad[1], width + pad[1] - kernel[1] + 1, stride[1])
    shown = ((rows[0], columns[0]), (rows[0], columns[1]), (rows[-1], columns[-1]))
    for (row, column), colour in zip(shown, ("#d94801", "#31a354", "#6a51a3"), strict=True):
        place = column + 0.07, row + 0.07
        size = kernel[1] - 0.14, kernel[0] - 0.14
        ax.add_patch(plt.Rectangle(place, *size, fill=False, ec=colour, lw=2.5))
    ax.set_xlim(-pad[1], width + pad[1])
    ax.set_ylim(height + pad[0], -pad[0])
    ax.set_xticks(range(-pad[1], width + pad[1] + 1))
    ax.set_yticks(range(-pad[0], height + pad[0] + 1))
    ax.grid(color="white")
    ax.set_aspect("equal")
    ax.set_title(f"kernel {kernel}, stride {stride}, pad {pad}", fontsize=9)


if budget(True, graded=False):
    fig, axes = plt.subplots(1, 3, figsize=(11, 3.4))
    draw_windows(5, 6, (2, 3), (1, 1), (0, 0), axes[0])
    draw_windows(5, 6, (3, 3), (2, 2), (1, 1), axes[1])
    draw_windows(5, 6, (2, 3), (2, 3), (0, 1), axes[2])
    fig.suptitle("the image in blue, zeros in grey; the first, the second and the last window")
    plt.show()

# %%
from reference.layers import conv_forward


# %%
@check(
    "conv_forward",
    points=10,
    pure=True,
    hint="One by one: orientation of the kernel, zeros on both sides, steps, last window, bias.",
)
@case("one channel, one kernel", x=(1, 1, 4, 5), w=(1, 2, 3))
@case("channels and kernels", x=(2, 3, 5, 4), w=(4, 3, 2))
@case("steps of two, a frame of one", x=(2, 3, 7, 6), w=(4, 3, 2), stride=(2, 2), pad=(1, 1))
@case("stride and pad differ", x=(2, 2, 6, 9), w=(3, 3, 4), stride=(1, 3), pad=(2, 0))
@case(
    "they differ the other way", x=(3, 2, 7, 5), w=(2, 2, 5), stride=(3, 2), pad=(0, 1), hidden=True
)
@case("a rest at the end", x=(2, 2, 10, 8), w=(3, 3, 2), stride=(3, 3), hidden=True)
@case("one pixel at a time", x=(2, 5, 3, 4), w=(3, 1, 1), stride=(2, 1), pad=(0, 2), hidden=True)
@case("larger than the image", x=(1, 2, 2, 3), w=(3, 4, 5), pad=(2, 2), hidden=True)
@case(
    "single precision",
    x=(2, 3, 5, 7),
    w=(2, 3, 3),
    stride=(2, 1),
    pad=(1, 0),
    dtype="float32",
    hidden=True,
)
@case(
    "as many kernels as pictures",
    x=(4, 3, 6, 5),
    w=(4, 2, 2),
    stride=(1, 2),
    pad=(1, 2),
    hidden=True,
)
def conv_forward_matches_reference(student, reference, rng, x, w, dtype="float64", **settings):
    """conv_forward moves every kernel over the padded images and adds its bias."""
    images, kernels = draw(rng, x, dtype), draw(rng, (w[0], x[1], *w[1:]), dtype)
    bias = draw(rng, w[0], dtype)
    got = student.conv_forward(images, kernels, bias, **settings)
    want = reference.conv_forward(images, kernels, bias, **settings)
    assert_close(got, want, **rounding(dtype), what="out")


self_check(conv_forward_matches_reference)


# %%
right_conv = conv_forward  # mistakes change what goes into it or comes out of it


def framed(x, above, below, left, right, mode="constant"):
    return np.pad(x, ((0, 0), (0, 0), (above, below), (left, right)), mode=mode)


@conv_forward_matches_reference.mistake("the kernel is flipped: a true convolution")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w[:, :, ::-1, ::-1], b, stride, pad)


@conv_forward_matches_reference.mistake("the kernel is transposed")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w.transpose(0, 1, 3, 2), b, stride, pad)


@conv_forward_matches_reference.mistake("a rest at the end is padded: rounded up in place of down")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    rest = [
        -(n + 2 * p - k) % s
        for n, p, k, s in zip(x.shape[2:], pad, w.shape[2:], stride, strict=True)
    ]
    x = framed(x, pad[0], pad[0] + rest[0], pad[1], pad[1] + rest[1])
    return right_conv(x, w, b, stride)


@conv_forward_matches_reference.mistake("zeros above and left only: the frame goes all around")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(framed(x, pad[0], 0, pad[1], 0), w, b, stride)


@conv_forward_matches_reference.mistake("zeros below and right only: the frame goes all around")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(framed(x, 0, 2 * pad[0], 0, 2 * pad[1]), w, b, stride)


@conv_forward_matches_reference.mistake("no frame: pad is not used")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride)


@conv_forward_matches_reference.mistake("the frame repeats the border: it is of zeros")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(framed(x, pad[0], pad[0], pad[1], pad[1], "edge"), w, b, stride)


@conv_forward_matches_reference.mistake("pads in the wrong order: rows come first, then columns")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad[::-1])


@conv_forward_matches_reference.mistake("one pad for rows and columns")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, (pad[0], pad[0]))


@conv_forward_matches_reference.mistake("stride is not used: the kernel moves by one")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, (1, 1), pad)


@conv_forward_matches_reference.mistake("strides in the wrong order: rows come first, then columns")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride[::-1], pad)


@conv_forward_matches_reference.mistake("one stride for rows and columns")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, (stride[0], stride[0]), pad)


@conv_forward_matches_reference.mistake("other defaults: stride is (1, 1) and pad (0, 0)")
def conv_forward(x, w, b, stride=(1, 1), pad=(1, 1)):
    return right_conv(x, w, b, stride, pad)


@conv_forward_matches_reference.mistake("only square kernels: their rows count for both directions")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    side = w.shape[2]
    square = np.zeros((*w.shape[:2], side, side), w.dtype)
    square[..., : w.shape[3]] = w[..., :side]
    return right_conv(x, square, b, stride, pad)


@conv_forward_matches_reference.mistake("the output is cut to a square")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    out = right_conv(x, w, b, stride, pad)
    return out[:, :, : out.shape[3], : out.shape[2]]


@conv_forward_matches_reference.mistake("the last window is missing: there is one more that fits")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad)[:, :, :-1, :-1]


@conv_forward_matches_reference.mistake(
    "pad enters the number of windows once: it is on both sides"
)
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    out = right_conv(x, w, b, stride, pad)
    rows = (x.shape[2] + pad[0] - w.shape[2]) // stride[0] + 1
    columns = (x.shape[3] + pad[1] - w.shape[3]) // stride[1] + 1
    return out[:, :, :rows, :columns]


@conv_forward_matches_reference.mistake("the bias is forgotten")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, 0 * b, stride, pad)


@conv_forward_matches_reference.mistake("the bias once for each channel: it is added to their sum")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, x.shape[1] * b, stride, pad)


@conv_forward_matches_reference.mistake("the bias once for each weight: it is added to their sum")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b * w[0].size, stride, pad)


@conv_forward_matches_reference.mistake("the bias is subtracted")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, -b, stride, pad)


@conv_forward_matches_reference.mistake("only the first channel: each kernel looks at all of them")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x[:, :1], w[:, :1], b, stride, pad)


@conv_forward_matches_reference.mistake("a mean over the channels: their products are summed")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w / x.shape[1], b, stride, pad)


@conv_forward_matches_reference.mistake("a mean over the window: the products are summed")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w / w[0].size, b, stride, pad)


@conv_forward_matches_reference.mistake("channels last: the output is (N, F, OH, OW)")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad).transpose(0, 2, 3, 1)


@conv_forward_matches_reference.mistake("kernels before pictures: the output is (N, F, OH, OW)")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad).transpose(1, 0, 2, 3)


@conv_forward_matches_reference.mistake("whole numbers: the new array has an integer dtype")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return right_conv(x, w, b, stride, pad).astype(int)


@conv_forward_matches_reference.mistake("a ReLU in it: that is a layer of its own")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    return np.maximum(right_conv(x, w, b, stride, pad), 0)


@conv_forward_matches_reference.mistake("overwrites the caller's kernels")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    out = right_conv(x, w, b, stride, pad)
    w[:] = w[:, :, ::-1, ::-1].copy()
    return out


# %%
@conv_forward_matches_reference.alternative("torch")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    tensors = [torch.tensor(a) for a in (x, w, b)]
    return torch.nn.functional.conv2d(*tensors, stride=stride, padding=pad).numpy()


@conv_forward_matches_reference.alternative("window by window, in four loops")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    rows = (x.shape[2] + 2 * pad[0] - w.shape[2]) // stride[0] + 1
    columns = (x.shape[3] + 2 * pad[1] - w.shape[3]) // stride[1] + 1
    hat = np.zeros((*x.shape[:2], x.shape[2] + 2 * pad[0], x.shape[3] + 2 * pad[1]))
    hat[:, :, pad[0] : pad[0] + x.shape[2], pad[1] : pad[1] + x.shape[3]] = x
    out = np.empty((len(x), len(w), rows, columns))
    for n, f, i, j in np.ndindex(out.shape):
        top, left = i * stride[0], j * stride[1]
        window = hat[n, :, top : top + w.shape[2], left : left + w.shape[3]]
        out[n, f, i, j] = np.vdot(window, w[f]) + b[f]
    return out


@conv_forward_matches_reference.alternative("position by position of the kernel, on slices")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    hat = framed(x, pad[0], pad[0], pad[1], pad[1])
    rows = (hat.shape[2] - w.shape[2]) // stride[0] + 1
    columns = (hat.shape[3] - w.shape[3]) // stride[1] + 1
    out = np.zeros((len(x), len(w), rows, columns)) + b[None, :, None, None]
    for k, m in np.ndindex(w.shape[2:]):
        met = hat[:, :, k :: stride[0], m :: stride[1]][:, :, :rows, :columns]
        out += np.einsum("fc,ncij->nfij", w[:, :, k, m], met)
    return out


@conv_forward_matches_reference.alternative("one large matrix of all windows (im2col)")
def conv_forward(x, w, b, stride=(1, 1), pad=(0, 0)):
    hat = torch.tensor(framed(x, pad[0], pad[0], pad[1], pad[1]))
    columns = torch.nn.functional.unfold(hat, w.shape[2:], stride=stride).numpy()
    width = (hat.shape[3] - w.shape[3]) // stride[1] + 1
    out = w.reshape(len(w), -1) @ columns + b[:, None]
    return out.reshape(len(x), len(w), -1, width)


# %% [markdown]
# ## 2.2 Convolution, on the way back (12 points)
#
# Nothing is new but the bookkeeping. Take the formula of 2.1 and ask, as for the affine layer,
# where each number takes part:
#
# - $b_f$ in every number of output channel $f$: of every picture, at every place.
# - $w_{f c k l}$ in every number of output channel $f$ too, each time multiplied by the pixel that
#   position $(k, l)$ of the kernel met there.
# - A pixel of $\hat x$ in every window that covers it. With a stride smaller than the kernel,
#   windows overlap, and what comes back from them adds up. With a stride larger than the kernel
#   there are pixels that no window covers; what is their gradient?
#
# The frame of zeros is not part of $x$, so its gradient is cut off in the end.
#
# **Look out.** In Python `a[p:-p]` is empty for `p = 0`. And a rest at the end that no window
# covers belongs to `dx` all the same.

# %%
from reference.layers import conv_backward


# %%
def conv_shape(x, w, stride=(1, 1), pad=(0, 0)):
    """Return the shape of a convolution's output."""
    sides = zip(x[2:], w[1:], stride, pad, strict=True)
    return x[0], w[0], *((n + 2 * p - k) // s + 1 for n, k, s, p in sides)


@check(
    "conv_backward",
    points=7,
    pure=True,
    hint="Give each window's share back to the pixels it read, add up overlaps, cut off the frame.",
)
@case("one channel, one kernel", x=(1, 1, 4, 5), w=(1, 2, 3))
@case("steps of two, a frame of one", x=(2, 3, 7, 6), w=(4, 3, 2), stride=(2, 2), pad=(1, 1))
@case("stride and pad differ", x=(2, 2, 6, 9), w=(3, 3, 4), stride=(1, 3), pad=(2, 0))
@case(
    "they differ the other way", x=(3, 2, 7, 5), w=(2, 2, 5), stride=(3, 2), pad=(0, 1), hidden=True
)
@case("a rest at the end", x=(2, 2, 11, 8), w=(3, 3, 2), stride=(3, 3), hidden=True)
@case("one pixel at a time", x=(2, 5, 3, 4), w=(3, 1, 1), stride=(2, 1), pad=(0, 2), hidden=True)
@case(
    "as many kernels as channels",
    x=(2, 3, 6, 5),
    w=(3, 2, 2),
    stride=(1, 2),
    pad=(1, 2),
    hidden=True,
)
def conv_backward_gives_dx(student, reference, rng, x, w, **settings):
    """conv_backward returns the gradient with respect to the images first."""
    images, kernels = draw(rng, x), draw(rng, (w[0], x[1], *w[1:]))
    dout = draw(rng, conv_shape(x, w, **settings))
    got = parts(student.conv_backward(dout, images, kernels, **settings), "dx", "dw", "db")
    assert_close(got[0], reference.conv_backward(dout, images, kernels, **settings)[0], what="dx")


self_check(conv_backward_gives_dx)


# %%
@check(
    "conv_backward",
    points=5,
    pure=True,
    hint="Add up over pictures and places; each weight meets the padded images at steps of stride.",
)
@case("one channel, one kernel", x=(1, 1, 4, 5), w=(1, 2, 3))
@case("steps of two, a frame of one", x=(2, 3, 7, 6), w=(4, 3, 2), stride=(2, 2), pad=(1, 1))
@case("stride and pad differ", x=(2, 2, 6, 9), w=(3, 3, 4), stride=(1, 3), pad=(2, 0), hidden=True)
@case(
    "they differ the other way", x=(3, 2, 7, 5), w=(2, 2, 5), stride=(3, 2), pad=(0, 1), hidden=True
)
@case("a rest at the end", x=(2, 2, 11, 8), w=(4, 3, 2), stride=(3, 3), hidden=True)
def conv_backward_gives_dw_and_db(student, reference, rng, x, w, **settings):
    """conv_backward returns the gradients with respect to kernels and biases second and third."""
    images, kernels = draw(rng, x), draw(rng, (w[0], x[1], *w[1:]))
    dout = draw(rng, conv_shape(x, w, **settings))
    got = parts(student.conv_backward(dout, images, kernels, **settings), "dx", "dw", "db")
    want = reference.conv_backward(dout, images, kernels, **settings)
    assert_close(got[1], want[1], what="dw")
    assert_close(got[2], want[2], what="db")


self_check(conv_backward_gives_dw_and_db)


# %%
right_conv_backward = conv_backward
BOTH_CONV_CHECKS = (conv_backward_gives_dw_and_db,)


def spread(dout, x, w, stride, pad, add=True, crop=None):
    """Return dx, window by window: added up or overwritten, and cut by a crop of one's own."""
    dhat = np.zeros((*x.shape[:2], x.shape[2] + 2 * pad[0], x.shape[3] + 2 * pad[1]))
    for n, f, i, j in np.ndindex(dout.shape):
        rows = slice(i * stride[0], i * stride[0] + w.shape[2])
        columns = slice(j * stride[1], j * stride[1] + w.shape[3])
        before = dhat[n, :, rows, columns] if add else 0
        dhat[n, :, rows, columns] = before + dout[n, f, i, j] * w[f]
    return dhat[crop or np.s_[:, :, pad[0] : pad[0] + x.shape[2], pad[1] : pad[1] + x.shape[3]]]


@conv_backward_gives_dx.mistake("the slice p:-p, which is empty for a pad of zero")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    crop = np.s_[:, :, pad[0] : -pad[0], pad[1] : -pad[1]]
    return spread(dout, x, w, stride, pad, crop=crop), dw, db


@conv_backward_gives_dx.mistake("overlapping windows overwrite each other: they add up")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout, x, w, stride, pad, add=False), dw, db


@conv_backward_gives_dx.mistake("the frame is still there: it is not part of x")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout, x, w, stride, pad, crop=np.s_[:]), dw, db


@conv_backward_gives_dx.mistake("the frame is cut off at the far end only")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    crop = np.s_[:, :, : x.shape[2], : x.shape[3]]
    return spread(dout, x, w, stride, pad, crop=crop), dw, db


@conv_backward_gives_dx.mistake("stride is ignored on the way back")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout, x, w, (1, 1), pad), dw, db


@conv_backward_gives_dx.mistake("the kernel is flipped on the way back, where windows are painted")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout, x, w[:, :, ::-1, ::-1], stride, pad), dw, db


@conv_backward_gives_dx.mistake("pixels that no window covers are cut off: their gradient is zero")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    reach = [
        (n - 1) * s + k - p
        for n, s, k, p in zip(dout.shape[2:], stride, w.shape[2:], pad, strict=True)
    ]
    return dx[:, :, : reach[0], : reach[1]], dw, db


@conv_backward_gives_dx.mistake("dx averaged over the pictures: each has its own")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx / len(x), dw, db


@conv_backward_gives_dx.mistake("only the last kernel reaches dx: all of them add up")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    _, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return spread(dout[:, -1:], x, w[-1:], stride, pad), dw, db


@conv_backward_gives_dx.mistake(
    "strides in the wrong order: rows come first, then columns", also=BOTH_CONV_CHECKS
)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    return right_conv_backward(dout, x, w, stride[::-1], pad)


@conv_backward_gives_dx.mistake(
    "pads in the wrong order: rows come first, then columns", also=BOTH_CONV_CHECKS
)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    return right_conv_backward(dout, x, w, stride, pad[::-1])


@conv_backward_gives_dx.mistake("pad is not used on the way back", also=BOTH_CONV_CHECKS)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    rows, columns = dout.shape[2:]
    return right_conv_backward(
        dout[:, :, : rows - 2 * pad[0], : columns - 2 * pad[1]], x, w, stride
    )


@conv_backward_gives_dx.mistake(
    "the gradients in another order than dx, dw, db", also=BOTH_CONV_CHECKS
)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dw, db, dx


@conv_backward_gives_dx.mistake(
    "the sign of a step downhill: gradients point uphill", also=BOTH_CONV_CHECKS
)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    return tuple(-gradient for gradient in right_conv_backward(dout, x, w, stride, pad))


@conv_backward_gives_dx.mistake("overwrites the caller's dout", also=BOTH_CONV_CHECKS)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    gradients = right_conv_backward(dout, x, w, stride, pad)
    dout *= 2
    return gradients


@conv_backward_gives_dw_and_db.mistake("dw averaged over the pictures: it is a sum")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw / len(x), db


@conv_backward_gives_dw_and_db.mistake("dw of the last picture only: = in place of +=")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, _, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, right_conv_backward(dout[-1:], x[-1:], w, stride, pad)[1], db


@conv_backward_gives_dw_and_db.mistake("dw is flipped")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw[:, :, ::-1, ::-1], db


@conv_backward_gives_dw_and_db.mistake("one dw for all kernels: each has its own dout")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, np.broadcast_to(dw.sum(axis=0), w.shape), db


@conv_backward_gives_dw_and_db.mistake("dw multiplies by the kernels, not by the images")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, _, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, w * db[:, None, None, None], db


@conv_backward_gives_dw_and_db.mistake(
    "stride is ignored in dw: the first windows meet all of dout"
)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, _, db = right_conv_backward(dout, x, w, stride, pad)
    hat, dw = framed(x, pad[0], pad[0], pad[1], pad[1]), np.zeros(w.shape)
    for k, m in np.ndindex(w.shape[2:]):
        met = hat[:, :, k : k + dout.shape[2], m : m + dout.shape[3]]
        dw[:, :, k, m] = np.einsum("nfij,ncij->fc", dout, met)
    return dx, dw, db


@conv_backward_gives_dw_and_db.mistake(
    "db averaged: the bias takes part everywhere, so it is a sum"
)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, _ = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, dout.mean(axis=(0, 2, 3))


@conv_backward_gives_dw_and_db.mistake("db averaged over the pictures: it is a sum")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, db / len(x)


@conv_backward_gives_dw_and_db.mistake("db summed over the wrong axes: one number for each kernel")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, _ = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, dout.sum(axis=(0, 1, 2))


@conv_backward_gives_dw_and_db.mistake("db keeps an entry for every place")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, _ = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, dout.sum(axis=0)


@conv_backward_gives_dw_and_db.mistake("db keeps an entry for every picture")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, _ = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, dout.sum(axis=(2, 3))


@conv_backward_gives_dw_and_db.mistake("db counts the places, not what comes back from them")
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    dx, dw, db = right_conv_backward(dout, x, w, stride, pad)
    return dx, dw, np.full(db.shape, dout[:, 0].size)


# %%
@conv_backward_gives_dx.alternative("torch's autograd", also=BOTH_CONV_CHECKS)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, w, np.zeros(len(w)))]
    out = torch.nn.functional.conv2d(*leaves, stride=stride, padding=pad)
    out.backward(torch.tensor(dout))
    return tuple(leaf.grad.numpy() for leaf in leaves)


@conv_backward_gives_dx.alternative("window by window", also=BOTH_CONV_CHECKS)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    hat, dw = framed(x, pad[0], pad[0], pad[1], pad[1]), np.zeros(w.shape)
    for n, f, i, j in np.ndindex(dout.shape):
        top, left = i * stride[0], j * stride[1]
        window = hat[n, :, top : top + w.shape[2], left : left + w.shape[3]]
        dw[f] += dout[n, f, i, j] * window
    return spread(dout, x, w, stride, pad), dw, dout.sum(0).sum(-1).sum(-1)


@conv_backward_gives_dx.alternative(
    "two more convolutions, with dout spaced out by zeros", also=BOTH_CONV_CHECKS
)
def conv_backward(dout, x, w, stride=(1, 1), pad=(0, 0)):
    hat = framed(x, pad[0], pad[0], pad[1], pad[1])
    spaced = np.zeros((*dout.shape[:2], *(hat.shape[i] - w.shape[i] + 1 for i in (2, 3))))
    spaced[:, :, :: stride[0], :: stride[1]] = dout
    none = np.zeros(w.shape[1])
    flipped = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    dhat = right_conv(spaced, flipped, none, pad=(w.shape[2] - 1, w.shape[3] - 1))
    dw = right_conv(hat.transpose(1, 0, 2, 3), spaced.transpose(1, 0, 2, 3), np.zeros(len(w)))
    rows, columns = (slice(p, p + n) for p, n in zip(pad, x.shape[2:], strict=True))
    return dhat[:, :, rows, columns], dw.transpose(1, 0, 2, 3), np.einsum("nfij->f", dout)


# %% [markdown]
# ## 2.3 Max pooling (12 points)
#
# Pooling makes images smaller and keeps what is strongest: each window is replaced by its largest
# number, channel by channel, without weights and without padding. Windows follow the rules of 2.1.
# Most often they have 2 by 2 pixels and do not overlap; ours may overlap, and leave gaps as well.
#
# Move a number that is not the largest a little, and nothing happens; move the largest, and the
# output follows. So the gradient of each window goes back to the place of its largest number, and
# where windows overlap a pixel may collect from several.
#
# **Look out.** Several numbers of a window may tie for the largest. That is no rare accident:
# after a ReLU whole windows are zero. Let the *first* one have all of the gradient, first in the
# order of reading (top row from left to right, then the next row), as PyTorch does. If each of them
# got all of it, the gradient would be multiplied out of nothing.

# %%
from reference.layers import max_pool_forward


# %%
@check(
    "max_pool",
    points=5,
    pure=True,
    hint="Windows move by stride, whatever their size, and all numbers of one may be negative.",
)
@case("two by two", x=(2, 3, 4, 6), size=(2, 2), stride=(2, 2))
@case("overlapping windows", x=(2, 2, 7, 5), size=(3, 2), stride=(2, 1))
@case("negative numbers", x=(1, 2, 6, 5), size=(2, 3), stride=(2, 1), shift=-5.0)
@case("a rest at the end", x=(2, 2, 8, 9), size=(3, 2), stride=(3, 2), hidden=True)
@case("gaps between windows", x=(3, 1, 7, 8), size=(1, 2), stride=(2, 3), hidden=True)
@case("single precision", x=(1, 4, 5, 6), size=(2, 4), stride=(1, 2), dtype="float32", hidden=True)
@case("far below zero", x=(2, 3, 6, 7), size=(3, 3), stride=(3, 2), shift=-1e6, hidden=True)
def max_pool_forward_matches_reference(
    student, reference, rng, x, size, stride, shift=0.0, dtype="float64"
):
    """max_pool_forward keeps the largest number of each window."""
    images = draw(rng, x, dtype) + np.asarray(shift, dtype)
    got = student.max_pool_forward(images, size, stride)
    assert_close(got, reference.max_pool_forward(images, size, stride), what="out")


self_check(max_pool_forward_matches_reference)


# %%
right_pool = max_pool_forward


@max_pool_forward_matches_reference.mistake("the mean of each window: average pooling")
def max_pool_forward(x, size, stride):
    channels = x.shape[1]
    w = np.zeros((channels, channels, *size), x.dtype)
    w[range(channels), range(channels)] = 1 / (size[0] * size[1])
    return right_conv(x, w, np.zeros(channels, x.dtype), stride)


@max_pool_forward_matches_reference.mistake(
    "the search starts at zero: a window may hold negative numbers only"
)
def max_pool_forward(x, size, stride):
    return np.maximum(right_pool(x, size, stride), 0)


@max_pool_forward_matches_reference.mistake(
    "the search starts at a number that is not small enough"
)
def max_pool_forward(x, size, stride):
    return np.maximum(right_pool(x, size, stride), -1000)


@max_pool_forward_matches_reference.mistake("the smallest number of each window")
def max_pool_forward(x, size, stride):
    return -right_pool(-x, size, stride)


@max_pool_forward_matches_reference.mistake("the largest size: signs are lost")
def max_pool_forward(x, size, stride):
    return right_pool(np.abs(x), size, stride)


@max_pool_forward_matches_reference.mistake("stride is not used: windows move by their size")
def max_pool_forward(x, size, stride):
    return right_pool(x, size, size)


@max_pool_forward_matches_reference.mistake("windows as large as the stride: their size is another")
def max_pool_forward(x, size, stride):
    return right_pool(x, stride, stride)


@max_pool_forward_matches_reference.mistake("sizes in the wrong order: rows first, then columns")
def max_pool_forward(x, size, stride):
    return right_pool(x, size[::-1], stride)


@max_pool_forward_matches_reference.mistake("strides in the wrong order: rows first, then columns")
def max_pool_forward(x, size, stride):
    return right_pool(x, size, stride[::-1])


@max_pool_forward_matches_reference.mistake(
    "a rest at the end gets a window: only whole ones count"
)
def max_pool_forward(x, size, stride):
    rest = [-(n - k) % s for n, k, s in zip(x.shape[2:], size, stride, strict=True)]
    frame = ((0, 0), (0, 0), (0, rest[0]), (0, rest[1]))
    return right_pool(np.pad(x, frame, constant_values=-np.inf), size, stride)


@max_pool_forward_matches_reference.mistake("the largest number over all channels")
def max_pool_forward(x, size, stride):
    return right_pool(x, size, stride).max(axis=1, keepdims=True)


@max_pool_forward_matches_reference.mistake(
    "the last window is missing: there is one more that fits"
)
def max_pool_forward(x, size, stride):
    return right_pool(x, size, stride)[:, :, :-1]


@max_pool_forward_matches_reference.mistake("overwrites the caller's images")
def max_pool_forward(x, size, stride):
    out = right_pool(x, size, stride)
    np.maximum(x, 0, out=x)
    return out


# %%
@max_pool_forward_matches_reference.alternative("torch")
def max_pool_forward(x, size, stride):
    return torch.nn.functional.max_pool2d(torch.tensor(x), size, stride).numpy()


@max_pool_forward_matches_reference.alternative("window by window")
def max_pool_forward(x, size, stride):
    rows = (x.shape[2] - size[0]) // stride[0] + 1
    columns = (x.shape[3] - size[1]) // stride[1] + 1
    out = np.empty((*x.shape[:2], rows, columns))
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride[0], j * stride[1]
        out[:, :, i, j] = x[:, :, top : top + size[0], left : left + size[1]].max(axis=(2, 3))
    return out


@max_pool_forward_matches_reference.alternative("a running maximum over the positions of a window")
def max_pool_forward(x, size, stride):
    rows = (x.shape[2] - size[0]) // stride[0] + 1
    columns = (x.shape[3] - size[1]) // stride[1] + 1
    out = np.full((*x.shape[:2], rows, columns), -np.inf)
    for k, m in np.ndindex(*size):
        met = x[:, :, k :: stride[0], m :: stride[1]][:, :, :rows, :columns]
        out = np.maximum(out, met)
    return out


# %%
from reference.layers import max_pool_backward


# %%
def pooled_shape(x, size, stride):
    """Return the shape of the output of max pooling."""
    return *x[:2], *((n - k) // s + 1 for n, k, s in zip(x[2:], size, stride, strict=True))


@check(
    "max_pool",
    points=4,
    pure=True,
    hint="Each window sends its dout to one pixel; a pixel adds up what it gets from several.",
)
@case("two by two", x=(2, 3, 4, 6), size=(2, 2), stride=(2, 2))
@case("overlapping windows", x=(2, 2, 7, 5), size=(3, 2), stride=(2, 1))
@case("more overlap", x=(1, 3, 6, 8), size=(4, 3), stride=(1, 1), hidden=True)
@case("a rest at the end", x=(2, 2, 8, 9), size=(3, 2), stride=(3, 2), hidden=True)
@case("gaps between windows", x=(3, 1, 7, 8), size=(1, 2), stride=(2, 3), hidden=True)
@case("negative numbers", x=(2, 3, 6, 7), size=(3, 3), stride=(2, 3), shift=-9.0, hidden=True)
def max_pool_backward_matches_reference(student, reference, rng, x, size, stride, shift=0.0):
    """max_pool_backward returns the gradient of each window to the place of its largest number."""
    images, dout = draw(rng, x) + shift, draw(rng, pooled_shape(x, size, stride))
    got = student.max_pool_backward(dout, images, size, stride)
    assert_close(got, reference.max_pool_backward(dout, images, size, stride), what="dx")


self_check(max_pool_backward_matches_reference)


# %%
@check(
    "max_pool",
    points=3,
    pure=True,
    hint="Of several largest numbers the first of the window gets all: row by row, from the left.",
)
@case("few different numbers", x=(2, 2, 4, 6), size=(2, 2), stride=(2, 2))
@case("after a ReLU", x=(2, 2, 6, 5), size=(2, 3), stride=(2, 1), below=True)
@case("overlapping windows", x=(2, 3, 7, 6), size=(3, 2), stride=(1, 1), hidden=True)
@case("large windows", x=(1, 2, 8, 9), size=(3, 4), stride=(2, 3), hidden=True)
@case("all the same", x=(2, 2, 6, 4), size=(3, 2), stride=(3, 2), values=1, hidden=True)
def max_pool_backward_settles_ties(student, reference, rng, x, size, stride, values=3, below=False):
    """max_pool_backward gives all of the gradient to the first of several largest numbers."""
    images = np.maximum(draw(rng, x) - 1, 0) if below else rng.integers(values, size=x) - 1.0
    dout = draw(rng, pooled_shape(x, size, stride))
    got = student.max_pool_backward(dout, images, size, stride)
    assert_close(got, reference.max_pool_backward(dout, images, size, stride), what="dx")


self_check(max_pool_backward_settles_ties)


# %%
BOTH_POOL_CHECKS = (max_pool_backward_settles_ties,)


def shared(dout, x, size, stride, share, add=True):
    """Return dx, with a share of each window for each of its pixels, computed from the window."""
    dx = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dout.shape):
        rows = slice(i * stride[0], i * stride[0] + size[0])
        columns = slice(j * stride[1], j * stride[1] + size[1])
        back = dout[n, c, i, j] * share(x[n, c, rows, columns])
        taken = back != 0
        before = dx[n, c, rows, columns]
        dx[n, c, rows, columns] = before + back if add else np.where(taken, back, before)
    return dx


def first(window):
    """Return a one at the first largest number of a window, row by row."""
    chosen = np.zeros(window.shape)
    chosen.flat[window.argmax()] = 1
    return chosen


@max_pool_backward_settles_ties.mistake(
    "every one of several largest numbers gets all of the gradient, which multiplies it"
)
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: window == window.max())


@max_pool_backward_settles_ties.mistake(
    "several largest numbers share the gradient: here the first one gets it"
)
def max_pool_backward(dout, x, size, stride):
    def share(window):
        return (window == window.max()) / (window == window.max()).sum()

    return shared(dout, x, size, stride, share)


@max_pool_backward_settles_ties.mistake("the last of several largest numbers: it is the first")
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: first(window[::-1, ::-1])[::-1, ::-1])


@max_pool_backward_settles_ties.mistake("first column by column: the order is row by row")
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: first(window.T).T)


@max_pool_backward_settles_ties.mistake("nothing for a window whose largest number is zero")
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: first(window) * (window.max() != 0))


@max_pool_backward_matches_reference.mistake(
    "overlapping windows overwrite each other: a pixel adds up", also=BOTH_POOL_CHECKS
)
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride, first, add=False)


@max_pool_backward_matches_reference.mistake(
    "every pixel of a window gets its gradient", also=BOTH_POOL_CHECKS
)
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride, np.ones_like)


@max_pool_backward_matches_reference.mistake(
    "divided by the pixels of a window: that is average pooling", also=BOTH_POOL_CHECKS
)
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: np.full(window.shape, 1 / window.size))


@max_pool_backward_matches_reference.mistake(
    "the mask alone: the chain rule multiplies by dout", also=BOTH_POOL_CHECKS
)
def max_pool_backward(dout, x, size, stride):
    return shared(np.ones(dout.shape), x, size, stride, first)


@max_pool_backward_matches_reference.mistake(
    "dout times the largest number: its derivative is one", also=BOTH_POOL_CHECKS
)
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride, lambda window: first(window) * window.max())


@max_pool_backward_matches_reference.mistake(
    "to the smallest number of each window", also=BOTH_POOL_CHECKS
)
def max_pool_backward(dout, x, size, stride):
    return shared(dout, -x, size, stride, first)


@max_pool_backward_matches_reference.mistake("the place of the largest size: signs are lost")
def max_pool_backward(dout, x, size, stride):
    return shared(dout, np.abs(x), size, stride, first)


@max_pool_backward_matches_reference.mistake("stride is not used: windows move by their size")
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, size, first)


@max_pool_backward_matches_reference.mistake("strides in the wrong order: rows first, then columns")
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride[::-1], first)


@max_pool_backward_matches_reference.mistake("sizes in the wrong order: rows first, then columns")
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size[::-1], stride, first)


@max_pool_backward_matches_reference.mistake(
    "pixels that no window covers are cut off: their gradient is zero"
)
def max_pool_backward(dout, x, size, stride):
    rows = (dout.shape[2] - 1) * stride[0] + size[0]
    columns = (dout.shape[3] - 1) * stride[1] + size[1]
    return shared(dout, x, size, stride, first)[:, :, :rows, :columns]


@max_pool_backward_matches_reference.mistake("overwrites the caller's images")
def max_pool_backward(dout, x, size, stride):
    dx = shared(dout, x, size, stride, first)
    x *= 0
    return dx


# %%
@max_pool_backward_matches_reference.alternative("torch's autograd", also=BOTH_POOL_CHECKS)
def max_pool_backward(dout, x, size, stride):
    leaf = torch.tensor(x, requires_grad=True)
    torch.nn.functional.max_pool2d(leaf, size, stride).backward(torch.tensor(dout))
    return leaf.grad.numpy()


@max_pool_backward_matches_reference.alternative("window by window", also=BOTH_POOL_CHECKS)
def max_pool_backward(dout, x, size, stride):
    return shared(dout, x, size, stride, first)


@max_pool_backward_matches_reference.alternative(
    "position by position, which remembers the windows that are done", also=BOTH_POOL_CHECKS
)
def max_pool_backward(dout, x, size, stride):
    rows, columns = dout.shape[2:]
    largest, dx = right_pool(x, size, stride), np.zeros(x.shape)
    open_windows = np.ones(dout.shape, bool)
    for k, m in np.ndindex(*size):
        place = np.s_[
            :, :, k : k + rows * stride[0] : stride[0], m : m + columns * stride[1] : stride[1]
        ]
        here = open_windows & (x[place] == largest)
        dx[place] += np.where(here, dout, 0)
        open_windows &= ~here
    return dx


# %% [markdown]
# ## 2.4 Transposed convolution (10 points)
#
# Networks that draw (autoencoders, segmenters, generators) need layers that make images larger.
# Look at a convolution as one large matrix $A$ that takes a flattened image to a flattened
# output, as in Dumoulin and Visin (*A guide to convolution arithmetic for deep learning*, 2016).
# A convolution with stride makes the image smaller, so $A$ has fewer rows than columns, and
# $A^\top$ goes the other way. It does not undo the convolution, but it undoes its change of
# shape. That is the whole idea of a transposed convolution, and you have already met it: on the
# way back through a convolution.
#
# Seen from the input, every pixel *paints*: it multiplies a whole kernel and adds it to a canvas at
# the place where the convolution's window would have been. Kernels lie `stride` apart and add up
# where they overlap. The convolution's frame was not part of the image, so `pad` rows and columns
# are cut off on every side of the canvas. Then comes the bias, once for each pixel of the output.
#
# With stride 2, pad 1 and three rows a kernel makes 4 rows of 7 rows, and of 8 as well. Which of
# the two should the way back give? That is what `output_pad` is for: it lets the output have
# more rows at the lower end, more columns at the right. There the canvas goes on: rows that
# would have been cut off stay, and where the canvas ends there are zeros. So the output has $(H
# - 1)\, s - 2 p + K_H + e$ rows, with $e$ the output pad of the rows.
#
# **Look out.** The kernels are stored as the convolution has them whose transpose this is: its
# inputs are our outputs. Hence `w` is $(C, F, K_H, K_W)$, with the channels that come in first.

# %%
from reference.layers import conv_transpose_forward


# %%
@check(
    "conv_transpose_forward",
    points=7,
    pure=True,
    hint="Paint on the whole canvas first, add up overlaps, cut off the frame, add the bias last.",
)
@case("one channel, one kernel", x=(1, 1, 3, 4), w=(1, 2, 3))
@case("channels, steps of two", x=(2, 3, 4, 3), w=(4, 3, 2), stride=(2, 2))
@case("a frame to cut off", x=(2, 2, 3, 5), w=(3, 3, 4), stride=(2, 1), pad=(1, 0))
@case("stride and pad differ", x=(3, 2, 4, 3), w=(2, 4, 5), stride=(1, 3), pad=(2, 1), hidden=True)
@case("gaps between kernels", x=(2, 3, 3, 4), w=(2, 2, 1), stride=(3, 2), hidden=True)
@case("a batch of one", x=(1, 4, 1, 2), w=(3, 3, 5), stride=(2, 2), pad=(0, 2), hidden=True)
@case("single precision", x=(2, 3, 3, 2), w=(2, 2, 3), stride=(2, 3), dtype="float32", hidden=True)
@case(
    "as many outputs as inputs", x=(2, 3, 3, 4), w=(3, 3, 2), stride=(2, 1), pad=(1, 1), hidden=True
)
def conv_transpose_forward_matches_reference(
    student, reference, rng, x, w, dtype="float64", **settings
):
    """conv_transpose_forward paints a kernel for each pixel and cuts off the frame."""
    images, kernels = draw(rng, x, dtype), draw(rng, (x[1], *w), dtype)
    bias = draw(rng, w[0], dtype)
    got = student.conv_transpose_forward(images, kernels, bias, **settings)
    want = reference.conv_transpose_forward(images, kernels, bias, **settings)
    assert_close(got, want, **rounding(dtype), what="out")


self_check(conv_transpose_forward_matches_reference)


# %%
@check(
    "conv_transpose_forward",
    points=3,
    pure=True,
    hint="Rows that pad cuts off at the lower end come back first; beyond them is only bias.",
)
@case("doubles the size", x=(2, 2, 3, 4), w=(3, 3, 3), stride=(2, 2), pad=(1, 1), output_pad=(1, 1))
@case("beyond the canvas", x=(2, 3, 2, 3), w=(2, 2, 3), stride=(3, 2), output_pad=(2, 1))
@case(
    "rows only",
    x=(2, 2, 4, 3),
    w=(4, 5, 4),
    stride=(2, 1),
    pad=(2, 1),
    output_pad=(1, 0),
    hidden=True,
)
@case(
    "columns more",
    x=(1, 2, 3, 3),
    w=(3, 3, 2),
    stride=(2, 3),
    pad=(1, 1),
    output_pad=(0, 2),
    hidden=True,
)
def conv_transpose_forward_pads_its_output(student, reference, rng, x, w, **settings):
    """conv_transpose_forward goes on at the lower and right end as far as output_pad says."""
    images, kernels, bias = draw(rng, x), draw(rng, (x[1], *w)), draw(rng, w[0])
    got = student.conv_transpose_forward(images, kernels, bias, **settings)
    want = reference.conv_transpose_forward(images, kernels, bias, **settings)
    assert_close(got, want, what="out")


self_check(conv_transpose_forward_pads_its_output)


# %%
right_transpose = conv_transpose_forward
BOTH_TRANSPOSE_CHECKS = (conv_transpose_forward_pads_its_output,)


def painted(x, w, stride, extra=(0, 0), add=True):
    """Return the whole canvas, kernel by kernel."""
    rows, columns = (
        (n - 1) * s + k + e
        for n, s, k, e in zip(x.shape[2:], stride, w.shape[2:], extra, strict=True)
    )
    canvas = np.zeros((len(x), w.shape[1], rows, columns))
    for n, i, j in np.ndindex(len(x), *x.shape[2:]):
        top, left = i * stride[0], j * stride[1]
        place = np.s_[n, :, top : top + w.shape[2], left : left + w.shape[3]]
        stamp = np.einsum("c,cfkl->fkl", x[n, :, i, j], w)
        canvas[place] = canvas[place] * add + stamp
    return canvas


def cut(canvas, pad, extra=(0, 0)):
    rows, columns = canvas.shape[2:]
    return canvas[:, :, pad[0] : rows - pad[0] + extra[0], pad[1] : columns - pad[1] + extra[1]]


@conv_transpose_forward_matches_reference.mistake(
    "kernels overwrite each other: overlaps add up", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return cut(painted(x, w, stride, output_pad, add=False), pad) + b[:, None, None]


@conv_transpose_forward_matches_reference.mistake(
    "the kernel is flipped before it is painted", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w[:, :, ::-1, ::-1], b, stride, pad, output_pad)


@conv_transpose_forward_matches_reference.mistake(
    "kernels as in a convolution, with the channels that go out first", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    swapped = w.reshape(w.shape[1], w.shape[0], *w.shape[2:]).transpose(1, 0, 2, 3)
    return right_transpose(x, swapped, b, stride, pad, output_pad)


@conv_transpose_forward_matches_reference.mistake(
    "the bias is forgotten", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, 0 * b, stride, pad, output_pad)


@conv_transpose_forward_matches_reference.mistake(
    "the bias is part of every stamp: it is added once, at the end", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    ones = np.ones((len(x), 1, *x.shape[2:]), x.dtype)
    stamps = np.broadcast_to(b[:, None, None], (1, *w.shape[1:]))
    out = right_transpose(x, w, 0 * b, stride, pad, output_pad)
    return out + right_transpose(ones, stamps, 0 * b, stride, pad, output_pad)


@conv_transpose_forward_matches_reference.mistake(
    "the bias counts for the painted pixels only", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    out = right_transpose(x, w, 0 * b, stride, pad, output_pad)
    return np.where(out == 0, 0, out + b[:, None, None])


@conv_transpose_forward_matches_reference.mistake(
    "pad enlarges the output: it is cut off", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return framed(right_transpose(x, w, b, stride), pad[0], pad[0], pad[1], pad[1])


@conv_transpose_forward_matches_reference.mistake("pad is not used")
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride, output_pad=output_pad)


@conv_transpose_forward_matches_reference.mistake("pad is cut off above and left only")
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride)[:, :, pad[0] :, pad[1] :]


@conv_transpose_forward_matches_reference.mistake(
    "the slice p:-p, which is empty for a pad of zero"
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride)[:, :, pad[0] : -pad[0], pad[1] : -pad[1]]


@conv_transpose_forward_matches_reference.mistake(
    "stride is not used: neighbours paint one pixel apart", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, (1, 1), pad, output_pad)


@conv_transpose_forward_matches_reference.mistake(
    "strides in the wrong order: rows first, then columns"
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride[::-1], pad, output_pad)


@conv_transpose_forward_matches_reference.mistake(
    "pads in the wrong order: rows first, then columns"
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride, pad[::-1], output_pad)


@conv_transpose_forward_matches_reference.mistake("a mean over the channels: their stamps add up")
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x / x.shape[1], w, b, stride, pad, output_pad)


@conv_transpose_forward_matches_reference.mistake("every pixel is repeated, then convolved")
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    large = x.repeat(stride[0], axis=2).repeat(stride[1], axis=3)
    return right_transpose(large, w, b, pad=pad)


@conv_transpose_forward_matches_reference.mistake(
    "a convolution that makes the image smaller", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    frame = (pad[0] + w.shape[2], pad[1] + w.shape[3])
    return right_conv(x, w.transpose(1, 0, 2, 3), b, stride, frame)


@conv_transpose_forward_matches_reference.mistake("overwrites the caller's images")
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    out = right_transpose(x, w, b, stride, pad, output_pad)
    x -= 1
    return out


@conv_transpose_forward_pads_its_output.mistake("output_pad is not used")
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride, pad)


@conv_transpose_forward_pads_its_output.mistake(
    "output_pad adds empty rows and columns: what was cut off there comes back first"
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    out = framed(cut(painted(x, w, stride), pad), 0, output_pad[0], 0, output_pad[1])
    return out + b[:, None, None]


@conv_transpose_forward_pads_its_output.mistake("output_pad is added at the upper and left end")
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    canvas = framed(painted(x, w, stride), output_pad[0], 0, output_pad[1], 0)
    return cut(canvas, pad) + b[:, None, None]


@conv_transpose_forward_pads_its_output.mistake("output_pad is added at both ends")
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    top, left = output_pad
    return cut(framed(painted(x, w, stride), top, top, left, left), pad) + b[:, None, None]


@conv_transpose_forward_pads_its_output.mistake(
    "beyond the canvas there is no bias: every pixel of the output has it"
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    canvas = painted(x, w, stride) + b[:, None, None]
    return cut(framed(canvas, 0, output_pad[0], 0, output_pad[1]), pad)


@conv_transpose_forward_pads_its_output.mistake(
    "output pads in the wrong order: rows first, then columns"
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return right_transpose(x, w, b, stride, pad, output_pad[::-1])


@conv_transpose_forward_pads_its_output.mistake(
    "the canvas ends where it is painted: rows are missing"
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return cut(painted(x, w, stride), pad, output_pad) + b[:, None, None]


# %%
@conv_transpose_forward_matches_reference.alternative("torch", also=BOTH_TRANSPOSE_CHECKS)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    tensors = [torch.tensor(a) for a in (x, w, b)]
    layer = torch.nn.functional.conv_transpose2d
    return layer(*tensors, stride=stride, padding=pad, output_padding=output_pad).numpy()


@conv_transpose_forward_matches_reference.alternative(
    "stamp by stamp on a canvas that is too large", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    return cut(painted(x, w, stride, output_pad), pad) + b[:, None, None]


@conv_transpose_forward_matches_reference.alternative(
    "a convolution on its way back, for an image of the right size", also=BOTH_TRANSPOSE_CHECKS
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    height = (x.shape[2] - 1) * stride[0] - 2 * pad[0] + w.shape[2] + output_pad[0]
    width = (x.shape[3] - 1) * stride[1] - 2 * pad[1] + w.shape[3] + output_pad[1]
    blank = np.zeros((len(x), w.shape[1], height, width))
    return right_conv_backward(x, blank, w, stride, pad)[0] + b.reshape(1, -1, 1, 1)


@conv_transpose_forward_matches_reference.alternative(
    "the input spaced out by zeros, then a convolution with flipped kernels",
    also=BOTH_TRANSPOSE_CHECKS,
)
def conv_transpose_forward(x, w, b, stride=(1, 1), pad=(0, 0), output_pad=(0, 0)):
    sides = [(n - 1) * s + 1 + e for n, s, e in zip(x.shape[2:], stride, output_pad, strict=True)]
    spaced = np.zeros((*x.shape[:2], *sides))
    down, across = (x.shape[2] - 1) * stride[0] + 1, (x.shape[3] - 1) * stride[1] + 1
    spaced[:, :, : down : stride[0], : across : stride[1]] = x
    flipped = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    frame = (w.shape[2] - 1, w.shape[3] - 1)
    return cut(right_conv(spaced, flipped, np.zeros(len(b)), pad=frame), pad) + b[:, None, None]


# %% [markdown]
# # 3. Layers that are different in training
#
# The next two layers have no counterpart in a formula for the model: they are there for training.
# Both behave in one way while the network learns and in another when it is used.

# %% [markdown]
# ## 3.1 Batch normalisation (5 points)
#
# Ioffe and Szegedy (*Batch Normalization*, 2015) give every feature mean 0 and variance 1 within
# the batch, then let the network choose another scale $\gamma$ and shift $\beta$, one of each
# per feature. With the $m$ values $x_1, \dots, x_m$ of one feature in the batch,
#
# $$\mu = \frac1m \sum_i x_i, \qquad \sigma^2 = \frac1m \sum_i (x_i - \mu)^2, \qquad
# \hat x_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad
# y_i = \gamma\, \hat x_i + \beta .$$
#
# For rows of numbers $(N, D)$ a feature is a column, and $m = N$. For images $(N, D, H, W)$ a
# feature is a *channel*, since a convolution treats all places alike: $m = N H W$.
#
# When the network is used, there may be no batch. So training keeps running averages of mean and
# variance along the way, and use takes these in place of $\mu$ and $\sigma^2$.
#
# **Conventions.** They differ from book to book; ours are PyTorch's.
#
# | | ours |
# |---|---|
# | $\varepsilon$ | is added to the variance, under the root |
# | variance that normalises | divides by $m$ |
# | variance that enters the running average | divides by $m - 1$ |
# | `momentum` | is the weight of the *new* value; the old one keeps the rest |
#
# **Look out.** The last line is the reverse of what momentum means in an optimizer, and of what
# some courses do. And to bring `(N, D, H, W)` into the form `(rows, D)` by a `reshape`, the
# channels have to become the last axis first; a `reshape` alone mixes them up without a warning.

# %%
from reference.training_layers import batchnorm_forward


# %%
@check(
    "batchnorm_forward",
    points=3,
    pure=True,
    hint="Over which axes? By m or m - 1? Is eps under the root? Which share is the new value's?",
)
@case("rows of numbers", shape=(6, 4))
@case("pictures", shape=(3, 2, 4, 5))
@case("settings of one's own", shape=(5, 3), momentum=0.35, eps=0.5)
@case("one picture", shape=(1, 3, 4, 2), momentum=0.7, hidden=True)
@case("variances as small as eps", shape=(7, 5), size=2e-3, hidden=True)
@case("small pictures, large eps", shape=(4, 3, 2, 3), eps=0.25, hidden=True)
@case("single precision", shape=(8, 3), dtype="float32", hidden=True)
@case("two examples", shape=(2, 6), hidden=True)
def batchnorm_forward_matches_in_training(
    student, reference, rng, shape, size=1.0, dtype="float64", **settings
):
    """batchnorm_forward standardises by the batch, and moves the running averages towards it."""
    d = shape[1]
    centre = draw(rng, (1, d, *[1] * (len(shape) - 2)), dtype)
    x = np.asarray(size, dtype) * draw(rng, shape, dtype) + centre
    gamma, beta, mean = draw(rng, (3, d), dtype)
    var = np.asarray(rng.uniform(0.5, 3.0, size=d), dtype)
    arguments = x, gamma, beta, mean, var
    names = "out", "running_mean", "running_var"
    got = parts(student.batchnorm_forward(*arguments, training=True, **settings), *names)
    want = reference.batchnorm_forward(*arguments, training=True, **settings)
    for value, right, name in zip(got, want, names, strict=True):
        assert_close(value, right, **rounding(dtype), what=name)


self_check(batchnorm_forward_matches_in_training)


# %%
@check(
    "batchnorm_forward",
    points=1,
    pure=True,
    hint="Nothing is learnt from the batch in use: neither for the output nor for the averages.",
)
@case("rows of numbers", shape=(6, 4))
@case("pictures", shape=(3, 2, 4, 5), hidden=True)
@case("one example", shape=(1, 5), momentum=0.6, eps=0.3, hidden=True)
def batchnorm_forward_matches_in_use(student, reference, rng, shape, **settings):
    """batchnorm_forward standardises by the running averages in use, and leaves them alone."""
    x, d = 2 * draw(rng, shape) + 1, shape[1]
    gamma, beta, mean = draw(rng, (3, d))
    arguments = x, gamma, beta, mean, rng.uniform(0.01, 3.0, size=d)
    names = "out", "running_mean", "running_var"
    got = parts(student.batchnorm_forward(*arguments, training=False, **settings), *names)
    want = reference.batchnorm_forward(*arguments, training=False, **settings)
    for value, right, name in zip(got, want, names, strict=True):
        assert_close(value, right, what=name)


self_check(batchnorm_forward_matches_in_use)


# %%
@check(
    "batchnorm_forward",
    points=1,
    pure=True,
    hint="What is left of the formula where all values of a feature are the same?",
)
@case("a feature that does not vary", shape=(5, 3))
@case("a channel that does not vary", shape=(2, 3, 3, 2), hidden=True)
def batchnorm_forward_stands_constant_features(student, reference, rng, shape):
    """batchnorm_forward is finite where a feature has variance zero, and right beside it."""
    x, d = draw(rng, shape), shape[1]
    x[:, 1] = rng.integers(-4, 4)
    gamma, beta, mean = draw(rng, (3, d))
    arguments = x, gamma, beta, mean, rng.uniform(0.5, 3.0, size=d)
    names = "out", "running_mean", "running_var"
    got = parts(student.batchnorm_forward(*arguments, training=True), *names)
    want = reference.batchnorm_forward(*arguments, training=True)
    for value, right, name in zip(got, want, names, strict=True):
        assert_close(value, right, what=name)


self_check(batchnorm_forward_stands_constant_features)


# %%
right_batchnorm = batchnorm_forward
TRAINING = (batchnorm_forward_stands_constant_features,)
EVERY_BATCHNORM_CHECK = (
    batchnorm_forward_matches_in_use,
    batchnorm_forward_stands_constant_features,
)


def batchnorm_by(
    x,
    gamma,
    beta,
    running_mean,
    running_var,
    training,
    momentum=0.1,
    eps=1e-5,
    axes=None,
    ddof=(0, 1),
    root=lambda var, eps: np.sqrt(var + eps),
):
    """Batch normalisation with some of its details open; right by default."""
    axes = (0, *range(2, x.ndim)) if axes is None else axes
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True, ddof=ddof[0])
    fitting = (1, -1, *[1] * (x.ndim - 2))
    if training:
        new = x.mean(axis=axes), x.var(axis=axes, ddof=ddof[1])
        averages = [
            (1 - momentum) * old + momentum * now
            for old, now in zip((running_mean, running_var), new, strict=True)
        ]
    else:
        mean, var = running_mean.reshape(fitting), running_var.reshape(fitting)
        averages = running_mean, running_var
    out = gamma.reshape(fitting) * (x - mean) / root(var, eps) + beta.reshape(fitting)
    return out, *averages


@batchnorm_forward_matches_in_training.mistake(
    "the variance that normalises divides by m - 1: here it is m", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, ddof=(1, 1))


@batchnorm_forward_matches_in_training.mistake(
    "the variance in the running average divides by m: there it is m - 1", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, ddof=(0, 0))


@batchnorm_forward_matches_in_training.mistake(
    "eps beside the root: it is added to the variance", also=EVERY_BATCHNORM_CHECK
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, root=lambda var, eps: np.sqrt(var) + eps)


@batchnorm_forward_matches_in_training.mistake(
    "divided by the variance: the root is missing", also=EVERY_BATCHNORM_CHECK
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, root=lambda var, eps: var + eps)


@batchnorm_forward_matches_in_training.mistake(
    "eps is left out, and a feature that does not vary is divided by zero", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return batchnorm_by(x, gamma, beta, running_mean, running_var, training, momentum, 0.0)


@batchnorm_forward_matches_in_training.mistake(
    "a fixed eps: the argument is not used", also=(batchnorm_forward_matches_in_use,)
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, momentum)


@batchnorm_forward_matches_in_training.mistake(
    "another default: eps is 1e-5", also=(batchnorm_forward_matches_in_use,)
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-3):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, momentum, eps)


@batchnorm_forward_matches_in_training.mistake(
    "the weights in the running averages are reversed: momentum is the new value's", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, 1 - momentum, eps)


@batchnorm_forward_matches_in_training.mistake(
    "another default: momentum is 0.1, the weight of the new value", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, momentum, eps)


@batchnorm_forward_matches_in_training.mistake(
    "the last batch replaces the running averages", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return right_batchnorm(x, gamma, beta, running_mean, running_var, training, 1.0, eps)


@batchnorm_forward_matches_in_training.mistake(
    "the running averages are never updated", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    out, _, _ = right_batchnorm(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    return out, running_mean, running_var


@batchnorm_forward_matches_in_training.mistake(
    "an average of standard deviations, not of variances", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    out, mean, _ = right_batchnorm(*arguments)
    std = x.std(axis=(0, *range(2, x.ndim)))
    return out, mean, (1 - momentum) * running_var + momentum * std if training else running_var


@batchnorm_forward_matches_in_training.mistake(
    "the running averages normalise in training too: there it is the batch", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var
    out = right_batchnorm(*arguments, training=False, eps=eps)[0]
    return out, *right_batchnorm(*arguments, training, momentum, eps)[1:]


@batchnorm_forward_matches_in_training.mistake(
    "the updated running averages normalise in training: there it is the batch", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var
    averages = right_batchnorm(*arguments, training, momentum, eps)[1:]
    return right_batchnorm(x, gamma, beta, *averages, training=False, eps=eps)


@batchnorm_forward_matches_in_training.mistake(
    "training and use are mixed up", also=EVERY_BATCHNORM_CHECK
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, not training, momentum, eps
    return right_batchnorm(*arguments)


@batchnorm_forward_matches_in_use.mistake(
    "the batch normalises in use too: there it is the averages"
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, True, momentum, eps
    out, mean, var = right_batchnorm(*arguments)
    return (out, mean, var) if training else (out, running_mean, running_var)


@batchnorm_forward_matches_in_use.mistake("the running averages go on moving in use")
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var
    out = right_batchnorm(*arguments, training, momentum, eps)[0]
    return out, *right_batchnorm(*arguments, True, momentum, eps)[1:]


@batchnorm_forward_matches_in_use.mistake(
    "scale and shift only in training: they belong to the model"
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    ones, zeros = (gamma, beta) if training else (np.ones_like(gamma), np.zeros_like(beta))
    return right_batchnorm(x, ones, zeros, running_mean, running_var, training, momentum, eps)


@batchnorm_forward_matches_in_training.mistake(
    "a reshape without moving the channels to the end mixes them up", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = gamma, beta, running_mean, running_var, training, momentum, eps
    out, mean, var = right_batchnorm(x.reshape(-1, x.shape[1]), *arguments)
    return out.reshape(x.shape), mean, var


@batchnorm_forward_matches_in_training.mistake(
    "only rows of numbers: each pixel of a picture gets statistics of its own", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = gamma, beta, running_mean, running_var, training, momentum, eps
    if x.ndim == 2 or not training:
        return right_batchnorm(x, *arguments)
    shape, last = (1, -1, 1, 1), (0, 2, 3)
    hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    out = gamma.reshape(shape) * hat + beta.reshape(shape)
    mean = (1 - momentum) * running_mean + momentum * x.mean(axis=last)
    return out, mean, (1 - momentum) * running_var + momentum * x.var(axis=last, ddof=1)


@batchnorm_forward_matches_in_training.mistake(
    "over the features of each example: that is layer normalisation", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    if not training:
        return right_batchnorm(*arguments)
    axes, shape = tuple(range(1, x.ndim)), (1, -1, *[1] * (x.ndim - 2))
    hat = x - x.mean(axis=axes, keepdims=True)
    hat = hat / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return gamma.reshape(shape) * hat + beta.reshape(shape), *right_batchnorm(*arguments)[1:]


@batchnorm_forward_matches_in_training.mistake(
    "one mean and one variance for all features", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return batchnorm_by(*arguments, axes=tuple(range(x.ndim)), ddof=(0, 1))


@batchnorm_forward_matches_in_training.mistake(
    "scale and shift are forgotten", also=EVERY_BATCHNORM_CHECK
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    plain = np.ones_like(gamma), np.zeros_like(beta)
    return right_batchnorm(x, *plain, running_mean, running_var, training, momentum, eps)


@batchnorm_forward_matches_in_training.mistake(
    "scale and shift are mixed up", also=EVERY_BATCHNORM_CHECK
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    return right_batchnorm(x, beta, gamma, running_mean, running_var, training, momentum, eps)


@batchnorm_forward_matches_in_training.mistake(
    "only the output is returned", also=EVERY_BATCHNORM_CHECK
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    return right_batchnorm(*arguments)[0]


@batchnorm_forward_matches_in_training.mistake(
    "overwrites the caller's running averages", also=TRAINING
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    arguments = x, gamma, beta, running_mean, running_var, training, momentum, eps
    out, mean, var = right_batchnorm(*arguments)
    running_mean[:], running_var[:] = mean, var
    return out, running_mean, running_var


# %%
@batchnorm_forward_matches_in_training.alternative("torch", also=EVERY_BATCHNORM_CHECK)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    mean, var = torch.tensor(running_mean), torch.tensor(running_var)
    tensors = torch.tensor(x), mean, var, torch.tensor(gamma), torch.tensor(beta)
    out = torch.nn.functional.batch_norm(*tensors, training, momentum, eps)
    return out.numpy(), mean.numpy(), var.numpy()


@batchnorm_forward_matches_in_training.alternative(
    "channels last and flat, and back again", also=EVERY_BATCHNORM_CHECK
)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    last = np.moveaxis(x, 1, -1)
    flat = last.reshape(-1, len(gamma)).astype(np.float64)
    mean, var = running_mean, running_var
    if training:
        centre, mean_square = flat.sum(0) / len(flat), (flat**2).sum(0) / len(flat)
        spread_out = np.maximum(mean_square - centre**2, 0)
        mean = mean + momentum * (centre - mean)
        var = var + momentum * (spread_out * len(flat) / (len(flat) - 1) - var)
    else:
        centre, spread_out = mean, var
    rows = (flat - centre) * (gamma / (spread_out + eps) ** 0.5) + beta
    return np.moveaxis(rows.reshape(last.shape), -1, 1), mean, var


@batchnorm_forward_matches_in_training.alternative("feature by feature", also=EVERY_BATCHNORM_CHECK)
def batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    out, mean, var = np.empty(x.shape), np.array(running_mean), np.array(running_var)
    for d in range(x.shape[1]):
        values = x[:, d]
        centre = values.mean() if training else mean[d]
        width = values.var() if training else var[d]
        out[:, d] = gamma[d] * (values - centre) / np.sqrt(width + eps) + beta[d]
        if training:
            mean[d] = momentum * centre + (1 - momentum) * mean[d]
            var[d] = momentum * values.var(ddof=1) + (1 - momentum) * var[d]
    return out, mean, var


# %% [markdown]
# ## 3.2 Batch normalisation, on the way back (5 points)
#
# Here backpropagation shows its worth. $x_i$ takes part in $\hat x_i$ in three ways: itself,
# through $\mu$, and through $\sigma^2$; and through the last two it takes part in every other
# $\hat x_j$ of its feature as well. Follow the formulas of 3.1 backwards step by step (that
# works, and is a fine answer), or put the steps together on paper: they shrink to a single line.
# The question after this one asks for its derivation.
#
# This is the backward pass of training; there is none to write for use.
#
# **Look out.** Whoever treats $\mu$ and $\sigma^2$ as constants gets a gradient that looks right
# and is wrong. A test: adding a constant to all values of a feature does not change the output
# at all. What does this say about the sum of $\bar x$ over the batch?

# %%
from reference.training_layers import batchnorm_backward


# %%
@check(
    "batchnorm_backward",
    points=5,
    pure=True,
    hint="x counts three times: itself, in the mean, in the variance. Over which values is m?",
)
@case("rows of numbers", shape=(6, 4))
@case("pictures", shape=(3, 2, 4, 5))
@case("a large eps", shape=(5, 3), eps=0.5)
@case("one picture", shape=(1, 3, 4, 2), hidden=True)
@case("variances as small as eps", shape=(7, 5), size=2e-3, hidden=True)
@case("small pictures, large eps", shape=(4, 3, 2, 3), eps=0.25, hidden=True)
@case("two examples", shape=(2, 6), hidden=True)
def batchnorm_backward_matches_reference(student, reference, rng, shape, size=1.0, **settings):
    """batchnorm_backward returns the gradients of batch normalisation in training."""
    d = shape[1]
    x = size * draw(rng, shape) + draw(rng, (1, d, *[1] * (len(shape) - 2)))
    dout, gamma = draw(rng, shape) + 0.5, draw(rng, d)
    names = "dx", "dgamma", "dbeta"
    got = parts(student.batchnorm_backward(dout, x, gamma, **settings), *names)
    want = reference.batchnorm_backward(dout, x, gamma, **settings)
    for value, right, name in zip(got, want, names, strict=True):
        assert_close(value, right, what=name)


self_check(batchnorm_backward_matches_reference)


# %%
right_batchnorm_backward = batchnorm_backward


def batchnorm_terms(dout, x, eps):
    """Return the axes of a feature, its root and its standardised values, for mistakes to use."""
    axes = (0, *range(2, x.ndim))
    root = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return axes, root, (x - x.mean(axis=axes, keepdims=True)) / root


def over(gamma, x):
    return gamma.reshape(1, -1, *[1] * (x.ndim - 2))


@batchnorm_backward_matches_reference.mistake(
    "mean and variance taken for constants: they are functions of x"
)
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    _, root, _ = batchnorm_terms(dout, x, eps)
    return over(gamma, x) * dout / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@batchnorm_backward_matches_reference.mistake("the way through the variance is missing")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    axes, root, _ = batchnorm_terms(dout, x, eps)
    centred = dout - dout.mean(axis=axes, keepdims=True)
    return over(gamma, x) * centred / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@batchnorm_backward_matches_reference.mistake("the way through the mean is missing")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    axes, root, hat = batchnorm_terms(dout, x, eps)
    rest = dout - hat * (dout * hat).mean(axis=axes, keepdims=True)
    return over(gamma, x) * rest / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@batchnorm_backward_matches_reference.mistake("the way through the variance has the wrong sign")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    axes, root, hat = batchnorm_terms(dout, x, eps)
    rest = dout - dout.mean(axis=axes, keepdims=True)
    rest = rest + hat * (dout * hat).mean(axis=axes, keepdims=True)
    return over(gamma, x) * rest / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@batchnorm_backward_matches_reference.mistake("sums in place of means: 1/m is lost")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    axes, root, hat = batchnorm_terms(dout, x, eps)
    rest = dout - dout.sum(axis=axes, keepdims=True)
    rest = rest - hat * (dout * hat).sum(axis=axes, keepdims=True)
    return over(gamma, x) * rest / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@batchnorm_backward_matches_reference.mistake("the variance of m - 1 on the way back")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    count = x.size // x.shape[1]
    root = np.sqrt(x.var(axis=axes, keepdims=True, ddof=1) + eps)
    hat = (x - x.mean(axis=axes, keepdims=True)) / root
    rest = dout - dout.mean(axis=axes, keepdims=True)
    rest = rest - hat * (dout * hat).sum(axis=axes, keepdims=True) / (count - 1)
    return over(gamma, x) * rest / root, (dout * hat).sum(axis=axes), dout.sum(axis=axes)


@batchnorm_backward_matches_reference.mistake("m is the number of examples, for pictures too")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    axes, root, hat = batchnorm_terms(dout, x, eps)
    rest = dout - dout.sum(axis=axes, keepdims=True) / len(x)
    rest = rest - hat * (dout * hat).sum(axis=axes, keepdims=True) / len(x)
    return over(gamma, x) * rest / root, *right_batchnorm_backward(dout, x, gamma, eps)[1:]


@batchnorm_backward_matches_reference.mistake("eps beside the root: it is added to the variance")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    root = x.std(axis=axes, keepdims=True) + eps
    hat = (x - x.mean(axis=axes, keepdims=True)) / root
    rest = dout - dout.mean(axis=axes, keepdims=True)
    rest = rest - hat * (dout * hat).mean(axis=axes, keepdims=True)
    return over(gamma, x) * rest / root, (dout * hat).sum(axis=axes), dout.sum(axis=axes)


@batchnorm_backward_matches_reference.mistake("eps is left out")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    return right_batchnorm_backward(dout, x, gamma, 0.0)


@batchnorm_backward_matches_reference.mistake("a fixed eps: the argument is not used")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    return right_batchnorm_backward(dout, x, gamma)


@batchnorm_backward_matches_reference.mistake("another default: eps is 1e-5")
def batchnorm_backward(dout, x, gamma, eps=1e-3):
    return right_batchnorm_backward(dout, x, gamma, eps)


@batchnorm_backward_matches_reference.mistake("the scale is forgotten in dx")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    return right_batchnorm_backward(dout, x, np.ones_like(gamma), eps)


@batchnorm_backward_matches_reference.mistake("divided by the variance in dx: it is by its root")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    _, root, _ = batchnorm_terms(dout, x, eps)
    dx, dgamma, dbeta = right_batchnorm_backward(dout, x, gamma, eps)
    return dx / root, dgamma, dbeta


@batchnorm_backward_matches_reference.mistake(
    "dgamma from x: the scale multiplies what is standardised"
)
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    axes, _, _ = batchnorm_terms(dout, x, eps)
    dx, _, dbeta = right_batchnorm_backward(dout, x, gamma, eps)
    return dx, (dout * x).sum(axis=axes), dbeta


@batchnorm_backward_matches_reference.mistake("dgamma and dbeta averaged: they are sums")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    dx, dgamma, dbeta = right_batchnorm_backward(dout, x, gamma, eps)
    return dx, dgamma / (x.size // x.shape[1]), dbeta / (x.size // x.shape[1])


@batchnorm_backward_matches_reference.mistake("dgamma and dbeta in the wrong order")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    dx, dgamma, dbeta = right_batchnorm_backward(dout, x, gamma, eps)
    return dx, dbeta, dgamma


@batchnorm_backward_matches_reference.mistake("dgamma and dbeta summed over the features")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    _, _, hat = batchnorm_terms(dout, x, eps)
    axes = tuple(range(1, x.ndim))
    dx = right_batchnorm_backward(dout, x, gamma, eps)[0]
    return dx, (dout * hat).sum(axis=axes), dout.sum(axis=axes)


@batchnorm_backward_matches_reference.mistake("a reshape without moving the channels to the end")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    rows = dout.reshape(-1, x.shape[1]), x.reshape(-1, x.shape[1])
    dx, dgamma, dbeta = right_batchnorm_backward(*rows, gamma, eps)
    return dx.reshape(x.shape), dgamma, dbeta


@batchnorm_backward_matches_reference.mistake("overwrites the caller's dout")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    gradients = right_batchnorm_backward(dout, x, gamma, eps)
    dout *= over(gamma, x)
    return gradients


# %%
@batchnorm_backward_matches_reference.alternative("torch's autograd")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, gamma, np.zeros_like(gamma))]
    out = torch.nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], True, 0.1, eps)
    out.backward(torch.tensor(dout))
    return tuple(leaf.grad.numpy() for leaf in leaves)


@batchnorm_backward_matches_reference.alternative("step by step, channels last")
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    last = np.moveaxis(x, 1, -1)
    flat, above = last.reshape(-1, len(gamma)), np.moveaxis(dout, 1, -1).reshape(-1, len(gamma))
    m, mu = len(flat), flat.mean(0)
    var = ((flat - mu) ** 2).mean(0)
    hat = (flat - mu) / np.sqrt(var + eps)
    dhat = above * gamma
    dvar = (dhat * (flat - mu)).sum(0) * -0.5 * (var + eps) ** -1.5
    dmu = -dhat.sum(0) / np.sqrt(var + eps) + dvar * (-2 * (flat - mu)).sum(0) / m
    dflat = dhat / np.sqrt(var + eps) + dvar * 2 * (flat - mu) / m + dmu / m
    return np.moveaxis(dflat.reshape(last.shape), -1, 1), (above * hat).sum(0), above.sum(0)


@batchnorm_backward_matches_reference.alternative(
    "feature by feature, by the matrix of derivatives"
)
def batchnorm_backward(dout, x, gamma, eps=1e-5):
    dx, dgamma, dbeta = np.empty(x.shape), np.empty(len(gamma)), np.empty(len(gamma))
    for d, scale in enumerate(gamma):
        values, above = x[:, d].ravel(), dout[:, d].ravel()
        m, width = len(values), np.sqrt(x[:, d].var() + eps)
        hat = (values - values.mean()) / width
        jacobian = (np.eye(m) - 1 / m - np.outer(hat, hat) / m) / width
        dx[:, d] = scale * (jacobian @ above).reshape(x[:, d].shape)
        dgamma[d], dbeta[d] = hat @ above, above.sum()
    return dx, dgamma, dbeta


# %% [markdown]
# ## 3.3 Derivation: the way back in one line (3 points)
#
# Take one feature with values $x_1, \dots, x_m$, and put $r = \sqrt{\sigma^2 + \varepsilon}$. With
# the gradients $\bar y_i$ at the output given,
#
# 1. show $\partial \mu / \partial x_j = 1 / m$ and
#    $\partial r / \partial x_j = \hat x_j / m$, and from these find
#    $\partial \hat x_i / \partial x_j$;
# 2. derive $\bar x_j$ as a single formula in $\bar y$, $\hat x$, $\gamma$, $r$ and $m$;
# 3. conclude that $\sum_j \bar x_j = 0$, and say why this had to be so without any computation.

# %% [markdown] manual=true question="proof_batchnorm" points=3
# ### BEGIN SOLUTION
# **1.** $\mu$ is the mean, so each value enters with weight $1/m$. For the variance, $\partial
# \sigma^2 / \partial x_j = \frac2m \sum_i (x_i - \mu)(\delta_{ij} - \frac1m)$. The part with
# $\frac1m$ vanishes, since the deviations from the mean add up to zero, which leaves $\frac2m
# (x_j - \mu)$. With $r = (\sigma^2 + \varepsilon)^{1/2}$ this gives $\partial r / \partial x_j =
# \frac{1}{2 r} \cdot \frac2m (x_j - \mu) = \hat x_j / m$. By the quotient rule for $\hat x_i =
# (x_i - \mu) / r$,
# $$\frac{\partial \hat x_i}{\partial x_j} = \frac{\delta_{ij} - 1/m}{r}
# - \frac{x_i - \mu}{r^2} \cdot \frac{\hat x_j}{m}
# = \frac1r \left( \delta_{ij} - \frac1m - \frac{\hat x_i \hat x_j}{m} \right).$$
#
# **2.** The chain rule with $\partial L / \partial \hat x_i = \gamma\, \bar y_i$, summed over
# $i$, gives
# $$\bar x_j = \frac{\gamma}{r} \left( \bar y_j - \frac1m \sum_i \bar y_i
# - \hat x_j\, \frac1m \sum_i \bar y_i \hat x_i \right).$$
#
# **3.** Sum over $j$. The first two terms cancel, as the second is $m$ times the mean of the first.
# The third has the factor $\sum_j \hat x_j = 0$. It had to be so: adding a constant to all
# $x_j$ leaves every $\hat x_i$ and therefore the loss as they are, so the derivative of the loss in
# this direction, which is $\sum_j \bar x_j$, vanishes.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: both derivatives, with the reason why the part through the mean drops out of the
#   variance's, and the quotient rule with both terms.
# - 1 point: the formula, with the factor of the scale, the root and both means over m values.
#   Half a point if one of the ways through mean and variance is lost or a factor is wrong.
# - 1 point: the sum is zero by the formula (half), and by the shift that changes nothing (half).
# === END MARK SCHEME ===

# %% [markdown]
# ## 3.4 Dropout (6 points)
#
# Srivastava et al. (*Dropout*, 2014) set each number of a layer to zero with some probability,
# drawn anew for every batch, so that no unit can rely on a certain other one. In use nothing is
# dropped. But then the next layer would get more than it was used to. The remedy, today's
# *inverted* dropout, is to enlarge what is kept during training, so that its expectation is that
# of the undisturbed layer; then use needs no correction.
#
# Random numbers come in as an argument: `noise` has the shape of `x`, with numbers uniform from
# 0 to below 1. A number is dropped where its noise is **smaller than** $p$, and kept where it is
# $p$ or more. The same noise goes to the backward function.
#
# **Look out.** Our $p$ is the probability to be *dropped*, as in PyTorch. In the original paper,
# and in some courses, it is the probability to be kept.

# %%
from reference.training_layers import dropout_forward


# %%
def noise_on_a_grid(rng, shape):
    """Return noise in steps of an eighth, so that some of it is exactly p."""
    return rng.integers(8, size=shape) / 8


@check(
    "dropout",
    points=4,
    pure=True,
    hint="What is p, who is kept at noise = p, by how much are they enlarged, and what about use?",
)
@case("a matrix", shape=(6, 5), p=0.25)
@case("pictures", shape=(2, 3, 4, 5), p=0.625)
@case("three axes", shape=(4, 3, 7), p=0.875, hidden=True)
@case("single precision", shape=(9, 4), p=0.375, dtype="float32", hidden=True)
def dropout_forward_matches_reference(student, reference, rng, shape, p, dtype="float64"):
    """dropout_forward drops and enlarges in training, and does nothing in use or with p = 0."""
    x, noise = draw(rng, shape, dtype), noise_on_a_grid(rng, shape)
    for share, training in ((p, True), (p, False), (0.0, True)):
        got = student.dropout_forward(x, noise, share, training)
        want = reference.dropout_forward(x, noise, share, training)
        assert_close(got, want, what=f"out with p={share}, training={training}")


self_check(dropout_forward_matches_reference)


# %%
right_dropout = dropout_forward


@dropout_forward_matches_reference.mistake("p is taken for the probability to be kept")
def dropout_forward(x, noise, p, training):
    return x * (noise < p) / max(p, 1e-9) if training else x


@dropout_forward_matches_reference.mistake("what is kept is not enlarged")
def dropout_forward(x, noise, p, training):
    return x * (noise >= p) if training else x


@dropout_forward_matches_reference.mistake(
    "scaled by p: the factor is one over the share that is kept"
)
def dropout_forward(x, noise, p, training):
    return x * (noise >= p) * p if training else x


@dropout_forward_matches_reference.mistake("divided by p: by the share that is kept")
def dropout_forward(x, noise, p, training):
    return x * (noise >= p) / max(p, 1e-9) if training else x


@dropout_forward_matches_reference.mistake("multiplied by the share that is kept, which shrinks it")
def dropout_forward(x, noise, p, training):
    return x * (noise >= p) * (1 - p) if training else x


@dropout_forward_matches_reference.mistake(
    "corrected in use: inverted dropout corrects in training"
)
def dropout_forward(x, noise, p, training):
    return x * (noise >= p) if training else x * (1 - p)


@dropout_forward_matches_reference.mistake("corrected twice, in training and in use")
def dropout_forward(x, noise, p, training):
    return right_dropout(x, noise, p, True) if training else x * (1 - p)


@dropout_forward_matches_reference.mistake("drops in use as well")
def dropout_forward(x, noise, p, training):
    return right_dropout(x, noise, p, True)


@dropout_forward_matches_reference.mistake("never drops")
def dropout_forward(x, noise, p, training):
    return right_dropout(x, noise, p, False)


@dropout_forward_matches_reference.mistake("training and use are mixed up")
def dropout_forward(x, noise, p, training):
    return right_dropout(x, noise, p, not training)


@dropout_forward_matches_reference.mistake("noise that equals p drops: it has to be smaller")
def dropout_forward(x, noise, p, training):
    return x * (noise > p) / (1 - p) if training else x


@dropout_forward_matches_reference.mistake(
    "drops what should be kept, and keeps what should be dropped"
)
def dropout_forward(x, noise, p, training):
    return x * (noise < p) / (1 - p) if training else x


@dropout_forward_matches_reference.mistake("scaled by the share that was kept by chance")
def dropout_forward(x, noise, p, training):
    return x * (noise >= p) / max((noise >= p).mean(), 1e-9) if training else x


@dropout_forward_matches_reference.mistake("noise of one's own: the argument is not used")
def dropout_forward(x, noise, p, training):
    return right_dropout(x, np.random.default_rng(0).uniform(size=x.shape), p, training)


@dropout_forward_matches_reference.mistake("the mask in place of the masked numbers")
def dropout_forward(x, noise, p, training):
    return (noise >= p) / (1 - p) if training else x


@dropout_forward_matches_reference.mistake("works in place: the caller's input is overwritten")
def dropout_forward(x, noise, p, training):
    if training:
        x[noise < p] = 0
        x /= 1 - p
    return x


# %%
@dropout_forward_matches_reference.alternative("a choice number by number")
def dropout_forward(x, noise, p, training):
    return np.where(np.asarray(noise) < p, 0.0, x / (1 - p)) if training else np.array(x)


@dropout_forward_matches_reference.alternative("a copy with holes, in double precision")
def dropout_forward(x, noise, p, training):
    out = np.array(x, np.float64)
    if not training:
        return out
    out[noise < p] = 0
    out *= 1 / (1 - p)
    return out


@dropout_forward_matches_reference.alternative("torch")
def dropout_forward(x, noise, p, training):
    kept = torch.tensor(noise) >= (p if training else 0)
    factor = torch.tensor(1 / (1 - p) if training else 1.0, dtype=torch.float64)
    return (torch.tensor(x) * kept * factor).numpy()


# %%
from reference.training_layers import dropout_backward


# %%
@check(
    "dropout",
    points=2,
    pure=True,
    hint="Dropout multiplies each number by a constant. Which constants, in training and in use?",
)
@case("a matrix", shape=(6, 5), p=0.25)
@case("pictures", shape=(2, 3, 4, 5), p=0.625, hidden=True)
@case("three axes", shape=(4, 3, 7), p=0.875, hidden=True)
def dropout_backward_matches_reference(student, reference, rng, shape, p):
    """dropout_backward sends the gradient back the way that the numbers came."""
    dout, noise = draw(rng, shape), noise_on_a_grid(rng, shape)
    for share, training in ((p, True), (p, False), (0.0, True)):
        got = student.dropout_backward(dout, noise, share, training)
        want = reference.dropout_backward(dout, noise, share, training)
        assert_close(got, want, what=f"dx with p={share}, training={training}")


self_check(dropout_backward_matches_reference)


# %%
right_dropout_backward = dropout_backward


@dropout_backward_matches_reference.mistake("the gradient is not enlarged, though the numbers were")
def dropout_backward(dout, noise, p, training):
    return dout * (noise >= p) if training else dout


@dropout_backward_matches_reference.mistake("dropped numbers get a gradient")
def dropout_backward(dout, noise, p, training):
    return dout / (1 - p) if training else dout


@dropout_backward_matches_reference.mistake("everything comes through unchanged")
def dropout_backward(dout, noise, p, training):
    return dout


@dropout_backward_matches_reference.mistake("drops in use as well")
def dropout_backward(dout, noise, p, training):
    return right_dropout_backward(dout, noise, p, True)


@dropout_backward_matches_reference.mistake("training and use are mixed up")
def dropout_backward(dout, noise, p, training):
    return right_dropout_backward(dout, noise, p, not training)


@dropout_backward_matches_reference.mistake("p is taken for the probability to be kept")
def dropout_backward(dout, noise, p, training):
    return dout * (noise < p) / max(p, 1e-9) if training else dout


@dropout_backward_matches_reference.mistake("the inverse of the forward factor")
def dropout_backward(dout, noise, p, training):
    return dout * (noise >= p) * (1 - p) if training else dout


@dropout_backward_matches_reference.mistake("noise that equals p drops: it has to be smaller")
def dropout_backward(dout, noise, p, training):
    return dout * (noise > p) / (1 - p) if training else dout


@dropout_backward_matches_reference.mistake("fresh noise on the way back: it is the same")
def dropout_backward(dout, noise, p, training):
    fresh = np.random.default_rng(1).uniform(size=dout.shape)
    return right_dropout_backward(dout, fresh, p, training)


@dropout_backward_matches_reference.mistake("overwrites the caller's dout")
def dropout_backward(dout, noise, p, training):
    if training:
        dout *= (noise >= p) / (1 - p)
    return dout


# %%
@dropout_backward_matches_reference.alternative("a choice number by number")
def dropout_backward(dout, noise, p, training):
    return np.where((noise < p) & training, 0, dout / (1 - p * training))


@dropout_backward_matches_reference.alternative("it is the same function as the forward one")
def dropout_backward(dout, noise, p, training):
    return right_dropout(dout, noise, p, training)


@dropout_backward_matches_reference.alternative(
    "torch's autograd through the factor of each number"
)
def dropout_backward(dout, noise, p, training):
    factors = torch.ones(dout.shape, dtype=torch.float64)
    if training:
        factors = (torch.tensor(noise) >= p) / torch.tensor(1 - p, dtype=torch.float64)
    leaf = torch.zeros(dout.shape, dtype=torch.float64, requires_grad=True)
    (leaf * factors).backward(torch.tensor(dout))
    return leaf.grad.numpy()


# %% [markdown]
# # 4. A network that reads digits
#
# Time to plug the layers together. In `data/digits.npz` there are handwritten digits, 8 by 8
# pixels each, from *Optical Recognition of Handwritten Digits* (E. Alpaydin and C. Kaynak, 1998,
# UCI Machine Learning Repository, [doi.org/10.24432/C50P49](https://doi.org/10.24432/C50P49),
# licence CC BY 4.0). The file is also there when your notebook is graded; the checks then hand
# digits to your functions that are not in it.


# %%
def load_digits(file="data/digits.npz"):
    """Return images (N, 1, 8, 8) with values from 0 to 1, and their labels (N,)."""
    with np.load(file, allow_pickle=False) as digits:
        return digits["images"][:, None] / 16, digits["labels"].astype(int)


images, labels = load_digits()
if budget(True, graded=False):
    fig, axes = plt.subplots(2, 10, figsize=(10, 2.3))
    for ax, image, label in zip(axes.T.ravel(), images, labels, strict=False):
        ax.imshow(image[0], cmap="gray_r")
        ax.set_title(label, fontsize=9)
        ax.axis("off")
    plt.show()

# %% hidden=true
# What the grader's checks draw from are digits that are in no release; a student's session gets
# them as arguments.
from reference.held_back.digits import held_back_digits


def load_digits(file=None):
    return held_back_digits()


# %% [markdown]
# ## 4.1 Loss and gradient (6 points)
#
# The network is
#
# convolution → ReLU → max pooling (2 by 2, stride 2) → affine layer → softmax with cross-entropy.
#
# The convolution has stride 1 and keeps the size of the images: with kernels of odd size $K_H
# \times K_W$ its frame has $\lfloor K_H / 2 \rfloor$ rows and $\lfloor K_W / 2 \rfloor$ columns.
# The parameters are a dict with `w1` and `b1` (kernels and their biases), `w2` and `b2` (affine
# layer). To the mean cross-entropy comes a penalty on large weights, with a factor one half:
#
# $$L = \text{cross-entropy} + \frac{\lambda}{2} \left( \sum w_1^2 + \sum w_2^2 \right),$$
#
# where $\lambda$ is `reg`. Biases are free. Return the loss and a dict with the four gradients.
#
# Whatever slip there may be in a layer of yours costs its points there, not here: a check that
# fails is repeated with correct layers in place of yours.
#
# **Look out.** Each backward function wants to know the input of *its* layer. So keep what you
# compute on the way there for the way back. The images themselves need no gradient.

# %%
from reference.convnet import convnet_loss

# %%
LAYERS = (
    "conv_forward",
    "relu_forward",
    "max_pool_forward",
    "affine_forward",
    "softmax_loss",
    "conv_backward",
    "relu_backward",
    "max_pool_backward",
    "affine_backward",
)


def draw_net(rng, x, kernels, classes):
    """Return parameters for images of a shape (N, C, H, W) and kernels (F, KH, KW)."""
    units = kernels[0] * (x[2] // 2) * (x[3] // 2)
    return {
        "w1": rng.normal(size=(kernels[0], x[1], *kernels[1:])),
        "b1": rng.normal(size=kernels[0]),
        "w2": rng.normal(size=(units, classes)) / np.sqrt(units),  # else a loss can be zero
        "b2": rng.normal(size=classes),
    }


@check(
    "convnet_loss",
    points=2,
    pure=True,
    hint="Go through the layers one by one, with strides and frames; then the penalty, halved.",
    given=LAYERS,
)
@case("pictures in colour", x=(3, 2, 6, 4), kernels=(4, 3, 5), classes=3)
@case("with a penalty", x=(2, 1, 4, 6), kernels=(3, 1, 3), classes=4, reg=0.3)
@case("an odd number of rows", x=(4, 1, 7, 5), kernels=(2, 5, 3), classes=5, reg=0.7, hidden=True)
@case("one picture", x=(1, 3, 4, 4), kernels=(6, 3, 3), classes=3, hidden=True)
def convnet_loss_is_right(student, reference, rng, x, kernels, classes, **settings):
    """convnet_loss returns the loss of the network on a batch, with its penalty."""
    batch = rng.normal(size=x), rng.integers(classes, size=x[0])
    params = draw_net(rng, x, kernels, classes)
    got = parts(student.convnet_loss(params, *batch, **settings), "loss", "its gradients")
    assert_close(got[0], reference.convnet_loss(params, *batch, **settings)[0], what="loss")


self_check(convnet_loss_is_right)


# %%
@check(
    "convnet_loss",
    points=4,
    pure=True,
    hint="Does each backward function get its own layer's input? Which parameters are penalised?",
    given=LAYERS,
)
@case("pictures in colour", x=(3, 2, 6, 4), kernels=(4, 3, 5), classes=3)
@case("with a penalty", x=(2, 1, 4, 6), kernels=(3, 1, 3), classes=4, reg=0.3)
@case("an odd number of rows", x=(4, 1, 7, 5), kernels=(2, 5, 3), classes=5, reg=0.7, hidden=True)
@case("one picture", x=(1, 3, 4, 4), kernels=(6, 3, 3), classes=3, hidden=True)
def convnet_loss_gives_gradients(student, reference, rng, x, kernels, classes, **settings):
    """convnet_loss returns a dict with the gradient of every parameter."""
    batch = rng.normal(size=x), rng.integers(classes, size=x[0])
    params = draw_net(rng, x, kernels, classes)
    got = parts(student.convnet_loss(params, *batch, **settings), "loss", "its gradients")
    want = reference.convnet_loss(params, *batch, **settings)
    assert_close(got[1], want[1], what="gradients")


self_check(convnet_loss_gives_gradients)


# %%
right_net = convnet_loss
BOTH_NET_CHECKS = (convnet_loss_gives_gradients,)


def torch_net(params, x, pool_first=False):
    """Return the scores of the network by torch, and the parameters as leaves."""
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    frame = tuple(side // 2 for side in leaves["w1"].shape[2:])
    convolved = torch.nn.functional.conv2d(
        torch.tensor(x), leaves["w1"], leaves["b1"], padding=frame
    )
    if pool_first:
        hidden = torch.relu(torch.nn.functional.max_pool2d(convolved, 2))
    else:
        hidden = torch.nn.functional.max_pool2d(torch.relu(convolved), 2)
    return hidden.flatten(1) @ leaves["w2"] + leaves["b2"], leaves


def torch_loss(params, x, labels, reg, scores_of=torch_net, penalty=None):
    """Return loss and gradients by torch, with some of the network open for mistakes."""
    scores, leaves = scores_of(params, x)
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(labels))
    loss = loss + (
        reg / 2 * sum((leaves[n] ** 2).sum() for n in ("w1", "w2"))
        if penalty is None
        else penalty(leaves, reg)
    )
    loss.backward()
    return loss.item(), {name: leaf.grad.numpy() for name, leaf in leaves.items()}


@convnet_loss_is_right.mistake("the penalty without its one half", also=BOTH_NET_CHECKS)
def convnet_loss(params, x, labels, reg=0.0):
    return right_net(params, x, labels, 2 * reg)


@convnet_loss_is_right.mistake("the penalty's one half is in the gradient, not in the loss")
def convnet_loss(params, x, labels, reg=0.0):
    return right_net(params, x, labels, 2 * reg)[0], right_net(params, x, labels, reg)[1]


@convnet_loss_is_right.mistake("no penalty", also=BOTH_NET_CHECKS)
def convnet_loss(params, x, labels, reg=0.0):
    return right_net(params, x, labels)


@convnet_loss_is_right.mistake("the penalty counts biases as well", also=BOTH_NET_CHECKS)
def convnet_loss(params, x, labels, reg=0.0):
    def penalty(leaves, reg):
        return reg / 2 * sum((leaf**2).sum() for leaf in leaves.values())

    return torch_loss(params, x, labels, reg, penalty=penalty)


@convnet_loss_is_right.mistake("the penalty counts the kernels only", also=BOTH_NET_CHECKS)
def convnet_loss(params, x, labels, reg=0.0):
    return torch_loss(
        params, x, labels, reg, penalty=lambda leaves, reg: reg / 2 * (leaves["w1"] ** 2).sum()
    )


@convnet_loss_is_right.mistake("the penalty counts the affine layer only", also=BOTH_NET_CHECKS)
def convnet_loss(params, x, labels, reg=0.0):
    return torch_loss(
        params, x, labels, reg, penalty=lambda leaves, reg: reg / 2 * (leaves["w2"] ** 2).sum()
    )


@convnet_loss_is_right.mistake(
    "the penalty is a mean of squares: it is a sum", also=BOTH_NET_CHECKS
)
def convnet_loss(params, x, labels, reg=0.0):
    def penalty(leaves, reg):
        return reg / 2 * sum((leaves[name] ** 2).mean() for name in ("w1", "w2"))

    return torch_loss(params, x, labels, reg, penalty=penalty)


@convnet_loss_gives_gradients.mistake("the penalty has no gradient")
def convnet_loss(params, x, labels, reg=0.0):
    return right_net(params, x, labels, reg)[0], right_net(params, x, labels)[1]


@convnet_loss_gives_gradients.mistake("the penalty's gradient keeps a factor of two, or a half")
def convnet_loss(params, x, labels, reg=0.0):
    return right_net(params, x, labels, reg)[0], right_net(params, x, labels, 2 * reg)[1]


@convnet_loss_is_right.mistake("no ReLU", also=BOTH_NET_CHECKS)
def convnet_loss(params, x, labels, reg=0.0):
    def scores_of(params, x):
        leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
        frame = tuple(side // 2 for side in leaves["w1"].shape[2:])
        hidden = torch.nn.functional.conv2d(
            torch.tensor(x), leaves["w1"], leaves["b1"], padding=frame
        )
        hidden = torch.nn.functional.max_pool2d(hidden, 2)
        return hidden.flatten(1) @ leaves["w2"] + leaves["b2"], leaves

    return torch_loss(params, x, labels, reg, scores_of)


@convnet_loss_is_right.mistake(
    "the mean of each window in place of its largest", also=BOTH_NET_CHECKS
)
def convnet_loss(params, x, labels, reg=0.0):
    def scores_of(params, x):
        leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
        frame = tuple(side // 2 for side in leaves["w1"].shape[2:])
        hidden = torch.nn.functional.conv2d(
            torch.tensor(x), leaves["w1"], leaves["b1"], padding=frame
        )
        hidden = torch.nn.functional.avg_pool2d(torch.relu(hidden), 2)
        return hidden.flatten(1) @ leaves["w2"] + leaves["b2"], leaves

    return torch_loss(params, x, labels, reg, scores_of)


@convnet_loss_is_right.mistake(
    "a ReLU on the scores, which cuts off half of them", also=BOTH_NET_CHECKS
)
def convnet_loss(params, x, labels, reg=0.0):
    def scores_of(params, x):
        scores, leaves = torch_net(params, x)
        return torch.relu(scores), leaves

    return torch_loss(params, x, labels, reg, scores_of)


@convnet_loss_is_right.mistake(
    "a softmax before the cross-entropy has one already", also=BOTH_NET_CHECKS
)
def convnet_loss(params, x, labels, reg=0.0):
    def scores_of(params, x):
        scores, leaves = torch_net(params, x)
        return scores.softmax(dim=1), leaves

    return torch_loss(params, x, labels, reg, scores_of)


@convnet_loss_is_right.mistake(
    "the kernels' rows and columns are mixed up in the frame", also=BOTH_NET_CHECKS
)
def convnet_loss(params, x, labels, reg=0.0):
    frame = params["w1"].shape[3] // 2, params["w1"].shape[2] // 2
    hidden = max_pool_forward(
        relu_forward(conv_forward(x, params["w1"], params["b1"], pad=frame)), (2, 2), (2, 2)
    )
    return softmax_loss(affine_forward(hidden, params["w2"], params["b2"]), labels)[0], params


@convnet_loss_is_right.mistake("no frame: the images shrink", also=BOTH_NET_CHECKS)
def convnet_loss(params, x, labels, reg=0.0):
    hidden = relu_forward(conv_forward(x, params["w1"], params["b1"]))
    hidden = max_pool_forward(hidden, (2, 2), (2, 2))
    return softmax_loss(affine_forward(hidden, params["w2"], params["b2"]), labels)[0], params


@convnet_loss_is_right.mistake("a frame of one, whatever the kernel's size", also=BOTH_NET_CHECKS)
def convnet_loss(params, x, labels, reg=0.0):
    hidden = relu_forward(conv_forward(x, params["w1"], params["b1"], pad=(1, 1)))
    hidden = max_pool_forward(hidden, (2, 2), (2, 2))
    return softmax_loss(affine_forward(hidden, params["w2"], params["b2"]), labels)[0], params


def backward_with(params, x, labels, reg, skip_relu=False, pooled_input=False):
    """The network with a slip on the way back."""
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    pad = w1.shape[2] // 2, w1.shape[3] // 2
    convolved = conv_forward(x, w1, b1, pad=pad)
    rectified = relu_forward(convolved)
    pooled = max_pool_forward(rectified, (2, 2), (2, 2))
    dscores = softmax_loss(affine_forward(pooled, w2, b2), labels)[1]
    dpooled, dw2, db2 = affine_backward(dscores, pooled, w2)
    source = convolved if pooled_input else rectified
    dhidden = max_pool_backward(dpooled, source, (2, 2), (2, 2))
    if not skip_relu:
        dhidden = relu_backward(dhidden, rectified if pooled_input else convolved)
    _, dw1, db1 = conv_backward(dhidden, x, w1, pad=pad)
    grads = {"w1": dw1 + reg * w1, "b1": db1, "w2": dw2 + reg * w2, "b2": db2}
    return right_net(params, x, labels, reg)[0], grads


@convnet_loss_gives_gradients.mistake("the ReLU is left out on the way back")
def convnet_loss(params, x, labels, reg=0.0):
    return backward_with(params, x, labels, reg, skip_relu=True)


@convnet_loss_gives_gradients.mistake("only the affine layer gets a gradient")
def convnet_loss(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    return loss, {**grads, "w1": 0 * grads["w1"], "b1": 0 * grads["b1"]}


@convnet_loss_gives_gradients.mistake("the gradients point downhill")
def convnet_loss(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    return loss, {name: -grad for name, grad in grads.items()}


@convnet_loss_gives_gradients.mistake(
    "divided by the batch's size once more: the loss has it already"
)
def convnet_loss(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    penalty = {name: reg * params[name] for name in ("w1", "w2")}
    return loss, {n: (g - penalty.get(n, 0)) / len(x) + penalty.get(n, 0) for n, g in grads.items()}


@convnet_loss_gives_gradients.mistake("the gradients as a tuple: they belong into a dict")
def convnet_loss(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    return loss, tuple(grads.values())


@convnet_loss_gives_gradients.mistake(
    "the dict has names of its own: they are those of the parameters"
)
def convnet_loss(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    return loss, {f"d{name}": grad for name, grad in grads.items()}


@convnet_loss_gives_gradients.mistake(
    "overwrites the caller's parameters", also=(convnet_loss_is_right,)
)
def convnet_loss(params, x, labels, reg=0.0):
    result = right_net(params, x, labels, reg)
    params["b2"] -= 0.1
    return result


# %%
@convnet_loss_is_right.alternative("torch's autograd for the whole network", also=BOTH_NET_CHECKS)
def convnet_loss(params, x, labels, reg=0.0):
    return torch_loss(params, x, labels, reg)


@convnet_loss_is_right.alternative(
    "the ReLU after the pooling, which comes to the same", also=BOTH_NET_CHECKS
)
def convnet_loss(params, x, labels, reg=0.0):
    return torch_loss(params, x, labels, reg, lambda p, images: torch_net(p, images, True))


@convnet_loss_is_right.alternative(
    "the largest number's place found before the ReLU", also=BOTH_NET_CHECKS
)
def convnet_loss(params, x, labels, reg=0.0):
    return backward_with(params, x, labels, reg, pooled_input=True)


# %% [markdown]
# ## 4.2 Training (3 points)
#
# One step for each batch, with momentum as in PyTorch and in Homework 1: each parameter $w$ has a
# velocity $v$, at first zero, and with the gradient $g$ of the batch
#
# $$v \leftarrow \mu\, v + g, \qquad w \leftarrow w - \eta\, v .$$
#
# The batches come as lists of row numbers. The losses that you return are those of the batches,
# each from *before* its step: they come for free with the gradients.

# %%
from reference.convnet import train_convnet


# %%
@check(
    "train_convnet",
    points=3,
    pure=True,
    hint="One velocity for each parameter, kept from step to step; losses from before the step.",
    given=("convnet_loss", *LAYERS),
)
@case("three steps", steps=3)
@case("settings of one's own", steps=4, lr=0.05, momentum=0.5, reg=0.2)
@case("no momentum", steps=3, lr=0.2, momentum=0.0, hidden=True)
@case("six steps with a penalty", steps=6, lr=0.03, reg=0.1, hidden=True)
def train_convnet_follows_reference(student, reference, rng, steps, **settings):
    """train_convnet takes a step for each batch, and returns parameters and losses."""
    x, labels = rng.normal(size=(9, 2, 4, 6)), rng.integers(3, size=9)
    params = {name: value / 2 for name, value in draw_net(rng, x.shape, (3, 3, 1), 3).items()}
    batches = [rng.permutation(9)[: 3 + step % 2] for step in range(steps)]
    arguments = params, x, labels, batches
    got = parts(student.train_convnet(*arguments, **settings), "parameters", "losses")
    want = reference.train_convnet(*arguments, **settings)
    assert_close(got[0], want[0], what="parameters")
    assert_close(got[1], np.array(want[1]), what="losses")


self_check(train_convnet_follows_reference)


# %%
def steps_by(params, x, labels, batches, reg, move):
    """Train with a move of one's own: (parameter, gradient, velocity) to (parameter, velocity)."""
    losses, velocity = [], {name: np.zeros_like(value) for name, value in params.items()}
    for rows in batches:
        loss, grads = convnet_loss(params, x[rows], labels[rows], reg)
        losses.append(loss)
        moved = {name: move(params[name], grads[name], velocity[name]) for name in params}
        params = {name: pair[0] for name, pair in moved.items()}
        velocity = {name: pair[1] for name, pair in moved.items()}
    return params, losses


right_training = train_convnet


@train_convnet_follows_reference.mistake("the velocity starts from rest at every step")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, lr, 0.0, reg)


@train_convnet_follows_reference.mistake(
    "dampening: the gradient enters at full weight, not times 1 − μ"
)
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    def move(w, g, v):
        v = momentum * v + (1 - momentum) * g
        return w - lr * v, v

    return steps_by(params, x, labels, batches, reg, move)


@train_convnet_follows_reference.mistake("Nesterov's look-ahead in place of plain momentum")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    def move(w, g, v):
        v = momentum * v + g
        return w - lr * (g + momentum * v), v

    return steps_by(params, x, labels, batches, reg, move)


@train_convnet_follows_reference.mistake("moves by the old velocity: it is updated first")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return steps_by(params, x, labels, batches, reg, lambda w, g, v: (w - lr * v, momentum * v + g))


@train_convnet_follows_reference.mistake("steps uphill: the velocity has to be subtracted")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, -lr, momentum, reg)


@train_convnet_follows_reference.mistake("reg is not passed on")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, lr, momentum)


@train_convnet_follows_reference.mistake("all images at every step: the batches are not used")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, [np.arange(len(x))] * len(batches), lr, momentum, reg)


@train_convnet_follows_reference.mistake("one step only, on the first batch")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches[:1], lr, momentum, reg)


@train_convnet_follows_reference.mistake(
    "the images of the batch, with the labels of the first rows"
)
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    shuffled = np.array(labels)
    for rows in batches[:1]:
        shuffled[rows] = np.roll(labels[rows], 1)
        shuffled[rows[0]] = (labels[rows[0]] + 1) % 3
    return right_training(params, x, shuffled, batches, lr, momentum, reg)


@train_convnet_follows_reference.mistake("the losses from after each step: they are from before it")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    losses = []
    for count, rows in enumerate(batches, 1):
        now, _ = right_training(params, x, labels, batches[:count], lr, momentum, reg)
        losses.append(convnet_loss(now, x[rows], labels[rows], reg)[0])
    return now, losses


@train_convnet_follows_reference.mistake("one loss, the last: there is one for each step")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    trained, losses = right_training(params, x, labels, batches, lr, momentum, reg)
    return trained, losses[-1]


@train_convnet_follows_reference.mistake("the losses are missing from the answer")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, lr, momentum, reg)[0]


@train_convnet_follows_reference.mistake("only the affine layer is trained")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    trained, losses = right_training(params, x, labels, batches, lr, momentum, reg)
    return {**trained, "w1": params["w1"], "b1": params["b1"]}, losses


@train_convnet_follows_reference.mistake("other defaults: lr is 0.1, momentum 0.9")
def train_convnet(params, x, labels, batches, lr=0.01, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, lr, momentum, reg)


@train_convnet_follows_reference.mistake("overwrites the caller's parameters: -= works in place")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    trained, losses = right_training(params, x, labels, batches, lr, momentum, reg)
    for name in params:
        params[name] -= params[name] - trained[name]
    return params, losses


# %%
@train_convnet_follows_reference.alternative("the learning rate inside the velocity")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    def move(w, g, v):
        v = momentum * v - lr * g
        return w + v, v

    return steps_by(params, x, labels, batches, reg, move)


@train_convnet_follows_reference.alternative("torch's optimizer, with gradients from convnet_loss")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    leaves = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in params.items()}
    optimizer = torch.optim.SGD(leaves.values(), lr=lr, momentum=momentum)
    losses = np.empty(len(batches))
    for step, rows in enumerate(batches):
        now = {name: leaf.detach().numpy().copy() for name, leaf in leaves.items()}
        losses[step], grads = convnet_loss(now, x[rows], labels[rows], reg)
        for name, leaf in leaves.items():
            leaf.grad = torch.tensor(grads[name])
        optimizer.step()
    return {name: leaf.detach().numpy() for name, leaf in leaves.items()}, losses


@train_convnet_follows_reference.alternative("in place, on copies")
def train_convnet(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    params = {name: np.array(value) for name, value in params.items()}
    velocity, losses = {name: 0 * value for name, value in params.items()}, []
    for rows in batches:
        loss, grads = convnet_loss(params, x[rows], labels[rows], reg)
        losses += [loss]
        for name, value in params.items():
            velocity[name] *= momentum
            velocity[name] += grads[name]
            value -= lr * velocity[name]
    return params, losses


# %% [markdown]
# ## 4.3 Reading digits (4 points)
#
# Write `fit_digits`, which gets images and labels and returns trained parameters. All that is
# left open is yours to choose: the number and size of kernels, the start, batches, learning
# rate, number of steps. Some advice. With all weights zero every kernel gets the same gradient,
# namely none: start with random ones. Their size matters too: He et al. (*Delving Deep into
# Rectifiers*, 2015) draw weights before a ReLU with variance two over the number of inputs of a
# unit. Ten or twenty passes through the digits are plenty; look at the losses that
# `train_convnet` returns, and at the first of them in particular.
#
# The check trains your network on 250 digits and tests it on 200 others, of which your function
# sees nothing: it evaluates the parameters that you return by itself. A sensible network reads
# some 93 of 100 digits right, and **at least 80 of 100** are asked for. The ten kinds of digit
# get new numbers by lot each time, so it is no use to bring weights along: they have to be learnt.
#
# **Look out.** A call of `fit_digits` may take 60 seconds on the grading machine. One pass through
# 250 digits with eight kernels meets 128,000 windows: a loop over them takes seconds in Python, a
# loop over the positions inside a kernel some milliseconds. If your layers are slow, choose fewer
# kernels and fewer passes, or better, come back to them.

# %%
from reference.convnet import fit_digits


# %%
def read_digits(params, x):
    """Return the digits that a network reads, by torch, after a look at its parameters."""
    names = ("w1", "b1", "w2", "b2")
    fits = isinstance(params, dict) and set(params) == set(names)
    assert_that(fits, "return a dict of parameters with the keys w1, b1, w2 and b2")
    shape = np.shape(params["w1"]) if isinstance(params["w1"], np.ndarray) else ()
    known = len(shape) == 4 and shape[1] == 1 and 1 <= shape[0] <= 64
    odd = known and all(side in (1, 3, 5, 7) for side in shape[2:])
    assert_that(
        odd, "w1: give an array (F, 1, KH, KW), with at most 64 kernels of odd size up to 7"
    )
    shapes = shape, (shape[0],), (16 * shape[0], 10), (10,)
    for name, wanted in zip(names, shapes, strict=True):
        assert_shape(params[name], wanted, what=name)
    w1, b1, w2, b2 = (torch.tensor(np.asarray(params[name], np.float64)) for name in names)
    frame = shape[2] // 2, shape[3] // 2
    hidden = torch.relu(torch.nn.functional.conv2d(torch.tensor(x), w1, b1, padding=frame))
    scores = torch.nn.functional.max_pool2d(hidden, 2).flatten(1) @ w2 + b2
    assert_that(bool(scores.isfinite().all()), "the network's scores are not finite")
    return scores.argmax(dim=1).numpy()


@check(
    "fit_digits",
    points=4,
    seconds=60,
    hint="Plot the losses: do they start near ln 10 and fall? Mind start, learning rate and steps.",
    given=("train_convnet", "convnet_loss", *LAYERS),
)
@case("learns from 250 digits, reads 200 others")
@case("once more, with other digits", hidden=True)
def fit_digits_learns_to_read(student, reference, rng):
    """fit_digits returns a network that reads at least 80 of 100 digits which it has not seen."""
    x, digits = load_digits()
    kinds = rng.permutation(10)[digits]  # weights that were learnt beforehand know nothing of this
    rows = rng.permutation(len(x))
    seen, unseen = rows[:250], rows[250:450]
    params = student.fit_digits(x[seen], kinds[seen])
    right = float((read_digits(params, x[unseen]) == kinds[unseen]).mean())
    # 93 of 100 is usual, give or take 2: 80 is missed in far fewer than 1 of 1,000 cases.
    assert_that(right >= 0.8, f"reads {100 * right:g} of 100 digits right, at least 80 are asked")


self_check(fit_digits_learns_to_read)


# %%
def begin(filters=8, side=3, seed=0, scale=1.0):
    """Return a start for a network."""
    rng = np.random.default_rng(seed)
    return {
        "w1": scale * rng.normal(size=(filters, 1, side, side)) * np.sqrt(2) / side,
        "b1": np.zeros(filters),
        "w2": scale * rng.normal(size=(16 * filters, 10)) / np.sqrt(16 * filters),
        "b2": np.zeros(10),
    }


def passes(count, n, size, seed=1):
    """Return the batches of some passes through n examples."""
    rng = np.random.default_rng(seed)
    return [
        order[i : i + size]
        for _ in range(count)
        for order in [rng.permutation(n)]
        for i in range(0, n, size)
    ]


@fit_digits_learns_to_read.mistake("a random network: nothing is trained")
def fit_digits(x, labels):
    return begin()


@fit_digits_learns_to_read.mistake("starts with all weights zero, where no kernel gets a gradient")
def fit_digits(x, labels):
    return train_convnet(begin(scale=0.0), x, labels, passes(10, len(x), 32))[0]


@fit_digits_learns_to_read.mistake("the learning rate is too large: the losses blow up")
def fit_digits(x, labels):
    return train_convnet(begin(), x, labels, passes(5, len(x), 32), lr=20.0)[0]


@fit_digits_learns_to_read.mistake("the learning rate is far too small: the losses hardly fall")
def fit_digits(x, labels):
    return train_convnet(begin(), x, labels, passes(5, len(x), 32), lr=1e-4)[0]


@fit_digits_learns_to_read.mistake("too few steps: the losses are still falling")
def fit_digits(x, labels):
    return train_convnet(begin(), x, labels, passes(1, len(x), 125))[0]


@fit_digits_learns_to_read.mistake("images are shuffled without their labels")
def fit_digits(x, labels):
    mixed = np.random.default_rng(2).permutation(len(x))
    return train_convnet(begin(), x[mixed], labels, passes(6, len(x), 32))[0]


@fit_digits_learns_to_read.mistake("trains on one batch again and again, and knows nothing else")
def fit_digits(x, labels):
    return train_convnet(begin(), x, labels, [np.arange(12)] * 60)[0]


@fit_digits_learns_to_read.mistake("trains uphill")
def fit_digits(x, labels):
    return train_convnet(begin(), x, labels, passes(2, len(x), 32), lr=-0.02)[0]


@fit_digits_learns_to_read.mistake("the penalty is so large that only small weights are left")
def fit_digits(x, labels):
    return train_convnet(begin(), x, labels, passes(8, len(x), 32), reg=3.0)[0]


@fit_digits_learns_to_read.mistake("returns the losses beside the parameters")
def fit_digits(x, labels):
    return train_convnet(begin(), x, labels, passes(2, len(x), 32))


# %%
@fit_digits_learns_to_read.alternative("other kernels: six of 5 by 5, and a small penalty")
def fit_digits(x, labels):
    return train_convnet(begin(6, 5), x, labels, passes(14, len(x), 25), lr=0.08, reg=1e-3)[0]


@fit_digits_learns_to_read.alternative("no momentum, smaller batches and a larger rate")
def fit_digits(x, labels):
    return train_convnet(begin(10, 3, 4), x, labels, passes(14, len(x), 16), lr=0.3, momentum=0.0)[
        0
    ]


@fit_digits_learns_to_read.alternative("Adam in torch, on the whole set at once")
def fit_digits(x, labels):
    _, leaves = torch_net(begin(12, 3, 5), x[:1])
    optimizer = torch.optim.Adam(leaves.values(), lr=0.02)
    images, target = torch.tensor(x), torch.tensor(labels)
    for _ in range(60):
        hidden = torch.nn.functional.conv2d(images, leaves["w1"], leaves["b1"], padding=1)
        hidden = torch.nn.functional.max_pool2d(torch.relu(hidden), 2).flatten(1)
        loss = torch.nn.functional.cross_entropy(hidden @ leaves["w2"] + leaves["b2"], target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {name: leaf.detach().numpy() for name, leaf in leaves.items()}


# %% [markdown]
# ## 4.4 What it has learnt (2 points)
#
# The next cell lets your `fit_digits` learn from fewer and from more digits of the file. It draws
# the shares of digits that are read right, among those that it learnt from and among 300 others;
# and for the largest number of digits some that are read wrong, and the kernels. Change it as you
# like.


# %%
def sheet(pictures):
    """Return eight pictures in two rows, as one array; missing ones are empty."""
    empty = [np.full(np.shape(pictures[0]), np.nan)] * (8 - len(pictures))
    framed_ones = [np.pad(one, 1, constant_values=np.nan) for one in [*pictures[:8], *empty]]
    return np.block([framed_ones[:4], framed_ones[4:]])


def study(sizes=(60, 125, 250, 500, 1000), others=300):
    """Draw how much is learnt from how many digits, what is read wrong, and the kernels."""
    order = np.random.default_rng(1).permutation(len(images))
    test, shares = order[:others], []
    for size in sizes:
        rows = order[others : others + size]
        params = fit_digits(images[rows], labels[rows])
        read = read_digits(params, images)
        shares.append([100 * (read[part] == labels[part]).mean() for part in (rows, test)])
    axes = plt.subplots(1, 3, figsize=(12, 3.4), width_ratios=(3, 2, 2))[1]
    for part, name in enumerate(("learnt from", "others")):
        values = [pair[part] for pair in shares]
        axes[0].semilogx(sizes, values, "o-", label=name)
        for size, value in zip(sizes, values, strict=True):
            axes[0].annotate(f"{value:.1f}", (size, value - 1.2), fontsize=8, ha="center", va="top")
    axes[0].set_xticks(sizes, sizes)
    axes[0].margins(y=0.2)
    axes[0].set(xlabel="digits learnt from", ylabel="of 100 digits right")
    axes[0].legend()
    wrong = test[read[test] != labels[test]][:8]
    pairs = [f"{labels[row]} as {read[row]}" for row in wrong]
    axes[1].set_title("\n".join((", ".join(pairs[:4]), ", ".join(pairs[4:]))), fontsize=9)
    axes[1].imshow(sheet(list(images[wrong, 0]) or [np.zeros((8, 8))]), cmap="gray_r")
    axes[2].set_title("kernels", fontsize=9)
    axes[2].imshow(sheet(list(params["w1"][:, 0])), cmap="RdBu")
    for ax in axes[1:]:
        ax.axis("off")
    plt.show()


if budget(True, graded=False):
    with suppress(NotImplementedError):  # as long as fit_digits or a layer is not written
        study()

# %% [markdown]
# Write some sentences on what you see. Compare the two shares where there are few digits to learn
# from and where there are many, with the numbers; what do they say about the network's capacity,
# and about the data? Which digits are taken for which, and would you have read them right? Name
# one change, from this homework or from elsewhere, that should bring the two shares closer
# together, and say why.

# %% [markdown] manual=true question="comment_digits" points=2
# ### BEGIN SOLUTION
# With 60 digits to learn from the network reads 98.3 of 100 of them right, and 78.0 of 100 others;
# with 1,000 it is 98.6 and 96.0. So it has enough capacity to learn what it is shown: the first
# share is high throughout. What is missing with few digits is not size but data, or a reason not
# to learn the accidents of single digits, and the gap shrinks from 20 to less than 3 as data are
# added. (At 250 both shares are a little lower, 95.6 and 86.3: there the training ended at an
# unlucky moment.) What goes wrong are look-alikes: an 8 is taken for a 9 or a 6, a 3 for a 9 or a
# 5, a 6 for an 8. On 8 by 8 pixels I would have missed some of them too. A penalty on the weights
# (`reg`), or dropout before the affine layer, should bring the two shares closer together: both
# keep the network from relying on single pixels. Digits shifted by a pixel should help as well, as
# they add what is missing, variety.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: both shares with numbers, for few and for many digits, and the right reading of the
#   gap: the digits shown are learnt in any case, hence capacity suffices; the gap shrinks with more
#   data. No point for shares without a conclusion.
# - 1 point: confusions named from the figure, and one change with a reason that fits the gap
#   (penalty, dropout, more or shifted data, stopping early). No point for "a larger network" or
#   "train longer" alone.
# === END MARK SCHEME ===
