"""Near the tolerance: cases in which a verdict may be the tolerance's doing."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.artefacts.grades import Grade
from autograder.artefacts.results import Verdict
from autograder.records.people import Who
from autograder.records.words import clean

__all__ = ["Near", "NearPlace", "near_of", "near_places"]

MARGINS = (0.5, 2.0)  # between which an error is near to its tolerance


@dataclass(frozen=True)
class Near:
    """A case that failed or passed by little: worth a look, at the answer or at the tolerance."""

    who: Who
    place: str
    margin: float
    passed: bool


@dataclass(frozen=True)
class NearPlace:
    """A case of a check in which several came near to the tolerance."""

    place: str
    misses: int
    passes: int


def near_of(grades: Sequence[Grade], people: Mapping[str, Who]) -> list[Near]:
    """Return the cases whose error is about the tolerance, the nearest first."""
    low, high = MARGINS
    found = [
        Near(
            people[grade.student],
            f"{check.name}, {clean(case.name)}",
            case.margin,
            case.verdict is Verdict.PASSED,
        )
        for grade in grades
        for question in grade.questions
        for check in question.checks
        for case in check.cases
        if case.verdict in (Verdict.PASSED, Verdict.FAILED)
        and case.margin is not None
        and low < case.margin <= high
    ]
    found.sort(key=lambda one: (abs(math.log(one.margin)), one.who.student, one.place))
    return found


def near_places(near: Sequence[Near]) -> list[NearPlace]:
    """Return the cases in which more than one came near, the most frequent first."""
    counts = Counter((one.place, one.passed) for one in near)
    places = {place for place, _ in counts}
    found = [NearPlace(p, counts[p, False], counts[p, True]) for p in places]
    several = [place for place in found if place.misses + place.passes > 1]
    return sorted(several, key=lambda p: (-p.misses - p.passes, p.place))
