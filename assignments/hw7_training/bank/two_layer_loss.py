import numpy as np
import torch
from torch.nn import functional as F

from autograder import alternative, mistake


def two_layer_with(
    mean=True,
    grad_mean=True,
    reg_biases=False,
    double=2.0,
    half=1.0,
    one_matrix=False,
    no_mask=False,
    mask_closed=False,
    mask_output=False,
    shift=True,
    bias1=True,
    bias2=True,
    mean_bias=False,
    relu=True,
    keepdims=False,
    no_b1=False,
    relu_scores=False,
    in_place=False,
    sign=1,
    eps=0.0,
    wrong_input=False,
    without_loss=False,
):
    """Return a `two_layer_loss` with some faults."""

    def two_layer_loss(params, X, y, reg):
        W1, b1, W2, b2 = (params[k] for k in ("W1", "b1", "W2", "b2"))
        z = X @ W1 + (0 if no_b1 else b1)
        h = np.maximum(z, 0) if relu else z
        s = h @ W2 + b2
        s = np.maximum(s, 0) if relu_scores else s
        rows, n = np.arange(len(y)), len(y)
        with np.errstate(all="ignore"):
            s = s - s.max(axis=1, keepdims=True) if shift else s
            log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
            log_p = np.log(np.exp(log_p) + eps) if eps else log_p
        loss = -log_p[rows, y].sum() / (n if mean else 1)
        loss += half * reg * ((W1**2).sum() + (0 if one_matrix else (W2**2).sum()))
        loss += reg * ((b1**2).sum() + (b2**2).sum()) if reg_biases else 0
        d = np.exp(log_p)
        d[rows, y] -= 1
        d = sign * d / (n if grad_mean else 1)
        dh = d @ W2.T
        mask = z >= 0 if mask_closed else z > 0
        dh = dh if no_mask or not relu else dh * mask
        out = h if not wrong_input else z
        grads = {
            "W1": X.T @ dh + half * double * reg * W1,
            "b1": dh.sum(axis=0, keepdims=keepdims) if bias1 else np.zeros_like(b1),
            "W2": out.T @ d + (0 if one_matrix else half * double * reg * W2),
            "b2": d.sum(axis=0, keepdims=keepdims) if bias2 else np.zeros_like(b2),
        }
        if mask_output:
            grads["W2"] = grads["W2"] * (W2 > 0)
        if mean_bias:
            grads["b1"], grads["b2"] = dh.mean(axis=0), d.mean(axis=0)
        if reg_biases:
            grads["b1"] = grads["b1"] + 2 * reg * b1
            grads["b2"] = grads["b2"] + 2 * reg * b2
        if in_place:
            X *= 1.5
        return grads if without_loss else (float(loss), grads)

    return two_layer_loss


mistake(
    "a sum over the examples in place of the mean",
    two_layer_loss=two_layer_with(mean=False, grad_mean=False),
)
mistake(
    "the gradients are not divided by the number of examples",
    edit=("(np.exp(log_p) - one_hot) / len(y)", "np.exp(log_p) - one_hot"),
    costs=3,
)
mistake("the biases are penalised too", two_layer_loss=two_layer_with(reg_biases=True), costs=2)
mistake(
    "the gradient of the penalty lacks its factor 2",
    two_layer_loss=two_layer_with(double=1.0),
    costs=2,
)
mistake("a penalty with the factor 1/2", two_layer_loss=two_layer_with(half=0.5))
mistake("only the first matrix is penalised", two_layer_loss=two_layer_with(one_matrix=True))
mistake(
    "gradients pass through ReLUs that are off",
    two_layer_loss=two_layer_with(no_mask=True),
)
mistake(
    "no activation function: two layers that are one",
    two_layer_loss=two_layer_with(relu=False),
)
mistake("a ReLU behind the last layer too", two_layer_loss=two_layer_with(relu_scores=True))
mistake(
    "the gradient of W2 is masked like a layer with a ReLU",
    two_layer_loss=two_layer_with(mask_output=True),
)
mistake(
    "the gradient of W2 takes the pre-activations, not the activations",
    two_layer_loss=two_layer_with(wrong_input=True),
)
mistake("the hidden biases have no gradient", two_layer_loss=two_layer_with(bias1=False))
mistake("the output biases have no gradient", two_layer_loss=two_layer_with(bias2=False))
mistake(
    "the mean over the examples is taken twice for the biases",
    two_layer_loss=two_layer_with(mean_bias=True),
)
mistake(
    "gradients of the biases of shape (1, H) and (1, C)",
    two_layer_loss=two_layer_with(keepdims=True),
)
mistake("the hidden biases are left out", two_layer_loss=two_layer_with(no_b1=True))
mistake("the sign of the gradients", two_layer_loss=two_layer_with(sign=-1))
mistake("overwrites the caller's examples", two_layer_loss=two_layer_with(in_place=True))
mistake(
    "the loss is missing from the answer",
    two_layer_loss=two_layer_with(without_loss=True),
)
mistake(
    "the derivative of the ReLU at zero is taken for one",
    two_layer_loss=two_layer_with(mask_closed=True),
)
mistake("no shift: large scores overflow", two_layer_loss=two_layer_with(shift=False))
mistake(
    "a small number inside the logarithm hides how bad a prediction is",
    two_layer_loss=two_layer_with(eps=1e-12),
)


@alternative("torch's autograd")
def _(params, X, y, reg):
    p = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    scores = torch.relu(torch.tensor(X) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    loss = F.cross_entropy(scores, torch.tensor(y))
    loss = loss + reg * (p["W1"].pow(2).sum() + p["W2"].pow(2).sum())
    loss.backward()
    return loss.item(), {k: v.grad for k, v in p.items()}


@alternative("outer products, example by example")
def _(params, X, y, reg):
    W1, b1, W2, b2 = (params[k] for k in ("W1", "b1", "W2", "b2"))
    grads, loss = {k: np.zeros_like(v) for k, v in params.items()}, 0.0
    for x, label in zip(X, y, strict=True):
        z = W1.T @ x + b1
        h = z * (z > 0)
        s = W2.T @ h + b2
        normaliser = np.logaddexp.reduce(s)
        loss += normaliser - s[label]
        d = np.exp(s - normaliser)
        d[label] -= 1
        dz = np.where(z > 0, W2 @ d, 0)
        grads["W1"] += np.outer(x, dz) / len(X)
        grads["b1"] += dz / len(X)
        grads["W2"] += np.outer(h, d) / len(X)
        grads["b2"] += d / len(X)
    for name in ("W1", "W2"):
        grads[name] += 2 * reg * params[name]
    return loss / len(X) + reg * (np.vdot(W1, W1) + np.vdot(W2, W2)), grads


@alternative("biases as a further row of the weights")
def _(params, X, y, reg):
    ones = np.ones((len(X), 1))
    A, B = np.vstack([params["W1"], params["b1"]]), np.vstack([params["W2"], params["b2"]])
    X1 = np.hstack([X, ones])
    active = (X1 @ A) > 0
    H1 = np.hstack([(X1 @ A) * active, ones])
    S = H1 @ B
    S = S - np.max(S, axis=1)[:, None]
    P = np.exp(S) / np.exp(S).sum(1)[:, None]
    hot = (y[:, None] == np.arange(S.shape[1])).astype(float)
    E = (P - hot) / len(X)
    gB, gA = np.einsum("nh,nc->hc", H1, E), X1.T @ ((E @ B[:-1].T) * active)
    loss = (np.log(np.exp(S).sum(1)) - (S * hot).sum(1)).mean()
    loss += reg * ((A[:-1] ** 2).sum() + (B[:-1] ** 2).sum())
    grads = {"W1": gA[:-1] + 2 * reg * A[:-1], "b1": gA[-1]}
    return loss, {**grads, "W2": gB[:-1] + 2 * reg * B[:-1], "b2": gB[-1]}
