"""Notes: what a result says of the notebook as a whole, for the student and for staff."""

from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.session import NotebookSession

__all__ = ["ENDED_LATER", "UNWALLED", "notes_of"]

RUN_ANEW = "the notebook started threads, so it was run again for each check"
# One for all: by then hidden inputs have been seen, and which cell it was could tell of them.
ENDED_LATER = "a cell ended a later run of the notebook, and was left out of it"
UNWALLED = "a trial without walls around the code: it counts for nothing"


def notes_of(notebook: NotebookSession, limits: Limits) -> tuple[str, ...]:
    """Return what there is to say of how a notebook ran."""
    notes = [RUN_ANEW] if notebook.anew else []
    for number, run in sorted(notebook.runs.items()):
        if run.ended and run.stop and not run.later:
            notes.append(f"cell {number} was stopped in line {run.line}: {run.ended}")
        elif run.ended and not run.later:
            notes.append(f"cell {number} was left out: {run.ended}")
        elif run.error and not run.error.startswith("NotImplementedError"):
            notes.append(f"cell {number} raised {run.error}")
        if run.kept:
            names = " and ".join(run.kept)
            notes.append(f"cell {number} is as it was released; {names} above it counts")
        if run.printed > limits.output_mb * MB:
            notes.append(f"cell {number} printed {run.printed:,} characters; none were kept")
    if any(run.later for run in notebook.runs.values()):
        notes.append(ENDED_LATER)
    return tuple(notes)
