"""Five write-ups as a class: real answers, right and wrong, put into our notebooks.

``answers/writeup_….md`` holds what each of them answers, by assignment. A block of code gives
names their meaning; a heading such as ``### proof_regret`` stands above the answer to a manual
question. ``python -m tests.demo.writeups`` puts these into the releases and writes ``submitted/``
again, after an assignment has changed. ``answers/writeup_….csv`` says what each answer must get.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat

from autograder.artefacts.release import Artefacts
from autograder.compiler.build import build
from autograder.course import Course, find_course
from tests.demo.demo_class import Answers, submit

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(__file__).parent / "answers"
FENCE = "```"


@dataclass
class Given:
    """What a write-up answers in one assignment: definitions by name, texts by question."""

    code: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def read_answers(text: str) -> dict[str, Given]:
    """Return the answers of a write-up by assignment."""
    found: dict[str, Given] = {}
    given, question = Given(), None
    blocks: list[str] | None = None
    for line in text.splitlines():
        if line.startswith(FENCE):
            if blocks is not None:
                given.code |= _definitions("\n".join(blocks))
            blocks = [] if blocks is None else None
        elif blocks is not None:
            blocks.append(line)
        elif line.startswith("## "):
            given, question = found.setdefault(line[3:], Given()), None
        elif line.startswith("### "):
            question = line[4:]
            given.texts[question] = ""
        elif question is not None:
            given.texts[question] += line + "\n"
    return found


def _definitions(code: str) -> dict[str, str]:
    """Return each definition of a block of code, by the name that it gives a meaning."""
    found, lines = {}, code.splitlines()
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef):
            name = node.name
        else:
            assert isinstance(node, ast.Assign)
            assert isinstance(node.targets[0], ast.Name)
            name = node.targets[0].id
        found[name] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    return found


@cache
def writeups() -> dict[str, dict[str, Given]]:
    """Return the answers of each write-up, by student and assignment."""
    files = sorted(ANSWERS.glob("*.md"))
    return {file.stem: read_answers(file.read_text(encoding="utf-8")) for file in files}


def assignments() -> list[str]:
    """Return the names of the assignments that somebody answers something in."""
    return sorted({name for answers in writeups().values() for name in answers})


def submissions(artefacts: Artefacts) -> Iterator[tuple[str, str]]:
    """Yield each student who submits an assignment, with the notebook's text."""
    release = nbformat.reads(artefacts.release[f"{artefacts.name}.ipynb"].decode(), as_version=4)
    solution = nbformat.reads(artefacts.solution.decode(), as_version=4)
    for student, answers in writeups().items():
        if artefacts.name in answers:
            notebook = Answers(release, solution)
            given = answers[artefacts.name]
            for name, code in given.code.items():
                notebook.write(name, code)
            for question, text in given.texts.items():
                notebook.notebook.cells[notebook.index(question)].source = text.strip()
            yield student, nbformat.writes(notebook.notebook) + "\n"


def write_writeups(course: Course, names: Iterable[str], submitted: Path) -> None:
    """Write the submissions of all write-ups for some assignments."""
    for name in names:
        for student, text in submissions(build(course, name)):
            submit(submitted / student / name, text, 30)


if __name__ == "__main__":
    write_writeups(find_course(ROOT), sys.argv[1:] or assignments(), ROOT / "submitted")
    sys.stdout.write(f"wrote the submissions of {', '.join(writeups())}\n")
