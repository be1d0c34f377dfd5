"""Checks from domains, compiled: what a release says of them, and what is refused."""

import pytest

from autograder.errors import SourceError

IMPORTS = """\
# %%
from autograder import arrays, choices, derived, domain, interval, like, matches_reference, whole
"""
MADE = """\
# %%
# Doubling is linear.
{name} = matches_reference("double", points=2, {options}x=arrays("n"))
"""
PROMISE = """\
# The inputs may be:
# - x: an array of shape (n,) of float64
# - values of x: also exact zeros, ties, large, tiny, only zeros, all equal
# - in memory x: also strided, read-only
# - sizes: n from 1 to 5
"""


def made(options="", name="double_matches_reference"):
    return MADE.format(options=options, name=name)


@pytest.fixture
def released(workshop):
    """Return a function that compiles one check and returns its cell of the release."""

    def released(cell, name="double_matches_reference"):
        return workshop.compile(IMPORTS, cell).release[name]

    return released


def test_a_release_says_above_a_statement_what_inputs_it_promises(released):
    assert released(made()) == (
        "# Doubling is linear.\n"
        + PROMISE
        + 'double_matches_reference = matches_reference("double", points=2, x=arrays("n"))\n\n\n'
        "self_check(double_matches_reference)"
    )


def test_a_release_says_it_above_a_function_too_without_its_hidden_cases_and_its_hint(released):
    text = released(
        """\
        # %%
        # Above.
        @check("double", points=2, hint="by 2")
        @case("by hand", x=1.0)
        # a secret
        @case("hidden", x=2.0, hidden=True)
        @domain(x=interval(0, 1), visible=1)
        def double_twice(student, reference, rng, x):
            \"\"\"double doubles.\"\"\"
            assert_close(student.double(x), reference.double(x))
        """,
        "double_twice",
    )
    assert text.startswith(
        "# Above.\n# The inputs may be:\n# - x: a number, at least 0 and at most 1\n"
        '@check("double", points=2)\n@case("by hand", x=1.0)\n@domain(x=interval(0, 1), visible=1)'
    )
    assert "secret" not in text
    assert "by 2" not in text


def test_a_hint_is_cut_from_a_statement_and_what_is_long_is_wrapped(released):
    text = released(
        made('hint="the double",\n    said="Double.", ').replace(
            '"n")', '"n c h", dtypes=("float64", "float32", "float16", "int64", "int32", "uint8"))'
        )
    )
    assert "the double" not in text
    assert 'said="Double."' in text
    comments = [line for line in text.split("\n") if line.startswith("#")]
    assert max(map(len, comments)) <= 88
    assert "#   " in "\n".join(comments)


def test_a_check_without_visible_draws_keeps_its_promise_in_words(released):
    assert released(made('visible=0, said="Double it.", ')) == (
        "# double: graded with hidden cases.\n# Double it.\n" + PROMISE.rstrip()
    )


def test_a_hidden_cell_keeps_even_its_promise(workshop):
    cell = made("visible=0, ").replace("# %%", "# %% hidden=true", 1)
    text = workshop.compile(IMPORTS, cell).release["double_matches_reference"]
    assert text == "# double: graded with hidden cases."


def test_a_manifest_names_the_cases_whose_inputs_a_notebook_can_show(workshop):
    found = workshop.compile(IMPORTS, made()).artefacts.manifest
    entry = found.questions[0].checks[-1]
    assert entry.called == ("typical inputs", "n = 1")
    assert [name for name, hidden in entry.cases if not hidden] == list(entry.called)


REFUSED = {
    "another name": (
        made(name="double_twice"),
        "the check that matches_reference makes must have the name of the statement,"
        " 'double_twice', got 'double_matches_reference'; write double_matches_reference = …, or"
        " name='double_twice'",
    ),
    "no name": (
        '# %%\nmatches_reference("double", points=2, x=arrays("n"))',
        "matches_reference(…) must stand at the top level of its cell, with a name:"
        " sgd_step_matches_reference = matches_reference('sgd_step', …)",
    ),
    "two names": (
        '# %%\na = b = matches_reference("double", points=2, x=arrays("n"))',
        "matches_reference(…) must stand at the top level of its cell, with a name:"
        " sgd_step_matches_reference = matches_reference('sgd_step', …)",
    ),
    "in a function": (
        '# %%\ndef make():\n    a = matches_reference("double", points=2, x=arrays("n"))',
        "matches_reference(…) must stand at the top level of its cell, with a name:"
        " sgd_step_matches_reference = matches_reference('sgd_step', …)",
    ),
    "a computed name": (
        made('name="a" + "b", ', name="ab"),
        "line 2: matches_reference must have its question, function and name as texts that are"
        " written out, got 'a' + 'b' (the compiler reads them, and does not run them)",
    ),
    "a computed number": (
        made("visible=1 + 1, "),
        "line 2: visible must be a whole number, got 1 + 1 (the compiler reads it, and does not"
        " run it)",
    ),
    "draws of a hidden cell": (
        made().replace("# %%", "# %% hidden=true", 1),
        "check 'double_matches_reference' is in a hidden cell: write visible=0 in its domain",
    ),
    "another argument": (
        made("y=whole(1, 2), "),
        "check 'double_matches_reference': the arguments must be those of the function: got an"
        " unexpected keyword argument 'y'",
    ),
    "an argument that is missing": (
        made().replace('arrays("n")', "whole(1, 2, optional=True)"),
        "check 'double_matches_reference': the arguments must be those of the function: missing a"
        " required argument: 'x'",
    ),
    "another function": (
        made('function="triple", name="double_twice", ', name="double_twice"),
        "check 'double_twice' calls 'triple', which is no function here",
    ),
    "where never": (
        made("where=lambda n: n > 9, "),
        "check double_matches_reference: where must be true of typical inputs, got False for n=3;"
        " choose other sizes, or put the most usual choice first",
    ),
    "where that raises for a hidden draw": (
        made("where=lambda n: 1 / (n - 5) < 9, "),
        "check double_matches_reference: where must return True or False; for n=5 it raised"
        " ZeroDivisionError: division by zero",
    ),
    "nothing that is drawn": (
        made().replace('arrays("n")', "choices(1)"),
        "check 'double_matches_reference' can be answered from its release: its cases are all"
        " visible and it draws nothing from rng; hide a case, draw inputs from rng, or give it"
        " points=0",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_an_author_cannot_mean_is_refused_with_its_cell(workshop, name):
    cell, sentence = REFUSED[name]
    with pytest.raises(SourceError) as error:
        workshop.compile(IMPORTS, cell)
    assert str(error.value) == f"assignments/hw/hw.py, cell 5: {sentence}"


def test_arrays_stand_in_the_order_of_the_function(workshop):
    workshop.reference(**{"basics.py": "def double(grad, w):\n    return 2 * w\n"})
    cell = made('w=arrays("n"), ').replace(", x=", ", grad=")
    with pytest.raises(SourceError) as error:
        workshop.compile(IMPORTS, cell)
    assert str(error.value).endswith(
        "the arguments must stand in the order of the function, (grad, w), got (w, grad)"
    )


def test_one_fixed_shape_without_edges_is_drawn_anew_and_no_case_need_be_hidden(workshop):
    cell = made().replace('arrays("n")', 'arrays("3", values=("normal",), layouts=())')
    found = workshop.compile(IMPORTS, cell).artefacts.manifest
    assert found.questions[0].checks[-1].cases == (("typical inputs", False),)
