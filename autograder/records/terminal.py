"""The table of the class in a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from autograder.artefacts.grades import Grade
from autograder.artefacts.manifest import Manifest
from autograder.records.pages import format_points
from autograder.records.words import question_label, standing
from autograder.visible import visible

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["class_table"]

NAME_WIDTH = 20
CAPTION = "– not decided yet, ! needs attention"
STYLES = {
    "full": "green",
    "part": "yellow",
    "none": "red",
    "unscored": "dim",
    "manual": "blue",
    "hardware": "blue",
    "attention": "magenta",
    "trial": "dim",
}


def class_table(manifest: Manifest, grades: Mapping[str, Grade], width: int = 80) -> "Table":
    """Return the class as a table: a row per student, a column per question.

    Where the questions do not fit into the width, one column says how many earned all their
    points.
    """
    from rich.table import Table
    from rich.text import Text

    rows = [_row(grades[student]) for student in sorted(grades)]
    heads = [
        f"{question_label(entry, number)}\n/{format_points(entry.points)}"
        for number, entry in enumerate(manifest.questions, 1)
    ]
    total = f"earned\n/{format_points(manifest.possible)}"
    if _width([*map(Text, ("student", *heads, total, "status"))], rows) > width:
        heads = ["passed"]
        rows = [[row[0], _collapsed(row[1:-2]), *row[-2:]] for row in rows]
    table = Table(title=Text(manifest.title), caption=CAPTION, box=None, pad_edge=False)
    table.add_column("student", overflow="ellipsis", max_width=NAME_WIDTH, no_wrap=True)
    for head in (*heads, total):
        table.add_column(Text(head), justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _row(grade: Grade) -> list["Text"]:
    """Return a student's row: name, a cell per question, earned, status."""
    from rich.text import Text

    cells = []
    for question in grade.questions:
        how = standing(question.entry, question)
        cells.append(Text(how.mark or format_points(question.earned), STYLES[how.key]))
    is_read = grade.result is not None and grade.result.questions
    earned = format_points(grade.earned) if is_read or grade.is_begun else "!"
    status = Text(grade.status.words)
    return [Text(visible(grade.student, 120)), *cells, Text(earned, "bold"), status]


def _collapsed(cells: Sequence["Text"]) -> "Text":
    """Return how many of a student's questions earned all their points, as one cell."""
    from rich.text import Text

    full = sum(cell.style == STYLES["full"] for cell in cells)
    return Text(f"{full}/{len(cells)}")


def _width(heads: Sequence["Text"], rows: Sequence[Sequence["Text"]]) -> int:
    """Return the width of a table with these columns."""
    columns = zip(heads, *rows, strict=True)
    widths = [max(cell.cell_len for line in column for cell in line.split()) for column in columns]
    width: int = min(widths[0], NAME_WIDTH) + sum(widths[1:]) + 2 * (len(widths) - 1)
    return width
