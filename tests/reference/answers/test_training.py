"""Each description has its panel."""

from reference.answers.training import curve_causes


def test_each_description_fits_one_panel():
    assert sorted(curve_causes) == list("ABCDEFGH")
    assert sorted(curve_causes.values()) == list(range(1, 9))
