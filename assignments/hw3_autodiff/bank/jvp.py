import numpy as np
import torch
from bank._shared import (
    WRONG_JACOBIANS,
    f_of,
    jacobian_of,
    right_first,
    right_second,
    torch_outputs,
)

from autograder import alternative, mistake

for misconception, wrong in WRONG_JACOBIANS:
    mistake(misconception, jvp=lambda w, v, wrong=wrong: jacobian_of(w, **wrong) @ v)

mistake("the transpose: that is a vector-Jacobian product", jvp=lambda w, v: v @ jacobian_of(w))
mistake(
    "the velocity is not used: the tangents of the inputs are v, not ones",
    jvp=lambda w, v: jacobian_of(w).sum(axis=1),
)
mistake(
    "the velocity was scaled to length one; its length counts",
    jvp=lambda w, v: jacobian_of(w) @ v / np.linalg.norm(v),
)
mistake("the whole Jacobian in place of its product with v", jvp=lambda w, v: jacobian_of(w))
mistake("the columns of the Jacobian times v, not added up", jvp=lambda w, v: jacobian_of(w)[0] * v)
mistake(
    "a central difference along v, which is not exact",
    jvp=lambda w, v: (
        (f_of(right_first, right_second)(w + 1e-3 * v)
         - f_of(right_first, right_second)(w - 1e-3 * v)) / 2e-3
    ),
)  # fmt: skip
mistake(
    "single precision, in which the outer exponential overflows",
    jvp=lambda w, v: np.float64(jacobian_of(w)).astype(np.float32) @ v.astype(np.float32),
)


@mistake("overwrites the caller's velocity: it works in place")
def _(w, v):
    result = jacobian_of(w) @ v
    v *= 2
    return result


@alternative("torch's reverse mode, applied twice")
def _(w, v):
    w, outputs = torch_outputs(w)
    weights = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    (pulled,) = torch.autograd.grad(outputs, w, weights, create_graph=True)
    v = torch.tensor(v, dtype=torch.float64)
    (pushed,) = torch.autograd.grad(pulled, weights, v)
    return pushed.numpy()


@alternative("the Jacobian written out, times v")
def _(w, v):
    return np.einsum("ij,j->i", jacobian_of(w), np.asarray(v, dtype=float))


@alternative("a dual number: the imaginary part of a tiny complex step")
def _(w, v):
    w1, w2 = np.asarray(w, dtype=float) + 1e-200j * np.asarray(v, dtype=float)
    s = np.exp(w1) + np.exp(2 * w2)
    low = w1.real < 0
    logistic = np.exp(w1) / (1 + np.exp(w1)) if low else 1 / (1 + np.exp(-w1))
    return np.array([(np.exp(s) + np.sin(s)).imag, (w1 * w2 + logistic).imag]) / 1e-200
