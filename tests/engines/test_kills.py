"""A few kills; `tests/engines/kills.py` does hundreds."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.engines.kills import KINDS, Starter, kill_once, rehearse

DAEMONS = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
"""


@pytest.mark.takes(seconds=20)
@pytest.mark.timeout(300)  # it is ten grading runs, one after another
def test_no_kill_loses_repeats_or_leaves_anything(classroom):
    right, blank = (nbformat.reads(text, 4) for text in (classroom.right, classroom.blank))
    daemons = nbformat.from_dict({**right, "cells": [*right.cells, new_code_cell(DAEMONS)]})
    slow = nbformat.from_dict(
        {**right, "cells": [*right.cells, new_code_cell("import time; time.sleep(1)")]}
    )
    for student, notebook in {"a": right, "b": blank, "c": slow, "d": daemons, "e": slow}.items():
        classroom.submit(student, nbformat.writes(notebook))
    with Starter() as starter:
        _, expected = rehearse(starter, classroom.root)
        assert [points for points, *_ in expected.values()] == [5.0, 0.0, 5.0, 5.0, 5.0]
        for number, kind in enumerate(KINDS):
            killed, wrong = kill_once(starter, classroom.root, kind, expected, stored=number % 3)
            assert killed, kind
            assert wrong == [], kind
