"""The engine of a cluster: submissions graded by workers of Dask, on any number of machines.

The driver, which is this process, reads each submission when its turn comes, sends bytes, and is
the only one that writes. Workers grade as a worker here does, in processes that stay warm. A
student's crash or time-out is a result; what else goes wrong is ours: the submission is tried
again alone, three times, each time with inputs of its own, and is then for staff, never a zero.
When a worker dies, Dask has another one grade what it had, with the same inputs: nothing leaves a
session but values, so that the first run has learnt nothing for the second.
"""

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from autograder.artefacts.bundle import Bundle, parse_bundle
from autograder.engines import dask_worker
from autograder.engines.batches import BATCH_BYTES, IN_FLIGHT, Pace
from autograder.engines.dask_cluster import GPU, Connector, connected
from autograder.engines.dask_losses import Losses
from autograder.engines.dask_worker import Batch
from autograder.engines.dask_workers import Workers
from autograder.engines.grader import given_up, unread
from autograder.engines.orders import LostGpu, Order, Outcome, Setup, decode, encode
from autograder.engines.places import MOST_LOST, times_lost
from autograder.engines.work import Graded, Job, Work
from autograder.errors import HarnessError, UnsafeHere
from autograder.grading.intake import Submitted, read_submitted
from autograder.secret import DEMO_SECRET

__all__ = ["grade_all"]

TRIES = 3  # of a submission alone
LOOK_SECONDS = 3.0  # between two looks at which workers there are, which cost a scheduler time
WAIT_SECONDS = 1.0  # for something to be done
ASKED_SECONDS = 0.1  # likewise, before the first can grade
OTHERS_SECONDS = 2.0  # behind the first, for others to answer before anything is sent
RESULT_SECONDS = 5.0  # for a result that is done to come to us
FIRST_SECONDS = 30.0  # for a first worker, where no Slurm has to start one
TOLD = 10  # workers that a message names


def grade_all(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
    """Grade submissions on a cluster and yield each as it is done.

    How many are graded at a time the cluster decides: ``workers`` is for an engine of one machine.

    Raises:
        DeviceLost: no worker is left whose GPU can be used; what was not yielded is for later.
        HarnessError: the scheduler does not answer, or there has been no worker for too long.
        UnsafeHere: the cluster cannot grade this, or not safely.
        UsageError: nobody says where the scheduler is.
    """
    if not jobs:
        return
    data = work.bundle.read_bytes()
    bundle = parse_bundle(data, str(work.bundle))
    with connected(work.cluster, work.secret) as connect:
        driver = _Driver(work, jobs, bundle, data, connect)
        try:
            for graded in driver.grade():
                driver.left -= 1
                yield graded
        finally:
            driver.close()


@dataclass(frozen=True)
class _Try:
    """A submission to grade: ``alone`` counts how often it has been tried by itself."""

    job: Job
    alone: int | None = None


@dataclass(frozen=True)
class _Sent:
    """A batch on its way: what was read of each submission, and which workers may grade it."""

    tries: tuple[_Try, ...]
    read: tuple[Submitted, ...]
    workers: frozenset[str]


class _Lost(Exception):
    """The scheduler is gone, and with it all that was on its way."""


class _Driver:
    def __init__(
        self, work: Work, jobs: Sequence[Job], bundle: Bundle, data: bytes, connect: Connector
    ) -> None:
        self._work, self._bundle, self._data, self._connect = work, bundle, data, connect
        self._setup = Setup.of(work, bundle.id)
        self._queue, self._total = deque(_Try(job) for job in jobs), len(jobs)
        self._again, self._starved = deque[_Try](), deque[_Try]()
        self._sent: dict[Any, _Sent] = {}
        self._done = SimpleQueue[Any]()
        self._pace = Pace(alone=work.device != "cpu")
        self._patience = 60 * work.cluster.patience_minutes
        self._client = connect()
        self._workers = self._new_workers()
        self._looked = self._had_worker = time.monotonic()
        self._told: set[str] = set()
        self._losses = Losses()
        self.left = len(jobs)

    def grade(self) -> Iterator[Graded]:
        """Grade everything; what was starved last, on machines that do nothing else."""
        self._wait_for_the_first()
        while self._queue or self._again or self._sent or self._starved:
            try:
                if self._queue or self._again or self._sent:
                    yield from self._fill(self._queue, IN_FLIGHT * self._workers.slots)
                else:
                    yield from self._fill_with_starved()
                yield from self._collect()
                self._watch()
            except (_Lost, OSError):
                self._reconnect()

    def close(self) -> None:
        """Leave the cluster; what is on its way there is of no use any more."""
        if self._client.status == "running":
            self._workers.end()
        with suppress(Exception):
            self._client.close()

    def _new_workers(self) -> Workers:
        insecure = self._work.cluster.insecure and self._work.secret == DEMO_SECRET
        return Workers(self._client, self._setup, self._data, insecure)

    def _wait_for_the_first(self) -> None:
        """Look until a worker can grade; what none can is refused, with what is missing."""
        seconds = FIRST_SECONDS if self._work.cluster.slurm is None else self._patience
        began = time.monotonic()
        fit_at: float | None = None
        while True:
            self._workers.look()
            now, workers = time.monotonic(), self._workers
            if workers.fit:
                fit_at = fit_at or now
                if not workers.are_asked or now - fit_at > OTHERS_SECONDS:
                    break
            if workers.refused and not workers.fit and not workers.are_asked:
                raise UnsafeHere(f"the cluster cannot grade this:{_lines(workers.refused)}")
            if now - began > seconds and not (workers.fit or workers.are_asked):
                raise HarnessError(
                    f"no worker came to the scheduler in {seconds:.0f} s; start one as "
                    "docs/operators.md says"
                )
            time.sleep(ASKED_SECONDS)
        self._tell_refused()

    def _fill(self, queue: deque[_Try], most: int) -> Iterator[Graded]:
        """Send batches until enough are on their way; yield what could not be read at all."""
        while self._workers.fit and len(self._sent) < most and (self._again or queue):
            if self._again:
                batch = [self._again.popleft()]
            else:
                size = self._pace.size(self._workers.slots, len(queue))
                batch = [queue.popleft() for _ in range(min(size, len(queue)))]
            tries, read, total = list[_Try](), list[Submitted](), 0
            for number, one in enumerate(batch):
                submitted = read_submitted(one.job.path)
                done = unread(self._bundle, one.job, submitted, self._work.device)
                if done is not None:
                    yield done
                    continue
                total += len(submitted.data)
                if tries and total > BATCH_BYTES:
                    queue.extendleft(reversed(batch[number:]))
                    break
                tries.append(one)
                read.append(submitted)
            if tries:
                self._send(tries, read)

    def _fill_with_starved(self) -> Iterator[Graded]:
        """Send what was starved alone, one for each machine."""
        for _ in range(min(len(self._starved), max(self._workers.hosts, 1))):
            self._again.append(self._starved.popleft())
        yield from self._fill(deque(), len(self._again))

    def _send(self, tries: Sequence[_Try], read: Sequence[Submitted]) -> None:
        orders = tuple(encode(Order.of(t.job, r)) for t, r in zip(tries, read, strict=True))
        workers = frozenset(self._workers.fit)
        sent = _Sent(tuple(tries), tuple(read), workers)
        try:
            future = self._client.submit(
                dask_worker.grade_batch,
                self._setup.id,
                orders,
                key=f"autograder-{uuid4().hex}",
                pure=False,
                workers=sorted(workers),
                resources=None if self._work.device == "cpu" else {GPU: 1},
            )
        except Exception as error:  # the client is closing: it lost its scheduler
            self._take_back(sent)
            raise _Lost from error
        self._sent[future] = sent
        future.add_done_callback(self._done.put)

    def _collect(self) -> Iterator[Graded]:
        """Wait a moment for what is done, and yield it."""
        wait = WAIT_SECONDS if self._sent or not self._workers.fit else 0.0
        while True:
            try:
                future = self._done.get(timeout=wait) if wait else self._done.get_nowait()
            except Empty:
                return
            wait = 0.0
            sent = self._sent.get(future)
            if sent is not None:  # else it was given up
                yield from self._outcomes(future, sent)

    def _outcomes(self, future: Any, sent: _Sent) -> Iterator[Graded]:
        if future.status == "cancelled":
            raise _Lost
        try:
            batch = decode(future.result(timeout=RESULT_SECONDS), Batch)
            worker, outcomes = batch.worker, batch.outcomes
        except TimeoutError:  # its worker died before we had it: another one does it again
            future.add_done_callback(self._done.put)
            return
        except OSError:  # it was on its way to us when the scheduler went
            raise _Lost from None
        except Exception as error:  # its workers died one after another, or it could not run
            fault = f"{type(error).__name__}: {error}"
            worker, outcomes = "", [Outcome(fault=fault)] * len(sent.tries)
        del self._sent[future]
        future.release()  # else the cluster would keep it
        if outcomes is None:  # the worker has lost its set-up
            self._workers.forget(sent.workers)
            self._take_back(sent)
            return
        for one, submitted, outcome in zip(sent.tries, sent.read, outcomes, strict=True):
            if outcome.lost is not None:
                yield from self._outcome_of_loss(one, submitted, worker, outcome.lost)
            else:
                yield from self._outcome(one, submitted, outcome)

    def _outcome_of_loss(
        self, one: _Try, submitted: Submitted, worker: str, lost: LostGpu
    ) -> Iterator[Graded]:
        """Use a worker no more, and have what it had sent again, which is no try of it."""
        workers = self._workers
        one = replace(one, job=self._losses.note(workers, worker, one.job, lost))
        if one.job.lost >= MOST_LOST:
            fault, device = times_lost(one.job.lost), self._work.device
            yield given_up(self._bundle, one.job, submitted, device, fault)
        elif one.alone is not None:
            self._again.appendleft(one)
        elif lost.during:  # behind all others, as it may lose the next one, too
            self._starved.append(replace(one, alone=0))
        else:
            self._queue.appendleft(one)
        self._tell_refused()
        if workers.fit or workers.are_asked or not self.left:
            return
        if not self._losses.hope(workers):
            raise self._losses.error(self.left)
        self._looked = 0.0

    def _outcome(self, one: _Try, submitted: Submitted, outcome: Outcome) -> Iterator[Graded]:
        again = replace(one.job, gradings=one.job.gradings + 1)
        if outcome.fault is not None:
            alone = 0 if one.alone is None else one.alone + 1
            if alone < TRIES:
                self._again.append(_Try(again, alone))
                return
            fault = f"graded alone {TRIES} times, and each time: {outcome.fault}"
            yield given_up(self._bundle, one.job, submitted, self._work.device, fault)
            return
        graded = outcome.graded(one.job, submitted)
        self._pace.note(graded.seconds)
        if graded.starved and one.alone is None and self._total > 1:
            self._starved.append(_Try(again, 0))
        else:
            yield graded

    def _watch(self) -> None:
        """See now and then which workers there are; what those had that are gone is sent again."""
        if self._client.status != "running":
            raise _Lost
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._workers.look()
        self._looked = time.monotonic()
        self._tell_refused()
        if self._workers.fit:
            self._had_worker = time.monotonic()
        elif self._losses.are_all(self._workers):
            raise self._losses.error(self.left)
        elif time.monotonic() - self._had_worker > self._patience:
            minutes = self._patience / 60
            why = _lines(self._workers.refused)
            raise HarnessError(f"the cluster has had no worker for {minutes:.0f} minutes{why}")
        for future, sent in list(self._sent.items()):
            if sent.workers.isdisjoint(self._workers.fit) and self._workers.fit:
                self._give_up(future)

    def _give_up(self, future: Any) -> None:
        """Take back a batch that no worker is left for."""
        sent = self._sent.pop(future)
        with suppress(Exception):
            future.cancel()
        self._take_back(sent)

    def _take_back(self, sent: _Sent) -> None:
        """Have a batch sent again, first of all."""
        for one in reversed(sent.tries):
            (self._queue if one.alone is None else self._again).appendleft(one)

    def _reconnect(self) -> None:
        """Connect anew; all that was on its way is sent again."""
        for sent in self._sent.values():
            self._take_back(sent)
        self._sent.clear()
        self._done = SimpleQueue()
        with suppress(Exception):
            self._client.close(timeout=1)
        self._client = self._connect(self._patience)
        self._workers = self._new_workers()
        self._had_worker, self._looked = time.monotonic(), 0.0

    def _tell_refused(self) -> None:
        """Say once of each worker that it is left out, and why."""
        new = {a: why for a, why in self._workers.refused.items() if why not in self._told}
        self._told.update(new.values())
        if new and self._workers.fit:
            logging.getLogger(__name__).warning("workers are left out:%s", _lines(new))


def _lines(refused: dict[str, str]) -> str:
    """Return why workers cannot grade, each reason once, as lines."""
    reasons = sorted(set(refused.values()))
    more = [f"and {len(reasons) - TOLD} more"] if len(reasons) > TOLD else []
    return "".join(f"\n  {line}" for line in [*reasons[:TOLD], *more])
