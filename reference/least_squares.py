"""Least squares with more weights than examples, and gradient descent on it.

X: (n, d) holds one example in each row, t: (n,) the targets, w: (d,) the weights; the model
predicts X w. Nothing here changes an argument, and the dtype of X is kept.

Sources: Golub and Van Loan, "Matrix Computations", 2013, section 5.6, for the minimum norm
solution; Zhang et al., "Understanding Deep Learning Requires Rethinking Generalization", 2017,
section 5, for SGD that ends there.
"""

import numpy as np


def least_squares_loss(X: np.ndarray, w: np.ndarray, t: np.ndarray) -> float:
    """The loss is the mean over the examples of the squared residual, without a factor 1/2.

    Args:
        X: (n, d) one example in each row.
        w: (d,) weights.
        t: (n,) targets.

    Returns:
        The loss, a scalar of the dtype of X.
    """
    loss: float = np.mean((X @ w - t) ** 2)
    return loss


def least_squares_gradient(X: np.ndarray, w: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The gradient of `least_squares_loss` with respect to the weights.

    Args:
        X: (n, d) one example in each row.
        w: (d,) weights.
        t: (n,) targets.

    Returns:
        (d,) gradient.
    """
    gradient: np.ndarray = X.T @ (X @ w - t) * (2 / len(t))
    return gradient


def minimum_norm_solution(X: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The shortest weights, in the Euclidean norm, that fit every target exactly.

    There are more weights than examples (n < d), and the rows of X are linearly independent. Then
    the d by d matrix of the normal equations is singular, so they do not lead to the answer.

    Args:
        X: (n, d) one example in each row; n < d, rank n.
        t: (n,) targets.

    Returns:
        (d,) weights w with X w = t and the smallest norm.
    """
    return X.T @ np.linalg.solve(X @ X.T, t)


def sgd_least_squares(
    X: np.ndarray, t: np.ndarray, order: np.ndarray, lr: float, batch_size: int = 1
) -> np.ndarray:
    """Mini-batch gradient descent on least squares starts from zero and returns every iterate.

    Each step takes the next `batch_size` entries of `order` as its batch; a last batch that is
    shorter is used too. The loss of a batch is the mean of the squared residuals over that
    batch's own examples.

    Args:
        X: (n, d) one example in each row.
        t: (n,) targets.
        order: (k,) indices of rows of X, in the order in which they are visited; any of them may
            come again.
        lr: learning rate.
        batch_size: examples in each step.

    Returns:
        (steps + 1, d) the weights before the first step and after each step, in the dtype of X, or
        float64 if X holds integers; steps is k / batch_size, rounded up.
    """
    starts = range(0, len(order), batch_size)
    # For integers in X the iterates are floats, never truncated.
    iterates = np.zeros((len(starts) + 1, X.shape[1]), dtype=np.result_type(X.dtype, 1.0))
    for step, start in enumerate(starts):
        rows = order[start : start + batch_size]
        gradient = least_squares_gradient(X[rows], iterates[step], t[rows])
        iterates[step + 1] = iterates[step] - lr * gradient
    return iterates
