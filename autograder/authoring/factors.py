"""Factors: what of an argument varies on its own, and parts, which draw a value of some kinds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["OMITTED", "UNKNOWN", "Factor", "Kinds", "Known", "Part"]

Kinds = Mapping[str, str]  # by factor
OMITTED = object()  # stands for the value of an argument that is left out
UNKNOWN = object()  # stands for a value that the kinds of a draw do not tell


@dataclass(frozen=True)
class Factor:
    """What of an input varies on its own.

    Attributes:
        name: unique in its domain: the argument's, with what of it varies behind a blank.
        kinds: the first is typical.
        alone: kinds that hide what else is odd, such as an array of zeros; none of them is drawn
            together with another edge unless a pair of the two is wanted.
        shown: whether the second kind is worth a visible case: another shape, another dtype.
        scales: whether an end may hide what arrays hold, as a rate of 0 does; then its ends are
            drawn with typical arrays.
    """

    name: str
    kinds: tuple[str, ...]
    alone: frozenset[str] = frozenset()
    shown: bool = False
    scales: bool = False

    @property
    def typical(self) -> str:
        """The kind that most inputs are of."""
        return self.kinds[0]


@dataclass
class Known:
    """What is drawn so far of one case: parts that come later are drawn to fit."""

    kinds: Kinds
    rng: np.random.Generator
    sizes: Mapping[str, int]
    values: dict[str, Any] = field(default_factory=dict)


class Part:
    """What a domain promises of one argument. Subclasses say what can be drawn."""

    positional = True  # whether a call passes it by its place, as arrays are
    optional = False  # whether it may be left out
    may_be_zero = True  # whether it may be 0, or another value that is false

    def factors(self, name: str) -> list[Factor]:
        """Return what varies of the argument of this name."""
        raise NotImplementedError

    def draw(self, name: str, known: Known) -> Any:
        """Return a value of the kinds that are wanted."""
        raise NotImplementedError

    def fixed(self, name: str, kinds: Kinds) -> Any:
        """Return the value if the kinds alone decide it, else `UNKNOWN`: for ``where``."""
        return UNKNOWN

    def void(self, name: str, kinds: Kinds, sizes: Mapping[str, int]) -> Iterable[str]:
        """Return the factors whose kinds change nothing in a draw, such as columns of a vector."""
        return ()

    def governing(self, name: str) -> Iterable[str]:
        """Return the factors, sizes among them, on which `void` hangs."""
        return ()

    def require(self, name: str, least: Mapping[str, int]) -> None:
        """Refuse least sizes with which no value can be drawn."""

    def words(self) -> str:
        """Return what is promised of the argument, in words that follow its name."""
        raise NotImplementedError

    def edges_in_words(self) -> Mapping[str, str]:
        """Return what else there may be: in words, by what they are about, "values of" it, say."""
        return {}

    def writable(self) -> "Part":
        """Return the part for a function that may change its arguments in place."""
        return self

    @property
    def axes(self) -> Sequence[str]:
        """The names of sizes that it brings in."""
        return ()

    @property
    def needs(self) -> Sequence[str]:
        """The sizes, and the arguments that must stand before it, of which it is made."""
        return ()
