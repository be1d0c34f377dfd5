"""Submissions of an nbgrader course graded by a pool of processes."""

import multiprocessing
import multiprocessing.util
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from autograder.artefacts.results import Result
from autograder.engines.local import end_with_run
from autograder.engines.slots import ONE_THREAD
from autograder.foreign.definition import Definition
from autograder.foreign.grader import FolderGrader, Servers, broken_result
from autograder.foreign.plan import Plan
from autograder.foreign.submissions import SubmittedFolder, read_folder
from autograder.sandbox.client.fork_server import environment_of
from autograder.sandbox.client.starter import Starter, starter_for, use
from autograder.sandbox.kernel import die_with_parent
from autograder.sandbox.limits import Limits

__all__ = ["Job", "Work", "grade_folders"]

FEW = 4  # submissions of one worker
TRIES = 3  # of a submission whose worker was killed


@dataclass(frozen=True)
class Work:
    """What the workers of a run share."""

    definition: Definition
    plan: Plan
    limits: Limits
    private: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Job:
    """A submission to grade: a folder, read when its turn comes."""

    student: str
    folder: Path


Graded = tuple[Job, SubmittedFolder, Result]


def grade_folders(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
    """Grade submissions in parallel, and yield each as it is done.

    A worker that is killed costs nothing: what it had not returned is graded again, one at a time.

    Raises:
        UnsafeHere: this machine cannot hold a student's code safely.
    """
    os.environ.update(ONE_THREAD)  # of the workers, before they import anything
    queue, suspects = deque(jobs), deque[Job]()
    while queue:
        yield from _graded(work, queue, workers, suspects)
    for job in suspects:
        yield _graded_alone(work, job)


def _graded_alone(work: Work, job: Job) -> Graded:
    """Grade what was under way when a worker died, in a worker of its own."""
    for _ in range(TRIES):
        for found in _graded(work, deque([job]), 1, deque()):
            return found
    submitted = read_folder(job.folder)
    fault = f"its worker was killed {TRIES} times"
    return job, submitted, broken_result(work.definition, work.plan, job.student, submitted, fault)


def _graded(work: Work, queue: deque[Job], workers: int, suspects: deque[Job]) -> Iterator[Graded]:
    """Grade until the queue is empty or a worker dies; what was under way is suspect then."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    waiting: dict[Future[tuple[SubmittedFolder, Result]], Job] = {}
    # A worker warms two fork servers first: for a few submissions one is enough.
    workers = min(workers, max(1, len(queue) // FEW))
    starter = starter_for(environment_of("cpu"), work.definition.preload)
    pool = ProcessPoolExecutor(workers, context, _prepare, (work, starter))
    try:
        while queue or waiting:
            while queue and len(waiting) < 2 * workers:
                job = queue.popleft()
                try:
                    waiting[pool.submit(_grade, job)] = job
                except (BrokenProcessPool, EOFError, OSError):
                    suspects.append(job)
                    raise BrokenProcessPool from None
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                submitted, result = future.result()
                yield waiting.pop(future), submitted, result
    except BrokenProcessPool:
        suspects.extend(waiting.values())
        for worker in multiprocessing.active_children():
            worker.kill()  # the pool waits for ever for one that it started while it broke
    finally:
        pool.shutdown(cancel_futures=True)


_grader: FolderGrader | None = None


def _prepare(work: Work, starter: Starter) -> None:
    global _grader  # noqa: PLW0603 - the one state of a worker process
    die_with_parent(os.getppid())  # the process that forks workers, which outlives the run
    threading.Thread(target=end_with_run, daemon=True).start()
    use(starter)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process handles Ctrl-C
    servers = Servers(work.definition.preload, work.limits, private=work.private)
    _grader = FolderGrader(work.definition, work.plan, servers, work.limits)
    multiprocessing.util.Finalize(None, servers.close, exitpriority=1)


def _grade(job: Job) -> tuple[SubmittedFolder, Result]:
    assert _grader is not None
    submitted = read_folder(job.folder)
    return submitted, _grader.grade(job.student, submitted)
