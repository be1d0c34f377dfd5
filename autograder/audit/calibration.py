"""Calibration: the tolerance lies in the gap between the right answers and the wrong ones.

All figures are margins: errors in units of the check's tolerance with a slack of 1. Right answers
reach up to ``right``; the nearest wrong one begins at ``wrong``. The tolerance has to lie between,
away from both: a spread that was measured on a few inputs is larger on others.
"""

import math
from dataclasses import dataclass

__all__ = ["ROOM", "SAFETY", "Bands", "slack_between"]

SAFETY = 4.0  # how much further right answers may lie than those that were measured
ROOM = 2.0  # how much nearer a wrong answer may lie than those that were
COARSEST = 1000.0  # slack: 1e-4 in double precision, which no rounding takes
FINEST = 1e-3  # slack: below it a default tolerance is that of rounding itself


@dataclass(frozen=True)
class Bands:
    """What is right and what is wrong in one check.

    Attributes:
        right: the largest margin of right answers that differ by rounding.
        alternatives: the largest of alternatives, which must pass as they are.
        precision: that of the reference in single precision; None where that says nothing.
        wrong: the smallest margin of wrong answers; infinite where they differ in more than
            numbers.
    """

    right: float = 0.0
    alternatives: float = 0.0
    precision: float | None = None
    wrong: float = math.inf

    @property
    def needed(self) -> float:
        """The least slack that takes every right answer."""
        return max(SAFETY * self.right, self.alternatives)

    @property
    def overlap(self) -> bool:
        """Whether some wrong answer is no further away than a right one."""
        return self.wrong <= max(self.right, self.alternatives)

    def within(self, slack: float) -> "Bands":
        """Return the same in units of the tolerance with a slack."""
        precision = None if self.precision is None else self.precision / slack
        return Bands(self.right / slack, self.alternatives / slack, precision, self.wrong / slack)


def slack_between(bands: Bands, strict: bool) -> float:
    """Return the slack that lies in the gap: 1 if that does, else the nearest that does.

    Single precision is taken in wherever the wrong answers leave room. Where right and wrong lie
    so close that neither has its distance, it is the middle of the two on a logarithmic scale.

    Args:
        bands: which do not overlap.
        strict: whether the check grades precision.
    """
    highest = min(bands.wrong / ROOM, COARSEST)
    if bands.needed > highest:
        return _rounded(math.sqrt(max(bands.right, bands.alternatives) * bands.wrong))
    lowest = bands.needed
    if not strict and bands.precision is not None:
        lowest = max(lowest, min(ROOM * bands.precision, highest))
    return _rounded(max(min(max(lowest, 1.0), highest), FINEST), upwards=lowest > 1.0 >= 0)


def _rounded(slack: float, upwards: bool = False) -> float:
    """Return a number of two digits beside a slack, so that a tolerance can be read."""
    if slack == 1.0:
        return 1.0
    places = 1 - math.floor(math.log10(slack))
    shift = (math.ceil if upwards else math.floor)(slack * 10**places)
    return float(shift / 10**places)
