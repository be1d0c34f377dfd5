"""Calls: what a function or a module of the answers does with its arguments, as plain values."""

import copy
import re
import sys
import zlib
from contextlib import nullcontext
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from autograder.audit.mutation.variations import leaves, mapped
from autograder.authoring.arrays import NUMERIC, is_array, to_numpy
from autograder.authoring.assertions import assert_close
from autograder.errors import CheckFailure
from autograder.grading.watchdog import watchdog
from autograder.sandbox.inside.host import Host
from autograder.sandbox.protocol.kinds import Message, Seed

__all__ = ["CALL_SECONDS", "Call", "agree", "is_finite", "outcome", "watched"]

CALL_SECONDS = 1.0
CALLS = 3  # of each case that are kept
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # in what an object calls itself, another in each run
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_SEEDED = Host({})  # whose generators are those of this process
_NOISE = 0.3  # on the parameters of a module, which may start at zeros and ones


@dataclass(frozen=True)
class Call:
    """A call of what a student is asked for.

    For a module, ``args`` are those of its making and its call: (args, kwargs, args, kwargs,
    whether it trains).
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __str__(self) -> str:
        parts = [_summary(a) for a in self.args]
        parts += [f"{key}={_summary(value)}" for key, value in self.kwargs.items()]
        return f"{self.name}({', '.join(parts)})"


def watched(name: str, target: Any, made: list[Call]) -> Any:
    """Return a function or module that keeps its first calls; None for anything else."""
    if isinstance(target, FunctionType):

        def watching(*args: Any, **kwargs: Any) -> Any:
            _keep(made, name, args, kwargs)
            return target(*args, **kwargs)

        return watching
    if not _is_module(target):
        return None

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        object.__setattr__(self, "_made_by", (args, kwargs))
        target.__init__(self, *args, **kwargs)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        _keep(made, name, (*self._made_by, args, kwargs, self.training), {})
        return target.__call__(self, *args, **kwargs)

    return type(target.__name__, (target,), {"__init__": begin, "__call__": call})


def outcome(target: Any, call: Call, pure: bool) -> list[Any] | None:
    """Return what a call returns and does; None if it raises.

    Args:
        target: a function or a module's class.
        call: whose arguments it gets, as copies.
        pure: whether arrays that it changes in place count.
    """
    try:
        args, kwargs = _copied((call.args, call.kwargs))
        _SEEDED.handle(Seed(0), _no_callback)
        with (
            watchdog(CALL_SECONDS, of_processor=True),
            np.errstate(all="ignore"),
            _recording_gradients(),
        ):
            module = None
            if isinstance(target, type):
                module = _made(target, args[0], args[1], args[4])
                args, kwargs = args[2], args[3]
            value = (module or target)(*args, **kwargs)
            slopes = _slopes(value, (args, kwargs, _parameters(module)))
        after = [_after(leaf, pure) for leaf in leaves((args, kwargs, module))]
    except BaseException:  # SystemExit too
        return None
    return [value, slopes, after]


def _no_callback(message: Message) -> Message:
    raise AssertionError(f"{type(message).__name__} to seed generators")


def agree(got: list[Any] | None, want: list[Any] | None) -> bool:
    """Return whether two outcomes are the same within the default tolerances."""
    if got is None:
        return False
    try:
        if not _is_identical(got, want):
            assert_close(got, want)
    except CheckFailure:
        return False
    except Exception:  # a value that nothing can be said of
        return False
    return True


def _is_identical(got: Any, want: Any) -> bool:
    """Return whether two nests of plain values are equal: what is the same need not be measured."""
    kind = type(want)
    if type(got) is not kind:
        return False
    if kind in (list, tuple):
        return len(got) == len(want) and all(map(_is_identical, got, want))
    if kind is dict:
        return got.keys() == want.keys() and all(_is_identical(got[key], want[key]) for key in want)
    if is_array(want):
        if got.dtype != want.dtype or got.shape != want.shape:
            return False
        return bool((got == want).all())
    return kind in _PLAIN and bool(got == want)


def is_finite(value: Any) -> bool:
    """Return whether a nest holds plain values only, and no number in it is infinite or NaN."""
    return all(_is_finite_leaf(leaf) for leaf in leaves(value))


def _is_finite_leaf(leaf: Any) -> bool:
    if is_array(leaf):
        numbers = to_numpy(leaf)
        return numbers.dtype.kind in NUMERIC and bool(np.isfinite(numbers).all())
    if isinstance(leaf, (float, complex)):
        return bool(np.isfinite(leaf))
    return leaf is None or isinstance(leaf, (bool, int, str, bytes))


def _is_module(target: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(target, type) and issubclass(target, torch.nn.Module)


def _keep(made: list[Call], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if len(made) < CALLS:
        try:
            made.append(Call(name, *_copied((args, kwargs))))
        except Exception:  # an object that cannot be copied
            return


def _copied(value: Any) -> Any:
    """Return a nest of copies; of a tensor that was computed, without how."""
    memo: dict[int, Any] = {}

    def one(leaf: Any) -> Any:
        if hasattr(leaf, "requires_grad") and not leaf.is_leaf:
            return leaf.detach().clone().requires_grad_(leaf.requires_grad)
        return copy.deepcopy(leaf, memo)

    return mapped(value, one)


def _made(target: Any, args: Any, kwargs: Any, trains: bool) -> Any:
    """Return a module whose parameters are no zeros and ones."""
    module = target(*args, **kwargs)
    import torch

    with torch.no_grad():
        for name, parameter in module.named_parameters():
            generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            noise = torch.randn(parameter.shape, generator=generator)
            parameter += _NOISE * noise.to(parameter.dtype)
    return module.train(trains)


def _parameters(module: Any) -> dict[str, Any]:
    return dict(sorted(module.named_parameters())) if module is not None else {}


def _recording_gradients() -> Any:
    torch = sys.modules.get("torch")
    return nullcontext() if torch is None else torch.enable_grad()


def _slopes(value: Any, arguments: Any) -> list[Any]:
    """Return the gradients of the sum of what is returned, by each argument that has one."""
    sums = [leaf.sum() for leaf in leaves(value) if getattr(leaf, "requires_grad", False)]
    by = [leaf for leaf in leaves(arguments) if getattr(leaf, "requires_grad", False)]
    if not (sums and by):
        return [len(sums), len(by)]
    import torch

    return [len(sums), len(by), *torch.autograd.grad(sums, by, allow_unused=True)]


def _after(leaf: Any, pure: bool) -> Any:
    """Return what of an argument is compared after the call: a model's state, an array."""
    if callable(getattr(leaf, "state_dict", None)):
        state = leaf.state_dict()
        return [state[name] for name in sorted(state) if is_array(state[name])]
    return leaf if pure and is_array(leaf) else None


def _summary(value: Any) -> str:
    if is_array(value) and getattr(value, "shape", ()) != ():
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_summary(v) for v in value[:8])}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={_summary(v)}' for key, v in value.items())}}}"
    text = f"{value:.3g}" if isinstance(value, float) else repr(value)
    return _ADDRESS.sub("", text)[:60]
