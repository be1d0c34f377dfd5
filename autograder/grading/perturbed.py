"""Right answers that differ: the reference, computed a little otherwise.

Two people who are both right differ in the last places: one sums from the other end, one rounds in
between, one works in single precision. These sessions compute with the reference as they would, so
that the spread of right answers can be measured.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.arrays import is_tensor
from autograder.authoring.devices import CUDA, device_of_this_run
from autograder.grading.reversed_sums import as_plain, as_reversed, reversed_torch
from autograder.sandbox.inside.host import Host
from autograder.sandbox.protocol.kinds import Apply, Call, Message
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = [
    "Perturbation",
    "PerturbedSession",
    "lower_precision",
    "nearby",
    "on_device",
    "perturbations",
    "reordered",
    "shaken",
    "single_precisions",
]

Change = Callable[[NDArray[Any]], NDArray[Any]]

NEARBY = 3  # directions in which inputs are perturbed
ROUND = 1024.0  # multiples of its inverse are numbers that somebody chose, not that were drawn


@dataclass(frozen=True)
class Perturbation:
    """What happens to each array that goes in, to each that comes out, and in between.

    Tensors go to the ``device``, if one is named. Where a ``dtype`` is, no other number changes.
    """

    name: str
    there: Change = lambda array: array
    back: Change = lambda array: array
    between: Callable[[], AbstractContextManager[Any]] = nullcontext
    device: str | None = None
    dtype: str | None = None


class PerturbedSession(InProcessSession):
    """A session in which code gets perturbed arguments and its values are moved back.

    Attributes:
        met: the dtypes of the numbers that came as arguments.

    Args:
        namespace: what the code behind it defined.
        move: how arguments and values change.
    """

    def __init__(self, namespace: dict[str, Any], move: Perturbation) -> None:
        self.met: set[np.dtype[Any]] = set()
        super().__init__(namespace, partial(_MovingHost, move=move, met=self.met))

    def processes(self) -> None:
        """Say that nothing is measured: to perturb costs more than to compute."""


def nearby(seed: int, dtype: str = "float64") -> Perturbation:
    """Perturbation each number of a dtype by one unit in its last place, up or down.

    Equal numbers move alike, and round ones (0, 1, 0.5, counts) not at all: ties stay ties, and
    what was put on a border stays there.
    """
    return Perturbation(
        "inputs perturbed by one unit in the last place",
        partial(_nudged, seed=seed, dtype=dtype),
        dtype=dtype,
    )


def shaken(share: float) -> Perturbation:
    """Move each number by a share of itself, up or down, also those that somebody chose."""
    return Perturbation(f"inputs moved by {share:.2g} of themselves", partial(_shaken, share))


def lower_precision() -> Perturbation:
    """Compute in single precision what comes in double."""
    return Perturbation("single precision", partial(_recast, "float64", "float32"), _widened)


def single_precisions() -> Iterator[Perturbation]:
    """Give the ways in which people answer in single precision what comes in double."""
    yield lower_precision()
    cast = partial(_recast, "float64", "float32")
    yield Perturbation("single precision, handed back in it", cast)
    yield Perturbation("double precision, handed back in single", back=cast)


def reordered() -> Perturbation:
    """Sum from the other end: sums, means and products of matrices."""
    return Perturbation("sums in the other order", as_reversed, as_plain, reversed_torch)


def on_device(device: str) -> Perturbation:
    """Compute with torch on a device, such as ``cuda``; what is made there is made on it."""
    return Perturbation(
        f"torch on {device}", between=partial(_default_device, device), device=device
    )


def perturbations() -> Iterator[tuple[Perturbation, str | None]]:
    """Give ways to compute, and of which dtype the values are that they say something about."""
    yield nearby(1), None
    yield nearby(1, "float32"), "float32"
    yield reordered(), None
    if "torch" in sys.modules and device_of_this_run() == CUDA:
        yield on_device(CUDA), None
    for seed in range(2, NEARBY + 1):
        yield nearby(seed), None
        yield nearby(seed, "float32"), "float32"


@contextmanager
def _default_device(device: str) -> Iterator[None]:
    import torch

    with torch.device(device):
        yield


def _shaken(share: float, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind != "f":
        return array
    moved = array * np.where(_goes_up(array, 1), 1 + share, 1 - share)
    return np.asarray(moved, array.dtype).reshape(array.shape)


def _nudged(array: NDArray[Any], seed: int, dtype: str) -> NDArray[Any]:
    if array.dtype != dtype:
        return array
    with np.errstate(all="ignore"):
        chosen = ~np.isfinite(array) | (array * ROUND == np.rint(array * ROUND))
        moved = np.where(
            _goes_up(array, seed), np.nextafter(array, np.inf), np.nextafter(array, -np.inf)
        )
    return np.where(chosen, array, moved).astype(array.dtype).reshape(array.shape)


def _goes_up(array: NDArray[Any], seed: int) -> NDArray[Any]:
    """Return which numbers move up: equal ones move alike."""
    bits = array.astype(np.float64).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15 + 2 * seed)
    return np.asarray((bits >> np.uint64(40)) & np.uint64(1) == 1)


def _recast(source: str, target: str, array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(target) if array.dtype == source else array


def _widened(array: NDArray[Any]) -> NDArray[Any]:
    return _recast("float32", "float64", array)


class _MovingHost(Host):
    def __init__(
        self, namespace: dict[str, Any], move: Perturbation, met: set[np.dtype[Any]]
    ) -> None:
        super().__init__(namespace)
        self._move, self._met = move, met

    def _arguments(self, request: Call | Apply) -> tuple[list[Any], dict[str, Any]]:
        args, kwargs = super()._arguments(request)
        device = self._move.device
        return _each(args, self._there, device), _each(kwargs, self._there, device)

    def _there(self, array: NDArray[Any]) -> NDArray[Any]:
        self._met.add(array.dtype)
        return self._move.there(array)

    def handle(self, request: Message, ask: Callable[[Message], Message]) -> Message:
        with self._move.between():
            return super().handle(request, ask)

    def _leaving(self, value: Any) -> Any:
        return _each(value, self._move.back)


def _each(value: Any, change: Change, device: str | None = None) -> Any:
    """Return a nest with each array, tensor and number changed; other objects stay.

    Tensors are on the device then, if one is named.
    """
    kind = type(value)
    if kind in (list, tuple):
        return kind(_each(item, change, device) for item in value)
    if kind is dict:
        return {key: _each(item, change, device) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, (float, np.float32, np.float64)):
        changed = change(np.array(value))
        return float(changed) if kind is float else changed[()]
    if is_tensor(value) and type(value).__name__ == "Tensor":  # a parameter stays its module's
        return _tensor(value, change, device or value.device)
    return value


def _tensor(value: Any, change: Change, device: Any) -> Any:
    import torch

    if value.dtype not in (torch.float32, torch.float64):
        return value.to(device)
    changed = torch.from_numpy(np.array(as_plain(change(value.detach().cpu().numpy()))))
    return changed.to(device).requires_grad_(value.requires_grad)
