from autograder import alternative, mistake
from reference.answers.training import curve_causes


def exchanged(*panels):
    """Return the right answer with the numbers of two panels exchanged."""
    one, other = panels
    return {**curve_causes, one: curve_causes[other], other: curve_causes[one]}


mistake(
    "a loss that creeps is not a loss that stands still: look at the scale",
    curve_causes=exchanged("A", "G"),
)
mistake(
    "a high start taken for a high learning rate: after it the curve is smooth",
    curve_causes=exchanged("D", "H"),
)
mistake(
    "validation as good as training is no sign of health if nothing can be learned",
    curve_causes=exchanged("C", "F"),
)
mistake(
    "a loss that levels off early has reached a floor: well below chance, far above zero",
    curve_causes=exchanged("E", "G"),
)
mistake(
    "overfitting: training goes on falling while validation rises again",
    curve_causes=exchanged("B", "F"),
)
mistake(
    "a learning rate too high for panel A: steps of any length would move the loss",
    curve_causes=exchanged("A", "D"),
)
mistake("one number for all panels", curve_causes=dict.fromkeys("ABCDEFGH", 4))
mistake("numbers as text", curve_causes={k: str(v) for k, v in curve_causes.items()})
alternative(
    "the letters in another order",
    curve_causes=dict(reversed(curve_causes.items())),
)
