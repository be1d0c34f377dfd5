import statistics

import pytest

from autograder.artefacts.grades import Entered, grade_of
from autograder.artefacts.results import Blank, Verdict
from autograder.records.figures import FEWEST, NOT_ANSWERED, UNKNOWN, figures_of, losses_of


@pytest.fixture
def class_of(make):
    """Makes grades of the points of two questions, the proof unread."""

    def grades(*scores):
        return [
            grade_of(
                make.manifest,
                f"s{number:02}",
                make.result(f"s{number:02}", make.sgd(earned=a), make.conv(earned=b), make.proof()),
            )
            for number, (a, b) in enumerate(scores)
        ]

    return grades


def test_a_question_that_is_open_for_most_does_not_count(make, class_of):
    figures = figures_of(make.manifest, class_of((4.0, 6.0), (2.0, 6.0), (0.0, 0.0)))
    assert figures.counted == ("sgd", "conv")
    assert figures.possible == 10.0
    assert figures.values == (10.0, 8.0, 0.0)
    assert not figures.whole
    assert (figures.mean, figures.median) == (6.0, 8.0)
    assert figures.deviation == pytest.approx(statistics.pstdev((10.0, 8.0, 0.0)))
    assert figures.means == {"sgd": 2.0, "conv": 4.0}


def test_whoever_has_a_question_open_that_is_decided_for_most_is_left_out(make):
    read = {"proof_answer": Entered(score=5.0)}
    grades = [grade_of(make.manifest, s, make.result(s), read) for s in ("ada", "bo")]
    grades.append(grade_of(make.manifest, "cy", make.result("cy")))
    figures = figures_of(make.manifest, grades)
    assert figures.whole
    assert figures.values == (15.0, 15.0)
    assert figures.left_out == 1


def test_who_submitted_nothing_or_could_not_be_read_is_no_zero(make, class_of):
    grades = class_of((4.0, 6.0))
    grades.append(grade_of(make.manifest, "x", None))
    grades.append(grade_of(make.manifest, "y", make.unreadable("y")))
    assert figures_of(make.manifest, grades).values == (10.0,)
    nobody = figures_of(make.manifest, grades[1:])
    assert (nobody.values, nobody.mean, nobody.median, nobody.deviation) == ((), None, None, None)


def test_discrimination_is_the_correlation_with_the_rest(make, class_of):
    first = [4.0, 1.0, 3.0, 0.0, 2.0] * 2
    second = [6.0, 3.0, 1.0, 0.0, 5.0, 6.0, 2.0, 4.0, 1.0, 0.0]
    assert len(first) == FEWEST
    figures = figures_of(make.manifest, class_of(*zip(first, second, strict=True)))
    wanted = statistics.correlation(first, second)
    assert figures.discriminations == pytest.approx({"sgd": wanted, "conv": wanted})


def test_discrimination_needs_students_and_differences(make, class_of):
    scores = [(float(n % 5), float(n % 3)) for n in range(FEWEST)]
    assert not figures_of(make.manifest, class_of(*scores[1:])).discriminations
    alike = [(4.0, b) for _, b in scores]
    assert not figures_of(make.manifest, class_of(*alike)).discriminations


def test_what_a_check_took_is_shared_by_its_cases_that_did_not_pass(make):
    slips = [make.case(Verdict.FAILED, str(n), diagnosis="uphill") for n in range(2)]
    other = make.case(Verdict.TIMED_OUT, "slow")
    blank = make.case(Verdict.ERRORED, "blank", blank=Blank.STUB)
    sgd = make.sgd(*slips, other, blank, make.case(name="right"), earned=0.8)
    losses = losses_of([grade_of(make.manifest, "ada", make.result("ada", sgd))])
    points = {loss.mistake: loss.points for loss in losses}
    assert points == pytest.approx({"uphill": 1.6, NOT_ANSWERED: 0.8, UNKNOWN: 0.8})
    assert losses[0].students == ["ada"]
    assert sum(points.values()) == pytest.approx(4.0 - 0.8)


@pytest.mark.parametrize("verdict", [Verdict.PENDING, Verdict.BROKEN])
def test_what_nobody_judged_costs_nothing(make, verdict):
    sgd = make.sgd(make.case(verdict), earned=0.0)
    assert losses_of([grade_of(make.manifest, "ada", make.result("ada", sgd))]) == []
