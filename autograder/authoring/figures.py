"""Figures: what a plot shows, brought out of its session as values and compared as such."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.assertions import assert_close, assert_equal, refuse_object
from autograder.authoring.kinds import Kind, note_kind
from autograder.authoring.phrases import kind
from autograder.authoring.standard import tolerance_for
from autograder.authoring.tolerance import compare
from autograder.errors import CheckFailure

__all__ = ["assert_figure", "drawn"]

DATA = ("curves", "points", "bars", "images")
MOST = 200  # curves, say, of one panel
Values = dict[str, Any]


# A session runs the text of this function alone: all that it needs stands inside it, and no
# annotation is more than a text.
def drawn(notebook: "Any", name: "str", *args: "Any", **kwargs: "Any") -> "Any":
    """Return what a figure shows, as plain values: a helper for ``student.apply``.

    ``student.apply(drawn, "plot_losses", losses)`` calls the student's function and reads the
    figure that it returns, or leaves as the current one; ``student.apply(drawn, "figure")`` reads
    the figure or the axes that a cell has kept under a name.

    Returns:
        A list with a dict for each panel: ``title``, ``xlabel``, ``ylabel``, ``xscale``,
        ``yscale``, ``legend`` (a list of texts), ``curves`` and ``points`` (each with ``label``,
        ``x``, ``y``), ``bars`` (``label``, ``x``, ``height``), ``images`` (arrays). None where
        there is no figure.
    """
    from matplotlib import pyplot
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

    def axes_of(value: "Any") -> "list[Any] | None":
        if isinstance(value, Figure):
            return [axes for axes in value.axes if axes.get_label() != "<colorbar>"]
        if isinstance(value, Axes):
            return [value]
        if isinstance(value, np.ndarray) and value.dtype == object:
            value = value.ravel().tolist()
        if isinstance(value, (list, tuple)) and value:
            found = [axes_of(item) for item in value]
            if None not in found:
                return list(dict.fromkeys(axes for part in found for axes in part or ()))
        return None

    def numbers(values: "Any") -> "Any":
        return np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)

    def rows(artist: "Any", **values: "Any") -> "dict[str, Any]":
        label = str(artist.get_label())
        own = "" if label.startswith("_") else label  # the others are matplotlib's
        return {"label": own} | {key: numbers(value) for key, value in values.items()}

    def panel(axes: "Any") -> "dict[str, Any]":
        legend = axes.get_legend()
        bars = [one for one in axes.containers if isinstance(one, BarContainer)]
        clouds = [one for one in axes.collections if isinstance(one, PathCollection)]
        offsets = [numbers(cloud.get_offsets()) for cloud in clouds]
        return {
            "title": str(axes.get_title()),
            "xlabel": str(axes.get_xlabel()),
            "ylabel": str(axes.get_ylabel()),
            "xscale": str(axes.get_xscale()),
            "yscale": str(axes.get_yscale()),
            "legend": [str(text.get_text()) for text in legend.get_texts()] if legend else [],
            "curves": [
                rows(line, x=line.get_xdata(orig=False), y=line.get_ydata(orig=False))
                for line in axes.get_lines()
                if line.get_visible()
            ],
            "points": [
                rows(cloud, x=place[:, 0], y=place[:, 1])
                for cloud, place in zip(clouds, offsets, strict=True)
            ],
            "bars": [
                rows(
                    group,
                    x=[bar.get_x() + bar.get_width() / 2 for bar in group],
                    height=[bar.get_height() for bar in group],
                )
                for group in bars
            ],
            "images": [numbers(image.get_array()) for image in axes.get_images()],
        }

    before = set(pyplot.get_fignums())
    value = getattr(notebook, name)
    try:
        if callable(value):
            pyplot.figure()  # so that nothing is drawn over what an earlier cell has left
            value = value(*args, **kwargs)
            current = pyplot.gcf()
            value = current if value is None and current.axes else value
        found = axes_of(value)
        return None if found is None else [panel(axes) for axes in found]
    finally:
        for number in set(pyplot.get_fignums()) - before:
            pyplot.close(number)


def assert_figure(
    got: Any,
    want: Any,
    *,
    data: Sequence[str] = DATA,
    extra: bool = False,
    labels: bool = True,
    legend: bool = True,
    scales: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    what: str = "figure",
) -> None:
    """Compare what two figures show, as `drawn` returned it.

    Curves are found by their values, in any order; points and bars in any order, too. Words are a
    student's own: a label must be there where the reference has one, whatever it says.

    Args:
        got: the student's figure.
        want: the reference's.
        data: of ``curves``, ``points``, ``bars`` and ``images`` those that are compared.
        extra: whether there may be more curves than the reference has: a line at 0, say.
        labels: whether both axes must have a label where the reference's have.
        legend: whether there must be a legend with as many entries as the reference's has.
        scales: whether the axes must be linear or logarithmic as the reference's are.
        rtol: of the data, as for `assert_close`.
        atol: likewise.
        what: what the figure is called in the message.

    Raises:
        CheckFailure: says what is missing, or which curve differs and how.
    """
    if unknown := [name for name in data if name not in DATA]:
        raise ValueError(f"data must be some of {', '.join(DATA)}, got {unknown[0]!r}")
    if not want or not any(panel[name] for panel in want for name in data):
        raise ValueError(f"{what}: the reference's figure shows no {' or '.join(data)}")
    note_kind(Kind.FIGURE)
    refuse_object(got, what, "a figure")
    if got is None:
        raise CheckFailure("no figure: return it, or leave it as the current one", what)
    panels = [_panel(panel, what) for panel in _list(got, what)]
    if len(panels) != len(want):
        raise CheckFailure(f"{_count(len(panels), 'panel')}, expected {len(want)}", what)
    for number, (mine, right) in enumerate(zip(panels, want, strict=True), 1):
        here = f"{what}, panel {number}" if len(want) > 1 else what
        for name in data:
            if name == "images":
                _compare_images(mine[name], right[name], rtol, atol, here)
            else:
                more = extra and name == "curves"
                _compare_shapes(_SHAPES[name], mine[name], right[name], more, rtol, atol, here)
        _require_words(mine, right, labels, legend, scales, here)


class _Shape(NamedTuple):
    """What is drawn: what one is called, its two rows of numbers, whether their order counts."""

    one: str
    keys: tuple[str, str]
    ordered: bool


_SHAPES = {
    "curves": _Shape("curve", ("x", "y"), True),
    "points": _Shape("cloud of points", ("x", "y"), False),
    "bars": _Shape("group of bars", ("x", "height"), False),
}
_FORM = dict.fromkeys(("title", "xlabel", "ylabel", "xscale", "yscale"), str) | dict.fromkeys(
    ("legend", *DATA), list
)
Rows = tuple[NDArray[Any], NDArray[Any]]


def _require_words(
    got: Values, want: Values, labels: bool, legend: bool, scales: bool, what: str
) -> None:
    if scales:
        for axis in ("xscale", "yscale"):
            assert_equal(got[axis], want[axis], what=f"{what}, {axis}")
    if labels:
        for axis in ("xlabel", "ylabel"):
            if want[axis].strip() and not got[axis].strip():
                raise CheckFailure("is missing", f"{what}, {axis}")
    if legend and want["legend"]:
        entries = {entry.strip() for entry in got["legend"]} - {""}
        if len(entries) < len(want["legend"]):
            raise CheckFailure(
                f"{len(entries)} different entries, expected {len(want['legend'])}",
                f"{what}, legend",
            )


def _panel(panel: Any, what: str) -> Values:
    """Return what a session says of a panel, if it has the form that `drawn` gives it."""
    refuse_object(panel, what, "what a figure shows")
    if not isinstance(panel, dict) or set(panel) != set(_FORM):
        raise CheckFailure(f"{kind(panel)}, expected what a figure shows", what)
    for name, form in _FORM.items():
        if not isinstance(panel[name], form):
            raise CheckFailure(f"{kind(panel[name])} for {name}", what)
    for entry in panel["legend"]:
        if not isinstance(entry, str):
            raise CheckFailure(f"{kind(entry)} in the legend, expected a text", what)
    for name in DATA:
        _list(panel[name], what)
    return panel


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise CheckFailure(f"{kind(value)}, expected what a figure shows", what)
    if len(value) > MOST:
        raise CheckFailure(f"{len(value)} items, expected {MOST} at most", what)
    return value


def _compare_shapes(
    shape: _Shape,
    got: list[Any],
    want: list[Any],
    extra: bool,
    rtol: float | None,
    atol: float | None,
    what: str,
) -> None:
    """Compare each wanted curve, or cloud of points, with that among the others which is it."""
    if len(got) < len(want) or (len(got) > len(want) and not extra):
        raise CheckFailure(f"{_count(len(got), shape.one)}, expected {len(want)}", what)
    left = [(item, _rows(shape, item, what)) for item in got]
    for number, right in enumerate(want, 1):
        wanted = _rows(shape, right, what)

        def far(
            pair: tuple[Values, Rows], right: Values = right, wanted: Rows = wanted
        ) -> tuple[bool, bool, float]:
            margin = max(_margin(*rows, rtol, atol) for rows in zip(pair[1], wanted, strict=True))
            return margin > 1.0, margin > 1.0 and pair[0]["label"] != right["label"], margin

        nearest = min(left, key=far)
        left = [pair for pair in left if pair is not nearest]
        told = repr(right["label"]) if right["label"] else str(number) if len(want) > 1 else ""
        for key, mine, its in zip(shape.keys, nearest[1], wanted, strict=True):
            name = f"{what}, {f'{shape.one} {told}'.strip()}, {key}"
            assert_close(mine, its, rtol=rtol, atol=atol, what=name)


def _margin(got: NDArray[Any], want: NDArray[Any], rtol: float | None, atol: float | None) -> float:
    """Return how far two rows are apart, in tolerances; nobody is told of the comparison."""
    if got.shape != want.shape:
        return float("inf")
    tolerance = tolerance_for([got.dtype.name], [want.dtype.name], want, rtol, atol)
    return compare(got, want, tolerance).margin


def _rows(shape: _Shape, item: Any, what: str) -> Rows:
    """Return the rows of numbers of a curve, in an order that both figures have."""
    refuse_object(item, what, f"the numbers of a {shape.one}")
    if not isinstance(item, dict) or set(item) != {"label", *shape.keys}:
        raise CheckFailure(f"{kind(item)}, expected the numbers of a {shape.one}", what)
    first, second = (item[key] for key in shape.keys)
    for row in (first, second):
        refuse_object(row, what, "an array")
        if not isinstance(row, np.ndarray) or row.dtype != np.float64 or row.ndim != 1:
            raise CheckFailure(f"{kind(row)}, expected the numbers of a {shape.one}", what)
    if first.shape != second.shape or not isinstance(item["label"], str):
        raise CheckFailure(f"a {shape.one} whose numbers are no pairs", what)
    if not shape.ordered:
        order = np.lexsort((second, first))
        return first[order], second[order]
    return first, second


def _compare_images(
    got: list[Any], want: list[Any], rtol: float | None, atol: float | None, what: str
) -> None:
    if len(got) != len(want):
        raise CheckFailure(f"{_count(len(got), 'image')}, expected {len(want)}", what)
    for number, (mine, right) in enumerate(zip(got, want, strict=True), 1):
        name = f"{what}, image {number}" if len(want) > 1 else f"{what}, image"
        assert_close(mine, right, rtol=rtol, atol=atol, what=name)


def _count(number: int, one: str) -> str:
    first, *others = one.split(" ", 1)
    plural = " ".join([f"{first}s", *others])
    return f"{number} {one if number == 1 else plural}"
