"""The audit's report: what was tried against each check and what held, for people and machines."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from autograder.artefacts.adopted import STANDARD
from autograder.artefacts.proof import Survivor
from autograder.audit.adopted import Hole
from autograder.audit.check_report import CheckReport, Placed
from autograder.audit.mistake_report import MistakeReport

__all__ = ["Audit", "told_of"]


@dataclass(frozen=True)
class Audit:
    """What an assignment's proof says, with what was tried in sessions on this machine.

    Attributes:
        mistakes: how many are kept, and how many some check of their question rejects.
        killed: how many mutants some check rejected.
        equivalent: how many no trial tells from the reference.
        survivors: those that differ and pass.
        bank: what is told of each mistake.
        derived: mistakes that are written out though a mutant equals them, in words.
        now: the checks that were proven now; the proof of the others stood.
        solution_earned: what the solution notebook earns, of ``possible`` points.
        secrets: how many were looked for in the release.
        waiting: the checks that compute on a GPU and were tried on none.
        adopted: from which tool it was adopted, and is not proved; empty if the full standard
            holds.
        holes: what its checks let through that are not proved.
        told: where the release of an adopted assignment has a line of the solution.
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
    bank: tuple[MistakeReport, ...] = ()
    derived: tuple[str, ...] = ()
    now: frozenset[str] = frozenset()
    solution_earned: float = 0.0
    blank_earned: float = 0.0
    secrets: int = 0
    waiting: tuple[str, ...] = ()
    adopted: str = ""
    holes: tuple[Hole, ...] = ()
    told: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """The share of mutants that are found out, without those that nothing tells apart."""
        alive = self.killed + len(self.survivors)
        return self.killed / alive if alive else 1.0

    def summary(self, details: bool = False) -> list[str]:
        """Return the report for a terminal: some lines, or one for each check before them."""
        lines = self._of_checks() if details else []
        kept, rejected = self.mistakes
        nulls, fail = (sum(check.null_models[i] for check in self.checks) for i in (0, 1))
        of_nulls = f"{nulls}" if fail == nulls else f"{fail} of {nulls}"
        lines.append(
            f"{self.assignment}: {len(self.checks)} checks, "
            f"{sum(check.cases for check in self.checks)} cases; "
            f"{rejected} of {kept} mistakes and {of_nulls} null models rejected, "
            f"{self.alternatives} alternatives accepted; "
            f"the solution earns {self.solution_earned:g} of {self.possible:g}, "
            f"the blank release {self.blank_earned:g}; "
            f"{self.secrets} secrets looked for in the release"
        )
        lines.append(self._mutation())
        if self.adopted:
            lines += [self._adopted(), *(f"  {text}" for text in self.told)]
        if self.waiting:
            lines.append(self._waiting())
        lines += (f"  {one.line()}" for one in self.bank if one.costs is not None)
        for placed in self.survivors if details else []:
            one = placed.survivor
            lines.append(f"  survives: {placed.place}, line {one.line}: {one.operator}")
            lines += [f"    - {one.before}", f"    + {one.after}"]
            lines += [f"    {text}" for text in told_of(one)]
        more = [*(text for check in self.checks for text in check.reasons()), *self.derived]
        lines += (f"  {text}" for text in more if details)
        if details and (several := sum(len(one.fails) > 1 for one in self.bank)):
            words = "1 mistake fails" if several == 1 else f"{several} mistakes fail"
            lines.append(f"  {words} more than one check; the audit's page lists which")
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
        if self.adopted:
            stands = f"{count} tried now, {stood} as they were tried before"
        else:
            stands = f"{count} proven now, the proof of {stood} stands"
        lines.append(f"{self.assignment}: {stands}")
        return lines

    def _of_checks(self) -> list[str]:
        """Return a line for each check; of an adopted one, what it lets through."""
        holes, lines = {hole.check: hole for hole in self.holes}, []
        for check in self.checks:
            lines.append(f"  {check.line()}")
            if check.name in holes:
                lines += (f"    {text}" for text in holes[check.name].lines())
            elif self.adopted:
                lines.append(f"    {check.name} is proved")
        return lines

    def _adopted(self) -> str:
        count = len(self.checks)
        if not self.holes and not self.told:
            return (
                f"{self.assignment}: adopted from {self.adopted}, and all of its checks are "
                f'proved: delete adopted="{self.adopted}" in the first cell of its notebook'
            )
        return (
            f"{self.assignment}: {STANDARD} (from {self.adopted}): {count - len(self.holes)} of "
            f"{count} checks are proved; autograder audit {self.assignment} says what the others "
            "let through"
        )

    def _waiting(self) -> str:
        count = len(self.waiting)
        are = (
            "1 check computes on a GPU and was"
            if count == 1
            else f"{count} checks compute on a GPU and were"
        )
        return (
            f"{self.assignment}: {are} tried on none ({', '.join(self.waiting)}); "
            f"autograder audit {self.assignment} tries {'it' if count == 1 else 'them'} on a "
            "machine that has one"
        )

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
            "mistakes": [one.to_plain() for one in self.bank],
            "solution": {"earned": self.solution_earned, "possible": self.possible},
            "blank": {"earned": self.blank_earned},
            "secrets_searched": self.secrets,
            "waiting_for_a_gpu": list(self.waiting),
            "standard": STANDARD if self.adopted else "proved",
            "adopted_from": self.adopted,
            "holes": [hole.to_plain() for hole in self.holes],
            "told": list(self.told),
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
