"""Options of arrays: what an author may write of shapes, dtypes, values and ends."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.authoring.values import INSIDE, SpanError, drawn_between
from autograder.errors import SourceError

__all__ = [
    "as_tensor",
    "axes_of",
    "bounds_of",
    "lengths_of",
    "require_span",
    "shape_words",
    "words_of",
]


def bounds_of(maker: str, low: Any, high: Any) -> tuple[float, float] | None:
    """Return the ends between which values lie, or None where none are given."""
    if low is None and high is None:
        return None
    for end in (low, high):
        if isinstance(end, bool) or not (isinstance(end, (int, float)) and math.isfinite(end)):
            raise SourceError(
                f"{maker}: low and high must be given together, as finite numbers, got {low!r} and "
                f"{high!r}"
            )
    if low > high:
        raise SourceError(f"{maker}: low must not be above high, got {low!r} and {high!r}")
    return float(low), float(high)


def require_span(maker: str, dtype: str, low: float, high: float) -> None:
    """Refuse ends between which a dtype has no number."""
    try:
        if dtype not in ("bool", "complex128", "complex64"):
            drawn_between(INSIDE, np.random.default_rng(0), (1,), dtype, low, high)
            return
    except SpanError:
        pass
    raise SourceError(f"{maker}: there is no {dtype} from {low:g} to {high:g}; leave one out")


def words_of(maker: str, what: str, words: Any, known: Sequence[str]) -> tuple[str, ...]:
    """Return words of which each is known, once; a dtype may be numpy's or PyTorch's own."""
    if what == "dtypes" and isinstance(words, (tuple, list)):
        words = [w if isinstance(w, str) else _dtype_name(w) for w in words]
    if not isinstance(words, (tuple, list)) or not all(word in known for word in words):
        raise SourceError(
            f"{maker}: {what} must be a tuple of some of {', '.join(known)}, got {words!r}"
        )
    return tuple(dict.fromkeys(words))


def _dtype_name(dtype: Any) -> str:
    name = getattr(dtype, "__name__", None) or getattr(dtype, "name", None) or str(dtype)
    return str(name).removeprefix("torch.")


def axes_of(maker: str, shape: Any) -> tuple[str, ...]:
    """Return the words of a shape, each of which is the name or the length of an axis."""
    axes = tuple(shape.split()) if isinstance(shape, str) else ()
    fine = all(a.isidentifier() or (a.isascii() and a.isdigit()) for a in axes) or axes == ("...",)
    if not isinstance(shape, str) or not fine:
        raise SourceError(
            f"{maker}: shape must be names or lengths of axes, such as 'n c 3 3', or '...' for "
            f"any, got {shape!r}"
        )
    return axes


def lengths_of(shape: Iterable[str], sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return the lengths of named axes."""
    return tuple(sizes[a] if a.isidentifier() else int(a) for a in shape)


def shape_words(shape: Sequence[str]) -> str:
    """Return a shape as Python writes it: (n,)."""
    return f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"


def as_tensor(array: Any) -> Any:
    """Return a tensor with the numbers of an array."""
    import torch  # only where a domain has tensors: a release may be without

    return torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))
