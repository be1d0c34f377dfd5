"""Variations: inputs near those that the checks use, and some that are not near at all."""

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.authoring.arrays import dtype_name, is_array

__all__ = ["scaled", "varied_call", "varied_parameters"]

_LENGTHS = (1, 2, 3, 4, 5, 7)
_FACTORS = (1e-6, 1e-3, 0.1, 0.5, 2.0, 10.0, 1e3)
_DTYPES = {"float32": "float64", "float64": "float32"}
_RNG = np.random.Generator


def varied_call(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], rng: _RNG
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return other arguments of a function: other lengths of axes, other values, fewer keywords."""
    args, kwargs = copy.deepcopy((args, kwargs))
    if rng.random() < 0.5:
        lengths = sorted({n for a in _arrays((args, kwargs)) for n in a.shape})
        other = {n: int(rng.choice(_LENGTHS)) for n in lengths if rng.random() < 0.7}
        args, kwargs = _mapped(
            (args, kwargs), lambda a: _resized(a, other, rng) if is_array(a) else a
        )
    if rng.random() < 0.15:
        args, kwargs = _mapped((args, kwargs), _other_dtype)
    if rng.random() < 0.85:
        args, kwargs = _mapped(
            (args, kwargs), lambda v: _other(v, rng) if rng.random() < 0.4 else v
        )
    optional = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty and name in kwargs
    ]
    if optional and rng.random() < 0.2:
        del kwargs[str(rng.choice(optional))]
    return args, kwargs


def varied_parameters(parameters: dict[str, Any], rng: _RNG) -> dict[str, Any]:
    """Return the parameters of a case with one or two of them changed."""
    new = copy.deepcopy(parameters)
    for _ in range(int(rng.integers(1, 3))):
        if new:
            name = str(rng.choice(sorted(new)))
            new[name] = _near(new[name], rng)
    return new


def scaled(value: Any, direction: int) -> Any:
    """Return a nest with its floats a few roundings larger or smaller."""

    def nudged(leaf: Any) -> Any:
        name = dtype_name(leaf) if is_array(leaf) else type(leaf).__name__
        if name not in ("float", "float32", "float64"):
            return leaf
        step = 8 * float(np.finfo(np.float32 if name == "float32" else np.float64).eps)
        new = leaf * (1 + direction * step)
        return new.astype(name) if isinstance(leaf, np.ndarray) else new

    return _mapped(value, nudged)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a nest with each value that is no nest changed."""
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_mapped(item, change) for item in value)
    return change(value)


def _arrays(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _arrays(item)
    elif is_array(value):
        yield value


def _as_before(array: np.ndarray, former: Any) -> Any:
    """Return an array as what a former value was: an array of its dtype, or a tensor."""
    if isinstance(former, (np.ndarray, np.generic)):
        return np.asarray(array).astype(former.dtype)
    import torch

    return torch.from_numpy(np.ascontiguousarray(array)).to(former.dtype)


def _numbers(value: Any) -> np.ndarray:
    plain = value if isinstance(value, (np.ndarray, np.generic)) else value.detach().numpy()
    return np.asarray(plain)


def _resized(value: Any, other: dict[int, int], rng: _RNG) -> Any:
    """Return an array with other lengths, of entries of the former one, so that some come again."""
    array = _numbers(value)
    for axis, length in enumerate(array.shape):
        if other.get(length, length) != length and length:
            array = array.take(rng.integers(0, length, size=other[length]), axis)
    if array.dtype.kind == "f" and rng.random() < 0.7:
        array = array + array.std() * rng.normal(size=array.shape)
    return _as_before(array, value)


def _other_dtype(value: Any) -> Any:
    if not is_array(value) or dtype_name(value) not in _DTYPES:
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value).astype(_DTYPES[dtype_name(value)])
    return value.double() if dtype_name(value) == "float32" else value.float()


def _other(value: Any, rng: _RNG) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return not value
    if isinstance(value, int):
        return value + int(rng.choice((-1, 1, 2)))
    if isinstance(value, float):
        return value * float(rng.choice((*_FACTORS, -1.0, 0.0)))
    if not is_array(value):
        return value
    array = _numbers(value)
    if array.dtype.kind == "f":
        return _with_gradient(_as_before(_other_floats(array, rng), value), rng)
    if array.dtype.kind in "iu" and array.size:
        return _as_before(rng.permutation(array.ravel()).reshape(array.shape), value)
    return value


def _other_floats(array: np.ndarray, rng: _RNG) -> np.ndarray:
    kind = int(rng.integers(8))
    if kind == 0:
        return -array
    if kind == 1:
        return np.round(array)  # ties
    if kind == 2:
        return np.where(rng.random(array.shape) < 0.3, 0.0, array)
    if kind == 3:
        return np.zeros_like(array)
    if kind == 4:
        return np.full_like(array, array.flat[0] if array.size else 0.0)
    if kind == 5:
        return array + rng.normal(size=array.shape)
    return array * float(rng.choice(_FACTORS))


def _with_gradient(value: Any, rng: _RNG) -> Any:
    """Return a tensor that records gradients, half of the time."""
    if isinstance(value, np.ndarray) or rng.random() < 0.5:
        return value
    return value.requires_grad_()


def _near(value: Any, rng: _RNG) -> Any:
    """Return another parameter of a case."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(0, int(rng.choice((value - 1, value + 1, 2 * value))))
    if isinstance(value, float):
        return value * float(rng.choice(_FACTORS))
    if isinstance(value, str):
        return _DTYPES.get(value, value)
    if isinstance(value, dict) and value:
        name = str(rng.choice(sorted(value)))
        return {**value, name: _near(value[name], rng)}
    if isinstance(value, (tuple, list)) and value:
        i = int(rng.integers(len(value)))
        items = [*value[:i], _near(value[i], rng), *value[i + 1 :]]
        return type(value)(items if rng.random() < 0.8 else [*items, value[i]])
    return value
