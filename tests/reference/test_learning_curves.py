"""What is said of learning curves agrees with torch and with a search."""

import numpy as np
import pytest
import torch

from reference.learning_curves import chance_loss, double_softmax_floor, early_stop, smooth

F = torch.nn.functional


@pytest.mark.parametrize("classes", [1, 2, 10, 1000])
def test_chance_is_the_cross_entropy_of_equal_logits(classes):
    logits = torch.zeros(1, classes, dtype=torch.float64)
    wanted = float(F.cross_entropy(logits, torch.tensor([0])))
    assert chance_loss(classes) == pytest.approx(wanted, abs=1e-12)


def test_ten_classes_start_at_2_302():
    assert chance_loss(10) == pytest.approx(2.302, abs=1e-3)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_no_probabilities_bring_the_double_softmax_below_its_floor(classes):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2000, classes, generator=generator, dtype=torch.float64) * 10
    labels = torch.zeros(2000, dtype=torch.long)
    losses = F.cross_entropy(logits.softmax(1), labels, reduction="none")
    assert float(losses.min()) >= double_softmax_floor(classes) - 1e-12
    perfect = F.one_hot(labels[:1], classes).double()
    assert double_softmax_floor(classes) == pytest.approx(
        float(F.cross_entropy(perfect, labels[:1]))
    )


def stop_by_search(losses, patience):
    """The first epoch whose last `patience` losses bring no new best."""
    for end in range(patience + 1, len(losses) + 1):
        if min(losses[end - patience : end]) >= min(losses[: end - patience]):
            return end, losses[:end].index(min(losses[:end])) + 1
    return len(losses), losses.index(min(losses)) + 1


def test_early_stopping_agrees_with_a_search():
    rng = np.random.default_rng(0)
    for _ in range(500):
        losses = rng.integers(1, 9, size=rng.integers(1, 15)).tolist()
        patience = int(rng.integers(1, 6))
        assert early_stop(losses, patience) == stop_by_search(losses, patience)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_smoothing_is_a_weighted_mean(beta):
    losses = np.random.default_rng(0).normal(size=20)
    wanted = [
        np.average(losses[: t + 1], weights=np.power(beta, np.arange(t, -1, -1))) for t in range(20)
    ]
    np.testing.assert_allclose(smooth(losses, beta), wanted, rtol=1e-12, atol=1e-14)


def test_smoothing_forgets_a_tenth_unless_told_otherwise():
    losses = np.random.default_rng(0).normal(size=5)
    np.testing.assert_array_equal(smooth(losses), smooth(losses, 0.9))
