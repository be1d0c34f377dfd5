"""Sums from the other end: the same numbers in another order, which is right as well."""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_plain", "as_reversed", "reversed_torch"]


def as_reversed(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view of an array whose sums, means and products are summed from the other end."""
    return array.view(_Reversed)


def as_plain(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view of an array that sums as numpy does."""
    return array.view(np.ndarray)


def reversed_torch() -> AbstractContextManager[Any]:
    """Sum from the other end in torch, inside the block."""
    if "torch" not in sys.modules:
        return nullcontext()
    return _torch_mode()


class _Reversed(np.ndarray):
    """An array whose sums are taken from the other end."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        if out:
            kwargs["out"] = tuple(as_plain(o) if isinstance(o, _Reversed) else o for o in out)
        plain = [as_plain(i) if isinstance(i, _Reversed) else i for i in inputs]
        if ufunc is np.add and method == "reduce":
            axis = kwargs.get("axis", 0)
            plain[0] = np.flip(plain[0], axis=axis) if np.ndim(plain[0]) else plain[0]
        elif ufunc is np.matmul and method == "__call__":
            left, right = map(np.asarray, plain)
            plain = [left[..., ::-1], np.flip(right, axis=max(right.ndim - 2, 0))]
        value = getattr(ufunc, method)(*plain, **kwargs)
        if out:
            return out[0] if len(out) == 1 else out
        return _each_reversed(value)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.dot, np.vdot) and len(args) == 2 and not kwargs:
            left, right = (np.asarray(as_plain(np.asarray(a))) for a in args)
            if left.ndim and right.ndim:
                flipped = np.flip(right, axis=max(right.ndim - 2, 0))
                return _each_reversed(function(left[..., ::-1], flipped))
        return super().__array_function__(function, types, args, kwargs)


def _each_reversed(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_each_reversed, value))
    return as_reversed(value) if type(value) is np.ndarray else value


def _torch_mode() -> AbstractContextManager[Any]:
    import torch
    from torch.overrides import TorchFunctionMode

    sums = (torch.sum, torch.Tensor.sum, torch.mean, torch.Tensor.mean)
    products = (torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__, torch.mm, torch.bmm)

    class Reversed(TorchFunctionMode):
        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if function in sums and args[0].is_floating_point():
                args = (
                    args[0].flip(list(range(args[0].ndim)))
                    if len(args) == 1 and not kwargs
                    else args[0],
                    *args[1:],
                )
            elif function in products and len(args) == 2:
                left, right = args
                if left.ndim and right.ndim:
                    args = (left.flip(-1), right.flip(max(right.ndim - 2, 0)))
            elif function is torch.nn.functional.linear:
                args = (args[0].flip(-1), args[1].flip(-1), *args[2:])
            return function(*args, **(kwargs or {}))

    return Reversed()
