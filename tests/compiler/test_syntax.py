"""A text is asked for its names, and says the same on every Python."""

import ast

import pytest

from autograder.compiler.syntax import bound_names, free_names, touched_names

COMPREHENSIONS = [
    "[{} for x in xs]",
    "{{{} for x in xs}}",
    "{{{}: x for x in xs}}",
    "sum({} for x in xs)",
]


@pytest.mark.parametrize("form", COMPREHENSIONS)
def test_what_a_comprehension_loops_over_is_no_name_of_the_module(form: str) -> None:
    text = f"y = {form.format('f(x)')}"
    assert bound_names(text) == ["y"]
    assert touched_names(ast.parse(text).body[0]) == ["y"]
    assert free_names(text) - {"sum"} == {"f", "xs"}


@pytest.mark.parametrize("form", COMPREHENSIONS)
def test_nor_is_that_of_one_within_another(form: str) -> None:
    text = f"y = [{form.format('f(x, z)')} for z in zs]"
    assert bound_names(text) == ["y"]
    assert free_names(text) - {"sum"} == {"f", "xs", "zs"}


def test_what_a_function_loops_over_is_not_free() -> None:
    text = "def g(xs):\n    return {x: [f(x, k) for k in range(N)] for x in xs}\n"
    assert bound_names(text) == ["g"]
    assert free_names(text) == {"f", "range", "N"}
