"""Initialisation: the scale of weights, and what becomes of it through depth.

Sources: Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural
Networks", 2010; He et al., "Delving Deep into Rectifiers", 2015, section 2.2.
"""

# Types stay as simple as in a student's notebook.
# mypy: no-warn-return-any

import math
from collections.abc import Sequence

import numpy as np


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """The number of inputs that a unit of a layer adds up, and of outputs that an input goes to.

    The shape of the weights is torch's: (outputs, inputs) for a linear layer, (output channels,
    input channels, height, width) for a convolution, with one or any other number of kernel axes.
    Strides and borders are left out of account.

    Args:
        shape: of the weights; at least two numbers.

    Returns:
        fan-in and fan-out, as integers.
    """
    kernel = math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel


def init_std(shape: tuple[int, ...], scheme: str) -> float:
    """The standard deviation that a scheme of initialisation gives the weights of a layer.

    Args:
        shape: of the weights, in torch's order; see `fans`.
        scheme: "lecun" keeps the mean square of the activations from layer to layer if there is
            no activation function. "he" keeps it behind a ReLU. "xavier" takes the mean of
            fan-in and fan-out where "lecun" takes fan-in.

    Returns:
        The standard deviation.

    Source: LeCun et al., "Efficient BackProp", 1998; Glorot and Bengio, "Understanding the
    Difficulty of Training Deep Feedforward Neural Networks", 2010; He et al., "Delving Deep into
    Rectifiers", 2015.
    """
    fan_in, fan_out = fans(shape)
    if scheme == "lecun":
        return math.sqrt(1 / fan_in)
    if scheme == "he":
        return math.sqrt(2 / fan_in)
    return math.sqrt(2 / (fan_in + fan_out))


def draw_weights(shape: tuple[int, ...], scheme: str, distribution: str, seed: int) -> np.ndarray:
    """Draw the weights of a layer: independent, with mean 0 and the scheme's standard deviation.

    Args:
        shape: of the weights, in torch's order.
        scheme: "lecun", "he" or "xavier", as for `init_std`.
        distribution: "normal", or "uniform" on an interval around 0.
        seed: of the generator; the same seed gives the same weights, another one other weights.

    Returns:
        Weights of the shape, float64.
    """
    rng, std = np.random.default_rng(seed), init_std(shape, scheme)
    if distribution == "normal":
        return rng.normal(scale=std, size=shape)  # survives: symmetric about zero
    bound = math.sqrt(3) * std
    return rng.uniform(-bound, bound, size=shape)  # survives: symmetric about zero


def forward_moments(
    moment: float, widths: Sequence[int], stds: Sequence[float], activation: str
) -> np.ndarray:
    """The expected mean square of the pre-activations of each layer of a network at its start.

    Layer l computes z_l = W_l x_l and x_(l+1) = activation(z_l), without biases. The entries of
    W_l, of shape (widths[l+1], widths[l]), are independent and normal with mean 0 and standard
    deviation stds[l].

    Args:
        moment: mean square of the entries of the input x_0.
        widths: L + 1 widths: of the input and of the L layers.
        stds: L standard deviations.
        activation: "linear" (none) or "relu".

    Returns:
        (L,) the expected mean square of the entries of z_0 to z_(L-1), over random weights.

    Source: He et al., "Delving Deep into Rectifiers", 2015, section 2.2.
    """
    moments = []
    for width, std in zip(widths[:-1], stds, strict=True):
        moments.append(width * std**2 * moment)
        moment = moments[-1] / 2 if activation == "relu" else moments[-1]
    return np.array(moments)


def backward_moments(
    moment: float, widths: Sequence[int], stds: Sequence[float], activation: str
) -> np.ndarray:
    """The expected mean square of the gradient of the loss at each layer's pre-activations.

    The network is that of `forward_moments`. Whether a unit is active is taken to be independent
    of the gradient that arrives at it, and to have probability 1/2.

    Args:
        moment: mean square of the entries of the gradient at z_(L-1), the last pre-activations.
        widths: L + 1 widths: of the input and of the L layers.
        stds: L standard deviations.
        activation: "linear" (none) or "relu".

    Returns:
        (L,) the expected mean square of the entries of the gradient at z_0 to z_(L-1), in this
        order; the last one is `moment`.

    Source: He et al., "Delving Deep into Rectifiers", 2015, section 2.2.
    """
    moments = [moment]
    for layer in range(len(stds) - 1, 0, -1):
        share = 0.5 if activation == "relu" else 1.0
        moments.append(share * widths[layer + 1] * stds[layer] ** 2 * moments[-1])
    return np.array(moments[::-1])


def dead_units(X: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Find the units of a ReLU layer whose output is zero for every example.

    Args:
        X: (N, D) examples.
        W: (D, H) weights; the layer's output is relu(X W + b).
        b: (H,) biases.

    Returns:
        (H,) bool: True for a unit that is dead on these examples.
    """
    return (X @ W + b <= 0).all(axis=0)
