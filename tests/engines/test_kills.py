"""A few kills; `tests/engines/kills.py` does hundreds."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.engines.kills import KINDS, kill_once, rehearse

DAEMONS = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
"""


@pytest.mark.timeout(300)  # it is ten grading runs, one after another
def test_no_kill_loses_repeats_or_leaves_anything(write_proven_course):
    course = write_proven_course()
    compiling = [sys.executable, "-m", "autograder", "compile"]
    subprocess.run(compiling, cwd=course.root, check=True, capture_output=True)
    right = nbformat.read(course.build("small") / "small_solution.ipynb", 4)
    blank = nbformat.read(course.release("small") / "small.ipynb", 4)
    daemons = nbformat.from_dict({**right, "cells": [*right.cells, new_code_cell(DAEMONS)]})
    slow = nbformat.from_dict(
        {**right, "cells": [*right.cells, new_code_cell("import time; time.sleep(1)")]}
    )
    for student, notebook in {"a": right, "b": blank, "c": slow, "d": daemons, "e": slow}.items():
        path = course.root / "submitted" / student / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    _, expected = rehearse(course.root)
    assert [points for points, *_ in expected.values()] == [5.0, 0.0, 5.0, 5.0, 5.0]
    for number, kind in enumerate(KINDS):
        killed, wrong = kill_once(course.root, kind, expected, stored=number % 3)
        assert killed, kind
        assert wrong == [], kind
