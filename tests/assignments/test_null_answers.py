"""Answers without work earn nothing, in any assignment.

The audit tries its null models on each check; their proof is in `test_every_assignment.py`. Here
stand those that say nothing of the right value's form, or keep it and draw numbers.
"""

import copy
import inspect
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
import torch

from autograder.artefacts.results import Verdict
from tests.assignments.homework import COURSE, homework

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
        want = right(*args, **kwargs)
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
        return lambda *args, **kwargs: changed(right(*args, **kwargs))

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


ODD = ("always an object", "always a table", "an axis less")


def computed_once(right: Any) -> Any:
    """Return a right function that computes only what it was not asked before, or a value as it is.

    A check asks every null answer the same. Arguments are left as they are.
    """
    if inspect.isclass(right) or not callable(right):
        return right
    known: dict[bytes, Any] = {}

    def once(*args: Any, **kwargs: Any) -> Any:
        try:
            asked = pickle.dumps((args, kwargs))
        except (pickle.PicklingError, AttributeError, TypeError):  # a function of the notebook's
            return right(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        if asked not in known:
            known[asked] = right(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        return known[asked]

    return once


def drawn_once(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that draws from a generator once only where all answers get the same."""
    known: dict[bytes, tuple[bytes, Mapping[str, Any]]] = {}

    def once(rng: np.random.Generator, *args: Any, **kwargs: Any) -> Any:
        asked = pickle.dumps((rng.bit_generator.state, args, kwargs))
        if asked not in known:
            known[asked] = pickle.dumps(draw(rng, *args, **kwargs)), rng.bit_generator.state
        value, rng.bit_generator.state = known[asked]
        return pickle.loads(value)

    return once


@pytest.fixture(autouse=True)
def scenes_are_drawn_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have hw6 draw its scenes, a tenth of a second for each, once for all answers of a test."""
    names = homework(name).names
    if (draw := names.get("disguised_scenes")) is not None:
        monkeypatch.setitem(names, "disguised_scenes", drawn_once(draw))


def values_of(name: str, answers: Mapping[str, Answer]) -> dict[str, dict[str, Any]]:
    """Return by answer what stands for each name that an assignment asks for."""
    hw = homework(name)
    right = {asked: computed_once(hw.names[asked]) for asked in hw.asked}
    return {
        title: {asked: answer(one) for asked, one in right.items()}
        for title, answer in answers.items()
    }


def earnings(name: str, answers: Mapping[str, Answer]) -> dict[str, dict[str, set[str]]]:
    """Return by answer which checks of an assignment it earns something of, and in which cases.

    Check by check, so that the reference's answers are still known from one to the next.
    """
    hw, values = homework(name), values_of(name, answers)
    found: dict[str, dict[str, set[str]]] = {title: {} for title in answers}
    for check in hw.scored:
        for title in answers:
            if cases := hw.earning(check.name, values[title]):
                found[title][check.name] = cases
    return found


@pytest.mark.parametrize("name", COURSE.assignments())
def test_an_answer_without_work_earns_nothing(name: str) -> None:
    found = earnings(name, NULL_ANSWERS)
    assert {title: checks for title, checks in found.items() if checks} == {}


@pytest.mark.parametrize("name", COURSE.assignments())
def test_an_odd_answer_breaks_no_check(name: str) -> None:
    """Whatever a check draws, it can tell that the answer is wrong."""
    hw = homework(name)
    values = values_of(name, {title: NULL_ANSWERS[title] for title in ODD})
    broken = [
        (title, result.name)
        for check in hw.scored
        for title in ODD
        for result in hw.results(check.name, values[title]).values()
        if result.verdict is Verdict.BROKEN
    ]
    assert broken == []


@pytest.mark.parametrize("name", COURSE.assignments())
def test_one_letter_for_all_questions_earns_a_third_of_the_choices_at_most(name: str) -> None:
    """A guess earns a quarter on average; each right letter earns its part."""
    checks = homework(name).checks
    found = earnings(name, {letter: always(letter) for letter in "ABCDEFGH"})
    points = {
        letter: sum(
            checks[c].points * len(cases) / len(checks[c].cases) for c, cases in won.items()
        )
        for letter, won in found.items()
    }
    assert max(points.values()) <= sum(points.values()) / 3, points
