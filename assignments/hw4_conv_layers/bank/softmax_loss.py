import numpy as np
import torch

from autograder import alternative, mistake
from reference.layers import softmax_loss

right_softmax_loss = softmax_loss


@mistake("nothing is subtracted before the exponential, which overflows")
def _(scores, labels):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    rows = np.arange(len(p))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(p)


def loss_by_probabilities(scores, labels, shift, floor):
    """Return loss and gradient by way of the finished probabilities."""
    p = np.exp(scores - shift)
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(p))
    loss = -np.log(np.maximum(p[rows, labels], floor)).mean()
    p[rows, labels] -= 1
    return loss, p / len(p)


@mistake("the logarithm of a probability that has become zero: subtract before, divide never")
def _(scores, labels):
    return loss_by_probabilities(scores, labels, scores.max(axis=1, keepdims=True), 0.0)


@mistake("a floor under the probability hides the zero, and caps the loss")
def _(scores, labels):
    return loss_by_probabilities(scores, labels, scores.max(axis=1, keepdims=True), 1e-12)


@mistake("one maximum for the whole batch: other examples may lie far below it")
def _(scores, labels):
    shifted = scores - scores.max()
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(scores))
    gradient = np.exp(shifted) / total
    gradient[rows, labels] -= 1
    return (np.log(total[:, 0]) - shifted[rows, labels]).mean(), gradient / len(scores)


@mistake("the mean of the scores is subtracted: the largest may still overflow")
def _(scores, labels):
    shifted = scores - scores.mean(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(scores))
    gradient = np.exp(shifted) / total
    gradient[rows, labels] -= 1
    return (np.log(total[:, 0]) - shifted[rows, labels]).mean(), gradient / len(scores)


@mistake("a small number added to the probability caps the loss")
def _(scores, labels):
    gradient = right_softmax_loss(scores, labels)[1]
    p = len(scores) * gradient
    p[np.arange(len(p)), labels] += 1
    return -np.log(p[np.arange(len(p)), labels] + 1e-8).mean(), gradient


@mistake(
    "keepdims is missing: the sums of the rows are divided along the columns",
)
def _(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1)
    rows = np.arange(len(p))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(p)


@mistake("probabilities over the batch: they add up to one over the classes")
def _(scores, labels):
    p = np.exp(scores - scores.max(axis=0))
    p /= p.sum(axis=0)
    rows = np.arange(len(p))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(p)


@mistake("the gradient is not divided by N, though the loss is a mean", costs=3)
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss, gradient * len(scores)


@mistake("the sum over the batch in place of the mean")
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss * len(scores), gradient * len(scores)


@mistake("the loss is a sum, the gradient that of a mean", costs=3)
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss * len(scores), gradient


@mistake("a mean over examples and classes: divide by N only")
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss / scores.shape[1], gradient / scores.shape[1]


@mistake("one loss for each example: the mean is missing")
def _(scores, labels):
    _, gradient = right_softmax_loss(scores, labels)
    losses = [
        right_softmax_loss(scores[i : i + 1], labels[i : i + 1])[0] for i in range(len(scores))
    ]
    return np.array(losses), gradient


@mistake("the sign of the gradient is reversed")
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss, -gradient


@mistake("the sign of the loss: a logarithm of a probability is negative")
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return -loss, gradient


@mistake("the probabilities as gradient: the label's term is missing")
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    gradient[np.arange(len(labels)), labels] += 1 / len(labels)
    return loss, gradient


@mistake("divided by N before the one is subtracted")
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    gradient[np.arange(len(labels)), labels] += 1 / len(labels) - 1
    return loss, gradient


@mistake("a logarithm of base two: bits in place of the natural logarithm")
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss / np.log(2), gradient / np.log(2)


@mistake("labels counted from one: they start at zero")
def _(scores, labels):
    return right_softmax_loss(scores, np.asarray(labels, int) - 1)


@mistake("a penalty of half the squared scores: none was asked for")
def _(scores, labels):
    loss, gradient = right_softmax_loss(scores, labels)
    return loss + 0.5 * (scores**2).sum(), gradient + scores


@mistake("the squared distance from the one-hot label")
def _(scores, labels):
    gap = scores - np.eye(scores.shape[1])[labels]
    return (gap**2).sum() / len(scores), 2 * gap / len(scores)


@mistake("works in place: the caller's scores are overwritten")
def _(scores, labels):
    result = right_softmax_loss(scores, labels)
    scores -= scores.max(axis=1, keepdims=True)
    return result


@alternative("torch's cross-entropy")
def _(scores, labels):
    leaf = torch.tensor(scores, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(leaf, torch.tensor(labels.astype(np.int64)))
    loss.backward()
    return loss.item(), leaf.grad.numpy()


@alternative("logaddexp and a one-hot matrix, in double precision")
def _(scores, labels):
    wide = np.asarray(scores, np.float64)
    onehot = np.eye(wide.shape[1])[labels]
    log_p = wide - np.logaddexp.reduce(wide, axis=1)[:, None]
    return -(log_p * onehot).sum() / len(wide), (np.exp(log_p) - onehot) / len(wide)


@alternative("example by example")
def _(scores, labels):
    loss, gradient = 0.0, np.zeros(scores.shape)
    for n, (row, label) in enumerate(zip(scores, labels, strict=True)):
        powers = np.exp(row - max(row))
        total = sum(powers)
        loss += (np.log(total) + max(row) - row[label]) / len(scores)
        gradient[n] = powers / total / len(scores)
        gradient[n, label] -= 1 / len(scores)
    return loss, gradient
