"""A deadline: when a class submits, and how long its submissions wait for so many workers."""

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.engines.turns import PATIENCE_SECONDS
from autograder.errors import UsageError

__all__ = ["HOUR", "Curve", "Waits", "drawn", "waiting_times", "workers_for"]

HOUR = 3600.0
DAY = 24 * HOUR
SITTING = 4  # submissions that a student makes one after another, on average
GAP_SECONDS = 360.0  # between two of them, on average
NIGHT, QUIET = (1.0, 8.0), 0.1  # hours of a day, and how much of the usual comes then
MOST_WORKERS = 1 << 16


@dataclass(frozen=True)
class Curve:
    """When a class submits, up to a deadline at midnight.

    Attributes:
        students: of the class.
        each: submissions of each, on average.
        days: before the deadline.
        last_day: share of all submissions that come in the last 24 hours.
        last_hour: share that comes in the last hour, more and more; it is part of that.

    Raises:
        UsageError: a number is none of that kind.
    """

    students: int = 933
    each: float = 20.0
    days: int = 7
    last_day: float = 0.4
    last_hour: float = 0.1

    def __post_init__(self) -> None:
        for name in ("students", "each", "days"):
            if not 0 < getattr(self, name) < math.inf:
                raise UsageError(f"--{name} must be above 0, got {getattr(self, name)!r}")
        if not 0 <= self.last_hour <= self.last_day <= 1:
            raise UsageError(
                "--last-hour and --last-day are shares from 0 to 1, the first of them at most the "
                f"second, got {self.last_hour} and {self.last_day}"
            )

    @property
    def submissions(self) -> int:
        """How many there are in all."""
        return max(1, round(self.students * self.each))

    def times(self, rng: np.random.Generator) -> np.ndarray:
        """Return when each submission comes, in order: (submissions,) seconds before 0, in s.

        Who submits does so several times in one sitting. A sitting that would go on behind the
        deadline is pushed in front of it.
        """
        begun = np.concatenate(
            [
                self._early(rng, self._sittings(1 - self.last_day)),
                _by_day(rng, self._sittings(self.last_day - self.last_hour), DAY, HOUR),
                # Twice the usual at the deadline, nothing extra an hour before.
                -HOUR * (1 - np.sqrt(rng.random(self._sittings(self.last_hour)))),
            ]
        )
        whose = rng.integers(len(begun), size=self.submissions)
        whose[: len(begun)] = np.arange(len(begun))[: self.submissions]
        later = rng.exponential(GAP_SECONDS, self.submissions)
        later[: len(begun)] = 0.0
        times = begun[whose] + later
        late = times > 0
        times[late] = begun[whose][late] * rng.random(int(late.sum()))
        return np.sort(times)

    def _sittings(self, share: float) -> int:
        return math.ceil(share * self.submissions / SITTING) if share > 0 else 0

    def _early(self, rng: np.random.Generator, count: int) -> np.ndarray:
        if self.days <= 1:
            return _by_day(rng, count, DAY, HOUR)
        days = rng.integers(1, self.days, count)
        found: np.ndarray = _by_day(rng, count, DAY, 0.0) - DAY * days
        return found


def _by_day(rng: np.random.Generator, count: int, since: float, until: float) -> np.ndarray:
    """Return times of a day before midnight, of which few are at night: (count,) seconds."""
    found = np.empty(0)
    while len(found) < count:
        times = -rng.uniform(until, since, 2 * count + 16)
        hours = 24 + times / HOUR
        kept = ((hours < NIGHT[0]) | (hours > NIGHT[1])) | (rng.random(len(times)) < QUIET)
        found = np.concatenate([found, times[kept]])
    return found[:count]


@dataclass(frozen=True)
class Waits:
    """How long submissions wait until they are graded, in seconds.

    Attributes:
        count: how many there are.
        half: that half of them wait at most.
        most: that 95 % of them wait at most.
        longest: that one of them waits.
    """

    count: int
    half: float
    most: float
    longest: float

    @classmethod
    def of(cls, waits: np.ndarray) -> "Waits":
        """Return what some waits, (n,) in seconds, come to; nothing of none."""
        if len(waits) == 0:
            return cls(0, 0.0, 0.0, 0.0)
        half, most = np.percentile(waits, [50, 95])
        return cls(len(waits), float(half), float(most), float(waits.max()))


def waiting_times(
    times: np.ndarray, services: np.ndarray, workers: int, again: np.ndarray | None = None
) -> np.ndarray:
    """Return how long each submission waits until it is graded, as `autograder serve` has it.

    Who comes first is graded first, as soon as a worker is free. What is graded again has all
    workers for itself: when nothing else waits, or when it has waited for a while.

    Args:
        times: when each comes, in order: (n,) in seconds.
        services: how long its grading takes: (n,) in seconds.
        workers: how many are graded at a time.
        again: how long it is graded again, 0 where it is not: (n,) in seconds.

    Returns:
        (n,) seconds, all gradings included.
    """
    came, takes = times.tolist(), services.tolist()
    more = [0.0] * len(came) if again is None else again.tolist()
    ends, now, number = [0.0] * len(came), -math.inf, 0
    running: list[tuple[float, int]] = []  # when each ends
    aside = deque[tuple[float, int]]()  # since when each waits to be graded again
    while number < len(came) or running or aside:
        due = aside[0][0] + PATIENCE_SECONDS if aside else math.inf
        waits = number < len(came) and came[number] <= now
        if waits and len(running) < workers and now < due:
            heapq.heappush(running, (now + takes[number], number))
            number += 1
        elif aside and not running and (now >= due or not waits):
            _, one = aside.popleft()
            now = ends[one] = now + more[one]
        else:
            coming = came[number] if number < len(came) and not waits else math.inf
            now = min(
                running[0][0] if running else math.inf, coming, due if due > now else math.inf
            )
            while running and running[0][0] <= now:
                ended, one = heapq.heappop(running)
                ends[one] = ended
                if more[one]:
                    aside.append((ended, one))
    found: np.ndarray = np.array(ends) - times
    return found


def workers_for(
    times: np.ndarray,
    services: np.ndarray,
    seconds: float,
    since: float = -math.inf,
    again: np.ndarray | None = None,
) -> int | None:
    """Return the fewest workers with which 95 % of submissions wait less than so long.

    Args:
        times: when each comes: (n,) in seconds.
        services: how long its grading takes: (n,) in seconds.
        seconds: the limit.
        since: only what comes from then on counts.
        again: how long it is graded again: (n,) in seconds.

    Returns:
        None where no number of workers is enough, as grading alone takes longer.
    """

    def is_enough(workers: int) -> bool:
        waits = waiting_times(times, services, workers, again)
        return Waits.of(waits[times >= since]).most < seconds

    few, many = 0, 1
    while not is_enough(many):
        few, many = many, 2 * many
        if many > MOST_WORKERS or few >= len(times):
            return None
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if is_enough(middle) else (middle, many)
    return many


def drawn(
    measured: Sequence[tuple[float, float]], count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return times of so many gradings, each one that was measured: (count,) in seconds.

    Args:
        measured: how long each took, and how long it was graded again.
        count: how many.
        rng: decides which.

    Returns:
        (count,) seconds of gradings, and (count,) of those that follow.
    """
    chosen = rng.choice(np.asarray(measured, dtype=float), count)
    return chosen[:, 0], chosen[:, 1]
