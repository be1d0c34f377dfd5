"""Variations: inputs near those that the checks use, and some that are not near at all."""

import copy
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.authoring.arrays import dtype_name, is_array, to_numpy

__all__ = ["leaves", "mapped", "scaled", "varied_call", "varied_parameters"]

_LENGTHS = (1, 2, 3, 4, 5, 7)
_FACTORS = (1e-6, 1e-3, 0.1, 0.5, 2.0, 10.0, 1e3)
_SIZES = (1e-6, 1e-3, 0.1, 10.0, 1e2, 1e3, 1e4)  # of arrays
_DTYPES = {"float32": "float64", "float64": "float32"}
_RNG = np.random.Generator


def varied_call(
    target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], rng: _RNG
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return other arguments: other lengths of axes, other values, fewer keywords."""
    args, kwargs = copy.deepcopy((args, kwargs))
    if rng.random() < 0.4:
        args, kwargs = _other_lengths((args, kwargs), rng)
    if rng.random() < 0.2:
        args, kwargs = _other_axis((args, kwargs), rng)
    if rng.random() < 0.15:
        args, kwargs = mapped((args, kwargs), _other_dtype)
    if rng.random() < 0.85:
        args, kwargs = mapped((args, kwargs), lambda v: _other(v, rng) if rng.random() < 0.4 else v)
    optional = [
        name
        for name, parameter in inspect.signature(target).parameters.items()
        if parameter.default is not inspect.Parameter.empty and name in kwargs
    ]
    if optional and rng.random() < 0.2:
        del kwargs[str(rng.choice(optional))]
    return args, kwargs


def _other_lengths(arguments: Any, rng: _RNG) -> Any:
    """Give axes of one length another one, all alike; in half of the cases integers too."""
    lengths = sorted({n for a in _arrays(arguments) for n in a.shape if n})
    other = {n: int(rng.choice(_LENGTHS)) for n in lengths if rng.random() < 0.7}
    integers = rng.random() < 0.5

    def change(value: Any) -> Any:
        if is_array(value):
            axes = {i: other[n] for i, n in enumerate(value.shape) if n in other}
            return _resized(value, axes, rng)
        return other.get(value, value) if integers and type(value) is int else value

    return mapped(arguments, change)


def _other_axis(arguments: Any, rng: _RNG) -> Any:
    """Give a single axis of a single array another length; not 1, which fits any other."""
    places = [(i, k) for i, a in enumerate(_arrays(arguments)) for k, n in enumerate(a.shape) if n]
    if not places:
        return arguments
    chosen, axis = places[int(rng.integers(len(places)))]
    count = itertools.count()

    def change(value: Any) -> Any:
        if is_array(value) and next(count) == chosen:
            return _resized(value, {axis: int(rng.choice(_LENGTHS[1:]))}, rng)
        return value

    return mapped(arguments, change)


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
        if hasattr(leaf, "requires_grad"):
            new = leaf.detach() * (1 + direction * step)
            return new.requires_grad_(leaf.requires_grad)
        new = leaf * (1 + direction * step)
        return new.astype(name) if isinstance(leaf, np.ndarray) else new

    return mapped(value, nudged)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a nest with each value that is no nest changed."""
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    if type(value) in (tuple, list):
        return type(value)(mapped(item, change) for item in value)
    return change(value)


def leaves(value: Any) -> Iterator[Any]:
    """Give each value in a nest that is no nest."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def _arrays(value: Any) -> Iterator[Any]:
    return filter(is_array, leaves(value))


def _as_before(array: np.ndarray, former: Any) -> Any:
    """Return an array as what a former value was: an array of its dtype, or a tensor."""
    if isinstance(former, (np.ndarray, np.generic)):
        return np.asarray(array).astype(former.dtype)
    import torch

    return torch.from_numpy(np.ascontiguousarray(array)).to(former.dtype)


def _resized(value: Any, axes: dict[int, int], rng: _RNG) -> Any:
    """Return an array with other lengths, of entries of the former one, so that some come again."""
    array = to_numpy(value)
    for axis, length in axes.items():
        if length != array.shape[axis]:
            array = array.take(rng.integers(0, array.shape[axis], size=length), axis)
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
    array = to_numpy(value)
    if array.dtype.kind == "f":
        return _with_gradient(_as_before(_other_floats(array, rng), value), rng)
    if array.dtype.kind in "iu" and array.size:
        return _as_before(rng.permutation(array.ravel()).reshape(array.shape), value)
    return value


def _other_floats(array: np.ndarray, rng: _RNG) -> np.ndarray:
    """Return other numbers: of another size or sign, with ties, with zeros, one slice enlarged."""
    kind, factor = int(rng.integers(10)), float(rng.choice(_SIZES))
    if kind == 0:
        return -array
    if kind == 1:
        return np.round(array)
    if kind == 2:
        return np.where(rng.random(array.shape) < 0.3, 0.0, array)
    if kind == 3:
        return np.zeros_like(array)
    if kind == 4:
        return np.full_like(array, array.flat[0] if array.size else 0.0)
    if kind == 5:
        return array + rng.normal(size=array.shape)
    if kind == 6 and array.size and array.ndim:
        axis = int(rng.integers(array.ndim))
        larger = np.arange(array.shape[axis]) == rng.integers(array.shape[axis])
        shape = [-1 if i == axis else 1 for i in range(array.ndim)]
        return array * np.where(larger, factor, 1.0).reshape(shape)
    return array * factor


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
