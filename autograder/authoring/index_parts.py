"""Parts of a domain that are whole numbers from 0 on, such as labels and places."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.authoring.array_options import as_tensor, axes_of, lengths_of, shape_words
from autograder.authoring.factors import Factor, Kinds, Known, Part
from autograder.errors import SourceError

__all__ = ["indices"]


def indices(shape: str, *, below: str | int, tensor: bool = False) -> Part:
    """Promise an array of whole numbers from 0 on, such as labels of classes, as int64.

    Args:
        shape: as that of `arrays`, but for ``"..."``.
        below: the name of an axis or a number that is larger than each.
        tensor: whether it is a PyTorch tensor.

    Raises:
        SourceError: the shape or the number is none.
    """
    axes = axes_of("indices", shape)
    if axes == ("...",):
        raise SourceError("indices: shape must be names or lengths of axes, such as 'n', got '...'")
    fine = below.isidentifier() if isinstance(below, str) else type(below) is int and below > 0
    if not fine:
        raise SourceError(
            f"indices: below must be a whole number above 0, or the name of an axis, got {below!r}"
        )
    return _Indices(axes, below, tensor)


@dataclass(frozen=True)
class _Indices(Part):
    shape: tuple[str, ...]
    below: str | int
    tensor: bool

    @property
    def axes(self) -> Sequence[str]:
        return [a for a in (*self.shape, str(self.below)) if a.isidentifier()]

    def require(self, name: str, least: Mapping[str, int]) -> None:
        if isinstance(self.below, str) and least[self.below] < 1:
            raise SourceError(
                f"{name} has no index below {self.below}, which may be 0; let its size be 1 or more"
            )

    def factors(self, name: str) -> list[Factor]:
        return [Factor(f"{name} values", ("mixed", "all 0", "all the last"))]

    def governing(self, name: str) -> Iterable[str]:
        return self.axes

    def void(self, name: str, kinds: Kinds, sizes: Mapping[str, int]) -> Iterable[str]:
        some = 0 not in lengths_of(self.shape, sizes)
        return [] if some and self._below(sizes) > 1 else [f"{name} values"]

    def draw(self, name: str, known: Known) -> Any:
        below, shape = self._below(known.sizes), lengths_of(self.shape, known.sizes)
        match known.kinds.get(f"{name} values"):
            case "all 0":
                found = np.zeros(shape, np.int64)
            case "all the last":
                found = np.full(shape, below - 1)
            case _:
                found = np.asarray(known.rng.integers(0, below, size=shape))
        return as_tensor(found) if self.tensor else found

    def _below(self, sizes: Mapping[str, int]) -> int:
        return sizes[self.below] if isinstance(self.below, str) else self.below

    def words(self) -> str:
        what = "a tensor" if self.tensor else "an array"
        last = f"{self.below} - 1" if isinstance(self.below, str) else str(self.below - 1)
        return f"{what} of shape {shape_words(self.shape)} of whole numbers from 0 to {last}"
