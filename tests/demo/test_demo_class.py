"""The demo class gets what it deserves, from the source notebook to the gradebook."""

import csv
import html
import os
import pickle
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.artefacts.results import Result, Status, Verdict
from autograder.audit.publish import compile_and_publish
from autograder.course import Course, find_course
from autograder.engines.run import grade_assignment
from tests.demo.demo_class import ASSIGNMENT, NO_NOTEBOOK, STUDENTS, write_class
from tests.small_course import made_once
from tests.warm.commands import warm

__all__ = ["warm"]

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(
    600
)  # the first test waits for the class to be compiled and graded
AUTOMATIC = 87.0
RESULTS, OF_ANOTHER_SECRET = "results.pickle", "of_another_secret.pickle"
AGAIN = ("dmitri", "hiro")  # are graded under another secret, too
LIMIT, SHORTER = "call_seconds = 2\n", "call_seconds = 0.25\n"  # ines loops in a dozen calls
MANUAL = {"proof_minimum_norm", "counterexample_minimum_norm", "proof_weight_decay"}

# What each student earns where it is not everything, and the verdicts that are no pass.
EXPECTED: dict[str, tuple[dict[str, float], set[Verdict]]] = {
    "amara": ({}, set()),
    "dmitri": ({"adam_step": 0.0}, {Verdict.FAILED}),
    # Eps under the root has a price, whatever number of checks it fails.
    "elif": ({"adagrad_step": 4.5, "rmsprop_step": 4.5}, {Verdict.FAILED}),
    "farid": ({"least_squares": 1.0}, {Verdict.FAILED}),
    "greta": ({"sgd_step": 0.0, "momentum_step": 0.0}, {Verdict.FAILED, Verdict.ERRORED}),
    "hiro": ({}, set()),
    "ines": ({"sgd_least_squares": 0.0}, {Verdict.TIMED_OUT}),
    "jonas": ({"momentum_step": 0.0}, {Verdict.ERRORED}),
    "kavya": ({"steps_to_target": 0.0}, {Verdict.ERRORED}),
    "liam": ({"steps_to_target": 0.0}, {Verdict.ERRORED}),
    # Her cell ends the process below the definition of adagrad_step, which counts.
    "nadia": ({"sgd_step": 0.0}, {Verdict.KILLED}),
    "omar": ({}, set()),
}


class Silent:
    """Shows nothing."""

    def begin(self, total: int) -> None:
        """Show nothing."""

    def advance(self, result: Result) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A copy of the course whose class is graded, once for all workers; no test changes it."""

    def make(root: Path) -> None:
        others = shutil.ignore_patterns("writeup_*")  # test_writeups.py grades these
        for name in ("assignments", "reference", "submitted"):
            shutil.copytree(ROOT / name, root / name, ignore=others)
        for name in ("course.toml", "nbgrader_config.py"):
            shutil.copy(ROOT / name, root)
        compile_and_publish(find_course(root), ASSIGNMENT, lambda _: None)
        text = (root / "course.toml").read_text(encoding="utf-8")
        assert LIMIT in text
        (root / "course.toml").write_text(text.replace(LIMIT, SHORTER), encoding="utf-8")
        found = find_course(root)
        run = grade_assignment(found, ASSIGNMENT, Silent(), workers=1)
        (root / RESULTS).write_bytes(pickle.dumps(dict(run.results)))
        # A copy is graded under another secret; here, where all is warm.
        copied = shutil.copytree(root, tmp_path_factory.mktemp("again") / "course")
        other = replace(found, root=copied, secret=b"another secret, as long")
        run = grade_assignment(other, ASSIGNMENT, Silent(), AGAIN, workers=1)
        assert set(run.graded) == set(AGAIN)
        (root / OF_ANOTHER_SECRET).write_bytes(pickle.dumps(dict(run.results)))

    return find_course(made_once(tmp_path_factory, "demo", make))


@pytest.fixture(scope="session")
def results(course: Course) -> dict[str, Result]:
    """The results of the class."""
    found: dict[str, Result] = pickle.loads((course.root / RESULTS).read_bytes())
    return found


@pytest.fixture
def copy(course: Course, tmp_path: Path) -> Course:
    """A copy of the graded course, which a test may change."""
    shutil.copytree(course.root, tmp_path / "course")
    return find_course(tmp_path / "course")


def verdicts(result: Result) -> Counter[Verdict]:
    return Counter(
        case.verdict for q in result.questions for check in q.checks for case in check.cases
    )


def test_the_submissions_are_those_of_the_release(course: Course, tmp_path: Path) -> None:
    """After a change of hw1: python tests/demo/demo_class.py."""
    write_class(
        course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb",
        course.build(ASSIGNMENT) / f"{ASSIGNMENT}_solution.ipynb",
        tmp_path,
    )
    for path in tmp_path.rglob("*"):
        if path.is_file():
            committed = ROOT / "submitted" / path.relative_to(tmp_path)
            assert committed.read_bytes() == path.read_bytes(), f"{committed} is stale"


@pytest.mark.takes(seconds=25)
def test_everybody_who_submitted_has_a_result(results: dict[str, Result]) -> None:
    assert set(results) == {*STUDENTS, NO_NOTEBOOK}


@pytest.mark.parametrize("student", EXPECTED)
def test_a_student_earns_what_the_answers_are_worth(
    results: dict[str, Result], student: str
) -> None:
    lost, kinds = EXPECTED[student]
    result = results[student]
    got = {q.id: q.earned for q in result.questions if q.earned != q.points}
    assert {k: v for k, v in got.items() if k not in MANUAL} == lost
    assert {v for v in verdicts(result) if v is not Verdict.PASSED} == kinds
    assert result.status is Status.PENDING  # proofs wait for a person
    assert result.possible == 100.0


@pytest.mark.parametrize(
    ("student", "question", "given"),
    [
        ("dmitri", "adamw_step", "adam_step"),
        ("farid", "sgd_least_squares", "least_squares_gradient"),
    ],
)
def test_an_earlier_slip_costs_nothing_later_and_is_said(
    course: Course, results: dict[str, Result], student: str, question: str, given: str
) -> None:
    (found,) = [q for q in results[student].questions if q.id == question]
    messages = {c.message for check in found.checks for c in check.cases} - {None}
    assert messages == {f"passes with the reference's {given} in place of yours"}
    page = html.unescape(course.feedback(ASSIGNMENT, student).read_text())
    assert messages.pop() in page


def test_an_untouched_release_earns_nothing_and_waits_for_nobody(
    results: dict[str, Result],
) -> None:
    result = results["bao"]
    assert (result.earned, result.status, result.notes) == (0.0, Status.GRADED, ())
    assert verdicts(result)[Verdict.PASSED] == 0


def test_what_is_done_counts_and_the_rest_does_not(results: dict[str, Result]) -> None:
    result = results["carmen"]
    assert {q.earned / q.points for q in result.questions} == {0.0, 1.0}
    assert 0 < result.earned < AUTOMATIC


def test_patching_comparisons_earns_nothing(results: dict[str, Result]) -> None:
    result = results["mallory"]
    assert result.earned == 0.0
    assert verdicts(result)[Verdict.PASSED] == 0
    messages = [c.message or "" for q in result.questions for k in q.checks for c in k.cases]
    assert any("an object of type Same, expected an array" in message for message in messages)


def test_what_is_no_notebook_needs_attention(results: dict[str, Result]) -> None:
    result = results[NO_NOTEBOOK]
    assert result.status is Status.NEEDS_ATTENTION
    assert result.notes == ("the file is no Jupyter notebook: it is plain text",)


@pytest.mark.parametrize(
    ("student", "note"),
    [
        ("jonas", "raised SyntaxError"),
        ("liam", "is a copy of solution_sgd_step; the last one counts"),
        ("liam", "the answer cell solution_steps_to_target is missing"),
        ("liam", "2 (given_2), 7 (sgd_step_matches_reference) were edited and restored"),
        ("nadia", "was stopped: its process left with exit code 0"),
        ("omar", "printed 100,001,000 characters; none were kept"),
    ],
)
def test_what_was_damaged_is_noted(results: dict[str, Result], student: str, note: str) -> None:
    assert any(note in found for found in results[student].notes), results[student].notes


def test_a_different_secret_gives_the_same_points(
    course: Course, results: dict[str, Result]
) -> None:
    found = pickle.loads((course.root / OF_ANOTHER_SECRET).read_bytes())
    assert {student: found[student].earned for student in AGAIN} == {
        student: results[student].earned for student in AGAIN
    }


def test_nbgrader_exports_the_class(copy: Course, results: dict[str, Result], warm: Path) -> None:
    path = {"PATH": f"{warm}{os.pathsep}{os.environ['PATH']}"}
    command = [warm / "nbgrader", "export"]
    subprocess.run(command, cwd=copy.root, env=os.environ | path, check=True, capture_output=True)
    with (copy.root / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(results)
    for student, result in results.items():
        if result.status is not Status.NEEDS_ATTENTION:
            assert float(rows[student]["score"]) == pytest.approx(result.earned)
        assert float(rows[student]["max_score"]) == 100.0


def test_no_page_tells_a_student_anything_hidden(
    course: Course, results: dict[str, Result]
) -> None:
    seen = 0
    for student, result in results.items():
        page = html.unescape(course.feedback(ASSIGNMENT, student).read_text())
        cases = [c for q in result.questions for check in q.checks for c in check.cases]
        visible = {c.message for c in cases if not c.hidden}
        for case in cases:
            if case.hidden and case.message and case.message not in visible:
                assert case.message not in page
                seen += 1
    assert seen > 20
