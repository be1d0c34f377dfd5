"""From a submission to a result: run the notebook in a session and every check against it."""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import product
from pathlib import Path

import msgspec
import numpy as np

from autograder.authoring.checks import Case, Check, case_rng
from autograder.authoring.standard import Compared
from autograder.errors import HarnessError, StudentError, StudentKilled, StudentTimeout, UnsafeHere
from autograder.grading.bundle import Bundle, QuestionEntry
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.diagnosis import Diagnoses, Outcome
from autograder.grading.given import run_given, wants_given
from autograder.grading.in_place import run_in_place
from autograder.grading.intake import digest_of
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
from autograder.sandbox.session import CheckSession, NotebookSession

__all__ = ["Grader", "drawn_for"]

TRIES = 3  # of a submission, when the harness breaks
MAX_TIMEOUTS = 2  # of the cases of one check
MAX_ENDS = 2  # of whole sessions, each of which costs a run of the notebook, by one check
JSON_GROWTH = 12  # bytes that a character may take in a message
OWN_SECONDS = 30.0  # that a check's own code may take beside the student's

Cases = deque[tuple[Check, Case]]
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

    Attributes:
        starved: whether something of the last submission ran out of time that had not had the
            processor for it: others had.
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
        self._diagnoses = Diagnoses(oracle, bundle.slips)
        self._submission, self._tries = "", 0  # whose inputs are drawn now
        self._compared: AllCompared = {}  # in the cases of this submission that failed
        self._ends = Counter[str]()  # of its sessions, by the check that ended them
        self.starved = False

    def __enter__(self) -> "Grader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the nursery."""
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def grade(
        self, student: str, data: bytes, clock: Callable[[], str] = now, gradings: int = 0
    ) -> Result:
        """Grade one submission; a fault of the harness is retried, then marked as ours.

        Args:
            student: whose submission it is.
            data: the submitted file.
            clock: returns the time that the result carries.
            gradings: how many of this submission have broken before.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        self.starved = False
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
        self._submission = drawn_for(student, digest_of(data))
        for attempt in range(TRIES):
            self._tries = gradings * TRIES + attempt
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
            notes = self._run_in_place(notebook, submission, outcomes)
            self._run_given(notebook, outcomes)
        self.starved = notebook.starved
        self._diagnose(outcomes)
        questions = tuple(
            score_manual(entry, entry.cell in submission.answers)
            if entry.manual
            else _score(entry, outcomes)
            for entry in self._bundle.manifest.questions
        )
        return questions, (*notes_of(notebook, self._limits), *notes)

    def _diagnose(self, outcomes: Outcomes) -> None:
        """Name what a check's wrong values look like; whatever fails here costs nobody anything."""
        known = {
            check: {
                name: Outcome(result, self._compared.get((check, name), ()))
                for name, result in found.items()
            }
            for check, found in outcomes.items()
        }
        for check, diagnosis in self._diagnoses.of_all(known, self._draw).items():
            for name, result in outcomes[check].items():
                if result.verdict in (Verdict.FAILED, Verdict.ERRORED):
                    outcomes[check][name] = msgspec.structs.replace(result, diagnosis=diagnosis)

    def _draw(self, check: Check, case: Case) -> np.random.Generator:
        """Return the generator of a case's inputs for this try at this submission."""
        names = self._oracle.assignment, check.name, case.name
        return case_rng(self._secret, *names, self._submission, self._tries)

    def _outcomes(self, notebook: NotebookSession) -> Outcomes:
        """Run every case: first the visible ones, then the hidden ones.

        A student reads the messages of visible cases. Since no hidden input has been seen by then,
        whatever their code keeps or sends, no message can tell of one.
        """
        checks = self._oracle.checks.values()
        outcomes: Outcomes = {check.name: {} for check in checks}
        self._compared, self._ends = {}, Counter[str]()
        doubtful: Cases = deque()
        for hidden in (False, True):
            left = deque((check, c) for check in checks for c in check.cases if c.hidden is hidden)
            self._run(left, notebook, outcomes, doubtful)
        self._confirm(doubtful, notebook, outcomes)
        return outcomes

    def _run(
        self, left: Cases, notebook: NotebookSession, outcomes: Outcomes, doubtful: Cases
    ) -> None:
        """Run some cases in one session; after one that ended it, the others in a fresh one.

        Args:
            left: the cases.
            notebook: in whose sessions they run.
            outcomes: take their results.
            doubtful: takes cases whose failing may be another check's doing.
        """
        vanished: set[tuple[str, str]] = set()
        while left:
            check, case = left[0]
            if unrun := self._reason_not_to_run(check, outcomes):
                left.popleft()
                outcomes[check.name][case.name] = _without_run(case, *unrun)
                continue
            try:
                with notebook.check() as session:
                    last = self._run_in(session, left, notebook, outcomes, doubtful)
            except (StudentTimeout, StudentKilled) as error:  # there is no session to be had
                timeout = isinstance(error, StudentTimeout)
                verdict = Verdict.TIMED_OUT if timeout else Verdict.KILLED
                for check, case in left:
                    unrun = self._reason_not_to_run(check, outcomes) or (verdict, str(error))
                    outcomes[check.name][case.name] = _without_run(case, *unrun)
                return
            if last is None:
                continue
            check, case = last
            self._ends[check.name] += not notebook.is_open
            if notebook.vanished and (place := (check.name, case.name)) not in vanished:
                vanished.add(place)  # once more: it may have been killed by somebody else
                left.appendleft(last)
            elif notebook.anew:  # each session runs the whole notebook: right answers come first
                left.rotate(-sum(pair[0] is check for pair in left))

    def _run_in(
        self,
        session: CheckSession,
        left: Cases,
        notebook: NotebookSession,
        outcomes: Outcomes,
        doubtful: Cases,
    ) -> tuple[Check, Case] | None:
        """Run cases until the session is ended or a check is to have one of its own.

        Checks share a session for as long as they pass. A check whose hidden cases do not pass
        behind another's is put back, to be the first of the next session: no check fails for what
        another has done, and most need no fork of their own. A stub needs none: it fails by itself.
        Where a session costs a run of the notebook, that waits until all others have run.

        Returns:
            The case that ended the session, if one did.
        """
        first = left[0][0]
        while left and not self._reason_not_to_run(left[0][0], outcomes):
            check, case = left.popleft()
            result = self._run_case(check, case, session, notebook)
            outcomes[check.name][case.name] = result
            ended = result.verdict in (Verdict.TIMED_OUT, Verdict.KILLED)
            if case.hidden and check is not first and _may_be_another_s_doing(result):
                if notebook.anew:
                    doubtful.append((check, case))
                elif not (ended and notebook.vanished):
                    found = outcomes[check.name]
                    run = [c for c in check.cases if c.hidden and c.name in found]
                    for unsure in run:
                        del found[unsure.name]
                    left.extendleft((check, c) for c in reversed(run))
                    return None
            if ended:
                return check, case
        return None

    def _confirm(self, doubtful: Cases, notebook: NotebookSession, outcomes: Outcomes) -> None:
        """Run doubtful cases of a notebook that cannot be forked again, each check alone."""
        while doubtful and notebook.seconds_left() > 2 * notebook.run_seconds:
            check = doubtful[0][0]
            with suppress(StudentTimeout, StudentKilled), notebook.check() as session:
                for _, case in [pair for pair in doubtful if pair[0] is check]:
                    self._run_better(check, case, session, notebook, outcomes)
            doubtful = deque(pair for pair in doubtful if pair[0] is not check)

    def _run_in_place(
        self, notebook: NotebookSession, submission: Submission, outcomes: Outcomes
    ) -> tuple[str, ...]:
        """Run failed cases on the notebook as it stood at their checks; return notes on that."""
        checks = self._oracle.checks.values()
        failed = [
            (place, check, case)
            for hidden in (False, True)
            for check in checks
            for place in submission.places.get(check.name, ())
            for case in check.cases
            if case.hidden is hidden and _may_be_another_s_doing(outcomes[check.name][case.name])
        ]

        def run(check: Check, case: Case, session: CheckSession) -> bool:
            return self._run_better(check, case, session, notebook, outcomes)

        return run_in_place(notebook, submission.cells, failed, run)

    def _run_better(
        self,
        check: Check,
        case: Case,
        session: CheckSession,
        notebook: NotebookSession,
        outcomes: Outcomes,
    ) -> bool:
        """Run a case once more; the result counts, and is told, only if it passes."""
        compared = self._compared.get((check.name, case.name), [])
        result = self._run_case(check, case, session, notebook)
        if result.verdict is Verdict.PASSED:
            outcomes[check.name][case.name] = result
            return True
        self._compared[check.name, case.name] = compared
        return False

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
            with suppress(StudentTimeout, StudentKilled), notebook.check() as session:
                run = partial(self._run_case, check, session=session, notebook=notebook)
                results = run_given(check, cases, session, self._oracle.namespace, seconds, run)
                found.update({result.name: result for result in results})

    def _run_case(
        self, check: Check, case: Case, session: CheckSession, notebook: NotebookSession
    ) -> CaseResult:
        session.seconds = check.seconds or self._limits.call_seconds
        notebook.vanished = False
        rng = partial(self._draw, check, case)
        reference = ReferenceSession(self._oracle.namespace)
        seconds = notebook.seconds_left() + OWN_SECONDS
        seen: list[Compared] = []
        result = run_case(check, case, session, reference, rng, seconds=seconds, compared=seen)
        self._compared[check.name, case.name] = [] if result.verdict is Verdict.PASSED else seen
        return result

    def _reason_not_to_run(self, check: Check, outcomes: Outcomes) -> tuple[Verdict, str] | None:
        """Return the verdict of a check's cases that are not to be run, and why.

        After a few time-outs the other cases of a check are not, nor after some that ended the
        whole session: an endless loop in every function would otherwise use up the time of the
        whole submission.
        """
        if check.device == "cuda" and self._device != "cuda":
            return Verdict.PENDING, "needs a GPU"
        verdicts = [result.verdict for result in outcomes[check.name].values()]
        if verdicts.count(Verdict.TIMED_OUT) >= MAX_TIMEOUTS:
            return Verdict.TIMED_OUT, f"not run after {MAX_TIMEOUTS} time-outs"
        if verdicts.count(Verdict.KILLED) >= MAX_ENDS and self._ends[check.name] >= MAX_ENDS:
            return Verdict.KILLED, f"not run after {MAX_ENDS} cases that ended everything"
        return None


def drawn_for(student: str, submission: str) -> str:
    """Return the name under which the inputs of a submission are drawn.

    Of the student's name and the file: what nobody else can have, and what a regrade has again.

    Args:
        student: whose submission it is.
        submission: the digest of the submitted file.
    """
    return f"{submission} of {student}"


def _may_be_another_s_doing(result: CaseResult) -> bool:
    decided = result.verdict in (Verdict.PASSED, Verdict.PENDING, Verdict.BROKEN)
    return not decided and not (result.message or "").startswith(NOT_YET)


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
