"""From a proof to its report: what it says of each check, and of the assignment as a whole."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from autograder.artefacts.adopted import AdoptedCheck
from autograder.artefacts.compiled import Compiled
from autograder.artefacts.proof import CheckProof, Proof
from autograder.audit.adopted import Hole
from autograder.audit.check_report import CheckReport, Placed
from autograder.audit.checking.calibration import ROOM
from autograder.audit.checking.kind_models import may_pass
from autograder.audit.mistake_report import mistake_reports
from autograder.audit.mutation.targets import asked_by
from autograder.audit.on_gpu import computes_on_gpu, unproven_on_gpu
from autograder.audit.overview import Audit
from autograder.authoring.checks import Check
from autograder.authoring.devices import CUDA
from autograder.authoring.tolerance import BY_DEVICE, DEFAULTS

__all__ = ["report_on"]

WIDER_ON_GPU = round(BY_DEVICE[CUDA]["float32"].rtol / DEFAULTS["float32"].rtol)


def report_on(
    compiled: Compiled,
    proof: Proof,
    refused: Mapping[str, AdoptedCheck],
    blank: Mapping[str, float],
    **found: Any,
) -> Audit:
    """Return what a proof says of an assignment.

    Args:
        compiled: the assignment.
        proof: with all of its checks.
        refused: the checks that are adopted and not proved, by name.
        blank: what the blank release earns, by check.
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
                null_models=_null_models(check, one),
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
                draws=one.draws,
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
        bank=tuple(mistake_reports(oracle, proof)),
        derived=tuple(_derived(proof)),
        waiting=tuple(unproven_on_gpu(oracle.checks.values(), proof)),
        adopted=compiled.adopted,
        holes=tuple(
            Hole(
                check.name,
                check.points,
                refused[check.name].lets_through,
                blank.get(check.name, 0.0),
                (refused[check.name].null_points, refused[check.name].null_model),
                (len(check.survivors), len(check.survivors) + check.killed),
            )
            for check in checks
            if check.name in refused
        ),
        **found,
    )


def _null_models(check: Check, proof: CheckProof) -> tuple[int, int]:
    """Return how many null models are wrong answers, and how many of them a check rejects."""
    cases = {case.name for case in check.cases} | {draw.name for draw in proof.draws}
    passing = [title for title, passed in proof.free.items() if cases <= {*passed}]
    guessed = sum(map(may_pass, passing))
    return proof.null_models - guessed, proof.null_models - len(passing)


def _calibration_notes(check: Check, proof: Proof) -> Iterator[str]:
    """Say where right and wrong answers lie close together."""
    one, gaps = proof.checks[check.name], proof.gaps_of(check.name)
    if gaps.within(one.standard).wrong < ROOM:
        yield (
            f"{proof.nearest_to(check.name)} is only {gaps.within(one.standard).wrong:.2g} "
            "tolerances away from the right answer"
        )
    nearest = gaps.coarse.wrong / one.standard.coarse_factor
    if CUDA not in one.devices and computes_on_gpu(check) and nearest < WIDER_ON_GPU:
        yield (
            f"on a GPU its tolerance in single precision is {WIDER_ON_GPU:g} times as wide, and "
            f"{proof.nearest_to(check.name)} is only {nearest:.2g} tolerances away: it may pass "
            "there; take float64, or inputs on which it is further off"
        )
    right = max(gaps.single.right or 0.0, gaps.single.alternatives)
    room = min(one.standard.single, one.standard.in_single)
    if one.by_default and ROOM * right > room and check.precision != "strict":
        yield (
            f"a right answer in single precision is off by {right:.2g} of the largest value, and "
            f"its room is {room:.2g}: on other inputs it may not pass; take larger or better "
            'conditioned ones, or say precision="strict" here and in the prompt'
        )


def _placed(proof: Proof) -> Iterator[Placed]:
    for place, definition in proof.definitions.items():
        yield from (Placed(_file_of(place), survivor) for survivor in definition.survivors)


def _derived(proof: Proof) -> Iterator[str]:
    for place, definition in proof.definitions.items():
        for label, change in definition.derived.items():
            yield (
                f"the mistake {label!r} is derived by the program too: {change} in {place}; "
                "one line is enough for it, with edit="
            )


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
