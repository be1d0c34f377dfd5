# %% [markdown]
# # Seven questions
#
# Two optimizers, three layers, a network and one step of its training. `make bench` grades this
# assignment with `autograder`, nbgrader and Otter.

# %%
import numpy as np
import torch

from autograder import assert_close, assert_shape, assert_that, case, check, self_check

# %% [markdown]
# ## 1 Gradient descent (2 points)
# Write one step of gradient descent: $w - \eta\, g$. The arguments stay as they are.
# %%
from reference.layers import sgd_step


# %%
@check("sgd_step", points=2, pure=True, all_or_nothing=True, hint="Which sign has the step?")
@case("a vector", shape=(5,))
@case("a matrix", shape=(4, 5), hidden=True)
@case("three axes", shape=(8, 16, 16), hidden=True)
def sgd_step_matches_reference(student, reference, rng, shape):
    """sgd_step moves against the gradient and leaves its arguments unchanged."""
    w, grad = rng.normal(size=(2, *shape))
    assert_close(student.sgd_step(w, grad, lr=0.1), reference.sgd_step(w, grad, lr=0.1), what="w")


self_check(sgd_step_matches_reference)


# %% [markdown]
# ## 2 RMSprop (2 points)
# Write one step of RMSprop:
# $s' = \rho s + (1 - \rho) g^2$, $w' = w - \eta\, g / (\sqrt{s'} + \varepsilon)$.
# Return $w'$ and $s'$.

# %%
from reference.layers import rmsprop_step


# %%
@check("rmsprop_step", points=2, pure=True, all_or_nothing=True, hint="Where does eps stand?")
@case("a vector", shape=(5,))
@case("a matrix, another decay", shape=(4, 5), decay=0.5, hidden=True)
@case("small gradients", shape=(64,), scale=1e-6, hidden=True)
def rmsprop_step_matches_reference(student, reference, rng, shape, scale=1.0, decay=0.9):
    """rmsprop_step divides by the root of the mean squared gradient."""
    w, grad = rng.normal(size=(2, *shape))
    grad, square = scale * grad, scale**2 * rng.uniform(size=shape)
    got = student.rmsprop_step(w, grad, square, lr=0.01, decay=decay)
    want = reference.rmsprop_step(w, grad, square, lr=0.01, decay=decay)
    assert_close(got, want, what="(w, square)")


self_check(rmsprop_step_matches_reference)


# %% [markdown]
# ## 3 Cross-entropy of a softmax (2 points)
# Write the mean cross-entropy of the softmax of `logits`; logits of a thousand must not overflow.

# %%
from reference.layers import softmax_xent


# %%
@check("softmax_xent", points=2, pure=True, all_or_nothing=True, hint="Try large logits.")
@case("five classes", shape=(4, 5))
@case("a batch", shape=(64, 10), hidden=True)
@case("large logits", shape=(16, 10), scale=1000.0, hidden=True)
def softmax_xent_matches_reference(student, reference, rng, shape, scale=1.0):
    """softmax_xent is the mean negative logarithm of the right class's probability."""
    logits, labels = scale * rng.normal(size=shape), rng.integers(shape[1], size=shape[0])
    got, want = student.softmax_xent(logits, labels), reference.softmax_xent(logits, labels)
    assert_close(got, want, what="loss")


self_check(softmax_xent_matches_reference)


# %% [markdown]
# ## 4 A convolution, forward (3 points)
# Write the forward pass of a convolutional layer, with `stride` and zero `padding`. The filters
# are not flipped.

# %%
from reference.layers import conv2d_forward


# %%
@check("conv2d_forward", points=3, pure=True, all_or_nothing=True, hint="Count the windows.")
@case("one filter", x=(1, 1, 5, 5), w=(1, 1, 3, 3))
@case("a batch, padded", x=(2, 3, 8, 8), w=(4, 3, 3, 3), padding=1, hidden=True)
@case("a stride", x=(2, 3, 9, 7), w=(4, 3, 3, 2), stride=2, padding=1, hidden=True)
def conv2d_forward_matches_reference(student, reference, rng, x, w, stride=1, padding=0):
    """conv2d_forward slides each filter over the padded images."""
    x, weight, bias = rng.normal(size=x), rng.normal(size=w), rng.normal(size=w[0])
    got = student.conv2d_forward(x, weight, bias, stride=stride, padding=padding)
    want = reference.conv2d_forward(x, weight, bias, stride=stride, padding=padding)
    assert_close(got, want, what="out", rtol=1e-7, atol=1e-9)


self_check(conv2d_forward_matches_reference)


# %% [markdown]
# ## 5 Batch normalisation, forward (2 points)
# Normalise a batch over its examples, then scale and shift it. The variance is divided by $N$.

# %%
from reference.layers import batchnorm_forward


# %%
@check("batchnorm_forward", points=2, pure=True, all_or_nothing=True, hint="Which axis?")
@case("four examples", shape=(4, 3))
@case("a batch", shape=(64, 32), hidden=True)
@case("almost constant", shape=(16, 8), scale=1e-3, hidden=True)
def batchnorm_forward_matches_reference(student, reference, rng, shape, scale=1.0):
    """batchnorm_forward gives each feature the mean beta and the deviation gamma."""
    x = 3.0 + scale * rng.normal(size=shape)
    gamma, beta = rng.normal(size=(2, shape[1]))
    got = student.batchnorm_forward(x, gamma, beta)
    want = reference.batchnorm_forward(x, gamma, beta)
    assert_close(got, want, what="out", rtol=1e-7, atol=1e-9)


self_check(batchnorm_forward_matches_reference)


# %% [markdown]
# ## 6 A small network (2 points)
# Build, in this order: a 3×3 convolution to 8 channels that keeps the size, ReLU, a max pooling
# by 2, a 3×3 convolution to 16 channels that keeps the size, ReLU, the mean over each channel, and
# a linear layer to the classes.

# %%
from reference.layers import make_cnn


# %%
@check("make_cnn", points=2, all_or_nothing=True, hint="Print the shape after every layer.")
@case("grey images", channels=1, classes=3, size=8)
@case("colour images", channels=3, classes=10, size=12, hidden=True)
def make_cnn_matches_reference(student, reference, rng, channels, classes, size):
    """make_cnn has the parameters and the scores of the network that the question describes."""
    images = rng.normal(size=(2, channels, size, size)).astype("float32")

    def scores(notebook, images, channels, classes):
        model = notebook.make_cnn(channels, classes)
        with torch.no_grad():
            for number, parameter in enumerate(model.parameters(), 1):
                flat = torch.arange(parameter.numel()) * (0.7 * number)
                parameter.copy_(0.2 * torch.sin(flat).reshape(parameter.shape))
            shapes = [list(parameter.shape) for parameter in model.parameters()]
            return shapes, model(torch.from_numpy(images)).numpy()

    got_shapes, got = student.apply(scores, images, channels, classes)
    want_shapes, want = reference.apply(scores, images, channels, classes)
    assert_that(got_shapes == want_shapes, "the network has other parameters")
    assert_shape(got, (2, classes), what="scores")
    assert_close(got, want, what="scores", rtol=1e-4, atol=1e-6)


self_check(make_cnn_matches_reference)


# %% [markdown]
# ## 7 A step of training (2 points)
# Do one step of training with the cross-entropy loss, and return the loss as a number.

# %%
from reference.layers import train_step


# %%
@check("train_step", points=2, all_or_nothing=True, hint="What if it is called twice?")
@case("one step", steps=1)
@case("five steps", steps=5, hidden=True)
def train_step_matches_reference(student, reference, rng, steps):
    """train_step follows the gradient of this batch alone, and returns the loss."""
    x = rng.normal(size=(16, 6)).astype("float32")
    y, weight = rng.integers(3, size=16), rng.normal(size=(3, 6)).astype("float32")

    def train(notebook, x, y, weight, steps):
        model = torch.nn.Linear(6, 3, bias=False)
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(weight))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        losses = [notebook.train_step(model, optimizer, x, y) for _ in range(steps)]
        return losses, model.weight.detach().numpy()

    losses, got = student.apply(train, x, y, weight, steps)
    want_losses, want = reference.apply(train, x, y, weight, steps)
    assert_close(losses, want_losses, what="losses", rtol=1e-4, atol=1e-6)
    assert_close(got, want, what="weights", rtol=1e-4, atol=1e-5)


self_check(train_step_matches_reference)
