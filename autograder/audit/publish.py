"""Publishing: an assignment is built, audited, and put in its place only if it is proven right."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.compiler.fingerprint import fingerprint
from autograder.course import Course
from autograder.errors import AuditRefused

__all__ = ["Outcome", "audit_only", "compile_and_publish"]

JSON = "audit.json"


@dataclass(frozen=True)
class Outcome:
    """What an audit says: some lines, more lines with a table, and the mutation score."""

    summary: Sequence[str]
    details: Sequence[str]
    score: float


def compile_and_publish(
    course: Course, name: str, progress: Callable[[str], None], jobs: int = 1
) -> Outcome:
    """Build an assignment, audit it and publish it.

    Args:
        course: which it belongs to.
        name: the assignment's.
        progress: is told what is being done.
        jobs: how many processes the audit may have.

    Raises:
        SourceError: the source notebook is wrong.
        AuditRefused: the audit has findings; nothing is published.
    """
    from autograder.compiler.artefacts import publish

    artefacts, outcome = _build_and_audit(course, name, progress, jobs)
    publish(artefacts, course)
    return outcome


def audit_only(
    course: Course, name: str, progress: Callable[[str], None], jobs: int = 1
) -> Outcome:
    """Audit an assignment, unless that was done since it was changed; publish nothing.

    Raises:
        SourceError: the source notebook is wrong.
        AuditRefused: the audit has findings.
    """
    stored = _stored(course, name)
    if stored is not None and not stored["findings"]:
        return Outcome(stored["summary"], stored["details"], stored["score"])
    return _build_and_audit(course, name, progress, jobs)[1]


def _stored(course: Course, name: str) -> dict[str, Any] | None:
    """Return the report of the last audit, if nothing has changed since."""
    try:
        found: dict[str, Any] = json.loads((course.build(name) / JSON).read_bytes())
    except (OSError, ValueError):
        return None
    return found if found.get("fingerprint") == fingerprint(course, name) else None


def _build_and_audit(
    course: Course, name: str, progress: Callable[[str], None], jobs: int
) -> tuple[Any, Outcome]:
    # All that follows takes a second to import, and an audit that is stored needs nothing of it.
    from autograder.audit.proof import examine, prove
    from autograder.compiler.build import build
    from autograder.grading.bundle import parse_bundle
    from autograder.grading.oracle import load_bundle_oracle

    began = time.monotonic()
    progress("building")
    artefacts = build(course, name)
    bundle = parse_bundle(artefacts.bundle, f"the bundle of {name}")
    report = examine(bundle, load_bundle_oracle(bundle), jobs, progress)
    progress("building with what the audit found")
    artefacts = build(course, name, report.standards, report.slips)
    bundle = parse_bundle(artefacts.bundle, f"the bundle of {name}")
    oracle = load_bundle_oracle(bundle)
    limits = course.limits_of(name)
    release, solution = artefacts.release, artefacts.solution
    prove(report, bundle, oracle, release, solution, limits, jobs, progress)
    report.seconds = time.monotonic() - began
    progress("")
    folder = course.build(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / JSON).write_bytes(report.to_json(artefacts.fingerprint))
    if report.findings:
        count = len(report.findings)
        headline = f"{name} is not published: {count} finding{'s' if count > 1 else ''}"
        raise AuditRefused([headline, *(f"  {finding}" for finding in report.findings)])
    return artefacts, Outcome(report.summary(), report.summary(details=True), report.score)
