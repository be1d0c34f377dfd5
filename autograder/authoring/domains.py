"""Domains: which inputs a prompt promises, said once and drawn from.

A domain has a *part* for each argument. A part has one or more *factors*, such as the values, the
layout and the dtype of an array, and a factor has *kinds*, of which the first is typical and the
others are the edges of what is promised. A draw is a kind for each factor; which ones are drawn is
decided when an assignment is compiled (`autograder.authoring.draws`). The numbers themselves come
from the generator of the case, and are new for each submission.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, signature
from itertools import islice, product
from typing import Any

import numpy as np

from autograder.authoring.factors import OMITTED, UNKNOWN, Factor, Kinds, Known, Part
from autograder.authoring.sizes import SPAN, Size, near, require_size, usual_size
from autograder.authoring.wording import called, worded
from autograder.errors import SourceError

__all__ = ["Domain"]

TYPICAL = "typical inputs"
_MOST_SIZES = 10_000  # that are looked through for some that fit together


@dataclass(frozen=True, eq=False)
class Domain:
    """The inputs that a prompt promises.

    Attributes:
        parts: by argument, in the order in which they are passed.
        sizes: the least and the greatest length of each axis that parts name.
        where: which sizes and whole numbers fit together: a function of some of them by name,
            which returns a truth value; None where all do. It gets None for what is left out.
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
        if not isinstance(self.sizes, Mapping):
            raise SourceError(f"sizes must be a dict, such as {{'n': (1, 5)}}, got {self.sizes!r}")
        if type(self.visible) is not int or not 0 <= self.visible <= 2:
            raise SourceError(f"visible must be 0, 1 or 2 draws, got {self.visible!r}")
        if not self.pure:
            written = {name: part.writable() for name, part in self.parts.items()}
            object.__setattr__(self, "parts", written)
        self._require_order()
        used = {n for part in self.parts.values() for n in (*part.axes, *part.needs)}
        for name, size in self.sizes.items():
            require_size(name, size)
            if name not in used and name not in self._asked_by_where:
                raise SourceError(f"sizes has {name!r}, which no argument has as an axis")
        for name in self._asked_by_where:
            if name not in self.parts and name not in self._axis_names:
                raise SourceError(f"where asks for {name!r}, which is no argument and no size")
        least = {name: self.sizes.get(name, SPAN)[0] for name in self._axis_names}
        for name, part in self.parts.items():
            part.require(name, least)
        for name in self._axis_names:
            if name in self.parts and self.parts[name].factors(name):
                raise SourceError(
                    f"{name!r} is an argument and an axis too; rename the axis, or where it is the "
                    f"length of the axis write {name}=derived(lambda {name}: {name}, 'its length')"
                )

    def _require_order(self) -> None:
        """Refuse a part that needs what does not stand before it."""
        before: list[str] = []
        for name, part in self.parts.items():
            if missing := [n for n in part.needs if n not in (*before, *self._axis_names)]:
                there = ", ".join([*before, *self._axis_names]) or "nothing"
                raise SourceError(
                    f"{name} is made of {missing[0]!r}, which must be a size or an argument that "
                    f"stands before it; there is {there}"
                )
            before.append(name)

    @cached_property
    def _axis_names(self) -> list[str]:
        own = (axis for part in self.parts.values() for axis in part.axes)
        return list(dict.fromkeys([*own, *self.sizes]))

    @cached_property
    def _axes(self) -> dict[str, Size]:
        """The axes, in their order; their typical sizes fit together, if any do."""
        spans = {name: self.sizes.get(name, SPAN) for name in self._axis_names}
        usual = {name: usual_size(n, *spans[name]) for n, name in enumerate(spans)}
        asked = [name for name in spans if name in self._asked_by_where]
        ways = product(*(near(usual[name], *spans[name]) for name in asked))
        for sizes in islice(ways, _MOST_SIZES):
            tried = {**usual, **dict(zip(asked, sizes, strict=True))}
            if self._where_says(tried, {}):
                usual = tried
                break
        return {name: Size(*spans[name], usual[name]) for name in spans}

    @cached_property
    def factors(self) -> dict[str, Factor]:
        """All that varies, by name."""
        own = []
        for number, (name, size) in enumerate(self._axes.items()):
            first, *ends = size.kinds
            # Of two axes side by side one is short where the other is long.
            ends = ends[::-1] if number % 2 else ends
            own.append(Factor(name, (first, *ends), shown=True))
        own += [f for name, part in self.parts.items() for f in part.factors(name)]
        return {factor.name: factor for factor in own if len(factor.kinds) > 1}

    def governing(self, names: Iterable[str]) -> list[Factor]:
        """Return the factors on which it hangs whether a draw with kinds of some others fits."""
        found = dict.fromkeys(names)
        for factor in list(found):
            part = self.parts.get(argument := factor.partition(" ")[0])
            if part is not None:
                found |= dict.fromkeys(part.governing(argument))
        if not found.keys().isdisjoint(self._asked_by_where):
            found |= dict.fromkeys(self._asked_by_where)
        return [self.factors[name] for name in found if name in self.factors]

    @cached_property
    def typical(self) -> dict[str, str]:
        """The draw of which everything is typical.

        Raises:
            SourceError: ``where`` does not allow it.
        """
        draw = dict(self._usual)
        if not self.allows(draw):
            known = self._known_to_where(self.sizes_of(draw), draw)
            said = ", ".join(f"{name}={value!r}" for name, value in known.items())
            raise SourceError(
                f"where must be true of typical inputs, got False for {said}; choose other sizes, "
                "or put the most usual choice first"
            )
        return draw

    @cached_property
    def _usual(self) -> dict[str, str]:
        """The typical kind of each factor, whether they fit together or not."""
        return {name: factor.typical for name, factor in self.factors.items()}

    @cached_property
    def _asked_by_where(self) -> tuple[str, ...]:
        if self.where is None:
            return ()
        if not callable(self.where):
            raise SourceError(
                f"where must be a function, such as lambda n, k: n >= k, got {self.where!r}"
            )
        parameters = signature(self.where).parameters
        if any(p.kind is not Parameter.POSITIONAL_OR_KEYWORD for p in parameters.values()):
            raise SourceError("where must name each size and argument that it asks for")
        return tuple(parameters)

    def allows(self, kinds: Kinds) -> bool:
        """Return whether such inputs are promised.

        Raises:
            SourceError: ``where`` asks for what is drawn anew for each submission, or it raises.
        """
        return self._where_says(self.sizes_of(kinds), kinds)

    def void(self, kinds: Kinds) -> list[str]:
        """Return the factors of a draw whose kinds, none of them typical, change nothing in it."""
        odd = {name for name, kind in self._usual.items() if kinds.get(name, kind) != kind}
        if not odd:
            return []
        sizes = self.sizes_of(kinds)
        found = [n for name, part in self.parts.items() for n in part.void(name, kinds, sizes)]
        return [name for name in found if name in odd]

    def fits(self, kinds: Kinds) -> bool:
        """Return whether such inputs are promised, and are in all what the draw says."""
        return not self.void(kinds) and self.allows(kinds)

    def settled(self, kinds: Kinds) -> dict[str, str]:
        """Return a draw with what changes nothing made typical."""
        return {**kinds, **{name: self._usual[name] for name in self.void(kinds)}}

    def _where_says(self, sizes: Mapping[str, int], kinds: Kinds) -> bool:
        if self.where is None:
            return True
        known = self._known_to_where(sizes, kinds)
        try:
            return bool(self.where(**known))
        except Exception as error:
            said = ", ".join(f"{name}={value!r}" for name, value in known.items())
            raise SourceError(
                f"where must return True or False; for {said} it raised "
                f"{type(error).__name__}: {error}"
            ) from None

    def _known_to_where(self, sizes: Mapping[str, int], kinds: Kinds) -> dict[str, Any]:
        found = {}
        for name in self._asked_by_where:
            value = sizes[name] if name in sizes else self.parts[name].fixed(name, kinds)
            if value is UNKNOWN:
                raise SourceError(
                    f"where must ask for sizes, choices and whole numbers of few values; {name} is "
                    "drawn anew for each submission"
                )
            found[name] = None if value is OMITTED else value
        return found

    def require_known(self, kinds: Kinds) -> None:
        """Refuse a draw of another domain, such as this one was before it was changed.

        Raises:
            SourceError: it has a factor or a kind that there is none of here.
        """
        for name, kind in kinds.items():
            if name not in self.factors or kind not in self.factors[name].kinds:
                raise SourceError(f"its domain has no draw with {name}: {kind}; compile it again")

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

    def may_omit(self, name: str) -> bool:
        """Return whether an argument may be left out."""
        return self.parts[name].optional

    def name_of(self, kinds: Kinds) -> str:
        """Return what a draw is called: by all of it that is not typical."""
        chosen = {name: kinds.get(name, f.typical) for name, f in self.factors.items()}
        odd = {n: kind for n, kind in chosen.items() if kind != self.factors[n].typical}
        return called(odd) or TYPICAL

    def words(self) -> list[str]:
        """Return what is promised in words: of each argument, of its edges, and of the sizes."""
        said = {name: part.words() for name, part in self.parts.items()}
        edges = {name: part.edges_in_words() for name, part in self.parts.items()}
        lines = worded(said, edges)
        if spans := [f"{name} {size.words}" for name, size in self._axes.items()]:
            lines.append(f"sizes: {', '.join(spans)}")
        if self._asked_by_where:
            lines.append(f"{', '.join(self._asked_by_where)}: such as fit together")
        return lines
