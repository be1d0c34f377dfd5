"""In place: a check that failed, on the notebook as it stood where the check stands.

What earns a point in a student's own notebook at its check earns it at grading. All checks run
behind the whole notebook, which costs least; cells below a check may have changed what it needs: a
name used again, a switch, a value changed in place. So where a cell may have, the notebook is run
once more, and stops where the checks that failed stand.

Visible cases decide, in a session that sees no hidden input: whether a check is looked at in its
place, where that is, and which cell a note names. Then all its hidden cases are run there, and
count as they come out. No hidden verdict calls for another run: that would be a second guess.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder.authoring.checks import Case, Check
from autograder.errors import StudentKilled, StudentTimeout
from autograder.sandbox.client.session import CheckSession, CodeCell, NotebookSession

__all__ = ["RunCases", "run_in_place"]

MAX_SLOW = 3  # cases that run out of time in one run of the notebook
MAX_SEARCHED = 60  # runs of cases in search of the cells that changed something
_NOTE = "question {} counts as the notebook stood at its check; {} changes what it uses"

Placed = tuple[int, Check, Case]  # how many cells stand above the check
RunCase = Callable[[Check, Case, CheckSession], bool]


@dataclass(frozen=True)
class RunCases:
    """How cases are run in a session; both return whether the case passes.

    Attributes:
        better: the result counts if it passes.
        anew: the result counts in any case.
    """

    better: RunCase
    anew: RunCase


def run_in_place(
    notebook: NotebookSession, cells: Sequence[CodeCell], failed: Sequence[Placed], run: RunCases
) -> tuple[str, ...]:
    """Run cases of checks that failed where they stand.

    Args:
        notebook: that ran whole; its session is ended.
        cells: of the notebook.
        failed: visible cases, and how many cells stand above their checks; several times where that
            may be one of several numbers.
        run: runs a case in a session.

    Returns:
        A note for each question that counts so.
    """
    touched = [i + 1 for i, cell in enumerate(cells) if _is_touched(notebook, cell)]
    wanted = [one for one in failed if touched and one[0] < touched[-1]]
    search = _Search(cells, run.better)
    passed = _replay(notebook, wanted, run.better, touched, search)
    stood: dict[Check, int] = {}
    for place, check, _ in passed:
        stood.setdefault(check, place)
    hidden = [(place, k, case) for k, place in stood.items() for case in k.cases if case.hidden]
    _replay(notebook, hidden, run.anew, (), None)
    questions = dict.fromkeys(check.question for check in stood)
    return tuple(_NOTE.format(question, search.culprit(question)) for question in questions)


def _is_touched(notebook: NotebookSession, cell: CodeCell) -> bool:
    """Return whether a cell may have changed what those above it had left."""
    ran = notebook.runs.get(cell.number)
    return ran is not None and (ran.touched or ran.later or ran.ended is not None)


def _replay(
    notebook: NotebookSession,
    wanted: Sequence[Placed],
    run: RunCase,
    touched: Sequence[int],
    search: "_Search | None",
) -> list[Placed]:
    """Run a notebook once more, with a stop at each check; return the cases that pass there.

    Args:
        notebook: that ran whole.
        wanted: the cases.
        run: runs one.
        touched: further stops, behind cells that may change something.
        search: looks there.
    """
    passed: list[Placed] = []
    slow: list[Placed] = []
    if not wanted or notebook.seconds_left() < 2 * notebook.run_seconds:
        return passed
    notebook.close()
    with notebook.again() as replay:
        for stop in sorted({place for place, *_ in wanted} | set(touched)):
            done = {(check, case.name) for _, check, case in passed}
            here = [p for p in wanted if p[0] == stop and (p[1], p[2].name) not in done]
            if not here and not (search and search.waiting):
                continue
            try:
                replay.run_to(stop)
                if search:
                    search.look(replay, stop)
                new = _run_here(replay, here, run, slow)
            except (StudentTimeout, StudentKilled):
                break
            passed += new
            if search:
                search.wait_for(new)
            if len(slow) >= MAX_SLOW:
                break
    return passed


def _run_here(
    replay: NotebookSession, cases: Sequence[Placed], run: RunCase, slow: list[Placed]
) -> list[Placed]:
    """Run cases in the state that a notebook has now; return those that pass.

    Args:
        replay: in whose forks they run.
        cases: which.
        run: runs one.
        slow: takes those that fail after all the time that a call may take; of these, a few are
            enough.
    """
    passed, left = [], list(cases)
    while left and len(slow) < MAX_SLOW:
        with replay.check() as session:
            while left:
                one, began = left.pop(0), time.monotonic()
                if not run(*one[1:], session):
                    if time.monotonic() - began >= session.seconds:
                        slow.append(one)
                    break  # the next one in a fork of its own: this one may have spoilt it
                passed.append(one)
    return passed


class _Search:
    """Finds the cell that changed what a question's check needs: behind it, a case fails."""

    def __init__(self, cells: Sequence[CodeCell], run: RunCase) -> None:
        self._cells, self._run = cells, run
        self._left = MAX_SEARCHED
        self.waiting: dict[str, Placed] = {}  # a case that passes so far, by question
        self._found: dict[str, int] = {}

    def wait_for(self, passed: Sequence[Placed]) -> None:
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
