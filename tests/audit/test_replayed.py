"""The reference answers again what it has answered to the same questions, and computes the rest."""

import os
import random

import numpy as np
import pytest
import torch

from autograder.artefacts.compiled import Oracle
from autograder.audit.checking import replayed
from autograder.audit.checking.replayed import ReplayedReference, forget_answers


class Counter:
    """A reference that counts what it computes."""

    def __init__(self):
        self.calls = []

    def double(self, x):
        """Return 2 x."""
        self.calls.append(float(np.sum(x)))
        return 2 * x

    def drawn(self):
        """Return a number of the process's generator."""
        self.calls.append("drawn")
        return float(np.random.normal())

    def torch_drawn(self):
        """Return a number of torch's generator."""
        return torch.rand(1).item()

    def fails(self):
        """Raise."""
        self.calls.append("fails")
        raise ValueError("no")


@pytest.fixture
def counted():
    counter = Counter()
    names = {name: getattr(counter, name) for name in ("double", "drawn", "torch_drawn", "fails")}
    return counter, Oracle("a", {**names, "made": lambda: counter}, {})


def session(oracle, seed=1):
    one = ReplayedReference(oracle)
    one.seed(seed)
    return one


def ask(reference, name, *args):
    target = reference.get(name)
    return reference.call(target.number, args, {}, False)[0]


def test_the_same_questions_are_computed_once(counted):
    counter, oracle = counted
    got = [ask(session(oracle), "double", np.arange(3.0)).tolist() for _ in range(3)]
    assert got == [[0.0, 2.0, 4.0]] * 3
    assert counter.calls == [3.0]


def test_an_answer_is_nobodys_else(counted):
    _, oracle = counted
    ask(session(oracle), "double", np.arange(3.0))[:] = -1.0
    assert ask(session(oracle), "double", np.arange(3.0)).tolist() == [0.0, 2.0, 4.0]


def test_another_question_is_computed_behind_the_same_ones_before(counted):
    counter, oracle = counted
    first, second = session(oracle), session(oracle)
    assert [ask(first, "double", np.full(1, x)).item() for x in (1.0, 2.0)] == [2.0, 4.0]
    assert [ask(second, "double", np.full(1, x)).item() for x in (1.0, 3.0)] == [2.0, 6.0]
    assert counter.calls == [1.0, 2.0, 1.0, 3.0]
    assert ask(second, "double", np.full(1, 2.0)).item() == 4.0  # it computes from there on


def test_another_seed_is_another_question(counted):
    counter, oracle = counted
    one, other = (ask(session(oracle, seed), "drawn") for seed in (1, 2))
    assert one != other
    assert counter.calls == ["drawn", "drawn"]


def test_what_is_drawn_for_a_student_changes_nothing_for_the_reference_and_back(counted):
    _, oracle = counted
    wanted = np.random.RandomState(1).normal(size=2).tolist()
    np.random.seed(7), random.seed(7)
    before, plain = np.random.get_state(), random.getstate()
    reference = session(oracle)
    first = ask(reference, "drawn")
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert random.getstate() == plain
    np.random.normal(size=100)
    assert [first, ask(reference, "drawn")] == wanted


def test_torch_has_the_same_numbers_for_a_student_whatever_the_reference_draws(counted):
    _, oracle = counted
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    first = torch.rand(1)
    ask(session(oracle), "torch_drawn")
    assert torch.equal(torch.cat([first, torch.rand(1)]), wanted)


def test_what_raises_when_it_is_computed_again_is_no_answer_and_nothing_is_kept_behind_it(counted):
    counter, oracle = counted
    ask(session(oracle), "double", 1.0)
    oracle.namespace["double"] = counter.fails  # as a watchdog would end it
    second = session(oracle)
    target = second.get("double")
    assert second.call(target.number, (1.0,), {}, False)[0] == 2.0
    with pytest.raises(RuntimeError, match="the reference: "):
        second.get("drawn")
    oracle.namespace["double"] = counter.double
    third = session(oracle)
    target = third.get("double")
    assert third.call(target.number, (1.0,), {}, False)[0] == 2.0
    assert third.call(third.get("double").number, (2.0,), {}, False)[0] == 4.0


def test_an_object_means_the_same_when_its_questions_are_asked_again(counted):
    _, oracle = counted
    for _ in range(2):
        reference = session(oracle)
        counter = ask(reference, "made")
        target = reference.attribute(counter.number, "double")
        assert reference.call(target.number, (4.0,), {}, False)[0] == 8.0
    assert len(oracle.namespace["made"]().calls) == 1


def test_generators_change_places_for_what_may_draw_alone(counted, monkeypatch):
    _, oracle = counted
    looked_at = []
    state = replayed._generators
    monkeypatch.setattr(replayed, "_generators", lambda: looked_at.append(1) or state())
    reference = session(oracle)
    target = reference.get("drawn")
    assert looked_at == []
    np.random.seed(7)
    before = np.random.get_state()[1]
    value, _ = reference.call(target.number, (), {}, False)
    assert value == np.random.RandomState(1).normal()
    assert len(looked_at) == 2
    assert np.array_equal(np.random.get_state()[1], before)


def test_a_seed_behind_a_draw_counts_for_the_next_one(counted):
    _, oracle = counted
    reference = session(oracle)
    first = ask(reference, "drawn")
    reference.seed(1)
    assert ask(reference, "drawn") == first


def test_a_name_that_is_read_behind_a_replayed_call_means_the_same_object(counted):
    _, oracle = counted
    ask(session(oracle), "double", 1.0)
    reference = session(oracle)
    ask(reference, "double", 1.0)
    target = reference.get("torch_drawn")
    torch.manual_seed(1)
    wanted = torch.rand(1).item()
    assert reference.call(target.number, (), {}, False)[0] == wanted


def test_what_it_raises_is_not_kept(counted):
    counter, oracle = counted
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the reference: ValueError: no"):
            ask(session(oracle), "fails")
    assert counter.calls == ["fails", "fails"]


def test_answers_are_those_of_one_reference(counted):
    _, oracle = counted
    other = Oracle("a", {"double": lambda x: 3 * x}, {})
    asked = [ask(session(one), "double", 1.0) for one in (oracle, other, oracle)]
    assert asked == [2.0, 3.0, 2.0]


def test_answers_are_forgotten_when_something_is_computed_otherwise(counted):
    counter, oracle = counted
    for _ in range(2):
        ask(session(oracle), "double", 1.0)
        forget_answers()
    assert counter.calls == [1.0, 1.0]


def test_no_more_is_kept_than_some_megabytes(counted, monkeypatch):
    counter, oracle = counted
    monkeypatch.setattr("autograder.audit.checking.replayed.MAX_KEPT", 4000)
    for size in (400, 400, 300, 400):
        ask(session(oracle), "double", np.ones(size))
    assert counter.calls == [400.0, 300.0, 400.0]


def test_what_is_measured_is_computed_again(counted):
    counter, oracle = counted
    for _ in range(2):
        reference = session(oracle)
        ask(reference, "double", np.ones(1))
        ask(reference, "drawn")
    assert counter.calls == [1.0, "drawn"]
    reference = session(oracle)
    ask(reference, "double", np.ones(1))
    assert reference.processes() == (os.getpid(),)
    ask(reference, "drawn")
    assert counter.calls == [1.0, "drawn", 1.0, "drawn"]
