"""Certainty: each mistake fails some check of its question whatever inputs are drawn, and twice."""

from collections.abc import Callable, Mapping

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import Proof
from autograder.audit.checking.check_audit import is_certain
from autograder.audit.checking.earlier import Earlier
from autograder.audit.checking.tried import CheckAudit
from autograder.audit.checking.variants import LONGEST_RUN
from autograder.audit.forks import Lost, Mark, in_forks
from autograder.authoring.bank import Variant

__all__ = ["hold_mistakes"]

Progress = Callable[[str], None]


def hold_mistakes(
    oracle: Oracle,
    audits: Mapping[str, CheckAudit],
    stored: Proof,
    jobs: int,
    progress: Progress,
    earlier: Earlier | None = None,
) -> None:
    """Hold each mistake against the first check that rejects it.

    Where that one does not reject it for certain, it does not count as rejecting it, and the next
    one is asked. Checks that have a limit on time of their own, as they take long, come last.

    Args:
        oracle: with the checks and the banks.
        audits: of the checks that are proven now; they take what is found.
        stored: which checks have rejected what before.
        jobs: how many processes there may be.
        progress: is told how far it is.
        earlier: what came of the mistakes so far.
    """
    work = [
        (mistake, checks)
        for question, bank in oracle.banks.items()
        for mistake in bank.mistakes
        if (checks := _rejecting(question, mistake, oracle, audits, stored))
    ]

    def hold(number: int, mark: Mark) -> list[tuple[str, bool, CheckAudit]]:
        mistake, names = work[number]
        said = []
        for place, name in enumerate(names):
            mark(place, LONGEST_RUN)
            check, audit = oracle.checks[name], audits.get(name)
            is_long = audit.is_long if audit else check.seconds is not None
            found = CheckAudit(name, is_long=is_long)
            first = audit.rejects[mistake.label] if audit else None
            certain = is_certain(check, mistake, oracle, found, first, earlier)
            said.append((name, certain, found))
            if certain:
                break
        return said

    ended = dict[int, list[tuple[str, bool, CheckAudit]] | Lost]()
    for done, (number, said) in enumerate(in_forks(hold, len(work), jobs), 1):
        progress(f"mistakes under further inputs, {done} of {len(work)}")
        ended[number] = said
    for number, (mistake, names) in enumerate(work):  # in order: of two as near, the first is told
        said = ended[number]
        if isinstance(said, Lost):
            name = names[said.mark]
            audits[_responsible(name, oracle, audits)].findings.append(
                f"check {name}: the mistake {mistake.title!r} ended the audit's process under "
                f"further inputs, or took more than {LONGEST_RUN:g} s"
            )
            continue
        for name, certain, found in said:
            if name in audits:
                audits[name].take(found, None if certain else mistake.label)


def _responsible(name: str, oracle: Oracle, audits: Mapping[str, CheckAudit]) -> str:
    """Return a check, or another of its question that is proven now, for it to be proven again."""
    question = oracle.checks[name].question
    others = (check.name for check in oracle.checks.values() if check.question == question)
    return next(one for one in (name, *others) if one in audits)


def _rejecting(
    question: str,
    mistake: Variant,
    oracle: Oracle,
    audits: Mapping[str, CheckAudit],
    stored: Proof,
) -> list[str]:
    """Return the checks that reject a mistake, long ones last; none if nothing is proven now."""
    checks = [check for check in oracle.checks.values() if check.question == question]
    checks.sort(key=lambda check: check.seconds is not None)
    names = [check.name for check in checks]
    if not any(name in audits for name in names):
        return []
    now = [n for n in names if n in audits and mistake.label in audits[n].rejects]
    before = [n for n in names if n not in audits and mistake.label in stored.checks[n].rejects]
    return [*now, *before]
