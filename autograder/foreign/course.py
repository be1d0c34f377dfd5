"""Courses of nbgrader's: how one is recognised, and where its folders are."""

import gc
import glob
import importlib
import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from autograder.course import CONFIG
from autograder.errors import UsageError
from autograder.records.database import Database
from autograder.records.gradebook_file import GradebookFile
from autograder.records.gradebook_server import GradebookServer
from autograder.sandbox.inside.preload import keeping_all

__all__ = ["NbgraderCourse", "find_nbgrader_course", "in_folder"]

CONFIG_FILE = "nbgrader_config.py"
SQLITE = "sqlite:///"
MARKER = "\0"  # no name holds it


@dataclass(frozen=True)
class NbgraderCourse:
    """A course of nbgrader's, by its own configuration.

    Attributes:
        root: the folder that holds everything.
        app: nbgrader's application, with the course's configuration.
        coursedir: nbgrader's own idea of the folders.
    """

    root: Path
    app: Any
    coursedir: Any

    @property
    def name(self) -> str:
        """The course's name."""
        return str(self.coursedir.course_id) or self.root.name

    def assignments(self) -> list[str]:
        """The names of the assignments whose source has a notebook."""
        found = self._folders(self.coursedir.source_directory, ".", MARKER)
        return sorted(name for name, path in found.items() if any(path.glob("*.ipynb")))

    def source(self, assignment: str) -> Path:
        """The folder of an assignment's source."""
        return self._folder(self.coursedir.source_directory, ".", assignment)

    def submitted(self, assignment: str) -> dict[str, Path]:
        """The folder of each student who submitted, by name, sorted."""
        found = self._folders(self.coursedir.submitted_directory, MARKER, assignment)
        return {name: found[name] for name in sorted(found)}

    def autograded(self, assignment: str, student: str) -> Path:
        """The folder of a student's graded notebooks."""
        return self._folder(self.coursedir.autograded_directory, student, assignment)

    def results(self, assignment: str) -> Path:
        """The folder of results."""
        return self.root / "results" / assignment

    def build(self, assignment: str) -> Path:
        """The folder of what is kept of an assignment for the grader."""
        return self.root / "build" / assignment

    @property
    def database(self) -> Database:
        """Where its gradebook is."""
        url = str(self.coursedir.db_url)
        if url.startswith(SQLITE):
            return GradebookFile(self.root / url.removeprefix(SQLITE))
        return GradebookServer(url)

    def _folders(self, step: str, student: str, assignment: str) -> dict[str, Path]:
        """Return the folders of a step by what stands where the marker is."""
        pattern = self.coursedir.format_path(step, student, assignment)
        before, _, behind = pattern.partition(MARKER)
        paths = glob.glob(f"{glob.escape(before)}*{glob.escape(behind)}")
        found = {path[len(before) : len(path) - len(behind)]: Path(path) for path in paths}
        return {n: p for n, p in found.items() if p.is_dir() and os.sep not in n and n[:1] != "."}

    def _folder(self, step: str, student: str, assignment: str) -> Path:
        return Path(os.path.normpath(self.coursedir.format_path(step, student, assignment)))


def find_nbgrader_course(start: Path | None = None) -> NbgraderCourse | None:
    """Return the nbgrader course of the nearest folder upward; None if there is none.

    A folder is one if it has nbgrader's configuration, or a source notebook with its metadata; one
    with a ``course.toml`` is ours.

    Raises:
        UsageError: its configuration cannot be read.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG).is_file():
            return None
        if (folder / CONFIG_FILE).is_file() or _has_source(folder / "source"):
            return _read(folder)
    return None


def _has_source(folder: Path) -> bool:
    """Return whether a folder holds assignments of nbgrader's."""
    return any(_is_nbgraders(path) for path in sorted(folder.glob("*/*.ipynb"))[:20])


def _is_nbgraders(path: Path) -> bool:
    try:
        cells = msgspec.json.decode(path.read_bytes())["cells"]
        return any("nbgrader" in cell["metadata"] for cell in cells)
    except (msgspec.MsgspecError, OSError, KeyError, TypeError):
        return False


def _read(root: Path) -> NbgraderCourse:
    with keeping_all():
        # First, since it brings nbformat, which nbgrader needs, without what no notebook does.
        importlib.import_module("autograder.artefacts.notebooks")
        from nbgrader.apps import NbGrader
    gc.freeze()  # all that was imported stays: nobody need look through it again

    NbGrader.clear_instance()
    with in_folder(root), redirect_stderr(io.StringIO()) as said:
        try:
            app = NbGrader()
            app.log.setLevel(logging.CRITICAL)
            app.raise_config_file_errors = True
            app.initialize([], root=str(root))
        except (Exception, SystemExit) as error:
            words = said.getvalue().strip().splitlines()
            why = words[-1] if words else f"{type(error).__name__}: {error}"
            raise UsageError(f"{CONFIG_FILE} cannot be read: {why}") from None
    app.log.setLevel(logging.CRITICAL)
    return NbgraderCourse(root, app, app.coursedir)


@contextmanager
def in_folder(folder: Path) -> Iterator[None]:
    """Work in a folder meanwhile, as nbgrader's configurations expect."""
    former = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(former)
