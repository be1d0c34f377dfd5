"""Domains: which inputs a prompt promises, said once and drawn from.

A domain has a *part* for each argument. A part has one or more *factors*, such as the values, the
layout and the dtype of an array, and a factor has *kinds*, of which the first is typical and the
others are the edges of what is promised. A draw is a kind for each factor; which ones are drawn is
decided when an assignment is compiled (`autograder.authoring.draws`). The numbers themselves come
from the generator of the case, and are new for each submission.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from inspect import signature
from typing import Any

import numpy as np

from autograder.authoring.layouts import READ_ONLY
from autograder.errors import SourceError

__all__ = ["OMITTED", "Domain", "Factor", "Known", "Part"]

Kinds = Mapping[str, str]  # by factor
TYPICAL = "typical inputs"
OMITTED = object()  # stands for an argument that is left out


@dataclass(frozen=True)
class Factor:
    """What of an input varies on its own.

    Attributes:
        name: unique in its domain: the argument's, with what of it varies behind a blank.
        kinds: the first is typical.
        alone: kinds that hide what else is odd, such as an array of zeros; none of them is drawn
            together with another edge unless a pair of the two is wanted.
        shown: whether the second kind is worth a visible case: another shape, another dtype.
    """

    name: str
    kinds: tuple[str, ...]
    alone: frozenset[str] = frozenset()
    shown: bool = False

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

    def factors(self, name: str) -> list[Factor]:
        """Return what varies of the argument of this name."""
        raise NotImplementedError

    def draw(self, name: str, known: Known) -> Any:
        """Return a value of the kinds that are wanted."""
        raise NotImplementedError

    def fixed(self, name: str, kinds: Kinds) -> Any:
        """Return the value if the kinds alone decide it, else None: for ``where``."""
        return None

    def words(self, name: str) -> str:
        """Return what is promised of the argument, in words."""
        raise NotImplementedError

    @property
    def axes(self) -> Sequence[str]:
        """The names of sizes that it needs."""
        return ()


@dataclass(frozen=True)
class Size:
    """A whole number of entries along an axis, from ``low`` to ``high``.

    The typical one is none of its ends, and another one for each axis, so that axes that are
    exchanged are told apart.
    """

    low: int
    high: int
    typical: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """The typical size and the two ends."""
        return tuple(dict.fromkeys(map(str, (self.typical, self.low, self.high))))


_UNLIKE = (3, 2, 5, 4, 7, 6)  # the typical sizes of axes, one after the other


@dataclass(frozen=True, eq=False)
class Domain:
    """The inputs that a prompt promises.

    Attributes:
        parts: by argument, in the order in which they are passed.
        sizes: the least and the greatest length of each axis that parts name.
        where: which sizes and whole numbers fit together: a function of some of them by name,
            which returns a truth value; None where all do.
        visible: how many draws a release shows.
        pure: whether an argument may be read-only, since nobody may change it.
    """

    parts: Mapping[str, Part]
    sizes: Mapping[str, tuple[int, int]]
    where: Callable[..., bool] | None = None
    visible: int = 2
    pure: bool = True

    def __post_init__(self) -> None:
        if not self.parts:
            raise SourceError("a domain must have at least one argument, such as w=arrays()")
        for name, part in self.parts.items():
            if not isinstance(part, Part):
                raise SourceError(
                    f"{name} must be a part of a domain, such as interval(0, 1) or arrays(), got "
                    f"{part!r}; for one value write choices({part!r})"
                )
        for name, (low, high) in self.sizes.items():
            if not 0 <= low <= high:
                raise SourceError(f"the size {name} must be from low to high, got ({low}, {high})")
        if not (isinstance(self.visible, int) and 0 <= self.visible <= 2):
            raise SourceError(f"visible must be 0, 1 or 2 draws, got {self.visible!r}")
        if unknown := [n for n in self._asked_by_where if n not in {*self.parts, *self._axes}]:
            raise SourceError(f"where asks for {unknown[0]!r}, which is no argument and no size")

    @cached_property
    def _axes(self) -> dict[str, Size]:
        """The axes that parts name, in that order."""
        found: dict[str, Size] = {}
        names = dict.fromkeys(axis for part in self.parts.values() for axis in part.axes)
        for number, name in enumerate([*names, *(n for n in self.sizes if n not in names)]):
            low, high = self.sizes.get(name, (1, 5))
            typical = _UNLIKE[number % len(_UNLIKE)]
            if not low < typical < high:
                typical = min(max(typical, low), high)
            found[name] = Size(low, high, typical)
        return found

    @cached_property
    def factors(self) -> dict[str, Factor]:
        """All that varies, by name."""
        own = [Factor(name, size.kinds, shown=True) for name, size in self._axes.items()]
        own += [f for name, part in self.parts.items() for f in part.factors(name)]
        if not self.pure:
            own = [replace(f, kinds=tuple(k for k in f.kinds if k != READ_ONLY)) for f in own]
        return {factor.name: factor for factor in own if len(factor.kinds) > 1}

    @cached_property
    def typical(self) -> dict[str, str]:
        """The draw of which everything is typical.

        Raises:
            SourceError: ``where`` does not allow it.
        """
        draw = {name: factor.typical for name, factor in self.factors.items()}
        if not self.allows(draw):
            raise SourceError(
                f"where must allow the typical draw ({self._known_to_where(draw)}); choose other "
                "sizes, or put the most usual choice first"
            )
        return draw

    @cached_property
    def _asked_by_where(self) -> tuple[str, ...]:
        return tuple(signature(self.where).parameters) if self.where else ()

    def allows(self, kinds: Kinds) -> bool:
        """Return whether such inputs are promised.

        Raises:
            SourceError: ``where`` asks for what is drawn anew for each submission.
        """
        return self.where is None or bool(self.where(**self._known_to_where(kinds)))

    def _known_to_where(self, kinds: Kinds) -> dict[str, Any]:
        sizes = self.sizes_of(kinds)
        found = {}
        for name in self._asked_by_where:
            value = sizes[name] if name in sizes else self.parts[name].fixed(name, kinds)
            if value is None:
                raise SourceError(
                    f"where must ask for sizes, choices and whole numbers of few values; {name} is "
                    "drawn anew for each submission"
                )
            found[name] = value
        return found

    def sizes_of(self, kinds: Kinds) -> dict[str, int]:
        """Return the length of each axis."""
        return {name: int(kinds.get(name, size.typical)) for name, size in self._axes.items()}

    def draw(
        self,
        kinds: Kinds,
        rng: np.random.Generator,
        instead: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> dict[str, Any]:
        """Return the arguments of a draw, new with each generator; what is left out is not there.

        Args:
            kinds: of each factor; those that are missing are typical.
            rng: of the case.
            instead: what to put in place of what is drawn of some arguments.
        """
        known = Known(kinds, rng, self.sizes_of(kinds))
        for name, part in self.parts.items():
            known.values[name] = part.draw(name, known)
            if instead and name in instead:
                known.values[name] = instead[name](known.values[name])
        return {name: value for name, value in known.values.items() if value is not OMITTED}

    def name_of(self, kinds: Kinds) -> str:
        """Return what a draw is called: by all of it that is not typical."""
        odd: dict[str, list[str]] = {}  # by the kind: the arguments that are of it
        for name, factor in self.factors.items():
            kind = kinds.get(name, factor.typical)
            if kind != factor.typical:
                argument, of, _ = name.partition(" ")
                odd.setdefault(f" {kind}" if of else f" = {kind}", []).append(argument)
        return ", ".join(f"{'/'.join(names)}{kind}" for kind, names in odd.items()) or TYPICAL

    def words(self) -> list[str]:
        """Return what is promised of each argument, in words, and of the sizes."""
        said = [f"{name}: {part.words(name)}" for name, part in self.parts.items()]
        for name, size in self._axes.items():
            said.append(f"{name}: {_range(size.low, size.high)}")
        return said


def _range(low: Any, high: Any) -> str:
    return f"{low}" if low == high else f"from {low} to {high}"
