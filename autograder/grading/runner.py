"""From a submission to a result: run the notebook in a session and every check against it."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from autograder.artefacts.bundle import Bundle
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.manifest import QuestionEntry
from autograder.artefacts.results import (
    CaseResult,
    QuestionResult,
    Result,
    Status,
    Verdict,
    digest_of,
    now,
)
from autograder.authoring.bank import Variant
from autograder.authoring.checks import Case, Check, case_rng
from autograder.authoring.devices import computing_on
from autograder.errors import DeviceLost, HarnessError, StudentError, UnsafeHere
from autograder.grading.case_runs import CaseRuns, stops_of
from autograder.grading.completing import Completion
from autograder.grading.diagnosis import CaseOutcome, Diagnoses
from autograder.grading.notes import UNWALLED, all_notes, notes_of
from autograder.grading.prices import Prices
from autograder.grading.scoring import (
    at_its_price,
    broken,
    result_of,
    score_check,
    score_manual,
    score_question,
    unreadable,
)
from autograder.grading.smallest import find_smallest
from autograder.grading.soundness import may_be_the_device, require_sound
from autograder.grading.submission import Submission, parse_submission
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import NotebookSession
from autograder.sandbox.isolation.canary import send_canary
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.protocol.settings import WEAKEST, Gpu, Isolation, down_to

__all__ = ["Grader", "drawn_for"]

TRIES = 3  # of a submission, when the harness breaks
JSON_GROWTH = 12  # bytes that a character may take in a message
RERUN_SECONDS = 3.0  # that a notebook's session may last for what fails again, beside the run


class Grader:
    """Grades submissions of one bundle, one after another, each in a session of its own.

    Args:
        bundle: the sealed checks and the reference.
        oracle: the same, loaded.
        secret: the course's, from which hidden inputs are drawn.
        limits: of each submission.
        device: ``cpu`` or ``cuda``.
        min_isolation: the weakest isolation level that will do.
        private: files and folders that no session may find; the canary looks for them.
        gpu: the one that sessions see, if the device is ``cuda``; None is all of them, unwatched.

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
        min_isolation: Isolation = WEAKEST,
        private: Sequence[Path] = (),
        gpu: Gpu | None = None,
    ) -> None:
        self._bundle, self._oracle, self._secret = bundle, oracle, secret
        self._limits, self._device = limits, device
        self._min_isolation, self._private, self._gpu = min_isolation, private, gpu
        self._fork_server: ForkServer | None = None
        rejects = {e.name: e.rejects for q in bundle.manifest.questions for e in q.checks}
        self._diagnoses = Diagnoses(oracle, bundle.mutants, rejects)
        self._prices = Prices(oracle)
        self._submission, self._tries = "", 0  # whose inputs are drawn now
        self._doubtful = False  # whether the fork server may be gone
        self.starved = False

    def __enter__(self) -> "Grader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the fork server."""
        if self._fork_server is not None:
            self._fork_server.close()
            self._fork_server = None
        self._doubtful = False

    def warm(self) -> Isolation:
        """Start the fork server now; return the isolation level of its walls, which have held.

        Raises:
            HarnessError: it cannot warm up.
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        return self._warm_fork_server().isolation

    def grade(
        self,
        student: str,
        data: bytes,
        clock: Callable[[], str] = now,
        gradings: int = 0,
        earlier: Result | None = None,
    ) -> Result:
        """Grade one submission; a fault of the harness is retried, then marked as ours.

        Args:
            student: whose submission it is.
            data: the submitted file.
            clock: returns the time that the result carries.
            gradings: how many of this submission have broken before.
            earlier: a result of the same file that waits for hardware: only what is open of it is
                graded, and the rest of it stands.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely.
            DeviceLost: the GPU is gone, so nothing that was found counts.
        """
        self.starved = False
        completion = Completion.of(earlier, digest_of(data), self._bundle)
        if self._doubtful:
            self.close()
        try:
            self._warm_fork_server()  # first: where nothing is safe, nothing is graded
        except DeviceLost:
            raise
        except HarnessError:
            pass  # the tries below meet it again
        try:
            submission = parse_submission(data, self._bundle.release)
            size = JSON_GROWTH * sum(len(cell.source) for cell in submission.cells)
            if size > self._limits.message_mb * MB:
                raise StudentError("the notebook has more code than a message may hold")
        except StudentError as error:
            return unreadable(self._bundle, student, data, str(error), self._device, clock)
        except Exception as error:  # a bug of ours costs no other submission its grading
            return self._broken(student, data, error, clock, completion)
        self._submission = drawn_for(student, digest_of(data))
        for attempt in range(TRIES):
            self._tries = gradings * TRIES + attempt
            try:
                with computing_on(self._device):
                    questions, notes = self._grade(submission, completion)
                break
            except UnsafeHere:
                raise
            except DeviceLost as error:
                self.close()
                error.during = True
                raise
            except Exception as error:  # a HarnessError, or a bug of ours
                self.close()  # and what opens it again looks at the GPU first
                if attempt == TRIES - 1:
                    return self._broken(student, data, error, clock, completion)
        notes = all_notes(submission.notes, notes)
        result = result_of(self._bundle, student, data, questions, notes, self._device, clock)
        result = self._marked(result)
        return result if completion is None else completion.whole(result)

    def _broken(
        self,
        student: str,
        data: bytes,
        error: Exception,
        clock: Callable[[], str],
        completion: Completion | None,
    ) -> Result:
        """Return the result of a submission on which the harness broke."""
        fault = (
            str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
        )
        result = broken(self._bundle, student, data, fault, self._device, clock)
        return result if completion is None else completion.broken(result)

    def _marked(self, result: Result) -> Result:
        """Return a result with the isolation level of its walls: without any it is not graded."""
        assert self._fork_server is not None
        isolation = self._fork_server.isolation
        if isolation.is_walled:
            return msgspec.structs.replace(result, isolation=isolation.value)
        questions = tuple(
            msgspec.structs.replace(question, status=Status.UNGRADED)
            for question in result.questions
        )
        notes = (UNWALLED, *result.notes)
        status = Status.UNGRADED
        return msgspec.structs.replace(result, questions=questions, notes=notes, status=status)

    def _warm_fork_server(self) -> ForkServer:
        """Return the fork server, whose walls have held against all escapes that we know."""
        if self._fork_server is None:
            preload = self._bundle.manifest.preload
            levels = down_to(self._min_isolation)
            fork_server = ForkServer(self._limits, preload, self._device, levels, self._gpu)
            try:
                if fork_server.isolation.is_walled:
                    send_canary(fork_server, self._private)
                require_sound(fork_server, self._limits, tried=True)
            except BaseException:
                fork_server.close()
                raise
            self._fork_server = fork_server
        return self._fork_server

    def _grade(
        self, submission: Submission, completion: Completion | None
    ) -> tuple[tuple[QuestionResult, ...], tuple[str, ...]]:
        """Run a submission; return its questions, and notes on how its notebook ran."""
        asked = None if completion is None else completion.questions
        entries = self._bundle.manifest.questions
        fork_server = self._warm_fork_server()
        deadline = time.monotonic() + self._limits.submission_seconds
        files = self._bundle.data
        places = {name: min(found) for name, found in submission.places.items()}
        stops = stops_of(self._oracle.checks.values(), places)
        run = partial(NotebookSession, fork_server, submission.cells, files=files, places=stops)
        with run(deadline) as notebook:
            setting = self._limits, self._device, self._draw
            runs = CaseRuns(self._oracle, notebook, *setting, places, asked)
            runs.run_all()
            notes = runs.run_in_place(submission)
            runs.run_given([entry.id for entry in entries])
            runs.doubt_unproven()
            if completion is not None:
                completion.put_back(runs.outcomes)
            priced = self._priced(runs, [e for e in entries if asked is None or e.id in asked])
            notes = (*notes_of(notebook, self._limits), *notes)
            self.starved = notebook.starved
            self._find_smallest(runs, notebook, run)
        require_sound(fork_server, self._limits, tried=may_be_the_device(runs, notebook))
        self._diagnose(runs)
        return tuple(
            (completion.standing(entry.id) if completion is not None else None)
            or (
                score_manual(entry, entry.cell in submission.answers)
                if entry.manual
                else _score(entry, runs.outcomes, priced.get(entry.id))
            )
            for entry in entries
        ), notes

    def _find_smallest(
        self, runs: CaseRuns, notebook: NotebookSession, run: Callable[[float], NotebookSession]
    ) -> None:
        """Add the smallest inputs that fail, and end the session; nothing else can hang on it."""
        seconds = min(notebook.seconds_left(), 2 * notebook.run_seconds + RERUN_SECONDS)
        rerun = partial(run, time.monotonic() + seconds)
        try:
            find_smallest(self._oracle, runs, notebook, rerun, self._draw)
            notebook.close()
        except Exception:
            self._doubtful = True
            with suppress(Exception):
                notebook.close()

    def _priced(self, runs: CaseRuns, entries: Sequence[QuestionEntry]) -> dict[str, Variant]:
        """Return the mistakes that cost their price alone, by question."""
        found = {}
        for entry in entries:
            if not entry.manual:
                question = _score(entry, runs.outcomes)
                mistake = self._prices.mistake_in(question, runs.compared, runs.answers, self._draw)
                if mistake is not None:
                    found[entry.id] = mistake
        return found

    def _diagnose(self, runs: CaseRuns) -> None:
        """Name what a check's wrong values look like; whatever fails here costs nobody anything."""
        known = {
            check: {
                name: CaseOutcome(result, runs.compared.get((check, name), ()))
                for name, result in found.items()
            }
            for check, found in runs.outcomes.items()
        }
        for check, diagnosis in self._diagnoses.of_all(known, self._draw).items():
            for name, result in runs.outcomes[check].items():
                if result.verdict in (Verdict.FAILED, Verdict.ERRORED):
                    diagnosed = msgspec.structs.replace(result, diagnosis=diagnosis)
                    runs.outcomes[check][name] = diagnosed

    def _draw(self, check: Check, case: Case) -> np.random.Generator:
        """Return the generator of a case's inputs for this try at this submission."""
        names = self._oracle.assignment, check.name, case.name
        return case_rng(self._secret, *names, self._submission, self._tries)


def drawn_for(student: str, submission: str) -> str:
    """Return the name under which the inputs of a submission are drawn.

    Of the student's name and the file: what nobody else can have, and what a regrade has again.

    Args:
        student: whose submission it is.
        submission: the digest of the submitted file.
    """
    return f"{submission} of {student}"


def _score(
    entry: QuestionEntry,
    outcomes: Mapping[str, Mapping[str, CaseResult]],
    mistake: Variant | None = None,
) -> QuestionResult:
    checks = [
        score_check(check, [outcomes[check.name][name] for name, _ in check.cases])
        for check in entry.checks
    ]
    question = score_question(entry, checks)
    if mistake is None or mistake.costs is None:
        return question
    return at_its_price(question, mistake.title, mistake.costs)
