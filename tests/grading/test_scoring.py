import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.artefacts.manifest import CheckEntry, QuestionEntry
from autograder.artefacts.results import CaseResult, QuestionResult, Status, Verdict
from autograder.grading.scoring import score_check, score_manual, score_question, status_of

POINTS = st.one_of(
    st.integers(0, 100).map(float),
    st.floats(0, 1000, allow_subnormal=False),
    st.tuples(st.integers(1, 100), st.integers(1, 60)).map(lambda p: p[0] / p[1]),
)
VERDICTS = st.lists(st.sampled_from(Verdict), min_size=1, max_size=12)
EACH = [(v, Status.GRADED) for v in Verdict if v not in (Verdict.PENDING, Verdict.BROKEN)]


def entry(points=3.0, all_or_nothing=False):
    return CheckEntry("c", "q", points, (), all_or_nothing, "any", None, "")


def question(points=3.0, manual=False):
    return QuestionEntry("q", "Q", points, manual, ())


def cases(verdicts):
    return [CaseResult(str(i), False, verdict, 0.0) for i, verdict in enumerate(verdicts)]


@given(POINTS, VERDICTS, st.booleans())
def test_earned_is_never_below_zero_nor_above_the_points(points, verdicts, all_or_nothing):
    assert 0 <= score_check(entry(points, all_or_nothing), cases(verdicts)).earned <= points


@given(POINTS, st.integers(1, 50), st.booleans())
def test_all_passed_is_exactly_the_points(points, count, all_or_nothing):
    result = score_check(entry(points, all_or_nothing), cases([Verdict.PASSED] * count))
    assert result.earned == points


@given(POINTS, VERDICTS)
def test_one_more_passed_case_never_costs_points(points, verdicts):
    before = score_check(entry(points), cases(verdicts)).earned
    for i in range(len(verdicts)):
        better = [*verdicts[:i], Verdict.PASSED, *verdicts[i + 1 :]]
        assert score_check(entry(points), cases(better)).earned >= before


@given(POINTS, VERDICTS)
def test_all_or_nothing_is_all_or_nothing(points, verdicts):
    earned = score_check(entry(points, all_or_nothing=True), cases(verdicts)).earned
    assert earned == (points if set(verdicts) == {Verdict.PASSED} else 0)


@given(POINTS, VERDICTS)
def test_what_fails_typical_inputs_earns_nothing_of_a_check(points, verdicts):
    drawn = msgspec.structs.replace(entry(points), typical="0")
    earned = score_check(drawn, cases(verdicts)).earned
    passes = verdicts[0] is Verdict.PASSED
    assert earned == (score_check(entry(points), cases(verdicts)).earned if passes else 0)


@pytest.mark.parametrize("count", [3, 6, 7, 9, 11])
def test_shares_of_a_point_add_up_to_the_whole(count):
    checks = [score_check(entry(1 / count), cases([Verdict.PASSED])) for _ in range(count)]
    assert score_question(question(1.0), checks).earned == 1.0


def test_a_third_of_the_cases_is_a_third_of_the_points():
    verdicts = [Verdict.PASSED, Verdict.FAILED, Verdict.ERRORED]
    assert score_check(entry(2.0), cases(verdicts)).earned == pytest.approx(2 / 3, abs=1e-6)


def test_no_case_earns_nothing():
    assert score_check(entry(), []).earned == 0


@pytest.mark.parametrize(
    ("verdict", "status"),
    [*EACH, (Verdict.PENDING, Status.PENDING), (Verdict.BROKEN, Status.NEEDS_ATTENTION)],
)
def test_the_status_of_a_question_is_that_of_its_gravest_case(verdict, status):
    check = score_check(entry(), cases([Verdict.PASSED, verdict]))
    assert score_question(question(), [check]).status is status


def test_broken_is_graver_than_pending():
    check = score_check(entry(), cases([Verdict.PENDING, Verdict.BROKEN]))
    assert score_question(question(), [check]).status is Status.NEEDS_ATTENTION


def test_a_manual_question_waits_for_staff_where_it_is_answered():
    assert score_manual(question(manual=True), answered=True).status is Status.PENDING
    assert score_manual(question(manual=True), answered=False).status is Status.GRADED


@given(st.lists(st.sampled_from(Status)))
def test_the_status_of_a_result_is_that_of_its_gravest_question(statuses):
    order = [Status.GRADED, Status.PENDING, Status.NEEDS_ATTENTION, Status.UNGRADED]
    gravest = max(statuses, key=order.index, default=Status.GRADED)
    assert status_of(QuestionResult("q", 1.0, 0.0, s, ()) for s in statuses) is gravest
