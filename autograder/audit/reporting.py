"""Reporting: from the proof of an assignment to what a person reads of it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from autograder.audit.calibration import ROOM
from autograder.audit.kills import asked_by
from autograder.audit.proof import Proof
from autograder.audit.report import Audit, CheckReport, Placed
from autograder.authoring.checks import Check
from autograder.compiler.build import Compiled

__all__ = ["report_on"]


def report_on(compiled: Compiled, proof: Proof, **found: Any) -> Audit:
    """Return what a proof says of an assignment.

    Args:
        compiled: the assignment.
        proof: with all of its checks.
        found: further fields of `Audit`.
    """
    oracle, manifest = compiled.oracle, compiled.manifest
    handed = _survivors_by_check(compiled, proof)
    checks = []
    for check in oracle.checks.values():
        one, bank = proof.checks[check.name], oracle.bank(check)
        kills: Counter[str] = Counter()
        for definition in proof.definitions.values():
            kills.update(definition.killed.get(check.name, {}))
        checks.append(
            CheckReport(
                name=check.name,
                question=check.question,
                points=check.points,
                cases=len(check.cases),
                mistakes=(len(bank.mistakes), len(one.rejects)),
                alternatives=one.accepts,
                null_models=one.null_models,
                kills=dict(sorted(kills.items())),
                equivalent=handed[check.name][1],
                survivors=tuple(handed[check.name][0]),
                gaps=proof.gaps_of(check.name),
                by_default=one.by_default,
                own_right=one.own_right,
                standard=one.standard,
                nearest=proof.nearest_to(check.name),
                free=one.free,
                notes=(*one.notes, *_calibration_notes(check, proof)),
            )
        )
    questions = {check.question for check in oracle.checks.values()}
    banks = [oracle.banks[question] for question in questions if question in oracle.banks]
    rejected = {
        (check.question, label)
        for check in oracle.checks.values()
        for label in proof.checks[check.name].rejects
    }
    return Audit(
        assignment=compiled.name,
        title=manifest.title,
        checks=tuple(checks),
        mistakes=(sum(len(bank.mistakes) for bank in banks), len(rejected)),
        alternatives=sum(len(bank.alternatives) for bank in banks),
        killed=sum(definition.kills for definition in proof.definitions.values()),
        equivalent=sum(definition.equivalent for definition in proof.definitions.values()),
        survivors=tuple(_placed(proof)),
        possible=sum(q.points for q in manifest.questions if not q.manual),
        **found,
    )


def _calibration_notes(check: Check, proof: Proof) -> Iterator[str]:
    """Say where right and wrong answers lie close together."""
    one, gaps = proof.checks[check.name], proof.gaps_of(check.name)
    if gaps.within(one.standard).wrong < ROOM:
        yield (
            f"{proof.nearest_to(check.name)} is only {gaps.within(one.standard).wrong:.2g} "
            "tolerances away from the right answer"
        )
    right = gaps.single.right
    if one.by_default and right and not one.standard.in_single and check.precision != "strict":
        yield (
            f"a right answer in single precision is off by {right:.2g} of the largest value and "
            "may not pass: a wrong one lies too near"
        )


def _placed(proof: Proof) -> Iterator[Placed]:
    for place, definition in proof.definitions.items():
        yield from (Placed(_file_of(place), survivor) for survivor in definition.survivors)


def _file_of(place: str) -> str:
    return place.rpartition(": ")[0]


def _survivors_by_check(compiled: Compiled, proof: Proof) -> dict[str, tuple[list[Placed], int]]:
    """Give what no check rejects to the check that should have: the one with the most points."""
    known = {name for definition in proof.definitions.values() for name in definition.names}
    checks = compiled.oracle.checks
    asked = {name: asked_by(check, known) for name, check in checks.items() if check.points}
    found: dict[str, tuple[list[Placed], int]] = {name: ([], 0) for name in checks}
    for place, definition in proof.definitions.items():
        asking = [name for name, names in asked.items() if names & set(definition.names)]
        if not asking:
            continue
        name = max(asking, key=lambda name: checks[name].points)
        survivors, equivalent = found[name]
        survivors += [Placed(_file_of(place), survivor) for survivor in definition.survivors]
        found[name] = survivors, equivalent + definition.equivalent
    return found
