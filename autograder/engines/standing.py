"""The engine of a grader that stays up: processes of this machine that stay warm between runs."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from autograder.artefacts.bundle import Bundle, parse_bundle
from autograder.engines.grader import given_up, unread
from autograder.engines.orders import LostGpu, Order, Outcome, Setup
from autograder.engines.places import MOST_LOST, none_left, times_lost
from autograder.engines.slots import Slots
from autograder.engines.work import GRADINGS, Graded, Job, Work
from autograder.errors import HarnessError
from autograder.grading.intake import Submitted, read_submitted
from autograder.sandbox.client.gpu import gpus_for, sessions_on

__all__ = ["Standing"]

TRIES = GRADINGS - 2  # of a submission alone, after its process was killed


class Standing:
    """An engine, as `autograder.engines.work.Engine` describes it, whose workers last.

    Each bundle with its settings has workers of its own; those that nobody uses make room.

    Args:
        workers: how many submissions are graded at a time, at the most.
    """

    def __init__(self, workers: int) -> None:
        self._slots = Slots(workers)

    def __call__(self, work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
        """Grade each job, and yield each submission as it is done.

        Raises:
            DeviceLost: the GPU is gone; what was not yielded is for a later run.
            HarnessError: the bundle cannot be read, or not run here.
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        if not jobs:
            return
        try:
            data = work.bundle.read_bytes()
        except OSError as error:
            raise HarnessError(f"{work.bundle} cannot be read: {error.strerror}") from None
        bundle = parse_bundle(data, str(work.bundle))
        setup = Setup.of(work, bundle.id)
        self._slots.warm_up(setup, data)  # where nothing is safe, nothing is graded
        if work.device == "cuda":  # its processes all use the first GPU that they see
            workers = min(workers, sessions_on(gpus_for(work.device)[0], work.limits))
        grading = _Grading(self._slots, setup, data, bundle, len(jobs))
        for graded in self._graded(grading, jobs, min(workers, self._slots.most)):
            grading.left -= 1
            yield graded

    def _graded(self, grading: "_Grading", jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
        queue, again = deque(jobs), list[Job]()
        for job, submitted, outcome in grading.in_parallel(queue, workers):
            if outcome.lost is not None:
                again.append(grading.lost_with(job, outcome.lost))
            elif outcome.fault is None and not (outcome.starved and len(jobs) > 1):
                yield outcome.graded(job, submitted)
            else:  # with inputs of its own, as whenever something is run a second time
                again.append(replace(job, gradings=job.gradings + 1))
        yield from grading.unread
        for job in again:
            yield grading.alone(job)

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        self._slots.close()


class _Grading:
    """One run's gradings.

    Attributes:
        left: how many submissions are not graded yet.
        unread: those that could not be read.
    """

    def __init__(self, slots: Slots, setup: Setup, data: bytes, bundle: Bundle, left: int) -> None:
        self._slots, self._setup, self._data, self._bundle = slots, setup, data, bundle
        self._culprits = list[str]()
        self.left = left
        self.unread: list[Graded] = []

    def in_parallel(
        self, queue: deque[Job], workers: int
    ) -> Iterator[tuple[Job, Submitted, Outcome]]:
        """Grade from a queue until it is empty."""
        waiting: dict[Future[Outcome], tuple[Job, Submitted]] = {}
        pool = ThreadPoolExecutor(workers)
        try:
            while queue or waiting:
                while queue and len(waiting) < 2 * workers:
                    job = queue.popleft()
                    submitted = read_submitted(job.path)
                    done = unread(self._bundle, job, submitted, self._setup.device)
                    if done is not None:
                        self.unread.append(done)
                    else:
                        waiting[pool.submit(self._grade, job, submitted)] = job, submitted
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield *waiting.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def alone(self, job: Job) -> Graded:
        """Grade a submission while nothing else is graded; again, if its process dies.

        Raises:
            DeviceLost: the GPU is gone.
        """
        submitted, fault, faults = read_submitted(job.path), "", 0
        device = self._setup.device
        if (done := unread(self._bundle, job, submitted, device)) is not None:
            return done
        while faults < TRIES and job.lost < MOST_LOST:
            outcome = self._grade(job, submitted)
            if outcome.lost is not None:
                job = self.lost_with(job, outcome.lost)
                fault = times_lost(job.lost)
            elif outcome.fault is not None:
                job, faults = replace(job, gradings=job.gradings + 1), faults + 1
                fault = f"graded alone {faults} times, and each time: {outcome.fault}"
            else:
                return outcome.graded(job, submitted)
        return given_up(self._bundle, job, submitted, device, fault)

    def lost_with(self, job: Job, lost: LostGpu) -> Job:
        """Return a submission with which the GPU was lost, to be graded again alone.

        Raises:
            DeviceLost: it was lost before the submission ran, and has not come back.
        """
        if not lost.during:
            raise none_left([lost.error()], self._culprits, self.left)
        self._culprits.append(job.student)
        return replace(job, lost=job.lost + 1, gradings=job.gradings + 1)

    def _grade(self, job: Job, submitted: Submitted) -> Outcome:
        (outcome,) = self._slots.grade(self._setup, self._data, [Order.of(job, submitted)])
        return outcome
