"""Training: predictions are worth what they are on labels that no session has."""

import numpy as np
import pytest
import torch

from autograder.authoring.kinds import Kind, Noted, noting_kinds
from autograder.authoring.subject import Proxy, RemoteId
from autograder.authoring.training import assert_learnt, held_out
from autograder.errors import CheckFailure, Unanswered

LABELS = np.array([0, 1, 2, 1, 0])
SCORES = np.eye(3)[LABELS]
EVIL = Proxy(None, RemoteId(0, "Evil"), "train(…)")


def complaint(*args, **kwargs):
    with pytest.raises(CheckFailure) as caught:
        assert_learnt(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    "got",
    [
        LABELS,
        LABELS.tolist(),
        LABELS.astype(float),
        torch.tensor(LABELS),
        SCORES,
        5 * SCORES - 7,
        torch.tensor(SCORES, dtype=torch.float32),
        [0, 1, 2, 1, 1],
    ],
)
def test_labels_or_scores_that_are_right_often_enough(got):
    assert_learnt(got, LABELS, at_least=0.8)


@pytest.mark.parametrize(
    ("got", "said"),
    [
        ([0, 1, 2, 2, 1], "accuracy of 0.6 on 5 held-out examples, expected at least 0.8"),
        (np.zeros((5, 3)), "accuracy of 0 on"),
        (np.ones((5, 2)), "accuracy of 0 on"),
        (SCORES[:, :2], "accuracy of 0.8 on"),
        (LABELS + 0.4, "accuracy of 0 on"),
        (LABELS[:4], "shape (4,), expected (5,)"),
        (SCORES[:4], "shape (4, 3), expected (5, 3)"),
        (LABELS[:, None], "shape (5, 1), expected (5,)"),
        (0, "shape (), expected (5,)"),
        ([np.nan] * 5, "a value that is not finite"),
        (np.where(SCORES > 0, np.inf, 0), "a value that is not finite"),
        (SCORES + 0j, "complex values, expected real ones"),
        (None, "None, expected an array"),
        ("01210", "a text, expected an array"),
        ([[0], [1, 2]], "a list, expected an array"),
        (EVIL, "an object of type Evil, expected an array"),
    ],
)
def test_what_is_not_good_enough_or_no_prediction(got, said):
    assert said in complaint(got, LABELS, at_least=0.85)


def test_dots_are_not_answered():
    with pytest.raises(Unanswered):
        assert_learnt(Proxy(None, RemoteId(0, "ellipsis"), "f"), LABELS, at_least=1)


@pytest.mark.parametrize(
    ("metric", "value"), [("mean squared error", 4.0), ("mean absolute error", 2.0)]
)
def test_errors_of_numbers(metric, value):
    targets = np.arange(6.0).reshape(3, 2)
    assert_learnt(targets + 2, targets, metric=metric, at_most=value)
    assert f"{metric} of {value:g} on 3 held-out examples, expected at most 1" in complaint(
        targets + 2, targets, metric=metric, at_most=1
    )
    assert "shape (3, 1), expected (3, 2)" in complaint(
        targets[:, :1], targets, metric=metric, at_most=9
    )
    assert "expected at most" in complaint(targets + 1e300, targets, metric=metric, at_most=9)


def test_a_metric_of_the_author_s():
    def log_likelihood(got, targets):
        return np.mean(np.log(got[np.arange(len(targets)), targets]))

    good = 0.9 * SCORES + 0.05
    assert_learnt(good, LABELS, metric=log_likelihood, at_least=-0.1)
    assert "log likelihood of -3 on 5" in complaint(
        1 - good, LABELS, metric=log_likelihood, at_least=-0.1
    )
    with np.errstate(all="ignore"):
        assert "log likelihood of nan" in complaint(
            -good, LABELS, metric=log_likelihood, at_least=-0.1
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "one of at_least= and at_most="),
        ({"at_least": 1, "at_most": 1}, "one of at_least= and at_most="),
        ({"metric": "f1", "at_least": 1}, "metric must be one of accuracy, mean squared error"),
    ],
)
def test_a_slip_of_the_author_is_not_the_student_s(arguments, said):
    with pytest.raises(ValueError, match=said):
        assert_learnt(LABELS, LABELS, **arguments)


def data(n=50):
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, 2, 3)).astype(np.float32), rng.integers(0, 4, n)


def test_what_is_held_out_is_new_each_time_and_nothing_is_lost():
    inputs, labels = data()
    parts = [held_out(np.random.default_rng(seed), inputs, labels) for seed in (0, 0, 1)]
    for first, again in zip(parts[0], parts[1], strict=True):
        np.testing.assert_array_equal(first, again)
    assert not np.allclose(parts[0].inputs, parts[2].inputs)
    one = parts[0]
    assert (len(one.inputs), len(one.held_inputs)) == (35, 15)
    assert (one.inputs.dtype, one.inputs.shape[1:]) == (np.float32, (2, 3))
    sizes = np.linalg.norm(np.concatenate([one.inputs, one.held_inputs]).reshape(50, -1), axis=1)
    np.testing.assert_allclose(
        np.sort(sizes), np.sort(np.linalg.norm(inputs.reshape(50, -1), axis=1)), rtol=1e-5
    )
    found = np.bincount(np.concatenate([one.targets, one.held_targets]))
    assert sorted(found) == sorted(np.bincount(labels))


def test_without_mixing_examples_and_labels_stay_together():
    inputs, labels = data()
    part = held_out(np.random.default_rng(0), inputs, labels, share=0.5, mix=False)
    known = {example.tobytes(): label for example, label in zip(inputs, labels, strict=True)}
    pairs = zip(part.held_inputs, part.held_targets, strict=True)
    assert all(known[example.tobytes()] == label for example, label in pairs)


def test_labels_are_renamed_one_to_one():
    inputs, labels = data()
    inputs = np.repeat(labels[:, None], 3, axis=1).astype(float)
    part = held_out(np.random.default_rng(3), inputs, labels)
    sizes = np.round(np.linalg.norm(part.inputs, axis=1) / np.sqrt(3)).astype(int)
    renamed = {(old, new) for old, new in zip(sizes, part.targets, strict=True)}
    assert len(renamed) == len({old for old, _ in renamed}) == len({new for _, new in renamed}) == 4


def test_data_that_do_not_fit():
    inputs, labels = data()
    for arguments in ({"targets": labels[:9]}, {"share": 0.0}, {"share": 1.0}):
        with pytest.raises(ValueError, match="do not fit"):
            held_out(np.random.default_rng(0), inputs, **({"targets": labels} | arguments))


def test_the_audit_hears_of_it():
    with noting_kinds() as found:
        assert_learnt(LABELS, LABELS, at_least=1)
    assert found == [Noted(Kind.TRAINING)]
