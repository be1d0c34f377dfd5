"""The proof that the grading of an assignment is right, before it is published."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from autograder.audit.calibration import ROOM
from autograder.audit.check_audit import audit_check, margin_with_two_threads
from autograder.audit.forks import Lost, Mark, in_forks
from autograder.audit.kills import Fate, MutantResult, asked_by, try_mutants
from autograder.audit.leaks import find_leaks, secrets_of
from autograder.audit.mutants import sites_of
from autograder.audit.report import Audit, CheckAudit, Survivor
from autograder.audit.variants import SEEDS, run_variant
from autograder.authoring.checks import Check
from autograder.authoring.standard import Standard
from autograder.compiler.regions import REASON
from autograder.errors import UnsafeHere
from autograder.grading.bundle import Bundle, Slip
from autograder.grading.notebooks import nbformat
from autograder.grading.oracle import Oracle
from autograder.grading.results import Result, Verdict
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits
from autograder.sandbox.settings import Tier

__all__ = ["examine", "prove"]

MOST_ALIKE = 3  # slips of one title in one check, that a grader tries
LONGEST_RUN = 600.0  # seconds that a variant may take for all cases of a check
Progress = Callable[[str], None]


def examine(bundle: Bundle, oracle: Oracle, jobs: int, progress: Progress) -> Audit:
    """Try the checks on right and wrong answers, and find the tolerance of each.

    Args:
        bundle: as it is built, each check with the default standard.
        oracle: the bundle, loaded.
        jobs: how many processes there may be.
        progress: is told what is being tried.
    """
    manifest = bundle.manifest
    report = Audit(manifest.assignment, manifest.title)
    report.checks = _audit_checks(bundle, oracle, jobs, progress)
    report.mutants = try_mutants(bundle, oracle, jobs, progress)
    _hand_out(report, oracle, bundle)
    report.slips = _slips(report, bundle, oracle)
    for check in report.checks:
        _calibrate(check, oracle.checks[check.name])
        report.findings += check.findings
    return report


def prove(
    report: Audit,
    bundle: Bundle,
    oracle: Oracle,
    release: Mapping[str, bytes],
    solution: bytes,
    limits: Limits,
    jobs: int,
    progress: Progress,
) -> None:
    """Try what would be published: the notebooks in sessions, and the release for leaks.

    Args:
        report: takes what is found.
        bundle: as it would be published, with the standard of each check.
        oracle: the bundle, loaded.
        release: the files of the release by name.
        solution: the solution notebook's bytes.
        limits: of a submission.
        jobs: how many processes there may be.
        progress: is told what is being tried.
    """
    progress("the checks with their tolerances")
    report.findings += _findings_of_standards(oracle, jobs)
    progress("the solution and the blank release, in sessions")
    blank = release[f"{report.assignment}.ipynb"]
    solved, untouched = _graded_in_sessions(bundle, oracle, limits, solution, blank)
    report.possible = sum(q.points for q in bundle.manifest.questions if not q.manual)
    report.solution_earned, report.blank_earned = solved.earned, untouched.earned
    report.findings += _findings_of_solution(solved) + _findings_of_blank(untouched)
    progress("leaks")
    secrets = secrets_of(oracle, _notebook(solution), _notebook(blank))
    report.secrets = len(secrets)
    report.findings += find_leaks(release, secrets, oracle)


def _audit_checks(
    bundle: Bundle, oracle: Oracle, jobs: int, progress: Progress
) -> list[CheckAudit]:
    """Audit each check, in processes that a mistake may hang or end."""
    checks = list(oracle.checks.values())
    asked = {name for site in sites_of(bundle, oracle) for name in site.names}
    names = [sorted(asked_by(check, asked)) for check in checks]

    def work(number: int, mark: Mark) -> CheckAudit:
        mark(0, LONGEST_RUN)
        tell = lambda: mark(0, LONGEST_RUN)  # noqa: E731
        return audit_check(checks[number], names[number], asked, oracle, tell)

    found: dict[int, CheckAudit] = {}
    for number, result in in_forks(work, len(checks), jobs):
        check = checks[number]
        if isinstance(result, Lost):
            result = CheckAudit(check.name, check.question, check.points, len(check.cases))
            result.findings.append(
                f"check {check.name}: a mistake or an alternative ended the audit's process, or "
                f"took more than {LONGEST_RUN:g} s"
            )
        found[number] = result
        progress(f"check {check.name}, {len(found)} of {len(checks)}")
    for number, check in enumerate(checks):
        gaps, threads = found[number].gaps, margin_with_two_threads(check, oracle)
        double = replace(gaps.double, right=max(gaps.double.right, threads))
        found[number].gaps = replace(gaps, double=double)
    return [found[number] for number in range(len(checks))]


def _hand_out(report: Audit, oracle: Oracle, bundle: Bundle) -> None:
    """Give each mutant to the check that found it out, or that should have."""
    by_name = {check.name: check for check in report.checks}
    known = {name for mutant in report.mutants for name in mutant.names}
    asked = {check.name: asked_by(check, known) for check in oracle.checks.values()}
    for mutant in report.mutants:
        asking = [c for c in report.checks if c.points and asked[c.name].intersection(mutant.names)]
        if mutant.killed_by is not None:
            check = by_name[mutant.killed_by[0]]
            check.kills[mutant.operator] = check.kills.get(mutant.operator, 0) + 1
        else:
            check = max(asking, key=lambda c: c.points)
        check.mutants.add(mutant.fate is Fate.KILLED)
        if mutant.fate is Fate.EQUIVALENT:
            check.equivalent += 1
        elif mutant.fate is Fate.SURVIVED:
            check.survivors.append(Survivor(mutant, _reason(mutant, bundle)))
        elif mutant.margin is not None:
            if mutant.margin < check.gaps.within(Standard()).wrong:
                check.nearest = f"{mutant.after.strip()!r} for {mutant.before.strip()!r}"
            check.gaps = check.gaps.with_wrong(mutant.gaps)


def _slips(report: Audit, bundle: Bundle, oracle: Oracle) -> list[Slip]:
    """Return the mutants that were found out and have a title, some for each check and title."""
    sites = {(site.place, site.name): site for site in sites_of(bundle, oracle)}
    known = {name for site in sites.values() for name in site.names}
    asked = {check.name: asked_by(check, known) for check in oracle.checks.values()}
    slips, counted = [], Counter[tuple[str, str]]()
    for mutant in report.mutants:
        if mutant.killed_by is None or mutant.title is None:
            continue
        kind = mutant.killed_by[0], mutant.title
        counted[kind] += 1
        if counted[kind] <= MOST_ALIKE:
            site = sites[mutant.place, mutant.definition]
            texts = site.texts_with(mutant.text)
            checks = tuple(name for name, names in asked.items() if names & set(mutant.names))
            slips.append(Slip(checks, mutant.title, texts, dict(site.origins)))
    return slips


def _reason(mutant: MutantResult, bundle: Bundle) -> str | None:
    """Return what the author says of a survivor, on its line or on the comment above."""
    text = bundle.reference.get(mutant.place)
    if text is None:
        number = int(mutant.place.removeprefix("cell "))
        text = next(cell.source for cell in bundle.source if cell.number == number)
    above, line = ["", *text.split("\n"), ""][mutant.line - 1 : mutant.line + 1]
    said = REASON.search(line) or REASON.match(above.strip())
    return said[1] if said else None


def _calibrate(found: CheckAudit, check: Check) -> None:
    """Put the tolerance of a check into the gap, or say that there is none."""
    bands = found.gaps.overlap
    if bands is not None:
        found.findings.append(
            f"check {found.name}: right and wrong answers overlap: those that differ by rounding "
            f"reach {max(bands.right, bands.alternatives):.2g} of the tolerance, and "
            f"{found.nearest} begins at {bands.wrong:.2g}; take larger or better conditioned "
            "inputs, float64, or another property"
        )
        return
    found.standard = found.gaps.standard(found.by_default, check.precision == "strict")
    found.findings += (text for share, text in found.needing if share > found.standard.in_single)
    standing = found.standing
    if standing.wrong < ROOM:
        found.notes.append(
            f"{found.nearest} is only {standing.wrong:.2g} tolerances away from the right answer"
        )
    if found.precision == math.inf and found.gaps.single.right and check.precision != "strict":
        found.notes.append(
            f"a right answer in single precision is off by {found.gaps.single.right:.2g} of the "
            "largest value and may not pass: a wrong one lies too near"
        )


def _findings_of_standards(oracle: Oracle, jobs: int) -> list[str]:
    """Require of each check with its tolerance what its margins with the default one promise."""
    checks = [check for check in oracle.checks.values() if check.standard != Standard()]

    def work(number: int, mark: Mark) -> list[str]:
        mark(0, LONGEST_RUN)
        return list(_complaints(checks[number], oracle))

    found = dict(in_forks(work, len(checks), jobs))
    lists = [found[number] for number in range(len(checks))]
    return [text for texts in lists if not isinstance(texts, Lost) for text in texts]


def _complaints(check: Check, oracle: Oracle) -> Iterator[str]:
    for mistake in check.mistakes:
        results = run_variant(check, mistake.values, oracle, SEEDS[0])
        if all(r.verdict is Verdict.PASSED for r in results):
            yield (
                f"check {check.name}: the mistake {mistake.title!r} passes with the tolerance "
                f"that right answers need ({check.standard})"
            )
    for alternative in check.alternatives:
        for result in run_variant(check, alternative.values, oracle, SEEDS[0]):
            if result.verdict is not Verdict.PASSED:
                yield (
                    f"check {check.name}: the alternative {alternative.title!r} does not pass "
                    f"case {result.name!r} with its tolerance ({check.standard}): {result.message}"
                )


def _graded_in_sessions(
    bundle: Bundle, oracle: Oracle, limits: Limits, *notebooks: bytes
) -> list[Result]:
    """Grade notebooks of ours as students' are; without walls where this machine has none."""
    try:
        with Grader(bundle, oracle, SEEDS[0], limits) as grader:
            return [grader.grade("ours", data) for data in notebooks]
    except UnsafeHere:
        with Grader(bundle, oracle, SEEDS[0], limits, min_tier=Tier.UNWALLED) as grader:
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
