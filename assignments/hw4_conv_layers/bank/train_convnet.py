import numpy as np
import torch

from autograder import alternative, mistake
from reference.convnet import convnet_loss, train_convnet


def steps_by(params, x, labels, batches, reg, move):
    """Train with a move of one's own: (parameter, gradient, velocity) to (parameter, velocity)."""
    losses, velocity = [], {name: np.zeros_like(value) for name, value in params.items()}
    for rows in batches:
        loss, grads = convnet_loss(params, x[rows], labels[rows], reg)
        losses.append(loss)
        moved = {name: move(params[name], grads[name], velocity[name]) for name in params}
        params = {name: pair[0] for name, pair in moved.items()}
        velocity = {name: pair[1] for name, pair in moved.items()}
    return params, losses


right_training = train_convnet


@mistake("the velocity starts from rest at every step")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, lr, 0.0, reg)


@mistake("dampening: the gradient enters at full weight, not times 1 − μ")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    def move(w, g, v):
        v = momentum * v + (1 - momentum) * g
        return w - lr * v, v

    return steps_by(params, x, labels, batches, reg, move)


@mistake("Nesterov's look-ahead in place of plain momentum")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    def move(w, g, v):
        v = momentum * v + g
        return w - lr * (g + momentum * v), v

    return steps_by(params, x, labels, batches, reg, move)


@mistake("moves by the old velocity: it is updated first")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return steps_by(params, x, labels, batches, reg, lambda w, g, v: (w - lr * v, momentum * v + g))


@mistake("steps uphill: the velocity has to be subtracted")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, -lr, momentum, reg)


@mistake("reg is not passed on")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, lr, momentum)


@mistake("all images at every step: the batches are not used")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, [np.arange(len(x))] * len(batches), lr, momentum, reg)


@mistake("one step only, on the first batch")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches[:1], lr, momentum, reg)


@mistake("the images of the batch, with the labels of the first rows")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    shuffled = np.array(labels)
    for rows in batches[:1]:
        shuffled[rows] = np.roll(labels[rows], 1)
        shuffled[rows[0]] = (labels[rows[0]] + 1) % 3
    return right_training(params, x, shuffled, batches, lr, momentum, reg)


@mistake("the losses from after each step: they are from before it")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    losses = []
    for count, rows in enumerate(batches, 1):
        now, _ = right_training(params, x, labels, batches[:count], lr, momentum, reg)
        losses.append(convnet_loss(now, x[rows], labels[rows], reg)[0])
    return now, losses


@mistake("one loss, the last: there is one for each step")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    trained, losses = right_training(params, x, labels, batches, lr, momentum, reg)
    return trained, losses[-1]


@mistake("the losses are missing from the answer")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, lr, momentum, reg)[0]


@mistake("only the affine layer is trained")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    trained, losses = right_training(params, x, labels, batches, lr, momentum, reg)
    return {**trained, "w1": params["w1"], "b1": params["b1"]}, losses


@mistake("other defaults: lr is 0.1, momentum 0.9")
def _(params, x, labels, batches, lr=0.01, momentum=0.9, reg=0.0):
    return right_training(params, x, labels, batches, lr, momentum, reg)


@mistake("overwrites the caller's parameters: -= works in place")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    trained, losses = right_training(params, x, labels, batches, lr, momentum, reg)
    for name in params:
        params[name] -= params[name] - trained[name]
    return params, losses


@alternative("the learning rate inside the velocity")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    def move(w, g, v):
        v = momentum * v - lr * g
        return w + v, v

    return steps_by(params, x, labels, batches, reg, move)


@alternative("torch's optimizer, with gradients from convnet_loss")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    leaves = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in params.items()}
    optimizer = torch.optim.SGD(leaves.values(), lr=lr, momentum=momentum)
    losses = np.empty(len(batches))
    for step, rows in enumerate(batches):
        now = {name: leaf.detach().numpy().copy() for name, leaf in leaves.items()}
        losses[step], grads = convnet_loss(now, x[rows], labels[rows], reg)
        for name, leaf in leaves.items():
            leaf.grad = torch.tensor(grads[name])
        optimizer.step()
    return {name: leaf.detach().numpy() for name, leaf in leaves.items()}, losses


@alternative("in place, on copies")
def _(params, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    params = {name: np.array(value) for name, value in params.items()}
    velocity, losses = {name: 0 * value for name, value in params.items()}, []
    for rows in batches:
        loss, grads = convnet_loss(params, x[rows], labels[rows], reg)
        losses += [loss]
        for name, value in params.items():
            velocity[name] *= momentum
            velocity[name] += grads[name]
            value -= lr * velocity[name]
    return params, losses
