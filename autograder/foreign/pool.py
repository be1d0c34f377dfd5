"""Submissions of an nbgrader course graded by a pool of processes."""

import multiprocessing
import multiprocessing.util
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from autograder.artefacts.results import Result
from autograder.engines.slots import ONE_THREAD
from autograder.foreign.definition import Definition
from autograder.foreign.grader import FolderGrader, Servers, broken_result
from autograder.foreign.plan import Plan
from autograder.foreign.submissions import SubmittedFolder, read_folder
from autograder.sandbox.kernel import die_with_parent
from autograder.sandbox.limits import Limits

__all__ = ["Job", "Work", "grade_folders"]

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
    suspects: deque[Job] = deque()
    yield from _graded(work, deque(jobs), workers, suspects)
    for job in list(suspects):
        for _ in range(TRIES):
            again: deque[Job] = deque()
            found = list(_graded(work, deque([job]), 1, again))
            if found:
                yield found[0]
                break
        else:
            submitted = read_folder(job.folder)
            fault = f"its worker was killed {TRIES} times"
            result = broken_result(work.definition, work.plan, job.student, submitted, fault)
            yield job, submitted, result


def _graded(work: Work, queue: deque[Job], workers: int, suspects: deque[Job]) -> Iterator[Graded]:
    """Grade until the queue is empty or a worker dies; what was under way is suspect then."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    waiting: dict[Future[tuple[SubmittedFolder, Result]], Job] = {}
    pool = ProcessPoolExecutor(min(workers, len(queue)) or 1, context, _prepare, (work,))
    try:
        while queue or waiting:
            while queue and len(waiting) < 2 * workers:
                job = queue.popleft()
                waiting[pool.submit(_grade, job)] = job
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                submitted, result = future.result()
                yield waiting.pop(future), submitted, result
    except BrokenProcessPool:
        suspects.extend((*waiting.values(), *queue))
        for worker in multiprocessing.active_children():
            worker.kill()
    finally:
        pool.shutdown(cancel_futures=True)


_grader: FolderGrader | None = None


def _prepare(work: Work) -> None:
    global _grader  # noqa: PLW0603 - the one state of a worker process
    die_with_parent(os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process handles Ctrl-C
    servers = Servers(work.definition.preload, work.limits, private=work.private)
    _grader = FolderGrader(work.definition, work.plan, servers, work.limits)
    multiprocessing.util.Finalize(None, servers.close, exitpriority=1)


def _grade(job: Job) -> tuple[SubmittedFolder, Result]:
    assert _grader is not None
    submitted = read_folder(job.folder)
    return submitted, _grader.grade(job.student, submitted)
