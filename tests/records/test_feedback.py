import msgspec
import pytest

from autograder.artefacts.grades import Entered, Late, grade_of
from autograder.artefacts.results import Blank, CheckResult, QuestionResult, Status, Verdict
from autograder.records.comments import student_comments
from autograder.records.feedback import write_feedback
from autograder.records.public import feedback_text

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "div", "header", "footer", "main"),
    *("section", "h1", "h2", "h3", "p", "span", "bdi", "ol", "ul", "li", "a", "code", "pre"),
    *("table", "thead", "tbody", "caption", "tr", "th", "td", "svg", "rect", "details", "summary"),
}
IN_TIME = Late()


@pytest.fixture
def page(tmp_path, make, read_page):
    """Writes a feedback page and returns it taken apart."""

    def write(result, manifest=make.manifest, course="Deep Learning", *, entered=None, **more):
        path = tmp_path / "feedback" / "s" / "hw1.html"
        late = more.pop("late", IN_TIME)
        grade = grade_of(manifest, result.student, result, entered, late)
        write_feedback(path, grade, manifest, course, **more)
        return read_page(path)

    return write


def card(found, title="1.1 Gradient descent"):
    """The words of a page from a question's card on."""
    return found.words[found.words.rindex(title) :]


def test_the_page_says_what_was_earned_by_question_and_in_total(page, make):
    words = page(make.result("ada", make.sgd(earned=1.5), make.conv(), make.proof())).words
    assert "Feedback for ada" in words
    assert "7.5 of 15 points so far" in words
    assert "5 points are not decided yet" in words
    assert "1.1 Gradient descent 1.5 / 4 part of the points" in words
    assert "1.2 Convolution 6 / 6 full points" in words
    assert "2 A proof – / 5 waiting for your instructor" in words
    assert "Graded 2026-11-20T02:10:40Z on cpu" in words


def test_a_visible_case_shows_verdict_message_and_diagnosis(page, make):
    case = make.case(Verdict.FAILED, message="20 of 20\nvalues", diagnosis="steps uphill")
    result = page(make.result("ada", make.sgd(case, make.case(name="two"), earned=2.0)))
    assert ("pre", "20 of 20\nvalues") in result.data
    assert "one step not the expected result" in result.words
    assert "This looks like steps uphill" in result.words
    assert "1 of 2 cases passed" in result.words
    assert "sgd_step moves against the gradient." in result.words


def test_what_counts_for_nothing_without_typical_inputs_is_said(page, make):
    sgd, *others = make.manifest.questions
    check = msgspec.structs.replace(sgd.checks[0], typical="one step")
    drawn = msgspec.structs.replace(sgd, checks=(check,))
    manifest = msgspec.structs.replace(make.manifest, questions=(drawn, *others))
    edge = make.case(name="SECRETCASE", hidden=True)
    said = "1 of 2 cases passed, but not that of typical inputs, without which none counts"
    failed = make.result("ada", make.sgd(make.case(Verdict.FAILED), edge, earned=0.0))
    assert said in page(failed, manifest).words
    other = make.sgd(make.case(), make.case(Verdict.FAILED, name="SECRETCASE", hidden=True))
    assert said not in page(make.result("ada", other), manifest).words


def test_a_mistake_with_a_price_is_said_once_with_what_it_costs(page, make):
    words = card(page(make.result("ada", make.priced(), make.conv(), make.proof())))
    assert "1.1 Gradient descent 3.5 / 4 part of the points −0.5: eps under the root" in words
    assert "By the checks alone it would have been 0 of 4." in words
    assert words.count("eps under the root") == 1
    assert "0 of 2 cases passed" in words


def test_a_price_is_not_said_where_staff_scored_the_question(page, make):
    result = make.result("ada", make.priced(), make.conv(), make.proof())
    words = page(result, entered={"sgd_matches": Entered(score=4.0)}).words
    assert "−0.5" not in words.partition("1.1 Gradient descent 4 / 4")[2]
    assert "The grader's checks came to 3.5 of 4." in words


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
    assert found.tags.count("pre") == 2 + 1, "and the line to paste"


def test_what_is_the_same_in_all_of_a_question_is_said_once(page, make):
    cases = [
        make.case(Verdict.FAILED, "one", message="values differ", diagnosis="steps uphill"),
        make.case(name="two"),
        make.case(Verdict.FAILED, "three", message="values differ", diagnosis="steps uphill"),
        make.case(Verdict.FAILED, "four", True, message="values differ", diagnosis="steps uphill"),
    ]
    words = card(page(make.result("ada", make.sgd(*cases, earned=1.0))))
    assert words.count("steps uphill") == words.count("values differ") == 1
    assert words.count("not the expected result") == 3
    assert "look at the sign" not in words, "that is a guess, and it is known what is wrong"


@pytest.fixture
def in_two_checks(make):
    """A grade whose first question has two checks that fail, with these diagnoses."""

    def graded(*diagnoses):
        entry, *others = make.manifest.questions
        checks = [
            msgspec.structs.replace(
                entry.checks[0], name=name, summary=f"{name} works.", points=2.0
            )
            for name in ("first", "second")
        ]
        entry = msgspec.structs.replace(entry, checks=tuple(checks))
        manifest = msgspec.structs.replace(make.manifest, questions=(entry, *others))
        results = [
            CheckResult(
                check.name,
                2.0,
                0.0,
                (
                    make.case(Verdict.FAILED, diagnosis=diagnosis, message=f"{check.name} differs"),
                    make.case(Verdict.FAILED, "SECRETCASE", True, diagnosis=diagnosis),
                ),
            )
            for check, diagnosis in zip(checks, diagnoses, strict=True)
        ]
        question = QuestionResult("sgd", 4.0, 0.0, Status.GRADED, tuple(results))
        return manifest, make.result("ada", question, make.conv(), make.proof())

    return graded


def test_several_checks_that_fail_for_one_reason_say_it_once(page, in_two_checks):
    manifest, result = in_two_checks("steps uphill", "steps uphill")
    words = card(page(result, manifest))
    assert words.count("steps uphill") == 1
    assert words.index("steps uphill") < words.index("first works.") < words.index("second works.")
    grade = grade_of(manifest, "ada", result)
    assert feedback_text("HW", grade).splitlines()[2:10] == [
        "1.1 Gradient descent: 0/4, no points",
        "  looks like: steps uphill",
        "  first works. (0 of 2 cases passed)",
        "    one step: not the expected result",
        "      first differs",
        "    hidden case 1: not the expected result",
        "  second works. (0 of 2 cases passed)",
        "    one step: not the expected result",
    ]
    comments = student_comments(manifest, {"first": "answer", "second": "answer"}, result)
    assert comments["answer"].startswith("Looks like: steps uphill\n\nfirst works. 0 of 2 points.")
    assert comments["answer"].count("steps uphill") == 1


def test_checks_that_fail_for_several_reasons_say_each_below_its_check(page, in_two_checks):
    manifest, result = in_two_checks("steps uphill", None)
    words = card(page(result, manifest))
    first, second = words.index("first works."), words.index("second works.")
    assert first < words.index("This looks like steps uphill") < second
    assert first < second < words.index("look at the sign"), "the hint of the one that has none"
    text = feedback_text("HW", grade_of(manifest, "ada", result)).splitlines()
    told = [line.strip() for line in text if "looks like" in line or "hint" in line]
    assert told == ["looks like: steps uphill", "hint: look at the sign"]


@pytest.mark.parametrize("blank", list(Blank))
def test_a_hidden_case_without_an_answer_says_so_and_nothing_else(page, make, blank):
    empty = make.case(Verdict.ERRORED, "SECRETCASE", True, message="SECRET", blank=blank)
    found = page(make.result("ada", make.sgd(empty, earned=0.0)))
    assert "Not answered yet: 1 question 1.1 Gradient descent 0 / 4" in found.words
    assert "SECRET" not in found.text
    partly = page(make.result("ada", make.sgd(make.case(), empty, earned=2.0)))
    assert "hidden case 1 not answered yet" in partly.words
    assert "look at the sign" not in partly.words


@pytest.mark.parametrize("blank", list(Blank))
def test_a_question_without_an_answer_says_so_once_in_whatever_words(page, make, blank):
    message = "nothing there"
    cases = [
        make.case(Verdict.FAILED, str(i), i > 1, message=message, blank=blank) for i in range(4)
    ]
    words = page(make.result("ada", make.sgd(*cases, earned=0.0))).words
    assert words.count(message) == 1
    assert "Not answered yet: 1 question 1.1 Gradient descent 0 / 4" in words
    assert "up to 4 more points" in words
    assert "not the expected result" not in words
    assert "look at the sign" not in words
    passed = page(make.result("ada", make.sgd(*cases, make.case(), earned=1.0))).words
    assert "hidden cases 1 and 2 not answered yet" in passed
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
    assert "1.2 Convolution – / 6 waiting for a machine with the right hardware" in words


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


def test_who_submitted_nothing_gets_no_page(tmp_path, make):
    grade = grade_of(make.manifest, "ada", None)
    with pytest.raises(ValueError, match="ada submitted nothing"):
        write_feedback(tmp_path / "hw1.html", grade, make.manifest, "Deep Learning")
    assert not (tmp_path / "hw1.html").exists()


def test_the_student_is_named_as_the_roster_does(page, make):
    assert "Feedback for Ada Byron ( ada)" in page(make.result(), name="Ada Byron").words
    assert "Feedback for ada Total" in page(make.result()).words


def test_how_the_grade_came_about_is_told_where_others_than_the_grader_had_a_part(page, make):
    assert "Found by the grader" not in page(make.result()).words
    entered = {
        "sgd_matches": Entered(score=3.0, extra=1.0),
        "proof_answer": Entered(score=4.5, comment="Why does it converge?"),
    }
    late = Late(90_000.0, 1.5, "submitted 1 day 1 h late: 10 % of 15 points")
    words = page(make.result(), entered=entered, late=late).words
    assert "13 of 15 points" in words
    assert (
        "Found by the grader 10 1.1 Gradient descent: changed by your instructor −1 "
        "1.1 Gradient descent: extra credit +1 2 A proof: scored by your instructor +4.5 "
        "Late: submitted 1 day 1 h late: 10 % of 15 points −1.5 Total 13"
    ) in words
    assert "full points, scored by your instructor, +1 extra" in words
    assert "The grader's checks came to 4 of 4." in words


def test_a_penalty_takes_no_more_than_there_is(page, make):
    late = Late(9e6, 15.0, "submitted 104 days late: 100 % of 15 points")
    words = page(make.result(), late=late).words
    assert "Late: submitted 104 days late: 100 % of 15 points −10 Total so far 0" in words


def test_what_to_do_next_is_where_the_most_points_are_to_gain(page, make):
    hidden = make.case(Verdict.FAILED, "x", True)
    conv = make.conv(Verdict.FAILED, 0.0, diagnosis="the kernel is flipped")
    words = page(make.result("ada", make.sgd(hidden, earned=1.0), conv, make.proof())).words
    start, end = words.index("What to do next"), words.rindex("1.1 Gradient descent")
    assert words[start:end].strip() == (
        "What to do next 1.2 Convolution up to 6 more points This looks like the kernel is "
        "flipped 1.1 Gradient descent up to 3 more points Hint: look at the sign"
    )
    assert "What to do next" not in page(make.result()).words, "all that is decided is right"


def test_what_staff_wrote_is_text_with_its_lines_and_looks_are_not_for_students(page, make):
    comment = "Nice.\nBut <b>why</b>?"
    entered = {"proof_answer": Entered(score=2.0, comment=comment, look="SECRET")}
    found = page(make.result(), entered=entered)
    assert comment in "".join(data for tag, data in found.data if tag == "p")
    assert "white-space: pre-line" in found.text
    assert "b" not in found.tags
    assert "SECRET" not in found.text


def test_a_visible_case_that_did_not_pass_comes_with_the_line_that_runs_it(page, make):
    visible = make.sgd(make.case(Verdict.FAILED), earned=0.0)
    hidden = make.sgd(make.case(Verdict.FAILED, "x", True), earned=0.0)
    on_gpu = make.conv(Verdict.FAILED, 0.0)
    assert ("pre", "self_check(sgd_matches)") in page(make.result("ada", visible)).data
    assert "self_check" not in page(make.result("ada", hidden, on_gpu)).text
    assert "self_check" not in page(make.result()).text


def test_what_passed_is_folded_away(page, make):
    text = page(make.result()).text
    folded = text[text.index("<details>") : text.index("</details>")]
    assert "1 check passed" in folded
    assert "sgd_step moves against the gradient." in folded
    assert "one step" in folded


def test_a_manual_answer_that_is_untouched_is_not_answered(page, make):
    untouched = make.result("ada", make.sgd(), make.conv(), make.proof(0.0, Status.GRADED))
    words = page(untouched).words
    assert "Not answered yet: 1 question 2 A proof 0 / 5" in words
    commented = page(untouched, entered={"proof_answer": Entered(comment="Come to me.")}).words
    assert "Not answered yet" not in commented
