"""A check with its tolerance: it rejects what it rejected, and takes what it took."""

import math
from collections.abc import Iterator

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import CheckProof
from autograder.audit.checking.deciding import comes_out_so, fails
from autograder.audit.checking.tried import CheckAudit
from autograder.audit.checking.variants import SEEDS, distance, run_variant
from autograder.authoring.bank import Variant
from autograder.authoring.checks import Check

__all__ = ["complaints"]


def complaints(
    check: Check, proven: CheckProof, oracle: Oracle, audit: CheckAudit | None = None
) -> Iterator[str]:
    """Say what a check with its tolerance lets through, or refuses, of what was proven of it.

    What no tolerance can change is not run again: a mistake that fails by more than numbers, and an
    alternative that passes with a narrower one.

    Args:
        check: which.
        proven: what was proven of it, with its tolerance.
        oracle: the reference.
        audit: what came of it with the default tolerance, if that was tried now.
    """
    bank, standard = oracle.bank(check), proven.standard
    for mistake in bank.mistakes:
        if mistake.label not in proven.rejects or _fails_by_more(mistake, audit):
            continue
        if not comes_out_so(fails, check, mistake.values, oracle, SEEDS[:1], standard):
            yield (
                f"check {check.name}: the mistake {mistake.title!r} passes with the tolerance "
                f"that right answers need ({standard})"
            )
    is_wider = min(standard.factor, standard.coarse_factor) >= 1.0
    for alternative in bank.alternatives:
        if is_wider and audit is not None and alternative.label in audit.passed:
            continue
        results = run_variant(check, alternative.values, oracle, SEEDS[0], standard=standard)
        for result in results:
            if fails(result):
                yield (
                    f"check {check.name}: the alternative {alternative.title!r} does not pass "
                    f"case {result.name!r} with its tolerance ({standard}): {result.message}"
                )


def _fails_by_more(mistake: Variant, audit: CheckAudit | None) -> bool:
    """Return whether a mistake fails some case by more than numbers that differ."""
    results = audit.rejects.get(mistake.label) if audit is not None else None
    return results is not None and distance(results) == math.inf
