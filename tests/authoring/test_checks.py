import math

import numpy as np
import pytest

from autograder import arrays, choices, domain, interval, like
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


GIVEN = "check body: given must be a list of names of functions, such as ['sgd_step']"
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
        (
            {"question": "1.1"},
            "check body: question must be a Python name, such as 'sgd_step', got '1.1'",
        ),
        ({"question": 1}, "check body: question must be a Python name, such as 'sgd_step', got 1"),
        ({"points": -1}, "check body: points must be a number, 0 or more, got -1"),
        ({"points": math.nan}, "check body: points must be a number, 0 or more, got nan"),
        ({"points": math.inf}, "check body: points must be a number, 0 or more, got inf"),
        ({"points": True}, "check body: points must be a number, 0 or more, got True"),
        ({"points": "2"}, "check body: points must be a number, 0 or more, got '2'"),
        ({"device": "gpu"}, "check body: device must be one of any, cpu, cuda, got 'gpu'"),
        ({"seconds": 0}, "check body: seconds must be a number above 0, got 0"),
        ({"seconds": "1"}, "check body: seconds must be a number above 0, got '1'"),
        ({"reveal": 1}, "check body: reveal must be True or False, got 1"),
        (
            {"given": "f"},
            f"{GIVEN}, got 'f'",
        ),
        (
            {"given": ["f", 1]},
            f"{GIVEN}, got ['f', 1]",
        ),
        (
            {"given": ["f.g"]},
            f"{GIVEN}, got ['f.g']",
        ),
        (
            {"given": None},
            f"{GIVEN}, got None",
        ),
        (
            {"given": ["f", "q"]},
            "check body: given must not name 'q', the question that this check tests; remove it",
        ),
        (
            {"cases": ()},
            "check body: there must be at least one case; add @case('a name', …) or"
            " @domain(…) below @check",
        ),
        ({"cases": (case("a"), case("a"))}, "check body: two cases are named 'a'; rename one"),
        (
            {"function": without_student},
            "check without_student: its parameters must be (student, reference, rng, …),"
            " got (reference, rng)",
        ),
        (
            {"function": with_n},
            "check with_n: the parameters of case 'a' must be those of the function:"
            " missing a required argument: 'n'",
        ),
        (
            {"cases": (case("a", hidden=True, m=1),)},
            "check body: the parameters of case 'a' must be those of the function:"
            " got an unexpected keyword argument 'm'",
        ),
        (
            {"cases": (case("a", hidden=True, student=1),)},
            "check body: the parameters of case 'a' must be those of the function:"
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
    with pytest.raises(SourceError, match="the name of a case must be a text that is not empty"):
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


def test_a_domain_and_cases_by_hand_stand_beside_each_other():
    made = check("q", points=1, pure=True)(
        case("by hand", w=3)(case("more", w=4, hidden=True)(domain(w=arrays("n"))(drawn_w())))
    )
    names = [c.name for c in made.cases]
    assert names[:4] == ["by hand", "more", "typical inputs", "n = 1"]
    assert [c.is_drawn for c in made.cases[:4]] == [False, False, True, True]
    assert [c.hidden for c in made.cases[:5]] == [False, True, False, False, True]
    assert made.domain is not None
    assert made.domain.pure


def drawn_w():
    def body(student, reference, rng, w, lr=1):
        pass

    return body


DOMAINS = {
    "another parameter": (
        lambda f: check("q", points=1)(domain(w=arrays(), v=like("w"))(f)),
        "check body: the arguments of its domain must be those of the function: got an unexpected"
        " keyword argument 'v'",
    ),
    "a parameter that is missing": (
        lambda f: check("q", points=1)(domain(lr=interval(0, 1))(f)),
        "check body: the arguments of its domain must be those of the function: missing a required"
        " argument: 'w'",
    ),
    "a parameter that may be left out": (
        lambda f: check("q", points=1)(domain(w=choices(1, optional=True))(f)),
        "check body: the arguments of its domain that are never left out must be those of the"
        " function: missing a required argument: 'w'",
    ),
    "two": (
        lambda f: domain(w=arrays())(domain(w=arrays())(f)),
        "check body: it has two domains; join them",
    ),
    "above the check": (
        lambda f: domain(w=arrays())(check("q", points=1)(case("a", w=1)(f))),
        "check body: @domain must stand below @check",
    ),
    "above a value": (
        lambda f: domain(w=arrays())(3),
        "@domain must stand above a function, got 3",
    ),
    "a case of its name": (
        lambda f: check("q", points=1)(case("typical inputs", w=1)(domain(w=arrays())(f))).cases,
        "check body: two cases are named 'typical inputs'; rename one",
    ),
    "an option's name": (
        lambda f: domain(sizes=arrays()),
        "@domain: sizes is an option; rename the check's parameter",
    ),
    "no part": (
        domain(w=3),
        "check body: w must be a part of a domain, such as interval(0, 1) or arrays(), got 3; for"
        " one value write choices(3)",
    ),
    "nothing": (
        domain(),
        "check body: a domain must have at least one argument, such as w=arrays()",
    ),
}


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_that_does_not_fit_its_function_is_refused_in_one_sentence(name):
    make_it, sentence = DOMAINS[name]
    with pytest.raises(SourceError) as error:
        make_it(drawn_w())
    assert str(error.value) == sentence
