"""Variants: implementations of ours in the student's place, run by the real checks."""

import math
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.checking.replayed import (
    ReplayedReference,
    answers_computed,
    forget_answers_since,
)
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Compared, Standard
from autograder.authoring.subject import Session
from autograder.grading.cases import drawn_under, run_against
from autograder.grading.substitutes import run_given, wants_given
from autograder.grading.watchdog import TimedSession

__all__ = [
    "CASE_SECONDS",
    "LONGEST_RUN",
    "NOTHING",
    "SEEDS",
    "Ran",
    "case_runner",
    "distance",
    "margin_with_two_threads",
    "run_perturbed",
    "run_variant",
    "seconds_of",
]

DEFAULT = Standard()
NOTHING: Mapping[str, "Ran"] = {}
LOOSE = 1e9  # tolerance factor with which any finite number passes
CASE_SECONDS = 60.0  # after which a variant is stopped: a mistake may loop
LONGEST_RUN = 600.0  # seconds of the processor that it may take for all cases of a check
SEEDS = (b"audit 1", b"audit 2", b"audit 3")  # a variant must behave under each


@dataclass(frozen=True)
class Ran:
    """What came of a case.

    Attributes:
        result: of the case.
        miss: the comparison that it fails by, if it is one of numbers.
        seconds: of the processor that it took.
    """

    result: CaseResult
    miss: Compared | None = None
    seconds: float = 0.0


def run_variant(
    check: Check,
    values: Mapping[str, Any],
    oracle: Oracle,
    seed: bytes,
    misses: list[Compared] | None = None,
    standard: Standard = DEFAULT,
    anew: bool = False,
    known: Mapping[str, Ran] = NOTHING,
) -> list[CaseResult]:
    """Run every case of a check with some names of the notebook replaced, in this process.

    Args:
        check: whose cases are run.
        values: the names of the variant; nothing means the reference itself.
        oracle: the reference.
        seed: stands for the course's secret.
        misses: takes the comparison that each failing case fails by, if it is one of numbers.
        standard: how strictly numbers are compared.
        anew: whether the reference computes anew what it has answered before.
        known: what came of some cases before; these are not run.
    """

    # Variants call the reference's other functions anyway: what fails so fails with them given too.
    # Its seconds are the processor's, so that the result is the same on a busy machine.
    def session() -> TimedSession:
        return TimedSession({**oracle.namespace, **values}, check.seconds, of_processor=True)

    first = session()
    compared: dict[str, list[Compared]] = {}
    draw = drawn_under(seed, oracle.assignment)

    def run(case: Case, student: Session) -> CaseResult:
        seen: list[Compared] = []
        compared[case.name] = seen
        return run_against(
            oracle,
            check,
            case,
            student,
            draw,
            seconds=CASE_SECONDS,
            compared=seen,
            standard=standard,
            reference=None if anew else ReplayedReference(oracle),
        )

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a mistake may divide by zero
        results = {
            case.name: known[case.name].result if case.name in known else run(case, first)
            for case in check.cases
        }
        again = [case for case in check.cases if wants_given(check, results[case.name], values)]
        if again:
            second = session()
            rerun = partial(run, student=second)
            given = run_given(check, again, second, oracle.namespace, CASE_SECONDS, rerun)
            results |= {result.name: result for result in given}
    if misses is not None:
        missed = (
            known[name].miss if name in known else _miss(result, compared[name])
            for name, result in results.items()
        )
        misses += (one for one in missed if one is not None)
    return list(results.values())


def _miss(result: CaseResult, compared: Sequence[Compared]) -> Compared | None:
    """Return the comparison of numbers that a case fails by; None where it fails by another way."""
    is_number = result.verdict is Verdict.FAILED and compared and compared[-1].margin > 1.0
    return compared[-1] if is_number else None


def case_runner(
    check: Check, values: Mapping[str, Any], oracle: Oracle, seed: bytes, standard: Standard
) -> Callable[[Case], Ran]:
    """Return what runs single cases of a check with some names of the notebook replaced.

    No case is run again with what its check is given.

    Args:
        check: whose cases are run.
        values: the names of the variant.
        oracle: the reference.
        seed: stands for the course's secret.
        standard: how strictly numbers are compared.
    """
    names = {**oracle.namespace, **values}
    student = TimedSession(names, check.seconds, of_processor=True)
    draw = drawn_under(seed, oracle.assignment)

    def run(case: Case) -> Ran:
        began, compared = time.process_time(), list[Compared]()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # a mistake may divide by zero
            result = run_against(
                oracle,
                check,
                case,
                student,
                draw,
                seconds=CASE_SECONDS,
                compared=compared,
                standard=standard,
                reference=ReplayedReference(oracle),
            )
        return Ran(result, _miss(result, compared), time.process_time() - began)

    return run


def run_perturbed(
    check: Check, student: Session, oracle: Oracle, seed: bytes, to_the_end: bool = False
) -> list[tuple[CaseResult, list[Compared]]]:
    """Run every case with a session that computes a little otherwise; see `PerturbedSession`.

    Args:
        check: whose cases are run.
        student: the session.
        oracle: the reference.
        seed: stands for the course's secret.
        to_the_end: whether what is compared by default may differ, so that a long run of steps is
            compared to its end.

    Returns:
        Each result with what was compared. That arguments came back perturbed is no fault of
        purity.
    """
    standard = Standard(LOOSE, LOOSE) if to_the_end else DEFAULT
    unwatched = replace(check, pure=False, given=())
    found, draw = [], drawn_under(seed, oracle.assignment)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for case in check.cases:
            seen: list[Compared] = []
            result = run_against(
                oracle,
                unwatched,
                case,
                student,
                draw,
                seconds=CASE_SECONDS,
                compared=seen,
                standard=standard,
                reference=ReplayedReference(oracle),
            )
            found.append((result, seen))
    return found


def distance(results: Sequence[CaseResult]) -> float:
    """Return how far a variant is from passing: its largest margin.

    Infinite where a case fails for something other than numbers that differ: no tolerance would
    let that pass.
    """
    margins = [0.0]
    for result in results:
        if result.margin is not None:
            margins.append(result.margin)
        if result.verdict is not Verdict.PASSED and (result.margin or 0.0) <= 1.0:
            return float("inf")
    return max(margins)


def seconds_of(check: Check, oracle: Oracle) -> float:
    """Return how many seconds of the processor a check takes, as its first case tells."""
    began = time.process_time()
    run_variant(check.only(check.cases[:1]), {}, oracle, SEEDS[0])
    return (time.process_time() - began) * len(check.cases)


def margin_with_two_threads(check: Check, oracle: Oracle) -> float:
    """Return how far the reference is from itself where torch has two threads.

    Not in a fork: the threads that a process had are not there, and torch waits for them for ever.
    What the reference answers with one is known where the check was run in this process before.
    """
    torch = sys.modules.get("torch")
    if torch is None or check.device == "cuda":
        return 0.0
    known = answers_computed(oracle)
    far = _distance_with_two_threads(torch, check, oracle)
    if answers_computed(oracle) != known:  # some answers were new, and so from two threads
        forget_answers_since(oracle, known)
        run_variant(check, {}, oracle, SEEDS[0])
        far = _distance_with_two_threads(torch, check, oracle)
    return far if math.isfinite(far) else 0.0


def _distance_with_two_threads(torch: Any, check: Check, oracle: Oracle) -> float:
    torch.set_num_threads(2)
    try:
        return distance(run_variant(check, {}, oracle, SEEDS[0]))
    finally:
        torch.set_num_threads(1)
