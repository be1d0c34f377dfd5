"""The audit's report: what was tried against each check and what held, for people and machines."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.audit.calibration import Bands, Gaps
from autograder.audit.kills import Fate, MutantResult
from autograder.authoring.standard import Standard
from autograder.grading.bundle import Slip

__all__ = ["Audit", "CheckAudit", "Survivor", "Tally"]


@dataclass
class Tally:
    """How many were tried, and how many came out as they must."""

    tried: int = 0
    held: int = 0

    def add(self, held: bool) -> None:
        """Count one."""
        self.tried += 1
        self.held += held

    def __str__(self) -> str:
        return f"{self.held}/{self.tried}"


@dataclass(frozen=True)
class Survivor:
    """A mutant that differs from the reference and that no check finds out.

    ``reason`` is what the reference says of it, in a comment ``# survives: …`` there or above it.
    """

    mutant: MutantResult
    reason: str | None


@dataclass
class CheckAudit:
    """What was tried against one check, and what held."""

    name: str
    question: str
    points: float
    cases: int
    mistakes: Tally = field(default_factory=Tally)
    alternatives: Tally = field(default_factory=Tally)
    null_models: Tally = field(default_factory=Tally)
    mutants: Tally = field(default_factory=Tally)  # that ask for what it checks, and that it kills
    equivalent: int = 0
    survivors: list[Survivor] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)  # by class of slip
    gaps: Gaps = field(default_factory=Gaps)
    by_default: bool = False  # whether it compares by a default tolerance, which a standard changes
    own_right: float = 0.0  # what right answers reach of the tolerances that it gives itself
    standard: Standard = field(default_factory=Standard)
    # Alternatives that need room for single precision: how much, and what is wrong without it.
    needing: list[tuple[float, str]] = field(default_factory=list)
    nearest: str | None = None  # the wrong answer that is least far off
    free: dict[str, list[str]] = field(default_factory=dict)  # cases that null models pass
    notes: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0

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
        return (
            f"{self.name:<44} {self.points:>5g} points  {self.cases:>2} cases  "
            f"mistakes {self.mistakes}  alternatives {self.alternatives}  "
            f"null models {self.null_models}  "
            f"mutants {self.mutants.held}/{self.mutants.tried - self.equivalent}  "
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
            "null_models": {"tried": self.null_models.tried, "rejected": self.null_models.held},
            "free_cases": self.free,
            "mistakes": {"tried": self.mistakes.tried, "rejected": self.mistakes.held},
            "alternatives": {"tried": self.alternatives.tried, "accepted": self.alternatives.held},
            "mutants": {
                "tried": self.mutants.tried,
                "killed": self.mutants.held,
                "equivalent": self.equivalent,
                "killed_by_class": self.kills,
                "survivors": [_survivor(survivor) for survivor in self.survivors],
            },
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }


@dataclass
class Audit:
    """The audit of an assignment; it is proven right if there are no findings."""

    assignment: str
    title: str = ""
    checks: list[CheckAudit] = field(default_factory=list)
    mutants: list[MutantResult] = field(default_factory=list)
    slips: list[Slip] = field(default_factory=list)  # the mutants that a diagnosis can name
    findings: list[str] = field(default_factory=list)
    solution_earned: float = 0.0
    blank_earned: float = 0.0
    possible: float = 0.0
    secrets: int = 0
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """The share of mutants that are found out, without those that nothing tells apart."""
        fates = [mutant.fate for mutant in self.mutants]
        alive = len(fates) - fates.count(Fate.EQUIVALENT)
        return fates.count(Fate.KILLED) / alive if alive else 1.0

    @property
    def survivors(self) -> list[Survivor]:
        """The mutants that no check finds out, each once."""
        unique = {id(s.mutant): s for check in self.checks for s in check.survivors}
        return list(unique.values())

    def summary(self, details: bool = False) -> list[str]:
        """Return the report for a terminal: some lines, or one for each check before them."""
        lines = [f"  {check.line()}" for check in self.checks] if details else []
        mistakes, alternatives, nulls = (
            _sum(getattr(check, name) for check in self.checks)
            for name in ("mistakes", "alternatives", "null_models")
        )
        lines.append(
            f"{self.assignment}: {len(self.checks)} checks, "
            f"{sum(check.cases for check in self.checks)} cases; "
            f"{mistakes.held} of {mistakes.tried} mistakes and "
            f"{nulls.held} of {nulls.tried} null models rejected, "
            f"{alternatives.held} of {alternatives.tried} alternatives accepted; "
            f"the solution earns {self.solution_earned:g} of {self.possible:g}, "
            f"the blank release {self.blank_earned:g}; "
            f"{self.secrets} secrets looked for in the release"
        )
        lines.append(self._mutation())
        for survivor in self.survivors if details else []:
            mutant = survivor.mutant
            lines.append(f"  survives: {mutant.place}, line {mutant.line}: {mutant.operator}")
            lines += [f"    - {mutant.before}", f"    + {mutant.after}"]
            lines.append(f"    {survivor.reason or f'differs on {mutant.difference}'}")
        return lines

    def _mutation(self) -> str:
        fates = [mutant.fate for mutant in self.mutants]
        survivors = self.survivors
        explained = sum(survivor.reason is not None for survivor in survivors)
        text = (
            f"{self.assignment}: {len(fates)} mutants, {fates.count(Fate.KILLED)} killed, "
            f"{fates.count(Fate.EQUIVALENT)} equivalent, {len(survivors)} survive"
        )
        if survivors:
            text += f" ({explained} explained)"
        return f"{text}; score {100 * self.score:.1f} %"

    @property
    def standards(self) -> dict[str, Standard]:
        """The standard of each check."""
        return {check.name: check.standard for check in self.checks}

    def to_json(self, fingerprint: str) -> bytes:
        """Return the report for machines.

        Args:
            fingerprint: of what the assignment was made from.
        """
        fates = [mutant.fate for mutant in self.mutants]
        kills = Counter(m.operator for m in self.mutants if m.fate is Fate.KILLED)
        whole: dict[str, Any] = {
            "assignment": self.assignment,
            "title": self.title,
            "fingerprint": fingerprint,
            "score": round(self.score, 6),
            "mutants": {
                "tried": len(fates),
                "killed": fates.count(Fate.KILLED),
                "equivalent": fates.count(Fate.EQUIVALENT),
                "survivors": fates.count(Fate.SURVIVED),
            },
            "kills_by_class": dict(sorted(kills.items(), key=lambda kind: -kind[1])),
            "checks": [check.to_plain() for check in self.checks],
            "solution": {"earned": self.solution_earned, "possible": self.possible},
            "blank": {"earned": self.blank_earned},
            "secrets_searched": self.secrets,
            "findings": self.findings,
            "summary": self.summary(),
            "details": self.summary(details=True),
            "seconds": round(self.seconds, 3),
        }
        return json.dumps(whole, indent=1, ensure_ascii=False).encode() + b"\n"


def _sum(tallies: Iterable[Tally]) -> Tally:
    found: Sequence[Tally] = list(tallies)
    return Tally(sum(t.tried for t in found), sum(t.held for t in found))


def _survivor(survivor: Survivor) -> dict[str, Any]:
    mutant = survivor.mutant
    return {
        "place": mutant.place,
        "line": mutant.line,
        "class": mutant.operator,
        "before": mutant.before,
        "after": mutant.after,
        "differs_on": mutant.difference,
        "reason": survivor.reason,
    }


def _number(value: float) -> float | None:
    return float(f"{value:.3g}") if math.isfinite(value) else None


def _figure(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "never"
