"""Draws: which kinds of inputs are put together.

A few draws cover each edge of a domain, and are the cases of a check before anything is known of
it. Behind them stands a pool in which each pair of kinds is drawn together: the audit takes from it
what tells a wrong answer apart that the few do not.

A draw *fits* if its inputs are promised, and are in all what it says: an array of columns with one
axis lies as any other, so that no draw says so of one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations, islice, product

import numpy as np

from autograder.authoring.domains import Domain
from autograder.authoring.factors import Factor

__all__ = ["few", "pool", "shown"]

Draw = dict[str, str]
Edge = tuple[str, str]  # a factor and a kind of it
TRIES = 20  # draws of which the one with most new pairs is taken
MOST = 5_000  # draws that are looked through for one that fits


def shown(domain: Domain) -> list[Draw]:
    """Return the draws that a release shows: the typical one, and one of another shape."""
    if not domain.visible:
        return []
    second = domain.typical
    for factor in (f for f in domain.factors.values() if f.shown):
        second = _put(domain, second, factor, factor.kinds[1:])
    return list(_unique([domain.typical, second]))[: domain.visible]


def few(domain: Domain) -> list[Draw]:
    """Return draws that together have each kind of each factor, as far as any draw may have it.

    Edges are put together, but for those that hide others. What is shown is not among them; typical
    inputs are, where nothing is shown.
    """
    factors = list(domain.factors.values())
    draws = _covering(domain, [f for f in factors if not f.scales])
    draws += _covering(domain, [f for f in factors if f.scales])
    draws += _alone(domain, [f for f in factors if f.alone])
    visible = shown(domain)
    return [draw for draw in _unique([domain.typical, *draws]) if draw not in visible]


def _covering(domain: Domain, factors: Sequence[Factor]) -> list[Draw]:
    """Return draws that together have each kind of some factors that hides no other."""
    waiting = {f.name: [k for k in f.kinds[1:] if k not in f.alone] for f in factors}
    for factor in [f for f in factors if f.scales][1::2]:
        waiting[factor.name].reverse()  # not all rates are 0 at once
    draws = []
    while any(waiting.values()):
        draw = domain.typical
        for factor in factors:
            draw = _put(domain, draw, factor, waiting[factor.name])
        if draw == domain.typical:  # none fits among typical ones: one may with other edges
            name = next(name for name, kinds in waiting.items() if kinds)
            kind = waiting[name].pop(0)
            draw = next(iter(_any_with(domain, {name: kind})), domain.typical)
        for name, kinds in waiting.items():
            if draw[name] in kinds:
                kinds.remove(draw[name])
        draws.append(draw)
    return draws


@lru_cache(maxsize=1024)
def pool(domain: Domain) -> tuple[Draw, ...]:
    """Return draws in which each pair of kinds of two factors occurs, if any draw may have it."""
    rng = np.random.default_rng(0)
    factors = list(domain.factors.values())
    edges = [[(f.name, k) for k in f.kinds if _any_with(domain, {f.name: k})] for f in factors]
    missing = {pair for one, other in combinations(edges, 2) for pair in product(one, other)}
    draws: list[Draw] = []
    while missing:
        first = min(missing)
        wanted = dict(first)
        tried = [domain.settled(_random(factors, wanted, rng)) for _ in range(TRIES)]
        fitting = [draw for draw in tried if _shows(factors, draw, first) and domain.fits(draw)]
        fitting = fitting or _any_with(domain, wanted)
        if not fitting:
            missing.discard(first)
            continue
        new = [_pairs(factors, draw) & missing for draw in fitting]
        best = max(range(len(fitting)), key=lambda number: len(new[number]))
        missing.discard(first)  # also where it fits only with what hides it
        missing -= new[best]
        draws.append(fitting[best])
    return tuple(_unique(draws))


def _put(domain: Domain, draw: Draw, factor: Factor, kinds: Iterable[str]) -> Draw:
    """Return a draw with the first of some kinds with which it fits, or as it is."""
    changed = ({**draw, factor.name: kind} for kind in kinds)
    return next(filter(domain.fits, changed), draw)


def _any_with(domain: Domain, wanted: Mapping[str, str]) -> list[Draw]:
    """Return a draw that fits and has some kinds, with few other edges; none if none is found.

    Only what decides whether it fits is varied.
    """
    free = [f for f in domain.governing(wanted) if f.name not in wanted]
    ways = (
        dict(zip((f.name for f in chosen), kinds, strict=True))
        for count in range(len(free) + 1)
        for chosen in combinations(free, count)
        for kinds in product(*(f.kinds[1:] for f in chosen))
    )
    draws = ({**domain.typical, **way, **wanted} for way in islice(ways, MOST))
    return list(islice(filter(domain.fits, draws), 1))


def _alone(domain: Domain, factors: list[Factor]) -> Iterator[Draw]:
    """Give draws in which each array is once of each kind that hides others, but not all are.

    A kind that changes nothing in the typical draw is drawn with what lets it.
    """
    kinds = list(dict.fromkeys(kind for f in factors for kind in f.kinds if kind in f.alone))
    turns = [*kinds, None] if len(factors) > 1 else kinds
    left = {(f.name, kind) for f in factors for kind in f.alone}
    for first in range(len(turns)):
        draw = domain.typical
        for number, factor in enumerate(factors):
            kind = turns[(first + number) % len(turns)]
            draw = _put(domain, draw, factor, [kind] if kind in factor.alone else [])
        left -= set(draw.items())
        yield draw
    for name, kind in sorted(left):
        yield from _any_with(domain, {name: kind})


def _random(factors: list[Factor], draw: Mapping[str, str], rng: np.random.Generator) -> Draw:
    return {f.name: draw.get(f.name) or f.kinds[int(rng.integers(len(f.kinds)))] for f in factors}


def _pairs(factors: list[Factor], draw: Draw) -> set[tuple[Edge, Edge]]:
    """Return the pairs that a draw shows: none that another kind hides, such as only zeros."""
    pairs = combinations([(f.name, draw[f.name]) for f in factors], 2)
    hiding = _hiding(factors, draw)
    return {pair for pair in pairs if hiding.issubset(pair)} if hiding else set(pairs)


def _shows(factors: list[Factor], draw: Draw, pair: tuple[Edge, Edge]) -> bool:
    """Return whether a pair is among those that a draw shows."""
    return all(draw[name] == kind for name, kind in pair) and _hiding(factors, draw).issubset(pair)


def _hiding(factors: list[Factor], draw: Draw) -> set[Edge]:
    return {(f.name, draw[f.name]) for f in factors if draw[f.name] in f.alone}


def _unique(draws: Iterable[Draw]) -> Iterator[Draw]:
    return iter({tuple(draw.items()): draw for draw in draws}.values())
