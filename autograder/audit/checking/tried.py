"""What was tried against one check, while it is being tried."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograder.artefacts.gaps import Gaps, figures_of
from autograder.artefacts.proof import CheckProof, Draw
from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.standard import Standard

__all__ = ["CheckAudit"]


@dataclass
class CheckAudit:
    """What was tried against one check, but mutants, and what held.

    Attributes:
        is_long: whether it takes long, and so is tried less often.
        reference_passes: whether the reference does, without which nothing else is tried.
        typical: the case that whoever earns points passes.
        rejects: the mistakes of its question that it rejects, by label, and what came of each case.
        passing: how far the others are off, in tolerances, by label; infinite where it is by more
            than numbers, or for some inputs only.
        accepts: how many alternatives pass.
        passed: those of them that pass without room for single precision, by label.
        null_models: how many were tried.
        gaps: between right answers and these wrong ones.
        by_default: whether it compares by a default tolerance, which a standard changes.
        own_right: what right answers reach of the tolerances that it gives itself.
        needing: alternatives that need room for single precision: how much, and what is wrong
            without it.
        nearest: the wrong answer that is least far off.
        free: cases that null models pass.
        notes: what else an author should know.
        findings: what must not be.
    """

    name: str
    is_long: bool = False
    reference_passes: bool = True
    typical: str | None = None
    rejects: dict[str, list[CaseResult]] = field(default_factory=dict)
    passing: dict[str, float] = field(default_factory=dict)
    accepts: int = 0
    passed: set[str] = field(default_factory=set)
    null_models: int = 0
    gaps: Gaps = field(default_factory=Gaps)
    by_default: bool = False
    own_right: float = 0.0
    needing: list[tuple[float, str]] = field(default_factory=list)
    nearest: str | None = None
    free: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def take(self, other: "CheckAudit", uncertain: str | None) -> None:
        """Take what was found of the same check later.

        Args:
            other: what was found.
            uncertain: a mistake, by label, that it does not reject for certain.
        """
        if other.gaps.within(Standard()).wrong < self.gaps.within(Standard()).wrong:
            self.nearest = other.nearest
        self.gaps = self.gaps.with_wrong(other.gaps)
        self.findings += (text for text in other.findings if text not in self.findings)
        if uncertain is not None:
            self.passing[uncertain] = math.inf
            del self.rejects[uncertain]

    def _passed(self, mistake: str) -> int:
        """Return how many cases a mistake passes that the check rejects."""
        return sum(result.verdict is Verdict.PASSED for result in self.rejects[mistake])

    def _is_astray(self, mistake: str) -> bool:
        return any(
            result.name == self.typical and result.verdict is not Verdict.PASSED
            for result in self.rejects[mistake]
        )

    def proof(self, key: str, draws: Sequence[Draw] = ()) -> CheckProof:
        """Return what is kept of it, still with the default standard.

        Args:
            key: of all that it hangs on.
            draws: that were made cases of it.
        """
        return CheckProof(
            key=key,
            gaps=figures_of(self.gaps),
            own_right=float(f"{self.own_right:.3g}"),
            by_default=self.by_default,
            nearest=self.nearest,
            rejects=tuple(sorted(self.rejects)),
            passes={label: n for label in sorted(self.rejects) if (n := self._passed(label))},
            astray=tuple(filter(self._is_astray, sorted(self.rejects))),
            accepts=self.accepts,
            null_models=self.null_models,
            free=dict(sorted(self.free.items())),
            notes=tuple(self.notes),
            draws=tuple(draws),
        )
