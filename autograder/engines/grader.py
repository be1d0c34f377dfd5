"""A worker: what a process needs to grade one submission after another."""

import os

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import now
from autograder.engines.work import Graded, Job, Work
from autograder.errors import HarnessError, SourceError
from autograder.grading.intake import read_submitted
from autograder.grading.notes import naming_file
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.grading.scoring import unreadable
from autograder.sandbox.client.gpu import environment_on
from autograder.sandbox.inside.device import allow_tf32
from autograder.sandbox.protocol.settings import Gpu

__all__ = ["Worker"]


class Worker:
    """Grades submissions, with the bundle loaded once.

    Args:
        work: what the workers of a run share.
        gpu: the one that it uses, if the run is on GPUs.

    Raises:
        HarnessError: the bundle cannot be read or run here.
    """

    def __init__(self, work: Work, gpu: Gpu | None = None) -> None:
        self._bundle, self._device = read_bundle(work.bundle), work.device
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

    def grade(self, job: Job) -> Graded:
        """Grade a submission as it is now.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely.
            DeviceLost: its GPU is gone: nothing that was found counts.
        """
        submitted = read_submitted(job.path)
        if (problem := submitted.problem) is not None:
            data = submitted.data
            result = unreadable(self._bundle, job.student, data, problem, self._device, now)
            return Graded(job.student, submitted, result)
        result = self._grader.grade(
            job.student, submitted.data, gradings=job.gradings, earlier=job.earlier
        )
        return Graded(job.student, submitted, naming_file(result, job.path), self._grader.starved)

    def close(self) -> None:
        """End what it has started."""
        self._grader.close()
