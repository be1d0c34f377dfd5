import numpy as np
import torch
from bank._shared import VarFrame, torch_outputs

from autograder import alternative, mistake


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


@mistake("the second row has the first one added to it: the gradients have to start afresh")
def _(w):
    return rows_by_engine(w)


@mistake("only one of the two inputs starts afresh")
def _(w):
    return rows_by_engine(w, lambda w1, w2: setattr(w1, "grad", 0.0))


@mistake("the transpose: each sweep gives a row")
def _(w):
    return rows_by_engine(w, reset_both).T


@mistake("a single sweep, of the sum of the outputs")
def _(w):
    return np.tile(rows_by_engine(w, reset_both).sum(axis=0), (2, 1))


@mistake("the sine is left out")
def _(w):
    return rows_by_engine(w, reset_both, lambda s: s.exp())


@mistake("the sine is subtracted")
def _(w):
    return rows_by_engine(w, reset_both, lambda s: s.exp() - s.sin())


@mistake("single precision at the end")
def _(w):
    with np.errstate(over="ignore"):
        return rows_by_engine(w, reset_both).astype(np.float32)


@mistake("only the gradient of the first output")
def _(w):
    return rows_by_engine(w, reset_both)[0]


@alternative("a fresh graph for each row")
def _(w):
    return [list(rows_by_engine(w, reset_both)[i]) for i in range(2)]


@alternative("the second row first, and the first as what is added to it")
def _(w):
    w1, w2 = VarFrame(w[0]), VarFrame(w[1])
    s = w1.exp() + w2.exp() ** 2
    (w1 * w2 + w1.sigmoid()).backward()
    second = np.array([w1.grad, w2.grad])
    (s.sin() + s.exp()).backward()
    return np.stack([np.array([w1.grad, w2.grad]) - second, second])


@alternative("torch's reverse mode")
def _(w):
    w, outputs = torch_outputs(w)
    rows = [torch.autograd.grad(output, w, retain_graph=True)[0] for output in outputs]
    return torch.stack(rows).numpy()
