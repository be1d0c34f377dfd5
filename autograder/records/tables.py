"""Tables that staff write: a CSV file in the course's folder, as any spreadsheet saves it."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from autograder.errors import UsageError
from autograder.spelling import composed

__all__ = ["read_table"]

MOST_BYTES = 16 << 20


def read_table(path: Path, wanted: Sequence[str]) -> list[tuple[str, dict[str, str]]] | None:
    """Return where each row stands, and its cells by column; None where there is no such file.

    Args:
        path: of the file, whose values may be separated by commas, semicolons or tabs.
        wanted: the columns that its first line must name.

    Raises:
        UsageError: it is too large, not UTF-8, no CSV, or lacks a column.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(data) > MOST_BYTES:
        raise UsageError(f"{path.name} has more than {MOST_BYTES >> 20} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path.name} is not UTF-8: {error.reason} at byte {error.start}"
        ) from None
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    try:
        columns = [re.sub(r"[\s-]+", "_", name.strip().casefold()) for name in next(reader, [])]
        if missing := [name for name in wanted if name not in columns]:
            raise UsageError(f"the first line of {path.name} must name a column {missing[0]!r}")
        return [
            (
                f"{path.name}, line {reader.line_num}",
                {name: composed(cell.strip()) for name, cell in zip(columns, row, strict=False)},
            )
            for row in reader
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise UsageError(f"{path.name}, line {reader.line_num}: {error}") from None
