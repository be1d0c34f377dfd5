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
from autograder.authoring.tolerance import DEFAULTS
from autograder.authoring.tolerance import is_coarse as coarse

__all__ = [
    "LARGEST_SHARE",
    "ROOM",
    "SAFETY",
    "Bands",
    "Gaps",
    "SingleBand",
    "beyond",
    "factor_between",
    "is_coarse",
    "room_for_single",
    "single_in",
    "widest_in",
    "wrong_in",
]

SAFETY = 4.0  # how much further right answers may lie than those that were measured
ROOM = 2.0  # how much nearer a wrong answer may lie than those that were
KEPT = 1.5  # how far from both a tolerance must lie that was put into the gap elsewhere
COARSEST = 1000.0  # as a factor: 1e-4 in double precision, which no rounding takes
COARSEST_COARSE = 10.0  # as a factor: the same 1e-4, in single precision
LARGEST_SHARE = 1e-4  # and the same for what is computed in single precision
LARGEST_AT_ZERO = 1e-6  # and as a number, where values cancel out
FINEST = 1e-3  # as a factor: below it a default tolerance is that of rounding itself
ONE_ROUNDING = 2.0**-23  # in single precision, which any answer may have that is computed in it


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
        """The least factor that takes every right answer."""
        return max(SAFETY * self.right, self.alternatives)

    @property
    def overlap(self) -> bool:
        """Whether some wrong answer is no further away than a right one."""
        return self.wrong <= max(self.right, self.alternatives)

    def within(self, factor: float) -> "Bands":
        """Return the same in units of the tolerance with a factor."""
        return Bands(self.right / factor, self.alternatives / factor, self.wrong / factor)


@dataclass(frozen=True)
class SingleBand:
    """Answers to questions in double precision that are off as if computed in single precision.

    All figures are beyond the relative tolerance: shares of the largest value wanted, or numbers,
    where values cancel out and a share says nothing.

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

    ``zero`` is that for single precision as numbers, where values cancel out.
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
        factors = (
            factor_between(self.double, COARSEST),
            factor_between(self.coarse, COARSEST_COARSE),
        )
        if strict:
            return Standard(*factors)
        return Standard(
            *factors,
            room_for_single(self.single, LARGEST_SHARE),
            room_for_single(replace(self.single, widest=math.inf), LARGEST_SHARE),
            room_for_single(self.zero, LARGEST_AT_ZERO),
        )

    def takes(self, standard: Standard, by_default: bool, strict: bool) -> bool:
        """Return whether a standard lies in each gap, though another may be drawn on this machine.

        Args:
            standard: that was drawn elsewhere.
            by_default: whether the check compares by default tolerances at all.
            strict: whether it grades precision.
        """
        drawn = self.standard(by_default, strict)
        factors = (self.double, standard.factor), (self.coarse, standard.coarse_factor)
        rooms = (
            (self.single, standard.single, drawn.single),
            (replace(self.single, widest=math.inf), standard.in_single, drawn.in_single),
            (self.zero, standard.single_at_zero, drawn.single_at_zero),
        )
        return standard == drawn or (
            by_default
            and all(max(b.right * KEPT, b.alternatives) <= s <= b.wrong / KEPT for b, s in factors)
            and all(
                bool(room) == bool(other)
                and (not room or (band.right or 0.0) <= room <= _least(band) / KEPT)
                for band, room, other in rooms
            )
        )

    def within(self, standard: Standard) -> Bands:
        """Return the bands of all precisions as one, in units of the tolerance of a standard."""
        bands = self.double.within(standard.factor), self.coarse.within(standard.coarse_factor)
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


def _least(band: SingleBand) -> float:
    return min(band.wrong, band.widest)


def _nearer(mine: SingleBand, its: SingleBand) -> SingleBand:
    return replace(mine, wrong=min(mine.wrong, its.wrong), widest=min(mine.widest, its.widest))


def factor_between(bands: Bands, coarsest: float) -> float:
    """Return the factor that lies in the gap: 1 if that does, else the nearest that does.

    Where right and wrong lie so close that neither has its distance, it is the middle of the two on
    a logarithmic scale.

    Args:
        bands: which do not overlap.
        coarsest: the factor that no rounding takes.
    """
    highest = min(bands.wrong / ROOM, coarsest)
    if bands.needed > highest:
        middle = math.sqrt(max(bands.right, bands.alternatives) * min(bands.wrong, coarsest))
        return _rounded(middle)
    return _rounded(max(min(max(bands.needed, 1.0), highest), FINEST), upwards=bands.needed > 1.0)


def room_for_single(band: SingleBand, largest: float) -> float:
    """Return the room that answers in single precision get: 0 where they have none."""
    if band.right is None:
        return 0.0
    wanted = SAFETY * max(band.right, ONE_ROUNDING)
    room = _rounded(min(wanted, largest, band.wrong / ROOM, band.widest / ROOM))
    return room if room >= band.right else 0.0


def is_coarse(one: Compared) -> bool:
    """Return whether numbers of less than double precision are wanted."""
    return coarse([one.want.dtype.name])


def single_in(compared: Iterable[Compared]) -> tuple[float | None, float | None]:
    """Return how far answers are off at most: by a share of the largest value, and as a number.

    As a number where that is more than any share that counts as rounding; None if none was seen.
    """
    found = [pair for pair in map(beyond, compared) if math.isfinite(pair[1])]
    shares = [share for share, _ in found if share <= LARGEST_SHARE]
    numbers = [number for share, number in found if share > LARGEST_SHARE]
    return max(shares, default=None), max(numbers, default=None)


def beyond(one: Compared) -> tuple[float, float]:
    """Return how far an answer is off beyond the relative tolerance: as a share, and as a number.

    Infinite where no room for single precision would let it pass.
    """
    if one.own or one.want.dtype.kind not in "fc" or is_coarse(one):
        return math.inf, math.inf
    with np.errstate(all="ignore"):
        off = np.abs(one.got - one.want) - DEFAULTS["float64"].rtol * np.abs(one.want)
        off = np.where(one.got == one.want, 0.0, off)
        number = float(np.max(off, initial=0.0))
    if not math.isfinite(number):
        return math.inf, math.inf
    if number == 0.0:
        return 0.0, 0.0
    largest = largest_of(one.want)
    return number / largest if largest else math.inf, number


def widest_in(miss: Compared) -> Gaps:
    """Return with which room for single precision a case would pass that fails by a comparison."""
    share, number = beyond(miss)
    return Gaps(single=SingleBand(widest=share), zero=SingleBand(widest=number))


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
    offs = [beyond(one) for one in misses]
    return Gaps(
        Bands(wrong=max((one.margin for one in double), default=far)),
        single=SingleBand(wrong=max((share for share, _ in offs), default=math.inf)),
        zero=SingleBand(wrong=max((number for _, number in offs), default=math.inf)),
    )


def _rounded(factor: float, upwards: bool = False) -> float:
    """Return a number of two digits beside a factor, so that a tolerance can be read."""
    if factor == 1.0:
        return 1.0
    places = 1 - math.floor(math.log10(factor))
    shift = (math.ceil if upwards else math.floor)(factor * 10.0**places)
    return float(f"{shift / 10.0**places:.3g}")
