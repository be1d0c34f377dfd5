"""Null models have the form of the right answer and nothing in it."""

import numpy as np
import pytest
import torch

from autograder.artefacts.compiled import Oracle
from autograder.audit.checking.null_models import (
    NULL_MODELS,
    form_of,
    null_models,
    recorded_answers,
)
from autograder.authoring.checks import case, check

X = np.array([[1.0, 2.0], [3.0, 4.0]])


def double(x):
    return {"value": 2 * x, "size": x.size}


class Adder:
    def __init__(self, start):
        self.total = start

    def add(self, x):
        self.total = self.total + x
        return self.total


@check("double", points=1)
@case("two", n=2)
@case("three", n=3)
@case("five, hidden", n=5, hidden=True)
def doubles(student, reference, rng, n):
    """Doubles."""
    student.double(rng.normal(size=n))


ORACLE = Oracle("null", {"double": double, "Adder": Adder, "answer": 0.8}, {"doubles": doubles})


def models(*names, recorded=None):
    return dict(null_models(names, ORACLE, recorded or {}))


def test_there_is_each_model_that_the_audit_promises():
    assert set(models("double", recorded={"double": [1.0]})) == {
        *NULL_MODELS,
        "the previous call's answer",
        "the visible cases' answers",
    }


@pytest.mark.parametrize(
    ("title", "value", "size"),
    [
        ("zeros", np.zeros((2, 2)), 0),
        ("ones", np.ones((2, 2)), 1),
        ("a constant", np.full((2, 2), 0.1), 0.1),
        ("the input echoed", X, X),
        ("NaN", np.full((2, 2), np.nan), np.nan),
        ("empty", np.empty(0), np.empty(0)),
        ("a shape that broadcasts", 2 * X[None], np.array([4])),
        ("the wrong kind of dtype", 2 * X + 0j, 4 + 0j),
        ("None", None, None),
    ],
)
def test_each_leaf_of_an_answer_is_filled(title, value, size):
    found = models("double")[title]["double"](X)
    assert set(found) == {"value", "size"}
    np.testing.assert_array_equal(found["value"], value)
    np.testing.assert_array_equal(found["size"], size)


def test_the_previous_answer_comes_one_call_late():
    model = models("double")["the previous call's answer"]["double"]
    assert (model(X)["value"] == 0).all()
    assert (model(3 * X)["value"] == 2 * X).all()


def test_tensors_stay_tensors():
    oracle = Oracle("null", {"f": lambda x: 2 * x}, {})
    found = dict(null_models(["f"], oracle, {}))
    ones = found["ones"]["f"](torch.ones(3))
    assert isinstance(ones, torch.Tensor)
    assert ones.tolist() == [1.0, 1.0, 1.0]


def test_a_class_is_made_and_does_nothing():
    idle = models("Adder")["zeros"]["Adder"](5)
    assert idle.add(3) == 0
    assert idle.total == 5


def test_a_typed_answer_is_replaced():
    assert models("answer")["zeros"]["answer"] == 0.0
    assert np.isnan(models("answer")["NaN"]["answer"])


def test_recorded_answers_are_those_of_visible_cases_in_their_order():
    recorded = recorded_answers(doubles, ["double"], ORACLE)
    assert [answer["size"] for answer in recorded["double"]] == [2, 3]
    model = models("double", recorded=recorded)["the visible cases' answers"]["double"]
    assert [model(X)["size"] for _ in range(3)] == [2, 3, 2]


def mixed(x):
    return x.astype(np.float32), {"weights": x[0], "steps": 3}, [1.0, 2.0], "a text", x, True


FORMS = Oracle("null", {"double": double, "mixed": mixed, "answer": 0.8}, {})
OF_SUM = "float64 of shape (2, 2)"


@pytest.mark.parametrize(
    ("name", "title", "form"),
    [
        ("double", "zeros", f"{{value: {OF_SUM}, size: a whole number}}"),
        ("double", "a constant", f"{{value: {OF_SUM}, size: a number}}"),
        ("double", "the previous call's answer", f"{{value: {OF_SUM}, size: a whole number}}"),
        (
            "mixed",
            "ones",
            "(float32 of shape (2, 2), {weights: float64 of shape (2,), steps: a whole number}, "
            "a list of 2, a text, …)",
        ),
        ("answer", "NaN", "a number"),
        ("answer", "a shape that broadcasts", "float64 of shape (1,)"),
        ("answer", "None", ""),
    ],
)
def test_a_model_is_told_with_the_form_of_what_it_answered(name, title, form):
    model = dict(null_models([name], FORMS, {}))[title]
    if callable(model[name]):
        assert form_of(model) == "", "it was not asked yet"
        model[name](X)
    assert form_of(model) == form
