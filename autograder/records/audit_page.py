"""The page of an audit: for each check what is right, what is wrong, and the gap between."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.records.pages import write_page

__all__ = ["write_audit_page"]

LEAST, MOST = 1e-10, 1e10  # margins that a chart shows; what lies beyond is drawn at its edge


@dataclass(frozen=True)
class Chart:
    """The bands of a check on a logarithmic axis of margins, from 0 to 100; the tolerance is 50."""

    right: float
    precision: float | None
    wrong: float
    words: str


def write_audit_page(path: Path, audit: Path) -> None:
    """Write the page of an audit from its ``audit.json``."""
    found: dict[str, Any] = json.loads(audit.read_bytes())
    write_page(
        path,
        "audit.html",
        audit=found,
        charts={check["name"]: _chart(check) for check in found["checks"]},
    )


def _chart(check: dict[str, Any]) -> Chart:
    right, precision = check["accept_band"][1], check["precision_band"]
    wrong = check["reject_band"][0]
    words = f"right answers reach {_figure(right)} of the tolerance"
    if precision is not None:
        far = "more" if precision[1] is None else _figure(precision[1])
        words += f", in single precision {far}"
    nearest = f", {check['nearest_wrong']}" if check["nearest_wrong"] else ""
    words += (
        f"; the nearest wrong one{nearest}: {_figure(wrong)}"
        if wrong is not None
        else "; every wrong one fails on more than numbers"
    )
    return Chart(
        _place(right),
        None if precision is None else 100.0 if precision[1] is None else _place(precision[1]),
        100.0 if wrong is None else _place(wrong),
        words,
    )


def _place(margin: float | None) -> float:
    """Return where a margin lies on the axis."""
    if not margin:
        return 0.0
    share = math.log10(min(max(margin, LEAST), MOST) / LEAST) / math.log10(MOST / LEAST)
    return round(100 * share, 2)


def _figure(margin: float | None) -> str:
    return "none" if margin is None else f"{margin:.2g}"
