"""Two fork servers for all tests of courses that are not ours."""

import json
from contextlib import ExitStack
from functools import partial

import pytest

from autograder.artefacts.notebooks import nbformat
from autograder.foreign.grader import FolderGrader
from autograder.foreign.servers import Servers
from autograder.foreign.submissions import SubmittedFolder
from autograder.foreign.trial import try_out
from autograder.sandbox.limits import Limits
from tests.nbgrader_courses import defined, notebook


@pytest.fixture(scope="session")
def servers():
    with Servers(("numpy",), Limits()) as servers:
        yield servers


class Grading:
    """An assignment of one notebook, tried out, and submissions to it."""

    def __init__(self, servers, *cells, files=None, cell_seconds=20.0):
        self.cells = cells
        self.definition = defined(*cells, files=files, cell_seconds=cell_seconds)
        where = partial(servers.setting, self.definition, {})
        self.plan = try_out(self.definition, where)
        self.grader = FolderGrader(self.definition, self.plan, servers)

    @property
    def reasons(self):
        return {name.partition("/")[2]: test.reason for name, test in self.plan.tests.items()}

    def grade(self, answers=None, *, files=None, change=lambda cells: cells):
        """Return the result of a submission with these answers."""
        cells = json.loads(nbformat.writes(notebook(*self.cells)))["cells"]
        for one in cells:
            name = one["metadata"].get("nbgrader", {}).get("grade_id")
            if answers and name in answers:
                one["source"] = answers[name]
        data = json.dumps({"cells": change(cells), "metadata": {}, "nbformat": 4}).encode()
        return self.grader.grade("ada", SubmittedFolder({"nb": data}, files or {}))

    def points(self, *args, **kwargs):
        """Return the points of each question that were earned."""
        return {q.id: q.earned for q in self.grade(*args, **kwargs).questions}


@pytest.fixture
def grading(servers):
    """Return what makes an assignment from cells."""
    with ExitStack() as stack:

        def grading(*cells, **kwargs):
            found = Grading(servers, *cells, **kwargs)
            stack.callback(found.grader.close)
            return found

        yield grading
