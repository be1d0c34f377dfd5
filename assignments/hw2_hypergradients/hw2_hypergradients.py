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
# # Homework 2: Hypergradients, or how to learn a learning rate
#
# The weights of a network are learned; its learning rate is usually guessed, tried, and guessed
# again. But the loss at the end of training is a function of the learning rate like any other, and
# what has a derivative can be improved by following it. The derivative of a training run in one of
# its hyperparameters is called a *hypergradient*. You will first find it with pencil and paper,
# where everything can be solved, then let autograd carry it through a whole run, in two directions,
# and in the end use it to learn a learning rate while training.
#
# | part | what you do | points |
# |---|---|---|
# | 1 | one step: the loss as a function of the learning rate | 30 |
# | 2 | many steps | 10 |
# | 3 | what depends on what: the graph of a run | 3 |
# | 4 | reverse mode: autograd through a run | 20 |
# | 5 | forward mode: the derivative travels along | 15 |
# | 6 | what both cost | 7 |
# | 7 | a learning rate that is learned | 15 |
#
# **Notation.** The rows of $X \in \mathbb R^{n \times d}$ are examples, $t \in \mathbb R^n$ are
# their targets, $w \in \mathbb R^d$ are the weights. In Parts 1 and 2 the loss is that of linear
# least squares, the mean of the squared residuals,
#
# $$L(w) = \frac1n \lVert X w - t \rVert^2 ,$$
#
# without a factor $\frac12$. The learning rate is $\eta$, in code `lr`. We write $w_k$ for the
# weights after $k$ steps, and $a = X w_0 - t$ for the residuals before the first one: most of the
# formulas become short with it.
#
# **House rules.** A function never changes an argument. In Parts 1 and 2 it takes NumPy arrays of
# float64 and returns a plain number; from Part 4 on it takes PyTorch tensors.
#
# **How you are graded.** Below each question stands a check that compares your answer with ours;
# run it as often as you like. Grading runs the same checks with other random numbers, and with
# further cases that you do not see. The proof in Part 1 and the comment in Part 6 are read by a
# person. Cells that draw call your functions: they draw nothing until these are written.

# %%
import weakref
from collections import Counter
from contextlib import suppress

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
    matches_reference,
    self_check,
    tensors,
    whole,
)

# %% [markdown]
# Here is what we are after. The picture shows, for a small network, the loss after some steps of
# gradient descent over the learning rate that they used. Every curve has a best learning rate, and
# it changes with the number of steps: a greedy choice, good for the next step, is not the best one
# for the next hundred. On the right the curves end in cliffs. To find your way on such a curve
# you need its slope.


# %%
def tiny_run(lr, steps):
    """Return the loss of a tiny network after some steps of gradient descent."""
    torch.manual_seed(0)
    inputs = torch.linspace(-2, 2, 40)[:, None]
    targets = torch.sin(3 * inputs)
    net = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    weights, criterion = list(net.parameters()), torch.nn.MSELoss()
    for _ in range(steps):
        slopes = torch.autograd.grad(criterion(net(inputs), targets), weights)
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight -= lr * slope
    return criterion(net(inputs), targets).item()


rates = np.geomspace(0.005, 0.5, budget(30, graded=2))
plt.figure(figsize=(6, 3.5))
for length in (1, 4, 16, budget(64, graded=16)):
    plt.semilogx(rates, [tiny_run(rate, length) for rate in rates], label=f"steps: {length}")
plt.ylim(0, 1.2)
plt.xlabel("learning rate")
plt.ylabel("loss at the end")
plt.legend()
plt.show()

# %% [markdown]
# # 1. One step
#
# One step of gradient descent from $w_0$ leads to $w_1 = w_0 - \eta\, \nabla L(w_0)$. How good is
# it? Hold $X$, $t$ and $w_0$ fixed, and look at the loss after the step as a function of $\eta$
# alone:
#
# $$L_1(\eta) = L\bigl(w_0 - \eta\, \nabla L(w_0)\bigr) .$$

# %% [markdown]
# ## 1.1 The loss after one step (5 points)
#
# Write $w_1$ with $X$, $w_0$, $t$ and $\eta$, insert it into the loss, and simplify with $a$. The
# result says directly what the step does to the residuals. Then write the function.
#
# **Look out.** Some texts define the loss with a factor $\frac12$ or with a sum in place of the
# mean, and then they have other gradients. With $n = 1$ a forgotten $\frac1n$ goes unnoticed.
# With $n = d$ it does too if a $\frac1d$ stands in its place. An $X^\top X$ that should be an
# $X X^\top$ gives wrong numbers even then, but no error: their shapes are the same. Test with
# $n \ne 1$ and $n \ne d$.

# %%
from reference.hypergradients import loss_after_one_step

# %%
loss_after_one_step_matches_reference = matches_reference(
    "loss_after_one_step",
    points=5,
    said="loss_after_one_step is the mean squared residual at the weights after the step.",
    returns="loss",
    X=arrays("n d"),
    w0=arrays("d"),
    t=arrays("n"),
    lr=interval(-1, 5),
    sizes={"n": (1, 7), "d": (1, 6)},
    hint="The gradient has a factor 2/n, the loss 1/n; both sides of the step use all examples.",
)


self_check(loss_after_one_step_matches_reference)


# %% [markdown]
# ## 1.2 Its slope (7 points)
#
# Differentiate $L_1$ in $\eta$. Two ways lead there: multiply the squared norm of 1.1 out, or use
# the chain rule, $\frac{dL_1}{d\eta} = \nabla L(w_1)^\top \frac{dw_1}{d\eta}$. Do both, and see
# that they agree. Then write the function, with all powers of $n$.
#
# **Look out.** Before you trust a derivative, ask for its sign and its size. What must the sign
# of the slope be at $\eta = 0$, whatever the data are? And what does a difference quotient of your
# `loss_after_one_step` say, with $n$ not 1? That finds every wrong sign and every lost factor.

# %%
from reference.hypergradients import dloss_deta

# %%
dloss_deta_matches_reference = matches_reference(
    "dloss_deta",
    points=7,
    said="dloss_deta is the derivative of the loss after one step in the learning rate.",
    returns="derivative",
    X=arrays("n d", without=["tiny"]),
    w0=arrays("d"),
    t=arrays("n"),
    lr=interval(-1, 5),
    sizes={"n": (1, 7), "d": (1, 6)},
    hint="Hold it against a central difference of loss_after_one_step, with n and d different.",
)


self_check(dloss_deta_matches_reference)


# %% [markdown]
# ## 1.3 Its curvature (5 points)
#
# And once more: the second derivative of $L_1$ in $\eta$.
#
# **Look out.** A squared norm needs a vector and itself. If a product of two *different* vectors is
# left in your formula, look at their shapes: one of them has $n$ entries, the other $d$.

# %%
from reference.hypergradients import d2loss_deta2

# %%
d2loss_deta2_matches_reference = matches_reference(
    "d2loss_deta2",
    points=5,
    said="d2loss_deta2 is the second derivative of the loss after one step in the learning rate.",
    returns="second derivative",
    X=arrays("n d", without=["tiny"]),
    w0=arrays("d"),
    t=arrays("n"),
    sizes={"n": (1, 7), "d": (1, 6)},
    hint="Hold it against a central difference of dloss_deta, with n and d different.",
)


self_check(d2loss_deta2_matches_reference)


# %% [markdown]
# ## 1.4 Proof: is the curve convex? (4 points)
#
# Derive the formulas of 1.2 and 1.3 from the definition, and answer with a reason: is $L_1$ a
# convex function of $\eta$, for all $X$, $t$ and $w_0$? Is it always strictly convex? If not, say
# for which $w_0$ it is not, in terms of $\nabla L(w_0)$, and what the curve looks like then.

# %% [markdown] manual=true question="proof_convexity" points=4
# ### BEGIN SOLUTION
# **Derivatives.** The gradient is $\nabla L(w_0) = \frac2n X^\top a$, so
# $w_1 = w_0 - \frac{2\eta}n X^\top a$ and the residuals after the step are
# $X w_1 - t = a - \frac{2\eta}n X X^\top a$. With $b = X X^\top a$, and
# $a^\top b = \lVert X^\top a \rVert^2$,
#
# $$L_1(\eta) = \frac1n \Bigl\lVert a - \frac{2\eta}n b \Bigr\rVert^2
# = \frac1n \lVert a \rVert^2 - \frac{4\eta}{n^2} \lVert X^\top a \rVert^2
# + \frac{4\eta^2}{n^3} \lVert b \rVert^2 .$$
#
# Hence $L_1'(\eta) = -\frac4{n^2} \lVert X^\top a \rVert^2 + \frac{8\eta}{n^3} \lVert b \rVert^2$
# and $L_1''(\eta) = \frac8{n^3} \lVert X X^\top a \rVert^2$.
#
# **Convexity.** A squared norm is not negative, so $L_1'' \ge 0$ everywhere and $L_1$ is convex,
# for all data.
#
# **Not always strictly.** $L_1''$ is zero if and only if $X X^\top a = 0$. Then $0 = a^\top X
# X^\top a = \lVert X^\top a \rVert^2$, so $\nabla L(w_0) = \frac2n X^\top a = 0$; the converse is
# clear. So the curve is strictly convex exactly if $w_0$ is no stationary point, that is, no
# minimum of $L$. If it is one, no step moves the weights, and $L_1$ is constant: every learning
# rate is as good as any other.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: the residuals after the step, and the first derivative with the right sign and powers
#   of n.
# - 1 point: the second derivative as a squared norm, with the right power of n.
# - 1 point: convex, because that squared norm is not negative.
# - 1 point: not strictly if the gradient at w0 is zero; the curve is constant then. No point for
#   "a square, hence positive".
# - Take half a point off, once, for shapes that do not fit, such as a product of X X^T a and X^T a.
# === END MARK SCHEME ===

# %% [markdown]
# ## 1.5 The best learning rate (7 points)
#
# Which $\eta$ makes $L_1(\eta)$ smallest? Solve for it. Then see what happens to your formula if
# the loss after one step does not depend on $\eta$ at all, and return 0.0 in that case. (The
# formula counts 4 points, to see that case 2, and to tell it from small data 1.)
#
# **Look out.** That case has to be told from data that are merely small. A data set in metres may
# be the same as one in nanometres: the weights and the best learning rate change with the units,
# but it does not become flat. So what is the quantity to be tested, and can you test it without a
# threshold?

# %%
from reference.hypergradients import optimal_lr

# %%
optimal_lr_matches_reference = matches_reference(
    "optimal_lr",
    points=4,
    said="optimal_lr is where the loss after one step is smallest.",
    returns="learning rate",
    X=arrays("n d", values=["normal", "large", "constant"]),
    w0=arrays("d"),
    t=arrays("n", values=["normal", "large", "constant"]),
    sizes={"n": (1, 7), "d": (1, 6)},
    hint="Set dloss_deta to zero, and compare the loss at your answer and a little beside it.",
)


self_check(optimal_lr_matches_reference)


# %%
def draw_flat(rng, d, residuals):
    """Return four examples, weights, and targets for which no learning rate changes the loss."""
    # Of whole numbers every product and sum is exact, in whatever order they are added.
    half = rng.integers(1, 9, size=(2, d)).astype(float)
    X, w0 = np.concatenate([half, -half]), rng.integers(-8, 9, size=d).astype(float)
    # The residuals of opposite examples are equal, and their gradients cancel.
    return X, w0, X @ w0 + residuals * np.tile(rng.integers(1, 9, size=2), 2)


@check(
    "optimal_lr",
    points=2,
    hint="Where would your formula divide by zero? There the answer is 0.0, and nowhere else.",
)
@case("weights that fit all targets", residuals=0, order=("flat", "steep"))
@case("a minimum that does not fit", residuals=5, order=("steep", "flat", "steep"), hidden=True)
@case("examples of zeros", residuals=5, order=("steep", "flat"), scale=0, hidden=True)
def optimal_lr_knows_when_nothing_depends_on_it(student, reference, rng, residuals, order, scale=1):
    """optimal_lr is 0.0 if every learning rate is as good, and another number if not."""
    for shape in order:
        X, w0, t = draw_flat(rng, 4, residuals)
        X = scale * X
        if shape == "flat":
            got = student.optimal_lr(X, w0, t)
            assert_close(got, 0.0, rtol=0.0, atol=0.0, what="learning rate")
        else:  # no matter how large: that is what the first check is for
            got = student.optimal_lr(X + rng.normal(size=X.shape), w0, t + rng.normal(size=4))
            assert_shape(got, (), what="learning rate")
            assert_that(bool(np.isfinite(got) and got != 0), "0.0 is for a loss that never changes")


self_check(optimal_lr_knows_when_nothing_depends_on_it)


# %%
@check(
    "optimal_lr",
    points=1,
    hint="Which quantity is exactly zero if nothing depends on the learning rate, and only then?",
)
@case("very small numbers", power=27)
@case("small numbers and residuals", power=17, near=1e-6, hidden=True)
def optimal_lr_takes_small_data_for_small(student, reference, rng, power, near=1.0):
    """optimal_lr goes with the units of the data, and is 0.0 where nothing depends on it."""
    X, w0, flat = draw_flat(rng, 3, 5)
    assert_close(student.optimal_lr(X, w0, flat), 0.0, rtol=0.0, atol=0.0, what="learning rate")
    X = X + rng.normal(size=X.shape)
    t, unit = X @ w0 + near * rng.normal(size=4), 2.0**power  # by which no digit is lost
    usual, got = student.optimal_lr(X, w0, t), student.optimal_lr(X / unit, unit * w0, t)
    assert_that(usual != 0, "0.0 is for a loss that never changes")
    assert_close(got, unit**2 * usual, rtol=1e-6, atol=0.0, what="learning rate in other units")


self_check(optimal_lr_takes_small_data_for_small)


# %% [markdown]
# Draw what you have found: the parabola, its slope where you are, and the best step.

# %%
example_rng = np.random.default_rng(1)
example = example_rng.normal(size=(8, 3)), example_rng.normal(size=3), example_rng.normal(size=8)
grid = np.linspace(-0.3, 2.8, 80)
with suppress(NotImplementedError):  # as long as a function is not written
    best = optimal_lr(*example)
    plt.figure(figsize=(6, 3.5))
    plt.plot(
        grid, [loss_after_one_step(*example, rate) for rate in grid], label="loss after one step"
    )
    for rate in (0.0, best):
        near = rate + 0.3 * best * np.array([-1, 1])
        height, slope = loss_after_one_step(*example, rate), dloss_deta(*example, rate)
        plt.plot(near, height + slope * (near - rate), "k--")
        plt.plot(rate, height, "ko")
    plt.xlabel("learning rate")
    plt.ylabel("loss")
    plt.legend()
    plt.show()

# %% [markdown]
# ## 1.6 A toy (2 points)
#
# Put in the smallest numbers: one example $x = (1, 1)$ with the target $t = 3$, and weights that
# start at zero. Which learning rate is best for one step, and where does that step lead? And
# which learning rate is best for *ten* steps, if all ten use the same? The first two answers count
# half a point each, the third counts one.

# %%
from reference.answers.hypergradients import toy_lr, toy_lr_of_ten_steps, toy_weights


# %%
@check("toy", points=1, hint="Put n = 1 and the squared length of x into your optimal_lr.")
@case("the learning rate", name="toy_lr", hidden=True)
@case("the weights", name="toy_weights", hidden=True)
def toy_step_is_right(student, reference, rng, name):
    """toy_lr and toy_weights are right."""
    # Three decimals are enough.
    assert_close(student[name], reference[name], rtol=0, atol=5e-4, what=name)


@check(
    "toy",
    points=1,
    hint="What does one step with the best learning rate leave to do for the other nine?",
)
@case("the learning rate of ten steps", hidden=True)
def toy_lr_of_ten_steps_is_right(student, reference, rng):
    """toy_lr_of_ten_steps is right."""
    got, want = student.toy_lr_of_ten_steps, reference.toy_lr_of_ten_steps
    # Three decimals are enough.
    assert_close(got, want, rtol=0, atol=5e-4, what="toy_lr_of_ten_steps")


@check("toy", points=0)
@case("a number, two numbers, a number")
def toy_answers_have_the_right_form(student, reference, rng):
    """The answers are given in the right form; whether they are right is found when grading."""
    assert_shape(student.toy_lr, (), what="toy_lr")
    assert_shape(student.toy_weights, (2,), what="toy_weights")
    assert_shape(student.toy_lr_of_ten_steps, (), what="toy_lr_of_ten_steps")


self_check(toy_answers_have_the_right_form)


# %% [markdown]
# # 2. Many steps
#
# Now take $T$ steps of gradient descent, all with the same learning rate, and let $L_T(\eta)$ be
# the loss after the last one.

# %% [markdown]
# ## 2.1 The loss after T steps (8 points)
#
# One step multiplies the residuals by a matrix; you found it in 1.1. $T$ steps multiply them by
# its power. Powers of a symmetric matrix are simple in the basis of its eigenvectors, which are
# the left singular vectors of $X$. What happens to the part of $a$ along one of them? Find a
# formula for $L_T(\eta)$ whose work does not grow with $T$, and write it. (The second check does
# ten million steps, for 2 of the points.)
#
# **Look out.** With more examples than weights the residuals also have a part that no step can
# change. Is it in your formula?

# %%
from reference.hypergradients import loss_after_steps

# %%
loss_after_steps_matches_reference = matches_reference(
    "loss_after_steps",
    points=6,
    said="loss_after_steps is the loss after some steps of gradient descent.",
    returns="loss",
    X=arrays("n d"),
    w0=arrays("d"),
    t=arrays("n"),
    lr=interval(0, 1),
    steps=whole(0, 8),
    sizes={"n": (1, 7), "d": (1, 6)},
    hint="Compare with a loop of steps, for n > d and n < d, for one step and for no step at all.",
)

self_check(loss_after_steps_matches_reference)

# %%
loss_after_steps_is_fast = matches_reference(
    "loss_after_steps",
    name="loss_after_steps_is_fast",
    points=2,
    seconds=5,
    said="loss_after_steps takes no longer for ten million steps.",
    returns="loss",
    X=arrays("n d", values=["normal", "constant"]),
    w0=arrays("d"),
    t=arrays("n"),
    lr=derived(
        lambda rng, X: rng.uniform(0.1, 0.6) * 1e-7 * len(X) / np.square(X).sum(),
        "a number that is small enough for so many steps",
    ),
    steps=choices(10_000_000),
    visible=1,
    hint="What do many steps leave of the residuals, and is there a part that they never change?",
)

self_check(loss_after_steps_is_fast)


# %% [markdown]
# With a formula it costs nothing to look at runs of any length:

# %%
with suppress(NotImplementedError):  # as long as loss_after_steps is not written
    plt.figure(figsize=(6, 3.5))
    for steps in (1, 2, 8, 64):
        heights = [loss_after_steps(*example, rate, steps) for rate in grid]
        plt.plot(grid, heights, label=f"steps: {steps}")
    plt.ylim(0, 1.1 * loss_after_steps(*example, 0.0, 0))
    plt.xlabel("learning rate")
    plt.ylabel("loss at the end")
    plt.legend()
    plt.show()

# %% [markdown]
# ## 2.2 Three curves, bent how? (2 points)
#
# Each question has one right answer, the letter A, B, C or D. The first two count half a point
# each, the third counts one. Your formulas of 1.3 and 2.1 answer the first two. For the third,
# write down one step for a single weight, and draw the loss over the learning rate.

# %%
from reference.answers.hypergradients import first_curve, second_curve, third_curve


# %%
def letter(answer):
    """Return an answer as a capital letter, if it is a text."""
    return answer.strip().upper() if isinstance(answer, str) else answer


@check("convexity_choices", points=0.5, hint="Can the second derivative of 1.3 be zero?")
@case("the letter", hidden=True)
def first_curve_is_right(student, reference, rng):
    """first_curve is right."""
    assert_equal(letter(student.first_curve), reference.first_curve, what="first_curve")


@check(
    "convexity_choices",
    points=0.5,
    hint="Which powers of which functions of the learning rate are summed in your formula of 2.1?",
)
@case("the letter", hidden=True)
def second_curve_is_right(student, reference, rng):
    """second_curve is right."""
    assert_equal(letter(student.second_curve), reference.second_curve, what="second_curve")


@check(
    "convexity_choices",
    points=1,
    hint="Draw the loss of a single weight over the learning rate, far beyond the minimum too.",
)
@case("the letter", hidden=True)
def third_curve_is_right(student, reference, rng):
    """third_curve is right."""
    assert_equal(letter(student.third_curve), reference.third_curve, what="third_curve")


@check("convexity_choices", points=0)
@case("three letters")
def convexity_choices_have_the_right_form(student, reference, rng):
    """Each answer is one of the letters A to D; whether it is right is found when grading."""
    for name in ("first_curve", "second_curve", "third_curve"):
        assert_that(letter(student[name]) in ("A", "B", "C", "D"), f"{name}: give one of A to D")


self_check(convexity_choices_have_the_right_form)


# %% [markdown]
# # 3. What depends on what
#
# Closed formulas end with least squares. For anything else we let autograd do the work, and it
# follows a graph. What does the graph of a training run look like?

# %% [markdown]
# ## 3.1 The graph of a run (3 points)
#
# Draw the computation graph of two steps of gradient descent and the loss at the end, with pencil
# and paper. Its nodes are
#
# - `"eta"`, the learning rate, and `"w0"`, the weights before the first step;
# - `"g0"` and `"g1"`, the gradients that the two steps use, each as one node;
# - `"w1"` and `"w2"`, the weights after each step, each as one node, computed in one go from the
#   step's gradient and whatever else the step needs;
# - `"L2"`, the loss after the second step.
#
# Leave out the data, the products, and the losses on the way. There is an edge from one node to
# another if the second is computed *directly* from the first. Then write a function that lists the
# edges for any number of steps, as pairs `(from, to)` in any order.

# %%
from reference.hypergradients import graph_edges


# %%
@check(
    "graph_edges",
    points=3,
    hint="For each node: of what is it a function, if you write down its formula?",
)
@domain(steps=whole(1, 12), visible=1)
def graph_edges_are_right(student, reference, rng, steps):
    """graph_edges lists each direct dependence in a run, and nothing else."""
    got, want = student.graph_edges(steps), set(reference.graph_edges(steps))
    assert_that(
        isinstance(got, (list, tuple))
        and all(isinstance(edge, (list, tuple)) and len(edge) == 2 for edge in got)
        and all(isinstance(name, str) for edge in got for name in edge),
        "graph_edges: return a list of pairs of names",
    )
    edges = {tuple(edge) for edge in got}
    assert_that(edges == want, f"{len(want - edges)} edges missing, {len(edges - want)} too many")


self_check(graph_edges_are_right)


# %% [markdown]
# Look at your graph. In how many ways can you walk from `eta` to the loss? Each of them is a term
# of the hypergradient, and their number grows fast.


# %% given=true
from reference.figures.run_graph import draw_graph

with suppress(NotImplementedError):  # as long as graph_edges is not written
    draw_graph(graph_edges(2))

# %% [markdown]
# # 4. Reverse mode
#
# Autograd records every operation on a tensor that requires a gradient, and goes through the
# record backwards. A step of gradient descent is made of such operations. So a whole training run
# can be differentiated, if the steps are recorded as well: the gradients, too, have to become
# part of the graph. Maclaurin, Duvenaud and Adams (*Gradient-based Hyperparameter Optimization
# through Reversible Learning*, 2015) did this for runs of thousands of steps.

# %% [markdown]
# ## 4.1 Through all steps at once (18 points)
#
# The loss may be anything now, so your function gets it as a function: `train_loss(w)` takes a
# tensor of weights and returns a tensor with one number. The run is judged by another one,
# `valid_loss(w)`: whoever chooses a learning rate by the training loss will overfit it, like any
# other parameter. Return the validation loss at the end of the run, and its derivative in the
# learning rate.
#
# The learning rate arrives as a Python number, which autograd knows nothing about; `w0` is a
# tensor of any shape. Grading counts graphs: when your function has returned, none is left,
# neither hanging on what it returned nor kept anywhere else.
# `w0` and the data may lie on a GPU: every tensor that you make has to be where `w0` is.
#
# **Look out.** What can go wrong here mostly goes wrong silently, with a number that looks like any
# other.
#
# - `torch.autograd.grad` and `backward` return a *constant* unless they are told to record their
#   own work. Then each step is taken for a shift by a constant, and only a part of the paths in
#   your graph is left.
# - `detach()`, `.data`, `.item()` and `torch.no_grad()` cut paths. So does an update in place, if
#   autograd lets you do it at all.
# - `backward()` *adds* to `.grad` of every leaf in the graph. Whatever lives longer than one call
#   keeps what former calls have added.
#
# You have what you need to test it: on least squares your function must agree with `dloss_deta`
# after one step, and with difference quotients of `loss_after_steps` after more.

# %%
from reference.hypergradients import hypergrad_unrolled


# %% given=true
from reference.probes.training_runs import watch_runs


# %%
def draw_data(rng, w0, examples=7):
    """Draw data for a training loss and a validation loss, with which no run gets out of hand."""
    dtype, d = str(w0.dtype).removeprefix("torch."), w0.shape[0] if w0.ndim else 1
    X, t = rng.normal(size=(2, examples, d)), rng.normal(size=(2, examples, w0.numel() // d))
    return list(zip((0.4 * X).astype(dtype), (0.6 * t).astype(dtype), strict=True))


def room_for(w0):
    """Return tolerances for what a long chain of operations makes of some weights."""
    # Ten times the usual one: the derivative in a learning rate of single precision is one too.
    # In single precision the usual one leaves room for it.
    return (1e-6, 1e-9) if w0.dtype == torch.float64 else (1e-5, 1e-6)


ANY = {
    "w0": tensors(dtypes=["float64"], values=["normal"], layouts=[]),
    "model": choices("tanh", "linear"),
}


@check(
    "hypergrad_unrolled",
    points=13,
    hint="On least squares, compare with dloss_deta, and differences of loss_after_steps.",
)
@domain(
    w0=tensors(dtypes=["float64", "float32"]),
    lr=interval(0, 1),
    steps=whole(1, 12),
    model=choices("tanh", "linear"),
    examples=whole(1, 7),
)
def hypergrad_unrolled_matches_reference(student, reference, rng, w0, lr, steps, model, examples):
    """hypergrad_unrolled returns the loss after a run and its derivative in the learning rate."""
    runs = [(float(np.float32(lr)), steps)]  # a number that single precision holds as well
    arguments = "hypergrad_unrolled", draw_data(rng, w0, examples), w0, runs, model
    got = student.apply(watch_runs, *arguments)["answers"]
    want = reference.apply(watch_runs, *arguments)["answers"]
    rtol, atol = room_for(w0)
    assert_close(got, want, rtol=rtol, atol=atol, what="[(loss, hypergradient)]")


self_check(hypergrad_unrolled_matches_reference)


# %%
@check(
    "hypergrad_unrolled",
    points=5,
    hint="What of the first call is still there when the second one begins?",
)
@domain(**ANY, visible=1)
def hypergrad_unrolled_leaves_nothing_behind(student, reference, rng, w0, model):
    """hypergrad_unrolled keeps no graph, changes no argument, and each call starts afresh."""
    # One step: whether the derivatives of many are right is for the first check to say.
    arguments = "hypergrad_unrolled", draw_data(rng, w0), w0, [(0.5, 1), (0.25, 1), (0.5, 1)], model
    got = student.apply(watch_runs, *arguments, history=0)
    want = reference.apply(watch_runs, *arguments, history=0)
    assert_close(got["answers"], want["answers"], what="(loss, hypergradient)[call]")
    assert_that(got["w0 untouched"] is True, "w0 was changed, or made to require a gradient")
    assert_equal(got["left"], 0, what="graphs that are alive after the calls")


self_check(hypergrad_unrolled_leaves_nothing_behind)


# %% [markdown]
# ## 4.2 The same on a GPU (2 points)
#
# You have nothing to write here. Grading runs your `hypergrad_unrolled` on a GPU and compares what
# it finds with ours. These points wait until grading has a GPU; nothing is lost as long as it has
# none.


# %%
@check(
    "on_a_gpu",
    points=2,
    device="cuda",
    hint="Every tensor that you make has to be on the device of w0.",
)
@domain(**ANY, visible=0)
def hypergrad_unrolled_runs_on_a_gpu(student, reference, rng, w0, model):
    """hypergrad_unrolled finds on a GPU what it finds on a CPU."""
    arguments = "hypergrad_unrolled", draw_data(rng, w0), w0, [(0.25, 12)], model
    got = student.apply(watch_runs, *arguments, device="cuda")["answers"]
    want = reference.apply(watch_runs, *arguments)["answers"]
    # A long chain of operations on another device: wider than usual by a factor of ten.
    assert_close(got, want, rtol=1e-6, atol=1e-9, what="(loss, hypergradient)")


# %% [markdown]
# ## 4.3 Downhill
#
# Now you can do what was a matter of luck before: follow the slope of the whole run downhill.
# Here a learning rate that starts much too small is improved by its own gradient descent, and
# each of its steps looks through the complete run.


# %%
def wave_losses(examples=24, width=8, dtype=torch.float64):
    """Return a training loss, a validation loss and first weights: noisy waves, tanh features."""
    generator = torch.Generator().manual_seed(3)
    mix = torch.randn(2, width, generator=generator, dtype=dtype)

    def loss_on(seed):
        generator.manual_seed(seed)
        x = 3 * torch.rand(examples, 1, generator=generator, dtype=dtype)
        noise = 0.1 * torch.randn(examples, generator=generator, dtype=dtype)
        features = torch.tanh(torch.cat([x, torch.ones_like(x)], 1) @ mix)
        goals = torch.sin(2 * x[:, 0]) + noise

        def loss(w):
            return (torch.tanh(features @ w) - goals).square().mean()

        return loss

    return loss_on(1), loss_on(2), torch.zeros(width, dtype=dtype)


wave_train, wave_valid, wave_start = wave_losses()
rate, history = 0.02, []
with suppress(NotImplementedError):  # as long as hypergrad_unrolled is not written
    for _ in range(budget(25, graded=1)):
        height, slope = hypergrad_unrolled(wave_train, wave_valid, wave_start, rate, 20)
        history.append((rate, height))
        rate = max(rate - 0.02 * slope, 0.0)
    plt.figure(figsize=(6, 3.5))
    plt.plot(*np.transpose(history), "o-")
    plt.xlabel("learning rate")
    plt.ylabel("validation loss after 20 steps")
    plt.show()

# %% [markdown]
# # 5. Forward mode
#
# Reverse mode waits for the end of the run and then goes all the way back. There is another way:
# let the derivative travel along with the weights.

# %% [markdown]
# ## 5.1 The derivative travels along (15 points)
#
# Let $z_k = \frac{dw_k}{d\eta}$, a tensor of the shape of the weights: it says how the weights
# after $k$ steps would be different with a slightly larger learning rate. What is $z_0$?
# Differentiate $w_{k+1} = w_k - \eta\, \nabla L(w_k)$ in $\eta$, with everything that depends on
# it, and you get $z_{k+1}$ from $z_k$. At the end, one more application of the chain rule leads
# from $z_T$ to the derivative of the validation loss. Franceschi et al. (*Forward and Reverse
# Gradient-Based Hyperparameter Optimization*, 2017) compare the two modes.
#
# In the recursion the Hessian of the loss turns up, times a vector. The Hessian of a network is
# never computed as a matrix: with $m$ weights it has $m^2$ entries. But its product with a vector
# $z$ costs hardly more than a gradient, since $H z = \nabla_w \bigl(\nabla L(w)^\top z\bigr)$ if
# $z$ is held constant: a gradient of a gradient, multiplied by a constant vector (Pearlmutter,
# *Fast Exact Multiplication by the Hessian*, 1994).
#
# Your function has to do with the memory of one step. Grading counts the graphs that are alive
# whenever a loss is asked for, and the operations that the weights remember. In a run of thirty
# steps there may be a few graphs, not thirty, and operations of a step or two, not of all. That is
# 4 of the points; the numbers are the others.
#
# **Look out.** Three slips give wrong numbers, and a fourth gives right ones: the term with the
# Hessian is forgotten; it is taken at the weights after the step; the new weights are used too
# early. And if a tensor that goes on to the next step remembers where it comes from, then the
# graphs of all steps stay alive, and nothing is gained. Test with weights that are not vectors,
# too.

# %%
from reference.hypergradients import hypergrad_forward


# %%
@check(
    "hypergrad_forward",
    points=11,
    hint="It has to agree with hypergrad_unrolled: see which weights and which z each term takes.",
)
@domain(
    w0=tensors(dtypes=["float64", "float32"]),
    lr=interval(0, 1),
    steps=whole(1, 12),
    model=choices("tanh", "linear"),
    examples=whole(1, 7),
)
def hypergrad_forward_matches_reference(student, reference, rng, w0, lr, steps, model, examples):
    """hypergrad_forward returns the loss after a run and its derivative in the learning rate."""
    arguments = "hypergrad_forward", draw_data(rng, w0, examples), w0, [(lr, steps)], model
    got = student.apply(watch_runs, *arguments)["answers"]
    want = reference.apply(watch_runs, *arguments)["answers"]
    rtol, atol = room_for(w0)
    assert_close(got, want, rtol=rtol, atol=atol, what="[(loss, hypergradient)]")


self_check(hypergrad_forward_matches_reference)


# %%
@check("hypergrad_forward", points=4, hint="After a step, nothing of its graph may be needed.")
@domain(**ANY, visible=1)
def hypergrad_forward_forgets_its_graphs(student, reference, rng, w0, model):
    """hypergrad_forward does with the memory of one step, and changes no argument."""
    # A learning rate of 0, or one step: whether the Hessian is right is for the first check to say.
    runs = [(0.0, 30), (0.5, 1), (0.5, 1)]
    arguments = "hypergrad_forward", draw_data(rng, w0), w0, runs, model
    got = student.apply(watch_runs, *arguments, history=15)
    want = reference.apply(watch_runs, *arguments, history=15)
    assert_close(got["answers"], want["answers"], what="(loss, hypergradient)[call]")
    assert_that(got["w0 untouched"] is True, "w0 was changed, or made to require a gradient")
    assert_that(
        got["most alive"] <= 8, f"{got['most alive']} graphs of former steps were alive at once"
    )
    assert_that(
        got["longest"] < 15, f"the weights remember {got['longest']} operations of former steps"
    )
    assert_equal(got["left"], 0, what="graphs that are alive after the calls")


self_check(hypergrad_forward_forgets_its_graphs)


# %% [markdown]
# # 6. What both cost
#
# Two ways to the same number. Which one is for you depends on what you are short of.

# %% [markdown]
# ## 6.1 Measured memory (3 points)
#
# PyTorch tells whoever asks what it keeps for a backward pass, and when it lets go of it
# (`torch.autograd.graph.saved_tensors_hooks`). The class below adds up the bytes; `peak` is the
# most that was kept at any one time. A tensor that is kept twice is counted once.


# %%
class SavedBytes(torch.autograd.graph.saved_tensors_hooks):
    """Inside a `with` block: counts the bytes that are kept for backward passes."""

    def __init__(self):
        self.now, self.peak, self.holders = 0, 0, Counter()
        super().__init__(self.keep, lambda kept: kept.tensor)

    def __enter__(self):
        super().__enter__()
        return self

    class Kept:
        """A tensor, as long as a graph needs it."""

        def __init__(self, tensor):
            self.tensor = tensor.detach()  # with its history it would keep itself alive

    def keep(self, tensor):
        """Count a tensor when it is packed away."""
        kept, storage = self.Kept(tensor), tensor.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        self.now += 0 if self.holders[place] else size
        self.holders[place] += 1
        self.peak = max(self.peak, self.now)
        weakref.finalize(kept, self.let_go, place, size)
        return kept

    def let_go(self, place, size):
        """Count it out when the graph is gone."""
        self.holders[place] -= 1
        self.now -= 0 if self.holders[place] else size


# %% [markdown]
# Measure both of your functions, for runs of different lengths (`run_lengths`), on a problem with
# more weights than the one above: `wave_losses(examples=64, width=256)` returns a training loss,
# a validation loss and first weights. A learning rate of 0.01 will do. Put the peaks into two
# lists, and draw both over the length of the run. (A function written with `torch.func` cannot be
# measured in this way, as its transforms refuse such hooks; write that one with `torch.autograd`
# here.)

# %%
run_lengths = budget([1, 2, 5, 10, 20, 40, 80], graded=[1, 2, 4])
### BEGIN SOLUTION
_problem = wave_losses(examples=64, width=256)
reverse_bytes, forward_bytes = [], []
for _function, _peaks in ((hypergrad_unrolled, reverse_bytes), (hypergrad_forward, forward_bytes)):
    for _length in run_lengths:
        with SavedBytes() as _saved:
            _function(*_problem, 0.01, _length)
        _peaks.append(_saved.peak)
plt.figure("memory", figsize=(6, 3))
plt.plot(run_lengths, reverse_bytes, "o-", label="reverse mode")
plt.plot(run_lengths, forward_bytes, "s-", label="forward mode")
plt.xlabel("steps of the run")
plt.ylabel("bytes kept at the peak")
plt.legend(loc="upper left")
plt.show()
### END SOLUTION


# %%
@check("measured_memory", points=0)
@case("two lists of bytes")
def measured_memory_has_the_right_form(student, reference, rng):
    """There is one number of bytes for each run; whether they are right is for a person to say."""
    for name in ("reverse_bytes", "forward_bytes"):
        assert_shape(student[name], (len(student.run_lengths),), what=name)
        assert_that(all(peak > 0 for peak in student[name]), f"{name}: more than 0 bytes each")


self_check(measured_memory_has_the_right_form)

# %% [markdown]
# Comment on your picture, in a few sentences.
#
# 1. What does it show? How many bytes does each further step cost in reverse mode, and to which
#    tensors do they belong?
# 2. What would reverse mode keep, at the least, for a network with $10^8$ weights in single
#    precision and a run of $10^5$ steps? Name one way out, and what it costs.
# 3. Memory aside: what happens to hypergradients of very long runs, and why?

# %% [markdown] manual=true question="memory_comment" points=3
# ### BEGIN SOLUTION
# **1.** The curve of reverse mode is a straight line: every step adds the same number of bytes.
# That of forward mode is flat. The slope of my line is 4,096 bytes a step: 2,048 for the gradient
# of 256 weights in double precision, which is multiplied by the learning rate, and 512 for each of
# four vectors of 64 outputs, from which that gradient was computed (the output of the tanh, the
# residuals, and two results of the backward pass). The way back needs them, for a product with the
# Hessian at that step's weights. (It keeps no derivatives of the weights in the learning rate:
# those belong to forward mode.)
#
# **2.** One tensor of the size of the weights is $4 \cdot 10^8$ bytes, so in all steps
# $4 \cdot 10^{13}$ bytes: 40 terabytes, and the activations come on top. Ways out: forward mode
# (the memory of one step, but a product with the Hessian in each step for every hyperparameter);
# checkpoints at every $\sqrt T$-th step (memory like $\sqrt T$, and the run is done a second
# time); reversing the dynamics of momentum; a truncated run, whose hypergradient is biased towards
# the short term.
#
# **3.** The derivative of the end in the weights of step $k$ is a product of the factors
# $I - \eta H_j$ of all later steps. Where their eigenvalues are below one in size it vanishes, and
# where some are above one it explodes, as in a recurrent network: then the loss is a jagged
# function of the learning rate, and its derivative is right and of no use.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: a line and a constant, with the slope read off the student's own picture, and the
#   reason: what each step's gradient was computed from is kept. No point for "dw/dη of each step
#   is kept", which mixes up the two modes.
# - 1 point: about 40 TB (4e8 bytes times 1e5 steps), and a way out with its price.
# - 1 point: vanishing or exploding, by the product of the factors I - ηH.
# === END MARK SCHEME ===

# %% [markdown]
# ## 6.2 Five decisions (4 points)
#
# Each question has one right answer, the letter A, B, C or D. The first two count half a point
# each, the others count one.

# %%
from reference.answers.hypergradients import reverse_memory, training_memory, what_reverse_keeps


# %%
@check("memory_choices", points=1, hint="Measure it with SavedBytes, for runs of several lengths.")
@case("plain training", name="training_memory", hidden=True)
@case("reverse mode", name="reverse_memory", hidden=True)
def growth_of_memory_is_right(student, reference, rng, name):
    """training_memory and reverse_memory are right."""
    assert_equal(letter(student[name]), reference[name], what=name)


@check("memory_choices", points=1, hint="What is a product with a step's Hessian computed from?")
@case("the letter", hidden=True)
def what_reverse_keeps_is_right(student, reference, rng):
    """what_reverse_keeps is right."""
    answer = letter(student.what_reverse_keeps)
    assert_equal(answer, reference.what_reverse_keeps, what="what_reverse_keeps")


# %%
from reference.answers.hypergradients import checkpointed_memory, many_hyperparameters


# %%
@check(
    "memory_choices",
    points=2,
    hint="Count what is there at once: all checkpoints, and one stretch. Then count products.",
)
@case("checkpoints", name="checkpointed_memory", hidden=True)
@case("many hyperparameters", name="many_hyperparameters", hidden=True)
def cost_choices_are_right(student, reference, rng, name):
    """checkpointed_memory and many_hyperparameters are right."""
    assert_equal(letter(student[name]), reference[name], what=name)


@check("memory_choices", points=0)
@case("five letters")
def memory_choices_have_the_right_form(student, reference, rng):
    """Each answer is one of the letters A to D; whether it is right is found when grading."""
    for name in (
        "training_memory",
        "reverse_memory",
        "what_reverse_keeps",
        "checkpointed_memory",
        "many_hyperparameters",
    ):
        assert_that(letter(student[name]) in ("A", "B", "C", "D"), f"{name}: give one of A to D")


self_check(memory_choices_have_the_right_form)


# %% [markdown]
# # 7. A learning rate that is learned
#
# Whole runs are expensive. What if we look at a single step only, but do it all the time, while
# training? That is an old idea, which has been found anew again and again (Almeida et al., 1998;
# Baydin et al., *Online Learning Rate Adaptation with Hypergradient Descent*, 2018; Chandra et al.,
# *Gradient Descent: The Ultimate Optimizer*, 2022).

# %% [markdown]
# ## 7.1 Hypergradient descent (15 points)
#
# The weights $w_k$ came from a step with the learning rate $\eta_{k-1}$,
#
# $$w_k = w_{k-1} - \eta_{k-1}\, \nabla L(w_{k-1}) .$$
#
# So their loss has a derivative in $\eta_{k-1}$, with $w_{k-1}$ and the gradient there as
# constants. Call it $h_k$; you computed it in 1.2. Step $k = 0, 1, \dots, T - 1$ does the
# following, in this order:
#
# 1. It computes the loss $L(w_k)$ and the gradient $\nabla L(w_k)$.
# 2. For $k \ge 1$ the learning rate makes a step against its derivative, with a rate of its own,
#    $\kappa$ (in code `hyper_lr`): $\eta_k = \max(0,\ \eta_{k-1} - \kappa\, h_k)$. The first step
#    uses the `lr` of the caller as $\eta_0$.
# 3. The weights make their step, with the *new* learning rate:
#    $w_{k+1} = w_k - \eta_k\, \nabla L(w_k)$.
#
# Return the last weights $w_T$, the learning rates $\eta_0, \dots, \eta_{T-1}$, and the losses
# $L(w_0), \dots, L(w_{T-1})$.
#
# You can let autograd find $h_k$, or find a formula for it. In either case grading counts graphs
# and the operations that the weights remember: after 20 steps they may not be more than after the
# first few.
#
# **Look out.** A learning rate that is a tensor with a history, weights that are not detached
# between the steps, a list of losses that are tensors with a graph: each keeps everything alive
# that ever was, and a training that ran well in the morning is out of memory at noon. And do not
# cut too much, either: if the learning rate is cut off before the loss is differentiated, it
# never changes.

# %%
from reference.hypergradients import train_learned_lr


# %%
@check(
    "train_learned_lr",
    points=9,
    hint="Follow two steps by hand: which gradients does the second learning rate depend on?",
)
@domain(
    w0=tensors(dtypes=["float64", "float32"]),
    lr=interval(0, 1),
    hyper_lr=interval(0, 1),
    steps=whole(1, 12),
    examples=whole(1, 7),
)
def train_learned_lr_matches_reference(student, reference, rng, w0, lr, hyper_lr, steps, examples):
    """train_learned_lr returns the weights, the learning rates and the losses of its run."""
    data = draw_data(rng, w0, examples)[:1]
    arguments = "train_learned_lr", data, w0, [(lr, hyper_lr, steps)], "tanh"
    got = student.apply(watch_runs, *arguments)["answers"]
    want = reference.apply(watch_runs, *arguments)["answers"]
    assert_close(got, want, what="[(w, lrs, losses)]")


self_check(train_learned_lr_matches_reference)


# %%
@check(
    "train_learned_lr",
    points=3,
    hint="What does a negative learning rate do? And how does one that is 0 become positive again?",
)
@case("a first learning rate that is much too large", steps=2, least=1.2, most=1.4, times=20)
@case("one that comes back from zero", steps=9, least=0.8, most=0.95, times=1.2, hidden=True)
def train_learned_lr_stays_non_negative(student, reference, rng, steps, least, most, times):
    """train_learned_lr replaces a negative learning rate by 0 at once, and goes on from there."""
    # Curvatures near 2: the first step goes beyond the minimum, and hyper_lr is such that the
    # learning rate would become negative after it.
    X = np.linalg.qr(rng.normal(size=(6, 3)))[0] * np.sqrt(6) * rng.uniform(0.95, 1.05, size=3)
    w0, away = rng.normal(size=3), rng.uniform(0.2, 0.4, size=3)
    lr, t = float(rng.uniform(least, most)), X @ (w0 + away)
    first = X.T @ (X @ w0 - t) / 3
    second = X.T @ (X @ (w0 - lr * first) - t) / 3
    hyper_lr = float(times * rng.uniform(0.95, 1.05) * lr / -(first @ second))
    runs = [(lr, hyper_lr, steps)]
    arguments = "train_learned_lr", [(X, t[:, None])], torch.tensor(w0), runs, "linear"
    got = student.apply(watch_runs, *arguments)["answers"]
    want = reference.apply(watch_runs, *arguments)["answers"]
    assert_close(got, want, what="[(w, lrs, losses)]")


self_check(train_learned_lr_stays_non_negative)


# %%
@check(
    "train_learned_lr",
    points=3,
    hint="What goes on to the next step has to be a number, or detached.",
)
@domain(**ANY, visible=1)
def train_learned_lr_forgets_its_graphs(student, reference, rng, w0, model):
    """train_learned_lr keeps no graph for longer than a step or two, and changes no argument."""
    # A learning rate that stays: whether it moves rightly is for the first check to say.
    runs = [(0.5, 0.0, 20), (0.25, 0.0, 20)]
    arguments = "train_learned_lr", draw_data(rng, w0)[:1], w0, runs, model
    got = student.apply(watch_runs, *arguments, history=15)
    want = reference.apply(watch_runs, *arguments, history=15)
    assert_close(got["answers"], want["answers"], what="(w, lrs, losses)[call]")
    assert_that(got["w0 untouched"] is True, "w0 was changed, or made to require a gradient")
    assert_that(
        got["most alive"] <= 8, f"{got['most alive']} graphs of former steps were alive at once"
    )
    assert_that(
        got["longest"] < 15, f"the weights remember {got['longest']} operations of former steps"
    )
    assert_equal(got["left"], 0, what="graphs that are alive after the calls")


self_check(train_learned_lr_forgets_its_graphs)


# %% [markdown]
# Look at it at work: three learning rates that start apart, on the problem of Part 4.

# %%
with suppress(NotImplementedError):  # as long as train_learned_lr is not written
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(6, 5), sharex=True)
    for first in (0.01, 0.3, 1.2):
        _, lrs, losses = train_learned_lr(
            wave_train, wave_start, first, 0.05, budget(150, graded=2)
        )
        upper.plot(lrs, label=f"starts at {first}")
        lower.semilogy(losses)
    upper.set_ylabel("learning rate")
    upper.legend()
    lower.set_ylabel("training loss")
    lower.set_xlabel("step")
    plt.show()

# %% [markdown]
# Is all well now? We have one hyperparameter less, and another one more: $\kappa$ wants to be
# chosen, too. It is said to matter less. (You could learn it as well, and the rate of *its*
# learning, and so on: Chandra et al. did just that.) And a rule that looks one step ahead is
# greedy: think of the first picture. Where the loss is a long valley, the best next step goes to
# its floor, and the best hundred steps go along it. Wu et al. (*Understanding Short-Horizon Bias
# in Stochastic Meta-Optimization*, 2018) show that greedy learning rates can end up far too
# small.
