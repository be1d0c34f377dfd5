"""A worker: what a process needs to grade one submission after another."""

import os
import time

from autograder.artefacts.bundle import Bundle
from autograder.artefacts.results import now
from autograder.engines.work import Graded, Job, Work
from autograder.errors import HarnessError, SourceError
from autograder.grading.completing import Completion
from autograder.grading.intake import Submitted, read_submitted
from autograder.grading.notes import naming_file
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.grading.scoring import broken, unreadable
from autograder.sandbox.client.gpu import environment_on
from autograder.sandbox.inside.device import allow_tf32
from autograder.sandbox.protocol.settings import Gpu, Isolation

__all__ = ["Worker", "given_up", "unread"]


class Worker:
    """Grades submissions, with the bundle loaded once.

    Args:
        work: what the workers of a run share.
        bundle: the one that the work names.
        gpu: the one that it uses, if the run is on GPUs.

    Raises:
        HarnessError: the bundle cannot be run here.
    """

    def __init__(self, work: Work, bundle: Bundle, gpu: Gpu | None = None) -> None:
        self._bundle, self._device = bundle, work.device
        if gpu is not None:  # what a check of ours computes on a GPU, it computes on the same one
            os.environ.update(environment_on(gpu))
        try:
            oracle = load_bundle_oracle(self._bundle)
        except SourceError as error:
            raise HarnessError(f"the bundle cannot run here: {error}") from None
        if gpu is not None:
            allow_tf32(False)
        self._grader = Grader(
            self._bundle,
            oracle,
            work.secret,
            work.limits,
            work.device,
            work.min_isolation,
            work.private,
            gpu,
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
            DeviceLost: its GPU is gone: nothing that was found counts.
        """
        return self.grade_read(job, read_submitted(job.path))

    def grade_read(self, job: Job, submitted: Submitted) -> Graded:
        """Grade what was read of a submission; of the job's path only the name counts.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely.
            DeviceLost: its GPU is gone: nothing that was found counts.
        """
        if (done := unread(self._bundle, job, submitted, self._device)) is not None:
            return done
        began = time.monotonic()
        result = self._grader.grade(
            job.student, submitted.data, gradings=job.gradings, earlier=job.earlier
        )
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


def given_up(bundle: Bundle, job: Job, submitted: Submitted, device: str, fault: str) -> Graded:
    """Return a submission that is for staff: it cannot be graded by a program.

    Points that were decided earlier stay.
    """
    result = broken(bundle, job.student, submitted.data, fault, device, now)
    completion = Completion.of(job.earlier, submitted.digest, bundle)
    return Graded(job.student, submitted, completion.broken(result) if completion else result)
