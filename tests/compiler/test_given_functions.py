import pytest

from autograder.artefacts.bundle import parse_bundle
from autograder.errors import SourceError
from autograder.grading.oracle import load_bundle_oracle

TRIPLE = '''\
def triple(x):
    """Triple x."""
    return 3 * x


class Net:
    """A net."""

    def __init__(self):
        pass
'''
PROBES = '''\
"""Probes."""


def inside(notebook, x):
    """Double x."""
    return notebook.double(x)


def deep(notebook, x):
    """Double x, by way of another function."""
    return inside(notebook, x)
'''
SOLUTION = "# %%\nfrom reference.own import triple"
CHECK = '''\
# %%
{helpers}
@check("{question}", points=1, given=[{given!r}])
@case("a", n=3)
@case("b", n=4, hidden=True)
def triple_is_right(student, reference, rng, n):
    """triple triples."""
    x = rng.normal(size=n)
    assert_close(student.triple(x), reference.triple(x), what="double")
    {more}
'''


@pytest.fixture
def workshop(workshop):
    workshop.reference(**{"own.py": TRIPLE})
    return workshop


def check(given="double", more="", helpers="", question="triple"):
    return CHECK.format(given=given, more=more, helpers=helpers, question=question)


def refused(workshop, *cells):
    with pytest.raises(SourceError) as caught:
        workshop.compile(*cells)
    return str(caught.value)


def test_what_a_check_is_given_is_in_the_bundle_and_in_the_release(workshop):
    compiled = workshop.compile(SOLUTION, check())
    oracle = load_bundle_oracle(parse_bundle(compiled.artefacts.bundle, "the bundle"))
    assert oracle.checks["triple_is_right"].given == ("double",)
    assert oracle.checks["double_is_right"].given == ()
    assert "given=['double']" in compiled.release["triple_is_right"]


@pytest.mark.parametrize("more", ["reference.double(x)", 'reference["double"]'])
def test_a_check_may_ask_the_reference_for_what_it_is_given(workshop, more):
    workshop.compile(SOLUTION, check(more=more))


def test_a_name_that_no_question_asks_for_is_refused(workshop):
    assert refused(workshop, SOLUTION, check("duoble")) == (
        "assignments/hw/hw.py, cell 5: check 'triple_is_right' is given 'duoble', which no question"
        " asks for; did you mean 'double'?"
    )


@pytest.mark.parametrize("name", ["np", "assert_close", "print"])
def test_a_name_that_students_do_not_write_is_refused(workshop, name):
    assert "which no question asks for" in refused(workshop, SOLUTION, check(name))


def test_what_stands_below_the_check_is_refused(workshop):
    workshop.reference(**{"later.py": 'def later(x):\n    """Later."""\n    return x\n'})
    text = refused(workshop, SOLUTION, check("later"), "# %%\nfrom reference.later import later")
    assert "is given 'later', which stands below it" in text


def test_what_is_no_function_is_refused(workshop):
    cells = "# %%\nfrom reference.own import triple, Net", check("Net")
    assert "is given 'Net', which is no function of the reference" in refused(workshop, *cells)


def test_the_function_of_its_own_question_is_refused(workshop):
    assert "given must not name 'triple', the question that this check tests" in refused(
        workshop, SOLUTION, check("triple")
    )


@pytest.mark.parametrize(
    "more",
    [
        "student.double(x)",
        'student["double"](x)',
        'getattr(student, "double")(x)',
        "f = student.double; f(x)",
        "used(student, x)",
        "deep(student, x)",
        "student.apply(inside, x)",
        "(lambda s: s.double(x))(student)",
    ],
)
def test_a_check_that_calls_what_it_is_given_is_refused(workshop, more):
    helpers = (
        "def used(subject, x):\n    return subject.double(x)\n"
        "def deep(subject, x):\n    return used(subject, x)\n"
        "def inside(notebook, x):\n    return notebook.double(x)\n"
    )
    assert refused(workshop, SOLUTION, check(more=more, helpers=helpers)) == (
        "assignments/hw/hw.py, cell 5: check 'triple_is_right' is given 'double' and calls it"
        " itself; what a check tests cannot be given to it"
    )


@pytest.mark.parametrize("name", ["inside", "deep"])
def test_a_helper_in_the_reference_is_looked_through_too(workshop, name):
    workshop.reference(**{"own.py": TRIPLE, "probes.py": PROBES})
    given = f"# %% given=true\nfrom reference.probes import {name}"
    text = refused(workshop, SOLUTION, given, check(more=f"student.apply({name}, x)"))
    assert "is given 'double' and calls it itself" in text


def test_a_helper_that_cannot_be_read_is_refused(workshop):
    helpers = 'made = eval("lambda s: s.double(1)")\n'
    assert "the helper '<lambda>' of a check that is given something cannot be read" in refused(
        workshop, SOLUTION, check(more="made(student)", helpers=helpers)
    )


def test_a_helper_that_another_check_needs_does_not_matter(workshop):
    workshop.compile(
        SOLUTION, check(helpers="def other(subject, x):\n    return subject.double(x)\n")
    )
