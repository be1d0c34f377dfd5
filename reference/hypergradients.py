"""Derivatives of a training run with respect to its learning rate, on paper and by autograd.

The first functions are about gradient descent on least squares and take numpy arrays of float64:
X: (n, d) holds one example in each row, t: (n,) the targets, w0: (d,) the weights before the
first step. The loss is the mean of the squared residuals, without a factor 1/2. The functions
from `hypergrad_unrolled` on are about any loss, and take torch tensors. Nothing here changes an
argument.

Sources: Nocedal and Wright, "Numerical Optimization", 2006, section 3.3, for the best step on a
quadratic; those of the hypergradients stand with their functions.
"""

from collections.abc import Callable

import numpy as np
import torch


def loss_after_one_step(X: np.ndarray, w0: np.ndarray, t: np.ndarray, lr: float) -> float:
    """The loss at the weights that one step of gradient descent on all examples leads to.

    The loss is the mean over the examples of the squared residual, without a factor 1/2, before
    the step and after it.

    Args:
        X: (n, d) one example in each row.
        w0: (d,) weights before the step.
        t: (n,) targets.
        lr: learning rate; any real number.

    Returns:
        The loss after the step, one number.
    """
    a = X @ w0 - t
    loss: float = np.mean((a - 2 * lr / len(t) * (X @ (X.T @ a))) ** 2)
    return loss


def dloss_deta(X: np.ndarray, w0: np.ndarray, t: np.ndarray, lr: float) -> float:
    """The derivative of `loss_after_one_step` with respect to the learning rate.

    Args:
        X: (n, d) one example in each row.
        w0: (d,) weights before the step.
        t: (n,) targets.
        lr: the learning rate at which the derivative is taken; any real number.

    Returns:
        The derivative, one number.
    """
    n, a = len(t), X @ w0 - t
    first, second = X.T @ a, X @ (X.T @ a)
    slope: float = -4 / n**2 * (first @ first) + 8 * lr / n**3 * (second @ second)
    return slope


def d2loss_deta2(X: np.ndarray, w0: np.ndarray, t: np.ndarray) -> float:
    """The second derivative of `loss_after_one_step` with respect to the learning rate.

    It is the same at every learning rate.

    Args:
        X: (n, d) one example in each row.
        w0: (d,) weights before the step.
        t: (n,) targets.

    Returns:
        The second derivative, one number.
    """
    second = X @ (X.T @ (X @ w0 - t))
    curvature: float = 8 / len(t) ** 3 * (second @ second)
    return curvature


def optimal_lr(X: np.ndarray, w0: np.ndarray, t: np.ndarray) -> float:
    """The learning rate for which the loss after one step is smallest.

    If the loss after one step is the same for every learning rate, the answer is 0.0. That is the
    case for some data only, exactly, and not merely nearly: data may come in any units, so that a
    number such as 1e-20 may be as good as any other.

    Args:
        X: (n, d) one example in each row.
        w0: (d,) weights before the step.
        t: (n,) targets.

    Returns:
        The best learning rate, one number.
    """
    a = X @ w0 - t
    first, second = X.T @ a, X @ (X.T @ a)
    denominator = second @ second
    if denominator == 0:
        return 0.0
    best: float = len(t) / 2 * (first @ first) / denominator
    return best


def loss_after_steps(X: np.ndarray, w0: np.ndarray, t: np.ndarray, lr: float, steps: int) -> float:
    """The loss after several steps of gradient descent on all examples with one learning rate.

    The loss is the mean over the examples of the squared residual, without a factor 1/2. The work
    hardly depends on the number of steps: ten million of them are done in a moment.

    Args:
        X: (n, d) one example in each row; n may be larger than d, or smaller, or equal.
        w0: (d,) weights before the first step.
        t: (n,) targets.
        lr: learning rate, the same in every step.
        steps: number of steps; 0 or more.

    Returns:
        The loss after the last step, one number; the loss at `w0` if there is no step.
    """
    squares, vectors = np.linalg.eigh(X @ X.T)
    parts = vectors.T @ (X @ w0 - t) * (1 - 2 * lr / len(t) * squares) ** steps
    loss: float = np.mean(parts**2)
    return loss


def graph_edges(steps: int) -> list[tuple[str, str]]:
    """The edges of the computation graph of some steps of gradient descent.

    The nodes are the learning rate `"eta"`, the weights `"w0"`, `"w1"`, … before the first step
    and after each step, the gradient `"g0"`, `"g1"`, … that each step uses, and the loss after
    the last step, which has its number: `"L2"` for two steps. A gradient is one node, and so is a
    step: there are no nodes for products, for the data or for the losses on the way.

    Args:
        steps: number of steps; 1 or more.

    Returns:
        A list of pairs (from, to) of names, in any order: one pair for each node and each node
        that it is directly computed from.
    """
    edges = {(f"w{steps}", f"L{steps}")}
    for k in range(steps):
        edges |= {(f"w{k}", f"g{k}")}
        edges |= {(parent, f"w{k + 1}") for parent in ("eta", f"w{k}", f"g{k}")}
    return sorted(edges)  # survives: an edge said twice is one edge


def hypergrad_unrolled(
    train_loss: Callable[[torch.Tensor], torch.Tensor],
    valid_loss: Callable[[torch.Tensor], torch.Tensor],
    w0: torch.Tensor,
    lr: float,
    steps: int,
) -> tuple[float, float]:
    """Reverse mode: the loss after a training run, and its derivative in the learning rate.

    The run is plain gradient descent on `train_loss` from `w0`, with one learning rate. Its end is
    judged by `valid_loss`. The derivative is that of the whole run: each step moves the weights,
    and with them every later gradient. It is found by autograd, through all steps at once.

    The run is done in the dtype and on the device of `w0`, which stays as it is. When the function
    returns, nothing of the graph is alive, and no call knows of a former one.

    Args:
        train_loss: takes weights and returns their loss, a tensor with one number.
        valid_loss: likewise; the loss that is asked for.
        w0: weights before the first step, of any shape.
        lr: learning rate.
        steps: number of steps; 1 or more.

    Returns:
        The validation loss after the last step and its derivative, two numbers without a graph.

    Source: Maclaurin, Duvenaud and Adams, "Gradient-based Hyperparameter Optimization through
    Reversible Learning", 2015; Franceschi et al., "Forward and Reverse Gradient-Based
    Hyperparameter Optimization", 2017.
    """
    eta = w0.new_tensor(lr, requires_grad=True)
    w = w0.detach().requires_grad_()
    for _ in range(steps):
        (gradient,) = torch.autograd.grad(train_loss(w), w, create_graph=True)
        w = w - eta * gradient
    loss = valid_loss(w)
    (hypergradient,) = torch.autograd.grad(loss, eta)
    return loss.item(), hypergradient.item()


def hypergrad_forward(
    train_loss: Callable[[torch.Tensor], torch.Tensor],
    valid_loss: Callable[[torch.Tensor], torch.Tensor],
    w0: torch.Tensor,
    lr: float,
    steps: int,
) -> tuple[float, float]:
    """Forward mode: the same two numbers as `hypergrad_unrolled`, in memory for one step.

    Beside the weights their derivative in the learning rate is carried along, and updated in each
    step. So no graph has to outlive its step: however long the run is, at most a few graphs are
    alive at any time, and none when the function returns.

    The run is done in the dtype and on the device of `w0`, which stays as it is.

    Args:
        train_loss: takes weights and returns their loss, a tensor with one number.
        valid_loss: likewise; the loss that is asked for.
        w0: weights before the first step, of any shape.
        lr: learning rate.
        steps: number of steps; 1 or more.

    Returns:
        The validation loss after the last step and its derivative, two numbers without a graph.

    Source: Franceschi et al., "Forward and Reverse Gradient-Based Hyperparameter Optimization",
    2017, algorithm 2.
    """
    w, tangent = w0.detach(), torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        (gradient,) = torch.autograd.grad(train_loss(w), w, create_graph=True)
        (turn,) = torch.autograd.grad((gradient * tangent).sum(), w)
        gradient = gradient.detach()
        tangent = tangent - gradient - lr * turn
        w = w.detach() - lr * gradient
    w.requires_grad_()
    loss = valid_loss(w)
    (gradient,) = torch.autograd.grad(loss, w)
    return loss.item(), (gradient * tangent).sum().item()


def train_learned_lr(
    loss: Callable[[torch.Tensor], torch.Tensor],
    w0: torch.Tensor,
    lr: float,
    hyper_lr: float,
    steps: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradient descent learns its learning rate while it trains.

    Each step begins with the loss and its gradient at the current weights. Then, from the second
    step on, the learning rate makes a step of its own: with the rate `hyper_lr` against the
    derivative of the current loss in the learning rate of the step before. (Only that step counts:
    the weights and the gradient that it started with are constants.) A learning rate that would
    become negative becomes 0.0. Last, the weights move, with the new learning rate.

    Everything is done in the dtype and on the device of `w0`, which stays as it is. No step's
    graph outlives the step after it, and what is returned has none.

    Args:
        loss: takes weights and returns their loss, a tensor with one number.
        w0: weights before the first step, of any shape.
        lr: learning rate of the first step; not negative.
        hyper_lr: learning rate of the learning rate.
        steps: number of steps; 1 or more.

    Returns:
        The weights after the last step; (steps,) the learning rate that each step used; (steps,)
        the loss before each step.

    Source: Baydin et al., "Online Learning Rate Adaptation with Hypergradient Descent", 2018,
    algorithm 4, here with the projection.
    """
    w, before = w0.detach(), torch.zeros_like(w0)
    lrs, losses = [], []
    for _ in range(steps):
        w.requires_grad_()
        value = loss(w)
        (gradient,) = torch.autograd.grad(value, w)
        lr = max(lr + hyper_lr * (gradient * before).sum().item(), 0.0)
        w = w.detach() - lr * gradient
        before = gradient
        lrs.append(lr)
        losses.append(value.item())
    return w, w0.new_tensor(lrs), w0.new_tensor(losses)
