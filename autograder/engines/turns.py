"""Turns: what is done in the order in which it came, and what is done while nothing else is."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

__all__ = ["PATIENCE_SECONDS", "Turn", "Turns"]

T = TypeVar("T")

PATIENCE_SECONDS = 300.0  # that what must be alone leaves others before it


class Turn(Generic[T]):
    """Something that is done when its turn comes.

    Attributes:
        future: what it comes to.
        was_alone: whether nothing else was done meanwhile.
        since: when it came.
    """

    def __init__(self, do: Callable[[], T], since: float) -> None:
        self.do, self.since = do, since
        self.future = Future[T]()
        self.was_alone = True


class Turns:
    """Does so many things at a time, first come, first served.

    What must be alone is done when nothing else waits or is under way. After a while nothing new
    begins before it.

    Args:
        most: things at a time.
        patience: for how many seconds what must be alone leaves others before it.
        clock: returns seconds.
    """

    def __init__(
        self,
        most: int,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._patience, self._clock = most, patience, clock
        self._waiting, self._aside = deque[Turn[Any]](), deque[Turn[Any]]()
        self._under_way = set[Turn[Any]]()
        self._changed = Condition()
        self._threads = 0
        self._held = self._closed = False

    def begin(self, do: Callable[[], T]) -> Turn[T]:
        """Have something done when its turn comes."""
        return self._add(self._waiting, do)

    def begin_alone(self, do: Callable[[], T]) -> Turn[T]:
        """Have something done while nothing else is."""
        return self._add(self._aside, do)

    def close(self) -> None:
        """Begin nothing any more; what waits is cancelled."""
        with self._changed:
            self._closed = True
            left = [*self._waiting, *self._aside]
            self._waiting.clear()
            self._aside.clear()
            self._changed.notify_all()
        for turn in left:
            turn.future.cancel()

    def _add(self, line: deque[Turn[Any]], do: Callable[[], T]) -> Turn[T]:
        turn = Turn(do, self._clock())
        with self._changed:
            if self._closed:
                turn.future.cancel()
                return turn
            line.append(turn)
            if self._threads < self._most:
                self._threads += 1
                Thread(target=self._work, daemon=True).start()
            self._changed.notify_all()
        return turn

    def _work(self) -> None:
        while (turn := self._next()) is not None:
            try:
                if turn.future.set_running_or_notify_cancel():
                    turn.future.set_result(turn.do())
            except BaseException as error:  # whoever asks for the future is told
                turn.future.set_exception(error)
            finally:
                with self._changed:
                    self._under_way.remove(turn)
                    self._held = False  # what is alone ends last of all that is under way
                    self._changed.notify_all()

    def _next(self) -> Turn[Any] | None:
        """Wait for what is to be done next; None when nothing is any more."""
        with self._changed:
            while not self._closed:
                rest = self._rest()
                if not self._held and self._waiting and rest > 0:
                    return self._started(self._waiting.popleft())
                if self._aside and not self._under_way:
                    self._held = True
                    return self._started(self._aside.popleft())
                self._changed.wait(rest if self._aside and rest > 0 else None)
            return None

    def _rest(self) -> float:
        """Return for how long the first that must be alone still leaves others before it."""
        if not self._aside:
            return self._patience or 1.0
        return self._aside[0].since + self._patience - self._clock()

    def _started(self, turn: Turn[Any]) -> Turn[Any]:
        for other in self._under_way:
            other.was_alone = turn.was_alone = False
        self._under_way.add(turn)
        return turn
