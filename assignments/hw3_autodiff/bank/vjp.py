import numpy as np
import torch
from bank._shared import WRONG_JACOBIANS, jacobian_of, stable_sigmoid, torch_outputs

from autograder import alternative, mistake

for misconception, wrong in WRONG_JACOBIANS:
    mistake(misconception, vjp=lambda w, u, wrong=wrong: u @ jacobian_of(w, **wrong))

mistake("the transpose: that is a Jacobian-vector product", vjp=lambda w, u: jacobian_of(w) @ u)
mistake(
    "the weights are not used: the adjoints of the outputs are u, not ones",
    vjp=lambda w, u: jacobian_of(w).sum(axis=0),
)
mistake("the whole Jacobian in place of the product with it", vjp=lambda w, u: jacobian_of(w))
mistake(
    "single precision, in which the outer exponential overflows",
    vjp=lambda w, u: u.astype(np.float32) @ jacobian_of(w).astype(np.float32),
)


@mistake("S is used twice, and the second adjoint overwrites the first: they have to be added")
def _(w, u):
    return u @ jacobian_of(w, outer=np.cos)


@mistake("w1 is used three times, and only its use in the exponential reaches its adjoint")
def _(w, u):
    full = jacobian_of(w)
    return np.array([u[0] * full[0, 0], u @ full[:, 1]])


@mistake("w1 is used three times, and only its uses in the second output reach its adjoint")
def _(w, u):
    full = jacobian_of(w)
    return np.array([u[1] * full[1, 0], u @ full[:, 1]])


@mistake("w1 is used three times, and only its use in the logistic function reaches its adjoint")
def _(w, u):
    full = jacobian_of(w)
    return np.array([u[1] * (full[1, 0] - w[1]), u @ full[:, 1]])


@mistake("w2 is used twice, and one contribution to its adjoint overwrites the other")
def _(w, u):
    full = jacobian_of(w)
    return np.array([u @ full[:, 0], u[1] * full[1, 1]])


@mistake("overwrites the caller's weights: it works in place")
def _(w, u):
    result = u @ jacobian_of(w)
    u *= 2
    return result


@alternative("torch's reverse mode")
def _(w, u):
    w, outputs = torch_outputs(w)
    (outputs * torch.tensor(u, dtype=torch.float64)).sum().backward()
    return w.grad


@alternative("the Jacobian written out, times u")
def _(w, u):
    return np.einsum("i,ij->j", np.asarray(u, dtype=float), jacobian_of(w))


@alternative("step by step, with the adjoints in a dict that is added to")
def _(w, u):
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
