import numpy as np

from autograder import alternative, mistake

mistake(
    "upside down: the steps would grow with the batch",
    edit=("critical_batch_size / batch_size", "batch_size / critical_batch_size"),
)


mistake(
    "without the steps that even a huge batch needs",
    edit=(
        "min_steps * (1 + critical_batch_size / batch_size)",
        "min_steps * critical_batch_size / batch_size",
    ),
)


mistake(
    "the further steps are not in units of min_steps: at the critical size they equal it",
    edit=(
        "min_steps * (1 + critical_batch_size / batch_size)",
        "min_steps + critical_batch_size / batch_size",
    ),
)


mistake(
    "a kink at the critical size, where there is a bend",
    edit=(
        "min_steps * (1 + critical_batch_size / batch_size)",
        "np.maximum(min_steps, min_steps * critical_batch_size / batch_size)",
    ),
)


mistake(
    "a root: the noise falls like 1/√B, its variance like 1/B",
    edit=("critical_batch_size / batch_size", "np.sqrt(critical_batch_size / batch_size)"),
)


mistake(
    "the number of examples, not of steps",
    edit=("1 + critical_batch_size / batch_size", "batch_size + critical_batch_size"),
)


mistake(
    "an integer division, which cuts the fraction off",
    edit=("critical_batch_size / batch_size", "critical_batch_size // batch_size"),
)


mistake(
    "rounded up to whole steps",
    edit=(
        "min_steps * (1 + critical_batch_size / batch_size)",
        "np.ceil(min_steps * (1 + critical_batch_size / batch_size))",
    ),
)


@mistake("truncated: the result is put into an array of integers")
def _(batch_size, min_steps, critical_batch_size):
    steps = np.empty_like(batch_size)
    steps[...] = min_steps * (1 + critical_batch_size / batch_size)
    return steps


@alternative("the two kinds of steps, added up")
def _(batch_size, min_steps, critical_batch_size):
    further = np.divide(min_steps * critical_batch_size, batch_size)
    return further + min_steps


@alternative("by way of the number of examples")
def _(batch_size, min_steps, critical_batch_size):
    examples = (np.asarray(batch_size) + critical_batch_size) * min_steps
    return examples / batch_size


@alternative("size by size")
def _(batch_size, min_steps, critical_batch_size):
    sizes = np.ravel(batch_size)
    steps = [min_steps / (size / (size + critical_batch_size)) for size in sizes]
    return np.reshape(steps, np.shape(batch_size))
