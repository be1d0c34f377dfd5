"""Names of students are put behind `student`, where nothing nearer binds them."""

import ast

import pytest

from autograder.adopting.bodies import Body
from autograder.adopting.names import Names

NAMES = Names(
    student=frozenset({"f", "g", "x", "table"}),
    functions=frozenset({"f", "g"}),
    given=frozenset({"np", "random", "data", "helper"}),
    given_functions=frozenset({"helper"}),
    imports={"np": "import numpy as np", "random": "import random"},
)


def body(text: str, output: str | None = None, rich: bool = False) -> str:
    return Body(text, output, NAMES, frozenset(), rich).text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "assert f(g(x)) > data",
            "assert student.f(student.g(student.x)) > data, 'f(g(x)) > data'",
        ),
        ("assert f(1), 'why'", "assert student.f(1), 'why'"),
        ("assert [f(x) for x in data]", "assert [student.f(x) for x in data], "),
        ("assert {x: x for x in f(2)}", "assert {x: x for x in student.f(2)}, "),
        ("assert all(map(lambda f: f, [g(1)]))", "assert all(map(lambda f: f, [student.g(1)])), "),
        ("assert f'{x} {f(2)}' == ''", "assert f'{student.x} {student.f(2)}' == '', "),
        (
            "for n in (1, 2):\n    assert f(n)  # é",
            "for n in (1, 2):\n    assert student.f(n)  # é",
        ),
        ("é = 'é'; assert f(é) == é", "é = 'é'\nassert student.f(é) == é, 'f(é) == é'"),
        ("x = 3\nassert f(x)", "x = 3\nassert student.f(x), 'f(x)'"),
        ("assert table['x'].f == 1", "assert student.table['x'].f == 1, "),
        ("print(f(1))\nassert f(2)", "assert student.f(2), 'f(2)'"),
        ("f(1) == 2\nassert f(2)", "student.f(1) == 2\nassert student.f(2), 'f(2)'"),
    ],
)
def test_a_statement_asks_the_student(text: str, wanted: str) -> None:
    found = body(text)
    assert found.lstrip("\n").startswith(wanted)
    ast.parse(found)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("assert f(np.sin, 2)", "notebook.f(np.sin, 2)"),
        ("assert f(helper)", "notebook.f(notebook.helper)"),
        ("def h(t):\n    return x\n\nassert f(h)", "notebook.f(h)"),
        ("k = lambda t: t\nh = lambda t: k(t)\nassert f(h, 1)", "notebook.f(h, 1)"),
        ("n = 1\nassert f(lambda t: g(t) + n)", "notebook.f(lambda t: notebook.g(t) + n)"),
    ],
)
def test_a_function_crosses_in_no_argument(text: str, wanted: str) -> None:
    found = body(text)
    assert f"return {wanted}" in found
    assert "student.apply(call_1" in found
    assert "return f(np.pi)" not in body("assert f(np.pi)")


def test_a_function_of_the_test_cell_goes_along() -> None:
    found = body("n = 2\nk = lambda t: t\nh = lambda t: k(t) + n\nassert f(h, 1)")
    helper = "def call_1(notebook, n):\n    k = lambda t: t\n    h = lambda t: k(t) + n\n    return"
    assert helper in found
    assert "student.apply(call_1, n)" in found


def test_an_import_of_the_test_cell_goes_along() -> None:
    found = body("import math\nh = lambda t: math.sqrt(t)\nassert f(h)")
    assert "def call_1(notebook):\n    import math\n    h = lambda t: math.sqrt(t)" in found


def test_magics_that_change_nothing_are_left_out() -> None:
    assert body("%%time\n%matplotlib inline\nassert f(1)") == "assert student.f(1), 'f(1)'"


def test_what_is_drawn_without_a_seed_is_drawn_from_the_cases_generator() -> None:
    assert body("assert f(np.random.rand(3))").startswith("np.random.seed(rng.integers(2**32))\n")
    assert body("assert f(random.random())").startswith("random.seed(int(rng.integers(2**32)))\n")
    assert "rng.integers" not in body("np.random.seed(0)\nassert f(np.random.rand(3))")
    assert "rng.integers" not in body("assert f(np.random.default_rng(0).random())")


def test_what_a_cell_showed_is_wanted() -> None:
    assert body("f(1)", "[1, 2]") == "assert student.f(1) == [1, 2]"
    assert body("f(1) == 2", "True") == "assert student.f(1) == 2, 'f(1) == 2'"
    assert body("f(1)", "<object>") == "assert_close(student.f(1), reference.f(1), what='f(1)')"


def test_rich_values_wrap_what_is_asked() -> None:
    assert body("assert f(1)", rich=True).startswith("student = rich_values(student)\n")
    both = body("AUTOTEST(f(1))", rich=True)
    assert both.startswith("student = rich_values(student)\nreference = rich_values(reference)\n")
