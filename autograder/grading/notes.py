"""Notes: what a result says of the notebook as a whole, for the student and for staff."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from autograder.grading.results import Result
from autograder.grading.student_cells import printable
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.session import NotebookSession

__all__ = ["UNWALLED", "all_notes", "naming_file", "notes_of"]

RUN_ANEW = "the notebook started threads, so it was run again for each check"
UNWALLED = "a trial without walls around the code: it counts for nothing"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MAX_NOTES = 30


def all_notes(healed: Sequence[str], ran: Sequence[str]) -> tuple[str, ...]:
    """Return the notes of a result, not too many: first those that explain a verdict.

    Args:
        healed: what was healed in the notebook.
        ran: what came of its cells; of very many some are left out, so that others are read too.
    """
    room = max(MAX_NOTES - len(healed), MAX_NOTES // 2)
    notes = (*ran[:room], *healed, *ran[room:])
    left = len(notes) - MAX_NOTES
    return (*notes[:MAX_NOTES], f"and {left} more") if left > 0 else notes


def naming_file(result: Result, path: Path) -> Result:
    """Return a result that says so if another file was taken for the one that was to be there."""
    wanted = f"{result.assignment}.ipynb"
    if path.name == wanted:
        return result
    note = f"there was no {wanted}; {printable(path.name)}, the only notebook there, was graded"
    return msgspec.structs.replace(result, notes=(*result.notes, note))


def notes_of(notebook: NotebookSession, limits: Limits) -> tuple[str, ...]:
    """Return what there is to say of how a notebook ran."""
    notes = [RUN_ANEW] if notebook.anew else []
    for number, run in sorted(notebook.runs.items()):
        if run.ended:
            notes.append(f"cell {number} was left out: {run.ended}")
        elif run.error and not run.error.startswith("NotImplementedError"):
            notes.append(f"cell {number} raised {run.error}{_grammar(run.error)}")
        if run.printed > limits.output_mb * MB:
            notes.append(f"cell {number} printed {run.printed:,} characters; none were kept")
    return tuple(notes)


def _grammar(error: str) -> str:
    """Say by whose grammar a cell is wrong: a newer Python may take what an older one does not."""
    return f" (the grader runs Python {PYTHON})" if error.startswith("SyntaxError") else ""
