"""The processes of a run that try tests and grade submissions of an nbgrader course.

They last from one assignment to the next, and so do their fork servers, which cost more to warm
than a submission to grade.
"""

import multiprocessing
import multiprocessing.util
import os
import pickle
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

from autograder.artefacts.results import Result
from autograder.engines.workers import ONE_THREAD, end_with_run
from autograder.errors import HarnessError
from autograder.foreign.definition import Definition
from autograder.foreign.grader import FolderGrader, broken_result
from autograder.foreign.plan import Plan
from autograder.foreign.servers import Servers
from autograder.foreign.submissions import SubmittedFolder, read_folder
from autograder.foreign.trial import try_out
from autograder.sandbox.client.fork_server import environment_of
from autograder.sandbox.client.starter import Starter, starter_for, use
from autograder.sandbox.isolation.cgroup import PREFIX
from autograder.sandbox.kernel import die_with_parent
from autograder.sandbox.limits import Limits

__all__ = ["Job", "Pool", "Work"]

WORTH = 1.0  # seconds of work for which a worker is begun, which warms two fork servers first
# Libraries that every assignment's notebooks may find imported: they change nothing but themselves.
SHARED = frozenset({"autograder", "matplotlib", "numpy", "pytest", "scipy", "torch"})
TRIES = 3  # of a submission whose worker was killed, and of a trial


@dataclass(frozen=True)
class Work:
    """What the workers need to know of an assignment.

    Attributes:
        definition: the assignment's.
        limits: of a submission.
        private: files and folders that no session may find.
        plan: of its tests; None until they were tried.
    """

    definition: Definition
    limits: Limits
    private: tuple[Path, ...] = ()
    plan: Plan | None = None


@dataclass(frozen=True)
class Job:
    """A submission to grade: a folder, read when its turn comes."""

    student: str
    folder: Path


Asked = ParamSpec("Asked")
Found = TypeVar("Found")
Graded = tuple[Job, SubmittedFolder, Result]


class Pool:
    """The workers of a run, which are begun when they are first needed.

    Args:
        workers: how many there are at most.
        expected: modules that the assignments will need, which are imported at once.
    """

    def __init__(self, workers: int, expected: Iterable[str] = ()) -> None:
        self._workers = workers
        self._expected = frozenset(expected)
        self._preload = self._expected
        self._starter: Starter | None = None
        self._executor: ProcessPoolExecutor | None = None
        self._number = 0  # of the assignment that the workers are told of
        # By this name the next fork server removes what a run that was killed has left.
        self._folder = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Whoever stops a run does not wait for what it was about.
        self._end(is_broken=kind is not None and not issubclass(kind, Exception))
        self._folder.cleanup()

    def try_out(self, work: Work) -> Plan:
        """Return the plan of an assignment's tests.

        Raises:
            HarnessError: a session cannot be had, or the worker was killed each time.
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        with self._told(work) as told:
            for _ in range(TRIES):
                try:
                    return self._submitted(work, _try_out, told).result()
                except BrokenProcessPool:
                    self._end(is_broken=True)
        raise HarnessError(f"the process that tried the tests was killed {TRIES} times")

    def grade(self, work: Work, jobs: Sequence[Job]) -> Iterator[Graded]:
        """Grade submissions in parallel, and yield each as it is done.

        A worker that is killed costs nothing: what it had not returned is graded again, one at a
        time.

        Args:
            work: the assignment, with its plan.
            jobs: the submissions.

        Raises:
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        queue, suspects = deque(jobs), deque[Job]()
        with self._told(work) as told:
            while queue:
                yield from self._graded(work, told, queue, self._workers, suspects)
            for job in suspects:
                yield self._graded_alone(work, told, job)

    def _graded_alone(self, work: Work, told: Path, job: Job) -> Graded:
        """Grade what was under way when a worker died, by itself."""
        for _ in range(TRIES):
            for found in self._graded(work, told, deque([job]), 1, deque()):
                return found
        submitted = read_folder(job.folder)
        assert work.plan is not None
        fault = f"its worker was killed {TRIES} times"
        broken = broken_result(work.definition, work.plan, job.student, submitted, fault)
        return job, submitted, broken

    def _graded(
        self, work: Work, told: Path, queue: deque[Job], workers: int, suspects: deque[Job]
    ) -> Iterator[Graded]:
        """Grade until the queue is empty or a worker dies; what was under way is suspect then.

        The first are graded by one worker: they tell how many are worth their while.
        """
        waiting: dict[Future[tuple[SubmittedFolder, Result]], Job] = {}
        most, done, began = 1, 0, time.monotonic()
        try:
            while queue or waiting:
                while queue and len(waiting) < most:
                    job = queue.popleft()
                    try:
                        waiting[self._submitted(work, _grade, told, job)] = job
                    except BrokenProcessPool:
                        suspects.append(job)
                        raise
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    submitted, result = future.result()
                    done += 1
                    took = time.monotonic() - began
                    if most == 1 and (done > 1 or took > WORTH):  # the first warms up, too
                        most = self._most(min(workers, int(took * len(queue) / WORTH)))
                    yield waiting.pop(future), submitted, result
                    began = time.monotonic()
        except BrokenProcessPool:
            suspects.extend(waiting.values())
            self._end(is_broken=True)
        finally:
            for future in waiting:
                future.cancel()

    def _most(self, workers: int) -> int:
        """Return how many submissions are under way at a time, for so many workers."""
        if workers == self._workers > 1:
            return 2 * workers  # the next one is at hand where one is done
        return max(1, workers)  # a further one would begin another worker

    def _submitted(
        self, work: Work, ask: Callable[Asked, Found], *args: Asked.args, **kwargs: Asked.kwargs
    ) -> Future[Found]:
        """Return what a worker will find.

        Raises:
            BrokenProcessPool: a worker has died, or what forks them.
        """
        executor = self._ready(work)
        try:
            return executor.submit(ask, *args, **kwargs)
        except (EOFError, OSError):
            raise BrokenProcessPool from None

    def _ready(self, work: Work) -> ProcessPoolExecutor:
        """Return the workers, whose starter has imported what an assignment needs."""
        self._preload |= set(work.definition.preload)
        starter = starter_for(environment_of("cpu"), self._preload, self._expected)
        if starter is not self._starter:
            self._end()
        if self._executor is None:
            os.environ.update(ONE_THREAD)  # of the workers, before they import anything
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([__name__])
            self._starter = starter
            known = starter, self._expected
            self._executor = ProcessPoolExecutor(self._workers, context, _prepare, known)
        return self._executor

    def _end(self, *, is_broken: bool = False) -> None:
        """End the workers; others are begun when they are needed."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        if is_broken:  # it would wait long, and for ever for one that it began while it broke
            for worker in multiprocessing.active_children():
                worker.kill()
        executor.shutdown(cancel_futures=True)

    @contextmanager
    def _told(self, work: Work) -> Iterator[Path]:
        """Give the file by which each worker learns of an assignment once, however large it is."""
        self._number += 1
        path = Path(self._folder.name, str(self._number))
        path.write_bytes(pickle.dumps(work))
        try:
            yield path
        finally:
            path.unlink()


@dataclass(frozen=True)
class _Open:
    """What a worker has open: an assignment, and fork servers that have imported what it needs."""

    told: Path
    work: Work
    servers: Servers
    grader: FolderGrader | None  # once its tests were tried


_open: _Open | None = None
_expected = frozenset[str]()  # modules that the assignments of the run will need


def _prepare(starter: Starter, expected: frozenset[str]) -> None:
    global _expected  # noqa: PLW0603 - of a worker process
    _expected = expected
    die_with_parent(os.getppid())  # the process that forks workers, which outlives the run
    threading.Thread(target=end_with_run, daemon=True).start()
    use(starter)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process handles Ctrl-C
    multiprocessing.util.Finalize(None, _close, exitpriority=1)


def _close() -> None:
    if _open is not None:
        if _open.grader is not None:
            _open.grader.close()
        _open.servers.close()


def _opened(told: Path) -> _Open:
    """Return an assignment, with the fork servers of the former one where those will do."""
    global _open  # noqa: PLW0603 - the other one
    if _open is None or _open.told != told:
        work: Work = pickle.loads(told.read_bytes())
        own = work.definition.preload
        known = frozenset[str]() if _open is None else _open.servers.imported
        if _open is not None and known.issuperset(own) and not _others(known, work.definition):
            servers = _open.servers
            if _open.grader is not None:
                _open.grader.close()
        else:
            _close()
            more = _expected - _others(_expected, work.definition)
            servers = Servers(own, work.limits, private=work.private, expected=sorted(more))
        grader = None
        if work.plan is not None:
            grader = FolderGrader(work.definition, work.plan, servers, work.limits)
        _open = _Open(told, work, servers, grader)
    return _open


def _others(imported: Iterable[str], definition: Definition) -> set[str]:
    """Return what of some modules an assignment's notebooks may not find imported.

    These are modules that only others import, unless they are of `SHARED`, and those that are
    called as one that it brings.
    """
    return {
        name
        for name in imported
        if (package := name.partition(".")[0]) in definition.modules
        or not (name in definition.preload or package in SHARED)
    }


def _try_out(told: Path) -> Plan:
    one = _opened(told)
    where = partial(one.servers.setting, one.work.definition, {})
    return try_out(one.work.definition, where)


def _grade(told: Path, job: Job) -> tuple[SubmittedFolder, Result]:
    grader = _opened(told).grader
    assert grader is not None
    submitted = read_folder(job.folder)
    return submitted, grader.grade(job.student, submitted)
