"""Submitting: what each specimen's student knows, and the notebook or the files made of it."""

import ast
import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.redteam.specimens import Earning, Specimen

__all__ = [
    "Knowledge",
    "meddle",
    "names_asked_for",
    "submit",
    "with_text",
    "without_answer",
    "write",
]


@dataclass(frozen=True)
class Knowledge:
    """What a hostile student is taken to know; a specimen reads it as constants, in capitals.

    Attributes:
        assignment: its name, which is also that of the submitted notebook.
        names: what the answer cells of the release define, in order.
        functions: those of them that are functions.
        given: what the checks of a function are given, by its name, where they are given something.
        first: the first function.
        recording: the text of the release's recording.
        course: the folder of the course on the grading machine: more than a student would know.
        honest: a student who has submitted the right answers.
        canary: how everything begins that nobody may find.
        tcp, udp: ports of 127.0.0.1 on which the zoo listens.
        abstract, socket: the name of an abstract socket, and the path of one, where it does too.
        victim: a process that nobody may touch.
        public: a folder in which anybody may write on the grading machine, and no session.
        mark: what tells this specimen's traces from others'; fits into a process's name.
    """

    assignment: str
    names: list[str]
    functions: list[str]
    given: dict[str, list[str]]
    first: str
    recording: str
    course: str
    honest: str
    canary: str
    tcp: int
    udp: int
    abstract: str
    socket: str
    victim: int
    public: str
    mark: str = ""

    def constants(self, code: str) -> str:
        """Return assignments of the constants that a piece of code mentions, as one line each."""
        known = {name.upper(): value for name, value in asdict(self).items()}
        used = [name for name in known if re.search(rf"\b{name}\b", code)]
        return "".join(f"{name} = {known[name]!r}\n" for name in used)


def names_asked_for(release: NotebookNode) -> tuple[list[str], list[str]]:
    """Return the names that a release's answer cells define, and those that are functions."""
    names, functions = [], []
    for cell in release.cells:
        if cell.cell_type != "code" or not _is_answer(cell):
            continue
        for node in ast.parse(cell.source).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.append(node.name)
                functions += [node.name] if isinstance(node, ast.FunctionDef) else []
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                names.append(node.targets[0].id)
    return names, functions


def without_answer(solution: NotebookNode, name: str) -> NotebookNode:
    """Return a solution that lacks one answer."""
    changed = copy.deepcopy(solution)
    put_behind_answer(changed, name, [new_code_cell(f"del {name}")])
    return changed


def put_behind_answer(notebook: NotebookNode, name: str, cells: Sequence[NotebookNode]) -> None:
    """Put cells behind the answer of a name: what stands below its check costs it nothing."""
    defines = re.compile(rf"^(?:def|class) {name}\b|^{name} *[:=]", re.MULTILINE)
    places = [
        i
        for i, cell in enumerate(notebook.cells, 1)
        if cell.cell_type == "code" and defines.search(cell.source)
    ]
    at = places[0] if places else len(notebook.cells)
    notebook.cells[at:at] = cells


def submit(
    specimen: Specimen,
    folder: Path,
    release: NotebookNode,
    solution: NotebookNode,
    knowledge: Knowledge,
) -> None:
    """Write what a specimen submits into ``submitted/<student>/<assignment>``, which is there."""
    answered = specimen.expectation.earning in (Earning.EVERYTHING, Earning.ALL_BUT_FIRST)
    notebook = solution if answered else release
    if specimen.makes_files:
        make: Callable[[Path, NotebookNode], None] = _names(specimen, knowledge)["make"]
        make(folder, copy.deepcopy(notebook))
        return
    notebook = copy.copy(notebook)
    notebook.cells = list(notebook.cells)  # which stay as they are
    first, last = (
        # With ids of ours, so that the same code is the same file.
        [
            new_code_cell(knowledge.constants(code) + code, id=f"zoo-{place}-{number}")
            for number, code in enumerate(codes)
        ]
        for place, codes in zip(("first", "last"), specimen.cells(), strict=True)
    )
    if specimen.expectation.earning is Earning.ALL_BUT_FIRST:
        put_behind_answer(notebook, knowledge.first, last)
        last = []
    notebook.cells = [*first, *notebook.cells, *last]
    write(folder, notebook)


def meddle(
    specimen: Specimen, folder: Path, notebook: NotebookNode, knowledge: Knowledge, over: Event
) -> None:
    """Change what a specimen has submitted until an event is set, as its function says."""
    meddling: Callable[[Path, NotebookNode, Event], None]
    meddling = _names(specimen, knowledge)["meddle"]
    meddling(folder, copy.deepcopy(notebook), over)


def _names(specimen: Specimen, knowledge: Knowledge) -> dict[str, Any]:
    """Return what a specimen defines that is no code to run, but files."""
    names: dict[str, Any] = {}
    code = knowledge.constants(specimen.code) + specimen.code
    exec(compile(code, specimen.id, "exec", dont_inherit=True), names)
    return names


def with_text(notebook: NotebookNode, text: str) -> NotebookNode:
    """Return a notebook with a text at its end."""
    changed = copy.deepcopy(notebook)
    changed.cells.append(new_markdown_cell(text))
    return changed


def write(folder: Path, notebook: NotebookNode) -> None:
    """Write a notebook into a submission's folder, under the assignment's name."""
    folder.mkdir(parents=True, exist_ok=True)
    # As `nbformat.writes`, but for a look at whether it is valid: hundreds of them are written.
    text = nbformat.v4.writes(notebook)
    (folder / f"{folder.name}.ipynb").write_text(text, encoding="utf-8")


def _is_answer(cell: NotebookNode) -> bool:
    marks = cell.metadata.get("nbgrader", {})
    return bool(marks.get("solution")) and not marks.get("locked")
