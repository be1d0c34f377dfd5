"""What the class submits is graded as by those who read it: see the tables in `answers/`."""

import csv
import shutil
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest

from autograder.artefacts.bundle import parse_bundle
from autograder.artefacts.grades import GradeStatus
from autograder.artefacts.results import Result, Verdict
from autograder.compiler.build import pack
from autograder.course import find_course
from autograder.engines.grades import class_grades
from autograder.grading import diagnosis
from autograder.grading.diagnosis import Diagnoses
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.records.store import Store
from autograder.sandbox.client.fork_server import ForkServer
from tests.assignments import homework as assignments
from tests.demo.marks import enter_marks, marks
from tests.demo.other_homework import SLIPS, homework
from tests.demo.writeups import ANSWERS, submissions, writeups

ROOT = Path(__file__).resolve().parents[2]


class Row(NamedTuple):
    """What a check of an answer earns, and why."""

    question: str
    check: str
    earned: float
    points: float
    why: str
    says: str  # of the diagnosis, where a known mistake is behind the answer


def verdicts(student: str) -> dict[str, list[Row]]:
    """Return by assignment what a write-up must get: the table that stands beside it.

    What is in no row is not answered, and earns nothing.
    """
    found: dict[str, list[Row]] = {}
    with (ANSWERS / f"{student}.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            earned, points = float(Fraction(line["earned"])), float(line["points"])
            row = Row(line["question"], line["check"], earned, points, line["why"], line["says"])
            found.setdefault(line["assignment"], []).append(row)
    return found


def disagreements(result: Result, rows: Sequence[Row]) -> list[str]:
    """Return where a result is not what those who read the answers say."""
    found = []
    want = {row.check: row for row in rows}
    checks = {check.name: (q.id, check) for q in result.questions for check in q.checks}
    for name in want.keys() - checks.keys():
        found.append(f"{name}: there is no such check")
    for name, (question, check) in checks.items():
        row = want.get(name, Row(question, name, 0, check.points, "not answered", ""))
        got = question, round(check.earned, 6), check.points
        if got != (row.question, round(row.earned, 6), row.points):
            found.append(f"{name}: {got}, expected {row}")
        missed = [case for case in check.cases if case.verdict is not Verdict.PASSED]
        said = {case.diagnosis or "" for case in missed if name in want}
        if any(row.says not in text for text in said) or (row.says == "" and said - {""}):
            found.append(f"{name}: says {said}, expected {row.says!r}")
    return found


def lost_by(result: Result) -> dict[str, tuple[float, str]]:
    """Return what each question lost, and what feedback says of it first; no GPU is no loss."""
    lost: dict[str, tuple[float, str]] = {}
    for question in result.questions:
        for check in question.checks:
            missed = [case for case in check.cases if case.verdict is not Verdict.PASSED]
            if missed and missed[0].verdict is not Verdict.PENDING:
                points, said = lost.get(question.id, (0.0, missed[0].diagnosis or ""))
                lost[question.id] = points + check.points - check.earned, said
    return lost


@pytest.fixture(scope="module")
def warm() -> Iterator[dict[Sequence[str], ForkServer]]:
    """Fork servers that wait for another homework, by what they have imported: torch takes long."""
    servers: dict[Sequence[str], ForkServer] = {}
    yield servers
    for server in servers.values():
        server.close()


@pytest.mark.parametrize("name", assignments.COURSE.assignments())
def test_the_grader_agrees_with_those_who_read_the_homework(
    name: str,
    warm: dict[Sequence[str], ForkServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a change of an assignment: python -m tests.demo.writeups, and …other_homework."""
    # On a busy machine a mistake that trains takes longer than a diagnosis may wait for it.
    monkeypatch.setattr(Diagnoses.of_all, "__defaults__", (60.0,))
    monkeypatch.setattr(diagnosis, "CASE_SECONDS", 20.0)
    proof = assignments.homework(name).proof
    compiled = assignments.homework(name).compiled
    artefacts = pack(compiled, proof.standards(), proof.rejects(), draws=proof.draws())
    results = {}
    bundle = parse_bundle(artefacts.bundle, name)
    limits = assignments.COURSE.limits_of(name)
    with Grader(bundle, load_bundle_oracle(bundle), b"a secret of the tests", limits) as grader:
        assert limits == assignments.COURSE.limits  # so that any fork server will do
        preload = bundle.manifest.preload
        grader._fork_server = warm.pop(preload, None)
        for student, text in submissions(artefacts):
            committed = ROOT / "submitted" / student / name / f"{name}.ipynb"
            assert committed.read_text(encoding="utf-8") == text, f"{committed} is stale"
            result = results[student] = grader.grade(student, text.encode())
            assert disagreements(result, verdicts(student)[name]) == []
            waiting = {q.id for q in result.questions if not q.checks and q.status == "pending"}
            assert waiting == set(writeups()[student][name].texts)
        for student, text in homework(artefacts) if name in SLIPS else ():
            committed = ROOT / "submitted" / student / name / f"{name}.ipynb"
            assert committed.read_text(encoding="utf-8") == text, f"{committed} is stale"
            lost = lost_by(grader.grade(student, text.encode()))
            slips = {slip.question: slip for slip in SLIPS[name] if student == "dmitri"}
            assert {q: points for q, (points, _) in lost.items()} == {
                q: pytest.approx(slip.lost) for q, slip in slips.items()
            }
            unnamed = {q: said for q, (_, said) in lost.items() if slips[q].says not in said}
            assert unnamed == {}
        assert grader._fork_server is not None
        warm[preload], grader._fork_server = grader._fork_server, None
    require_graded_by_marks(name, artefacts.bundle, results, tmp_path)


def require_graded_by_marks(
    name: str, bundle: bytes, results: Mapping[str, Result], root: Path
) -> None:
    """Require that the marks of a reader leave nothing open, and count as they stand in the table.

    They are entered as staff would, in a course that holds only these results.
    """
    shutil.copy(ROOT / "course.toml", root)
    course = find_course(root)
    course.build(name).mkdir(parents=True)
    course.bundle(name).write_bytes(bundle)
    for student, result in results.items():
        shutil.copytree(ROOT / "submitted" / student / name, root / "submitted" / student / name)
        Store(course.results(name)).put(student, "0" * 64, result)
    enter_marks(course, [name])
    grades = class_grades(course, name).grades
    given = {(mark.student, mark.question): mark.earned for mark in marks(name)}
    for student, result in results.items():
        questions = {question.id: question for question in grades[student].questions}
        by_hand = {q: got for (who, q), got in given.items() if who == student}
        assert {q: questions[q].score for q in by_hand} == by_hand
        left = {q.id for q in questions.values() if q.score is None}
        assert left == {q.id for q in result.questions if q.checks and q.status == "pending"}
        if not left:  # but for what waits for a GPU
            assert grades[student].status is GradeStatus.GRADED
            assert grades[student].total == pytest.approx(result.earned + sum(by_hand.values()))


@pytest.mark.parametrize("student", writeups())
def test_every_write_up_has_its_verdicts(student: str) -> None:
    assert verdicts(student).keys() == writeups()[student].keys()


def test_every_table_of_verdicts_has_its_write_up() -> None:
    assert {path.stem for path in ANSWERS.glob("writeup_*.csv")} == set(writeups())


def test_every_written_answer_has_its_mark() -> None:
    written = {
        (student, name, question)
        for student, answers in writeups().items()
        for name, given in answers.items()
        for question in given.texts
    }
    table = marks()
    assert {(mark.student, mark.assignment, mark.question) for mark in table} == written
    assert len(table) == len(written)
    for mark in table:
        manifest = assignments.homework(mark.assignment).compiled.manifest
        (question,) = (q for q in manifest.questions if q.id == mark.question)
        assert 0 <= mark.earned <= mark.points == question.points, mark
        assert mark.earned * 2 == int(mark.earned * 2), mark  # mark schemes give half points
        assert mark.why
