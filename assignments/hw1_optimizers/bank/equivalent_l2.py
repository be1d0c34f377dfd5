import numpy as np

from autograder import alternative, mistake
from reference.optimizers import decay_step, l2_step

mistake("the factor 2 of the penalty's gradient is missing", edit=("2 * lr", "lr"))


mistake(
    "the learning rate is missing: l2 is multiplied by it, the decay is not", edit=("2 * lr", "2")
)


mistake(
    "upside down: multiplied where a division is due", edit=("decay / (2 * lr)", "2 * lr * decay")
)


mistake("the factor 2 on the wrong side", edit=("decay / (2 * lr)", "2 * decay / lr"))


mistake("the decay and the penalty taken for the same number", edit=("decay / (2 * lr)", "decay"))


mistake(
    "solved for the factor that remains, not for the share that is lost",
    edit=("decay / (2 * lr)", "(1 - decay) / (2 * lr)"),
)


mistake(
    "taken for the same: inside Adam the penalty's gradient is divided by the root of v",
    adam_l2_and_adamw="A",
)
mistake(
    "the running mean is not what differs: the root of v divides the penalty's gradient",
    adam_l2_and_adamw="C",
)
mistake(
    "the bias correction is the same for both: the root of v divides the penalty's gradient",
    adam_l2_and_adamw="D",
)
mistake("a truth value in place of a letter", adam_l2_and_adamw=False)
alternative("a small letter", adam_l2_and_adamw="b ")


@alternative("read off the two steps, as both are linear")
def _(decay, lr):
    unpenalised, with_one = l2_step(1.0, 0.0, lr, 0.0), l2_step(1.0, 0.0, lr, 1.0)
    return (unpenalised - decay_step(1.0, 0.0, lr, decay)) / (unpenalised - with_one)


@alternative("an array in place of a number")
def _(decay, lr):
    return np.multiply(0.5 * decay, 1 / np.asarray(lr))
