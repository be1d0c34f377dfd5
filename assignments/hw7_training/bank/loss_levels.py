import numpy as np
import torch
from torch.nn import functional as F

from autograder import alternative, mistake

mistake(
    "the logarithm to the base 2",
    of="chance_loss",
    edit=("math.log(num_classes)", "float(np.log2(num_classes))"),
)


mistake(
    "the logarithm to the base 10",
    of="chance_loss",
    edit=("math.log(num_classes)", "float(np.log10(num_classes))"),
)


mistake(
    "the sign: a loss is minus the logarithm of a probability",
    of="chance_loss",
    edit=("math.log(num_classes)", "-float(np.log(num_classes))"),
)


mistake(
    "the error rate of a guess, not its cross-entropy",
    of="chance_loss",
    edit=("math.log(num_classes)", "1 - 1 / num_classes"),
)


mistake(
    "the value for ten classes, whatever their number",
    of="chance_loss",
    edit=("math.log(num_classes)", "2.302585092994046"),
)


@alternative("torch's cross-entropy of zeros", of="chance_loss")
def _(num_classes):
    return F.cross_entropy(torch.zeros(1, num_classes).double(), torch.tensor([0])).item()


@alternative("minus the logarithm of one over C", of="chance_loss")
def _(num_classes):
    return -np.log(1.0 / num_classes)


mistake(
    "zero, as if the softmax of a one could be a one",
    of="double_softmax_floor",
    edit=("math.log(math.e + num_classes - 1) - 1", "0.0"),
)


mistake(
    "exp(0) is 1, not 0: the other classes count",
    of="double_softmax_floor",
    edit=("math.log(math.e + num_classes - 1) - 1", "-float(np.log(np.e / (np.e + 1)))"),
)


mistake(
    "C other classes, where there are C − 1",
    of="double_softmax_floor",
    edit=("math.log(math.e + num_classes - 1) - 1", "float(np.log(np.e + num_classes) - 1)"),
)


mistake(
    "the loss of chance, not of perfect probabilities",
    of="double_softmax_floor",
    edit=("math.log(math.e + num_classes - 1) - 1", "float(np.log(num_classes))"),
)


mistake(
    "the logit of the right class is left out",
    of="double_softmax_floor",
    edit=("math.log(math.e + num_classes - 1) - 1", "float(np.log(np.e + num_classes - 1))"),
)


@alternative("torch's cross-entropy of a one-hot row", of="double_softmax_floor")
def _(num_classes):
    probabilities = F.one_hot(torch.tensor([0]), num_classes).double()
    return F.cross_entropy(probabilities, torch.tensor([0])).item()


@alternative("divided by e first", of="double_softmax_floor")
def _(num_classes):
    return np.log1p((num_classes - 1) * np.exp(-1.0))
