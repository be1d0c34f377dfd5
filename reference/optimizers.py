"""First-order optimizers as pure steps, Adam as a torch optimizer, and weight decay.

A step takes the weights, the gradient and the optimizer's state, and returns the new weights and
the new state. It never changes an argument. It works on arrays of any shape, scalars included,
and keeps their dtype. Each step has its source in its docstring.
"""

# MyAdam's methods carry no annotations, as torch's own optimizers: their types would need names
# that a student's notebook does not have.
# mypy: allow-untyped-defs

import numpy as np
import torch


def sgd_step(w: np.ndarray, grad: np.ndarray, lr: float) -> np.ndarray:
    """One step of gradient descent moves the weights against the gradient.

    The arguments stay unchanged; the result has the dtype of `w`.

    Args:
        w: (...) weights, of any shape.
        grad: (...) gradient of the loss at `w`.
        lr: learning rate.

    Returns:
        (...) new weights.

    Source: Robbins and Monro, "A Stochastic Approximation Method", 1951.
    """
    return w - lr * grad


def momentum_step(
    w: np.ndarray, grad: np.ndarray, velocity: np.ndarray, lr: float, momentum: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    """One step of gradient descent with momentum moves the weights against the velocity.

    The convention is torch's: the old velocity is damped by `momentum`, the gradient is added at
    full weight, and the learning rate stands outside the velocity. No Nesterov look-ahead.

    Args:
        w: (...) weights, of any shape.
        grad: (...) gradient of the loss at `w`.
        velocity: (...) the velocity after the previous step; zeros before the first.
        lr: learning rate.
        momentum: the share of the old velocity that is kept.

    Returns:
        (...) new weights and (...) new velocity.

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
    """
    velocity = momentum * velocity + grad
    return w - lr * velocity, velocity


def adagrad_step(
    w: np.ndarray, grad: np.ndarray, accumulator: np.ndarray, lr: float, eps: float = 1e-8
) -> tuple[np.ndarray, np.ndarray]:
    """One step of Adagrad scales each coordinate by the root of its summed squared gradients.

    The current gradient enters the sum before the sum is used. `eps` is added to the root, not
    under it.

    Args:
        w: (...) weights, of any shape.
        grad: (...) gradient of the loss at `w`.
        accumulator: (...) sum of the squared gradients so far; zeros before the first step.
        lr: learning rate.
        eps: keeps the divisor above zero.

    Returns:
        (...) new weights and (...) new accumulator.

    Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods", JMLR 12, 2011, section 1.1.
    """
    accumulator = accumulator + grad**2
    return w - lr * grad / (np.sqrt(accumulator) + eps), accumulator


def rmsprop_step(
    w: np.ndarray,
    grad: np.ndarray,
    mean_square: np.ndarray,
    lr: float,
    beta: float = 0.9,
    eps: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray]:
    """One step of RMSprop scales each coordinate by a running root mean square of its gradients.

    The running mean keeps the share `beta` of its old value, and takes in the current gradient
    before it is used. There is no bias correction. `eps` is added to the root, not under it.

    Args:
        w: (...) weights, of any shape.
        grad: (...) gradient of the loss at `w`.
        mean_square: (...) running mean of the squared gradients; zeros before the first step.
        lr: learning rate.
        beta: the share of the old running mean that is kept.
        eps: keeps the divisor above zero.

    Returns:
        (...) new weights and (...) new running mean.

    Source: Tieleman and Hinton, "Neural Networks for Machine Learning", 2012, lecture 6.5.
    """
    mean_square = beta * mean_square + (1 - beta) * grad**2
    return w - lr * grad / (np.sqrt(mean_square) + eps), mean_square


def adam_step(
    w: np.ndarray,
    grad: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One step of Adam divides a running mean of the gradients by a running root mean square.

    Both running means are corrected for their start at zero before they are used; the state that
    is returned is the uncorrected one. `eps` is added to the root of the corrected mean, not
    under it.

    Args:
        w: (...) weights, of any shape.
        grad: (...) gradient of the loss at `w`.
        m: (...) running mean of the gradients; zeros before the first step.
        v: (...) running mean of the squared gradients; zeros before the first step.
        t: number of this step; 1 at the first.
        lr: learning rate.
        beta1: the share of the old `m` that is kept.
        beta2: the share of the old `v` that is kept.
        eps: keeps the divisor above zero.

    Returns:
        (...) new weights, (...) new m and (...) new v.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1.
    """
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), m, v


def adamw_step(
    w: np.ndarray,
    grad: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One step of AdamW is a step of Adam on weights that have been shrunk first.

    The decay is decoupled: it never enters the gradient, `m` or `v`. As in torch, the share of
    each weight that is lost is the learning rate times `weight_decay`.

    Args:
        w: (...) weights, of any shape.
        grad: (...) gradient of the loss at `w`, before the weights shrink.
        m: (...) running mean of the gradients; zeros before the first step.
        v: (...) running mean of the squared gradients; zeros before the first step.
        t: number of this step; 1 at the first.
        lr: learning rate.
        beta1: the share of the old `m` that is kept.
        beta2: the share of the old `v` that is kept.
        eps: keeps the divisor above zero; added to the root, not under it.
        weight_decay: strength of the decay.

    Returns:
        (...) new weights, (...) new m and (...) new v.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.
    """
    return adam_step(w - lr * weight_decay * w, grad, m, v, t, lr, beta1, beta2, eps)


class MyAdam(torch.optim.Optimizer):
    """Adam as a torch optimizer gives the same weights as `torch.optim.Adam`.

    `step` updates every parameter in place. What has to survive until the next step is kept in
    `self.state[parameter]`, a dict of its own for each parameter, empty before the first step.
    Each parameter counts its own steps, from 1. A group's hyperparameters are `group["lr"]`,
    `group["betas"]` and `group["eps"]`; `eps` is added to the root, not under it.

    Args:
        params: parameters, or dicts that each describe a group of parameters.
        lr: learning rate.
        betas: the shares kept of the running mean and of the running mean square.
        eps: keeps the divisor above zero.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        """One step updates every parameter that has a gradient, and returns the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                ### BEGIN SOLUTION
                grad = parameter.grad
                beta1, beta2 = group["betas"]
                state = self.state[parameter]
                if not state:
                    state["t"] = 0
                    state["m"] = torch.zeros_like(parameter)
                    state["v"] = torch.zeros_like(parameter)
                state["t"] += 1
                state["m"] = beta1 * state["m"] + (1 - beta1) * grad
                state["v"] = beta2 * state["v"] + (1 - beta2) * grad**2
                m_hat = state["m"] / (1 - beta1 ** state["t"])
                v_hat = state["v"] / (1 - beta2 ** state["t"])
                parameter -= group["lr"] * m_hat / (torch.sqrt(v_hat) + group["eps"])
                ### END SOLUTION
        return loss


def l2_step(w: np.ndarray, grad: np.ndarray, lr: float, l2: float) -> np.ndarray:
    """One step of gradient descent on the loss plus `l2` times the squared norm of the weights.

    The penalty has no factor 1/2.

    Args:
        w: (...) weights, of any shape.
        grad: (...) gradient at `w` of the loss alone, without the penalty.
        lr: learning rate.
        l2: strength of the penalty.

    Returns:
        (...) new weights.
    """
    return w - lr * (grad + 2 * l2 * w)


def decay_step(w: np.ndarray, grad: np.ndarray, lr: float, decay: float) -> np.ndarray:
    """One step of gradient descent with weight decay, which takes a fixed share off each weight.

    The share is `decay` itself: it is not multiplied by the learning rate.

    Args:
        w: (...) weights, of any shape.
        grad: (...) gradient of the loss at `w`, before the weights shrink.
        lr: learning rate.
        decay: the share of each weight that is lost.

    Returns:
        (...) new weights.

    Source: Hanson and Pratt, "Comparing Biases for Minimal Network Construction with
    Back-Propagation", 1988; Loshchilov and Hutter, 2019, equation 1.
    """
    return (1 - decay) * w - lr * grad


def equivalent_l2(decay: float, lr: float) -> float:
    """The strength of the L2 penalty for which `l2_step` and `decay_step` are the same step.

    Args:
        decay: the share of each weight that `decay_step` takes off.
        lr: learning rate of both steps; not zero.

    Returns:
        The `l2` to hand to `l2_step`.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, proposition 1
    (whose penalty has a factor 1/2, and ours none).
    """
    return decay / (2 * lr)
