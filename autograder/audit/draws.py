"""Draws that the audit adds: the few of a domain's pool that reject what all of them reject.

Each edge of a domain is drawn in any case (`autograder.authoring.draws.few`). What passes all of
that is tried on every pair of kinds, and of the draws that reject it as few as can be are kept.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import Draw
from autograder.artefacts.results import Verdict
from autograder.audit.checking.deciding import comes_out_so, rejects
from autograder.audit.checking.earlier import Earlier
from autograder.audit.checking.variants import LONGEST_RUN, SEEDS, Ran, run_perturbed, run_variant
from autograder.audit.forks import Lost, Mark, in_forks
from autograder.audit.mutation.targets import asked_by
from autograder.authoring.arrays import dtype_name, is_array
from autograder.authoring.bank import Variant
from autograder.authoring.checks import Case, Check
from autograder.grading.cases import drawn_under
from autograder.grading.perturbed import PerturbedSession, shaken

__all__ = ["Place", "cover", "draws_for_mistakes", "pools_of"]

UNITS = 4  # in the last place, by which inputs are moved to see whether rounding decides
EPS = float(np.finfo(np.float64).eps)
Place = tuple[str, str]  # a check and a case of it


def pools_of(oracle: Oracle, names: Collection[str]) -> dict[str, Check]:
    """Return some checks with the draws of their domains as cases; those without are left out.

    A draw in which rounding decides is no good case: where the reference, asked for inputs that
    differ in their last places, does not agree with itself, a right answer may not either.

    Args:
        oracle: with the checks.
        names: of those that are wanted.
    """
    found = {}
    for name in names:
        check = oracle.checks[name]
        if check.domain is not None and check.device != "cuda":
            cases = [case for case in check.pool() if not _hangs_on_rounding(check, case, oracle)]
            if cases:
                found[name] = check.only(cases)
    return found


def _hangs_on_rounding(check: Check, case: Case, oracle: Oracle) -> bool:
    rng = drawn_under(SEEDS[0], oracle.assignment)(check, case)
    dtypes = {dtype_name(value) for value in case.arguments(rng).values() if is_array(value)}
    coarsest = max((np.finfo(d).eps for d in dtypes if d.startswith("float")), default=EPS)
    alone = check.only([case])
    for units in (UNITS, -UNITS):
        session = PerturbedSession(oracle.namespace, shaken(units * float(coarsest)))
        ((result, compared),) = run_perturbed(alone, session, oracle, SEEDS[0])
        if result.verdict is Verdict.FAILED and any(1 < c.margin < math.inf for c in compared):
            return True
        if not any(dtype.kind == "f" for dtype in session.met):  # nothing was there to move
            return False
    return False


def cover(
    rejecting: Mapping[str, Collection[Place]], pools: Mapping[str, Check]
) -> dict[str, list[Draw]]:
    """Return draws by check, as few as a greedy choice finds, that reject all that some reject.

    Args:
        rejecting: the draws that reject a wrong answer, by what it is called.
        pools: the checks with all draws.
    """
    left = {title: set(places) for title, places in rejecting.items() if places}
    chosen: dict[str, list[Draw]] = {}
    while left:
        by_place: dict[Place, list[str]] = {}
        for title, places in left.items():
            for place in places:
                by_place.setdefault(place, []).append(title)
        best = max(sorted(by_place), key=lambda place: len(by_place[place]))
        check, name = best
        case = next(case for case in pools[check].cases if case.name == name)
        kinds = dict(sorted((case.kinds or {}).items()))  # as the file of a proof has them
        draw = Draw(name, kinds, tuple(sorted(by_place[best])))
        chosen.setdefault(check, []).append(draw)
        for title in by_place[best]:
            del left[title]
    return chosen


def draws_for_mistakes(
    oracle: Oracle,
    pools: Mapping[str, Check],
    jobs: int,
    progress: Callable[[str], None],
    rejected: Mapping[str, Collection[str]] | None = None,
    earlier: Earlier | None = None,
) -> dict[str, list[Draw]]:
    """Return the draws that the mistakes of the bank need: those that pass without, and not with.

    Args:
        oracle: with the checks and the banks.
        pools: the checks that are proven now, with all draws.
        jobs: how many processes there may be.
        progress: is told how far it is.
        rejected: the mistakes that checks have rejected before, which ask these checks first.
        earlier: takes what came of the cases that were run.
    """
    before = rejected or {}
    questions = dict.fromkeys(check.question for check in pools.values())
    # What has a limit on time trains something: it is asked last.
    checks = sorted(oracle.checks.values(), key=lambda check: check.seconds is not None)
    asked = {check.name: asked_by(check, oracle.namespace.keys()) for check in checks}
    work = [
        (question, mistake)
        for question in questions
        if question in oracle.banks
        for mistake in oracle.banks[question].mistakes
    ]

    def reject(number: int, mark: Mark) -> tuple[list[Place], Earlier]:
        question, mistake = work[number]
        kept = Earlier()
        own = [check for check in checks if check.question == question]
        own.sort(key=lambda check: asked[check.name].isdisjoint(mistake.values))
        own.sort(key=lambda check: mistake.label not in before.get(check.name, ()))
        for check in own:
            mark(0, LONGEST_RUN)

            def keep(seed: bytes, ran: Ran, check: Check = check) -> None:
                kept.keep(check.name, mistake.label, seed, ran)

            if check.device != "cuda" and comes_out_so(
                rejects, check, mistake.values, oracle, SEEDS, keep=keep
            ):
                return [], kept
        found: list[Place] = []
        for name, pool in pools.items():
            if pool.question == question:
                mark(0, LONGEST_RUN)
                found += ((name, case) for case in _rejecting(pool, mistake, oracle))
        return found, kept

    rejecting: dict[str, Sequence[Place]] = {}
    for done, (number, said) in enumerate(in_forks(reject, len(work), jobs), 1):
        progress(f"mistakes on all draws, {done} of {len(work)}")
        if not isinstance(said, Lost):  # what ends its process is found by the check's audit
            rejecting[work[number][1].label], kept = said
            if earlier is not None:
                earlier.take(kept)
    return cover(rejecting, pools)


def _rejecting(check: Check, mistake: Variant, oracle: Oracle) -> list[str]:
    """Return the cases that reject a mistake, whatever numbers are drawn."""
    found: set[str] | None = None
    for seed in SEEDS:
        results = run_variant(check, mistake.values, oracle, seed)
        failed = {result.name for result in results if rejects(result)}
        found = failed if found is None else found & failed
        if not found:
            break
    return sorted(found or ())
