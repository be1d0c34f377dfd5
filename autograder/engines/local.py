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
from dataclasses import replace

from autograder.artefacts.bundle import Bundle, read_bundle
from autograder.artefacts.results import now
from autograder.engines.grader import Worker
from autograder.engines.slots import ONE_THREAD
from autograder.engines.work import GRADINGS, Graded, Job, Work
from autograder.errors import HarnessError
from autograder.grading.intake import read_submitted
from autograder.grading.scoring import broken
from autograder.sandbox.inside.preload import imported_late
from autograder.sandbox.kernel import die_with_parent

__all__ = ["grade_all"]

TRIES = GRADINGS - 2  # of a submission whose worker was killed; the others are the first, one alone


def grade_all(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
    """Grade submissions in parallel and yield each as it is done.

    A worker that is killed costs nothing: what it had not returned is graded again, one at a time
    in a worker of its own, so that a submission that kills its worker stops no other. Nor does
    another submission's hunger: what ran out of time without having had the processor for it is
    graded again at the end, alone, before it counts.

    Raises:
        HarnessError: the bundle cannot be read or run here.
        UnsafeHere: this machine cannot hold a student's code safely.
    """
    os.environ.update(ONE_THREAD)  # of the workers, before they import anything
    bundle = read_bundle(work.bundle)
    queue, suspects = deque(jobs), deque[Job]()
    starved = deque[Job]()
    while queue:
        for job, graded in _grade_in_pool(work, queue, workers, suspects):
            if graded.starved and len(jobs) > 1:
                # With inputs of its own, as whenever something is run a second time.
                starved.append(replace(job, gradings=job.gradings + 1))
            else:
                yield graded
    while starved:
        for _, graded in _grade_in_pool(work, starved, 1, suspects):
            yield graded
    for job in suspects:
        yield _grade_alone(work, job, bundle)


def _grade_in_pool(
    work: Work, queue: deque[Job], workers: int, suspects: deque[Job]
) -> Iterator[tuple[Job, Graded]]:
    """Grade from a queue until it is empty or a worker dies; what was under way is suspect then."""
    # Forked from one process that has imported what all need, and that has no thread.
    context = multiprocessing.get_context("forkserver")
    preload = read_bundle(work.bundle).manifest.preload
    context.set_forkserver_preload([__name__, *preload, *imported_late(preload)])
    pool = ProcessPoolExecutor(min(workers, max(len(queue), 1)), context, _prepare, (work,))
    waiting: dict[Future[Graded], Job] = {}
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
                graded = future.result()
                yield waiting.pop(future), graded
    except BrokenProcessPool:
        suspects.extend(waiting.values())
        for worker in multiprocessing.active_children():
            worker.kill()  # the pool waits for ever for one that it started while it broke
    finally:
        pool.shutdown(cancel_futures=True)


def _grade_alone(work: Work, job: Job, bundle: Bundle) -> Graded:
    """Grade a suspect in a worker of its own, again if that is killed."""
    for number in range(1, TRIES + 1):
        again = replace(job, gradings=job.gradings + number)
        for _, graded in _grade_in_pool(work, deque([again]), 1, deque()):
            return graded
    submitted, fault = read_submitted(job.path), f"its worker was killed {TRIES} times"
    result = broken(bundle, job.student, submitted.data, fault, work.device, now)
    return Graded(job.student, submitted, result)


_worker: Worker | None = None
_fault: str | None = None


def _prepare(work: Work) -> None:
    """Set up a worker process: it dies with the run, and loads the bundle once."""
    global _worker, _fault  # noqa: PLW0603 - the one state of a worker process
    die_with_parent(os.getppid())  # the process that forks workers, which outlives the run
    threading.Thread(target=_end_with_run, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process handles Ctrl-C
    try:
        _worker = Worker(work, read_bundle(work.bundle))
    except HarnessError as error:
        _fault = str(error)  # told with the first job: the pool would not say it now
        return
    multiprocessing.util.Finalize(None, _worker.close, exitpriority=1)


def _end_with_run() -> None:
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _grade(job: Job) -> Graded:
    if _fault is not None:
        raise HarnessError(_fault)
    assert _worker is not None
    return _worker.grade(job)
