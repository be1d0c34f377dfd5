"""Memory: the kernel's figures of a call, beside its arguments and its value."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from autograder.authoring import memory
from autograder.authoring.arrays import bytes_of
from autograder.authoring.kinds import Kind, Noted, noting_kinds
from autograder.authoring.memory import MB, Spent, assert_memory, measured
from autograder.authoring.subject import Subject
from autograder.errors import CheckFailure, NotMeasured
from autograder.sandbox.protocol.messages import InProcessSession

BYTES = 8 * 5_000_000  # of the argument of each call

needs_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="memory is measured where grading runs"
)


@pytest.fixture(scope="module")
def calls():
    """What was measured of calls in a process of its own, where nothing else takes memory."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.authoring.memory_of_calls"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def total(x):
    return float(x.sum())


@needs_linux
@pytest.mark.parametrize(
    ("function", "peak", "kept"),
    [
        ("total", 0, 0),
        ("doubled", 0, 0),
        ("by_a_copy", 1, 0),
        ("by_two_copies", 2, 0),
        ("keeping", 1, 1),
    ],
)
def test_what_a_call_takes_beside_its_arguments_and_its_value(calls, function, peak, kept):
    spent = Spent(*calls["spent"][function])
    assert spent.peak == pytest.approx(peak * BYTES, abs=memory.NOISE)
    assert spent.kept == pytest.approx(kept * BYTES, abs=memory.NOISE)


@needs_linux
def test_a_lower_peak_is_found_behind_a_higher_one_by_looking(calls):
    """Where the kernel's peak cannot be set back, as in a process of another user."""
    assert 0.9 * BYTES < calls["lower"] < 3 * BYTES


@needs_linux
def test_a_call_that_raises_stops_the_watch(calls):
    assert "ZeroDivisionError" in calls["raised"]
    assert calls["threads"] == 0


def test_what_takes_too_much_is_said():
    spent = Spent(peak=100 * MB, kept=50 * MB)
    assert_memory(spent, peak=100 * MB, kept=50 * MB)
    assert_memory(spent, peak=97 * MB)
    with pytest.raises(CheckFailure, match="memory: 100 MB at its peak, expected 40 at most"):
        assert_memory(spent, peak=40 * MB)
    with pytest.raises(CheckFailure, match="memory: 50 MB is kept, expected 0 at most"):
        assert_memory(spent, kept=0)


class Recorded(InProcessSession):
    def processes(self):
        return None


def test_where_nothing_is_measured_the_value_is_there_and_the_case_waits(monkeypatch):
    value, spent = measured(Subject(Recorded({"f": total})).f, np.ones(3))
    assert (value, spent) == (3.0, Spent(None, None))
    with pytest.raises(NotMeasured, match="how much memory it takes is measured at grading"):
        assert_memory(spent, peak=0)
    monkeypatch.setattr(sys, "platform", "win32")
    assert measured(Subject(InProcessSession({"f": total})).f, np.ones(3))[1] == spent


def test_a_process_that_is_gone_has_no_memory():
    assert memory._memory([0, 2**22 + 1]).own == 0
    assert not memory._reset_peak(2**22 + 1)


def test_tensors_and_nests_have_bytes():
    value = {"a": [np.ones(2), torch.ones(3)], "b": (1.0, "text", None)}
    assert bytes_of(value) == 16 + 12


def test_a_slip_of_the_author_is_not_the_student_s():
    with pytest.raises(ValueError, match="one of peak= and kept="):
        assert_memory(Spent(0, 0))


def test_the_audit_hears_of_it():
    with noting_kinds() as found:
        assert_memory(Spent(0, 0), peak=3)
    assert found == [Noted(Kind.MEMORY, (3, None))]
