"""Auto-graded homework for deep-learning courses: what a source notebook is written with."""

from autograder.authoring.array_parts import arrays, like, tensors
from autograder.authoring.assertions import (
    assert_close,
    assert_dtype,
    assert_equal,
    assert_shape,
    assert_that,
)
from autograder.authoring.bank import alternative, mistake
from autograder.authoring.budget import budget
from autograder.authoring.checks import case, check, domain
from autograder.authoring.choices import assert_choice, assert_choices, assert_options
from autograder.authoring.devices import run_device
from autograder.authoring.figures import assert_figure, drawn
from autograder.authoring.index_parts import indices
from autograder.authoring.matching import matches_reference
from autograder.authoring.memory import assert_memory, measured
from autograder.authoring.parts import choices, derived, interval, whole
from autograder.authoring.placement import assert_placed, on_device, placed
from autograder.authoring.quantities import assert_quantity
from autograder.authoring.timing import assert_fast
from autograder.authoring.training import assert_learnt, held_out
from autograder.student.rich_values import rich_values
from autograder.student.self_check import self_check

__all__ = [
    "alternative",
    "arrays",
    "assert_choice",
    "assert_choices",
    "assert_close",
    "assert_dtype",
    "assert_equal",
    "assert_fast",
    "assert_figure",
    "assert_learnt",
    "assert_memory",
    "assert_options",
    "assert_placed",
    "assert_quantity",
    "assert_shape",
    "assert_that",
    "budget",
    "case",
    "check",
    "choices",
    "derived",
    "domain",
    "drawn",
    "held_out",
    "indices",
    "interval",
    "like",
    "matches_reference",
    "measured",
    "mistake",
    "on_device",
    "placed",
    "rich_values",
    "run_device",
    "self_check",
    "tensors",
    "whole",
]
