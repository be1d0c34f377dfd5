"""What CI shows: a summary of a job in Markdown, and annotations in a student's notebook.

What a student may read of a grade, and nothing hidden. No text of a student's acts as Markdown, as
HTML or as a command of the runner.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.artefacts.grades import Grade, GradeStatus, QuestionGrade
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import Status, digest_of
from autograder.records.exporting import Exported
from autograder.records.filling import known_students
from autograder.records.notebook_lines import CellLines, cell_lines
from autograder.records.pages import format_points
from autograder.records.public import ATTENTION, question_lines, words_of
from autograder.records.words import clean, price_words, shared_diagnoses, standing
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.records.exporting import Wanted

__all__ = ["annotations_export", "markdown_export"]

MOST_ROWS = 200  # students in the summary of a class
MOST_DETAILS = 60_000  # characters of a student's feedback; a summary may have a million bytes
MOST_TITLE = 120
_ACTS = re.compile(r"([\\`*_{}\[\]()#+!|~<>&$@:-]|(?<=www)\.)")  # GitHub links www. itself
_PLACE = re.compile(r"cell (\d+), line (\d+)")
_BY_STATUS = {
    GradeStatus.GRADED: "graded",
    GradeStatus.PENDING: "pending",
    GradeStatus.NEEDS_ATTENTION: "needs attention",
    GradeStatus.UNGRADED: "a trial that counts for nothing",
}


def markdown_export(wanted: "Wanted") -> Exported:
    """Return a summary in Markdown: of one student by question, of a class by student."""
    parts = []
    for manifest, grades in wanted.classes:
        students = known_students([(manifest, grades)])
        parts.append(f"## {_plain(manifest.title)}")
        if len(students) == 1:
            parts += _of_one(grades[students[0]])
        else:
            parts += _of_class(manifest, [grades[student] for student in students])
    return Exported({"summary.md": ("\n\n".join(parts) + "\n").encode()})


def _of_one(grade: Grade) -> Iterator[str]:
    possible = format_points(grade.possible)
    if grade.total is not None:
        yield f"**{format_points(grade.total)} of {possible} points**"
    elif grade.is_begun:
        yield f"**{format_points(grade.earned)} of {possible} points so far**"
    if grade.status is GradeStatus.NEEDS_ATTENTION:
        yield ATTENTION
    notes = [*(grade.result.notes if grade.result else ()), grade.late.why]
    if told := [f"- {_plain(note)}" for note in notes if note]:
        yield "\n".join(told)
    rows, details = [], []
    for question in grade.questions:
        how = standing(question.entry, question)
        title, points = _plain(question.entry.title), _points(question)
        rows.append((title, points, format_points(question.points), _plain(how.words)))
        if how.key != "full" and question.checks:
            text = "\n".join(question_lines(question))
            details.append(f"<details><summary>{title}</summary>\n\n{_fenced(text)}\n\n</details>")
    yield _table(("question", "points", "of", ""), rows)
    length = 0
    for detail in details:
        if (length := length + len(detail)) > MOST_DETAILS:
            yield "More is said in the feedback."
            return
        yield detail


def _of_class(manifest: Manifest, grades: list[Grade]) -> Iterator[str]:
    if not grades:
        yield "Nobody has submitted anything."
        return
    states = Counter(grade.status for grade in grades)
    told = [f"{states[state]} {words}" for state, words in _BY_STATUS.items() if states[state]]
    yield f"{len(grades)} submitted: {', '.join(told)}."
    first = sorted(grades, key=lambda g: g.status is not GradeStatus.NEEDS_ATTENTION)
    possible = format_points(manifest.possible)
    rows = []
    for grade in first[:MOST_ROWS]:
        points = format_points(grade.earned) if grade.is_begun else "–"
        words = _BY_STATUS.get(grade.status, grade.status.value)
        rows.append((_plain(grade.student), points, possible, words))
    yield _table(("student", "points", "of", ""), rows)
    if len(first) > MOST_ROWS:
        yield f"and {len(first) - MOST_ROWS} more"


def annotations_export(wanted: "Wanted") -> Exported:
    """Return workflow commands by which GitHub marks each question that lost points.

    They point at the line that raised, or at the answer; where the notebook has changed since, at
    no line. Questions that lost most come first, since GitHub shows ten of a kind.
    """
    lines: list[str] = []
    for manifest, grades in wanted.classes:
        for student in known_students([(manifest, grades)]):
            path = wanted.notebooks.get((manifest.assignment, student))
            lines += _annotations(grades[student], path)
    return Exported({"annotations.txt": "".join(f"{line}\n" for line in lines).encode()})


def _annotations(grade: Grade, path: Path | None) -> Iterator[str]:
    cells, file = _cells(grade, path), {} if path is None else {"file": str(path)}
    title = f"{grade.assignment}, {visible(grade.student)}"
    if grade.status is GradeStatus.NEEDS_ATTENTION:
        yield _command("warning", {**file, "title": title}, ATTENTION)
    for question in sorted(grade.questions, key=lambda q: q.earned - q.points):
        if question.status is not Status.GRADED or question.earned >= question.points:
            continue
        where = dict(file)
        if cells:
            where["line"] = str(_line(question, cells))
        points = f"{format_points(question.earned)} of {format_points(question.points)} points"
        where["title"] = clean(f"{question.entry.title}: {points}", MOST_TITLE)
        yield _command("error", where, "\n".join(_reasons(question)))


def _reasons(question: QuestionGrade) -> Iterable[str]:
    """Return why a question lost points, in short: a line for each reason."""
    if price := price_words(question):
        return [price]
    checks = list(words_of(question))
    found = [f"looks like: {text}" for text in shared_diagnoses(words for _, words in checks)]
    for _, words in checks:
        for case in words:
            if case.verdict != "passed":
                message = f": {case.message.splitlines()[0]}" if case.message else ""
                found.append(f"{case.name}: {case.words}{message}")
    return list(dict.fromkeys(found)) or [standing(question.entry, question).words]


def _cells(grade: Grade, path: Path | None) -> list[CellLines]:
    """Return the cells of the notebook that was graded; none where another stands there now."""
    try:
        data = path.read_bytes() if path is not None else b""
    except OSError:
        return []
    if grade.result is None or grade.result.submission != digest_of(data):
        return []
    return cell_lines(data)


def _line(question: QuestionGrade, cells: list[CellLines]) -> int:
    """Return the line of a notebook's file at which a question is best looked at."""
    for check in question.checks:
        for case in check.cases:
            place = _PLACE.search(case.place or "") if not case.hidden else None
            if place and 1 <= (number := int(place[1])) <= len(cells):
                return cells[number - 1].line(int(place[2]))
    names = {entry.cell for entry in question.entry.checks} | {question.entry.cell}
    for number, cell in enumerate(cells):
        if cell.grade_id in names - {None}:
            above = (one for one in reversed(cells[:number]) if one.is_answer)
            return (cell if cell.is_answer else next(above, cell)).line()
    return 1


def _command(kind: str, where: dict[str, str], message: str) -> str:
    """Return a workflow command, in which nothing of a text ends it or begins another."""
    told = ",".join(f"{key}={_escaped(clean(text), ':,')}" for key, text in where.items())
    return f"::{kind} {told}::{_escaped(clean(message))}"


def _escaped(text: str, more: str = "") -> str:
    for letter in ("%", "\r", "\n", *more):
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text


def _points(question: QuestionGrade) -> str:
    return standing(question.entry, question).mark or format_points(question.earned)


def _plain(text: str) -> str:
    """Return text of one line that is no markup."""
    return _ACTS.sub(r"\\\1", " ".join(visible(clean(text)).split()))


def _fenced(text: str) -> str:
    """Return text as it is, in a fence that it cannot end."""
    longest = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    line = "|".join(["---", *["---:"] * 2, "---"])
    lines = [f"| {' | '.join(head)} |", f"|{line}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
