"""The engine of a grader that stays up, on a cluster: connected as long as something is graded."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Lock

from autograder.engines.dask import grade_on, slots_on
from autograder.engines.dask_cluster import Connector, connected
from autograder.engines.feed import Feed
from autograder.engines.work import Graded, Job, Work

__all__ = ["StandingCluster"]


class StandingCluster:
    """An engine whose runs that overlap use the same connection, and the same jobs of Slurm.

    Both end with the last of them.
    """

    def __init__(self) -> None:
        self._lock, self._stack = Lock(), ExitStack()
        self._connector: Connector | None = None
        self._by: object = None
        self._runs = 0

    def __call__(
        self, work: Work, jobs: Sequence[Job] | Feed[Job], workers: int
    ) -> Iterator[Graded]:
        """Grade each job, and yield each submission as it is done.

        Raises:
            DeviceLost: no worker is left whose GPU can be used; what was not yielded is for later.
            HarnessError: the scheduler does not answer, or there has been no worker for too long.
            UnsafeHere: the cluster cannot grade this, or not safely.
            UsageError: nobody says where the scheduler is.
        """
        feed = Feed.of(jobs)
        if feed.is_over:
            return
        with self._connected(work) as connect:
            yield from grade_on(connect, work, feed)

    @contextmanager
    def held(self, work: Work) -> Iterator[int]:
        """Stay connected while the block lasts; give how many submissions are graded at a time."""
        with self._connected(work) as connect:
            yield slots_on(connect, work)

    def close(self) -> None:
        """Do nothing: nothing is kept behind the last run."""

    @contextmanager
    def _connected(self, work: Work) -> Iterator[Connector]:
        """Give what connects to the cluster that runs share; to another one, a run has its own."""
        by = work.cluster, work.secret
        with self._lock:
            if not self._runs:
                self._connector, self._by = self._stack.enter_context(connected(*by)), by
            shared = self._connector if self._by == by else None
            self._runs += shared is not None
        if shared is None:
            with connected(*by) as own:
                yield own
            return
        try:
            yield shared
        finally:
            with self._lock:
                self._runs -= 1
                if not self._runs:
                    self._connector = None
                    self._stack.close()
