"""In place: a check that failed, on the notebook as it stood where the check stands.

What earns a point in a student's own notebook at its check earns it at grading. All checks run
behind the whole notebook, which costs least; cells below a check may have changed what it needs: a
name used again, a switch, a value changed in place. So where a cell may have, the notebook is run
once more, and stops where the checks that failed stand.

Visible cases come first, in a session that sees no hidden input: only what happens there decides
which cell a note names. A check whose visible cases fail in place as well is not looked at further.
"""

from collections.abc import Callable, Sequence

from autograder.authoring.checks import Case, Check
from autograder.errors import StudentKilled, StudentTimeout
from autograder.sandbox.session import CheckSession, CodeCell, NotebookSession

__all__ = ["run_in_place"]

MAX_SEARCHED = 60  # runs of cases in search of the cells that changed something
_NOTE = "question {} counts as the notebook stood at its check; {} changes what it uses"

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
        A note for each question that counts so.
    """
    touched = [i + 1 for i, cell in enumerate(cells) if _is_touched(notebook, cell)]
    wanted = [one for one in failed if touched and one[0] < touched[-1]]
    visible = [one for one in wanted if not one[2].hidden]
    search = _Search(cells, run)
    passed = _replay(notebook, visible, run, touched, search)
    hopeless = {check for _, check, _ in visible} - {check for _, check, _ in passed}
    hidden = [one for one in wanted if one[2].hidden and one[1] not in hopeless]
    passed += _replay(notebook, hidden, run, (), None)
    questions = dict.fromkeys(check.question for _, check, _ in passed)
    return tuple(_NOTE.format(question, search.culprit(question)) for question in questions)


def _is_touched(notebook: NotebookSession, cell: CodeCell) -> bool:
    """Return whether a cell may have changed what those above it had left."""
    ran = notebook.runs.get(cell.number)
    return ran is not None and (ran.touched or ran.later or ran.ended is not None)


def _replay(
    notebook: NotebookSession,
    wanted: Sequence[Failed],
    run: RunCase,
    touched: Sequence[int],
    search: "_Search | None",
) -> list[Failed]:
    """Run a notebook once more, with a stop at each check; return the cases that pass there.

    Args:
        notebook: that ran whole.
        wanted: the cases.
        run: runs one.
        touched: further stops, behind cells that may change something.
        search: looks there.
    """
    passed: list[Failed] = []
    if not wanted or notebook.seconds_left() < 2 * notebook.run_seconds:
        return passed
    notebook.close()
    with notebook.again() as replay:
        for stop in sorted({place for place, *_ in wanted} | set(touched)):
            done = {(check, case.name) for _, check, case in passed}
            here = [f for f in wanted if f[0] == stop and (f[1], f[2].name) not in done]
            if not here and not (search and search.waiting):
                continue
            try:
                replay.run_to(stop)
                if search:
                    search.look(replay, stop)
                new = _run_here(replay, here, run)
            except (StudentTimeout, StudentKilled):
                break
            passed += new
            if search:
                search.wait_for(new)
    return passed


def _run_here(replay: NotebookSession, failed: Sequence[Failed], run: RunCase) -> list[Failed]:
    """Run cases in the state that a notebook has now; return those that pass."""
    passed, left = [], list(failed)
    while left:
        with replay.check() as session:
            while left:
                one = left.pop(0)
                if not run(*one[1:], session):
                    break  # the next one in a fork of its own: this one may have spoilt it
                passed.append(one)
    return passed


class _Search:
    """Finds the cell that changed what a question's check needs: behind it, a case fails."""

    def __init__(self, cells: Sequence[CodeCell], run: RunCase) -> None:
        self._cells, self._run = cells, run
        self._left = MAX_SEARCHED
        self.waiting: dict[str, Failed] = {}  # a case that passes so far, by question
        self._found: dict[str, int] = {}

    def wait_for(self, passed: Sequence[Failed]) -> None:
        """Follow a case of each question that passes from here on."""
        for one in passed:
            self.waiting.setdefault(one[1].question, one)

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

    def culprit(self, question: str) -> str:
        """Return in words which cell changed something."""
        number = self._found.get(question)
        return f"cell {number}, below it," if number else "a cell below it"
