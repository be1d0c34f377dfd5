"""Notes: what a result says of the notebook as a whole, for the student and for staff."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from autograder.artefacts.results import Result
from autograder.sandbox.client.session import NotebookSession
from autograder.sandbox.limits import MB, Limits
from autograder.visible import visible

__all__ = [
    "ENDED_LATER",
    "UNWALLED",
    "all_notes",
    "first_of",
    "naming_file",
    "notes_of",
    "told_cells",
]

RUN_ANEW = "the notebook started threads, so it was run again for each check"
ON_GPU = "the notebook uses the GPU, so its cases ran one after another in one session"
# One for all: by then hidden inputs have been seen, and which cell it was could tell of them.
ENDED_LATER = "a cell ended a later run of the notebook, and was left out of it"
UNWALLED = "a trial without walls around the code: it counts for nothing"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MAX_NOTES = 30
MOST_CELLS = 8  # that one note names


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
    note = f"there was no {wanted}; {visible(path.name)}, the only notebook there, was graded"
    return msgspec.structs.replace(result, notes=(*result.notes, note))


def notes_of(notebook: NotebookSession, limits: Limits) -> tuple[str, ...]:
    """Return what there is to say of how a notebook ran."""
    stopped, left_out, raised, printed = (dict[str, list[int | str]]() for _ in range(4))
    kept: list[str] = []
    for number, run in sorted(notebook.runs.items()):
        ended = None if run.later else run.ended
        if ended and run.stop:
            stopped.setdefault(ended, []).append(f"{number} (line {run.line})")
        elif ended:
            left_out.setdefault(ended, []).append(number)
        elif run.error and run.error_type != "NotImplementedError":
            # By whose grammar a cell is wrong: a newer Python may take what an older one does not.
            by = f" (the grader runs Python {PYTHON})" if run.error_type == "SyntaxError" else ""
            raised.setdefault(f"{run.error}{by}", []).append(number)
        if run.printed > limits.output_mb * MB:
            printed.setdefault(f"{run.printed:,} characters", []).append(number)
        if run.kept:
            names = " and ".join(run.kept)
            kept.append(f"cell {number} is as it was released; {names} above it counts")
    return (
        *([ON_GPU if notebook.on_device else RUN_ANEW] if notebook.anew else []),
        *(f"{told_cells(n)} {_were(n)} stopped: {how}" for how, n in stopped.items()),
        *(f"{told_cells(n)} {_were(n)} left out: {how}" for how, n in left_out.items()),
        *(f"{told_cells(n)} raised {error}" for error, n in raised.items()),
        *kept,
        *(f"{told_cells(n)} printed {much}; none were kept" for much, n in printed.items()),
        *([ENDED_LATER] if any(run.later for run in notebook.runs.values()) else []),
    )


def told_cells(cells: Sequence[int | str], most: int = MOST_CELLS) -> str:
    """Return cells as a note tells them, of many the first."""
    return f"cell{'s' if len(cells) > 1 else ''} {first_of(cells, most)}"


def first_of(names: Sequence[int | str], most: int) -> str:
    """Return names as a note tells them: of many the first, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(map(str, names[:most]))}{more}"


def _were(numbers: Sequence[object]) -> str:
    return "was" if len(numbers) == 1 else "were"
