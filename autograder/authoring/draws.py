"""Draws: which kinds of inputs are put together.

A few draws cover each edge of a domain, and are the cases of a check before anything is known of
it. Behind them stands a pool in which each pair of kinds is drawn together: the audit takes from it
what tells a wrong answer apart that the few do not.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np

from autograder.authoring.domains import Domain, Factor

__all__ = ["few", "pool", "shown"]

Draw = dict[str, str]
TRIES = 20  # draws of which the one with most new pairs is taken


def shown(domain: Domain) -> list[Draw]:
    """Return the draws that a release shows: the typical one, and one of another shape."""
    draws = [domain.typical]
    others = [(f.name, f.kinds[1]) for f in domain.factors.values() if f.shown]
    second = _put(domain, domain.typical, others)
    if second != domain.typical:
        draws.append(second)
    return draws[: domain.visible]


def few(domain: Domain) -> list[Draw]:
    """Return draws that together have each kind of each factor, as far as any draw may have it.

    Edges are put together, but for those that hide others.
    """
    factors = list(domain.factors.values())
    waiting = {f.name: [k for k in f.kinds[1:] if k not in f.alone] for f in factors}
    draws = []
    while any(waiting.values()):
        edges = [(name, kinds[0]) for name, kinds in waiting.items() if kinds]
        draw = _put(domain, domain.typical, edges)
        taken = [(name, kind) for name, kind in edges if draw[name] == kind]
        if not taken:  # none fits among typical ones: it may with another edge
            taken = edges[:1]
            draw = _with_another(domain, *taken[0]) or domain.typical
        draws.append(draw)
        for name, _ in taken:
            waiting[name].pop(0)
    draws += _alone(domain, [f for f in factors if f.alone])
    visible = shown(domain)
    return [draw for draw in _unique(draws) if draw not in visible] or [domain.typical]


def pool(domain: Domain) -> list[Draw]:
    """Return draws in which each pair of kinds of two factors occurs, if any draw may have it."""
    rng = np.random.default_rng(0)
    factors = list(domain.factors.values())
    missing = {
        ((one.name, a), (other.name, b))
        for one, other in combinations(factors, 2)
        for a in one.kinds
        for b in other.kinds
    }
    draws: list[Draw] = []
    while missing:
        first = min(missing)
        tried = [_random(factors, dict(first), rng) for _ in range(TRIES)]
        fitting = [draw for draw in tried if domain.allows(draw)]
        if not fitting:
            missing.discard(first)
            continue
        best = max(fitting, key=lambda draw: len(_pairs(factors, draw) & missing))
        missing -= _pairs(factors, best)
        draws.append(best)
    return _unique(draws)


def _put(domain: Domain, draw: Draw, edges: Iterable[tuple[str, str]]) -> Draw:
    """Return a draw with as many of some kinds as fit, one after the other."""
    for name, kind in edges:
        changed = {**draw, name: kind}
        if domain.allows(changed):
            draw = changed
    return draw


def _with_another(domain: Domain, name: str, kind: str) -> Draw | None:
    """Return a draw that has a kind and one other that is not typical, so that it fits."""
    for factor in domain.factors.values():
        for other in factor.kinds[1:]:
            draw = {**domain.typical, factor.name: other, name: kind}
            if domain.allows(draw):
                return draw
    return None


def _alone(domain: Domain, factors: list[Factor]) -> Iterator[Draw]:
    """Give draws in which each array is once of each kind that hides others, but not all are."""
    kinds = list(dict.fromkeys(kind for f in factors for kind in f.kinds if kind in f.alone))
    if len(factors) == 1:
        yield from ({**domain.typical, factors[0].name: kind} for kind in kinds)
        return
    turns = [*kinds, None]
    for first in range(len(turns) if factors else 0):
        draw = dict(domain.typical)
        for number, factor in enumerate(factors):
            kind = turns[(first + number) % len(turns)]
            if kind is not None and kind in factor.alone:
                draw[factor.name] = kind
        yield draw


def _random(factors: list[Factor], draw: Draw, rng: np.random.Generator) -> Draw:
    return {f.name: draw.get(f.name) or f.kinds[int(rng.integers(len(f.kinds)))] for f in factors}


def _pairs(factors: list[Factor], draw: Draw) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    named = [(f.name, draw[f.name]) for f in factors]
    return set(combinations(named, 2))


def _unique(draws: Iterable[Draw]) -> list[Draw]:
    return list({tuple(draw.items()): draw for draw in draws}.values())
