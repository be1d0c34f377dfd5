"""The audit's report: what was tried against each check and what held, for people and machines."""

import json
import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from autograder.audit.calibration import Bands, Gaps
from autograder.audit.proof import Survivor
from autograder.authoring.standard import Standard

__all__ = ["Audit", "CheckReport", "Placed", "told_of"]


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
        null_models: how many were tried, and rejected.
        kills: mutants that it rejected first, by the class of the slip.
        equivalent: mutants of what it checks that no trial tells from the reference.
        survivors: mutants that differ and that it should have rejected.
        gaps: between right and wrong answers.
        by_default: whether it compares by a default tolerance, which a standard changes.
        own_right: what right answers reach of the tolerances that it gives itself.
        nearest: the wrong answer that is least far off.
        free: cases that null models pass.
    """

    name: str
    question: str
    points: float
    cases: int
    mistakes: tuple[int, int]
    alternatives: int
    null_models: int
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
        return (
            f"{self.name:<44} {self.points:>5g} points  {self.cases:>2} cases  "
            f"mistakes {rejected}/{kept}  alternatives {self.alternatives}  "
            f"null models {self.null_models}  "
            f"mutants {self.killed}/{self.killed + len(self.survivors)}  "
            f"right up to {_figure(bands.right)}, wrong from {_figure(bands.wrong)}"
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the check's part of ``audit.json``."""
        bands = self.standing
        return {
            "name": self.name,
            "question": self.question,
            "points": self.points,
            "cases": self.cases,
            "slack": self.standard.slack,
            "coarse_slack": self.standard.coarse_slack,
            "single": self.standard.single,
            "in_single": self.standard.in_single,
            "single_at_zero": self.standard.single_at_zero,
            "accept_band": [0.0, _number(bands.right)],
            "alternatives_band": [0.0, _number(bands.alternatives)],
            "precision_band": None if self.precision is None else [0.0, _number(self.precision)],
            "reject_band": [_number(bands.wrong), None],
            "gap": _number(bands.wrong / bands.right) if bands.right else None,
            "nearest_wrong": self.nearest,
            "null_models": {"tried": self.null_models, "rejected": self.null_models},
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
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Audit:
    """What an assignment's proof says, with what was tried in sessions on this machine.

    Attributes:
        mistakes: how many are kept, and how many some check of their question rejects.
        killed: how many mutants some check rejected.
        equivalent: how many no trial tells from the reference.
        survivors: those that differ and pass.
        now: the checks that were proven now; the proof of the others stood.
        solution_earned: what the solution notebook earns, of ``possible`` points.
        secrets: how many were looked for in the release.
    """

    assignment: str
    title: str
    checks: tuple[CheckReport, ...]
    mistakes: tuple[int, int]
    alternatives: int
    killed: int
    equivalent: int
    survivors: tuple[Placed, ...]
    possible: float
    now: frozenset[str] = frozenset()
    solution_earned: float = 0.0
    blank_earned: float = 0.0
    secrets: int = 0
    findings: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """The share of mutants that are found out, without those that nothing tells apart."""
        alive = self.killed + len(self.survivors)
        return self.killed / alive if alive else 1.0

    def summary(self, details: bool = False) -> list[str]:
        """Return the report for a terminal: some lines, or one for each check before them."""
        lines = [f"  {check.line()}" for check in self.checks] if details else []
        kept, rejected = self.mistakes
        nulls = sum(check.null_models for check in self.checks)
        lines.append(
            f"{self.assignment}: {len(self.checks)} checks, "
            f"{sum(check.cases for check in self.checks)} cases; "
            f"{rejected} of {kept} mistakes and {nulls} null models rejected, "
            f"{self.alternatives} alternatives accepted; "
            f"the solution earns {self.solution_earned:g} of {self.possible:g}, "
            f"the blank release {self.blank_earned:g}; "
            f"{self.secrets} secrets looked for in the release"
        )
        lines.append(self._mutation())
        for placed in self.survivors if details else []:
            one = placed.survivor
            lines.append(f"  survives: {placed.place}, line {one.line}: {one.operator}")
            lines += [f"    - {one.before}", f"    + {one.after}"]
            lines += [f"    {text}" for text in told_of(one)]
        return lines

    def news(self) -> list[str]:
        """Return lines on the checks that were proven now, and on what they let through."""
        new = [check for check in self.checks if check.name in self.now]
        lines = [f"  {check.line()}" for check in new]
        for check in new:
            for placed in (p for p in check.survivors if p.survivor.reason is None):
                one = placed.survivor
                lines.append(f"  {check.name} lets through, {placed.place}, line {one.line}:")
                lines += [f"    - {one.before}", f"    + {one.after}"]
                lines += [f"    {text}" for text in told_of(one)]
        stood = len(self.checks) - len(new)
        count = f"{len(new)} check{'' if len(new) == 1 else 's'}"
        lines.append(f"{self.assignment}: {count} proven now, the proof of {stood} stands")
        return lines

    def _mutation(self) -> str:
        alive = len(self.survivors)
        explained = sum(placed.survivor.reason is not None for placed in self.survivors)
        text = (
            f"{self.assignment}: {self.killed + self.equivalent + alive} mutants, "
            f"{self.killed} killed, {self.equivalent} equivalent, {alive} survive"
        )
        if alive:
            text += f" ({explained} explained)"
        return f"{text}; score {100 * self.score:.1f} %"

    def to_json(self, fingerprint: str) -> bytes:
        """Return the report for machines.

        Args:
            fingerprint: of what the assignment was made from.
        """
        kills: Counter[str] = Counter()
        for check in self.checks:
            kills.update(check.kills)
        whole: dict[str, Any] = {
            "assignment": self.assignment,
            "title": self.title,
            "fingerprint": fingerprint,
            "score": round(self.score, 6),
            "mutants": {
                "tried": self.killed + self.equivalent + len(self.survivors),
                "killed": self.killed,
                "equivalent": self.equivalent,
                "survivors": len(self.survivors),
            },
            "kills_by_class": dict(sorted(kills.items(), key=lambda kind: (-kind[1], kind[0]))),
            "checks": [check.to_plain() for check in self.checks],
            "solution": {"earned": self.solution_earned, "possible": self.possible},
            "blank": {"earned": self.blank_earned},
            "secrets_searched": self.secrets,
            "findings": list(self.findings),
            "summary": self.summary(),
            "details": self.summary(details=True),
            "seconds": round(self.seconds, 3),
        }
        return json.dumps(whole, indent=1, ensure_ascii=False).encode() + b"\n"


def told_of(survivor: Survivor) -> list[str]:
    """Return what there is to say of a survivor: why it may live, or what would tell it apart."""
    if survivor.reason is not None:
        return [survivor.reason]
    case = [f"a case that rejects it: {survivor.case}"] if survivor.case else []
    return [f"differs on {survivor.difference}", *case]


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
