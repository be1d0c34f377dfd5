import numpy as np
import torch

from autograder import alternative, mistake


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


@mistake("the central difference is divided by h: its two points are 2h apart")
def _(f, w, h, scheme):
    return differences(f, w, h, scheme, divisor=1.0)


@mistake("the forward difference is divided by 2h: its two points are h apart")
def _(f, w, h, scheme):
    return differences(f, w, h, scheme, forward_divisor=2.0)


@mistake("the forward scheme whatever is asked for: no central difference")
def _(f, w, h, scheme):
    return differences(f, w, h, "forward")


@mistake("the central scheme whatever is asked for: no forward difference")
def _(f, w, h, scheme):
    return differences(f, w, h, "central")


@mistake("the two schemes under each other's names")
def _(f, w, h, scheme):
    return differences(f, w, h, {"forward": "central", "central": "forward"}[scheme])


@mistake("a central difference over half the step to either side: ours moves by h")
def _(f, w, h, scheme):
    return differences(f, w, h, scheme, shift=(0.5, -0.5), divisor=1.0)


@mistake("a backward difference for the forward one")
def _(f, w, h, scheme):
    if scheme == "central":
        return differences(f, w, h, scheme)
    return differences(f, w, -h, scheme)


@mistake("the sign of the central difference: later minus earlier")
def _(f, w, h, scheme):
    return differences(f, w, h, scheme, shift=(-1.0, 1.0))


@mistake("the transpose: row i belongs to output i, column j to input j")
def _(f, w, h, scheme):
    return differences(f, w, h, scheme).T


@mistake("all inputs are moved at once, not one at a time")
def _(f, w, h, scheme):
    w = np.array(w, dtype=float)
    back = w - h if scheme == "central" else w
    column = (f(w + h) - f(back)) / (2 * h if scheme == "central" else h)
    return np.tile(column[:, None], (1, len(w)))


@mistake(
    "the step is added to the point and never taken back, so the next columns start elsewhere",
)
def _(f, w, h, scheme):
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


@mistake(
    "moves the caller's own array: take a copy first",
)
def _(f, w, h, scheme):
    result = differences(f, w, h, scheme)
    w[0] += 1
    return result


@mistake("a step of one's own: h is the caller's choice")
def _(f, w, h, scheme):
    return differences(f, w, 0.01, scheme)


@mistake("a step in proportion to the coordinate: ours is h for each")
def _(f, w, h, scheme):
    w = np.array(w, dtype=float)
    columns = []
    for j in range(len(w)):
        size = h * max(abs(w[j]), 0.1)
        columns.append(differences(f, w, size, scheme)[:, j])
    return np.array(columns).T


@mistake("only for functions that return one number: the first output alone")
def _(f, w, h, scheme):
    return differences(f, w, h, scheme)[:1]


@mistake("only for as many outputs as inputs: the Jacobian need not be square")
def _(f, w, h, scheme):
    right = differences(f, w, h, scheme)
    jacobian = np.zeros((len(w), len(w)))
    size = min(len(right), len(w))
    jacobian[:size] = right[:size]
    return jacobian


@mistake("the exact derivative was aimed at: a scheme with a step is asked for")
def _(f, w, h, scheme):
    w = np.array(w, dtype=float)
    fine, finer = (differences(f, w, h / k, "central") for k in (1, 2))
    return (4 * finer - fine) / 3


@mistake("a copy of whole numbers holds whole numbers: the step is truncated to nothing")
def _(f, w, h, scheme):
    columns = []
    for j in range(len(w)):
        right, left = w.copy(), w.copy()
        right[j] = right[j] + h
        left[j] = left[j] - h if scheme == "central" else left[j]
        columns.append((f(right) - f(left)) / (2 * h if scheme == "central" else h))
    return np.array(columns).T


@mistake("single precision, in which differences lose all")
def _(f, w, h, scheme):
    w, h = np.array(w, dtype=np.float32), np.float32(h)
    return differences(lambda x: f(x).astype(np.float32), w, h, scheme)


@alternative("in place on a copy, with the entry put back each time")
def _(f, w, h, scheme):
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


@alternative("the mean of the differences to either side")
def _(f, w, h, scheme):
    here, moves = f(np.asarray(w, float)), np.diag(np.full(len(w), h))
    sides = [1, -1] if scheme == "central" else [1]
    slopes = [[(f(w + side * e) - here) / (side * h) for e in moves] for side in sides]
    return np.mean(slopes, axis=0).T


@alternative("torch's tensors inside")
def _(f, w, h, scheme):
    point = torch.as_tensor(np.array(w, dtype=float))
    moves = h * torch.eye(len(w), dtype=torch.float64)
    ahead = torch.stack([torch.as_tensor(f((point + e).numpy())) for e in moves], dim=1)
    if scheme == "forward":
        return (ahead - torch.as_tensor(f(point.numpy()))[:, None]) / h
    behind = torch.stack([torch.as_tensor(f((point - e).numpy())) for e in moves], dim=1)
    return ((ahead - behind) / 2 / h).numpy()
