"""The reference with two threads is held against what it answers with one."""

import pytest
import torch

from autograder.artefacts.compiled import Oracle
from autograder.audit.checking.replayed import forget_answers
from autograder.audit.checking.variants import margin_with_two_threads, seconds_of
from autograder.authoring.assertions import assert_close
from autograder.authoring.checks import case, check


@pytest.fixture
def counted():
    threads = []

    def f(x):
        threads.append(torch.get_num_threads())
        return x + 1e-9 * threads[-1]

    @check("f", points=1)
    @case("two numbers")
    def agrees(student, reference, rng):
        for x in rng.normal(size=2).tolist():
            assert_close(student.f(x), reference.f(x))

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    forget_answers()
    yield agrees, Oracle("threads", {"f": f}, {agrees.name: agrees}), threads
    torch.set_num_threads(before)


def test_what_one_thread_answers_is_computed_where_it_is_not_known(counted):
    agrees, oracle, threads = counted
    far = margin_with_two_threads(agrees, oracle)
    assert 0 < far < 1
    assert threads.count(1) == 4  # of both, for each number
    assert torch.get_num_threads() == 1


def test_what_one_thread_has_answered_before_is_not_computed_again(counted):
    agrees, oracle, threads = counted
    seconds_of(agrees, oracle)
    del threads[:]
    far = margin_with_two_threads(agrees, oracle)
    assert 0 < far < 1
    assert threads == [2, 2]


def test_answers_from_two_threads_are_not_kept(counted):
    agrees, oracle, _ = counted
    assert margin_with_two_threads(agrees, oracle) == margin_with_two_threads(agrees, oracle) > 0
