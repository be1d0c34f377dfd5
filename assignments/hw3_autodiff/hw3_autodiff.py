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
# # Homework 3: Derivatives by machine, and what descent can promise
#
# Training rests on two pillars. The first is a machine that differentiates whatever we write. The
# second is a theorem which says that going against the gradient leads somewhere. In this
# homework you build the machine, and prove the theorem.
#
# | part | what you do | points |
# |---|---|---|
# | 1 | one Jacobian, by differences, by forward mode and by reverse mode | 29 |
# | 2 | an engine that differentiates any expression | 26 |
# | 3 | gradient descent: its step, its guarantee, and a warning | 35 |
# | 4 | which statements are true? | 10 |
#
# **Notation.** A function takes $n$ inputs $w = (w_1, \dots, w_n)$ to $m$ outputs. Its Jacobian is
# the $m \times n$ matrix $J$ with
#
# $$J_{ij} = \frac{\partial f_i}{\partial w_j} :$$
#
# one row for each output, one column for each input. Some books use the transpose; we do not.
#
# **House rules.** A function never changes an argument. Parts 1 and 2 compute in double precision
# throughout, whatever they are given: you will see why at once. Part 3 says what it wants.
#
# **How you are graded.** Below each question stands a check that compares your answer with ours;
# run it as often as you like. Grading runs the same checks with other random numbers, and with
# further cases that you do not see. So do not aim at the inputs you see: aim at the definition. The
# two proofs and the graph are read by a person.

# %%
from fractions import Fraction

import numpy as np
import torch

from autograder import (
    arrays,
    assert_close,
    assert_dtype,
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
def drawn(draw):
    """Draw a figure for a person, as soon as the functions that it needs are written."""
    if budget(True, graded=False):
        try:
            draw()
        except NotImplementedError as missing:
            return f"The figure comes with your code: {missing}"
    return None


# %% [markdown]
# # 1. One Jacobian, four ways
#
# All of this part is about one function of two variables. It is small enough for pencil and paper
# and nasty enough to punish every careless step.

# %% [markdown]
# ## 1.1 The function (4 points)
#
# $$f_1(w_1, w_2) = e^{\,e^{w_1} + e^{2 w_2}} + \sin\!\left(e^{w_1} + e^{2 w_2}\right), \qquad
# f_2(w_1, w_2) = w_1 w_2 + \sigma(w_1),$$
#
# where $\sigma(x) = 1 / (1 + e^{-x})$ is the logistic function. To leave no doubt: one and the same
# sum $S = e^{w_1} + e^{2 w_2}$ stands in the exponent and under the sine, so $f_1 = e^S + \sin S$.
# (It is not $e^{w_1 + e^{2 w_2}}$, which some prints of this classic exercise seem to say.)
#
# An exponential of an exponential grows fast. At $w = (1, 2)$ we have $S = e + e^4 \approx 57.3$,
# and $f_1$ is near $8 \cdot 10^{24}$. In single precision numbers end at about
# $3.4 \cdot 10^{38}$, that is at $S \approx 88.7$: already $w_2 = 2.3$ is too much. So convert the
# input to double precision *first*, and compute after that.
#
# Here and in the questions that follow, most points of the checks lie between $-3$ and $1$. Some
# lie as far out as those that are named here.
#
# **Look out.** $e^{-x}$ has an end too: for $x = -800$ it is not a number that a computer can hold,
# although $\sigma(-800)$ is perfectly harmless.

# %%
from reference.autodiff import f


# %%
@check(
    "f",
    points=4,
    pure=True,
    precision="strict",
    hint="Convert to float64 before anything else; then take S, the sine and sigma one by one.",
)
@case("near (1, 2)", w=np.array([1.1, 1.9]), hidden=True)
@case("at the origin, in whole numbers", w=np.zeros(2, np.int64), hidden=True)
@case("single precision, which ends", w=np.array([1.0, 2.3], np.float32), hidden=True)
@case("far to the left", w=np.array([-800.0, 0.3]), hidden=True)
@case("far to the right", w=np.array([5.5, -400.0]), hidden=True)
@domain(w=arrays("2", low=-3, high=1, dtypes=["float64", "float32", "int64"]))
def f_matches_reference(student, reference, rng, w):
    """The function f returns both values, in double precision."""
    got = student.f(w)
    assert_close(got, reference.f(w), what="f")
    assert_dtype(got, "float64", what="f")


self_check(f_matches_reference)


# %% [markdown]
# ## 1.2 Differences (8 points)
#
# The most direct way to a derivative is to move an input a little and to look. With $e_j$ the
# $j$-th unit vector and a step $h$, two schemes are common:
#
# $$\text{forward:} \quad \frac{f(w + h\, e_j) - f(w)}{h}, \qquad\qquad
# \text{central:} \quad \frac{f(w + h\, e_j) - f(w - h\, e_j)}{2 h} .$$
#
# Each gives column $j$ of the Jacobian. Expand $f$ in a Taylor series to see what they cost in
# accuracy: the error of the first is about $\frac h2 f''$, that of the second about
# $\frac{h^2}{6} f'''$. The smaller the step, the better? Only until rounding takes over: the
# difference of two nearly equal numbers keeps few of their digits, and dividing by a tiny $h$ blows
# up what was lost.
#
# Write both schemes for *any* function $f : \mathbb R^n \to \mathbb R^m$. It is handed in as an
# argument, which is called `f` too.
#
# At $(1, 2)$ with $h = 0.01$ the forward scheme overestimates $\partial f_1 / \partial w_2$
# by 84 percent, and the central one by 22 percent. This is no slip: it is what the definitions give
# where a function is that steep. So the checks do not compare with the exact derivative. They ask
# for exactly the scheme that was ordered.
#
# **Look out.** The two moved points of the central scheme are $2h$ apart. If you change an entry of
# the point in place, change it back; and in an array of whole numbers $1 + 0.01$ is $1$.

# %%
from reference.autodiff import numeric_jacobian


# %% given=true
from reference.probes.jacobians import differences_in_table, differences_of, differences_of_matrix


# %%
@check(
    "numeric_jacobian",
    points=5,
    precision="strict",
    hint="Compare column by column: which points does the scheme ask for, and how far apart?",
)
@case("central, three inputs and two outputs", which="3 to 2", h=0.3, scheme="central")
@case("central, two inputs and four outputs", which="2 to 4", h=0.25, scheme="central", hidden=True)
@case("central, far from 0", which="1 to 3", h=1.5, scheme="central", far=99.0, hidden=True)
@domain(
    which=choices("3 to 2", "2 to 4", "3 to 1", "1 to 3"),
    h=interval(0.01, 1.5),
    scheme=choices("forward", "central"),
)
def numeric_jacobian_matches_reference(student, reference, rng, which, h, scheme, far=0.0):
    """numeric_jacobian gives what the scheme defines, for any number of inputs and outputs."""
    w = far + rng.uniform(-1, 1, size=int(which[0]))
    got = student.apply(differences_of, which, w, h, scheme)
    assert_close(got, reference.apply(differences_of, which, w, h, scheme), what="J")


self_check(numeric_jacobian_matches_reference)


# %%
@check(
    "numeric_jacobian",
    points=1,
    precision="strict",
    hint="An array of whole numbers has no room for a fraction; and f is to get float64 each time.",
)
@domain(
    matrix=arrays("m n"),
    w=arrays(
        "n",
        values=["normal", "some zeros", "ties", "zeros"],
        scale=99,
        dtypes=["int64", "float32", "float64"],
    ),
    h=interval(0.01, 0.4),
    scheme=choices("forward", "central"),
)
def numeric_jacobian_converts_first(student, reference, rng, matrix, w, h, scheme):
    """numeric_jacobian computes in double precision, from whatever it gets, and leaves that be."""
    # Of a linear function all schemes give the same: which it is is for the first check to say.
    got = student.apply(differences_of_matrix, matrix, w, h, scheme)
    want = reference.apply(differences_of_matrix, matrix, w, h, scheme)
    assert_close(got, want, what="differences")


self_check(numeric_jacobian_converts_first)


# %%
@check(
    "numeric_jacobian",
    points=2,
    hint="The scheme is the caller's choice, and so is h: see what each of the two asks for.",
)
@case("forward, at (1, 2) with h = 0.01", scheme="forward")
@case("central, at (1, 2) with h = 0.01", scheme="central")
@case("forward, elsewhere", scheme="forward", center=(0.2, -0.4), spread=0.3, hidden=True)
@case("central, elsewhere", scheme="central", center=(0.2, -0.4), spread=0.3, hidden=True)
def numeric_jacobian_of_f(student, reference, rng, scheme, center=(1.0, 2.0), spread=0.0):
    """numeric_jacobian of our f of Question 1.1, whose values are looked up, is the scheme's."""
    w = center + spread * rng.uniform(-1, 1, size=2)
    moves = 0.01 * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    values = np.array([reference.f(w + move) for move in moves])
    got = student.apply(differences_in_table, w + moves, values, w, 0.01, scheme)
    want = reference.apply(differences_in_table, w + moves, values, w, 0.01, scheme)
    assert_close(got, want, what="J")


self_check(numeric_jacobian_of_f)


# %% [markdown]
# How small should $h$ be? The figure shows the error of both schemes for a sine. Read off
# the slopes of the two straight pieces, and where each curve turns. What limits it from there on?


# %% given=true
from reference.figures.derivatives import draw_errors

drawn(lambda: draw_errors(numeric_jacobian))

# %% [markdown]
# ## 1.3 Forward mode (6 points)
#
# Automatic differentiation is neither a difference nor a formula. It takes the program apart into
# elementary steps and applies the chain rule to each, with numbers. *Forward mode* carries along,
# with every intermediate value $x$, how fast it moves: its tangent $\dot x$. The inputs move with a
# velocity $v$ that you choose, so $\dot w = v$, and what comes out at the end is $J v$, a
# *Jacobian-vector product*. No step size, no approximation.
#
# An example that is not ours: $q = (x + y)(y + 1)$ at $(x, y) = (3, 2)$, moving along $v = (1, 4)$.
#
# | step | value | tangent |
# |---|---|---|
# | $x$, $y$ | $3$, $2$ | $1$, $4$ |
# | $c = x + y$ | $5$ | $\dot c = \dot x + \dot y = 5$ |
# | $d = y + 1$ | $3$ | $\dot d = \dot y = 4$ |
# | $q = c\, d$ | $15$ | $\dot q = \dot c\, d + c\, \dot d = 35$ |
#
# Do the same, by hand, for the $f$ of Question 1.1 and any velocity.
#
# **Look out.** At $(1, 2)$ the exponential is so large that the sine leaves no trace in a double: a
# check at this famous point alone cannot tell whether you have differentiated it rightly. Ours look
# at other points too. And the logistic function has the derivative $\sigma (1 - \sigma)$.

# %%
from reference.autodiff import jvp


# %%
@check(
    "jvp",
    points=6,
    pure=True,
    precision="strict",
    hint="Move one input at a time: v = (1, 0) gives one column of J, v = (0, 1) the other.",
)
@case("at (1, 2)", w=np.array([1.0, 2.0]), v=np.array([0.75, -1.5]), hidden=True)
@case("at the origin", w=np.zeros(2), v=np.array([0.5, -2.0]), hidden=True)
@case("far to the left", w=np.array([-800.0, 0.3]), v=np.array([-1.25, 0.5]), hidden=True)
@case("a coordinate of 0", w=np.array([0.0, 0.5]), v=np.array([1.0, 1.0]), hidden=True)
@case("the first alone", w=np.array([0.4, -0.6]), v=np.array([1.0, 0.0]), hidden=True)
@case("the second alone", w=np.array([0.4, -0.6]), v=np.array([0.0, 1.0]), hidden=True)
@case(
    "in single precision, which ends",
    w=np.array([1.0, 2.3], np.float32),
    v=np.array([1.5, 0.75], np.float32),
    hidden=True,
)
@domain(
    w=arrays("2", low=-3, high=1, dtypes=["float64", "float32", "int64"]),
    v=like("w", low=-99, high=99),
)
def jvp_matches_reference(student, reference, rng, w, v):
    """What jvp returns is the velocity of both outputs, in double precision."""
    got = student.jvp(w, v)
    assert_close(got, reference.jvp(w, v), what="J v")
    assert_dtype(got, "float64", what="J v")


self_check(jvp_matches_reference)

# %% [markdown]
# ## 1.4 Reverse mode (6 points)
#
# *Reverse mode* asks the question from the other end. Choose weights $u$ for the outputs; how
# does the number $\varphi = u_1 f_1 + u_2 f_2$ react to each intermediate value $x$? That
# derivative is called the adjoint, $\bar x = \partial \varphi / \partial x$. The outputs have
# $\bar f = u$. From there one goes *backwards* through the steps. Each step hands the adjoint
# of its result on to what it was computed from, times the local derivative. In the end there is
# $\bar w = u^\top J$, a *vector-Jacobian product*. With one output and $u = 1$ it is the whole
# gradient, by a single sweep, however many inputs there are. That is why networks are trained in
# this way.
#
# The example once more, with $\bar q = 1$:
#
# | step | adjoints |
# |---|---|
# | $q = c\, d$ | $\bar c = d\, \bar q = 3$, $\;\bar d = c\, \bar q = 5$ |
# | $d = y + 1$ | $\bar y \leftarrow \bar d = 5$ |
# | $c = x + y$ | $\bar x = \bar c = 3$, $\;\bar y \leftarrow \bar y + \bar c = 8$ |
#
# Compare: $(3, 8) \cdot (1, 4) = 35$, the tangent that we found above.
#
# **Look out.** $y$ is used twice, so its adjoint *adds up* two contributions. Whoever assigns
# where they should add keeps only the last. In our $f$ the sum $S$ is used twice. And
# how often is $w_1$?

# %%
from reference.autodiff import vjp


# %%
@check(
    "vjp",
    points=6,
    pure=True,
    precision="strict",
    hint="Weigh one output at a time: u = (1, 0) gives one row of J, u = (0, 1) the other.",
)
@case("at (1, 2)", w=np.array([1.0, 2.0]), u=np.array([0.75, -1.5]), hidden=True)
@case("at the origin", w=np.zeros(2), u=np.array([0.5, -2.0]), hidden=True)
@case("far to the left", w=np.array([-800.0, 0.3]), u=np.array([-1.25, 0.5]), hidden=True)
@case("a coordinate of 0", w=np.array([0.0, 0.5]), u=np.array([1.0, 1.0]), hidden=True)
@case("the first alone", w=np.array([0.4, -0.6]), u=np.array([1.0, 0.0]), hidden=True)
@case("the second alone", w=np.array([0.4, -0.6]), u=np.array([0.0, 1.0]), hidden=True)
@case(
    "in single precision, which ends",
    w=np.array([1.0, 2.3], np.float32),
    u=np.array([1.5, 0.75], np.float32),
    hidden=True,
)
@domain(
    w=arrays("2", low=-3, high=1, dtypes=["float64", "float32", "int64"]),
    u=like("w", low=-99, high=99),
)
def vjp_matches_reference(student, reference, rng, w, u):
    """What vjp returns is the gradient of the weighted outputs, in double precision."""
    got = student.vjp(w, u)
    assert_close(got, reference.vjp(w, u), what="u J")
    assert_dtype(got, "float64", what="u J")


self_check(vjp_matches_reference)


# %% [markdown]
# ## 1.5 From products to the Jacobian (5 points)
#
# Neither mode gives the Jacobian itself: forward mode gives $J v$ for one $v$, and reverse mode
# $u^\top J$ for one $u$. The whole matrix takes several sweeps. Which vectors do you choose, and
# how many of them do you need, for $n$ inputs and $m$ outputs?
#
# Write both for *any* function. You are handed its product at some fixed point as a function of
# $v$, or of $u$, alone. Call it no more often than necessary: the number of sweeps is all that
# matters for the price of a Jacobian, and the checks count the calls.

# %%
from reference.autodiff import jacobian_forward, jacobian_reverse


# %% given=true
from reference.probes.jacobians import by_columns, by_rows


# %%
@check(
    "jacobian_modes",
    points=2.5,
    hint="A product with a unit vector is a column: how are columns put together?",
)
@domain(matrix=arrays("m n"), sizes={"m": (1, 6), "n": (1, 6)})
def jacobian_forward_matches_reference(student, reference, rng, matrix):
    """jacobian_forward finds the matrix, with one call for each input at the most."""
    got = student.apply(by_columns, matrix)
    assert_close(got["J"], reference.apply(by_columns, matrix)["J"], what="J")
    n = matrix.shape[1]
    assert_that(got["calls"] <= n, f"{got['calls']} calls for {n} inputs")


self_check(jacobian_forward_matches_reference)


# %%
@check(
    "jacobian_modes",
    points=2.5,
    hint="A product of a unit vector is a row: how are rows put together?",
)
@domain(matrix=arrays("m n"), sizes={"m": (1, 6), "n": (1, 6)})
def jacobian_reverse_matches_reference(student, reference, rng, matrix):
    """jacobian_reverse finds the matrix, with one call for each output at the most."""
    got = student.apply(by_rows, matrix)
    assert_close(got["J"], reference.apply(by_rows, matrix)["J"], what="J")
    m = matrix.shape[0]
    assert_that(got["calls"] <= m, f"{got['calls']} calls for {m} outputs")


self_check(jacobian_reverse_matches_reference)


# %% [markdown]
# # 2. An engine
#
# What you did by hand follows rules that know nothing of our $f$. So let a program do it: record
# the steps while a result is computed, then walk back through the record. This is what
# PyTorch does at every `loss.backward()`, and it takes a hundred lines.

# %% [markdown]
# ## 2.1 The graph, with pencil and paper (4 points)
#
# 1. Draw the computation graph of $f$ from Question 1.1: a node for each input, for each
#    intermediate value and for each output; an arrow from whatever a node is computed from. Each
#    node is one elementary operation. What is used twice is one node with two arrows out of it. (A
#    list of the nodes with their parents will do, as will a photograph of a drawing.)
# 2. Write its value beside each node, for $w = (0.1, -0.3)$.
# 3. Sweep forward once, with $v = (1, 0)$: write down all tangents.
# 4. Sweep backward once, with $u = (1, 0)$: write down all adjoints. Which entry of $J$ have you
#    now found twice?

# %% [markdown] manual=true question="computation_graph" points=4
# ### BEGIN SOLUTION
# The nodes in an order in which they can be computed; "from" names the parents.
#
# | node | operation | from | value | tangent for $v = (1, 0)$ | adjoint for $u = (1, 0)$ |
# |---|---|---|---|---|---|
# | $w_1$ | input | | 0.1 | 1 | 5.6857 |
# | $w_2$ | input | | -0.3 | 0 | 5.6469 |
# | $a$ | $e^{w_1}$ | $w_1$ | 1.1052 | 1.1052 | 5.1447 |
# | $c$ | $2 w_2$ | $w_2$ | -0.6 | 0 | 2.8235 |
# | $b$ | $e^c$ | $c$ | 0.5488 | 0 | 5.1447 |
# | $S$ | $a + b$ | $a$, $b$ | 1.6540 | 1.1052 | 5.1447 |
# | $E$ | $e^S$ | $S$ | 5.2278 | 5.7776 | 1 |
# | $G$ | $\sin S$ | $S$ | 0.9965 | -0.0918 | 1 |
# | $f_1$ | $E + G$ | $E$, $G$ | 6.2243 | 5.6857 | 1 |
# | $M$ | $w_1 w_2$ | $w_1$, $w_2$ | -0.03 | -0.3 | 0 |
# | $P$ | $\sigma(w_1)$ | $w_1$ | 0.5250 | 0.2494 | 0 |
# | $f_2$ | $M + P$ | $M$, $P$ | 0.4950 | -0.0506 | 0 |
#
# Backward: $\bar S = E\, \bar E + \cos(S)\, \bar G = 5.2278 - 0.0831 = 5.1447$ adds up two
# contributions; $\bar a = \bar b = \bar S$, $\bar c = b\, \bar b = 2.8235$,
# $\bar w_2 = 2 \bar c = 5.6469$ and $\bar w_1 = a\, \bar a = 5.6857$. The nodes of $f_2$ have
# weight zero and contribute nothing. Found twice: $\partial f_1 / \partial w_1 = 5.6857$, as the
# tangent of $f_1$ and as the adjoint of $w_1$.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: the graph, with $S$ as one node that two others use, and $w_1$ used three times.
# - 1 point: the values, to three digits.
# - 1 point: the tangents; the part of $f_2$ is not forgotten.
# - 1 point: the adjoints, with the two contributions to $\bar S$ added up, and
#   $\partial f_1 / \partial w_1$ recognised in both sweeps.
# - Take half a point off, once, for arrows that point the wrong way.
# === END MARK SCHEME ===

# %% [markdown]
# ## 2.2 The engine (19 points)
#
# A `Var` is a node. It holds its `value`, its `parents` (pairs of a node and of the slope with
# respect to it) and, after a backward sweep, its `grad`. Operators make new nodes:
# with `a = Var(2.0)` and `b = Var(5.0)`, the expression `a * b + a` builds a graph of four nodes,
# in which `a` occurs twice.
#
# **Rules.** Fill in what each operator and function has to compute: the value, and the slope by
# each parent. `Var.lift` turns plain numbers into nodes; the operators with the number on the left
# are given.
#
# **The sweep.** `backward` computes the derivatives of the node on which it is called, by every
# node that it depends on. The contract:
#
# - *Fan-out adds.* A node that is used several times collects one contribution for each use.
# - *Order.* A node may hand its adjoint on only once that adjoint is complete: after everything
#   that uses the node has handed on its own. An order with this property is called topological.
# - *Calls add up.* As with leaf tensors in PyTorch, `backward` adds to `grad`. What `grad` held
#   before must not leak into what is handed on: a second call of `y.backward()` adds exactly the
#   same numbers again, so that every `grad` has doubled. Calls for two different results that share
#   nodes add up likewise. Here this holds for all nodes, inner ones too.
# - *Any depth.* Python's own recursion gives up after about a thousand calls inside calls. A chain
#   of 10,000 operations has to work, and the checks try several thousand.
# - *Any number of paths.* After `y = y + y`, twenty-four times over, there are sixteen million
#   paths from the end to the start, and just twenty-five nodes. The time has to go with the nodes.
#
# You may add attributes and methods, or write the class in your own way. The checks use `Var(x)`,
# operators and functions, `value`, `grad` and `backward()`, nothing else.

# %%
from reference.autodiff import Var


# %% given=true
from reference.probes.engines import (
    derivatives_of,
    graph_after,
    long_graph,
    random_graph,
    random_inputs,
)


# %%
@check(
    "var",
    points=6,
    hint="Check value and slopes rule by rule against central differences; numbers are nodes too.",
)
@case("sums and products", expressions=["a + b", "a - b", "a * b", "-a"])
@case("quotients and powers", expressions=["a / b", "a ** 3", "b ** -2", "b ** 0.5"])
@case("functions", expressions=["a.exp()", "b.log()", "a.sin()", "a.sigmoid()"])
@case(
    "with numbers to the right",
    expressions=["a + 1", "a - 2.5", "a * 0.5", "a / 7", "(a - 1) * 2.0 / 3"],
    hidden=True,
)
@case(
    "with numbers to the left",
    expressions=["3 + a", "2.5 - a", "4 * a", "3 / b", "1 / (2 - b * -1)"],
    hidden=True,
)
@case(
    "one node twice, and squares", expressions=["a - a", "a / a", "a ** 2", "a ** 2.0"], hidden=True
)
@case("the logistic function far out", expressions=["a.sigmoid()"], sizes=[900, -900], hidden=True)
def var_follows_the_rules(student, reference, rng, expressions, sizes=(1, -1)):
    """Each operator and each function of Var has the right value and the right slopes."""
    for size in sizes:
        a, b = float(size * rng.uniform(0.5, 1.5)), float(rng.uniform(0.5, 2.5))
        if abs(size) > 1:
            a = size * (1 + 0.01 * float(rng.uniform(-1, 0)))
        got = student.apply(derivatives_of, expressions, a, b)
        want = reference.apply(derivatives_of, expressions, a, b)
        assert_close(got, want, what="[value, grad of a, grad of b]")


self_check(var_follows_the_rules)


# %%
@check(
    "var",
    points=4,
    hint="How many uses has each node, also by one and the same operator? Each contributes.",
)
@case("one node twice in a product", lines=["y = a * a"])
@case("two ways to one node", lines=["u = a * b", "v = a * c", "y = u * v"])
@case("a sum with itself", lines=["u = a + a", "v = u * u * a", "y = v + v"])
@case("a node that plays no part", lines=["u = a * b", "z = u * u", "y = u + a"], hidden=True)
@case("three uses of one node", lines=["u = a * b", "v = a * c", "y = u + v + a * a"], hidden=True)
def var_adds_at_fan_out(student, reference, rng, lines):
    """The grad of a node adds up what all of its uses contribute."""
    inputs, lines = random_inputs(rng), [*lines, "y.backward()", "del y"]
    got = student.apply(graph_after, lines, inputs)
    want = reference.apply(graph_after, lines, inputs)
    assert_close(got, want, what="[value, grad]")


self_check(var_adds_at_fan_out)


# %%
@check(
    "var",
    points=5,
    hint="A node may be reached by a short way and by a long one: who has to wait for whom?",
)
@case("the short way is written last", lines=["u = a * b", "v = u * a", "t = v * b", "y = t + u"])
@case("a random graph", size=8)
@case(
    "the short way is written first", lines=["u = a * b", "v = u * a", "y = u + v * b"], hidden=True
)
@case(
    "short and long ways to inner nodes",
    lines=["u = a + b", "v = u * u", "w = v + u", "x = w * v", "y = u * x + w * x + v"],
    hidden=True,
)
@case("a larger random graph", size=40, hidden=True)
def var_waits_for_every_use(student, reference, rng, lines=(), size=0):
    """The sweep takes the nodes in an order in which each adjoint is complete before it is used."""
    lines = [*(random_graph(rng, size) if size else lines), "y.backward()", "del y"]
    inputs = random_inputs(rng)
    got = student.apply(graph_after, lines, inputs)
    want = reference.apply(graph_after, lines, inputs)
    assert_close(got, want, what="[value, grad]")


self_check(var_waits_for_every_use)


# %%
@check(
    "var",
    points=2,
    hint="What a call hands on must be its own: keep its adjoints apart from grad, then add.",
)
@case("one result, twice", lines=["u = a * b", "y = u + c", "y.backward()", "y.backward()"])
@case(
    "two results that share a node",
    lines=["u = a * b", "p = u * c", "q = u + 1", "p.backward()", "q.backward()"],
)
@case(
    "an inner node first",
    lines=["u = a * b", "y = u * c", "u.backward()", "y.backward()"],
    hidden=True,
)
@case(
    "the inputs start afresh in between",
    lines=[
        "u = a * b",
        "y = u * c",
        "y.backward()",
        "for leaf in (a, b): leaf.grad = 0.0",
        "del leaf",
        "y.backward()",
    ],
    hidden=True,
)
@case(
    "the graph grows on",
    lines=["u = a * b", "y = u + c", "y.backward()", "z = y * 2", "z.backward()"],
    hidden=True,
)
def var_calls_add_up(student, reference, rng, lines):
    """Each call of backward adds its own derivatives, whatever the calls before it have left."""
    inputs = random_inputs(rng)
    got = student.apply(graph_after, lines, inputs)
    want = reference.apply(graph_after, lines, inputs)
    assert_close(got, want, what="[value, grad]")


self_check(var_calls_add_up)


# %%
@check(
    "var", points=2, hint="A stack of your own has no limit; and no node should be taken up twice."
)
@case("a chain of 2,000 operations", operations=2000)
@case("a longer chain", operations=5000, hidden=True)
@case("many paths", doublings=24, hidden=True)
def var_takes_deep_graphs(student, reference, rng, operations=0, doublings=0):
    """A chain of thousands of operations works, and so do millions of paths."""
    start, factors = float(rng.uniform(1, 2)), rng.uniform(0.999, 1.001, size=operations // 2)
    got = student.apply(long_graph, start, factors.tolist(), doublings)
    want = reference.apply(long_graph, start, factors.tolist(), doublings)
    assert_close(got, want, what="(value, derivative)")


self_check(var_takes_deep_graphs)


# %% [markdown]
# ## 2.3 The Jacobian by the engine (3 points)
#
# Use it: compute the $f$ of Question 1.1 with `Var`s, once, and let `backward` find the Jacobian. A
# Jacobian has one row for each output, so you need a sweep for each; the shared sum $S$ is computed
# once only.
#
# **Look out.** Calls of `backward` add up. What has to happen between one row and the next?

# %%
from reference.autodiff import jacobian_by_engine


# %%
@check(
    "jacobian_by_engine",
    points=3,
    pure=True,
    precision="strict",
    hint="Start each row afresh, and see that row i belongs to output i.",
)
@case("at (1, 2)", w=np.array([1.0, 2.0]), hidden=True)
@case("single precision, which ends", w=np.array([1.0, 2.3], np.float32), hidden=True)
@domain(w=arrays("2", low=-3, high=1, dtypes=["float64", "float32", "int64"]))
def jacobian_by_engine_matches_reference(student, reference, rng, w):
    """jacobian_by_engine gives the exact Jacobian of f."""
    got = student.jacobian_by_engine(w)
    assert_close(got, reference.jacobian_by_engine(w), what="J")
    assert_dtype(got, "float64", what="J")


self_check(jacobian_by_engine_matches_reference)


# %% [markdown]
# # 3. What descent can promise
#
# Gradients tell where downhill is. They do not tell how far to go, or whether one ever arrives.
# For convex functions a page of algebra settles both. It is worth knowing by heart, as it
# is the seed of nearly every convergence proof in optimisation.

# %% [markdown]
# ## 3.1 Where the step comes from (4 points)
#
# Near the current point $w$ a function looks like its linearisation
# $f(w) + \langle u - w, g \rangle$, with $g = \nabla f(w)$. So why not minimise that? Because an
# affine function has no minimum: it runs off to minus infinity, to where it has long ceased
# to resemble $f$. So keep close to $w$ by a penalty on the *squared* distance:
#
# $$\operatorname*{arg\,min}_u \;\; f(w) + \langle u - w, g \rangle
# + \frac{\lambda}{2} \lVert u - w \rVert^2 .$$
#
# Find the minimiser in closed form, and write it as a function (3 points). Then look at it: you
# know this step. Which learning rate $\eta$ does it have, for a given $\lambda$? Write that as a
# function, too (1 point).
#
# As in Homework 1, weights of any shape are fine, and the answer has the dtype of `w`.
#
# **Look out.** It is the squared norm that is differentiated. The norm itself has a gradient of
# length one, wherever one stands, and leads to another algorithm.

# %%
from reference.convex import prox_step

# %%
prox_step_matches_reference = matches_reference(
    "prox_step",
    points=3,
    said="prox_step minimises the linearisation plus the proximity term.",
    returns="u",
    dtype=True,
    w=arrays(dtypes=["float64", "float32"]),
    grad=like("w"),
    lam=interval(0.1, 50, log=True),
    hint="Set the gradient of the objective with respect to u to zero, and solve for u.",
)


self_check(prox_step_matches_reference)


# %%
from reference.convex import prox_learning_rate

# %%
prox_learning_rate_matches_reference = matches_reference(
    "prox_step",
    function="prox_learning_rate",
    points=1,
    said="prox_learning_rate is the learning rate of the step that the proximity term brings.",
    returns="eta",
    lam=interval(0.1, 50, log=True),
    hint="Compare with w - eta g. Does a stronger penalty allow a longer step, or a shorter one?",
)


self_check(prox_learning_rate_matches_reference)


# %% [markdown]
# ## 3.2 An inequality about any sequence (5 points)
#
# Take *any* vectors $v_1, \dots, v_T$ and any point $w^*$. Start at $w_1 = 0$ and step
# $w_{t+1} = w_t - \eta\, v_t$. Then
#
# $$\sum_{t=1}^{T} \langle w_t - w^*, v_t \rangle \;\le\;
# \frac{\lVert w^* \rVert^2}{2 \eta} + \frac{\eta}{2} \sum_{t=1}^{T} \lVert v_t \rVert^2 .$$
#
# No gradient occurs in it, and no convexity. The left side is called *regret* in online learning:
# what we pay, in a linearised world, for not having been at $w^*$ all along.
#
# Before you prove it, look at it: compute both sides (the left one for 3 points, the right one for
# 2). The vectors come as the rows of an array.
#
# **Look out.** The vector $v_t$ is weighed at the point *before* the step along it. And the arrays
# may hold whole numbers; the points in between are fractions all the same.

# %%
from reference.convex import regret_terms


# %%
@check(
    "regret_terms",
    points=3,
    pure=True,
    hint="Do the first two steps on paper: at which point is each vector weighed?",
)
@case(
    "whole numbers",
    v=np.array([[1, 2], [3, -1], [-2, 4]]),
    w_star=np.array([2, -3]),
    eta=0.3,
    hidden=True,
)
@domain(
    v=arrays("T d", dtypes=["float64", "int64"]),
    w_star=like("v", shape="d", without=["large"]),
    eta=interval(0.001, 4, log=True),
    sizes={"T": (1, 9)},
)
def regret_terms_give_the_left_side(student, reference, rng, v, w_star, eta):
    """The first of the two numbers is the left side of the inequality."""
    got, want = student.regret_terms(v, w_star, eta), reference.regret_terms(v, w_star, eta)
    assert_shape(got, (2,), what="(left, right)")
    assert_close(got[0], want[0], what="left")


self_check(regret_terms_give_the_left_side)


# %%
@check(
    "regret_terms",
    points=2,
    pure=True,
    hint="Put in one vector of one number by hand. Which factor does each of the two terms have?",
)
@domain(
    v=arrays("T d", dtypes=["float64", "int64"]),
    w_star=like("v", shape="d"),
    eta=interval(0.001, 4, log=True),
    sizes={"T": (1, 9)},
)
def regret_terms_give_the_right_side(student, reference, rng, v, w_star, eta):
    """The second of the two numbers is the right side of the inequality."""
    got, want = student.regret_terms(v, w_star, eta), reference.regret_terms(v, w_star, eta)
    assert_shape(got, (2,), what="(left, right)")
    assert_close(got[1], want[1], what="right")


self_check(regret_terms_give_the_right_side)


# %% [markdown]
# ## 3.3 What is lost in it (3 points)
#
# Most inequalities lose something that is hard to name. Not this one: the right side exceeds
# the left by an amount that depends on $\eta$, on $w^*$ and on the very last point $w_{T+1}$ only,
# and on nothing that happened before. Find it. (It pays to see how the squared distance to $w^*$
# changes in one step, and to add up these changes.) The check draws both points and $\eta$.

# %%
from reference.convex import regret_slack

# %%
regret_slack_closes_the_gap = matches_reference(
    "regret_slack",
    name="regret_slack_closes_the_gap",
    points=3,
    said="regret_slack is the right side minus the left side, from the last point alone.",
    returns="right - left",
    w_end=arrays("d"),
    w_star=like("w_end"),
    eta=interval(0.001, 4, log=True),
    hint="Expand the squared distance after a step, solve for the inner product, and add up.",
)


self_check(regret_slack_closes_the_gap)


# %% [markdown]
# ## 3.4 Proof: the inequality (6 points)
#
# Prove the inequality of 3.2 for all vectors $v_1, \dots, v_T$, every $w^*$ and every $\eta > 0$,
# with $w_1 = 0$. Follow the squared distance $D_t = \lVert w_t - w^* \rVert^2$:
#
# 1. Express $D_{t+1} - D_t$ by $v_t$, and solve for $\langle w_t - w^*, v_t \rangle$.
# 2. Add up over all steps. Say which points remain.
# 3. Use $w_1 = 0$, and drop what may be dropped. When is the inequality an equality?

# %% [markdown] manual=true question="proof_regret" points=6
# ### BEGIN SOLUTION
# **1. One step.** With $w_{t+1} - w^* = (w_t - w^*) - \eta v_t$,
#
# $$D_{t+1} = D_t - 2 \eta\, \langle w_t - w^*, v_t \rangle + \eta^2 \lVert v_t \rVert^2 ,$$
#
# and therefore, as $\eta > 0$,
#
# $$\langle w_t - w^*, v_t \rangle = \frac{D_t - D_{t+1}}{2 \eta}
# + \frac{\eta}{2} \lVert v_t \rVert^2 .$$
#
# **2. All steps.** Add up over $t = 1, \dots, T$. In the first terms everything cancels but the
# first and the last distance:
#
# $$\sum_{t=1}^T \langle w_t - w^*, v_t \rangle = \frac{D_1 - D_{T+1}}{2 \eta}
# + \frac{\eta}{2} \sum_{t=1}^T \lVert v_t \rVert^2 .$$
#
# The last point is $w_{T+1}$, the one after the step along $v_T$, and not $w_T$.
#
# **3. The start, and what is dropped.** Because $w_1 = 0$ we have $D_1 = \lVert w^* \rVert^2$. As
# $D_{T+1}$ is a squared norm, it is at least zero, and leaving out $-D_{T+1} / (2 \eta)$ can
# only enlarge the right side. This is the inequality. It is an equality exactly if $D_{T+1} = 0$,
# that is if the last point is $w^*$. Nothing was used of the vectors: neither that they are
# gradients nor that $w^*$ minimises anything.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 2 points: the expansion of one step, with the right signs and powers of $\eta$ (one point if
#   only a sign or a factor is off and everything follows from it).
# - 1 point: solved for the inner product, as an identity.
# - 1 point: the sum telescopes, and what remains is $D_1$ and $D_{T+1}$, not $D_T$.
# - 1 point: $w_1 = 0$ is used, in words or in a formula.
# - 1 point: the dropped term is at least zero and is dropped in the right direction; equality
#   exactly if $w_{T+1} = w^*$.
# - Examples, or the inequality of Cauchy and Schwarz alone, prove nothing here.
# === END MARK SCHEME ===

# %% [markdown]
# ## 3.5 The best step size (4 points)
#
# Now let $v_t = \nabla f(w_t)$ for a convex $f$ with a minimiser $w^*$, and let
# $\bar w = \frac1T \sum_{t=1}^T w_t$ be the mean of the iterates. In Question 3.7 you will prove
# that
#
# $$f(\bar w) - f(w^*) \;\le\; \frac1T \sum_{t=1}^T \langle w_t - w^*, v_t \rangle .$$
#
# Suppose that all we know is $\lVert w^* \rVert \le B$ and $\lVert \nabla f(w_t) \rVert \le \rho$
# for all $t$. Join this with 3.2: it bounds how far $f(\bar w)$ is from the minimum. The bound
# depends on $\eta$. Which $\eta$ makes it smallest, and how small is it then? Return both; each
# counts 2 points.
#
# **Look out.** Halfway there is a bound on a *sum* over $T$ steps. What is asked for is a bound on
# $f(\bar w) - f(w^*)$.

# %%
from reference.convex import rate_bound


# %%
@check(
    "rate_bound",
    points=2,
    pure=True,
    hint="Try step sizes around yours in the bound: is it smallest at yours?",
)
@domain(B=interval(0.01, 100, log=True), rho=interval(0.01, 100, log=True), T=whole(1, 10_000))
def rate_bound_gives_the_best_step_size(student, reference, rng, B, rho, T):
    """The first of the two numbers is the best step size."""
    got = student.rate_bound(B, rho, T)
    assert_shape(got, (2,), what="(eta, bound)")
    assert_close(got[0], reference.rate_bound(B, rho, T)[0], what="eta")


self_check(rate_bound_gives_the_best_step_size)


# %%
@check(
    "rate_bound",
    points=2,
    pure=True,
    hint="Insert the best step size into the bound: how large are its two terms there?",
)
@domain(B=interval(0.01, 100, log=True), rho=interval(0.01, 100, log=True), T=whole(1, 10_000))
def rate_bound_gives_the_bound(student, reference, rng, B, rho, T):
    """The second of the two numbers is the bound that the best step size brings."""
    got = student.rate_bound(B, rho, T)
    assert_shape(got, (2,), what="(eta, bound)")
    assert_close(got[1], reference.rate_bound(B, rho, T)[1], what="bound")


self_check(rate_bound_gives_the_bound)


# %% [markdown]
# ## 3.6 The mean of the iterates (4 points)
#
# The guarantee is one for $\bar w$. Write gradient descent that returns it, for a fixed number $T$
# of iterates, of which $w_1 = 0$ is the first. The gradient comes as a function.
#
# The second check takes the promise at its word: for a smooth version of $\lVert w - c \rVert_1$ it
# runs your function with the best step size, and wants $f(\bar w) - f(w^*)$ within the bound.
#
# **Look out.** A list that holds the same array $T$ times holds one point, not $T$ of them.

# %%
from reference.convex import averaged_descent


# %%
def mean_iterate(notebook, which, target, eta, T):
    """Return the mean iterate on one of three functions, whose minimiser is the target."""
    slopes = np.arange(1.0, len(target) + 1)
    gradients = {
        "bowl": lambda w: w - target,
        "valley": lambda w: slopes * (w - target),
        "log cosh": lambda w: np.tanh(w - target),
    }
    return notebook.averaged_descent(gradients[which], len(target), eta, T)


@check("averaged_descent", points=3, hint="Do T = 2 on paper: which two points are averaged?")
@domain(
    target=arrays("d", values=["normal", "large"]),
    which=choices("valley", "bowl", "log cosh"),
    eta=interval(0, 1),
    T=whole(1, 40),
)
def averaged_descent_matches_reference(student, reference, rng, target, which, eta, T):
    """averaged_descent returns the mean of the first T iterates."""
    got = student.apply(mean_iterate, which, target, eta, T)
    assert_close(got, reference.apply(mean_iterate, which, target, eta, T), what="mean iterate")


self_check(averaged_descent_matches_reference)


# %%
@check(
    "averaged_descent",
    points=1,
    all_or_nothing=True,
    hint="If the mean is right, then so is this: see the first check.",
)
@case("a hundred iterates", d=3, T=100)
@case("a thousand iterates", d=4, T=1000)
def averaged_descent_keeps_the_promise(student, reference, rng, d, T):
    """With the best step size the mean iterate is as near to the minimum as the bound says."""
    target = rng.choice([-1, 1], size=d) * rng.uniform(1, 3, size=d)
    eta, bound = reference.rate_bound(float(np.linalg.norm(target)), d**0.5, T)
    got = student.apply(mean_iterate, "log cosh", target, eta, T)
    assert_shape(got, (d,), what="mean iterate")
    away = np.abs(np.asarray(got, dtype=float) - target)
    gap = float(np.sum(away + np.log1p(np.exp(-2 * away)) - np.log(2)))
    assert_that(gap <= bound, f"f exceeds its minimum by {gap:.6g}; the bound is {bound:.6g}")


self_check(averaged_descent_keeps_the_promise)


# %% [markdown]
# How much of the guarantee is slack? The figure runs your function for ever larger $T$, each
# time with its best step size, on $f(w) = |w_1 - c_1| + \dots + |w_d - c_d|$. Compare the slopes.


# %% given=true
from reference.figures.derivatives import draw_rate

drawn(lambda: draw_rate(averaged_descent, rate_bound))

# %% [markdown]
# ## 3.7 Proof: the rate (4 points)
#
# Let $f$ be convex and differentiable, $w^*$ a minimiser, $v_t = \nabla f(w_t)$, and
# $\bar w = \frac1T \sum_t w_t$.
#
# 1. Prove that $f(\bar w) - f(w^*) \le \frac1T \sum_t \langle w_t - w^*, v_t \rangle$. Name the two
#    facts about convex functions that you use, and say in which direction each inequality goes.
# 2. Derive the bound of 3.5 from it, with the best $\eta$. Why is it the best?
# 3. At which rate does the bound fall with $T$? How many more steps does it take to halve it?

# %% [markdown] manual=true question="proof_rate" points=4
# ### BEGIN SOLUTION
# **1.** By Jensen's inequality the value at a mean is at most the mean of the values:
# $f(\bar w) \le \frac1T \sum_t f(w_t)$; in general the two are not equal. A convex differentiable
# function lies nowhere below its linearisation:
# $f(w^*) \ge f(w_t) + \langle w^* - w_t, v_t \rangle$, that is
# $f(w_t) - f(w^*) \le \langle w_t - w^*, v_t \rangle$. Together
#
# $$f(\bar w) - f(w^*) \le \frac1T \sum_{t=1}^T \bigl(f(w_t) - f(w^*)\bigr)
# \le \frac1T \sum_{t=1}^T \langle w_t - w^*, v_t \rangle .$$
#
# **2.** Insert the inequality of 3.2, with $\lVert w^* \rVert \le B$ and
# $\lVert v_t \rVert \le \rho$:
#
# $$f(\bar w) - f(w^*) \le \frac{B^2}{2 \eta T} + \frac{\eta \rho^2}{2} =: b(\eta) .$$
#
# For $\eta > 0$ the function $b$ is convex. Its derivative
# $-\frac{B^2}{2 \eta^2 T} + \frac{\rho^2}{2}$ vanishes at $\eta = \frac{B}{\rho \sqrt T}$ only, so
# this is where $b$ is smallest. There both terms equal $\frac{B \rho}{2 \sqrt T}$, and
# $b = \frac{B \rho}{\sqrt T}$.
#
# **3.** The bound falls like $1 / \sqrt T$. To halve it takes four times as many steps.
# ### END SOLUTION
#
# === BEGIN MARK SCHEME ===
# - 1 point: Jensen, in the right direction. No point for an equality, $f$ of the mean equal to
#   the mean of $f$: it holds for affine functions only.
# - 1 point: the linearisation as a lower bound, at $w_t$ and not at $\bar w$. No point for
#   values of $f$ that telescope, $f(w_1) - f(w_{T+1})$: that leads to no rate here.
# - 1 point: 3.2 inserted with $B$ and $\rho$ and divided by $T$; the best $\eta$, with a reason
#   (derivative, or the inequality of the means).
# - 1 point: the value of the bound, its rate, and four times the steps.
# === END MARK SCHEME ===

# %% [markdown]
# ## 3.8 A warning: one step of SGD (5 points)
#
# Stochastic gradient descent goes against the gradient of *one* term of a sum, picked at random.
# Take two terms,
#
# $$F(w) = F_1(w) + F_2(w) = \tfrac12 (w - a)^2 + \tfrac12 (w - b)^2, \qquad a \ne b,$$
#
# and a learning rate that is small enough for the step to lower the sampled term. Is the sum $F$
# sure to fall as well, in every step?
#
# It is not. Show it: return a point $w$, the number of the sampled term (1 or 2) and a learning
# rate $\eta > 0$ such that the step
#
# $$w' = w - \eta\, F_i'(w)$$
#
# lowers $F_i$, strictly, and raises $F$, strictly. There are many right answers. The check draws
# $a$ and $b$ anew each time and verifies both inequalities in exact arithmetic, so that no rounding
# helps or hurts. All cases have to hold.


# %% given=true
from reference.figures.derivatives import draw_terms

drawn(draw_terms)

# %%
from reference.convex import sgd_counterexample


# %%
@check(
    "sgd_counterexample",
    points=5,
    all_or_nothing=True,
    pure=True,
    hint="Stand where the other term is happy, or where the sum is; then sample the unhappy one.",
)
@case("minimisers 2 and -1", a=2.0, b=-1.0, hidden=True)
@case("close together, far away", a=1000.0, b=1000.01, hidden=True)
@domain(
    a=interval(-9, 9),
    b=derived(lambda rng, a: a + rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 4), "another number"),
)
def sgd_counterexample_holds(student, reference, rng, a, b):
    """The step lowers the sampled term, and raises the sum."""
    got = student.sgd_counterexample(a, b)
    assert_shape(got, (3,), what="(w, term, eta)")
    numbers = [float(x) for x in got]
    assert_that(bool(np.isfinite(numbers).all()), "w, term and eta have to be finite numbers")
    w, term, eta = map(Fraction, numbers)
    assert_that(term in (1, 2), f"the term is 1 or 2, not {float(term):g}")
    assert_that(eta > 0, f"eta has to be positive, not {float(eta):g}")
    centers = {1: Fraction(a), 2: Fraction(b)}
    after = w - eta * (w - centers[int(term)])
    own_before, own_after = ((x - centers[int(term)]) ** 2 for x in (w, after))
    assert_that(own_after < own_before, f"the step does not lower term {int(term)}")
    before, behind = (sum((x - c) ** 2 for c in centers.values()) for x in (w, after))
    assert_that(behind > before, "the step does not raise the sum")


self_check(sgd_counterexample_holds)


# %% [markdown]
# # 4. Which statements are true?
#
# Each question lists eight statements. Give the letters of those that are true, as one text, in any
# order: if B and E were the true ones, `"BE"`. A question gives all its points if all eight are
# judged rightly, and half of them if seven are. Guessing does not pay; trying out does, as you have
# written all the code for it.


# %%
def letters_of(answer):
    """Return the letters of an answer in order; None if it is no text, or holds something else.

    A list of letters is as good as a text.
    """
    if isinstance(answer, (list, tuple)) and all(
        isinstance(item, str) and len(item.strip()) == 1 for item in answer
    ):
        answer = "".join(answer)
    if not isinstance(answer, str):
        return None
    letters = {c for c in answer.upper() if c not in " ,;"}
    return "".join(sorted(letters)) if letters and letters <= set("ABCDEFGH") else None


def require_judged(student, reference, name, most_wrong):
    """Fail if more than so many of the statements are judged otherwise than they should be."""
    answer, right = student[name], reference[name]
    letters = letters_of(answer)
    if letters is None or len(set(letters) ^ set(right)) > most_wrong:
        assert_equal(letters or answer, right, what=name)


# %% [markdown]
# ## 4.1 Differences (3 points)

# %%
from reference.answers.autodiff import difference_statements


# %%
@check(
    "difference_statements",
    points=3,
    hint="Draw the error against h for your own numeric_jacobian, and count its calls of f.",
)
@case("seven of the eight", most_wrong=1, hidden=True)
@case("all eight", most_wrong=0, hidden=True)
def difference_statements_are_judged_rightly(student, reference, rng, most_wrong):
    """difference_statements names the true ones, all of them and no other."""
    require_judged(student, reference, "difference_statements", most_wrong)


# %%
@check("difference_statements", points=0)
@case("letters")
def difference_statements_have_the_right_form(student, reference, rng):
    """The answer is a text of letters from A to H; whether it is right is found when grading."""
    answer = letters_of(student.difference_statements)
    assert_that(answer is not None, 'give the letters of the true statements as a text, like "BE"')


self_check(difference_statements_have_the_right_form)

# %% [markdown]
# ## 4.2 Modes (4 points)

# %%
from reference.answers.autodiff import mode_statements


# %%
@check(
    "mode_statements",
    points=4,
    hint="Count sweeps, uses and stored values for the smallest example that you can think of.",
)
@case("seven of the eight", most_wrong=1, hidden=True)
@case("all eight", most_wrong=0, hidden=True)
def mode_statements_are_judged_rightly(student, reference, rng, most_wrong):
    """mode_statements names the true ones, all of them and no other."""
    require_judged(student, reference, "mode_statements", most_wrong)


# %%
@check("mode_statements", points=0)
@case("letters")
def mode_statements_have_the_right_form(student, reference, rng):
    """The answer is a text of letters from A to H; whether it is right is found when grading."""
    answer = letters_of(student.mode_statements)
    assert_that(answer is not None, 'give the letters of the true statements as a text, like "BE"')


self_check(mode_statements_have_the_right_form)

# %% [markdown]
# ## 4.3 Descent (3 points)

# %%
from reference.answers.autodiff import descent_statements


# %%
@check(
    "descent_statements",
    points=3,
    hint="Go back to the two proofs line by line, and ask what becomes of SGD at the minimum.",
)
@case("seven of the eight", most_wrong=1, hidden=True)
@case("all eight", most_wrong=0, hidden=True)
def descent_statements_are_judged_rightly(student, reference, rng, most_wrong):
    """descent_statements names the true ones, all of them and no other."""
    require_judged(student, reference, "descent_statements", most_wrong)


# %%
@check("descent_statements", points=0)
@case("letters")
def descent_statements_have_the_right_form(student, reference, rng):
    """The answer is a text of letters from A to H; whether it is right is found when grading."""
    answer = letters_of(student.descent_statements)
    assert_that(answer is not None, 'give the letters of the true statements as a text, like "BE"')


self_check(descent_statements_have_the_right_form)
