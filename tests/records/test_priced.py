"""A mistake with a price is said by all that tells a grade, and all say the same points."""

import csv
import io
import json

import pytest

from autograder.artefacts.grades import Entered, decided_scores, grade_of
from autograder.records.autograded import write_autograded
from autograder.records.comments import answer_cells, student_comments
from autograder.records.exporters import EXPORTERS
from autograder.records.exporting import Wanted
from autograder.records.exports import csv_text
from autograder.records.figures import losses_of
from autograder.records.public import feedback_text, public_result
from autograder.records.roster import Roster

WORDS = "−0.5: eps under the root"


@pytest.fixture
def result(make):
    """A result of which the first question is scored by a mistake's price."""
    return make.result("ada", make.priced(), make.conv(), make.proof())


@pytest.fixture
def grade(make, result):
    return grade_of(make.manifest, "ada", result)


def test_the_text_says_it_once_for_the_question(grade):
    text = feedback_text("Homework 1", grade)
    assert f"1.1 Gradient descent: 3.5/4, part of the points\n  {WORDS}\n" in text
    assert text.count(WORDS) == 1


def test_programs_read_the_mistake_and_what_it_costs(grade):
    first, second, _ = public_result(grade)["questions"]
    assert first["priced"] == {"mistake": "eps under the root", "costs": 0.5}
    assert first["earned"] == sum(check["earned"] for check in first["checks"]) == 3.5
    assert "priced" not in second


def test_what_staff_scored_has_no_price(make, result):
    grade = grade_of(make.manifest, "ada", result, {"sgd_matches": Entered(score=4.0)})
    assert "priced" not in public_result(grade)["questions"][0]
    assert WORDS not in feedback_text("Homework 1", grade)


def test_tables_and_gradebook_have_the_points_that_the_price_leaves(make, result, grade):
    rows = list(csv.reader(io.StringIO(csv_text(make.manifest, {"ada": grade}))))
    assert dict(zip(*rows, strict=True))["sgd"] == "3.5"
    entry, question = make.manifest.questions[0], result.questions[0]
    assert decided_scores(entry, question) == {"sgd_matches": 3.5}


def test_gradescope_shows_it(make, grade):
    wanted = Wanted([(make.manifest, {"ada": grade})], Roster())
    (data,) = EXPORTERS["gradescope"].export(wanted).files.values()
    assert WORDS in json.loads(data)["tests"][0]["output"]


def test_formgrader_and_nbgraders_feedback_say_it(make, result, notebook, tmp_path):
    comments = student_comments(make.manifest, answer_cells(make.manifest, make.release()), result)
    assert comments["sgd_solution"].startswith(f"{WORDS}\n\n")
    assert WORDS not in comments["conv_solution"]
    path = tmp_path / "hw1.ipynb"
    write_autograded(path, notebook, result, make.manifest)
    assert f"3.5 of 4 points\\n  the whole question: {WORDS}\\n" in path.read_text("utf-8")


def test_the_class_loses_by_the_mistake_what_it_costs(grade):
    (loss,) = losses_of([grade])
    assert (loss.mistake, loss.points, loss.students) == ("eps under the root", 0.5, ["ada"])
