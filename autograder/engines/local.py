"""The local engine: submissions graded by a pool of processes on this machine."""

import multiprocessing
import multiprocessing.util
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import HarnessError, SourceError, StudentError
from autograder.grading.bundle import Bundle, read_bundle
from autograder.grading.notes import naming_file
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.results import BROKE, Result, now
from autograder.grading.runner import Grader
from autograder.grading.scoring import unreadable
from autograder.grading.submission import digest_of, read_submission_file
from autograder.sandbox.kernel import die_with_parent
from autograder.sandbox.limits import Limits
from autograder.sandbox.nursery import TIERS

__all__ = ["Job", "Work", "grade_all"]

TRIES = 3  # of a submission whose worker was killed
# Of each library: there is a worker for each core, and threads that wait for work use it up.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("MKL", "OMP", "OPENBLAS")}


@dataclass(frozen=True)
class Work:
    """What the workers of one run share."""

    bundle: Path
    secret: bytes = field(repr=False)
    limits: Limits
    device: str
    min_tier: int | None = TIERS[-1]
    private: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Job:
    """One submission to grade; ``digest`` names the file as it was when the run began."""

    student: str
    path: Path
    digest: str | None = None


def grade_all(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, Result]]:
    """Grade submissions in parallel and yield each as it is done.

    A worker that is killed costs nothing: what it had not returned is graded again, one at a time
    in a worker of its own, so that a submission that kills its worker stops no other.

    Raises:
        HarnessError: the bundle cannot be read or run here, or a submission changes meanwhile.
        UnsafeHere: this machine cannot hold a student's code safely.
    """
    os.environ.update(ONE_THREAD)  # of the workers, before they import anything
    bundle = read_bundle(work.bundle)
    queue, suspects = deque(jobs), deque[Job]()
    while queue:
        yield from _grade_in_pool(work, queue, workers, suspects)
    for job in suspects:
        yield job, _grade_alone(work, job, bundle)


def _grade_in_pool(
    work: Work, queue: deque[Job], workers: int, suspects: deque[Job]
) -> Iterator[tuple[Job, Result]]:
    """Grade from a queue until it is empty or a worker dies; what was under way is suspect then."""
    # Forked from one process that has imported what all need, and that has no thread.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *read_bundle(work.bundle).manifest.preload])
    pool = ProcessPoolExecutor(min(workers, max(len(queue), 1)), context, _prepare, (work,))
    waiting: dict[Future[Result], Job] = {}
    try:
        while queue or waiting:
            while queue and len(waiting) < 2 * workers:
                job = queue.popleft()
                try:
                    waiting[pool.submit(_grade, job)] = job
                except (BrokenProcessPool, EOFError, OSError):  # or what forks workers is gone
                    suspects.append(job)
                    raise BrokenProcessPool from None
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                result = future.result()
                yield waiting.pop(future), result
    except BrokenProcessPool:
        suspects.extend(waiting.values())
        for worker in multiprocessing.active_children():
            worker.kill()  # the pool waits for ever for one that it started while it broke
    finally:
        pool.shutdown(cancel_futures=True)


def _grade_alone(work: Work, job: Job, bundle: Bundle) -> Result:
    """Grade a suspect in a worker of its own, again if that is killed."""
    for _ in range(TRIES):
        for _, result in _grade_in_pool(work, deque([job]), 1, deque()):
            return result
    reason = f"{BROKE}: its worker was killed {TRIES} times"
    return unreadable(bundle, job.student, b"", reason, work.device, now)


_grader: Grader | None = None
_work: Work | None = None
_fault: str | None = None


def _prepare(work: Work) -> None:
    """Set up a worker process: it dies with the run, and loads the bundle once."""
    global _grader, _work, _fault  # noqa: PLW0603 - the one state of a worker process
    die_with_parent(os.getppid())  # the process that forks workers, which outlives the run
    threading.Thread(target=_end_with_run, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process handles Ctrl-C
    bundle = read_bundle(work.bundle)
    try:
        oracle = load_bundle_oracle(bundle)
    except SourceError as error:
        _fault = f"the bundle cannot run here: {error}"
        return
    _grader = Grader(
        bundle, oracle, work.secret, work.limits, work.device, work.min_tier, work.private
    )
    _work = work
    multiprocessing.util.Finalize(None, _grader.close, exitpriority=1)


def _end_with_run() -> None:
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _grade(job: Job) -> Result:
    if _fault is not None:
        raise HarnessError(_fault)
    assert _grader is not None
    assert _work is not None
    try:
        data = read_submission_file(job.path)
    except StudentError as error:
        if job.digest in (None, digest_of(str(error).encode())):
            bundle = read_bundle(_work.bundle)
            return unreadable(bundle, job.student, b"", str(error), _work.device, now)
        raise HarnessError(f"the submission of {job.student} changed while it was read") from None
    if job.digest not in (None, digest_of(data)):
        raise HarnessError(f"the submission of {job.student} changed while it was read")
    return naming_file(_grader.grade(job.student, data), job.path)
