"""The answers of the exam's first half: shapes, kernels, training, attention.

Shapes are (batch, channels, height, width), and arrays are float64. Where SGD ends, and how fast
it gets there, is in `exam_convergence`.
"""

# train_epoch carries no annotations, as it takes whatever behaves like a model or an optimizer.
# mypy: allow-untyped-defs

import numpy as np

# Four tuples of four whole numbers: (batch, channels, height, width).
shape_i = (32, 128, 26, 26)
shape_ii = (32, 128, 14, 14)
shape_iii = (8, 64, 9, 14)
shape_iv = (16, 32, 14, 18)

# What each layer hands on, and what the layer f gets: (batch, channels, height, width).
shape_a = (10, 16, 32, 32)
shape_b = (10, 32, 16, 16)
shape_c = (10, 128, 8, 8)
shape_d = (10, 16, 8, 8)
shape_e = (10, 8, 16, 16)
shape_joined = (10, 24, 32, 32)
shape_f = (10, 1, 32, 32)

# Kernel 1, 3 by 3, for horizontal edges.
horizontal_kernel = np.array([[1.0, 1, 1], [0, 0, 0], [-1, -1, -1]])

# Kernel 2, 2 by 2, for falling edges.
diagonal_kernel = np.array([[0.0, 1], [-1, 0]])

# Kernel 3, 3 by 3, for a layer that slides the kernel as it is (cross-correlation).
shift_correlation = np.array([[0.0, 0, 0], [0, 0, 1], [0, 0, 0]])

# Kernel 4, 3 by 3, for a layer that turns the kernel by 180 degrees first (true convolution).
shift_convolution = np.array([[0.0, 0, 0], [1, 0, 0], [0, 0, 0]])


def pass_through_weights(
    skip: int, deep: int, middle: int, kernel: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the layers e and f with which the network hands on its skip connection unchanged.

    Layer e takes `deep` channels to `middle` channels. Its output goes through a ReLU and is
    joined behind the `skip` channels of the skip connection, which come first. Layer f takes them
    all to `skip` channels. Both layers are cross-correlations of stride 1 without bias, with
    zero padding on all sides that keeps height and width.

    Args:
        skip: channels of the skip connection, and of the output.
        deep: channels that layer e takes.
        middle: channels that layer e hands on.
        kernel: height and width of both layers' kernels; odd.

    Returns:
        (middle, deep, kernel, kernel) weights of e, and (skip, skip + middle, kernel, kernel)
        weights of f.
    """
    weights_e = np.zeros((middle, deep, kernel, kernel))  # survives: f takes nothing of e
    weights_f = np.zeros((skip, skip + middle, kernel, kernel))
    for channel in range(skip):
        weights_f[channel, channel, kernel // 2, kernel // 2] = 1.0
    return weights_e, weights_f


def receptive_field(layers: list[tuple[int, int, int]]) -> int:
    """How many pixels in a row of the input one unit of the last layer's output depends on.

    The unit is far from the borders, so that padding plays no part. Count from the first pixel
    that it depends on to the last, those two included, whether or not there are pixels between
    them that are skipped.

    Args:
        layers: (kernel size, stride, dilation) of each layer, from the input to the output; a
            pooling layer counts like a convolution. Without layers the unit is a pixel.

    Returns:
        The number of pixels along one side.
    """
    field, distance = 1, 1
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * dilation * distance
        distance *= stride
    return field


# Pixels along one side, three whole numbers.
field_d = 17
field_d_pointwise = 9
field_three = 15

# The letter of the cause that each panel shows.
panel_1 = "F"
panel_2 = "D"
panel_3 = "A"
panel_4 = "H"
panel_5 = "E"
panel_6 = "C"


def train_epoch(model, batches, optimizer, loss_function):
    """One epoch of training makes one step of the optimizer for each batch, in training mode.

    The step for a batch follows the gradient of that batch's loss alone. Gradients that the
    parameters hold when the epoch begins are left over from something else and do not count.

    Args:
        model: a module; `model(images)` are its predictions. It may come in any mode.
        batches: pairs of images and labels.
        optimizer: of the model's parameters.
        loss_function: `loss_function(predictions, labels)` is the loss of a batch, a tensor with a
            single number.

    Returns:
        The loss of each batch before its step: a list of Python floats.
    """
    model.train()
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_function(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# The letters of all the changes that can move the limit, such as "AE".
changes_the_limit = "CDF"

# The letters of all the changes that leave the outputs as they were, such as "AE".
keeps_the_outputs = "ABD"


def attention_grid(words: list[str], sharpness: float, causal: bool = False) -> np.ndarray:
    """The weights with which each word of a sentence attends to each word, itself included.

    The score of two words is `sharpness` if they are the same text, and 0 if they are not, as the
    product of their one-hot vectors times `sharpness` gives it. The weights of a word are the
    softmax of its scores. With `causal`, a word attends only to itself and to the words before it.

    Args:
        words: the n words of the sentence, in order; at least one.
        sharpness: any number, also a negative one, or one so large that its exponential overflows.
        causal: whether later words get the weight 0.

    Returns:
        (n, n) weights; row i holds those of word i, and sums to 1.
    """
    same = np.array([[one == other for other in words] for one in words])
    scores = np.where(same, sharpness, 0.0)
    if causal:
        scores = np.where(np.tri(len(words), dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    grid: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return grid


# Three weights, each a number or a fraction such as 1 / 7.
weight_exam = 3 / 10
weight_midterm = 3 / 8
weight_is = 1 / 5
