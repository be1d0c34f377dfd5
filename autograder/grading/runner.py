"""From a submission to a result: run the notebook in a session and every check against it."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby, product
from pathlib import Path

import msgspec
import numpy as np

from autograder.authoring.checks import Case, Check, case_rng
from autograder.authoring.standard import Compared
from autograder.authoring.subject import Session
from autograder.errors import HarnessError, StudentError, StudentKilled, StudentTimeout, UnsafeHere
from autograder.grading.bundle import Bundle, QuestionEntry
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.diagnosis import Diagnoses, Outcome
from autograder.grading.given import run_given, wants_given
from autograder.grading.notes import UNWALLED, all_notes, notes_of
from autograder.grading.oracle import Oracle
from autograder.grading.results import (
    BROKE,
    CaseResult,
    QuestionResult,
    Result,
    Status,
    Verdict,
    now,
)
from autograder.grading.scoring import (
    result_of,
    score_check,
    score_manual,
    score_question,
    unreadable,
)
from autograder.grading.submission import Submission, parse_submission
from autograder.sandbox.canary import send_canary
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.messages import NOT_YET
from autograder.sandbox.nursery import TIERS, Nursery
from autograder.sandbox.session import NotebookSession

__all__ = ["Grader"]

TRIES = 3  # of a submission, when the harness breaks
MAX_TIMEOUTS = 2  # of the cases of one check
JSON_GROWTH = 12  # bytes that a character may take in a message
OWN_SECONDS = 30.0  # that a check's own code may take beside the student's

Cases = deque[tuple[Check, Case]]  # that are still to be run
Outcomes = dict[str, dict[str, CaseResult]]  # by check and case
AllCompared = dict[tuple[str, str], list[Compared]]  # likewise


class Grader:
    """Grades submissions of one bundle, one after another, each in a session of its own.

    Args:
        bundle: the sealed checks and the reference.
        oracle: the same, loaded.
        secret: the course's, from which hidden inputs are drawn.
        limits: of each submission.
        device: ``cpu`` or ``cuda``.
        min_tier: the weakest tier of walls that will do; None runs students' code without any,
            as a trial that counts for nothing.
        private: files and folders that no session may find; the canary looks for them.
    """

    def __init__(
        self,
        bundle: Bundle,
        oracle: Oracle,
        secret: bytes,
        limits: Limits,
        device: str = "cpu",
        min_tier: int | None = TIERS[-1],
        private: Sequence[Path] = (),
    ) -> None:
        self._bundle, self._oracle, self._secret = bundle, oracle, secret
        self._limits, self._device = limits, device
        self._min_tier, self._private = min_tier, private
        self._nursery: Nursery | None = None
        self._diagnoses = Diagnoses(oracle, secret, bundle.slips)
        self._compared: AllCompared = {}  # in the cases of this submission that failed

    def __enter__(self) -> "Grader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the nursery."""
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def grade(self, student: str, data: bytes, clock: Callable[[], str] = now) -> Result:
        """Grade one submission; a fault of the harness is retried, then marked as ours.

        Args:
            student: whose submission it is.
            data: the submitted file.
            clock: returns the time that the result carries.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        with suppress(HarnessError):  # which the tries below meet again
            self._warm_nursery()  # first: where nothing is safe, nothing is graded
        try:
            submission = parse_submission(data, self._bundle.release)
            size = JSON_GROWTH * sum(len(cell.source) for cell in submission.cells)
            if size > self._limits.message_mb * MB:
                raise StudentError("the notebook has more code than a message may hold")
        except StudentError as error:
            return unreadable(self._bundle, student, data, str(error), self._device, clock)
        except Exception as error:  # a bug of ours costs no other submission its grading
            return unreadable(self._bundle, student, data, _fault(error), self._device, clock)
        for attempt in range(TRIES):
            try:
                questions, notes = self._grade(submission)
                break
            except UnsafeHere:
                raise
            except Exception as error:  # a HarnessError, or a bug of ours
                self.close()
                if attempt == TRIES - 1:
                    reason = _fault(error)
                    return unreadable(self._bundle, student, data, reason, self._device, clock)
        notes = all_notes(submission.notes, notes)
        result = result_of(self._bundle, student, data, questions, notes, self._device, clock)
        return self._marked(result)

    def _marked(self, result: Result) -> Result:
        """Return a result with the tier of its walls: without any it is not graded."""
        assert self._nursery is not None
        tier = self._nursery.tier
        if tier is not None:
            return msgspec.structs.replace(result, tier=tier)
        questions = tuple(
            msgspec.structs.replace(question, status=Status.UNGRADED)
            for question in result.questions
        )
        notes = (UNWALLED, *result.notes)
        status = Status.UNGRADED
        return msgspec.structs.replace(result, questions=questions, notes=notes, status=status)

    def _warm_nursery(self) -> Nursery:
        """Return the nursery, whose walls have held against all escapes that we know."""
        if self._nursery is None:
            preload = self._bundle.manifest.preload
            tiers = (None,) if self._min_tier is None else TIERS[: self._min_tier + 1]
            nursery = Nursery(self._limits, preload, self._device, tiers)
            try:
                if nursery.tier is not None:
                    send_canary(nursery, self._private)
            except BaseException:
                nursery.close()
                raise
            self._nursery = nursery
        return self._nursery

    def _grade(self, submission: Submission) -> tuple[tuple[QuestionResult, ...], tuple[str, ...]]:
        nursery = self._warm_nursery()
        deadline = time.monotonic() + self._limits.submission_seconds
        files = self._bundle.data
        with NotebookSession(nursery, submission.cells, deadline, files) as notebook:
            outcomes = self._outcomes(notebook)
        self._diagnose(outcomes)
        questions = tuple(
            score_manual(entry, entry.cell in submission.answers)
            if entry.manual
            else _score(entry, outcomes)
            for entry in self._bundle.manifest.questions
        )
        return questions, notes_of(notebook, self._limits)

    def _diagnose(self, outcomes: Outcomes) -> None:
        """Name what a check's wrong values look like; whatever fails here costs nobody anything."""
        for check in self._oracle.checks.values():
            found = outcomes[check.name]
            known = {
                name: Outcome(result, self._compared.get((check.name, name), ()))
                for name, result in found.items()
            }
            diagnosis = None
            with suppress(Exception):
                diagnosis = self._diagnoses.of(check, known)
            if diagnosis is not None:
                for name, result in found.items():
                    if result.verdict in (Verdict.FAILED, Verdict.ERRORED):
                        found[name] = msgspec.structs.replace(result, diagnosis=diagnosis)

    def _outcomes(self, notebook: NotebookSession) -> Outcomes:
        """Run every case: first the visible ones, then the hidden ones.

        A student reads the messages of visible cases. Since no hidden input has been seen by then,
        whatever their code keeps or sends, no message can tell of one.
        """
        checks = self._oracle.checks.values()
        outcomes: Outcomes = {check.name: {} for check in checks}
        self._compared = {}
        for hidden in (False, True):
            cases = [(check, c) for check in checks for c in check.cases if c.hidden is hidden]
            for _, together in groupby(cases, key=lambda pair: pair[0].seconds):
                self._run(deque(together), notebook, outcomes)
        self._run_given(notebook, outcomes)
        return outcomes

    def _run(self, left: Cases, notebook: NotebookSession, outcomes: Outcomes) -> None:
        """Run some cases in one session; after one that ended it, the others in a fresh one."""
        while left:
            check, case = left[0]
            if unrun := self._reason_not_to_run(check, outcomes):
                left.popleft()
                outcomes[check.name][case.name] = _without_run(case, *unrun)
                continue
            try:
                with notebook.check(check.seconds) as session:
                    self._run_in(session, left, outcomes, notebook)
            except (StudentTimeout, StudentKilled) as error:  # there is no session to be had
                timeout = isinstance(error, StudentTimeout)
                verdict = Verdict.TIMED_OUT if timeout else Verdict.KILLED
                for check, case in left:
                    unrun = self._reason_not_to_run(check, outcomes) or (verdict, str(error))
                    outcomes[check.name][case.name] = _without_run(case, *unrun)
                return

    def _run_in(
        self, session: Session, left: Cases, outcomes: Outcomes, notebook: NotebookSession
    ) -> None:
        """Run cases until the session is ended or a check is to have one of its own.

        Checks share a session for as long as they pass. A check whose hidden cases do not pass
        behind another's is put back, to be the first of the next session: no check fails for what
        another has done, and most need no fork of their own. A stub needs none: it fails by itself.
        """
        first = left[0][0]
        while left and not self._reason_not_to_run(left[0][0], outcomes):
            check, case = left.popleft()
            result = self._run_case(check, case, session, notebook)
            outcomes[check.name][case.name] = result
            if case.hidden and check is not first and _may_be_another_s_doing(result):
                found = outcomes[check.name]
                run = [c for c in check.cases if c.hidden and found.pop(c.name, None) is not None]
                left.extendleft((check, c) for c in reversed(run))
                return
            if result.verdict in (Verdict.TIMED_OUT, Verdict.KILLED):
                return

    def _run_given(self, notebook: NotebookSession, outcomes: Outcomes) -> None:
        """Run failed cases again with what their checks are given, each check in its own session.

        Behind all other runs, and question by question as they build on each other: by the time at
        which the reference answers for a function, that function's own checks are done, so that
        nothing that a student's code keeps of the answers can help it there.
        """
        places = {entry.id: i for i, entry in enumerate(self._bundle.manifest.questions)}
        checks = sorted(self._oracle.checks.values(), key=lambda check: places[check.question])
        for check, hidden in product(checks, (False, True)):
            found, seconds = outcomes[check.name], check.seconds or self._limits.call_seconds
            failed = [c for c in check.cases if wants_given(check, found[c.name])]
            if not (cases := [case for case in failed if case.hidden is hidden]):
                continue
            with suppress(StudentTimeout, StudentKilled), notebook.check(seconds) as session:
                run = partial(self._run_case, check, session=session, notebook=notebook)
                results = run_given(check, cases, session, self._oracle.namespace, seconds, run)
                found.update({result.name: result for result in results})

    def _run_case(
        self, check: Check, case: Case, session: Session, notebook: NotebookSession
    ) -> CaseResult:
        def rng() -> np.random.Generator:
            return case_rng(self._secret, self._oracle.assignment, check.name, case.name)

        reference = ReferenceSession(self._oracle.namespace)
        seconds = notebook.seconds_left() + OWN_SECONDS
        seen: list[Compared] = []
        result = run_case(check, case, session, reference, rng, seconds=seconds, compared=seen)
        self._compared[check.name, case.name] = [] if result.verdict is Verdict.PASSED else seen
        return result

    def _reason_not_to_run(self, check: Check, outcomes: Outcomes) -> tuple[Verdict, str] | None:
        """Return the verdict of a check's cases that are not to be run, and why.

        After a few time-outs the other cases of a check are not: an endless loop in every
        function would otherwise use up the time of the whole submission.
        """
        if check.device == "cuda" and self._device != "cuda":
            return Verdict.PENDING, "needs a GPU"
        verdicts = [result.verdict for result in outcomes[check.name].values()]
        if verdicts.count(Verdict.TIMED_OUT) >= MAX_TIMEOUTS:
            return Verdict.TIMED_OUT, f"not run after {MAX_TIMEOUTS} time-outs"
        return None


def _may_be_another_s_doing(result: CaseResult) -> bool:
    return result.verdict is not Verdict.PASSED and not (result.message or "").startswith(NOT_YET)


def _score(entry: QuestionEntry, outcomes: Outcomes) -> QuestionResult:
    checks = [
        score_check(check, [outcomes[check.name][name] for name, _ in check.cases])
        for check in entry.checks
    ]
    return score_question(entry, checks)


def _fault(error: Exception) -> str:
    said = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
    return f"{BROKE}: {said}"


def _without_run(case: Case, verdict: Verdict, message: str) -> CaseResult:
    return CaseResult(case.name, case.hidden, verdict, 0.0, message=message)
