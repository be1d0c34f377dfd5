"""The states of random generators that two sessions share."""

import random

import numpy as np
import pytest

from autograder.foreign.inside import randomness
from autograder.foreign.inside.randomness import RandomState


@pytest.fixture(autouse=True)
def generators():
    """Leave Python's and numpy's generators as they were."""
    python, numpy = random.getstate(), np.random.get_state()
    yield
    random.setstate(python)
    np.random.set_state(numpy)


def test_each_draw_is_told_once():
    known = RandomState()
    assert known.changed() is None
    for draw in (
        random.random,
        np.random.rand,
        np.random.randn,  # which keeps a second number
        np.random.randn,  # which gives it, and leaves all else as it was
        lambda: np.random.standard_normal(624),
        lambda: np.random.seed(1),
        lambda: random.seed(1),
    ):
        draw()
        assert known.changed() is not None
        assert known.changed() is None


def test_what_is_told_goes_on_elsewhere_as_here():
    random.seed(3)
    np.random.seed(4)
    known = RandomState()
    np.random.randn()
    state = known.changed()
    there = random.random(), np.random.randn(), np.random.rand()
    assert known.changed() is not None
    known.take(state)
    assert known.changed() is None
    assert (random.random(), np.random.randn(), np.random.rand()) == there


def test_a_state_that_is_put_back_is_told_though_only_the_number_kept_differs():
    np.random.seed(6)
    known = RandomState()
    np.random.randn()
    state = np.random.get_state()
    assert known.changed() is not None
    np.random.randn()
    assert known.changed() is not None
    np.random.set_state(state)
    assert known.changed() is not None


@pytest.mark.parametrize("is_as_known", [True, False])
def test_an_interpreter_that_keeps_its_state_elsewhere_is_asked_for_it(monkeypatch, is_as_known):
    assert randomness._IS_AS_KNOWN  # in every Python that is supported
    monkeypatch.setattr(randomness, "_IS_AS_KNOWN", is_as_known)
    known = RandomState()
    for draw in (random.random, lambda: random.gauss(0, 1), lambda: random.getrandbits(3)):
        draw()
        assert known.changed() is not None
        assert known.changed() is None


def test_seeding_alike_again_changes_nothing():
    np.random.seed(5)
    known = RandomState()
    np.random.seed(5)
    assert known.changed() is None
