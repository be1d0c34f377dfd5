"""Results, manifests and pages made by small factories."""

from html.parser import HTMLParser
from pathlib import Path

import msgspec
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.artefacts.manifest import CheckEntry, Manifest, QuestionEntry
from autograder.artefacts.results import (
    CaseResult,
    CheckResult,
    Priced,
    QuestionResult,
    Result,
    Status,
    Verdict,
)

ASSIGNMENT = "hw1"
VOID = {"meta", "link", "img", "br", "input", "hr"}


class Factory:
    """Makes parts of an assignment with two automatic questions and a manual one."""

    manifest = Manifest(
        assignment=ASSIGNMENT,
        title="Homework 1",
        autograder="0.1.0",
        questions=(
            QuestionEntry(
                "sgd",
                "1.1 Gradient descent",
                4.0,
                False,
                (
                    CheckEntry(
                        name="sgd_matches",
                        question="sgd",
                        points=4.0,
                        cases=(("one step", False), ("SECRETCASE", True)),
                        all_or_nothing=False,
                        device="any",
                        hint="look at the sign",
                        summary="sgd_step moves against the gradient.",
                    ),
                ),
            ),
            QuestionEntry(
                "conv",
                "1.2 Convolution",
                6.0,
                False,
                (
                    CheckEntry(
                        name="conv_matches",
                        question="conv",
                        points=6.0,
                        cases=(("strided", False),),
                        all_or_nothing=False,
                        device="cuda",
                        hint=None,
                        summary="conv2d agrees with the definition.",
                    ),
                ),
            ),
            QuestionEntry("proof", "2 A proof", 5.0, True, (), cell="proof_answer"),
        ),
        preload=(),
        files={},
        versions={},
    )

    @staticmethod
    def case(verdict=Verdict.PASSED, name="one step", hidden=False, **more):
        return CaseResult(name, hidden, verdict, 0.01, **more)

    def sgd(self, *cases, earned=4.0, status=Status.GRADED):
        """The first question, with these cases."""
        check = CheckResult("sgd_matches", 4.0, earned, cases or (self.case(),))
        return QuestionResult("sgd", 4.0, earned, status, (check,))

    def priced(self, mistake="eps under the root", costs=0.5):
        """The first question, of which a mistake costs its price, and no case passes."""
        cases = (
            self.case(Verdict.FAILED, message="20 of 20 differ", diagnosis=mistake),
            self.case(Verdict.FAILED, "two", True, diagnosis=mistake),
        )
        question = self.sgd(*cases, earned=4.0 - costs)
        return msgspec.structs.replace(question, priced=Priced(mistake, costs, 0.0))

    def conv(self, verdict=Verdict.PASSED, earned=6.0, status=Status.GRADED, **more):
        """The second question, with one case."""
        check = CheckResult("conv_matches", 6.0, earned, (self.case(verdict, "strided", **more),))
        return QuestionResult("conv", 6.0, earned, status, (check,))

    @staticmethod
    def proof(earned=0.0, status=Status.PENDING):
        """The manual question."""
        return QuestionResult("proof", 5.0, earned, status, ())

    def result(self, student="ada", *questions, status=Status.PENDING, notes=(), **more):
        """A result of these questions, or of all three, right and with the proof unread."""
        questions = questions or (self.sgd(), self.conv(), self.proof())
        values = {
            "assignment": ASSIGNMENT,
            "student": student,
            "submission": "sha256:" + "ab" * 32,
            "bundle": "sha256:" + "cd" * 32,
            "status": status,
            "device": "cpu",
            "graded_at": "2026-11-20T02:10:40Z",
            "autograder": "0.1.0",
            "earned": sum(q.earned for q in questions),
            "possible": 15.0,
            "notes": tuple(notes),
            "questions": tuple(questions),
        }
        return Result(**(values | more))

    def unreadable(self, student="ada", note="the notebook is not JSON"):
        """The result of a submission that could not be read."""
        empty = self.result(student, self.sgd(), status=Status.NEEDS_ATTENTION, notes=(note,))
        return msgspec.structs.replace(empty, questions=(), earned=0.0)

    def broken(self, student="ada", fault="the fork server is gone"):
        """The result of a submission on which the harness broke."""
        return msgspec.structs.replace(self.unreadable(student), notes=(), fault=fault)

    @staticmethod
    def cell(grade_id, kind="code", source="pass", points=0, **flags):
        """A cell with nbgrader's metadata."""
        metadata = {"schema_version": 3, "grade_id": grade_id, "cell_type": kind, "points": points}
        metadata |= {"grade": False, "solution": False, "locked": False, "task": False} | flags
        new = new_markdown_cell if kind == "markdown" else new_code_cell
        return new(source, metadata={"nbgrader": metadata})

    def release(self):
        """The release notebook."""
        answer = {"grade": True, "solution": True}
        check = {"grade": True, "locked": True}
        cells = [
            self.cell("intro", "markdown", "# Homework 1", locked=True),
            self.cell("sgd_solution", source="def sgd_step(): ...", solution=True),
            self.cell("sgd_matches", source="check", points=4, **check),
            self.cell("conv_solution", source="def conv2d(): ...", solution=True),
            self.cell("conv_matches", source="check", points=6, **check),
            self.cell("proof_answer", "markdown", "your answer", points=5, **answer),
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        return new_notebook(cells=cells, metadata={"kernelspec": kernel})


class Page(HTMLParser):
    """An HTML page taken apart: its tags, its attributes and its text by tag."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags, self.attributes, self.data, self.stack = text, [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.data.append(("", " "))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop() != tag:
            pass

    def handle_data(self, data):
        self.data.append((self.stack[-1] if self.stack else "", data))

    @property
    def words(self):
        """What a reader sees."""
        seen = "".join(data for tag, data in self.data if tag not in ("style", "script", "title"))
        return " ".join(seen.split())


@pytest.fixture(scope="session")
def make():
    return Factory()


@pytest.fixture(scope="session")
def read_page():
    return lambda path: Page(Path(path).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def parse_page():
    return Page


@pytest.fixture(scope="session")
def hostile():
    """Text that would act in a page, a template, a terminal or a formula."""
    return "\x1b[31m</pre>'\"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}\u202e"


@pytest.fixture
def notebook(make):
    """A healed notebook."""
    return nbformat.from_dict(make.release())
