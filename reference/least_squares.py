"""Least squares with more weights than examples, and the choices that go with it.

X: (n, d) holds one example in each row, t: (n,) the targets, w: (d,) the weights; the model
predicts X w. Nothing here changes an argument, and the dtype of X is kept.
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


# One example x = [2, 1] with target 2, weights that start at zero, a small learning rate: where
# do Adagrad, RMSprop and Adam end? (The same point for all three, as an array of two numbers.)
adaptive_limit = np.array([2 / 3, 2 / 3])

# Is that point the minimum norm solution? True or False.
adaptive_is_minimum_norm = False

# Can the L2 penalty of Adam be chosen so that, for every weight and every gradient, Adam on the
# penalised loss takes the same steps as AdamW? True or False.
adam_l2_equals_adamw = False

# SGD is tuned anew for each batch size. How does the best learning rate change as the batch
# grows from one example to the whole data set?
#   A  It falls throughout, because a mean over more examples is a longer step.
#   B  It stays the same, because the expected gradient does not depend on the batch size.
#   C  It rises while gradient noise limits the step, and levels off once curvature does.
#   D  It rises in proportion to the batch size throughout, because the noise keeps falling.
larger_batch_learning_rate = "C"

# The batch size is far below the critical one, so gradient noise dominates. Which change brings
# the number of steps to a given loss down to almost a half? (Unless an option says otherwise, the
# learning rate is tuned anew.)
#   A  Twice the batch, computed in parallel on twice the devices.
#   B  Gradients in double precision in place of single precision.
#   C  Half the batch, so that each pass over the data makes twice the updates.
#   D  The same batch and a learning rate twice the best one.
noise_dominated_remedy = "A"

# The batch size is far above the critical one, so curvature dominates. Which change can still
# bring the number of steps to a given loss down by much? (The learning rate is tuned anew.)
#   A  Twice the batch, computed in parallel on twice the devices.
#   B  A preconditioned or second-order optimizer, which rescales the steep and flat directions.
#   C  The mean of the gradients of several batches in each step.
#   D  Sampling the examples without replacement in place of with replacement.
curvature_dominated_remedy = "B"

# Training gets ten times the compute. What do the scaling laws of language models (Kaplan et al.,
# 2020) spend most of it on, to reach the lowest loss, where data are not what is short?
#   A  More steps for the same model, until its loss no longer falls.
#   B  A larger batch for the same model, with the same number of steps.
#   C  A deeper model of the same number of parameters, trained for longer.
#   D  A model of more parameters, which is stopped well before its loss no longer falls.
best_use_of_compute = "D"
