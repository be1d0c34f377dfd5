"""Homework 4 lets students answer in either precision: single precision passes, too."""

import warnings
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from autograder.artefacts.results import Verdict
from autograder.audit.checking.calibration import standard_in
from autograder.audit.checking.single_precision import measure_single
from autograder.grading.cases import drawn_under, run_against
from autograder.grading.perturbed import PerturbedSession, single_precisions
from tests.assignments.homework import SECRETS, Homework, homework

NAME = "hw4_conv_layers"
# Where some case of a mistake, or of a mutant, is as near as rounding in single precision.
NEAR = (
    "softmax_loss_matches_reference",
    "batchnorm_forward_matches_in_training",
    "batchnorm_backward_matches_reference",
)


@pytest.fixture(scope="module")
def hw() -> Homework:
    return homework(NAME)


@pytest.mark.parametrize("name", NEAR)
def test_a_right_answer_in_single_precision_passes_however_it_is_handed_back(
    hw: Homework, name: str
) -> None:
    check, oracle, gaps = hw.checks[name], hw.compiled.oracle, hw.proof.gaps_of(name)
    found = measure_single(check, oracle, False, lambda: None)
    single, zero = (
        replace(band, right=seen.right, alternatives=seen.alternatives)
        for band, seen in ((gaps.single, found.share), (gaps.zero, found.zero))
    )
    standard = standard_in(replace(gaps, single=single, zero=zero), True, strict=False)
    assert standard.single > 0
    lenient = replace(check, pure=False)  # arguments come back rounded
    for move, secret in product(single_precisions(), SECRETS):
        session = PerturbedSession(oracle.namespace, move)
        draw = drawn_under(secret, NAME)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            results = [
                run_against(oracle, lenient, case, session, draw, standard=standard)
                for case in check.cases
            ]
        missed = [(one.name, one.message) for one in results if one.verdict is not Verdict.PASSED]
        assert missed == [], (move.name, secret)
