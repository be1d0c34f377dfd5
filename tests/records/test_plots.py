import re

import matplotlib
import pytest

from autograder.records import plots
from autograder.records.plots import BANDS, histogram, stacked_bar


def test_a_histogram_counts_the_students_of_each_class():
    plot = histogram([0.0, 5.0, 9.9, 10.0, 89.0], 89.0)
    assert 'aria-label="Students by points: 0 to 10: 3, 10 to 20: 1, 80 to 90: 1"' in plot
    assert ">80</text>" in plot


@pytest.mark.parametrize("values", [[0.0], [15.0] * 300, [16.0, -1.0], [0.1 + 0.2]])
@pytest.mark.parametrize("possible", [0.0, 0.5, 15.0, 100.0, 1e6])
def test_a_histogram_takes_any_points(values, possible):
    plot = histogram(values, possible)
    counts = re.findall(r" to [\d.]+: (\d+)", plot)
    assert sum(map(int, counts)) == len(values)


def test_the_same_points_are_drawn_once():
    points = [7.25, 1.5, 3.0]
    assert histogram(points, 9.0) is histogram(points[::-1], 9.0)


def test_a_bar_is_as_long_as_its_bands():
    plot = stacked_bar(dict(zip(BANDS, (3, 0, 1, 0), strict=True)), "3 full & 1 not")
    assert 'aria-label="3 full &amp; 1 not"' in plot
    assert plot.count("var(--full)") == plot.count("var(--none)") == 1
    assert "var(--part)" not in plot
    assert "L 108 " in plot, "three quarters of 144"
    nobody = stacked_bar(dict.fromkeys(BANDS, 0), "nobody")
    assert "var(--" not in nobody


def test_a_plot_takes_colours_and_font_from_its_page_and_holds_nothing_that_changes():
    plot = histogram([1.0, 2.0], 3.0)
    assert "var(--plot)" in plot
    assert not re.search(r"#[0-9a-f]{6}|font-family| id=|<style|<metadata|url\(|http", plot)
    with matplotlib.rc_context({"font.size": 40, "savefig.bbox": "tight", "axes.grid": True}):
        plots._histogram.cache_clear()
        assert histogram([1.0, 2.0], 3.0) == plot, "whatever a user's settings are"
