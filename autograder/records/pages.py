"""Pages: self-contained HTML from templates, in which every value is escaped."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.records.whole_files import write_atomic

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["format_points", "template_text", "write_page"]

TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, template: str, **values: Any) -> None:
    """Render a template and put the page in its place, whole or not at all."""
    page = _environment().get_template(template).render(**values)
    write_atomic(path, page.encode("utf-8", "replace"))


def template_text(name: str) -> str:
    """Return a file of the templates for a page to hold as it is."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


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
