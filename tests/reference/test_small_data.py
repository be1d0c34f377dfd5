"""The small data sets are what they say, whatever generator draws them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from reference.small_data import draw_decisions, draw_digits, draw_spirals, show_data, turned


def test_a_digit_is_its_glyph_at_some_place_and_contrast_behind_noise():
    images, labels = draw_digits(np.random.default_rng(0), 4000)
    assert images.shape == (4000, 64)
    assert set(labels) == set(range(10))
    means = np.array([images[labels == label].mean(axis=0) for label in range(10)])
    nearest = ((images[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == labels).mean() > 0.8  # a mean picture of each class tells them apart


def test_spirals_lie_in_a_ring_and_an_arm_is_no_sector():
    points, arms = draw_spirals(np.random.default_rng(0), 3000)
    radius = np.hypot(*points.T)
    assert points.shape == (3000, 2)
    assert set(arms) == {0, 1, 2}
    assert 0.19 < radius.min() < radius.max() < 1.01
    angle = np.arctan2(points[:, 1], points[:, 0]) - 4 * radius - 2 * np.pi * arms / 3
    assert np.abs(np.angle(np.exp(1j * angle))).max() < 1.0


def test_beyond_the_seam_an_arm_has_another_arms_label():
    plain, seamed = (draw_spirals(np.random.default_rng(1), 500, seam) for seam in (1.0, 0.6))
    far = np.hypot(*plain[0].T) > 0.6
    np.testing.assert_array_equal(plain[0], seamed[0])
    np.testing.assert_array_equal(plain[1][~far], seamed[1][~far])
    np.testing.assert_array_equal((plain[1][far] + 2) % 3, seamed[1][far])


@pytest.mark.parametrize(("data", "features", "classes"), [("digits", 64, 10), ("spirals", 2, 3)])
def test_turned_examples_keep_their_lengths_and_change_with_the_generator(data, features, classes):
    first, second = (turned(np.random.default_rng(seed), data)(300) for seed in (0, 1))
    for examples, labels in (first, second):
        assert examples.shape == (300, features)
        assert set(labels) <= set(range(classes))
    again = turned(np.random.default_rng(0), data)(300)
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.allclose(first[0], second[0])


def test_pictures_of_the_data_are_drawn():
    before = len(plt.get_fignums())
    show_data()
    draw_decisions(lambda *_: 0.0, lambda side, plane: (plane[:, 0] > side).astype(int))
    assert len(plt.get_fignums()) == before + 2
    coloured = plt.gca().collections[0].get_array()
    assert set(np.unique(coloured)) == {0, 1}


def test_decisions_of_a_network_that_is_not_written_yet_are_no_error():
    def fit(*_):
        raise NotImplementedError

    draw_decisions(fit, lambda *_: pytest.fail("there is nothing to predict with"))
    assert plt.gca().get_title() == "write fit_two_layer first"
