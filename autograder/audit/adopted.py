"""The weaker standard, "adopted, not proved": what checks from another tool let through is told.

Everything is tried as it always is. What would refuse a check is kept beside it as what it lets
through; the solution must earn all points, and nothing hidden may be in the release, all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from autograder.artefacts.adopted import STANDARD, AdoptedCheck, AdoptedProof, Adoption
from autograder.artefacts.compiled import Compiled, Oracle
from autograder.artefacts.manifest import CheckEntry
from autograder.artefacts.proof import Proof
from autograder.audit.checking.null_models import null_models, recorded_answers
from autograder.audit.checking.variants import LONGEST_RUN, SEEDS, run_variant
from autograder.audit.forks import Lost, Mark, in_forks
from autograder.audit.mutation.targets import asked_by
from autograder.audit.prove import Proven
from autograder.authoring.checks import Check
from autograder.compiler.trusted import ANSWERABLE
from autograder.grading.scoring import score_check

__all__ = ["RIGHT_VALUES", "Hole", "Tolerated", "tolerated"]

Progress = Callable[[str], None]

# Null models that hold the right values in a wrong form: whoever has those has done the work.
RIGHT_VALUES = ("the wrong shape", "a shape that broadcasts", "the wrong kind of dtype")
MOST_SAID = 3  # findings of a check that a terminal shows


@dataclass(frozen=True)
class Hole:
    """What a check lets through that is adopted and not proved.

    Attributes:
        check: its name.
        points: that it is worth.
        says: why the full standard refuses it.
        blank: what the blank release earns.
        null: the most that an answer without work earns, and which one.
        alive: mutants that pass it, of all that were tried on it.
    """

    check: str
    points: float
    says: tuple[str, ...]
    blank: float
    null: tuple[float, str]
    alive: tuple[int, int]

    def lines(self) -> list[str]:
        """Return what there is to say of it: what is earned, why it is refused, what to do."""
        worth, title = self.null
        alive, mutants = self.alive
        first = (
            f"{self.check} ({_points(self.points)}) is {STANDARD}: today an empty answer earns "
            f"{_points(self.blank)}, one without work {_points(worth)}"
            f"{f' ({title})' if title else ''}, and a mutated one "
            f"{_points(self.points if alive else 0.0)} ({alive} of {mutants} mutants pass)"
        )
        more = len(self.says) - MOST_SAID
        said = [*self.says[:MOST_SAID], *([f"and {more} more of this kind"] if more > 0 else [])]
        return [first, *(f"  {text}" for text in [*said, *self._to_do()])]

    def _to_do(self) -> list[str]:
        found = []
        if any(ANSWERABLE in text for text in self.says):
            found.append(
                "to do: draw inputs from rng and compare with the reference, as matches_reference "
                "does, or hide a case"
            )
        if self.blank or self.null[0]:
            found.append("to do: add a case in which this answer is wrong")
        if self.alive[0]:
            found.append("to do: add a case that rejects each mutant that survives")
        return found

    def to_plain(self) -> dict[str, Any]:
        """Return its part of ``audit.json``."""
        return {
            "check": self.check,
            "points": self.points,
            "says": list(self.says),
            "earned": {
                "empty": self.blank,
                "without_work": self.null[0],
                "mutated": self.points if self.alive[0] else 0.0,
            },
            "null_model": self.null[1],
            "lines": self.lines(),
        }


def _points(number: float) -> str:
    return f"{number:g} point{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Tolerated:
    """What is let through, and what is proved.

    Attributes:
        proof: as it is kept, still without what the blank release earns.
        checks: those that the full standard refuses.
    """

    proof: AdoptedProof
    checks: Mapping[str, AdoptedCheck]

    def accepted(self, key: str, blank: Mapping[str, float]) -> AdoptedProof:
        """Return the proof, with the key of a solution that earned everything.

        Args:
            key: of the acceptance; empty if the solution did not earn everything.
            blank: what the blank release earns, by check.
        """
        earns = {name: points for name, points in blank.items() if points}
        adopted = Adoption(checks=dict(self.checks), blank=earns, accepted=key if earns else "")
        accepted = "" if earns else key
        return msgspec.structs.replace(self.proof, accepted=accepted, adopted=adopted)


def tolerated(
    compiled: Compiled, proven: Proven, former: AdoptedProof, jobs: int, progress: Progress
) -> Tolerated:
    """Return what an assignment that was adopted lets through.

    Args:
        compiled: the assignment.
        proven: what was tried on it.
        former: what was kept before.
        jobs: how many processes there may be.
        progress: is told what is being tried.
    """
    says = {name: tuple(found) for name, found in proven.findings.items()}
    for name in proven.proof.checks:
        if name not in proven.now and name in former.adopted.checks:
            says[name] = (*former.adopted.checks[name].lets_through, *says.get(name, ()))
        if name in compiled.answerable:
            says[name] = (f"check {name}: {ANSWERABLE}", *says.get(name, ()))
    refused = {name: tuple(dict.fromkeys(found)) for name, found in says.items() if found}
    progress("answers without work")
    earned = _earned_without_work(compiled, proven.proof, [*refused], jobs)
    checks = {
        name: AdoptedCheck(proven.proof.checks[name], found, *earned[name])
        for name, found in refused.items()
    }
    proved = {name: one for name, one in proven.proof.checks.items() if name not in checks}
    proof = AdoptedProof(proved, proven.proof.definitions, proven.proof.accepted)
    return Tolerated(proof, checks)


def _earned_without_work(
    compiled: Compiled, proof: Proof, names: Sequence[str], jobs: int
) -> dict[str, tuple[float, str]]:
    """Return by check the most that an answer without work earns, and which."""
    oracle = compiled.oracle.with_draws(proof.draws())
    entries = {one.name: one for q in compiled.manifest.questions for one in q.checks}
    known = {name for definition in proof.definitions.values() for name in definition.names}

    def work(number: int, mark: Mark) -> tuple[float, str]:
        mark(0, LONGEST_RUN)
        check = oracle.checks[names[number]]
        asked = sorted(asked_by(check, known) & set(oracle.namespace))
        return _most(check, asked, entries[check.name], oracle)

    found: dict[str, tuple[float, str]] = {}
    for number, result in in_forks(work, len(names), jobs):
        found[names[number]] = (0.0, "") if isinstance(result, Lost) else result
    return found


def _most(
    check: Check, asked: Sequence[str], entry: CheckEntry, oracle: Oracle
) -> tuple[float, str]:
    most = (0.0, "")
    if not asked or not check.points:
        return most
    recorded = recorded_answers(check, asked, oracle)
    for title, models in null_models(asked, oracle, recorded):
        if title in RIGHT_VALUES:
            continue
        values = {name: _silent(model) for name, model in models.items()}
        earned = score_check(entry, run_variant(check, values, oracle, SEEDS[0])).earned
        if earned > most[0]:
            most = earned, title
    return most


def _silent(model: Any) -> Any:
    """Return a null model that raises nothing: where the right answer does, that is its work."""
    if not callable(model):
        return model

    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return model(*args, **kwargs)
        except Exception:
            return None

    return answer
