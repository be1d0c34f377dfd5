"""Headings: what the questions below them are called, and the points that some of them tell."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from autograder.compiler.regions import SOLUTION
from autograder.compiler.source import Source, SourceCell
from autograder.errors import SourceError

__all__ = ["Heading", "headings_of", "require_told_points"]

_HEADING = re.compile(r"(#{1,6})\s+(.+?)[\s#]*$")
_POINTS = re.compile(r"\s*\(\s*([\d.]*\d)\s*(?:points?|pts?\.?|marks?)\s*\)$", re.IGNORECASE)

Worth = tuple[int, float]  # the number of a cell, and the points that are graded there


class Heading(NamedTuple):
    """A heading of a cell: its depth, its title without points, and the points that it tells."""

    level: int
    title: str
    points: float | None


def headings_of(cell: SourceCell) -> list[Heading]:
    """Return the headings of a cell."""
    if cell.type != "markdown":
        return []
    found, fenced = [], False
    for line in cell.text.partition(SOLUTION.begin)[0].split("\n"):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        heading = _HEADING.match(line)
        if heading and not fenced:
            told = _POINTS.search(heading[2])
            points = float(told[1]) if told and told[1].count(".") < 2 else None
            found.append(Heading(len(heading[1]), _POINTS.sub("", heading[2]), points))
    return found


def require_told_points(source: Source, *graded: Sequence[Worth]) -> None:
    """Refuse a heading that tells other points than are graded below it.

    Args:
        source: the notebook.
        graded: where points are graded: by the check, and by the question, which may have some of
            its checks further below. Either is right.

    Raises:
        SourceError: says both figures.
    """
    placed = [(cell.number, heading) for cell in source.cells for heading in headings_of(cell)]
    for number, (cell, heading) in enumerate(placed):
        if heading.points is None:
            continue
        later = placed[number + 1 :]
        # As far as the next heading, and as far as the next that is no deeper.
        near, whole = (
            [_sum(points, cell, end) for points in graded]
            for end in (_next(later), _next(later, heading.level))
        )
        if not any(whole) or any(math.isclose(heading.points, one) for one in near + whole):
            continue
        raise SourceError(
            f"the heading {heading.title!r} says {heading.points:g} points, but points= below it "
            f"come to {(near if any(near) else whole)[-1]:g}",
            source.file,
            cell,
        )


def _next(later: Iterable[tuple[int, Heading]], level: int = 6) -> float:
    """Return the cell of the next heading that is no deeper."""
    return next((cell for cell, heading in later if heading.level <= level), math.inf)


def _sum(points: Iterable[Worth], first: int, end: float) -> float:
    return sum(worth for cell, worth in points if first <= cell < end)
