"""In place: a check that failed, on the notebook as it stood where the check stands.

What earns a point in a student's own notebook at its check earns it at grading. All checks run
behind the whole notebook, which costs least; cells below a check may have changed what it needs: a
name used again, a switch, a value changed in place. So where a cell may have, the notebook is run
once more, and stops where the checks that failed stand.
"""

from collections.abc import Callable, Sequence

from autograder.authoring.checks import Case, Check
from autograder.errors import StudentKilled, StudentTimeout
from autograder.sandbox.session import CheckSession, CodeCell, NotebookSession

__all__ = ["run_in_place"]

MAX_SEARCHED = 60  # runs of cases in search of the cells that changed something

Failed = tuple[int, Check, Case]  # how many cells stand above the check
RunCase = Callable[[Check, Case, CheckSession], bool]


def run_in_place(
    notebook: NotebookSession, cells: Sequence[CodeCell], failed: Sequence[Failed], run: RunCase
) -> tuple[str, ...]:
    """Run failed cases where their checks stand.

    Args:
        notebook: that ran whole; its session is ended.
        cells: of the notebook.
        failed: the cases, and how many cells stand above their checks; several times where that
            may be one of several numbers.
        run: runs a case in a session, and returns whether it passes.

    Returns:
        A note for each question that counts so, which names the cell that changed something.
    """
    touched = [i for i, cell in enumerate(cells) if _is_touched(notebook, cell)]
    wanted = [one for one in failed if touched and one[0] <= touched[-1]]
    if not wanted or notebook.seconds_left() < 2 * notebook.run_seconds:
        return ()
    notebook.close()
    search, passed = _Search(cells, run), list[tuple[Check, Case]]()
    with notebook.again() as replay:
        stops = sorted({place for place, *_ in wanted} | {i + 1 for i in touched})
        for stop in stops:
            here = [one for one in wanted if one[0] == stop and one[1:] not in passed]
            if not here and not search.waiting:
                continue
            try:
                replay.run_to(stop)
                search.look(replay, stop)
                for one in _run_here(replay, here, run):
                    passed.append(one[1:])
                    search.waiting.setdefault(one[1].question, one)
            except (StudentTimeout, StudentKilled):
                break
    return search.notes()


def _is_touched(notebook: NotebookSession, cell: CodeCell) -> bool:
    """Return whether a cell may have changed what those above it had left."""
    ran = notebook.runs.get(cell.number)
    return ran is not None and (ran.touched or ran.ended is not None)


def _run_here(replay: NotebookSession, failed: Sequence[Failed], run: RunCase) -> Sequence[Failed]:
    """Run cases in the state that a notebook has now; return those that pass."""
    passed, left = [], list(failed)
    while left:
        with replay.check() as session:
            while left:
                place, check, case = left.pop(0)
                if run(check, case, session):
                    passed.append((place, check, case))
                else:
                    break  # the next one in a fork of its own: this one may have spoilt it
    return passed


class _Search:
    """Finds the cell that changed what a check needs: behind it, the check fails."""

    def __init__(self, cells: Sequence[CodeCell], run: RunCase) -> None:
        self._cells, self._run = cells, run
        self._left = MAX_SEARCHED
        self.waiting: dict[str, Failed] = {}  # a case that passes so far, by question
        self._found: dict[str, int | None] = {}

    def look(self, replay: NotebookSession, stop: int) -> None:
        """Run each waiting case behind one more cell."""
        for question, (_, check, case) in list(self.waiting.items()):
            if not self._left:
                return
            self._left -= 1
            with replay.check() as session:
                passes = self._run(check, case, session)
            if not passes:
                del self.waiting[question]
                self._found[question] = self._cells[stop - 1].number

    def notes(self) -> tuple[str, ...]:
        """Return a note for each question that counts as its check found it."""
        found = self._found | dict.fromkeys(self.waiting)
        return tuple(
            f"question {question} counts as the notebook stood at its check; "
            + (f"cell {number}, below it," if number else "a cell below it")
            + " changes what it uses"
            for question, number in found.items()
        )
