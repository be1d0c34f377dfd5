"""What a fork server runs once, so that the first test of each student finds all warm."""

import os
import random

import numpy as np
import pytest

from autograder.foreign.inside import answering, rehearsal, testing


def test_it_passes_and_leaves_nothing():
    environment, python, numpy = (
        dict(os.environ),
        random.getstate(),
        np.random.get_state()[1].copy(),
    )
    rehearsal.rehearse()  # raises what its import would pass over
    assert dict(os.environ) == environment
    assert random.getstate() == python
    assert np.array_equal(np.random.get_state()[1], numpy)
    assert testing._tests is answering._answering is None
    assert answering.BACK not in vars(rehearsal)


def test_what_does_not_pass_is_told(monkeypatch):
    monkeypatch.setattr(rehearsal, "TEST", "assert add(3) == 5")
    with pytest.raises(RuntimeError, match=r"did not pass: .*AssertionError"):
        rehearsal.rehearse()
    assert testing._tests is None
