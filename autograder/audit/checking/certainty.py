"""Certainty: each mistake fails some check of its question whatever inputs are drawn, and twice."""

from collections.abc import Callable, Mapping

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import Proof
from autograder.audit.checking.check_audit import is_certain
from autograder.audit.checking.tried import CheckAudit
from autograder.audit.forks import Lost, Mark, in_forks
from autograder.authoring.bank import Variant

__all__ = ["hold_mistakes"]

LONGEST = 600.0  # seconds that a mistake may take for all cases of a check
SLOW = 0.5  # seconds for all cases of a check
Progress = Callable[[str], None]


def hold_mistakes(
    oracle: Oracle, audits: Mapping[str, CheckAudit], stored: Proof, jobs: int, progress: Progress
) -> None:
    """Hold each mistake against the quickest check that rejects it.

    Where that one does not reject it for certain, it does not count as rejecting it, and the next
    one is asked. Of checks that are equally quick, to some tenths of a second, the first is: what
    is found must not hang on the machine.

    Args:
        oracle: with the checks and the banks.
        audits: of the checks that are proven now; they take what is found.
        stored: which checks have rejected what before.
        jobs: how many processes there may be.
        progress: is told how far it is.
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
        for name in names:
            mark(0, LONGEST)
            found = CheckAudit(name)
            certain = is_certain(oracle.checks[name], mistake, oracle, found)
            said.append((name, certain, found))
            if certain:
                break
        return said

    for done, (number, said) in enumerate(in_forks(hold, len(work), jobs), 1):
        progress(f"mistakes under further inputs, {done} of {len(work)}")
        for name, certain, found in [] if isinstance(said, Lost) else said:
            if name in audits:
                audits[name].take(found, None if certain else work[number][0].label)


def _rejecting(
    question: str,
    mistake: Variant,
    oracle: Oracle,
    audits: Mapping[str, CheckAudit],
    stored: Proof,
) -> list[str]:
    """Return the checks that reject a mistake, quick ones first; none if nothing is proven now."""
    names = [check.name for check in oracle.checks.values() if check.question == question]
    if not any(name in audits for name in names):
        return []
    now = {
        n: audits[n].rejects[mistake.label]
        for n in names
        if n in audits and mistake.label in audits[n].rejects
    }
    before = [n for n in names if n not in audits and mistake.label in stored.checks[n].rejects]
    return [*sorted(now, key=lambda name: now[name] > SLOW), *before]
