"""Parts of a domain that are no arrays: numbers, choices, and what is made from other arguments."""

import copy
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, signature
from typing import Any

from autograder.authoring.factors import OMITTED, UNKNOWN, Factor, Kinds, Known, Part
from autograder.authoring.values import INSIDE
from autograder.authoring.wording import LEFT_OUT
from autograder.errors import SourceError

__all__ = ["choices", "derived", "interval", "whole"]

FEW = 12  # whole numbers, of which each is a kind of its own
LONGEST = 40  # characters of a choice, as the name of a case has it


def interval(
    low: float, high: float, *, ends: str = "[]", log: bool = False, optional: bool = False
) -> Part:
    """Promise a number from an interval.

    Args:
        low: its lower end.
        high: its upper end.
        ends: which of them belong to it: ``[]`` both, ``[)`` the lower, ``(]`` the upper, ``()``
            none. Those that do are edges, and so is 0 where it lies inside.
        log: whether its logarithm is drawn evenly.
        optional: whether the argument may be left out.

    Raises:
        SourceError: the ends are no such numbers.
    """
    where = f"interval({low!r}, {high!r})"
    if not all(map(_is_finite, (low, high))):
        raise SourceError(f"{where}: low and high must be finite numbers")
    if not low < high:
        raise SourceError(f"{where}: low must be below high")
    if ends not in ("[]", "[)", "(]", "()"):
        raise SourceError(f"{where}: ends must be one of [], [), (], (), got {ends!r}")
    if log and low <= 0:
        raise SourceError(f"{where}: low must be above 0 where its logarithm is drawn")
    return _Interval(float(low), float(high), ends, log, optional)


@dataclass(frozen=True)
class _Interval(Part):
    low: float
    high: float
    ends: str
    log: bool
    optional: bool
    positional = False

    @property
    def _edges(self) -> dict[str, float]:
        """The ends that belong to it, and 0 where it lies inside, by what they are called."""
        found = [self.low] * (self.ends[0] == "[") + [self.high] * (self.ends[1] == "]")
        found += [0.0] * (self.low < 0 < self.high)
        return {_number(edge): edge for edge in found}

    @property
    def may_be_zero(self) -> bool:  # type: ignore[override]
        return 0.0 in self._edges.values()

    def factors(self, name: str) -> list[Factor]:
        kinds = (INSIDE, *self._edges, *[LEFT_OUT] * self.optional)
        return [Factor(name, kinds, scales=True)]

    def draw(self, name: str, known: Known) -> Any:
        kind = known.kinds.get(name, INSIDE)
        if kind == LEFT_OUT:
            return OMITTED
        if kind in self._edges:
            return self._edges[kind]
        share = known.rng.uniform(0.05, 0.95)
        if self.log:
            return math.exp(math.log(self.low) * (1 - share) + math.log(self.high) * share)
        return float(self.low * (1 - share) + self.high * share)

    def words(self) -> str:
        above = "at least" if self.ends[0] == "[" else "above"
        below = "at most" if self.ends[1] == "]" else "below"
        text = f"a number, {above} {_number(self.low)} and {below} {_number(self.high)}"
        return _or_left_out(text, self.optional)


def whole(
    low: int, high: int, *, usual: tuple[int, int] | None = None, optional: bool = False
) -> Part:
    """Promise a whole number from ``low`` to ``high``, both of them included.

    Args:
        low: the least.
        high: the greatest.
        usual: the least and the greatest of typical inputs, where that is a narrow part of a wide
            range: the number of a step, say, of which the first few tell most.
        optional: whether the argument may be left out.

    Raises:
        SourceError: the numbers are no such numbers.
    """
    where = f"whole({low!r}, {high!r})"
    if not (type(low) is int and type(high) is int):
        raise SourceError(f"{where}: low and high must be whole numbers")
    if not low <= high:
        raise SourceError(f"{where}: low must not be above high")
    few = high - low < FEW
    if usual is None:
        middle = (low + high + 1) // 2
        usual = (middle, middle) if few else (low + 1, high - 1)
    elif few or not _are_between(low, usual, high):
        raise SourceError(
            f"{where}: usual must be two whole numbers from {low} to {high}, in order, and these "
            f"{FEW} or more apart, got {usual!r}"
        )
    return _Whole(low, high, usual, optional)


def _are_between(low: int, usual: object, high: int) -> bool:
    match usual:
        case (int(first), int(last)):
            return low <= first <= last <= high
    return False


@dataclass(frozen=True)
class _Whole(Part):
    low: int
    high: int
    usual: tuple[int, int]
    optional: bool
    positional = False

    @property
    def _kinds(self) -> tuple[str, ...]:
        """A middle one, the ends, and where there are few of them one more: even and odd."""
        few = self.high - self.low < FEW
        middle, _ = self.usual
        kinds = [str(middle) if few else INSIDE, str(self.low), str(self.high)]
        if few and middle + 1 < self.high:
            kinds.append(str(middle + 1))
        return tuple(dict.fromkeys(kinds))

    @property
    def may_be_zero(self) -> bool:  # type: ignore[override]
        return self.low <= 0 <= self.high

    def factors(self, name: str) -> list[Factor]:
        return [Factor(name, (*self._kinds, *[LEFT_OUT] * self.optional))]

    def fixed(self, name: str, kinds: Kinds) -> Any:
        kind = kinds.get(name, self._kinds[0])
        if kind == LEFT_OUT:
            return OMITTED
        return UNKNOWN if kind == INSIDE else int(kind)

    def draw(self, name: str, known: Known) -> Any:
        value = self.fixed(name, known.kinds)
        if value is UNKNOWN:
            return int(known.rng.integers(self.usual[0], self.usual[1] + 1))
        return value

    def words(self) -> str:
        text = f"a whole number from {self.low} to {self.high}"
        if self.low == self.high:
            text = f"always {self.low}"
        return _or_left_out(text, self.optional)


def choices(*values: Any, optional: bool = False) -> Part:
    """Promise one of some values; the first is the typical one, and each is tried."""
    if not values:
        raise SourceError("choices must have at least one value")
    texts = [repr(value) for value in values]
    if len(set(texts)) < len(texts):
        raise SourceError(f"choices must differ, got ({', '.join(texts)})")
    return _Choices(values, optional)


@dataclass(frozen=True)
class _Choices(Part):
    values: tuple[Any, ...]
    optional: bool
    positional = False

    @property
    def _by_kind(self) -> dict[str, Any]:
        """The values, by what they are called; a long one also by its place."""
        texts = [" ".join(repr(value).split()) for value in self.values]
        short = [
            t if len(t) <= LONGEST else f"{t[:LONGEST]}… ({n})" for n, t in enumerate(texts, 1)
        ]
        return dict(zip(short, self.values, strict=True))

    @property
    def may_be_zero(self) -> bool:  # type: ignore[override]
        plain = (int, float, str, tuple)
        return not all(isinstance(value, plain) and value for value in self.values)

    def factors(self, name: str) -> list[Factor]:
        return [Factor(name, (*self._by_kind, *[LEFT_OUT] * self.optional))]

    def fixed(self, name: str, kinds: Kinds) -> Any:
        kind = kinds.get(name)
        return OMITTED if kind == LEFT_OUT else self._by_kind.get(kind or "", self.values[0])

    def draw(self, name: str, known: Known) -> Any:
        value = self.fixed(name, known.kinds)
        return value if value is OMITTED else copy.deepcopy(value)

    def words(self) -> str:
        *others, last = self._by_kind
        text = f"{', '.join(others)} or {last}" if others else f"always {last}"
        return _or_left_out(text, self.optional)


def derived(function: Callable[..., Any], said: str) -> Part:
    """Promise what is made from arguments that stand before it.

    Args:
        function: of ``rng`` and of some of those arguments and sizes, by their names.
        said: what it is, in words that follow its name.

    Raises:
        SourceError: the function does not name what it takes.
    """
    if not callable(function):
        raise SourceError(f"derived must have a function, such as lambda x: -x, got {function!r}")
    if not (isinstance(said, str) and said.strip()):
        raise SourceError(f"derived must say in words what it is, got {said!r}")
    named = Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY
    parameters = signature(function).parameters.values()
    if any(p.kind not in named for p in parameters):
        raise SourceError("derived: the function must name each argument that it takes")
    return _Derived(function, " ".join(said.split()).rstrip("."))


@dataclass(frozen=True)
class _Derived(Part):
    function: Callable[..., Any]
    said: str

    @cached_property
    def _parameters(self) -> tuple[str, ...]:
        return tuple(signature(self.function).parameters)

    @property
    def needs(self) -> Sequence[str]:
        return [name for name in self._parameters if name != "rng"]

    def factors(self, name: str) -> list[Factor]:
        return []

    def draw(self, name: str, known: Known) -> Any:
        there = {"rng": known.rng, **known.sizes, **known.values}
        taken = {n: there[n] for n in self._parameters}
        given = {n: None if value is OMITTED else value for n, value in taken.items()}
        return self.function(**given)

    def words(self) -> str:
        return self.said


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max


def _number(value: float) -> str:
    """Return a number in the shortest form that tells it from all others."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e6 else repr(value)


def _or_left_out(text: str, optional: bool) -> str:
    return f"{text}, or left out" if optional else text
