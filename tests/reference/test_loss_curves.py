"""The curves are whole, and what is drawn is what is there."""

import matplotlib.pyplot as plt
import numpy as np

from reference.loss_curves import CURVES, draw_curves, draw_depth, draw_steps


def test_each_panel_has_two_losses_for_each_epoch():
    assert "".join(CURVES) == "ABCDEFGH"
    for train, valid in CURVES.values():
        assert train.shape == valid.shape == (24,)
        assert (train > 0).all()


def test_the_panels_are_drawn_as_they_are():
    draw_curves()
    axes = plt.gcf().axes
    for axis, curves in zip(axes, CURVES.values(), strict=True):
        drawn = [line.get_ydata() for line in axis.lines[1:]]
        np.testing.assert_array_equal(drawn, curves)


def test_signals_grow_or_die_with_depth_but_for_one_size_of_weights():
    draw_depth(depth=20, width=100)
    low, right, high = (line.get_ydata() for line in plt.gca().lines)
    assert low[-1] < 1e-4 * low[0]
    assert 0.2 < right[-1] / right[0] < 5
    assert high[-1] > 1e4 * high[0]


def test_steps_are_counted_from_one():
    draw_steps([3.0, 2.0, 1.0], "loss")
    (line, _) = plt.gca().lines
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
    assert plt.gca().get_ylabel() == "loss"
