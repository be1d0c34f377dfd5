"""What a run on a cluster has still to send, and what it has sent."""

import time
from collections import deque
from dataclasses import dataclass, field, replace

from autograder.engines.turns import PATIENCE_SECONDS
from autograder.engines.work import Job
from autograder.grading.intake import Submitted

__all__ = ["Sent", "Try", "Waiting"]


@dataclass(frozen=True)
class Try:
    """A submission to grade: ``alone`` counts how often it has been tried by itself.

    ``since`` is when it was put aside for that, ``former_seconds`` what a starved grading took.
    """

    job: Job
    alone: int | None = None
    since: float = 0.0
    former_seconds: float = 0.0


@dataclass(frozen=True)
class Sent:
    """A batch on its way: what was read of each submission, and which workers may grade it.

    ``alone`` says that its worker grades nothing else meanwhile.
    """

    tries: tuple[Try, ...]
    read: tuple[Submitted, ...]
    workers: frozenset[str]
    alone: bool


@dataclass
class Waiting:
    """Submissions that are to be sent.

    Attributes:
        queue: in the order in which they came.
        aside: those that are graded by themselves.
    """

    queue: deque[Try] = field(default_factory=deque)
    aside: deque[Try] = field(default_factory=deque)

    def __bool__(self) -> bool:
        return bool(self.queue or self.aside)

    def take(self, size: int) -> list[Try]:
        """Take the first so many of the queue."""
        return [self.queue.popleft() for _ in range(min(size, len(self.queue)))]

    def put_back(self, one: Try) -> None:
        """Have a submission sent again, first of its kind."""
        (self.queue if one.alone is None else self.aside).appendleft(one)

    def put_aside(self, one: Try) -> None:
        """Have a submission graded by itself, behind all others."""
        self.aside.append(replace(one, alone=0, since=time.monotonic()))

    def is_time_for_one_aside(self, *, free: bool) -> bool:
        """Return whether to send one that is graded by itself: behind all others, or after a while.

        Args:
            free: whether there is a machine that grades none of them now; each has it for itself.
        """
        if not self.aside or not free:
            return False
        return not self.queue or time.monotonic() - self.aside[0].since > PATIENCE_SECONDS
