"""Figures: what they show is compared by its values; words are the student's own."""

import copy

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autograder.authoring.figures import DATA, assert_figure, drawn
from autograder.authoring.kinds import Kind, Noted, noting_kinds
from autograder.authoring.standard import observing
from autograder.authoring.subject import Proxy, RemoteId, Subject
from autograder.errors import CheckFailure, StudentError, Unanswered
from autograder.sandbox.protocol.messages import InProcessSession

X = np.array([3.0, 1.0, 2.0])


def subject(**names):
    return Subject(InProcessSession(names))


def shown(plot, *args):
    return subject(plot=plot).apply(drawn, "plot", *args)


def complaint(got, want, **arguments):
    with pytest.raises(CheckFailure) as caught:
        assert_figure(got, want, **arguments)
    return str(caught.value)


def losses(training, validation):
    figure, axes = plt.subplots()
    axes.semilogy(training, label="training")
    axes.semilogy(validation, label="validation")
    axes.set(xlabel="epoch", ylabel="loss", title="Losses")
    axes.legend()
    return figure


def training(change=lambda axes: None, values=(X, 2 * X)):
    def plot():
        figure = losses(*values)
        change(figure.axes[0])
        return figure

    return shown(plot)


WANT = training()


def test_a_figure_crosses_as_plain_values():
    (panel,) = WANT
    assert {key: panel[key] for key in ("title", "xlabel", "ylabel", "xscale", "yscale")} == {
        "title": "Losses",
        "xlabel": "epoch",
        "ylabel": "loss",
        "xscale": "linear",
        "yscale": "log",
    }
    assert panel["legend"] == ["training", "validation"]
    assert [curve["label"] for curve in panel["curves"]] == ["training", "validation"]
    np.testing.assert_array_equal(panel["curves"][1]["y"], 2 * X)
    np.testing.assert_array_equal(panel["curves"][1]["x"], [0, 1, 2])
    assert [panel[name] for name in DATA[1:]] == [[], [], []]


def test_all_that_is_drawn_is_closed():
    before = plt.get_fignums()
    shown(lambda: losses(X, X))
    with pytest.raises(StudentError):
        shown(lambda: (plt.figure(), 1 / 0))
    assert plt.get_fignums() == before


def by_current_figure():
    plt.figure()
    plt.plot(X)


def by_axes():
    return plt.plot(X) and plt.gca()


def by_array_of_axes():
    axes = plt.subplots(1, 1, squeeze=False)[1]
    axes[0, 0].plot(X)
    return axes


def by_figure_and_axes():
    figure, axes = plt.subplots()
    axes.plot(X)
    return figure, axes


def by_a_figure_of_its_own():
    figure = Figure()
    figure.subplots().plot(X)
    return figure


@pytest.mark.parametrize(
    "plot",
    [by_current_figure, by_axes, by_array_of_axes, by_figure_and_axes, by_a_figure_of_its_own],
)
def test_however_a_function_gives_its_figure(plot):
    assert_figure(shown(plot), shown(by_figure_and_axes))


def test_nothing_is_drawn_over_an_earlier_figure():
    plt.plot(5 * X)
    assert_figure(shown(lambda: plt.plot(X) and None), shown(by_figure_and_axes))


def test_a_figure_that_a_cell_keeps():
    kept, axes = plt.subplots()
    axes.plot(X)
    for value in (kept, axes):
        assert_figure(subject(figure=value).apply(drawn, "figure"), shown(by_axes))
    assert plt.fignum_exists(kept.number)


@pytest.mark.parametrize("value", [None, 3, "figure", [], [1], np.ones(2), object()])
def test_what_is_no_figure(value):
    assert complaint(shown(lambda: value), WANT) == (
        "figure: no figure: return it, or leave it as the current one"
    )


def test_the_same_picture_in_other_words_passes():
    def words(axes):
        axes.set(xlabel="Epoche", ylabel="Verlust", title="")
        for line, label in zip(axes.lines, "ab", strict=True):
            line.set(label=label, color="k", linestyle="--")
        axes.legend()

    assert_figure(training(words), WANT)


def test_curves_in_another_order_pass_and_only_what_agrees_is_noted():
    with observing() as seen:
        assert_figure(training(values=(2 * X, X)), WANT)
    assert len(seen) == 4
    assert all(one.margin == 0 for one in seen)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda axes: axes.set_yscale("linear"), "figure, yscale: 'linear', expected 'log'"),
        (lambda axes: axes.set_xlabel(" "), "figure, xlabel: is missing"),
        (lambda axes: axes.get_legend().remove(), "legend: 0 different entries, expected 2"),
        (lambda axes: axes.legend(["a", "a"]), "legend: 1 different entries, expected 2"),
        (lambda axes: axes.lines[1].remove(), "figure: 1 curve, expected 2"),
        (lambda axes: axes.lines[1].set_visible(False), "figure: 1 curve, expected 2"),
        (lambda axes: axes.plot(X), "figure: 3 curves, expected 2"),
        (lambda axes: axes.lines[1].set_ydata(3 * X), "curve 'validation', y: 3 of 3 values"),
        (lambda axes: axes.lines[0].set_xdata([1, 2, 3]), "curve 'training', x: 3 of 3 values"),
        (lambda axes: axes.lines[0].set_data([1], [1]), "shape (1,), expected (3,)"),
        (lambda axes: axes.lines[0].set_ydata([np.nan] * 3), "nan, expected"),
        (lambda axes: axes.clear(), "figure: 0 curves, expected 2"),
    ],
)
def test_what_is_missing_or_wrong_is_said(change, said):
    assert said in complaint(training(change), WANT)


def test_what_a_check_does_not_ask_for_may_be_missing():
    def bare(axes):
        axes.set(xlabel="", ylabel="", yscale="linear")
        axes.get_legend().remove()
        axes.axhline(0)

    got = training(bare)
    assert_figure(got, WANT, labels=False, legend=False, scales=False, extra=True)
    assert_figure(got, WANT, labels=False, legend=False, scales=False, extra=True, rtol=1e-3)


def two_panels(swap=False):
    _, panels = plt.subplots(1, 2)
    values = [X, 5 * X]
    for axes, numbers in zip(panels, values[::-1] if swap else values, strict=True):
        axes.plot(numbers)
    return panels


def test_panels_are_compared_in_their_order():
    want = shown(two_panels)
    assert_figure(shown(two_panels), want)
    assert "figure, panel 1, curve, y:" in complaint(shown(two_panels, True), want)
    assert complaint(WANT, want) == "figure: 1 panel, expected 2"


def points(order):
    axes = plt.subplots()[1]
    axes.scatter(X[order], (X**2)[order])
    axes.bar(X, 3 * X)
    axes.fill_between(X, X, 2 * X)
    picture = axes.imshow(np.outer(X, X))
    plt.colorbar(picture)


def test_points_in_any_order_bars_and_images():
    want = shown(points, [0, 1, 2])
    (panel,) = want
    assert [len(panel[name]) for name in DATA] == [0, 1, 1, 1]
    assert_figure(shown(points, [2, 0, 1]), want)
    for name, key in (("points", "y"), ("bars", "height")):
        wrong = copy.deepcopy(want)
        wrong[0][name][0][key] = wrong[0][name][0][key] + 1
        assert f"{key}: 3 of 3 values differ" in complaint(wrong, want)
        assert_figure(wrong, want, data=["images"])
    wrong = copy.deepcopy(want)
    wrong[0]["images"][0][0, 0] += 1
    assert "figure, image: 1 of 9 values differ" in complaint(wrong, want)


EVIL = Proxy(None, RemoteId(0, "Evil"), "figure")


def forged(**changes):
    return [copy.deepcopy(WANT[0]) | changes]


@pytest.mark.parametrize(
    "got",
    [
        EVIL,
        True,
        "passed",
        {},
        [EVIL],
        [[]],
        [{"curves": WANT[0]["curves"]}],
        forged(curves=EVIL),
        forged(curves=[EVIL, EVIL]),
        forged(curves=[{}, {}]),
        forged(curves=[{"label": "", "x": EVIL, "y": X}] * 2),
        forged(curves=[{"label": "", "x": X, "y": [1.0]}] * 2),
        forged(curves=[{"label": "", "x": X, "y": X[:1]}] * 2),
        forged(curves=[{"label": 3, "x": X, "y": X}] * 2),
        forged(curves=WANT[0]["curves"] * 500),
        forged(legend=[EVIL, EVIL]),
        forged(xscale=EVIL),
        forged(points=None),
        WANT * 3,
    ],
)
def test_what_a_session_makes_up_is_refused(got):
    assert complaint(got, WANT).startswith("figure")


def test_a_figure_that_is_not_there_yet():
    with pytest.raises(Unanswered):
        assert_figure(Proxy(None, RemoteId(0, "ellipsis"), "figure"), WANT)
    with pytest.raises(StudentError, match="plot is not defined in the notebook"):
        subject().apply(drawn, "plot")


def test_a_slip_of_the_author_is_not_the_student_s():
    with pytest.raises(ValueError, match="data must be some of"):
        assert_figure(WANT, WANT, data=["lines"])
    with pytest.raises(ValueError, match="shows no points"):
        assert_figure(WANT, WANT, data=["points"])


def test_the_audit_hears_of_it():
    with noting_kinds() as found:
        assert_figure(WANT, WANT)
    assert found == [Noted(Kind.FIGURE)]
