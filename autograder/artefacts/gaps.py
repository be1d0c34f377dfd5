"""Gaps: between what the right answers to a check differ by and what the wrong ones do.

Most figures are margins: errors in units of the check's default tolerance. Which tolerance is drawn
into a gap is the audit's to say (`autograder.audit.checking.calibration`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.authoring.standard import Standard

__all__ = ["Bands", "Figures", "Gaps", "SingleBand", "figures_of", "gaps_from"]

Figures = dict[str, dict[str, float]]  # of gaps; what is left out has its default


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
        alternatives: the largest of alternatives, computed in single precision.
    """

    right: float | None = None
    wrong: float = math.inf
    widest: float = math.inf
    alternatives: float = 0.0


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


def _nearer(mine: SingleBand, its: SingleBand) -> SingleBand:
    return replace(mine, wrong=min(mine.wrong, its.wrong), widest=min(mine.widest, its.widest))


def figures_of(gaps: Gaps) -> Figures:
    """Return gaps as plain figures of three digits, without those that are the default."""
    found: Figures = {}
    for name in ("double", "coarse", "single", "zero"):
        band, default = getattr(gaps, name), getattr(Gaps(), name)
        plain = {
            key: _rounded(value)
            for key, value in vars(band).items()
            if value != getattr(default, key)
        }
        if plain:
            found[name] = plain
    return found


def gaps_from(figures: Mapping[str, Mapping[str, Any]]) -> Gaps:
    """Return the gaps of some figures."""
    double, coarse = (replace(Bands(), **figures.get(name, {})) for name in ("double", "coarse"))
    single, zero = (replace(SingleBand(), **figures.get(name, {})) for name in ("single", "zero"))
    return Gaps(double, coarse, single, zero)


def _rounded(value: float) -> float:
    return float(f"{value:.3g}") if math.isfinite(value) else value
