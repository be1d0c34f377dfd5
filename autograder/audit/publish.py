"""Publishing: an assignment is built, audited, and put in its place only if it is proven right."""

from collections.abc import Callable

from autograder.audit.proof import Audit, audit
from autograder.compiler.build import Artefacts, build, publish
from autograder.course import Course
from autograder.errors import AuditRefused
from autograder.grading.bundle import parse_bundle
from autograder.grading.oracle import load_bundle_oracle

__all__ = ["audit_only", "compile_and_publish"]

REPORT = "audit.json"


def compile_and_publish(course: Course, name: str, progress: Callable[[str], None]) -> Audit:
    """Build an assignment, audit it and publish it.

    Raises:
        SourceError: the source notebook is wrong.
        AuditRefused: the audit has findings; nothing is published.
    """
    artefacts, report = _build_and_audit(course, name, progress)
    publish(artefacts, course, {REPORT: report.to_json()})
    return report


def audit_only(course: Course, name: str, progress: Callable[[str], None]) -> Audit:
    """Build an assignment and audit it; publish nothing.

    Raises:
        SourceError: the source notebook is wrong.
        AuditRefused: the audit has findings.
    """
    return _build_and_audit(course, name, progress)[1]


def _build_and_audit(
    course: Course, name: str, progress: Callable[[str], None]
) -> tuple[Artefacts, Audit]:
    progress("building")
    artefacts = build(course, name)
    bundle = parse_bundle(artefacts.bundle, f"the bundle of {name}")
    report = audit(
        bundle,
        load_bundle_oracle(bundle),
        artefacts.release,
        artefacts.solution,
        course.limits_of(name),
        progress,
    )
    progress("")
    if report.findings:
        count = len(report.findings)
        headline = f"{name} is not published: {count} finding{'s' if count > 1 else ''}"
        raise AuditRefused([headline, *(f"  {finding}" for finding in report.findings)])
    return artefacts, report
