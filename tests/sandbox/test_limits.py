import dataclasses
import math

import pytest

from autograder.errors import UsageError
from autograder.sandbox.limits import Limits

NAMES = [field.name for field in dataclasses.fields(Limits)]
WHOLE = [field.name for field in dataclasses.fields(Limits) if field.type in (int, "int")]


@pytest.mark.parametrize("value", [0, -1, math.nan, True, "1", None])
@pytest.mark.parametrize("name", NAMES)
def test_a_limit_is_a_number_above_zero(name, value):
    with pytest.raises(UsageError) as caught:
        Limits(**{name: value})
    assert str(caught.value) == f"limit {name} must be a number above 0, got {value!r}"


@pytest.mark.parametrize("name", NAMES)
def test_no_limit_is_infinite(name):
    with pytest.raises(UsageError, match=name):
        Limits(**{name: math.inf})


@pytest.mark.parametrize("name", WHOLE)
def test_a_limit_that_the_kernel_counts_is_a_whole_number(name):
    with pytest.raises(UsageError, match=name):
        Limits(**{name: 10.5})


def test_a_table_is_laid_over_its_base():
    base = Limits.from_table({"call_seconds": 3})
    own = Limits.from_table({"memory_mb": 512}, base)
    assert (own.call_seconds, own.memory_mb) == (3, 512)
    assert own.cell_seconds == Limits().cell_seconds


def test_an_unknown_limit_is_refused_with_those_there_are():
    with pytest.raises(UsageError) as caught:
        Limits.from_table({"cpu": 3})
    assert str(caught.value) == f"a limit must be one of {', '.join(NAMES)}, got 'cpu'"


def test_what_is_made_without_a_gpu_does_not_hang_on_what_a_session_may_have_of_one():
    """Results, proofs and artefacts of before stay what they are."""
    plain, other = Limits(), Limits(gpu_memory_mb=1, gpu_sessions=9)
    assert repr(plain) == repr(other)
    assert plain.deciding("cpu") == other.deciding("cpu")
    assert "gpu_memory_mb" not in plain.deciding("cpu")
    assert plain.deciding("cuda") != other.deciding("cuda")
    assert plain.deciding("cuda") == Limits(gpu_sessions=9).deciding("cuda")
