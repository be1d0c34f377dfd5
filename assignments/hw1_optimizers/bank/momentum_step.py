import numpy as np
import torch

from autograder import alternative, mistake

mistake(
    "dampening: the new gradient enters the velocity at full weight, not times 1 − μ",
    edit=("momentum * velocity + grad", "momentum * velocity + (1 - momentum) * grad"),
)


@mistake(
    "the sign of the velocity: it adds up gradients, and the weights move against it",
)
def _(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity - grad
    return w + lr * velocity, velocity


mistake(
    "moves along the velocity, which is uphill", edit=("w - lr * velocity", "w + lr * velocity")
)


mistake(
    "Nesterov's look-ahead in place of the heavy ball",
    edit=("lr * velocity", "lr * (grad + momentum * velocity)"),
)


@mistake("the learning rate belongs outside the velocity")
def _(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + lr * grad
    return w - velocity, velocity


@mistake(
    "moves with the old velocity: it has to be updated before it is used",
)
def _(w, grad, velocity, lr, momentum=0.9):
    return w - lr * velocity, momentum * velocity + grad


@mistake(
    "hands back the old velocity, so that every step starts from rest",
)
def _(w, grad, velocity, lr, momentum=0.9):
    return w - lr * (momentum * velocity + grad), velocity


@mistake("the velocity is missing from the answer")
def _(w, grad, velocity, lr, momentum=0.9):
    return w - lr * (momentum * velocity + grad)


mistake(
    "weights and velocity in the wrong order",
    edit=("w - lr * velocity, velocity", "velocity, w - lr * velocity"),
)


mistake(
    "the momentum damps the gradient in place of the old velocity",
    edit=("momentum * velocity + grad", "velocity + momentum * grad"),
)


@mistake(
    "another default: momentum is 0.9 unless the caller says otherwise",
    costs=1,
)
def _(w, grad, velocity, lr, momentum=0.5):
    velocity = momentum * velocity + grad
    return w - lr * velocity, velocity


mistake(
    "a fixed momentum: the argument is not used", edit=("momentum * velocity", "0.9 * velocity")
)


@mistake(
    "overwrites the caller's velocity: *= and += work in place",
)
def _(w, grad, velocity, lr, momentum=0.9):
    velocity *= momentum
    velocity += grad
    return w - lr * velocity, velocity


@mistake("overwrites the caller's weights: -= works in place")
def _(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + grad
    w -= lr * velocity
    return w, velocity


@alternative("torch's SGD with its velocity filled in")
def _(w, grad, velocity, lr, momentum=0.9):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    optimizer = torch.optim.SGD([parameter], lr=lr, momentum=momentum)
    optimizer.state[parameter]["momentum_buffer"] = torch.tensor(velocity)
    optimizer.step()
    # Without momentum torch keeps no velocity: it is the gradient.
    velocity = optimizer.state[parameter]["momentum_buffer"].numpy() if momentum else grad
    return parameter.detach().numpy(), velocity


@alternative(
    "two moves, along the old velocity and along the gradient, on copies",
)
def _(w, grad, velocity, lr, momentum=0.9):
    coasting = np.multiply(velocity, momentum)
    moved = np.array(w) - coasting * lr
    moved -= grad * lr
    return moved, np.add(grad, coasting)
