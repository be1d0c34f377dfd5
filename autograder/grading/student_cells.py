"""A student's cells: what little of a submitted file is believed.

Any JSON may stand anywhere in the file. What has the form of a cell, of an output or of an
attachment is copied part by part, and everything else is passed over.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.artefacts.release import FIRST_LINE
from autograder.errors import StudentError

__all__ = ["StudentCell", "read_cells", "title_of"]

MAX_CELLS = 5000
PARTS, MAX_PARTS = (b",", b"[", b"{"), 5_000_000  # each may take a hundred bytes once it is read
TYPES = {"code": "code", "markdown": "markdown", "raw": "raw", "heading": "markdown"}
MAX_TITLE = 80  # characters of a title that are told
MAX_BEGIN = 1000  # characters by which a text is known
KINDS = {
    b"\xff\xfe": "UTF-16, not UTF-8",
    b"\xfe\xff": "UTF-16, not UTF-8",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
}
HEADING = re.compile(r"^#+[ \t]+(\S.*)$", re.MULTILINE)
CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)|^={7}$", re.MULTILINE)
UNCLOSED = re.compile(r'"(?:[^"\\]|\\.)*\\?\Z', re.DOTALL)  # a text that nothing ends
SCRIPT = re.compile(r"#|import\s|from\s|def\s|class\s|@|\"{3}|'{3}|[A-Za-z_]\w*\s*[=(]")


class _NoCells(ValueError):
    """There is no list of cells."""


@dataclass
class StudentCell:
    """A cell of a submitted notebook.

    Attributes:
        number: its place in the file, from 1.
        type: ``code``, ``markdown`` or ``raw``.
        source: its text, which UTF-8 can hold.
        outputs: those of nbformat's form, of text only.
        attachments: the pictures in a text, in base64, by name and MIME type.
        grade_id: whose cell of the release it says it is.
        following: the student's own cells behind it, up to the next one of the release.
    """

    number: int
    type: str
    source: str
    outputs: list[dict[str, Any]] = field(default_factory=list)
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)
    grade_id: str | None = None
    following: list["StudentCell"] = field(default_factory=list)

    @property
    def is_stray(self) -> bool:
        """Whether it says something and not whose cell it is; the cell in front says nothing."""
        silent = not self.source.strip() or self.source.startswith(FIRST_LINE)
        return self.grade_id is None and not silent


def read_cells(data: bytes) -> list[StudentCell]:
    """Return the cells of a notebook file, whatever else may be wrong with it.

    Raises:
        StudentError: the bytes are no notebook, or one with too many cells or parts.
    """
    if sum(map(data.count, PARTS)) > MAX_PARTS:
        raise StudentError("the file has too many parts for a notebook")
    try:
        cells = _raw_cells(json.loads(data.decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        raise StudentError(f"the file is no Jupyter notebook: {_reason(data, error)}") from None
    if len(cells) > MAX_CELLS:
        raise StudentError(f"the notebook has {len(cells)} cells; at most {MAX_CELLS} are read")
    return [_read_cell(i, cell) for i, cell in enumerate(cells, 1) if isinstance(cell, dict)]


def title_of(cells: Sequence[StudentCell]) -> str:
    """Return the first heading of a notebook; "" if it has none."""
    texts = (cell.source for cell in cells if cell.type == "markdown")
    headings = (found[1] for text in texts if (found := HEADING.search(text)))
    return next(headings, "")[:MAX_TITLE].strip()


def _reason(data: bytes, error: Exception) -> str:
    """Return why the bytes are no notebook: what they are instead, or where they are damaged."""
    if not data.strip():
        return "it is empty"
    if b"\0" in data[:4]:
        return "it is UTF-16 or UTF-32, not UTF-8"
    for begin, kind in KINDS.items():
        if data.startswith(begin):
            return f"it is {kind}"
    match error:
        case UnicodeDecodeError():
            line = data.count(b"\n", 0, error.start) + 1
            return f"it is not UTF-8 (byte {error.start + 1}, in line {line})"
        case RecursionError():
            return "it is nested too deeply"
        case json.JSONDecodeError():
            return _damage(error)
        case _NoCells():
            return "it is JSON, but has no list of cells"
    return "it has a number of too many digits"


def _damage(error: json.JSONDecodeError) -> str:
    """Return where a text is no JSON, and what it looks like."""
    text = error.doc
    if conflict := CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        return f"it has a merge conflict in line {line} that nobody has resolved"
    begin = text[:MAX_BEGIN].lstrip()
    if begin.startswith("<"):
        return "it is a web page or XML, such as the page of a login"
    if SCRIPT.match(begin):
        return "it is a Python script"
    if begin[:1] not in ("{", "["):
        return "it is plain text"
    if error.pos >= len(text.rstrip()) or UNCLOSED.match(text, error.pos):
        return f"it ends too early, in line {text.rstrip().count(chr(10)) + 1}: a part is missing"
    return f"JSON error in line {error.lineno}, column {error.colno} ({error.msg})"


def _raw_cells(raw: object) -> list[object]:
    """Return the cells of a notebook of format 4, or of formats 2 and 3 with their worksheets.

    Not by nbformat's conversion, which stumbles over damaged cells.

    Raises:
        _NoCells: there is no list of cells.
    """
    match raw:
        case {"cells": list(cells)}:
            return cells
        case {"worksheets": [{"cells": list()}, *_] as sheets}:
            return [cell for sheet in sheets for cell in _raw_cells(sheet)]
    raise _NoCells


def _read_cell(number: int, raw: dict[str, Any]) -> StudentCell:
    kind, outputs, attachments = (raw.get(key) for key in ("cell_type", "outputs", "attachments"))
    return StudentCell(
        number,
        TYPES.get(kind, "raw") if isinstance(kind, str) else "raw",
        _text(raw.get("source", raw.get("input"))),  # input: before format 4
        list(_read_outputs(outputs)) if isinstance(outputs, list) else [],
        _read_attachments(attachments) if isinstance(attachments, dict) else {},
        _read_grade_id(raw.get("metadata")),
    )


def _read_grade_id(metadata: object) -> str | None:
    match metadata:
        case {"nbgrader": {"grade_id": str(grade_id)}}:
            return grade_id
    return None


def _read_outputs(outputs: list[object]) -> Iterator[dict[str, Any]]:
    for output in outputs:
        if not isinstance(output, dict):
            continue
        match output:
            case {"output_type": "stream" as kind, "text": text}:
                name = "stderr" if output.get("name") == "stderr" else "stdout"
                yield {"output_type": kind, "name": name, "text": _text(text)}
            case {"output_type": "error" as kind, "traceback": list(lines)}:
                ename, evalue = _text(output.get("ename")), _text(output.get("evalue"))
                trace = [_text(line) for line in lines]
                yield {"output_type": kind, "ename": ename, "evalue": evalue, "traceback": trace}
            case {"output_type": "display_data" | "execute_result", "data": dict(data)}:
                yield {"output_type": "display_data", "data": _read_texts(data), "metadata": {}}


def _read_attachments(attachments: dict[str, object]) -> dict[str, dict[str, str]]:
    return {
        _text(name): _read_texts(data)
        for name, data in attachments.items()
        if isinstance(data, dict)
    }


def _read_texts(data: dict[str, object]) -> dict[str, str]:
    """Return what is text in a bundle of MIME types; nobody is shown its JSON."""
    texts = {_text(kind): _text(content) for kind, content in data.items()}
    return {kind: text for kind, text in texts.items() if text}


def _text(value: object) -> str:
    """Return a text, which may be in lines, as UTF-8 can hold it; "" for what is none."""
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
