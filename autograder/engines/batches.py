"""Batches: how many submissions are sent at a time, so that sending costs little."""

import math
import statistics
from collections import deque

__all__ = ["BATCH_BYTES", "IN_FLIGHT", "Pace"]

IN_FLIGHT = 2  # batches for each slot: one that is graded, one that waits
BATCH_BYTES = 8 << 20  # of submissions in one batch, unless it has only one
MOST = 64
AIM_SECONDS = 2.0  # that a batch should take
TASKS_A_SECOND = 100  # that a scheduler is asked for, at the most
REMEMBERED = 101


class Pace:
    """How long submissions take: a running median, and what follows of it.

    Args:
        alone: send one at a time, as to a GPU.
    """

    def __init__(self, alone: bool = False) -> None:
        self._alone = alone
        self._seconds = deque[float](maxlen=REMEMBERED)

    def note(self, seconds: float) -> None:
        """Take the time of one more submission into account."""
        self._seconds.append(seconds)

    def size(self, slots: int, left: int) -> int:
        """Return how many submissions to send next.

        As many as take two seconds, and as keep a scheduler under a hundred batches a second; one
        until something is known. Near the end fewer, so that all slots end at about the same time.

        Args:
            slots: of the cluster.
            left: submissions that are not sent yet.
        """
        if self._alone or not self._seconds or slots < 1:
            return 1
        median = max(statistics.median(self._seconds), 1e-4)
        wanted = max(math.ceil(AIM_SECONDS / median), math.ceil(slots / (TASKS_A_SECOND * median)))
        fair = math.ceil(left / (IN_FLIGHT * slots))
        return max(1, min(wanted, MOST, fair))
