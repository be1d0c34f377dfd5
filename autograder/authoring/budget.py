"""Budgets: how much a cell trains, for a student who looks on and for a grader who does not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["GRADING", "budget", "graded_budgets"]

GRADING = "AUTOGRADER_GRADING"  # set where cells run to be graded

T = TypeVar("T")


def budget(full: T, *, graded: T) -> T:
    """Return ``full`` where a person runs the notebook, and ``graded`` where a grader does.

    A training cell takes its number of epochs or steps from it: grading runs every cell of a
    submission and may not repeat a training of minutes. What is graded is what checks call with
    budgets of their own, never what such a cell leaves behind::

        curve = train(model, data, epochs=budget(25, graded=1))
    """
    return graded if os.environ.get(GRADING) else full


@contextmanager
def graded_budgets() -> Iterator[None]:
    """Let every budget be the graded one inside the block: for the trusted cells of a bundle."""
    former = os.environ.get(GRADING)
    os.environ[GRADING] = "1"
    try:
        yield
    finally:
        del os.environ[GRADING]
        if former is not None:
            os.environ[GRADING] = former
