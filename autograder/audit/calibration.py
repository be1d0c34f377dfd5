"""Calibration: the tolerance lies in the gap between the right answers and the wrong ones.

Most figures are margins: errors in units of the check's default tolerance. Right answers reach up
to ``right``; the nearest wrong one begins at ``wrong``. The tolerance has to lie between, away from
both: a spread that was measured on a few inputs is larger on others.

Each precision that a question is asked in has a gap of its own. And an answer to a question in
double precision may have been computed in single precision: its error is measured beside the
largest value that is wanted, as sums of large numbers may cancel, and its room lies in a gap too.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autograder.authoring.standard import Compared, Standard, largest_of

__all__ = [
    "LARGEST_SHARE",
    "ROOM",
    "SAFETY",
    "Bands",
    "Gaps",
    "SingleBand",
    "beyond",
    "is_coarse",
    "is_zero",
    "room_for_single",
    "single_in",
    "slack_between",
    "widest_in",
    "wrong_in",
]

SAFETY = 4.0  # how much further right answers may lie than those that were measured
ROOM = 2.0  # how much nearer a wrong answer may lie than those that were
COARSEST = 1000.0  # slack: 1e-4 in double precision, which no rounding takes
COARSEST_COARSE = 10.0  # slack: the same 1e-4, in single precision
LARGEST_SHARE = 1e-4  # and the same for what is computed in single precision
FINEST = 1e-3  # slack: below it a default tolerance is that of rounding itself
ONE_ROUNDING = 2.0**-23  # in single precision, which any answer may have that is computed in it
COARSE = ("float32", "float16", "complex64")


@dataclass(frozen=True)
class Bands:
    """What is right and what is wrong in one check, where one precision is wanted.

    Attributes:
        right: the largest margin of right answers that differ by rounding.
        alternatives: the largest of alternatives, which must pass as they are.
        wrong: the smallest margin of wrong answers; infinite where they differ in more than
            numbers.
    """

    right: float = 0.0
    alternatives: float = 0.0
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
        return Bands(self.right / slack, self.alternatives / slack, self.wrong / slack)


@dataclass(frozen=True)
class SingleBand:
    """Answers to questions in double precision that are off as if computed in single precision.

    All figures are beyond the relative tolerance, and shares of the largest value wanted; where
    every value wanted is zero they are numbers.

    Attributes:
        right: the largest of the reference, computed in single precision; None if none was seen.
        wrong: the smallest of wrong answers.
        widest: beyond which a mistake would pass a case that it fails.
    """

    right: float | None = None
    wrong: float = math.inf
    widest: float = math.inf


@dataclass(frozen=True)
class Gaps:
    """All bands of a check: for double precision wanted, for a coarser one, and for single.

    ``zero`` is that for single precision where every value wanted is zero.
    """

    double: Bands = field(default_factory=Bands)
    coarse: Bands = field(default_factory=Bands)
    single: SingleBand = field(default_factory=SingleBand)
    zero: SingleBand = field(default_factory=SingleBand)

    @property
    def overlap(self) -> Bands | None:
        """The bands in which right and wrong overlap, if some do."""
        return next((bands for bands in (self.double, self.coarse) if bands.overlap), None)

    def standard(self, by_default: bool, strict: bool) -> Standard:
        """Return the standard that lies in each gap.

        Args:
            by_default: whether the check compares by default tolerances at all.
            strict: whether it grades precision.
        """
        if not by_default:
            return Standard()
        return Standard(
            slack_between(self.double, COARSEST),
            slack_between(self.coarse, COARSEST_COARSE),
            0.0 if strict else room_for_single(self.single),
            0.0 if strict else room_for_single(self.zero),
        )

    def within(self, standard: Standard) -> Bands:
        """Return the bands of all precisions as one, in units of the tolerance of a standard."""
        bands = self.double.within(standard.slack), self.coarse.within(standard.coarse_slack)
        rooms = (self.single, standard.single), (self.zero, standard.single_at_zero)
        wrong = min((band.wrong / room for band, room in rooms if room), default=math.inf)
        return Bands(
            max(one.right for one in bands),
            max(one.alternatives for one in bands),
            min(wrong, *(one.wrong for one in bands)),
        )

    def with_wrong(self, other: "Gaps") -> "Gaps":
        """Return the same with the nearer of two wrong answers in each precision."""
        return Gaps(
            replace(self.double, wrong=min(self.double.wrong, other.double.wrong)),
            replace(self.coarse, wrong=min(self.coarse.wrong, other.coarse.wrong)),
            _nearer(self.single, other.single),
            _nearer(self.zero, other.zero),
        )


def _nearer(mine: SingleBand, its: SingleBand) -> SingleBand:
    return replace(mine, wrong=min(mine.wrong, its.wrong), widest=min(mine.widest, its.widest))


def slack_between(bands: Bands, coarsest: float) -> float:
    """Return the slack that lies in the gap: 1 if that does, else the nearest that does.

    Where right and wrong lie so close that neither has its distance, it is the middle of the two on
    a logarithmic scale.

    Args:
        bands: which do not overlap.
        coarsest: the slack that no rounding takes.
    """
    highest = min(bands.wrong / ROOM, coarsest)
    if bands.needed > highest:
        middle = math.sqrt(max(bands.right, bands.alternatives) * min(bands.wrong, coarsest))
        return _rounded(middle)
    return _rounded(max(min(max(bands.needed, 1.0), highest), FINEST), upwards=bands.needed > 1.0)


def room_for_single(band: SingleBand) -> float:
    """Return the room that answers in single precision get: 0 where they have none."""
    if band.right is None:
        return 0.0
    wanted = SAFETY * max(band.right, ONE_ROUNDING)
    room = _rounded(min(wanted, LARGEST_SHARE, band.wrong / ROOM, band.widest / ROOM))
    return room if room >= band.right else 0.0


def is_coarse(one: Compared) -> bool:
    """Return whether numbers of less than double precision are wanted."""
    return one.want.dtype.name in COARSE


def single_in(compared: Iterable[Compared]) -> tuple[float | None, float | None]:
    """Return how far answers are off at most: by a share of the largest value, and at zero.

    None where no finite error was seen.
    """
    found = [(is_zero(one), beyond(one)) for one in compared]
    shares, numbers = (
        [off for zero, off in found if zero is at_zero and math.isfinite(off)]
        for at_zero in (False, True)
    )
    return max(shares, default=None), max(numbers, default=None)


def is_zero(one: Compared) -> bool:
    """Return whether every value that is wanted is zero."""
    return not largest_of(one.want)


def beyond(one: Compared) -> float:
    """Return how far an answer is off beyond the relative tolerance: a share, or a number at zero.

    Infinite where no room for single precision would let it pass.
    """
    if one.own or one.want.dtype.kind not in "fc" or is_coarse(one) or not one.want.size:
        return math.inf
    with np.errstate(all="ignore"):
        off = np.abs(one.got - one.want) - one.tolerance.rtol * np.abs(one.want)
        off = np.where(one.got == one.want, 0.0, off)
        found = float(np.max(off, initial=0.0) / (largest_of(one.want) or 1.0))
    return found if math.isfinite(found) else math.inf


def widest_in(miss: Compared) -> Gaps:
    """Return with which room for single precision a case would pass that fails by a comparison."""
    band = SingleBand(widest=beyond(miss))
    return Gaps(zero=band) if is_zero(miss) else Gaps(single=band)


def wrong_in(far: float, misses: Sequence[Compared]) -> Gaps:
    """Return from which tolerances on a wrong answer would pass every case.

    Where it fails in several ways, it takes all of them to pass; the room for double precision,
    which is looked at, is not made wider by the others.

    Args:
        far: its largest margin; infinite where a case fails by more than numbers.
        misses: what its cases fail by.
    """
    if not math.isfinite(far):
        return Gaps()
    double = [one for one in misses if not is_coarse(one)]
    if misses and not double:
        return Gaps(coarse=Bands(wrong=far))
    band = SingleBand(wrong=max(map(beyond, misses), default=math.inf))
    found = Gaps(Bands(wrong=max((one.margin for one in double), default=far)))
    if any(map(is_zero, double)):
        return replace(found, zero=band)
    return replace(found, single=band)


def _rounded(slack: float, upwards: bool = False) -> float:
    """Return a number of two digits beside a slack, so that a tolerance can be read."""
    if slack == 1.0:
        return 1.0
    places = 1 - math.floor(math.log10(slack))
    shift = (math.ceil if upwards else math.floor)(slack * 10.0**places)
    return float(f"{shift / 10.0**places:.3g}")
