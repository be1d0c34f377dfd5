"""An nbgrader course graded as it is, from its folders to its gradebook."""

import contextlib
import datetime
import io
import json
import os
import shutil

import pytest

from autograder.cli import main
from autograder.foreign.course import find_nbgrader_course
from autograder.foreign.pool import Pool
from autograder.foreign.preparing import generate
from autograder.foreign.run import grade_nbgrader
from tests.nbgrader_courses import answer, cell, given, manual, scored, submit, write

SQUARE = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"
RIGHT = {"square": "def square(x):\n    return x ** 2", "proof": "By induction."}


class Silent:
    """Progress that nobody sees."""

    def begin(self, total):
        pass

    def advance(self, result):
        pass

    def say(self, text):
        pass


def run(*arguments):
    """Run a command; return its exit code, what it prints, and what it says of errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    return code, out.getvalue(), err.getvalue()


def scores(course):
    """Return student, notebook, cell, automatic score and whether staff must score it."""
    from autograder.bench.side_by_side import scores_of

    return {cell[:1] + cell[2:]: score for cell, score in scores_of(course).items()}


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A course with two notebooks in one assignment, a file beside them, and its release."""
    course = tmp_path_factory.mktemp("nbgrader") / "course"
    write(
        course / "source" / "ps1" / "first.ipynb",
        given("import json\nLIMIT = json.load(open('limits.json'))['most']"),
        answer("square", SQUARE),
        scored("visible", "assert square(2) == 4"),
        scored(
            "hidden",
            "assert square(3) == 9\n### BEGIN HIDDEN TESTS\nassert square(LIMIT) == LIMIT ** 2\n"
            "### END HIDDEN TESTS",
            points=2,
        ),
        scored("partial", "sum(square(n) == n * n for n in (0, 1, 5)) / 3 * 3", points=3),
        manual("proof", "### BEGIN MARK SCHEME\nTwo points.\n### END MARK SCHEME"),
    )
    write(
        course / "source" / "ps1" / "second.ipynb",
        answer("word", "### BEGIN SOLUTION\nword = 'yes'\n### END SOLUTION"),
        scored("says", "assert word == 'yes'"),
        cell("task", "Do more.", kind="markdown", points=4, task=True, locked=True),
    )
    (course / "source" / "ps1" / "limits.json").write_text('{"most": 12}')
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'course101'\n"
        "c.Execute.timeout = 5\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
    )
    generate(found := find_nbgrader_course(course), "ps1", keep=True)
    with Pool(1) as pool:  # of nobody: the tests are tried out once for all
        grade_nbgrader(found, "ps1", Silent(), pool)
    return course


@pytest.fixture
def course(released, tmp_path):
    """A copy of it, in which three have submitted."""
    course = tmp_path / "course"
    shutil.copytree(released, course)
    submit(course, "ada", "ps1", "first", RIGHT)
    submit(course, "ada", "ps1", "second", {"word": "word = 'yes'"})
    submit(course, "bob", "ps1", "first", {"square": "def square(x):\n    return min(x * x, 20)"})
    submit(course, "cyn", "ps1", "first", {})
    submit(course, "cyn", "ps1", "second", {"word": "while True:\n    pass"})
    os.chdir(course)
    return course


def test_a_course_is_graded_and_its_gradebook_filled(course):
    code, out, err = run("grade", "--jobs", "1")
    assert code == 0, err
    assert "course101 is an nbgrader course; it is graded as it is" in out
    assert "ps1: graded 3 submissions" in out
    assert "4 of 4 test cells are hardened" in out
    found = scores(course)
    assert {key[1:]: score for key, score in found.items() if key[0] == "ada"} == {
        ("first", "visible"): 1.0,
        ("first", "hidden"): 2.0,
        ("first", "partial"): 3.0,
        ("first", "proof"): None,
        ("second", "says"): 1.0,
        ("second", "task"): None,
    }
    assert found["bob", "first", "hidden"] == 0.0
    assert found["bob", "first", "partial"] == 2.0
    assert found["bob", "first", "proof"] == 0.0  # no response
    assert found["bob", "second", "says"] == found["bob", "second", "task"] == 0.0  # missing
    assert found["cyn", "second", "says"] == 0.0
    result = json.loads((course / "results" / "ps1" / "cyn.json").read_text())
    verdicts = {
        q["id"]: q["checks"][0]["cases"][0]["verdict"] for q in result["questions"] if q["checks"]
    }
    assert verdicts["first/visible"] == "errored"
    assert (course / "autograded" / "ada" / "ps1" / "limits.json").is_file()
    # A second run grades nothing, a changed submission alone, and a lost gradebook is written anew.
    code, out, _ = run("grade", "--jobs", "1")
    assert "ps1: graded 0 submissions, 3 before" in out
    submit(course, "bob", "ps1", "first", RIGHT)
    (course / "gradebook.db").unlink()
    code, out, _ = run("grade", "--jobs", "1", "--json")
    assert {r["student"]: r["earned"] for r in json.loads(out)} == {
        "ada": 7.0,
        "bob": 6.0,
        "cyn": 0.0,
    }
    assert scores(course)["bob", "first", "hidden"] == 2.0
    assert scores(course)["ada", "first", "hidden"] == 2.0


def test_staff_and_nbgrader_go_on_from_what_was_graded(course):
    from nbgrader.converters import GenerateFeedback
    from nbgrader.utils import parse_utc

    folder = course / "submitted" / "ada" / "ps1"
    (folder / "timestamp.txt").write_text("2026-01-02 00:00:00 UTC\n")
    assert run("grade", "--jobs", "1", "--student", "ada")[0] == 0
    found = find_nbgrader_course(course)
    found.coursedir.assignment_id, found.coursedir.student_id = "ps1", "ada"
    GenerateFeedback(coursedir=found.coursedir, parent=found.app).start()
    page = (course / "feedback" / "ada" / "ps1" / "first.html").read_text()
    assert "visible: 1 of 1 points" in page
    assert "(Score: 6.0 / 8.0)" in page
    with found.database.opened([]) as opened:
        grade = opened.gradebook.find_grade("proof", "first", "ps1", "ada")
        assert grade.needs_manual_grade
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 1.5, 1.0, False
        opened.gradebook.find_assignment("ps1").duedate = parse_utc("2026-01-01 00:00:00 UTC")
        opened.commit()
    assert run("grade", "--jobs", "1", "--student", "ada")[0] == 0
    with found.database.opened([]) as opened:
        notebook = opened.gradebook.find_submission_notebook("first", "ps1", "ada")
        assert notebook.score == 8.5  # staff's score and extra credit stay
        assert notebook.late_submission_penalty == 8.5  # by the course's own plugin
        grade = opened.gradebook.find_grade("proof", "first", "ps1", "ada")
        assert not grade.needs_manual_grade  # nobody is asked to look again
        opened.gradebook.update_or_create_submission(
            "ps1", "ada", extension=datetime.timedelta(days=2)
        )
    assert run("grade", "--jobs", "1", "--student", "ada")[0] == 0
    with found.database.opened([]) as opened:  # a penalty goes with what it was for
        notebook = opened.gradebook.find_submission_notebook("first", "ps1", "ada")
        assert notebook.late_submission_penalty is None


def test_what_cannot_be_done_is_said(course):
    for arguments, words in (
        (("grade", "ps9"), "there is no assignment 'ps9' in source/; there are: ps1"),
        (("grade", "--student", "zoe", "ps1"), "student 'zoe' has submitted nothing for ps1"),
        (("grade", "--device", "cuda"), "--device is for courses with a course.toml"),
        (("report",), "this is an nbgrader course: 1 assignment (ps1). `autograder grade` grades"),
    ):
        code, _, err = run(*arguments)
        assert code == 2
        assert words in err


def test_an_empty_class_and_a_source_that_nbgrader_cannot_read(tmp_path):
    write(tmp_path / "source" / "ps1" / "p.ipynb", given("### BEGIN SOLUTION\n1\n### END SOLUTION"))
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    os.chdir(tmp_path)
    code, out, _ = run("grade")
    assert code == 0
    assert "nobody has submitted anything for ps1" in out
    write(tmp_path / "submitted" / "ada" / "ps1" / "p.ipynb", given("1"))
    code, _, err = run("grade")
    assert code == 3
    assert "Solution region detected in a non-solution cell" in err
    (tmp_path / "nbgrader_config.py").write_text("c = get_config(\n")
    code, _, err = run("grade")
    assert code == 2
    assert "nbgrader_config.py cannot be read" in err
