"""Shrinking: from inputs that fail to the smallest ones of the same domain that still do.

What is found is promised by the prompt, too: as much of it is typical as can be, then it is as
small as can be, then of numbers that a person reads at a glance. Hypothesis, whose order of
shrinking it is, is not run here: it draws inputs of its own, in its own time and from a database of
examples, where a grading must be quick and the same each time.
"""

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from autograder.authoring.checks import Case
from autograder.authoring.domains import Domain
from autograder.authoring.factors import Factor
from autograder.grading.simpler import MOST_ENTRIES, put, simpler, simpler_entries, span_of

__all__ = ["oddity", "shrunk"]

Fails = Callable[[Case], bool]

ROUNDS = 3  # of kinds and sizes; what one round has made small lets another be typical
FIRST = 2  # whole numbers that are tried before the distance is halved


@dataclass(frozen=True)
class _Smaller(Case):
    """A drawn case with values in place of some that are drawn."""

    instead: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    def arguments(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the parameters."""
        assert self.domain is not None
        return self.domain.draw(self.kinds or {}, rng, self.instead)

    def with_value(self, name: str, value: Any) -> "_Smaller":
        """Return the case with a value of an argument, which whoever gets it may change."""
        return replace(self, instead={**self.instead, name: partial(put, value)})


def shrunk(case: Case, rng: Callable[[], np.random.Generator], fails: Fails) -> Case:
    """Return the smallest case found that fails as a drawn one does.

    Args:
        case: that fails.
        rng: returns a fresh generator of the case's inputs.
        fails: whether another case does; it may say no to all of them from some time on.
    """
    if case.domain is None:
        raise ValueError(f"case {case.name!r} is not drawn")
    search = _Search(case.domain, case, rng, fails)
    for _ in range(ROUNDS):
        before = search.best
        search.make_typical()
        search.make_small()
        if search.best is before:
            break
    search.make_simple()
    before = search.best
    search.make_small()  # simple numbers fail in fewer axes, too, where a random one may not
    if search.best is not before:
        search.make_simple()
    return search.best


def oddity(case: Case) -> int:
    """Return how much of a drawn case is not typical."""
    if case.domain is None:
        return 0
    kinds = case.kinds or {}
    return sum(kinds.get(n, f.typical) != f.typical for n, f in case.domain.factors.items())


class _Search:
    """Looks for smaller cases.

    Attributes:
        best: the smallest so far that fails.
    """

    def __init__(
        self, domain: Domain, case: Case, rng: Callable[[], np.random.Generator], fails: Fails
    ) -> None:
        self._domain, self._rng, self._fails = domain, rng, fails
        self.best = _Smaller(case.name, {}, case.hidden, domain, dict(case.kinds or {}))

    def make_typical(self) -> None:
        """Turn each kind that is not typical back, one after the other, if the case still fails."""
        for name, factor in self._domain.factors.items():
            if self._is_counted(factor):
                continue  # of two sizes the smaller one is better
            if self._kind(factor) != factor.typical:
                self._try_kind(name, factor.typical)

    def make_small(self) -> None:
        """Make axes short and whole numbers small, as long as the case still fails."""
        for name, factor in self._domain.factors.items():
            if name.endswith(" shape"):
                self._make_shape_small(factor)
            elif (span := self._span(factor)) is not None:
                current = self._number(factor)
                if isinstance(current, int):
                    self._make_number_small(name, current, *span)

    def make_simple(self) -> None:
        """Put simple numbers in place of those that are drawn."""
        for name, part in self._domain.parts.items():
            self._try_values(name, simpler(part, self._value(name)))
            for place in range(MOST_ENTRIES):
                self._try_values(name, simpler_entries(part, self._value(name), place))

    def _try_values(self, name: str, values: Iterator[Any]) -> None:
        """Take the first of some values of an argument with which the case still fails."""
        for value in values:
            if self._try(self.best.with_value(name, value)):
                return

    def _make_shape_small(self, factor: Factor) -> None:
        def size(kind: str) -> tuple[int, bool]:
            shape = ast.literal_eval(kind)
            return math.prod(shape), not shape  # a plain number is the odd one of size 1

        current = self._kind(factor)
        for kind in sorted(factor.kinds, key=size):
            if size(kind) >= size(current) or self._try_kind(factor.name, kind):
                return

    def _make_number_small(self, name: str, current: int, low: int, high: int) -> None:
        """Bring a whole number as near as can be to the one that is nearest to 0."""
        nearest = min(max(0, low), high)
        step = 1 if current > nearest else -1
        passing, failing = -1, abs(current - nearest)  # how far from there
        while failing - passing > 1:
            tried = passing + 1 if passing + 1 < FIRST else (passing + failing) // 2
            if self._try_kind(name, str(nearest + step * tried)):
                failing = tried
            else:
                passing = tried

    def _try_kind(self, name: str, kind: str) -> bool:
        kinds = {**(self.best.kinds or {}), name: kind}
        return self._domain.allows(kinds) and self._try(replace(self.best, kinds=kinds))

    def _try(self, case: _Smaller) -> bool:
        if not self._fails(case):
            return False
        self.best = case
        return True

    def _kind(self, factor: Factor) -> str:
        return (self.best.kinds or {}).get(factor.name, factor.typical)

    def _value(self, name: str) -> Any:
        return self.best.arguments(self._rng()).get(name)

    def _is_counted(self, factor: Factor) -> bool:
        """Return whether a factor's kind is a shape or a whole number now."""
        if factor.name.endswith(" shape"):
            return True
        return self._span(factor) is not None and isinstance(self._number(factor), int)

    def _span(self, factor: Factor) -> tuple[int, int] | None:
        """Return between which whole numbers the kinds of a factor are, if they are any."""
        if factor.name in self._domain.sizes_of({}):
            sizes = [int(kind) for kind in factor.kinds]
            return min(sizes), max(sizes)
        return span_of(self._domain.parts.get(factor.name))

    def _number(self, factor: Factor) -> Any:
        """Return the whole number that a factor stands for, if one is drawn."""
        if factor.name in self._domain.parts:
            return self._value(factor.name)
        return int(self._kind(factor))
