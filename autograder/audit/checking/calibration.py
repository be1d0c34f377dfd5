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
from dataclasses import replace

import numpy as np

from autograder.artefacts.gaps import Bands, Gaps, SingleBand
from autograder.authoring.standard import Compared, Standard, largest_of
from autograder.authoring.tolerance import DEFAULTS
from autograder.authoring.tolerance import is_coarse as coarse

__all__ = [
    "LARGEST_AT_ZERO",
    "LARGEST_SHARE",
    "ROOM",
    "SAFETY",
    "beyond",
    "factor_between",
    "is_coarse",
    "is_far",
    "lies_in",
    "may_have_room",
    "room_for_single",
    "single_in",
    "standard_in",
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
FAR = 1000.0  # margins beyond which no tolerance is in question
FAR_SHARE = ROOM * LARGEST_SHARE  # the same, beside the largest value
FINEST = 1e-3  # as a factor: below it a default tolerance is that of rounding itself
ONE_ROUNDING = 2.0**-23  # in single precision, which any answer may have that is computed in it


def standard_in(gaps: Gaps, by_default: bool, strict: bool) -> Standard:
    """Return the standard that lies in each gap.

    Args:
        gaps: of a check.
        by_default: whether the check compares by default tolerances at all.
        strict: whether it grades precision.
    """
    if not by_default:
        return Standard()
    factors = (
        factor_between(gaps.double, COARSEST),
        factor_between(gaps.coarse, COARSEST_COARSE),
    )
    if strict:
        return Standard(*factors)
    return Standard(
        *factors,
        room_for_single(_usable(gaps.single, LARGEST_SHARE), LARGEST_SHARE),
        room_for_single(_usable_by_all(gaps.single, LARGEST_SHARE), LARGEST_SHARE),
        room_for_single(_usable(gaps.zero, LARGEST_AT_ZERO), LARGEST_AT_ZERO),
    )


def lies_in(gaps: Gaps, standard: Standard, by_default: bool, strict: bool) -> bool:
    """Return whether a standard lies in each gap, though another may be drawn on this machine.

    Args:
        gaps: of a check.
        standard: that was drawn elsewhere.
        by_default: whether the check compares by default tolerances at all.
        strict: whether it grades precision.
    """
    drawn = standard_in(gaps, by_default, strict)
    factors = (gaps.double, standard.factor), (gaps.coarse, standard.coarse_factor)
    rooms = (
        (_usable(gaps.single, LARGEST_SHARE), standard.single, drawn.single),
        (_usable_by_all(gaps.single, LARGEST_SHARE), standard.in_single, drawn.in_single),
        (_usable(gaps.zero, LARGEST_AT_ZERO), standard.single_at_zero, drawn.single_at_zero),
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


def _usable(band: SingleBand, largest: float) -> SingleBand:
    """Return a band that leaves room for those who are right: for all of them, if one does.

    No case is to take a mistake that fails it. Where that leaves no room for who is right, a case
    may, as long as the mistake fails another: a right answer comes first.
    """
    for right in _rights(band):
        for widest in (band.widest, math.inf):
            one = SingleBand(right, wrong=band.wrong, widest=widest)
            if room_for_single(one, largest):
                return one
    return band


def _usable_by_all(band: SingleBand, largest: float) -> SingleBand:
    """Return the same for a band that holds mistakes off from all cases together, not from each."""
    return _usable(replace(band, widest=math.inf), largest)


def _rights(band: SingleBand) -> tuple[float, ...]:
    """Return how far those who are right are off: with the alternatives, and without."""
    return () if band.right is None else (max(band.right, band.alternatives), band.right)


def _least(band: SingleBand) -> float:
    return min(band.wrong, band.widest)


def factor_between(bands: Bands, coarsest: float) -> float:
    """Return the factor that lies in the gap: 1 if that does, else the nearest that does.

    Where right and wrong lie so close that neither has its distance, it is the middle of the two on
    a logarithmic scale.

    Args:
        bands: which do not overlap.
        coarsest: the factor that no rounding takes.
    """
    highest = min(bands.wrong / ROOM, coarsest)
    needed = max(SAFETY * bands.right, bands.alternatives)  # the least that takes every right one
    if needed > highest:
        middle = math.sqrt(max(bands.right, bands.alternatives) * min(bands.wrong, coarsest))
        return _rounded(middle)
    return _rounded(max(min(max(needed, 1.0), highest), FINEST), upwards=needed > 1.0)


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


def may_have_room(one: Compared) -> bool:
    """Return whether a comparison is one to which room for single precision applies."""
    return not one.own and one.want.dtype.kind in "fc" and not is_coarse(one)


def beyond(one: Compared) -> tuple[float, float]:
    """Return how far an answer is off beyond the relative tolerance: as a share, and as a number.

    Infinite where no room for single precision would let it pass.
    """
    if not may_have_room(one):
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


def is_far(gaps: Gaps) -> bool:
    """Return whether a wrong answer is so far off that no tolerance is in question."""
    far = min(gaps.double.wrong, gaps.coarse.wrong)
    return far > FAR and gaps.single.wrong > FAR_SHARE


def _rounded(factor: float, upwards: bool = False) -> float:
    """Return a number of two digits beside a factor, so that a tolerance can be read."""
    if factor == 1.0:
        return 1.0
    places = 1 - math.floor(math.log10(factor))
    shift = (math.ceil if upwards else math.floor)(factor * 10.0**places)
    return float(f"{shift / 10.0**places:.3g}")
