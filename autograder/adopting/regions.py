"""Regions of another tool's cells, in the marks of ours."""

import re

__all__ = [
    "BEGIN",
    "END",
    "cut",
    "has_region",
    "indent_of",
    "manual_text",
    "marked_whole",
    "rubric_of",
]

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
RUBRIC = "=== BEGIN MARK SCHEME ===", "=== END MARK SCHEME ==="
NO_RUBRIC = "TODO adopt: say what earns the points."
NO_ANSWER = "TODO adopt: write an example answer."
_SCHEME = re.compile(r"^.*BEGIN MARK SCHEME.*\n?((?:.*\n)*?).*END MARK SCHEME.*\n?", re.MULTILINE)


def indent_of(line: str) -> str:
    """Return the white space with which a line begins."""
    return line[: len(line) - len(line.lstrip())]


def has_region(text: str) -> bool:
    """Return whether a text marks what students write."""
    return "BEGIN SOLUTION" in text


def marked_whole(text: str) -> str:
    """Return a cell of which students write all, with marks around it, but for its magic lines."""
    lines = text.strip("\n").split("\n")
    above = 0
    while above < len(lines) and lines[above].startswith("%"):
        above += 1
    return "\n".join([*lines[:above], BEGIN, *lines[above:], END])


def cut(text: str, begin: str, end: str, keep: bool) -> str:
    """Return a text without the lines that mark regions; without the regions unless kept.

    A region whose end is missing goes on to the end of the text.
    """
    lines, inside = [], False
    for line in text.split("\n"):
        if begin in line:
            inside = True
        elif end in line:
            inside = False
        elif keep or not inside:
            lines.append(line)
    return "\n".join(lines)


def rubric_of(text: str) -> tuple[str, str]:
    """Return a text without its mark scheme, and the mark scheme."""
    found = _SCHEME.search(text)
    return (_SCHEME.sub("", text), found[1].strip()) if found else (text, "")


def manual_text(answer: str, rubric: str, code: bool) -> str:
    """Return the cell of an answer that a person grades.

    Args:
        answer: with marks around what students write; all is theirs if there are none.
        rubric: what earns the points.
        code: whether it is a code cell.
    """
    answer = answer.strip("\n") or ("..." if code else NO_ANSWER)
    if not has_region(answer):
        answer = f"{BEGIN}\n{answer}\n{END}"
    lines = [RUBRIC[0], *(rubric or NO_RUBRIC).split("\n"), RUBRIC[1]]
    if code:  # where the rubric stood in comments, too
        lines = [f"# {line.removeprefix('# ')}" for line in lines]
    return "\n".join([answer, "", *lines])
