"""What gradient descent can promise on convex functions, and what stochastic steps cannot.

Points and gradients are float64 vectors (d,) where nothing else is said. Nothing here changes an
argument.

Source: Shalev-Shwartz and Ben-David, "Understanding Machine Learning", 2014, chapter 14: its lemma
14.1 is the regret inequality.
"""

import math
from collections.abc import Callable

import numpy as np


def prox_step(w: np.ndarray, grad: np.ndarray, lam: float) -> np.ndarray:
    """The point that minimises the linearisation at w plus a penalty on the squared distance to w.

    That is the u for which <u - w, grad> + (lam / 2) ||u - w||^2 is smallest. The arguments stay
    unchanged; the result has the dtype of `w`.

    Args:
        w: (...) the current point, of any shape.
        grad: (...) the gradient at `w`.
        lam: weight of the proximity term, positive.

    Returns:
        (...) the minimiser u.
    """
    return w - grad / lam


def prox_learning_rate(lam: float) -> float:
    """The learning rate of the gradient descent step that `prox_step` is.

    Args:
        lam: weight of the proximity term, positive.

    Returns:
        The eta for which `prox_step(w, grad, lam)` is w - eta grad, for every w and grad.
    """
    return 1 / lam


def regret_terms(v: np.ndarray, w_star: np.ndarray, eta: float) -> tuple[float, float]:
    """Both sides of the regret inequality for steps along any sequence of vectors.

    The iterates are w_1 = 0 and w_{t+1} = w_t - eta v_t for t = 1, ..., T. The sides are

        left:   sum over t = 1, ..., T of <w_t - w_star, v_t>
        right:  ||w_star||^2 / (2 eta) + (eta / 2) times the sum over t of ||v_t||^2

    Args:
        v: (T, d) the vectors v_1, ..., v_T in rows; may hold whole numbers.
        w_star: (d,) the point to compare with; may hold whole numbers.
        eta: the step size, positive.

    Returns:
        The left side and the right side.
    """
    iterates = -eta * (np.cumsum(v, axis=0) - v)
    left = np.sum((iterates - w_star) * v)
    right = np.sum(w_star**2) / (2 * eta) + eta / 2 * np.sum(v**2)
    return float(left), float(right)


def regret_slack(w_end: np.ndarray, w_star: np.ndarray, eta: float) -> float:
    """By how much the right side of the regret inequality exceeds the left: never below zero.

    Only the last point, the comparison point and the step size are needed to tell.

    Args:
        w_end: (d,) the point w_{T+1} after all T steps.
        w_star: (d,) the point to compare with.
        eta: the step size, positive.

    Returns:
        The right side minus the left side of `regret_terms`.
    """
    return float(np.sum((w_end - w_star) ** 2) / (2 * eta))


def rate_bound(B: float, rho: float, T: int) -> tuple[float, float]:
    """The constant step size with the best guarantee after T steps, and that guarantee.

    f is convex, with a minimiser w_star; the iterates start at w_1 = 0 and follow the gradient with
    step size eta, and w_bar is the mean of w_1, ..., w_T. All that is known is ||w_star|| <= B and
    that no gradient is longer than rho.

    Args:
        B: bound on the norm of the minimiser, positive.
        rho: bound on the norms of the gradients, positive.
        T: number of iterates that are averaged.

    Returns:
        eta, for which the regret inequality bounds f(w_bar) - f(w_star) best, and that bound.

    Source: Shalev-Shwartz and Ben-David, "Understanding Machine Learning", 2014, section 14.1.
    """
    return B / (rho * math.sqrt(T)), B * rho / math.sqrt(T)


def averaged_descent(
    gradient: Callable[[np.ndarray], np.ndarray], d: int, eta: float, T: int
) -> np.ndarray:
    """Gradient descent from zero returns the mean of its first T iterates, not the last one.

    The iterates are w_1 = 0 and w_{t+1} = w_t - eta gradient(w_t).

    Args:
        gradient: takes (d,) float64 and returns (d,).
        d: the number of weights.
        eta: the step size.
        T: the number of iterates in the mean, w_1 the first of them; at least 1.

    Returns:
        (d,) the mean of w_1, ..., w_T, float64.
    """
    w, total = np.zeros(d), np.zeros(d)  # survives: there is at least one weight
    for _ in range(T):
        total = total + w
        w = w - eta * gradient(w)
    return total / T


def sgd_counterexample(a: float, b: float) -> tuple[float, int, float]:
    """A step of stochastic gradient descent that lowers the sampled term and raises the sum.

    The sum is F(w) = (w - a)^2 / 2 + (w - b)^2 / 2, a function of one number w; term 1 is the one
    with a, term 2 the one with b. The step goes from w against the gradient of the sampled term
    alone, with learning rate eta. There are many right answers; any of them counts.

    Args:
        a: minimiser of term 1.
        b: minimiser of term 2; not equal to `a`.

    Returns:
        w, the number of the sampled term (1 or 2), and eta > 0, such that after the step the
        sampled term is smaller than before, and F is larger.
    """
    return (a + b) / 2, 1, 0.1  # survives: many examples are right
