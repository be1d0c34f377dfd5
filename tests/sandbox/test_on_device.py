"""Functions on a device, in real sessions: the device of these tests is torch's "meta"."""

import time
from pathlib import Path

import pytest
import torch

from autograder.authoring.gpu import held
from autograder.authoring.placement import assert_placed, on_device, placed
from autograder.authoring.subject import Subject, processes_of
from autograder.errors import CheckFailure

CELL = """
import torch

def where(x):
    return str(x.device)

def stray(x):
    return len(x * 2) + len(torch.ones(3))
"""


@pytest.fixture
def student(run, torch_fork_server):
    notebook = run(CELL, fork_server=torch_fork_server)
    with notebook.check() as session:
        session.seconds = 30.0
        yield Subject(session)


def state_of(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_function_of_a_session_is_called_on_a_device_and_told_where_it_worked(student):
    x = torch.ones(4)
    assert on_device(student.where, "meta")(x) == "meta"
    assert student.where(x) == "cpu"
    with pytest.raises(CheckFailure, match="ones worked on cpu, expected meta"):
        assert_placed(student.apply(placed, "stray", x, device="meta"), "meta")


def test_a_session_is_held_and_answers_again(student):
    function = on_device(student.where, "meta")
    assert function(torch.ones(4)) == "meta"
    processes = processes_of(function)
    with held(processes):
        until = time.monotonic() + 30
        while {state_of(process) for process in processes} != {"T"}:
            assert time.monotonic() < until
            time.sleep(0.001)
    assert function(torch.ones(4)) == "meta"
