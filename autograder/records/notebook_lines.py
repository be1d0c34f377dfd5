"""Lines: where in the text of a notebook's file its cells stand, as CI points at them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["CellLines", "cell_lines"]

LONGEST = 20_000_000  # characters of a notebook in which lines are looked for
_COLON = re.compile(r"\s*:")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]', re.DOTALL)


@dataclass(frozen=True)
class CellLines:
    """A cell of a notebook.

    Attributes:
        grade_id: its name, if it has one.
        is_answer: whether it is there to be answered.
        lines: of the file, for each line of its source; of a source that is one text, one.
    """

    grade_id: str | None
    is_answer: bool
    lines: tuple[int, ...]

    def line(self, number: int = 1) -> int:
        """Return the file's line for a line of the source, counted from 1; 1 where there is none.

        Behind the last one it is the last.
        """
        return self.lines[min(number, len(self.lines)) - 1] if self.lines else 1


def cell_lines(data: bytes) -> list[CellLines]:
    """Return the cells of a notebook as it is submitted; none of what is no notebook."""
    try:
        text = data.decode("utf-8")
        cells = json.loads(text)["cells"]
        marks = [_marks(cell) for cell in cells]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
    if len(text) > LONGEST:
        return []
    lines: list[list[int]] = [[] for _ in cells]
    line = begin = 0
    for number, offset in _sources(text):
        if number >= len(lines):  # the file says its cells twice; the last ones count
            return []
        line, begin = line + text.count("\n", begin, offset), offset
        lines[number].append(line + 1)
    return [
        CellLines(grade_id, is_answer, tuple(found))
        for (grade_id, is_answer), found in zip(marks, lines, strict=True)
    ]


def _marks(cell: Any) -> tuple[str | None, bool]:
    marks = cell.get("metadata", {}).get("nbgrader", {})
    grade_id = marks.get("grade_id")
    return grade_id if isinstance(grade_id, str) else None, marks.get("solution") is True


def _sources(text: str) -> Iterator[tuple[int, int]]:
    """Yield the texts of all sources: the number of the cell, and where in the file they begin."""
    path: list[str | int] = []  # in each object the key, in each list the number
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{":
                path.append("")
            case "[":
                path.append(0)
            case "}" | "]":
                path.pop()
            case "," if isinstance(path[-1], int):
                path[-1] += 1
            case "," | ":":
                pass
            case string if isinstance(path[-1], str) and _COLON.match(text, token.end()):
                path[-1] = json.loads(string)
            case _:
                match path:
                    case ["cells", int(number), "source"] | ["cells", int(number), "source", int()]:
                        yield number, token.start()
