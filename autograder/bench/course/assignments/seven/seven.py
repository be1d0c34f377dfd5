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


# %%
@sgd_step_matches_reference.mistake("steps uphill: the gradient has to be subtracted")
def sgd_step(w, grad, lr):
    return w + lr * grad


@sgd_step_matches_reference.mistake("overwrites the caller's weights: -= works in place")
def sgd_step(w, grad, lr):
    w -= lr * grad
    return w


@sgd_step_matches_reference.mistake("the learning rate is not used")
def sgd_step(w, grad, lr):
    return w - grad


@sgd_step_matches_reference.alternative("in place, on a copy")
def sgd_step(w, grad, lr):
    new = np.array(w, copy=True)
    new -= lr * grad
    return new


@sgd_step_matches_reference.alternative("torch's SGD, handed back as an array")
def sgd_step(w, grad, lr):
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    torch.optim.SGD([parameter], lr=lr).step()
    return parameter.detach().numpy()


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


# %%
@rmsprop_step_matches_reference.mistake("eps belongs outside the root")
def rmsprop_step(w, grad, square, lr, decay=0.9, eps=1e-8):
    square = decay * square + (1 - decay) * grad**2
    return w - lr * grad / np.sqrt(square + eps), square


@rmsprop_step_matches_reference.mistake("decay and 1 - decay are swapped")
def rmsprop_step(w, grad, square, lr, decay=0.9, eps=1e-8):
    square = (1 - decay) * square + decay * grad**2
    return w - lr * grad / (np.sqrt(square) + eps), square


@rmsprop_step_matches_reference.mistake("divides by the mean square, not by its root")
def rmsprop_step(w, grad, square, lr, decay=0.9, eps=1e-8):
    square = decay * square + (1 - decay) * grad**2
    return w - lr * grad / (square + eps), square


@rmsprop_step_matches_reference.alternative("in place, on copies")
def rmsprop_step(w, grad, square, lr, decay=0.9, eps=1e-8):
    square = decay * square
    square += (1 - decay) * np.square(grad)
    step = np.sqrt(square)
    step += eps
    return w - np.divide(lr * grad, step), square


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


# %%
@softmax_xent_matches_reference.mistake("the sum over the batch, not the mean")
def softmax_xent(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=1))
    return float((log_sums - shifted[np.arange(len(labels)), labels]).sum())


@softmax_xent_matches_reference.mistake("large logits overflow: subtract the largest first")
def softmax_xent(logits, labels):
    with np.errstate(all="ignore"):
        exps = np.exp(logits)
        probabilities = exps / exps.sum(axis=1, keepdims=True)
        return float(-np.log(probabilities[np.arange(len(labels)), labels]).mean())


@softmax_xent_matches_reference.mistake("normalised over the batch, not over the classes")
def softmax_xent(logits, labels):
    shifted = logits - logits.max(axis=0, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=0))
    return float((log_sums[labels] - shifted[np.arange(len(labels)), labels]).mean())


@softmax_xent_matches_reference.alternative("torch's own")
def softmax_xent(logits, labels):
    return float(torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(labels)))


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


# %%
@conv2d_forward_matches_reference.mistake("a true convolution: the filters are flipped")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    flipped = torch.tensor(weight[:, :, ::-1, ::-1].copy())
    out = torch.conv2d(torch.tensor(x), flipped, torch.tensor(bias), stride, padding)
    return out.numpy()


@conv2d_forward_matches_reference.mistake("the bias is forgotten")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    return torch.conv2d(torch.tensor(x), torch.tensor(weight), None, stride, padding).numpy()


@conv2d_forward_matches_reference.mistake("the stride is not used")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    out = torch.conv2d(torch.tensor(x), torch.tensor(weight), torch.tensor(bias), 1, padding)
    return out.numpy()


@conv2d_forward_matches_reference.alternative("a loop over everything")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    n, c, h, w = x.shape
    f, _, kh, kw = weight.shape
    padded = np.zeros((n, c, h + 2 * padding, w + 2 * padding))
    padded[:, :, padding : padding + h, padding : padding + w] = x
    oh, ow = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    out = np.zeros((n, f, oh, ow))
    for image in range(n):
        for k in range(f):
            for i in range(oh):
                for j in range(ow):
                    top, left = i * stride, j * stride
                    window = padded[image, :, top : top + kh, left : left + kw]
                    out[image, k, i, j] = np.sum(window * weight[k]) + bias[k]
    return out


@conv2d_forward_matches_reference.alternative("torch's own")
def conv2d_forward(x, weight, bias, stride=1, padding=0):
    tensors = [torch.tensor(a) for a in (x, weight, bias)]
    return torch.conv2d(*tensors, stride, padding).numpy()


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


# %%
@batchnorm_forward_matches_reference.mistake("the variance is divided by N - 1")
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=1) + eps) + beta


@batchnorm_forward_matches_reference.mistake("eps is added to the deviation, not to the variance")
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / (x.std(axis=0) + eps) + beta


@batchnorm_forward_matches_reference.mistake("a layer norm: over the features, not the examples")
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


@batchnorm_forward_matches_reference.alternative("torch's own")
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    weight, bias = torch.tensor(gamma), torch.tensor(beta)
    out = torch.nn.functional.batch_norm(
        torch.tensor(x), None, None, weight, bias, training=True, eps=eps
    )
    return out.numpy()


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


# %%
@make_cnn_matches_reference.mistake("the second convolution has no ReLU")
def make_cnn(channels, classes):
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 16, 3, padding=1),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, classes),
    )


@make_cnn_matches_reference.mistake("half as many channels as described")
def make_cnn(channels, classes):
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, 4, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(4, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, classes),
    )


@make_cnn_matches_reference.alternative("layer by layer, the mean by a function")
def make_cnn(channels, classes):
    class Mean(torch.nn.Module):
        def forward(self, x):
            return x.mean(dim=(2, 3))

    model = torch.nn.Sequential()
    for wide, narrow in ((channels, 8), (8, 16)):
        model.append(torch.nn.Conv2d(wide, narrow, kernel_size=3, padding="same"))
        model.append(torch.nn.ReLU())
        if narrow == 8:
            model.append(torch.nn.MaxPool2d(2))
    model.append(Mean())
    return model.append(torch.nn.Linear(16, classes))


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


# %%
@train_step_matches_reference.mistake("gradients add up: zero_grad is missing")
def train_step(model, optimizer, x, y):
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@train_step_matches_reference.mistake("a softmax before the cross-entropy, which has one already")
def train_step(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(torch.softmax(model(x), dim=1), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@train_step_matches_reference.mistake("the gradients are cleared before they are used")
def train_step(model, optimizer, x, y):
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@train_step_matches_reference.alternative("the loss by hand, gradients cleared at the end")
def train_step(model, optimizer, x, y):
    log_probabilities = torch.log_softmax(model(x), dim=1)
    loss = -log_probabilities[torch.arange(len(y)), y].mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()
