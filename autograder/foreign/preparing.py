"""From an nbgrader course to the definitions of its assignments.

nbgrader's gradebook is what its own `autograde` goes by. Where it does not know an assignment yet,
nbgrader's `generate_assignment` is run for it, with the course's configuration, into a folder that
is thrown away.
"""

import io
import logging
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

from autograder.artefacts.notebooks import nbformat
from autograder.errors import HarnessError, UsageError
from autograder.foreign.course import NbgraderCourse, in_folder
from autograder.foreign.definition import (
    Definition,
    Graded,
    NotebookDefinition,
    SourceCell,
    modules_among,
    shown_of,
)
from autograder.foreign.preloading import preload_of
from autograder.records.database import reason_of

__all__ = ["generate", "prepare"]

PYTHON = "python"
AUTOTEST = "AUTOTEST"
RAISED = re.compile(r"^[\w.]*(?:Error|Exception|Invalid\w*): (.+)$", re.MULTILINE)
MOST_BYTES = 64 << 20  # of a file beside the source


def prepare(course: NbgraderCourse, assignment: str) -> Definition:
    """Return an assignment as it is graded.

    Raises:
        UsageError: there is no such assignment.
        HarnessError: nbgrader does not know it, and cannot read its source; or its gradebook
            cannot be read.
    """
    folder = course.source(assignment)
    if not any(folder.glob("*.ipynb")):
        known = ", ".join(course.assignments()) or "none"
        raise UsageError(f"there is no assignment {assignment!r}; there are: {known}")
    with _readable(course):
        notebooks = _notebooks(course, assignment, folder)
        if not notebooks:
            generate(course, assignment)
            notebooks = _notebooks(course, assignment, folder)
    files = dict(_files(folder, course.coursedir.ignore))
    return Definition(
        assignment,
        notebooks,
        files,
        _cell_seconds(course),
        tuple(preload_of((c for n in notebooks for c in n.cells), modules_among(files))),
        tuple(_changed(folder, notebooks)),
    )


@contextmanager
def _readable(course: NbgraderCourse) -> Iterator[None]:
    """Say what is wrong with a gradebook that cannot be read inside the block."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        raise HarnessError(
            f"{course.database.name} cannot be read: {reason_of(error)}; if an older nbgrader made "
            "it, this brings it up to date, with all scores: nbgrader db upgrade"
        ) from error


def generate(course: NbgraderCourse, assignment: str, *, keep: bool = False) -> None:
    """Have nbgrader note what an assignment consists of, as its `generate_assignment` does.

    Args:
        course: whose gradebook takes it.
        assignment: its name.
        keep: write its release, too.

    Raises:
        HarnessError: nbgrader cannot read its source.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    with course.database.opened([]):
        pass  # it is there now: nbgrader's own way to make it needs a program on the path
    with tempfile.TemporaryDirectory() as folder, in_folder(course.root):
        coursedir = CourseDirectory(parent=course.app, root=str(course.root))
        coursedir.assignment_id = assignment
        own = course.coursedir.release_directory
        coursedir.release_directory = own if keep else f"{folder}/release"
        coursedir.directory_structure = course.coursedir.directory_structure
        if _is_old(course.source(assignment)):
            coursedir.source_directory = f"{folder}/source"
            _write_updated(course.source(assignment), Path(folder, "source", assignment))
        converter = GenerateAssignment(coursedir=coursedir, parent=course.app)
        converter.force = True
        with _errors_of(course.app.log) as said, redirect_stderr(io.StringIO()), _closing_kernels():
            try:
                converter.start()
            except (Exception, SystemExit) as error:
                raise HarnessError(
                    f"nbgrader cannot read the source of {assignment}: {_reason(said, error)}; its "
                    f"own words: nbgrader generate_assignment {assignment}"
                ) from None


def _is_old(folder: Path) -> bool:
    """Return whether a source notebook is of an older nbgrader's format."""
    from nbgrader.nbgraderformat import MetadataValidator, SchemaTooOldError

    for path in folder.glob("*.ipynb"):
        try:
            MetadataValidator().validate_nb(nbformat.read(path, as_version=4))
        except SchemaTooOldError:
            return True
        except Exception:  # whatever else is wrong with it, nbgrader says
            continue
    return False


def _write_updated(source: Path, folder: Path) -> None:
    """Write a copy of a source folder as `nbgrader update` would leave it."""
    from nbgrader.nbgraderformat import MetadataValidator

    shutil.copytree(source, folder)
    for path in folder.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.write(MetadataValidator().upgrade_notebook_metadata(notebook), path)


@contextmanager
def _errors_of(log: logging.Logger) -> Iterator[list[str]]:
    """Collect what nbgrader says of errors meanwhile, and say none of it."""
    said: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    former = log.handlers[:], log.level, log.propagate
    log.handlers, log.level, log.propagate = [handler], logging.ERROR, False
    try:
        yield said
    finally:
        log.handlers, log.level, log.propagate = former


@contextmanager
def _closing_kernels() -> Iterator[None]:
    """Close what nbgrader leaves open of kernels in which it writes tests by itself."""
    from nbgrader.preprocessors import instantiatetests

    started: list[tuple[Any, Any]] = []
    start = instantiatetests.start_new_kernel

    def started_kernel(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        started.append(start(*args, **kwargs))
        return started[-1]

    vars(instantiatetests)["start_new_kernel"] = started_kernel
    try:
        yield
    finally:
        vars(instantiatetests)["start_new_kernel"] = start
        for manager, client in started:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            client.context.destroy(linger=0)


def _reason(said: Sequence[str], error: BaseException) -> str:
    """Return the exception behind what nbgrader said, in one line."""
    traces = [text for text in said if text.startswith("Traceback")]
    raised = RAISED.findall(traces[-1]) if traces else []
    words = " ".join((raised[-1] if raised else str(error)).replace("**", "").split())
    return words if words.endswith(" .") else words.rstrip(".")


def _notebooks(
    course: NbgraderCourse, assignment: str, folder: Path
) -> tuple[NotebookDefinition, ...]:
    """Return the notebooks that nbgrader's gradebook has; none where it has no such assignment."""
    from nbgrader.api import MissingEntry

    if not course.database.is_there():
        return ()
    hiding = _hiding(course)
    with course.database.opened([]) as opened:
        try:
            rows = opened.gradebook.find_assignment(assignment).notebooks
        except MissingEntry:
            return ()
        ordered = sorted(rows, key=lambda row: str(row.name))
        return tuple(_notebook(row, folder, hiding) for row in ordered)


def _notebook(row: Any, folder: Path, hiding: tuple[str, str]) -> NotebookDefinition:
    """Return a notebook of the gradebook's, with its source where that is there."""
    graded = tuple(_graded(row))
    path = folder / f"{row.name}.ipynb"
    notebook = nbformat.read(path, as_version=4) if path.is_file() else None
    kernel = {} if notebook is None else notebook.metadata.get("kernelspec", {})
    language = str(kernel.get("language") or kernel.get("name") or PYTHON)
    cells = () if notebook is None else tuple(_cells(notebook, graded, hiding))
    return NotebookDefinition(row.name, language, cells, graded)


def _graded(row: Any) -> Iterator[Graded]:
    """Return the cells of a notebook that have a grade_id, in the order of the source."""
    grades = {cell.name: cell for cell in row.grade_cells}
    tasks = {cell.name: cell for cell in row.task_cells}
    solutions = {cell.name for cell in row.solution_cells}
    for cell in row.source_cells:
        scored = grades.get(cell.name) or tasks.get(cell.name)
        yield Graded(
            cell.name,
            cell.source or "",
            cell.checksum or "",
            cell.cell_type,
            bool(cell.locked),
            None if scored is None else float(scored.max_score),
            cell.name in grades,
            cell.name in solutions,
            cell.name in tasks,
        )


def _cells(
    notebook: Any, graded: Iterable[Graded], hiding: tuple[str, str]
) -> Iterator[SourceCell]:
    """Return the code cells of a source notebook; tests are as nbgrader's gradebook has them.

    Args:
        notebook: of nbformat's.
        graded: its cells that have a grade_id.
        hiding: between which lines a test is hidden.
    """
    known = {cell.name: cell for cell in graded}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        marks: Mapping[str, Any] = cell.metadata.get("nbgrader", {})
        name = str(marks.get("grade_id", ""))
        known_cell = known.get(name)
        if known_cell is not None and known_cell.is_test:
            shown = shown_of(known_cell.source, *hiding)
            yield SourceCell(known_cell.source, name, is_test=True, shown=shown)
        else:
            yield SourceCell(cell.source, name, is_answer=bool(marks.get("solution")))


def _hiding(course: NbgraderCourse) -> tuple[str, str]:
    """Return what marks the begin and the end of hidden tests in this course."""
    from nbgrader.preprocessors import ClearHiddenTests

    clearing = ClearHiddenTests(parent=course.app)
    return str(clearing.begin_test_delimeter), str(clearing.end_test_delimeter)


def _changed(folder: Path, notebooks: Iterable[NotebookDefinition]) -> Iterator[str]:
    """Return what of the source is not as nbgrader's gradebook has it."""
    known = {notebook.name: notebook for notebook in notebooks}
    for path in sorted(folder.glob("*.ipynb")):
        if path.stem not in known:
            yield path.name
            continue
        tests = known[path.stem].tests
        for cell in nbformat.read(path, as_version=4).cells:
            marks = cell.metadata.get("nbgrader", {})
            test = tests.get(str(marks.get("grade_id")))
            if test is None or AUTOTEST in cell.source:  # which nbgrader writes out
                continue
            if test.source != cell.source or test.points != float(marks.get("points", 0)):
                yield f"{path.stem}/{test.name}"


def _files(folder: Path, ignore: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Return the files beside the source notebooks, by path."""
    from nbgrader.utils import find_all_files

    for name in find_all_files(str(folder), [*ignore, "*.ipynb"]):
        path = Path(name)
        if path.stat().st_size <= MOST_BYTES:
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _cell_seconds(course: NbgraderCourse) -> float | None:
    """Return nbgrader's limit on a cell, in seconds; None for none."""
    from nbgrader.preprocessors import Execute

    seconds = Execute(parent=course.app).timeout
    return None if seconds is None or seconds <= 0 else float(seconds)
