import numpy as np
import torch

from autograder import alternative, mistake


@mistake("the size of each number: negative ones become zero", of="relu_forward")
def _(x):
    return np.abs(x)


@mistake("keeps the negative side", of="relu_forward")
def _(x):
    return np.minimum(x, 0)


@mistake("leaky: a hundredth of the negative side comes through", of="relu_forward")
def _(x):
    return np.where(x > 0, x, 0.01 * x)


@mistake("cut off above as well: there is no upper bound", of="relu_forward")
def _(x):
    return np.clip(x, 0, 1)


@mistake("the mask in place of the numbers", of="relu_forward")
def _(x):
    return (x > 0).astype(x.dtype)


@mistake("a smooth cousin, the softplus", of="relu_forward")
def _(x):
    return np.logaddexp(0, x)


@mistake("the largest number of all, not number by number", of="relu_forward")
def _(x):
    return np.maximum(x.max(), 0)


@mistake("works in place: the caller's input is overwritten", of="relu_forward")
def _(x):
    x[x < 0] = 0
    return x


@alternative("a product with the mask", of="relu_forward")
def _(x):
    return x * (x > 0)


@alternative("half of x plus its size, in double precision", of="relu_forward")
def _(x):
    wide = np.asarray(x, np.float64)
    return (wide + np.abs(wide)) / 2


@alternative("torch", of="relu_forward")
def _(x):
    return torch.relu(torch.tensor(x))


mistake(
    "one at exactly zero: our convention there is zero",
    of="relu_backward",
    edit=("x > 0", "x >= 0"),
)


mistake(
    "a half at exactly zero: our convention there is zero",
    of="relu_backward",
    edit=("x > 0", "np.heaviside(x, 0.5)"),
)


mistake(
    "decides by the sign of dout: the input's sign counts",
    of="relu_backward",
    edit=("x > 0", "dout > 0"),
)


mistake(
    "negative gradients are cut off as well",
    of="relu_backward",
    edit=("dout * (x > 0)", "np.maximum(dout, 0) * (x > 0)"),
)


mistake(
    "the derivative alone: the chain rule multiplies by dout",
    of="relu_backward",
    edit=("dout * (x > 0)", "(x > 0).astype(x.dtype)"),
)


mistake(
    "dout times the output, not times the derivative",
    of="relu_backward",
    edit=("x > 0", "np.maximum(x, 0)"),
)


mistake(
    "the wrong side: lets through where the input is negative",
    of="relu_backward",
    edit=("x > 0", "x < 0"),
)


mistake(
    "everything comes through: that is the identity's gradient",
    of="relu_backward",
    edit=("dout * (x > 0)", "dout.copy()"),
)


mistake(
    "the sign of x: its negative side has derivative zero",
    of="relu_backward",
    edit=("x > 0", "np.sign(x)"),
)


mistake("numbers near zero are taken for zero", of="relu_backward", edit=("x > 0", "x > 1e-12"))


@mistake("overwrites the caller's dout", of="relu_backward")
def _(dout, x):
    dout[x <= 0] = 0
    return dout


@alternative("a choice number by number", of="relu_backward")
def _(dout, x):
    return np.where(x > 0, dout, 0.0)


@alternative("a copy with holes, in double precision", of="relu_backward")
def _(dout, x):
    gradient = np.array(dout, np.float64)
    gradient[~(x > 0)] = 0
    return gradient


@alternative("torch's autograd", of="relu_backward")
def _(dout, x):
    leaf = torch.tensor(x, requires_grad=True)
    torch.relu(leaf).backward(torch.tensor(dout))
    return leaf.grad.numpy()
