"""Probes of an engine that differentiates: expressions, and graphs of nodes, some at random."""

import numpy as np


def derivatives_of(notebook, expressions, a, b):
    """Return for each expression its value, and the grads of a and of b."""
    found = {}
    for text in expressions:
        names = {"a": notebook.Var(a), "b": notebook.Var(b)}
        result = eval(text, names)
        result.backward()
        numbers = result.value, names["a"].grad, names["b"].grad
        found[text] = np.array([float(x) for x in numbers])
    return found


def graph_after(notebook, lines, inputs):
    """Run lines of Python on nodes; return value and grad of each node that has a name."""
    names = {name: notebook.Var(value) for name, value in inputs.items()}
    exec("\n".join(lines), names)
    nodes = {n: x for n, x in names.items() if isinstance(x, notebook.Var)}
    return {name: np.array([float(x.value), float(x.grad)]) for name, x in nodes.items()}


def random_inputs(rng):
    """Return three numbers for the nodes a, b and c, none of them near zero."""
    sizes = rng.choice([-1, 1], size=3) * rng.uniform(0.5, 1.5, size=3)
    return dict(zip("abc", sizes.tolist(), strict=True))


def random_graph(rng, size):
    """Return lines that compute nodes from earlier ones at random."""
    lines, names = [], ["a", "b", "c"]
    for k in range(size):
        near = names[-1 - int(rng.integers(3))]
        far, factor = names[int(rng.integers(len(names)))], "abc"[int(rng.integers(3))]
        right = f"{near} * {factor}" if rng.random() < 0.5 else f"{near} + {far}"
        lines.append(f"n{k} = {right}")
        names.append(f"n{k}")
    return [*lines, f"y = n{size - 1} + {names[-3]} * {names[-2]} + a"]


def long_graph(notebook, start, factors, doublings):
    """Return the end of a long computation and its derivative by the start."""
    x = y = notebook.Var(start)
    for factor in factors:
        y = y * factor + 0.01
    for _ in range(doublings):
        y = y + y
    y.backward()
    return float(y.value), float(x.grad)
