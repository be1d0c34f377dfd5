"""Training loops that work; they take torch modules and optimizers.

Batches are pairs (inputs, targets) of tensors. A loop trains the model that it is given, except
`fine_tune`, which trains a copy.

Sources: Prechelt, "Early Stopping - But When?", 1998, for `train_keeping_best`; Long, Shelhamer and
Darrell, "Fully Convolutional Networks for Semantic Segmentation", 2015, for `fine_tune`.
"""

# The loops carry no annotations, as hw1's optimizer does not: their types would need names that a
# student's notebook does not have.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-any-generics, no-warn-return-any

import copy
import math

import torch


def train_on_batch(model, optimizer, inputs, targets, loss_fn):
    """Training on one batch takes one step of the optimizer.

    The step uses the gradient of this batch's loss and of nothing else, whatever was computed
    before this function was called. The mode of the model stays as it is.

    Args:
        model: maps a batch of inputs to predictions.
        optimizer: a torch optimizer that holds the model's parameters.
        inputs: the batch's inputs, a tensor.
        targets: the batch's targets, a tensor.
        loss_fn: called as `loss_fn(predictions, targets)`; gives a tensor of shape ().

    Returns:
        The loss of the batch, just before the step: a float.
    """
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()


def train_epoch(model, optimizer, batches, loss_fn):
    """One epoch of training takes one optimizer step for each batch, in their order.

    The step of a batch uses the gradient of that batch's loss and of nothing else, whatever was
    computed before this function was called. The model trains in training mode, whatever mode it
    comes in.

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
    model.train()
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
