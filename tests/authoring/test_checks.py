import math

import numpy as np
import pytest

from autograder.authoring.checks import Case, case, case_rng, check
from autograder.errors import SourceError

NOTEBOOK = """
from autograder import case, check

def f(x):
    return 2 * x

answer = 1.0

@check("f", points=1)
@case("one", n=1)
@case("two", n=2, hidden=True)
@case("three", n=3)
def doubles(student, reference, rng, n):
    '''f doubles.

    And more.
    '''

@check("g", points=1)
@case("one", hidden=True)
def other(student, reference, rng):
    pass

right = f
"""


def notebook(*cells):
    names = {}
    for source in (NOTEBOOK, *cells):
        exec(source, names)
    return names


HIDDEN = (case("a", hidden=True),)


def make(question="q", cases=HIDDEN, function=None, **options):
    def body(student, reference, rng):
        pass

    function = function or body
    for decorate in reversed(cases):
        function = decorate(function)
    return check(question, **{"points": 1, **options})(function)


def without_student(reference, rng):
    pass


def with_n(student, reference, rng, n):
    pass


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"question": "1.1"}, "check body: the question '1.1' is no identifier"),
        ({"question": 1}, "check body: the question 1 is no identifier"),
        ({"points": -1}, "check body: points=-1 is no number from 0 up"),
        ({"points": math.nan}, "check body: points=nan is no number from 0 up"),
        ({"points": math.inf}, "check body: points=inf is no number from 0 up"),
        ({"points": True}, "check body: points=True is no number from 0 up"),
        ({"points": "2"}, "check body: points='2' is no number from 0 up"),
        ({"device": "gpu"}, "check body: device='gpu' is none of any, cpu, cuda"),
        ({"seconds": 0}, "check body: seconds=0 is no number above 0"),
        ({"seconds": "1"}, "check body: seconds='1' is no number above 0"),
        ({"given": "f"}, "check body: given='f' is no list of names of functions"),
        ({"given": ["f", 1]}, "check body: given=['f', 1] is no list of names of functions"),
        ({"given": ["f.g"]}, "check body: given=['f.g'] is no list of names of functions"),
        ({"given": None}, "check body: given=None is no list of names of functions"),
        ({"given": ["f", "q"]}, "check body: 'q' is what it tests, and cannot be given to it"),
        ({"cases": ()}, "check body has no case; add @case('a name', …) below @check"),
        ({"cases": (case("a"), case("a"))}, "check body has two cases named 'a'"),
        (
            {"function": without_student},
            "check without_student must take (student, reference, rng, …), not (reference, rng)",
        ),
        (
            {"function": with_n},
            "check with_n: case 'a' does not fit the signature: missing a required argument: 'n'",
        ),
        (
            {"cases": (case("a", hidden=True, m=1),)},
            "check body: case 'a' does not fit the signature:"
            " got an unexpected keyword argument 'm'",
        ),
        (
            {"cases": (case("a", hidden=True, student=1),)},
            "check body: case 'a' does not fit the signature:"
            " multiple values for argument 'student'",
        ),
    ],
)
def test_a_check_that_cannot_be_is_refused_in_one_sentence(options, sentence):
    with pytest.raises(SourceError) as caught:
        make(**options)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", ["", "  ", None, 3])
def test_a_case_needs_a_name(name):
    with pytest.raises(SourceError, match="a case's name is a text that is not empty"):
        case(name)(with_n)


def test_a_case_above_check_is_refused_and_not_lost():
    checked = make()
    with pytest.raises(SourceError):
        case("above")(checked)


def test_a_check_is_given_each_name_once_in_order():
    assert make().given == ()
    assert make(given=("g", "f", "g")).given == ("g", "f")


def test_cases_stand_in_the_order_of_the_source():
    assert notebook()["doubles"].cases == (
        Case("one", {"n": 1}),
        Case("two", {"n": 2}, hidden=True),
        Case("three", {"n": 3}),
    )


def test_a_check_is_named_after_its_function_and_summed_up_by_its_docstring():
    doubles = notebook()["doubles"]
    assert (doubles.name, doubles.summary) == ("doubles", "f doubles.")
    assert make().summary == ""


def draw(secret=b"s", assignment="hw", check="c", case="k", submission="a", tries=0):
    rng = case_rng(secret, assignment, check, case, submission, tries)
    return rng.integers(2**63, size=4).tolist()


def test_the_inputs_of_a_case_are_the_same_on_every_machine_and_in_every_run():
    assert draw() == draw()
    assert case_rng(b"", "hw1", "check", "case").integers(2**63) == 1420139061146074898


@pytest.mark.parametrize(
    "part",
    [
        {"secret": b"t"},
        {"assignment": "hx"},
        {"check": "d"},
        {"case": "l"},
        {"submission": "b"},
        {"submission": ""},
        {"tries": 1},
    ],
)
def test_the_inputs_differ_by_secret_assignment_check_case_submission_and_try(part):
    assert draw(**part) != draw()


def test_the_parts_of_a_seed_do_not_run_together():
    assert draw(check="ab", case="c") != draw(check="a", case="bc")
    assert draw(secret=b"shw", assignment="") != draw()


def test_a_generator_is_numpys_own():
    assert isinstance(case_rng(b"", "", "", ""), np.random.Generator)
