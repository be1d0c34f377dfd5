"""A command says what it is asked about: one student's problems, and what is not graded as that."""

import json
import shutil
from functools import partial

import msgspec
import pytest

from autograder import cli
from autograder.artefacts.results import (
    CaseResult,
    CheckResult,
    Priced,
    QuestionResult,
    Status,
    Verdict,
)
from autograder.course import Course, find_course
from autograder.engines import class_report
from autograder.engines.comparing import Compared, Mended, Opened
from autograder.engines.grades import class_grades
from autograder.engines.problems import Problem, told_of
from autograder.engines.regrade import regrade
from autograder.engines.run import grade_assignment
from autograder.engines.stamps import read_report_stamp
from autograder.engines.table import ENGINES
from autograder.grading.scoring import broken, unreadable

pytestmark = pytest.mark.usefixtures("quickly")


class Silent:
    def __init__(self):
        self.said = []

    def begin(self, total):
        pass

    def advance(self, result):
        pass

    def say(self, text):
        self.said.append(text)


def test_problems_are_told_of_whose_they_are_and_of_nobody_alone():
    ada, bo, nobody = Problem("1", "ada"), Problem("2", "bo"), Problem("3")
    assert told_of([ada, bo, nobody], ["ada"]) == (ada, nobody)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_grade_speaks_of_the_student_that_it_is_asked_about(classroom, monkeypatch, capsys, form):
    for student in ("ada", "bert", "cy"):
        classroom.submit(student)
    monkeypatch.chdir(classroom.root)
    assert cli.main(["grade"]) == 0
    results = classroom.course.results("small")
    (results / "bert.json").unlink()
    (results / "bert.json").mkdir()
    (results / "gone.json").write_text("damaged")
    classroom.submit("ada", "no notebook")
    assert cli.main(["request", "cy", "small", "proof", "--why", "please"]) == 0
    capsys.readouterr()
    assert cli.main(["grade", *form]) == 1
    said = "".join(capsys.readouterr())
    assert all(f"needs attention: {name}" in said for name in ("bert", "gone", "cy"))
    assert cli.main(["grade", "--student", "cy", *form]) == 1
    out, err = capsys.readouterr()
    assert "needs attention: cy asks for another look" in out + err
    assert not any(name in out + err for name in ("ada", "bert", "gone"))
    if form:
        (table,) = json.loads(out)
        assert [row["student"] for row in table["students"]] == ["cy"]
    assert cli.main(["override", "cy", "small", "proof", "1", "--why", "so"]) == 1
    capsys.readouterr()
    assert cli.main(["grade", "--student", "cy", *form]) == 0
    assert "needs attention" not in "".join(capsys.readouterr())


def results_of(result, **verdicts):
    """A result whose checks came to these verdicts: one point for each that passed."""
    questions = tuple(
        QuestionResult(
            name,
            1.0,
            float(verdict is Verdict.PASSED),
            Status.NEEDS_ATTENTION if verdict is Verdict.BROKEN else Status.GRADED,
            (
                CheckResult(
                    name,
                    1.0,
                    float(verdict is Verdict.PASSED),
                    (CaseResult("one", False, verdict, 0.1, message="said"),),
                ),
            ),
        )
        for name, verdict in verdicts.items()
    )
    return msgspec.structs.replace(
        result,
        questions=questions,
        status=Status.NEEDS_ATTENTION if Verdict.BROKEN in verdicts.values() else Status.GRADED,
        earned=sum(question.earned for question in questions),
        fault=None,
    )


@pytest.fixture
def any_result(classroom):
    bundle = class_grades(classroom.course, "small").bundle
    return unreadable(bundle, "ada", b"x", "it is plain text", "cpu", lambda: "")


PASSED, FAILED, BROKEN = Verdict.PASSED, Verdict.FAILED, Verdict.BROKEN
PENDING = Verdict.PENDING


def test_a_check_that_breaks_is_a_fault_of_ours_and_no_change_of_points(any_result):
    before = results_of(any_result, one=PASSED, two=PASSED, three=PASSED)
    after = results_of(any_result, one=BROKEN, two=FAILED, three=PASSED)
    found = Compared(before, after)
    change = found.change()
    assert [(check.name, check.after) for check in change.checks] == [("two", 0.0)]
    assert (change.before, change.after) == (3.0, 2.0)
    (fault,) = found.faults()
    assert fault == Problem(
        "one of ada could not be graded, by a fault of ours that costs no points: said", "ada"
    )
    assert (
        Compared(before, results_of(any_result, one=BROKEN, two=PASSED, three=PASSED)).change()
        is None
    )


def test_what_broke_before_and_is_graded_now_is_no_gain(any_result):
    before = results_of(any_result, one=BROKEN, two=FAILED)
    found = Compared(before, results_of(any_result, one=PASSED, two=FAILED))
    assert (found.change(), list(found.faults())) == (None, [])
    assert list(found.mended()) == [Mended("ada", "one", 1.0)]
    whole = Compared(any_result, results_of(any_result, one=PASSED))
    assert (whole.change(), list(whole.mended())) == (None, [Mended("ada", None, 1.0)])


def test_what_waits_for_a_gpu_now_is_open_and_no_loss(any_result):
    before = results_of(any_result, one=PASSED, two=PASSED, three=PENDING)
    found = Compared(before, results_of(any_result, one=PENDING, two=FAILED, three=PENDING))
    change = found.change()
    assert [(check.name, check.after) for check in change.checks] == [("two", 0.0)]
    assert (change.before, change.after) == (2.0, 1.0)
    assert list(found.opened()) == [Opened("ada", "one", 1.0)]
    assert list(found.faults()) == []
    alone = Compared(before, results_of(any_result, one=PENDING, two=PASSED, three=PENDING))
    assert (alone.change(), len(list(alone.opened()))) == (None, 1)
    broke = results_of(any_result, one=BROKEN)
    waits = Compared(broke, results_of(any_result, one=PENDING))
    assert (waits.change(), list(waits.mended()), list(waits.opened())) == (None, [], [])


def test_a_question_that_had_a_price_is_open_as_a_whole_while_one_of_its_checks_waits(any_result):
    def with_both(result, **options):
        """One question of the two checks."""
        first, second = result.questions
        both = msgspec.structs.replace(
            first, id="both", points=2.0, checks=(*first.checks, *second.checks), **options
        )
        return msgspec.structs.replace(result, questions=(both,))

    half = Priced("forgets the factor", 0.5, 1.0)
    before = with_both(results_of(any_result, one=PASSED, two=FAILED), priced=half)
    check = msgspec.structs.replace(before.questions[0].checks[1], earned=0.5)
    checks = (before.questions[0].checks[0], check)
    question = msgspec.structs.replace(before.questions[0], checks=checks, earned=1.5)
    before = msgspec.structs.replace(before, questions=(question,), earned=1.5)
    after = with_both(results_of(any_result, one=PENDING, two=FAILED))
    assert Compared(before, after).change() is None
    lost = with_both(results_of(any_result, one=PASSED, two=FAILED))
    change = Compared(before, lost).change()
    assert (change.before, change.after, len(change.prices)) == (1.5, 1.0, 1)


def test_a_preview_says_that_the_harness_broke_and_nobody_loses(classroom, monkeypatch, capsys):
    for student in ("ada", "bo"):
        classroom.submit(student)
    grade_assignment(classroom.course, "small", Silent())
    right = ENGINES["local"]

    def breaking(work, jobs, workers):
        for one in right(work, jobs, workers):
            bundle = class_grades(classroom.course, "small").bundle
            fault = broken(bundle, one.student, one.submitted.data, "it fell", "cpu", lambda: "")
            yield (
                msgspec.structs.replace(one, result=fault)
                if False
                else type(one)(one.student, one.submitted, fault)
            )

    monkeypatch.setitem(ENGINES, "local", breaking)
    for student in ("ada", "bo"):
        classroom.submit(student, classroom.right + "\n")
    found = regrade(classroom.course, "small", Silent(), apply=False)
    assert (found.changes, found.new, found.ungraded) == ((), (), ("ada", "bo"))
    assert found.lines() == [
        "small: 2 submissions graded again: 0 gain, 0 lose, 0 stay as they are, "
        "2 could not be graded"
    ]
    monkeypatch.chdir(classroom.root)
    assert cli.main(["regrade", "small", "--preview", "--student", "ada"]) == 1
    out, err = capsys.readouterr()
    assert "ada could not be graded, and loses no points by it: the harness broke: it fell" in err
    assert "bo" not in out + err
    assert "from" not in out


@pytest.fixture
def two(classroom):
    """A course of two assignments, which one student has submitted."""
    course = classroom.course
    for folder in ("assignments", "release", "build"):
        shutil.copytree(course.root / folder / "small", course.root / folder / "other")
    for path in [*course.root.glob("*/other/small*"), *course.root.glob("*/other/*/small*")]:
        path.rename(path.with_name(path.name.replace("small", "other")))
    return classroom


@pytest.fixture
def reports(monkeypatch):
    """Counts how often the report is written."""
    written = []
    write = class_report.write_report

    def counting(folder, name, assignments, *args):
        written.append([manifest.assignment for manifest, _ in assignments])
        write(folder, name, assignments, *args)

    monkeypatch.setattr(class_report, "write_report", counting)
    return written


def test_a_command_about_several_assignments_writes_the_report_once(two, reports, monkeypatch):
    for student in ("ada", "bo"):
        two.submit(student)
    monkeypatch.chdir(two.root)
    names = two.course.assignments()
    assert len(names) == 2
    assert cli.main(["grade", "small"]) == 0
    assert reports == [["small"]]
    assert cli.main(["grade"]) == 0
    assert len(reports) == 1, "nothing has changed"
    two.submit("cy")
    assert cli.main(["grade"]) == 0
    assert len(reports) == 2
    assert "cy" in (two.root / "report" / "small.html").read_text()
    assert cli.main(["override", "cy", "small", "proof", "2", "--why", "well"]) == 0
    assert len(reports) == 3
    assert cli.main(["grade"]) == 0
    assert len(reports) == 3, "the command before has written it"


def test_the_next_command_writes_the_report_that_a_killed_one_has_not(classroom, reports):
    course, silent = classroom.course, Silent()
    classroom.submit("ada")
    grade_assignment(course, "small", silent)
    classroom.submit("berta")
    run = partial(grade_assignment, course, "small")
    run(Silent(), report=False)  # killed behind the pages, before the report
    assert "berta" not in (course.root / "report" / "small.html").read_text()
    again = Silent()
    run(again)
    assert again.said == ["writing the report"]
    assert "berta" in (course.root / "report" / "small.html").read_text()
    run(last := Silent())
    assert (last.said, len(reports)) == ([], 2)
    (course.root / "results" / ".report").write_bytes(b"\xff")
    run(last := Silent())
    assert last.said == ["writing the report"]


@pytest.mark.parametrize("change", ["name", "policy", "roster", "page", "gradebook", "result"])
def test_a_report_is_written_again_where_something_of_it_is_another(classroom, change):
    course = classroom.course
    classroom.submit("ada")
    grade_assignment(course, "small", Silent())
    match change:
        case "name":
            course = Course(course.root, "Another name")
        case "policy":
            (course.root / "course.toml").write_text('name = "Small"\n[grades]\ndrop_lowest = 1\n')
            course = find_course(course.root)
        case "roster":
            (course.root / "roster.csv").write_text("student,first_name\nada,Ada\nbo,Bo\n")
        case "page":
            course.report.unlink()
        case "gradebook":
            course.gradebook.unlink()
        case "result":
            classroom.submit("ada", "no notebook")
    grade_assignment(course, "small", silent := Silent())
    assert "writing the report" in silent.said
    assert read_report_stamp(course)
    grade_assignment(course, "small", silent := Silent())
    assert silent.said == []
