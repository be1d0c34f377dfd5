"""The graded notebook that formgrader shows, with nothing in it that could act there.

formgrader renders it without sanitising, on the Jupyter server of whoever looks: a script in it
would act as that person. So of a student's notebook only text and checked pictures go in, and
metadata only where its form is known.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from nbformat import NotebookNode

from autograder.artefacts.manifest import CheckEntry, Manifest
from autograder.artefacts.results import CheckResult, Result
from autograder.records.pages import format_points
from autograder.records.whole_files import write_atomic
from autograder.records.words import check_words, clean, price_words

__all__ = ["write_autograded"]

OUTPUT_BYTES = 1_000_000  # of all outputs of a notebook together
TEXT_CHARACTERS = 20_000  # of one text among them
LEFT_OUT = "(further outputs are left out: a notebook's may have 1 MB together)\n"
METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}

GRADE_ID = re.compile(r"[A-Za-z0-9_\-]{1,128}")
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}

ATTACHED = re.compile(r"\]\(attachment:([^)\s]*)")
REACHING_OUT = "href|url|require|style|class|cssId|data|unicode|mmlToken|def|let|newcommand"

# What would act in a page, made text by a blank that changes no formula: tags, links and pictures
# from elsewhere, definitions of links, and MathJax's commands that reach out of a formula.
TRAPS = (
    (re.compile(r"<(?=[A-Za-z/!?])"), "< "),
    (re.compile(r"\](?=\((?!attachment:))"), "] "),
    (re.compile(r"\](?=:)"), "] "),
    (re.compile(rf"\\(?=(?:{REACHING_OUT})(?![A-Za-z]))"), r"\\ "),
)


@dataclass
class _Budget:
    """The bytes of output that a notebook may still have."""

    left: int = OUTPUT_BYTES

    def spend(self, size: int) -> bool:
        """Return whether there is room, and use it; the first that does not fit ends it."""
        self.left = self.left - size if size <= self.left else 0
        return self.left > 0


def write_autograded(
    path: Path, notebook: NotebookNode, result: Result, manifest: Manifest
) -> None:
    """Write the graded notebook of a student, with its verdicts below each check cell.

    It says what a student may read, as `nbgrader generate_feedback` copies it for the student.

    Args:
        path: ``autograded/<student>/<assignment>/<assignment>.ipynb``.
        notebook: the student's, valid and healed: given cells are the release's again.
        result: the student's.
        manifest: the assignment's.
    """
    entries = {check.name: check for question in manifest.questions for check in question.checks}
    texts = {
        entries[check.name].cell: _verdicts(check, entries[check.name], price_words(question))
        for question in result.questions
        for check in question.checks
        if check.name in entries
    }
    budget = _Budget()
    cells = [
        {"id": f"cell-{number}"} | _cell(cell, texts, budget)
        for number, cell in enumerate(notebook.cells, 1)
    ]
    # Not by nbformat's functions, whose validation of every part costs more than all else here.
    graded = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    text = json.dumps(graded, ensure_ascii=False).encode("utf-8", "replace")
    write_atomic(path, msgspec.json.format(text, indent=1) + b"\n")


def _cell(cell: NotebookNode, texts: Mapping[str, str], budget: _Budget) -> dict[str, Any]:
    """Return what is safe of a cell; a raw one, which a page takes for HTML, becomes code."""
    source, kind = str(cell.source), "markdown" if cell.cell_type == "markdown" else "code"
    metadata = _metadata(cell.metadata.get("nbgrader"), kind)
    new: dict[str, Any] = {"cell_type": kind, "metadata": metadata, "source": source}
    if kind == "markdown":
        for trap, harmless in TRAPS:
            new["source"] = trap.sub(harmless, new["source"])
        kept = _attachments(cell)
        for link in ATTACHED.findall(new["source"]):  # looked for by the name that the link writes
            if (pictures := kept.get(unquote(link))) is not None:
                kept[link] = kept[quote(link, safe="%/")] = pictures
            if set(link) & set("&\\"):  # a page reads signs of HTML and Markdown in its own way
                kept.pop(link, None)
        # nbgrader's pages refuse a text with a picture that is not there.
        new["source"] = ATTACHED.sub(
            lambda link: link[0] if link[1] in kept else link[0].replace("(", " ("), new["source"]
        )
        return new | {"attachments": kept}
    text = texts.get(metadata.get("nbgrader", {}).get("grade_id"))
    outputs = [_stream("stdout", text)] if text else _outputs(cell.get("outputs", []), budget)
    count = cell.get("execution_count")
    return new | {
        "execution_count": count if type(count) is int else None,
        "outputs": list(outputs),
    }


def _metadata(old: object, kind: str) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell; other keys would become attributes of a page."""
    if not isinstance(old, dict) or not isinstance(name := old.get("grade_id"), str):
        return {}
    if not GRADE_ID.fullmatch(name):
        return {}
    flags = {flag: old.get(flag) is True for flag in ("grade", "solution", "locked", "task")}
    new = {"schema_version": 3, "grade_id": name, "cell_type": kind, **flags}
    points = old.get("points")
    if flags["grade"] or flags["task"]:
        new["points"] = float(points) if isinstance(points, (int, float)) else 0.0
    return {"nbgrader": new}


def _outputs(outputs: Iterable[NotebookNode], budget: _Budget) -> Iterator[dict[str, Any]]:
    for safe in filter(None, map(_output, outputs)):
        if not budget.spend(len(json.dumps(safe))):
            yield _stream("stderr", LEFT_OUT)
            return
        yield safe


def _output(output: NotebookNode) -> dict[str, Any] | None:
    """Return an output reduced to text and checked pictures, or None if nothing is left."""
    match output.output_type:
        case "stream":
            return _stream("stderr" if output.name == "stderr" else "stdout", _text(output.text))
        case "error":
            return {
                "output_type": "error",
                "ename": _text(output.ename),
                "evalue": _text(output.evalue),
                "traceback": [_text(line) for line in output.traceback],
            }
        case "display_data" | "execute_result":
            kept = {"image/png": _picture(output.data, "image/png")}
            kept["text/plain"] = _text(output.data.get("text/plain"))
            data = {kind: content for kind, content in kept.items() if content}
            return {"output_type": "display_data", "data": data, "metadata": {}} if data else None
    return None


def _stream(name: str, text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def _text(text: object) -> str:
    return clean(text, TEXT_CHARACTERS) if isinstance(text, str) else ""


def _picture(data: NotebookNode, kind: str) -> str:
    """Return a picture in base64, or nothing if it is not what it says."""
    try:
        raw = base64.b64decode("".join(str(data.get(kind, "")).split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return base64.b64encode(raw).decode() if raw.startswith(PICTURES[kind]) else ""


def _attachments(cell: NotebookNode) -> dict[str, dict[str, str]]:
    """Return the pictures attached to a cell, as of a proof on paper."""
    kept = {
        name: {kind: picture for kind in PICTURES if (picture := _picture(data, kind))}
        for name, data in cell.get("attachments", {}).items()
    }
    return {name: pictures for name, pictures in kept.items() if pictures}


def _verdicts(check: CheckResult, entry: CheckEntry, price: str | None) -> str:
    """Return the verdicts of a check as text.

    Args:
        check: the check.
        entry: the same, as the manifest tells of it.
        price: of the mistake that its question was scored by, in words.
    """
    points = f"{format_points(check.earned)} of {format_points(check.points)} points"
    lines = [f"{check.name}: {points}"]
    if price is not None:
        lines.append(f"  the whole question: {price}")
    said = None
    for case in check_words(check, entry):
        lines.append(f"  {case.name}: {case.words}")
        looks = f"looks like: {case.diagnosis}" if case.diagnosis not in (None, said) else ""
        said = case.diagnosis or said
        for words in (case.message or "", looks):
            lines.extend(f"      {line}" for line in words.splitlines())
    return "\n".join(lines) + "\n"
