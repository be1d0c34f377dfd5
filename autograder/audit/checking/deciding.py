"""Deciding whether some case of a check rejects an answer: what follows the first is not run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.checking.calibration import is_far, wrong_in
from autograder.audit.checking.variants import Ran, case_runner, distance, run_variant
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Compared, Standard

__all__ = ["comes_out_so", "fails", "flaky", "reject_from_afar", "rejects"]

DEFAULT = Standard()


def comes_out_so(
    is_so: Callable[[CaseResult], bool],
    check: Check,
    values: Mapping[str, Any],
    oracle: Oracle,
    seeds: Sequence[bytes],
    standard: Standard = DEFAULT,
    keep: Callable[[bytes, Ran], None] = lambda seed, ran: None,
) -> bool:
    """Return whether some case of a check comes out so under each seed.

    Args:
        is_so: of a result.
        check: whose cases are run, in their order.
        values: the names of the variant.
        oracle: the reference.
        seeds: stand for the course's secret.
        standard: how strictly numbers are compared.
        keep: is told what came of a case under a seed.
    """
    if not values.keys().isdisjoint(check.given):  # what fails may yet pass by what is given
        runs = [run_variant(check, values, oracle, seed, standard=standard) for seed in seeds]
        return any(all(map(is_so, results)) for results in zip(*runs, strict=True))
    runners = {seed: case_runner(check, values, oracle, seed, standard) for seed in seeds}

    def comes_out(case: Case, seed: bytes) -> bool:
        ran = runners[seed](case)
        keep(seed, ran)
        return is_so(ran.result)

    return any(all(comes_out(case, seed) for seed in seeds) for case in check.cases)


def fails(result: CaseResult) -> bool:
    """Return whether a case does not pass."""
    return result.verdict is not Verdict.PASSED


def rejects(result: CaseResult) -> bool:
    """Return whether a case costs points: one that breaks costs none."""
    return result.verdict not in (Verdict.PASSED, Verdict.BROKEN)


def flaky(
    first: Sequence[CaseResult], second: Sequence[CaseResult], what: str, in_one_process: bool
) -> Iterator[tuple[str, str]]:
    """Yield the cases that judge the same answer in two ways, with what is to be said of each.

    What fails may fail by another number: a mistake can keep something from call to call. So may
    what passes in another process, by the last places: where arrays lie in memory decides in which
    order their numbers are added.

    Args:
        first: of the cases.
        second: of the same ones, run again.
        what: the answer, in words.
        in_one_process: whether both were run in one.
    """
    for before, after in zip(first, second, strict=True):
        passed = before.verdict is Verdict.PASSED and in_one_process
        if before.verdict != after.verdict or (passed and before.margin != after.margin):
            yield (
                before.name,
                f"case {before.name!r} is flaky on the {what}: {before.verdict} with a margin of "
                f"{before.margin}, then {after.verdict} with {after.margin}, on the same inputs",
            )


def reject_from_afar(results: Sequence[CaseResult], misses: Sequence[Compared]) -> bool:
    """Return whether some case rejects an answer, and no tolerance is in question.

    Args:
        results: of the cases.
        misses: the comparisons that they fail by, where those are of numbers.
    """
    return any(map(rejects, results)) and is_far(wrong_in(distance(results), misses))
