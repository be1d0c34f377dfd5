"""Parts of a domain that are arrays or tensors."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograder.authoring.array_options import (
    as_tensor,
    axes_of,
    bounds_of,
    lengths_of,
    require_span,
    shape_words,
    words_of,
)
from autograder.authoring.factors import OMITTED, Factor, Kinds, Known, Part
from autograder.authoring.layouts import LAYOUTS, READ_ONLY, has_layout, laid_out
from autograder.authoring.values import (
    ALONE,
    BOUNDED,
    DTYPES,
    INSIDE,
    VALUES,
    drawn_between,
    drawn_values,
    is_telling,
    value_words,
)
from autograder.authoring.wording import LEFT_OUT
from autograder.errors import SourceError

__all__ = ["arrays", "like", "resolved", "tensors"]

ROWS, GIVEN = "rows", "given"
SHAPES = ((4,), (3, 2), (2, 3, 2), (1,), ())  # those that have layouts stand first, as theirs do
OF_TENSORS = ("strided", "columns")
LAYOUT_WORDS = {
    "strided": "strided",
    "columns": "by columns",
    READ_ONLY: READ_ONLY,
    "byte order": "in the other byte order",
}
USUAL = ("strided", "columns", READ_ONLY)  # PyTorch takes no other byte order
_OWN = (  # what `like` may change
    *("shape", "values", "without", "low", "high", "scale", "layouts", "grad", "optional"),
)


def arrays(
    shape: str = "...",
    *,
    values: Sequence[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    scale: float = 1.0,
    dtypes: Sequence[Any] = ("float64",),
    layouts: Sequence[str] = USUAL,
    without: Sequence[str] = (),
    optional: bool = False,
) -> Part:
    """Promise a numpy array.

    Args:
        shape: the names or lengths of its axes, ``"n c 3 3"``; ``""`` for a single number;
            ``"..."`` for any shape of up to three axes, that of a single number among them.
        values: which kinds of values there may be; the first is the typical one.
        low: the least value; with ``high`` the values are drawn evenly in between.
        high: the greatest value.
        scale: by which all floats but ties are multiplied.
        dtypes: that it may have; the first is the typical one.
        layouts: how it may lie in memory other than in rows; ``"byte order"``, which
            `torch.from_numpy` does not take, only where it is asked for.
        without: kinds of values that there are not.
        optional: whether it may be left out; what stands behind it is then passed by its name.

    Raises:
        SourceError: a word is none of those that there are, or no value lies between the ends.
    """
    bounds = bounds_of("arrays", low, high)
    made = _Arrays("arrays", shape, values, bounds, scale, dtypes, layouts, False, optional)
    return _checked(made, without)


def tensors(
    shape: str = "...",
    *,
    values: Sequence[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    scale: float = 1.0,
    dtypes: Sequence[Any] = ("float32",),
    layouts: Sequence[str] = OF_TENSORS,
    without: Sequence[str] = (),
    grad: bool = False,
    optional: bool = False,
) -> Part:
    """Promise a PyTorch tensor; see `arrays`.

    Args:
        shape: as for `arrays`, like all that follow.
        values: kinds of values.
        low: the least value.
        high: the greatest value.
        scale: of floats.
        dtypes: that it may have.
        layouts: strided and columns, or one of them, or none.
        without: kinds of values that there are not.
        grad: whether it requires a gradient.
        optional: whether it may be left out.

    Raises:
        SourceError: as for `arrays`.
    """
    bounds = bounds_of("tensors", low, high)
    made = _Arrays("tensors", shape, values, bounds, scale, dtypes, layouts, grad, optional)
    return _checked(made, without)


@dataclass(frozen=True)
class _Arrays(Part):
    """Arrays or tensors; `_checked` looks at what was asked for."""

    maker: str
    shape: Any  # a text, and its words as soon as it is checked
    values: Any
    bounds: tuple[float, float] | None
    scale: float
    dtypes: Any
    layouts: Any
    grad: bool
    optional: bool
    same: str | None = None  # the argument whose dtype it has
    alike: bool = False  # whether it has the shape of that argument too

    @property
    def axes(self) -> Sequence[str]:
        return [] if self.alike else [a for a in self.shape if a.isidentifier()]

    @property
    def needs(self) -> Sequence[str]:
        return [self.same] if self.same else []

    @property
    def _any(self) -> bool:
        return bool(self.shape == ("...",))

    def edges_in_words(self) -> Mapping[str, str]:
        ways = [LAYOUT_WORDS[way] for way in self.layouts]
        said = {"values of": value_words(self.values), "in memory": ways}
        return {what: ", ".join(words) for what, words in said.items() if words}

    def factors(self, name: str) -> list[Factor]:
        found = [Factor(f"{name} values", self.values, ALONE & {*self.values[1:]})]
        if self._any and not self.alike:
            found.append(Factor(f"{name} shape", tuple(map(str, SHAPES)), shown=True))
        if self.same is None:
            found.append(Factor(f"{name} dtype", self.dtypes, shown=True))
        found.append(Factor(f"{name} layout", (ROWS, *self.layouts)))
        return [*found, *_given_or_not(name, self.optional)]

    def governing(self, name: str) -> Iterable[str]:
        decides = [f"{self._like_shape(name)} shape", f"{self.same or name} dtype"]
        return [name, *decides, *filter(str.isidentifier, self.shape)]

    def void(self, name: str, kinds: Kinds, sizes: Mapping[str, int]) -> Iterable[str]:
        if kinds.get(name) == LEFT_OUT:
            return [f"{name} {of}" for of in ("values", "layout", "shape", "dtype")]
        shape, dtype = self._shape(name, kinds, sizes), self._dtype(name, kinds)
        found = []
        if not is_telling(kinds.get(f"{name} values", self.values[0]), shape, dtype):
            found.append(f"{name} values")
        if not has_layout(kinds.get(f"{name} layout", ROWS).replace(ROWS, ""), shape, dtype):
            found.append(f"{name} layout")
        return found

    def draw(self, name: str, known: Known) -> Any:
        if known.kinds.get(name) == LEFT_OUT:
            return OMITTED
        shape, dtype = self._shape(name, known.kinds, known.sizes), self._dtype(name, known.kinds)
        kind = known.kinds.get(f"{name} values", self.values[0])
        if self.bounds is None:
            array = drawn_values(kind, known.rng, shape, dtype, self.scale)
        else:
            array = drawn_between(kind, known.rng, shape, dtype, *self.bounds)
        layout = known.kinds.get(f"{name} layout", ROWS).replace(ROWS, "")
        if self.maker == "arrays":
            return laid_out(array, layout)
        value = laid_out(as_tensor(array), layout)
        return value.requires_grad_() if self.grad else value

    def _shape(self, name: str, kinds: Kinds, sizes: Mapping[str, int]) -> tuple[int, ...]:
        if self._any:
            kind = kinds.get(f"{self._like_shape(name)} shape")
            return next((shape for shape in SHAPES if str(shape) == kind), SHAPES[0])
        return lengths_of(self.shape, sizes)

    def _like_shape(self, name: str) -> str:
        return self.same if self.same and self.alike else name

    def _dtype(self, name: str, kinds: Kinds) -> str:
        return str(kinds.get(f"{self.same or name} dtype", self.dtypes[0]))

    def words(self) -> str:
        what = "an array" if self.maker == "arrays" else "a tensor"
        if self._any:
            shape = "of any shape, a single number among them,"
        else:
            shape = f"of shape {shape_words(self.shape)}"
        text = f"{what} {shape} of {' or '.join(self.dtypes)}"
        if self.same and self.alike:
            text = f"like {self.same} in shape and dtype"
        elif self.same:
            text = f"{what} {shape} of the dtype of {self.same}"
        if self.bounds:
            text += f", with values from {self.bounds[0]:g} to {self.bounds[1]:g}"
        if self.grad:
            text += ", that requires a gradient"
        return f"{text}, or left out" if self.optional else text

    def writable(self) -> Part:
        return replace(self, layouts=tuple(way for way in self.layouts if way != READ_ONLY))


def _checked(part: _Arrays, without: Any) -> _Arrays:
    """Return arrays whose options are words that there are, each once.

    Args:
        part: the options.
        without: kinds of values that there are not.
    """
    maker, bounds = part.maker, part.bounds
    usual = (BOUNDED if bounds[0] < bounds[1] else (INSIDE,)) if bounds else VALUES
    values = usual if part.values is None else part.values
    ways = tuple(LAYOUTS) if maker == "arrays" else OF_TENSORS
    axes = axes_of(maker, part.shape)
    layouts = words_of(maker, "layouts", part.layouts, ways)
    most = 3 if axes == ("...",) else len(axes)
    known = BOUNDED if bounds else VALUES
    left_out = words_of(maker, "without", without, known)
    made = replace(
        part,
        shape=axes,
        values=tuple(w for w in words_of(maker, "values", values, known) if w not in left_out),
        dtypes=words_of(maker, "dtypes", part.dtypes, DTYPES),
        layouts=tuple(way for way in layouts if most > (way == "columns")),
    )
    if not made.values or not made.dtypes:
        raise SourceError(f"{maker}: values and dtypes must have at least one word")
    if isinstance(part.scale, bool) or not (
        isinstance(part.scale, (int, float)) and math.isfinite(part.scale) and part.scale > 0
    ):
        raise SourceError(f"{maker}: scale must be a number above 0, got {part.scale!r}")
    if part.grad and maker == "arrays":
        raise SourceError("arrays: only tensors have grad=True; write tensors(…)")
    if part.grad and not all("float" in dtype for dtype in made.dtypes):
        raise SourceError(f"{maker}: only floats have a gradient, got {' or '.join(made.dtypes)}")
    for dtype in made.dtypes if bounds else ():
        require_span(maker, dtype, *bounds)  # type: ignore[misc]
    return made


def like(other: str, **changes: Any) -> Part:
    """Promise an array of the shape and dtype of another argument, which stands before it.

    Args:
        other: the name of that argument.
        changes: ``shape``, ``values``, ``without``, ``low``, ``high``, ``scale``, ``layouts``,
            ``grad`` or ``optional`` where they are its own.

    Raises:
        SourceError: something else is to be its own.
    """
    if not isinstance(other, str):
        raise SourceError(f"like must have the name of an argument, such as 'w', got {other!r}")
    if unknown := sorted(set(changes) - set(_OWN)):
        raise SourceError(
            f"like({other!r}): its own may be {', '.join(_OWN)}, got {', '.join(unknown)}"
        )
    return _Like(other, tuple(changes.items()))


@dataclass(frozen=True)
class _Like(Part):
    """Becomes an array as soon as the domain that it is in is known; see `resolved`."""

    other: str
    changes: tuple[tuple[str, Any], ...]


def resolved(parts: Mapping[str, Any]) -> dict[str, Part]:
    """Return parts of which each stands for itself.

    Raises:
        SourceError: one is no part, or is to be like what is no array that stands before it.
    """
    found: dict[str, Part] = {}
    for name, part in parts.items():
        if not isinstance(part, Part):
            raise SourceError(
                f"{name} must be a part of a domain, such as interval(0, 1) or arrays(), got "
                f"{part!r}; for one value write choices({part!r})"
            )
        if isinstance(part, _Like):
            other = found.get(part.other)
            if not isinstance(other, _Arrays):
                there = [n for n, p in found.items() if isinstance(p, _Arrays)]
                raise SourceError(
                    f"{name}=like({part.other!r}) must name arrays or tensors that stand before "
                    f"it; there is {', '.join(there) or 'none'}"
                )
            part = _as(other, part)
        found[name] = part
    return found


def _as(other: _Arrays, part: _Like) -> _Arrays:
    changes = dict(part.changes)
    bounds = other.bounds
    if {"low", "high"} & changes.keys():
        bounds = bounds_of(f"like({part.other!r})", changes.get("low"), changes.get("high"))
    elif "values" in changes and not all(word in BOUNDED for word in changes["values"]):
        bounds = None
    fresh = bounds != other.bounds  # other kinds of values
    own = replace(
        other,
        shape=changes.get("shape", " ".join(other.shape)),
        values=changes.get("values", None if fresh else other.values),
        bounds=bounds,
        scale=changes.get("scale", other.scale),
        layouts=changes.get("layouts", other.layouts),
        grad=changes.get("grad", False),
        optional=changes.get("optional", False),
    )
    made = _checked(own, changes.get("without", ()))
    if "shape" in changes:
        return replace(made, same=other.same or part.other, alike=False)
    if other.same and not other.alike:
        return replace(made, same=other.same, alike=False)
    return replace(made, same=other.same or part.other, alike=True)


def _given_or_not(name: str, optional: bool) -> list[Factor]:
    return [Factor(name, (GIVEN, LEFT_OUT))] if optional else []
