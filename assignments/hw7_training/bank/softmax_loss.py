import numpy as np
import torch
from torch.nn import functional as F

from autograder import alternative, mistake


def softmax_with(
    shift="max",
    mean=True,
    grad_mean=True,
    half=False,
    double=2,
    grad_reg=True,
    reg_mean=False,
    sign=1,
    drop=True,
    eps=0.0,
    via_log=False,
    in_place=False,
    axis=1,
    everywhere=False,
    transposed=False,
    norm=False,
):
    """Return a `softmax_loss` with some faults."""

    def softmax_loss(W, X, y, reg):
        scores = X @ W
        if shift == "max":
            scores = scores - scores.max(axis=1, keepdims=True)
        elif shift == "all":
            scores = scores - scores.max()
        elif shift == "min":
            scores = scores - scores.min(axis=1, keepdims=True)
        with np.errstate(all="ignore"):
            exp = np.exp(scores)
            p = exp / exp.sum(axis=axis, keepdims=True)
            log_p = scores - np.log(exp.sum(axis=axis, keepdims=True))
            if via_log or eps:
                log_p = np.log(p + eps)
        rows, n = np.arange(len(y)), len(y)
        losses = -log_p.sum(axis=1) if everywhere else -log_p[rows, y]
        loss = losses.mean() if mean else losses.sum()
        d = p.copy()
        if drop:
            d[rows, y] -= sign
        square = np.sqrt((W**2).sum()) if norm else (W**2).sum()
        factor = 0.5 if half else 1.0
        penalty = reg * square * factor / (n if reg_mean else 1)
        grad = X.T @ d / (n if grad_mean else 1)
        grad = grad + double * factor * reg * W * grad_reg
        if in_place:
            W += 0 * W + 1e-3
        return float(loss + penalty), grad.T if transposed else grad

    return softmax_loss


mistake(
    "a sum over the examples in place of the mean",
    softmax_loss=softmax_with(mean=False, grad_mean=False),
)
mistake(
    "the gradient is not divided by the number of examples",
    edit=("d_scores / len(y)", "d_scores"),
    costs=2,
)
mistake(
    "the loss is not divided by the number of examples",
    edit=("log_probs[rows, y].mean()", "log_probs[rows, y].sum()"),
    costs=2,
)
mistake(
    "a penalty with the factor 1/2, which other courses use", softmax_loss=softmax_with(half=True)
)
mistake("the gradient of the penalty lacks its factor 2", softmax_loss=softmax_with(double=1))
mistake("the penalty has no gradient", softmax_loss=softmax_with(grad_reg=False))
mistake(
    "the penalty is divided by the number of examples", softmax_loss=softmax_with(reg_mean=True)
)
mistake("the norm of the weights, not its square", softmax_loss=softmax_with(norm=True))
mistake(
    "the one of the right class is added, not subtracted",
    softmax_loss=softmax_with(sign=-1),
)
mistake(
    "the gradient lacks the part of the right class",
    softmax_loss=softmax_with(drop=False),
)
mistake(
    "probabilities sum to one over the examples, not over the classes",
    softmax_loss=softmax_with(axis=0),
)
mistake(
    "the logarithms of all classes are summed, not those of the labels",
    softmax_loss=softmax_with(everywhere=True),
)
mistake(
    "the gradient is transposed: it has the shape of the weights",
    softmax_loss=softmax_with(transposed=True),
)
mistake("overwrites the caller's weights", softmax_loss=softmax_with(in_place=True))
mistake(
    "a small number inside the logarithm changes the loss",
    softmax_loss=softmax_with(eps=1e-6),
)
mistake("no shift: large scores overflow", softmax_loss=softmax_with(shift="none"))
mistake(
    "the logarithm of a probability that has become zero",
    softmax_loss=softmax_with(via_log=True),
)
mistake(
    "one shift for all examples: those with small scores underflow",
    softmax_loss=softmax_with(shift="all"),
)
mistake(
    "shifted by the smallest score: the largest still overflow",
    softmax_loss=softmax_with(shift="min"),
)
mistake(
    "a small number inside the logarithm hides how bad a prediction is",
    softmax_loss=softmax_with(eps=1e-12),
)


@mistake(
    "one-hot labels of whole numbers: the division is rounded to zero",
)
def _(W, X, y, reg):
    scores = X @ W
    scores = scores - scores.max(axis=1, keepdims=True)
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    d = np.eye(W.shape[1], dtype=int)[y]
    loss = -(log_p * d).sum() / len(y) + reg * (W**2).sum()
    d = (np.exp(log_p) - d).astype(int)
    return float(loss), X.T @ d / len(y) + 2 * reg * W


@mistake("the gradient of the scores, not of the weights")
def _(W, X, y, reg):
    scores = X @ W
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(y)), y]).mean() + reg * (W**2).sum()
    p[np.arange(len(y)), y] -= 1
    return float(loss), p / len(y)


@alternative("torch's cross-entropy and its autograd")
def _(W, X, y, reg):
    weights = torch.tensor(W, requires_grad=True)
    data = F.cross_entropy(torch.tensor(X) @ weights, torch.tensor(y))
    loss = data + reg * weights.square().sum()
    loss.backward()
    return loss.detach(), weights.grad


@alternative("example by example")
def _(W, X, y, reg):
    loss, grad = 0.0, np.zeros(W.shape)
    for x, label in zip(X, y, strict=True):
        scores = [float(x @ W[:, c]) for c in range(W.shape[1])]
        top = max(scores)
        total = sum(np.exp(s - top) for s in scores)
        loss += np.log(total) + top - scores[label]
        for c, score in enumerate(scores):
            grad[:, c] += (np.exp(score - top) / total - (c == label)) * x
    return loss / len(y) + reg * np.vdot(W, W), grad / len(y) + 2 * reg * W


@alternative("logaddexp and einsum in double precision")
def _(W, X, y, reg):
    W, X = W.astype(float), X.astype(float)
    scores = np.einsum("nd,dc->nc", X, W)
    normaliser = np.logaddexp.reduce(scores, axis=1)
    hot = np.zeros_like(scores)
    np.put_along_axis(hot, y[:, None], 1.0, axis=1)
    loss = np.mean(normaliser - np.einsum("nc,nc->n", scores, hot))
    error = np.exp(scores - normaliser[:, None]) - hot
    grad = np.einsum("nd,nc->dc", X, error) / X.shape[0]
    return loss + reg * np.sum(np.square(W)), grad + 2.0 * reg * W
