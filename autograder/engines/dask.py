"""The engine of a cluster: submissions graded by workers of Dask, on any number of machines.

The driver, which is this process, reads each submission when its turn comes, sends bytes, and is
the only one that writes. Workers grade as a worker here does, in processes that stay warm. A
student's crash or time-out is a result; what else goes wrong is ours: the submission is tried
again alone, three times, each time with inputs of its own, and is then for staff, never a zero.
When a worker dies, Dask has another one grade what it had, with the same inputs: nothing leaves a
session but values, so that the first run has learnt nothing for the second.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from autograder.artefacts.bundle import parse_bundle
from autograder.engines import dask_worker
from autograder.engines.batches import BATCH_BYTES, IN_FLIGHT, Pace
from autograder.engines.dask_cluster import GPU, Connector, connected
from autograder.engines.dask_losses import Losses
from autograder.engines.dask_tries import Sent, Try, Waiting
from autograder.engines.dask_worker import Batch
from autograder.engines.dask_workers import Workers
from autograder.engines.feed import Feed
from autograder.engines.grader import given_up, unread
from autograder.engines.orders import LostGpu, Order, Outcome, Setup, decode, encode
from autograder.engines.places import MOST_LOST, times_lost
from autograder.engines.work import Graded, Job, Work
from autograder.errors import HarnessError
from autograder.grading.intake import Submitted, read_submitted
from autograder.secret import DEMO_SECRET

__all__ = ["grade_all", "grade_on", "slots_on"]

TRIES = 3  # of a submission alone
LOOK_SECONDS = 3.0  # between two looks at which workers there are, which cost a scheduler time
WAIT_SECONDS = 1.0  # for something to be done
RESULT_SECONDS = 5.0  # for a result that is done to come to us
STUCK_SECONDS = 0.1  # likewise, where it did not before
FIRST_SECONDS = 30.0  # for a first worker, where no Slurm has to start one


def grade_all(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
    """Grade submissions on a cluster and yield each as it is done.

    How many are graded at a time the cluster decides: ``workers`` is for an engine of one machine.

    Raises:
        DeviceLost: no worker is left whose GPU can be used; what was not yielded is for later.
        HarnessError: the scheduler does not answer, or there has been no worker for too long.
        UnsafeHere: the cluster cannot grade this, or not safely.
        UsageError: nobody says where the scheduler is.
    """
    if jobs:
        with connected(work.cluster, work.secret) as connect:
            yield from grade_on(connect, work, jobs)


def slots_on(connect: Connector, work: Work) -> int:
    """Return how many submissions a cluster grades at a time: of workers that can grade these.

    Raises:
        HarnessError: the scheduler does not answer, or there has been no worker for too long.
        UnsafeHere: the cluster cannot grade this, or not safely.
    """
    driver = _Driver(work, Feed[Job].of(()), connect)
    try:
        return driver.slots
    finally:
        driver.close()


def grade_on(connect: Connector, work: Work, jobs: Sequence[Job] | Feed[Job]) -> Iterator[Graded]:
    """Grade submissions on a cluster that is connected, of a feed also what comes meanwhile.

    Raises:
        DeviceLost: no worker is left whose GPU can be used; what was not yielded is for later.
        HarnessError: the scheduler does not answer, or there has been no worker for too long.
        UnsafeHere: the cluster cannot grade this, or not safely.
    """
    driver = _Driver(work, Feed.of(jobs), connect)
    try:
        for graded in driver.grade():
            driver.left -= 1
            yield graded
    finally:
        driver.close()


class _Lost(Exception):
    """The scheduler is gone, and with it all that was on its way."""


class _Driver:
    def __init__(self, work: Work, feed: Feed[Job], connect: Connector) -> None:
        self._work, self._connect, self._data = work, connect, work.bundle.read_bytes()
        self._bundle = parse_bundle(self._data, str(work.bundle))
        self._setup = Setup.of(work, self._bundle.id)
        self._feed = feed
        self._waiting = Waiting()
        self._sent: dict[Any, Sent] = {}
        self._done = SimpleQueue[Any]()  # futures, and None when something else has happened
        self._stuck = list[Any]()  # futures whose result did not come to us
        self._pace = Pace(alone=work.device != "cpu")
        self._patience = 60 * work.cluster.patience_minutes
        self._client = connect()
        self._workers = self._new_workers()
        self._looked = self._had_worker = time.monotonic()
        self._losses = Losses()
        self.left = 0

    @property
    def slots(self) -> int:
        """How many submissions are graded at a time, when there is a worker that can."""
        self._wait_for_the_first()
        return self._workers.slots

    def grade(self) -> Iterator[Graded]:
        """Grade everything that comes; what is graded alone, on a worker that does nothing else."""
        self._feed.tell(lambda: self._done.put(None))
        self._wait_for_the_first()
        while not self._feed.is_stopped and (not self._feed.is_over or self._waiting or self._sent):
            jobs = self._feed.take()
            self._waiting.queue.extend(map(Try, jobs))
            self.left += len(jobs)
            try:
                yield from self._fill()
                yield from self._collect()
                self._watch()
            except (_Lost, OSError):
                self._reconnect()

    def close(self) -> None:
        """Leave the cluster; what is on its way there is of no use any more."""
        self._feed.tell(lambda: None)
        if self._client.status == "running":
            self._workers.end()
        with suppress(Exception):
            self._client.close()

    def _new_workers(self) -> Workers:
        insecure = self._work.cluster.insecure and self._work.secret == DEMO_SECRET
        return Workers(self._client, self._setup, self._data, insecure)

    def _wait_for_the_first(self) -> None:
        is_asked = self._work.cluster.slurm is not None  # for workers
        first = self._patience if is_asked else FIRST_SECONDS
        self._workers.wait_for_the_first(first, self._patience)
        self._workers.tell_refused()

    def _fill(self) -> Iterator[Graded]:
        """Send batches until enough are on their way; yield what could not be read at all."""
        workers, waiting = self._workers, self._waiting
        while workers.fit and len(self._sent) < IN_FLIGHT * workers.slots:
            alone = sum(sent.alone for sent in self._sent.values())
            if waiting.is_time_for_one_aside(free=alone < workers.hosts):
                yield from self._send_read([waiting.aside.popleft()], alone=True)
            elif waiting.queue:
                size = self._pace.size(workers.slots, len(waiting.queue))
                yield from self._send_read(waiting.take(size))
            else:
                return

    def _send_read(self, batch: Sequence[Try], alone: bool = False) -> Iterator[Graded]:
        """Read submissions and send them; yield what could not be read."""
        tries, read, total = list[Try](), list[Submitted](), 0
        for number, one in enumerate(batch):
            submitted = read_submitted(one.job.path)
            done = unread(self._bundle, one.job, submitted, self._work.device)
            if done is not None:
                yield done
                continue
            total += len(submitted.data)
            if tries and total > BATCH_BYTES:
                self._waiting.queue.extendleft(reversed(batch[number:]))
                break
            tries.append(one)
            read.append(submitted)
        if tries:
            self._send(tries, read, alone)

    def _send(self, tries: Sequence[Try], read: Sequence[Submitted], alone: bool) -> None:
        orders = tuple(encode(Order.of(t.job, r)) for t, r in zip(tries, read, strict=True))
        workers = frozenset(self._workers.fit)
        sent = Sent(tuple(tries), tuple(read), workers, alone)
        try:
            future = self._client.submit(
                dask_worker.grade_batch,
                self._setup.id,
                orders,
                alone,
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
        stuck, self._stuck = self._stuck, []
        for future in stuck:  # if it is lost, its worker is, and another one does it again
            future.add_done_callback(self._done.put)
        may_come = self._sent or not self._workers.fit or not self._feed.is_over
        wait = WAIT_SECONDS if may_come else 0.0
        while True:
            try:
                future = self._done.get(timeout=wait) if wait else self._done.get_nowait()
            except Empty:
                return
            wait = 0.0
            sent = self._sent.get(future)
            if sent is None:  # it was given up, or something else has happened
                continue
            seconds = STUCK_SECONDS if future in stuck else RESULT_SECONDS
            yield from self._outcomes(future, sent, seconds)

    def _outcomes(self, future: Any, sent: Sent, seconds: float) -> Iterator[Graded]:
        if future.status == "cancelled":
            raise _Lost
        try:
            batch = decode(future.result(timeout=seconds), Batch)
            worker, outcomes = batch.worker, batch.outcomes
            if outcomes is not None and len(outcomes) != len(sent.tries):
                raise HarnessError("a batch came back that is another's")
        except TimeoutError:
            self._stuck.append(future)
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
            elif outcome.unsafe:  # that is its machine's fault
                self._workers.lose(worker, outcome.fault or "")
                self._waiting.put_back(one)
            else:
                yield from self._outcome(one, submitted, outcome)

    def _outcome_of_loss(
        self, one: Try, submitted: Submitted, worker: str, lost: LostGpu
    ) -> Iterator[Graded]:
        """Use a worker no more, and have what it had sent again, which is no try of it."""
        workers = self._workers
        one = replace(one, job=self._losses.note(workers, worker, one.job, lost))
        if one.job.lost >= MOST_LOST:
            fault, device = times_lost(one.job.lost), self._work.device
            yield given_up(self._bundle, one.job, submitted, device, fault)
        elif one.alone is None and lost.during:  # it may lose the next one, too
            self._waiting.put_aside(one)
        else:
            self._waiting.put_back(one)
        workers.tell_refused()
        if workers.fit or workers.are_asked or not self.left:
            return
        if not self._losses.hope(workers):
            raise self._losses.error(self.left)
        self._looked = 0.0

    def _outcome(self, one: Try, submitted: Submitted, outcome: Outcome) -> Iterator[Graded]:
        again = replace(one, job=replace(one.job, gradings=one.job.gradings + 1))
        found = outcome.graded(one.job, submitted)
        if isinstance(found, Graded):
            self._pace.note(found.seconds)
            if found.starved and one.alone is None:
                self._waiting.put_aside(replace(again, former_seconds=found.seconds))
            else:
                yield replace(found, former_seconds=one.former_seconds)
            return
        if one.alone is None:
            self._waiting.put_aside(again)
        elif one.alone + 1 < TRIES:
            self._waiting.aside.append(replace(again, alone=one.alone + 1))
        else:
            fault = f"graded alone {TRIES} times, and each time: {found.fault}"
            yield given_up(self._bundle, one.job, submitted, self._work.device, fault)

    def _watch(self) -> None:
        """See now and then which workers there are; what those had that are gone is sent again."""
        if self._client.status != "running":
            raise _Lost
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._workers.look()
        self._looked = time.monotonic()
        self._workers.tell_refused()
        if self._workers.fit:
            self._had_worker = time.monotonic()
        elif self._losses.are_all(self._workers):
            raise self._losses.error(self.left)
        elif time.monotonic() - self._had_worker > self._patience:
            minutes = self._patience / 60
            why = self._workers.reasons()
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

    def _take_back(self, sent: Sent) -> None:
        """Have a batch sent again, first of all."""
        for one in reversed(sent.tries):
            self._waiting.put_back(one)

    def _reconnect(self) -> None:
        """Connect anew; all that was on its way is sent again."""
        for sent in self._sent.values():
            self._take_back(sent)
        self._sent.clear()
        self._stuck.clear()
        self._done = SimpleQueue()
        with suppress(Exception):
            self._client.close(timeout=1)
        self._client = self._connect(self._patience)
        self._workers = self._new_workers()
        self._had_worker, self._looked = time.monotonic(), 0.0
