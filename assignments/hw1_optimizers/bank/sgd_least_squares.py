import numpy as np
import torch

from autograder import alternative, mistake
from reference.least_squares import least_squares_gradient
from reference.optimizers import adagrad_step


def run_of_sgd(X, batches, lr, gradient, start=None):
    """A run for the variants below: `gradient(w, rows)` says where a step goes."""
    w = np.zeros(X.shape[1]) if start is None else start
    path = [w]
    for rows in batches:
        path.append(path[-1] - lr * gradient(path[-1], rows))
    return np.array(path).astype(np.result_type(X.dtype, 1.0))


def cut(order, batch_size):
    """Return the batches of a run."""
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


@mistake("a start that is not zero: what lies outside of the row space stays there")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    start = 0.1 * np.random.default_rng(0).normal(size=X.shape[1])
    return run_of_sgd(X, cut(order, batch_size), lr, gradient, start)


@mistake("a start at ones: the run begins at zero")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient, np.ones(X.shape[1]))


@mistake("the start is missing from the iterates")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)[1:]


@mistake("only the last weights are handed back")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)[-1]


@mistake(
    "one array many times over: each iterate needs a copy",
)
def _(X, t, order, lr, batch_size=1):
    w = np.zeros(X.shape[1], dtype=np.result_type(X.dtype, 1.0))
    path = [w]
    for rows in cut(order, batch_size):
        w -= lr * least_squares_gradient(X[rows], w, t[rows])
        path.append(w)
    return np.array(path)


@mistake("a last batch that is not full is thrown away")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    full = [rows for rows in cut(order, batch_size) if len(rows) == batch_size]
    return run_of_sgd(X, full, lr, gradient)


@mistake("a last batch that is shorter is divided by batch_size, not by its own size")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows]) * len(rows) / batch_size

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("divided by all n examples: the mean is over the batch")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return 2 / len(t) * X[rows].T @ (X[rows] @ w - t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("the gradient of one example is divided by n: a batch of one is its own mean")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        count = len(t) if batch_size == 1 else len(rows)
        return 2 / count * X[rows].T @ (X[rows] @ w - t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("the sum over the batch, not the mean")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return 2 * X[rows].T @ (X[rows] @ w - t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("the factor 2 of the square is missing")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return X[rows].T @ (X[rows] @ w - t[rows]) / len(rows)

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("the full gradient in every step: only the batch counts")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X, w, t)

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("the order is not used: the rows are taken in turn")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(np.arange(len(order)) % len(t), batch_size), lr, gradient)


@mistake("the order is shuffled once more")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    order = np.random.default_rng(0).permutation(order)
    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("an example that comes twice in a batch counts only once")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        rows = np.unique(rows)
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("batch_size is not used: one example at a time")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, 1), lr, gradient)


@mistake("every gradient is taken at the start, not at the last w")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return least_squares_gradient(X[rows], 0 * w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("a schedule is left in: the learning rate stays the same")
def _(X, t, order, lr, batch_size=1):
    path = [np.zeros(X.shape[1])]
    for step, rows in enumerate(cut(order, batch_size), start=1):
        move = least_squares_gradient(X[rows], path[-1], t[rows])
        path.append(path[-1] - lr / np.sqrt(step) * move)
    return np.array(path).astype(np.result_type(X.dtype, 1.0))


@mistake("stops as soon as the steps get small, short of the solution")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        slope = least_squares_gradient(X[rows], w, t[rows])
        return slope if np.linalg.norm(slope) > 1e-3 else 0 * slope

    return run_of_sgd(X, cut(order, batch_size), lr, gradient)


@mistake("steps uphill")
def _(X, t, order, lr, batch_size=1):
    def gradient(w, rows):
        return -least_squares_gradient(X[rows], w, t[rows])

    return run_of_sgd(X, cut(order, batch_size), min(lr, 0.01), gradient)


@mistake("whole numbers are truncated: the iterates took over the integer dtype of X")
def _(X, t, order, lr, batch_size=1):
    batches = cut(order, batch_size)
    path = np.zeros((len(batches) + 1, X.shape[1]), dtype=X.dtype)
    for k, rows in enumerate(batches):
        path[k + 1] = path[k] - lr * least_squares_gradient(X[rows], path[k], t[rows])
    return path


@mistake(
    "each coordinate is scaled by its own gradients, which changes where the run ends",
)
def _(X, t, order, lr, batch_size=1):
    w, total = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    path = [w]
    for rows in cut(order, batch_size):
        slope = least_squares_gradient(X[rows], w, t[rows])
        w, total = adagrad_step(w, slope, total, lr)
        path.append(w)
    return np.array(path).astype(np.result_type(X.dtype, 1.0))


@alternative("a list of weights, stacked at the end")
def _(X, t, order, lr, batch_size=1):
    path = [np.zeros(X.shape[1], dtype=X.dtype if X.dtype.kind == "f" else float)]
    while (k := len(path) - 1) * batch_size < len(order):
        rows = order[k * batch_size : (k + 1) * batch_size]
        moves = [2 * (X[i] @ path[-1] - t[i]) * X[i] for i in rows]
        path.append(path[-1] - lr * np.mean(moves, axis=0).astype(path[0].dtype))
    return np.stack(path)


@alternative("torch's SGD and automatic differentiation")
def _(X, t, order, lr, batch_size=1):
    X = torch.from_numpy(X if X.dtype.kind == "f" else X.astype(float))
    t = torch.from_numpy(t)
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=lr)
    path = [w.detach().clone()]
    for rows in torch.from_numpy(order).split(batch_size):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(X[rows] @ w, t[rows]).backward()
        optimizer.step()
        path.append(w.detach().clone())
    return torch.stack(path).numpy()


@alternative("the coefficients of the rows are updated, never the weights")
def _(X, t, order, lr, batch_size=1):
    products, coefficients = (X @ X.T).astype(float), np.zeros(len(t))
    path = [coefficients]
    for rows in cut(order, batch_size):
        residuals = products @ path[-1] - t
        coefficients = path[-1].copy()
        np.subtract.at(coefficients, rows, 2 * lr / len(rows) * residuals[rows])
        path.append(coefficients)
    return (np.array(path) @ X).astype(np.result_type(X.dtype, 1.0))
