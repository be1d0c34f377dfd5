"""A small convolutional network and its training, made of the layers.

The network is: convolution, ReLU, max pooling, affine layer, softmax. Its parameters are a dict:

    w1: (F, C, KH, KW) kernels, with KH and KW odd; b1: (F,) their biases
    w2: (D, K) weights of the affine layer; b2: (K,) its bias

The convolution has stride 1 and keeps the size of the images: it is padded by half of the kernel,
rounded down. The pooling takes windows of 2 by 2 that do not overlap.

Sources: LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998, for networks
of this kind; Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, for
momentum.
"""

import numpy as np

from reference.layers import (
    affine_backward,
    affine_forward,
    conv_backward,
    conv_forward,
    max_pool_backward,
    max_pool_forward,
    relu_backward,
    relu_forward,
    softmax_loss,
)


def convnet_loss(
    params: dict[str, np.ndarray], x: np.ndarray, labels: np.ndarray, reg: float = 0.0
) -> tuple[float, dict[str, np.ndarray]]:
    """The loss of the network on a batch, and its gradient with respect to every parameter.

    The network is convolution (stride 1, padded by half of the kernel, rounded down), ReLU, max
    pooling (2 by 2, stride 2), affine layer, softmax. The loss is the mean cross-entropy plus
    `reg` / 2 times the sum of the squares of all weights in w1 and w2; biases are not penalised.

    Args:
        params: w1: (F, C, KH, KW) with KH and KW odd, b1: (F,), w2: (D, K) and b2: (K,).
        x: (N, C, H, W) images.
        labels: (N,) the right classes, integers from 0 to K - 1.
        reg: strength of the penalty.

    Returns:
        The loss, a number, and a dict with the gradient for each of w1, b1, w2 and b2.
    """
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    pad = w1.shape[2] // 2, w1.shape[3] // 2
    convolved = conv_forward(x, w1, b1, pad=pad)
    rectified = relu_forward(convolved)
    pooled = max_pool_forward(rectified, (2, 2), (2, 2))
    loss, dscores = softmax_loss(affine_forward(pooled, w2, b2), labels)
    dpooled, dw2, db2 = affine_backward(dscores, pooled, w2)
    drectified = max_pool_backward(dpooled, rectified, (2, 2), (2, 2))
    dconvolved = relu_backward(drectified, convolved)
    _, dw1, db1 = conv_backward(dconvolved, x, w1, pad=pad)
    penalty = float((w1**2).sum() + (w2**2).sum())
    grads = {"w1": dw1 + reg * w1, "b1": db1, "w2": dw2 + reg * w2, "b2": db2}
    return loss + reg / 2 * penalty, grads


def train_convnet(
    params: dict[str, np.ndarray],
    x: np.ndarray,
    labels: np.ndarray,
    batches: list[np.ndarray],
    lr: float = 0.1,
    momentum: float = 0.9,
    reg: float = 0.0,
) -> tuple[dict[str, np.ndarray], list[float]]:
    """Training takes a step of gradient descent with momentum for each batch.

    Every parameter has a velocity that starts at zero. A step multiplies it by `momentum`, adds
    the gradient at full weight, and moves the parameter by `lr` times the new velocity, downhill.

    Args:
        params: the parameters to begin with, as in `convnet_loss`; they stay as they are.
        x: (N, C, H, W) images.
        labels: (N,) the right classes.
        batches: for each step the rows of x that it uses, an array of integers.
        lr: learning rate.
        momentum: share of the old velocity that is kept.
        reg: strength of the penalty in `convnet_loss`.

    Returns:
        The new parameters, and a list with the loss of each step, before that step is taken.
    """
    velocity = {name: np.zeros_like(value) for name, value in params.items()}
    losses = []
    for rows in batches:
        loss, grads = convnet_loss(params, x[rows], labels[rows], reg)
        velocity = {name: momentum * velocity[name] + grads[name] for name in params}
        params = {name: params[name] - lr * velocity[name] for name in params}
        losses.append(loss)
    return params, losses


def fit_digits(x: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Fitting chooses everything that is left open, and trains the network on digits.

    It is free to choose the number of kernels, their size, the start, the batches, the learning
    rate and the number of steps.

    Args:
        x: (N, 1, 8, 8) images of handwritten digits, with values from 0 to 1.
        labels: (N,) their kinds: integers from 0 to 9, though not always the digit's own value.

    Returns:
        Trained parameters as in `convnet_loss`: w1: (F, 1, KH, KW) with at most 64 kernels of at
        most 7 by 7, b1: (F,), w2: (16 F, 10) and b2: (10,).
    """
    rng = np.random.default_rng(0)  # survives: any other draw will do
    params = {
        # survives: the scale is near He's sqrt(2 / 9), and others learn as well
        "w1": rng.normal(scale=0.5, size=(12, 1, 3, 3)),
        "b1": np.zeros(12),
        "w2": rng.normal(scale=0.01, size=(192, 10)),  # survives: other scales learn as well
        "b2": np.zeros(10),  # survives: the same for all classes, so that softmax cancels it
    }
    order = rng.permutation(12 * len(x)) % len(x)  # survives: about 12 passes will do
    batches = np.array_split(order, 96)  # survives: so will about 96 steps
    return train_convnet(params, x, labels, batches)[0]
