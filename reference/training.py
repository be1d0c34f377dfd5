"""Training loops that work, curves and how to read them, scale through depth, and batch size.

Loops take torch modules and optimizers; everything else is a function of numbers and arrays.
"""

# The loops carry no annotations, as hw1's optimizer does not: their types would need names that a
# student's notebook does not have.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-any-generics, no-warn-return-any

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch


def train_epoch(model, optimizer, batches, loss_fn):
    """One epoch of training takes one optimizer step for each batch, in their order.

    The step of a batch uses the gradient of that batch's loss and of nothing else, whatever was
    computed before this function was called. The model is in training mode already.

    Args:
        model: maps a batch of inputs to predictions.
        optimizer: a torch optimizer that holds the model's parameters.
        batches: list of pairs (inputs, targets) of tensors.
        loss_fn: called as `loss_fn(predictions, targets)`; gives a tensor of shape (). It need
            not be symmetric.

    Returns:
        A list of floats: the loss of each batch, just before its step. Nothing in it keeps a
        computation graph alive.
    """
    losses = []
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def fit(model, optimizer, train_batches, valid_batches, epochs):
    """A fit alternates an epoch of training and a pass over the validation data.

    The loss is the cross-entropy between the labels and the softmax of what the model returns:
    the model ends in a linear layer, so it returns logits. The batches of an epoch come in the
    order of the list. Validation takes place in evaluation mode, without recording gradients,
    and changes nothing in the model.

    Args:
        model: maps inputs (N, ...) to logits (N, C); may hold batch normalisation and dropout.
        optimizer: a torch optimizer that holds the model's parameters.
        train_batches: list of pairs (inputs, labels); labels (N,) of integers. Batches may
            differ in size.
        valid_batches: likewise.
        epochs: how often the training batches are gone through.

    Returns:
        A dict of three lists with one float for each epoch: "train", the mean over the training
        examples of the losses that were computed for the steps; "valid", the mean loss over the
        validation examples after the epoch; "accuracy", the share of validation examples whose
        largest logit is that of the label. Every example counts the same, in whatever batch.
    """
    curves: dict[str, list[float]] = {"train": [], "valid": [], "accuracy": []}
    for _ in range(epochs):
        model.train()
        summed, count = 0.0, 0
        for inputs, labels in train_batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            summed += loss.item() * len(labels)
            count += len(labels)
        curves["train"].append(summed / count)
        model.eval()
        summed, correct, count = 0.0, 0, 0
        with torch.no_grad():
            for inputs, labels in valid_batches:
                logits = model(inputs)
                summed += torch.nn.functional.cross_entropy(logits, labels).item() * len(labels)
                correct += int((logits.argmax(dim=1) == labels).sum())
                count += len(labels)
        curves["valid"].append(summed / count)
        curves["accuracy"].append(correct / count)
    return curves


def fine_tune(model, num_labels, batches, lr, epochs):
    """Fine-tuning trains a copy of a model, with a new head, to label every pixel.

    The model that is handed in stays as it is. The copy's `head` is replaced by a 1x1 convolution
    with bias, from as many channels as the old head took to `num_labels`, whose weights and biases
    are all zero at first and have the old head's dtype. Then every parameter of the copy, old and
    new, is trained by plain gradient descent: one step for each batch, in the order of the list.
    The loss is the mean over all pixels of the cross-entropy.

    Args:
        model: a module with an attribute `head`, a `torch.nn.Conv2d`; with the new head it maps
            images (N, C, H, W) to logits (N, num_labels, H, W). In training mode.
        num_labels: number of labels, K.
        batches: list of pairs (images, labels); labels (N, H, W) of integers from 0 to K - 1.
        lr: learning rate.
        epochs: how often the batches are gone through.

    Returns:
        The trained copy, and a list of floats: the loss of each batch just before its step.
    """
    tuned = copy.deepcopy(model)
    old = tuned.head
    tuned.head = torch.nn.Conv2d(old.in_channels, num_labels, 1, dtype=old.weight.dtype)
    torch.nn.init.zeros_(tuned.head.weight)
    torch.nn.init.zeros_(tuned.head.bias)
    optimizer = torch.optim.SGD(tuned.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        for images, labels in batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(tuned(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return tuned, losses


def train_keeping_best(model, optimizer, X, y, order, num_valid, epochs):
    """Training with held-out data ends with the weights that did best on them.

    The first `num_valid` entries of `order` name the validation examples, the others the training
    examples. Every feature is shifted and scaled so that the training examples have mean 0 and
    standard deviation 1 (the root of the mean square, divisor: their number); the validation
    examples are shifted and scaled by the same numbers. A feature that is the same in all
    training examples is only shifted.

    Each epoch is one step of the optimizer, in training mode, on the mean cross-entropy of all
    training examples at once; after it the mean cross-entropy of the validation examples is
    measured in evaluation mode. At the end the model has the parameters and buffers that it had
    after the best epoch: the one with the lowest validation loss, the earliest of them if several
    are equal.

    Args:
        model: maps features (N, D) to logits (N, C); may hold batch normalisation.
        optimizer: a torch optimizer that holds the model's parameters.
        X: (N, D) features; left as they are.
        y: (N,) labels, integers; y[i] belongs to X[i].
        order: (N,) integer tensor, a permutation of 0 to N - 1.
        num_valid: number of validation examples; less than N.
        epochs: number of epochs, at least 1.

    Returns:
        A list of floats, the validation loss after each epoch; and the number of the best epoch,
        counted from 1.
    """
    held_out, rest = order[:num_valid], order[num_valid:]
    mean, std = X[rest].mean(dim=0), X[rest].std(dim=0, correction=0)
    scaled = (X - mean) / torch.where(std > 0, std, torch.ones_like(std))
    losses = []
    lowest, best_epoch, best_state = math.inf, 0, None
    for epoch in range(1, epochs + 1):
        model.train()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(scaled[rest]), y[rest]).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            valid = torch.nn.functional.cross_entropy(model(scaled[held_out]), y[held_out]).item()
        losses.append(valid)
        if valid < lowest:
            lowest, best_epoch = valid, epoch
            best_state = copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)
    return losses, best_epoch


# Which of the eight descriptions in the text above fits which panel of the figure: a dict from
# the letter of the panel, "A" to "H", to the number of the description, 1 to 8. Each number is
# used once.
curve_causes: dict = {"A": 6, "B": 3, "C": 8, "D": 1, "E": 7, "F": 4, "G": 2, "H": 5}


def chance_loss(num_classes: int) -> float:
    """The cross-entropy of a classifier that gives every class the same probability.

    Args:
        num_classes: number of classes, C; at least 1.

    Returns:
        The loss for each example, by the natural logarithm.
    """
    return math.log(num_classes)


def double_softmax_floor(num_classes: int) -> float:
    """The lowest cross-entropy that is left if a softmax is taken of probabilities.

    The loss takes the softmax of what it is given. If it is given probabilities instead of logits
    (C numbers from 0 to 1 whose sum is 1), it cannot fall below this value, however good they are.

    Args:
        num_classes: number of classes, C; at least 1.

    Returns:
        The lowest loss of an example, by the natural logarithm.
    """
    return math.log(math.e + num_classes - 1) - 1


def early_stop(valid_losses: Sequence[float], patience: int) -> tuple[int, int]:
    """Early stopping ends a run once `patience` epochs in a row have brought no new best loss.

    An epoch is a new best if its loss is strictly below that of every epoch before it; the first
    epoch always is one. Epochs are counted from 1.

    Args:
        valid_losses: the validation loss after each epoch, as it would be without stopping; at
            least one.
        patience: number of epochs without a new best after which the run ends; at least 1.

    Returns:
        The epoch after which the run ends (the last one, if it is never stopped), and the best
        epoch up to there.
    """
    best_epoch = 1
    for epoch, loss in enumerate(valid_losses, 1):
        if loss < valid_losses[best_epoch - 1]:
            best_epoch = epoch
        if epoch - best_epoch >= patience:
            return epoch, best_epoch
    return len(valid_losses), best_epoch


def smooth(losses: np.ndarray, beta: float = 0.9) -> np.ndarray:
    """Smoothing replaces each loss by a weighted mean of all losses up to there.

    The weight of the loss k steps back is proportional to beta**k; the weights of each mean sum
    to one, also at the start.

    Args:
        losses: (T,) losses of T steps; at least one.
        beta: how slowly the past is forgotten; 0 <= beta < 1.

    Returns:
        (T,) smoothed losses.
    """
    average, smoothed = 0.0, []
    for step, loss in enumerate(losses, 1):
        average = beta * average + (1 - beta) * loss
        smoothed.append(average / (1 - beta**step))
    return np.array(smoothed)


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
        return rng.normal(scale=std, size=shape)
    bound = math.sqrt(3) * std
    return rng.uniform(-bound, bound, size=shape)


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


def scaled_lr(lr: float, batch_size: int, new_batch_size: int, rule: str) -> float:
    """The learning rate for another batch size, by one of two rules of thumb.

    Args:
        lr: a learning rate that works at `batch_size`.
        batch_size: examples in a batch so far.
        new_batch_size: examples in a batch from now on.
        rule: "linear": in proportion to the batch size, as for SGD. "sqrt": in proportion to its
            square root, as for Adam.

    Returns:
        The learning rate for `new_batch_size`.

    Source: Goyal et al., "Accurate, Large Minibatch SGD", 2017; Krizhevsky, "One Weird Trick for
    Parallelizing Convolutional Neural Networks", 2014.
    """
    ratio = new_batch_size / batch_size
    return lr * (ratio if rule == "linear" else math.sqrt(ratio))


def noise_scale(
    small_squares: np.ndarray, big_squares: np.ndarray, small_batch: int, big_batch: int
) -> tuple[float, float, float]:
    """Estimate the noise scale of the gradient from its lengths at two batch sizes.

    The expected squared length of a gradient that is the mean over B examples is G2 + S / B: G2
    is the squared length of the true gradient, S the trace of the covariance of the gradient of a
    single example. Two batch sizes give two equations.

    Args:
        small_squares: (K,) squared lengths of gradients of batches of `small_batch` examples.
        big_squares: (M,) likewise, of batches of `big_batch` examples.
        small_batch: examples in a small batch.
        big_batch: examples in a big batch; another number.

    Returns:
        The estimates of G2, S and the noise scale S / G2. Means are taken over the measurements
        first, the quotient last.

    Source: McCandlish et al., "An Empirical Model of Large-Batch Training", 2018, appendix A.1.
    """
    small, big = float(np.mean(small_squares)), float(np.mean(big_squares))
    true_square = (big_batch * big - small_batch * small) / (big_batch - small_batch)
    trace = (small - big) / (1 / small_batch - 1 / big_batch)
    return true_square, trace, trace / true_square


def critical_batch(batch_sizes: np.ndarray, steps: np.ndarray) -> tuple[float, float]:
    """Fit the noise-scale model to measured numbers of steps to a target.

    In the model a batch size B needs S_min (1 + B_crit / B) steps: a straight line over 1 / B.
    The line is fitted by ordinary least squares, every measurement with the same weight.

    Args:
        batch_sizes: (K,) batch sizes, at least two different ones.
        steps: (K,) steps to the target that were measured.

    Returns:
        S_min and B_crit.

    Source: McCandlish et al., "An Empirical Model of Large-Batch Training", 2018, section 2.3.
    """
    slope, intercept = np.polyfit(1 / np.asarray(batch_sizes, float), steps, 1)
    return float(intercept), float(slope / intercept)
