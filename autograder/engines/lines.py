"""Lines: what is graded while more arrives, by a run of the engine for each assignment.

An engine runs in a thread of a line. All else, planning, storing and writing, is for whoever calls.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread

from autograder.engines.feed import Feed
from autograder.engines.planning import Plan
from autograder.engines.work import Graded, Job, StandingEngine
from autograder.errors import HarnessError

__all__ = ["Done", "Failed", "Lines"]

END_SECONDS = 5.0  # for a run to end
IDLE_SECONDS = 300.0  # after which a run ends that has nothing to grade


@dataclass(frozen=True)
class Done:
    """A submission that was graded, and the plan that it was in."""

    plan: Plan
    graded: Graded


@dataclass(frozen=True)
class Failed:
    """A run that has ended before all was graded: why, and whose submissions are left."""

    name: str
    students: frozenset[str]
    error: BaseException


class Lines:
    """The lines of all assignments.

    Args:
        engine: that grades.
        workers: how many submissions it grades at a time.
        clock: returns seconds.
    """

    def __init__(
        self, engine: StandingEngine, workers: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine, self._workers, self._clock = engine, workers, clock
        self._lines: list[_Line] = []

    @property
    def are_idle(self) -> bool:
        """Whether nothing is graded or waits for it."""
        return not any(line.left for line in self._lines)

    def under_way(self, name: str) -> set[str]:
        """Return whose submissions of an assignment are graded, or wait for it."""
        return {s for line in self._lines if line.name == name for s in line.left}

    def put(self, plan: Plan, jobs: Sequence[Job]) -> None:
        """Have submissions graded, in this order, behind those that came before.

        What another bundle or other settings grade is graded beside them.
        """
        line = next((one for one in self._lines if one.takes(plan)), None)
        if line is None:
            line = _Line(plan, self._engine, self._workers)
            self._lines.append(line)
        line.put(plan, jobs)

    def done(self) -> Iterator[Done | Failed]:
        """Give what has been done since this was asked last, and do not wait."""
        for line in list(self._lines):
            yield from line.take()
            if line.is_over:
                self._lines.remove(line)
            elif line.left:
                line.used = self._clock()
            elif self._clock() - line.used > IDLE_SECONDS:
                line.close()

    def close(self) -> None:
        """End all runs; what they have not returned is for a later one."""
        lines, self._lines = self._lines, []
        for line in lines:
            line.stop()
        for line in lines:
            line.join()


class _Line:
    """The submissions of one assignment that are graded by the same bundle and settings."""

    def __init__(self, plan: Plan, engine: StandingEngine, workers: int) -> None:
        self.name, self.used = plan.bundle.manifest.assignment, 0.0
        self._feed, self.left = Feed[Job](), Counter[str]()
        self.is_over = self._closed = False
        self._by = plan.work, plan.bundle.id
        self._plans = dict[str, Plan]()
        self._results = Queue[Graded | BaseException]()
        self._thread = Thread(target=self._run, args=(engine, workers), daemon=True)
        self._thread.start()

    def takes(self, plan: Plan) -> bool:
        """Return whether what a plan has is graded here."""
        return not (self.is_over or self._closed) and self._by == (plan.work, plan.bundle.id)

    def put(self, plan: Plan, jobs: Sequence[Job]) -> None:
        """Have more graded."""
        self.left.update(job.student for job in jobs)
        self._plans.update((job.student, plan) for job in jobs)
        self._feed.put(jobs)

    def close(self) -> None:
        """Give nothing more to the engine."""
        self._closed = True
        self._feed.close()

    def stop(self) -> None:
        """Have the engine end, which may take a moment."""
        self._closed = True
        self._feed.stop()

    def join(self) -> None:
        """Wait a while for the engine's end: a cluster is told to forget the secret."""
        self._thread.join(END_SECONDS)

    def take(self) -> Iterator[Done | Failed]:
        """Give what has been done, and at the end what was not."""
        while not self.is_over:
            try:
                one = self._results.get_nowait()
            except Empty:
                return
            if isinstance(one, Graded):
                self.left -= Counter([one.student])
                yield Done(self._plans[one.student], one)
                continue
            self.is_over = True
            if left := frozenset(self.left):
                yield Failed(self.name, left, one)

    def _run(self, engine: StandingEngine, workers: int) -> None:
        work, _ = self._by
        try:
            for one in engine(work, self._feed, workers):
                self._results.put(one)
        except BaseException as error:  # whoever asks what is done is told
            self._results.put(error)
        else:
            self._results.put(HarnessError("the engine ended before all was graded"))
