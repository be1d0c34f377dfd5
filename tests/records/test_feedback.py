import msgspec
import pytest

from autograder.artefacts.grades import grade_of
from autograder.artefacts.results import Blank, Status, Verdict
from autograder.records.feedback import write_feedback

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "div", "header", "footer", "main"),
    *("section", "h1", "h2", "h3", "p", "span", "bdi", "ul", "li", "a", "code", "pre"),
    *("table", "thead", "tbody", "tr", "th", "td", "svg", "rect", "details", "summary"),
}


@pytest.fixture
def page(tmp_path, make, read_page):
    """Writes a feedback page and returns it taken apart."""

    def write(result, manifest=make.manifest, course="Deep Learning"):
        path = tmp_path / "feedback" / "s" / "hw1.html"
        grade = grade_of(manifest, result.student, result)
        write_feedback(path, grade, manifest, course)
        return read_page(path)

    return write


def test_the_page_says_what_was_earned_by_question_and_in_total(page, make):
    words = page(make.result("ada", make.sgd(earned=1.5), make.conv(), make.proof())).words
    assert "Feedback for ada" in words
    assert "7.5 of 15 points so far" in words
    assert "5 points are not decided yet" in words
    assert "1.1 Gradient descent part of the points 1.5 / 4" in words
    assert "1.2 Convolution full points 6 / 6" in words
    assert "2 A proof waiting for your instructor – / 5" in words
    assert "Graded 2026-11-20T02:10:40Z on cpu" in words


def test_a_visible_case_shows_verdict_message_and_diagnosis(page, make):
    case = make.case(Verdict.FAILED, message="20 of 20\nvalues", diagnosis="steps uphill")
    result = page(make.result("ada", make.sgd(case, make.case(name="two"), earned=2.0)))
    assert ("pre", "20 of 20\nvalues") in result.data
    assert "one step not the expected result" in result.words
    assert "This looks like steps uphill" in result.words
    assert "1 of 2 cases passed" in result.words
    assert "sgd_step moves against the gradient." in result.words


def test_cases_that_came_to_the_same_share_a_row(page, make):
    cases = (
        make.case(name="two"),
        make.case(name="three"),
        make.case(Verdict.ERRORED, "four", message="KeyError"),
        make.case(Verdict.ERRORED, "five", message="KeyError"),
        make.case(Verdict.ERRORED, "six", message="TypeError"),
        *(make.case(Verdict.ERRORED, str(i), True) for i in range(3)),
        make.case(hidden=True),
        make.case(hidden=True),
    )
    found = page(make.result("ada", make.sgd(*cases, earned=1.0)))
    assert "two, three passed" in found.words
    assert "four, five your code raised an error KeyError" in found.words
    assert "six your code raised an error TypeError" in found.words
    assert "hidden cases 1 to 3 your code raised an error" in found.words
    assert "hidden cases 4 and 5 passed" in found.words
    assert found.tags.count("pre") == 2


def test_what_is_the_same_in_all_of_a_question_is_said_once(page, make):
    cases = [
        make.case(Verdict.FAILED, "one", message="values differ", diagnosis="steps uphill"),
        make.case(name="two"),
        make.case(Verdict.FAILED, "three", message="values differ", diagnosis="steps uphill"),
        make.case(Verdict.FAILED, "four", True, message="values differ", diagnosis="steps uphill"),
    ]
    words = page(make.result("ada", make.sgd(*cases, earned=1.0))).words
    assert words.count("steps uphill") == words.count("values differ") == 1
    assert words.count("not the expected result") == 3
    assert "look at the sign" in words


@pytest.mark.parametrize("blank", list(Blank))
def test_a_question_without_an_answer_says_so_once_in_whatever_words(page, make, blank):
    message = "nothing there"
    cases = [
        make.case(Verdict.FAILED, str(i), i > 1, message=message, blank=blank) for i in range(4)
    ]
    words = page(make.result("ada", make.sgd(*cases, earned=0.0))).words
    assert words.count(message) == 1
    assert "0 of 4 cases passed" in words
    assert "not the expected result" not in words
    assert "look at the sign" not in words
    passed = page(make.result("ada", make.sgd(*cases, make.case(), earned=1.0))).words
    assert "not the expected result" in passed
    answered = [msgspec.structs.replace(case, blank=None) for case in cases]
    wrong = page(make.result("ada", make.sgd(*answered, earned=0.0))).words
    assert "not the expected result" in wrong
    assert "look at the sign" in wrong


@pytest.mark.parametrize("verdict", list(Verdict))
def test_nothing_of_a_hidden_case_but_verdict_hint_and_diagnosis_is_in_the_bytes(
    page, make, verdict
):
    case = make.case(verdict, "SECRETCASE", True, message="SECRETMESSAGE", margin=1.2345)
    text = page(make.result("ada", make.sgd(case, earned=0.0))).text
    assert "SECRET" not in text
    assert "1.23" not in text
    assert "hidden case 1" in text
    missed = verdict in ("failed", "errored", "timed_out", "killed")
    assert ("look at the sign" in text) is missed


def test_a_broken_case_blames_nobody_and_tells_nothing_of_the_grader(page, make):
    broken = make.conv(
        Verdict.BROKEN, 0.0, Status.NEEDS_ATTENTION, message="SECRET reference/conv.py"
    )
    result = page(make.result("ada", make.sgd(), broken, status=Status.NEEDS_ATTENTION))
    assert "SECRET" not in result.text
    assert "could not be graded: not your fault; staff have been told" in result.words
    assert "You have not lost any points" in result.words
    assert "course staff have been told" in result.words


def test_a_submission_that_could_not_be_read_shows_no_zero(page, make):
    result = page(make.unreadable(note="the notebook ends in cell 14"))
    assert "– of 15 points" in result.words
    assert "the notebook ends in cell 14" in result.words
    assert "You have not lost any points" in result.words
    assert "0 / 4" not in result.words


def test_missing_hardware_is_not_a_failure(page, make):
    pending = make.conv(Verdict.PENDING, 0.0, Status.PENDING)
    words = page(make.result("ada", make.sgd(), pending)).words
    assert "1.2 Convolution waiting for a machine with the right hardware – / 6" in words


def test_whatever_anybody_wrote_is_text(page, make, hostile):
    sgd = make.manifest.questions[0]
    check = msgspec.structs.replace(sgd.checks[0], hint=hostile, summary=hostile)
    entry = msgspec.structs.replace(sgd, id=hostile, title=hostile, checks=(check,))
    manifest = msgspec.structs.replace(make.manifest, title=hostile, questions=(entry,))
    cases = (
        make.case(Verdict.FAILED, hostile, message=hostile, diagnosis=hostile),
        make.case(Verdict.FAILED, hostile, True, message=hostile, diagnosis=hostile),
    )
    question = msgspec.structs.replace(make.sgd(*cases, earned=1.0), id=hostile)
    result = make.result(
        hostile, question, notes=[hostile], submission=hostile, device=hostile, graded_at=hostile
    )
    found = page(result, manifest, hostile)
    assert set(found.tags) <= TAGS
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "src"]
    assert found.words.count("<script>alert(1)</script>") >= 10
    assert "{{7*7}}" in found.words
    shown = "".join(data for tag, data in found.data if tag in ("pre", "li", "bdi"))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_the_page_needs_nothing_but_itself_and_may_run_nothing(page, make):
    found = page(make.result())
    assert ("content", POLICY) in found.attributes
    assert ("http-equiv", "Content-Security-Policy") in found.attributes
    assert not {"script", "link", "img", "iframe", "form"} & set(found.tags)
    assert "http://" not in found.text
    assert "https://" not in found.text
    assert "url(" not in found.text
    assert "@import" not in found.text


def test_the_page_has_an_outline_and_tables_with_scopes(page, make):
    found = page(make.result())
    assert ("lang", "en") in found.attributes
    assert found.tags.count("h1") == 1
    assert found.tags.index("h1") < found.tags.index("h2") < found.tags.index("h3")
    assert found.tags.count("th") == [name for name, _ in found.attributes].count("scope")
    links = {value[1:] for name, value in found.attributes if name == "href"}
    assert links <= {value for name, value in found.attributes if name == "id"}


def test_the_same_result_gives_the_same_bytes(page, make):
    assert page(make.result()).text == page(make.result()).text
