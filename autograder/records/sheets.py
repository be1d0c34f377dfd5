"""Sheets: a table that was downloaded from a learning platform, changed in single cells only.

Everything else stays as it came, byte for byte: the platform knows its rows by it. So a sheet is
taken apart into the texts of its cells and put together again, and is never parsed and written.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from autograder.errors import UsageError, naming

__all__ = ["DECIMALS", "Sheet", "number", "read_sheet"]

# Byte order marks, and what they say of the text behind them.
MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
DECIMALS = 4  # of a grade
DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


@dataclass(frozen=True)
class Row:
    """A row: the texts of its cells as they stand there, in quotes or not, and how it ends."""

    cells: tuple[str, ...]
    end: str


@dataclass(frozen=True)
class Sheet:
    """A table as it was downloaded.

    Attributes:
        name: of the file.
        mark: the byte order mark in front.
        encoding: of the text behind it.
        delimiter: between cells.
        rows: the headings, then the others.
    """

    name: str
    mark: bytes
    encoding: str
    delimiter: str
    rows: tuple[Row, ...]

    @cached_property
    def headings(self) -> tuple[str, ...]:
        """The headings of the columns."""
        return tuple(_value(cell).strip() for cell in self.rows[0].cells)

    @property
    def numbers(self) -> range:
        """The numbers of the rows below the headings."""
        return range(1, len(self.rows))

    def value(self, row: int, column: int) -> str:
        """Return what a cell says, without blanks around it; "" where the row has none."""
        cells = self.rows[row].cells
        return _value(cells[column]).strip() if column < len(cells) else ""

    def column(self, column: int) -> list[str]:
        """Return what a column says in the rows that say anything."""
        return [self.value(row, column) for row in self.numbers if any(self.rows[row].cells)]

    def find(self, heading: str) -> int | None:
        """Return the column of a heading, however its letters are written."""
        wanted = heading.strip().casefold()
        found = [n for n, text in enumerate(self.headings) if text.casefold() == wanted]
        return found[0] if len(found) == 1 else None

    def with_grades(self, grades: Mapping[tuple[int, int], float]) -> "Sheet":
        """Return the sheet with grades in some cells, by row and column.

        A cell that says the same number already stays as it is. Numbers have a decimal comma
        where the sheet's have.
        """
        comma = any(
            DECIMAL_COMMA.fullmatch(self.value(row, column))
            for row in self.numbers
            for column in range(len(self.rows[row].cells))
        )
        rows = list(self.rows)
        for (row, column), grade in grades.items():
            said = number(self.value(row, column))
            if said is None or abs(said - grade) > 10**-DECIMALS:
                cells = list(rows[row].cells)
                cells += [""] * (column + 1 - len(cells))  # the ends of rows may be left out
                cells[column] = self._cell(grade, comma, cells[column])
                rows[row] = replace(rows[row], cells=tuple(cells))
        return replace(self, rows=tuple(rows))

    def only(self, columns: Sequence[int]) -> "Sheet":
        """Return the sheet with some of its columns."""
        rows = (
            Row(tuple(row.cells[n] for n in columns if n < len(row.cells)), row.end)
            for row in self.rows
        )
        return replace(self, rows=tuple(rows))

    def data(self) -> bytes:
        """Return the bytes of the file."""
        text = "".join(self.delimiter.join(row.cells) + row.end for row in self.rows)
        return self.mark + text.encode(self.encoding)

    def _cell(self, grade: float, comma: bool, before: str) -> str:
        """Return the text of a cell, in quotes where it needs them or had them."""
        text = format(round(grade, DECIMALS), ".12g")
        text = text.replace(".", ",") if comma else text
        return f'"{text}"' if self.delimiter in text or before.startswith('"') else text


def read_sheet(path: Path) -> Sheet:
    """Read a sheet, in whatever encoding and with whatever delimiter it was downloaded.

    Raises:
        UsageError: it cannot be read, or is no table.
    """
    try:
        with naming(path):
            data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    mark, encoding = next((m for m in MARKS if data.startswith(m[0])), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        if mark:
            raise UsageError(f"{path} is no table: its text is not {encoding}") from None
        text, encoding = data.decode("latin-1"), "latin-1"
    first = re.sub(r'"[^"]*+"', "", text.partition("\n")[0])
    delimiter = max(",;\t", key=first.count)
    if "\0" in text or delimiter not in first:
        raise UsageError(f"{path} is no table: download it as CSV, and do not open it in between")
    return Sheet(path.name, mark, encoding, delimiter, tuple(_rows(text, delimiter)))


def number(text: str) -> float | None:
    """Return the number that a cell says, if it says one."""
    return float(text.replace(",", ".")) if NUMBER.fullmatch(text) else None


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    """Take a table apart; put together again, its rows are the text."""
    cell = re.compile(
        rf'("(?:[^"]|"")*+"[^{delimiter}\r\n]*|[^{delimiter}\r\n]*)({delimiter}|\r\n|\n|\r|\Z)'
    )
    cells: list[str] = []
    place = 0
    while place < len(text) or cells:
        found = cell.match(text, place)
        assert found is not None, "an empty cell matches everywhere"
        cells.append(found[1])
        place = found.end()
        if found[2] != delimiter:
            yield Row(tuple(cells), found[2])
            cells = []


def _value(cell: str) -> str:
    if not cell.startswith('"'):
        return cell
    inner, _, behind = cell[1:].rpartition('"')
    return inner.replace('""', '"') + behind
