"""What the proof of an assignment says of one check, for people and machines."""

import math
from dataclasses import dataclass, replace
from typing import Any

from autograder.artefacts.gaps import Bands, Gaps
from autograder.artefacts.proof import Draw, Survivor
from autograder.authoring.standard import Standard

__all__ = ["CheckReport", "Placed"]


@dataclass(frozen=True)
class Placed:
    """A survivor and where it is."""

    place: str
    survivor: Survivor


@dataclass(frozen=True)
class CheckReport:
    """What the proof of an assignment says of one check.

    Attributes:
        mistakes: how many its question keeps, and how many of them it rejects.
        alternatives: how many pass.
        null_models: how many were tried, but for guesses that are right, and how many of them it
            rejects.
        kills: mutants that it rejected first, by the class of the mistake.
        equivalent: mutants of what it checks that no trial tells from the reference.
        survivors: mutants that differ and that it should have rejected.
        gaps: between right and wrong answers.
        by_default: whether it compares by a default tolerance, which a standard changes.
        own_right: what right answers reach of the tolerances that it gives itself.
        nearest: the wrong answer that is least far off.
        free: cases that null models pass.
        draws: the cases that were drawn for what no other case rejects.
    """

    name: str
    question: str
    points: float
    cases: int
    mistakes: tuple[int, int]
    alternatives: int
    null_models: tuple[int, int]
    kills: dict[str, int]
    equivalent: int
    survivors: tuple[Placed, ...]
    gaps: Gaps
    by_default: bool
    own_right: float
    standard: Standard
    nearest: str | None
    free: dict[str, list[str]]
    notes: tuple[str, ...]
    draws: tuple[Draw, ...] = ()

    @property
    def killed(self) -> int:
        """How many mutants it rejected first."""
        return sum(self.kills.values())

    @property
    def standing(self) -> Bands:
        """The bands in units of the tolerance that the check has."""
        bands = self.gaps.within(self.standard)
        return replace(bands, right=max(bands.right, self.own_right))

    @property
    def precision(self) -> float | None:
        """How far the reference in single precision is off, in units of the room for it.

        Infinite where there is no room, None where nothing was measured.
        """
        right, room = self.gaps.single.right, self.standard.in_single
        if right is None or not self.by_default:
            return None
        return right / room if room else math.inf

    def line(self) -> str:
        """Return the check's line in a table."""
        bands = self.standing
        kept, rejected = self.mistakes
        nulls, fail = self.null_models
        return (
            f"{self.name:<44} {self.points:>5g} points  {self.cases:>2} cases  "
            f"mistakes {rejected}/{kept}  alternatives {self.alternatives}  "
            f"null models {fail}/{nulls}  "
            f"mutants {self.killed}/{self.killed + len(self.survivors)}  "
            f"right up to {_figure(bands.right)}, wrong from {_figure(bands.wrong)}"
        )

    def reasons(self) -> list[str]:
        """Return what each case is there for that was drawn for something."""
        return [
            f"{self.name}, case {draw.name!r}: for "
            f"{'; '.join(map(repr, draw.rejects))}, which passes all others"
            for draw in self.draws
        ]

    def to_plain(self) -> dict[str, Any]:
        """Return the check's part of ``audit.json``."""
        bands = self.standing
        return {
            "name": self.name,
            "question": self.question,
            "points": self.points,
            "cases": self.cases,
            "factor": self.standard.factor,
            "coarse_factor": self.standard.coarse_factor,
            "single": self.standard.single,
            "in_single": self.standard.in_single,
            "single_at_zero": self.standard.single_at_zero,
            "accept_band": [0.0, _number(bands.right)],
            "alternatives_band": [0.0, _number(bands.alternatives)],
            "precision_band": None if self.precision is None else [0.0, _number(self.precision)],
            "reject_band": [_number(bands.wrong), None],
            "gap": _number(bands.wrong / bands.right) if bands.right else None,
            "nearest_wrong": self.nearest,
            "null_models": {"tried": self.null_models[0], "rejected": self.null_models[1]},
            "free_cases": self.free,
            "mistakes": {"tried": self.mistakes[0], "rejected": self.mistakes[1]},
            "alternatives": {"tried": self.alternatives, "accepted": self.alternatives},
            "mutants": {
                "tried": self.killed + self.equivalent + len(self.survivors),
                "killed": self.killed,
                "equivalent": self.equivalent,
                "killed_by_class": self.kills,
                "survivors": [_survivor(survivor) for survivor in self.survivors],
            },
            "draws": [{"case": draw.name, "rejects": draw.rejects} for draw in self.draws],
            "notes": list(self.notes),
        }


def _survivor(placed: Placed) -> dict[str, Any]:
    one = placed.survivor
    return {
        "place": placed.place,
        "line": one.line,
        "class": one.operator,
        "before": one.before,
        "after": one.after,
        "differs_on": one.difference,
        "reason": one.reason,
        "case": one.case,
    }


def _number(value: float) -> float | None:
    return float(f"{value:.3g}") if math.isfinite(value) else None


def _figure(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "never"
