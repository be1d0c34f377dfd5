"""Earlier runs of mistakes: what was run on some inputs once is not run on them for another end.

Which draws a mistake needs, which checks reject it, and whether they do so for certain, is asked at
three places of an audit, and answered in part by the same runs. What is to come out alike twice is
run twice.
"""

import time
from collections.abc import Mapping

from autograder.audit.checking.variants import Ran
from autograder.authoring.checks import Check

__all__ = ["Earlier"]


class Earlier:
    """What came of mistakes so far, case by case."""

    def __init__(self) -> None:
        self._ran: dict[tuple[str, str, bytes], dict[str, Ran]] = {}
        self._spared = 0.0

    def keep(self, check: str, mistake: str, seed: bytes, ran: Ran) -> None:
        """Keep what came of a case.

        Args:
            check: whose case it is.
            mistake: by its label.
            seed: that its inputs were drawn under.
            ran: what came of it.
        """
        self._ran.setdefault((check, mistake, seed), {})[ran.result.name] = ran

    def take(self, other: "Earlier") -> None:
        """Take what another has kept, of other mistakes."""
        self._ran |= other._ran

    def of(self, check: Check, mistake: str, seed: bytes) -> Mapping[str, Ran]:
        """Return what is known of a mistake in the cases of a check, by their names."""
        ran = self._ran.get((check.name, mistake, seed), {})
        known = {case.name: ran[case.name] for case in check.cases if case.name in ran}
        self._spared += sum(one.seconds for one in known.values())
        return known

    def clock(self) -> float:
        """Return the seconds of the processor so far, with those that earlier runs have spared.

        So what takes long does so however much of it is known.
        """
        return time.process_time() + self._spared
