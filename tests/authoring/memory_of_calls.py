"""What calls take, as JSON: measured in a process of its own, where nothing else takes memory."""

import json
import sys
import threading
from collections.abc import Callable

import numpy as np

from autograder.authoring import memory
from autograder.authoring.subject import Subject
from autograder.errors import StudentError
from autograder.sandbox.protocol.messages import InProcessSession

X = np.random.default_rng(0).normal(size=5_000_000)
KEPT: list[np.ndarray] = []


def total(x):
    return float(x.sum())


def doubled(x):
    return 2 * x


def by_a_copy(x):
    return float(np.sort(x)[0])


def by_two_copies(x):
    a, b = 2 * x, 3 * x
    return float(a[0] + b[0])


def keeping(x):
    KEPT.append(2 * x)
    return 0.0


def spent_by(function: Callable) -> memory.Spent:
    try:
        return memory.measured(Subject(InProcessSession({"f": function})).f, X)[1]
    finally:
        KEPT.clear()


def lower_peak_behind_a_higher_one() -> int | None:
    """Measure where the kernel's peak cannot be set back, as in a process of another user."""
    memory._reset_peak = lambda _: False
    spent_by(lambda x: [by_two_copies(x), by_two_copies(np.tile(x, 2))][0])
    return spent_by(lambda x: float(np.sort(np.sort(2 * x))[0])).peak


def what_a_call_raises() -> str:
    try:
        spent_by(lambda x: 1 / 0)
    except StudentError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    functions = (total, doubled, by_a_copy, by_two_copies, keeping)
    spent = {function.__name__: spent_by(function) for function in functions}
    before = threading.active_count()
    raised, left = what_a_call_raises(), threading.active_count() - before
    found = {
        "spent": {name: [one.peak, one.kept] for name, one in spent.items()},
        "raised": raised,
        "threads": left,
        "lower": lower_peak_behind_a_higher_one(),  # last: it changes how memory is measured
    }
    json.dump(found, sys.stdout)
