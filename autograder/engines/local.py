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
from dataclasses import dataclass, field, replace

from autograder.artefacts.bundle import Bundle, read_bundle
from autograder.engines.grader import Worker, given_up
from autograder.engines.places import MOST_LOST, Lost, Place, Places, times_lost
from autograder.engines.work import GRADINGS, Graded, Job, Work
from autograder.engines.workers import ONE_THREAD, end_with_run
from autograder.errors import DeviceLost, HarnessError
from autograder.grading.intake import read_submitted
from autograder.sandbox.client.fork_server import environment_of
from autograder.sandbox.client.gpu import gpus_for
from autograder.sandbox.client.starter import Starter, starter_for, use
from autograder.sandbox.inside.preload import imported_late
from autograder.sandbox.kernel import die_with_parent
from autograder.sandbox.protocol.settings import Gpu

__all__ = ["grade_all"]

TRIES = GRADINGS - 2  # of a submission whose worker was killed; the others are the first, one alone


def grade_all(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
    """Grade submissions in parallel and yield each as it is done.

    A worker that is killed costs nothing: what it had not returned is graded again, one at a time
    in a worker of its own, so that a submission that kills its worker stops no other. Nor does
    another submission's hunger: what ran out of time without having had the processor for it is
    graded again at the end, alone, before it counts. Where a GPU is lost, each submission that
    was under way on it is graded again by itself: one of them may lose the next one.

    Raises:
        DeviceLost: no GPU is left; what was not yielded is for a later run.
        HarnessError: the bundle cannot be read or run here.
        UnsafeHere: this machine cannot hold a student's code safely.
        UsageError: the work is for GPUs, and this machine has none.
    """
    os.environ.update(ONE_THREAD)  # of the workers, before they import anything
    bundle = read_bundle(work.bundle)
    work = work if work.gpus else replace(work, gpus=gpus_for(work.device))
    places = Places(work, len(jobs))
    for graded in _grade_all(work, jobs, workers, bundle, places):
        places.left -= 1
        yield graded


def _grade_all(
    work: Work, jobs: Sequence[Job], workers: int, bundle: Bundle, places: Places
) -> Iterator[Graded]:
    queue, aside = deque(jobs), _Aside()
    while queue:
        for job, graded in _grade_in_pool(work, queue, places.of(workers), aside, places):
            if graded.starved and len(jobs) > 1:
                # With inputs of its own, as whenever something is run a second time.
                aside.alone.append(replace(job, gradings=job.gradings + 1))
            else:
                yield graded
    while aside.alone:
        for _, graded in _grade_in_pool(work, aside.alone, places.of(1), aside, places):
            yield graded
    for job in aside.suspects:
        yield _grade_alone(work, job, bundle, places)


@dataclass(frozen=True)
class _Aside:
    """Submissions that wait to be graded by themselves.

    Attributes:
        alone: those that were starved, or under way on a GPU when it was lost.
        suspects: those that were under way when a worker died.
    """

    alone: deque[Job] = field(default_factory=deque)
    suspects: deque[Job] = field(default_factory=deque)


def _grade_in_pool(
    work: Work, queue: deque[Job], where: Sequence[Place], aside: _Aside, places: Places
) -> Iterator[tuple[Job, Graded]]:
    """Grade from a queue until it is empty or a worker dies; what was under way is suspect then.

    Each place has a pool of its own. One whose GPU is lost is given no more. What ran there then
    is put aside, and what had not begun is graded at the others. Where there is none, and another
    GPU is left or comes back, some of the queue is left.

    Raises:
        DeviceLost: no GPU is left.
    """
    # Forked from one process that has imported what all need, and that has no thread.
    context = multiprocessing.get_context("forkserver")
    bundle = read_bundle(work.bundle)
    preload = bundle.manifest.preload
    context.set_forkserver_preload([__name__, *preload, *imported_late(preload)])
    most = max(len(queue), 1)
    pools = {}
    for place in where:
        # Of this process: its workers would each begin one, and again for each assignment.
        starter = starter_for(environment_of(work.device, place.gpu), preload)
        setup = work, place.gpu, starter
        pools[place] = ProcessPoolExecutor(min(place.workers, most), context, _prepare, setup)
    waiting: dict[Future[Graded | Lost], tuple[Job, Place]] = {}
    try:
        while queue or waiting:
            for place, pool in pools.items():
                room = 0 if places.is_lost(place) else 2 * place.workers
                under_way = sum(at is place for _, at in waiting.values())
                for _ in range(min(room - under_way, len(queue))):
                    job = queue.popleft()
                    try:
                        waiting[pool.submit(_grade, job)] = job, place
                    except (BrokenProcessPool, EOFError, OSError):  # or what forks workers is gone
                        aside.suspects.append(job)
                        raise BrokenProcessPool from None
            if not waiting:
                if places.are_left() or places.come_back():
                    return  # for workers that have not lost it
                raise places.all_lost()
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                found, (job, place) = future.result(), waiting.pop(future)
                if isinstance(found, Graded):
                    yield job, found
                elif (job := places.note(job, place, found)).lost < MOST_LOST:
                    (aside.alone if job.lost else queue).append(job)
                else:
                    fault = times_lost(job.lost)
                    submitted = read_submitted(job.path)
                    yield job, given_up(bundle, job, submitted, work.device, fault)
    except BrokenProcessPool:
        aside.suspects.extend(job for job, _ in waiting.values())
        for worker in multiprocessing.active_children():
            worker.kill()  # the pool waits for ever for one that it started while it broke
    finally:
        for pool in pools.values():
            pool.shutdown(cancel_futures=True)


def _grade_alone(work: Work, job: Job, bundle: Bundle, places: Places) -> Graded:
    """Grade a suspect in a worker of its own, again if that is killed or its GPU is lost."""
    queue, killed = deque([replace(job, gradings=job.gradings + 1)]), 0
    while queue:
        aside = _Aside(alone=queue)
        for _, graded in _grade_in_pool(work, queue, places.of(1), aside, places):
            return graded
        for job in aside.suspects:
            killed += 1
            if killed + job.lost < TRIES:
                queue.append(replace(job, gradings=job.gradings + 1))
    fault = f"its worker was killed {killed} times"
    fault += f", and {times_lost(job.lost)}" if job.lost else ""
    return given_up(bundle, job, read_submitted(job.path), work.device, fault)


_worker: Worker | None = None
_fault: str | None = None
_lost: DeviceLost | None = None


def _prepare(work: Work, gpu: Gpu | None, starter: Starter) -> None:
    """Set up a worker process: it dies with the run, and loads the bundle once."""
    global _worker, _fault  # noqa: PLW0603 - the one state of a worker process
    use(starter)
    die_with_parent(os.getppid())  # the process that forks workers, which outlives the run
    threading.Thread(target=end_with_run, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process handles Ctrl-C
    try:
        _worker = Worker(work, read_bundle(work.bundle), gpu)
    except HarnessError as error:
        _fault = str(error)  # told with the first job: the pool would not say it now
        return
    multiprocessing.util.Finalize(None, _worker.close, exitpriority=1)


def _grade(job: Job) -> Graded | Lost:
    global _lost  # noqa: PLW0603 - likewise
    if _fault is not None:
        raise HarnessError(_fault)
    if _lost is not None:
        return Lost(_lost, during=False)
    assert _worker is not None
    try:
        return _worker.grade(job)
    except DeviceLost as error:
        _lost = error
        return Lost(error, error.during)
