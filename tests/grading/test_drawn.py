"""Drawn cases in real sessions: arrays lie there as they were drawn, with numbers of their own."""

import json

import pytest

from autograder.artefacts.bundle import parse_bundle
from autograder.artefacts.results import Verdict
from autograder.compiler.build import build
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits
from tests.small_course import made_once, small_course

OLD_CHECK = """@check("scaled_sum", points=4, pure=True, hint="mind the default of the factor")
@case("three numbers", n=3)
@case("many numbers, hidden", hidden=True, n=40)
def scaled_sum_matches_reference(student, reference, rng, n):
    \"\"\"scaled_sum adds up and scales.\"\"\"
    x = rng.normal(size=n)
    assert_close(student.scaled_sum(x), reference.scaled_sum(x), what="sum")
"""
CHECK = """scaled_sum_matches_reference = matches_reference(
    "scaled_sum",
    points=4,
    returns="sum",
    x=arrays("n m", layouts=("strided", "columns", "read-only", "byte order")),
    factor=interval(0, 3, optional=True),
)
"""
REWEIGHTED = "x = {}\n    weights = np.arange(x.size)\n    total = (x.ravel() * weights).sum()"
PLAIN = "total = x.sum()"


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory):
    """The small course with its first check drawn, compiled and not proven."""
    root = made_once(
        tmp_path_factory,
        "drawn",
        lambda root: small_course(
            root,
            (OLD_CHECK, CHECK),
            ("import assert_close,", "import arrays, interval, matches_reference, assert_close,"),
            (PLAIN, REWEIGHTED.format("np.asarray(x)")),
        ),
    )
    from autograder.course import Course

    return build(Course(root, "Small"), "small")


@pytest.fixture(scope="module")
def grade(artefacts):
    """Return a function that grades the solution with a piece of its text replaced."""
    bundle = parse_bundle(artefacts.bundle, "small")
    oracle = load_bundle_oracle(bundle)

    def grade(old="", new=""):
        notebook = json.loads(artefacts.solution)
        texts = ["".join(cell["source"]) for cell in notebook["cells"]]
        assert any(old in text for text in texts)
        for cell, text in zip(notebook["cells"], texts, strict=True):
            if "def scaled_sum" in text:
                cell["source"] = text.replace(old, new)
        result = grader.grade("ada", json.dumps(notebook).encode(), lambda: "2026-11-20T02:10:40Z")
        (check,) = result.questions[0].checks
        return {case.name: case for case in check.cases}

    with Grader(bundle, oracle, b"secret", Limits()) as grader:
        yield grade


def failed(cases):
    return {name for name, case in cases.items() if case.verdict is not Verdict.PASSED}


def test_the_right_function_passes_however_arrays_lie(grade):
    assert failed(grade()) == set()


@pytest.mark.parametrize(
    ("memory", "layouts"),
    [
        ("np.frombuffer(x)", ("strided", "columns", "byte order")),
        ("x.ravel(order='K')", ("columns",)),
        ("np.frombuffer(x.tobytes('A'))", ("columns", "byte order")),
    ],
)
def test_a_function_that_looks_at_memory_fails_where_it_lies_otherwise(grade, memory, layouts):
    found = failed(grade("np.asarray(x)", memory))
    assert found
    for layout in layouts:
        assert any(layout in name for name in found), layout
    assert not {"typical inputs", "x zeros"} & found


def test_arrays_of_each_draw_lie_in_the_session_as_its_name_says(grade):
    told = "(x.flags.c_contiguous, x.flags.f_contiguous, x.flags.writeable, x.dtype.isnative)"
    cases = grade("x = np.asarray(x)", f"raise ValueError({told})")
    said = {name: case.message.removeprefix("ValueError: ") for name, case in cases.items()}
    seen = {name: text.partition(" (cell")[0] for name, text in said.items()}
    assert seen["typical inputs"] == "(True, False, True, True)"
    for word, flags in {
        "strided": "(False, False, True, True)",
        "columns": "(False, True, True, True)",
        "read-only": "False, True)",
        "byte order": "False)",
    }.items():
        (found,) = [said for name, said in seen.items() if word in name]
        assert found.endswith(flags), word


def test_two_submissions_get_other_numbers_and_the_same_one_the_same(grade):
    def messages(new):
        cases = grade("total = (x", f"{new}total = 0 * (x")
        return {name: case.message for name, case in cases.items()}

    one = messages("")
    assert one == messages("")
    other = messages("1\n    ")
    assert one.keys() == other.keys()
    assert one["typical inputs"] != other["typical inputs"]
    assert one["typical inputs"].startswith("sum: ")
