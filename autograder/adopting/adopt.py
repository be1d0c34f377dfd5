"""Adopting: source notebooks of another tool's become assignments, in a first draft."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from autograder.adopting.cells import Foreign, Role, read_raw, require_python
from autograder.adopting.checks import identifier
from autograder.adopting.files import copy_files, files_beside, with_moved_paths
from autograder.adopting.names import is_needed
from autograder.adopting.nbgrader import is_nbgraders, read_nbgrader
from autograder.adopting.otter import is_otters, read_otter
from autograder.adopting.trying import Trial, tried
from autograder.adopting.writing import Draft, Known, draft_of
from autograder.course import Course
from autograder.errors import UsageError, naming

__all__ = ["Adopted", "adopt", "names_for", "read_foreign", "sources_in"]

TRIES = 30  # drafts, each without what the solution did not pass in the one before
_EXTENSION = re.compile(r"^%(?:re)?load_ext\s+([\w.]+)", re.MULTILINE)
_OURS = re.compile(r"^from autograder import\b|^import autograder\b", re.MULTILINE)


@dataclass(frozen=True)
class Adopted:
    """An assignment that was adopted.

    Attributes:
        name: the assignment's.
        tool: whose its notebook was.
        source: that notebook.
        path: the draft.
        draft: what became of its cells.
        files: that came along, relative to the assignment.
        hindrance: why the draft does not compile; empty if it does.
    """

    name: str
    tool: str
    source: Path
    path: Path
    draft: Draft
    files: Sequence[str]
    hindrance: str


def sources_in(source: Path) -> list[Path]:
    """Return the notebooks to adopt: the one that is named, or those of a folder.

    Raises:
        UsageError: there is none.
    """
    if not source.is_dir():
        return [source]
    found = sorted(source.glob("*.ipynb"))
    if found:
        return found
    deeper = (path for depth in ("*", "*/*") for path in source.glob(f"{depth}/*.ipynb"))
    below = sorted({path.parent for path in deeper})
    hint = f"; name one of its folders, such as {below[0]}" if below else ""
    raise UsageError(f"there is no notebook in {source}{hint}")


def read_foreign(path: Path) -> Foreign:
    """Return a notebook of another tool's.

    Raises:
        UsageError: it cannot be adopted; says why.
    """
    notebook = read_raw(path)
    require_python(notebook, path)
    if any(cell.cell_type == "code" and _OURS.search(cell.source) for cell in notebook.cells):
        raise UsageError(f"{path} is a notebook of autograder's already; autograder compile it")
    if is_otters(notebook):
        foreign = read_otter(notebook, path)
    elif is_nbgraders(notebook):
        foreign = read_nbgrader(notebook, path)
    else:
        raise UsageError(f"{path} has no cells of nbgrader's or Otter's; is it a source notebook?")
    if not any(cell.role in (Role.TESTS, Role.MANUAL) for cell in foreign.cells):
        raise UsageError(
            f"{path} has no test cell and no answer that a person grades; there is nothing to adopt"
        )
    return foreign


def names_for(paths: Sequence[Path], source: Path, name: str | None) -> list[str]:
    """Return what the assignments are called that notebooks become.

    Args:
        paths: of the notebooks.
        source: what was named: one of them, or their folder.
        name: what an instructor calls the assignment; begins the names of several.
    """
    if len(paths) == 1:
        own = source.resolve().name if source.is_dir() else paths[0].stem
        return [name or identifier(own, kind="homework")]
    stem = name or identifier(source.resolve().name, kind="homework")
    found: list[str] = []
    for path in paths:
        found.append(identifier(f"{stem}_{path.stem}", found, "homework"))
    return found


def adopt(course: Course, foreign: Foreign, name: str, force: bool = False) -> Adopted:
    """Write the draft of an assignment, and try its checks with the notebook's own solution.

    A check that the solution does not pass stands in the draft as a TODO.

    Args:
        course: which it will belong to.
        foreign: the notebook.
        name: the assignment's.
        force: whether a source notebook that is there is replaced.

    Raises:
        UsageError: the name is none, or there is such an assignment already.
    """
    if not name.isidentifier():
        raise UsageError(f"the name of an assignment must be a Python name, got {name!r}")
    folder = course.root / "assignments" / name
    path = folder / f"{name}.py"
    former = [p for p in (path, path.with_suffix(".ipynb")) if p.exists()]
    if former and not force:
        raise UsageError(
            f"there is {course.relative(former[0])} already; --force replaces it, --name NAME "
            "gives the new one another name"
        )
    for one in former:
        one.unlink()
    files = files_beside(foreign)
    copy_files(foreign, files, folder)
    foreign = with_moved_paths(foreign, files)
    known = Known(broken=_without_extensions(foreign))
    for _ in range(TRIES):
        draft = draft_of(foreign, known)
        _write(path, draft.text)
        trial = tried(course, name)
        if (more := _learnt(known, draft, foreign, trial)) is None:
            break
        known = more
    return Adopted(
        name, foreign.tool, foreign.path, path, draft, tuple(files.values()), trial.hindrance
    )


def _without_extensions(foreign: Foreign) -> dict[int, str]:
    """Return the given cells that load an extension of IPython which is not here, and why."""
    found = {}
    for cell in foreign.cells:
        if cell.role is Role.GIVEN and not is_needed(cell, foreign.cells):
            for name in _EXTENSION.findall(cell.text):
                if find_spec(name.partition(".")[0]) is None:
                    found[cell.number] = f"the extension {name} is not installed"
    return found


def _learnt(known: Known, draft: Draft, foreign: Foreign, trial: Trial) -> Known | None:
    """Return what is known after a trial; None if that is nothing more."""
    if trial.failing:
        again = {name: why for name, why in trial.failing.items() if name in known.rich}
        return replace(
            known, rich=known.rich | set(trial.failing), failing={**known.failing, **again}
        )
    if trial.cell is None:
        return None
    origin = draft.origins[trial.cell - 1]
    given = [cell for cell in foreign.cells if cell.role is Role.GIVEN and cell.number == origin]
    if origin in known.broken or not given or is_needed(given[0], foreign.cells):
        return None
    return replace(known, broken={**known.broken, origin: trial.hindrance})


def _write(path: Path, text: str) -> None:
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
