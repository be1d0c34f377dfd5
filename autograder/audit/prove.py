"""Proving: what is not proven yet of an assignment is tried, before it is published."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from autograder.artefacts.compiled import Compiled, Oracle
from autograder.artefacts.proof import CheckProof, Draw, Proof
from autograder.audit.checking.calibration import SAFETY, lies_in, standard_in
from autograder.audit.checking.certainty import hold_mistakes
from autograder.audit.checking.check_audit import audit_check
from autograder.audit.checking.earlier import Earlier
from autograder.audit.checking.replayed import forget_answers
from autograder.audit.checking.tried import CheckAudit
from autograder.audit.checking.variants import LONGEST_RUN, margin_with_two_threads, seconds_of
from autograder.audit.checking.with_standard import complaints
from autograder.audit.draws import draws_for_mistakes, pools_of
from autograder.audit.forks import Lost, Mark, in_forks
from autograder.audit.keys import keys_of
from autograder.audit.mutation.definitions import (
    definitions_to_try,
    proofs_of_definitions,
    reason_of,
    who_asks,
)
from autograder.audit.mutation.kills import try_mutants
from autograder.audit.mutation.mutants import Site, sites_of
from autograder.audit.mutation.targets import asked_by
from autograder.authoring.checks import Check
from autograder.authoring.devices import CUDA
from autograder.authoring.standard import Standard

__all__ = ["Proven", "prove", "stale_checks", "with_standards"]

Progress = Callable[[str], None]
Findings = dict[str, list[str]]  # by check


@dataclass(frozen=True)
class Proven:
    """A proof, whole.

    Attributes:
        proof: of each check, also of those with findings.
        findings: what must not be, by check.
        now: the checks that were proven now; the proof of the others stood.
        sites: of the mutants.
    """

    proof: Proof
    findings: Mapping[str, Sequence[str]]
    now: Collection[str]
    sites: Sequence[Site]

    @property
    def sound(self) -> Proof:
        """The proof without the checks that have findings: they are proven again next time."""
        wrong = {name for name, found in self.findings.items() if found}
        kept = {name: one for name, one in self.proof.checks.items() if name not in wrong}
        return msgspec.structs.replace(self.proof, checks=kept)


def stale_checks(keys: Mapping[str, str], stored: Proof | None) -> list[str]:
    """Return the checks, in their order, whose proof is missing or does not hold any more."""
    known = stored.checks if stored is not None else {}
    return [name for name, key in keys.items() if name not in known or known[name].key != key]


def prove(
    compiled: Compiled,
    stored: Proof | None,
    jobs: int,
    progress: Progress,
    everything: bool = False,
) -> Proven:
    """Try the checks on right and wrong answers, and find the tolerance of each.

    Args:
        compiled: the assignment.
        stored: what was proven before.
        jobs: how many processes there may be.
        progress: is told what is being tried.
        everything: whether what is proven is proven again.
    """
    stored = stored or Proof()
    keys = keys_of(compiled)
    stale = stale_checks(keys, stored)
    if everything:  # but what a GPU alone can tell: that is tried where there is one
        stale = [n for n in keys if n in stale or stored.checks[n].devices != (CUDA,)]
    standing = {name: draws for name, draws in stored.draws().items() if name not in stale}
    oracle = compiled.oracle.with_draws(standing)
    sites = sites_of(compiled.cells, compiled.reference, oracle)
    asked = who_asks(oracle, sites)
    tried = definitions_to_try(sites, asked, stale, stored)
    pools = pools_of(oracle, stale)
    rejected = {name: one.rejects for name, one in stored.checks.items()}
    earlier = Earlier()
    draws = draws_for_mistakes(oracle, pools, jobs, progress, rejected, earlier)
    oracle = oracle.with_draws(_kinds(draws))
    mutants, more = try_mutants(
        oracle,
        sites,
        tried,
        jobs,
        progress,
        lambda one: reason_of(one.line, one.site.place, compiled) is not None,
        pools,
    )
    draws = {name: [*draws.get(name, ()), *more.get(name, ())] for name in stale}
    oracle = oracle.with_draws(_kinds(more))
    audits = _audit_checks(stale, pools, sites, oracle, earlier, jobs, progress)
    findings: Findings = {name: [] for name in keys}
    hold_mistakes(oracle, audits, stored, jobs, progress, earlier)
    proof = Proof(
        {
            name: audits[name].proof(keys[name], draws[name])
            if name in audits
            else stored.checks[name]
            for name in keys
        },
        proofs_of_definitions(compiled, sites, tried, mutants, stored),
        stored.accepted,
    )
    for name, audit in audits.items():
        findings[name] += audit.findings
    moved = set(stale).union(*(asking for site, asking in asked.items() if site in tried))
    proof = with_standards(proof, stored, moved, audits, oracle, findings)
    for name, text in _findings_of_mistakes(proof, audits, oracle):
        findings.setdefault(name, []).append(text)
    progress("the checks with their tolerances")
    changed = [
        name
        for name in moved
        if proof.checks[name].standard != Standard()
        and (name in audits or proof.checks[name].standard != stored.checks[name].standard)
    ]
    for name, found in _findings_of_standards(proof, changed, audits, oracle, jobs).items():
        findings.setdefault(name, []).extend(found)
    if everything:
        proof = _standing(proof, stored, findings)
    return Proven(proof, findings, stale, sites)


def _kinds(draws: Mapping[str, Sequence[Draw]]) -> dict[str, list[dict[str, str]]]:
    return {name: [draw.kinds for draw in some] for name, some in draws.items()}


def _standing(proof: Proof, stored: Proof, findings: Findings) -> Proof:
    """Return a proof made anew, with the stored entries where they say the same.

    Figures differ a little from machine to machine. Where a stored entry promises what was not seen
    here, that is a finding.
    """
    checks, definitions = dict(proof.checks), dict(proof.definitions)
    for name, new in proof.checks.items():
        old = stored.checks.get(name)
        if old is None or old.key != new.key:
            continue
        if _promises(old) == _promises(new):
            checks[name] = old
        else:
            findings.setdefault(name, []).append(
                f"check {name}: the stored proof does not hold here: {_difference(old, new)}"
            )
    for place, now in proof.definitions.items():
        then = stored.definitions.get(place)
        if then is not None and (then.killed, then.survivors) == (now.killed, now.survivors):
            definitions[place] = then
    return msgspec.structs.replace(proof, checks=checks, definitions=definitions)


def _promises(one: CheckProof) -> tuple[object, ...]:
    free = {model: sorted(cases) for model, cases in one.free.items()}
    return one.rejects, one.accepts, one.null_models, free, one.standard


def _difference(old: CheckProof, new: CheckProof) -> str:
    if lost := sorted(set(old.rejects) - set(new.rejects)):
        return f"the mistake {lost[0]!r} passes"
    if found := sorted(set(new.rejects) - set(old.rejects)):
        return f"the mistake {found[0]!r}, which it passed, fails"
    if old.standard != new.standard:
        return f"its tolerance ({old.standard}) no longer lies in the gap"
    return f"{old.accepts} alternatives and {old.null_models} null models were tried before"


def _audit_checks(
    stale: Sequence[str],
    pools: Mapping[str, Check],
    sites: Sequence[Site],
    oracle: Oracle,
    earlier: Earlier,
    jobs: int,
    progress: Progress,
) -> dict[str, CheckAudit]:
    """Audit each check, in processes that a mistake may hang or end."""
    seconds = _seconds_of_checks([oracle.checks[name] for name in stale], oracle)
    checks = _longest_first(seconds, oracle)
    asked = {name for site in sites for name in site.names}
    names = [sorted(asked_by(check, asked)) for check in checks]

    def work(number: int, mark: Mark) -> CheckAudit:
        mark(0, LONGEST_RUN)
        tell = lambda: mark(0, LONGEST_RUN)  # noqa: E731
        check = checks[number]
        pool = pools[check.name].cases if check.name in pools else ()
        took = seconds[check.name]
        return audit_check(check, names[number], asked, oracle, tell, pool, earlier, took)

    found: dict[str, CheckAudit] = {}
    for number, result in in_forks(work, len(checks), jobs):
        check = checks[number]
        if isinstance(result, Lost):
            result = CheckAudit(check.name)
            result.findings.append(
                f"check {check.name}: a mistake or an alternative ended the audit's process, or "
                f"took more than {LONGEST_RUN:g} s"
            )
        found[check.name] = result
        progress(f"check {check.name}, {len(found)} of {len(checks)}")
    for check in checks:
        gaps, threads = found[check.name].gaps, margin_with_two_threads(check, oracle)
        double = replace(gaps.double, right=max(gaps.double.right, threads))
        found[check.name].gaps = replace(gaps, double=double)
    forget_answers()
    return found


def _seconds_of_checks(checks: Sequence[Check], oracle: Oracle) -> dict[str, float]:
    """Return by name how many seconds of the processor checks take; 0 where a GPU is wanted."""
    return {c.name: 0.0 if c.device == CUDA else seconds_of(c, oracle) for c in checks}


def _longest_first(seconds: Mapping[str, float], oracle: Oracle) -> list[Check]:
    """Order checks so that what takes longest is begun first, or all would wait for it.

    One process begins at the front, and another at the back; see `in_forks`.
    """
    ordered = [oracle.checks[n] for n in sorted(seconds, key=seconds.__getitem__, reverse=True)]
    return [*ordered[::2], *reversed(ordered[1::2])]


def with_standards(
    proof: Proof,
    stored: Proof,
    moved: Collection[str],
    audits: Mapping[str, CheckAudit],
    oracle: Oracle,
    findings: Findings,
) -> Proof:
    """Put the tolerance of each check into the gap, or say that there is none.

    One that is stored and still lies in the gap stands, though it would be drawn a little otherwise
    on this machine.

    Args:
        proof: of all checks; those that were audited have the default standard.
        stored: what was proven before.
        moved: the checks whose gaps may have changed.
        audits: of the checks that were audited.
        oracle: with the checks.
        findings: takes what must not be.
    """
    checks = dict(proof.checks)
    for name in sorted(moved):
        check, own, gaps = oracle.checks[name], proof.checks[name], proof.gaps_of(name)
        found = findings.setdefault(name, [])
        nearest = proof.nearest_to(name)
        if (bands := gaps.overlap) is not None:
            found.append(
                f"check {name}: right and wrong answers overlap: those that differ by rounding "
                f"reach {max(bands.right, bands.alternatives):.2g} of the tolerance, and "
                f"{nearest} begins at {bands.wrong:.2g}; take larger or better conditioned "
                "inputs, float64, or another property"
            )
            continue
        strict = check.precision == "strict"
        standard = standard_in(gaps, own.by_default, strict)
        former = stored.checks[name].standard if name in stored.checks else None
        if former is not None and lies_in(gaps, former, own.by_default, strict):
            standard = former
        checks[name] = own.holding_to(standard)
        if name in audits:
            found += (t for share, t in audits[name].needing if share > standard.in_single)
    return msgspec.structs.replace(proof, checks=checks)


def _findings_of_mistakes(
    proof: Proof, audits: Mapping[str, CheckAudit], oracle: Oracle
) -> Iterator[tuple[str, str]]:
    """Require that each mistake fails some check of its question; say which checks it passes."""
    by_question: dict[str, list[Check]] = {}
    for check in oracle.checks.values():
        by_question.setdefault(check.question, []).append(check)
    for question, bank in oracle.banks.items():
        checks = by_question.get(question, [])
        tried = [check for check in checks if check.name in audits]
        if not tried or any(check.device == "cuda" for check in checks):
            continue  # what only a GPU can tell is not told here
        if not all(audits[check.name].reference_passes for check in tried):
            continue  # no mistake was tried
        rejected = {label for check in checks for label in proof.checks[check.name].rejects}
        for mistake in bank.mistakes:
            if mistake.label not in rejected:
                far = max(audits[c.name].passing.get(mistake.label, 0.0) for c in tried)
                rounding = SAFETY * max(audits[c.name].gaps.double.right for c in tried)
                passes = "every case" if len(checks) == 1 else "every case of every check"
                yield (
                    tried[0].name,
                    f"check {tried[0].name}: the mistake {mistake.label!r} passes {passes}"
                    f"{_how_far(far, rounding)}",
                )


def _how_far(far: float, rounding: float) -> str:
    """Return why a mistake passes that is so far off, where rounding puts right answers so far."""
    if far == math.inf:
        return " for some inputs; add a case that tells it from the reference for all"
    if far <= rounding:
        return ": no case tells it from the reference; add one that does"
    return f", at most {far:.2g} of the tolerance away: too loose" if far <= 1 else ""


def _findings_of_standards(
    proof: Proof,
    names: Sequence[str],
    audits: Mapping[str, CheckAudit],
    oracle: Oracle,
    jobs: int,
) -> dict[str, list[str]]:
    """Require of checks with their tolerance what their margins with the default one promise."""

    def work(number: int, mark: Mark) -> list[str]:
        mark(0, LONGEST_RUN)
        name = names[number]
        return list(complaints(oracle.checks[name], proof.checks[name], oracle, audits.get(name)))

    found = dict(in_forks(work, len(names), jobs))
    return {
        name: texts
        for number, name in enumerate(names)
        if not isinstance(texts := found[number], Lost)
    }
