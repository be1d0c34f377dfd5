"""Answers without work earn nothing, in any assignment.

The audit tries its null models on each check; their proof is in `test_every_assignment.py`. Here
stand those that say nothing of the right value's form, or keep it and draw numbers.
"""

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
import torch

from tests.assignments.homework import COURSE, Homework, homework

Answer = Callable[[Any], Any]  # what stands in the place of the right function, class or value


def always(value: Any) -> Answer:
    """Make an answer that is the same whatever is asked."""
    return lambda right: (lambda *args, **kwargs: value) if callable(right) else value


def echo(position: int) -> Answer:
    """Make an answer that returns the argument at a position."""

    def answer(right: Any) -> Any:
        return (lambda *args, **kwargs: args[position]) if callable(right) else None

    return answer


def own_arguments(right: Any) -> Any:
    """Return an answer that returns its first arguments, as many as are wanted."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        want = right(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        return tuple(args[: len(want)]) if isinstance(want, tuple) else args[0]

    return answer if inspect.isfunction(right) else None


def made_of_right(change: Callable[[np.ndarray], Any]) -> Answer:
    """Make an answer with each array and number of the right one changed."""

    def changed(value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            return type(value)(changed(one) for one in value)
        if isinstance(value, dict):
            return {key: changed(one) for key, one in value.items()}
        if isinstance(value, torch.Tensor):
            return torch.as_tensor(change(value.detach().numpy()))
        is_number = isinstance(value, (bool, int, float, np.generic, np.ndarray))
        return change(np.asarray(value, float)) if is_number else None

    def answer(right: Any) -> Any:
        if inspect.isclass(right):
            return None
        if not callable(right):
            return changed(right)
        return lambda *args, **kwargs: changed(right(*copy.deepcopy(args), **copy.deepcopy(kwargs)))

    return answer


def noise(value: np.ndarray) -> Any:
    return np.random.default_rng(0).normal(size=value.shape)


NULL_ANSWERS: Mapping[str, Answer] = {
    **{f"always {value!r}": always(value) for value in (0, 1, 3, 32, True, "", "answer")},
    "always a table": always([[0, 1], [1, 0]]),
    "always a matrix": always(np.eye(3)),
    "always an object": always(object()),
    "always a figure": always(matplotlib.figure.Figure()),
    "the first argument": echo(0),
    "the second argument": echo(1),
    "the last argument": echo(-1),
    "its own arguments": own_arguments,
    "halves": made_of_right(lambda value: np.full(value.shape, 0.5)),
    "twos": made_of_right(lambda value: np.full(value.shape, 2.0)),
    "two of each": made_of_right(lambda value: np.stack([value, value])),
    "an axis less": made_of_right(lambda value: value.ravel()[:-1]),
    "noise": made_of_right(noise),
}


@pytest.fixture(params=COURSE.assignments())
def hw(request: pytest.FixtureRequest) -> Homework:
    return homework(request.param)


@pytest.mark.parametrize("title", NULL_ANSWERS)
def test_an_answer_without_work_earns_nothing(hw: Homework, title: str) -> None:
    values = {name: NULL_ANSWERS[title](hw.names[name]) for name in hw.asked}
    earning = {check.name: hw.earning(check.name, values) for check in hw.scored}
    assert {name: cases for name, cases in earning.items() if cases} == {}


def test_one_letter_for_all_questions_is_right_at_most_once(hw: Homework) -> None:
    for letter in "ABCD":
        values = {name: always(letter)(hw.names[name]) for name in hw.asked}
        assert sum(bool(hw.earning(check.name, values)) for check in hw.scored) <= 1, letter
