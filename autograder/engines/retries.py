"""Retries: when what broke on our side is tried again, later each time that it breaks."""

import math
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

__all__ = ["Retries"]

K = TypeVar("K", bound=Hashable)

FIRST_SECONDS = 60.0
MOST_SECONDS = 6 * 3600.0


@dataclass(frozen=True)
class _Retry:
    at: float
    pause: float


class Retries(Generic[K]):
    """What is to be tried again, by name.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[K, _Retry] = {}

    def __contains__(self, key: K) -> bool:
        """Return whether something broke when it was tried last."""
        return key in self._waiting

    def broke(self, keys: Iterable[K]) -> None:
        """Note what broke: it is tried again in a minute, then in two, in four, up to six hours."""
        for key in keys:
            former = self._waiting.get(key)
            pause = FIRST_SECONDS if former is None else min(2 * former.pause, MOST_SECONDS)
            self._waiting[key] = _Retry(self._clock() + pause, pause)

    def went_well(self, keys: Iterable[K]) -> None:
        """Note what went well."""
        for key in keys:
            self._waiting.pop(key, None)

    def take_due(self) -> list[K]:
        """Return what is to be tried again now, once."""
        now = self._clock()
        found = [key for key, retry in self._waiting.items() if retry.at <= now]
        for key in found:
            self._waiting[key] = replace(self._waiting[key], at=math.inf)
        return found
