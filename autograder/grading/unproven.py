"""Checks that no GPU has proven: what fails on one is put to the test before it costs a point.

An assignment is published where it was proven without a GPU. So a check that needs one may be wrong
there, and a bundle does not say whether it was ever tried. Then a case that failed is run again
with the reference in the student's place: what the reference fails, the check is to blame for.
"""

from functools import partial

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.checks import Case, Check
from autograder.authoring.devices import CUDA
from autograder.grading.cases import Draw, ReferenceSession, run_case

__all__ = ["is_unproven", "put_to_the_test"]


def is_unproven(check: Check) -> bool:
    """Return whether a check may be wrong although its assignment was proven."""
    return check.device == CUDA


def put_to_the_test(
    oracle: Oracle, check: Check, case: Case, draw: Draw, seconds: float
) -> CaseResult | None:
    """Run a case with the reference in the student's place; None if that passes.

    Args:
        oracle: the checks and the reference.
        check: whose case it is.
        case: which a student has missed.
        draw: returns the generator of the inputs that the student had.
        seconds: that the check may take.

    Returns:
        The result that the case is broken, with what staff should know. Where the reference's time
        cannot be measured, nothing is said against the check.
    """
    result = run_case(
        check,
        case,
        ReferenceSession(oracle.namespace),
        ReferenceSession(oracle.namespace),
        partial(draw, check, case),
        proven=True,  # what the reference raises here needs no further test
        seconds=seconds,
        standard=oracle.standard(check),
    )
    if result.verdict in (Verdict.PASSED, Verdict.PENDING):
        return None
    message = (
        f"the reference fails here, too ({result.message or result.verdict.value}), so the check "
        f"is wrong on this GPU: mend it, run `autograder audit {oracle.assignment}` on a machine "
        "with one, and grade again"
    )
    return CaseResult(case.name, case.hidden, Verdict.BROKEN, result.seconds, message=message)
