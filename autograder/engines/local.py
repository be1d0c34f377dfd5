"""The local engine: submissions graded by a pool of processes on this machine."""

import ctypes
import multiprocessing
import multiprocessing.util
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import HarnessError, StudentError
from autograder.grading.bundle import read_bundle
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Graded, Grader, now, unreadable
from autograder.grading.submission import read_submission_file
from autograder.sandbox.limits import Limits

__all__ = ["Job", "Work", "default_jobs", "grade_all"]

PR_SET_PDEATHSIG = 1
TRIES = 3  # of a submission whose worker was killed


@dataclass(frozen=True)
class Work:
    """What the workers of one run share."""

    bundle: Path
    secret: bytes
    limits: Limits
    device: str


@dataclass(frozen=True)
class Job:
    """One submission to grade."""

    student: str
    path: Path


def default_jobs() -> int:
    """Return how many submissions to grade at a time: one for each processor that we may use."""
    return len(os.sched_getaffinity(0))


def grade_all(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, Graded]]:
    """Grade submissions in parallel and yield each as it is done.

    A worker that is killed costs nothing: what it had not returned is graded again.

    Raises:
        HarnessError: workers are killed again and again.
    """
    left = dict.fromkeys(jobs)
    for _ in range(TRIES):
        try:
            for job, graded in _one_pool(work, list(left), workers):
                del left[job]
                yield job, graded
        except BrokenProcessPool:
            continue
        if not left:
            return
    raise HarnessError(f"{len(left)} submissions were not graded: their workers were killed")


def _one_pool(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, Graded]]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, max(len(jobs), 1)), context, _prepare, (work,))
    waiting: dict[Future[Graded], Job] = {}
    queue = iter(jobs)
    try:
        while True:
            for job in queue:
                waiting[pool.submit(_grade, job)] = job
                if len(waiting) >= 2 * workers:
                    break
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()
    finally:
        pool.shutdown(cancel_futures=True)


_grader: Grader | None = None
_work: Work | None = None


def _prepare(work: Work) -> None:
    """Set up a worker process: it dies with the run, and loads the bundle once."""
    global _grader, _work
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process handles Ctrl-C
    bundle = read_bundle(work.bundle)
    oracle = load_bundle_oracle(bundle)
    _grader, _work = Grader(bundle, oracle, work.secret, work.limits, work.device), work
    multiprocessing.util.Finalize(None, _grader.close, exitpriority=1)


def _grade(job: Job) -> Graded:
    assert _grader is not None
    assert _work is not None
    try:
        data = read_submission_file(job.path)
    except StudentError as error:
        return unreadable(
            read_bundle(_work.bundle), job.student, b"", str(error), _work.device, now
        )
    return _grader.grade(job.student, data)
