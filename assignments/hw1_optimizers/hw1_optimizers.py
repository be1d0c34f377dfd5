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
# | 3 | least squares with more weights than examples: which solution is found? | 27 |
# | 4 | L2 penalty and weight decay: one idea or two? | 12 |
# | 5 | how far a larger batch helps | 6 |
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
# The two proofs are read by a person.

# %%
import numpy as np
import torch

from autograder import (
    assert_close,
    assert_dtype,
    assert_equal,
    assert_shape,
    assert_that,
    case,
    check,
    self_check,
)

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
# Robbins and Monro (*A Stochastic Approximation Method*, 1951) showed that noisy gradients do too,
# if the noise averages out and the learning rate falls in the right way: the reason why we may
# train on a few examples at a time.
#
# **Look out.** `a -= b` on a NumPy array does not make a new array: it overwrites the one that the
# caller still holds. A caller who keeps the old weights, to plot a path say, would find them gone.
# %%
from reference.optimizers import sgd_step


# %%
@check(
    "sgd_step",
    points=4,
    pure=True,
    hint="Try weights of every shape, also a single number, and single precision.",
)
@case("a vector", shape=(5,))
@case("a matrix in single precision", shape=(4, 3), dtype="float32")
@case("a number", shape=(), hidden=True)
@case("three axes", shape=(2, 3, 4), hidden=True)
def sgd_step_matches_reference(student, reference, rng, shape, dtype="float64"):
    """sgd_step moves the weights against the gradient, and leaves its arguments as they were."""
    w, grad = rng.normal(size=(2, *shape)).astype(dtype)
    lr = float(rng.uniform(0.1, 0.5))
    got = student.sgd_step(w, grad, lr=lr)
    assert_close(got, reference.sgd_step(w, grad, lr=lr), what="w")
    assert_dtype(got, w, what="w")


self_check(sgd_step_matches_reference)


# %%
@sgd_step_matches_reference.mistake("steps uphill: the gradient has to be subtracted")
def sgd_step(w, grad, lr):
    return w + lr * grad


@sgd_step_matches_reference.mistake("overwrites the caller's weights: -= works in place")
def sgd_step(w, grad, lr):
    w -= lr * grad
    return w


@sgd_step_matches_reference.mistake("overwrites the caller's gradient: *= works in place")
def sgd_step(w, grad, lr):
    grad *= lr
    return w - grad


@sgd_step_matches_reference.mistake("the learning rate is not used")
def sgd_step(w, grad, lr):
    return w - grad


@sgd_step_matches_reference.mistake("returns the change of the weights, not the new weights")
def sgd_step(w, grad, lr):
    return -lr * grad


@sgd_step_matches_reference.mistake("the gradient is scaled to length one; its length matters")
def sgd_step(w, grad, lr):
    return w - lr * grad / np.linalg.norm(grad)


@sgd_step_matches_reference.mistake("one mean gradient for all coordinates")
def sgd_step(w, grad, lr):
    return w - lr * np.mean(grad)


@sgd_step_matches_reference.mistake("double precision throughout: np.zeros has a dtype of its own")
def sgd_step(w, grad, lr):
    new = np.zeros(np.shape(w))
    new += w
    new -= lr * grad
    return new


@sgd_step_matches_reference.mistake("whole numbers only: the new array has an integer dtype")
def sgd_step(w, grad, lr):
    return (w - lr * grad).astype(int)


@sgd_step_matches_reference.mistake(
    "only for vectors: the loop runs over the first axis as numbers"
)
def sgd_step(w, grad, lr):
    return np.array([float(w[i]) - lr * float(grad[i]) for i in range(len(w))], w.dtype)


# %%
@sgd_step_matches_reference.alternative("in place, on a copy")
def sgd_step(w, grad, lr):
    new = np.array(w, copy=True)
    new -= lr * grad
    return new


@sgd_step_matches_reference.alternative("number by number")
def sgd_step(w, grad, lr):
    pairs = zip(np.ravel(w), np.ravel(grad), strict=True)
    return np.array([a - b * lr for a, b in pairs], dtype=w.dtype).reshape(np.shape(w))


@sgd_step_matches_reference.alternative("torch's SGD, handed back as an array")
def sgd_step(w, grad, lr):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    torch.optim.SGD([parameter], lr=lr).step()
    return parameter.detach().numpy()


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
@check(
    "momentum_step",
    points=3,
    pure=True,
    hint="Compare the weight of each term with the two equations, for a velocity that is not zero.",
)
@case("a vector in motion", shape=(5,))
@case("a matrix in single precision", shape=(4, 3), dtype="float32")
@case("a number", shape=(), hidden=True)
@case("a weaker momentum", shape=(2, 3, 4), momentum=0.35, hidden=True)
def momentum_step_matches_reference(student, reference, rng, shape, dtype="float64", **hyper):
    """momentum_step updates the velocity, then moves the weights against the new velocity."""
    w, grad, velocity = rng.normal(size=(3, *shape)).astype(dtype)
    lr = float(rng.uniform(0.1, 0.5))
    got = student.momentum_step(w, grad, velocity, lr=lr, **hyper)
    want = reference.momentum_step(w, grad, velocity, lr=lr, **hyper)
    assert_close(got, want, what="(w, velocity)")
    assert_dtype(got[0], w, what="w")
    assert_dtype(got[1], w, what="velocity")


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


# %%
@momentum_step_matches_reference.mistake(
    "dampening: the new gradient enters the velocity at full weight, not times 1 − μ",
    also=(momentum_steps_follow_reference,),
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + (1 - momentum) * grad
    return w - lr * velocity, velocity


@momentum_step_matches_reference.mistake(
    "the sign of the velocity: it adds up gradients, and the weights move against it",
    also=(momentum_steps_follow_reference,),
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity - grad
    return w + lr * velocity, velocity


@momentum_step_matches_reference.mistake(
    "moves along the velocity, which is uphill", also=(momentum_steps_follow_reference,)
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + grad
    return w + lr * velocity, velocity


@momentum_step_matches_reference.mistake(
    "Nesterov's look-ahead in place of the heavy ball", also=(momentum_steps_follow_reference,)
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + grad
    return w - lr * (grad + momentum * velocity), velocity


@momentum_step_matches_reference.mistake(
    "the learning rate belongs outside the velocity", also=(momentum_steps_follow_reference,)
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + lr * grad
    return w - velocity, velocity


@momentum_step_matches_reference.mistake(
    "moves with the old velocity: it has to be updated before it is used",
    also=(momentum_steps_follow_reference,),
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    return w - lr * velocity, momentum * velocity + grad


@momentum_step_matches_reference.mistake(
    "hands back the old velocity, so that every step starts from rest",
    also=(momentum_steps_follow_reference,),
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    return w - lr * (momentum * velocity + grad), velocity


@momentum_step_matches_reference.mistake(
    "the velocity is missing from the answer", also=(momentum_steps_follow_reference,)
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    return w - lr * (momentum * velocity + grad)


@momentum_step_matches_reference.mistake(
    "weights and velocity in the wrong order", also=(momentum_steps_follow_reference,)
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + grad
    return velocity, w - lr * velocity


@momentum_step_matches_reference.mistake(
    "the momentum damps the gradient in place of the old velocity",
    also=(momentum_steps_follow_reference,),
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = velocity + momentum * grad
    return w - lr * velocity, velocity


@momentum_step_matches_reference.mistake(
    "another default: momentum is 0.9 unless the caller says otherwise",
    also=(momentum_steps_follow_reference,),
)
def momentum_step(w, grad, velocity, lr, momentum=0.5):
    velocity = momentum * velocity + grad
    return w - lr * velocity, velocity


@momentum_step_matches_reference.mistake("a fixed momentum: the argument is not used")
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = 0.9 * velocity + grad
    return w - lr * velocity, velocity


@momentum_step_matches_reference.mistake(
    "overwrites the caller's velocity: *= and += work in place",
    also=(momentum_steps_follow_reference,),
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity *= momentum
    velocity += grad
    return w - lr * velocity, velocity


@momentum_step_matches_reference.mistake(
    "overwrites the caller's weights: -= works in place", also=(momentum_steps_follow_reference,)
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + grad
    w -= lr * velocity
    return w, velocity


# %%
@momentum_step_matches_reference.alternative(
    "torch's SGD with its velocity filled in", also=(momentum_steps_follow_reference,)
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.SGD([parameter], lr=lr, momentum=momentum)
    optimizer.state[parameter]["momentum_buffer"] = torch.tensor(velocity)
    optimizer.step()
    return parameter.detach().numpy(), optimizer.state[parameter]["momentum_buffer"].numpy()


@momentum_step_matches_reference.alternative(
    "two moves, along the old velocity and along the gradient, on copies",
    also=(momentum_steps_follow_reference,),
)
def momentum_step(w, grad, velocity, lr, momentum=0.9):
    coasting = np.multiply(velocity, momentum)
    moved = np.array(w) - coasting * lr
    moved -= grad * lr
    return moved, np.add(grad, coasting)


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
# coordinate, whatever the size of the gradient. If the gradients stay as they are, step $t$ has
# length $\eta / \sqrt t$. Nothing is ever forgotten,
# so the rate can only fall: a blessing for convex problems, a burden for long training runs.
#
# **Look out.** It matters where $\varepsilon$ stands. Take $\varepsilon = 10^{-8}$ and a gradient
# of $10^{-8}$ at the first step. With $\varepsilon$ beside the root the step is half of $\eta$;
# with $\varepsilon$ under the root, where it acts like $10^{-4}$ outside, it is a ten-thousandth
# of $\eta$. Our $\varepsilon$ stands beside the root, as in the formula.

# %%
from reference.optimizers import adagrad_step


# %%
@check(
    "adagrad_step",
    points=2,
    pure=True,
    hint="Each coordinate has a sum of its own, and the sum takes in the current gradient first.",
)
@case("a vector", shape=(5,))
@case("a matrix in single precision", shape=(4, 3), dtype="float32")
@case("a number", shape=(), hidden=True)
@case("a large eps", shape=(2, 3, 4), eps=0.25, hidden=True)
def adagrad_step_matches_reference(student, reference, rng, shape, dtype="float64", **hyper):
    """adagrad_step adds to the sum of squares and scales each coordinate of the step by it."""
    w, grad = rng.normal(size=(2, *shape)).astype(dtype)
    accumulator = rng.uniform(0.5, 4.0, size=(1, *shape)).astype(dtype)[0]
    lr = float(rng.uniform(0.1, 0.5))
    got = student.adagrad_step(w, grad, accumulator, lr=lr, **hyper)
    want = reference.adagrad_step(w, grad, accumulator, lr=lr, **hyper)
    assert_close(got, want, what="(w, accumulator)")
    assert_dtype(got[0], w, what="w")
    assert_dtype(got[1], w, what="accumulator")


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
        assert_close(got, want, what=f"(w, accumulator) after step {step}")


self_check(adagrad_steps_follow_reference)


# %%
@adagrad_step_handles_tiny_gradients.mistake(
    "eps under the root: it belongs beside it, where it acts ten thousand times less"
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + grad**2
    return w - lr * grad / np.sqrt(accumulator + eps), accumulator


@adagrad_step_handles_tiny_gradients.mistake("eps as a lower bound of the root, not added to it")
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + grad**2
    return w - lr * grad / np.maximum(np.sqrt(accumulator), eps), accumulator


@adagrad_step_handles_tiny_gradients.mistake("another default: eps is 1e-8, not torch's 1e-10")
def adagrad_step(w, grad, accumulator, lr, eps=1e-10):
    accumulator = accumulator + grad**2
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator


@adagrad_step_handles_tiny_gradients.mistake("eps is left out, or not used")
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + grad**2
    return w - lr * grad / np.sqrt(accumulator), accumulator


@adagrad_step_handles_tiny_gradients.mistake("eps is added to the sum that is handed back")
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + grad**2 + eps
    return w - lr * grad / np.sqrt(accumulator), accumulator


@adagrad_step_matches_reference.mistake(
    "nothing is summed: the square of the last gradient replaces the sum",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = grad**2
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator


@adagrad_step_matches_reference.mistake(
    "the root is missing: the divisor is the sum of squares itself",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + grad**2
    return w - lr * grad / (accumulator + eps), accumulator


@adagrad_step_matches_reference.mistake(
    "sums sizes, not squares, of the gradients",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + np.abs(grad)
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator


@adagrad_step_matches_reference.mistake(
    "divides by the old sum: the current gradient enters before the sum is used",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator + grad**2


@adagrad_step_matches_reference.mistake(
    "a running mean in place of a sum: that is RMSprop",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = 0.9 * accumulator + 0.1 * grad**2
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator


@adagrad_step_matches_reference.mistake(
    "one sum for all coordinates: each has its own",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + np.sum(grad**2)
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator


@adagrad_step_matches_reference.mistake(
    "hands back the root of the sum as the state",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    root = np.sqrt(accumulator + grad**2)
    return w - lr * grad / (root + eps), root


@adagrad_step_matches_reference.mistake(
    "hands back the old sum, so that nothing adds up from step to step",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    return w - lr * grad / (np.sqrt(accumulator + grad**2) + eps), accumulator


@adagrad_step_matches_reference.mistake(
    "overwrites the caller's sum: += works in place",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator += grad**2
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator


@adagrad_step_matches_reference.mistake(
    "overwrites the caller's weights: -= works in place",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    accumulator = accumulator + grad**2
    w -= lr * grad / (np.sqrt(accumulator) + eps)
    return w, accumulator


@adagrad_step_matches_reference.mistake("only the weights are kept in single precision")
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    total = np.zeros(np.shape(w)) + accumulator + grad**2
    return (w - lr * grad / (np.sqrt(total) + eps)).astype(w.dtype), total


# %%
@adagrad_step_matches_reference.alternative(
    "torch's Adagrad with its sum filled in",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.Adagrad([parameter], lr=lr, eps=eps)
    optimizer.state[parameter]["sum"] = torch.tensor(accumulator)
    optimizer.step()
    return parameter.detach().numpy(), optimizer.state[parameter]["sum"].numpy()


@adagrad_step_matches_reference.alternative(
    "a learning rate for each coordinate first, on copies",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    total = np.array(accumulator, copy=True)
    total += np.square(grad)
    rates = lr / (eps + total**0.5)
    return w - rates * grad, total


@adagrad_step_matches_reference.alternative(
    "number by number",
    also=(adagrad_step_handles_tiny_gradients, adagrad_steps_follow_reference),
)
def adagrad_step(w, grad, accumulator, lr, eps=1e-8):
    new_w, new_sum = np.array(w), np.array(accumulator)
    for i in np.ndindex(np.shape(w)):
        new_sum[i] = np.hypot(np.sqrt(new_sum[i]), np.asarray(grad)[i]) ** 2
        new_w[i] -= lr * np.asarray(grad)[i] / (np.sqrt(new_sum[i]) + eps)
    return new_w, new_sum


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
@check(
    "rmsprop_step",
    points=2,
    pure=True,
    hint="Which share of the mean is old and which is new? Nothing is corrected for the start.",
)
@case("a vector", shape=(5,))
@case("a matrix in single precision", shape=(4, 3), dtype="float32")
@case("a number", shape=(), hidden=True)
@case("a shorter memory", shape=(2, 3, 4), beta=0.6, eps=0.25, hidden=True)
def rmsprop_step_matches_reference(student, reference, rng, shape, dtype="float64", **hyper):
    """rmsprop_step updates the running mean of squares and scales each coordinate by its root."""
    w, grad = rng.normal(size=(2, *shape)).astype(dtype)
    mean_square = rng.uniform(0.5, 4.0, size=(1, *shape)).astype(dtype)[0]
    lr = float(rng.uniform(0.1, 0.5))
    got = student.rmsprop_step(w, grad, mean_square, lr=lr, **hyper)
    want = reference.rmsprop_step(w, grad, mean_square, lr=lr, **hyper)
    assert_close(got, want, what="(w, mean_square)")
    assert_dtype(got[0], w, what="w")
    assert_dtype(got[1], w, what="mean_square")


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
def rmsprop_steps_follow_reference(student, reference, rng, shape, steps, **hyper):
    """A run down a quadratic bowl, in which each step gets the state of the one before, agrees."""
    curvature, target = rng.uniform(0.5, 2.0, size=shape), rng.normal(size=shape)
    got = want = rng.normal(size=shape), np.zeros(shape)
    for step in range(1, steps + 1):
        grad = curvature * (want[0] - target)
        got = student.rmsprop_step(got[0], grad, got[1], lr=0.02, **hyper)
        want = reference.rmsprop_step(want[0], grad, want[1], lr=0.02, **hyper)
        assert_close(got, want, what=f"(w, mean_square) after step {step}")


self_check(rmsprop_steps_follow_reference)


# %%
@rmsprop_step_handles_tiny_gradients.mistake(
    "eps under the root: it belongs beside it, where it acts ten thousand times less"
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / np.sqrt(mean_square + eps), mean_square


@rmsprop_step_handles_tiny_gradients.mistake("eps as a lower bound of the root, not added to it")
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / np.maximum(np.sqrt(mean_square), eps), mean_square


@rmsprop_step_handles_tiny_gradients.mistake("another default: eps is 1e-8, not Keras's 1e-7")
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-7):
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


@rmsprop_step_handles_tiny_gradients.mistake("eps is left out, or not used")
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / np.sqrt(mean_square), mean_square


@rmsprop_step_matches_reference.mistake(
    "β and 1 − β swapped: β is the share of the old mean that is kept",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = (1 - beta) * mean_square + beta * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "the new square enters at full weight: times 1 − β makes it a mean",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = beta * mean_square + grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "the mean of the gradients, not of their squares",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = beta * mean_square + (1 - beta) * grad
    return w - lr * grad / (np.sqrt(np.abs(mean_square)) + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "1 − β stands inside the square",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = beta * mean_square + ((1 - beta) * grad) ** 2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "the root is missing: the divisor is the mean square itself",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / (mean_square + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "divides by the old mean: the current gradient enters before the mean is used",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    new = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), new


@rmsprop_step_matches_reference.mistake(
    "a bias correction: RMSprop has none",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square / (1 - beta)) + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "another default: beta is 0.9, not torch's 0.99",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.99, eps=1e-8):
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "a sum in place of a running mean: that is Adagrad",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square = mean_square + grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "hands back the old mean, so that every step starts afresh",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    root = np.sqrt(beta * mean_square + (1 - beta) * grad**2)
    return w - lr * grad / (root + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "overwrites the caller's mean: *= and += work in place",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean_square *= beta
    mean_square += (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


@rmsprop_step_matches_reference.mistake(
    "overwrites the caller's gradient: the square is taken in place",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    direction = np.array(grad)
    grad *= grad
    mean_square = beta * mean_square + (1 - beta) * grad
    return w - lr * direction / (np.sqrt(mean_square) + eps), mean_square


# %%
@rmsprop_step_matches_reference.alternative(
    "torch's RMSprop with its mean filled in",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.RMSprop([parameter], lr=lr, alpha=beta, eps=eps)
    optimizer.state[parameter] |= {
        "step": torch.tensor(3.0),
        "square_avg": torch.tensor(mean_square),
    }
    optimizer.step()
    return parameter.detach().numpy(), optimizer.state[parameter]["square_avg"].numpy()


@rmsprop_step_matches_reference.alternative(
    "the mean moves part of the way to the new square, on copies",
    also=(rmsprop_step_handles_tiny_gradients, rmsprop_steps_follow_reference),
)
def rmsprop_step(w, grad, mean_square, lr, beta=0.9, eps=1e-8):
    mean = np.array(mean_square, copy=True)
    mean += (1 - beta) * (grad * grad - mean_square)
    new = np.array(w, copy=True)
    new -= lr / (eps + mean**0.5) * grad
    return new, mean


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
@check(
    "adam_step",
    points=4,
    pure=True,
    hint="Check t, the two betas and what you hand back, one by one, for weights of any shape.",
)
@case("the first step", shape=(5,), t=1, lr=0.1)
@case("a later step in single precision", shape=(4, 3), t=7, dtype="float32", lr=0.1)
@case("the defaults", shape=(6,), t=3)
@case("a number", shape=(), t=40, lr=0.2, hidden=True)
@case(
    "betas and eps of one's own",
    shape=(2, 3, 4),
    t=4,
    lr=0.2,
    beta1=0.6,
    beta2=0.8,
    eps=0.25,
    hidden=True,
)
def adam_step_matches_reference(student, reference, rng, shape, t, dtype="float64", **hyper):
    """adam_step updates both running means and moves by their corrected quotient."""
    w, grad, m = rng.normal(size=(3, *shape)).astype(dtype)
    v = rng.uniform(0.5, 2.0, size=(1, *shape)).astype(dtype)[0]
    if t == 1:
        m, v = np.zeros_like(m), np.zeros_like(v)
    got = student.adam_step(w, grad, m, v, t, **hyper)
    assert_close(got, reference.adam_step(w, grad, m, v, t, **hyper), what="(w, m, v)")
    for value, name in zip(got, ("w", "m", "v"), strict=True):
        assert_dtype(value, w, what=name)


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
def adam_steps_follow_reference(student, reference, rng, shape, steps, **hyper):
    """A run down a quadratic bowl, in which each step gets the state of the one before, agrees."""
    curvature, target = rng.uniform(0.5, 2.0, size=shape), rng.normal(size=shape)
    got = want = rng.normal(size=shape), np.zeros(shape), np.zeros(shape)
    for t in range(1, steps + 1):
        grad = curvature * (want[0] - target)
        got = student.adam_step(got[0], grad, got[1], got[2], t, **hyper)
        want = reference.adam_step(want[0], grad, want[1], want[2], t, **hyper)
        assert_close(got, want, what=f"(w, m, v) after step {t}")


self_check(adam_steps_follow_reference)


# %%
EVERY_ADAM_CHECK = (adam_step_handles_tiny_gradients, adam_steps_follow_reference)


@adam_step_handles_tiny_gradients.mistake(
    "eps under the root: it belongs beside it, where it acts ten thousand times less"
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps), m, v


@adam_step_handles_tiny_gradients.mistake(
    "eps is added to the root of v before the correction, which shrinks its effect or blows it up"
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return w - rate * m / (np.sqrt(v) + eps), m, v


@adam_step_handles_tiny_gradients.mistake("eps as a lower bound of the root, not added to it")
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    root = np.sqrt(v / (1 - beta2**t))
    return w - lr * m / (1 - beta1**t) / np.maximum(root, eps), m, v


@adam_step_handles_tiny_gradients.mistake("another default: eps is 1e-8, not Keras's 1e-7")
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-7):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "no bias correction: m and v start at zero and must be divided by 1 − βᵗ",
    also=EVERY_ADAM_CHECK,
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (np.sqrt(v) + eps), m, v


@adam_step_matches_reference.mistake(
    "only m is corrected: v starts at zero too", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v) + eps), m, v


@adam_step_matches_reference.mistake(
    "t is counted from 2: the correction of the first step uses t = 1", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    t = t + 1
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "t is counted from 0: then the first correction divides by zero", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    t = t - 1
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "1 − βt in place of 1 − βᵗ: the correction is a power", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1 * t) / (np.sqrt(np.abs(v / (1 - beta2 * t))) + eps), m, v


@adam_step_matches_reference.mistake(
    "hands back the corrected m and v, which the next step corrects again", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = (beta1 * m + (1 - beta1) * grad) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * grad**2) / (1 - beta2**t)
    return w - lr * m / (np.sqrt(v) + eps), m, v


@adam_step_matches_reference.mistake(
    "v from the square of m: it is the mean of the squared gradients", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * m**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "the old m and v are used: both take in the current gradient first", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    new = w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return new, beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2


@adam_step_matches_reference.mistake(
    "the gradient itself over the root: the numerator is the corrected m", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * grad / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "β₁ and β₂ swapped: m forgets faster than v", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta2 * m + (1 - beta2) * grad
    v = beta1 * v + (1 - beta1) * grad**2
    return w - lr * m / (1 - beta2**t) / (np.sqrt(v / (1 - beta1**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "β and 1 − β swapped: β is the share of the old mean that is kept", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = (1 - beta1) * m + beta1 * grad
    v = (1 - beta2) * v + beta2 * grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "dampening is missing: without 1 − β the running means are sums", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + grad
    v = beta2 * v + grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "the root is missing: the divisor is the corrected v itself", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / (v / (1 - beta2**t) + eps), m, v


@adam_step_matches_reference.mistake(
    "a schedule is left in: the learning rate is not divided by √t", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    lr = lr / np.sqrt(t)
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "another default: the learning rate is 0.001 unless the caller says otherwise",
    also=(adam_steps_follow_reference,),
)
def adam_step(w, grad, m, v, t, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "another default: beta2 is 0.999 unless the caller says otherwise", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.99, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "hands back the old m and v, so that every step starts afresh", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m_hat = (beta1 * m + (1 - beta1) * grad) / (1 - beta1**t)
    v_hat = (beta2 * v + (1 - beta2) * grad**2) / (1 - beta2**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), m, v


@adam_step_matches_reference.mistake(
    "overwrites the caller's m and v: *= and += work in place", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m *= beta1
    m += (1 - beta1) * grad
    v *= beta2
    v += (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adam_step_matches_reference.mistake(
    "overwrites the caller's weights: -= works in place", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    w -= lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w, m, v


@adam_step_matches_reference.mistake("double precision throughout: keep the dtype of the weights")
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    w, grad, m, v = (np.asarray(a, dtype=np.float64) for a in (w, grad, m, v))
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


# %%
@adam_step_matches_reference.alternative(
    "the learning rate takes up both corrections, and eps is scaled to fit", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad * grad - v)
    shrink = float(np.sqrt(1 - beta2**t))
    rate = lr * shrink / (1 - beta1**t)
    return w - rate * m / (v**0.5 + eps * shrink), m, v


@adam_step_matches_reference.alternative(
    "torch's Adam with its state filled in", also=EVERY_ADAM_CHECK
)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.Adam([parameter], lr=lr, betas=(beta1, beta2), eps=eps)
    state = optimizer.state[parameter]
    state["step"] = torch.tensor(t - 1.0)
    state["exp_avg"], state["exp_avg_sq"] = torch.tensor(m), torch.tensor(v)
    optimizer.step()
    return parameter.detach().numpy(), state["exp_avg"].numpy(), state["exp_avg_sq"].numpy()


@adam_step_matches_reference.alternative("number by number, on copies", also=EVERY_ADAM_CHECK)
def adam_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    new = [np.array(a) for a in (w, m, v)]
    for i in np.ndindex(np.shape(w)):
        g = np.asarray(grad)[i]
        new[1][i] = beta1 * new[1][i] + (1 - beta1) * g
        new[2][i] = beta2 * new[2][i] + (1 - beta2) * g * g
        root = np.sqrt(new[2][i]) / np.sqrt(1 - beta2**t)
        new[0][i] -= lr / (root + eps) * new[1][i] / (1 - beta1**t)
    return tuple(new)


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
@check(
    "adamw_step",
    points=4,
    pure=True,
    given=["adam_step"],
    hint="What shrinks, by how much, and when? The running means must not notice.",
)
@case("the first step", shape=(5,), t=1, lr=0.1, weight_decay=0.3)
@case("a later step in single precision", shape=(4, 3), t=7, dtype="float32", lr=0.1)
@case("the defaults", shape=(6,), t=3)
@case("a number", shape=(), t=40, lr=0.2, weight_decay=0.5, hidden=True)
@case(
    "everything of one's own",
    shape=(2, 3, 4),
    t=4,
    lr=0.2,
    beta1=0.6,
    beta2=0.8,
    eps=0.25,
    weight_decay=0.7,
    hidden=True,
)
def adamw_step_matches_reference(student, reference, rng, shape, t, dtype="float64", **hyper):
    """adamw_step shrinks the weights and moves them as Adam does."""
    w, grad, m = rng.normal(size=(3, *shape)).astype(dtype)
    v = rng.uniform(0.5, 2.0, size=(1, *shape)).astype(dtype)[0]
    if t == 1:
        m, v = np.zeros_like(m), np.zeros_like(v)
    w = 3 * w  # so that the decay shows with the defaults too
    got = student.adamw_step(w, grad, m, v, t, **hyper)
    assert_close(got, reference.adamw_step(w, grad, m, v, t, **hyper), what="(w, m, v)")
    for value, name in zip(got, ("w", "m", "v"), strict=True):
        assert_dtype(value, w, what=name)


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
def adamw_steps_follow_reference(student, reference, rng, shape, steps, **hyper):
    """A run down a quadratic bowl, in which each step gets the state of the one before, agrees."""
    curvature, target = rng.uniform(0.5, 2.0, size=shape), rng.normal(size=shape)
    got = want = rng.normal(size=shape), np.zeros(shape), np.zeros(shape)
    for t in range(1, steps + 1):
        grad = curvature * (want[0] - target)
        got = student.adamw_step(got[0], grad, got[1], got[2], t, **hyper)
        want = reference.adamw_step(want[0], grad, want[1], want[2], t, **hyper)
        assert_close(got, want, what=f"(w, m, v) after step {t}")


self_check(adamw_steps_follow_reference)


# %%
EVERY_ADAMW_CHECK = (adamw_step_handles_tiny_gradients, adamw_steps_follow_reference)


@adamw_step_matches_reference.mistake(
    "L2 in the gradient: the decay must not pass through m and v", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w, grad + weight_decay * w, m, v, t, lr, beta1, beta2, eps)


@adamw_step_matches_reference.mistake(
    "the decay is not multiplied by the learning rate", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w - weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)


@adamw_step_matches_reference.mistake(
    "the decay comes after the step and shrinks the step too", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    w, m, v = adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)
    return w - lr * weight_decay * w, m, v


@adamw_step_matches_reference.mistake("no decay at all: this is Adam", also=EVERY_ADAMW_CHECK)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)


@adamw_step_matches_reference.mistake(
    "the weights grow in place of shrinking", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w + lr * weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)


@adamw_step_matches_reference.mistake(
    "a factor 2 in the decay: that is the gradient of a squared norm", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w - 2 * lr * weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)


@adamw_step_matches_reference.mistake(
    "the decay is divided by the root too: only the gradient's part is", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    new, m, v = adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)
    return new - lr * weight_decay * w / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@adamw_step_matches_reference.mistake(
    "a fixed amount is taken off every weight, not a share of it", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w - lr * weight_decay * np.sign(w), grad, m, v, t, lr, beta1, beta2, eps)


@adamw_step_matches_reference.mistake("another default: weight_decay is 0.01, not zero")
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    return adam_step(w - lr * weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)


@adamw_step_matches_reference.mistake("another default: the learning rate is 0.001")
def adamw_step(w, grad, m, v, t, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w - lr * weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)


@adamw_step_matches_reference.mistake(
    "the betas and eps of the call are not handed on to Adam's step"
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w - lr * weight_decay * w, grad, m, v, t, lr)


@adamw_step_matches_reference.mistake(
    "no bias correction: m and v start at zero and must be divided by 1 − βᵗ",
    also=EVERY_ADAMW_CHECK,
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return (1 - lr * weight_decay) * w - lr * m / (np.sqrt(v) + eps), m, v


@adamw_step_matches_reference.mistake(
    "t is counted from 2: the correction of the first step uses t = 1", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return adam_step(w - lr * weight_decay * w, grad, m, v, t + 1, lr, beta1, beta2, eps)


@adamw_step_handles_tiny_gradients.mistake(
    "eps under the root: it belongs beside it, where it acts ten thousand times less"
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    step = m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps)
    return (1 - lr * weight_decay) * w - lr * step, m, v


@adamw_step_matches_reference.mistake(
    "hands back the old m and v, so that every step starts afresh", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    new, _, _ = adam_step(w - lr * weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)
    return new, m, v


@adamw_step_matches_reference.mistake(
    "overwrites the caller's weights: *= works in place", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    w *= 1 - lr * weight_decay
    return adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)


# %%
@adamw_step_matches_reference.alternative(
    "the decay and Adam's step are added up at the end", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad * grad - v)
    shrink = float(np.sqrt(1 - beta2**t))
    direction = m * (shrink / (1 - beta1**t)) / (v**0.5 + eps * shrink)
    return w - lr * (direction + weight_decay * w), m, v


@adamw_step_matches_reference.alternative(
    "torch's AdamW with its state filled in", also=EVERY_ADAMW_CHECK
)
def adamw_step(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.AdamW(
        [parameter], lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay
    )
    state = optimizer.state[parameter]
    state["step"] = torch.tensor(t - 1.0)
    state["exp_avg"], state["exp_avg_sq"] = torch.tensor(m), torch.tensor(v)
    optimizer.step()
    return parameter.detach().numpy(), state["exp_avg"].numpy(), state["exp_avg_sq"].numpy()


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
    student, reference, rng, shapes, steps, dtype="float64", size=1.0, **settings
):
    """MyAdam moves every parameter as Adam does, step by step, and leaves the gradients alone."""
    weights = [rng.normal(size=(1, *shape)).astype(dtype)[0] for shape in shapes]
    gradients = [
        [(size * rng.normal(size=(1, *shape))).astype(dtype)[0] for shape in shapes]
        for _ in range(steps)
    ]
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
    assert_close(got["weights"], want["weights"], what="weights[step][group]")


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
    assert_close(got["weights"], want["weights"], what="weights[step][parameter]")


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
    assert_close(got["weights"], want["weights"], what="weights[step][parameter]")


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
    assert_close(got, want, what="(losses, weights)")


self_check(my_adam_returns_the_loss_of_its_closure)


# %%
class AdamFrame(torch.optim.Optimizer):
    """The frame that students are given; a variant below says how one parameter is updated."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, p.grad, self.state[p], group)
        return loss

    def update(self, p, g, state, group):
        self.average(g, state, group)
        p -= group["lr"] * self.direction(state, group)

    def average(self, g, state, group):
        beta1, beta2 = group["betas"]
        state["t"] = state.get("t", 0) + 1
        state["m"] = beta1 * state.get("m", torch.zeros_like(g)) + (1 - beta1) * g
        state["v"] = beta2 * state.get("v", torch.zeros_like(g)) + (1 - beta2) * g * g

    def direction(self, state, group):
        beta1, beta2 = group["betas"]
        m_hat = state["m"] / (1 - beta1 ** state["t"])
        return m_hat / (torch.sqrt(state["v"] / (1 - beta2 ** state["t"])) + group["eps"])


EVERY_TRAINING = (
    my_adam_obeys_each_group,
    my_adam_counts_the_steps_of_each_parameter,
    my_adam_resumes_from_a_saved_state,
    my_adam_returns_the_loss_of_its_closure,
)


@my_adam_follows_reference.mistake(
    "no bias correction: m and v start at zero and must be divided by 1 − βᵗ", also=EVERY_TRAINING
)
class MyAdam(AdamFrame):
    def direction(self, state, group):
        return state["m"] / (torch.sqrt(state["v"]) + group["eps"])


@my_adam_follows_reference.mistake(
    "t is counted from 2: it grows once too often before the first step", also=EVERY_TRAINING
)
class MyAdam(AdamFrame):
    def average(self, g, state, group):
        state.setdefault("t", 1)
        super().average(g, state, group)


@my_adam_follows_reference.mistake("eps under the root: it belongs beside it")
class MyAdam(AdamFrame):
    def direction(self, state, group):
        beta1, beta2 = group["betas"]
        m_hat = state["m"] / (1 - beta1 ** state["t"])
        return m_hat / torch.sqrt(state["v"] / (1 - beta2 ** state["t"]) + group["eps"])


@my_adam_follows_reference.mistake("eps is added to the root of v before the correction")
class MyAdam(AdamFrame):
    def direction(self, state, group):
        beta1, beta2 = group["betas"]
        scale = (1 - beta2 ** state["t"]) ** 0.5 / (1 - beta1 ** state["t"])
        return scale * state["m"] / (torch.sqrt(state["v"]) + group["eps"])


@my_adam_follows_reference.mistake(
    "the state is shared: every parameter needs its own m, v and t",
    also=(my_adam_obeys_each_group, my_adam_counts_the_steps_of_each_parameter),
)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, self.state["shared"], group)


@my_adam_follows_reference.mistake(
    "one count of steps, which grows with every parameter",
    also=(my_adam_obeys_each_group, my_adam_counts_the_steps_of_each_parameter),
)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        self.t = getattr(self, "t", 0) + 1
        state["t"] = self.t - 1
        super().update(p, g, state, group)


@my_adam_counts_the_steps_of_each_parameter.mistake(
    "one count of steps for all parameters: a late one starts with a large t"
)
class MyAdam(AdamFrame):
    def step(self, closure=None):
        self.calls = getattr(self, "calls", -1) + 1
        return super().step(closure)

    def update(self, p, g, state, group):
        state["t"] = self.calls
        super().update(p, g, state, group)


@my_adam_counts_the_steps_of_each_parameter.mistake(
    "a missing gradient taken for zero: the parameter coasts on, and counts a step"
)
class MyAdam(AdamFrame):
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        return super().step(closure)


@my_adam_counts_the_steps_of_each_parameter.mistake(
    "stops at the first parameter without a gradient, and never reaches the others"
)
class MyAdam(AdamFrame):
    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure else None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    return loss
                self.update(p, p.grad, self.state[p], group)
        return loss


@my_adam_follows_reference.mistake(
    "the state is not stored, so that every step is a first step", also=EVERY_TRAINING
)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, {}, group)


@my_adam_resumes_from_a_saved_state.mistake(
    "the state is kept outside of self.state, and is lost when a run is resumed"
)
class MyAdam(AdamFrame):
    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.memory = {}

    def update(self, p, g, state, group):
        super().update(p, g, self.memory.setdefault(p, {}), group)


@my_adam_resumes_from_a_saved_state.mistake(
    "m and v are saved, but the count of steps is not, so t starts again at 1"
)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        self.counts = getattr(self, "counts", {})
        state["t"] = self.counts.get(p, 0)
        self.counts[p] = state["t"] + 1
        super().update(p, g, state, group)


@my_adam_obeys_each_group.mistake("the settings of the first group are used for all groups")
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, state, self.param_groups[0])


@my_adam_obeys_each_group.mistake("the optimizer's defaults are used in place of the group's")
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, state, self.defaults)


@my_adam_follows_reference.mistake(
    "the settings are written into the code: the arguments are not used",
    also=(my_adam_obeys_each_group,),
)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, state, {"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8})


@my_adam_follows_reference.mistake(
    "a new tensor in place of the parameter, which the model never sees", also=EVERY_TRAINING
)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        self.average(g, state, group)
        p = p - group["lr"] * self.direction(state, group)


@my_adam_follows_reference.mistake("steps uphill", also=EVERY_TRAINING)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        self.average(g, state, group)
        p += group["lr"] * self.direction(state, group)


@my_adam_follows_reference.mistake("the gradient is changed in place: it belongs to the caller")
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g.clone(), state, group)
        g.mul_(1 - group["betas"][0])


@my_adam_follows_reference.mistake(
    "v from the square of m: it is the mean of the squared gradients", also=EVERY_TRAINING
)
class MyAdam(AdamFrame):
    def average(self, g, state, group):
        beta2, old = group["betas"][1], state.get("v", torch.zeros_like(g))
        super().average(g, state, group)
        state["v"] = beta2 * old + (1 - beta2) * state["m"] ** 2


@my_adam_follows_reference.mistake(
    "the corrected m and v are stored, and corrected again in the next step", also=EVERY_TRAINING
)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        self.average(g, state, group)
        beta1, beta2 = group["betas"]
        state["m"] = state["m"] / (1 - beta1 ** state["t"])
        state["v"] = state["v"] / (1 - beta2 ** state["t"])
        p -= group["lr"] * state["m"] / (torch.sqrt(state["v"]) + group["eps"])


@my_adam_follows_reference.mistake("another default: the learning rate is 0.001")
class MyAdam(AdamFrame):
    def __init__(self, params, lr=1e-2, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas, eps)


@my_adam_follows_reference.mistake("another default: eps is 1e-8, not Keras's 1e-7")
class MyAdam(AdamFrame):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-7):
        super().__init__(params, lr, betas, eps)


@my_adam_returns_the_loss_of_its_closure.mistake(
    "step returns nothing, although a closure was given"
)
class MyAdam(AdamFrame):
    def step(self, closure=None):
        super().step(closure)


@my_adam_returns_the_loss_of_its_closure.mistake("the closure is never called")
class MyAdam(AdamFrame):
    def step(self, closure=None):
        return super().step(None)


@my_adam_returns_the_loss_of_its_closure.mistake(
    "the closure is called after the update too, so that the loss is that of the next step"
)
class MyAdam(AdamFrame):
    def step(self, closure=None):
        super().step(closure)
        return closure() if closure else None


my_adam_follows_reference.mistake(
    "torch's own Adam under another name: the update is to be your own", MyAdam=torch.optim.Adam
)


# %%
@my_adam_follows_reference.alternative(
    "the learning rate takes up both corrections, and eps is scaled to fit", also=EVERY_TRAINING
)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        if not state:
            state.update(step=0, first=torch.zeros_like(p), second=torch.zeros_like(p))
        beta1, beta2 = group["betas"]
        state["step"] += 1
        state["first"].lerp_(g, 1 - beta1)
        state["second"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        shrink = (1 - beta2 ** state["step"]) ** 0.5
        rate = group["lr"] * shrink / (1 - beta1 ** state["step"])
        p.addcdiv_(state["first"], state["second"].sqrt() + shrink * group["eps"], value=-rate)


@my_adam_follows_reference.alternative(
    "all parameters of a group at once, with torch's foreach operations", also=EVERY_TRAINING
)
class MyAdam(AdamFrame):
    @torch.no_grad()
    def step(self, closure=None):
        with torch.enable_grad():
            loss = None if closure is None else closure()
        for group in self.param_groups:
            if active := [p for p in group["params"] if p.grad is not None]:
                self.update_all(active, group)
        return loss

    def update_all(self, active, group):
        beta1, beta2 = group["betas"]
        states = [self.state[p] for p in active]
        for p, state in zip(active, states, strict=True):
            state["t"] = state.get("t", 0) + 1
            state.setdefault("m", torch.zeros_like(p))
            state.setdefault("v", torch.zeros_like(p))
        grads, ms, vs = [p.grad for p in active], *([s[k] for s in states] for k in "mv")
        torch._foreach_mul_(ms, beta1)
        torch._foreach_add_(ms, grads, alpha=1 - beta1)
        torch._foreach_mul_(vs, beta2)
        torch._foreach_addcmul_(vs, grads, grads, value=1 - beta2)
        roots = torch._foreach_sqrt(vs)
        torch._foreach_div_(roots, [(1 - beta2 ** s["t"]) ** 0.5 for s in states])
        torch._foreach_add_(roots, group["eps"])
        moves = torch._foreach_div(ms, roots)
        torch._foreach_mul_(moves, [-group["lr"] / (1 - beta1 ** s["t"]) for s in states])
        torch._foreach_add_(active, moves)


@my_adam_follows_reference.alternative(
    "the functions of part 1, on arrays that are copied back", also=EVERY_TRAINING
)
class MyAdam(AdamFrame):
    def update(self, p, g, state, group):
        zeros = torch.zeros_like(p)
        t = state["t"] = state.get("t", 0) + 1
        tensors = p.detach(), g, state.get("m", zeros), state.get("v", zeros)
        arrays = [a.numpy() for a in tensors]
        new = adam_step(*arrays, t, group["lr"], *group["betas"], group["eps"])
        w, state["m"], state["v"] = (torch.as_tensor(a) for a in new)
        p.copy_(w)


# %% [markdown]
# # 3. Which solution does an optimizer find?
#
# A linear model predicts $X w$. Each row of $X \in \mathbb R^{n \times d}$ is an example, and
# $t \in \mathbb R^n$ holds the targets. If there are more weights than examples ($n < d$) and the
# rows are linearly independent, then $X w = t$ has infinitely many solutions, all of them with
# loss zero. This is the smallest model of a network that can fit anything, and on it we can work
# out which solution is found.

# %% [markdown]
# ## 3.1 Loss and gradient (5 points)
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
@check(
    "least_squares",
    points=2,
    pure=True,
    hint="A mean over the examples, no factor 1/2, and a single number as the answer.",
)
@case("more examples than weights", n=6, d=3)
@case("more weights than examples", n=3, d=8, hidden=True)
@case("float32", n=5, d=4, dtype="float32", hidden=True)
def least_squares_loss_matches_reference(student, reference, rng, n, d, dtype="float64"):
    """least_squares_loss is the mean of the squared residuals over the examples."""
    X, w, t = (rng.normal(size=size).astype(dtype) for size in ((n, d), d, n))
    got = student.least_squares_loss(X, w, t)
    assert_close(got, reference.least_squares_loss(X, w, t), what="loss")


self_check(least_squares_loss_matches_reference)


# %%
from reference.least_squares import least_squares_gradient


# %%
@check(
    "least_squares",
    points=3,
    pure=True,
    hint="Hold it against a difference quotient of your loss, with n and d different.",
)
@case("more examples than weights", n=6, d=3)
@case("more weights than examples", n=3, d=8, hidden=True)
@case("float32", n=5, d=4, dtype="float32", hidden=True)
@case("a single example", n=1, d=4, hidden=True)
def least_squares_gradient_matches_reference(student, reference, rng, n, d, dtype="float64"):
    """least_squares_gradient is the gradient of the mean squared residual, one number a weight."""
    X, w, t = (rng.normal(size=size).astype(dtype) for size in ((n, d), d, n))
    got = student.least_squares_gradient(X, w, t)
    assert_close(got, reference.least_squares_gradient(X, w, t), what="gradient")
    assert_dtype(got, X, what="gradient")


self_check(least_squares_gradient_matches_reference)


# %%
@least_squares_loss_matches_reference.mistake(
    "the sum of the squares, not their mean: 1/n is missing"
)
def least_squares_loss(X, w, t):
    return np.sum((X @ w - t) ** 2)


@least_squares_loss_matches_reference.mistake("a factor 1/2 that the definition does not have")
def least_squares_loss(X, w, t):
    return np.mean((X @ w - t) ** 2) / 2


@least_squares_loss_matches_reference.mistake(
    "the mean over the d weights, not over the n examples"
)
def least_squares_loss(X, w, t):
    return np.sum((X @ w - t) ** 2) / len(w)


@least_squares_loss_matches_reference.mistake("the norm of the residuals, not its square")
def least_squares_loss(X, w, t):
    return np.linalg.norm(X @ w - t) / len(t)


@least_squares_loss_matches_reference.mistake("the sizes of the residuals, not their squares")
def least_squares_loss(X, w, t):
    return np.mean(np.abs(X @ w - t))


@least_squares_loss_matches_reference.mistake("the square of the mean, not the mean of the squares")
def least_squares_loss(X, w, t):
    return np.mean(X @ w - t) ** 2


@least_squares_loss_matches_reference.mistake("one loss for each example: the mean is missing")
def least_squares_loss(X, w, t):
    return (X @ w - t) ** 2


@least_squares_loss_matches_reference.mistake(
    "a column minus a row: the residuals became an n by n matrix"
)
def least_squares_loss(X, w, t):
    return np.mean((X @ w - t[:, None]) ** 2)


@least_squares_loss_matches_reference.mistake("overwrites the caller's targets: -= works in place")
def least_squares_loss(X, w, t):
    t -= X @ w
    return np.mean(t**2)


@least_squares_gradient_matches_reference.mistake("the factor 2 of the square is missing")
def least_squares_gradient(X, w, t):
    return X.T @ (X @ w - t) / len(t)


@least_squares_gradient_matches_reference.mistake("1/n is missing: the loss is a mean")
def least_squares_gradient(X, w, t):
    return 2 * X.T @ (X @ w - t)


@least_squares_gradient_matches_reference.mistake(
    "the mean over the d weights, not over the n examples"
)
def least_squares_gradient(X, w, t):
    return 2 / len(w) * X.T @ (X @ w - t)


@least_squares_gradient_matches_reference.mistake(
    "the sign: the residual is prediction minus target"
)
def least_squares_gradient(X, w, t):
    return 2 / len(t) * X.T @ (t - X @ w)


@least_squares_gradient_matches_reference.mistake("the targets are left out")
def least_squares_gradient(X, w, t):
    return 2 / len(t) * X.T @ X @ w


@least_squares_gradient_matches_reference.mistake(
    "one row for each example: the sum over the examples is missing"
)
def least_squares_gradient(X, w, t):
    return 2 / len(t) * X * (X @ w - t)[:, None]


@least_squares_gradient_matches_reference.mistake(
    "the gradient with respect to the predictions, not w"
)
def least_squares_gradient(X, w, t):
    return 2 / len(t) * (X @ w - t)


@least_squares_gradient_matches_reference.mistake("the derivative of the norm, not of its square")
def least_squares_gradient(X, w, t):
    return X.T @ (X @ w - t) / np.linalg.norm(X @ w - t)


@least_squares_gradient_matches_reference.mistake(
    "double precision throughout: np.zeros has a dtype of its own"
)
def least_squares_gradient(X, w, t):
    total = np.zeros(len(w))
    for x, target in zip(X, t, strict=True):
        total += 2 / len(t) * (x @ w - target) * x
    return total


# %%
@least_squares_loss_matches_reference.alternative("multiplied out, without residuals")
def least_squares_loss(X, w, t):
    return (w @ (X.T @ X) @ w - 2 * (X.T @ t) @ w + t @ t) / len(t)


@least_squares_loss_matches_reference.alternative("example by example, as a Python number")
def least_squares_loss(X, w, t):
    return sum(float(x @ w - target) ** 2 for x, target in zip(X, t, strict=True)) / X.shape[0]


@least_squares_loss_matches_reference.alternative("torch's mean squared error")
def least_squares_loss(X, w, t):
    X, w, t = (torch.from_numpy(a) for a in (X, w, t))
    return torch.nn.functional.mse_loss(X @ w, t)


@least_squares_gradient_matches_reference.alternative("multiplied out, without residuals")
def least_squares_gradient(X, w, t):
    return (2 * (X.T @ X) @ w - 2 * X.T @ t) / X.shape[0]


@least_squares_gradient_matches_reference.alternative("torch's automatic differentiation")
def least_squares_gradient(X, w, t):
    X, w, t = (torch.from_numpy(a) for a in (X, w, t))
    w.requires_grad_()
    return torch.autograd.grad(((X @ w - t) ** 2).mean(), w)[0].numpy()


@least_squares_gradient_matches_reference.alternative("example by example")
def least_squares_gradient(X, w, t):
    parts = [(x @ w - target) * x for x, target in zip(X, t, strict=True)]
    return 2 * np.mean(parts, axis=0)


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
@case("three examples, seven weights", n=3, d=7)
@case("small entries", n=3, d=9, size=1e-3)
@case("whole numbers in one example", n=1, d=2, whole=True, hidden=True)
@case("many weights", n=6, d=60, hidden=True)
@case("float32", n=2, d=30, dtype="float32", hidden=True)
def minimum_norm_solution_matches_reference(
    student, reference, rng, n, d, size=1.0, dtype="float64", whole=False
):
    """minimum_norm_solution returns the shortest weights that fit all targets."""
    X = rng.integers(1, 9, size=(n, d)) if whole else size * rng.normal(size=(n, d))
    X, t = X.astype(dtype), rng.normal(size=n).astype(dtype)
    got = student.minimum_norm_solution(X, t)
    # Solving a system multiplies rounding errors by its condition number, a hundred or so here.
    rtol, atol = (1e-7, 1e-10) if dtype == "float64" else (1e-3, 1e-4)
    assert_close(got, reference.minimum_norm_solution(X, t), rtol=rtol, atol=atol, what="w")
    assert_dtype(got, X, what="w")


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


# %%
EVERY_MINIMUM_NORM_CHECK = (minimum_norm_solution_fits_and_is_shortest,)


@minimum_norm_solution_matches_reference.mistake(
    "the normal equations: XᵀX is singular if there are more weights than examples",
    also=EVERY_MINIMUM_NORM_CHECK,
)
def minimum_norm_solution(X, t):
    return np.linalg.solve(X.T @ X, X.T @ t)


@minimum_norm_solution_matches_reference.mistake(
    "the inverse of XᵀX, which has none: rounding only hides it", also=EVERY_MINIMUM_NORM_CHECK
)
def minimum_norm_solution(X, t):
    return np.linalg.inv(X.T @ X) @ X.T @ t


@minimum_norm_solution_matches_reference.mistake(
    "Xᵀ(XᵀX)⁻¹ for Xᵀ(XXᵀ)⁻¹: the shapes do not fit", also=EVERY_MINIMUM_NORM_CHECK
)
def minimum_norm_solution(X, t):
    return X.T @ np.linalg.inv(X.T @ X) @ t


@minimum_norm_solution_matches_reference.mistake(
    "ridge regression: the added term makes the system solvable, and the answer wrong"
)
def minimum_norm_solution(X, t):
    return np.linalg.solve(X.T @ X + 1e-8 * np.eye(X.shape[1], dtype=X.dtype), X.T @ t)


@minimum_norm_solution_matches_reference.mistake(
    "ridge regression with a large term: the targets are not fitted", also=EVERY_MINIMUM_NORM_CHECK
)
def minimum_norm_solution(X, t):
    return X.T @ np.linalg.solve(X @ X.T + 0.01 * np.eye(len(t), dtype=X.dtype), t)


@minimum_norm_solution_matches_reference.mistake(
    "a solution, but not the shortest: only the first n weights are used",
    also=EVERY_MINIMUM_NORM_CHECK,
)
def minimum_norm_solution(X, t):
    w = np.zeros_like(X[0])
    w[: len(t)] = np.linalg.solve(X[:, : len(t)], t)
    return w


@minimum_norm_solution_matches_reference.mistake(
    "gradient descent from random weights: what it starts with outside of the row space stays",
    also=EVERY_MINIMUM_NORM_CHECK,
)
def minimum_norm_solution(X, t):
    start = np.random.default_rng(0).normal(size=X.shape[1]).astype(X.dtype)
    return start + X.T @ np.linalg.solve(X @ X.T, t - X @ start)


@minimum_norm_solution_matches_reference.mistake(
    "too few steps of gradient descent: the answer is only on its way",
    also=EVERY_MINIMUM_NORM_CHECK,
)
def minimum_norm_solution(X, t):
    w, lr = np.zeros_like(X[0]), 0.5 / np.linalg.norm(X) ** 2
    for _ in range(20):
        w = w - lr * 2 * X.T @ (X @ w - t)
    return w.astype(X.dtype)


@minimum_norm_solution_matches_reference.mistake(
    "the coefficients of the rows, not the weights: multiply by Xᵀ",
    also=EVERY_MINIMUM_NORM_CHECK,
)
def minimum_norm_solution(X, t):
    return np.linalg.solve(X @ X.T, t)


@minimum_norm_solution_matches_reference.mistake(
    "Xᵀt alone: the rows are neither of length one nor orthogonal", also=EVERY_MINIMUM_NORM_CHECK
)
def minimum_norm_solution(X, t):
    return X.T @ t


@minimum_norm_solution_matches_reference.mistake(
    "the size of each target is divided out one by one: the rows are not orthogonal",
    also=EVERY_MINIMUM_NORM_CHECK,
)
def minimum_norm_solution(X, t):
    w = X.T @ (t / np.sum(X**2, axis=1))
    return w if len(t) > 1 else np.zeros_like(w)


# %%
@minimum_norm_solution_matches_reference.alternative(
    "the pseudoinverse", also=EVERY_MINIMUM_NORM_CHECK
)
def minimum_norm_solution(X, t):
    return np.linalg.pinv(X) @ t


@minimum_norm_solution_matches_reference.alternative(
    "a least squares routine, which returns the shortest of many",
    also=EVERY_MINIMUM_NORM_CHECK,
)
def minimum_norm_solution(X, t):
    return np.linalg.lstsq(X, t)[0]


@minimum_norm_solution_matches_reference.alternative(
    "a QR decomposition of the transpose", also=EVERY_MINIMUM_NORM_CHECK
)
def minimum_norm_solution(X, t):
    q, r = np.linalg.qr(X.T)
    return q @ np.linalg.solve(r.T, t)


@minimum_norm_solution_matches_reference.alternative(
    "a singular value decomposition", also=EVERY_MINIMUM_NORM_CHECK
)
def minimum_norm_solution(X, t):
    u, s, vt = np.linalg.svd(X, full_matrices=False)
    return vt.T @ ((u.T @ t) / s)


@minimum_norm_solution_matches_reference.alternative(
    "any solution, with its part outside of the row space taken away",
    also=EVERY_MINIMUM_NORM_CHECK,
)
def minimum_norm_solution(X, t):
    X_, t_ = torch.from_numpy(X), torch.from_numpy(t)
    anything = torch.linalg.lstsq(X_, t_[:, None], driver="gelsd").solution[:, 0]
    _, _, vt = torch.linalg.svd(X_)
    null = vt[len(t) :]
    return (anything - null.T @ (null @ anything)).numpy()


# %% [markdown]
# ## 3.3 Stochastic gradient descent, step by step (7 points)
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
@check(
    "sgd_least_squares",
    points=3,
    pure=True,
    given=["least_squares_gradient"],
    hint="Take `order` literally: repeated rows, a batch that is cut short, floats throughout.",
)
@case("one example at a time", n=4, d=6, length=9)
@case("batches of two", n=5, d=3, length=8, batch_size=2)
@case("a last batch that is shorter", n=6, d=4, length=11, batch_size=4, hidden=True)
@case("a batch larger than the data", n=3, d=5, length=7, batch_size=20, hidden=True)
@case("float32", n=4, d=5, length=6, batch_size=3, dtype="float32", hidden=True)
@case("whole numbers", n=3, d=4, length=5, dtype="int64", hidden=True)
def sgd_least_squares_matches_reference(
    student, reference, rng, n, d, length, dtype="float64", **settings
):
    """sgd_least_squares returns the zero start and the weights after every step."""
    X, t = (3 * rng.normal(size=(n, d))).astype(dtype), rng.normal(size=n)
    t = t if dtype == "int64" else t.astype(dtype)
    order = rng.integers(n, size=length)
    got = student.sgd_least_squares(X, t, order, lr=0.01, **settings)
    want = reference.sgd_least_squares(X, t, order, lr=0.01, **settings)
    assert_close(got, want, what="iterates")
    assert_dtype(got, want, what="iterates")


self_check(sgd_least_squares_matches_reference)


# %%
@check(
    "sgd_least_squares",
    points=2,
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
    points=2,
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


# %%
EVERY_RUN = (
    sgd_least_squares_stays_in_the_row_space,
    sgd_least_squares_finds_the_minimum_norm_solution,
)


def run_of_sgd(X, batches, lr, gradient, start=None):
    """A run for the variants below: `gradient(w, rows)` says where a step goes."""
    w = np.zeros(X.shape[1]) if start is None else start
    path = [w]
    for rows in batches:
        path.append(path[-1] - lr * gradient(path[-1], rows))
    return np.array(path).astype(np.result_type(X.dtype, 1.0))


def cut(order, batch_size):
    """Return the batches of a run."""
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


@sgd_least_squares_matches_reference.mistake(
    "a start that is not zero: what lies outside of the row space stays there", also=EVERY_RUN
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    start = 0.1 * np.random.default_rng(0).normal(size=X.shape[1])
    return run_of_sgd(X, cut(order, batch_size), lr, gradient, start)


@sgd_least_squares_matches_reference.mistake(
    "a start at ones: the run begins at zero", also=EVERY_RUN
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient, np.ones(X.shape[1]))


@sgd_least_squares_matches_reference.mistake(
    "the start is missing from the iterates", also=EVERY_RUN
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)[1:]


@sgd_least_squares_matches_reference.mistake(
    "only the last weights are handed back", also=EVERY_RUN
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)[-1]


@sgd_least_squares_matches_reference.mistake(
    "one array many times over: each iterate needs a copy",
    also=(sgd_least_squares_stays_in_the_row_space,),
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    w = np.zeros(X.shape[1], dtype=np.result_type(X.dtype, 1.0))
    path = [w]
    for rows in cut(order, batch_size):
        w -= lr * least_squares_gradient(X[rows], w, t[rows])
        path.append(w)
    return np.array(path)


@sgd_least_squares_matches_reference.mistake("a last batch that is not full is thrown away")
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    full = [rows for rows in cut(order, batch_size) if len(rows) == batch_size]
    return run_of_sgd(X, full, lr, gradient)


@sgd_least_squares_matches_reference.mistake(
    "a last batch that is shorter is divided by batch_size, not by its own size"
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows]) * len(rows) / batch_size

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake(
    "divided by all n examples: the mean is over the batch"
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return 2 / len(t) * X[rows].T @ (X[rows] @ w - t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake(
    "the gradient of one example is divided by n: a batch of one is its own mean"
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        count = len(t) if batch_size == 1 else len(rows)
        return 2 / count * X[rows].T @ (X[rows] @ w - t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake("the sum over the batch, not the mean")
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return 2 * X[rows].T @ (X[rows] @ w - t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake("the factor 2 of the square is missing")
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return X[rows].T @ (X[rows] @ w - t[rows]) / len(rows)

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake(
    "the full gradient in every step: only the batch counts"
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X, w, t)

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake("the order is not used: the rows are taken in turn")
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(np.arange(len(order)) % len(t), batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake("the order is shuffled once more")
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    order = np.random.default_rng(0).permutation(order)
    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake(
    "an example that comes twice in a batch counts only once"
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        rows = np.unique(rows)
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake("batch_size is not used: one example at a time")
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, 1), lr, gradient)


@sgd_least_squares_matches_reference.mistake(
    "every gradient is taken at the start, not at the last w"
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], 0 * w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake(
    "a schedule is left in: the learning rate stays the same"
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    path = [np.zeros(X.shape[1])]
    for step, rows in enumerate(cut(order, batch_size), start=1):
        move = least_squares_gradient(X[rows], path[-1], t[rows])
        path.append(path[-1] - lr / np.sqrt(step) * move)
    return np.array(path).astype(np.result_type(X.dtype, 1.0))


@sgd_least_squares_finds_the_minimum_norm_solution.mistake(
    "stops as soon as the steps get small, short of the solution"
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        slope = least_squares_gradient(X[rows], w, t[rows])
        return slope if np.linalg.norm(slope) > 1e-3 else 0 * slope

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@sgd_least_squares_matches_reference.mistake("steps uphill", also=EVERY_RUN)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return -least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), min(lr, 0.01), gradient)


@sgd_least_squares_matches_reference.mistake(
    "whole numbers are truncated: the iterates took over the integer dtype of X"
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    batches = cut(order, batch_size)
    path = np.zeros((len(batches) + 1, X.shape[1]), dtype=X.dtype)
    for k, rows in enumerate(batches):
        path[k + 1] = path[k] - lr * least_squares_gradient(X[rows], path[k], t[rows])
    return path


@sgd_least_squares_finds_the_minimum_norm_solution.mistake(
    "each coordinate is scaled by its own gradients, which changes where the run ends",
    also=(sgd_least_squares_matches_reference, sgd_least_squares_stays_in_the_row_space),
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    w, total = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    path = [w]
    for rows in cut(order, batch_size):
        slope = least_squares_gradient(X[rows], w, t[rows])
        w, total = adagrad_step(w, slope, total, lr)
        path.append(w)
    return np.array(path).astype(np.result_type(X.dtype, 1.0))


# %%
@sgd_least_squares_matches_reference.alternative(
    "a list of weights, stacked at the end", also=EVERY_RUN
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    path = [np.zeros(X.shape[1], dtype=X.dtype if X.dtype.kind == "f" else float)]
    while (k := len(path) - 1) * batch_size < len(order):
        rows = order[k * batch_size : (k + 1) * batch_size]
        moves = [2 * (X[i] @ path[-1] - t[i]) * X[i] for i in rows]
        path.append(path[-1] - lr * np.mean(moves, axis=0).astype(path[0].dtype))
    return np.stack(path)


@sgd_least_squares_matches_reference.alternative(
    "torch's SGD and automatic differentiation", also=EVERY_RUN
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    X = torch.from_numpy(X if X.dtype.kind == "f" else X.astype(float))
    t = torch.from_numpy(t)
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=lr)
    path = [w.detach().clone()]
    for rows in torch.from_numpy(order).split(batch_size):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(X[rows] @ w, t[rows]).backward()
        optimizer.step()
        path.append(w.detach().clone())
    return torch.stack(path).numpy()


@sgd_least_squares_matches_reference.alternative(
    "the coefficients of the rows are updated, never the weights", also=EVERY_RUN
)
def sgd_least_squares(X, t, order, lr, batch_size=1):
    products, coefficients = (X @ X.T).astype(float), np.zeros(len(t))
    path = [coefficients]
    for rows in cut(order, batch_size):
        residuals = products @ path[-1] - t
        coefficients = path[-1].copy()
        np.subtract.at(coefficients, rows, 2 * lr / len(rows) * residuals[rows])
        path.append(coefficients)
    return (np.array(path) @ X).astype(np.result_type(X.dtype, 1.0))


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
# ## 3.5 Where do adaptive methods end? (4 points)
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
# Give the point to three decimals or exactly, and say whether it is the minimum norm solution.
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
    points=3,
    hint="Run rmsprop_step from zero, with the gradient 2 (2 w1 + w2 - 2) (2, 1).",
)
@case("the point", hidden=True)
def adaptive_limit_is_right(student, reference, rng):
    """adaptive_limit is the point at which Adagrad, RMSprop and Adam end."""
    # Three decimals are enough.
    assert_close(
        student.adaptive_limit, reference.adaptive_limit, rtol=0, atol=5e-3, what="adaptive_limit"
    )


# %%
from reference.answers.optimizers import adaptive_is_minimum_norm


# %%
@check(
    "adaptive_limit",
    points=1,
    hint="Compare its norm with minimum_norm_solution's. It counts only with the right point.",
)
@case("the point and the answer", hidden=True)
def adaptive_is_minimum_norm_is_right(student, reference, rng):
    """adaptive_is_minimum_norm is right, and so is the point that it speaks of."""
    answer = student.adaptive_is_minimum_norm
    assert_equal(answer, reference.adaptive_is_minimum_norm, what="adaptive_is_minimum_norm")
    assert_close(
        student.adaptive_limit, reference.adaptive_limit, rtol=0, atol=5e-3, what="adaptive_limit"
    )


# %%
@check("adaptive_limit", points=0)
@case("two numbers, and True or False")
def adaptive_answers_have_the_right_form(student, reference, rng):
    """Both answers are given in the right form; whether they are right is found when grading."""
    assert_shape(student.adaptive_limit, (2,), what="adaptive_limit")
    answer = student.adaptive_is_minimum_norm
    assert_that(
        isinstance(answer, (bool, np.bool_)), "adaptive_is_minimum_norm: give True or False"
    )


self_check(adaptive_answers_have_the_right_form)


# %%
for point, misconception in (
    (
        [0.8, 0.4],
        "the minimum norm solution: adaptive methods do not keep the gradient's direction",
    ),
    ([1.0, 0.5], "the direction of x, but not a solution: 2 w1 + w2 has to be 2"),
    ([1.0, 0.0], "only the first weight moves: each coordinate has a rate of its own"),
    ([0.5, 1.0], "the rates are turned around: the larger gradient does not get the smaller step"),
    ([1.0, 1.0], "the right direction, but too far: 2 w1 + w2 has to be 2"),
    ([0.66, 0.66], "cut off, not rounded: three decimals are asked for"),
):
    adaptive_limit_is_right.mistake(
        misconception,
        also=(adaptive_is_minimum_norm_is_right,),
        adaptive_limit=np.array(point),
    )

adaptive_is_minimum_norm_is_right.mistake(
    "taken for the minimum norm solution: compare the two norms", adaptive_is_minimum_norm=True
)
adaptive_answers_have_the_right_form.mistake(
    "a text in place of True or False", adaptive_is_minimum_norm="False"
)
adaptive_answers_have_the_right_form.mistake("one number in place of two", adaptive_limit=0.9428)
adaptive_limit_is_right.alternative(
    "a list with three decimals",
    also=(adaptive_is_minimum_norm_is_right, adaptive_answers_have_the_right_form),
    adaptive_limit=[0.667, 0.667],
)


def end_of_adam():
    """Return where Adam ends by simulation."""
    x, state = np.array([2.0, 1.0]), (np.zeros(2), np.zeros(2), np.zeros(2))
    for t in range(1, 3001):
        state = adam_step(state[0], 2 * (x @ state[0] - 2) * x, state[1], state[2], t, lr=1e-3)
    return state[0]


simulated = end_of_adam()
adaptive_is_minimum_norm_is_right.alternative(
    "both found by simulation",
    also=(adaptive_limit_is_right, adaptive_answers_have_the_right_form),
    adaptive_limit=torch.from_numpy(simulated),
    adaptive_is_minimum_norm=np.bool_(np.linalg.norm(simulated) < 0.9),
)

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
@check(
    "weight_decay",
    points=2,
    pure=True,
    hint="Differentiate the penalty as written; the learning rate multiplies the whole gradient.",
)
@case("a vector", shape=(5,))
@case("a matrix in single precision", shape=(4, 3), dtype="float32")
@case("a number", shape=(), hidden=True)
def l2_step_matches_reference(student, reference, rng, shape, dtype="float64"):
    """l2_step is a step of gradient descent on the loss and its penalty together."""
    w, grad = rng.normal(size=(2, *shape)).astype(dtype)
    lr, l2 = (float(a) for a in rng.uniform(0.1, 0.4, size=2))
    got = student.l2_step(w, grad, lr=lr, l2=l2)
    assert_close(got, reference.l2_step(w, grad, lr=lr, l2=l2), what="w")
    assert_dtype(got, w, what="w")


self_check(l2_step_matches_reference)


# %%
from reference.optimizers import decay_step


# %%
@check(
    "weight_decay",
    points=2,
    pure=True,
    hint="Which weights shrink, the ones before or after the step, and by which share?",
)
@case("a vector", shape=(5,))
@case("a matrix in single precision", shape=(4, 3), dtype="float32")
@case("a number", shape=(), hidden=True)
def decay_step_matches_reference(student, reference, rng, shape, dtype="float64"):
    """decay_step takes a share off each weight and makes a plain gradient step."""
    w, grad = rng.normal(size=(2, *shape)).astype(dtype)
    lr, decay = (float(a) for a in rng.uniform(0.1, 0.4, size=2))
    got = student.decay_step(w, grad, lr=lr, decay=decay)
    assert_close(got, reference.decay_step(w, grad, lr=lr, decay=decay), what="w")
    assert_dtype(got, w, what="w")


self_check(decay_step_matches_reference)


# %%
@l2_step_matches_reference.mistake("the factor 2 of the squared norm's gradient is missing")
def l2_step(w, grad, lr, l2):
    return w - lr * (grad + l2 * w)


@l2_step_matches_reference.mistake("the penalty's gradient is not multiplied by the learning rate")
def l2_step(w, grad, lr, l2):
    return w - lr * grad - 2 * l2 * w


@l2_step_matches_reference.mistake("the sign: the penalty makes the weights grow")
def l2_step(w, grad, lr, l2):
    return w - lr * (grad - 2 * l2 * w)


@l2_step_matches_reference.mistake("the gradient of the norm, not of its square")
def l2_step(w, grad, lr, l2):
    return w - lr * (grad + l2 * w / np.linalg.norm(w))


@l2_step_matches_reference.mistake("an L1 penalty: it takes the same amount off every weight")
def l2_step(w, grad, lr, l2):
    return w - lr * (grad + l2 * np.sign(w))


@l2_step_matches_reference.mistake(
    "the penalty itself is added to the gradient, not its derivative"
)
def l2_step(w, grad, lr, l2):
    return w - lr * (grad + l2 * np.sum(w**2))


@l2_step_matches_reference.mistake("the penalty is left out")
def l2_step(w, grad, lr, l2):
    return w - lr * grad


@l2_step_matches_reference.mistake("the weights after the step are shrunk, not those before it")
def l2_step(w, grad, lr, l2):
    return (w - lr * grad) * (1 - 2 * lr * l2)


@l2_step_matches_reference.mistake("overwrites the caller's gradient: += works in place")
def l2_step(w, grad, lr, l2):
    grad += 2 * l2 * w
    return w - lr * grad


@decay_step_matches_reference.mistake("the decay is multiplied by the learning rate: not here")
def decay_step(w, grad, lr, decay):
    return (1 - lr * decay) * w - lr * grad


@decay_step_matches_reference.mistake("the weights after the step are shrunk, not those before it")
def decay_step(w, grad, lr, decay):
    return (1 - decay) * (w - lr * grad)


@decay_step_matches_reference.mistake(
    "the weights are multiplied by the decay: it is the share lost"
)
def decay_step(w, grad, lr, decay):
    return decay * w - lr * grad


@decay_step_matches_reference.mistake("the decay is subtracted: it is a share, not an amount")
def decay_step(w, grad, lr, decay):
    return w - decay - lr * grad


@decay_step_matches_reference.mistake("a factor 2, as in the gradient of a squared norm")
def decay_step(w, grad, lr, decay):
    return (1 - 2 * decay) * w - lr * grad


@decay_step_matches_reference.mistake("the sign: the weights grow")
def decay_step(w, grad, lr, decay):
    return (1 + decay) * w - lr * grad


@decay_step_matches_reference.mistake("no decay at all")
def decay_step(w, grad, lr, decay):
    return w - lr * grad


@decay_step_matches_reference.mistake("overwrites the caller's weights: *= works in place")
def decay_step(w, grad, lr, decay):
    w *= 1 - decay
    return w - lr * grad


# %%
@l2_step_matches_reference.alternative("the weights shrink first, then move")
def l2_step(w, grad, lr, l2):
    return w * (1 - 2 * lr * l2) - grad * lr


@l2_step_matches_reference.alternative("torch differentiates the penalty")
def l2_step(w, grad, lr, l2):
    weights = torch.tensor(w, requires_grad=True)
    (slope,) = torch.autograd.grad(l2 * weights.pow(2).sum(), weights)
    return (weights.detach() - lr * (torch.tensor(grad) + slope)).numpy()


@decay_step_matches_reference.alternative("what is lost and the step are subtracted together")
def decay_step(w, grad, lr, decay):
    return w - (decay * w + lr * grad)


@decay_step_matches_reference.alternative("torch's SGD on a copy that has been shrunk")
def decay_step(w, grad, lr, decay):
    parameter = torch.nn.Parameter(torch.tensor(w).mul(1 - decay))
    parameter.grad = torch.tensor(grad)
    torch.optim.SGD([parameter], lr=lr).step()
    return parameter.detach().numpy()


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
@check(
    "equivalent_l2",
    points=2,
    hint="Equate the two steps and compare what stands before the weights.",
)
@case("a small learning rate", largest=0.1)
@case("a learning rate above one", largest=20.0, hidden=True)
def equivalent_l2_matches_reference(student, reference, rng, largest):
    """equivalent_l2 turns a decay into the strength of the penalty that does the same."""
    decay, lr = float(rng.uniform(0.01, 0.3)), float(rng.uniform(0.1, 1.0)) * largest
    got = student.equivalent_l2(decay, lr)
    assert_close(got, reference.equivalent_l2(decay, lr), what="l2")


self_check(equivalent_l2_matches_reference)


# %%
from reference.answers.optimizers import adam_l2_equals_adamw


# %%
@check("equivalent_l2", points=0)
@case("True or False")
def adam_l2_answer_has_the_right_form(student, reference, rng):
    """The answer on Adam is True or False; whether it is right is found when grading."""
    answer = student.adam_l2_equals_adamw
    assert_that(isinstance(answer, (bool, np.bool_)), "adam_l2_equals_adamw: give True or False")


self_check(adam_l2_answer_has_the_right_form)


# %%
@check(
    "equivalent_l2",
    points=1,
    hint="What becomes of the penalty's gradient in Adam? It counts with a right equivalent_l2.",
)
@case("the answer, and gradient descent", hidden=True)
def adam_l2_equals_adamw_is_right(student, reference, rng):
    """The answer on Adam is right, and for gradient descent your two steps do agree."""
    answer = student.adam_l2_equals_adamw
    assert_equal(answer, reference.adam_l2_equals_adamw, what="adam_l2_equals_adamw")
    w, grad = rng.normal(size=(2, 4))
    decay, lr = 0.2, float(rng.uniform(0.1, 0.4))
    penalised = student.l2_step(w, grad, lr, student.equivalent_l2(decay, lr))
    assert_close(penalised, student.decay_step(w, grad, lr, decay), what="w by l2_step")
    assert_close(penalised, reference.decay_step(w, grad, lr, decay), what="w by l2_step")


# %%
@equivalent_l2_matches_reference.mistake(
    "the factor 2 of the penalty's gradient is missing", also=(adam_l2_equals_adamw_is_right,)
)
def equivalent_l2(decay, lr):
    return decay / lr


@equivalent_l2_matches_reference.mistake(
    "the learning rate is missing: l2 is multiplied by it, the decay is not",
    also=(adam_l2_equals_adamw_is_right,),
)
def equivalent_l2(decay, lr):
    return decay / 2


@equivalent_l2_matches_reference.mistake(
    "upside down: multiplied where a division is due", also=(adam_l2_equals_adamw_is_right,)
)
def equivalent_l2(decay, lr):
    return 2 * lr * decay


@equivalent_l2_matches_reference.mistake(
    "the factor 2 on the wrong side", also=(adam_l2_equals_adamw_is_right,)
)
def equivalent_l2(decay, lr):
    return 2 * decay / lr


@equivalent_l2_matches_reference.mistake(
    "the decay and the penalty taken for the same number", also=(adam_l2_equals_adamw_is_right,)
)
def equivalent_l2(decay, lr):
    return decay


@equivalent_l2_matches_reference.mistake(
    "solved for the factor that remains, not for the share that is lost",
    also=(adam_l2_equals_adamw_is_right,),
)
def equivalent_l2(decay, lr):
    return (1 - decay) / (2 * lr)


adam_l2_equals_adamw_is_right.mistake(
    "taken for the same: inside Adam the penalty's gradient is divided by the root of v",
    adam_l2_equals_adamw=True,
)
adam_l2_answer_has_the_right_form.mistake(
    "a text in place of True or False", adam_l2_equals_adamw="no"
)
adam_l2_answer_has_the_right_form.alternative(
    "a truth value of NumPy's",
    also=(adam_l2_equals_adamw_is_right,),
    adam_l2_equals_adamw=np.bool_(False),
)


# %%
@equivalent_l2_matches_reference.alternative(
    "read off the two steps, as both are linear", also=(adam_l2_equals_adamw_is_right,)
)
def equivalent_l2(decay, lr):
    unpenalised, with_one = l2_step(1.0, 0.0, lr, 0.0), l2_step(1.0, 0.0, lr, 1.0)
    return (unpenalised - decay_step(1.0, 0.0, lr, decay)) / (unpenalised - with_one)


@equivalent_l2_matches_reference.alternative(
    "an array in place of a number", also=(adam_l2_equals_adamw_is_right,)
)
def equivalent_l2(decay, lr):
    return np.multiply(0.5 * decay, 1 / np.asarray(lr))


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
@check(
    "steps_to_target",
    points=2,
    pure=True,
    hint="Test the two ends: a huge batch, and the critical one. Fractions have to survive.",
)
@case("one batch size", shape=())
@case("several whole batch sizes", shape=(5,), whole=True)
@case("a table", shape=(3, 4), hidden=True)
@case("large whole batch sizes", shape=(4,), whole=True, largest=100_000, hidden=True)
def steps_to_target_matches_reference(student, reference, rng, shape, whole=False, largest=500):
    """steps_to_target gives the number of steps for one batch size or for many."""
    batch_size = rng.uniform(1.0, largest, size=(1, *shape))[0]
    batch_size = np.ceil(batch_size).astype(int) if whole else batch_size
    min_steps, critical = int(rng.integers(40, 90)), int(rng.integers(100, 300))
    got = student.steps_to_target(batch_size, min_steps, critical)
    assert_close(got, reference.steps_to_target(batch_size, min_steps, critical), what="steps")


self_check(steps_to_target_matches_reference)


# %%
@steps_to_target_matches_reference.mistake("upside down: the steps would grow with the batch")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    return min_steps * (1 + batch_size / critical_batch_size)


@steps_to_target_matches_reference.mistake("without the steps that even a huge batch needs")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    return min_steps * critical_batch_size / batch_size


@steps_to_target_matches_reference.mistake(
    "the further steps are not in units of min_steps: at the critical size they equal it"
)
def steps_to_target(batch_size, min_steps, critical_batch_size):
    return min_steps + critical_batch_size / batch_size


@steps_to_target_matches_reference.mistake("a kink at the critical size, where there is a bend")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    return np.maximum(min_steps, min_steps * critical_batch_size / batch_size)


@steps_to_target_matches_reference.mistake(
    "a root: the noise falls like 1/√B, its variance like 1/B"
)
def steps_to_target(batch_size, min_steps, critical_batch_size):
    return min_steps * (1 + np.sqrt(critical_batch_size / batch_size))


@steps_to_target_matches_reference.mistake("the number of examples, not of steps")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    return min_steps * (batch_size + critical_batch_size)


@steps_to_target_matches_reference.mistake("an integer division, which cuts the fraction off")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    return min_steps * (1 + critical_batch_size // batch_size)


@steps_to_target_matches_reference.mistake("rounded up to whole steps")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    return np.ceil(min_steps * (1 + critical_batch_size / batch_size))


@steps_to_target_matches_reference.mistake("truncated: the result is put into an array of integers")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    steps = np.empty_like(batch_size)
    steps[...] = min_steps * (1 + critical_batch_size / batch_size)
    return steps


# %%
@steps_to_target_matches_reference.alternative("the two kinds of steps, added up")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    further = np.divide(min_steps * critical_batch_size, batch_size)
    return further + min_steps


@steps_to_target_matches_reference.alternative("by way of the number of examples")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    examples = (np.asarray(batch_size) + critical_batch_size) * min_steps
    return examples / batch_size


@steps_to_target_matches_reference.alternative("size by size")
def steps_to_target(batch_size, min_steps, critical_batch_size):
    sizes = np.ravel(batch_size)
    steps = [min_steps / (size / (size + critical_batch_size)) for size in sizes]
    return np.reshape(steps, np.shape(batch_size))


# %% [markdown]
# ## 5.2 Four decisions (4 points)
#
# Each question has one right answer, the letter A, B, C or D. Use the model of 5.1, and what you
# know of the two regimes: far below the critical batch size noise limits the step, far above it
# curvature does. Zhang et al. (*Which Algorithmic Choices Matter at Which Batch Sizes?*, 2019)
# compare such choices on a quadratic where everything can be computed. The last question is about
# the whole budget: Kaplan et al. (*Scaling Laws for Neural Language Models*, 2020) measured what
# more compute is best spent on.

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
@case("four letters")
def batch_size_choices_have_the_right_form(student, reference, rng):
    """Each answer is one of the letters A to D; whether it is right is found when grading."""
    for name in (
        "larger_batch_learning_rate",
        "noise_dominated_remedy",
        "curvature_dominated_remedy",
        "best_use_of_compute",
    ):
        answer = student[name]
        letter = answer.strip().upper() if isinstance(answer, str) else None
        assert_that(letter in ("A", "B", "C", "D"), f'{name}: give "A", "B", "C" or "D"')


self_check(batch_size_choices_have_the_right_form)


# %%
larger_batch_learning_rate_is_right.mistake(
    "the mean of more gradients taken for a longer step: it is a less noisy one",
    larger_batch_learning_rate="A",
)
larger_batch_learning_rate_is_right.mistake(
    "only the expectation is looked at: the variance falls, and longer steps pay",
    larger_batch_learning_rate="B",
)
larger_batch_learning_rate_is_right.mistake(
    "linear scaling without end: past the critical size curvature limits the step",
    larger_batch_learning_rate="D",
)
noise_dominated_remedy_is_right.mistake(
    "rounding taken for sampling noise, which is larger by far", noise_dominated_remedy="B"
)
noise_dominated_remedy_is_right.mistake(
    "fewer examples for each step: that makes more steps, and noisier ones",
    noise_dominated_remedy="C",
)
noise_dominated_remedy_is_right.mistake(
    "beyond the best learning rate the noise eats up the progress", noise_dominated_remedy="D"
)
curvature_dominated_remedy_is_right.mistake(
    "more of what is plentiful: far above the critical size the noise is gone already",
    curvature_dominated_remedy="A",
)
curvature_dominated_remedy_is_right.mistake(
    "averaging over several batches is a larger batch by another name",
    curvature_dominated_remedy="C",
)
curvature_dominated_remedy_is_right.mistake(
    "another way to sample lowers the noise a little, and noise is not the problem",
    curvature_dominated_remedy="D",
)
best_use_of_compute_is_right.mistake(
    "trained to the very end: the last steps of a small model cost much and gain little",
    best_use_of_compute="A",
)
best_use_of_compute_is_right.mistake(
    "only less noise: past the critical batch size that saves hardly a step",
    best_use_of_compute="B",
)
best_use_of_compute_is_right.mistake(
    "shape taken for size: at the same number of parameters depth matters little",
    best_use_of_compute="C",
)
batch_size_choices_have_the_right_form.mistake(
    "the text of an answer in place of its letter", noise_dominated_remedy="Twice the batch"
)
batch_size_choices_have_the_right_form.alternative(
    "small letters",
    also=(
        larger_batch_learning_rate_is_right,
        noise_dominated_remedy_is_right,
        curvature_dominated_remedy_is_right,
        best_use_of_compute_is_right,
    ),
    larger_batch_learning_rate="c",
    noise_dominated_remedy="a ",
    curvature_dominated_remedy="b",
    best_use_of_compute="d",
)
