"""Feeds: jobs that come to an engine, all at once or while it does others."""

from collections.abc import Callable, Iterable, Iterator
from threading import Condition
from typing import Generic, TypeVar

__all__ = ["Feed"]

T = TypeVar("T")


class Feed(Generic[T]):
    """Jobs in the order in which they came; whoever iterates waits for more until it is closed.

    Args:
        jobs: those that are there from the start.
    """

    def __init__(self, jobs: Iterable[T] = ()) -> None:
        self._jobs = list(jobs)
        self._closed = self._stopped = False
        self._changed = Condition()
        self._tell: Callable[[], object] = lambda: None

    @classmethod
    def of(cls, jobs: "Iterable[T] | Feed[T]") -> "Feed[T]":
        """Return a feed as it is, and one to which nothing comes any more of some jobs."""
        if isinstance(jobs, Feed):
            return jobs
        found = cls(jobs)
        found.close()
        return found

    @property
    def is_over(self) -> bool:
        """Whether all was taken, and nothing comes any more."""
        with self._changed:
            return self._closed and not self._jobs

    def put(self, jobs: Iterable[T]) -> None:
        """Give more jobs."""
        with self._changed:
            self._jobs += jobs
            self._changed.notify_all()
        self._tell()

    def close(self) -> None:
        """Say that nothing comes any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._tell()

    @property
    def is_stopped(self) -> bool:
        """Whether what was not done is not wanted any more."""
        return self._stopped

    def stop(self) -> None:
        """Say that nothing is wanted any more, of what was taken neither."""
        self._stopped = True
        self.take()
        self.close()

    def take(self) -> list[T]:
        """Return what has come since this was asked last, and do not wait."""
        with self._changed:
            jobs, self._jobs = self._jobs, []
        return jobs

    def tell(self, tell: Callable[[], object]) -> None:
        """Have somebody told whenever jobs come, or the feed is closed."""
        self._tell = tell

    def __iter__(self) -> Iterator[T]:
        """Give each job, as it comes."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                if not self._jobs:
                    return
                job = self._jobs.pop(0)
            yield job
