"""The device of a session: its work is waited for around each call, by functions taken early."""

import pytest
import torch

from autograder.errors import StudentError
from autograder.sandbox.inside.device import Device
from autograder.sandbox.inside.host import Host
from autograder.sandbox.protocol.kinds import Get, Lost
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


@pytest.mark.parametrize("watch", [False, True])
def test_each_call_waits_before_and_after_the_student_s_code(waits, watch):
    def f(x):
        waits.append("work")
        return x

    session = InProcessSession({"f": f})
    remote = session.get("f")
    assert waits == ["wait"], "what the name means may be computed still"
    session.call(remote.number, (1,), {}, watch)
    assert waits == ["wait", "wait", "work", "wait"]
    session.apply(helper, (1,), {})
    assert waits[4:] == ["wait", "work", "wait"]


def test_what_a_notebook_puts_in_place_of_it_is_not_asked(waits, monkeypatch):
    session = InProcessSession({"f": lambda x: x})
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waits.append("theirs"))
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    session.apply(helper, (1,), {})
    assert waits == ["wait", "wait"]


def test_an_error_of_the_device_is_that_of_the_call_which_caused_it(waits, monkeypatch):
    def fails():
        if waits:
            waits.clear()
            raise RuntimeError("CUDA error: an illegal instruction was encountered")

    monkeypatch.setattr(torch.cuda, "synchronize", fails)
    session = InProcessSession({"f": lambda x: waits.append("work")})
    with pytest.raises(StudentError, match="illegal instruction"):
        session.apply(helper, (1,), {})


def test_a_device_that_is_broken_for_good_is_lost_whatever_was_asked(waits, monkeypatch):
    def fails():
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nand so on")

    monkeypatch.setattr(torch.cuda, "synchronize", fails)
    reply = Host({"x": 1}).handle(Get("x", 0), None)
    assert reply == Lost("CUDA error: an illegal memory access was encountered")


def test_where_no_gpu_is_used_nothing_is_waited_for(monkeypatch):
    found = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: found.append("wait"))
    Device().wait()
    assert Device().what_broke() is None
    assert found == []
