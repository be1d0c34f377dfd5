"""Pages: self-contained HTML from templates, in which every value is escaped."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.records.whole_files import write_atomic

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["decimals", "format_points", "write_page"]

TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, template: str, **values: Any) -> None:
    """Render a template and put the page in its place, whole or not at all."""
    page = _environment().get_template(template).render(**values)
    write_atomic(path, page.encode("utf-8", "replace"))


def decimals(values: Iterable[float]) -> int:
    """Return how many decimals, 0 to 2, show all values of a column in one form."""
    return max((len(format_points(v).partition(".")[2]) for v in values), default=0)


def format_points(value: float, places: int | None = None) -> str:
    """Return points as people write them: 4, 3.5, 0.33; or with a number of decimals."""
    if places is not None:
        return f"{value:.{places}f}"
    return f"{value:.2f}".rstrip("0").rstrip(".")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = format_points
    return environment
