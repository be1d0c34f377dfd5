import numpy as np
import torch

from autograder import alternative, mistake


@mistake("the transpose: what comes out are columns, not rows", of="jacobian_forward")
def _(jvp, n):
    return np.array([jvp(e) for e in np.eye(n)])


mistake(
    "a single sweep along (1, …, 1) adds all columns up",
    of="jacobian_forward",
    edit=(
        "np.stack([jvp(v) for v in np.eye(n)], axis=1)",
        "np.tile(jvp(np.ones(n))[:, None], (1, n)) / n",
    ),
)


mistake(
    "only the first column",
    of="jacobian_forward",
    edit=("np.stack([jvp(v) for v in np.eye(n)], axis=1)", "jvp(np.eye(n)[0])[:, None]"),
)


@mistake("one column short: the last input is left out", of="jacobian_forward")
def _(jvp, n):
    return np.stack([jvp(e) for e in np.eye(n)[:-1]] or [jvp(np.zeros(n))], axis=1)


@mistake("n stands for the outputs: a square is taken for given", of="jacobian_forward")
def _(jvp, n):
    result = np.zeros((n, n))
    for j in range(n):
        result[:, j] = jvp(np.eye(n)[j])
    return result


@mistake("more sweeps than there are inputs", of="jacobian_forward")
def _(jvp, n):
    m = len(jvp(np.zeros(n)))
    return np.array([[jvp(e)[i] for e in np.eye(n)] for i in range(m)])


@mistake("columns one below the other, in one long vector", of="jacobian_forward")
def _(jvp, n):
    return np.concatenate([jvp(e) for e in np.eye(n)])


@mistake("the transpose: what comes out are rows, not columns", of="jacobian_reverse")
def _(vjp, m):
    return np.stack([vjp(e) for e in np.eye(m)], axis=1)


mistake(
    "a single sweep from (1, …, 1) adds all rows up",
    of="jacobian_reverse",
    edit=("np.stack([vjp(u) for u in np.eye(m)])", "np.tile(vjp(np.ones(m)), (m, 1)) / m"),
)


mistake(
    "only the first row",
    of="jacobian_reverse",
    edit=("np.stack([vjp(u) for u in np.eye(m)])", "vjp(np.eye(m)[0])[None]"),
)


@mistake("one row short: the last output is left out", of="jacobian_reverse")
def _(vjp, m):
    return np.stack([vjp(e) for e in np.eye(m)[:-1]] or [vjp(np.zeros(m))])


@mistake("m stands for the inputs: a square is taken for given", of="jacobian_reverse")
def _(vjp, m):
    result = np.zeros((m, m))
    for i in range(m):
        result[i] = vjp(np.eye(m)[i])
    return result


@mistake("more sweeps than there are outputs", of="jacobian_reverse")
def _(vjp, m):
    n = len(vjp(np.zeros(m)))
    return np.array([[vjp(e)[j] for j in range(n)] for e in np.eye(m)])


@alternative("column after column, on lists", of="jacobian_forward")
def _(jvp, n):
    columns = []
    for j in range(n):
        columns.append(np.asarray(jvp(np.array([float(k == j) for k in range(n)]))).tolist())
    return [list(row) for row in zip(*columns, strict=True)]


@alternative("other directions, and a system of equations", of="jacobian_forward")
def _(jvp, n):
    directions = np.tril(np.ones((n, n)))
    products = np.array([jvp(v) for v in directions])
    return np.linalg.solve(directions, products).T


@alternative("torch's unit vectors, and concatenation", of="jacobian_reverse")
def _(vjp, m):
    rows = [torch.as_tensor(vjp(e.numpy()))[None] for e in torch.eye(m, dtype=torch.float64)]
    return torch.cat(rows)


@alternative("other weights, and a system of equations", of="jacobian_reverse")
def _(vjp, m):
    weights = np.triu(np.ones((m, m)))
    return np.linalg.solve(weights, np.array([vjp(u) for u in weights]))
