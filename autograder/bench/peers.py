"""The peers: nbgrader and Otter, each with the seven questions in its own form.

Each has an environment of its own below `build/bench/`.
"""

import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.bench.answers import COURSE, NAME, QUESTIONS, Submission, fill, reference
from autograder.bench.measure import Failed, Usage, measure, total
from autograder.bench.peer_checks import HIDDEN, VISIBLE

__all__ = [
    "NBGRADER",
    "OTTER",
    "PEERS",
    "Graded",
    "Nbgrader",
    "Otter",
    "Scores",
    "install",
    "is_installed",
]

NBGRADER = "nbgrader"
OTTER = "otter"
PEERS = {NBGRADER: "nbgrader==0.9.6", OTTER: "otter-grader==7.0.0"}  # what each is installed as
TORCH = "torch==2.13.0"  # the build that the constraints mean
STAMP = ".ready"  # in an environment: what was installed
INSTALL_SECONDS = 1800.0
BATCH = Path(__file__).with_name("otter_batch.py")

Scores = dict[str, dict[str, float]]  # by student and question
Cell = dict[str, Any]


@dataclass(frozen=True)
class Graded:
    """What grading a class cost, and what it came to."""

    usage: Usage
    scores: Scores


def is_installed(name: str, folder: Path) -> bool:
    """Whether a peer's environment is there, in the version that is measured.

    Args:
        name: the peer's.
        folder: ``build/bench``.
    """
    stamp = _environment(name, folder) / STAMP
    return stamp.is_file() and stamp.read_text() == " ".join(_wanted(name))


def install(name: str, folder: Path, constraints: Path) -> None:
    """Make a peer's environment.

    Args:
        name: the peer's.
        folder: ``build/bench``.
        constraints: a file of versions for pip, where there is one.

    Raises:
        Failed: pip did not do it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = _environment(name, folder)
    measure([sys.executable, "-m", "venv", environment], folder, timeout=INSTALL_SECONDS)
    pip: list[str | Path] = [environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
    pinned = ["-c", str(constraints.resolve())] if constraints.is_file() else []
    command = [*pip, *pinned, *_wanted(name)]
    log = folder / f"{name}-install.log"
    measure(command, folder, timeout=INSTALL_SECONDS, log=log)
    (environment / STAMP).write_text(" ".join(_wanted(name)))


def _environment(name: str, folder: Path) -> Path:
    return folder / f"{name}-env"


def _wanted(name: str) -> list[str]:
    return [PEERS[name], TORCH, "numpy", "ipykernel"]


class Peer:
    """An environment with a peer in it, and a folder of its own.

    Args:
        folder: ``build/bench``.
        say: is told what is being done.
    """

    name = ""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._bin = _environment(self.name, folder) / "bin"
        self.folder = folder / self.name
        self._env = {
            "PATH": f"{self._bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "JUPYTER_PLATFORM_DIRS": "1",
        }
        self._say, self._total = say, 0
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def _run(self, *words: str | Path, timeout: float, log: str = "log.txt") -> Usage:
        command = [self._bin / words[0], *words[1:]]
        path = self.folder / log
        return measure(
            command, self.folder, timeout=timeout, env=self._env, log=path, progress=self._progress
        )

    def done(self) -> int:
        """Return how many submissions of the class that is being graded are done."""
        return 0

    def _progress(self) -> None:
        if self._total and (done := self.done()):
            self._say(f"{self.name}: {done} of {self._total} graded")


class Nbgrader(Peer):
    """nbgrader: `nbgrader autograde` grades a class in one process, one after another."""

    name = NBGRADER

    def compile(self) -> Usage:
        """Make the release."""
        config = "c = get_config()\nc.CourseDirectory.course_id = 'bench'\n"
        (self.folder / "nbgrader_config.py").write_text(config)
        _write(self.folder / "source" / NAME / f"{NAME}.ipynb", _nbgrader_source())
        return self._run("nbgrader", "generate_assignment", NAME, timeout=300)

    def grade(self, submissions: Sequence[Submission]) -> Graded:
        """Grade a class with one command."""
        release = (self.folder / "release" / NAME / f"{NAME}.ipynb").read_bytes()
        for folder in ("submitted", "autograded"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)
        for one in submissions:
            path = self.folder / "submitted" / one.student / NAME / f"{NAME}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_bytes(fill(release, one.answers))
        seconds, self._total = 120.0 + 30.0 * len(submissions), len(submissions)
        usage = self._run("nbgrader", "autograde", NAME, timeout=seconds)
        self._total = 0
        return Graded(usage, self._scores({one.student for one in submissions}))

    def done(self) -> int:
        """Return how many submissions are done, or under way."""
        return len(list((self.folder / "autograded").glob("*")))

    def _scores(self, students: set[str]) -> Scores:
        scores: Scores = {}
        with sqlite3.connect(self.folder / "gradebook.db") as db:
            rows = db.execute(
                "select a.student_id, c.name, g.auto_score from grade g"
                " join base_cell c on c.id = g.cell_id"
                " join submitted_notebook n on n.id = g.notebook_id"
                " join submitted_assignment a on a.id = n.assignment_id"
            ).fetchall()
        for student, cell, score in rows:
            if student in students:
                scores.setdefault(student, {})[cell.removeprefix("test_")] = float(score)
        return scores


class Otter(Peer):
    """Otter without Docker: `otter.api.grade_submission`, in one process for each core."""

    name = OTTER

    def compile(self) -> Usage:
        """Make the student's notebook and the autograder's archive."""
        _write(self.folder / f"{NAME}.ipynb", _otter_source())
        return self._run("otter", "assign", f"{NAME}.ipynb", "dist", timeout=300)

    def grade(self, submissions: Sequence[Submission], jobs: int = 1) -> Graded:
        """Grade a class in so many processes side by side."""
        release = (self.folder / "dist" / "student" / f"{NAME}.ipynb").read_bytes()
        shutil.rmtree(self.folder / "submitted", ignore_errors=True)
        for one in submissions:
            _write_bytes(self._submitted(one), fill(release, one.answers))
        parts = [submissions[job::jobs] for job in range(jobs)]
        self._total = len(submissions)
        for old in self.folder.glob("scores-*"):
            old.unlink()
        began = time.monotonic()
        with ThreadPoolExecutor(jobs) as pool:
            usages = list(pool.map(self._grade_part, range(jobs), parts))
        usage = total(usages, time.monotonic() - began)
        self._total = 0
        scores: Scores = {}
        for job in range(jobs):
            scores |= json.loads((self.folder / f"scores-{job}.json").read_bytes())
        return Graded(usage, scores)

    def done(self) -> int:
        """Return how many submissions are done."""
        return sum(path.read_text().count("\n") for path in self.folder.glob("scores-*.log"))

    def run_one(self, submission: Submission) -> Usage:
        """Grade one submission with the command `otter run`, in a process of its own."""
        archive = self._archive()
        return self._run("otter", "run", self._submitted(submission), "-a", archive, timeout=300)

    def _grade_part(self, job: int, part: Sequence[Submission]) -> Usage:
        paths = [self._submitted(one) for one in part]
        out = self.folder / f"scores-{job}.json"
        words: list[str | Path] = ["python", BATCH, self._archive(), out, *paths]
        return self._run(*words, timeout=120.0 + 30.0 * len(part), log=f"log-{job}.txt")

    def _submitted(self, submission: Submission) -> Path:
        return self.folder / "submitted" / f"{submission.student}.ipynb"

    def _archive(self) -> Path:
        found = sorted((self.folder / "dist" / "autograder").glob("*.zip"))
        if not found:
            raise Failed("otter assign made no archive")
        return found[-1]


def _nbgrader_source() -> list[Cell]:
    """Return nbgrader's source notebook: solution cells, and one test cell for each question."""
    cells = [_code(_imports())]
    for question, points in QUESTIONS.items():
        cells.append(_markdown(_prompt(question)))
        cells.append(
            _code(
                _solution(question, "###"),
                _nbgrader(question, grade=False, solution=True, locked=False),
            )
        )
        hidden = f"### BEGIN HIDDEN TESTS\n{_hidden(question)}### END HIDDEN TESTS"
        cells.append(
            _code(
                f"{VISIBLE[question]}\n{hidden}",
                _nbgrader(f"test_{question}", grade=True, solution=False, locked=True)
                | {"points": points},
            )
        )
    return cells


def _otter_source() -> list[Cell]:
    """Return Otter's source notebook: questions in raw cells, a visible and a hidden test each."""
    config = (
        f"# ASSIGNMENT CONFIG\nname: {NAME}\ninit_cell: true\nexport_cell: false\ngenerate: true"
    )
    cells = [_raw(config), _code(_imports())]
    for question, points in QUESTIONS.items():
        settings = f"name: {question}\npoints: {points}\nall_or_nothing: true"
        cells += [
            _raw(f"# BEGIN QUESTION\n{settings}"),
            _markdown(_prompt(question)),
            _raw("# BEGIN SOLUTION"),
            _code(_solution(question, "#")),
            _raw("# END SOLUTION"),
            _raw("# BEGIN TESTS"),
            _code(VISIBLE[question]),
            _code(f"# HIDDEN\n{_hidden(question)}"),
            _raw("# END TESTS"),
            _raw("# END QUESTION"),
        ]
    return cells


def _imports() -> str:
    return "import numpy as np\nimport torch"


def _solution(question: str, mark: str) -> str:
    head, body = reference(question)
    return f"{head}    {mark} BEGIN SOLUTION\n{body}    {mark} END SOLUTION"


def _hidden(question: str) -> str:
    """Return the hidden tests with the reference in front of them."""
    return "".join(reference(question, f"reference_{question}")) + "\n" + HIDDEN[question]


def _prompt(question: str) -> str:
    """Return the text of our own source notebook above a question."""
    source = (COURSE / "assignments" / NAME / f"{NAME}.py").read_text(encoding="utf-8")
    above = source.partition(f"from reference.layers import {question}\n")[0]
    block = above.rpartition("# %% [markdown]\n")[2].partition("# %%")[0]
    return "\n".join(line.removeprefix("#").strip() for line in block.splitlines()).strip()


def _nbgrader(grade_id: str, **flags: bool) -> dict[str, Any]:
    return {"schema_version": 3, "grade_id": grade_id, "task": False, **flags}


def _code(source: str, nbgrader: Mapping[str, Any] | None = None) -> Cell:
    metadata = {"nbgrader": dict(nbgrader)} if nbgrader else {}
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def _markdown(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _raw(source: str) -> Cell:
    return {"cell_type": "raw", "metadata": {}, "source": source}


def _write(path: Path, cells: Sequence[Cell]) -> None:
    """Write a notebook of format 4.5."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "cells": [cell | {"id": f"cell-{number}"} for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    _write_bytes(path, json.dumps(notebook, indent=1).encode())


def _write_bytes(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
