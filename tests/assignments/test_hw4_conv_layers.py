"""Homework 4: known mistakes, and parameters that are no network."""

from typing import Any

import numpy as np
import pytest

from autograder.artefacts.results import Verdict
from tests.assignments.homework import SECRETS, Homework, homework


@pytest.fixture
def hw() -> Homework:
    return homework("hw4_conv_layers")


def test_each_question_has_two_alternatives(hw: Homework) -> None:
    for check in hw.scored:
        assert len(hw.compiled.oracle.bank(check).alternatives) >= 2, check.question


@pytest.mark.parametrize(
    "params",
    [
        {"w1": 1, "b1": 2, "w2": 3, "b2": 4},
        {"w1": np.zeros((65, 1, 3, 3)), "b1": 0, "w2": 0, "b2": 0},
        {"w1": np.zeros((0, 1, 3, 3)), "b1": np.zeros(0), "w2": np.zeros((0, 10)), "b2": 0},
        {"w1": np.zeros((2, 1, 4, 3)), "b1": np.zeros(2), "w2": np.zeros((32, 10)), "b2": 0},
        {"w1": np.zeros((2, 3, 3, 3)), "b1": np.zeros(2), "w2": np.zeros((32, 10)), "b2": 0},
        {"w1": np.zeros((2, 1, 3, 3)), "b1": None, "w2": "w2", "b2": ()},
        {"w1": np.zeros((2, 1, 3, 3)), "b1": np.zeros(2), "w2": object(), "b2": np.zeros(10)},
        {"w1": np.zeros((2, 1, 3, 3), complex)},
    ],
    ids=range(8),
)
def test_parameters_that_are_no_network_fail_and_break_nothing(
    hw: Homework, params: dict[str, Any]
) -> None:
    values = {"fit_digits": lambda x, labels: params}
    for secret in SECRETS:
        results = hw.results("fit_digits_learns_to_read", values, secret)
        assert {result.verdict for result in results.values()} == {Verdict.FAILED}


KNOWN = [
    ("conv_forward_matches_reference", "kernel is flipped"),
    ("conv_forward_matches_reference", "rounded up in place of down"),
    ("conv_backward_gives_dx", "empty for a pad of zero"),
    ("conv_backward_gives_dx", "stride is ignored on the way back"),
    ("conv_forward_matches_reference", "only square kernels"),
    ("conv_forward_matches_reference", "the bias once for each weight"),
    ("conv_backward_gives_dw_and_db", "db summed over the wrong axes"),
    ("max_pool_backward_matches_reference", "overwrite each other"),
    ("max_pool_backward_settles_ties", "every one of several largest"),
    ("relu_forward_matches_reference", "works in place"),
    ("batchnorm_forward_matches_in_training", "divides by m - 1: here it is m"),
    ("batchnorm_forward_matches_in_training", "running averages are reversed"),
    ("dropout_forward_matches_reference", "scaled by p"),
    ("batchnorm_forward_matches_in_training", "reshape without moving the channels"),
    ("batchnorm_forward_matches_in_training", "layer normalisation"),
    ("softmax_loss_stands_large_scores", "overflows"),
    ("softmax_loss_matches_reference", "not divided by N"),
]


@pytest.mark.parametrize(("check", "words"), KNOWN)
def test_a_known_mistake_is_rejected(hw: Homework, check: str, words: str) -> None:
    hw.require_rejected(check, words)
