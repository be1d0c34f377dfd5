"""Null models: answers without work, which must fail every check that scores.

Each knows what no student knows, the form of the right value, and still has nothing in it.
"""

import copy
import inspect
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.authoring.arrays import dtype_name, is_array, is_tensor
from autograder.authoring.checks import Check
from autograder.authoring.phrases import kind
from autograder.grading.cases import drawn_under, run_against
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = [
    "NULL_MODELS",
    "Answer",
    "figures_apart",
    "form_of",
    "model_of",
    "null_models",
    "recorded_answers",
]

Leaf = Callable[[Any], Any]
MOST_KNOWN = 50  # right values of one function that are remembered
MOST_SHOWN = 4  # parts of an answer


def null_models(
    names: Sequence[str],
    oracle: Oracle,
    recorded: Mapping[str, Sequence[Any]],
    draws: bool = False,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each null model's title and what it puts in the place of the names.

    Args:
        names: what a check asks of students.
        oracle: the reference.
        recorded: what the reference answered to the visible cases of a release, by name.
        draws: whether a figure is asked for: a function may leave it as the current one.
    """
    right = {name: _remembering(oracle.namespace[name]) for name in names}
    if draws:
        right = {name: _drawing_apart(one) for name, one in right.items()}
    for title, answer in NULL_MODELS.items():
        yield title, {name: model_of(right[name], answer) for name in names}
    yield (
        "the previous call's answer",
        {name: model_of(right[name], _Previous()) for name in names},
    )
    if any(recorded.get(name) for name in names):
        yield (
            "the visible cases' answers",
            {
                name: _Replayed(recorded[name])
                if recorded.get(name)
                else model_of(right[name], NULL_MODELS["zeros"])
                for name in names
            },
        )


def recorded_answers(check: Check, names: Sequence[str], oracle: Oracle) -> dict[str, list[Any]]:
    """Return what the reference answers in the visible cases of a release, by name, in order."""
    answers: dict[str, list[Any]] = {name: [] for name in names}

    def listening(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            value = function(*args, **kwargs)
            answers[name].append(copy.deepcopy(value))
            return value

        return call

    functions = {n: oracle.namespace[n] for n in names if inspect.isfunction(oracle.namespace[n])}
    student = {**oracle.namespace, **{n: listening(n, f) for n, f in functions.items()}}
    draw = drawn_under(b"", oracle.assignment)
    for case in check.cases:
        if not case.hidden:
            run_against(oracle, check, case, InProcessSession(student), draw)
    return answers


def form_of(values: Mapping[str, Any]) -> str:
    """Return what a model answered last, by the form alone: ``float64 of shape (3,)``.

    Args:
        values: what a model puts in the place of names.
    """
    answers = [
        getattr(value, "last", None if callable(value) else value) for value in values.values()
    ]
    told = [_form(answer) for answer in answers if answer is not None]
    return "; ".join(dict.fromkeys(told))


def _form(value: Any) -> str:
    if is_array(value):
        shape = tuple(value.shape)
        return f"{dtype_name(value)} of shape {shape}" if shape else f"a {dtype_name(value)}"
    if isinstance(value, dict):
        parts = [f"{key}: {_form(item)}" for key, item in value.items()]
        return f"{{{_joined(parts)}}}"
    if isinstance(value, (list, tuple)):
        if all(isinstance(item, (bool, int, float, complex, str)) for item in value):
            return f"{kind(value)} of {len(value)}"
        return f"({_joined([_form(item) for item in value])})"
    return kind(value)


def _joined(parts: Sequence[str]) -> str:
    return ", ".join([*parts[:MOST_SHOWN], *(["…"] if len(parts) > MOST_SHOWN else [])])


class Answer:
    """What a model makes of the right value ``want``, and of the arguments of the call."""

    def __init__(self, leaf: Leaf) -> None:
        self._leaf = leaf

    def __call__(self, want: Any, args: Sequence[Any]) -> Any:
        """Return the model's answer."""
        return _each(want, self._leaf)


class _Echo(Answer):
    """The first argument that is a number or an array."""

    def __init__(self) -> None:
        super().__init__(lambda want: want)

    def __call__(self, want: Any, args: Sequence[Any]) -> Any:
        given = [arg for arg in args if _is_numeric(arg)]
        return _each(want, lambda leaf: given[0] if given else _filled(leaf, 0))


class _Previous(Answer):
    """The right value of the call before."""

    def __init__(self) -> None:
        super().__init__(lambda want: want)
        self._last: Any = None

    def __call__(self, want: Any, args: Sequence[Any]) -> Any:
        last, self._last = self._last, copy.deepcopy(want)
        return last if last is not None else _each(want, lambda leaf: _filled(leaf, 0))


class _Replayed:
    """Answers in the order in which the reference answered the visible cases."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self._answers, self._calls = answers, 0

    def __call__(self, *_: Any, **__: Any) -> Any:
        self._calls += 1
        return copy.deepcopy(self._answers[(self._calls - 1) % len(self._answers)])


def _remembering(right: Any) -> Any:
    """Return a function that computes once what all models ask it for; anything else as it is."""
    if not inspect.isfunction(right):
        return right
    known: dict[bytes, Any] = {}

    def remembering(*args: Any, **kwargs: Any) -> Any:
        try:
            asked = pickle.dumps((args, kwargs))
        except Exception:  # it takes a function, say
            return right(*args, **kwargs)
        if asked not in known:
            if len(known) >= MOST_KNOWN:
                known.clear()
            known[asked] = right(*args, **kwargs)
        return copy.deepcopy(known[asked])

    return remembering


def model_of(right: Any, answer: Answer) -> Any:
    """Return what stands in the place of a function, a class or a value."""
    if inspect.isclass(right):
        return _class_model(right, answer)
    if callable(right):

        def model(*args: Any, **kwargs: Any) -> Any:
            copies = copy.deepcopy((args, kwargs))
            value = answer(right(*copies[0], **copies[1]), [*args, *kwargs.values()])
            model.last = value  # type: ignore[attr-defined]
            return value

        return model
    return answer(right, [])


@contextmanager
def figures_apart() -> Iterator[None]:
    """Let the block draw on a figure of its own, which nobody finds behind it."""
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    current = pyplot.gcf().number if before else None
    try:
        pyplot.figure()
        yield
    finally:
        for number in set(pyplot.get_fignums()).difference(before):
            pyplot.close(number)
        if current is not None:
            pyplot.figure(current)


def _drawing_apart(right: Any) -> Any:
    """Return a function that leaves no figure behind; anything else as it is."""
    if not inspect.isfunction(right):
        return right

    def apart(*args: Any, **kwargs: Any) -> Any:
        with figures_apart():
            return right(*args, **kwargs)

    return apart


def _class_model(right: type, answer: Answer) -> type:
    """Return a class that is made as the right one and whose methods do nothing.

    Each runs on a copy, so that the object itself stays as it was made.
    """

    def idle(name: str) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            there, copies = copy.deepcopy(self), copy.deepcopy((args, kwargs))
            value = getattr(right, name)(there, *copies[0], **copies[1])
            return answer(value, [*args, *kwargs.values()])

        return method

    own = [
        name
        for name, value in vars(right).items()
        if inspect.isfunction(value) and name not in _MAKING
    ]
    return type(right.__name__, (right,), {name: idle(name) for name in own})


def _each(value: Any, leaf: Leaf) -> Any:
    kind = type(value)
    if kind.__module__.startswith("matplotlib."):  # a right figure in a list is a right figure
        return None
    if kind in (list, tuple):
        return kind(_each(item, leaf) for item in value)
    if kind is dict:
        return {key: _each(item, leaf) for key, item in value.items()}
    return leaf(value)


def _is_numeric(value: Any) -> bool:
    return isinstance(value, (bool, int, float, complex)) or is_array(value)


def _filled(want: Any, number: float) -> Any:
    """Return a value of the form of the right one, filled with a number."""
    if is_tensor(want):
        return want.detach().new_full(want.shape, number)
    if isinstance(want, np.ndarray):
        return np.full_like(want, number)
    if isinstance(want, (bool, int, float, complex, np.generic)):
        return type(want)(number)
    return type(want)() if isinstance(want, (str, bytes)) else None


def _floating(want: Any, number: float) -> Any:
    """Return the same with a number that integers do not have."""
    if isinstance(want, np.ndarray):
        return np.full(want.shape, number, np.result_type(want.dtype, np.float32))
    if isinstance(want, (bool, int, np.integer, np.bool_)):
        return number
    return _filled(want, number)


def _empty(want: Any) -> Any:
    if is_tensor(want):
        return want.detach().new_empty((0,))
    return np.empty((0,), want.dtype) if isinstance(want, np.ndarray) else np.empty((0,))


def _longer(want: Any) -> Any:
    """Return right values in a longer array; of what is no number, a list in a list."""
    flat = want.detach().numpy().ravel() if is_tensor(want) else np.ravel(want)
    return np.concatenate([flat, flat[:1], flat[:1]]) if flat.dtype.kind in "biufc" else [[want]]


def _broadcastable(want: Any) -> Any:
    """Return right values with one axis more, of length 1."""
    return want[None] if is_tensor(want) or isinstance(want, np.ndarray) else np.array([want])


def _complex(want: Any) -> Any:
    if is_tensor(want):
        want = want.detach().numpy()
    if isinstance(want, np.ndarray):
        return want + 0j if want.dtype.kind in "biuf" else np.zeros(want.shape, bool)
    return complex(want) if isinstance(want, (int, float, np.number)) else 0j


# What an object needs to be made, copied and shown.
_MAKING = {"__init__", "__new__", "__repr__", "__hash__", "__setattr__", "__getattr__"}

NULL_MODELS: dict[str, Answer] = {
    "zeros": Answer(lambda want: _filled(want, 0)),
    "ones": Answer(lambda want: _filled(want, 1)),
    "a constant": Answer(lambda want: _floating(want, 0.1)),
    "the input echoed": _Echo(),
    "NaN": Answer(lambda want: _floating(want, float("nan"))),
    "infinity": Answer(lambda want: _floating(want, float("inf"))),
    "empty": Answer(_empty),
    "the wrong shape": Answer(_longer),
    "a shape that broadcasts": Answer(_broadcastable),
    "the wrong kind of dtype": Answer(_complex),
    "None": Answer(lambda _: None),
}
