"""Deciding whether some case of a check rejects an answer: what follows the first is not run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult
from autograder.audit.checking.variants import case_runner, run_variant
from autograder.authoring.checks import Check
from autograder.authoring.standard import Standard

__all__ = ["comes_out_so"]

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
