"""The proof that the grading of an assignment is right, before it is published."""

import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from autograder.audit.leaks import find_leaks, secrets_of
from autograder.authoring.checks import Case, Check, Variant, case_rng
from autograder.errors import UnsafeHere
from autograder.grading.bundle import Bundle
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.given import run_given, wants_given
from autograder.grading.notebooks import nbformat
from autograder.grading.oracle import Oracle
from autograder.grading.results import CaseResult, Result, Verdict
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits
from autograder.sandbox.messages import InProcessSession

__all__ = ["Audit", "CheckAudit", "audit"]

CASE_SECONDS = 60.0  # after which a variant is stopped: a mistake may loop
SEEDS = (b"audit 1", b"audit 2", b"audit 3")  # a variant must behave under each


@dataclass
class CheckAudit:
    """What was tried against one check, and what held."""

    name: str
    question: str
    points: float
    cases: int
    mistakes: int = 0
    mistakes_rejected: int = 0
    alternatives: int = 0
    alternatives_accepted: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        """Return the check's line in a table."""
        return (
            f"{self.name:<44} {self.points:>5g} points  {self.cases:>2} cases  "
            f"mistakes {self.mistakes_rejected}/{self.mistakes}  "
            f"alternatives {self.alternatives_accepted}/{self.alternatives}"
        )


@dataclass
class Audit:
    """The audit of an assignment; it is proven right if there are no findings."""

    assignment: str
    checks: list[CheckAudit] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    solution_earned: float = 0.0
    blank_earned: float = 0.0
    possible: float = 0.0
    secrets: int = 0
    seconds: float = 0.0

    def summary(self, details: bool = False) -> list[str]:
        """Return the report for a terminal: one line, or one for each check before it."""
        lines = [f"  {check.line()}" for check in self.checks] if details else []
        totals = [
            sum(getattr(check, name) for check in self.checks)
            for name in (
                "cases",
                "mistakes_rejected",
                "mistakes",
                "alternatives_accepted",
                "alternatives",
            )
        ]
        lines.append(
            f"{self.assignment}: {len(self.checks)} checks, {totals[0]} cases; "
            f"{totals[1]} of {totals[2]} mistakes rejected, "
            f"{totals[3]} of {totals[4]} alternatives accepted; "
            f"the solution earns {self.solution_earned:g} of {self.possible:g}, "
            f"the blank release {self.blank_earned:g}; "
            f"{self.secrets} secrets looked for in the release"
        )
        return lines

    def to_json(self) -> bytes:
        """Return the report for machines."""
        checks = [
            {
                "name": c.name,
                "question": c.question,
                "points": c.points,
                "cases": c.cases,
                "mistakes": {"tried": c.mistakes, "rejected": c.mistakes_rejected},
                "alternatives": {"tried": c.alternatives, "accepted": c.alternatives_accepted},
                "seconds": round(c.seconds, 3),
            }
            for c in self.checks
        ]
        whole: dict[str, Any] = {
            "assignment": self.assignment,
            "checks": checks,
            "solution": {"earned": self.solution_earned, "possible": self.possible},
            "blank": {"earned": self.blank_earned},
            "secrets_searched": self.secrets,
            "findings": self.findings,
            "seconds": round(self.seconds, 3),
        }
        return json.dumps(whole, indent=1, ensure_ascii=False).encode() + b"\n"


def audit(
    bundle: Bundle,
    oracle: Oracle,
    release: Mapping[str, bytes],
    solution: bytes,
    limits: Limits,
    progress: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Try everything that must pass and everything that must fail.

    Args:
        bundle: as it would be published.
        oracle: the bundle, loaded.
        release: the files of the release by name.
        solution: the solution notebook's bytes.
        limits: of a submission.
        progress: is told what is being tried.
    """
    began = time.monotonic()
    name = bundle.manifest.assignment
    report = Audit(name, possible=_automatic_points(bundle))
    for check in oracle.checks.values():
        progress(f"check {check.name}")
        report.checks.append(_audit_check(check, oracle, report.findings))
    blank = release[f"{name}.ipynb"]
    progress("the solution and the blank release, in sessions")
    solved, untouched = _graded_in_sessions(bundle, oracle, limits, solution, blank)
    report.solution_earned, report.blank_earned = solved.earned, untouched.earned
    report.findings += _findings_of_solution(solved) + _findings_of_blank(untouched)
    progress("leaks")
    secrets = secrets_of(oracle, _notebook(solution), _notebook(blank))
    report.secrets = len(secrets)
    report.findings += find_leaks(release, secrets, oracle)
    report.seconds = time.monotonic() - began
    return report


def _graded_in_sessions(
    bundle: Bundle, oracle: Oracle, limits: Limits, *notebooks: bytes
) -> list[Result]:
    """Grade notebooks of ours as students' are; without walls where this machine has none."""
    try:
        with Grader(bundle, oracle, SEEDS[0], limits) as grader:
            return [grader.grade("ours", data) for data in notebooks]
    except UnsafeHere:
        with Grader(bundle, oracle, SEEDS[0], limits, min_tier=None) as grader:
            return [grader.grade("ours", data) for data in notebooks]


def _audit_check(check: Check, oracle: Oracle, findings: list[str]) -> CheckAudit:
    began = time.monotonic()
    tried = CheckAudit(check.name, check.question, check.points, len(check.cases))
    if check.device == "cuda":
        return tried  # its variants are tried where there is a GPU
    for seed in SEEDS:
        for result in _run(check, Variant("the reference", {}), oracle, seed):
            if result.verdict is not Verdict.PASSED:
                findings.append(
                    f"check {check.name}: the reference does not pass case {result.name!r}: "
                    f"{result.message}"
                )
    for mistake in check.mistakes:
        tried.mistakes += 1
        survived = [s for s in SEEDS if not _rejected(check, mistake, oracle, s, findings)]
        tried.mistakes_rejected += not survived
        if survived:
            findings.append(f"check {check.name}: the mistake {mistake.title!r} passes every case")
    for alternative in check.alternatives:
        tried.alternatives += 1
        failed = [
            result
            for seed in SEEDS
            for result in _run(check, alternative, oracle, seed)
            if result.verdict is not Verdict.PASSED
        ]
        tried.alternatives_accepted += not failed
        if failed:
            findings.append(
                f"check {check.name}: the alternative {alternative.title!r} does not pass case "
                f"{failed[0].name!r}: {failed[0].message}"
            )
    tried.seconds = time.monotonic() - began
    return tried


def _rejected(
    check: Check, mistake: Variant, oracle: Oracle, seed: bytes, findings: list[str]
) -> bool:
    """Return whether a mistake fails at least one case, and breaks none."""
    results = _run(check, mistake, oracle, seed)
    for result in results:
        if result.verdict is Verdict.BROKEN:
            findings.append(
                f"check {check.name}: case {result.name!r} breaks on the mistake "
                f"{mistake.title!r}: {result.message}"
            )
    return any(result.verdict is not Verdict.PASSED for result in results)


def _run(check: Check, variant: Variant, oracle: Oracle, seed: bytes) -> list[CaseResult]:
    """Run every case of a check with a variant in the student's place, in this process."""
    # Variants call the reference's other functions anyway: what fails so fails with them given too.
    first, second = (InProcessSession({**oracle.namespace, **variant.values}) for _ in range(2))
    reference = ReferenceSession(oracle.namespace)

    def run(case: Case, student: InProcessSession) -> CaseResult:
        def rng() -> np.random.Generator:
            return case_rng(seed, oracle.assignment, check.name, case.name)

        return run_case(check, case, student, reference, rng, seconds=CASE_SECONDS)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a mistake may divide by zero
        results = {case.name: run(case, first) for case in check.cases}
        again = [case for case in check.cases if wants_given(check, results[case.name])]
        if again:
            rerun = partial(run, student=second)
            given = run_given(check, again, second, oracle.namespace, CASE_SECONDS, rerun)
            results |= {result.name: result for result in given}
        return list(results.values())


def _findings_of_solution(result: Result) -> list[str]:
    findings = [f"the solution notebook: {note}" for note in result.notes]
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
    findings = [f"the blank release: {note}" for note in result.notes]
    for question in result.questions:
        for check in question.checks:
            passed = [c.name for c in check.cases if c.verdict is Verdict.PASSED]
            if passed and check.points:
                findings.append(f"check {check.name}: the blank release passes case {passed[0]!r}")
    return findings


def _automatic_points(bundle: Bundle) -> float:
    return sum(q.points for q in bundle.manifest.questions if not q.manual)


def _notebook(data: bytes) -> nbformat.NotebookNode:
    return nbformat.reads(data.decode(), as_version=4)
