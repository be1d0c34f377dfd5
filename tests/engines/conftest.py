"""The small course, compiled once; each test gets a copy of its own."""

import shutil

import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import QuestionResult, Status, now
from autograder.course import Course
from autograder.engines.table import ENGINES
from autograder.engines.work import Graded
from autograder.grading.intake import read_submitted
from autograder.grading.scoring import result_of
from tests.small_course import compiled, small_proof, write_proven_course

__all__ = ["compiled", "small_proof", "write_proven_course"]


@pytest.fixture
def quickly(monkeypatch):
    """Grades without a session: who submits the solution has all points, whoever else none."""

    def grade_all(work, jobs, workers):
        bundle = read_bundle(work.bundle)
        for job in jobs:
            submitted = read_submitted(job.path)
            right = b"return factor * total" in submitted.data
            questions = tuple(
                QuestionResult(entry.id, entry.points, entry.points * right, Status.GRADED, ())
                for entry in bundle.manifest.questions
            )
            notes = (submitted.problem,) if submitted.problem else ()
            data = submitted.data
            result = result_of(bundle, job.student, data, questions, notes, "cpu", now)
            yield Graded(job.student, submitted, result)

    monkeypatch.setitem(ENGINES, "local", grade_all)


@pytest.fixture
def classroom(compiled, tmp_path):
    """A compiled course, and the function by which a student submits a notebook."""
    root = tmp_path / "course"
    shutil.copytree(compiled, root)
    return Classroom(Course(root, "Small"))


class Classroom:
    """A course whose students submit."""

    def __init__(self, course):
        self.course, self.root = course, course.root
        self.right = (course.build("small") / "small_solution.ipynb").read_text()
        self.blank = (course.release("small") / "small.ipynb").read_text()

    def path(self, student):
        return self.root / "submitted" / student / "small" / "small.ipynb"

    def submit(self, student, text=None):
        self.path(student).parent.mkdir(parents=True, exist_ok=True)
        self.path(student).write_text(self.right if text is None else text)
