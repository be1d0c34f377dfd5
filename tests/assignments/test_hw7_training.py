"""Homework 7: broken loops, known mistakes, loss curves, and thresholds of training."""

import importlib.util
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.assignments.homework import COURSE, SECRETS, Homework, homework

NAME = "hw7_training"


@pytest.fixture
def hw() -> Homework:
    return homework(NAME)


# Loops that do not train as they should

BROKEN = ["broken_train_epoch", "broken_fit", "broken_fine_tune", "broken_train_keeping_best"]


def test_there_are_four_broken_loops(hw: Homework) -> None:
    assert [name for name in hw.names if name.startswith("broken_")] == BROKEN


ONE_STEP = "train_on_batch_takes_clean_steps"  # asks for a function of its own


@pytest.mark.parametrize("broken", BROKEN)
def test_a_loop_that_is_copied_unrepaired_earns_nothing(hw: Homework, broken: str) -> None:
    """No case of no check passes: so no single repair is worth all points, and none is free."""
    question = broken.removeprefix("broken_")
    checks = [check for check in hw.scored if check.question == question]
    assert sum(check.points for check in checks) == 10
    for check in (c for c in checks if c.name != ONE_STEP):
        values, cases = {question: hw.names[broken]}, {case.name for case in check.cases}
        for secret in SECRETS:
            assert hw.missed(check.name, values, [secret]) == cases


def idle_loop(name: str, number: Any) -> Any:
    """Return a loop that trains nothing and says the same number for each batch or epoch."""

    def loop(*args: Any) -> Any:
        if name == "fit":
            return {curve: [number] * args[-1] for curve in ("train", "valid", "accuracy")}
        if name == "fine_tune":
            return args[0], [number] * args[-1] * len(args[2])
        if name == "train_keeping_best":
            return [number] * args[-1], 1
        return [number] * len(args[2])

    return loop


@pytest.mark.parametrize("number", [0.0, 1.0, float("nan"), [0.5, 0.5]], ids=str)
def test_a_loop_that_trains_nothing_earns_nothing(hw: Homework, number: Any) -> None:
    loops = [name.removeprefix("broken_") for name in BROKEN]
    values = {name: idle_loop(name, number) for name in loops}
    values["train_on_batch"] = lambda *args: number
    for check in hw.scored:
        if check.question in loops:
            assert hw.earning(check.name, values) == set(), check.name


# Known mistakes: words of the title of each

KNOWN = [
    "shape (1, H)",
    "no shift: large scores overflow",
    "a sum over the examples in place of the mean",
    "factor 1/2",
    "one-hot labels of whole numbers",
    "the logarithm of a probability that has become zero",
    "a softmax before the cross-entropy, which takes one itself",
    "reshaped without moving the label axis",
    "evaluation mode is never set: validation data",
    "gradients add up: those of the batch before",
    "cleared between backward and step",
    "the arguments of the loss are swapped",
    "the list holds losses as tensors",
    "training mode is never set again",
    "the optimizer is built before the copy",
    "the optimizer is built before the head",
    "validation examples take part in the training",
    "a slip of a name: the model sees the first batch",
    "a slip of a name: the features are shuffled",
]


@pytest.mark.parametrize("words", KNOWN)
def test_a_known_mistake_is_kept(hw: Homework, words: str) -> None:
    banks = hw.compiled.oracle.banks.values()
    assert any(words in mistake.title for bank in banks for mistake in bank.mistakes)


# Numbers and curves


def test_a_classifier_of_ten_classes_starts_at_2_302(hw: Homework) -> None:
    rng = np.random.default_rng(0)
    X, y = hw.names["draw_digits"](rng, 300)
    W = 1e-4 * rng.normal(size=(64, 10))
    assert hw.names["softmax_loss"](W, X, y, 0.0)[0] == pytest.approx(2.302, abs=2e-3)


def curves_module() -> ModuleType:
    path = COURSE.source(NAME).parent / "curves.py"
    spec = importlib.util.spec_from_file_location("hw7_curves", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_curves_are_those_of_real_runs(hw: Homework) -> None:
    module, printed = curves_module(), hw.names["CURVES"]
    assert list(printed) == list(module.RUNS)
    for panel in printed:
        if panel != "D":  # chaos: another order of a sum gives another run
            again = np.array(module.losses(**module.RUNS[panel])) / 100
            np.testing.assert_allclose(printed[panel], again, rtol=0.02, atol=0.05)


def test_the_runs_show_what_the_answer_says(hw: Homework) -> None:
    module, answer = curves_module(), hw.names["curve_causes"]
    runs = {answer[panel]: settings for panel, settings in module.RUNS.items()}
    assert runs[6].get("stale")
    assert runs[7].get("twice")
    assert runs[8].get("by_lot")
    assert runs[5].get("scale") == 5.0
    assert runs[3].get("flipped")
    assert runs[2]["lr"] < runs[4]["lr"] / 50 < runs[1]["lr"] / 50


def test_each_panel_can_be_told_from_the_others_by_its_curves(hw: Homework) -> None:
    curves, answer = hw.names["CURVES"], hw.names["curve_causes"]
    train, valid = ({answer[p]: curves[p][i] for p in curves} for i in (0, 1))
    chance = hw.names["chance_loss"](10)
    floor = hw.names["double_softmax_floor"](10)
    rising = {n: (np.diff(train[n]) > 0.3).sum() for n in train}
    assert rising[1] > 3
    assert all(rising[n] == 0 for n in rising if n != 1)
    assert np.ptp(train[6]) == 0
    assert 0 < np.ptp(train[2]) < 0.7
    assert train[5][0] > 5 * chance
    assert valid[3][-1] > valid[3].min() + 0.15
    assert train[3][-1] < 0.15
    assert floor < train[7][-1] < floor + 0.1
    assert valid[8][-1] <= train[8][-1]
    assert valid[4][-1] == pytest.approx(valid[4].min(), abs=0.02)
    assert valid[4][-1] > train[4][-1]


@pytest.mark.parametrize("panel", "ABCDEFGH")
def test_a_panel_counts_by_itself_and_no_description_twice(hw: Homework, panel: str) -> None:
    check, right = hw.checks["curve_causes_are_right"], hw.names["curve_causes"]
    for other in set(right) - {panel}:
        swapped = {**right, panel: right[other], other: right[panel]}
        missed = hw.missed(check.name, {"curve_causes": swapped}, [b""])
        assert missed == {f"panel {panel}", f"panel {other}"}
        twice = {**right, panel: right[other]}
        assert hw.earning(check.name, {"curve_causes": twice}) == set()
    part = {other: cause for other, cause in right.items() if other != panel}
    assert hw.missed(check.name, {"curve_causes": part}, [b""]) == {f"panel {panel}"}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("data", "least"), [("digits", 0.90), ("spirals", 0.90)])
def test_the_threshold_is_far_below_the_solution_and_far_above_a_line(
    hw: Homework, data: str, least: float, seed: int
) -> None:
    names, rng = hw.names, np.random.default_rng([seed, 7])
    draw, count = names["turned"](rng, data), 600 if data == "digits" else 400
    classes = 10 if data == "digits" else 3
    (X, y), (fresh_X, fresh_y) = draw(count), draw(1000)
    params = names["fit_two_layer"](X, y, classes, seed)
    assert names["share_right"](params, fresh_X, fresh_y) > least + 0.01
    if data == "spirals":
        W, X1 = np.zeros((3, 3)), np.hstack([X, np.ones((len(X), 1))])
        for _ in range(300):
            W = W - names["softmax_loss"](W, X1, y, 0.0)[1]
        found = (np.hstack([fresh_X, np.ones((1000, 1))]) @ W).argmax(axis=1)
        assert (found == fresh_y).mean() < least - 0.2
