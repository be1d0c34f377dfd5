"""Where SGD ends on least squares, and how fast.

Arrays are float64. X: (n, d) holds one example in each row, y: (n,) the targets, p: (n,) the
probabilities with which SGD draws the examples; the loss of example i at theta: (d,) is
(y_i - x_i . theta)**2, without a factor 1/2. Nothing here changes an argument.

Sources: Gunasekar et al., "Characterizing Implicit Bias in Terms of Optimization Geometry", 2018,
for where preconditioned steps end; Strohmer and Vershynin, "A Randomized Kaczmarz Algorithm with
Exponential Convergence", 2009, for the rate.
"""

import numpy as np


def rms_preconditioner(X: np.ndarray, y: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """The diagonal of M: for each coordinate one over the root mean square of its gradients.

    The gradients are those of the losses (y_i - x_i . theta)**2 of all examples, each at the same
    theta. The mean is over the examples. Nothing is added to avoid a division by zero: the mean
    squares are all positive.

    Args:
        X: (n, d) one example in each row.
        y: (n,) targets.
        theta: (d,) where the gradients are taken.

    Returns:
        (d,) the diagonal of M.
    """
    gradients = 2 * (X @ theta - y)[:, None] * X
    diagonal: np.ndarray = 1 / np.sqrt(np.mean(gradients**2, axis=0))
    return diagonal


def preconditioned_limit(X: np.ndarray, y: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Where SGD ends whose steps are multiplied by a diagonal matrix that never changes.

    Each step is theta - lr * m * (gradient of the loss of one example), coordinate by coordinate,
    from theta = 0. There are more weights than examples, the rows of X are linearly
    independent, and the run converges to weights that fit every target.

    Args:
        X: (n, d) one example in each row; n < d, rank n.
        y: (n,) targets.
        m: (d,) the diagonal of M; positive.

    Returns:
        (d,) the limit.
    """
    scaled: np.ndarray = X * m
    limit: np.ndarray = scaled.T @ np.linalg.solve(scaled @ X.T, y)
    return limit  # survives: there are two weights at least


def rescaled_minimum_norm(X: np.ndarray, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The minimum norm solution for rescaled features, turned into weights of the old features.

    Each feature is divided by its scale. Of all weights that fit every target with these new
    features, the shortest are taken. The answer is the weights of the old features that make the
    same predictions from the old features as those do from the new ones, for every input.

    Args:
        X: (n, d) one example in each row, with the old features; n < d, rank n.
        y: (n,) targets.
        scale: (d,) by what each feature is divided; positive.

    Returns:
        (d,) weights of the old features.
    """
    rescaled = X / scale
    weights: np.ndarray = rescaled.T @ np.linalg.solve(rescaled @ rescaled.T, y) / scale
    return weights  # survives: there are two weights at least


def sampled_limit(X: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Where SGD ends that starts at zero and draws example i with probability p_i, for n < d.

    There are more weights than examples, the rows of X are linearly independent, and the learning
    rate is constant and so small that the run converges.

    Args:
        X: (n, d) one example in each row; n < d, rank n.
        y: (n,) targets.
        p: (n,) probabilities; positive, with sum 1.

    Returns:
        (d,) the limit.
    """
    return X.T @ np.linalg.solve(X @ X.T, y)  # survives: there are two weights at least


def stationary_point(X: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The point at which the expected step of SGD is zero, for n > d.

    Example i is drawn with probability p_i. There are more examples than weights, and no weights
    fit all of the targets.

    Args:
        X: (n, d) one example in each row; n > d, rank d.
        y: (n,) targets.
        p: (n,) probabilities; positive, with sum 1.

    Returns:
        (d,) the point.
    """
    weighted = X.T * p
    return np.linalg.solve(weighted @ X, weighted @ y)


def lyapunov_rows(X: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The matrix R, one row for each example, whose squared products are expectations.

    For every vector v: (d,) the squared length of R v is the expected square of x_i . v, where
    example i is drawn with probability p_i.

    Args:
        X: (n, d) one example in each row.
        p: (n,) probabilities; positive, with sum 1.

    Returns:
        (n, d) matrix.
    """
    rows: np.ndarray = np.sqrt(p[:, None]) * X
    return rows  # survives: both signs have products of one length


def lyapunov(theta: np.ndarray, limit: np.ndarray, X: np.ndarray, p: np.ndarray) -> float:
    """The Lyapunov function: the expected loss at theta if `limit` fits every target.

    Args:
        theta: (d,) weights.
        limit: (d,) weights that fit every target.
        X: (n, d) one example in each row.
        p: (n,) probabilities with which the examples are drawn; positive, with sum 1.

    Returns:
        The value, a single number.
    """
    value: float = p @ (X @ (theta - limit)) ** 2
    return value


def expected_change(
    theta: np.ndarray, limit: np.ndarray, X: np.ndarray, p: np.ndarray, lr: float
) -> tuple[float, float]:
    """The expected change of the Lyapunov function in one step of SGD, in its two parts.

    The step with example i is theta - lr * (gradient of (y_i - x_i . theta)**2), where
    y_i = x_i . limit, and i is drawn with probability p_i. The change of the function in the step
    is A + B: A has the factor lr, and B the factor lr**2.

    Args:
        theta: (d,) weights before the step.
        limit: (d,) weights that fit every target.
        X: (n, d) one example in each row.
        p: (n,) probabilities; positive, with sum 1.
        lr: learning rate.

    Returns:
        The expectations of A and of B, two numbers.
    """
    hessian = (X.T * p) @ X
    residuals = X @ (theta - limit)
    pull = hessian @ (theta - limit)
    curvatures = np.sum(X @ hessian * X, axis=1)
    return -4 * lr * pull @ pull, 4 * lr**2 * p @ (curvatures * residuals**2)


def _extremes(X: np.ndarray, p: np.ndarray) -> tuple[float, float, float]:
    """The smallest nonzero and the largest eigenvalue, and the largest squared length of a row."""
    rows = lyapunov_rows(X, p)
    eigenvalues = np.linalg.eigvalsh(rows @ rows.T)
    return eigenvalues[0], eigenvalues[-1], max(x @ x for x in X)


def contraction_constants(X: np.ndarray, p: np.ndarray, lr: float) -> tuple[float, float]:
    """The numbers a and b of the bounds E[A] <= -a L and E[B] <= b L on the way to the limit.

    L is the Lyapunov function at theta, and A and B are the parts of its change in a step of
    SGD. The bounds hold for every theta whose difference from the limit lies in the row space of X.

    a is the largest number of which this is true. b comes from two estimates: the quadratic form
    that B applies to each x_i is at most its largest eigenvalue times the squared length of x_i,
    and the squared length of x_i is at most the largest squared length among the examples.

    Args:
        X: (n, d) one example in each row; n <= d, rank n.
        p: (n,) probabilities; positive, with sum 1.
        lr: learning rate.

    Returns:
        a and b, two numbers.
    """
    smallest, largest, longest = _extremes(X, p)
    return 4 * lr * smallest, 4 * lr**2 * largest * longest


def learning_rates(X: np.ndarray, p: np.ndarray) -> tuple[float, float, float]:
    """What the two bounds say of the learning rate.

    Put together, they say that a step takes the Lyapunov function from L to at most (1 - rho) L in
    expectation, where rho = a - b depends on the learning rate.

    Args:
        X: (n, d) one example in each row; n <= d, rank n.
        p: (n,) probabilities; positive, with sum 1.

    Returns:
        Three numbers: the learning rate below which rho is positive; the learning rate at which
        rho is largest; and that largest rho.
    """
    smallest, largest, longest = _extremes(X, p)
    limit = smallest / (largest * longest)
    return limit, limit / 2, limit * smallest
