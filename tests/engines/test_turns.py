"""Turns: first come, first served, and what is alone while nothing else is done."""

import threading
import time
from concurrent.futures import CancelledError

import pytest

from autograder.engines.turns import Turns


class Steps:
    """Things to do, each of which waits until a test lets it go."""

    def __init__(self, turns):
        self.turns, self.begun = turns, []
        self._over = {}

    def add(self, name, alone=False):
        over = self._over[name] = threading.Event()

        def do():
            self.begun.append(name)
            assert over.wait(20)
            return name

        return (self.turns.begin_alone if alone else self.turns.begin)(do)

    def end(self, *names):
        for name in names:
            self._over[name].set()

    def wait(self, *begun):
        """Wait until these have begun, in this order, and see that nothing else does."""
        deadline = time.monotonic() + 60
        while len(self.begun) < len(begun):
            assert time.monotonic() < deadline, self.begun
            time.sleep(0.001)
        time.sleep(0.01)
        assert self.begun == list(begun)


@pytest.fixture
def steps():
    found = Steps(Turns(2))
    yield found
    found.end(*found._over)
    found.turns.close()


def test_who_comes_first_is_first_and_a_slow_one_holds_its_turn_alone(steps):
    slow = steps.add("s")
    steps.wait("s")
    others = [steps.add(name) for name in "abc"]
    steps.wait("s", "a")
    steps.end("a", "b", "c")
    assert [turn.future.result(20) for turn in others] == ["a", "b", "c"]
    steps.wait("s", "a", "b", "c")
    steps.end("s")
    assert slow.future.result(20) == "s"
    assert not slow.was_alone


def test_what_must_be_alone_waits_until_nothing_else_does(steps):
    steps.add("a")
    steps.wait("a")
    alone = steps.add("alone", alone=True)
    steps.add("b")
    steps.wait("a", "b")
    steps.end("a")
    steps.wait("a", "b")
    steps.add("c")
    steps.wait("a", "b", "c")
    steps.end("b", "c")
    steps.wait("a", "b", "c", "alone")
    last = steps.add("d")
    steps.wait("a", "b", "c", "alone")
    steps.end("alone", "d")
    assert alone.future.result(20) == "alone"
    assert last.future.result(20) == "d"
    assert alone.was_alone


def test_after_a_while_nothing_new_begins_before_it():
    now = [0.0]
    steps = Steps(Turns(2, patience=60.0, clock=lambda: now[0]))
    steps.add("a")
    steps.wait("a")
    steps.add("alone", alone=True)
    now[0] = 60.0
    steps.add("b")
    steps.wait("a")
    steps.end("a")
    steps.wait("a", "alone")
    steps.end("alone")
    steps.wait("a", "alone", "b")
    steps.end("b")
    steps.turns.close()


def test_what_goes_wrong_is_told_and_what_waits_when_it_is_closed_is_cancelled():
    turns = Turns(1)

    def broken():
        raise OSError("no memory")

    with pytest.raises(OSError, match="no memory"):
        turns.begin(broken).future.result(20)
    steps = Steps(turns)
    steps.add("a")
    waiting = steps.add("b")
    steps.wait("a")
    turns.close()
    steps.end("a")
    for turn in (waiting, steps.add("c")):
        with pytest.raises(CancelledError):
            turn.future.result(20)
