"""What a visible case passes to a function is to be had in the notebook, and runs nothing of it."""

import shutil
import sys
from types import ModuleType

import numpy as np
import pytest

from autograder.artefacts.bundle import Cell
from autograder.artefacts.recording import FILE, dump_recording
from autograder.errors import UsageError
from autograder.grading.oracle import load_oracle
from autograder.student.recording import record
from autograder.student.self_check import self_check

CHECKS = """
import numpy as np
from autograder import *

f_matches_reference = matches_reference("f", points=1, x=arrays("n"), k=whole(1, 3))

@check("f", points=1, pure=True)
@case("by hand", n=3)
@case("secret", n=4, hidden=True)
def f_by_hand(student, reference, rng, n):
    x = rng.normal(size=n)
    want = reference.f(x, 2)
    assert_close(student.f(x, student.FACTOR), want)
    assert_close(student.f(2 * x, 2), 2 * want)

@check("f", points=1)
@case("a value")
def f_value(student, reference, rng):
    rng.normal()
    assert_equal(student.FACTOR, reference.FACTOR)

def helper(notebook, x):
    return notebook.f(x, 2)

@check("f", points=1)
@case("a helper")
def f_helper(student, reference, rng):
    x = rng.normal(size=3)
    assert_close(student.apply(helper, x), reference.apply(helper, x))

@check("f", points=1, device="cuda")
@case("on a GPU", n=2)
def f_on_a_gpu(student, reference, rng, n):
    x = rng.normal(size=n)
    assert_close(student.f(x, 2), reference.f(x, 2))
"""
RIGHT = "FACTOR = 2\ndef f(x, k):\n    return k * x\n"
SPY = "FACTOR = 2\nseen = []\ndef f(x, k):\n    seen.append((x, k))\n    return k * x\n"


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    oracle = load_oracle([Cell("given", 1, RIGHT + CHECKS)], {}, "hw", "hw.py")
    path = tmp_path_factory.mktemp("recording") / FILE
    path.write_bytes(dump_recording(record(oracle, "hw"), {}))
    return path


@pytest.fixture
def release(recording, tmp_path, monkeypatch):
    """A folder of a release: with the recording and without the reference."""
    shutil.copy(recording, tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A folder without a recording, and the reference imported: the author's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "reference", ModuleType("reference"))


def notebook(answer=SPY):
    names = {}
    exec(answer + CHECKS, names)
    return names


def said(check, case):
    with pytest.raises(UsageError) as error:
        check.inputs(case)
    return str(error.value)


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    ("check", "case"),
    [
        ("f_matches_reference", "typical inputs"),
        ("f_matches_reference", "n = 1"),
        ("f_by_hand", "by hand"),
    ],
)
def test_inputs_are_those_that_the_self_check_passes_first(check, case):
    names = notebook()
    found = names[check].inputs(case)
    assert names["seen"] == []
    assert self_check(names[check]).passed
    calls = {id(x): (x, k) for x, k in names["seen"]}.values()
    assert any(np.array_equal(found["x"], x) and found["k"] == k for x, k in calls)
    assert names[check].inputs(case)["x"].tolist() == found["x"].tolist()
    assert names["f"](**found).shape == found["x"].shape


@pytest.mark.usefixtures("release")
def test_whoever_changes_inputs_changes_no_others():
    check = notebook()["f_by_hand"]
    check.inputs("by hand")["x"][:] = 0
    assert check.inputs("by hand")["x"].all()


@pytest.mark.usefixtures("source")
def test_the_author_gets_inputs_without_a_recording_of_hidden_cases_too():
    check = notebook()["f_by_hand"]
    assert check.inputs("by hand").keys() == {"x", "k"}
    assert check.inputs("secret")["x"].shape == (4,)


@pytest.mark.usefixtures("release")
def test_a_function_with_other_parameters_gets_inputs_by_their_places():
    check = notebook(RIGHT.replace("(x, k)", "()"))["f_by_hand"]
    assert check.inputs("by hand").keys() == {"argument 1", "argument 2"}


@pytest.mark.usefixtures("release")
def test_a_stub_is_not_run():
    stub = "FACTOR = 2\ndef f(x, k):\n    raise NotImplementedError\n"
    assert notebook(stub)["f_by_hand"].inputs("by hand")["k"] == 2


@pytest.mark.usefixtures("release")
def test_a_case_that_is_hidden_or_unknown_is_told_with_those_that_there_are():
    check = notebook()["f_by_hand"]
    assert said(check, "secret") == (
        "check f_by_hand has no visible case 'secret'; it has 'by hand'"
    )
    assert said(notebook()["f_matches_reference"], 3) == (
        "check f_matches_reference has no visible case 3; it has 'typical inputs', 'n = 1'"
    )


@pytest.mark.usefixtures("release")
def test_a_case_without_a_call_says_why():
    names = notebook()
    assert said(names["f_value"], "a value") == (
        "case 'a value' of check f_value calls none of your functions: there are no inputs to show"
    )
    assert said(names["f_helper"], "a helper") == (
        "case 'a helper' of check f_helper runs a helper beside your code, helper, before it calls"
        " any of your functions: there are no inputs to show"
    )
    assert said(notebook("FACTOR = 2\n")["f_by_hand"], "by hand") == (
        "case 'by hand' of check f_by_hand calls none of your functions (f is not defined in the"
        " notebook): there are no inputs to show"
    )
    assert "on a machine with a GPU" in said(names["f_on_a_gpu"], "on a GPU")
    assert names["seen"] == []


@pytest.mark.usefixtures("release")
def test_a_self_check_that_fails_says_how_to_get_the_inputs_where_there_are_some():
    names = notebook("FACTOR = 3\ndef f(x, k):\n    return 0 * x\n")
    failed = self_check(names["f_matches_reference"])
    line = "its inputs: f_matches_reference.inputs('typical inputs')"
    assert repr(failed).splitlines()[-1] == f"  {line}"
    assert "f_matches_reference.inputs(&#x27;typical inputs&#x27;)" in failed._repr_html_()
    assert "inputs" not in repr(self_check(names["f_value"]))
    assert "inputs" not in repr(self_check(names["f_helper"]))
    right = notebook(RIGHT)["f_matches_reference"]
    assert "its inputs" not in repr(self_check(right)) + self_check(right)._repr_html_()
