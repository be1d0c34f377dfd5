"""The smallest inputs that fail: for a few cases of a submission, when all its verdicts are fixed.

The student's code is run on further inputs here, and what it does steers which are tried. So
nothing but the text that is kept hangs on it, and what a student is to read is found in a fresh
session of the notebook, which has seen no hidden input but those that the student is to read.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import msgspec

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Compared
from autograder.authoring.subject import Session
from autograder.errors import HarnessError, StudentError
from autograder.grading.case_runs import CaseRuns
from autograder.grading.cases import Draw, ReferenceSession, run_against
from autograder.grading.last_call import LastCall
from autograder.grading.shrinking import oddity, shrunk
from autograder.grading.substitutes import ReferenceProcess
from autograder.grading.watchdog import watchdog
from autograder.sandbox.client.session import CheckSession, NotebookSession
from autograder.sandbox.protocol.callbacks import Callbacks

__all__ = ["find_smallest"]

MOST_CASES = 5  # of a submission, one for each check
CALLS, SECONDS = 200, 0.3  # of the student's code, and for a case
ALL_SECONDS = 1.5  # for a submission
AGAIN_SECONDS = 1.0  # that a notebook may take for it to be run once more
CALL_SECONDS = 0.5  # a call that takes longer ends the search
MISSED = (Verdict.FAILED, Verdict.ERRORED)


@dataclass
class _Budget:
    """What may still be spent on a case.

    Attributes:
        calls: of the student's code.
        until: a time of `time.monotonic`.
    """

    calls: int
    until: float

    @property
    def is_spent(self) -> bool:
        """Whether the smallest case so far is taken."""
        return self.calls <= 0 or time.monotonic() >= self.until


@dataclass(frozen=True)
class _Manner:
    """How a case fails: a smaller one is to fail alike."""

    verdict: Verdict
    place: str | None
    error: str
    by_numbers: bool


def find_smallest(
    oracle: Oracle,
    runs: CaseRuns,
    notebook: NotebookSession,
    rerun: Callable[[], AbstractContextManager[NotebookSession]],
    draw: Draw,
) -> None:
    """Keep the smallest inputs that fail with the results of a few cases.

    Where each session costs a run of the notebook, or a run takes long, there are none.

    Args:
        oracle: the checks and the reference.
        runs: of all cases, which are done.
        notebook: in whose sessions they ran.
        rerun: runs the notebook in a session that has seen no input.
        draw: returns the generator of a case's inputs.

    Raises:
        HarnessError: the fork server is gone.
    """
    if notebook.anew or notebook.run_seconds > AGAIN_SECONDS:
        return
    cases = _wanted(oracle, runs)
    search = _Smallest(oracle, runs, draw)
    cases.sort(key=lambda pair: pair[1].hidden)  # no hidden input is seen before a visible one
    shown = [(check, case) for check, case in cases if check.reveal or not case.hidden]
    if shown and all(run.ended is None for run in notebook.runs.values()):
        with suppress(StudentError), rerun() as fresh:
            search.find(shown, fresh)
    search.find([pair for pair in cases if pair not in shown], notebook)


def _wanted(oracle: Oracle, runs: CaseRuns) -> list[tuple[Check, Case]]:
    """Return the cases worth a search: of each check that failed on a drawn one, the most typical.

    A visible one goes first, and where its call is short there is nothing to look for.
    """
    found = []
    for name, check in oracle.checks.items():
        outcomes = runs.outcomes[name]
        missed = [c for c in check.cases if c.is_drawn and _is_missed(outcomes.get(c.name))]
        if not missed or name in runs.in_place:
            continue
        case = min(missed, key=lambda c: (c.hidden, oddity(c)))
        call = outcomes[case.name].call
        if not (isinstance(call, str) and "\n" not in call):
            found.append((check, case))
    return found[:MOST_CASES]


class _Smallest:
    """Finds the smallest inputs that fail, and keeps each with the result of its case.

    Args:
        oracle: the checks and the reference.
        runs: the results.
        draw: returns the generator of a case's inputs.
    """

    def __init__(self, oracle: Oracle, runs: CaseRuns, draw: Draw) -> None:
        self._oracle, self._runs, self._draw = oracle, runs, draw
        self._until = time.monotonic() + ALL_SECONDS

    def find(self, cases: Sequence[tuple[Check, Case]], notebook: NotebookSession) -> None:
        """Look for the smallest inputs of some cases in forks of a session."""
        for check, case in cases:
            if notebook.anew or time.monotonic() >= self._until:
                return
            try:
                text = self._smallest(check, case, notebook)
            except HarnessError:
                raise
            except Exception:  # the student's, or the author's: a function that takes no such input
                continue
            if text is not None:
                self._keep(check, case, text)

    def _keep(self, check: Check, case: Case, text: str) -> None:
        found = self._runs.outcomes[check.name]
        kept = msgspec.structs.replace(found[case.name], smallest=text)
        if case.hidden and check.reveal:
            kept = msgspec.structs.replace(kept, revealed=True)
        found[case.name] = kept

    def _smallest(self, check: Check, case: Case, notebook: NotebookSession) -> str | None:
        """Return the call with the smallest inputs found; None if there is none to be shown.

        Whatever the search came to counts only if it fails at first sight, too: code may give
        another answer each time, or keep what it was asked before.
        """
        budget = _Budget(CALLS, min(self._until, time.monotonic() + SECONDS))
        rng = partial(self._draw, check, case)
        with self._session(check, notebook) as session:
            trial = _Trial(self._oracle, check, session, self._draw, budget)
            manner = trial.manner(case)
            if manner is None:
                return None
            smallest = shrunk(case, rng, lambda one: trial.fails(one, manner))
        with self._session(check, notebook) as session:
            again = _Trial(self._oracle, check, session, self._draw, budget)
            return again.text if again.manner(smallest) == manner else None

    @contextmanager
    def _session(self, check: Check, notebook: NotebookSession) -> Iterator[CheckSession]:
        """Give a fork of a session that is ready for a check, with what that is given."""
        with notebook.check() as session, ReferenceProcess(self._oracle.namespace) as reference:
            self._runs.prepare(check, session)
            session.seconds = min(session.seconds, CALL_SECONDS)
            if check.given:
                session.give(Callbacks(check.given, reference.answer, CALL_SECONDS))
            yield session


class _Trial:
    """Runs cases of a check in one session."""

    def __init__(
        self, oracle: Oracle, check: Check, session: CheckSession, draw: Draw, budget: _Budget
    ) -> None:
        self._oracle, self._check, self._draw = oracle, check, draw
        self._session, self._budget = session, budget
        self._gone = False
        self.text: str | None = None  # the last call, as Python

    def manner(self, case: Case) -> _Manner | None:
        """Return how a case fails; None if it does not, or for another reason than its answer."""
        asked, compared, began = LastCall(self._session), list[Compared](), time.monotonic()
        result = self._run(case, asked, compared)
        slow = time.monotonic() - began >= 2 * CALL_SECONDS  # so that it may have been stopped
        self._budget.calls -= max(1, asked.calls)
        self._gone = slow or result.verdict in (Verdict.TIMED_OUT, Verdict.KILLED)
        self.text = asked.text
        if self._gone or not _is_missed(result):
            return None
        by_numbers = bool(compared) and compared[-1].margin > 1.0
        error = (
            (result.message or "").partition(":")[0] if result.verdict is Verdict.ERRORED else ""
        )
        return _Manner(result.verdict, result.place, error, by_numbers)

    def fails(self, case: Case, manner: _Manner) -> bool:
        """Return whether a case fails in a manner, and passes with the reference's answers."""
        if self._gone or self._budget.is_spent:
            return False
        return self.manner(case) == manner and self._is_sound(case)

    def _is_sound(self, case: Case) -> bool:
        reference = ReferenceSession(self._oracle.namespace)
        return self._run(case, reference, []).verdict is Verdict.PASSED

    def _run(self, case: Case, asked: Session, compared: list[Compared]) -> CaseResult:
        oracle, draw, seconds = self._oracle, self._draw, 2 * CALL_SECONDS
        with watchdog(2 * seconds):  # nobody has tried these inputs on the reference before
            return run_against(
                oracle, self._check, case, asked, draw, seconds=seconds, compared=compared
            )


def _is_missed(result: CaseResult | None) -> bool:
    return result is not None and result.verdict in MISSED and result.blank is None
