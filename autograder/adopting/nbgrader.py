"""nbgrader's source notebooks: what a cell is stands in its metadata, regions in its text."""

import re
from pathlib import Path
from typing import Any

from autograder.adopting.cells import Foreign, ForeignCell, Role, TestCell
from autograder.adopting.regions import cut, has_region, manual_text, marked_whole, rubric_of

__all__ = ["is_nbgraders", "read_nbgrader"]

HIDDEN = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
# Expressions whose value the solution gives, and which nbgrader turns to assertions.
_AUTOTEST = re.compile(r"^(\s*)#+\s*(HASHED\s+)?AUTOTEST\s+(.*)$")
_UNWRITTEN = re.compile(r"^\s*raise NotImplementedError|YOUR (CODE|ANSWER) HERE", re.MULTILINE)


def is_nbgraders(notebook: Any) -> bool:
    """Return whether a notebook has cells of nbgrader's."""
    return any(_marks(cell) for cell in notebook.cells)


def read_nbgrader(notebook: Any, path: Path) -> Foreign:
    """Return a source notebook of nbgrader's."""
    cells = [one for n, raw in enumerate(notebook.cells, 1) for one in _cells(n, raw)]
    return Foreign("nbgrader", path, cells)


def _marks(cell: Any) -> dict[str, Any]:
    marks = dict(cell.metadata.get("nbgrader", {}))
    return marks if any(marks.get(key) for key in ("grade", "solution", "task", "grade_id")) else {}


def _cells(number: int, raw: Any) -> list[ForeignCell]:
    marks, text, code = _marks(raw), raw.source.rstrip(), raw.cell_type == "code"
    name, points = str(marks.get("grade_id", "")), float(marks.get("points") or 0)
    kind = "code" if code else "markdown"
    attachments = dict(raw.get("attachments", {}))
    if marks.get("task"):
        prose, rubric = rubric_of(text)
        task = "students answered a task in cells of their own; here they write into one cell"
        answer = manual_text("", rubric, code=False)
        return [
            ForeignCell(number, Role.PROSE, "markdown", prose, attachments=attachments),
            ForeignCell(number, Role.MANUAL, "markdown", answer, name, points=points, look=(task,)),
        ]
    if marks.get("grade") and marks.get("solution"):
        answer, rubric = rubric_of(text)
        look: tuple[str, ...] = () if rubric else ("it has no mark scheme; write one",)
        whole = manual_text(answer, rubric, code)
        return [ForeignCell(number, Role.MANUAL, kind, whole, name, None, points, look)]
    if marks.get("grade") and code:
        tests = _tests(text, points)
        return [ForeignCell(number, Role.TESTS, kind, text, name, tests)]
    if marks.get("solution") and code:
        look = ("its solution is missing; write it",) if _is_unwritten(text) else ()
        solution = text if has_region(text) else marked_whole(text)
        return [ForeignCell(number, Role.SOLUTION, kind, solution, name, look=look)]
    role = Role.GIVEN if code else Role.PROSE
    return [ForeignCell(number, role, kind, text, name, attachments=attachments)]


def _is_unwritten(text: str) -> bool:
    """Return whether a solution cell is that of a release."""
    return not has_region(text) and _UNWRITTEN.search(text) is not None


def _tests(text: str, points: float) -> TestCell:
    visible = cut(text, *HIDDEN, keep=False)
    whole = cut(text, *HIDDEN, keep=True)
    return TestCell(
        _with_autotests(visible, hashed=False).strip("\n"),
        _with_autotests(whole, hashed=True).strip("\n"),
        points,
    )


def _with_autotests(text: str, hashed: bool) -> str:
    """Return a text with assertions in place of what nbgrader makes assertions of.

    Args:
        text: of a test cell.
        hashed: whether those are asked for whose value nbgrader hides; the others always are.
    """
    lines = []
    for line in text.split("\n"):
        found = _AUTOTEST.match(line)
        if found is None:
            lines.append(line)
        elif hashed or not found[2]:
            asked = (one.strip() for one in found[3].split(";"))
            lines += [f"{found[1]}AUTOTEST({one})" for one in asked if one]
    return "\n".join(lines)
