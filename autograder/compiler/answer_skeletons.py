"""First questions that ask for an answer: what `autograder new --kind` writes of each kind."""

from dataclasses import dataclass

__all__ = ["CHOICE", "NUMBER", "PLOT", "KindSkeleton"]


@dataclass(frozen=True)
class KindSkeleton:
    """The texts of a question.

    In each of them ``{name}`` stands for the assignment's, and ``{number}`` for the question's.

    Attributes:
        question: its id.
        uses: what its cells take from `autograder`.
        reference: its answer, a part of a module of the reference.
        cells: prompt, solution and checks.
        bank: its wrong and unusual answers.
        plots: whether it uses matplotlib.
    """

    question: str
    uses: tuple[str, ...]
    reference: str
    cells: str
    bank: str
    plots: bool = False


CHOICE = KindSkeleton(
    question="what_momentum_does",
    uses=("assert_choices", "assert_options"),
    reference="""
# What does momentum do? Letters of the statements that hold.
what_momentum_does = "AC"
""",
    cells='''
# %% [markdown]
# ## {number} What momentum does (2 points)
# Which statements hold? Give their letters, such as `"AB"`. A wrong letter costs as much as a right
# one earns; less than nothing is not given.
#
# - A: it speeds up along a direction in which gradients agree.
# - B: it makes every step shorter.
# - C: it can step over a minimum that plain gradient descent approaches from one side.
# - D: it needs the second derivative.

# %%
from reference.{name} import what_momentum_does

# %%
@check("what_momentum_does", points=2, hint="Follow a ball that rolls down a valley.")
@case("half of what is right", share=0.5, hidden=True)
@case("all of what is right", share=1.0, hidden=True)
def what_momentum_does_is_right(student, reference, rng, share):
    """The letters are those of the statements that hold."""
    assert_choices(
        student.what_momentum_does, reference.what_momentum_does, options="ABCD", share=share
    )


@check("what_momentum_does", points=0)
@case("letters")
def what_momentum_does_has_the_right_form(student, reference, rng):
    """The answer is some of A, B, C and D; whether it is right is found when grading."""
    assert_options(student.what_momentum_does, "ABCD", several=True, what="what_momentum_does")


self_check(what_momentum_does_has_the_right_form)
''',
    bank="""from autograder import alternative, mistake

mistake("a step with momentum is no shorter", what_momentum_does="ABC")
mistake("momentum looks at gradients alone", what_momentum_does="AD")
alternative("a list of letters", what_momentum_does=["C", "a"])
alternative("in words", what_momentum_does="A and C")
""",
)

NUMBER = KindSkeleton(
    question="weights_in_memory",
    uses=("assert_quantity",),
    reference="""
# How many MB do the weights of a dense layer from 4096 to 4096 take in single precision?
weights_in_memory = "67.1 MB"
""",
    cells='''
# %% [markdown]
# ## {number} Weights in memory (1 point)
# How much memory do the weights of a dense layer from 4096 to 4096 features take in single
# precision, without biases? Give MB (1 MB is 10⁶ bytes) to one decimal, as a number or with a unit:
# `12.3`, `"12.3 MB"`, `"12300 kB"`.

# %%
from reference.{name} import weights_in_memory

# %%
@check("weights_in_memory", points=1, hint="How many weights, and how many bytes for each?")
@case("the number", hidden=True)
def weights_in_memory_is_right(student, reference, rng):
    """weights_in_memory is right to one decimal."""
    assert_quantity(
        student.weights_in_memory, reference.weights_in_memory, unit="MB", decimals=1
    )
''',
    bank="""from autograder import alternative, mistake

mistake("double precision", weights_in_memory=134.2)
mistake("bits in place of bytes", weights_in_memory="536.9 MB")
mistake("MiB in place of MB", weights_in_memory=64.0)
alternative("a number", weights_in_memory=67.1)
alternative("more exact, in another unit", weights_in_memory="67108.864 kB")
""",
)

PLOT = KindSkeleton(
    question="plot_losses",
    uses=("assert_figure", "drawn"),
    reference='''
def plot_losses(losses: np.ndarray) -> Figure:
    """Draw the losses of a training, and their running mean.

    Args:
        losses: (n,) one for each step, above 0.

    Returns:
        A figure: both curves over the steps 1 to n, on a logarithmic y-axis, with both axes
        labelled and a legend. At step t the running mean is that of the first t losses.
    """
    steps = np.arange(1, len(losses) + 1)
    figure, axes = plt.subplots()
    axes.semilogy(steps, losses, label="loss")
    axes.semilogy(steps, np.cumsum(losses) / steps, label="running mean")
    axes.set(xlabel="step", ylabel="loss")
    axes.legend()
    return figure
''',
    cells='''
# %% [markdown]
# ## {number} A plot of losses (3 points)
# Return a figure with two curves over the steps 1 to $n$: the losses, and their running mean, which
# at step $t$ is the mean of the first $t$ losses. The y-axis is logarithmic; label both axes, and
# add a legend.

# %%
from reference.{name} import plot_losses

# %%
@check("plot_losses", points=3, hint="Which steps are on the x-axis, and which scale is on y?")
@case("ten steps", n=10)
@case("sixty steps", n=60, hidden=True)
def plot_losses_shows_both_curves(student, reference, rng, n):
    """plot_losses draws both curves on a logarithmic axis, with labels and a legend."""
    losses = np.exp(rng.normal(size=n))
    got = student.apply(drawn, "plot_losses", losses)
    assert_figure(got, reference.apply(drawn, "plot_losses", losses), data=["curves"])


self_check(plot_losses_shows_both_curves)
''',
    bank="""import numpy as np
from matplotlib import pyplot as plt

from autograder import alternative, mistake

mistake("steps that begin at 0", edit=("np.arange(1, len(losses) + 1)", "np.arange(len(losses))"))
mistake("a sum in place of the mean", edit=("np.cumsum(losses) / steps", "np.cumsum(losses)"))
mistake("no label on the y-axis", edit=(', ylabel="loss"', ""))
mistake("no legend", edit=("axes.legend()", "pass"))


@mistake("a linear axis")
def _(losses):
    steps = np.arange(1, len(losses) + 1)
    plt.plot(steps, losses, label="loss")
    plt.plot(steps, np.cumsum(losses) / steps, label="running mean")
    plt.xlabel("step")
    plt.ylabel("loss")
    plt.legend()


@alternative("by pyplot, in another order, with words of one's own")
def _(losses):
    steps = 1 + np.arange(len(losses))
    plt.plot(steps, [losses[:t].mean() for t in steps], "k--")
    plt.plot(steps, losses, ".")
    plt.yscale("log")
    plt.xlabel("time")
    plt.ylabel("loss")
    plt.legend(["mean", "single"])
""",
    plots=True,
)
