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
from autograder.authoring.index_parts import indices
from autograder.authoring.matching import matches_reference
from autograder.authoring.parts import choices, derived, interval, whole
from autograder.student.self_check import self_check

__all__ = [
    "alternative",
    "arrays",
    "assert_close",
    "assert_dtype",
    "assert_equal",
    "assert_shape",
    "assert_that",
    "budget",
    "case",
    "check",
    "choices",
    "derived",
    "domain",
    "indices",
    "interval",
    "like",
    "matches_reference",
    "mistake",
    "self_check",
    "tensors",
    "whole",
]
