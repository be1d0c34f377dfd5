"""Otter's marks inside a cell: solutions by line, prompts, and what a test cell says of itself."""

import ast
import re
from typing import Any

import yaml

from autograder.adopting.regions import BEGIN, END, indent_of

__all__ = ["ends_in_truth", "is_test", "solution_text", "test_text", "without_own_calls"]

_LINE = re.compile(r"\s*#\s*SOLUTION(\s+NO\s+PROMPT)?\s*$", re.IGNORECASE)
_BEGIN = re.compile(r"^\s*#+\s*BEGIN SOLUTION(\s+NO\s+PROMPT)?\s*$", re.IGNORECASE)
_END = re.compile(r"^\s*#+\s*END SOLUTION\s*$", re.IGNORECASE)
_BEGIN_PROMPT = re.compile(r'^\s*("""|\'\'\')?\s*#+\s*BEGIN PROMPT\s*$', re.IGNORECASE)
_END_PROMPT = re.compile(r'^\s*("""|\'\'\')?;?\s*#+\s*END PROMPT\s*$', re.IGNORECASE)
_CONFIG = re.compile(r'^\s*"""\s*#+\s*BEGIN TEST CONFIG\s*\n(.*?)"""\s*#+\s*END TEST CONFIG', re.S)
_TEST = re.compile(r"^\s*#+\s*(HIDDEN\s+)?TESTS?\b[\s#]*$", re.IGNORECASE)
_HIDDEN = re.compile(r"^\s*#+\s*HIDDEN\b[\s#]*$", re.IGNORECASE)
_IGNORED = re.compile(r"#\s*IGNORE\s*$", re.IGNORECASE)
_OWN = re.compile(r"^\s*(grader\.\w+\(.*\)|grader\s*=.*|import otter.*|from otter.*)\s*$")


def is_test(cell: Any) -> bool:
    """Return whether a code cell of version 0 holds tests."""
    first = cell.source.partition("\n")[0]
    return cell.cell_type == "code" and _TEST.match(first) is not None


def ends_in_truth(text: str) -> bool:
    """Return whether a text ends in a comparison, whose value Otter looks at."""
    try:
        last = ast.parse(text).body[-1:]
    except SyntaxError:
        return False
    truth = (ast.Compare, ast.BoolOp, ast.UnaryOp)
    return any(isinstance(one, ast.Expr) and isinstance(one.value, truth) for one in last)


def without_own_calls(text: str) -> str:
    """Return a cell without Otter's own calls, such as ``grader.check("q1")``."""
    return "\n".join(line for line in text.split("\n") if not _OWN.match(line))


def solution_text(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a cell with our marks around its solutions, and what a person must look at.

    What Otter shows to students in place of a solution stands above it in comments.
    """
    lines: list[str] = []
    look: tuple[str, ...] = ()
    inside = prompt = by_line = False
    for line in text.split("\n"):
        if _BEGIN_PROMPT.match(line):
            prompt = True
        elif _END_PROMPT.match(line):
            prompt = False
            look = ("Otter's prompt stands in comments above the solution",)
        elif prompt:
            lines.append(f"# {line}".rstrip())
        elif _BEGIN.match(line) or _END.match(line):
            inside = _BEGIN.match(line) is not None
            lines.append(indent_of(line) + (BEGIN if inside else END))
        else:
            marked = not inside and _LINE.search(line) is not None
            if by_line and not marked:
                lines.append(indent_of(lines[-1]) + END)
            if marked and not by_line:
                lines.append(indent_of(line) + BEGIN)
            by_line = marked
            lines.append(_LINE.sub("", line) if marked else line)
    if by_line:
        lines.append(indent_of(lines[-1]) + END)
    return "\n".join(lines), look


def test_text(text: str) -> tuple[str, bool, float | None]:
    """Return what of a test cell is run, whether it is hidden, and its points if it names some."""
    hidden, points = False, None
    if (found := _CONFIG.match(text)) is not None:
        text = text[found.end() :]
        try:
            config = yaml.safe_load(found[1])
        except yaml.YAMLError:
            config = None
        if isinstance(config, dict):
            hidden = bool(config.get("hidden"))
            said = config.get("points")
            points = float(said) if isinstance(said, (int, float)) else None
    lines = [line for line in text.strip("\n").split("\n") if not _IGNORED.search(line)]
    if lines and (_TEST.match(lines[0]) or _HIDDEN.match(lines[0])):
        hidden = hidden or "HIDDEN" in lines[0].upper()
        lines = lines[1:]
    return "\n".join([*lines, *_calls(lines)]).strip("\n"), hidden, points


def _calls(lines: list[str]) -> list[str]:
    """Return calls of the test functions that a cell defines, with what they name as arguments."""
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return []
    return [
        f"{node.name}({', '.join(one.arg for one in node.args.args)})"
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    ]
