"""Deciding whether some case of a check rejects an answer: what follows the first is not run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.checking.calibration import is_far, wrong_in
from autograder.audit.checking.variants import case_runner, distance, run_variant
from autograder.authoring.checks import Check
from autograder.authoring.standard import Compared, Standard

__all__ = ["comes_out_so", "fails", "reject_from_afar", "rejects"]

DEFAULT = Standard()


def comes_out_so(
    is_so: Callable[[CaseResult], bool],
    check: Check,
    values: Mapping[str, Any],
    oracle: Oracle,
    seeds: Sequence[bytes],
    standard: Standard = DEFAULT,
) -> bool:
    """Return whether some case of a check comes out so under each seed.

    Args:
        is_so: of a result.
        check: whose cases are run, in their order.
        values: the names of the variant.
        oracle: the reference.
        seeds: stand for the course's secret.
        standard: how strictly numbers are compared.
    """
    if not values.keys().isdisjoint(check.given):  # what fails may yet pass by what is given
        runs = [run_variant(check, values, oracle, seed, standard=standard) for seed in seeds]
        return any(all(map(is_so, results)) for results in zip(*runs, strict=True))
    runners = [case_runner(check, values, oracle, seed, standard) for seed in seeds]
    return any(all(is_so(run(case)) for run in runners) for case in check.cases)


def fails(result: CaseResult) -> bool:
    """Return whether a case does not pass."""
    return result.verdict is not Verdict.PASSED


def rejects(result: CaseResult) -> bool:
    """Return whether a case costs points: one that breaks costs none."""
    return result.verdict not in (Verdict.PASSED, Verdict.BROKEN)


def reject_from_afar(results: Sequence[CaseResult], misses: Sequence[Compared]) -> bool:
    """Return whether some case rejects an answer, and no tolerance is in question.

    Args:
        results: of the cases.
        misses: the comparisons that they fail by, where those are of numbers.
    """
    return any(map(rejects, results)) and is_far(wrong_in(distance(results), misses))
