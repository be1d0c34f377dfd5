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
# # Homework 1: Optimizers, and the solutions they choose
#
# An optimizer is more than a way to go downhill fast. Where a network has more weights than
# examples, countless weights fit the data perfectly, and the optimizer decides which of them you
# get. In this homework you write the optimizers that train almost every network today, build one
# of them into PyTorch, and then find out, with pencil and with code, which solution each prefers.
#
# | part | what you do | points |
# |---|---|---|
# | 1 | six update rules, from gradient descent to AdamW | 40 |
# | 2 | Adam as a `torch.optim.Optimizer` | 15 |
# | 3 | least squares with more weights than examples: which solution is found? | 25 |
# | 4 | L2 penalty and weight decay: one idea or two? | 12 |
# | 5 | how far a larger batch helps | 8 |
#
# **Notation.** The weights are $w$, the loss is $L(w)$, its gradient at the current weights is
# $g = \nabla L(w)$, and the learning rate is $\eta$, in code `lr`. Products, quotients, squares
# and roots of vectors are taken coordinate by coordinate.
#
# **House rules.** Unless a question says otherwise, a function takes arrays of any shape, a single
# number among them. It never changes an argument. It answers in the dtype that it is given, so that
# a model in single precision stays in single precision.
#
# **How you are graded.** Below each question stands a check that compares your answer with ours;
# run it as often as you like. Grading runs the same checks with other random numbers, and with
# further cases that you do not see. So do not aim at the inputs you see: aim at the definition.
# The two proofs and the counterexample are read by a person.

# %%
import numpy as np
import torch

from autograder import (
    arrays,
    assert_close,
    assert_dtype,
    assert_equal,
    assert_shape,
    assert_that,
    case,
    check,
    domain,
    indices,
    interval,
    like,
    matches_reference,
    self_check,
    whole,
)

# For checks of a whole run: what a slip in eps changes is a matter of the checks of one step.
LOOSELY = {"rtol": 1e-3, "atol": 1e-3}

# %% [markdown]
# # 1. Six update rules
#
# Each function takes the weights, the gradient and whatever the optimizer remembers (its *state*),
# and hands back the new weights and the new state. Nothing is hidden in an object, so you can
# test one step on its own, and replay a whole run by passing each answer on to the next call.
# %% [markdown]
# ## 1.1 Gradient descent (4 points)
#
# To first order, moving the weights by $\Delta$ changes the loss by $g^\top \Delta$. Among all
# moves of a given length, the one straight against the gradient lowers this the most. Gradient
# descent goes that way, by the learning rate times the gradient:
#
# $$w_{t+1} = w_t - \eta\, g_t .$$
#
# The gradient may even be noisy: Robbins and Monro (*A Stochastic Approximation Method*, 1951)
# showed that such steps still lead to the right point, if the noise averages out and the learning
# rate falls in the right way. That is why we may train on a few examples at a time.
#
# **Look out.** `a -= b` on a NumPy array does not make a new array: it overwrites the one that the
# caller still holds. A caller who keeps the old weights, to plot a path say, would find them gone.
# %%
from reference.optimizers import sgd_step

# %%
sgd_step_matches_reference = matches_reference(
    "sgd_step",
    points=4,
    said="sgd_step moves the weights against the gradient, and leaves its arguments as they were.",
    returns="w",
    dtype=True,
    w=arrays(dtypes=["float64", "float32"]),
    grad=like("w"),
    lr=interval(0, 1),
    hint="Try weights of every shape, also a single number, and single precision.",
)

self_check(sgd_step_matches_reference)


# %% [markdown]
# ## 1.2 Momentum (6 points)
#
# In a long, narrow valley the gradient points mostly across the valley. Gradient descent then
# jumps from wall to wall and creeps along the floor. Polyak's heavy ball (*Some Methods of
# Speeding up the Convergence of Iteration Methods*, 1964) gives the weights a velocity. What
# changes sign from step to step cancels in it, and what keeps its sign adds up:
#
# $$v_{t+1} = \mu\, v_t + g_t, \qquad w_{t+1} = w_t - \eta\, v_{t+1} .$$
#
# If the gradient stays the same, the velocity grows to
# $g + \mu g + \mu^2 g + \dots = g / (1 - \mu)$. With $\mu = 0.9$ the ball ends up ten times as
# fast as gradient descent; a learning rate that was right without momentum is often too large
# with it.
#
# **Look out.** Books and libraries disagree on the details: some weigh the new gradient by
# $1 - \mu$, some put $\eta$ inside the velocity, and Nesterov's variant looks one step ahead
# (Sutskever et al., *On the Importance of Initialization and Momentum in Deep Learning*, 2013).
# We use the two equations above, which are PyTorch's. The new velocity is part of the answer:
# without it the next step would start from rest.

# %%
from reference.optimizers import momentum_step

# %%
momentum_step_matches_reference = matches_reference(
    "momentum_step",
    points=3,
    said="momentum_step updates the velocity, then moves the weights against the new velocity.",
    returns=["w", "velocity"],
    dtype=True,
    w=arrays(dtypes=["float64", "float32"]),
    grad=like("w"),
    velocity=like("w"),
    lr=interval(0, 1),
    momentum=interval(0, 1, optional=True),
    hint="Compare the weight of each term with the two equations, for a velocity that is not zero.",
)

self_check(momentum_step_matches_reference)


# %%
@check(
    "momentum_step",
    points=3,
    pure=True,
    hint="The velocity that you hand back is the one that the next step starts with.",
)
@case("six steps from rest", shape=(4,), steps=6)
@case("a long run with little friction", shape=(3, 2), steps=25, momentum=0.97, hidden=True)
def momentum_steps_follow_reference(student, reference, rng, shape, steps, **hyper):
    """A run down a quadratic bowl, in which each step gets the state of the one before, agrees."""
    curvature, target = rng.uniform(0.5, 2.0, size=shape), rng.normal(size=shape)
    got = want = rng.normal(size=shape), np.zeros(shape)
    for step in range(1, steps + 1):
        grad = curvature * (want[0] - target)
        got = student.momentum_step(got[0], grad, got[1], lr=0.1, **hyper)
        want = reference.momentum_step(want[0], grad, want[1], lr=0.1, **hyper)
        assert_close(got, want, what=f"(w, velocity) after step {step}")


self_check(momentum_steps_follow_reference)


# %% [markdown]
# ## 1.3 Adagrad (6 points)
#
# One learning rate for all coordinates suits none of them if some gradients are large and frequent
# and others small and rare, such as the weights of a rare word. Duchi, Hazan and Singer (*Adaptive
# Subgradient Methods*, 2011) give each coordinate its own rate. It falls as that coordinate's
# squared gradients add up:
#
# $$s_{t+1} = s_t + g_t^2, \qquad
# w_{t+1} = w_t - \eta\, \frac{g_t}{\sqrt{s_{t+1}} + \varepsilon} .$$
#
# As long as $\varepsilon$ does not matter, the very first step has length $\eta$ in every
# coordinate whose gradient is not zero, whatever its size. If the gradients stay as they are, step
# $t$ has length $\eta / \sqrt t$ there. Nothing is ever forgotten,
# so the rate can only fall: a blessing for convex problems, a burden for long training runs.
#
# **Look out.** It matters where $\varepsilon$ stands. Take $\varepsilon = 10^{-8}$ and a gradient
# of $10^{-8}$ at the first step. With $\varepsilon$ beside the root the step is half of $\eta$;
# with $\varepsilon$ under the root, where it acts like $10^{-4}$ outside, it is a ten-thousandth
# of $\eta$. Our $\varepsilon$ stands beside the root, as in the formula.

# %%
from reference.optimizers import adagrad_step

# %%
adagrad_step_matches_reference = matches_reference(
    "adagrad_step",
    points=2,
    said="adagrad_step adds to the sum of squares and scales each coordinate of the step by it.",
    returns=["w", "accumulator"],
    dtype=True,
    w=arrays(dtypes=["float64", "float32"]),
    grad=like("w"),
    accumulator=like("w", low=0, high=4),
    lr=interval(0, 1),
    eps=interval(1e-8, 1, log=True, optional=True),
    hint="Each coordinate has a sum of its own, and the sum takes in the current gradient first.",
)

self_check(adagrad_step_matches_reference)


# %%
@check(
    "adagrad_step",
    points=2,
    pure=True,
    hint="With tiny gradients it is eps that sets the length of the step: see where it stands.",
)
@case("gradients near eps", size=1e-8)
@case("far below eps", size=3e-10, hidden=True)
@case("an eps of one's own", size=1e-4, eps=1e-4, hidden=True)
def adagrad_step_handles_tiny_gradients(student, reference, rng, size, **hyper):
    """adagrad_step takes steps of the right length along gradients as small as eps."""
    w, grad = rng.normal(size=7), size * rng.normal(size=7)
    accumulator = size**2 * rng.uniform(0.5, 4.0, size=7)
    got = student.adagrad_step(w, grad, accumulator, lr=0.3, **hyper)
    want = reference.adagrad_step(w, grad, accumulator, lr=0.3, **hyper)
    assert_shape(got[0], w.shape, what="w")
    assert_close(got[0], want[0], what="w")
    # Squares of tiny numbers: an absolute tolerance would let any value pass.
    assert_close(got[1], want[1], rtol=1e-7, atol=0.0, what="accumulator")


self_check(adagrad_step_handles_tiny_gradients)


# %%
@check(
    "adagrad_step",
    points=2,
    pure=True,
    hint="The sum that you hand back is the one that the next step adds to; it never shrinks.",
)
@case("six steps from zero", shape=(4,), steps=6)
@case("thirty steps of a matrix", shape=(3, 2), steps=30, hidden=True)
def adagrad_steps_follow_reference(student, reference, rng, shape, steps):
    """A run down a quadratic bowl, in which each step gets the state of the one before, agrees."""
    curvature, target = rng.uniform(0.5, 2.0, size=shape), rng.normal(size=shape)
    got = want = rng.normal(size=shape), np.zeros(shape)
    for step in range(1, steps + 1):
        grad = curvature * (want[0] - target)
        got = student.adagrad_step(got[0], grad, got[1], lr=0.3)
        want = reference.adagrad_step(want[0], grad, want[1], lr=0.3)
        assert_close(got, want, **LOOSELY, what=f"(w, accumulator) after step {step}")


self_check(adagrad_steps_follow_reference)


# %% [markdown]
# ## 1.4 RMSprop (6 points)
#
# Adagrad never forgets. On a loss whose shape changes along the way, a steep stretch at the start
# then slows down everything that follows. RMSprop (Tieleman and Hinton, *Neural Networks for
# Machine Learning*, lecture 6.5, 2012) puts a running mean in place of the sum, which remembers
# about the last $1 / (1 - \beta)$ steps:
#
# $$q_{t+1} = \beta\, q_t + (1 - \beta)\, g_t^2, \qquad
# w_{t+1} = w_t - \eta\, \frac{g_t}{\sqrt{q_{t+1}} + \varepsilon} .$$
#
# Once $q$ has settled at the size of the squared gradients, every step has a length near $\eta$,
# whether the gradients are large or small.
#
# **Look out.** $q$ starts at zero, so at first the mean is too low. After one step
# $\sqrt q = \sqrt{1 - \beta}\, |g|$, and the step has length $\eta / \sqrt{1 - \beta}$: about
# $3.2\, \eta$ for $\beta = 0.9$. RMSprop lives with it. Adam, in the next question, does not.

# %%
from reference.optimizers import rmsprop_step

# %%
rmsprop_step_matches_reference = matches_reference(
    "rmsprop_step",
    points=2,
    said="rmsprop_step updates the mean of squares and scales each coordinate by its root.",
    returns=["w", "mean_square"],
    dtype=True,
    w=arrays(dtypes=["float64", "float32"]),
    grad=like("w", without=["tiny"]),
    mean_square=like("w", low=0, high=4),
    lr=interval(0, 1),
    beta=interval(0.1, 0.999, optional=True),
    eps=interval(1e-8, 1, log=True, optional=True),
    hint="Which share of the mean is old and which is new? Nothing is corrected for the start.",
)

self_check(rmsprop_step_matches_reference)


# %%
@check(
    "rmsprop_step",
    points=2,
    pure=True,
    hint="With tiny gradients it is eps that sets the length of the step: see where it stands.",
)
@case("gradients near eps", size=1e-8)
@case("far below eps", size=3e-10, hidden=True)
@case("an eps of one's own", size=1e-4, eps=1e-4, hidden=True)
def rmsprop_step_handles_tiny_gradients(student, reference, rng, size, **hyper):
    """rmsprop_step takes steps of the right length along gradients as small as eps."""
    w, grad = rng.normal(size=7), size * rng.normal(size=7)
    mean_square = size**2 * rng.uniform(0.5, 4.0, size=7)
    got = student.rmsprop_step(w, grad, mean_square, lr=0.3, **hyper)
    want = reference.rmsprop_step(w, grad, mean_square, lr=0.3, **hyper)
    assert_shape(got[0], w.shape, what="w")
    assert_close(got[0], want[0], what="w")
    # Squares of tiny numbers: an absolute tolerance would let any value pass.
    assert_close(got[1], want[1], rtol=1e-7, atol=0.0, what="mean_square")


self_check(rmsprop_step_handles_tiny_gradients)


# %%
@check(
    "rmsprop_step",
    points=2,
    pure=True,
    hint="The mean that you hand back is the one that the next step starts with.",
)
@case("six steps from zero", shape=(4,), steps=6)
@case("a long memory", shape=(3, 2), steps=30, beta=0.99, hidden=True)
@case("no memory", shape=(3,), steps=3, beta=0.0, hidden=True)
def rmsprop_steps_follow_reference(student, reference, rng, shape, steps, **hyper):
    """A run down a quadratic bowl, in which each step gets the state of the one before, agrees."""
    curvature, target = rng.uniform(0.5, 2.0, size=shape), rng.normal(size=shape)
    got = want = rng.normal(size=shape), np.zeros(shape)
    for step in range(1, steps + 1):
        grad = curvature * (want[0] - target)
        got = student.rmsprop_step(got[0], grad, got[1], lr=0.02, **hyper)
        want = reference.rmsprop_step(want[0], grad, want[1], lr=0.02, **hyper)
        assert_close(got, want, **LOOSELY, what=f"(w, mean_square) after step {step}")


self_check(rmsprop_steps_follow_reference)


# %% [markdown]
# ## 1.5 Adam (10 points)
#
# Adam (Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015) joins the two ideas: a
# running mean $m$ of the gradients, as in momentum, over the root of a running mean $v$ of their
# squares, as in RMSprop.
#
# $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, \qquad
# v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2$$
#
# Both start at zero, which pulls them towards zero for a while. How much? If every gradient so far
# had the same mean, then $\mathbb E[m_t] = (1 - \beta_1^t)\, \mathbb E[g]$: the weights
# $(1 - \beta_1)\, \beta_1^k$ for $k = 0, \dots, t - 1$ add up to $1 - \beta_1^t$ and not to one.
# Dividing by this sum takes the bias away:
#
# $$\hat m_t = \frac{m_t}{1 - \beta_1^t}, \qquad \hat v_t = \frac{v_t}{1 - \beta_2^t}, \qquad
# w_t = w_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon} .$$
#
# At the first step this gives $\hat m_1 = g_1$ and $\hat v_1 = g_1^2$, so each weight moves by
# $\eta$, however large or small its gradient is, unless $\varepsilon$ gets in the way. (Work out
# what would happen without the correction. Would the first step be shorter or longer than $\eta$?)
#
# **Look out.** Three slips are common. The first step has $t = 1$. The state that you hand on
# is $m$ and $v$, never $\hat m$ and $\hat v$, which would be corrected a second time. And
# $\varepsilon$ is added to $\sqrt{\hat v}$, after the correction: not under the root, and not to
# $\sqrt v$.

# %%
from reference.optimizers import adam_step

# %%
adam_step_matches_reference = matches_reference(
    "adam_step",
    points=4,
    said="adam_step updates both running means and moves by their corrected quotient.",
    returns=["w", "m", "v"],
    dtype=True,
    w=arrays(scale=3, dtypes=["float64", "float32"]),
    grad=like("w", scale=1, without=["tiny"]),
    m=like("w", scale=1, without=["large", "tiny"]),
    v=like("w", low=0, high=4),
    t=whole(1, 1000, usual=(2, 9)),
    lr=interval(0, 1, optional=True),
    beta1=interval(0, 0.99, optional=True),
    beta2=interval(0.1, 0.999, optional=True),
    eps=interval(1e-8, 1, log=True, optional=True),
    hint="Check t, the two betas and what you hand back, one by one, for weights of any shape.",
)

self_check(adam_step_matches_reference)


# %%
@check(
    "adam_step",
    points=2,
    pure=True,
    hint="With tiny gradients it is eps that sets the length of the step: to what is it added?",
)
@case("gradients near eps, first step", size=1e-8, t=1)
@case("far below eps", size=3e-10, t=2, hidden=True)
@case("near eps, much later", size=2e-8, t=50, hidden=True)
@case("an eps of one's own", size=1e-4, t=3, eps=1e-4, hidden=True)
def adam_step_handles_tiny_gradients(student, reference, rng, size, t, **hyper):
    """adam_step takes steps of the right length along gradients as small as eps."""
    w, grad, m = rng.normal(size=7), size * rng.normal(size=7), size * rng.normal(size=7)
    v = size**2 * rng.uniform(0.5, 2.0, size=7)
    if t == 1:
        m, v = np.zeros_like(m), np.zeros_like(v)
    got = student.adam_step(w, grad, m, v, t, lr=0.3, **hyper)
    want = reference.adam_step(w, grad, m, v, t, lr=0.3, **hyper)
    assert_shape(got[0], w.shape, what="w")
    assert_close(got[0], want[0], what="w")
    # Tiny numbers and their squares: an absolute tolerance would let any value pass.
    assert_close(got[1:], want[1:], rtol=1e-7, atol=0.0, what="(m, v)")


self_check(adam_step_handles_tiny_gradients)


# %%
@check(
    "adam_step",
    points=4,
    pure=True,
    hint="Each step gets the m and v of the step before, and its own number t, from 1.",
)
@case("six steps from zero", shape=(4,), steps=6, lr=0.1)
@case("forty steps of a matrix", shape=(3, 2), steps=40, lr=0.05, beta2=0.9, hidden=True)
@case("ten steps with the defaults", shape=(5,), steps=10, hidden=True)
@case("no memory of squares", shape=(3,), steps=3, lr=0.1, beta2=0.0, hidden=True)
def adam_steps_follow_reference(student, reference, rng, shape, steps, **hyper):
    """A run down a quadratic bowl, in which each step gets the state of the one before, agrees."""
    curvature, target = rng.uniform(0.5, 2.0, size=shape), rng.normal(size=shape)
    got = want = rng.normal(size=shape), np.zeros(shape), np.zeros(shape)
    for t in range(1, steps + 1):
        grad = curvature * (want[0] - target)
        got = student.adam_step(got[0], grad, got[1], got[2], t, **hyper)
        want = reference.adam_step(want[0], grad, want[1], want[2], t, **hyper)
        assert_close(got, want, **LOOSELY, what=f"(w, m, v) after step {t}")


self_check(adam_steps_follow_reference)


# %% [markdown]
# ## 1.6 AdamW (8 points)
#
# Small weights often generalise better, so one likes to shrink them a little at every step. AdamW
# (Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2019) first takes a share
# $\eta\lambda$ off each weight, and then makes Adam's step, which knows nothing of it:
#
# $$w_t = (1 - \eta\lambda)\, w_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon} .$$
#
# The gradient is the one of the plain loss, taken before the weights shrink. Here $\lambda$ is
# `weight_decay`, and, as in PyTorch, it is multiplied by the learning rate. (The paper keeps
# the two apart. Whoever moves a value of $\lambda$ from paper to code has to know this.) Part 4
# asks whether it matters that the decay stands outside of Adam.
#
# **Look out.** Only the weights from before the step shrink. If you shrink the result of Adam's
# step, the step itself is shortened too.

# %%
from reference.optimizers import adamw_step

# %%
adamw_step_matches_reference = matches_reference(
    "adamw_step",
    points=4,
    given=["adam_step"],
    said="adamw_step shrinks the weights and moves them as Adam does.",
    returns=["w", "m", "v"],
    dtype=True,
    w=arrays(scale=3, dtypes=["float64", "float32"]),
    grad=like("w", scale=1, without=["tiny"]),
    m=like("w", scale=1, without=["large", "tiny"]),
    v=like("w", low=0, high=4),
    t=whole(1, 1000, usual=(2, 9)),
    lr=interval(0, 1, optional=True),
    beta1=interval(0, 0.99, optional=True),
    beta2=interval(0.1, 0.999, optional=True),
    eps=interval(1e-8, 1, log=True, optional=True),
    weight_decay=interval(0, 1, optional=True),
    hint="What shrinks, by how much, and when? The running means must not notice.",
)

self_check(adamw_step_matches_reference)


# %%
@check(
    "adamw_step",
    points=1,
    pure=True,
    given=["adam_step"],
    hint="With tiny gradients it is eps that sets the length of the step: to what is it added?",
)
@case("gradients near eps, first step", size=1e-8, t=1)
@case("near eps, much later", size=2e-8, t=50, hidden=True)
def adamw_step_handles_tiny_gradients(student, reference, rng, size, t):
    """adamw_step takes steps of the right length along gradients as small as eps."""
    w, grad, m = rng.normal(size=7), size * rng.normal(size=7), size * rng.normal(size=7)
    v = size**2 * rng.uniform(0.5, 2.0, size=7)
    if t == 1:
        m, v = np.zeros_like(m), np.zeros_like(v)
    got = student.adamw_step(w, grad, m, v, t, lr=0.3, weight_decay=0.2)
    want = reference.adamw_step(w, grad, m, v, t, lr=0.3, weight_decay=0.2)
    assert_shape(got[0], w.shape, what="w")
    assert_close(got[0], want[0], what="w")
    # Tiny numbers and their squares: an absolute tolerance would let any value pass.
    assert_close(got[1:], want[1:], rtol=1e-7, atol=0.0, what="(m, v)")


self_check(adamw_step_handles_tiny_gradients)


# %%
@check(
    "adamw_step",
    points=3,
    pure=True,
    given=["adam_step"],
    hint="Each step gets the w, m and v of the step before, and its own number t, from 1.",
)
@case("six steps from zero", shape=(4,), steps=6, lr=0.1, weight_decay=0.3)
@case("forty steps of a matrix", shape=(3, 2), steps=40, lr=0.05, weight_decay=1.5, hidden=True)
@case("no memory of squares", shape=(3,), steps=3, lr=0.1, beta2=0.0, hidden=True)
def adamw_steps_follow_reference(student, reference, rng, shape, steps, **hyper):
    """A run down a quadratic bowl, in which each step gets the state of the one before, agrees."""
    curvature, target = rng.uniform(0.5, 2.0, size=shape), rng.normal(size=shape)
    got = want = rng.normal(size=shape), np.zeros(shape), np.zeros(shape)
    for t in range(1, steps + 1):
        grad = curvature * (want[0] - target)
        got = student.adamw_step(got[0], grad, got[1], got[2], t, **hyper)
        want = reference.adamw_step(want[0], grad, want[1], want[2], t, **hyper)
        assert_close(got, want, **LOOSELY, what=f"(w, m, v) after step {t}")


self_check(adamw_steps_follow_reference)


# %% [markdown]
# # 2. Adam inside PyTorch
#
# PyTorch keeps the state for you and lets each group of parameters have settings of its own. The
# arithmetic is the one you know. What is new is the bookkeeping, and there most of the
# mistakes are made.

# %% [markdown]
# ## 2.1 Adam as a torch optimizer (15 points)
#
# Write the part of `step` that updates one parameter. The frame around it is given:
#
# - `self.param_groups` lists the groups; each is a dict with its parameters and *its own* `lr`,
#   `betas` and `eps`. One layer may learn ten times as fast as another.
# - `self.state[parameter]` is a dict for what has to survive until the next step. It is empty
#   before the parameter's first step, and PyTorch saves and loads it with the optimizer
#   (`state_dict`, `load_state_dict`). Whatever you keep elsewhere is lost when a run is resumed.
# - A parameter whose gradient is `None` took no part in the loss and stays where it is. It does
#   not count a step either: a layer that is unfrozen later makes *its* first step then, with
#   $t = 1$.
# - A closure computes the loss anew; `step` returns what the closure returned.
#
# In Part 1 nothing was allowed to change in place. Here the parameter has to: the model holds
# this very tensor, and a new one would never reach it. The gradient still belongs to the
# caller: leave it as it is.
#
# Write the update out yourself. A class that inherits from `torch.optim.Adam` scores nothing.

# %%
from reference.optimizers import MyAdam


# %%
def train_my_adam(notebook, weights, gradients, groups, resume_after=None):
    """Return the weights after each step, and whether the gradients were left as they were.

    groups: the settings of all parameters, or a list with the settings of each.
    gradients: for each step a list with the gradient of each parameter, which may be None.
    resume_after: after this many steps a new optimizer takes over, from a saved state.
    """
    if issubclass(notebook.MyAdam, torch.optim.Adam):
        raise TypeError("MyAdam inherits from torch.optim.Adam; write the update yourself")
    parameters = [torch.nn.Parameter(torch.tensor(w)) for w in weights]

    def make():
        if isinstance(groups, dict):
            return notebook.MyAdam(parameters, **groups)
        pairs = zip(parameters, groups, strict=True)
        return notebook.MyAdam([{"params": [p], **settings} for p, settings in pairs])

    optimizer, path, kept = make(), [], True
    for number, given in enumerate(gradients):
        if number == resume_after:
            saved, optimizer = optimizer.state_dict(), make()
            optimizer.load_state_dict(saved)
        for p, g in zip(parameters, given, strict=True):
            p.grad = None if g is None else torch.tensor(g)
        optimizer.step()
        for p, g in zip(parameters, given, strict=True):
            kept = kept and (g is None or bool(np.array_equal(p.grad.numpy(), g)))
        path.append([p.detach().numpy().copy() for p in parameters])
    return {"weights": path, "gradients kept": kept}


@check(
    "my_adam",
    points=6,
    hint="Compare with your adam_step: t, the correction, eps, and a state for each parameter.",
)
@case("one parameter, the first step", shapes=[(5,)], steps=1, lr=0.1)
@case("two parameters, six steps", shapes=[(4, 3), (4,)], steps=6, lr=0.1)
@case("the defaults", shapes=[(6,)], steps=3)
@case("float32", shapes=[(2, 3, 4), ()], steps=5, dtype="float32", lr=0.1, hidden=True)
@case("gradients near 1e-8", shapes=[(7,)], steps=4, size=1e-8, hidden=True)
@case("a long run whose gradients vanish in between", shapes=[(2,)], steps=150, gap=3, hidden=True)
@case("no memory of gradients", shapes=[(3,)], steps=3, betas=(0.0, 0.999), hidden=True)
@case(
    "settings of one's own",
    shapes=[(3,), (3,)],
    steps=8,
    lr=0.2,
    betas=(0.6, 0.8),
    eps=0.25,
    hidden=True,
)
def my_adam_follows_reference(
    student, reference, rng, shapes, steps, dtype="float64", size=1.0, gap=0, **settings
):
    """MyAdam moves every parameter as Adam does, step by step, and leaves the gradients alone."""
    weights = [rng.normal(size=(1, *shape)).astype(dtype)[0] for shape in shapes]
    gradients = [
        [(size * rng.normal(size=(1, *shape))).astype(dtype)[0] for shape in shapes]
        for _ in range(steps)
    ]
    gradients[1 : 1 + gap] = [[np.zeros_like(g) for g in each] for each in gradients[1 : 1 + gap]]
    got = student.apply(train_my_adam, weights, gradients, settings)
    want = reference.apply(train_my_adam, weights, gradients, settings)
    assert_close(got["weights"], want["weights"], what="weights[step][parameter]")
    for value, start in zip(got["weights"][-1], weights, strict=True):
        assert_dtype(value, start, what="parameter")
    assert_that(got["gradients kept"] is True, "step changed a gradient in place")


self_check(my_adam_follows_reference)


# %%
@check(
    "my_adam",
    points=3,
    hint="Read the settings from the group that the parameter is in, at every step.",
)
@case("a slow and a fast group", groups=[{"lr": 0.01}, {"lr": 0.2}])
@case(
    "groups that differ in all settings",
    hidden=True,
    groups=[{"lr": 0.05, "betas": (0.5, 0.7), "eps": 0.125}, {"eps": 0.5}, {"betas": (0.7, 0.95)}],
)
def my_adam_obeys_each_group(student, reference, rng, groups):
    """MyAdam updates each group of parameters with that group's own settings."""
    weights = [rng.normal(size=3) for _ in groups]
    gradients = [[rng.normal(size=3) for _ in groups] for _ in range(5)]
    got = student.apply(train_my_adam, weights, gradients, groups)
    want = reference.apply(train_my_adam, weights, gradients, groups)
    assert_close(got["weights"], want["weights"], **LOOSELY, what="weights[step][group]")


self_check(my_adam_obeys_each_group)


# %%
@check(
    "my_adam",
    points=3,
    hint="How many steps has this parameter made? Not every parameter makes every step.",
)
@case("one never has a gradient", absent=[[], [0, 1, 2, 3, 4, 5]])
@case("one joins at the fourth step", absent=[[], [0, 1, 2]])
@case("all come and go", absent=[[1, 4], [0, 3], [2, 3, 5]], hidden=True)
def my_adam_counts_the_steps_of_each_parameter(student, reference, rng, absent):
    """MyAdam leaves a parameter without a gradient alone, and counts each parameter's own steps."""
    weights = [rng.normal(size=3) for _ in absent]
    gradients = [
        [None if step in steps else rng.normal(size=3) for steps in absent] for step in range(6)
    ]
    got = student.apply(train_my_adam, weights, gradients, {"lr": 0.1})
    want = reference.apply(train_my_adam, weights, gradients, {"lr": 0.1})
    assert_close(got["weights"], want["weights"], **LOOSELY, what="weights[step][parameter]")


self_check(my_adam_counts_the_steps_of_each_parameter)


# %%
@check(
    "my_adam",
    points=2,
    hint="All that the next step needs belongs into self.state[parameter], and nowhere else.",
)
@case("saved after three steps", resume_after=3)
@case("saved after the very first", resume_after=1, hidden=True)
def my_adam_resumes_from_a_saved_state(student, reference, rng, resume_after):
    """A second MyAdam that loads the state of the first goes on where the first left off."""
    weights = [rng.normal(size=4), rng.normal(size=(2, 2))]
    gradients = [[rng.normal(size=4), rng.normal(size=(2, 2))] for _ in range(7)]
    arguments = weights, gradients, {"lr": 0.1}, resume_after
    got = student.apply(train_my_adam, *arguments)
    want = reference.apply(train_my_adam, *arguments)
    assert_close(got["weights"], want["weights"], **LOOSELY, what="weights[step][parameter]")


self_check(my_adam_resumes_from_a_saved_state)


# %%
def losses_of_my_adam(notebook, start, target, steps):
    """Return what each step with a closure returns, and the weights at the end."""
    p, target = torch.nn.Parameter(torch.tensor(start)), torch.tensor(target)
    optimizer = notebook.MyAdam([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        distance = ((p - target) ** 2).sum()
        distance.backward()
        return distance

    returned = [optimizer.step(closure) for _ in range(steps)]
    losses = [None if r is None else float(torch.as_tensor(r).detach()) for r in returned]
    return losses, p.detach().numpy()


@check(
    "my_adam",
    points=1,
    all_or_nothing=True,
    hint="The frame that was given calls the closure once and returns its loss: leave it in place.",
)
@case("a closure that computes the loss", steps=4)
@case("a longer run with a closure", steps=12, hidden=True)
def my_adam_returns_the_loss_of_its_closure(student, reference, rng, steps):
    """MyAdam calls a closure once for each step, and returns the loss that it computes."""
    start, target = rng.normal(size=(2, 5))
    got = student.apply(losses_of_my_adam, start, target, steps)
    want = reference.apply(losses_of_my_adam, start, target, steps)
    assert_close(got, want, **LOOSELY, what="(losses, weights)")


self_check(my_adam_returns_the_loss_of_its_closure)


# %% [markdown]
# # 3. Which solution does an optimizer find?
#
# A linear model predicts $X w$. Each row of $X \in \mathbb R^{n \times d}$ is an example, and
# $t \in \mathbb R^n$ holds the targets. If there are more weights than examples ($n < d$) and the
# rows are linearly independent, then $X w = t$ has infinitely many solutions, all of them with
# loss zero. This is the smallest model of a network that can fit anything, and on it we can work
# out which solution is found.

# %% [markdown]
# ## 3.1 Loss and gradient (4 points)
#
# The loss is the mean of the squared residuals:
#
# $$L(w) = \frac1n \sum_{i=1}^n \left(x_i^\top w - t_i\right)^2
# = \frac1n \lVert X w - t \rVert^2 .$$
#
# Write it, and below it its gradient $\nabla L(w)$. Derive the gradient from the definition: do not
# copy it from a text that uses another factor. Some define the loss with a factor $\frac12$, others
# with a sum in place of the mean, and each has its own gradient.
#
# **Look out.** With $n = 1$ a forgotten $\frac1n$ goes unnoticed, and with $n = d$ so does a
# $\frac1d$. Test with $n \ne 1$ and $n \ne d$. Better still, hold your gradient against a
# difference quotient of your loss.

# %%
from reference.least_squares import least_squares_loss

# %%
least_squares_loss_matches_reference = matches_reference(
    "least_squares",
    function="least_squares_loss",
    points=1,
    said="least_squares_loss is the mean of the squared residuals over the examples.",
    returns="loss",
    sizes={"n": (1, 8), "d": (1, 8)},
    X=arrays("n d", dtypes=["float64", "float32"]),
    w=like("X", shape="d"),
    t=like("X", shape="n"),
    hint="A mean over the examples, no factor 1/2, and a single number as the answer.",
)

self_check(least_squares_loss_matches_reference)


# %%
from reference.least_squares import least_squares_gradient

# %%
least_squares_gradient_matches_reference = matches_reference(
    "least_squares",
    function="least_squares_gradient",
    points=3,
    said="least_squares_gradient is the gradient of the mean squared residual.",
    returns="gradient",
    dtype=True,
    sizes={"n": (1, 8), "d": (1, 8)},
    X=arrays("n d", dtypes=["float64", "float32"]),
    w=like("X", shape="d"),
    t=like("X", shape="n"),
    hint="Hold it against a difference quotient of your loss, with n and d different.",
)

self_check(least_squares_gradient_matches_reference)


# %% [markdown]
# ## 3.2 The minimum norm solution (5 points)
#
# Among all $w$ with $X w = t$ there is exactly one of the smallest Euclidean norm. Why? Split any
# solution into $w = w_\parallel + w_\perp$, where $w_\parallel$ is a combination of the rows of
# $X$ and $w_\perp$ is orthogonal to all of them. Then $X w_\perp = 0$: this part does nothing for
# the fit and only adds to the length. The shortest solution has none of it.
#
# Compute this solution for $n < d$ and linearly independent rows. Write down what it means to be a
# combination of the rows, insert it into $X w = t$, and count equations and unknowns.
#
# **Look out.** From statistics you may remember the normal equations
# $X^\top X\, w = X^\top t$. Here $X^\top X$ is a $d \times d$ matrix of rank $n < d$. It has no
# inverse, and rounding may hide this: a program then prints numbers of which none is right.

# %%
from reference.least_squares import minimum_norm_solution


# %%
@check(
    "minimum_norm_solution",
    points=3,
    pure=True,
    hint="No matrix that you invert or solve with may be singular. Add nothing to repair one.",
)
@domain(
    sizes={"n": (1, 6), "d": (1, 60)},
    where=lambda n, d: 2 * n <= d or n == d == 1,  # else the answer may hang on the last digits
    X=arrays("n d", values=["normal", "tiny", "large"], dtypes=["float64", "float32"]),
    t=like("X", shape="n"),
)
@case("whole numbers in one example", hidden=True, X=np.array([[2.0, 1.0]]), t=np.array([2.0]))
def minimum_norm_solution_matches_reference(student, reference, rng, X, t):
    """minimum_norm_solution returns the shortest weights that fit all targets."""
    got = student.minimum_norm_solution(X, t)
    # Solving a system multiplies rounding errors by its condition number, a hundred or so here.
    want = reference.minimum_norm_solution(X, t)
    rtol, atol = (1e-3, 1e-4) if X.dtype == "float32" else (1e-7, 1e-10)
    assert_close(got, want, rtol=rtol, atol=atol, what="w")
    assert_dtype(got, want, what="w")


self_check(minimum_norm_solution_matches_reference)


# %%
@check(
    "minimum_norm_solution",
    points=2,
    pure=True,
    hint="Fitting the targets is one half of it; being shorter than all others is the other half.",
)
@case("two examples, five weights", n=2, d=5)
@case("one weight too many", n=4, d=5, hidden=True)
@case("a long row", n=1, d=12, hidden=True)
def minimum_norm_solution_fits_and_is_shortest(student, reference, rng, n, d):
    """The answer fits every target, and has no part that is orthogonal to all rows of X."""
    X, t = rng.normal(size=(n, d)), rng.normal(size=n)
    w = student.minimum_norm_solution(X, t)
    assert_shape(w, (d,), what="w")
    assert_close(X @ np.asarray(w), t, what="the predictions X w")
    unused = np.linalg.svd(X)[2][n:]  # orthogonal to all rows of X, and of length one
    assert_close(unused @ np.asarray(w), np.zeros(d - n), what="the part that X does not see")


self_check(minimum_norm_solution_fits_and_is_shortest)


# %% [markdown]
# ## 3.3 Stochastic gradient descent, step by step (5 points)
#
# Now run mini-batch gradient descent on the least squares loss, from $w_0 = 0$, and keep every
# iterate. The order of the examples comes as an argument, so that nothing is left to chance: step
# $k$ takes the next `batch_size` entries of `order` as its batch $B$ and goes against the
# gradient of
#
# $$L_B(w) = \frac{1}{|B|} \sum_{i \in B} \left(x_i^\top w - t_i\right)^2 .$$
#
# An example may come up twice, even in one batch, and then counts twice. If the last batch is
# shorter, its mean is over the examples that it has. `X` may hold whole numbers, such as
# `[[2, 1]]`; the iterates are floats all the same.
#
# The first check compares every iterate. The other two look at what Question 3.4 lets you
# prove: no iterate ever leaves the row space of $X$, and the run ends at the solution of
# Question 3.2.
#
# **Look out.** If one array is updated in place and put into a list again and again, then the
# list holds the same array many times, and all of its entries show the last iterate.

# %%
from reference.least_squares import sgd_least_squares

# %%
RUN = {
    "X": arrays("n d", dtypes=["float64", "float32", "int64"], without=["large"]),
    "t": like("X", shape="n"),
    "order": indices("k", below="n"),
    "lr": interval(0, 1),
}

sgd_least_squares_matches_reference = matches_reference(
    "sgd_least_squares",
    points=1,
    said="With one example a step, it returns the zero start and the weights after every step.",
    returns="iterates",
    dtype=True,
    given=["least_squares_gradient"],
    sizes={"n": (1, 6), "d": (1, 6), "k": (1, 11)},
    arguments=RUN,
    hint="Take `order` literally, also where rows come again; floats throughout.",
)

self_check(sgd_least_squares_matches_reference)


# %%
sgd_least_squares_takes_batches = matches_reference(
    "sgd_least_squares",
    name="sgd_least_squares_takes_batches",
    points=2,
    said="With batches, it returns the zero start and the weights after every step.",
    returns="iterates",
    dtype=True,
    given=["least_squares_gradient"],
    sizes={"n": (1, 6), "d": (1, 6), "k": (1, 11)},
    arguments={**RUN, "batch_size": whole(1, 5)},
    hint="Take `order` literally: repeated rows in one batch, a batch that is cut short.",
)

self_check(sgd_least_squares_takes_batches)


# %%
@check(
    "sgd_least_squares",
    points=1,
    pure=True,
    given=["least_squares_gradient"],
    hint="Where does a step go, and where does the run start? A component outside stays forever.",
)
@case("one example at a time", n=3, d=8, batch_size=1)
@case("larger batches", n=4, d=9, batch_size=3, hidden=True)
def sgd_least_squares_stays_in_the_row_space(student, reference, rng, n, d, batch_size):
    """Every iterate is a combination of the rows of X, and the loss goes down."""
    X, t = rng.normal(size=(n, d)), rng.normal(size=n)
    steps = 20 * n
    order = np.tile(np.arange(n), steps * batch_size // n)
    got = student.sgd_least_squares(X, t, order, lr=0.02, batch_size=batch_size)
    assert_shape(got, (steps + 1, d), what="iterates")
    got = np.asarray(got)
    unused = np.linalg.svd(X)[2][n:]  # orthogonal to all rows of X, and of length one
    outside = np.zeros((steps + 1, d - n))
    assert_close(got @ unused.T, outside, what="the part of each iterate outside the row space")
    first, last = np.mean((X @ got[0] - t) ** 2), np.mean((X @ got[-1] - t) ** 2)
    assert_that(last < 0.9 * first, f"the loss goes from {first:.6g} to {last:.6g}")


self_check(sgd_least_squares_stays_in_the_row_space)


# %%
@check(
    "sgd_least_squares",
    points=1,
    pure=True,
    given=["least_squares_gradient"],
    hint="The run is long enough to converge. If it ends elsewhere, where did it start, or stop?",
)
@case("one example at a time", batch_size=1)
@case("pairs", batch_size=2, hidden=True)
def sgd_least_squares_finds_the_minimum_norm_solution(student, reference, rng, batch_size):
    """A long run ends at weights that fit every target and are the shortest to do so."""
    mix = np.array([[1.0, 0.3, 0.0], [-0.2, 1.2, 0.3], [0.1, 0.0, 0.9]])
    X = mix @ np.linalg.qr(rng.normal(size=(6, 3)))[0].T
    t = rng.uniform(0.5, 2.0, size=3) * rng.choice([-1.0, 1.0], size=3)
    order = np.concatenate([rng.permutation(3) for _ in range(300)])
    got = student.sgd_least_squares(X, t, order, lr=0.2, batch_size=batch_size)
    assert_shape(got, (900 // batch_size + 1, 6), what="iterates")
    end = np.asarray(got)[-1]
    assert_close(X @ end, t, what="the predictions X w at the end")
    unused = np.linalg.svd(X)[2][3:]  # orthogonal to all rows of X, and of length one
    assert_close(unused @ end, np.zeros(3), what="the part that X does not see")


self_check(sgd_least_squares_finds_the_minimum_norm_solution)


# %% [markdown]
# ## 3.4 Proof: gradient descent chooses the shortest solution (6 points)
#
# Let $n < d$, let the rows of $X$ be linearly independent, and let mini-batch gradient descent
# start at $w_0 = 0$, with any batches, any order and any learning rates. Suppose that the
# iterates converge to some $w_\infty$ with $X w_\infty = t$. Prove:
#
# 1. Every iterate is a linear combination of the rows of $X$, for batches of one example and for
#    larger ones. Then say whether momentum changes anything.
# 2. So is the limit $w_\infty$.
# 3. There is only one such combination with $X w = t$. Give its formula.
# 4. It is shorter than every other solution of $X w = t$.
#
# The third step is the one that is easily forgotten. That two points have the same loss does not
# make them the same point: with $n < d$ there are infinitely many points of loss zero.

# %% [markdown] manual=true question="proof_minimum_norm" points=6
# ### BEGIN SOLUTION
# **1. Iterates.** Write $R = \{X^\top a : a \in \mathbb R^n\}$ for the row space. For a batch $B$
# the gradient of $L_B$ is $\frac{2}{|B|} \sum_{i \in B} (x_i^\top w - t_i)\, x_i$: real numbers
# times rows of $X$, so an element of $R$. With one example, $|B| = 1$, it is a multiple of a
# single row. Now use induction. $w_0 = 0$ lies in $R$. If $w_k \in R$, then
# $w_{k+1} = w_k - \eta_k \nabla L_B(w_k)$ is a difference of two elements of $R$, and $R$ is a
# linear subspace, hence $w_{k+1} \in R$. The order of the batches and the learning rates do not
# matter. Nor does momentum: the velocity starts at zero and adds up such gradients, so by the same
# induction it lies in $R$ too.
#
# **2. Limit.** A linear subspace of $\mathbb R^d$ is closed, so the limit of a sequence in $R$
# lies in $R$. Hence $w_\infty = X^\top a$ for some $a \in \mathbb R^n$.
#
# **3. Uniqueness.** Insert this into $X w = t$, which gives $X X^\top a = t$. The $n \times n$
# matrix $X X^\top$ is regular: from $X X^\top a = 0$ follows
# $\lVert X^\top a \rVert^2 = a^\top X X^\top a = 0$, so $X^\top a = 0$, and $a = 0$ because the
# rows are linearly independent. Therefore $a = (X X^\top)^{-1} t$ is the only choice, and
# $w_\infty = X^\top (X X^\top)^{-1} t$.
#
# **4. Shortest.** Let $X w = t$, and put $u = w - w_\infty$. Then $X u = 0$, and $u$ is
# orthogonal to $w_\infty = X^\top a$, since $w_\infty^\top u = a^\top X u = 0$. By Pythagoras
# $\lVert w \rVert^2 = \lVert w_\infty \rVert^2 + \lVert u \rVert^2 \ge \lVert w_\infty \rVert^2$,
# with equality only if $u = 0$, that is $w = w_\infty$.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: the gradient of one example is a multiple of its row, with the right factors.
# - 1 point: the gradient of a batch is a combination of rows, and so is a velocity that adds up
#   such gradients: neither mini-batches nor momentum change anything.
# - 1 point: induction from the zero start; it must be said where the zero start is used.
# - 1 point: the limit lies in the row space as well (a subspace is closed).
# - 1 point: uniqueness inside the row space, with a reason why $X X^\top$ is regular, and the
#   formula. No point for "both have loss zero, hence they are equal".
# - 1 point: shortest, by orthogonality and Pythagoras (or by a Lagrangian and convexity).
# - Take half a point off, once, for calling rows columns, or for shapes that do not fit.
# === END MARK SCHEME ===

# %% [markdown]
# ## 3.5 Where do adaptive methods end? (3 points)
#
# Take the smallest example that there is: one row $x = (2, 1)$, one target $t = 2$, and weights
# that start at zero. The solutions form the line $2 w_1 + w_2 = 2$.
#
# Let Adagrad, RMSprop and Adam run on it, with a small learning rate and a tiny $\varepsilon$.
# All three end at the same point. Which is it? Think first: the gradient is always a multiple of
# $x$. What is left of this direction after each coordinate has been divided by the root of its own
# squared gradients? Then try it with your functions of Part 1. For RMSprop and Adam a learning rate
# of 0.001 and some thousand steps will do; Adagrad, whose steps shrink, gets there with 0.1.
# Compare with Question 3.2.
#
# Give the point exactly or with two decimals (rounded or cut off: what is less than 0.01 away in
# both coordinates counts), for 2 points. For 1 more, say whether it is the minimum norm solution,
# and why.
# Wilson et al. (*The Marginal Value of Adaptive Gradient Methods in Machine Learning*, 2017)
# discuss what may follow from this in practice.
#
# **Look out.** One example can refute a general claim, but it has to be one that could. With
# $x = (1, 1)$ every rule that treats both coordinates alike ends at the same point, right or wrong.

# %%
from reference.answers.optimizers import adaptive_limit


# %%
@check(
    "adaptive_limit",
    points=2,
    hint="Run rmsprop_step from zero, with the gradient 2 (2 w1 + w2 - 2) (2, 1).",
)
@case("the point", hidden=True)
def adaptive_limit_is_right(student, reference, rng):
    """adaptive_limit is the point at which Adagrad, RMSprop and Adam end."""
    # Two decimals are enough, also if the third is cut off.
    assert_close(
        student.adaptive_limit, reference.adaptive_limit, rtol=0, atol=1e-2, what="adaptive_limit"
    )


# %%
from reference.answers.optimizers import adaptive_and_minimum_norm


# %%
@check(
    "adaptive_limit",
    points=1,
    hint="Compare its norm with minimum_norm_solution's, and its direction with that of x.",
)
@case("the letter", hidden=True)
def adaptive_and_minimum_norm_is_right(student, reference, rng):
    """adaptive_and_minimum_norm says whether the point is the shortest solution, and why."""
    answer = student.adaptive_and_minimum_norm
    letter = answer.strip().upper() if isinstance(answer, str) else answer
    assert_equal(letter, reference.adaptive_and_minimum_norm, what="adaptive_and_minimum_norm")


# %%
@check("adaptive_limit", points=0)
@case("two numbers, and a letter")
def adaptive_answers_have_the_right_form(student, reference, rng):
    """Both answers are given in the right form; whether they are right is found when grading."""
    assert_shape(student.adaptive_limit, (2,), what="adaptive_limit")
    answer = student.adaptive_and_minimum_norm
    letter = answer.strip().upper() if isinstance(answer, str) else None
    assert_that(letter in ("A", "B", "C", "D"), "adaptive_and_minimum_norm: give one of A to D")


self_check(adaptive_answers_have_the_right_form)

# %% [markdown]
# ## 3.6 A counterexample, argued (2 points)
#
# "Adagrad and RMSprop, too, always find the minimum norm solution if they start at zero and
# converge to a solution." Refute this with the example of 3.5, for one of the two methods.
#
# 1. Where does the method end, and why there? (For *where* the output of a run is enough.)
# 2. Compare with the minimum norm solution, in numbers, and say what follows for the claim.

# %% [markdown] manual=true question="counterexample_minimum_norm" points=2
# ### BEGIN SOLUTION
# **1.** Take RMSprop, with a tiny $\varepsilon$. The gradient is always a multiple of $x$,
# $g_t = r_t\, (2, 1)$ with a number $r_t$. So the mean square of the second coordinate is at any
# time a quarter of that of the first, and its root is half: divided by them, both coordinates of
# $g_t$ are equal. Every step is a multiple of $(1, 1)$, and so are all weights, as they start at
# zero. The run ends at a solution, $2 w_1 + w_2 = 2$ with $w_1 = w_2$: at $(2/3,\; 2/3)$.
#
# **2.** The minimum norm solution is $x\, t / \lVert x \rVert^2 = (0.8,\; 0.4)$, of norm
# $\sqrt{0.8} \approx 0.894$. The norm of $(2/3,\; 2/3)$ is $\sqrt 8 / 3 \approx 0.943$, which is
# larger. So here is a case in which the method starts at zero, converges to a solution, and does
# not find the shortest: the claim, which says "always", is wrong.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: where the method ends, by a run or by the condition $2 w_1 + w_2 = 2$ (half a point),
#   and why: each coordinate is divided by its own root, so the steps leave the direction of $x$
#   (half). A run whose end is shown with its program is enough for both.
# - 1 point: the minimum norm solution in numbers (half a point); it is shorter, hence the claim is
#   refuted (half). No point for "another rule, hence another solution".
# === END MARK SCHEME ===


# %% [markdown]
# # 4. Weight decay
#
# Two recipes make weights small, and many texts treat them as one. The first adds a penalty to the
# loss. The second leaves the loss alone and takes a share off the weights at every step. You will
# find out when they agree.

# %% [markdown]
# ## 4.1 Two ways to shrink weights (4 points)
#
# **A penalty.** Add $\lambda \lVert w \rVert^2$ to the loss, with $\lambda$ = `l2` and *without* a
# factor $\frac12$, and make a step of gradient descent on the sum. The `grad` that the function
# gets is the gradient of the loss alone; the part of the penalty is yours to add.
#
# **Decay.** Take the share $\delta$ = `decay` off each weight, and subtract the plain
# gradient step (Hanson and Pratt, *Comparing Biases for Minimal Network Construction with
# Back-Propagation*, 1988):
#
# $$w_{t+1} = (1 - \delta)\, w_t - \eta\, g_t .$$
#
# **Look out.** Here $\delta$ is not multiplied by the learning rate, unlike the
# `weight_decay` of Question 1.6. And $g_t$ is the gradient at $w_t$, before anything shrinks.

# %%
from reference.optimizers import l2_step

# %%
l2_step_matches_reference = matches_reference(
    "weight_decay",
    function="l2_step",
    points=2,
    said="l2_step is a step of gradient descent on the loss and its penalty together.",
    returns="w",
    dtype=True,
    w=arrays(dtypes=["float64", "float32"]),
    grad=like("w"),
    lr=interval(0, 1),
    l2=interval(0, 1),
    hint="Differentiate the penalty as written; the learning rate multiplies the whole gradient.",
)

self_check(l2_step_matches_reference)


# %%
from reference.optimizers import decay_step

# %%
decay_step_matches_reference = matches_reference(
    "weight_decay",
    function="decay_step",
    points=2,
    said="decay_step takes a share off each weight and makes a plain gradient step.",
    returns="w",
    dtype=True,
    w=arrays(dtypes=["float64", "float32"]),
    grad=like("w"),
    lr=interval(0, 1),
    decay=interval(0, 1),
    hint="Which weights shrink, the ones before or after the step, and by which share?",
)

self_check(decay_step_matches_reference)


# %% [markdown]
# ## 4.2 When are the two the same? (3 points)
#
# For gradient descent, find the strength of the penalty for which `l2_step` and `decay_step` are
# one and the same step, for all weights and all gradients. Write it as a function of the decay
# and the learning rate. Note what it says about tuning: if you keep the decay and change the
# learning rate, do you still minimise the same penalised loss?
#
# Then turn to Adam. One could add the gradient of the penalty to `grad` and make Adam's step, or
# take AdamW. Is there a strength of the penalty for which both always do the same? Decide,
# before you prove it in 4.3.

# %%
from reference.optimizers import equivalent_l2

# %%
equivalent_l2_matches_reference = matches_reference(
    "equivalent_l2",
    points=2,
    said="equivalent_l2 turns a decay into the strength of the penalty that does the same.",
    returns="l2",
    decay=interval(0, 1),
    lr=interval(0.01, 20, log=True),
    hint="Equate the two steps and compare what stands before the weights.",
)

self_check(equivalent_l2_matches_reference)


# %%
from reference.answers.optimizers import adam_l2_and_adamw


# %%
@check("equivalent_l2", points=0)
@case("a letter")
def adam_l2_answer_has_the_right_form(student, reference, rng):
    """The answer on Adam is a letter from A to D; whether it is right is found when grading."""
    answer = student.adam_l2_and_adamw
    letter = answer.strip().upper() if isinstance(answer, str) else None
    assert_that(letter in ("A", "B", "C", "D"), "adam_l2_and_adamw: give one of A to D")


self_check(adam_l2_answer_has_the_right_form)


# %%
@check(
    "equivalent_l2",
    points=1,
    hint="What becomes of the penalty's gradient in Adam?",
)
@case("the letter", hidden=True)
def adam_l2_and_adamw_is_right(student, reference, rng):
    """adam_l2_and_adamw says whether a penalty can do the same as AdamW, and why."""
    answer = student.adam_l2_and_adamw
    letter = answer.strip().upper() if isinstance(answer, str) else answer
    assert_equal(letter, reference.adam_l2_and_adamw, what="adam_l2_and_adamw")


# %% [markdown]
# ## 4.3 Proof: penalty and decay (5 points)
#
# 1. Prove that your formula of 4.2 makes `l2_step` and `decay_step` the same step for all $w$ and
#    all $g$, and that no other strength does (for $w \ne 0$).
# 2. Now divide each coordinate of the gradient by its own positive number, as Adagrad, RMSprop
#    and Adam do. Write the step with the penalty inside the gradient as "decay plus gradient
#    step": which share does each coordinate lose? Then settle, with a proof or a counterexample,
#    whether a strength of the penalty exists for which Adam with the penalty equals AdamW.
# 3. Compare, in one or two sentences, how strongly the penalty and the decay pull at weights whose
#    gradients are large, and at weights whose gradients are small.

# %% [markdown] manual=true question="proof_weight_decay" points=5
# ### BEGIN SOLUTION
# **1.** The gradient of $\lambda \lVert w \rVert^2$ is $2 \lambda w$. The step with the penalty
# is $w - \eta (g + 2 \lambda w) = (1 - 2 \eta \lambda)\, w - \eta g$. The step with decay is
# $(1 - \delta)\, w - \eta g$. Their difference is $(\delta - 2 \eta \lambda)\, w$. It vanishes
# for all $w$ if and only if $2 \eta \lambda = \delta$, and for a single $w \ne 0$ already:
# $\lambda = \delta / (2 \eta)$.
#
# **2.** Let coordinate $j$ of the gradient be divided by $r_j > 0$, the root of its mean square
# plus $\varepsilon$. With the penalty in the gradient the step is
# $w_j - \eta (g_j + 2 \lambda w_j) / r_j = (1 - 2 \eta \lambda / r_j)\, w_j - \eta g_j / r_j$, so
# coordinate $j$ loses the share $2 \eta \lambda / r_j$, while decoupled decay takes the same
# share off all of them. Two coordinates with $r_1 \ne r_2$ would need two different $\lambda$.
# Moreover $r_j$ is itself made of $g_j + 2 \lambda w_j$. For Adam a counterexample settles it. At
# the first step, with $\varepsilon = 0$, $\hat m / \sqrt{\hat v}$ is the sign of the gradient
# that Adam is given, so with the penalty no coordinate moves by more than $\eta$, whatever
# $\lambda$ is. AdamW with weight decay $\mu > 0$, at $w = 1$ with $g = 1$, moves by
# $\eta + \eta \mu$. No $\lambda$ makes the two equal.
#
# **3.** A weight whose gradients are large has a large $r_j$, so the penalty takes only the small
# share $2 \eta \lambda / r_j$ off it, and a large share off a weight whose gradients are small.
# Decay takes the same share off every weight. This is why AdamW keeps it outside of the division.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: both steps in the form (factor) times $w$ minus $\eta g$, with the factor 2.
# - 1 point: equal for $\lambda = \delta / (2 \eta)$, and only then.
# - 1 point: the penalty's share is divided by $r_j$, so it differs between coordinates.
# - 1 point: a valid argument that no $\lambda$ works for Adam: two coordinates with different
#   $r_j$, or numbers that were worked out. "AdamW was invented for it" is none.
# - 1 point: the penalty regularises weights with large gradients less, and the decay does not care.
# === END MARK SCHEME ===

# %% [markdown]
# # 5. How far does a larger batch help?
#
# The mean of the gradients of $B$ examples has a variance of $1/B$ times that of one. A larger
# batch therefore allows better steps, at the price of more arithmetic in each, which can be
# spread over more devices. There is an end to that: once the noise is small, what limits the step
# is the curvature of the loss, and no further example helps.

# %% [markdown]
# ## 5.1 The noise-scale model (2 points)
#
# McCandlish et al. (*An Empirical Model of Large-Batch Training*, 2018) sum this up in two
# numbers. $S_{\min}$ is the number of steps to a given loss with a batch so large that its noise
# is gone. A finite batch needs some steps more than that. Their number is inversely proportional
# to the batch size. It equals $S_{\min}$ again at the *critical batch size* $B_{\text{crit}}$.
#
# Turn these sentences into a formula for the number of steps $S(B)$, and write it as a function.
# Before you go on, sketch $S$ against $B$ with logarithmic axes. Where does it fall like $1/B$, so
# that doubling the devices halves the time? Where is it flat? And how many examples $B \cdot S(B)$
# does it take to train at $B_{\text{crit}}$, compared with a tiny batch?
#
# **Look out.** Batch sizes are whole numbers. An integer division, or an array of integers to put
# the result in, cuts the fractions off.

# %%
from reference.batch_size import steps_to_target

# %%
steps_to_target_matches_reference = matches_reference(
    "steps_to_target",
    points=2,
    said="steps_to_target gives the number of steps for one batch size or for many.",
    returns="steps",
    batch_size=arrays(low=1, high=100_000, dtypes=["float64", "int64"]),
    min_steps=whole(1, 100),
    critical_batch_size=interval(0, 300),
    hint="Test the two ends: a huge batch, and the critical one. Fractions have to survive.",
)

self_check(steps_to_target_matches_reference)


# %% [markdown]
# ## 5.2 Six decisions (6 points)
#
# A network was trained to the same loss with batches of several sizes:
#
# | point | batch size | steps | examples |
# |---|---|---|---|
# | A | 32 | 33,000 | 1.1 million |
# |   | 64 | 17,000 | 1.1 million |
# |   | 512 | 3,000 | 1.5 million |
# | C | 1,024 | 2,000 | 2.0 million |
# |   | 2,048 | 1,500 | 3.1 million |
# |   | 16,384 | 1,062 | 17 million |
# | B | 32,768 | 1,031 | 34 million |
#
# Where the batch is so small that the noise of its gradient limits the step, training is *noise
# dominated*; where it is so large that the curvature of the loss does, it is *curvature dominated*.
# First name the regime at A and at B, `"noise"` or `"curvature"` (half a point each). Each other
# question has one right answer, the letter A, B, C or D (1 point). Use the table and the model of
# 5.1. Zhang et al. (*Which Algorithmic Choices Matter at Which Batch Sizes?*, 2019)
# compare such choices on a quadratic where everything can be computed. The last question is about
# the whole budget: Kaplan et al. (*Scaling Laws for Neural Language Models*, 2020) measured what
# more compute is best spent on.

# %%
from reference.answers.optimizers import regime_at_a, regime_at_b


# %%
def regime(answer):
    """Return the first word of an answer that is a text: "noise" for "Noise-dominated"."""
    words = answer.lower().replace("-", " ").split() if isinstance(answer, str) else []
    return words[0] if words else answer


@check(
    "batch_size_choices",
    points=1,
    hint="What does twice the batch change there, near A and near B?",
)
@case("point A", name="regime_at_a", hidden=True)
@case("point B", name="regime_at_b", hidden=True)
def regimes_are_right(student, reference, rng, name):
    """Each point of the table lies in the regime that you named."""
    assert_equal(regime(student[name]), reference[name], what=name)


# %%
from reference.answers.optimizers import efficient_batch


# %%
@check(
    "batch_size_choices",
    points=1,
    hint="Compare with the fewest steps that there can be, and with the fewest examples.",
)
@case("the letter", hidden=True)
def efficient_batch_is_right(student, reference, rng):
    """efficient_batch names the point with the best trade between time and devices."""
    answer = student.efficient_batch
    letter = answer.strip().upper() if isinstance(answer, str) else answer
    assert_equal(letter, reference.efficient_batch, what="efficient_batch")


# %%
from reference.answers.optimizers import larger_batch_learning_rate


# %%
@check(
    "batch_size_choices",
    points=1,
    hint="The best learning rate follows the noise first; what holds it back in the end?",
)
@case("the letter", hidden=True)
def larger_batch_learning_rate_is_right(student, reference, rng):
    """larger_batch_learning_rate names how the best learning rate depends on the batch size."""
    answer = student.larger_batch_learning_rate
    letter = answer.strip().upper() if isinstance(answer, str) else answer
    assert_equal(letter, reference.larger_batch_learning_rate, what="larger_batch_learning_rate")


# %%
from reference.answers.optimizers import noise_dominated_remedy


# %%
@check(
    "batch_size_choices",
    points=1,
    hint="Put twice the batch into steps_to_target, far below the critical size.",
)
@case("the letter", hidden=True)
def noise_dominated_remedy_is_right(student, reference, rng):
    """noise_dominated_remedy names what helps where gradient noise limits the step."""
    answer = student.noise_dominated_remedy
    letter = answer.strip().upper() if isinstance(answer, str) else answer
    assert_equal(letter, reference.noise_dominated_remedy, what="noise_dominated_remedy")


# %%
from reference.answers.optimizers import curvature_dominated_remedy


# %%
@check(
    "batch_size_choices",
    points=1,
    hint="Less noise does not help any more. What deals with steep and flat directions?",
)
@case("the letter", hidden=True)
def curvature_dominated_remedy_is_right(student, reference, rng):
    """curvature_dominated_remedy names what helps where curvature limits the step."""
    answer = student.curvature_dominated_remedy
    letter = answer.strip().upper() if isinstance(answer, str) else answer
    assert_equal(letter, reference.curvature_dominated_remedy, what="curvature_dominated_remedy")


# %%
from reference.answers.optimizers import best_use_of_compute


# %%
@check(
    "batch_size_choices",
    points=1,
    hint="Compare what is left to gain: with more steps, from a larger batch, with a larger model.",
)
@case("the letter", hidden=True)
def best_use_of_compute_is_right(student, reference, rng):
    """best_use_of_compute names what more compute is best spent on."""
    answer = student.best_use_of_compute
    letter = answer.strip().upper() if isinstance(answer, str) else answer
    assert_equal(letter, reference.best_use_of_compute, what="best_use_of_compute")


# %%
@check("batch_size_choices", points=0)
@case("two names, five letters")
def batch_size_choices_have_the_right_form(student, reference, rng):
    """Each answer is a name or a letter; whether it is right is found when grading."""
    for name in ("regime_at_a", "regime_at_b"):
        named = regime(student[name]) in ("noise", "curvature")
        assert_that(named, f'{name}: give "noise" or "curvature"')
    for name in (
        "efficient_batch",
        "larger_batch_learning_rate",
        "noise_dominated_remedy",
        "curvature_dominated_remedy",
        "best_use_of_compute",
    ):
        answer = student[name]
        letter = answer.strip().upper() if isinstance(answer, str) else None
        assert_that(letter in ("A", "B", "C", "D"), f'{name}: give "A", "B", "C" or "D"')


self_check(batch_size_choices_have_the_right_form)
