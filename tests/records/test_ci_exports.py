"""What CI and Gradescope read: nothing hidden, nothing that breaks a parser, no false zero."""

import json
from xml.etree import ElementTree

import pytest

from autograder.artefacts.grades import Entered, Late, grade_of
from autograder.artefacts.results import Status, Verdict
from autograder.records.exporters import EXPORTERS
from autograder.records.exporting import Wanted
from autograder.records.public import feedback_text, public_result
from autograder.records.roster import Roster

SECRET = "SECRETCASE"
TOLD = "SECRETMESSAGE"


@pytest.fixture
def missed(make, hostile):
    """A grade with one case of every kind, and texts that would act."""

    def missed(student="ada"):
        hidden = {"name": SECRET, "hidden": True, "message": TOLD, "margin": 1.25}
        cases = [
            make.case(message=hostile),
            make.case(Verdict.FAILED, message=f"weights: {hostile}\x00\ufffe\ud800"),
            make.case(Verdict.ERRORED, message="ZeroDivisionError"),
            make.case(Verdict.FAILED, **hidden, diagnosis="steps uphill"),
            make.case(Verdict.TIMED_OUT, **hidden),
            make.case(Verdict.BROKEN, message=TOLD),
        ]
        result = make.result(
            student,
            make.sgd(*cases, earned=1.0, status=Status.NEEDS_ATTENTION),
            make.conv(Verdict.PENDING, 0.0, Status.PENDING),
            make.proof(),
            notes=(f"cell 3: {hostile}",),
            fault=TOLD,
        )
        return grade_of(make.manifest, student, result)

    return missed


@pytest.fixture
def export(make):
    """Return the files of an exporter by their names."""

    def export(to, grades):
        return EXPORTERS[to].export(Wanted([(make.manifest, grades)], Roster())).files

    return export


def junit(export, grades):
    (data,) = export("junit", grades).values()
    return ElementTree.fromstring(data)


def test_nothing_hidden_leaves(export, missed, make):
    grades = {"ada": missed()}
    texts = [
        data.decode() for to in ("junit", "gradescope") for data in export(to, grades).values()
    ]
    texts += [feedback_text("Homework 1", grades["ada"]), json.dumps(public_result(grades["ada"]))]
    for text in texts:
        assert "hidden case 1" in text
        assert "steps uphill" in text
        assert SECRET not in text
        assert TOLD not in text
        assert "1.25" not in text
        assert not set("\x1b\u202e\x00") & set(text)


def test_junit_counts_what_its_cases_are(export, missed):
    root = junit(export, {"ada": missed(), "=bo\x1b": missed("=bo\x1b")})
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == [r"hw1.=bo\x1b", "hw1.ada"]
    suite = root[1]
    tags = [[part.tag for part in case] for case in suite.findall("testcase")]
    flat = [tag for tags_of_case in tags for tag in tags_of_case]
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(key)) == flat.count(tag)
        assert int(root.get(key)) == 2 * flat.count(tag)
    assert int(suite.get("tests")) == len(tags) == 8
    assert tags[0] == []
    assert suite.get("timestamp") == "2026-11-20T02:10:40"
    names = [(case.get("classname"), case.get("name")) for case in suite.iter("testcase")]
    assert names[3] == ("hw1.sgd", "sgd_matches: hidden case 1")
    assert names[-1] == ("hw1.proof", "proof")
    times = [float(case.get("time")) for case in suite.iter("testcase")]
    assert times[3] == 0.0, "how long a hidden case takes may tell of its inputs"
    assert float(suite.get("time")) == pytest.approx(sum(times))


def test_what_could_not_be_read_is_an_error_for_ci_and_no_zero(export, make):
    grade = grade_of(make.manifest, "ada", make.unreadable())
    suite = junit(export, {"ada": grade})[0]
    assert suite.get("errors") == "3"
    assert "staff will act" in suite.find("testcase/error").get("message")
    assert suite.find("properties/property[@name='earned']") is None
    (data,) = export("gradescope", {"ada": grade}).values()
    found = json.loads(data)
    assert "staff will act" in found["output"]
    assert "the notebook is not JSON" in found["output"]
    assert "score" not in found
    assert found["extra_data"]["earned"] is None
    assert not any("score" in test for test in found["tests"])
    assert feedback_text("HW", grade).startswith("HW: not graded yet\nThis could not be graded.")


def test_gradescope_gets_the_grade_and_a_test_for_each_question(export, make):
    parts = make.sgd(make.case(Verdict.FAILED, message="no"), earned=0.0), make.conv(), make.proof()
    result = make.result("ada", *parts)
    entered = {"proof_answer": Entered(score=2.0, extra=0.5, comment="Nice.")}
    late = Late(60.0, 1.0, "1 minute late: 1 point")
    whole = grade_of(make.manifest, "ada", result, entered, late)
    open_one = grade_of(make.manifest, "bo", make.result("bo", *parts))
    files = export(
        "gradescope", {"ada": whole, "bo": open_one, "cy": grade_of(make.manifest, "cy", None)}
    )
    assert sorted(files) == ["hw1/ada.json", "hw1/bo.json"]
    found = json.loads(files["hw1/ada.json"])
    assert found["score"] == 7.5
    assert found["output"] == "1 minute late: 1 point"
    assert [(t["number"], t["score"], t["max_score"]) for t in found["tests"]] == [
        ("1.1", 0.0, 4.0),
        ("1.2", 6.0, 6.0),
        ("2", 2.5, 5.0),
    ]
    assert found["tests"][0]["output"].splitlines() == [
        "sgd_step moves against the gradient. (0 of 1 cases passed)",
        "  one step: not the expected result",
        "    no",
    ]
    assert "Nice." in found["tests"][2]["output"]
    assert found["extra_data"]["earned"] == 7.5
    found = json.loads(files["hw1/bo.json"])
    assert "score" not in found
    assert [t.get("score") for t in found["tests"]] == [0.0, 6.0, None]
    assert found["tests"][2]["output"] == "waiting for your instructor"


def test_feedback_as_text_says_the_grade_and_each_question(make):
    grade = grade_of(make.manifest, "ada", make.result("ada", notes=("cell 3 was restored",)))
    assert feedback_text("Homework 1", grade).splitlines() == [
        "Homework 1: 10 of 15 points so far",
        "cell 3 was restored",
        "",
        "1.1 Gradient descent: 4/4, full points",
        "  sgd_step moves against the gradient. (1 of 1 cases passed)",
        "",
        "1.2 Convolution: 6/6, full points",
        "  conv2d agrees with the definition. (1 of 1 cases passed)",
        "",
        "2 A proof: –/5, waiting for your instructor",
    ]
