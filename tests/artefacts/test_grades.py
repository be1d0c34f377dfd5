"""A grade: results, what staff entered, lateness, and what counts in the total of a course."""

import msgspec
import pytest

from autograder.artefacts.grades import Entered, Grade, GradeStatus, Late, counting, grade_of
from autograder.artefacts.results import Status, Verdict
from tests.records.conftest import Factory

make = Factory()


def graded(entered: dict[str, Entered] | None = None, late: Late | None = None) -> Grade:
    result = make.result("ada", make.sgd(earned=3.0), make.conv(), make.proof())
    return grade_of(make.manifest, "ada", result, entered, late or Late())


def test_without_staff_it_is_the_result_and_what_is_open_is_no_zero() -> None:
    grade = graded()
    assert [question.score for question in grade.questions] == [3.0, 6.0, None]
    assert (grade.earned, grade.possible, grade.total) == (9.0, 15.0, None)
    assert grade.status is GradeStatus.PENDING


def test_staffs_score_stands_in_place_of_the_graders_and_closes_what_was_open() -> None:
    entered = {
        "sgd_matches": Entered(score=1.0, extra=0.5, comment="no"),
        "proof_answer": Entered(score=4.0, look="changed"),
    }
    grade = graded(entered)
    assert [question.score for question in grade.questions] == [1.5, 6.0, 4.0]
    assert (grade.total, grade.status) == (11.5, GradeStatus.GRADED)
    assert [question.by_staff for question in grade.questions] == [True, False, True]
    assert grade.questions[0].comments == ("no",)
    assert grade.looks == (f"{grade.questions[2].id}: changed",)


def test_a_penalty_never_makes_it_less_than_none() -> None:
    assert graded(late=Late(60.0, 2.0, "late")).earned == 7.0
    assert graded(late=Late(60.0, 20.0, "late")).earned == 0.0


def test_what_broke_on_our_side_is_decided_by_staff() -> None:
    broken = make.conv(Verdict.BROKEN, 0.0, Status.NEEDS_ATTENTION)
    result = make.result("ada", make.sgd(), broken, make.proof(5.0, Status.GRADED))
    open_one = grade_of(make.manifest, "ada", result)
    assert (open_one.status, open_one.total) == (GradeStatus.NEEDS_ATTENTION, None)
    closed = grade_of(make.manifest, "ada", result, {"conv_matches": Entered(score=6.0)})
    assert (closed.status, closed.total) == (GradeStatus.GRADED, 15.0)


def test_nothing_submitted_is_missing_until_staff_decide_everything() -> None:
    missing = grade_of(make.manifest, "bo", None)
    assert (missing.status, missing.total, missing.is_begun) == (GradeStatus.MISSING, None, False)
    cells = ("sgd_matches", "conv_matches", "proof_answer")
    given = grade_of(make.manifest, "bo", None, {cell: Entered(score=1.0) for cell in cells})
    assert (given.status, given.total) == (GradeStatus.GRADED, 3.0)


@pytest.mark.parametrize(
    ("missing", "drop", "kept"),
    [(0, 0, "abc"), (0, 1, "bc"), (1, 1, "abc"), (1, 2, "bc"), (0, 2, "c"), (0, 9, "c")],
)
def test_the_lowest_are_dropped_and_missing_ones_first(missing: int, drop: int, kept: str) -> None:
    points = {"a": 1.0, "b": 2.0, "c": 4.0}
    grades = [
        msgspec.structs.replace(
            grade_of(make.manifest, "ada", make.result("ada", make.sgd(earned=earned))),
            assignment=name,
        )
        for name, earned in points.items()
    ]
    assert "".join(one.assignment for one in counting(grades, missing, drop)) == kept


def test_what_was_asked_otherwise_is_open_until_a_regrade() -> None:
    result = make.result("ada", make.sgd(earned=3.0), make.conv(), make.proof(5.0, Status.GRADED))
    first, *others = make.manifest.questions
    (check,) = first.checks
    for changed in (
        msgspec.structs.replace(first, points=8.0),
        msgspec.structs.replace(first, checks=(msgspec.structs.replace(check, name="other"),)),
        msgspec.structs.replace(first, checks=(msgspec.structs.replace(check, points=8.0),)),
    ):
        manifest = msgspec.structs.replace(make.manifest, questions=(changed, *others))
        grade = grade_of(manifest, "ada", result, former=True)
        assert [question.score for question in grade.questions] == [None, 6.0, 5.0]
        assert grade.total is None
    assert grade_of(make.manifest, "ada", result, former=True).total == 14.0


def test_extra_credit_counts_as_soon_as_its_cell_has_a_score_as_in_nbgrader() -> None:
    waiting = graded({"proof_answer": Entered(extra=0.5)})
    assert (waiting.earned, waiting.ceiling, waiting.questions[2].extra) == (9.0, 14.5, 0.0)
    scored = graded({"proof_answer": Entered(score=4.0, extra=0.5)})
    assert (scored.total, scored.questions[2].extra) == (13.5, 0.5)
