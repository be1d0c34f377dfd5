import numpy as np
import torch

from autograder import alternative, mistake
from reference.layers import affine_backward


@mistake("the bias is forgotten", of="affine_forward")
def _(x, w, b):
    return x.reshape(len(x), -1) @ w


@mistake("the bias is subtracted", of="affine_forward")
def _(x, w, b):
    return x.reshape(len(x), -1) @ w - b


@mistake("one bias for all outputs: each has its own", of="affine_forward")
def _(x, w, b):
    return x.reshape(len(x), -1) @ w + b.sum()


@mistake(
    "flattened the wrong way round: the last axis runs fastest, not the first", of="affine_forward"
)
def _(x, w, b):
    return np.reshape(x, (len(x), -1), order="F") @ w + b


@mistake("examples in columns: here they are rows, also of out", of="affine_forward")
def _(x, w, b):
    return w.T @ x.reshape(len(x), -1).T + b[:, None]


@mistake("averaged over the inputs: the products are summed", of="affine_forward")
def _(x, w, b):
    return x.reshape(len(x), -1) @ w / len(w) + b


@mistake("not flattened: only the last axis meets the weights", of="affine_forward")
def _(x, w, b):
    return x @ w + b


@mistake("overwrites the caller's input", of="affine_forward")
def _(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    x -= x.mean()
    return out


@alternative("einsum, after flattening by hand", of="affine_forward")
def _(x, w, b):
    flat = np.stack([image.ravel() for image in x])
    return np.einsum("nd,dm->nm", flat, w) + b


@alternative("the weights in the shape of an example; tensordot", of="affine_forward")
def _(x, w, b):
    axes = list(range(1, x.ndim))
    unfolded = w.reshape(*x.shape[1:], -1)
    return b + np.tensordot(x, unfolded, axes=(axes, [axis - 1 for axis in axes]))


@alternative("torch's linear layer, in double precision", of="affine_forward")
def _(x, w, b):
    wide = [torch.tensor(a, dtype=torch.float64) for a in (x, w, b)]
    return torch.nn.functional.linear(wide[0].flatten(1), wide[1].T, wide[2]).numpy()


right_affine_backward = affine_backward  # mistakes change what comes out of it


@mistake("dx is left flat: it has the shape of x", of="affine_backward")
def _(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dx.reshape(len(x), -1), dw, db


@mistake("dx is folded back with the first axis running fastest", of="affine_backward")
def _(dout, x, w):
    _, dw, db = right_affine_backward(dout, x, w)
    return np.reshape(dout @ w.T, x.shape, order="F"), dw, db


@mistake("dw is transposed", of="affine_backward")
def _(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dx, dw.T, db


@mistake("the weights are not transposed on the way back", of="affine_backward")
def _(dout, x, w):
    _, dw, db = right_affine_backward(dout, x, w)
    return (dout @ w).reshape(x.shape), dw, db


@mistake(
    "dw and db averaged over the batch: the loss has that factor in it already, if at all",
    of="affine_backward",
)
def _(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dx, dw / len(x), db / len(x)


@mistake("db averaged over the batch: it is a sum", of="affine_backward")
def _(dout, x, w):
    dx, dw, _ = right_affine_backward(dout, x, w)
    return dx, dw, dout.mean(axis=0)


@mistake("db summed over the outputs, not over the batch", of="affine_backward")
def _(dout, x, w):
    dx, dw, _ = right_affine_backward(dout, x, w)
    return dx, dw, dout.sum(axis=1)


@mistake("db keeps a row for each example", of="affine_backward")
def _(dout, x, w):
    dx, dw, _ = right_affine_backward(dout, x, w)
    return dx, dw, dout.copy()


@mistake("db keeps the batch's axis, with length one", of="affine_backward")
def _(dout, x, w):
    dx, dw, _ = right_affine_backward(dout, x, w)
    return dx, dw, dout.sum(axis=0, keepdims=True)


@mistake("the gradients in another order than dx, dw, db", of="affine_backward")
def _(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dw, db, dx


@mistake("dx has the bias' gradient in it: b does not depend on x", of="affine_backward")
def _(dout, x, w):
    dx, dw, db = right_affine_backward(dout, x, w)
    return dx + db.sum(), dw, db


@mistake("only the first example counts in dw", of="affine_backward")
def _(dout, x, w):
    dx, _, db = right_affine_backward(dout, x, w)
    return dx, np.outer(x[0], dout[0]), db


@mistake("the sign of a step downhill: gradients point uphill", of="affine_backward")
def _(dout, x, w):
    return tuple(-gradient for gradient in right_affine_backward(dout, x, w))


@mistake("overwrites the caller's dout", of="affine_backward")
def _(dout, x, w):
    gradients = right_affine_backward(dout, x, w)
    dout *= 0
    return gradients


@alternative("example by example, outer products added up", of="affine_backward")
def _(dout, x, w):
    dx, dw, db = np.empty(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for n, (image, above) in enumerate(zip(x, dout, strict=True)):
        dx[n] = np.dot(w, above).reshape(image.shape)
        dw += np.outer(image, above)
        db += above
    return dx, dw, db


@alternative("torch's autograd, on a list of three", of="affine_backward")
def _(dout, x, w):
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, w)]
    bias = torch.zeros(w.shape[1], dtype=leaves[0].dtype, requires_grad=True)
    (leaves[0].flatten(1) @ leaves[1] + bias).backward(torch.tensor(dout))
    return [leaf.grad.numpy() for leaf in (*leaves, bias)]


@alternative("einsum", of="affine_backward")
def _(dout, x, w):
    flat = np.reshape(x, (x.shape[0], w.shape[0]))
    dx = np.einsum("nm,dm->nd", dout, w)
    return dx.reshape(x.shape), np.einsum("nd,nm->dm", flat, dout), np.einsum("nm->m", dout)
