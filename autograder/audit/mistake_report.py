"""What the proof of an assignment says of one mistake: which checks it fails, and what it costs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import Proof
from autograder.authoring.bank import Variant
from autograder.authoring.checks import Check

__all__ = ["MistakeReport", "mistake_reports"]


@dataclass(frozen=True)
class MistakeReport:
    """One mistake of a bank.

    Attributes:
        question: whose bank keeps it.
        label: its title, with the names where another has the same.
        points: of the question.
        left: the points that its checks leave it.
        costs: its price; None if it has none.
        fails: the checks that reject it, with how many of their cases it fails, and has.
        passes: the checks with points that it passes.
    """

    question: str
    label: str
    points: float
    left: float
    costs: float | None
    fails: dict[str, tuple[int, int]]
    passes: tuple[str, ...]

    @property
    def priced(self) -> float:
        """The points that are left with its price: never less than its checks leave."""
        return self.left if self.costs is None else max(self.points - self.costs, self.left)

    def line(self) -> str:
        """Return what there is to say of its price."""
        points = f"{self.priced:.4g} of {self.points:g} points"
        if self.costs is not None:
            points += f", {self.left:.4g} without its price"
            if self.points - self.costs <= self.left:
                points += ", which changes nothing"
        return f"{self.question}: {self.label!r} earns {points}; it fails {', '.join(self.fails)}"

    def to_plain(self) -> dict[str, Any]:
        """Return the mistake's part of ``audit.json``."""
        return {
            "question": self.question,
            "title": self.label,
            "points": self.points,
            "costs": self.costs,
            "earned": {"priced": round(self.priced, 6), "by_checks": round(self.left, 6)},
            "fails": {name: list(cases) for name, cases in self.fails.items()},
            "passes": list(self.passes),
        }


def mistake_reports(oracle: Oracle, proof: Proof) -> Iterator[MistakeReport]:
    """Yield what a proof says of each mistake, question by question."""
    for question in dict.fromkeys(check.question for check in oracle.checks.values()):
        checks = [c for c in oracle.checks.values() if c.question == question]
        for mistake in oracle.bank(checks[0]).mistakes:
            yield _report(question, mistake, checks, proof)


def _report(question: str, mistake: Variant, checks: list[Check], proof: Proof) -> MistakeReport:
    fails, passes, left = {}, [], 0.0
    for check in checks:
        proven, count = proof.checks[check.name], len(check.cases)
        if mistake.label not in proven.rejects:
            left += check.points
            passes += [check.name] if check.points else []
            continue
        passed = proven.passes.get(mistake.label, 0)
        fails[check.name] = count - passed, count
        nothing = check.all_or_nothing or mistake.label in proven.astray
        left += 0.0 if nothing else check.points * passed / count
    points = sum(check.points for check in checks)
    return MistakeReport(question, mistake.label, points, left, mistake.costs, fails, tuple(passes))
