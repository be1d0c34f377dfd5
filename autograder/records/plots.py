"""Plots: matplotlib's SVG, made fit for a page.

A plot stands in the page as text: it takes the page's font and colours, in the dark too, and has
nothing in it that changes from one run to the next.
"""

import html
import io
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from autograder.records.pages import format_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

__all__ = ["BANDS", "histogram", "stacked_bar"]

# matplotlib knows no CSS: it draws with these colours, and what it wrote says the page's names.
COLOURS = {
    "#000001": "var(--full)",
    "#000002": "var(--part)",
    "#000003": "var(--none)",
    "#000004": "var(--open)",
    "#000005": "var(--plot)",
    "#000006": "var(--soft)",
    "#000007": "var(--line)",
    "#000008": "var(--ink)",
    "#000009": "var(--accent)",
}
_NAMED = {name.removeprefix("var(--").removesuffix(")"): hexa for hexa, name in COLOURS.items()}
BANDS = ("full", "part", "none", "open")
SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "autograder", "font.size": 9.0}
WIDTHS = (0.5, 1, 2, 5, 10, 20, 25, 50)  # of a histogram's classes, in points
MOST_CLASSES = 13
_DROPPED = re.compile(
    r'<metadata>.*?</metadata>|<defs>\s*<style.*?</defs>|<!--.*?-->| id="[^"]*"'
    r'| transform="rotate\(-?0 [^"]*\)"|font-family: [^;"]*;',
    re.DOTALL,
)


def histogram(values: Sequence[float], possible: float) -> str:
    """Return a histogram of points with its mean, dashed, and its median.

    Args:
        values: the points of each student, one at least.
        possible: the points that there are; extra credit may exceed them.
    """
    return _histogram(tuple(sorted(values)), possible)


@lru_cache(maxsize=128)
def _histogram(values: tuple[float, ...], possible: float) -> str:
    from matplotlib.ticker import MaxNLocator

    lines = (
        (statistics.fmean(values), (0, (4, 2)), "ink"),
        (statistics.median(values), "solid", "accent"),
    )
    edges = _edges(max(possible, *values))
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[min(int(max(value, 0.0) / edges[1] + 1e-9), len(counts) - 1)] += 1
    with _figure(4.2, 2.1) as figure:
        axes = figure.add_axes((0.075, 0.17, 0.9, 0.79), facecolor="none")
        axes.bar(
            edges[:-1], counts, width=edges[1] * 0.94, align="edge", color=_NAMED["plot"], zorder=2
        )
        for where, style, colour in lines:
            axes.axvline(where, color=_NAMED[colour], linestyle=style, linewidth=1.4, zorder=3)
        axes.set_xlim(0, edges[-1])
        axes.set_ylim(0, max(counts) * 1.04)
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10], integer=possible > 4))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(axis="y", color=_NAMED["line"], linewidth=0.8, zorder=1)
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(_NAMED["soft"])
        axes.tick_params(bottom=False, left=False, labelcolor=_NAMED["soft"])
        return _markup(figure, "histogram", _spoken(edges, counts))


def stacked_bar(bands: Mapping[str, int], spoken: str) -> str:
    """Return a bar of the students in each band: full points, part of them, none, open."""
    return _stacked_bar(tuple(bands[band] for band in BANDS), spoken)


@lru_cache(maxsize=1024)
def _stacked_bar(counts: tuple[int, ...], spoken: str) -> str:
    from matplotlib.patches import Rectangle

    with _figure(2.0, 0.1) as figure:
        begin, whole = 0.0, sum(counts) or 1
        for band, count in zip(BANDS, counts, strict=True):
            if count:
                corner = (begin / whole, 0.0)
                figure.add_artist(Rectangle(corner, count / whole, 1.0, color=_NAMED[band], lw=0))
            begin += count
        return _markup(figure, "bar", spoken, 'preserveAspectRatio="none"')


def _edges(largest: float) -> list[float]:
    """Return the edges of a histogram's classes, from 0 on."""
    width = next((w for w in WIDTHS if largest / w <= MOST_CLASSES), largest / MOST_CLASSES)
    return [n * width for n in range(max(math.ceil(largest / width - 1e-9), 1) + 1)]


def _spoken(edges: Sequence[float], counts: Sequence[int]) -> str:
    """Return a histogram in words."""
    classes = [
        f"{format_points(low)} to {format_points(high)}: {count}"
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        if count
    ]
    return f"Students by points: {', '.join(classes)}"


@contextmanager
def _figure(width: float, height: float) -> "Iterator[Figure]":
    """Make an empty figure, whatever settings of matplotlib a user has."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield Figure(figsize=(width, height), facecolor="none")


def _markup(figure: "Figure", kind: str, spoken: str, *more: str) -> str:
    """Return a figure as an element of a page."""
    for artist in figure.findobj():
        artist.set_clip_on(False)  # nothing reaches over the edge, and a clip would need an id
    written = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(written, format="svg", metadata=nothing)
    _, _, text = written.getvalue().partition("<svg ")
    head, _, body = text.partition(">")
    view = re.search(r'viewBox="[^"]*"', head)
    body = _DROPPED.sub("", body)
    for hexa, name in COLOURS.items():
        body = body.replace(hexa, name)
    body = re.sub(r"\s+", " ", body).replace("> <", "><")
    said = f'class="plot {kind}" role="img" aria-label="{html.escape(spoken)}"'
    return f"<svg {' '.join([said, view[0] if view else '', *more])}>{body.strip()}"
