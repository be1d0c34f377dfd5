"""A text is asked for its names, and says the same on every Python."""

import ast

import pytest

from autograder.compiler.syntax import bound_names, free_names, text_of, touched_names

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


def test_the_text_of_a_node_is_what_stands_there() -> None:
    source = "é = f('ü', [1,\n  2],  # both\n  last='ß')\n"
    call = ast.parse(source).body[0].value
    for node in (call, *call.args, *(k.value for k in call.keywords)):
        assert text_of(source, node) == ast.get_source_segment(source, node)
