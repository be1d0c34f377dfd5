"""What a self-check does where ``nbgrader validate`` runs the notebook."""

import pytest

from autograder import assert_equal, case, check, self_check
from autograder.artefacts.results import CaseResult, Verdict
from autograder.student.checking import SelfCheck, Validated


@check("answer", points=1)
@case("the one", n=1)
@case("the other", n=2)
def answer_is_right(student, reference, rng, n):
    """The answer is right."""
    assert_equal(n if OK else n % 2, n)


OK = True


@pytest.fixture
def at_home(monkeypatch):
    monkeypatch.setitem(globals(), "reference", None)  # as in a source notebook's own run
    monkeypatch.setattr("autograder.student.checking.tell_missing", lambda *_: False)


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("mode", ["validate", "autograde"])
def test_a_case_that_fails_fails_the_cell_and_is_named(monkeypatch, mode):
    monkeypatch.setenv("NBGRADER_EXECUTION", mode)
    monkeypatch.setitem(globals(), "OK", False)
    with pytest.raises(AssertionError, match=r"1 of 2 cases pass[^$]*✗ the other"):
        self_check(answer_is_right)


@pytest.mark.usefixtures("at_home")
def test_cases_that_pass_show_nothing_that_nbgrader_takes_for_points(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    outcome = self_check(answer_is_right)
    assert isinstance(outcome, Validated)
    assert outcome.passed
    assert outcome._ipython_display_() is None


@pytest.mark.usefixtures("at_home")
def test_a_student_s_own_run_shows_the_same_and_raises_nothing(monkeypatch):
    monkeypatch.setitem(globals(), "OK", False)
    outcome = self_check(answer_is_right)
    assert type(outcome) is SelfCheck
    assert outcome.failed


@pytest.mark.parametrize(
    ("verdicts", "failed"),
    [
        ([Verdict.PASSED], False),
        ([Verdict.PASSED, Verdict.PENDING], False),
        ([Verdict.PASSED, Verdict.BROKEN], True),
        ([], True),
    ],
)
def test_what_waits_for_a_gpu_does_not_fail_and_what_could_not_be_checked_does(verdicts, failed):
    results = [CaseResult(str(v), False, v, 0.0) for v in verdicts]
    assert SelfCheck("answer", results).failed is failed
