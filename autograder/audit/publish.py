"""Publishing: an assignment is compiled, proven, packed, tried for acceptance, and put in place.

All of it or nothing: whatever the audit finds keeps in its place what was published before.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from autograder.artefacts.release import Artefacts, put_in_place
from autograder.course import Course
from autograder.errors import AuditRefused, naming

if TYPE_CHECKING:
    from autograder.artefacts.compiled import Compiled
    from autograder.audit.overview import Audit

__all__ = [
    "AuditOutcome",
    "audit_only",
    "compile_and_publish",
    "is_adopted",
    "prove_and_publish",
    "unproven",
]

JSON = "audit.json"


@dataclass(frozen=True)
class AuditOutcome:
    """What an audit says.

    Attributes:
        summary: in some lines.
        details: with a table, and what survives.
        news: of what was proven now.
        score: the share of mutants that are found out.
    """

    summary: Sequence[str]
    details: Sequence[str]
    news: Sequence[str]
    score: float


def compile_and_publish(
    course: Course, name: str, progress: Callable[[str], None], jobs: int = 1
) -> AuditOutcome:
    """Compile an assignment, prove what is not proven yet, and publish it.

    Args:
        course: which it belongs to.
        name: the assignment's.
        progress: is told what is being done.
        jobs: how many processes the audit may have.

    Raises:
        SourceError: the source notebook or a bank is wrong.
        AuditRefused: the audit has findings; nothing is published.
    """
    from autograder.compiler.build import compile_assignment

    _let_threads_sleep()
    progress("compiling")
    return prove_and_publish(course, compile_assignment(course, name), progress, jobs)


def prove_and_publish(
    course: Course, compiled: "Compiled", progress: Callable[[str], None], jobs: int = 1
) -> AuditOutcome:
    """Prove what is not proven yet of an assignment that is compiled, and publish it.

    Raises:
        AuditRefused: the audit has findings; nothing is published.
    """
    artefacts, audit = _audited(course, compiled, progress, jobs, everything=False)
    put_in_place(artefacts, course)
    return _outcome(audit)


def audit_only(
    course: Course,
    name: str,
    progress: Callable[[str], None],
    jobs: int = 1,
    everything: bool = False,
    gpu: bool = False,
) -> AuditOutcome:
    """Audit an assignment; publish nothing.

    Args:
        course: which it belongs to.
        name: the assignment's.
        progress: is told what is being done.
        jobs: how many processes the audit may have.
        everything: whether what is proven is proven again.
        gpu: whether there is a GPU, to try what computes on one.

    Raises:
        SourceError: the source notebook or a bank is wrong.
        AuditRefused: the audit has findings.
    """
    from autograder.compiler.build import compile_assignment

    _let_threads_sleep()
    if gpu:
        from autograder.audit.on_gpu import let_sleep

        let_sleep()
    progress("compiling")
    return _outcome(
        _audited(course, compile_assignment(course, name), progress, jobs, everything, gpu)[1]
    )


def unproven(course: Course, name: str) -> list[str]:
    """Return what of an assignment is not proven as it is now, in words; nothing is tried.

    Raises:
        SourceError: the source notebook, a bank or the proof cannot be read.
    """
    from autograder.artefacts.adopted import read_adopted
    from autograder.artefacts.proof import Proof, read_proof
    from autograder.audit.acceptance import key_of_acceptance
    from autograder.audit.keys import keys_of
    from autograder.audit.prove import stale_checks
    from autograder.compiler.build import compile_assignment, read_texts

    texts = read_texts(course, name)
    keys, stored = keys_of(texts), read_proof(course, name) or Proof()
    if texts.adopted:
        stored = read_adopted(course, name).joined()
    if stale := stale_checks(keys, stored):
        return [f"check {check}" for check in stale]
    compiled, limits = compile_assignment(course, name), course.limits_of(name)
    if stored.accepted != key_of_acceptance(compiled, stored, limits):
        return ["the solution and the blank release in sessions"]
    return []


def is_adopted(course: Course, name: str) -> bool:
    """Return whether an assignment was adopted from another tool, and is not proved."""
    from autograder.compiler.build import read_texts

    return bool(read_texts(course, name).adopted)


def _let_threads_sleep() -> None:
    """Let torch's threads sleep while they wait for each other; before torch is imported.

    Where an audit runs two of them, other audits have the processors: to wait awake would take
    several times as long as to compute.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def _outcome(audit: "Audit") -> AuditOutcome:
    return AuditOutcome(audit.summary(), audit.summary(details=True), audit.news(), audit.score)


def _audited(
    course: Course,
    compiled: "Compiled",
    progress: Callable[[str], None],
    jobs: int,
    everything: bool,
    gpu: bool = False,
) -> "tuple[Artefacts, Audit]":
    # All that follows takes a second to import, and most commands need nothing of it.
    from autograder.artefacts.adopted import read_adopted
    from autograder.artefacts.proof import read_proof, write_proof
    from autograder.audit.acceptance import (
        former_acceptance,
        key_of_acceptance,
        leaks_in,
        try_for_acceptance,
    )
    from autograder.audit.adopted import tolerated
    from autograder.audit.mutation.definitions import named_mutants_of
    from autograder.audit.on_gpu import prove_on_gpu
    from autograder.audit.prove import prove
    from autograder.audit.reporting import report_on
    from autograder.compiler.build import pack

    name = compiled.name
    began, limits = time.monotonic(), course.limits_of(name)
    former = read_adopted(course, name) if compiled.adopted else None
    stored = read_proof(course, name) if former is None else former.joined()
    proven = prove(compiled, stored, jobs, progress, everything)
    if gpu:
        oracle = compiled.oracle.with_draws(proven.proof.draws())
        proven = prove_on_gpu(oracle, proven, jobs, progress, everything)
    through = None if former is None else tolerated(compiled, proven, former, jobs, progress)
    blank = {} if former is None else former.adopted.blank
    kept = proven.sound if through is None else through.accepted(proven.proof.accepted, blank)
    write_proof(course, name, kept)
    proof = proven.proof
    key = key_of_acceptance(compiled, proof, limits)
    mutants = named_mutants_of(compiled, proof, proven.sites)
    artefacts = pack(compiled, proof.standards(), proof.rejects(), mutants, proof.draws())
    if everything or proof.accepted != key:
        progress("the solution and the blank release, in sessions")
        seen = try_for_acceptance(compiled, artefacts, limits)
        if through is None:
            accepted = "" if (*seen.findings, *seen.blank_findings) else key
            kept = msgspec.structs.replace(proven.sound, accepted=accepted)
        else:
            kept = through.accepted("" if seen.findings else key, seen.blank)
        write_proof(course, name, kept)
    else:
        seen = former_acceptance(artefacts.manifest, blank)
    progress("leaks")
    leaks = leaks_in(compiled, artefacts)
    findings = [*seen.findings, *leaks.hidden]
    if through is None:
        found = [text for some in proven.findings.values() for text in some]
        findings = [*found, *seen.findings, *seen.blank_findings, *leaks.hidden, *leaks.answers]
    audit = report_on(
        replace(compiled, oracle=compiled.oracle.with_draws(proof.draws())),
        proof,
        now=frozenset(proven.now),
        solution_earned=seen.solution,
        blank_earned=seen.blank_earned,
        refused={} if through is None else through.checks,
        blank=seen.blank,
        secrets=leaks.secrets,
        told=() if through is None else leaks.answers,
        findings=tuple(findings),
        seconds=time.monotonic() - began,
    )
    progress("")
    folder = course.build(name)
    folder.mkdir(parents=True, exist_ok=True)
    with naming(folder / JSON):
        (folder / JSON).write_bytes(audit.to_json(artefacts.fingerprint))
    if findings:
        count = len(findings)
        headline = f"{name} is not published: {count} finding{'s' if count > 1 else ''}"
        raise AuditRefused([headline, *(f"  {finding}" for finding in findings)])
    return artefacts, audit
