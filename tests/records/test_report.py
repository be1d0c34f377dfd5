import time

import msgspec
import pytest

from autograder.artefacts.grades import grade_of
from autograder.artefacts.results import Status, Verdict
from autograder.records.report import write_report


@pytest.fixture
def page(tmp_path, make, read_page):
    """Writes a report and returns it taken apart."""

    def write(results, manifest=make.manifest, course="Deep Learning"):
        grades = {name: grade_of(manifest, name, result) for name, result in results.items()}
        write_report(tmp_path / "report", course, [(manifest, grades)], {})
        return read_page(tmp_path / "report" / "index.html")

    return write


@pytest.fixture
def three(make):
    """A class of three: one right, one in part, one wrong."""
    part = make.case(Verdict.FAILED, message="m", diagnosis="steps uphill", margin=1.5)
    return {
        "cy": make.result("cy", make.sgd(part, earned=0.0), make.conv(), make.proof()),
        "ada": make.result(),
        "bo": make.result("bo", make.sgd(part, earned=2.0), make.conv(), make.proof()),
    }


def test_the_summary_counts_the_class_and_its_automatic_points(page, three):
    words = page(three).words
    assert "Students 3" in words
    assert "Mean 8.0 / 10" in words
    assert "Median 8.0 / 10" in words
    assert "Pending 3" in words
    assert "Need attention 0" in words
    assert "newest result 2026-11-20T02:10:40Z" in words


def test_each_question_says_how_many_passed_fully_partly_and_not(page, three):
    found = page(three)
    labels = [value for name, value in found.attributes if name == "aria-label"]
    assert labels == [
        "1 full, 1 partly, 1 not, 0 undecided",
        "3 full, 0 partly, 0 not, 0 undecided",
        "0 full, 0 partly, 0 not, 3 undecided",
    ]
    assert "1.1 Gradient descent 2 × steps uphill 4 1 1 1 0" in found.words


def test_the_most_frequent_mistake_is_named_once_per_student(page, make):
    def slipped(student, *mistakes):
        cases = [make.case(Verdict.FAILED, str(n), diagnosis=d) for n, d in enumerate(mistakes)]
        return make.result(student, make.sgd(*cases, earned=0.0))

    results = [slipped("ada", *"bbbacdef"), slipped("bo", *"bacdef"), slipped("cy", "b")]
    words = page({result.student: result for result in results}).words
    assert "1.1 Gradient descent 3 × b" in words
    words = page({result.student: result for result in results[:2]}).words
    assert "1.1 Gradient descent 2 × a" in words, "of equally frequent ones the first by name"


def test_students_are_sorted_and_linked_to_their_feedback(page, make):
    names = ["Zoë Müller", "a b", "50%&<x>", "..x", "?q#f"]
    found = page({name: make.result(name) for name in names})
    links = [value for name, value in found.attributes if name == "href"]
    assert links == [
        "../feedback/..x/hw1.html",
        "../feedback/50%25%26%3Cx%3E/hw1.html",
        "../feedback/%3Fq%23f/hw1.html",
        "../feedback/Zo%C3%AB%20M%C3%BCller/hw1.html",
        "../feedback/a%20b/hw1.html",
    ]


def test_what_needs_attention_stands_on_top_with_its_reasons(page, make):
    broken = make.conv(Verdict.BROKEN, 0.0, Status.NEEDS_ATTENTION, message="KeyError: 'x'")
    results = {
        "ada": make.result(),
        "bo": make.unreadable("bo", "the notebook is not JSON"),
        "cy": make.result("cy", make.sgd(), broken, status=Status.NEEDS_ATTENTION),
    }
    words = page(results).words
    top = words[: words.index("Students 3")]
    assert "Needs attention" in top
    assert "bo the notebook is not JSON" in top
    assert "cy conv_matches, strided: KeyError: 'x'" in top
    assert "ada" not in top
    assert "Mean 10.0 / 10" in words, "who waits for staff does not pull the mean down"
    assert "bo ! ! ! ! 15 needs attention" in words
    assert "ada 4 6 – 10 15 pending" in words


def test_what_is_near_the_tolerance_is_listed_nearest_first(page, make):
    failed = {"ada": 1.9, "bo": 1.1, "cy": 40.0, "di": None}
    passed = {"eve": 0.6, "fay": 0.4}
    results = {
        name: make.result(name, make.sgd(make.case(verdict, margin=margin), earned=0.0))
        for verdict, margins in ((Verdict.FAILED, failed), (Verdict.PASSED, passed))
        for name, margin in margins.items()
    }
    words = page(results).words
    near = ("1.10 failed", "bo", "0.60 passed", "eve", "1.90 failed", "ada")
    places = [words.index(text, words.index("Error ÷ tolerance")) for text in near]
    assert places == sorted(places)
    assert "sgd_matches, one step: 2 failed and 1 passed by little" in words
    assert "40.00" not in words
    assert "0.40" not in words


def test_an_empty_class_and_an_empty_course_have_a_page(page, tmp_path, make, read_page):
    assert "Nobody has submitted yet" in page({}).words
    write_report(tmp_path, "Course", [], {})
    assert "There are no assignments yet" in read_page(tmp_path / "index.html").words


def test_a_class_of_a_thousand_has_a_page_in_time(page, make):
    results = {f"s{n:04}": make.result(f"s{n:04}") for n in range(1000)}
    start = time.perf_counter()
    found = page(results)
    assert time.perf_counter() - start < 20
    assert found.tags.count("tr") == 1000 + 1 + 1 + 3
    assert "position: sticky" in found.text


def test_whatever_anybody_wrote_is_text(page, make, hostile):
    entry = msgspec.structs.replace(make.manifest.questions[0], title=hostile)
    manifest = msgspec.structs.replace(make.manifest, title=hostile, questions=(entry,))
    case = make.case(Verdict.FAILED, hostile, message=hostile, diagnosis=hostile, margin=1.1)
    broken = make.case(Verdict.BROKEN, hostile, message=hostile)
    result = make.result(
        hostile,
        make.sgd(case, broken, earned=1.0),
        notes=[hostile],
        status=Status.NEEDS_ATTENTION,
        assignment=hostile,
        graded_at=hostile,
    )
    found = page({hostile: result}, manifest, hostile)
    assert not {"script", "img", "iframe"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "src"]
    links = [value for name, value in found.attributes if name == "href"]
    assert all(link.startswith("../feedback/%1B%5B31m%3C%2Fpre%3E") for link in links)
    assert found.words.count("<script>alert(1)</script>") >= 8


def test_the_page_may_run_nothing_and_is_the_same_for_the_same_results(page, three):
    first = page(three)
    assert ("http-equiv", "Content-Security-Policy") in first.attributes
    assert "script" not in first.tags
    backwards = dict(reversed(three.items()))
    assert page(backwards).text == first.text


def test_tables_have_scopes_and_the_class_can_be_reached_by_keyboard(page, three):
    found = page(three)
    assert found.tags.count("th") == [name for name, _ in found.attributes].count("scope")
    assert ("tabindex", "0") in found.attributes
    assert ("role", "region") in found.attributes
