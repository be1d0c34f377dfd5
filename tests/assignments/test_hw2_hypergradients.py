"""Homework 2: known mistakes, the check for a GPU, and the numbers of its example answer."""

import math
from typing import Any

import numpy as np
import pytest

from autograder.artefacts.results import Verdict
from autograder.grading.cases import drawn_under, run_against
from autograder.sandbox.protocol.messages import InProcessSession
from tests.assignments.homework import SECRETS, Homework, homework

# torch's own functions warn of themselves when an alternative calls torch.func.jvp.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
NAME = "hw2_hypergradients"


@pytest.fixture
def hw() -> Homework:
    return homework(NAME)


class OnCpu(InProcessSession):
    """A session whose GPU is the CPU."""

    def apply(self, helper: Any, args: Any, kwargs: Any) -> Any:
        return super().apply(helper, args, {**kwargs, "device": "cpu"})


@pytest.mark.parametrize("secret", SECRETS)
def test_the_check_for_a_gpu_passes_with_a_cpu_in_its_place(hw: Homework, secret: bytes) -> None:
    check = hw.checks["hypergrad_unrolled_runs_on_a_gpu"]
    assert check.points <= 2
    written = hw.checks["hypergrad_unrolled_matches_reference"]
    alternatives = hw.compiled.oracle.bank(written).alternatives
    for values in ({}, *(alternative.values for alternative in alternatives)):
        for case in check.cases:
            student, draw = OnCpu({**hw.names, **values}), drawn_under(secret, NAME)
            result = run_against(hw.compiled.oracle, check, case, student, draw)
            assert result.verdict is Verdict.PASSED, result.message


KNOWN = [
    ("loss_after_one_step_matches_reference", "the factor 2 of the gradient"),
    ("loss_after_one_step_matches_reference", "1/n is missing"),
    ("dloss_deta_matches_reference", "the sign: the inner derivative"),
    ("dloss_deta_matches_reference", "4/n in place of 4/n²"),
    ("d2loss_deta2_matches_reference", "8/n² in place of 8/n³"),
    ("optimal_lr_matches_reference", "the factor n/2 is missing"),
    ("optimal_lr_matches_reference", "numerator and denominator swapped"),
    ("dloss_deta_matches_reference", "X X^T and X^T X confused"),
    ("optimal_lr_knows_when_nothing_depends_on_it", "divides zero by zero"),
    ("first_curve_is_right", "a square can be zero"),
    ("hypergrad_unrolled_matches_reference", "the weights are detached after each step"),
    ("hypergrad_unrolled_matches_reference", "steps by .data"),
    ("hypergrad_unrolled_matches_reference", "create_graph is missing"),
    ("hypergrad_unrolled_matches_reference", "the steps use the Python number"),
    ("train_learned_lr_forgets_its_graphs", "the weights are never detached"),
    ("hypergrad_unrolled_matches_reference", "the weights are detached before each step"),
    ("train_learned_lr_matches_reference", "the weights move with the old learning rate"),
    ("train_learned_lr_stays_non_negative", "a negative learning rate is not projected"),
    ("loss_after_one_step_matches_reference", "the loss is a sum throughout"),
    ("hypergrad_forward_matches_reference", "the term with the Hessian is missing"),
    ("dloss_deta_matches_reference", "the gradient at w1 in both places"),
    ("hypergrad_unrolled_leaves_nothing_behind", "the run ends in the caller's w0"),
    ("hypergrad_unrolled_leaves_nothing_behind", "backward() adds to .grad"),
    ("train_learned_lr_forgets_its_graphs", "the losses are kept with their graphs"),
]


@pytest.mark.parametrize(("check", "words"), KNOWN)
def test_a_known_mistake_is_rejected(hw: Homework, check: str, words: str) -> None:
    hw.require_rejected(check, words)


def test_a_single_example_hides_what_the_other_cases_find(hw: Homework) -> None:
    """With n = 1 a lost factor of n goes unnoticed, so no check has n = 1 only."""
    for name in ("loss_after_one_step", "dloss_deta", "d2loss_deta2", "optimal_lr"):
        check = hw.checks[f"{name}_matches_reference"]
        drawn = [case.arguments(np.random.default_rng(0))["X"].shape for case in check.cases]
        assert sum(n > 1 for n, _ in drawn) >= 3
        assert any(n > d for n, d in drawn)
        assert any(n < d for n, d in drawn)
        assert check.typical is not None
        (typical,) = (case for case in check.cases if case.name == check.typical)
        n, d = typical.arguments(np.random.default_rng(0))["X"].shape
        assert n > 1
        assert n != d


def test_measured_memory_is_a_line_and_a_constant_as_the_example_answer_says(hw: Homework) -> None:
    problem = hw.names["wave_losses"](examples=64, width=256)
    peaks = {}
    for mode in ("hypergrad_unrolled", "hypergrad_forward"):
        for steps in (5, 10, 20):
            with hw.names["SavedBytes"]() as saved:
                hw.names[mode](*problem, 0.01, steps)
            peaks[mode, steps] = saved.peak
            assert saved.now == 0
    lengths = [peaks["hypergrad_unrolled", steps] for steps in (5, 10, 20)]
    slope = (lengths[2] - lengths[1]) / 10
    assert math.isclose(lengths[1] - lengths[0], 5 * slope)
    assert peaks["hypergrad_forward", 5] == peaks["hypergrad_forward", 20]
    assert f"{slope:,.0f} bytes a step" in " ".join(hw.manual("memory_comment").split())
