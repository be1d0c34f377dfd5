"""Scores of nbgrader's cells: what a test earns by how it ended."""

import math

from autograder.foreign.definition import Graded
from autograder.foreign.relay import Outcome

__all__ = ["score_of"]


def score_of(graded: Graded, outcome: Outcome) -> float:
    """Return the points of a test cell, by nbgrader's rules.

    An error is no points; a number at the end of the cell is so many points; all else is full
    points. Where nbgrader gives full points for a number below 0 and stops at one above the cell's
    points, it is none here, and all.
    """
    points = graded.points or 0.0
    if outcome.error is not None:
        return 0.0
    if outcome.value is None:
        return points
    return min(max(outcome.value, 0.0), points) if not math.isnan(outcome.value) else 0.0
