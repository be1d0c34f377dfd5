"""The exam: known mistakes, the published answers, and the curves that it shows."""

import functools
from typing import Any

import numpy as np
import pytest

from reference.answers import exam
from reference.figures.sgd_runs import CURVES
from tests.assignments.homework import Homework, homework


@pytest.fixture
def hw() -> Homework:
    return homework("exam")


def test_every_answer_is_asked_for(hw: Homework) -> None:
    assert sum(callable(hw.names[name]) for name in hw.asked) == 15
    assert sum(not callable(hw.names[name]) for name in hw.asked) == 32


def test_the_exam_says_how_long_it_takes(hw: Homework) -> None:
    text = "".join(cell.text for cell in hw.source.cells[:2])
    assert "**Time: 120 minutes. Points: 100.**" in text


# What the write-ups got wrong, and mistakes of the field


KNOWN = [
    # the limit of gradient descent
    ("preconditioned_limit_matches_reference", "a start at ones"),
    ("sampled_limit_matches_reference", "a random start"),
    ("limit_plain_is_right", "a start at ones"),
    ("preconditioned_limit_matches_reference", "the normal equations"),
    ("rescaled_minimum_norm_matches_reference", "the normal equations"),
    ("sampled_limit_matches_reference", "weighted normal equations"),
    ("preconditioned_limit_matches_reference", "a ridge term"),
    ("rescaled_minimum_norm_matches_reference", "a ridge term"),
    ("sampled_limit_matches_reference", "weighted ridge"),
    ("rescaled_minimum_norm_matches_reference", "the wrong matrix is inverted"),
    ("sampled_limit_matches_reference", "the inverse of a singular matrix"),
    ("preconditioned_limit_matches_reference", "too few steps"),
    ("sampled_limit_matches_reference", "a run that is too short"),
    ("sampled_limit_matches_reference", "the targets are weighted"),
    ("all_that_apply_are_right", "frequent examples pull the limit"),
    ("limit_rescaled_is_right", "ten times too large for two features"),
    ("limit_rms_is_right", "the root of the size in place of the size"),
    # convolutions
    ("receptive_field_matches_reference", "strides are multiplied, not added up"),
    ("horizontal_kernel_is_right", "transposed: it finds vertical edges"),
    ("fields_are_right", "counted from layer b on, in the output of layer a"),
    ("pass_through_weights_make_the_identity", "layer f is all ones"),
    ("shifts_are_right", "flipped"),
    # convergence
    ("contraction_constants_give_a", "the factor 4 is lost in both bounds"),
    ("contraction_constants_give_a", "the smallest eigenvalue is zero"),
    ("learning_rates_match_reference", "the eigenvalue zero"),
    ("contraction_constants_give_b", "the square of the learning rate comes twice"),
    # attention and the training loop
    ("attention_grid_matches_reference", "the exponential overflows"),
    ("attention_grid_matches_reference", "a word that comes back is taken for another"),
    ("train_epoch_takes_clean_steps", "old gradients are added"),
    ("train_epoch_takes_clean_steps", "the gradients are set to zero right before"),
    ("train_epoch_takes_clean_steps", "labels and predictions are swapped"),
    ("train_epoch_takes_clean_steps", "image for images"),
]


@pytest.mark.parametrize(("check", "words"), KNOWN)
def test_a_known_mistake_is_rejected(hw: Homework, check: str, words: str) -> None:
    hw.require_rejected(check, words)


def test_the_wrong_answer_of_the_write_up_is_named(hw: Homework) -> None:
    words = "ten times too large for two features"
    (mistake,) = hw.known_mistakes("limit_rescaled_is_right", words)
    np.testing.assert_allclose(mistake.values["limit_rescaled"], np.array([1, 100, 1000]) / 3)
    np.testing.assert_allclose(np.array([1, 0.1, 0.01]) @ mistake.values["limit_rescaled"], 7)


# The numbers of the published solutions


def test_the_published_answers_are_the_references() -> None:
    assert exam.shape_i == (32, 128, 26, 26)
    assert exam.shape_ii == (32, 128, 14, 14)
    network = [(16, 32, 32), (32, 16, 16), (128, 8, 8), (16, 8, 8), (8, 16, 16), (1, 32, 32)]
    got = [getattr(exam, f"shape_{name}") for name in "abcdef"]
    assert got == [(10, *shape) for shape in network]
    assert exam.shape_joined == (10, 24, 32, 32)
    np.testing.assert_array_equal(exam.horizontal_kernel, [[1, 1, 1], [0, 0, 0], [-1, -1, -1]])
    np.testing.assert_array_equal(exam.diagonal_kernel, [[0, 1], [-1, 0]])
    np.testing.assert_array_equal(exam.shift_correlation, [[0, 0, 0], [0, 0, 1], [0, 0, 0]])


# The curves


@functools.cache
def simulated_curves() -> Any:
    """Return (panel, training or fresh, epoch) losses of the six runs that the panels show."""
    rng = np.random.default_rng(0)
    truth = np.random.default_rng(0).normal(size=20) / 2

    def sample(n, noise=0.3):
        X = rng.normal(size=(n, 20))
        return X, X @ truth + noise * rng.normal(size=n)

    def run(training, fresh, rate, kept=0.0):
        (X, y), (V, t) = training, fresh
        w, move = np.zeros(20), np.zeros(20)
        losses = [(np.mean(y**2), np.mean(t**2))]
        for epoch in range(30):
            order = rng.permutation(len(y))
            for start in range(0, len(y), 10):
                batch = order[start : start + 10]
                residuals = X[batch] @ w - y[batch]
                move = kept * move + 2 / len(batch) * X[batch].T @ residuals
                w = w - rate(epoch) * move
            losses.append((np.mean((X @ w - y) ** 2), np.mean((V @ w - t) ** 2)))
        return np.array(losses).T

    few, fresh_few = sample(24, 1.0), sample(600, 1.0)
    data = sample(600), sample(600)
    return np.array(
        [
            run(few, fresh_few, lambda epoch: 0.05),
            run(*data, lambda epoch: 0.24 if epoch < 18 else 0.024),
            run(*data, lambda epoch: 0.0001),
            run(*data, lambda epoch: 0.002),
            run(*data, lambda epoch: 0.00001, kept=1.0),
            run(*data, lambda epoch: 0.24),
        ]
    )


def test_the_curves_are_those_of_the_causes() -> None:
    shown = np.array(CURVES.split(), float).reshape(6, 2, 31)
    np.testing.assert_allclose(shown, simulated_curves(), rtol=0.006)
    letters = "".join(getattr(exam, f"panel_{panel}") for panel in range(1, 7))
    assert letters == "FDAHEC"
