"""Mutants: wrong answers that a program derives from the right ones.

A mutant is a text: a definition of the reference with one mistake in it, or an assignment of
another value. It is run in a copy of the oracle's namespace, with all that is built on it, so that
what a student would have with that mistake is what the checks see.
"""

import ast
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from autograder.artefacts.bundle import Cell
from autograder.artefacts.compiled import Oracle
from autograder.audit.mutation.common_mistakes import COMMON_MISTAKES
from autograder.audit.mutation.graded_dtypes import names_with_dtype
from autograder.audit.mutation.later_calls import LATER_CALLS
from autograder.audit.mutation.operators import OPERATORS
from autograder.audit.mutation.rare_arrays import PRECISION, RARE_ARRAYS
from autograder.audit.mutation.rare_values import RARE_VALUES
from autograder.audit.mutation.trees import Tree
from autograder.authoring.arrays import is_array, to_numpy
from autograder.compiler.reference import Definition, Module, Reference
from autograder.compiler.regions import SOLUTION, find_regions
from autograder.compiler.syntax import Definable, bound_names, first_line, last_line

__all__ = ["Mutant", "Site", "mutants_of", "sites_of"]

MAX_TEXT = 160
_FUTURE = "from __future__ import annotations\n"
# Of two that make one text, the first gives its name: a mistake's own goes before a general one.
_ALL_OPERATORS = {**COMMON_MISTAKES, **OPERATORS, **RARE_VALUES, **RARE_ARRAYS, **LATER_CALLS}
_SIGN, _TWICE, _HALF = "a sign is flipped", "a factor of two too much", "a factor of two too little"
_NUMBERS = (("-x", _SIGN), ("2 * x", _TWICE), ("x / 2", _HALF), ("x + 1", None), ("x - 1", None))


@dataclass(frozen=True, eq=False)
class Site:
    """One definition of the answers, or one value that is asked for.

    Attributes:
        place: the module's path, or the source notebook's cell.
        name: what it defines.
        names: what the student is asked for that it decides: its own name, or those built on it.
        definitions: itself and what is built on it, in an order in which they can run; none for
            a value.
        namespace: the names that it is run with.
        origins: of those names, the modules of the reference that the cells do not import.
        has_graded_dtype: whether an answer in single precision is wrong.
    """

    place: str
    name: str
    names: tuple[str, ...]
    definitions: tuple[Definition, ...]
    namespace: Mapping[str, Any] = field(repr=False)
    origins: Mapping[str, str] = field(repr=False, default_factory=dict)
    has_graded_dtype: bool = False

    @property
    def id(self) -> str:
        """What tells it from all others of its assignment."""
        return f"{self.place}: {self.name}"

    @property
    def decides(self) -> set[str]:
        """All names that are not the reference's where it is not: its own, and what needs it."""
        return {self.name}.union(*(definition.names for definition in self.definitions))

    def texts_with(self, text: str) -> tuple[str, ...]:
        """Return what to run, in order, so that a text stands in the place of this definition."""
        found = []
        for definition in self.definitions:
            own = self.name in definition.names and isinstance(definition.node, Definable)
            future = _FUTURE if definition.module.postpones_annotations else ""
            found.append(future + (text if own else definition.text))
        return tuple(found) or (text,)

    def with_text(self, text: str) -> dict[str, Any]:
        """Return the namespace in which a text stands in the place of this definition."""
        names = {"operator": operator, **self.namespace}
        for part in self.texts_with(text):
            exec(_code(part), names)
        return names


@dataclass(frozen=True, eq=False)
class Mutant:
    """One mistake at a site.

    Attributes:
        operator: the class of the mistake.
        title: the mistake as a diagnosis; None where nobody makes just that one.
        line: of the site's place.
        before: the lines that it changes, as one.
        after: the same with the mistake.
        text: the whole definition with the mistake.
    """

    site: Site
    operator: str
    title: str | None
    line: int
    before: str
    after: str
    text: str = field(repr=False)

    def namespace(self) -> dict[str, Any]:
        """Return the namespace of a student who made this mistake; what it raises is theirs too."""
        return self.site.with_text(self.text)


def sites_of(cells: Sequence[Cell], texts: Mapping[str, str], oracle: Oracle) -> list[Site]:
    """Return the sites of an assignment, in the order of its cells and of the reference.

    Args:
        cells: the trusted cells.
        texts: the modules of the reference, by path.
        oracle: both, loaded.
    """
    reference = Reference(Path(), texts)
    asked: dict[str, Definition] = {}
    own: list[Definition] = []
    for cell in cells:
        if cell.kind == "solution":
            module = Module(f"cell {cell.number}", f"cell {cell.number}", cell.source)
            asked |= _asked(module, reference)
            own += dict.fromkeys(d for ds in module.definitions.values() for d in ds)
    imported = reference.needed(*(d for d in asked.values() if d not in own))
    given = {name for c in cells if c.kind == "given" for name in bound_names(c.source)}
    known = [*imported, *(d for d in own if not d.is_import and not d.origin)]
    origins = {
        name: d.module.name
        for d in imported
        for name in d.names
        if name in oracle.modules[d.module.name]
    }
    sites, with_dtype = [], names_with_dtype(oracle.checks.values())
    for definition in known:
        if isinstance(definition.node, Definable) and not given & set(definition.names):
            built = _built_on(definition, known)
            names = {n for d in built for n in d.names if asked.get(n) is d}
            names = names & set(definition.names) or names
            if names:
                brought = {n: oracle.modules[m][n] for n, m in origins.items()}
                namespace = {**oracle.namespace, **brought}
                place, name = definition.module.path, definition.names[0]
                ordered = tuple(name for name in asked if name in names)
                strict = names <= with_dtype
                sites.append(Site(place, name, ordered, tuple(built), namespace, origins, strict))
    for name, definition in asked.items():
        if not isinstance(definition.node, Definable) and name in oracle.namespace:
            place = definition.module.path
            sites.append(Site(place, name, (name,), (), oracle.namespace))
    return sites


def _asked(module: Module, reference: Reference) -> dict[str, Definition]:
    """Return what a solution cell asks of a student, by name."""
    wanted = {n: reference.find(i.module, n) for i in module.imports for n in i.names}
    if wanted:
        return wanted
    regions = find_regions(module.text, SOLUTION)
    return {
        name: definition
        for name, definitions in module.definitions.items()
        for definition in definitions
        if not name.startswith("_") and any(_overlap(definition, r.first, r.last) for r in regions)
    }


def _overlap(definition: Definition, first: int, last: int) -> bool:
    return first_line(definition.node) <= last and first <= last_line(definition.node)


def _built_on(definition: Definition, known: Iterable[Definition]) -> list[Definition]:
    """Return a definition, the functions and classes that need it, and what rebinds a name."""
    names, found = set(definition.names), {definition}
    while True:
        more = {
            d
            for d in known
            if d not in found
            and (isinstance(d.node, Definable) or names & set(d.names))
            and (d.needs | set(d.names)) & names
        }
        if not more:
            return [d for d in known if d in found]
        found |= more
        names |= {name for d in more for name in d.names}


@lru_cache(maxsize=1024)
def _code(text: str) -> CodeType:
    return compile(text, "<mutant>", "exec", dont_inherit=True)


@lru_cache(maxsize=1024)
def mutants_of(site: Site) -> tuple[Mutant, ...]:
    """Return the mutants of a site in the order of its lines, no two alike."""
    found = _of_definition(site) if site.definitions else _of_value(site)
    unique: dict[str, Mutant] = {}
    for mutant in found:
        unique.setdefault(mutant.text, mutant)
    return tuple(sorted(unique.values(), key=lambda m: m.line))


def _of_definition(site: Site) -> Iterator[Mutant]:
    definition = next(d for d in site.definitions if site.name in d.names)
    regions = find_regions(definition.module.text, SOLUTION)
    regions = [r for r in regions if _overlap(definition, r.first, r.last)]
    tree = Tree(definition.node, lambda line: not regions or any(line in r for r in regions))
    for name, mutate in _ALL_OPERATORS.items():
        for node in tree.nodes if name != PRECISION or site.has_graded_dtype else ():
            for change in mutate(node):
                edited = tree.edited(change)
                if edited is not None and _is_python(edited.text):
                    before, after = _short(edited.before), _short(edited.after)
                    title, line = change.title, edited.line
                    yield Mutant(site, name, title, line, before, after, edited.text)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _of_value(site: Site) -> Iterator[Mutant]:
    value = site.namespace[site.name]
    for expression, title in _other_values(value):
        try:
            other = eval(expression, {"x": value})
        except Exception:  # a value for which it has no meaning
            continue
        if not _same(value, other):
            text = f"{site.name} = {expression.replace('x', site.name)}"
            if isinstance(other, (bool, str)):
                text = f"{site.name} = {other!r}"
            before, after = (_short(f"{site.name} = {v!r}") for v in (value, other))
            yield Mutant(site, "value", title, 1, before, after, text)


def _other_values(value: Any) -> Iterator[tuple[str, str | None]]:
    """Give expressions of x for values that are near one."""
    if isinstance(value, (bool, np.bool_)):
        yield "not x", None
    elif isinstance(value, (int, float, complex)) or is_array(value):
        yield from _NUMBERS
        yield "x[::-1]", "two values are in the wrong order"
    elif isinstance(value, (tuple, list)):
        yield "x[::-1]", "two values are in the wrong order"
        yield "x[:-1]", None
        yield "type(x)(-one for one in x)", _SIGN
        yield "type(x)(2 * one for one in x)", _TWICE
        yield "type(x)(one / 2 for one in x)", _HALF
    elif isinstance(value, str):
        if len(value) == 1 and value.isalnum():
            yield "chr(ord(x) + 1)", None
            yield "chr(ord(x) - 1)", None
        yield "''", None


def _same(value: Any, other: Any) -> bool:
    if is_array(value) and is_array(other):
        value, other = to_numpy(value), to_numpy(other)
    return bool(np.array_equal(value, other)) if is_array(value) else bool(value == other)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
