"""The engine of a grader that stays up: processes of this machine that stay warm between runs."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from queue import SimpleQueue

from autograder.artefacts.bundle import Bundle, parse_bundle
from autograder.engines.feed import Feed
from autograder.engines.grader import given_up, unread
from autograder.engines.orders import LostGpu, Order, Outcome, Setup
from autograder.engines.places import MOST_LOST, none_left, times_lost
from autograder.engines.slots import Slots
from autograder.engines.turns import Turn, Turns
from autograder.engines.work import GRADINGS, Graded, Job, Work
from autograder.errors import HarnessError, UnsafeHere
from autograder.grading.intake import Submitted, read_submitted
from autograder.sandbox.client.gpu import gpus_for, sessions_on

__all__ = ["Standing"]

TRIES = GRADINGS - 2  # of a submission alone, after its process was killed


class Standing:
    """An engine, as `autograder.engines.work.Engine` describes it, whose workers last.

    Several runs may use it at a time. Their submissions are graded in the order in which they came,
    each as soon as a worker is free. Each bundle with its settings has workers of its own; of those
    that nobody uses as many again are kept warm, and others make room.

    Args:
        workers: how many submissions are graded at a time, at the most.
    """

    def __init__(self, workers: int) -> None:
        self._slots, self._turns = Slots(workers, spare=workers), Turns(workers)
        self._safe = set[str]()  # set-ups whose walls have held

    def __call__(
        self, work: Work, jobs: Sequence[Job] | Feed[Job], workers: int
    ) -> Iterator[Graded]:
        """Grade each job, and yield each submission as it is done.

        A submission whose process dies, with which the GPU is lost, or that was starved, is graded
        again while nothing else is.

        Args:
            work: what the workers share.
            jobs: the submissions; of a feed also those that come meanwhile, until it is closed.
            workers: how many are graded at a time; all that there are, where there is no GPU.

        Raises:
            DeviceLost: the GPU is gone; what was not yielded is for a later run.
            HarnessError: the bundle cannot be read, or not run here.
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        feed = Feed.of(jobs)
        if feed.is_over:
            return
        try:
            data = work.bundle.read_bytes()
        except OSError as error:
            raise HarnessError(f"{work.bundle} cannot be read: {error.strerror}") from None
        bundle = parse_bundle(data, str(work.bundle))
        setup = Setup.of(work, bundle.id)
        if setup.id not in self._safe:  # where nothing is safe, nothing is graded
            self._turns.begin(lambda: self._slots.warm_up(setup, data)).future.result()
            self._safe.add(setup.id)
        most = _most(work, workers)
        yield from _Run(self._slots, self._turns, setup, data, bundle).grade(feed, most)

    @contextmanager
    def held(self, work: Work) -> Iterator[int]:
        """Give how many submissions are graded at a time."""
        yield int(min(self._slots.most, _most(work, self._slots.most)))

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        self._turns.close()
        self._slots.close()


def _most(work: Work, workers: int) -> float:
    """Return how many submissions a run may give to its workers at a time."""
    if work.device != "cuda":
        return math.inf
    # Its processes all use the first GPU that they see.
    return min(workers, sessions_on(gpus_for(work.device)[0], work.limits))


class _Run:
    """The gradings of one run.

    A turn comes to what was graded, or to what went wrong with it and what was read of it.
    """

    def __init__(
        self, slots: Slots, turns: Turns, setup: Setup, data: bytes, bundle: Bundle
    ) -> None:
        self._slots, self._turns = slots, turns
        self._setup, self._data, self._bundle = setup, data, bundle
        self._culprits = list[str]()
        self._left = 0

    def grade(self, feed: Feed[Job], most: float) -> Iterator[Graded]:
        """Grade what comes, so many submissions at a time, until nothing comes any more."""
        done, waiting = SimpleQueue[Turn[Graded | Outcome] | None](), deque[Job]()
        under_way = dict[Turn[Graded | Outcome], Job]()

        def begun(turn: Turn[Graded | Outcome], job: Job) -> None:
            under_way[turn] = job
            turn.future.add_done_callback(lambda _: done.put(turn))

        feed.tell(lambda: done.put(None))
        try:
            while True:
                jobs = feed.take()
                waiting += jobs
                self._left += len(jobs)
                while waiting and len(under_way) < most:
                    job = waiting.popleft()
                    begun(self._turns.begin(partial(self._first, job)), job)
                if not under_way and feed.is_over:
                    return
                if (turn := done.get()) is None:  # more has come
                    continue
                job, found = under_way.pop(turn), turn.future.result()
                if isinstance(found, Outcome):
                    job = self._after(job, found)
                    begun(self._turns.begin_alone(partial(self._alone, job)), job)
                elif found.starved and not turn.was_alone:
                    # With inputs of its own, as whenever something is run a second time.
                    job = replace(job, gradings=job.gradings + 1)
                    begun(self._turns.begin_alone(partial(self._alone, job, found.seconds)), job)
                else:
                    self._left -= 1
                    yield found
        finally:
            feed.tell(lambda: None)
            for turn in under_way:
                turn.future.cancel()

    def _first(self, job: Job) -> Graded | Outcome:
        """Grade a submission as it is when its turn comes."""
        submitted = read_submitted(job.path)
        done = unread(self._bundle, job, submitted, self._setup.device)
        return done if done is not None else self._graded(job, submitted)

    def _alone(self, job: Job, former_seconds: float = 0.0) -> Graded:
        """Grade a submission while nothing else is graded; again, if its process dies.

        Raises:
            DeviceLost: the GPU is gone.
        """
        submitted, fault, faults = read_submitted(job.path), times_lost(job.lost), 0
        device = self._setup.device
        if (done := unread(self._bundle, job, submitted, device)) is not None:
            return done
        while faults < TRIES and job.lost < MOST_LOST:
            found = self._graded(job, submitted)
            if isinstance(found, Graded):
                return replace(found, former_seconds=former_seconds)
            job = self._after(job, found)
            if found.lost is not None:
                fault = times_lost(job.lost)
            else:
                faults += 1
                fault = f"graded alone {faults} times, and each time: {found.fault}"
        return given_up(self._bundle, job, submitted, device, fault)

    def _after(self, job: Job, outcome: Outcome) -> Job:
        """Return a submission as it is graded again, after what went wrong with it.

        Raises:
            DeviceLost: the GPU was lost before the submission ran, and has not come back.
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        if outcome.unsafe:
            raise UnsafeHere(outcome.fault or "")
        if outcome.lost is not None:
            return self._lost_with(job, outcome.lost)
        return replace(job, gradings=job.gradings + 1)

    def _lost_with(self, job: Job, lost: LostGpu) -> Job:
        if not lost.during:
            raise none_left([lost.error()], self._culprits, self._left)
        self._culprits.append(job.student)
        return replace(job, lost=job.lost + 1, gradings=job.gradings + 1)

    def _graded(self, job: Job, submitted: Submitted) -> Graded | Outcome:
        """Have a submission graded; return what went wrong, if something did."""
        (outcome,) = self._slots.grade(self._setup, self._data, [Order.of(job, submitted)])
        return outcome.graded(job, submitted)
