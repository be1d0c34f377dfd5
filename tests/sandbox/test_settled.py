"""Settled: a GPU's work is waited for before a value leaves, by functions that were taken early."""

import pytest
import torch

from autograder.errors import StudentError
from autograder.sandbox.inside.settled import settling
from autograder.sandbox.protocol.messages import InProcessSession


@pytest.fixture
def waits(monkeypatch):
    """What happens, in order, where a GPU is in use."""
    found = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: found.append("wait"))
    return found


def helper(notebook, x):
    return notebook.f(x)


def test_each_call_waits_before_and_after_the_student_s_code(waits):
    def f(x):
        waits.append("work")
        return x

    session = InProcessSession({"f": f})
    remote = session.get("f")
    assert waits == []
    session.call(remote.number, (1,), {}, False)
    assert waits == ["wait", "work", "wait"]
    session.apply(helper, (1,), {})
    assert waits == ["wait", "work", "wait"] * 2


def test_what_a_notebook_puts_in_place_of_it_is_not_asked(waits, monkeypatch):
    session = InProcessSession({"f": lambda x: x})
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waits.append("theirs"))
    session.apply(helper, (1,), {})
    assert waits == ["wait", "wait"]


def test_an_error_of_the_device_is_that_of_the_call_which_caused_it(waits, monkeypatch):
    def fails():
        if "work" in waits:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "synchronize", fails)
    session = InProcessSession({"f": lambda x: waits.append("work")})
    with pytest.raises(StudentError, match="illegal memory access"):
        session.apply(helper, (1,), {})


def test_where_no_gpu_is_used_nothing_is_waited_for(monkeypatch):
    found = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: found.append("wait"))
    settling()()
    assert found == []
