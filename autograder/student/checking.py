"""Checking at home: a check's visible cases, run in the notebook against the recording."""

import html
import os
import sys
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from autograder.artefacts.recording import FILE, Recording, load_recording
from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Standard
from autograder.authoring.subject import Session
from autograder.errors import HarnessError
from autograder.grading.cases import ReferenceSession, drawn_under, run_case
from autograder.grading.watchdog import TimedSession
from autograder.student.ready import tell_missing
from autograder.student.recording import ReplaySession

__all__ = ["HomeSession", "SelfCheck", "check_here", "in_points", "run_visible", "visible_cases"]

NBGRADER = "NBGRADER_EXECUTION"  # where nbgrader runs a notebook: "validate" or "autograde"
WAITS = ("?", "#9a6700")
MARKS = {Verdict.PASSED: ("✓", "#1a7f37"), Verdict.BROKEN: WAITS, Verdict.PENDING: WAITS}
MAX_TIMEOUTS = 2  # of the cases of one check, as at grading
NEEDS_GPU = "runs at grading, on a machine with a GPU"
OTHER_MARK = ("✗", "#cf222e")


class SelfCheck:
    """The outcome of a check's visible cases, shown by Jupyter as the cell's value."""

    def __init__(
        self,
        name: str,
        results: Sequence[CaseResult],
        kind: str = "visible cases",
        points: float | None = None,
        called: Collection[str] = (),
    ) -> None:
        self.name, self.results, self._kind, self._points = name, results, kind, points
        self._called = called  # the cases whose inputs can be shown

    @property
    def passed(self) -> bool:
        """Whether every visible case passed; none passed where nothing could be checked."""
        results = self.results
        return bool(results) and all(result.verdict is Verdict.PASSED for result in results)

    @property
    def failed(self) -> bool:
        """Whether a visible case did not pass that can be run here, or none could be run."""
        fine = (Verdict.PASSED, Verdict.PENDING)
        return not self.results or any(result.verdict not in fine for result in self.results)

    def __repr__(self) -> str:
        lines = [self._headline()]
        for result in self.results:
            lines.append(f"  {_mark(result)[0]} {result.name}: {_words(result)}")
        if self._inputs:
            lines.append(f"  its inputs: {self._inputs}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = []
        for result in self.results:
            mark, colour = _mark(result)
            rows.append(
                f'<div><span style="color:{colour};font-weight:600">{mark}</span> '
                f"{html.escape(result.name)}: "
                f'<span style="white-space:pre-wrap">{html.escape(_words(result))}</span></div>'
            )
        if self._inputs:
            rows.append(f"<div>its inputs: <code>{html.escape(self._inputs)}</code></div>")
        return (
            f'<div style="line-height:1.6"><b>{html.escape(self._headline())}</b>'
            + "".join(rows)
            + "</div>"
        )

    @property
    def _inputs(self) -> str:
        """What to run for the inputs of the first case that fails; empty where there are none."""
        failed = (r.name for r in self.results if _mark(r) is OTHER_MARK)
        first = next((name for name in failed if name in self._called), None)
        return "" if first is None else f"{self.name}.inputs({first!r})"

    def _headline(self) -> str:
        if not self.results:
            return f"{self.name}: not checked"
        count = sum(result.verdict is Verdict.PASSED for result in self.results)
        worth = "" if self._points is None else f" ({in_points(self._points)})"
        return f"{self.name}: {count} of {len(self.results)} {self._kind} pass{worth}"


class HomeSession(TimedSession):
    """A student's own notebook, checked against a recording."""

    def processes(self) -> None:
        """Say that nothing is measured: what counts is how it comes out where it is graded."""


class Validated(SelfCheck):
    """An outcome where nbgrader runs the notebook, which takes a cell's value for its points."""

    def _ipython_display_(self) -> None:
        """Show nothing."""


def in_points(points: float) -> str:
    """Return a number of points in words."""
    return f"{points:g} point{'' if points == 1 else 's'}"


def check_here(check: Check) -> SelfCheck:
    """Run the visible cases of a check in this process; see `self_check`.

    Raises:
        AssertionError: nbgrader runs the notebook, and a visible case fails.
        HarnessError: the recording is damaged.
    """
    outcome = _check_here(check)
    if os.environ.get(NBGRADER):
        if outcome.failed:
            raise AssertionError(repr(outcome))
        return Validated(outcome.name, outcome.results)
    return outcome


def _check_here(check: Check) -> SelfCheck:
    if "reference" not in sys.modules and tell_missing(FILE):
        return SelfCheck(check.name, [])
    recording, cases = visible_cases(check)
    limit = check.seconds or (recording.call_seconds if recording else None)
    session = HomeSession if recording else TimedSession
    own = session(check.function.__globals__, limit)
    results: list[CaseResult] = []
    for case in cases:
        late = [one for one in results if one.verdict is Verdict.TIMED_OUT]
        stopped = len(late) >= MAX_TIMEOUTS
        results.append(_not_run(case) if stopped else run_visible(check, case, recording, own))
    kind = "visible cases" if recording else "cases"
    called = recording.called_in(check.name) if recording else ()
    return SelfCheck(check.name, results, kind, check.points, called)


def _not_run(case: Case) -> CaseResult:
    message = f"not run after {MAX_TIMEOUTS} cases that took too long"
    return CaseResult(case.name, case.hidden, Verdict.TIMED_OUT, 0.0, message=message)


def visible_cases(check: Check) -> tuple[Recording | None, list[Case]]:
    """Return the recording beside the notebook, and what can be checked with it, or without.

    Raises:
        HarnessError: the recording is damaged.
    """
    recording = _recording()
    return recording, [case for case in check.cases if not (case.hidden and recording)]


def run_visible(
    check: Check, case: Case, recording: Recording | None, student: Session
) -> CaseResult:
    """Run a case of a check against the recording, or where there is none the reference."""
    if check.device == "cuda" and recording:
        return CaseResult(case.name, case.hidden, Verdict.PENDING, 0.0, message=NEEDS_GPU)
    assignment = recording.assignment if recording else ""
    return run_case(
        check,
        case,
        student,
        _reference(recording, check, case),
        partial(drawn_under(b"", assignment), check, case),
        proven=recording is not None,
        standard=(recording.standards if recording else {}).get(check.name, Standard()),
    )


def _reference(recording: Recording | None, check: Check, case: Case) -> Session:
    if recording is None:
        return ReferenceSession(check.function.__globals__)
    return ReplaySession(recording.replies.get(check.name, {}).get(case.name, ()))


def _recording() -> Recording | None:
    try:
        return load_recording(Path(FILE).read_bytes())
    except FileNotFoundError:
        return None  # the author's own run
    except OSError as error:
        raise HarnessError(f"{FILE} cannot be read: {error}") from None


def _mark(result: CaseResult) -> tuple[str, str]:
    return MARKS.get(result.verdict, OTHER_MARK)


def _words(result: CaseResult) -> str:
    if result.verdict is Verdict.PASSED:
        return "passes"
    if result.verdict is Verdict.PENDING:
        return result.message or NEEDS_GPU
    if result.verdict is Verdict.BROKEN:
        return f"cannot be checked here: {result.message}"
    return result.message or str(result.verdict)
