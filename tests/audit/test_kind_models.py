"""Null models of a kind: each is what it is called, and a check that cannot fail is found out."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from autograder.artefacts.compiled import Oracle
from autograder.audit.checking.asked import heard_in_a_run
from autograder.audit.checking.check_audit import audit_check
from autograder.audit.checking.kind_models import kind_models, may_pass
from autograder.audit.checking.null_models import null_models
from autograder.authoring.checks import case, check
from autograder.authoring.choices import assert_choice, assert_choices
from autograder.authoring.figures import assert_figure, drawn
from autograder.authoring.kinds import Kind, Noted
from autograder.authoring.memory import Spent, assert_memory
from autograder.authoring.quantities import assert_quantity
from autograder.authoring.subject import Subject
from autograder.authoring.timing import assert_fast
from autograder.authoring.training import assert_learnt
from autograder.errors import CheckFailure
from autograder.sandbox.protocol.messages import InProcessSession

X = np.array([1.0, 2.0, 4.0])


def plot(x):
    figure, axes = plt.subplots()
    axes.plot(x, label="x")
    axes.scatter(x, x)
    axes.bar(x, x)
    axes.imshow(np.outer(x, x))
    return figure


def plot_here(x):
    plt.plot(x)


def labels(start):
    return np.array([0, 0, 1, 2])


def predict(start):
    return {"w": start["w"] + 1}


NAMES = {
    "letter": "B",
    "letters": ["A", "C"],
    "size": 3.0,
    "typed": "3 ms",
    "plot": plot,
    "plot_here": plot_here,
    "labels": labels,
    "predict": predict,
}


def models(*names, kind, facts=()):
    oracle = Oracle("kinds", NAMES, {})
    return dict(kind_models(names, oracle, [Noted(kind, tuple(facts))]))


def test_a_choice_of_one_is_guessed():
    found = models("letter", "size", kind=Kind.CHOICE, facts=[("A", "B", "C"), False])
    assert found == {"the first option": {"letter": "A"}, "the last option": {"letter": "C"}}
    assert all(map(may_pass, found))


def test_several_are_ticked_all_or_none():
    found = models("letters", kind=Kind.CHOICE, facts=[("A", "B", "C"), True])
    assert {title: values["letters"] for title, values in found.items()} == {
        "every option ticked": ["A", "B", "C"],
        "no option ticked": [],
        "the first option": ["A"],
        "the last option": ["C"],
    }
    assert not may_pass("no option ticked")


def test_numbers_of_another_size_or_sign():
    assert models("size", "typed", "plot", kind=Kind.QUANTITY, facts=["ms"]) == {
        "a thousand times too large": {"size": 3000.0, "typed": 3000.0},
        "the opposite sign": {"size": -3.0, "typed": -3.0},
    }


def shown(function):
    return Subject(InProcessSession({"plot": function})).apply(drawn, "plot", X)


@pytest.mark.parametrize("name", ["plot", "plot_here"])
def test_figures_without_what_they_show(name):
    right = shown(NAMES[name])
    found = models(name, kind=Kind.FIGURE)
    assert len(found) == 4
    before = plt.get_fignums()
    for title, values in found.items():
        with pytest.raises(CheckFailure):
            assert_figure(shown(values[name]), right)
        assert plt.get_fignums() == before, title
    assert shown(found["the figure without data"][name])[0]["curves"] == []
    (panel,) = shown(found["the figure with a constant in place of its data"][name])
    np.testing.assert_allclose(panel["curves"][0]["y"], np.full(3, X.mean()))


@pytest.mark.parametrize("name", ["plot", "plot_here"])
def test_no_general_null_model_passes_on_the_right_figure(name):
    right = shown(NAMES[name])
    for title, values in null_models([name], Oracle("kinds", NAMES, {}), {}, draws=True):
        if title == "the previous call's answer":
            continue  # which is right where the inputs are the same
        with pytest.raises(CheckFailure):
            assert_figure(shown(values[name]), right)


def test_what_nothing_was_learnt_for():
    found = models("labels", "predict", kind=Kind.TRAINING)
    start = {"w": np.ones(2)}
    assert found["the right values in another order"]["labels"](start).tolist() == [1, 2, 0, 0]
    assert found["the most frequent value"]["labels"](start).tolist() == [0, 0, 0, 0]
    assert found["the argument that it starts from"]["predict"](start)["w"].tolist() == [1, 1]
    assert found["the argument that it starts from"]["labels"](start) is None


def test_a_right_answer_that_is_late_or_large():
    late = models("labels", kind=Kind.SPEED, facts=[5.0])["the right answer, too late"]["labels"]
    assert late(None).tolist() == [0, 0, 1, 2]
    found = models("labels", kind=Kind.MEMORY, facts=[1e6, None])
    assert list(found) == ["the right answer, in too much memory"]
    assert found["the right answer, in too much memory"]["labels"](None).tolist() == [0, 0, 1, 2]
    found = models("labels", kind=Kind.MEMORY, facts=[None, 0])
    assert list(found) == ["the right answer, with memory that is kept"]


def findings(function, name="f", **names):
    one = check("f", points=1)(case("one, hidden", hidden=True)(function))
    oracle = Oracle("kinds", names, {one.name: one})
    audited = audit_check(one, [name], list(names), oracle)
    return heard_in_a_run(one, oracle).kinds, " ".join(audited.findings), audited.free


def test_a_check_of_speed_on_arguments_that_are_too_small_is_found_out():
    def is_fast(student, reference, rng):
        """Fast."""
        assert_fast(student.f, reference.f, lambda: [rng.normal(size=3)], within=5)

    kinds, found, _ = findings(is_fast, f=lambda x: 2 * x)
    assert kinds == [Noted(Kind.SPEED, (5.0,))]
    assert "the null model 'the right answer, too late' passes every case" in found


def test_a_check_of_memory_that_measures_nothing_is_found_out():
    def is_small(student, reference, rng):
        """Small."""
        assert student.f(1) == reference.f(1)
        assert_memory(Spent(0, 0), peak=0)

    kinds, found, _ = findings(is_small, f=lambda x: 2 * x)
    assert kinds == [Noted(Kind.MEMORY, (0, None))]
    assert "the null model 'the right answer, in too much memory' passes every case" in found


def test_a_metric_that_asks_for_nothing_is_found_out():
    def learns(student, reference, rng):
        """Learns."""
        assert_learnt(student.f(rng.normal(size=9)), np.arange(9) % 3, at_least=0.3)

    _, found, _ = findings(learns, f=lambda x: np.arange(9) % 3)
    assert "the null model 'the most frequent value' passes every case" in found


def test_a_guess_that_is_right_is_told_and_refuses_nothing():
    def is_right(student, reference, rng):
        """Right."""
        assert_choice(student.letter, reference.letter, options="AB")

    _, found, free = findings(is_right, "letter", letter="B")
    assert found == ""
    assert free == {"the last option": ["one, hidden"]}


def test_ticking_nothing_is_no_guess():
    def is_right(student, reference, rng):
        """Right."""
        assert_choices(student.letters, reference.letters, options="ABC", share=0.1)

    _, found, free = findings(is_right, "letters", letters=["A", "C"])
    assert found == ""
    assert set(free) == {"every option ticked", "the first option", "the last option"}


def test_a_tolerance_for_a_number_that_lets_another_size_pass_is_found_out():
    def is_right(student, reference, rng):
        """Right."""
        assert_quantity(student.size, reference.size, atol=1e6)

    _, found, _ = findings(is_right, "size", size=3.0)
    assert "'a thousand times too large' passes every case" in found
