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
    assert_close,
    assert_dtype,
    assert_equal,
    assert_shape,
    assert_that,
    budget,
    case,
    check,
    self_check,
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
# **Look out.** $e^{-x}$ has an end too: for $x = -800$ it is not a number that a computer can hold,
# although $\sigma(-800)$ is perfectly harmless.

# %%
from reference.autodiff import f


# %%
@check(
    "f",
    points=4,
    pure=True,
    hint="Convert to float64 before anything else; then take S, the sine and sigma one by one.",
)
@case("at (1, 2)", center=(1.0, 2.0), spread=0.0)
@case("near (0.1, -0.3)", center=(0.1, -0.3))
@case("whole numbers", center=(1, 2), spread=0.0, dtype="int64")
@case("where the sine is large", center=(-0.5, 0.2), hidden=True)
@case("single precision, which ends", center=(1.0, 2.3), dtype="float32", hidden=True)
@case("far to the left", center=(-800.0, 0.3), hidden=True)
@case("far to the right", center=(5.5, -400.0), hidden=True)
def f_matches_reference(student, reference, rng, center, spread=0.03, dtype="float64"):
    """The function f returns both values, in double precision."""
    w = (center + spread * rng.uniform(-1, 1, size=2)).astype(dtype)
    got = student.f(w)
    assert_close(got, reference.f(w), what="f")
    assert_dtype(got, "float64", what="f")


self_check(f_matches_reference)


# %%
def stable_sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def f_of(first, second, dtype=np.float64):
    """Return a function of w from its two outputs as functions of (w1, w2)."""

    def f(w):
        w1, w2 = np.asarray(w, dtype=dtype)
        return np.array([first(w1, w2), second(w1, w2)])

    return f


def right_first(w1, w2):
    s = np.exp(w1) + np.exp(2 * w2)
    return np.exp(s) + np.sin(s)


def right_second(w1, w2):
    return w1 * w2 + stable_sigmoid(w1)


for misconception, first, second in (
    (
        "the exponent is read as w1 + exp(2 w2): it is exp(w1) + exp(2 w2), as under the sine",
        lambda x, y: np.exp(x + np.exp(2 * y)) + np.sin(np.exp(x) + np.exp(2 * y)),
        right_second,
    ),
    (
        "the factor 2 in the inner exponent is missing",
        lambda x, y: np.exp(np.exp(x) + np.exp(y)) + np.sin(np.exp(x) + np.exp(y)),
        right_second,
    ),
    (
        "2 exp(w2) in place of exp(2 w2)",
        lambda x, y: np.exp(np.exp(x) + 2 * np.exp(y)) + np.sin(np.exp(x) + 2 * np.exp(y)),
        right_second,
    ),
    (
        "w2 squared in the inner exponent in place of twice w2",
        lambda x, y: np.exp(np.exp(x) + np.exp(y * y)) + np.sin(np.exp(x) + np.exp(y * y)),
        right_second,
    ),
    (
        "the sine is left out",
        lambda x, y: np.exp(np.exp(x) + np.exp(2 * y)),
        right_second,
    ),
    (
        "the sine is subtracted",
        lambda x, y: np.exp(np.exp(x) + np.exp(2 * y)) - np.sin(np.exp(x) + np.exp(2 * y)),
        right_second,
    ),
    (
        "a cosine in place of the sine",
        lambda x, y: np.exp(np.exp(x) + np.exp(2 * y)) + np.cos(np.exp(x) + np.exp(2 * y)),
        right_second,
    ),
    (
        "the sine of degrees: numpy takes radians",
        lambda x, y: (
            np.exp(np.exp(x) + np.exp(2 * y)) + np.sin(np.deg2rad(np.exp(x) + np.exp(2 * y)))
        ),
        right_second,
    ),
    (
        "the sum under the sine lacks one of its terms",
        lambda x, y: np.exp(np.exp(x) + np.exp(2 * y)) + np.sin(np.exp(2 * y)),
        right_second,
    ),
    (
        "the product of the two exponentials in place of their sum",
        lambda x, y: np.exp(np.exp(x + 2 * y)) + np.sin(np.exp(x + 2 * y)),
        right_second,
    ),
    (
        "only one of the two exponentials that are nested",
        lambda x, y: np.exp(x) + np.exp(2 * y) + np.sin(np.exp(x) + np.exp(2 * y)),
        right_second,
    ),
    ("the logistic function of w2, not of w1", right_first, lambda x, y: x * y + stable_sigmoid(y)),
    (
        "the sign in the logistic function: it has to grow",
        right_first,
        lambda x, y: x * y + stable_sigmoid(-x),
    ),
    ("the logistic function is left out", right_first, lambda x, y: x * y),
    (
        "a hyperbolic tangent for the logistic function",
        right_first,
        lambda x, y: x * y + np.tanh(x),
    ),
    ("a sum in place of the product w1 w2", right_first, lambda x, y: x + y + stable_sigmoid(x)),
    ("the two outputs are swapped", right_second, right_first),
):
    f_matches_reference.mistake(misconception, f=f_of(first, second))

f_matches_reference.mistake(
    "single precision, in which the exponential of the exponential overflows",
    f=f_of(right_first, right_second, np.float32),
)


@f_matches_reference.mistake("converted to double precision only after the inner exponentials")
def f(w):
    w1, w2 = np.asarray(w) * np.ones((), np.asarray(w).dtype)
    s = np.float64(np.exp(w1) + np.exp(2 * w2))
    return np.array([np.exp(s) + np.sin(s), float(w1) * float(w2) + stable_sigmoid(float(w1))])


@f_matches_reference.mistake("the logistic function overflows: exp(-x) is too large for x = -800")
def f(w):
    import math

    w1, w2 = (float(x) for x in w)
    return np.array([right_first(w1, w2), w1 * w2 + 1 / (1 + math.exp(-w1))])


@f_matches_reference.mistake("overwrites the caller's point: it works in place")
def f(w):
    result = f_of(right_first, right_second)(w)
    w *= 2
    return result


@f_matches_reference.mistake("one number: the two outputs are added up")
def f(w):
    return f_of(right_first, right_second)(w).sum()


# %%
@f_matches_reference.alternative("torch")
def f(w):
    w1, w2 = torch.tensor(w, dtype=torch.float64)
    s = w1.exp() + (2 * w2).exp()
    return torch.stack([s.exp() + s.sin(), w1 * w2 + w1.sigmoid()]).numpy()


@f_matches_reference.alternative("the imaginary part of exp(iS), and a hyperbolic tangent")
def f(w):
    w1, w2 = (float(x) for x in w)
    inner = np.exp([w1, w2 + w2]).sum()
    return np.array([np.exp(inner) + np.exp(1j * inner).imag, stable_sigmoid(w1) + w2 * w1])


@f_matches_reference.alternative("Python's own numbers, and a list at the end")
def f(w):
    import math

    w1, w2 = float(w[0]), float(w[1])
    inner = math.fsum([math.exp(w1), math.exp(w2) ** 2])
    grown = math.exp(w1) if w1 < 0 else 1.0
    return [math.exp(inner) + math.sin(inner), w1 * w2 + grown / (1 + math.exp(-abs(w1)))]


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


# %%
def differences_of(notebook, which, w, h, scheme):
    """Return the Jacobian of one of four functions by differences, and the point afterwards."""
    functions = {
        "three to two": lambda x: np.array([x[0] * x[1] ** 2 + x[2] ** 3, np.sin(x[0] + 2 * x[2])]),
        "two to four": lambda x: np.array([x[0] ** 3, x[1] ** 2, x[0] * x[1], np.cos(x).prod()]),
        "three to one": lambda x: np.array([(3 + np.sin(x).sum()) ** 3]),
        "one to three": lambda x: np.array([x[0], x[0] ** 2, x[0] ** 3]),
    }
    jacobian = notebook.numeric_jacobian(functions[which], w, h, scheme)
    return {"jacobian": jacobian, "w afterwards": w}


@check(
    "numeric_jacobian",
    points=5,
    hint="Compare column by column: which points does the scheme ask for, and how far apart?",
)
@case("forward, three inputs and two outputs", which="three to two", scheme="forward")
@case("central, three inputs and two outputs", which="three to two", scheme="central")
@case("forward, a small step", which="three to one", scheme="forward", h=1e-4, hidden=True)
@case("central, two inputs and four outputs", which="two to four", scheme="central", hidden=True)
@case("central, a large step", which="one to three", scheme="central", h=1.5, hidden=True)
def numeric_jacobian_matches_reference(student, reference, rng, which, scheme, h=0.3):
    """numeric_jacobian gives what the scheme defines, for any number of inputs and outputs."""
    inputs = {"three": 3, "two": 2, "one": 1}[which.split()[0]]
    w, h = rng.uniform(-1, 1, size=inputs), h * rng.uniform(0.8, 1.2)
    got = student.apply(differences_of, which, w, h, scheme)
    want = reference.apply(differences_of, which, w, h, scheme)
    assert_close(got, want, what="differences")


self_check(numeric_jacobian_matches_reference)


# %%
@check(
    "numeric_jacobian",
    points=1,
    all_or_nothing=True,
    hint="An array of whole numbers has no room for a fraction; and f is to get float64 each time.",
)
@case("forward, from whole numbers", which="three to two", scheme="forward")
@case("central, from whole numbers", which="two to four", scheme="central", hidden=True)
@case(
    "forward, from single precision",
    which="three to one",
    scheme="forward",
    dtype="float32",
    h=1e-4,
    hidden=True,
)
def numeric_jacobian_converts_first(student, reference, rng, which, scheme, dtype="int64", h=0.25):
    """numeric_jacobian computes in double precision, from whatever it gets, and leaves that be."""
    w = (3 * rng.uniform(-1, 1, size={"three": 3, "two": 2}[which.split()[0]])).astype(dtype)
    got = student.apply(differences_of, which, w, h, scheme)
    want = reference.apply(differences_of, which, w, h, scheme)
    assert_close(got["jacobian"], want["jacobian"], what="J")
    assert_equal(got["w afterwards"], want["w afterwards"], what="w afterwards")


self_check(numeric_jacobian_converts_first)


# %%
def differences_in_table(notebook, points, values, w, h, scheme):
    """Return the Jacobian by differences of a function of which only these values are known."""

    def look_up(x):
        distances = np.abs(points - np.asarray(x, dtype=float)).max(axis=1)
        nearest = int(distances.argmin())
        if not distances[nearest] < 1e-9:
            raise ValueError("f is called at a point that neither scheme needs")
        return values[nearest].copy()

    return notebook.numeric_jacobian(look_up, w, h, scheme)


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


# %%
def differences(f, w, h, scheme, shift=(1.0, -1.0), divisor=2.0, forward_divisor=1.0):
    """Return the Jacobian with the shifts of the central scheme, and what to divide by, to choose.

    shift: of the two points of the central scheme, in units of h.
    """
    w = np.array(w, dtype=float)
    columns = []
    for j in range(len(w)):
        e = np.zeros(len(w))
        e[j] = h
        if scheme == "central":
            columns.append((f(w + shift[0] * e) - f(w + shift[1] * e)) / (divisor * h))
        else:
            columns.append((f(w + e) - f(w)) / (forward_divisor * h))
    return np.array(columns).T


EVERY_SCHEME = (numeric_jacobian_of_f,)
EVERY_DIFFERENCE = (numeric_jacobian_converts_first, numeric_jacobian_of_f)


@numeric_jacobian_matches_reference.mistake(
    "the central difference is divided by h: its two points are 2h apart", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, h, scheme, divisor=1.0)


@numeric_jacobian_matches_reference.mistake(
    "the forward difference is divided by 2h: its two points are h apart", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, h, scheme, forward_divisor=2.0)


@numeric_jacobian_matches_reference.mistake(
    "the forward scheme whatever is asked for: no central difference", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, h, "forward")


@numeric_jacobian_matches_reference.mistake(
    "the central scheme whatever is asked for: no forward difference", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, h, "central")


@numeric_jacobian_matches_reference.mistake(
    "the two schemes under each other's names", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, h, {"forward": "central", "central": "forward"}[scheme])


@numeric_jacobian_matches_reference.mistake(
    "a central difference over half the step to either side: ours moves by h", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, h, scheme, shift=(0.5, -0.5), divisor=1.0)


@numeric_jacobian_matches_reference.mistake(
    "a backward difference for the forward one", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    if scheme == "central":
        return differences(f, w, h, scheme)
    return differences(f, w, -h, scheme)


@numeric_jacobian_matches_reference.mistake(
    "the sign of the central difference: later minus earlier", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, h, scheme, shift=(-1.0, 1.0))


@numeric_jacobian_matches_reference.mistake(
    "the transpose: row i belongs to output i, column j to input j", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, h, scheme).T


@numeric_jacobian_matches_reference.mistake(
    "all inputs are moved at once, not one at a time", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    w = np.array(w, dtype=float)
    back = w - h if scheme == "central" else w
    column = (f(w + h) - f(back)) / (2 * h if scheme == "central" else h)
    return np.tile(column[:, None], (1, len(w)))


@numeric_jacobian_matches_reference.mistake(
    "the step is added to the point and never taken back, so the next columns start elsewhere",
    also=EVERY_DIFFERENCE,
)
def numeric_jacobian(f, w, h, scheme):
    w = np.array(w, dtype=float)
    columns = []
    for j in range(len(w)):
        before = f(w)
        w[j] += h
        column = (f(w) - before) / h
        if scheme == "central":
            w[j] -= 2 * h
            column = (column * h + before - f(w)) / (2 * h)
        columns.append(column)
    return np.array(columns).T


@numeric_jacobian_matches_reference.mistake(
    "moves the caller's own array: take a copy first",
    also=(numeric_jacobian_converts_first,),
)
def numeric_jacobian(f, w, h, scheme):
    result = differences(f, w, h, scheme)
    w[0] += 1
    return result


@numeric_jacobian_matches_reference.mistake("a step of one's own: h is the caller's choice")
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, 0.01, scheme)


@numeric_jacobian_matches_reference.mistake(
    "a step in proportion to the coordinate: ours is h for each", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    w = np.array(w, dtype=float)
    columns = []
    for j in range(len(w)):
        size = h * max(abs(w[j]), 0.1)
        columns.append(differences(f, w, size, scheme)[:, j])
    return np.array(columns).T


@numeric_jacobian_matches_reference.mistake(
    "only for functions that return one number: the first output alone", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    return differences(f, w, h, scheme)[:1]


@numeric_jacobian_matches_reference.mistake(
    "only for as many outputs as inputs: the Jacobian need not be square"
)
def numeric_jacobian(f, w, h, scheme):
    right = differences(f, w, h, scheme)
    jacobian = np.zeros((len(w), len(w)))
    size = min(len(right), len(w))
    jacobian[:size] = right[:size]
    return jacobian


@numeric_jacobian_matches_reference.mistake(
    "the exact derivative was aimed at: a scheme with a step is asked for", also=EVERY_SCHEME
)
def numeric_jacobian(f, w, h, scheme):
    w = np.array(w, dtype=float)
    fine, finer = (differences(f, w, h / k, "central") for k in (1, 2))
    return (4 * finer - fine) / 3


@numeric_jacobian_converts_first.mistake(
    "a copy of whole numbers holds whole numbers: the step is truncated to nothing"
)
def numeric_jacobian(f, w, h, scheme):
    columns = []
    for j in range(len(w)):
        right, left = w.copy(), w.copy()
        right[j] = right[j] + h
        left[j] = left[j] - h if scheme == "central" else left[j]
        columns.append((f(right) - f(left)) / (2 * h if scheme == "central" else h))
    return np.array(columns).T


@numeric_jacobian_matches_reference.mistake("single precision, in which differences lose all")
def numeric_jacobian(f, w, h, scheme):
    w, h = np.array(w, dtype=np.float32), np.float32(h)
    return differences(lambda x: f(x).astype(np.float32), w, h, scheme)


# %%
@numeric_jacobian_matches_reference.alternative(
    "in place on a copy, with the entry put back each time", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    x = np.array(w, dtype=np.float64)
    right, left, here = [], [], np.array(f(x))
    for j in range(x.size):
        kept = x[j]
        x[j] = kept + h
        right.append(np.array(f(x)))
        if scheme == "central":
            x[j] = kept - h
            left.append(np.array(f(x)))
        x[j] = kept
    if scheme == "central":
        return np.transpose(np.subtract(right, left)) * (0.5 / h)
    return (np.array(right) - here).T / h


@numeric_jacobian_matches_reference.alternative(
    "the mean of the differences to either side", also=EVERY_DIFFERENCE
)
def numeric_jacobian(f, w, h, scheme):
    here, moves = f(np.asarray(w, float)), np.diag(np.full(len(w), h))
    sides = [1, -1] if scheme == "central" else [1]
    slopes = [[(f(w + side * e) - here) / (side * h) for e in moves] for side in sides]
    return np.mean(slopes, axis=0).T


@numeric_jacobian_matches_reference.alternative("torch's tensors inside", also=EVERY_DIFFERENCE)
def numeric_jacobian(f, w, h, scheme):
    point = torch.as_tensor(np.array(w, dtype=float))
    moves = h * torch.eye(len(w), dtype=torch.float64)
    ahead = torch.stack([torch.as_tensor(f((point + e).numpy())) for e in moves], dim=1)
    if scheme == "forward":
        return (ahead - torch.as_tensor(f(point.numpy()))[:, None]) / h
    behind = torch.stack([torch.as_tensor(f((point - e).numpy())) for e in moves], dim=1)
    return ((ahead - behind) / 2 / h).numpy()


# %% [markdown]
# How small should $h$ be? The figure shows the error of both schemes for a sine. Read off
# the slopes of the two straight pieces, and where each curve turns. What limits it from there on?


# %%
def draw_errors():
    """Draw the error of both schemes against the step, for sin(3 x) at x = 1."""
    import matplotlib.pyplot as plt

    steps, exact = np.logspace(-14, 0, 85), 3 * np.cos(3.0)
    errors = {
        scheme: [
            abs(numeric_jacobian(lambda x: np.sin(3 * x), np.ones(1), h, scheme).item() - exact)
            for h in steps
        ]
        for scheme in ("forward", "central")
    }
    _, axes = plt.subplots(figsize=(6.4, 3.8))
    for scheme, colour in (("forward", "tab:red"), ("central", "tab:blue")):
        axes.loglog(
            steps, errors[scheme], ".-", color=colour, label=scheme, markersize=4, linewidth=0.8
        )
    axes.set(xlabel="step $h$", ylabel="error", title="Differences of sin(3x) at x = 1")
    axes.grid(alpha=0.3)
    axes.legend()


drawn(draw_errors)

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
    hint="Move one input at a time: v = (1, 0) gives one column of J, v = (0, 1) the other.",
)
@case("at (1, 2)", center=(1.0, 2.0), spread=0.0)
@case("near (0.1, -0.3)", center=(0.1, -0.3))
@case("only the second input moves", center=(0.3, 0.1), velocity=(0.0, 1.0))
@case("where the sine matters", center=(-0.5, 0.2), hidden=True)
@case("in single precision, which ends", center=(1.0, 2.3), dtype="float32", hidden=True)
@case("from whole numbers", center=(0, -1), spread=0.0, dtype="int64", hidden=True)
@case("far to the left", center=(-800.0, 0.3), hidden=True)
def jvp_matches_reference(
    student, reference, rng, center, spread=0.05, velocity=None, dtype="float64"
):
    """What jvp returns is the velocity of both outputs, in double precision."""
    w = (center + spread * rng.uniform(-1, 1, size=2)).astype(dtype)
    v = rng.choice([-1, 1], size=2) * rng.uniform(0.5, 2.0, size=2)
    v = v if velocity is None else np.array(velocity) * v
    v = np.rint(2 * v).astype(dtype) if dtype == "int64" else v.astype(dtype)
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
# where they should add keeps only the last. In our $f$ the sum $S$ is used twice, and so
# is $w_1$ (how often?).

# %%
from reference.autodiff import vjp


# %%
@check(
    "vjp",
    points=6,
    pure=True,
    hint="Weigh one output at a time: u = (1, 0) gives one row of J, u = (0, 1) the other.",
)
@case("at (1, 2)", center=(1.0, 2.0), spread=0.0)
@case("near (0.1, -0.3)", center=(0.1, -0.3))
@case("only the second output counts", center=(0.3, 0.1), weights=(0.0, 1.0))
@case("where the sine matters", center=(-0.5, 0.2), hidden=True)
@case("in single precision, which ends", center=(1.0, 2.3), dtype="float32", hidden=True)
@case("from whole numbers", center=(0, -1), spread=0.0, dtype="int64", hidden=True)
@case("far to the left", center=(-800.0, 0.3), hidden=True)
def vjp_matches_reference(
    student, reference, rng, center, spread=0.05, weights=None, dtype="float64"
):
    """What vjp returns is the gradient of the weighted outputs, in double precision."""
    w = (center + spread * rng.uniform(-1, 1, size=2)).astype(dtype)
    u = rng.choice([-1, 1], size=2) * rng.uniform(0.5, 2.0, size=2)
    u = u if weights is None else np.array(weights) * u
    u = np.rint(2 * u).astype(dtype) if dtype == "int64" else u.astype(dtype)
    got = student.vjp(w, u)
    assert_close(got, reference.vjp(w, u), what="u J")
    assert_dtype(got, "float64", what="u J")


self_check(vjp_matches_reference)


# %%
def jacobian_of(
    w,
    outer=lambda s: np.exp(s) + np.cos(s),
    first=np.exp,
    second=lambda x: 2 * np.exp(2 * x),
    slope=lambda p: p * (1 - p),
    product=lambda w1, w2: (w2, w1),
):
    """Return the Jacobian of f with each of its local derivatives to choose."""
    w1, w2 = np.asarray(w, dtype=np.float64)
    s = np.exp(w1) + np.exp(2 * w2)
    by_1, by_2 = product(w1, w2)
    upper = [outer(s) * first(w1), outer(s) * second(w2)]
    return np.array([upper, [by_1 + slope(stable_sigmoid(w1)), by_2]])


for misconception, wrong in (
    (
        "the derivative of the sine is the cosine, with a plus",
        {"outer": lambda s: np.exp(s) - np.cos(s)},
    ),
    (
        "the sine was not differentiated: its derivative is the cosine",
        {"outer": lambda s: np.exp(s) + np.sin(s)},
    ),
    ("the sine is lost on the way", {"outer": np.exp}),
    ("only the sine was differentiated: the exponential is lost", {"outer": np.cos}),
    (
        "exp(S) is differentiated like a power, as S exp(S - 1)",
        {"outer": lambda s: s * np.exp(s - 1) + np.cos(s)},
    ),
    (
        "the derivative of exp(2 w2) has a factor 2",
        {"second": lambda x: np.exp(2 * x)},
    ),
    (
        "the factor 2 stays with w2: the derivative of exp(2 w2) is not 2 exp(w2)",
        {"second": lambda x: 2 * np.exp(x)},
    ),
    ("the inner derivative exp(w1) is missing", {"first": lambda x: 1.0}),
    ("the inner derivative 2 exp(2 w2) is missing", {"second": lambda x: 1.0}),
    ("the derivative of the logistic function is not the function", {"slope": lambda p: p}),
    ("the derivative of the logistic function is not 1 - sigma", {"slope": lambda p: 1 - p}),
    (
        "the derivative of the hyperbolic tangent for that of the logistic function",
        {"slope": lambda p: 1 - p * p},
    ),
    ("the sign of the logistic function's derivative", {"slope": lambda p: p * (p - 1)}),
    ("the logistic function is lost on the way", {"slope": lambda p: 0.0}),
    (
        "the product rule: the derivative of w1 w2 by w1 is w2",
        {"product": lambda w1, w2: (w1, w2)},
    ),
    ("only the first factor of w1 w2 was differentiated", {"product": lambda w1, w2: (w2, 0.0)}),
    ("only the second factor of w1 w2 was differentiated", {"product": lambda w1, w2: (0.0, w1)}),
):
    jvp_matches_reference.mistake(
        misconception, jvp=lambda w, v, wrong=wrong: jacobian_of(w, **wrong) @ v
    )
    vjp_matches_reference.mistake(
        misconception, vjp=lambda w, u, wrong=wrong: u @ jacobian_of(w, **wrong)
    )

jvp_matches_reference.mistake(
    "the transpose: that is a vector-Jacobian product", jvp=lambda w, v: v @ jacobian_of(w)
)
jvp_matches_reference.mistake(
    "the velocity is not used: the tangents of the inputs are v, not ones",
    jvp=lambda w, v: jacobian_of(w).sum(axis=1),
)
jvp_matches_reference.mistake(
    "the velocity was scaled to length one; its length counts",
    jvp=lambda w, v: jacobian_of(w) @ v / np.linalg.norm(v),
)
jvp_matches_reference.mistake(
    "the whole Jacobian in place of its product with v", jvp=lambda w, v: jacobian_of(w)
)
jvp_matches_reference.mistake(
    "the columns of the Jacobian times v, not added up", jvp=lambda w, v: jacobian_of(w)[0] * v
)
jvp_matches_reference.mistake(
    "a central difference along v, which is not exact",
    jvp=lambda w, v: (
        (f_of(right_first, right_second)(w + 1e-3 * v)
         - f_of(right_first, right_second)(w - 1e-3 * v)) / 2e-3
    ),
)  # fmt: skip
jvp_matches_reference.mistake(
    "single precision, in which the outer exponential overflows",
    jvp=lambda w, v: np.float64(jacobian_of(w)).astype(np.float32) @ v.astype(np.float32),
)
vjp_matches_reference.mistake(
    "the transpose: that is a Jacobian-vector product", vjp=lambda w, u: jacobian_of(w) @ u
)
vjp_matches_reference.mistake(
    "the weights are not used: the adjoints of the outputs are u, not ones",
    vjp=lambda w, u: jacobian_of(w).sum(axis=0),
)
vjp_matches_reference.mistake(
    "the whole Jacobian in place of the product with it", vjp=lambda w, u: jacobian_of(w)
)
vjp_matches_reference.mistake(
    "single precision, in which the outer exponential overflows",
    vjp=lambda w, u: u.astype(np.float32) @ jacobian_of(w).astype(np.float32),
)


@vjp_matches_reference.mistake(
    "S is used twice, and the second adjoint overwrites the first: they have to be added"
)
def vjp(w, u):
    return u @ jacobian_of(w, outer=np.cos)


@vjp_matches_reference.mistake(
    "w1 is used three times, and only its use in the exponential reaches its adjoint"
)
def vjp(w, u):
    full = jacobian_of(w)
    return np.array([u[0] * full[0, 0], u @ full[:, 1]])


@vjp_matches_reference.mistake(
    "w1 is used three times, and only its uses in the second output reach its adjoint"
)
def vjp(w, u):
    full = jacobian_of(w)
    return np.array([u[1] * full[1, 0], u @ full[:, 1]])


@vjp_matches_reference.mistake(
    "w1 is used three times, and only its use in the logistic function reaches its adjoint"
)
def vjp(w, u):
    full = jacobian_of(w)
    return np.array([u[1] * (full[1, 0] - w[1]), u @ full[:, 1]])


@vjp_matches_reference.mistake(
    "w2 is used twice, and one contribution to its adjoint overwrites the other"
)
def vjp(w, u):
    full = jacobian_of(w)
    return np.array([u @ full[:, 0], u[1] * full[1, 1]])


@vjp_matches_reference.mistake("overwrites the caller's weights: it works in place")
def vjp(w, u):
    result = u @ jacobian_of(w)
    u *= 2
    return result


@jvp_matches_reference.mistake("overwrites the caller's velocity: it works in place")
def jvp(w, v):
    result = jacobian_of(w) @ v
    v *= 2
    return result


# %%
def torch_outputs(w):
    """Return the point and both outputs as torch's tensors, ready to be differentiated."""
    w = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    s = w[0].exp() + (w[1] * 2).exp()
    return w, torch.stack([s.exp() + s.sin(), w[0] * w[1] + w[0].sigmoid()])


@jvp_matches_reference.alternative("torch's reverse mode, applied twice")
def jvp(w, v):
    w, outputs = torch_outputs(w)
    weights = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    (pulled,) = torch.autograd.grad(outputs, w, weights, create_graph=True)
    v = torch.tensor(v, dtype=torch.float64)
    (pushed,) = torch.autograd.grad(pulled, weights, v)
    return pushed.numpy()


@jvp_matches_reference.alternative("the Jacobian written out, times v")
def jvp(w, v):
    return np.einsum("ij,j->i", jacobian_of(w), np.asarray(v, dtype=float))


@jvp_matches_reference.alternative("a dual number: the imaginary part of a tiny complex step")
def jvp(w, v):
    w1, w2 = np.asarray(w, dtype=float) + 1e-200j * np.asarray(v, dtype=float)
    s = np.exp(w1) + np.exp(2 * w2)
    low = w1.real < 0
    logistic = np.exp(w1) / (1 + np.exp(w1)) if low else 1 / (1 + np.exp(-w1))
    return np.array([(np.exp(s) + np.sin(s)).imag, (w1 * w2 + logistic).imag]) / 1e-200


@vjp_matches_reference.alternative("torch's reverse mode")
def vjp(w, u):
    w, outputs = torch_outputs(w)
    (outputs * torch.tensor(u, dtype=torch.float64)).sum().backward()
    return w.grad


@vjp_matches_reference.alternative("the Jacobian written out, times u")
def vjp(w, u):
    return np.einsum("i,ij->j", np.asarray(u, dtype=float), jacobian_of(w))


@vjp_matches_reference.alternative("step by step, with the adjoints in a dict that is added to")
def vjp(w, u):
    w1, w2 = map(float, w)
    a, b, p = np.exp(w1), np.exp(w2) ** 2, stable_sigmoid(w1)
    bar = dict.fromkeys(("w1", "w2", "a", "b", "s"), 0.0)
    bar["s"] += np.cos(a + b) * float(u[0])
    bar["s"] += np.exp(a) * np.exp(b) * float(u[0])
    for name in ("a", "b"):
        bar[name] += bar["s"]
    bar["w1"] += a * bar["a"]
    bar["w1"] += (w2 + p - p * p) * float(u[1])
    bar["w2"] += w1 * float(u[1])
    bar["w2"] += (b + b) * bar["b"]
    return [bar["w1"], bar["w2"]]


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


# %%
def by_columns(notebook, matrix):
    """Return what jacobian_forward makes of the products with a matrix, and how many it took."""
    asked = []

    def product(v):
        asked.append(1)
        return matrix @ np.asarray(v, dtype=float).reshape(matrix.shape[1])

    return {"J": notebook.jacobian_forward(product, matrix.shape[1]), "calls": len(asked)}


@check(
    "jacobian_modes",
    points=2.5,
    hint="A product with a unit vector is a column: how are columns put together?",
)
@case("three inputs, two outputs", shape=(2, 3))
@case("as many inputs as outputs", shape=(3, 3))
@case("two inputs, five outputs", shape=(5, 2), hidden=True)
@case("one input", shape=(4, 1), hidden=True)
@case("one output", shape=(1, 6), hidden=True)
def jacobian_forward_matches_reference(student, reference, rng, shape):
    """jacobian_forward finds the matrix, with one call for each input at the most."""
    matrix = rng.normal(size=shape)
    got = student.apply(by_columns, matrix)
    assert_close(got["J"], reference.apply(by_columns, matrix)["J"], what="J")
    assert_that(got["calls"] <= shape[1], f"{got['calls']} calls for {shape[1]} inputs")


self_check(jacobian_forward_matches_reference)


# %%
def by_rows(notebook, matrix):
    """Return what jacobian_reverse makes of the products with a matrix, and how many it took."""
    asked = []

    def product(u):
        asked.append(1)
        return np.asarray(u, dtype=float).reshape(matrix.shape[0]) @ matrix

    return {"J": notebook.jacobian_reverse(product, matrix.shape[0]), "calls": len(asked)}


@check(
    "jacobian_modes",
    points=2.5,
    hint="A product of a unit vector is a row: how are rows put together?",
)
@case("three inputs, two outputs", shape=(2, 3))
@case("as many inputs as outputs", shape=(3, 3))
@case("two inputs, five outputs", shape=(5, 2), hidden=True)
@case("one input", shape=(4, 1), hidden=True)
@case("one output", shape=(1, 6), hidden=True)
def jacobian_reverse_matches_reference(student, reference, rng, shape):
    """jacobian_reverse finds the matrix, with one call for each output at the most."""
    matrix = rng.normal(size=shape)
    got = student.apply(by_rows, matrix)
    assert_close(got["J"], reference.apply(by_rows, matrix)["J"], what="J")
    assert_that(got["calls"] <= shape[0], f"{got['calls']} calls for {shape[0]} outputs")


self_check(jacobian_reverse_matches_reference)


# %%
@jacobian_forward_matches_reference.mistake("the transpose: what comes out are columns, not rows")
def jacobian_forward(jvp, n):
    return np.array([jvp(e) for e in np.eye(n)])


@jacobian_forward_matches_reference.mistake("a single sweep along (1, …, 1) adds all columns up")
def jacobian_forward(jvp, n):
    return np.tile(jvp(np.ones(n))[:, None], (1, n)) / n


@jacobian_forward_matches_reference.mistake("only the first column")
def jacobian_forward(jvp, n):
    return jvp(np.eye(n)[0])[:, None]


@jacobian_forward_matches_reference.mistake("one column short: the last input is left out")
def jacobian_forward(jvp, n):
    return np.stack([jvp(e) for e in np.eye(n)[:-1]] or [jvp(np.zeros(n))], axis=1)


@jacobian_forward_matches_reference.mistake("n stands for the outputs: a square is taken for given")
def jacobian_forward(jvp, n):
    result = np.zeros((n, n))
    for j in range(n):
        result[:, j] = jvp(np.eye(n)[j])
    return result


@jacobian_forward_matches_reference.mistake("more sweeps than there are inputs")
def jacobian_forward(jvp, n):
    m = len(jvp(np.zeros(n)))
    return np.array([[jvp(e)[i] for e in np.eye(n)] for i in range(m)])


@jacobian_forward_matches_reference.mistake("columns one below the other, in one long vector")
def jacobian_forward(jvp, n):
    return np.concatenate([jvp(e) for e in np.eye(n)])


@jacobian_reverse_matches_reference.mistake("the transpose: what comes out are rows, not columns")
def jacobian_reverse(vjp, m):
    return np.stack([vjp(e) for e in np.eye(m)], axis=1)


@jacobian_reverse_matches_reference.mistake("a single sweep from (1, …, 1) adds all rows up")
def jacobian_reverse(vjp, m):
    return np.tile(vjp(np.ones(m)), (m, 1)) / m


@jacobian_reverse_matches_reference.mistake("only the first row")
def jacobian_reverse(vjp, m):
    return vjp(np.eye(m)[0])[None]


@jacobian_reverse_matches_reference.mistake("one row short: the last output is left out")
def jacobian_reverse(vjp, m):
    return np.stack([vjp(e) for e in np.eye(m)[:-1]] or [vjp(np.zeros(m))])


@jacobian_reverse_matches_reference.mistake("m stands for the inputs: a square is taken for given")
def jacobian_reverse(vjp, m):
    result = np.zeros((m, m))
    for i in range(m):
        result[i] = vjp(np.eye(m)[i])
    return result


@jacobian_reverse_matches_reference.mistake("more sweeps than there are outputs")
def jacobian_reverse(vjp, m):
    n = len(vjp(np.zeros(m)))
    return np.array([[vjp(e)[j] for j in range(n)] for e in np.eye(m)])


# %%
@jacobian_forward_matches_reference.alternative("column after column, on lists")
def jacobian_forward(jvp, n):
    columns = []
    for j in range(n):
        columns.append(np.asarray(jvp(np.array([float(k == j) for k in range(n)]))).tolist())
    return [list(row) for row in zip(*columns, strict=True)]


@jacobian_forward_matches_reference.alternative("other directions, and a system of equations")
def jacobian_forward(jvp, n):
    directions = np.tril(np.ones((n, n)))
    products = np.array([jvp(v) for v in directions])
    return np.linalg.solve(directions, products).T


@jacobian_reverse_matches_reference.alternative("torch's unit vectors, and concatenation")
def jacobian_reverse(vjp, m):
    rows = [torch.as_tensor(vjp(e.numpy()))[None] for e in torch.eye(m, dtype=torch.float64)]
    return torch.cat(rows)


@jacobian_reverse_matches_reference.alternative("other weights, and a system of equations")
def jacobian_reverse(vjp, m):
    weights = np.triu(np.ones((m, m)))
    return np.linalg.solve(weights, np.array([vjp(u) for u in weights]))


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


# %%
def derivatives_of(notebook, expressions, a, b):
    """Return for each expression its value, its own grad, and the grads of a and of b."""
    found = {}
    for text in expressions:
        names = {"a": notebook.Var(a), "b": notebook.Var(b)}
        result = eval(text, names)
        result.backward()
        nodes = result, names["a"], names["b"]
        found[text] = np.array([float(x) for x in (result.value, *(n.grad for n in nodes))])
    return found


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
@case("the logistic function far out", expressions=["a.sigmoid()"], sizes=[900, -900], hidden=True)
def var_follows_the_rules(student, reference, rng, expressions, sizes=(1, -1)):
    """Each operator and each function of Var has the right value and the right slopes."""
    for size in sizes:
        a, b = float(size * rng.uniform(0.5, 1.5)), float(rng.uniform(0.5, 2.5))
        if abs(size) > 1:
            a = size * (1 + 0.01 * float(rng.uniform(-1, 0)))
        got = student.apply(derivatives_of, expressions, a, b)
        want = reference.apply(derivatives_of, expressions, a, b)
        assert_close(got, want, what="[value, its grad, grad of a, grad of b]")


self_check(var_follows_the_rules)


# %%
def graph_after(notebook, lines, inputs):
    """Run lines of Python on nodes; return value and grad of each node that has a name."""
    names = {name: notebook.Var(value) for name, value in inputs.items()}
    exec("\n".join(lines), names)
    nodes = {n: x for n, x in names.items() if isinstance(x, notebook.Var)}
    return {name: np.array([float(x.value), float(x.grad)]) for name, x in nodes.items()}


def random_inputs(rng):
    """Return three numbers for the nodes a, b and c, none of them near zero."""
    sizes = rng.choice([-1, 1], size=3) * rng.uniform(0.5, 1.5, size=3)
    return dict(zip("abc", sizes.tolist(), strict=True))


@check(
    "var",
    points=4,
    hint="How many uses has each node, also by one and the same operator? Each contributes.",
)
@case("one node twice in a product", lines=["y = a * a", "y.backward()"])
@case("a diamond", lines=["u = a * b", "v = u + a", "y = u * v", "y.backward()"])
@case("a sum with itself", lines=["u = a + a", "v = u * u * a", "y = v + v", "y.backward()"])
@case(
    "a node that plays no part",
    lines=["u = a * b", "z = u * u", "y = u + a", "y.backward()"],
    hidden=True,
)
@case(
    "three uses of one node",
    lines=["u = a * b + c", "p = u * a", "q = u * c", "y = p + q + u * u", "y.backward()"],
    hidden=True,
)
def var_adds_at_fan_out(student, reference, rng, lines):
    """The grad of a node adds up what all of its uses contribute."""
    inputs = random_inputs(rng)
    got = student.apply(graph_after, lines, inputs)
    want = reference.apply(graph_after, lines, inputs)
    assert_close(got, want, what="[value, grad]")


self_check(var_adds_at_fan_out)


# %%
def random_graph(rng, size):
    """Return lines that compute nodes from earlier ones at random, and then differentiate."""
    lines, names = [], ["a", "b", "c"]
    for k in range(size):
        near = names[-1 - int(rng.integers(3))]
        far, factor = names[int(rng.integers(len(names)))], "abc"[int(rng.integers(3))]
        right = f"{near} * {factor}" if rng.random() < 0.5 else f"{near} + {far}"
        lines.append(f"n{k} = {right}")
        names.append(f"n{k}")
    return [*lines, f"y = n{size - 1} + {names[-3]} * {names[-2]} + a", "y.backward()"]


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
    lines = random_graph(rng, size) if size else [*lines, "y.backward()"]
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
@case("one result, twice", lines=["u = a * b", "y = u * u + a", "y.backward()", "y.backward()"])
@case(
    "two results that share a node",
    lines=["u = a * b", "p = u * a", "q = u + b", "p.backward()", "q.backward()"],
)
@case(
    "an inner node first",
    lines=["u = a * b", "y = u * u + a", "u.backward()", "y.backward()"],
    hidden=True,
)
@case(
    "the inputs start afresh in between",
    lines=[
        "u = a * b",
        "y = u * u + a",
        "y.backward()",
        "for leaf in (a, b): leaf.grad = 0.0",
        "del leaf",
        "y.backward()",
    ],
    hidden=True,
)
@case(
    "the graph grows on",
    lines=["u = a * b", "y = u + a", "y.backward()", "z = y * u", "z.backward()"],
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
def long_graph(notebook, start, factors, doublings):
    """Return the end of a long computation and its derivative by the start."""
    x = y = notebook.Var(start)
    for factor in factors:
        y = y * factor + 0.01
    for _ in range(doublings):
        y = y + y
    y.backward()
    return float(y.value), float(x.grad)


@check(
    "var",
    points=2,
    hint="A stack of your own has no limit; and no node should be taken up twice.",
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


# %%
class VarFrame:
    """A right Var in small parts; each variant below puts something else in place of one."""

    def __init__(self, value, parents=()):
        self.value, self.grad, self.parents = float(value), 0.0, tuple(parents)

    def lift(self, x):
        return x if isinstance(x, VarFrame) else type(self)(x)

    def node(self, value, *parents):
        return type(self)(value, parents)

    def __add__(self, other):
        other = self.lift(other)
        return self.node(self.value + other.value, (self, 1.0), (other, 1.0))

    def __sub__(self, other):
        other = self.lift(other)
        return self.node(self.value - other.value, (self, 1.0), (other, -1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return self.node(self.value * other.value, (self, other.value), (other, self.value))

    def __truediv__(self, other):
        other = self.lift(other)
        a, b = self.value, other.value
        return self.node(a / b, (self, 1 / b), (other, -a / b**2))

    def __pow__(self, k):
        return self.node(self.value**k, (self, k * self.value ** (k - 1)))

    def __radd__(self, number):
        return self.lift(number) + self

    def __rsub__(self, number):
        return self.lift(number) - self

    def __rmul__(self, number):
        return self.lift(number) * self

    def __rtruediv__(self, number):
        return self.lift(number) / self

    def __neg__(self):
        return self * -1

    def exp(self):
        return self.node(np.exp(self.value), (self, np.exp(self.value)))

    def log(self):
        return self.node(np.log(self.value), (self, 1 / self.value))

    def sin(self):
        return self.node(np.sin(self.value), (self, np.cos(self.value)))

    def sigmoid(self):
        p = stable_sigmoid(self.value)
        return self.node(p, (self, p * (1 - p)))

    def sweep(self):
        """Return the nodes of the graph, each after everything that uses it."""
        pending, ready, order = {}, [self], []
        stack, seen = [self], {self}
        while stack:
            for parent, _ in stack.pop().parents:
                pending[parent] = pending.get(parent, 0) + 1
                if parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
        while ready:
            node = ready.pop()
            order.append(node)
            for parent, _ in node.parents:
                pending[parent] -= 1
                if pending[parent] == 0:
                    ready.append(parent)
        return order

    def backward(self):
        adjoints = {self: 1.0}
        for node in self.sweep():
            node.grad += adjoints[node]
            for parent, slope in node.parents:
                adjoints[parent] = adjoints.get(parent, 0.0) + slope * adjoints[node]


def rule(name, function):
    """Return a Var of which one method is another one."""
    return type("Var", (VarFrame,), {name: function})


def function_with(value, slope):
    """Return a method for a function of one number, from its value and its slope."""
    return lambda self: self.node(value(self.value), (self, slope(self.value)))


def operator_with(value, slopes):
    """Return a method for an operator, from its value and its two slopes."""

    def method(self, other):
        other = self.lift(other)
        by_self, by_other = slopes(self.value, other.value)
        return self.node(value(self.value, other.value), (self, by_self), (other, by_other))

    return method


for misconception, name, method in (
    (
        "a sum: both slopes are one, also that of the second term",
        "__add__",
        operator_with(lambda a, b: a + b, lambda a, b: (1.0, 0.0)),
    ),
    (
        "a sum: the slopes are one, whatever the values are",
        "__add__",
        operator_with(lambda a, b: a + b, lambda a, b: (a, b)),
    ),
    (
        "a difference: the slope by what is subtracted is minus one",
        "__sub__",
        operator_with(lambda a, b: a - b, lambda a, b: (1.0, 1.0)),
    ),
    (
        "a difference: the two terms are swapped",
        "__sub__",
        operator_with(lambda a, b: b - a, lambda a, b: (-1.0, 1.0)),
    ),
    (
        "a product: the slope by one factor is the other one",
        "__mul__",
        operator_with(lambda a, b: a * b, lambda a, b: (a, b)),
    ),
    (
        "a product: both slopes are needed",
        "__mul__",
        operator_with(lambda a, b: a * b, lambda a, b: (b, 0.0)),
    ),
    (
        "a quotient: the slope by the divisor is negative",
        "__truediv__",
        operator_with(lambda a, b: a / b, lambda a, b: (1 / b, a / b**2)),
    ),
    (
        "a quotient: the divisor is squared in its own slope",
        "__truediv__",
        operator_with(lambda a, b: a / b, lambda a, b: (1 / b, -a / b)),
    ),
    (
        "a quotient: differentiated like a product",
        "__truediv__",
        operator_with(lambda a, b: a / b, lambda a, b: (b, a)),
    ),
    (
        "a power: the exponent goes down by one",
        "__pow__",
        lambda self, k: self.node(self.value**k, (self, k * self.value**k)),
    ),
    (
        "a power: the exponent comes down as a factor",
        "__pow__",
        lambda self, k: self.node(self.value**k, (self, self.value ** (k - 1))),
    ),
    (
        "a power: differentiated by the exponent, not by the base",
        "__pow__",
        lambda self, k: self.node(self.value**k, (self, self.value**k * np.log(abs(self.value)))),
    ),
    (
        "the exponential: it is its own derivative",
        "exp",
        function_with(np.exp, lambda x: x * np.exp(x)),
    ),
    (
        "the exponential: its slope is not one",
        "exp",
        function_with(np.exp, lambda x: 1.0),
    ),
    ("the logarithm: its slope is one over the number", "log", function_with(np.log, np.log)),
    (
        "the logarithm: to base ten in place of the natural one",
        "log",
        function_with(np.log10, lambda x: 1 / (x * np.log(10))),
    ),
    ("the sine: its slope is plus the cosine", "sin", function_with(np.sin, lambda x: -np.cos(x))),
    ("the sine: its slope is not the sine", "sin", function_with(np.sin, np.sin)),
    (
        "the logistic function: its slope is not the function itself",
        "sigmoid",
        function_with(stable_sigmoid, stable_sigmoid),
    ),
    (
        "the logistic function: its slope is not 1 - sigma",
        "sigmoid",
        function_with(stable_sigmoid, lambda x: 1 - stable_sigmoid(x)),
    ),
    (
        "the logistic function: the formula for the value is used on sigma(x), twice",
        "sigmoid",
        function_with(
            stable_sigmoid,
            lambda x: stable_sigmoid(stable_sigmoid(x)) * (1 - stable_sigmoid(stable_sigmoid(x))),
        ),
    ),
    (
        "the logistic function: the sign inside",
        "sigmoid",
        function_with(
            lambda x: stable_sigmoid(-x), lambda x: -stable_sigmoid(x) * stable_sigmoid(-x)
        ),
    ),
    (
        "a number minus a node is turned around",
        "__rsub__",
        lambda self, number: self - number,
    ),
    (
        "a number over a node is turned around",
        "__rtruediv__",
        lambda self, number: self / number,
    ),
    (
        "minus a node: only the value changes its sign, not the slope",
        "__neg__",
        lambda self: self.node(-self.value, (self, 1.0)),
    ),
    (
        "numbers in an expression are cut down to whole ones",
        "lift",
        lambda self, x: x if isinstance(x, VarFrame) else type(self)(int(x)),
    ),
):
    var_follows_the_rules.mistake(misconception, Var=rule(name, method))


@var_follows_the_rules.mistake("the logistic function overflows far out")
class Var(VarFrame):
    def sigmoid(self):
        import math

        p = 1 / (1 + math.exp(-self.value))
        return self.node(p, (self, p * (1 - p)))


EVERY_SWEEP = (var_waits_for_every_use, var_calls_add_up)


@var_adds_at_fan_out.mistake(
    "a contribution overwrites the ones before it: they have to be added up", also=EVERY_SWEEP
)
class Var(VarFrame):
    def backward(self):
        self.grad = 1.0
        for node in self.sweep():
            for parent, slope in node.parents:
                parent.grad = slope * node.grad


@var_adds_at_fan_out.mistake(
    "the parents in a dict: a node that is used twice by one operator is kept once"
)
class Var(VarFrame):
    def __init__(self, value, parents=()):
        super().__init__(value, dict(parents).items())


@var_adds_at_fan_out.mistake(
    "only the first contribution counts: a node that has been seen takes no more", also=EVERY_SWEEP
)
class Var(VarFrame):
    def backward(self):
        adjoints = {self: 1.0}
        for node in self.sweep():
            node.grad += adjoints[node]
            for parent, slope in node.parents:
                adjoints.setdefault(parent, slope * adjoints[node])


@var_adds_at_fan_out.mistake(
    "the mean of the contributions, where their sum is asked for", also=EVERY_SWEEP
)
class Var(VarFrame):
    def backward(self):
        adjoints, uses = {self: 1.0}, {self: 1}
        for node in self.sweep():
            adjoint = adjoints[node] / uses[node]
            node.grad += adjoint
            for parent, slope in node.parents:
                adjoints[parent] = adjoints.get(parent, 0.0) + slope * adjoint
                uses[parent] = uses.get(parent, 0) + 1


@var_adds_at_fan_out.mistake(
    "the result itself has a grad too: its derivative by itself is one",
    also=(var_follows_the_rules, *EVERY_SWEEP),
)
class Var(VarFrame):
    def backward(self):
        before = self.grad
        super().backward()
        self.grad = before


@var_adds_at_fan_out.mistake(
    "only the inputs get a grad: here inner nodes have one as well", also=EVERY_SWEEP
)
class Var(VarFrame):
    def backward(self):
        super().backward()
        for node in self.sweep()[1:]:
            if node.parents:
                node.grad = 0.0


@var_adds_at_fan_out.mistake(
    "one step back only: the parents of the parents get nothing",
    also=(*EVERY_SWEEP, var_takes_deep_graphs),
)
class Var(VarFrame):
    def backward(self):
        self.grad += 1.0
        for parent, slope in self.parents:
            parent.grad += slope


@var_adds_at_fan_out.mistake(
    "every node that was ever made gets a share, also those that play no part"
)
class Var(VarFrame):
    made = []  # noqa: RUF012 - shared on purpose: that is the mistake

    def __init__(self, value, parents=()):
        super().__init__(value, parents)
        type(self).made.append(self)

    def backward(self):
        super().backward()
        part = set(self.sweep())
        for node in type(self).made:
            if node not in part and node.parents:
                node.grad += 1.0
        type(self).made.clear()


@var_waits_for_every_use.mistake(
    "depth first with each node handled as soon as it is met: its adjoint is not complete yet"
)
class Var(VarFrame):
    def backward(self):
        adjoints, stack, seen = {self: 1.0}, [self], []
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.append(node)
            for parent, slope in node.parents:
                adjoints[parent] = adjoints.get(parent, 0.0) + slope * adjoints[node]
                stack.append(parent)
        for node in seen:
            node.grad += adjoints[node]


@var_waits_for_every_use.mistake(
    "breadth first from the result: a node waits for its longest way, not for its shortest"
)
class Var(VarFrame):
    def sweep(self):
        layers, seen = [[self]], {self}
        while layers[-1]:
            nodes = [p for node in layers[-1] for p, _ in node.parents]
            layers.append([p for p in dict.fromkeys(nodes) if p not in seen])
            seen.update(layers[-1])
        return [node for layer in layers for node in layer]


@var_waits_for_every_use.mistake("the inputs first: the sweep has to begin at the result")
class Var(VarFrame):
    def backward(self):
        adjoints = {self: 1.0}
        for node in reversed(self.sweep()):
            node.grad += adjoints.get(node, 0.0)
            for parent, slope in node.parents:
                adjoints[parent] = adjoints.get(parent, 0.0) + slope * adjoints.get(node, 0.0)


@var_calls_add_up.mistake(
    "what an earlier call left in grad is handed on again: a second call then adds too much"
)
class Var(VarFrame):
    def backward(self):
        self.grad = 1.0
        for node in self.sweep():
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


@var_calls_add_up.mistake("each call starts from zero: calls of backward have to add up")
class Var(VarFrame):
    def backward(self):
        for node in self.sweep():
            node.grad = 0.0
        super().backward()


@var_calls_add_up.mistake("the graph is freed after the first call, and the second finds none")
class Var(VarFrame):
    def backward(self):
        nodes = self.sweep()
        super().backward()
        for node in nodes:
            node.parents = ()


@var_calls_add_up.mistake("the inputs add up, but inner nodes start from zero at each call")
class Var(VarFrame):
    def backward(self):
        for node in self.sweep():
            if node.parents:
                node.grad = 0.0
        super().backward()


@var_takes_deep_graphs.mistake("recursion, one call inside the other for each operation")
class Var(VarFrame):
    def sweep(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        return order[::-1]


@var_takes_deep_graphs.mistake("every path is walked on its own: there are millions of them")
class Var(VarFrame):
    def backward(self):
        stack, walked = [(self, 1.0)], 0
        while stack:
            node, adjoint = stack.pop()
            node.grad += adjoint
            stack += [(parent, slope * adjoint) for parent, slope in node.parents]
            walked += 1
            if walked > 100_000:
                raise TimeoutError("still walking")


# %%
EVERY_VAR = (
    var_adds_at_fan_out,
    var_waits_for_every_use,
    var_calls_add_up,
    var_takes_deep_graphs,
)


@var_follows_the_rules.alternative(
    "the nodes are numbered, and swept from the last", also=EVERY_VAR
)
class Var(VarFrame):
    count = 0

    def __init__(self, value, parents=()):
        super().__init__(value, parents)
        Numbered = type(self)
        self.number = Numbered.count = Numbered.count + 1

    def sweep(self):
        import heapq

        heap, seen, order = [(-self.number, self)], {self.number}, []
        while heap:
            node = heapq.heappop(heap)[1]
            order.append(node)
            for parent, _ in node.parents:
                if parent.number not in seen:
                    seen.add(parent.number)
                    heapq.heappush(heap, (-parent.number, parent))
        return order


@var_follows_the_rules.alternative("Kahn's algorithm, by counting the uses", also=EVERY_VAR)
class Var(VarFrame):
    pass


@var_follows_the_rules.alternative(
    "each node keeps a function that pulls its adjoint back, and recursion with a higher limit",
    also=EVERY_VAR,
)
class Var(VarFrame):
    def __init__(self, value, parents=()):
        super().__init__(value, parents)
        self.pull = lambda x: [(p, slope * x) for p, slope in self.parents]

    def backward(self):
        import sys

        order, seen, limit = [], set(), sys.getrecursionlimit()

        def visit(node):
            seen.add(id(node))
            for parent, _ in node.parents:
                if id(parent) not in seen:
                    visit(parent)
            order.append(node)

        try:
            sys.setrecursionlimit(100_000)
            visit(self)
        finally:
            sys.setrecursionlimit(limit)
        bars = [0.0] * (len(order) - 1) + [1.0]
        place = {id(node): k for k, node in enumerate(order)}
        while order:
            bar, node = bars.pop(), order.pop()
            node.grad = node.grad + bar
            for parent, share in node.pull(bar):
                bars[place[id(parent)]] += share


@var_follows_the_rules.alternative("torch does the work behind the scenes", also=EVERY_VAR)
class Var:
    def __init__(self, value, parents=()):
        if isinstance(value, torch.Tensor):
            self.tensor = value
        else:
            self.tensor = torch.tensor(float(value), dtype=torch.float64, requires_grad=True)
        self.grad, self.parents = 0.0, parents

    @property
    def value(self):
        return self.tensor.item()

    def join(self, other, operation):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(operation(self.tensor, other.tensor), (self, other))

    def through(self, operation):
        return type(self)(operation(self.tensor), (self,))

    def __add__(self, other):
        return self.join(other, torch.add)

    def __sub__(self, other):
        return self.join(other, torch.sub)

    def __mul__(self, other):
        return self.join(other, torch.mul)

    def __truediv__(self, other):
        return self.join(other, torch.div)

    def __rsub__(self, other):
        return type(self)(other).join(self, torch.sub)

    def __rtruediv__(self, other):
        return type(self)(other).join(self, torch.div)

    def __pow__(self, exponent):
        return self.through(lambda x: torch.pow(x, exponent))

    def __neg__(self):
        return self.through(torch.neg)

    def exp(self):
        return self.through(torch.exp)

    def log(self):
        return self.through(torch.log)

    def sin(self):
        return self.through(torch.sin)

    def sigmoid(self):
        return self.through(torch.sigmoid)

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        nodes, stack = {id(self): self}, [self]
        while stack:
            for parent in stack.pop().parents:
                if id(parent) not in nodes:
                    nodes[id(parent)] = parent
                    stack.append(parent)
        found = list(nodes.values())
        tensors = [node.tensor for node in found]
        slopes = torch.autograd.grad(self.tensor, tensors, retain_graph=True)
        for node, slope in zip(found, slopes, strict=True):
            node.grad += slope.item()


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
    hint="Start each row afresh, and see that row i belongs to output i.",
)
@case("at (1, 2)", center=(1.0, 2.0), spread=0.0)
@case("near (0.1, -0.3)", center=(0.1, -0.3))
@case("where the sine matters", center=(-0.5, 0.2), hidden=True)
@case("in single precision, which ends", center=(1.0, 2.3), dtype="float32", hidden=True)
@case("from whole numbers", center=(0, -1), spread=0.0, dtype="int64", hidden=True)
def jacobian_by_engine_matches_reference(
    student, reference, rng, center, spread=0.05, dtype="float64"
):
    """jacobian_by_engine gives the exact Jacobian of f."""
    w = (center + spread * rng.uniform(-1, 1, size=2)).astype(dtype)
    got = student.jacobian_by_engine(w)
    assert_close(got, reference.jacobian_by_engine(w), what="J")
    assert_dtype(got, "float64", what="J")


self_check(jacobian_by_engine_matches_reference)


# %%
def rows_by_engine(w, reset=lambda w1, w2: None, first=None):
    """Return the grads after each of the two sweeps, with something done between them."""
    w1, w2 = VarFrame(w[0]), VarFrame(w[1])
    s = w1.exp() + (w2 * 2).exp()
    rows = []
    for output in ((first or (lambda s: s.exp() + s.sin()))(s), w1 * w2 + w1.sigmoid()):
        reset(w1, w2)
        output.backward()
        rows.append([w1.grad, w2.grad])
    return np.array(rows)


def reset_both(w1, w2):
    w1.grad = w2.grad = 0.0


@jacobian_by_engine_matches_reference.mistake(
    "the second row has the first one added to it: the gradients have to start afresh"
)
def jacobian_by_engine(w):
    return rows_by_engine(w)


@jacobian_by_engine_matches_reference.mistake("only one of the two inputs starts afresh")
def jacobian_by_engine(w):
    return rows_by_engine(w, lambda w1, w2: setattr(w1, "grad", 0.0))


@jacobian_by_engine_matches_reference.mistake("the transpose: each sweep gives a row")
def jacobian_by_engine(w):
    return rows_by_engine(w, reset_both).T


@jacobian_by_engine_matches_reference.mistake("a single sweep, of the sum of the outputs")
def jacobian_by_engine(w):
    return np.tile(rows_by_engine(w, reset_both).sum(axis=0), (2, 1))


@jacobian_by_engine_matches_reference.mistake("the sine is left out")
def jacobian_by_engine(w):
    return rows_by_engine(w, reset_both, lambda s: s.exp())


@jacobian_by_engine_matches_reference.mistake("the sine is subtracted")
def jacobian_by_engine(w):
    return rows_by_engine(w, reset_both, lambda s: s.exp() - s.sin())


@jacobian_by_engine_matches_reference.mistake("single precision at the end")
def jacobian_by_engine(w):
    with np.errstate(over="ignore"):
        return rows_by_engine(w, reset_both).astype(np.float32)


@jacobian_by_engine_matches_reference.mistake("only the gradient of the first output")
def jacobian_by_engine(w):
    return rows_by_engine(w, reset_both)[0]


# %%
@jacobian_by_engine_matches_reference.alternative("a fresh graph for each row")
def jacobian_by_engine(w):
    return [list(rows_by_engine(w, reset_both)[i]) for i in range(2)]


@jacobian_by_engine_matches_reference.alternative(
    "the second row first, and the first as what is added to it"
)
def jacobian_by_engine(w):
    w1, w2 = VarFrame(w[0]), VarFrame(w[1])
    s = w1.exp() + w2.exp() ** 2
    (w1 * w2 + w1.sigmoid()).backward()
    second = np.array([w1.grad, w2.grad])
    (s.sin() + s.exp()).backward()
    return np.stack([np.array([w1.grad, w2.grad]) - second, second])


@jacobian_by_engine_matches_reference.alternative("torch's reverse mode")
def jacobian_by_engine(w):
    w, outputs = torch_outputs(w)
    rows = [torch.autograd.grad(output, w, retain_graph=True)[0] for output in outputs]
    return torch.stack(rows).numpy()


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
# Find the minimiser in closed form, and write it as a function. Then look at it: you know this
# step. Which learning rate does it have?
#
# As in Homework 1, weights of any shape are fine, and the answer has the dtype of `w`.
#
# **Look out.** It is the squared norm that is differentiated. The norm itself has a gradient of
# length one, wherever one stands, and leads to another algorithm.

# %%
from reference.convex import prox_step


# %%
@check(
    "prox_step",
    points=4,
    pure=True,
    hint="Set the gradient of the objective with respect to u to zero, and solve for u.",
)
@case("a vector", shape=(5,))
@case("a matrix in single precision", shape=(4, 3), dtype="float32")
@case("a number", shape=(), hidden=True)
@case("a strong penalty", shape=(2, 3, 4), scale=40.0, hidden=True)
def prox_step_matches_reference(student, reference, rng, shape, scale=1.0, dtype="float64"):
    """prox_step minimises the linearisation plus the proximity term."""
    w, grad = rng.normal(size=(2, *shape)).astype(dtype)
    lam = float(scale * rng.uniform(0.2, 0.8))
    got = student.prox_step(w, grad, lam)
    assert_close(got, reference.prox_step(w, grad, lam), what="u")
    assert_dtype(got, w, what="u")


self_check(prox_step_matches_reference)


# %%
for misconception, wrong in (
    ("uphill: the sign of the gradient", lambda w, grad, lam: w + grad / lam),
    ("times lambda: a stronger penalty makes a shorter step", lambda w, grad, lam: w - lam * grad),
    (
        "the one half was dropped when the square was differentiated",
        lambda w, g, lam: w - g / (2 * lam),
    ),
    ("the one half was counted twice", lambda w, g, lam: w - 2 * g / lam),
    (
        "the norm was differentiated, not its square: the step loses its length",
        lambda w, g, lam: w - g / (lam * np.linalg.norm(g)),
    ),
    ("the weight of the penalty is not used", lambda w, g, lam: w - g),
    ("the difference u - w in place of u", lambda w, g, lam: -g / lam),
    (
        "the penalty pulls towards zero, not towards w",
        lambda w, g, lam: -(g - w) / lam,
    ),
    ("the root of lambda", lambda w, g, lam: w - g / np.sqrt(lam)),
    (
        "an average of w and the step, as if w were penalised as well",
        lambda w, g, lam: (lam * w - g) / (1 + lam),
    ),
    (
        "double precision, where single precision came in",
        lambda w, g, lam: np.asarray(w, dtype=np.float64) - g / lam,
    ),
    ("whole numbers only", lambda w, g, lam: (w - g / lam).astype(int)),
):
    prox_step_matches_reference.mistake(misconception, prox_step=wrong)


@prox_step_matches_reference.mistake("overwrites the caller's weights: -= works in place")
def prox_step(w, grad, lam):
    w -= grad / lam
    return w


@prox_step_matches_reference.mistake("overwrites the caller's gradient: /= works in place")
def prox_step(w, grad, lam):
    grad /= lam
    return w - grad


# %%
@prox_step_matches_reference.alternative("the linear system of the stationary point, solved")
def prox_step(w, grad, lam):
    right = (lam * w - grad).ravel()
    u = np.linalg.solve(lam * np.eye(right.size, dtype=right.dtype), right)
    return u.reshape(np.shape(w)).astype(w.dtype)


@prox_step_matches_reference.alternative("one step of torch's SGD")
def prox_step(w, grad, lam):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    torch.optim.SGD([parameter], lr=1 / lam).step()
    return parameter.detach().numpy()


@prox_step_matches_reference.alternative("one step of Newton's method on the objective")
def prox_step(w, grad, lam):
    u = torch.zeros(np.shape(w), dtype=torch.tensor(w).dtype, requires_grad=True)
    away = u - torch.tensor(w)
    objective = (away * torch.tensor(grad)).sum() + lam / 2 * (away**2).sum()
    (slope,) = torch.autograd.grad(objective, u)
    return (u.detach() - slope / lam).numpy()


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
# Before you prove it, look at it: compute both sides. The vectors come as the rows of an array.
#
# **Look out.** The vector $v_t$ is weighed at the point *before* the step along it. And the arrays
# may hold whole numbers; the points in between are fractions all the same.

# %%
from reference.convex import regret_terms


# %%
@check(
    "regret_terms",
    points=5,
    pure=True,
    hint="Do the first two steps on paper: at which point is each vector weighed?",
)
@case("four vectors of three numbers", shape=(4, 3))
@case("whole numbers", shape=(3, 2), whole=True)
@case("one vector", shape=(1, 4), hidden=True)
@case("vectors of one number, a long step", shape=(7, 1), scale=8.0, hidden=True)
@case("many vectors, a short step", shape=(40, 5), scale=0.01, hidden=True)
@case("whole numbers, a longer sequence", shape=(6, 4), whole=True, hidden=True)
def regret_terms_match_reference(student, reference, rng, shape, scale=1.0, whole=False):
    """regret_terms gives both sides of the inequality."""
    v, w_star = rng.normal(size=shape), rng.normal(size=shape[1])
    if whole:
        v, w_star = (rng.integers(1, 5, size=x.shape) * np.sign(x).astype(int) for x in (v, w_star))
    eta = float(scale * rng.uniform(0.2, 0.45))
    got = student.regret_terms(v, w_star, eta)
    assert_close(got, reference.regret_terms(v, w_star, eta), what="(left, right)")


self_check(regret_terms_match_reference)


# %%
def sides(v, w_star, eta, late=False, start=0.0, left=None, right=None):
    """Return both sides, with the points to choose, and each side as a function of its parts."""
    w, total = np.full(len(w_star), start), 0.0
    for row in v:
        after = w - eta * row
        point = after if late else w
        total += np.dot(point - w_star, row) if left is None else left(point, w_star, row)
        w = after
    star, squares = np.sum(w_star**2), np.sum(v**2)
    return float(total), float((right or (lambda a, b: a / (2 * eta) + eta / 2 * b))(star, squares))


for misconception, changes in (
    (
        "each vector is weighed at the point after its step: the points are one too late",
        {"late": True},
    ),
    ("the start is not zero", {"start": 1.0}),
    ("the sign on the left: the point minus w*", {"left": lambda w, s, v: np.dot(s - w, v)}),
    ("w* is left out on the left", {"left": lambda w, s, v: np.dot(w, v)}),
    (
        "the sizes of the products are added up, not the products",
        {"left": lambda w, s, v: abs(np.dot(w - s, v))},
    ),
    (
        "lengths are multiplied in place of an inner product",
        {"left": lambda w, s, v: np.linalg.norm(w - s) * np.linalg.norm(v)},
    ),
):
    regret_terms_match_reference.mistake(
        misconception,
        regret_terms=lambda v, w_star, eta, changes=changes: sides(v, w_star, eta, **changes),
    )

for misconception, right in (
    ("the sign of the second term on the right", lambda a, b, eta: a / (2 * eta) - eta / 2 * b),
    ("eta squared in the second term", lambda a, b, eta: a / (2 * eta) + eta**2 / 2 * b),
    ("eta is missing in the second term", lambda a, b, eta: a / (2 * eta) + b / 2),
    (
        "lengths multiplied, as by Cauchy and Schwarz, in place of the two terms",
        lambda a, b, eta: np.sqrt(a) * np.sqrt(b) / 2,
    ),
    ("the first term is divided by 2, not by 2 eta", lambda a, b, eta: a / 2 + eta / 2 * b),
    ("eta is a factor of the first term too", lambda a, b, eta: a * eta / 2 + eta / 2 * b),
    ("the halves are missing", lambda a, b, eta: a / eta + eta * b),
    ("the half is missing in the first term", lambda a, b, eta: a / eta + eta / 2 * b),
    ("the half is missing in the second term", lambda a, b, eta: a / (2 * eta) + eta * b),
    (
        "the norm of w*, not its square",
        lambda a, b, eta: np.sqrt(a) / (2 * eta) + eta / 2 * b,
    ),
    (
        "the root of the sum of squares",
        lambda a, b, eta: a / (2 * eta) + eta / 2 * np.sqrt(b),
    ),
    ("only the term with w*", lambda a, b, eta: a / (2 * eta)),
    ("only the term with the vectors", lambda a, b, eta: eta / 2 * b),
    ("the smallest value over all step sizes", lambda a, b, eta: np.sqrt(a * b)),
):
    regret_terms_match_reference.mistake(
        misconception,
        regret_terms=lambda v, w_star, eta, right=right: sides(
            v, w_star, eta, right=lambda a, b: right(a, b, eta)
        ),
    )


@regret_terms_match_reference.mistake("means in place of sums over the steps")
def regret_terms(v, w_star, eta):
    left, _ = sides(v, w_star, eta)
    right = np.sum(w_star**2) / (2 * eta) + eta / 2 * np.mean(np.sum(v**2, axis=1))
    return left / len(v), right


@regret_terms_match_reference.mistake("the squared norm of the summed vector")
def regret_terms(v, w_star, eta):
    right = np.sum(w_star**2) / (2 * eta) + eta / 2 * np.sum(np.sum(v, axis=0) ** 2)
    return sides(v, w_star, eta)[0], right


@regret_terms_match_reference.mistake("the two sides are swapped")
def regret_terms(v, w_star, eta):
    return sides(v, w_star, eta)[::-1]


@regret_terms_match_reference.mistake("uphill: the steps go along the vectors")
def regret_terms(v, w_star, eta):
    left = sum(np.dot(eta * v[:t].sum(axis=0) - w_star, v[t]) for t in range(len(v)))
    return float(left), sides(v, w_star, eta)[1]


@regret_terms_match_reference.mistake("one step short: the last vector is left out")
def regret_terms(v, w_star, eta):
    return sides(v[:-1], w_star, eta)


@regret_terms_match_reference.mistake("the next point stands in the place of w* on the left")
def regret_terms(v, w_star, eta):
    return float(eta * np.sum(v**2)), sides(v, w_star, eta)[1]


@regret_terms_match_reference.mistake("the point never moves from zero")
def regret_terms(v, w_star, eta):
    return float(-np.sum(v @ w_star)), sides(v, w_star, eta)[1]


@regret_terms_match_reference.mistake(
    "the points are kept in an array of whole numbers, which cuts their fractions off"
)
def regret_terms(v, w_star, eta):
    w, left = np.zeros_like(w_star), 0.0
    for row in v:
        left += float((w - w_star) @ row)
        w = (w - eta * row).astype(w.dtype)
    return left, sides(v, w_star, eta)[1]


@regret_terms_match_reference.mistake("overwrites the caller's w*: -= works in place")
def regret_terms(v, w_star, eta):
    answer = sides(v, w_star, eta)
    w_star -= 1
    return answer


@regret_terms_match_reference.mistake("overwrites the caller's vectors: *= works in place")
def regret_terms(v, w_star, eta):
    answer = sides(v, w_star, eta)
    v *= 2
    return answer


# %%
@regret_terms_match_reference.alternative("step by step")
def regret_terms(v, w_star, eta):
    return sides(v, w_star, eta)


@regret_terms_match_reference.alternative("from the matrix of all inner products")
def regret_terms(v, w_star, eta):
    gram = v @ v.T
    left = -eta * np.tril(gram, -1).sum() - (v @ w_star).sum()
    return left, (w_star @ w_star / eta + eta * np.trace(gram)) / 2


@regret_terms_match_reference.alternative("the left side from the last point alone")
def regret_terms(v, w_star, eta):
    v, w_star = torch.as_tensor(v).double(), torch.as_tensor(w_star).double()
    right = (w_star.norm() ** 2 / eta + eta * (v.norm() ** 2)) / 2
    end = -eta * v.sum(dim=0)
    return [right - ((end - w_star) ** 2).sum() / 2 / eta, right]


# %% [markdown]
# ## 3.3 What is lost in it (3 points)
#
# Most inequalities lose something that is hard to name. Not this one: the right side exceeds
# the left by an amount that depends on $\eta$, on $w^*$ and on the very last point $w_{T+1}$ only,
# and on nothing that happened before. Find it. (It pays to see how the squared distance to $w^*$
# changes in one step, and to add up these changes.) The check then compares with what your formula
# has to equal, for vectors drawn at random.

# %%
from reference.convex import regret_slack


# %%
@check(
    "regret_slack",
    points=3,
    pure=True,
    hint="Expand the squared distance after a step, solve for the inner product, and add up.",
)
@case("four steps", shape=(4, 3))
@case("one step", shape=(1, 5))
@case("a long step", shape=(6, 2), scale=10.0, hidden=True)
@case("a short step", shape=(30, 4), scale=0.02, hidden=True)
@case("the last point is near w*", shape=(5, 3), near=0.01, hidden=True)
def regret_slack_closes_the_gap(student, reference, rng, shape, scale=1.0, near=None):
    """regret_slack is the right side minus the left side, from the last point alone."""
    v, w_star, w_end = rng.normal(size=shape), rng.normal(size=shape[1]), np.zeros(shape[1])
    eta = float(scale * rng.uniform(0.2, 0.45))
    for row in v:
        w_end = w_end - eta * row
    w_star = w_star if near is None else w_end + near * w_star
    left, right = reference.regret_terms(v, w_star, eta)
    # A difference of two larger numbers: rounding alone is near 1e-13.
    assert_close(
        student.regret_slack(w_end, w_star, eta), right - left, atol=1e-9, what="right - left"
    )


self_check(regret_slack_closes_the_gap)


# %%
for misconception, wrong in (
    ("nothing is lost: both sides were taken for equal", lambda w, s, eta: 0.0),
    ("the half is missing", lambda w, s, eta: np.sum((w - s) ** 2) / eta),
    ("it is divided by eta, not multiplied", lambda w, s, eta: np.sum((w - s) ** 2) * eta / 2),
    ("eta is left out", lambda w, s, eta: np.sum((w - s) ** 2) / 2),
    ("the distance, not its square", lambda w, s, eta: np.linalg.norm(w - s) / (2 * eta)),
    (
        "the sign: the right side is the larger one",
        lambda w, s, eta: -np.sum((w - s) ** 2) / (2 * eta),
    ),
    (
        "the distance of w* from zero, where the run began",
        lambda w, s, eta: np.sum(s**2) / (2 * eta),
    ),
    ("the distance of the last point from zero", lambda w, s, eta: np.sum(w**2) / (2 * eta)),
    (
        "the difference of the squared norms, not the squared distance",
        lambda w, s, eta: (np.sum(w**2) - np.sum(s**2)) / (2 * eta),
    ),
    ("eta squared in the divisor", lambda w, s, eta: np.sum((w - s) ** 2) / (2 * eta**2)),
    (
        "the sum of the two points, not their difference",
        lambda w, s, eta: np.sum((w + s) ** 2) / (2 * eta),
    ),
    ("the mean of the squares, not their sum", lambda w, s, eta: np.mean((w - s) ** 2) / (2 * eta)),
    ("one number for each coordinate", lambda w, s, eta: (w - s) ** 2 / (2 * eta)),
):
    regret_slack_closes_the_gap.mistake(misconception, regret_slack=wrong)


# %%
@regret_slack_closes_the_gap.alternative("an inner product")
def regret_slack(w_end, w_star, eta):
    return (w_end - w_star) @ (w_end - w_star) * 0.5 / eta


@regret_slack_closes_the_gap.alternative("expanded, number by number")
def regret_slack(w_end, w_star, eta):
    pairs = zip(w_end.tolist(), w_star.tolist(), strict=True)
    return sum((a * a - 2 * a * b + b * b) / eta for a, b in pairs) / 2


@regret_slack_closes_the_gap.alternative("torch's distance")
def regret_slack(w_end, w_star, eta):
    return torch.dist(torch.as_tensor(w_end), torch.as_tensor(w_star)) ** 2 / (eta + eta)


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
# depends on $\eta$. Which $\eta$ makes it smallest, and how small is it then? Return both.
#
# **Look out.** Halfway there is a bound on a *sum* over $T$ steps. What is asked for is a bound on
# $f(\bar w) - f(w^*)$.

# %%
from reference.convex import rate_bound


# %%
@check(
    "rate_bound",
    points=4,
    pure=True,
    hint="Try step sizes around yours: is the bound smallest there, and is it what you return?",
)
@case("ten steps", T=10)
@case("ten thousand steps", T=10_000)
@case("a single step", T=1, hidden=True)
@case("far to go on a flat function", T=50, far=30.0, hidden=True)
@case("near, on a steep function", T=7, far=0.05, hidden=True)
def rate_bound_matches_reference(student, reference, rng, T, far=1.0):
    """rate_bound gives the best step size and the bound that it brings."""
    B, rho = far * float(rng.uniform(1.2, 2.0)), float(rng.uniform(2.5, 4.0)) / far
    got = student.rate_bound(B, rho, T)
    assert_close(got, reference.rate_bound(B, rho, T), what="(eta, bound)")


self_check(rate_bound_matches_reference)


# %%
for misconception, wrong in (
    (
        "the bound on the sum: it still has to be divided by the number of steps",
        lambda B, rho, T: (B / (rho * T**0.5), B * rho * T**0.5),
    ),
    (
        "only one of the two terms: at the best step size they are equal, and add up",
        lambda B, rho, T: (B / (rho * T**0.5), B * rho / (2 * T**0.5)),
    ),
    (
        "twice the bound: each of the two terms has its one half",
        lambda B, rho, T: (B / (rho * T**0.5), 2 * B * rho / T**0.5),
    ),
    (
        "a rate of one over T, which such functions do not allow",
        lambda B, rho, T: (B / (rho * T**0.5), B * rho / T),
    ),
    (
        "the step size without the root of T",
        lambda B, rho, T: (B / (rho * T), B * rho / T**0.5),
    ),
    (
        "the square of the best step size: the root was forgotten",
        lambda B, rho, T: (B**2 / (rho**2 * T), B * rho / T**0.5),
    ),
    (
        "the step size upside down: steep functions need short steps",
        lambda B, rho, T: (rho / (B * T**0.5), B * rho / T**0.5),
    ),
    (
        "the step size does not depend on T",
        lambda B, rho, T: (B / rho, B * rho / T**0.5),
    ),
    (
        "one over rho as the step size",
        lambda B, rho, T: (1 / (rho * T**0.5), B * rho / T**0.5),
    ),
    (
        "the squares of B and rho in the bound",
        lambda B, rho, T: (B / (rho * T**0.5), B**2 * rho**2 / T**0.5),
    ),
    (
        "the quotient of B and rho in the bound, not their product",
        lambda B, rho, T: (B / (rho * T**0.5), B / (rho * T**0.5)),
    ),
    (
        "the two answers are swapped",
        lambda B, rho, T: (B * rho / T**0.5, B / (rho * T**0.5)),
    ),
    (
        "without the root of two: the two terms have the same factor one half",
        lambda B, rho, T: (B / (rho * (2 * T) ** 0.5), B * rho * (2 / T) ** 0.5),
    ),
    ("the bound alone", lambda B, rho, T: B * rho / T**0.5),
):
    rate_bound_matches_reference.mistake(misconception, rate_bound=wrong)


# %%
@rate_bound_matches_reference.alternative("the bound from the two terms at the best step size")
def rate_bound(B, rho, T):
    eta = np.sqrt(B**2 / (rho**2 * T))
    return eta, (B**2 / (2 * eta) + eta * T * rho**2 / 2) / T


@rate_bound_matches_reference.alternative("by the inequality of the means")
def rate_bound(B, rho, T):
    bound = torch.sqrt(torch.tensor((B * rho) ** 2 / T, dtype=torch.float64))
    return [bound / rho**2, bound]


@rate_bound_matches_reference.alternative("logarithms")
def rate_bound(B, rho, T):
    b, r, t = np.log([B, rho, T])
    return np.exp(b - r - t / 2), np.exp(b + r - t / 2)


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


@check(
    "averaged_descent",
    points=3,
    hint="Do T = 2 on paper: which two points are averaged?",
)
@case("a bowl", which="bowl", d=3, T=5)
@case("two iterates", which="valley", d=2, T=2)
@case("a valley", which="valley", d=4, T=25, hidden=True)
@case("three iterates, one weight", which="log cosh", d=1, T=3, hidden=True)
@case("a long run", which="log cosh", d=5, T=200, hidden=True)
def averaged_descent_matches_reference(student, reference, rng, which, d, T):
    """averaged_descent returns the mean of the first T iterates."""
    target, eta = (
        rng.choice([-1, 1], size=d) * rng.uniform(1, 3, size=d),
        float(rng.uniform(0.1, 0.3)),
    )
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


# %%
def path_of(gradient, d, eta, steps, start=0.0):
    """Return the iterates before the first step and after each."""
    path = [np.full(d, start)]
    for _ in range(steps):
        path.append(path[-1] - eta * gradient(path[-1]))
    return np.array(path)


PROMISE = (averaged_descent_keeps_the_promise,)


@averaged_descent_matches_reference.mistake("one too late: w1 = 0 belongs to the mean")
def averaged_descent(gradient, d, eta, T):
    return path_of(gradient, d, eta, T)[1:].mean(axis=0)


@averaged_descent_matches_reference.mistake("one too many: there are T iterates, not T + 1")
def averaged_descent(gradient, d, eta, T):
    return path_of(gradient, d, eta, T).mean(axis=0)


@averaged_descent_matches_reference.mistake("divided by T + 1: there are T iterates")
def averaged_descent(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1).sum(axis=0) / (T + 1)


@averaged_descent_matches_reference.mistake("the last iterate, not the mean")
def averaged_descent(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1)[-1]


@averaged_descent_matches_reference.mistake(
    "the same array T times: += changes every entry of the list"
)
def averaged_descent(gradient, d, eta, T):
    w, path = np.zeros(d), []
    for _ in range(T):
        path.append(w)
        w -= eta * gradient(w)
    return np.mean(path, axis=0)


@averaged_descent_matches_reference.mistake(
    "uphill: the gradient has to be subtracted", also=PROMISE
)
def averaged_descent(gradient, d, eta, T):
    return path_of(gradient, d, -eta, T - 1).mean(axis=0)


@averaged_descent_matches_reference.mistake("the start is not zero")
def averaged_descent(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1, start=1.0).mean(axis=0)


@averaged_descent_matches_reference.mistake(
    "an array of whole numbers for the weights", also=PROMISE
)
def averaged_descent(gradient, d, eta, T):
    w, total = np.zeros(d, int), np.zeros(d, int)
    for _ in range(T):
        total = total + w
        w = (w - eta * gradient(w)).astype(int)
    return total / T


@averaged_descent_matches_reference.mistake("the sum of the iterates, not the mean", also=PROMISE)
def averaged_descent(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1).sum(axis=0)


@averaged_descent_matches_reference.mistake(
    "the gradient at the start is used in every step", also=PROMISE
)
def averaged_descent(gradient, d, eta, T):
    slope = gradient(np.zeros(d))
    return np.mean([-eta * t * slope for t in range(T)], axis=0)


@averaged_descent_matches_reference.mistake("steps of length eta, whatever the gradient is")
def averaged_descent(gradient, d, eta, T):
    return path_of(lambda w: gradient(w) / np.linalg.norm(gradient(w)), d, eta, T - 1).mean(axis=0)


@averaged_descent_matches_reference.mistake("the gradient at the mean, not at the iterate")
def averaged_descent(gradient, d, eta, T):
    path = [np.zeros(d)]
    for _ in range(T - 1):
        path.append(path[-1] - eta * gradient(np.mean(path, axis=0)))
    return np.mean(path, axis=0)


# %%
@averaged_descent_matches_reference.alternative("the whole path, then its mean", also=PROMISE)
def averaged_descent(gradient, d, eta, T):
    return path_of(gradient, d, eta, T - 1).mean(axis=0)


@averaged_descent_matches_reference.alternative(
    "a running mean, and no step after the last iterate", also=PROMISE
)
def averaged_descent(gradient, d, eta, T):
    w, mean = np.zeros(d), np.zeros(d)
    for t in range(2, T + 1):
        w = w - eta * np.asarray(gradient(w))
        mean += (w - mean) / t
    return mean


@averaged_descent_matches_reference.alternative(
    "minus eta times a weighted sum of the gradients", also=PROMISE
)
def averaged_descent(gradient, d, eta, T):
    w, mean = torch.zeros(d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)
    for t in range(1, T):
        slope = torch.as_tensor(gradient(w.numpy()))
        w = w - eta * slope
        mean = mean - (T - t) / T * eta * slope
    return mean.numpy()


# %% [markdown]
# How much of the guarantee is slack? The figure runs your function for ever larger $T$, each
# time with its best step size, on $f(w) = |w_1 - c_1| + \dots + |w_d - c_d|$. Compare the slopes.


# %%
def draw_rate():
    """Draw how far the mean iterate is from the minimum, beside the guarantee."""
    import matplotlib.pyplot as plt

    target = np.array([1.5, -0.7, 0.4, 2.1])
    counts = np.unique(np.logspace(0, 4, 25).astype(int))
    pairs = [rate_bound(float(np.linalg.norm(target)), 2.0, int(T)) for T in counts]
    gaps = [
        np.abs(averaged_descent(lambda w: np.sign(w - target), 4, eta, int(T)) - target).sum()
        for T, (eta, _) in zip(counts, pairs, strict=True)
    ]
    _, axes = plt.subplots(figsize=(6.4, 3.8))
    axes.loglog(counts, [bound for _, bound in pairs], color="black", label="the guarantee")
    axes.loglog(counts, gaps, "o-", color="tab:blue", markersize=4, label="the mean iterate")
    axes.set(xlabel="number of iterates $T$", ylabel="distance of $f$ from its minimum")
    axes.grid(alpha=0.3)
    axes.legend()


drawn(draw_rate)

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


# %%
def draw_terms():
    """Draw both terms and their sum, for a = 2 and b = -1."""
    import matplotlib.pyplot as plt

    w = np.linspace(-2.5, 3.5, 200)
    first, second = (w - 2) ** 2 / 2, (w + 1) ** 2 / 2
    _, axes = plt.subplots(figsize=(6.4, 3.8))
    axes.plot(w, first, "--", color="tab:red", label="$F_1$, with $a = 2$")
    axes.plot(w, second, "--", color="tab:blue", label="$F_2$, with $b = -1$")
    axes.plot(w, first + second, color="black", label="$F = F_1 + F_2$")
    axes.set(xlabel="$w$", ylim=(0, 9), title="Where do the terms disagree on the way down?")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper center")


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
@case("minimisers 2 and -1", a=2.0, b=-1.0)
@case("any two minimisers")
@case("the first below the second", low=-4.0, gap=2.5, hidden=True)
@case("the first above the second", low=1.0, gap=-3.0, hidden=True)
@case("close together, far away", low=1000.0, gap=0.01, hidden=True)
def sgd_counterexample_holds(student, reference, rng, a=None, b=None, low=0.0, gap=1.0):
    """The step lowers the sampled term, and raises the sum."""
    if a is None:
        a = float(low + rng.uniform(-1, 1))
        b = float(a + gap * rng.uniform(0.5, 1.5))
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


# %%
for misconception, wrong in (
    ("no example: SGD was believed to lower the sum in every step", lambda a, b: None),
    (
        "numbers that fit one pair of minimisers only",
        lambda a, b: (0.5, 1, 0.1),
    ),
    (
        "from the minimiser of the sampled term: nothing moves there",
        lambda a, b: (a, 1, 0.1),
    ),
    (
        "from far away, where both terms fall and the sum with them",
        lambda a, b: (min(a, b) - 100 * abs(a - b), 1, 0.1),
    ),
    (
        "towards the minimum of the sum: the step lowers it",
        lambda a, b: (b, 1, 0.1),
    ),
    (
        "so long a step that the sampled term rises too",
        lambda a, b: ((a + b) / 2, 1, 2.5),
    ),
    (
        "a step to the mirror image: the sampled term stays as it is",
        lambda a, b: (a + 1.0, 1, 2.0),
    ),
    ("a negative learning rate: that is a step uphill", lambda a, b: ((a + b) / 2, 1, -0.1)),
    ("a learning rate of zero: nothing moves", lambda a, b: ((a + b) / 2, 1, 0.0)),
    ("terms counted from zero", lambda a, b: ((a + b) / 2, 0, 0.1)),
    ("the minimiser of the term in place of its number", lambda a, b: ((a + b) / 2, a, 0.1)),
    ("in another order: w, then the term, then eta", lambda a, b: (1, (a + b) / 2, 0.1)),
    (
        "from zero, whatever the minimisers are",
        lambda a, b: (0.0, 1, 0.1),
    ),
    ("no numbers at all", lambda a, b: (float("nan"), 1, 0.1)),
    ("half of a step only: term and eta are missing", lambda a, b: (a + b) / 2),
):
    sgd_counterexample_holds.mistake(misconception, sgd_counterexample=wrong)


# %%
@sgd_counterexample_holds.alternative("the other term, from the middle")
def sgd_counterexample(a, b):
    return np.array([a / 2 + b / 2, 2, 0.5])


@sgd_counterexample_holds.alternative("off the middle, on the side of the sampled term")
def sgd_counterexample(a, b):
    return 0.6 * a + 0.4 * b, 1, 1.0


@sgd_counterexample_holds.alternative("too long a step, across the minimum of the sum")
def sgd_counterexample(a, b):
    return [torch.tensor(b, dtype=torch.float64), np.int64(1), 1.75]


# %% [markdown]
# # 4. Which statements are true?
#
# Each question lists eight statements. Give the letters of those that are true, as one text, in any
# order: if B and E were the true ones, `"BE"`. A question counts only if all eight are judged
# rightly. Guessing does not pay; trying out does, as you have written all the code for it.


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


# %% [markdown]
# ## 4.1 Differences (3 points)

# %%
from reference.answers.autodiff import difference_statements


# %%
@check(
    "difference_statements",
    points=3,
    all_or_nothing=True,
    hint="Draw the error against h for your own numeric_jacobian, and count its calls of f.",
)
@case("all eight", hidden=True)
def difference_statements_are_judged_rightly(student, reference, rng):
    """difference_statements names the true ones, all of them and no other."""
    answer = student.difference_statements
    assert_equal(
        letters_of(answer) or answer, reference.difference_statements, what="difference_statements"
    )


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
    all_or_nothing=True,
    hint="Count sweeps, uses and stored values for the smallest example that you can think of.",
)
@case("all eight", hidden=True)
def mode_statements_are_judged_rightly(student, reference, rng):
    """mode_statements names the true ones, all of them and no other."""
    answer = student.mode_statements
    assert_equal(letters_of(answer) or answer, reference.mode_statements, what="mode_statements")


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
    all_or_nothing=True,
    hint="Go back to the two proofs line by line, and ask what becomes of SGD at the minimum.",
)
@case("all eight", hidden=True)
def descent_statements_are_judged_rightly(student, reference, rng):
    """descent_statements names the true ones, all of them and no other."""
    answer = student.descent_statements
    assert_equal(
        letters_of(answer) or answer, reference.descent_statements, what="descent_statements"
    )


# %%
@check("descent_statements", points=0)
@case("letters")
def descent_statements_have_the_right_form(student, reference, rng):
    """The answer is a text of letters from A to H; whether it is right is found when grading."""
    answer = letters_of(student.descent_statements)
    assert_that(answer is not None, 'give the letters of the true statements as a text, like "BE"')


self_check(descent_statements_have_the_right_form)


# %%
# Each wrong judgement alone; the letter is added to the right answer, or taken from it.
for letter, misconception in (
    ("A", "ever smaller steps: rounding wins in the end"),
    ("B", "the forward scheme: its error is proportional to the step"),
    ("C", "the central scheme: its error falls with the square of the step"),
    ("D", "the central scheme: the error begins with the third derivative"),
    ("E", "the kink: one scheme looks to one side only, the other to both"),
    ("F", "the number of evaluations: two for each input, each of which gives all outputs"),
    ("G", "the chord of a convex function beside its tangent"),
    ("H", "the best step: a smaller truncation error allows a larger one"),
):
    changed = "".join(sorted(set(difference_statements) ^ {letter}))
    difference_statements_are_judged_rightly.mistake(misconception, difference_statements=changed)

for letter, misconception in (
    ("A", "few outputs: reverse mode takes a sweep for each output, not for each input"),
    ("B", "the uses of x: one by the second product, and two by the first"),
    ("C", "forward mode: what is not used any more can be dropped with its tangent"),
    ("D", "one input and many outputs: that is a case for forward mode"),
    ("E", "memory: the reverse sweep needs the points at which it differentiates"),
    ("F", "the order of making: every parent is made before its child"),
    ("G", "Hessian times vector: a directional derivative of the gradient"),
    ("H", "a product from both sides: begin at either end"),
):
    changed = "".join(sorted(set(mode_statements) ^ {letter}))
    mode_statements_are_judged_rightly.mistake(misconception, mode_statements=changed)

for letter, misconception in (
    ("A", "without any steps: the left side is zero, and a term with w* remains on the right"),
    ("B", "Jensen's inequality taken for an equality"),
    ("C", "a stronger proximity term keeps nearer to the point"),
    ("D", "a convex function lies above its tangents, not below"),
    ("E", "with a fixed step size a part of the bound stays, however large T is"),
    ("F", "at the minimum of the sum every step leads away from it"),
    ("G", "the descent lemma: a parabola of curvature L lies above f and touches it"),
    ("H", "the rate is one over the root of T"),
):
    changed = "".join(sorted(set(descent_statements) ^ {letter}))
    descent_statements_are_judged_rightly.mistake(misconception, descent_statements=changed)

difference_statements_are_judged_rightly.alternative(
    "a list of letters",
    also=(difference_statements_have_the_right_form,),
    difference_statements=list(difference_statements),
)
mode_statements_are_judged_rightly.alternative(
    "a tuple of letters",
    also=(mode_statements_have_the_right_form,),
    mode_statements=tuple(mode_statements.lower()),
)
descent_statements_are_judged_rightly.alternative(
    "a list of letters",
    also=(descent_statements_have_the_right_form,),
    descent_statements=list(descent_statements),
)
difference_statements_have_the_right_form.mistake(
    "a list of truth values, not a text", difference_statements=[True, False]
)
difference_statements_have_the_right_form.mistake("an empty text", difference_statements="")
difference_statements_have_the_right_form.mistake(
    "a sentence, not letters", difference_statements="A and C are true"
)
mode_statements_have_the_right_form.mistake(
    "a list of truth values, not a text", mode_statements=[True, False]
)
mode_statements_have_the_right_form.mistake("an empty text", mode_statements="")
mode_statements_have_the_right_form.mistake(
    "a sentence, not letters", mode_statements="A and C are true"
)
descent_statements_have_the_right_form.mistake(
    "a list of truth values, not a text", descent_statements=[True, False]
)
descent_statements_have_the_right_form.mistake("an empty text", descent_statements="")
descent_statements_have_the_right_form.mistake(
    "a sentence, not letters", descent_statements="A and C are true"
)

difference_statements_are_judged_rightly.mistake(
    "all statements are taken for true", difference_statements="ABCDEFGH"
)
mode_statements_are_judged_rightly.mistake(
    "all statements are taken for true", mode_statements="ABCDEFGH"
)
descent_statements_are_judged_rightly.mistake(
    "all statements are taken for true", descent_statements="ABCDEFGH"
)

difference_statements_are_judged_rightly.alternative(
    "small letters, in another order",
    also=(difference_statements_have_the_right_form,),
    difference_statements=difference_statements[::-1].lower(),
)
mode_statements_are_judged_rightly.alternative(
    "with commas",
    also=(mode_statements_have_the_right_form,),
    mode_statements=", ".join(mode_statements),
)
descent_statements_are_judged_rightly.alternative(
    "with blanks, and one letter twice",
    also=(descent_statements_have_the_right_form,),
    descent_statements=" ".join(descent_statements + descent_statements[0]),
)
