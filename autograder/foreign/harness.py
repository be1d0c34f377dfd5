"""One notebook of a submission, run: its own cells in one session, its tests in another."""

import ast
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

from autograder.errors import StudentError
from autograder.foreign.inside.answering import BACK
from autograder.foreign.inside.testing import ASK
from autograder.foreign.names import python_of
from autograder.foreign.plan import NotebookPlan
from autograder.foreign.prepared import GIVEN, Prepared, label_of, run_ahead
from autograder.foreign.relay import Outcome, Tests
from autograder.sandbox.client.cell_runs import CodeCell
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CheckSession
from autograder.sandbox.client.unforked import UnforkedSession

__all__ = ["Setting", "Step", "run_notebook"]

RESULT = "_autograder_result"  # what the last expression of a test comes to, beside the notebook
# nbgrader tells a notebook in this way that it is graded, and some ask.
FIRST = CodeCell(0, "__import__('os').environ['NBGRADER_EXECUTION'] = 'autograde'")
TOO_LATE = "the submission ran out of its time"
PRELUDES = 100_000  # numbers of cells from here on are of what a test needs beside the notebook


@dataclass(frozen=True)
class Step:
    """A code cell of a notebook to run: the student's own, or a test by its name."""

    source: str
    test: str = ""


@dataclass(frozen=True)
class Setting:
    """Where a notebook is run.

    Attributes:
        students: forks the student's sessions.
        tests: forks those of the tests: another one, so that nothing of the one reaches the other.
        files: what lies beside the notebook, by path.
        trusted: what lies beside the tests.
        cell_seconds: the limit on a cell.
        deadline: a time of `time.monotonic` at which all must be done.
        prepared: from which the tests' session is forked; None begins one.
    """

    students: ForkServer
    tests: ForkServer
    files: Mapping[str, bytes]
    trusted: Mapping[str, bytes]
    cell_seconds: float
    deadline: float
    prepared: Prepared | None = None


@dataclass(frozen=True)
class _Placed:
    """A test, how many cells of the student's session stand above it, and its own among them."""

    step: Step
    place: int
    cell: int | None

    @property
    def upto(self) -> int:
        """How many cells of the student's session run before its outcome is asked for."""
        return self.place if self.cell is None else self.place + 1


def run_notebook(
    setting: Setting, steps: Sequence[Step], plan: NotebookPlan, *, beside: bool = False
) -> dict[str, Outcome]:
    """Run a notebook with its tests, each where it stands, and return what came of each test.

    Args:
        setting: where.
        steps: its code cells, in order.
        plan: of its tests.
        beside: run all tests beside the student's code.

    Raises:
        HarnessError: a session could not be had, or that of the tests ended.
    """
    cells, placed = _cells(steps, plan, beside)
    run = UnforkedSession(
        setting.students,
        cells,
        setting.deadline,
        setting.files,
        upto=min((one.upto for one in placed), default=0),
        cell_seconds=setting.cell_seconds,
    )
    with run as notebook:
        if all(one.cell is not None for one in placed):
            return {one.step.test: _beside(notebook, one) for one in placed}
        with _Trusted(setting, plan) as tests:
            return {one.step.test: _in_its_time(notebook, tests, one, setting) for one in placed}


def _in_its_time(
    notebook: UnforkedSession, tests: "_Trusted", placed: _Placed, setting: Setting
) -> Outcome:
    """Run a test, if the submission has time left for it."""
    if placed.cell is not None:
        return _beside(notebook, placed)
    try:
        return _one(notebook, tests, placed, setting)
    except StudentError as error:
        return Outcome(str(error), timed_out=True)


def _one(
    notebook: UnforkedSession, tests: "_Trusted", placed: _Placed, setting: Setting
) -> Outcome:
    """Run a test where it stands."""

    def run() -> Outcome:
        notebook.run_to(placed.upto)
        theirs = None
        with suppress(StudentError):
            theirs = notebook.itself(setting.cell_seconds, [BACK])
        outcome = tests.run(placed.step, theirs)
        if outcome.gone or outcome.lost:
            notebook.give_up()
        return outcome

    outcome = run()
    if outcome.lost and outcome.killed and tests.leave_fork():
        return run()  # whoever has ended the fork: of a session it is known
    return outcome


class _Trusted:
    """The tests' session of a notebook, which is opened anew where it was lost.

    Args:
        setting: where it runs.
        plan: of the tests.
    """

    def __init__(self, setting: Setting, plan: NotebookPlan) -> None:
        self._setting, self._plan = setting, plan
        self._open = ExitStack()
        self._tests: Tests | None = None
        self._ran: list[Step] = []  # what later tests may build upon
        self._given = 0
        self._prepared, self._is_forked = setting.prepared, False

    def __enter__(self) -> "_Trusted":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def run(self, step: Step, theirs: CheckSession | None) -> Outcome:
        """Run a test, and before it the given cells above it."""
        if self._tests is None:
            self._tests = self._begun()
            for former in self._ran:
                self._run(former, theirs)
        outcome = self._run(step, theirs)
        if not outcome.lost:
            self._ran.append(step)
        return outcome

    def leave_fork(self) -> bool:
        """Have no forks any more; return whether the last session was one."""
        self._prepared = None
        return self._is_forked

    def _begun(self) -> Tests | None:
        """Return a session that has run ahead; None where a given cell ends it."""
        self._open.close()
        setting, self._given, self._is_forked = self._setting, self._plan.ahead, False
        if self._prepared is not None:
            fork = self._open.enter_context(self._prepared.forked())
            self._is_forked = fork is not None
            if fork is not None:
                return Tests(fork)
        session = UnforkedSession(setting.tests, [], setting.deadline, setting.trusted)
        self._open.enter_context(session)
        tests = Tests(session.itself(setting.cell_seconds, [ASK]))
        is_lost = run_ahead(tests, self._plan, setting.cell_seconds)
        return None if is_lost else tests

    def _run(self, step: Step, theirs: CheckSession | None) -> Outcome:
        left = self._setting.deadline - time.monotonic()
        if left <= 0:
            return Outcome(TOO_LATE, timed_out=True)
        seconds, test = min(self._setting.cell_seconds, left), self._plan.tests[step.test]
        while self._tests is not None and self._given < test.given:
            source = self._plan.given[self._given]
            self._given += 1
            shown = self._plan.shown_of(source)
            names = test.names
            is_lost = self._tests.run(
                source, names, GIVEN, theirs, seconds, is_test=False, shown=shown
            ).lost
            if is_lost:
                self._tests = None
        if self._tests is None:
            return Outcome("a given cell ended the session of the tests", killed=True, lost=True)
        label = label_of(step.test)
        outcome = self._tests.run(
            step.source, test.names, label, theirs, seconds, test.allowed, shown=test.shown
        )
        if outcome.lost:
            self._tests = None
        if outcome.timed_out and seconds == left:
            return replace(outcome, error=TOO_LATE)
        return outcome


def _cells(
    steps: Sequence[Step], plan: NotebookPlan, beside: bool
) -> tuple[list[CodeCell], list[_Placed]]:
    """Return the cells that the student's session runs, and where the tests stand among them."""
    cells: list[CodeCell] = [FIRST]
    placed: list[_Placed] = []
    for number, step in enumerate(steps, 1):
        if not step.test:
            cells.append(CodeCell(number, step.source))
            continue
        test = plan.tests[step.test]
        if beside or not test.is_hardened:
            if test.prelude and not beside:
                cells.append(CodeCell(PRELUDES + number, test.prelude))
            placed.append(_Placed(step, len(cells), number))
            cells.append(CodeCell(number, _noting(step.source)))
        else:
            if test.imports:
                cells.append(CodeCell(number, test.imports))
            placed.append(_Placed(step, len(cells), None))
    return cells, placed


def _beside(notebook: UnforkedSession, placed: _Placed) -> Outcome:
    """Run a test beside the student's code, as nbgrader does."""
    assert placed.cell is not None
    try:
        notebook.run_to(placed.upto)
    except StudentError as error:
        return Outcome(str(error), timed_out=True)
    run = notebook.runs.get(placed.cell)
    if run is None:
        return Outcome("the submission ran out of its time", timed_out=True)
    if run.ended is not None:
        return Outcome(run.ended, timed_out=run.timed_out, killed=not run.timed_out)
    if run.error is not None:
        return Outcome(run.error, run.error_type)
    if not _shows(placed.step.source):
        return Outcome()
    try:
        with notebook.check() as session:
            value = session.get(RESULT)
    except StudentError:
        return Outcome()
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return Outcome(value=float(value)) if number else Outcome()


def _shows(source: str) -> bool:
    """Return whether a notebook shows what the last expression of a cell comes to."""
    text = python_of(source)
    body = [] if text is None else ast.parse(text).body
    return bool(body) and isinstance(body[-1], ast.Expr) and not source.rstrip().endswith(";")


def _noting(source: str) -> str:
    """Return a cell that gives a name to what its last expression comes to."""
    text = python_of(source)
    if text is None or not _shows(source):
        return source
    tree = ast.parse(text)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    return "\n".join([f"{RESULT} = None", ast.unparse(tree), f"{RESULT} = {ast.unparse(last)}"])
