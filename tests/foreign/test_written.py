"""Functions of the tests that the student's code is given as they are written."""

import math
from math import exp
from pathlib import Path

import numpy as np
import pytest
import torch

from autograder.foreign.inside.written import function_of, functions_in, written_of
from tests.nbgrader_courses import answer, scored

SCALE = 2
BODIES = (
    *("SCALE * x", "polynomial(x)", "x + np.random.rand()", "x + torch.randn(1)", "print(x)"),
    *("x.__class__", "__import__('os')", "setattr(x, 'y', 1)", "open(x)", "np.load(x)"),
)
SHOWN = functions_in(Path(__file__).read_text(encoding="utf-8"))
SHOWN |= functions_in("\n".join(f"lambda x: {body}" for body in BODIES))


def polynomial(x):
    roots = [2 * k for k in range(3)]
    return sum((x - root) ** 2 for root in roots)


def system(x):
    def square(value):
        return value * value

    return np.array([square(x[0]), math.sqrt(x[1]), abs(np.linalg.norm(x))])


COMPUTING = {
    "a lambda": (lambda x: exp(x) - 2, 1.5),
    "a loop": (polynomial, 3.0),
    "functions inside, libraries": (system, np.array([3.0, 4.0])),
    "torch": (lambda x: torch.sum(x**2), torch.ones(3)),
    "methods": (lambda x: x.sum(axis=0).tolist(), np.ones((2, 2))),
}


@pytest.mark.parametrize("what", COMPUTING)
def test_a_function_that_computes_is_the_same_where_it_is_given(what):
    function, value = COMPUTING[what]
    there = function_of(written_of(function, SHOWN))
    assert np.array_equal(there(value), function(value))


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


@pytest.mark.parametrize(
    "function",
    [
        *(pytest.param(eval(f"lambda x: {body}"), id=body) for body in BODIES),
        *(closed_over(1), counted, kept, generated, changed, Callable(), Callable().method),
        *(math.exp, np.sin, 3),
    ],
)
def test_all_that_does_more_stays_with_the_tests(function):
    assert written_of(function, SHOWN) is None


def test_it_is_found_out_anew_what_a_name_means():
    names = {"exp": math.exp}
    exec(text := "f = lambda x: exp(x)", names)
    assert function_of(written_of(names["f"], functions_in(text)))(0) == 1
    names["exp"] = lambda x: 3
    assert written_of(names["f"], functions_in(text)) is None


def test_a_function_that_nobody_can_read_stays_with_the_tests():
    shown = functions_in("def f(x):\n    return x - 1.5\nsolve(lambda x: f(x), 2)")
    names = {}
    exec("g = lambda x: x - 1.5\nh = lambda x: x - 2.5", names)
    assert function_of(written_of(names["g"], shown))(2) == 0.5  # it does what one does
    assert written_of(names["h"], shown) is None
    assert functions_in("this is no Python") == {}
    exec("def k(x, root=2.5):\n    return x - root", names)  # a hidden test's own root
    assert written_of(names["k"], functions_in("def k(x, root=1.5):\n    return x - root")) is None
    long = f"lambda x: x in {tuple(map(float, range(9000)))}"
    assert written_of(eval(long), functions_in(long)) is None


def test_what_a_test_passes_is_called_where_it_costs_nothing_or_where_it_counts(grading):
    found = grading(
        answer("f", "def apply(f, x):\n    return [f(x), f(x)], '__code__' in dir(f), f.__name__"),
        scored(
            "computes",
            "import math\ndef e(x):\n    return math.exp(x)\n"
            "assert apply(e, 0) == ([1, 1], True, 'e')",
        ),
        scored(
            "counts",
            "calls = []\ndef f(x):\n    calls.append(x)\n    return x\n"
            "assert apply(f, 3)[0] == [3, 3] and calls == [3, 3]",
        ),
        scored("built in", "assert apply(max, (1, 2))[0] == [2, 2]"),
        answer("g", "def same(f):\n    return f"),
        scored("returns", "g = lambda x: 1 / x\nassert same(g) is g and same(g)(2) == 0.5"),
        scored(
            "raises", "import pytest\nwith pytest.raises(ZeroDivisionError):\n    apply(g, 0)\n"
        ),
        answer(
            "h", "def data():\n    return [1, 2, 6]\ndef least(f):\n    return min(range(9), key=f)"
        ),
        scored("asks", "d = data()\nassert least(lambda m: sum((x - m) ** 2 for x in d)) == 3"),
        answer("k", "def twice(f):\n    return lambda x: 2 * f(x)"),
        scored("wraps", "assert twice(lambda x: x + 1)(2) == 6"),
    )
    assert set(found.reasons.values()) == {None}
    assert set(found.points().values()) == {1}
    wrong = found.points({"f": "def apply(f, x):\n    return [f(x)], '__code__' in dir(f), ''"})
    assert (wrong["computes"], wrong["counts"]) == (0, 0)
    right = {
        "h": "import array\ndef data():\n    return array.array('d', [1, 2, 6])\n"
        "def least(f):\n    return min(range(9), key=f)",
        "k": "import functools\ndef twice(f):\n    @functools.wraps(f)\n"
        "    def inner(x):\n        return 2 * f(x)\n    return inner",
    }
    assert set(found.points(right).values()) == {1}


def test_functions_stay_with_the_tests_where_that_alone_is_right(grading):
    found = grading(
        answer("f", "def apply(f):\n    return f(2)"),
        scored(
            "t", "f = lambda: 0\ng = lambda x: exp(x)\nfrom math import exp\nassert apply(g) > 7"
        ),
        scored(
            "u",
            "import numpy as np\nnp.seterr(all='raise')\ntry:\n    apply(lambda x: np.log(x - 2))\n"
            "except FloatingPointError:\n    pass\nelse:\n    raise AssertionError",
        ),
    )
    assert found.reasons == {"t": None, "u": None}
    assert found.plan.notebooks["nb"].shown_of("f = len") == ""
    assert found.points() == {"t": 1, "u": 1}


def test_a_hidden_function_cannot_be_read(grading):
    found = grading(
        answer("f", "def root(f):\n    return f(0) / (f(0) - f(1))"),
        scored("shown", "assert root(lambda x: x - 1.5) == 1.5"),
        scored(
            "hidden",
            "assert root(lambda x: x - 1.5) == 1.5\n"
            "### BEGIN HIDDEN TESTS\nassert root(lambda x: x - 2.5) == 2.5\n### END HIDDEN TESTS",
        ),
    )
    assert found.reasons == {"shown": None, "hidden": None}
    reading = (
        "def root(f):\n    return [c for c in f.__code__.co_consts if isinstance(c, float)][0]"
    )
    assert found.points() == {"shown": 1, "hidden": 1}
    assert found.points({"f": reading}) == {"shown": 1, "hidden": 0}
