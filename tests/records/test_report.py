import csv
import io
import time

import msgspec
import pytest

from autograder.artefacts.grades import Entered, Late, grade_of
from autograder.artefacts.results import Blank, Status, Verdict
from autograder.records.exports import course_text
from autograder.records.report import write_report

IN_TIME = Late()


@pytest.fixture
def write(tmp_path, make):
    """Writes a report of one assignment, or of several, and returns its folder."""

    def write(grades, manifest=make.manifest, course="Deep Learning", names=None, more=()):
        folder = tmp_path / "report"
        write_report(folder, course, [(manifest, grades), *more], names or {})
        return folder

    return write


@pytest.fixture
def page(write, make, read_page):
    """Writes a report of results and returns the page of its assignment taken apart."""

    def page(results, manifest=make.manifest, **more):
        grades = {name: grade_of(manifest, name, result) for name, result in results.items()}
        return read_page(write(grades, manifest, **more) / "hw1.html")

    return page


@pytest.fixture
def graded(write, read_page):
    """Writes a report of grades and returns the page of its assignment taken apart."""

    def graded(*grades, **more):
        return read_page(write({one.student: one for one in grades}, **more) / "hw1.html")

    return graded


@pytest.fixture
def grade(make):
    """A student's grade with what staff entered."""

    def grade(student, result="right", entered=None, late=IN_TIME):
        result = make.result(student) if result == "right" else result
        return grade_of(make.manifest, student, result, entered, late)

    return grade


@pytest.fixture
def three(make):
    """A class of three: one right, one in part, one wrong."""
    part = make.case(Verdict.FAILED, message="m", diagnosis="steps uphill", margin=1.5)
    return {
        "cy": make.result("cy", make.sgd(part, earned=0.0), make.conv(), make.proof()),
        "ada": make.result(),
        "bo": make.result("bo", make.sgd(part, earned=2.0), make.conv(), make.proof()),
    }


def test_a_smallest_input_stands_once_with_all_in_whose_work_it_fails(page, make):
    def wrong(student, smallest, hidden=True):
        case = make.case(Verdict.FAILED, "zeros", hidden, smallest=smallest)
        return make.result(student, make.sgd(case, earned=0.0))

    zero, one = "sgd_step(np.array([0.0]))", "sgd_step(<b>1.0)"
    results = {"ada": wrong("ada", one, False), "bo": wrong("bo", zero), "cy": wrong("cy", zero)}
    found = page(results)
    assert [data for tag, data in found.data if tag == "pre"] == [zero, one]
    assert "sgd_matches 2 students bo cy" in found.words
    assert "sgd_matches 1 student ada" in found.words
    assert "Smallest inputs that fail" not in page({"ada": make.result()}).words


def labels(found):
    return [value for name, value in found.attributes if name == "aria-label"]


def links(found):
    return [v for name, v in found.attributes if name == "href" and v.startswith("../")]


def test_what_is_open_for_most_of_the_class_is_left_out_of_the_figures(page, three):
    words = page(three).words
    assert "Submitted 3" in words
    assert "Mean 8 / 10" in words
    assert "Median 8 / 10" in words
    assert "Deviation 1.6" in words
    assert "Pending 3" in words
    assert "Of the 2 of 3 questions that are decided for most of the class (10 of 15" in words
    assert "newest result 2026-11-20T02:10:40Z" in words


def test_grades_that_are_whole_count_with_penalty_and_extra_credit(graded, grade):
    proof = {"proof_answer": Entered(score=5.0, extra=1.0)}
    words = graded(
        grade("ada", entered=proof),
        grade("bo", entered=proof, late=Late(7200.0, 3.0, "2 h late: 20 % of 15 points")),
        grade("cy"),
    ).words
    assert "Mean 14.5 / 15" in words
    assert "Of 2 grades, late penalties and extra credit included; 1 is left out" in words


def test_the_histogram_says_how_many_have_how_many_points(page, three):
    assert "Students by points: 6 to 7: 1, 8 to 9: 1, 9 to 10: 1" in labels(page(three))


def test_each_question_says_how_many_passed_fully_partly_and_not(page, three):
    found = page(three)
    bars = [label for label in labels(found) if "undecided" in label]
    assert bars == [
        "1 full, 1 partly, 1 not, 0 undecided",
        "3 full, 0 partly, 0 not, 0 undecided",
        "0 full, 0 partly, 0 not, 3 undecided",
    ]
    assert "1.1 Gradient descent 1 1 1 0 2 / 4 –" in found.words
    assert "2 A proof manual 0 0 0 3 – / 5 –" in found.words


def test_discrimination_is_shown_and_explained_from_ten_students_on(page, make):
    def of(number):
        sgd, conv = (4.0, 6.0) if number % 2 else (1.0, 2.0)
        return make.result(f"s{number}", make.sgd(earned=sgd), make.conv(earned=conv))

    assert "/ 4 –" in page({f"s{n}": of(n) for n in range(9)}).words
    words = page({f"s{n}": of(n) for n in range(10)}).words
    assert "/ 4 1.00" in words
    assert "corrected item-total correlation" in words


def test_points_lost_by_mistake_come_with_who_made_it(page, make):
    def slipped(student, *diagnoses):
        cases = [make.case(Verdict.FAILED, str(n), diagnosis=d) for n, d in enumerate(diagnoses)]
        return make.result(student, make.sgd(*cases, earned=0.0), make.conv(), make.proof())

    results = [slipped("ada", "uphill", "uphill", None, "shape"), slipped("bo", "uphill")]
    words = page({result.student: result for result in results}).words
    assert "6 uphill 1.1 Gradient descent 2 students ada bo" in words
    assert "1 no known mistake 1.1 Gradient descent 1 student ada" in words
    assert words.index("6 uphill") < words.index("1 no known mistake") < words.index("1 shape")


def test_what_is_not_answered_is_one_row_for_all_questions(page, make):
    blank = {"message": "not implemented", "blank": Blank.STUB}
    sgd = make.sgd(make.case(Verdict.ERRORED, **blank), earned=0.0)
    result = make.result("ada", sgd, make.conv(Verdict.ERRORED, 0.0, **blank), make.proof())
    words = page({"ada": result}).words
    assert words.count("not answered") == 1
    assert "10 not answered 1.1 (1), 1.2 (1) 1 student ada" in words


def test_students_are_sorted_named_and_linked_to_their_feedback(page, make):
    names = ["Zoë Müller", "a b", "50%&<x>", "..x", "?q#f"]
    found = page({name: make.result(name) for name in names}, names={"a b": "Ada Byron"})
    assert links(found) == [
        "../feedback/..x/hw1/hw1.html",
        "../feedback/50%25%26%3Cx%3E/hw1/hw1.html",
        "../feedback/%3Fq%23f/hw1/hw1.html",
        "../feedback/Zo%C3%AB%20M%C3%BCller/hw1/hw1.html",
        "../feedback/a%20b/hw1/hw1.html",
    ]
    assert "Ada Byron a b 10 pending 4 6 –" in found.words


def test_what_needs_attention_stands_on_top_with_its_reasons(page, make):
    broken = make.conv(Verdict.BROKEN, 0.0, Status.NEEDS_ATTENTION, message="KeyError: 'x'")
    results = {
        "ada": make.result(),
        "bo": make.unreadable("bo", "the notebook is not JSON"),
        "cy": make.result("cy", make.sgd(), broken, status=Status.NEEDS_ATTENTION),
    }
    words = page(results).words
    top = words[: words.index("Submitted 3")]
    assert "Needs attention" in top
    assert "bo the notebook is not JSON" in top
    assert "cy conv_matches, strided: KeyError: 'x'" in top
    assert "ada" not in top
    assert "Mean 10 / 10" in words, "who waits for staff does not pull the mean down"
    assert "bo ! needs attention ! ! !" in words
    assert "ada 10 pending 4 6 –" in words


def test_what_staff_must_look_at_again_is_listed_and_marked(graded, grade):
    words = graded(
        grade("ada", entered={"sgd_matches": Entered(score=3.0, look="the code changed")})
    ).words
    assert "Look again Something changed since staff entered these. ada sgd: the code" in words
    assert "ada 9 pending look again 3 6 –" in words


def test_late_and_missing_submissions_are_listed_with_what_they_cost(graded, grade):
    found = graded(
        grade("ada", late=Late(7200.0, 1.5, "submitted 2 h late: 10 % of 15 points")),
        grade("bo", late=Late(1800.0)),
        grade("cy", None),
        grade("di"),
    )
    words = found.words
    assert "ada −1.5 submitted 2 h late: 10 % of 15 points" in words
    assert "bo 0 0.5 h late, which costs nothing" in words
    assert "1 missing cy" in words
    assert "ada 8.5 pending late 4 6 –" in words
    assert "cy – missing" in words
    assert "Submitted 3 / 4" in words
    assert "../feedback/cy/hw1/hw1.html" not in links(found), (
        "who submitted nothing has no feedback"
    )


def test_name_total_and_status_are_the_first_columns(page, make):
    text = page({"ada": make.result()}).text
    assert text.count('<th scope="col">Student</th>') == 1
    head = text[text.index('<table class="class">') :]
    assert head.index("Student") < head.index("Total") < head.index("Status") < head.index("1.1")


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


def test_an_empty_class_and_an_empty_course_have_a_page(page, tmp_path, read_page):
    assert "Nobody has submitted yet" in page({}).words
    write_report(tmp_path / "none", "Course", [], {})
    assert "There are no assignments yet" in read_page(tmp_path / "none" / "index.html").words


def test_the_course_has_a_card_for_each_assignment_and_a_table_of_its_students(
    write, read_page, make, grade
):
    other = msgspec.structs.replace(make.manifest, assignment="hw2", title="Homework 2")
    grades = {"ada": grade("ada"), "bo": grade("bo", None)}
    folder = write(grades)
    found = read_page(folder / "index.html")
    assert "Homework 1" in found.words
    assert "table" not in found.tags, "one assignment's page has its table"
    hw2 = {"ada": grade_of(other, "ada", make.result(assignment="hw2"))}
    found = read_page(write(grades, more=[(other, hw2)]) / "index.html")
    assert "ada – pending 10 10" in found.words, "nothing of these two is decided as a whole"
    assert "bo – missing –" in found.words
    assert "../feedback/ada/hw2/hw2.html" in links(found)
    assert {"hw1.html", "hw2.html"} <= {v for name, v in found.attributes if name == "href"}


def test_a_total_without_the_lowest_says_so(tmp_path, make, read_page, grade):
    other = msgspec.structs.replace(make.manifest, assignment="hw2")
    third = msgspec.structs.replace(make.manifest, assignment="hw3")
    proof = {"proof_answer": Entered(score=5.0)}
    low = make.result("ada", make.sgd(earned=0.0), make.conv(), make.proof(), assignment="hw2")
    half = make.result("ada", make.sgd(earned=0.0), make.conv(), make.proof(), assignment="hw3")
    several = [
        (make.manifest, {"ada": grade("ada", entered=proof), "bo": grade("bo")}),
        (other, {"ada": grade_of(other, "ada", low, proof)}),
        (third, {"ada": grade_of(third, "ada", half)}),
    ]
    write_report(tmp_path, "Deep Learning", several, {}, drop_lowest=1)
    words = read_page(tmp_path / "index.html").words
    assert "ada 15 pending 15 11 6" in words, "what is half graded is not the one that is dropped"
    assert "bo – pending 10" in words
    rows = csv.DictReader(io.StringIO(course_text(several, drop_lowest=1)))
    assert [(row["student"], row["earned"]) for row in rows] == [("ada", "15.0"), ("bo", "")]
    assert "/ 30" not in words, "what counts differs from one student to another"
    assert "Of each student the lowest assignment does not count in the total" in words


def test_pages_of_assignments_that_are_gone_go_and_others_files_stay(write, make, grade):
    other = msgspec.structs.replace(make.manifest, assignment="hw2")
    folder = write({"ada": grade("ada")}, more=[(other, {})])
    (folder / "mine.html").write_text("<p>somebody's own</p>")
    write({"ada": grade("ada")})
    assert sorted(path.name for path in folder.iterdir()) == ["hw1.html", "index.html", "mine.html"]


def test_an_assignment_by_the_name_of_the_course_s_page_has_another(write, make, read_page):
    folder = write({}, msgspec.structs.replace(make.manifest, assignment="index"))
    assert "Report for staff" in read_page(folder / "index.html").words
    assert "Nobody has submitted yet" in read_page(folder / "index_.html").words


def test_a_class_of_a_thousand_has_a_page_in_time(page, make):
    results = {f"s{n:04}": make.result(f"s{n:04}") for n in range(1000)}
    start = time.perf_counter()
    found = page(results)
    assert time.perf_counter() - start < 20
    assert found.tags.count("tr") == 1000 + 1 + 1 + 3
    assert "position: sticky" in found.text


def test_whatever_anybody_wrote_is_text(write, make, hostile, read_page):
    entry = msgspec.structs.replace(make.manifest.questions[0], title=hostile)
    manifest = msgspec.structs.replace(make.manifest, title=hostile, questions=(entry,))
    case = make.case(Verdict.FAILED, hostile, message=hostile, diagnosis=hostile, margin=1.1)
    broken = make.case(Verdict.BROKEN, hostile, message=hostile)
    result = make.result(
        hostile,
        make.sgd(case, broken, earned=1.0, status=Status.NEEDS_ATTENTION),
        notes=[hostile],
        status=Status.NEEDS_ATTENTION,
        graded_at=hostile,
    )
    entered = {"sgd_matches": Entered(look=hostile, comment=hostile)}
    grade = grade_of(manifest, hostile, result, entered, Late(60.0, 1.0, hostile))
    folder = write(
        {hostile: grade, "cy": grade_of(manifest, "cy", None)},
        manifest,
        hostile,
        {hostile: hostile, "cy": hostile},
        [(msgspec.structs.replace(manifest, assignment="hw2"), {})],
    )
    for name, least in (("hw1.html", 10), ("index.html", 5)):
        found = read_page(folder / name)
        assert found.tags.count("script") == 1
        assert not {"img", "iframe"} & set(found.tags)
        assert not [n for n, _ in found.attributes if n.startswith("on") or n == "src"]
        assert all(link.startswith("../feedback/%1B%5B31m%3C%2Fpre%3E") for link in links(found))
        assert found.words.count("<script>alert(1)</script>") >= least


def test_the_page_may_run_its_own_script_alone_and_is_the_same_for_the_same_grades(page, three):
    first = page(three)
    policy = next(value for name, value in first.attributes if name == "content")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert "script-src 'sha256-" in policy
    assert "http" not in first.text.replace("http-equiv", "")
    backwards = dict(reversed(three.items()))
    assert page(backwards).text == first.text


def test_tables_have_scopes_and_the_class_can_be_reached_by_keyboard(page, three):
    found = page(three)
    assert found.tags.count("th") == [name for name, _ in found.attributes].count("scope")
    assert ("tabindex", "0") in found.attributes
    assert ("role", "region") in found.attributes
    ids = [value for name, value in found.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    anchors = {v[1:] for name, v in found.attributes if name == "href" and v.startswith("#")}
    assert anchors <= set(ids)
