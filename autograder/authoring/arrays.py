"""Arrays and tensors alike: what a value is, and its numbers as numpy has them."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "NUMERIC",
    "bytes_of",
    "dtype_name",
    "is_array",
    "is_tensor",
    "named_dtype",
    "to_numpy",
]

NUMERIC = "biufc"  # the kinds of dtypes that hold numbers


def is_array(value: Any) -> bool:
    """Return whether a value is a numpy array or scalar, or a tensor."""
    return isinstance(value, (np.ndarray, np.generic)) or is_tensor(value)


def to_numpy(value: Any) -> NDArray[Any]:
    """Return the numbers of an array or a tensor; those of a bfloat16 tensor as float32."""
    if not is_tensor(value):
        return np.asarray(value)
    plain = value.detach().cpu().resolve_conj().resolve_neg()
    array: NDArray[Any] = (plain.float() if dtype_name(value) == "bfloat16" else plain).numpy()
    return array


def dtype_name(value: Any) -> str:
    """Return a dtype's common name (`float32`) for an array, a tensor or a Python number."""
    return _name_of(value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype)


@lru_cache(maxsize=256)
def _name_of(dtype: Any) -> str:
    """Return a dtype's name: it is slow to tell its own."""
    name = getattr(dtype, "name", None)  # the same in each byte order
    return str(dtype).removeprefix("torch.") if name is None else str(name)


def named_dtype(dtype: Any) -> str | None:
    """Return the name of a dtype: "float64", np.float64, np.dtype("f8"), float, torch.float64.

    None where it is none: an array or a number, which has a dtype.
    """
    if type(dtype).__module__.partition(".")[0] == "torch" and type(dtype).__name__ == "dtype":
        return str(dtype).removeprefix("torch.")
    if isinstance(dtype, str) and dtype.removeprefix("torch.") == "bfloat16":
        return "bfloat16"  # which numpy does not know
    if not isinstance(dtype, (str, type, np.dtype)):
        return None
    return str(np.dtype(dtype.removeprefix("torch.") if isinstance(dtype, str) else dtype))


def bytes_of(value: Any) -> int:
    """Return the bytes of all arrays and tensors in a nest."""
    if isinstance(value, dict):
        return sum(map(bytes_of, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(bytes_of, value))
    return int(value.nbytes) if is_array(value) else 0


def is_tensor(value: Any) -> bool:
    """Return whether a value is a tensor."""
    # By name: a release may be without torch, and this module never imports it.
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach")
