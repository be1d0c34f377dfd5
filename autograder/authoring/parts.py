"""Parts of a domain: numbers, choices, arrays and tensors, in the field's own terms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np

from autograder.authoring.domains import OMITTED, Factor, Kinds, Known, Part
from autograder.authoring.layouts import LAYOUTS, READ_ONLY, laid_out
from autograder.errors import SourceError

__all__ = [
    "arrays",
    "choices",
    "derived",
    "indices",
    "interval",
    "like",
    "tensors",
    "whole",
]

LEFT_OUT, INSIDE = "left out", "inside"
FEW = 12  # whole numbers, of which each is a kind of its own
NORMAL = "normal"
VALUES: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    NORMAL: lambda rng, shape: rng.normal(size=shape),
    "some zeros": lambda rng, shape: _some(rng, rng.normal(size=shape), 0.0),
    "ties": lambda rng, shape: rng.integers(-1, 2, size=shape).astype(float),
    "large": lambda rng, shape: 1e3 * rng.normal(size=shape),
    "tiny": lambda rng, shape: 1e-8 * rng.normal(size=shape),
    "zeros": lambda rng, shape: np.zeros(shape),
    "constant": lambda rng, shape: np.full(shape, rng.normal()),
}
LOWEST = "all at the low end"
BOUNDED = (INSIDE, "some at the low end", "some at the high end", LOWEST, "constant")
ALONE = frozenset({"zeros", "constant", LOWEST})
SHAPES = ((4,), (3, 2), (2, 3, 2), (), (1,))  # those that have layouts stand first, as theirs do
_OF_ITS_OWN = {"shape", "values", "low", "high", "scale", "layouts", "without"}  # in `like`
DTYPES = ("float64", "float32", "float16", "int64", "int32")


def interval(
    low: float, high: float, *, ends: str = "[]", log: bool = False, optional: bool = False
) -> Part:
    """Promise a number from an interval.

    Args:
        low: its lower end.
        high: its upper end.
        ends: which of them belong to it: ``[]`` both, ``[)`` the lower, ``(]`` the upper, ``()``
            none. Those that do are edges.
        log: whether its logarithm is drawn evenly.
        optional: whether the argument may be left out.
    """
    where = f"interval({low!r}, {high!r})"
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

    def factors(self, name: str) -> list[Factor]:
        edges = [f"{self.low:g}"] * (self.ends[0] == "[") + [f"{self.high:g}"] * (
            self.ends[1] == "]"
        )
        return [Factor(name, (INSIDE, *edges, *[LEFT_OUT] * self.optional))]

    def draw(self, name: str, known: Known) -> Any:
        kind = known.kinds.get(name, INSIDE)
        if kind == LEFT_OUT:
            return OMITTED
        if kind == f"{self.low:g}":
            return self.low
        if kind == f"{self.high:g}":
            return self.high
        share = known.rng.uniform(0.05, 0.95)
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return float(self.low + (self.high - self.low) * share)

    def words(self, name: str) -> str:
        left, right = self.ends[0], self.ends[1]
        text = f"a number in {left}{self.low:g}, {self.high:g}{right}"
        return f"{text}, or left out" if self.optional else text


def whole(low: int, high: int, *, optional: bool = False) -> Part:
    """Promise a whole number from ``low`` to ``high``, both of them included."""
    if not low <= high:
        raise SourceError(f"whole({low!r}, {high!r}): low must not be above high")
    return _Whole(low, high, optional)


@dataclass(frozen=True)
class _Whole(Part):
    low: int
    high: int
    optional: bool
    positional = False

    @property
    def _few(self) -> bool:
        return self.high - self.low < FEW

    def factors(self, name: str) -> list[Factor]:
        middle = (self.low + self.high + 1) // 2
        first = str(middle) if self._few else INSIDE
        kinds = [first, str(self.low), str(self.high)]
        if self._few and middle + 1 < self.high:
            kinds.append(str(middle + 1))  # an even and an odd one
        return [Factor(name, tuple(dict.fromkeys([*kinds, *[LEFT_OUT] * self.optional])))]

    def fixed(self, name: str, kinds: Kinds) -> Any:
        kind = kinds.get(name, self.factors(name)[0].typical)
        return None if kind in (INSIDE, LEFT_OUT) else int(kind)

    def draw(self, name: str, known: Known) -> Any:
        kind = known.kinds.get(name, self.factors(name)[0].typical)
        if kind == LEFT_OUT:
            return OMITTED
        if kind == INSIDE:
            return int(known.rng.integers(self.low + 1, self.high))
        return int(kind)

    def words(self, name: str) -> str:
        text = f"a whole number from {self.low} to {self.high}"
        return f"{text}, or left out" if self.optional else text


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

    def factors(self, name: str) -> list[Factor]:
        return [Factor(name, (*map(repr, self.values), *[LEFT_OUT] * self.optional))]

    def fixed(self, name: str, kinds: Kinds) -> Any:
        return self._of(kinds.get(name))

    def draw(self, name: str, known: Known) -> Any:
        kind = known.kinds.get(name)
        return OMITTED if kind == LEFT_OUT else self._of(kind)

    def _of(self, kind: str | None) -> Any:
        return next((v for v in self.values if repr(v) == kind), self.values[0])

    def words(self, name: str) -> str:
        *others, last = map(repr, self.values)
        text = f"{', '.join(others)} or {last}" if others else last
        return f"{text}, or left out" if self.optional else text


def arrays(
    shape: str = "...",
    *,
    values: Sequence[str] = tuple(VALUES),
    low: float | None = None,
    high: float | None = None,
    scale: float = 1.0,
    dtypes: Sequence[str] = ("float64",),
    layouts: Sequence[str] = ("strided", "columns", READ_ONLY),
    without: Sequence[str] = (),
) -> Part:
    """Promise a numpy array.

    Args:
        shape: the names or lengths of its axes, ``"n c 3 3"``, or ``"..."`` for any shape of up to
            three axes, that of a single number among them.
        values: which kinds of values there may be; the first is the typical one.
        low: the least value; with ``high`` the values are drawn evenly in between.
        high: the greatest value.
        scale: by which all values but ties are multiplied.
        dtypes: that it may have; the first is the typical one.
        layouts: how it may lie in memory other than in rows; ``"byte order"``, which PyTorch does
            not take, where it is asked for.
        without: kinds of values that there are not.

    Raises:
        SourceError: a word is none of those that there are.
    """
    return _arrays(shape, values, low, high, scale, dtypes, layouts, without, tensor=False)


def tensors(
    shape: str = "...",
    *,
    values: Sequence[str] = tuple(VALUES),
    low: float | None = None,
    high: float | None = None,
    scale: float = 1.0,
    dtypes: Sequence[str] = ("float32",),
    layouts: Sequence[str] = ("strided", "columns"),
    without: Sequence[str] = (),
) -> Part:
    """Promise a PyTorch tensor; see `arrays`."""
    return _arrays(shape, values, low, high, scale, dtypes, layouts, without, tensor=True)


def _arrays(
    shape: str,
    values: Sequence[str],
    low: float | None,
    high: float | None,
    scale: float,
    dtypes: Sequence[str],
    layouts: Sequence[str],
    without: Sequence[str],
    tensor: bool,
) -> "_Arrays":
    if (low is None) != (high is None):
        raise SourceError("arrays: low and high must be given together")
    if low is not None and high is not None:
        values = BOUNDED if low < high else (INSIDE,)
    for words, known, what in (
        (values, (*VALUES, *BOUNDED), "values"),
        (dtypes, DTYPES, "dtypes"),
        (layouts, LAYOUTS, "layouts"),
        (without, (*VALUES, *BOUNDED), "without"),
    ):
        if isinstance(words, str) or not all(word in known for word in words):
            raise SourceError(f"arrays: {what} must be of {', '.join(known)}, got {words!r}")
    values = [word for word in values if word not in without]
    if not values or not dtypes:
        raise SourceError("arrays: values and dtypes must have at least one word")
    bounds = None if low is None or high is None else (float(low), float(high))
    return _Arrays(
        tuple(shape.split()), tuple(values), bounds, scale, tuple(dtypes), tuple(layouts), tensor
    )


@dataclass(frozen=True)
class _Arrays(Part):
    shape: tuple[str, ...]
    values: tuple[str, ...]
    bounds: tuple[float, float] | None
    scale: float
    dtypes: tuple[str, ...]
    layouts: tuple[str, ...]
    tensor: bool
    same: str | None = None  # the argument whose dtype it has, and with no shape its shape too

    @property
    def axes(self) -> Sequence[str]:
        return [a for a in self.shape if a.isidentifier()]

    @property
    def _any(self) -> bool:
        return self.shape == ("...",)

    def factors(self, name: str) -> list[Factor]:
        found = [Factor(f"{name} values", self.values, ALONE & {*self.values[1:]})]
        if self._any:
            found.append(Factor(f"{name} shape", tuple(map(str, SHAPES)), shown=True))
        if self.same is None:
            found.append(Factor(f"{name} dtype", self.dtypes, shown=True))
        found.append(Factor(f"{name} layout", ("rows", *self.layouts)))
        return found

    def draw(self, name: str, known: Known) -> Any:
        dtype = known.kinds.get(f"{self.same or name} dtype", self.dtypes[0])
        if self.same and not self.shape:
            shape = tuple(known.values[self.same].shape)
        else:
            shape = self._shape(name, known)
        array = self._values(known.kinds.get(f"{name} values", self.values[0]), known.rng, shape)
        array = np.asarray(np.round(array) if dtype.startswith("int") else array, dtype)
        layout = known.kinds.get(f"{name} layout", "rows")
        value = _tensor(array) if self.tensor else array[()]  # a number where it has no axes
        return laid_out(value, "" if layout == "rows" else layout)

    def _shape(self, name: str, known: Known) -> tuple[int, ...]:
        if self._any:
            kind = known.kinds.get(f"{name} shape")
            return next((shape for shape in SHAPES if str(shape) == kind), SHAPES[0])
        return tuple(known.sizes[a] if a.isidentifier() else int(a) for a in self.shape)

    def _values(self, kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        if self.bounds is None:
            values = VALUES[kind](rng, shape)
            return values if kind == "ties" else self.scale * values
        low, high = self.bounds
        values = rng.uniform(low, high, size=shape)
        match kind:
            case "some at the low end":
                return _some(rng, values, low)
            case "some at the high end":
                return _some(rng, values, high)
            case "constant":
                return np.full(shape, rng.uniform(low, high))
            case "all at the low end":
                return np.full(shape, low)
        return values

    def words(self, name: str) -> str:
        what = "tensor" if self.tensor else "array"
        if self.same and not self.shape:
            return f"as {self.same}"
        shape = "of any shape" if self._any else f"({', '.join(self.shape)})"
        values = (
            f"with values from {self.bounds[0]:g} to {self.bounds[1]:g}"
            if self.bounds
            else f"with values: {', '.join(self.values)}"
        )
        layout = f"; in memory also: {', '.join(self.layouts)}" if self.layouts else ""
        return f"{what} {shape} of {' or '.join(self.dtypes)}, {values}{layout}"


def like(other: str, **changes: Any) -> Part:
    """Promise an array of the dtype and shape of another argument, which stands before it.

    Args:
        other: the name of that argument.
        changes: ``shape``, ``values``, ``low``, ``high``, ``scale``, ``layouts`` or ``without``
            where they are its own.
    """
    if unknown := set(changes) - _OF_ITS_OWN:
        raise SourceError(f"like({other!r}): there is no option {sorted(unknown)[0]!r}")
    return _Like(other, tuple(changes.items()))


@dataclass(frozen=True)
class _Like(Part):
    """Becomes an array as soon as the domain that it is in is known; see `resolved`."""

    other: str
    changes: tuple[tuple[str, Any], ...]


def resolved(parts: dict[str, Part]) -> dict[str, Part]:
    """Return parts of which each stands for itself.

    Raises:
        SourceError: one is to be like what is no array, or does not stand before it.
    """
    found: dict[str, Part] = {}
    for name, part in parts.items():
        if isinstance(part, _Like):
            other = found.get(part.other)
            if not isinstance(other, _Arrays):
                raise SourceError(
                    f"{name} must be like an array that stands before it, got {part.other!r}"
                )
            part = _as(other, part)
        found[name] = part
    return found


def _as(other: _Arrays, part: _Like) -> _Arrays:
    changes = dict(part.changes)
    low, high = other.bounds or (None, None)
    if "values" in changes or "low" in changes:
        low, high = changes.get("low"), changes.get("high")
    own = _arrays(
        changes.get("shape", ""),
        changes.get("values", other.values if other.bounds is None else tuple(VALUES)),
        low,
        high,
        changes.get("scale", other.scale),
        other.dtypes,
        changes.get("layouts", other.layouts),
        changes.get("without", ()),
        other.tensor,
    )
    return replace(own, same=other.same or part.other)


def indices(shape: str, *, below: str | int) -> Part:
    """Promise an array of whole numbers from 0 on, such as labels of classes.

    Args:
        shape: as that of `arrays`.
        below: the name of an axis or a number that is larger than each.
    """
    return _Indices(tuple(shape.split()), below)


@dataclass(frozen=True)
class _Indices(Part):
    shape: tuple[str, ...]
    below: str | int

    @property
    def axes(self) -> Sequence[str]:
        return [a for a in (*self.shape, str(self.below)) if a.isidentifier()]

    def factors(self, name: str) -> list[Factor]:
        return [Factor(f"{name} values", ("mixed", "all 0", "all the last"))]

    def draw(self, name: str, known: Known) -> Any:
        below = known.sizes[self.below] if isinstance(self.below, str) else self.below
        shape = tuple(known.sizes[a] if a.isidentifier() else int(a) for a in self.shape)
        match known.kinds.get(f"{name} values"):
            case "all 0":
                return np.zeros(shape, np.int64)
            case "all the last":
                return np.full(shape, below - 1)
        return known.rng.integers(0, below, size=shape)

    def words(self, name: str) -> str:
        return f"array ({', '.join(self.shape)}) of whole numbers from 0 to {self.below} - 1"


def derived(function: Callable[..., Any], said: str) -> Part:
    """Promise what is made from arguments that stand before it.

    Args:
        function: of ``rng`` and of some of those arguments, by their names.
        said: what it is, in words.
    """
    return _Derived(function, said)


@dataclass(frozen=True)
class _Derived(Part):
    function: Callable[..., Any]
    said: str

    def factors(self, name: str) -> list[Factor]:
        return []

    def draw(self, name: str, known: Known) -> Any:
        there = {"rng": known.rng, **known.sizes, **known.values}
        return self.function(**{n: there[n] for n in signature(self.function).parameters})

    def words(self, name: str) -> str:
        return self.said


def _some(rng: np.random.Generator, values: Any, value: float) -> Any:
    """Return values of which some are this one: the first is, if there is any."""
    chosen = rng.random(size=np.shape(values)) < 0.4
    if np.ndim(values):
        np.ravel(chosen)[:1] = True
    return np.where(chosen, value, values)


def _tensor(array: Any) -> Any:
    import torch  # only where a domain has tensors: a release may be without

    return torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))
