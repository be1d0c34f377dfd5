"""Acceptance: what would be published is graded as a student's work is, and searched for leaks."""

import json
import math
import tokenize
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.artefacts.bundle import Bundle, parse_bundle
from autograder.artefacts.compiled import Compiled, Oracle
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.notebooks import nbformat
from autograder.artefacts.proof import Proof
from autograder.artefacts.release import Artefacts
from autograder.artefacts.results import Result, Verdict
from autograder.audit.checking.variants import SEEDS
from autograder.audit.keys import digest_of, digests_of, keys_of
from autograder.audit.leaks import find_leaks, secrets_of
from autograder.audit.plain import plain
from autograder.authoring.standard import Standard
from autograder.errors import UnsafeHere
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import Isolation
from autograder.version import own_version

__all__ = [
    "Acceptance",
    "Leaks",
    "former_acceptance",
    "key_of_acceptance",
    "leaks_in",
    "try_for_acceptance",
]


@dataclass(frozen=True)
class Acceptance:
    """What came of it.

    Attributes:
        solution: the points that the solution notebook earns.
        blank: those that the blank release earns, by check, where it earns some.
        findings: what the solution notebook does not pass, and what is wrong with it.
        blank_findings: what the blank release passes, and what is wrong with it.
    """

    solution: float
    blank: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    blank_findings: tuple[str, ...] = ()

    @property
    def blank_earned(self) -> float:
        """The points that the blank release earns."""
        return math.fsum(self.blank.values())


def key_of_acceptance(
    compiled: Compiled,
    proof: Proof,
    limits: Limits,
) -> str:
    """Return the key of what the solution and the blank release earn in sessions.

    That hangs on all that runs there, as it was compiled: the code of both notebooks and their
    data. It hangs on the checks, on limits, and on the version of this package, whose own tests say
    that a session runs a notebook as it should.

    Args:
        compiled: the assignment.
        proof: how strictly each check compares, and which draws it has as cases.
        limits: of a submission.
    """
    keys = keys_of(replace(compiled, banks={}))  # a bank has no part in it
    files = {**compiled.data, **compiled.resources}
    parts = [own_version(), repr(limits), *digests_of(files)]
    for notebook in (compiled.release, compiled.solution):
        for cell in json.loads(notebook)["cells"]:
            parts.append(_running(cell["cell_type"], cell["metadata"]["nbgrader"], cell["source"]))
    standards, draws = proof.standards(), proof.draws()
    for entry in (entry for question in compiled.manifest.questions for entry in question.checks):
        standard = standards.get(entry.name, Standard())
        parts.append(f"{keys[entry.name]} {entry.device} {entry.all_or_nothing} {standard!r}")
        parts += map(repr, draws.get(entry.name, ()))
    return digest_of(parts)


def _running(kind: str, marks: Mapping[str, Any], source: str | Sequence[str]) -> str:
    """Return what of a cell runs, with what it is; nothing of prose."""
    if kind != "code":
        return ""
    text = "".join(source)
    with suppress(SyntaxError, tokenize.TokenError):  # a magic line
        text = plain(text)
    return f"{marks['grade']} {marks['solution']} {marks['locked']}\n{text}"


def try_for_acceptance(compiled: Compiled, artefacts: Artefacts, limits: Limits) -> Acceptance:
    """Grade the solution and the blank release in sessions.

    Args:
        compiled: the assignment.
        artefacts: as they would be published.
        limits: of a submission.
    """
    bundle = parse_bundle(artefacts.bundle, f"the bundle of {compiled.name}")
    oracle, blank = compiled.oracle.with_findings(artefacts.manifest), _blank(artefacts)
    solved, untouched = _graded_in_sessions(bundle, oracle, limits, artefacts.solution, blank)
    checks = [check for question in untouched.questions for check in question.checks]
    return Acceptance(
        solved.earned,
        {check.name: check.earned for check in checks if check.earned},
        tuple(_findings_of_solution(solved)),
        tuple(_findings_of_blank(untouched)),
    )


def former_acceptance(manifest: Manifest, blank: Mapping[str, float]) -> Acceptance:
    """Return what came of it where it was tried before, and nothing of it has changed.

    Args:
        manifest: of the assignment.
        blank: what the blank release earned, by check: nothing, but where it was adopted.
    """
    checks = [check for question in manifest.questions for check in question.checks]
    return Acceptance(sum(check.points for check in checks if check.device != "cuda"), blank)


@dataclass(frozen=True)
class Leaks:
    """What a release was searched for.

    Attributes:
        secrets: how many were looked for.
        hidden: what was found of hidden cases, banks and hints.
        answers: what was found of the solution.
    """

    secrets: int
    hidden: tuple[str, ...]
    answers: tuple[str, ...]


def leaks_in(compiled: Compiled, artefacts: Artefacts) -> Leaks:
    """Return what of an assignment's secrets is in its release."""
    oracle, files = compiled.oracle.with_findings(artefacts.manifest), artefacts.release
    secrets = secrets_of(oracle, _notebook(artefacts.solution), _notebook(_blank(artefacts)))
    answers = [secret for secret in secrets if secret.of_answer]
    others = [secret for secret in secrets if not secret.of_answer]
    hidden = find_leaks(files, others, oracle)
    return Leaks(len(secrets), tuple(hidden), tuple(find_leaks(files, answers, None)))


def _blank(artefacts: Artefacts) -> bytes:
    return artefacts.release[f"{artefacts.name}.ipynb"]


def _graded_in_sessions(
    bundle: Bundle, oracle: Oracle, limits: Limits, *notebooks: bytes
) -> list[Result]:
    """Grade notebooks of ours as students' are; without walls where this machine has none."""
    try:
        with Grader(bundle, oracle, SEEDS[0], limits) as grader:
            return [grader.grade("ours", data) for data in notebooks]
    except UnsafeHere:
        with Grader(bundle, oracle, SEEDS[0], limits, min_isolation=Isolation.UNWALLED) as grader:
            return [grader.grade("ours", data) for data in notebooks]


def _findings_of_solution(result: Result) -> list[str]:
    findings = [f"the solution notebook: {note}" for note in result.remarks]
    for question in result.questions:
        for check in question.checks:
            for case in check.cases:
                if case.verdict not in (Verdict.PASSED, Verdict.PENDING):
                    findings.append(
                        f"check {check.name}: the solution notebook, graded by itself, does not "
                        f"pass case {case.name!r}: {case.message or case.verdict}"
                    )
    return findings


def _findings_of_blank(result: Result) -> list[str]:
    findings = [f"the blank release: {note}" for note in result.remarks]
    for question in result.questions:
        for check in question.checks:
            passed = [c.name for c in check.cases if c.verdict is Verdict.PASSED]
            if passed and check.points:
                findings.append(f"check {check.name}: the blank release passes case {passed[0]!r}")
    return findings


def _notebook(data: bytes) -> nbformat.NotebookNode:
    return nbformat.reads(data.decode(), as_version=4)
