"""Null models of a kind: answers without work that only such a question has.

Where letters are asked for, a guess may be right: it is not refused, and the audit says which
cases it passes. What holds of all others holds of these, too: none passes a check that scores. Two
of them are right: a right answer that comes too late must fail a check of speed, and one that takes
too much memory a check of memory.
"""

import inspect
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.audit.checking.null_models import Answer, figures_apart, model_of
from autograder.authoring.arrays import is_array, is_tensor, to_numpy
from autograder.authoring.choices import parse_choices
from autograder.authoring.kinds import Kind, Noted
from autograder.authoring.quantities import parse_quantity
from autograder.sandbox.limits import MB

__all__ = ["kind_models", "may_pass"]

ALL, NONE = "every option ticked", "no option ticked"
FIRST, LAST = "the first option", "the last option"
GUESSES = frozenset({ALL, FIRST, LAST})
BALLAST = 64 * MB  # that a right answer takes for nothing, beside all that it may
Models = Iterator[tuple[str, dict[str, Any]]]


def may_pass(title: str) -> bool:
    """Return whether a null model is a guess, which may be right."""
    return title in GUESSES


def kind_models(names: Sequence[str], oracle: Oracle, kinds: Sequence[Noted]) -> Models:
    """Give the null models of the kinds that a check asks: titles, and what stands for the names.

    Args:
        names: what the check asks of students.
        oracle: the reference.
        kinds: of questions.
    """
    right = {name: oracle.namespace[name] for name in names}
    for kind, models in _MODELS.items():
        facts = [noted.facts for noted in kinds if noted.kind == kind]
        if facts:
            yield from models(right, facts)


def _choices(right: Mapping[str, Any], facts: Sequence[tuple[Any, ...]]) -> Models:
    """Ticks that somebody sets who has not read the question."""
    made: dict[str, dict[str, Any]] = {title: {} for title in (ALL, NONE, FIRST, LAST)}
    for name, value in right.items():
        for options, several in facts:
            if parse_choices(value, options) is None:
                continue
            first, last = options[0], options[-1]
            if several:
                made[ALL][name], made[NONE][name] = list(options), []
                first, last = [first], [last]
            made[FIRST][name], made[LAST][name] = first, last
            break
    yield from ((title, values) for title, values in made.items() if values)


def _quantities(right: Mapping[str, Any], facts: Sequence[tuple[Any, ...]]) -> Models:
    """The right digits, of another size or sign."""
    changes: dict[str, Callable[[float], float]] = {
        "a thousand times too large": lambda number: 1000.0 * number or 1000.0,
        "the opposite sign": lambda number: -number or -1.0,
    }
    numbers = {}
    for name, value in right.items():
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            number = parse_quantity(value, facts[0][0])
            if isinstance(number, float):
                numbers[name] = number
    for title, change in changes.items():
        if numbers:
            yield title, {name: change(number) for name, number in numbers.items()}


def _figures(right: Mapping[str, Any], _: Sequence[tuple[Any, ...]]) -> Models:
    """The right figure, without what it is to show."""
    changes: dict[str, Callable[[Any], Any]] = {
        "the figure without data": _without_data,
        "the figure with all data at 0": lambda figure: _with_data(figure, np.zeros_like),
        "the figure with a constant in place of its data": lambda figure: _with_data(
            figure, lambda values: np.full(values.shape, np.mean(values) if values.size else 0.0)
        ),
        "the figure's data in another order": lambda figure: _with_data(
            figure, lambda values: np.roll(values, 1, axis=0)
        ),
    }
    for title, change in changes.items():
        values = {name: _figure_model(one, change) for name, one in right.items()}
        yield title, {name: value for name, value in values.items() if value is not None}


def _figure_model(right: Any, change: Callable[[Any], Any]) -> Any:
    """Return what stands for a function that draws, or a figure; None for anything else."""
    from matplotlib import pyplot
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    if isinstance(right, (Figure, Axes)):
        return None  # it is the notebook's own: a change to it would stay
    if not inspect.isfunction(right):
        return None

    def model(*args: Any, **kwargs: Any) -> Any:
        with figures_apart():
            value = right(*args, **kwargs)
            figures = [one for one in _flat(value) if isinstance(one, (Figure, Axes))]
            drawn = [f if isinstance(f, Figure) else f.figure for f in figures] or [pyplot.gcf()]
            for figure in dict.fromkeys(drawn):
                change(figure)
            return value if figures else drawn[0]

    return model


def _flat(value: Any) -> list[Any]:
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.ravel().tolist()
    if isinstance(value, (list, tuple)):
        return [part for item in value for part in _flat(item)]
    return [value]


def _without_data(figure: Any) -> None:
    for axes in figure.axes:
        for artist in (*axes.lines, *axes.collections, *axes.patches, *axes.images):
            artist.remove()
        axes.containers.clear()


def _with_data(figure: Any, change: Callable[[Any], Any]) -> None:
    """Put other numbers in place of what lines, points, bars and pictures show."""
    for axes in figure.axes:
        for line in axes.lines:
            line.set_ydata(change(np.asarray(line.get_ydata(orig=False), dtype=float)))
        for cloud in axes.collections:
            places = np.asarray(cloud.get_offsets(), dtype=float)
            cloud.set_offsets(np.column_stack([places[:, 0], change(places[:, 1])]))
        for bars in axes.containers:
            if all(hasattr(bar, "set_height") for bar in bars):
                heights = change(np.array([bar.get_height() for bar in bars], dtype=float))
                for bar, height in zip(bars, heights, strict=True):
                    bar.set_height(height)
        for image in axes.images:
            image.set_data(change(np.asarray(image.get_array(), dtype=float)))


class _Shuffled(Answer):
    """Right values of an array, each at the place of another; all else at 0."""

    def __init__(self) -> None:
        super().__init__(_shifted)


class _MostFrequent(Answer):
    """The value that is the most frequent among the right ones, everywhere."""

    def __init__(self) -> None:
        super().__init__(_most_frequent)


class _Untrained(Answer):
    """The argument that has the form of the right answer: parameters as they came."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)

    def __call__(self, want: Any, args: Sequence[Any]) -> Any:
        return next((arg for arg in args if _form(arg) == _form(want)), None)


def _training(right: Mapping[str, Any], _: Sequence[tuple[Any, ...]]) -> Models:
    """What nothing was learnt for."""
    answers: dict[str, Answer] = {
        "the right values in another order": _Shuffled(),
        "the most frequent value": _MostFrequent(),
        "the argument that it starts from": _Untrained(),
    }
    for title, answer in answers.items():
        yield title, {name: model_of(one, answer) for name, one in right.items()}


def _shifted(want: Any) -> Any:
    if not is_array(want) or not np.ndim(to_numpy(want)):
        return 0.0
    moved = np.roll(to_numpy(want), 1 + len(want) // 3, axis=0)
    if np.array_equal(moved, to_numpy(want)):
        moved = np.zeros_like(moved)
    return want.new_tensor(moved) if is_tensor(want) else moved


def _most_frequent(want: Any) -> Any:
    if not is_array(want) or not np.ndim(to_numpy(want)):
        return 0.0
    array = to_numpy(want)
    ((value, _),) = Counter(array.ravel().tolist()).most_common(1) or [(0, 0)]
    filled = np.full_like(array, value)
    return want.new_tensor(filled) if is_tensor(want) else filled


def _form(value: Any) -> Any:
    """Return what two values of one form have in common: keys, lengths, shapes."""
    if isinstance(value, dict):
        return {key: _form(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_form(item) for item in value]
    return tuple(value.shape) if is_array(value) else type(value)


def _too_late(right: Mapping[str, Any], facts: Sequence[tuple[Any, ...]]) -> Models:
    """A right answer that takes several times as long as it may."""
    times = math.ceil(10 * max(within for (within,) in facts)) + 2

    def again_and_again(function: Callable[..., Any]) -> Callable[..., Any]:
        def model(*args: Any, **kwargs: Any) -> Any:
            for _ in range(times):
                value = function(*args, **kwargs)
            return value

        return model

    yield "the right answer, too late", _changed(right, again_and_again)


def _too_large(right: Mapping[str, Any], facts: Sequence[tuple[Any, ...]]) -> Models:
    """Right answers that take, or keep, more memory than they may."""
    for place, title in enumerate(("in too much memory", "with memory that is kept")):
        limits = [limits[place] for limits in facts if limits[place] is not None]
        if not limits:
            continue
        size = int(2 * max(limits)) + BALLAST
        kept: list[Any] = []

        def wasteful(
            function: Callable[..., Any],
            size: int = size,
            kept: list[Any] | None = kept if place else None,
        ) -> Callable[..., Any]:
            def model(*args: Any, **kwargs: Any) -> Any:
                ballast = np.ones(size, np.uint8)
                if kept is not None:
                    kept.append(ballast)
                value = function(*args, **kwargs)
                del ballast
                return value

            return model

        yield f"the right answer, {title}", _changed(right, wasteful)


def _changed(
    right: Mapping[str, Any], change: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> dict[str, Any]:
    functions: Iterable[tuple[str, Any]] = right.items()
    return {name: change(one) if inspect.isfunction(one) else one for name, one in functions}


_MODELS: dict[str, Callable[[Mapping[str, Any], Sequence[tuple[Any, ...]]], Models]] = {
    Kind.CHOICE: _choices,
    Kind.QUANTITY: _quantities,
    Kind.FIGURE: _figures,
    Kind.TRAINING: _training,
    Kind.SPEED: _too_late,
    Kind.MEMORY: _too_large,
}
