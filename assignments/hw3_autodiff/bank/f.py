import numpy as np
import torch
from bank._shared import f_of, right_first, right_second, stable_sigmoid

from autograder import alternative, mistake

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
    mistake(misconception, f=f_of(first, second))

mistake(
    "single precision, in which the exponential of the exponential overflows",
    f=f_of(right_first, right_second, np.float32),
)


@mistake("converted to double precision only after the inner exponentials")
def _(w):
    w1, w2 = np.asarray(w) * np.ones((), np.asarray(w).dtype)
    s = np.float64(np.exp(w1) + np.exp(2 * w2))
    return np.array([np.exp(s) + np.sin(s), float(w1) * float(w2) + stable_sigmoid(float(w1))])


@mistake("the logistic function overflows: exp(-x) is too large for x = -800")
def _(w):
    import math

    w1, w2 = (float(x) for x in w)
    return np.array([right_first(w1, w2), w1 * w2 + 1 / (1 + math.exp(-w1))])


@mistake("overwrites the caller's point: it works in place")
def _(w):
    result = f_of(right_first, right_second)(w)
    w *= 2
    return result


@mistake("one number: the two outputs are added up")
def _(w):
    return f_of(right_first, right_second)(w).sum()


@alternative("torch")
def _(w):
    w1, w2 = torch.tensor(w, dtype=torch.float64)
    s = w1.exp() + (2 * w2).exp()
    return torch.stack([s.exp() + s.sin(), w1 * w2 + w1.sigmoid()]).numpy()


@alternative("the imaginary part of exp(iS), and a hyperbolic tangent")
def _(w):
    w1, w2 = (float(x) for x in w)
    inner = np.exp([w1, w2 + w2]).sum()
    return np.array([np.exp(inner) + np.exp(1j * inner).imag, stable_sigmoid(w1) + w2 * w1])


@alternative("Python's own numbers, and a list at the end")
def _(w):
    import math

    w1, w2 = float(w[0]), float(w[1])
    inner = math.fsum([math.exp(w1), math.exp(w2) ** 2])
    grown = math.exp(w1) if w1 < 0 else 1.0
    return [math.exp(inner) + math.sin(inner), w1 * w2 + grown / (1 + math.exp(-abs(w1)))]
