"""A student's self-check: the visible cases, run in the notebook against the recording."""

import html
import sys
from pathlib import Path

from autograder.authoring.checks import Case, Check, case_rng
from autograder.authoring.standard import Standard
from autograder.authoring.subject import Session
from autograder.errors import HarnessError
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.results import CaseResult, Verdict
from autograder.sandbox.messages import InProcessSession
from autograder.student.recording import FILE, Recording, ReplaySession, load_recording

__all__ = ["SelfCheck", "self_check"]

WAITS = ("?", "#9a6700")
MARKS = {Verdict.PASSED: ("✓", "#1a7f37"), Verdict.BROKEN: WAITS, Verdict.PENDING: WAITS}
NEEDS_GPU = "runs at grading, on a machine with a GPU"
OTHER_MARK = ("✗", "#cf222e")


class SelfCheck:
    """The outcome of a check's visible cases, shown by Jupyter as the cell's value."""

    def __init__(
        self, check: Check, results: list[CaseResult], kind: str = "visible cases"
    ) -> None:
        self.check, self.results, self._kind = check, results, kind

    @property
    def passed(self) -> bool:
        """Whether every visible case passed."""
        return all(result.verdict is Verdict.PASSED for result in self.results)

    def __repr__(self) -> str:
        lines = [self._headline()]
        for result in self.results:
            lines.append(f"  {_mark(result)[0]} {result.name}: {_words(result)}")
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
        return (
            f'<div style="line-height:1.6"><b>{html.escape(self._headline())}</b>'
            + "".join(rows)
            + "</div>"
        )

    def _headline(self) -> str:
        count = sum(result.verdict is Verdict.PASSED for result in self.results)
        return f"{self.check.name}: {count} of {len(self.results)} {self._kind} pass"


def self_check(check: Check) -> SelfCheck:
    """Run the visible cases of a check against this notebook's own names.

    In a release the right values come from the recording beside the notebook. In the source
    notebook, where there is none, the names themselves are the reference: the author's own run.

    Raises:
        HarnessError: there is neither a recording nor the reference, or the recording is damaged.
    """
    if not isinstance(check, Check):
        raise TypeError(f"self_check takes a check, not a {type(check).__name__}")
    recording = _recording()
    if recording:
        check.standard = recording.standards.get(check.name, Standard())
    cases = [case for case in check.cases if not (case.hidden and recording)]
    results = [_run(check, case, recording) for case in cases]
    return SelfCheck(check, results, "visible cases" if recording else "cases")


def _run(check: Check, case: Case, recording: Recording | None) -> CaseResult:
    if check.device == "cuda" and recording:
        return CaseResult(case.name, case.hidden, Verdict.PENDING, 0.0, message=NEEDS_GPU)
    assignment = recording.assignment if recording else ""
    return run_case(
        check,
        case,
        InProcessSession(check.function.__globals__),
        _reference(recording, check, case),
        lambda: case_rng(b"", assignment, check.name, case.name),
        proven=recording is not None,
    )


def _reference(recording: Recording | None, check: Check, case: Case) -> Session:
    if recording is None:
        return ReferenceSession(check.function.__globals__)
    return ReplaySession(recording.replies.get(check.name, {}).get(case.name, ()))


def _recording() -> Recording | None:
    try:
        return load_recording(Path(FILE).read_bytes())
    except FileNotFoundError:
        if "reference" in sys.modules:
            return None
        raise HarnessError(
            f"there is no {FILE} here, so nothing can be checked; put the one that came with the "
            "notebook beside it"
        ) from None
    except OSError as error:
        raise HarnessError(f"{FILE} cannot be read: {error}") from None


def _mark(result: CaseResult) -> tuple[str, str]:
    return MARKS.get(result.verdict, OTHER_MARK)


def _words(result: CaseResult) -> str:
    if result.verdict is Verdict.PASSED:
        return "passes"
    if result.verdict is Verdict.PENDING:
        return NEEDS_GPU
    if result.verdict is Verdict.BROKEN:
        return f"cannot be checked here: {result.message}"
    return result.message or str(result.verdict)
