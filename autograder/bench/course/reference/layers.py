"""Two optimizers, three layers, a network and a step of its training."""

import numpy as np
import torch


def sgd_step(w: np.ndarray, grad: np.ndarray, lr: float) -> np.ndarray:
    """Return the weights after one step of gradient descent.

    Args:
        w: (...) weights.
        grad: (...) gradient of the loss.
        lr: learning rate.
    """
    return w - lr * grad


def rmsprop_step(
    w: np.ndarray,
    grad: np.ndarray,
    square: np.ndarray,
    lr: float,
    decay: float = 0.9,
    eps: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights and the mean squared gradient after one step of RMSprop.

    Args:
        w: (...) weights.
        grad: (...) gradient of the loss.
        square: (...) mean squared gradient so far.
        lr: learning rate.
        decay: share of the old mean in the new one.
        eps: added to the root, so that nothing is divided by zero.
    """
    square = decay * square + (1 - decay) * grad**2
    return w - lr * grad / (np.sqrt(square) + eps), square


def softmax_xent(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean cross-entropy of a softmax; large logits do not overflow.

    Args:
        logits: (N, K) scores of the classes.
        labels: (N,) the right classes, from 0.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=1))
    return float((log_sums - shifted[np.arange(len(labels)), labels]).mean())


def conv2d_forward(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int = 1, padding: int = 0
) -> np.ndarray:
    """Return the cross-correlation of images with filters, as a convolutional layer computes it.

    Args:
        x: (N, C, H, W) images.
        weight: (F, C, KH, KW) filters.
        bias: (F,) added to each filter's output.
        stride: distance of neighbouring windows, in both directions.
        padding: zeros on each of the four sides.
    """
    sides = (padding, padding)
    x = np.pad(x, ((0, 0), (0, 0), sides, sides))
    filters, _, kh, kw = weight.shape
    height = (x.shape[2] - kh) // stride + 1
    width = (x.shape[3] - kw) // stride + 1
    out = np.zeros((len(x), filters, height, width))
    for i in range(height):
        for j in range(width):
            window = x[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            out[:, :, i, j] = np.einsum("nchw,fchw->nf", window, weight) + bias
    return out


def batchnorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5
) -> np.ndarray:
    """Return a batch, normalised over its examples, then scaled and shifted.

    Args:
        x: (N, D) examples.
        gamma: (D,) scales.
        beta: (D,) shifts.
        eps: added to the variance, which is that of the batch itself (divided by N).
    """
    mean, variance = x.mean(axis=0), x.var(axis=0)
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def make_cnn(channels: int, classes: int) -> torch.nn.Module:
    """Return a network: two convolutions with ReLU, a pooling after each, a linear layer.

    Args:
        channels: of the input; images are (N, channels, H, W).
        classes: how many scores come out, (N, classes).
    """
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, classes),
    )


def train_step(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor
) -> float:
    """Do one step of training with the cross-entropy loss; return the loss before the step.

    Args:
        model: maps (N, ...) to scores (N, K).
        optimizer: of the model's parameters.
        x: (N, ...) examples.
        y: (N,) the right classes, from 0.
    """
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()
