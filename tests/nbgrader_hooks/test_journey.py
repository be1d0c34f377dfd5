"""The whole way of docs/nbgrader.md: its commands literally, and somebody at formgrader."""

import csv
import json
import re

import pytest
from nbgrader.api import Gradebook
from packaging.requirements import Requirement

from tests.nbgrader_hooks.conftest import CHECK
from tests.nbgrader_hooks.formgrader import CHROMIUM

pytestmark = pytest.mark.timeout(600)  # whichever comes first makes the journey

EXAMPLE = "Inputs of one size let one learning rate suit all first-layer weights."
RUBRIC = "2 points for the link between the size of an input"
BEGIN, RELEASE, STUDENT, GRADE, AGAIN, BACK = range(6)


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def page_of(journey):
    return (journey.course / "feedback" / "ada" / "hw1" / "hw1.html").read_text()


@pytest.mark.takes(seconds=45)
def test_every_command_of_the_page_does_what_it_says(journey):
    failed = [said.text for said in journey.said if said.failed]
    assert not failed, "\n".join(failed)
    assert len(journey.said) == BACK + 1


def test_the_wheel_lies_in_the_exchange_once_and_is_named_there(journey):
    (wheel,) = journey.exchange.rglob("*.whl")
    assert wheel.parent == journey.exchange / "packages"
    (needed,) = [
        Requirement(line)
        for line in (journey.student / "requirements.txt").read_text().splitlines()
        if line.startswith("notebook-autograder")
    ]
    # Where the journey was made, before its folder got its place.
    assert needed.url.startswith("file:///")
    assert needed.url.endswith(f"/exchange/deep-learning/packages/{wheel.name}")


def test_a_submission_brings_back_what_a_student_worked_on_and_no_package(journey):
    for folder in (journey.exchange / "inbound").iterdir():
        assert files(folder) == [
            *("README.md", "hw1.ipynb", "recording.json", "requirements.txt"),
            *("submission_secret.txt", "timestamp.txt"),
        ]
        assert sum(p.stat().st_size for p in folder.iterdir()) < 20_000


def test_validate_names_the_visible_case_that_fails_and_says_nothing_else_of_one_that_passes(
    journey,
):
    before, after = journey.said[STUDENT].text.split("VALIDATION FAILED")[1].split("Success!")
    assert "✗ typical inputs: not implemented yet" in before
    assert "hidden" not in before
    assert after.startswith(" Your notebook passes all the tests.")
    assert "partial credit" not in journey.said[STUDENT].text


def test_autograde_is_our_engine_and_copies_nothing_beside_a_students_code(journey):
    assert "graded 1 submission, each shut in" in journey.said[GRADE].text
    result = json.loads((journey.course / "results" / "hw1" / "ada.json").read_text())
    assert (result["earned"], result["status"]) == (4.0, "pending")
    assert files(journey.course / "autograded") == ["ada/hw1/hw1.ipynb"]


def test_collect_takes_a_newer_attempt_and_grades_nothing_twice(journey):
    assert "Updating submission: ada hw1" in journey.said[AGAIN].text
    assert "nothing to grade, 1 submission graded before" in journey.said[AGAIN].text
    assert "No newer submission to collect" in json.loads(journey.grader["collect"])["log"]


def test_a_grader_sees_rubric_and_example_answer_at_formgrader(journey):
    assert EXAMPLE in journey.grader["page"]
    assert RUBRIC in journey.grader["page"]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: the API was called")
def test_formgrader_was_worked_at_in_a_real_browser(journey):
    assert journey.grader["by"] == "browser"
    assert RUBRIC in journey.grader["rubric"]


def test_formgraders_buttons_run_our_compiler_our_engine_and_our_page(journey):
    # Compiled again where this package was edited meanwhile.
    assert re.search(r"hw1: (nothing to compile|wrote release/hw1/)", journey.grader["generate"])
    assert "nothing to grade, 1 submission graded before" in journey.grader["autograde"]
    assert "hw1: wrote 1 pages" in journey.grader["feedback"]
    assert json.loads(journey.grader["release_feedback"])["success"] is True


def test_what_was_entered_at_formgrader_is_in_the_gradebook_and_no_command_takes_it_away(journey):
    with Gradebook(f"sqlite:///{journey.course / 'gradebook.db'}") as gradebook:
        assert gradebook.find_student("ada").last_name == "Lovelace"
        why = gradebook.find_grade("why", "hw1", "hw1", "ada")
        check = gradebook.find_grade(CHECK, "hw1", "hw1", "ada")
        comment = gradebook.find_comment("why", "hw1", "hw1", "ada")
        assert (why.manual_score, why.extra_credit, why.auto_score) == (1.5, 0.5, None)
        assert (check.manual_score, check.auto_score) == (3.0, 4.0)
        assert comment.manual_comment == "Name the *gradient*."


def test_comment_scores_credit_and_override_reach_the_page_and_the_export(journey):
    assert "Name the *gradient*." in page_of(journey)
    assert "scored by your instructor" in page_of(journey)
    with (journey.course / "grades.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["student"], float(row["earned"]), row["status"]) == ("ada", 5.0, "graded")


def test_there_is_one_page_and_its_student_fetches_it(journey):
    assert [path for path in files(journey.course / "feedback") if path.endswith(".html")] == [
        "ada/hw1/hw1.html"
    ]
    (fetched,) = (journey.student / "feedback").rglob("*.html")
    assert fetched.read_text() == page_of(journey)
    assert RUBRIC not in page_of(journey)
    assert EXAMPLE not in page_of(journey)


def test_the_report_s_links_lead_to_the_page(journey):
    report = journey.course / "report"
    links = {
        link
        for path in report.rglob("*.html")
        for link in re.findall(r'href="(\.\./feedback/[^"]*)"', path.read_text())
    }
    assert [(report / link).resolve().is_file() for link in links] == [True]


def test_no_file_that_the_exchange_hands_out_holds_what_is_hidden(journey):
    handed_out = [
        *(journey.exchange / "outbound").rglob("*"),
        *(journey.exchange / "feedback").rglob("*"),
    ]
    for path in filter(lambda p: p.is_file(), handed_out):
        text = path.read_text()
        for hidden in (RUBRIC, EXAMPLE, "Which standard deviation", "divides by the variance"):
            assert hidden not in text, path
