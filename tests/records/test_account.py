"""The account of a grade says what the grader found and what staff changed, and adds up."""

from autograder.artefacts.grades import Entered, Late, grade_of
from autograder.artefacts.results import Status, Verdict
from autograder.records.account import Line, account_of


def test_what_broke_half_way_is_no_change_of_staffs(make):
    broken = make.conv(Verdict.BROKEN, 3.0, Status.NEEDS_ATTENTION)
    grade = grade_of(make.manifest, "ada", make.result("ada", make.sgd(), broken, make.proof()))
    assert account_of(grade) == [Line("Found by the grader", 4.0)]
    assert grade.earned == 4.0


def test_the_lines_add_up_to_the_grade(make):
    entered = {"sgd_matches": Entered(score=1.0, extra=0.5), "proof_answer": Entered(score=5.0)}
    result = make.result("ada", make.sgd(), make.conv(), make.proof())
    grade = grade_of(make.manifest, "ada", result, entered, Late(60.0, 2.0, "a minute late"))
    lines = account_of(grade)
    assert [line.points for line in lines] == [10.0, -3.0, 0.5, 5.0, -2.0]
    assert sum(line.points for line in lines) == grade.earned == 10.5
