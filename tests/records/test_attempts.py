"""Which of several attempts counts: by the grade, by the time, and by what is still open."""

import msgspec
import pytest

from autograder.artefacts.grades import Counted, Grade, GradeStatus, Late, grade_of
from autograder.artefacts.results import Result, Status, Verdict
from autograder.records.attempts import Attempt, best_of, in_order, last_of
from tests.records.conftest import Factory

make = Factory()
BUNDLE = make.result().bundle
SCORED = make.proof(0.0, Status.GRADED)


def attempt(number: int, result: Result, time: str | None = None, **more: bool) -> Attempt:
    """Return an attempt that is told apart by its number, and was graded in that order."""
    first = f"2026-11-20T02:10:{number:02}Z"
    result = msgspec.structs.replace(result, submission=f"sha256:{number:064}")
    return Attempt(result, first, time, **({"placed": False} | more))


def right(sgd: float, conv: float = 6.0, student: str = "ada") -> Result:
    return make.result(
        student, make.sgd(earned=sgd), make.conv(earned=conv), SCORED, status=Status.GRADED
    )


def broken(sgd: float = 4.0) -> Result:
    conv = make.conv(Verdict.BROKEN, 0.0, Status.NEEDS_ATTENTION)
    return make.result("ada", make.sgd(earned=sgd), conv, SCORED, status=Status.NEEDS_ATTENTION)


def on_a_gpu(sgd: float = 4.0) -> Result:
    conv = make.conv(Verdict.PENDING, 0.0, Status.PENDING)
    return make.result("ada", make.sgd(earned=sgd), conv, SCORED)


def unread(sgd: float = 4.0) -> Result:
    return make.result("ada", make.sgd(earned=sgd), make.conv(), make.proof())


def chosen(*attempts: Attempt, late: dict[int, float] | None = None) -> tuple[int, Counted]:
    """Return the number of the best attempt, and what is said of it."""

    def grade(one: Attempt) -> Grade:
        penalty = (late or {}).get(int(one.result.submission[7:]), 0.0)
        former = one.result.bundle != BUNDLE
        return grade_of(
            make.manifest, "ada", one.result, late=Late(1.0, penalty, "late"), former=former
        )

    found, counted = best_of(attempts, "ada", BUNDLE, grade)
    return int(found.result.submission[7:]), counted


def test_the_highest_after_its_own_penalty_is_the_best() -> None:
    attempts = attempt(1, right(3.0)), attempt(2, right(4.0), placed=True)
    assert chosen(*attempts)[0] == 2
    assert chosen(*attempts, late={2: 2.0})[0] == 1
    assert chosen(*attempts, late={1: 2.0, 2: 2.0})[1].words == "attempt 2 of 2 counts: the best"


def test_of_equal_ones_the_smaller_penalty_counts_then_the_newest() -> None:
    attempts = attempt(1, right(3.0)), attempt(2, right(4.0), placed=True)
    assert chosen(*attempts, late={2: 1.0})[0] == 1
    assert chosen(attempt(1, right(3.0)), attempt(2, right(3.0)))[0] == 2


def test_they_are_counted_in_the_order_in_which_they_were_handed_in() -> None:
    early = attempt(2, right(4.0), "2026-11-01 10:00 UTC")
    late = attempt(1, right(1.0), "2026-11-02 10:00 UTC")
    assert chosen(late, early)[1].number == 1


@pytest.mark.parametrize("other", [broken(), on_a_gpu()])
def test_what_is_open_never_wins_and_the_best_so_far_is_shown(other: Result) -> None:
    found, counted = chosen(attempt(1, right(1.0, 5.0)), attempt(2, other, placed=True))
    assert (found, counted.waits is None) == (1, False)
    grade = grade_of(make.manifest, "ada", right(1.0, 5.0), counted=counted)
    assert (grade.total, grade.earned) == (None, 6.0)
    assert grade.status is counted.waits


def test_what_cannot_come_to_more_is_waited_for_by_nobody() -> None:
    found, counted = chosen(attempt(1, right(4.0)), attempt(2, broken(), placed=True))
    assert (found, counted.waits) == (1, None)
    gone = attempt(1, broken()), attempt(2, right(1.0), placed=True)
    assert chosen(*gone)[1].waits is None, "nothing can grade it any more"
    kept = attempt(1, broken(), kept=True), attempt(2, right(1.0), placed=True)
    assert chosen(*kept)[1].waits is GradeStatus.NEEDS_ATTENTION


def test_what_waits_for_staff_is_shown_as_long_as_it_may_be_the_best() -> None:
    found, counted = chosen(attempt(1, right(4.0)), attempt(2, unread(3.0), placed=True))
    assert (found, counted.floor) == (2, 10.0)
    assert "another one has 10 points, and no less will count" in counted.words
    assert chosen(attempt(1, right(4.0)), attempt(2, unread(4.0)), late={2: 5.0})[0] == 1


def test_what_staffs_score_decides_in_all_attempts_leaves_no_doubt_which_is_the_best() -> None:
    found, counted = chosen(attempt(1, unread(4.0)), attempt(2, unread(3.0), placed=True))
    assert (found, counted.words) == (1, "attempt 1 of 2 counts: the best")
    found, counted = chosen(attempt(1, right(0.0)), attempt(2, unread(3.0), placed=True))
    assert (found, counted.words) == (2, "attempt 2 of 2 counts: the best")


def test_an_unreadable_attempt_waits_for_staff_only_while_it_is_the_newest() -> None:
    unreadable = make.unreadable()
    found, counted = chosen(attempt(1, right(1.0)), attempt(2, unreadable, placed=True))
    assert (found, counted.waits) == (1, GradeStatus.NEEDS_ATTENTION)
    resubmitted = attempt(1, unreadable, kept=True), attempt(2, right(1.0), placed=True)
    assert chosen(*resubmitted)[1].waits is None
    assert chosen(attempt(1, unreadable, placed=True))[0] == 1


def test_a_trial_without_walls_is_no_attempt_beside_others() -> None:
    trial = msgspec.structs.replace(right(4.0), status=Status.UNGRADED)
    assert chosen(attempt(1, right(1.0)), attempt(2, trial, placed=True))[1].count == 1
    assert chosen(attempt(1, trial, placed=True))[0] == 1
    tried, second, third = attempt(1, trial), attempt(2, right(1.0)), attempt(3, right(4.0))
    assert in_order([third, tried, second]) == [second, third], "as a history numbers them"


def test_an_attempt_by_former_checks_says_so() -> None:
    former = msgspec.structs.replace(right(4.0), bundle="sha256:" + "ef" * 32)
    _, counted = chosen(attempt(1, former), attempt(2, right(1.0), placed=True))
    said = "attempt 1 of 2 counts: the best; graded by former checks (bundle efefefef)"
    assert counted.words == said


def test_a_teams_last_attempt_is_that_with_the_newest_time() -> None:
    bo = attempt(1, right(1.0, student="bo"), "2026-11-03 10:00 UTC", placed=True)
    cy = attempt(2, right(4.0, student="cy"), "2026-11-02 10:00 UTC", placed=True)
    found, counted = last_of([bo, cy], "ada")
    assert (found, counted.words) == (bo, "handed in by bo")
    assert last_of([bo, cy], "bo")[1].words == ""
