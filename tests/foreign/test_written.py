"""Functions of the tests that the student's code is given as they are written."""

import math
from math import exp

import numpy as np
import pytest
import torch

from autograder.foreign.inside.written import function_of, written_of
from tests.nbgrader_courses import answer, scored

SCALE = 2


def polynomial(x, y=1, *, power=2):
    roots = [2 * k for k in range(3)]
    return sum((x - root) ** power for root in roots) + y


def system(x):
    def square(value):
        return value * value

    return np.array([square(x[0]), math.sqrt(x[1]), abs(np.linalg.norm(x))])


COMPUTING = {
    "a lambda": (lambda x: exp(x) - 2, 1.5),
    "parameters, a loop": (polynomial, 3.0),
    "functions inside, libraries": (system, np.array([3.0, 4.0])),
    "torch": (lambda x: torch.sum(x**2), torch.ones(3)),
    "methods": (lambda x: x.sum(axis=0).tolist(), np.ones((2, 2))),
}


@pytest.mark.parametrize("what", COMPUTING)
def test_a_function_that_computes_is_the_same_where_it_is_given(what):
    function, value = COMPUTING[what]
    there = function_of(written_of(function))
    assert np.array_equal(there(value), function(value))
    assert there.__name__ == function.__name__
    assert (there.__defaults__, there.__kwdefaults__) == (
        function.__defaults__,
        function.__kwdefaults__,
    )


def closed_over(k):
    return lambda x: x + k


def counted(x):
    counted.calls += 1
    return x


def kept(x, seen=[]):  # noqa: B006 - that is what is tried
    seen.append(x)
    return x


def generated(x):
    yield x


def changed(x):
    global SCALE  # noqa: PLW0603 - likewise
    SCALE = x


class Callable:
    def __call__(self, x):
        return x

    def method(self, x):
        return x


BODIES = (
    *("SCALE * x", "polynomial(x)", "x + np.random.rand()", "x + torch.randn(1)", "print(x)"),
    *("x.__class__", "__import__('os')", "setattr(x, 'y', 1)", "open(x)", "np.load(x)"),
)


@pytest.mark.parametrize(
    "function",
    [
        *(pytest.param(eval(f"lambda x: {body}"), id=body) for body in BODIES),
        *(closed_over(1), counted, kept, generated, changed, Callable(), Callable().method),
        *(math.exp, np.sin, 3),
    ],
)
def test_all_that_does_more_stays_with_the_tests(function):
    assert written_of(function) is None


def test_it_is_found_out_anew_what_a_name_means():
    names = {"exp": math.exp}
    exec("f = lambda x: exp(x)", names)
    assert function_of(written_of(names["f"]))(0) == 1
    names["exp"] = lambda x: 3
    assert written_of(names["f"]) is None


def test_what_a_test_passes_is_called_where_it_costs_nothing_or_where_it_counts(grading):
    found = grading(
        answer("f", "def apply(f, x):\n    return [f(x), f(x)], '__code__' in dir(f)\n"),
        scored("computes", "import math\nassert apply(lambda x: math.exp(x), 0) == ([1, 1], True)"),
        scored(
            "counts",
            "calls = []\ndef f(x):\n    calls.append(x)\n    return x\n"
            "assert apply(f, 3)[0] == [3, 3] and calls == [3, 3]",
        ),
        scored("built in", "assert apply(max, (1, 2))[0] == [2, 2]"),
        answer("g", "def same(f):\n    return f"),
        scored("returns", "g = lambda x: 1 / x\nassert same(g) is g and same(g)(2) == 0.5"),
        scored(
            "raises", "try:\n    apply(lambda x: 1 / x, 0)\nexcept ZeroDivisionError:\n    pass"
        ),
    )
    assert set(found.reasons.values()) == {None}
    assert set(found.points().values()) == {1}
    wrong = found.points({"f": "def apply(f, x):\n    return [f(x)], '__code__' in dir(f)"})
    assert (wrong["computes"], wrong["counts"]) == (0, 0)
