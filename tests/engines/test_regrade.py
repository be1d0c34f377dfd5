"""A regrade says who gains and who loses, and counts only when it is applied."""

import dataclasses
import shutil
from types import SimpleNamespace

import pytest

from autograder.artefacts.manifest import CheckEntry, QuestionEntry
from autograder.artefacts.results import (
    CaseResult,
    CheckResult,
    Completed,
    QuestionResult,
    Result,
    Status,
    Verdict,
)
from autograder.audit.publish import compile_and_publish
from autograder.course import Course
from autograder.engines.known import known_of
from autograder.engines.regrade import regrade
from autograder.engines.run import grade_assignment
from autograder.grading.intake import Submitted
from autograder.records.store import Store
from tests.small_course import made_once

COMPLETED = Completed("cpu", "2026-11-20T02:10:40Z", "the old one")


class Silent:
    def begin(self, total):
        pass

    def advance(self, result):
        pass

    def say(self, text):
        pass


@pytest.fixture(scope="session")
def changed(tmp_path_factory, compiled):
    """A course whose class is graded, and whose check then takes the sum without its factor."""

    def make(root):
        shutil.copytree(compiled, root, dirs_exist_ok=True)
        course = Course(root, "Small")
        right = (course.build("small") / "small_solution.ipynb").read_text()
        blank = (course.release("small") / "small.ipynb").read_text()
        forgetful = right.replace("return factor * total", "return 3.0 * total")
        for student, text in {"right": right, "blank": blank, "thrice": forgetful}.items():
            path = course.root / "submitted" / student / "small" / "small.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text(text)
        grade_assignment(course, "small", Silent())
        source = course.source("small")
        text = source.read_text().replace("student.scaled_sum(x)", "student.scaled_sum(x, 2.0)")
        source.write_text(text)
        module = course.root / "reference" / "small.py"
        module.write_text(module.read_text().replace("factor * total", "1.5 * factor * total"))
        bank = source.parent / "bank" / "scaled_sum.py"
        right, changed = "return (factor * x).sum()", "return (1.5 * factor * x).sum()"
        bank.write_text(bank.read_text().replace(right, changed))
        compile_and_publish(course, "small", lambda _: None)

    return made_once(tmp_path_factory, "changed", make)


@pytest.fixture
def course(changed, tmp_path):
    """A copy of that course."""
    root = tmp_path / "course"
    shutil.copytree(changed, root)
    return Course(root, "Small")


def points(course):
    return {s: r.earned for s, r in Store(course.results("small")).newest().items()}


def test_a_preview_says_who_gains_and_who_loses_and_writes_nothing(course):
    before = points(course)
    assert before == {"right": 5.0, "blank": 0.0, "thrice": 1.0}
    stored = {p: p.read_bytes() for p in course.results("small").rglob("*") if p.is_file()}
    found = regrade(course, "small", Silent(), apply=False)
    changes = {change.student: change for change in found.changes}
    assert {s: (c.before, c.after) for s, c in changes.items()} == {
        "right": (5.0, 1.0),
        "thrice": (1.0, 5.0),
    }
    (lost,) = changes["right"].checks
    assert (lost.name, lost.before, lost.after) == ("scaled_sum_matches_reference", 4.0, 0.0)
    assert lost.margin > 1
    assert stored == {p: p.read_bytes() for p in course.results("small").rglob("*") if p.is_file()}
    lines = "\n".join(found.lines())
    assert "3 submissions graded again: 1 gain, 1 lose, 1 stay as they are" in lines
    assert "  right: -4, from 5 to 1\n" in lines
    assert "    scaled_sum_matches_reference: 4 to 0, margin" in lines


def test_a_preview_says_who_gains_by_a_price_and_nothing_is_proven_again(compiled, tmp_path):
    shutil.copytree(compiled, root := tmp_path / "course")
    course = Course(root, "Small")
    right = (course.build("small") / "small_solution.ipynb").read_text()
    forgetful = right.replace("return factor * total", "return total")
    for student, text in {"right": right, "forgetful": forgetful}.items():
        path = course.root / "submitted" / student / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    grade_assignment(course, "small", Silent())
    assert points(course) == {"right": 5.0, "forgetful": 1.0}
    bank = course.source("small").parent / "bank" / "scaled_sum.py"
    title, text = '"the factor is forgotten altogether"', bank.read_text()

    def priced(costs):
        bank.write_text(text.replace(title, f"{title}, costs={costs}"))
        outcome = compile_and_publish(course, "small", lambda _: None)
        assert outcome.news[-1] == "small: 0 checks proven now, the proof of 2 stands"

    priced(1)
    (change,) = regrade(course, "small", Silent(), apply=False).changes
    assert (change.student, change.before, change.after) == ("forgetful", 1.0, 4.0)
    assert points(course)["forgetful"] == 1.0
    regrade(course, "small", Silent(), apply=True)
    assert points(course) == {"right": 5.0, "forgetful": 4.0}
    assert "−1: the factor is forgotten altogether" in course.feedback(
        "small", "forgetful"
    ).read_text("utf-8")
    priced(2.5)
    lines = regrade(course, "small", Silent(), apply=False).lines()
    assert lines[1:] == [
        "  forgetful: -1.5, from 4 to 2.5",
        "    scaled_sum: −2.5: the factor is forgotten altogether; before, "
        "−1: the factor is forgotten altogether",
        *(line for line in lines if "scaled_sum_matches_reference: 3 to 1.5" in line),
    ]


def test_what_is_applied_is_appended(course):
    found = regrade(course, "small", Silent(), apply=True)
    assert points(course) == {"right": 1.0, "blank": 0.0, "thrice": 5.0}
    assert [r.earned for r in Store(course.results("small")).history("right")] == [5.0, 1.0]
    assert len(found.changes) == 2
    again = regrade(course, "small", Silent(), apply=True)
    assert (again.graded, again.changes) == (0, ())


def test_grading_says_that_checks_changed_and_changes_nobodys_points(course):
    before, page = points(course), course.feedback("small", "right")
    page.write_text("beside the checks of its verdicts")
    run = grade_assignment(course, "small", Silent())
    assert (run.graded, run.skipped, run.former) == ((), 3, ("blank", "right", "thrice"))
    assert points(course) == before
    assert page.read_text() == "beside the checks of its verdicts"
    regrade(course, "small", Silent(), apply=True)
    assert points(course) != before
    assert "A scaled sum" in page.read_text()
    assert grade_assignment(course, "small", Silent()).former == ()


def test_who_submits_again_is_graded_by_the_new_checks_and_others_keep_their_result(course):
    path = course.root / "submitted" / "thrice" / "small" / "small.ipynb"
    path.write_text(path.read_text() + "\n")
    run = grade_assignment(course, "small", Silent())
    assert (run.graded, run.former) == (("thrice",), ("blank", "right"))
    assert points(course) == {"right": 5.0, "blank": 0.0, "thrice": 5.0}


@pytest.mark.parametrize(
    ("change", "device", "stands"),
    [
        ({}, "cpu", True),
        ({}, "cuda", True),
        ({"fault": "the fork server is gone"}, "cpu", False),
        ({"status": Status.UNGRADED}, "cpu", False),
        ({"bundle": "the new one"}, "cpu", False),
        ({"submission": "sha256:00"}, "cpu", False),
        ({"verdict": Verdict.BROKEN}, "cpu", False),
        ({"verdict": Verdict.PENDING}, "cpu", True),
        ({"verdict": Verdict.PENDING}, "cuda", False),
        ({"verdict": Verdict.PENDING, "now worth": 2.0}, "cuda", True),
        ({"verdict": Verdict.BROKEN, "completes": COMPLETED}, "cpu", True),
        ({"verdict": Verdict.BROKEN, "completes": COMPLETED}, "cuda", False),
        ({"status": Status.UNGRADED, "completes": COMPLETED}, "cpu", False),
    ],
)
def test_a_result_by_another_bundle_stands_unless_it_is_unfinished(
    tmp_path, change, device, stands
):
    change, points = dict(change), change.get("now worth", 1.0)
    change.pop("now worth", None)
    case = CaseResult("one", False, change.pop("verdict", Verdict.PASSED), 0.1)
    check = CheckResult("check", 1.0, 1.0, (case,))
    question = QuestionResult("question", 1.0, 1.0, Status.GRADED, (check,))
    submitted = Submitted(b"the notebook")
    values = {"submission": submitted.digest, "bundle": "the old one", "status": Status.GRADED}
    values |= change
    result = Result(
        assignment="small",
        student="ada",
        device="cpu",
        graded_at="2026-11-20T02:10:40Z",
        autograder="0.1.0",
        earned=1.0,
        possible=1.0,
        notes=(),
        questions=(question,),
        **values,
    )
    store = Store(tmp_path / "results" / "small")
    entry = CheckEntry("check", "question", points, (("one", False),), False, "cpu", None, "")
    entries = (QuestionEntry("question", "Question", 1.0, False, (entry,)),)
    bundle = SimpleNamespace(id="the new one", manifest=SimpleNamespace(questions=entries))

    def is_done():
        placed = "ada", submitted.digest, bundle, device
        key = "b" * 64
        return known_of(store, *placed, False, lambda *_: key, Store.get).is_done

    assert not is_done()
    store.put("ada", "a" * 64, result)
    assert is_done() is stands


def test_a_student_without_a_result_is_new(course):
    late = course.root / "submitted" / "late" / "small" / "small.ipynb"
    late.parent.mkdir(parents=True)
    late.write_text((course.release("small") / "small.ipynb").read_text())
    found = regrade(course, "small", Silent(), students=["late"], apply=False)
    assert (found.graded, found.new, found.changes) == (1, ("late",), ())
    assert "1 new" in found.lines()[0]


def test_a_change_without_points_is_none(course):
    bundle = course.bundle("small")
    assert bundle.is_file()
    found = regrade(course, "small", Silent(), students=["blank"], apply=False)
    assert dataclasses.astuple(found)[1:3] == (1, ())
