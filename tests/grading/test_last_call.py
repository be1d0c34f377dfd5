"""A student gets the inputs of a visible case as Python; nobody keeps those of a hidden one."""

import ast
import os

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from autograder import assert_close, case, check
from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import Verdict, dump_result, load_result
from autograder.authoring.layouts import LAYOUTS, keeping_layouts, laid_out, layout_of
from autograder.authoring.subject import Subject
from autograder.grading.cases import run_case
from autograder.grading.last_call import LastCall
from autograder.grading.literals import (
    MOST_CHARACTERS,
    MOST_LINES,
    WIDTH,
    Unshown,
    call_text,
    kept,
)
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.messages import InProcessSession

DTYPES = ("float64", "float32", "float16", "complex64", "complex128", "int64", "uint8", "bool")


def text(*args, **kwargs):
    return call_text("f", kept(list(args)), kept(kwargs))


def read(*args, **kwargs):
    """The arguments that a notebook gets which runs the text."""
    return eval(text(*args, **kwargs), {"np": np, "torch": torch, "f": lambda *a, **k: (a, k)})


def test_a_call_reads_as_a_student_would_write_it():
    w, grad = np.array([0.3, -1.2, 0.5]), torch.tensor([[1, 2], [3, 4]])
    assert text(w, grad, lr=0.1) == (
        "f(np.array([0.3, -1.2, 0.5]), torch.tensor([[1, 2], [3, 4]]), lr=0.1)"
    )
    assert text([1, "its"], (2,), {"a": None}, True) == "f([1, 'its'], (2,), {'a': None}, True)"
    assert text(np.float32([0.1]), torch.ones(1, dtype=torch.float64)) == (
        "f(np.array([0.1], dtype=np.float32), torch.tensor([1.0], dtype=torch.float64))"
    )
    assert text(np.zeros((0, 3)), np.float32(0.5)) == "f(np.zeros((0, 3)), np.float32(0.5))"


ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_side=3, min_side=0))
)


@given(ARRAYS)
def test_an_array_is_read_back_as_it_was(array):
    try:
        ((found,), _) = read(array)
    except Unshown:
        assert array.size > 20
        return
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found, array)


@given(ARRAYS)
def test_a_tensor_is_read_back_as_it_was(array):
    try:
        ((found,), _) = read(torch.from_numpy(array.copy()))
    except Unshown:
        assert array.size > 20
        return
    assert (found.numpy().dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found.numpy(), array)


@given(ARRAYS, st.sampled_from(["", *LAYOUTS]), st.booleans(), st.booleans())
def test_how_an_array_lies_is_read_back_where_it_is_kept(array, layout, as_tensor, layouts):
    if as_tensor and layout in ("read-only", "byte order"):
        return
    value = laid_out(torch.from_numpy(array.copy()) if as_tensor else array, layout)
    try:
        written = call_text("f", kept([value], layouts), {})
    except Unshown:
        assert array.size > 15
        return
    found = eval(written, {"np": np, "torch": torch, "f": lambda x: x})
    assert layout_of(found) == (layout_of(value) if layouts else "")
    assert found.dtype == value.dtype or not layouts
    np.testing.assert_array_equal(np.asarray(found), array)


def test_a_tensor_that_requires_a_gradient_does_so_in_any_layout():
    tensor = torch.ones(2, 3).t().requires_grad_()
    found = eval(call_text("f", kept([tensor], True), {}), {"torch": torch, "f": lambda x: x})
    assert (found.requires_grad, layout_of(found)) == (True, "columns")


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=10,
)


@given(NESTED, NESTED)
def test_nested_values_are_read_back_as_they_were(one, two):
    try:
        found = read(one, two, key=two)
    except Unshown:
        return
    assert found == ((one, two), {"key": two})


def test_what_is_long_is_wrapped_between_numbers_and_what_is_too_long_is_not_shown():
    rng = np.random.default_rng(1)
    long = text(rng.normal(size=(4, 4)), lr=0.1)
    assert max(map(len, long.split("\n"))) <= WIDTH
    assert ast.unparse(ast.parse(long)) == ast.unparse(ast.parse(long.replace("\n", " ")))
    for value in (rng.normal(size=200), np.zeros(10**7), "x" * 2000, [[0] * 30] * 30):
        with pytest.raises(Unshown):
            text(value)
    assert len(text(np.zeros(150))) < MOST_CHARACTERS
    assert text(np.zeros(150)).count("\n") < MOST_LINES


@pytest.mark.parametrize(
    "value",
    [object(), np.array(["a"]), np.array([None]), [len], 1 << 20_000, np.array("2020", "M8")],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_literal_is_not_shown(value):
    with pytest.raises(Unshown):
        text(value)


def asked(function, names, **parameters):
    """What is remembered of a check that fails."""

    def never(student, reference, rng):
        """It fails."""
        function(student)
        assert_close(1.0, 2.0)

    session = LastCall(InProcessSession(names))
    one = check("f", points=1)(case("one")(never))
    result = run_case(one, one.cases[0], session, InProcessSession({}), np.random.default_rng)
    assert result.verdict in (Verdict.FAILED, Verdict.ERRORED)
    return session.text


def helper(notebook):
    return 1


class Net:
    def __call__(self, x):
        return x


NAMES = {"f": lambda *args, **kwargs: 1.0, "net": Net, "value": 3.0, "raises": lambda x: 1 / 0}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda student: (student.f(1), student.f(2, lr=0.5)), "f(2, lr=0.5)"),
        (lambda student: student.raises(4), "raises(4)"),
        (lambda student: student.f([student.value]), "f([3.0])"),
        (lambda student: (student.f(1), student.value), None),
        (lambda student: (student.f(1), student.missing), None),
        (lambda student: student.net()(1), None),
        (lambda student: student.f(student.net()), None),
        (lambda student: (student.f(1), student.apply(helper)), None),
        (lambda student: student["not a name"], None),
    ],
)
def test_the_last_call_of_a_function_is_remembered_and_nothing_else_is_taken_for_one(
    function, expected
):
    assert asked(function, NAMES) == expected


def test_inputs_are_those_before_the_call_whatever_becomes_of_them():
    def change(student):
        x = np.array([1.0, 2.0])
        student.f(x)
        x += 100

    assert asked(change, NAMES) == "f(np.array([1.0, 2.0]))"


@pytest.mark.parametrize("drawn", [False, True])
def test_a_call_says_how_an_array_lies_where_the_student_s_code_saw_that(drawn):
    session = LastCall(InProcessSession({"f": lambda x: x}))
    with keeping_layouts(drawn):
        Subject(session).f(np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]))
    rows = "np.array([[1.0, 2.0], [3.0, 4.0]])"
    assert session.text == f"f({f'np.asfortranarray({rows})' if drawn else rows})"
    assert session.calls == 1


def test_a_session_that_remembers_is_a_session_to_a_check():
    session = LastCall(InProcessSession({"box": np.random.default_rng(0)}))
    assert Subject(session).box.bit_generator.type_name == "PCG64"


@pytest.fixture(scope="module")
def bundle(bundle_path):
    return read_bundle(bundle_path)


def test_a_result_has_the_inputs_of_a_visible_case_that_failed_and_of_no_hidden_one(bundle, submit):
    answers = {
        "double": "def double(x):\n    print(x.tolist())\n    return 3 * x",
        "triple": "def triple(x):\n    return 3 * x",
    }
    limits = Limits(cell_seconds=5, call_seconds=5, submission_seconds=60)
    with Grader(bundle, load_bundle_oracle(bundle), b"secret", limits) as grader:
        result = grader.grade("ada", submit(answers))
    checks = {c.name: c.cases for q in result.questions for c in q.checks}
    short, long = checks["double_is_right"]
    assert (short.hidden, short.verdict, long.hidden, long.verdict) == (
        *(False, Verdict.FAILED),
        *(True, Verdict.FAILED),
    )
    x = eval(short.call, {"np": np, "double": lambda x: x})
    assert x.shape == (2,)
    assert long.call is msgspec.UNSET
    assert all(case.call is msgspec.UNSET for case in checks["triple_is_right"])
    stored = dump_result(result)
    assert stored.count(b'"call"') == 1
    assert load_result(stored) == result


def test_a_result_without_a_call_is_stored_as_it_always_was(bundle, submit):
    limits = Limits(cell_seconds=5, call_seconds=5, submission_seconds=60)
    with Grader(bundle, load_bundle_oracle(bundle), b"secret", limits) as grader:
        for answers in ({}, None):
            assert b'"call"' not in dump_result(
                grader.grade("ada", submit(answers) if answers is not None else submit())
            )


def test_what_it_uses_is_measured_behind_it():
    assert LastCall(InProcessSession({})).processes() == (os.getpid(),)
