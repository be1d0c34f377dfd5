"""Notebooks that use a GPU: their cases share a session, and no verdict hangs on that."""

import msgspec
import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import Blank, Status, Verdict
from autograder.grading.notes import ON_GPU
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.sandbox.client.session import NotebookSession
from autograder.sandbox.limits import Limits
from tests.fake_gpu import BREAK, WOKEN, install

SECRET = b"the secret of the course"
LIMITS = Limits(cell_seconds=5.0, call_seconds=1.5, gpu_sessions=1)
RIGHT = {"double": "def double(x):\n    return 2 * x", "triple": "def triple(x):\n    return 3 * x"}


@pytest.fixture(scope="module")
def bundle(bundle_path):
    bundle = read_bundle(bundle_path)
    manifest = msgspec.structs.replace(bundle.manifest, preload=("numpy", "torch"))
    return msgspec.structs.replace(bundle, manifest=manifest)


@pytest.fixture(scope="module")
def grader(bundle, tmp_path_factory):
    card = install(tmp_path_factory.mktemp("driver")).gpus[0]
    with Grader(bundle, load_bundle_oracle(bundle), SECRET, LIMITS, "cuda", gpu=card) as grader:
        yield grader


@pytest.fixture
def grade(grader, submit):
    def grade(answers=RIGHT, before=(WOKEN,), grader=grader):
        return grader.grade("ada", submit(answers=answers, before=before))

    return grade


@pytest.fixture
def opened(grader, monkeypatch):
    """Return a list with an item for each run of a notebook."""
    grader._warm_fork_server()  # with notebooks of our own
    runs, run = [], NotebookSession._open
    monkeypatch.setattr(NotebookSession, "_open", lambda self: runs.append(1) or run(self))
    return runs


def verdicts(result):
    return {
        check.name: [case.verdict for case in check.cases]
        for question in result.questions
        for check in question.checks
    }


PASSED = [Verdict.PASSED] * 2


def test_visible_and_hidden_cases_share_one_run_of_the_notebook(grade, opened):
    result = grade()
    assert result.earned == 5.0
    assert ON_GPU in result.notes
    assert len(opened) == 1


def test_a_notebook_that_leaves_the_gpu_asleep_is_forked(grade, opened):
    result = grade(before=())
    assert result.earned == 5.0
    assert ON_GPU not in result.notes
    assert len(opened) == 1


# Right as long as double has been called once: as in a student's own notebook at its check.
SPOILING = "calls = []\ndef double(x):\n    calls.append(1)\n    return 2 * x"
SPOILT = "def triple(x):\n    return 3 * x if len(calls) < 2 else 0 * x"


def test_a_hidden_case_that_fails_behind_others_is_run_again_alone(grade, opened):
    result = grade({"double": SPOILING, "triple": SPOILT})
    assert verdicts(result) == {"double_is_right": PASSED, "triple_is_right": PASSED}
    assert len(opened) == 2


def test_the_first_check_is_doubted_too_as_visible_cases_ran_before_it(grade, opened):
    once = SPOILING.replace("2 * x", "(2 if len(calls) < 2 else 0) * x")
    result = grade({"double": once, "triple": RIGHT["triple"]})
    assert verdicts(result) == {"double_is_right": PASSED, "triple_is_right": PASSED}
    assert len(opened) == 2


def test_a_wrong_hidden_case_stays_wrong_however_it_is_run(grade):
    wrong = "def double(x):\n    return 2 * x if len(x) == 2 else x"
    result = grade({"double": wrong, "triple": RIGHT["triple"]})
    assert verdicts(result)["double_is_right"] == [Verdict.PASSED, Verdict.FAILED]
    assert verdicts(result)["triple_is_right"] == PASSED


def test_a_check_without_visible_cases_runs_once_in_a_session_that_no_other_has_seen(
    bundle, grader, grade, opened
):
    cells = tuple(
        msgspec.structs.replace(
            cell, source=cell.source.replace('"short", n=2', '"short", n=2, hidden=True')
        )
        if "triple" in cell.source
        else cell
        for cell in bundle.source
    )
    hidden = msgspec.structs.replace(bundle, source=cells)
    other = Grader(hidden, load_bundle_oracle(hidden), SECRET, LIMITS, "cuda", gpu=grader._gpu)
    other._fork_server = grader._warm_fork_server()
    spoilt = "def triple(x):\n    return 3 * x if not calls else 0 * x"
    result = grade({"double": SPOILING, "triple": spoilt}, grader=other)
    assert verdicts(result) == {"double_is_right": PASSED, "triple_is_right": PASSED}
    assert len(opened) == 2


def test_an_illegal_access_ends_its_case_and_what_comes_behind_it_runs_anew(grade, opened):
    bad = f"{BREAK}\ndef double(x):\n    torch._C._cuda_synchronize = break_it\n    return 2 * x"
    result = grade({"double": bad, "triple": RIGHT["triple"]})
    (check,) = result.questions[0].checks
    assert [case.verdict for case in check.cases] == [Verdict.KILLED] * 2
    assert "illegal memory access" in check.cases[0].message
    assert verdicts(result)["triple_is_right"] == PASSED
    assert len(opened) <= 6


def test_a_kernel_that_never_ends_is_ended_by_the_limit_on_time(grade, grader):
    # A lock that is taken twice: no signal and no exception gets behind it, and nobody computes.
    hangs = """def double(x):
    import ctypes
    lock, take = ctypes.create_string_buffer(64), ctypes.PyDLL(None).pthread_mutex_lock
    torch._C._cuda_synchronize = lambda *_: [take(lock) for _ in range(2)]
    return x"""
    result = grade({"double": hangs, "triple": RIGHT["triple"]})
    assert verdicts(result)["double_is_right"] == [Verdict.TIMED_OUT] * 2
    assert verdicts(result)["triple_is_right"] == PASSED


@pytest.fixture(scope="module")
def needing_a_gpu(bundle, grader):
    """Return a function that grades by a first check that needs a GPU; ``more`` is added to it."""

    def needing_a_gpu(more=""):
        cells = tuple(
            msgspec.structs.replace(
                cell,
                source=cell.source.replace(
                    '"double", points=2', '"double", points=2, device="cuda"'
                )
                + (f"\n    {more}" if "double_is_right" in cell.source else ""),
            )
            for cell in bundle.source
        )
        other = msgspec.structs.replace(bundle, source=cells)
        found = Grader(other, load_bundle_oracle(other), SECRET, LIMITS, "cuda", gpu=grader._gpu)
        found._fork_server = grader._warm_fork_server()
        return found

    return needing_a_gpu


WRONG = "assert_close(student.double(x), reference.double(x) + 1)"  # as on no GPU


@pytest.mark.parametrize(
    "double",
    [
        RIGHT["double"],
        "def double(x):\n    raise ValueError('no')",
        "import os\ndef double(x):\n    os._exit(1)",
    ],
)
def test_a_check_that_the_reference_fails_on_a_gpu_costs_nobody_a_point(
    grade, needing_a_gpu, double
):
    answers = {"double": double, "triple": RIGHT["triple"]}
    result = grade(answers, grader=needing_a_gpu(WRONG))
    assert verdicts(result) == {"double_is_right": [Verdict.BROKEN] * 2, "triple_is_right": PASSED}
    assert result.questions[0].status is Status.NEEDS_ATTENTION
    message = result.questions[0].checks[0].cases[0].message
    assert "the reference fails here, too (" in message
    assert "run `autograder audit tiny`" in message


def test_a_check_that_raises_by_itself_on_a_gpu_is_broken_too(grade, needing_a_gpu):
    result = grade(grader=needing_a_gpu("student.double('x') / 2"))
    assert verdicts(result)["double_is_right"] == [Verdict.BROKEN] * 2


def test_a_mistake_that_a_right_check_finds_on_a_gpu_is_the_students(grade, needing_a_gpu):
    wrong = {"double": "def double(x):\n    return x", "triple": RIGHT["triple"]}
    result = grade(wrong, grader=needing_a_gpu())
    assert verdicts(result) == {"double_is_right": [Verdict.FAILED] * 2, "triple_is_right": PASSED}
    assert (result.earned, result.questions[0].status) == (3.0, Status.GRADED)


def test_a_stub_has_earned_nothing_by_any_check(grade, needing_a_gpu):
    result = grade({"triple": RIGHT["triple"]}, grader=needing_a_gpu(WRONG))
    (check,) = result.questions[0].checks
    assert {case.blank for case in check.cases} == {Blank.STUB}
    assert result.questions[0].status is Status.GRADED
