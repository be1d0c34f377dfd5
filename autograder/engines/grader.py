"""A worker: what a process needs to grade one submission after another."""

import time

from autograder.artefacts.bundle import Bundle
from autograder.artefacts.results import now
from autograder.engines.work import Graded, Job, Work
from autograder.errors import HarnessError, SourceError
from autograder.grading.intake import Submitted, read_submitted
from autograder.grading.notes import naming_file
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.grading.scoring import unreadable
from autograder.sandbox.protocol.settings import Isolation

__all__ = ["Worker", "unread"]


class Worker:
    """Grades submissions, with the bundle loaded once.

    Args:
        work: what the workers of a run share.
        bundle: the one that the work names.

    Raises:
        HarnessError: the bundle cannot be run here.
    """

    def __init__(self, work: Work, bundle: Bundle) -> None:
        self._bundle, self._device = bundle, work.device
        try:
            oracle = load_bundle_oracle(self._bundle)
        except SourceError as error:
            raise HarnessError(f"the bundle cannot run here: {error}") from None
        self._grader = Grader(
            self._bundle,
            oracle,
            work.secret,
            work.limits,
            work.device,
            work.min_isolation,
            work.private,
        )

    def warm(self) -> Isolation:
        """Start what grades now, and return the isolation level of its walls.

        Raises:
            HarnessError: it cannot start.
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        return self._grader.warm()

    def grade(self, job: Job) -> Graded:
        """Grade a submission as it is now.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        return self.grade_read(job, read_submitted(job.path))

    def grade_read(self, job: Job, submitted: Submitted) -> Graded:
        """Grade what was read of a submission; of the job's path only the name counts.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        if (done := unread(self._bundle, job, submitted, self._device)) is not None:
            return done
        began = time.monotonic()
        result = self._grader.grade(job.student, submitted.data, gradings=job.gradings)
        seconds, starved = time.monotonic() - began, self._grader.starved
        return Graded(job.student, submitted, naming_file(result, job.path), starved, seconds)

    def close(self) -> None:
        """End what it has started."""
        self._grader.close()


def unread(bundle: Bundle, job: Job, submitted: Submitted, device: str) -> Graded | None:
    """Return what comes of a submission that could not be read; None of one that could."""
    if submitted.problem is None:
        return None
    result = unreadable(bundle, job.student, submitted.data, submitted.problem, device, now)
    return Graded(job.student, submitted, result)
