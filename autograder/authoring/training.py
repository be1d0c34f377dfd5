"""Training: whether what a student's code learnt holds on data that its session never saw whole.

The check holds the labels. The student's function gets training data, and the inputs of the rest;
it returns parameters or predictions, and what they are worth is computed here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.arrays import to_numpy
from autograder.authoring.assertions import assert_shape, refuse_object
from autograder.authoring.kinds import Kind, note_kind
from autograder.authoring.nests import NestError, extent_of, to_array
from autograder.authoring.phrases import kind
from autograder.errors import CheckFailure

__all__ = ["HeldOut", "assert_learnt", "held_out"]

Metric = Callable[[NDArray[Any], NDArray[Any]], float]


class HeldOut(NamedTuple):
    """Data in two parts: to train on, and held out. A session gets all but ``held_targets``."""

    inputs: NDArray[Any]
    targets: NDArray[Any]
    held_inputs: NDArray[Any]
    held_targets: NDArray[Any]


def held_out(
    rng: np.random.Generator,
    inputs: Any,
    targets: Any,
    *,
    share: float = 0.3,
    mix: bool = True,
) -> HeldOut:
    """Part data anew, so that nothing that was learnt at home is of any use.

    Args:
        rng: the check's.
        inputs: (n, …) examples.
        targets: (n, …) what they are to be mapped to; whole numbers are labels.
        share: of the examples that is held out.
        mix: whether inputs are turned by a random rotation of all their features, and labels are
            renamed. The task is as hard as before for what makes no difference between features,
            such as a dense network; not for a convolution. Without it, the examples alone are
            drawn, and who learnt them all at home, passes.

    Returns:
        Both parts, their examples in a random order.
    """
    inputs, targets = to_numpy(inputs), to_numpy(targets)
    count = len(inputs)
    held = round(share * count)
    if len(targets) != count or not 0 < held < count:
        raise ValueError(f"{count} inputs, {len(targets)} targets and share={share!r} do not fit")
    if mix:
        inputs = _rotated(rng, inputs)
        if targets.dtype.kind in "iu":
            targets = _renamed(rng, targets)
    order = rng.permutation(count)
    train, test = order[held:], order[:held]
    return HeldOut(inputs[train], targets[train], inputs[test], targets[test])


def assert_learnt(
    got: Any,
    targets: Any,
    *,
    metric: str | Metric = "accuracy",
    at_least: float | None = None,
    at_most: float | None = None,
    what: str = "predictions",
) -> None:
    """Require predictions on held-out data to be good enough, by a metric that is computed here.

    ::

        data = held_out(rng, *spirals(rng, n=600))
        got = student.train(data.inputs, data.targets, data.held_inputs)
        assert_learnt(got, data.held_targets, at_least=0.9)

    A function that returns parameters is judged by ``reference.predict(got, data.held_inputs)``.

    Args:
        got: the student's predictions. For ``"accuracy"`` labels, (n,), or a score for each class,
            (n, classes), of which the largest counts; else of the shape of the targets.
        targets: the right ones, which the session never gets.
        metric: ``"accuracy"``, ``"mean squared error"`` or ``"mean absolute error"``; or a function
            of predictions and targets, two arrays, that returns a number.
        at_least: what the metric must reach.
        at_most: what it may not exceed.
        what: what the predictions are called in the message.

    Raises:
        CheckFailure: they are not good enough, not finite, or have another shape.
    """
    if (at_least is None) == (at_most is None):
        raise ValueError("one of at_least= and at_most= must be given")
    note_kind(Kind.TRAINING)
    wanted = to_numpy(targets)
    name = metric if isinstance(metric, str) else metric.__name__.replace("_", " ")
    if metric == "accuracy":
        found = _accuracy(got, wanted, what)
    elif isinstance(metric, str):
        if metric not in _ERRORS:
            known = ", ".join(("accuracy", *_ERRORS))
            raise ValueError(f"metric must be one of {known}, or a function, got {metric!r}")
        found = _ERRORS[metric](_finite(got, wanted.shape, what), wanted)
    else:
        found = float(metric(_finite(got, None, what), wanted))
    if at_least is not None and not found >= at_least:
        raise CheckFailure(_said(name, found, len(wanted), f"at least {at_least:g}"), what)
    if at_most is not None and not found <= at_most:
        raise CheckFailure(_said(name, found, len(wanted), f"at most {at_most:g}"), what)


def _said(name: str, found: float, count: int, wanted: str) -> str:
    return f"{name} of {found:.3g} on {count} held-out examples, expected {wanted}"


def _accuracy(got: Any, targets: NDArray[Any], what: str) -> float:
    """Return the share of right labels; those that are told by scores have no ties."""
    numbers = _finite(got, None, what)
    if numbers.ndim == 2 and targets.ndim == 1 and numbers.shape[1] > 1:
        if len(numbers) != len(targets):
            assert_shape(numbers, (len(targets), numbers.shape[1]), what=what)
        best = np.max(numbers, axis=1, keepdims=True)
        right = np.take_along_axis(numbers, targets[:, None] % numbers.shape[1], axis=1) == best
        alone = np.sum(numbers == best, axis=1) == 1
        known = (targets >= 0) & (targets < numbers.shape[1])
        return float(np.mean(right[:, 0] & alone & known))
    assert_shape(numbers, targets.shape, what=what)
    return float(np.mean(numbers == targets))


def _finite(got: Any, shape: tuple[int, ...] | None, what: str) -> NDArray[Any]:
    """Return predictions as an array of finite real numbers."""
    refuse_object(got, what, "an array")
    try:
        extent = extent_of(got)
        if shape is not None and extent.shape != shape:
            raise CheckFailure(f"shape {extent.shape}, expected {shape}", what)
        numbers = to_array(got, extent)
    except NestError:
        raise CheckFailure(f"{kind(got)}, expected an array", what) from None
    if numbers.dtype.kind == "c":
        raise CheckFailure("complex values, expected real ones", what)
    if not np.isfinite(numbers).all():
        raise CheckFailure("a value that is not finite", what)
    return numbers


def _mean_squared_error(got: NDArray[Any], targets: NDArray[Any]) -> float:
    with np.errstate(over="ignore"):
        return float(np.mean((got.astype(float) - targets.astype(float)) ** 2))


def _mean_absolute_error(got: NDArray[Any], targets: NDArray[Any]) -> float:
    return float(np.mean(np.abs(got.astype(float) - targets.astype(float))))


_ERRORS: dict[str, Metric] = {
    "mean squared error": _mean_squared_error,
    "mean absolute error": _mean_absolute_error,
}


def _rotated(rng: np.random.Generator, inputs: NDArray[Any]) -> NDArray[Any]:
    """Return inputs with their features turned by one random rotation, in their dtype."""
    flat = inputs.reshape(len(inputs), -1)
    rotation, triangle = np.linalg.qr(rng.normal(size=(flat.shape[1], flat.shape[1])))
    rotation *= np.sign(np.diag(triangle))
    turned = (flat.astype(np.float64) @ rotation).reshape(inputs.shape)
    dtype = inputs.dtype if inputs.dtype.kind == "f" else np.dtype(np.float64)
    return np.asarray(turned, dtype)


def _renamed(rng: np.random.Generator, labels: NDArray[Any]) -> NDArray[Any]:
    names = np.unique(labels)
    renamed: NDArray[Any] = rng.permutation(names)[np.searchsorted(names, labels)]
    return renamed
